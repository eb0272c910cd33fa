"""`rnn evaluate`: the figures of the run, for people and as JSON, and what it refuses."""

import csv
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rnn_cli.bundle.model_folder import METRICS, REPORT, Bundle, proof
from rnn_cli.cli import layout
from rnn_cli.cli.show_metrics import show_evaluation, show_slices
from rnn_cli.data.rows import Dataset
from rnn_cli.errors import BundleError
from rnn_cli.evaluation.compare import BaselineComparison, compare_predictions, kept_baseline
from rnn_cli.evaluation.evaluate import Evaluation, encode_counted
from rnn_cli.evaluation.metrics import MainMetrics, measure
from rnn_cli.scoring.decision import Decision
from rnn_cli.scoring.predictor import Scores
from rnn_cli.text.tokenizer import Tokenizer

from .conftest import Rnn, files_below, on_a_terminal


@pytest.fixture(autouse=True)
def charts_in_pages() -> None:
    """As users see them: a report that is written later is the run's own."""


def test_without_data_the_figures_are_those_of_training(rnn: Rnn, newest: Path, labelled_file: Path) -> None:
    assert labelled_file.exists()
    code, out, err = rnn("evaluate", "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    metrics = json.loads((newest / "metrics.json").read_text())
    assert (told.pop("baseline"), told.pop("comparison")) == (
        metrics["baseline"]["test"],
        metrics["baseline"]["comparison"]["test"],
    )
    assert told == metrics["test"]


def test_the_kept_test_rows_are_shown_beside_the_baseline_and_other_rows_are_not(
    rnn: Rnn, newest: Path, labelled_file: Path
) -> None:
    code, out, err = rnn("evaluate")
    assert (code, err) == (0, "")
    assert re.search(r"^test +network +95% interval +linear +95% interval$", out, re.MULTILINE)
    assert "\n\nOn the 16 test rows the network " in out
    code, out, err = rnn("evaluate", "--data", str(labelled_file))
    assert (code, err) == (0, "")
    assert "linear" not in out
    assert json.loads(rnn("evaluate", "--data", str(labelled_file), "--json").out).keys().isdisjoint({"baseline"})


def against(only_first: int, only_second: int, knew_more: bool = False) -> BaselineComparison:
    """A comparison on 1,000 rows of which both had 700 right and the others wrong."""
    truth = np.ones(1000, np.intp)
    right = np.repeat(
        [(1, 1), (1, 0), (0, 1), (0, 0)], [700, only_first, only_second, 300 - only_first - only_second], 0
    )
    metrics = measure(("a", "b"), truth, np.full((1000, 2), 0.5), right[:, 1])
    return BaselineComparison(metrics, compare_predictions(truth, right[:, 0], right[:, 1], 2), knew_more)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (
            against(60, 20),
            "On the 1,000 test rows the network is right 4.0 points more often than the linear baseline "
            "(95% interval 2.2 to 5.7; McNemar p < 0.001).",
        ),
        (
            against(20, 60),
            "On the 1,000 test rows the network is right 4.0 points less often than the linear baseline "
            "(95% interval 2.2 to 5.7; McNemar p < 0.001): use a linear model for these texts, or try another recipe.",
        ),
        (
            against(30, 33),
            "On the 1,000 test rows the network is right 0.3 points less often than the linear baseline, "
            "which may well be chance (95% interval -1.3 to 1.9; McNemar p = 0.80).",
        ),
        (
            against(30, 30, knew_more=True),
            "On the 1,000 test rows the network is right as often as a linear model of the new rows alone "
            "(95% interval -1.5 to 1.5; McNemar p = 1.00).",
        ),
        (against(0, 0), "On the 1,000 test rows the network and the linear baseline make the same mistakes."),
    ],
    ids=["better", "worse", "chance", "as good", "alike"],
)
def test_what_the_comparison_comes_to_is_told_in_words(
    found: BaselineComparison, told: str, capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    show_evaluation(replace(evaluation(["a", "b"]), baseline=found, model=home), "test")
    assert told in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("content", ["[]", '{"baseline": 3}', '{"baseline": {"test": {}, "comparison": {}}}'])
def test_figures_that_are_none_are_refused(content: str, newest: Path) -> None:
    manifest = Bundle.open(newest).manifest
    (newest / METRICS).write_text(content)
    opened = Bundle(newest, replace(manifest, files={METRICS: proof(newest / METRICS)}))
    with pytest.raises(BundleError, match="metrics this rnn does not understand"):
        kept_baseline(opened, "test")


def test_the_report_has_every_figure(rnn: Rnn, newest: Path, labelled_file: Path) -> None:
    code, out, err = rnn("evaluate", "--data", str(labelled_file))
    assert (code, err) == (0, "")
    assert out.startswith("Model  runs/quick-1\n\n")
    for words in (
        "reviews.csv",
        "accuracy",
        "95% interval",
        "macro F1",
        "ROC AUC",
        "PR AUC",
        "log loss",
        "Brier score",
    ):
        assert words in out
    assert re.search(r"^macro F1 +0\.\d{3} +too few rows$", out, re.MULTILINE)
    assert re.search(r"^calibration error +0\.\d{3} +too few rows$", out, re.MULTILINE)
    assert re.search(
        r"^label +precision +95% interval +recall +95% interval +F1 +95% interval +rows$", out, re.MULTILINE
    )
    assert "true \\ predicted  bad  good\n" in out
    assert "\x1b" not in out
    assert not [line for line in out.splitlines() if line != line.rstrip()]


def test_changed_rows_are_refused(rnn: Rnn, of_own_file: tuple[Path, Path]) -> None:
    model, file = of_own_file
    file.write_bytes(file.read_bytes().replace(b"warm", b"cold", 1))
    code, out, err = rnn("evaluate", "--model", str(model))
    assert (code, out) == (2, "")
    assert err.startswith(f"Error: {file}: the rows have changed") and err.count("\n") == 1


def test_columns_are_named_with_set(rnn: Rnn, newest: Path, home: Path) -> None:
    (home / "other.csv").write_text("id;opinion;mark\n1;warm;good\n2;dull;bad\n")
    words = ["evaluate", "--data", "other.csv", "--set", "data.delimiter=;", "--set", "data.text_column=opinion"]
    code, out, err = rnn(*words, "--set", "data.label_column=mark", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["rows"] == 2


def test_set_without_data_is_wrong_usage(rnn: Rnn, newest: Path) -> None:
    code, out, err = rnn("evaluate", "--set", "data.delimiter=;")
    assert (code, out) == (2, "")
    assert err == "Error: --set tells how to read --data, which is not given; add --data FILE\n"


def test_an_unknown_label_is_named_with_its_line(rnn: Rnn, newest: Path, home: Path) -> None:
    (home / "new.csv").write_text("text,label\nwarm,good\ndull,awful\n")
    code, out, err = rnn("evaluate", "--data", "new.csv")
    assert (code, out) == (2, "")
    assert err.startswith("Error: new.csv:3: label 'awful' is none of the model's") and err.count("\n") == 1


def test_one_label_only_has_no_ranking(rnn: Rnn, newest: Path, home: Path) -> None:
    (home / "new.csv").write_text("text,label\nwarm,good\nzzz,good\n")
    code, out, err = rnn("evaluate", "--data", "new.csv")
    assert (code, err) == (0, "")
    assert re.search(r"^ROC AUC +–  +a label has no row$", out, re.MULTILINE)
    assert out.endswith("Rows without one word the model knows: 1\n")


@pytest.mark.parametrize("name", ["config.yaml", "model.onnx", "manifest.json"])
def test_a_damaged_model_is_refused(name: str, rnn: Rnn, newest: Path) -> None:
    content = bytearray((newest / name).read_bytes())
    content[len(content) // 2] ^= 1
    (newest / name).write_bytes(content)
    before = files_below(newest)
    code, out, err = rnn("evaluate")
    assert (code, out) == (2, "")
    assert f"{name}: " in err and "checksum differs" in err and err.count("\n") == 1
    assert files_below(newest) == before


@pytest.mark.parametrize("model", ["nowhere", "reviews.csv", "empty"])
def test_what_is_no_model_is_refused(model: str, rnn: Rnn, home: Path, labelled_file: Path) -> None:
    shutil.copy(labelled_file, home / "reviews.csv")
    (home / "empty").mkdir()
    code, out, err = rnn("evaluate", "--model", model)
    assert (code, out) == (2, "")
    assert err.startswith(f"Error: {model}: ") and err.count("\n") == 1


def evaluation(labels: list[str]) -> Evaluation:
    """Answers of which some are wrong, each label's more than those of the one before it."""
    chance = np.random.default_rng(3)
    truth = np.repeat(np.arange(len(labels)), 40)
    probabilities = chance.dirichlet(np.ones(len(labels)), len(truth))
    predicted = np.argmax(probabilities, axis=1)
    names = [labels[place] for place in truth]
    dataset = Dataset(name="rows", texts=["text"] * len(truth), labels=names, lines=list(range(len(truth))))
    metrics = measure(labels, truth, probabilities, predicted)
    scores = Scores(probabilities, np.ones(len(truth), np.bool_))
    reading = encode_counted(Tokenizer.fit(["text"]), dataset.texts)[1]
    return Evaluation(dataset, scores, Decision(), predicted, metrics, reading)


ODD = ["[red]", "a\x1b[2Jb", "two\nlines", "long " * 40, "長い名前", "plain"]


def test_odd_labels_do_not_break_the_tables(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    show_evaluation(replace(evaluation(ODD), model=home), "rows.csv")
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert all(out.count(name) >= 2 for name in ("[red]", "a\ufffd[2Jb", "two lines", "long long", "長い名前"))
    of_calibration = out[out.index("Calibration error") :].partition("\n\n")[0].splitlines()
    assert len(out.splitlines()) == 2 + 11 + len(of_calibration) + 1 + 2 + len(ODD) + 1 + 2 + len(ODD)


def test_the_calibration_error_stands_beside_that_of_chance(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    found = evaluation(["a", "b"])
    show_evaluation(found, "rows.csv")
    ece, chance = found.metrics.ece, found.metrics.ece_by_chance
    assert ece is not None and chance is not None and found.to_dict()["ece_by_chance"] == chance > 0
    told = f"Calibration error {ece:.3f}; a perfectly calibrated model would show {chance:.3f} by chance"
    assert told in " ".join(capsys.readouterr().out.split())
    older = replace(found, metrics=replace(found.metrics, ece_by_chance=None))  # of an earlier release
    show_evaluation(older, "rows.csv")
    assert "by chance" not in capsys.readouterr().out


@pytest.mark.parametrize("columns", [80, 120])
def test_a_matrix_too_wide_for_the_terminal_becomes_a_list(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setattr(layout, "terminal_width", lambda: columns)
    show_evaluation(evaluation([f"a label, number {number}" for number in range(20)]), "rows.csv")
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= columns
    (head,) = (line.split("  ") for line in lines if line.startswith("label"))
    assert sum("95% interval" in name for name in head) == (1 if columns == 80 else 3)
    assert lines[-1] == "The most frequent confusions; rnn evaluate --json has the whole matrix."
    counts = [int(line.split()[-1]) for line in lines[-11:-1]]
    assert len(counts) == 10 and counts == sorted(counts, reverse=True)


def test_in_a_pipe_the_matrix_is_whole(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    many = evaluation([f"label {number}" for number in range(20)])
    show_evaluation(many, "rows.csv")
    assert "true \\ predicted  label 0  " in capsys.readouterr().out


def with_country(home: Path, labelled_file: Path) -> None:
    """The labelled rows with a third column, by which every fourth row is French and has the wrong label."""
    with labelled_file.open(newline="") as file:
        rows = list(csv.DictReader(file))
    other = {"good": "bad", "bad": "good"}
    with (home / "new.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "country"])
        for place, row in enumerate(rows):
            french = place % 4 == 0
            writer.writerow([row["text"], other[row["label"]] if french else row["label"], "fr" if french else "de"])


def test_slices_by_a_column_come_last_and_worst_first(rnn: Rnn, newest: Path, home: Path, labelled_file: Path) -> None:
    with_country(home, labelled_file)
    code, out, err = rnn("evaluate", "--data", "new.csv", "--include-seen", "--by", "country")
    assert (code, err) == (0, "")
    head, _, first, second = out.splitlines()[-4:]
    assert head.split("  ")[0] == "country"
    assert first.split()[:2] == ["fr", "20"] and second.split()[:2] == ["de", "60"]
    assert (
        rnn("evaluate", "--data", "new.csv", "--include-seen", "--by", "country", "--report", "country.html").code == 0
    )
    assert "By country" in Path("country.html").read_text(encoding="utf-8")
    told = json.loads(rnn("evaluate", "--data", "new.csv", "--include-seen", "--by", "country", "--json").out)
    assert told["by"] == "country"
    french, german = told["slices"]
    assert french["accuracy"] < 0.2 < 0.8 < german["accuracy"]
    assert (20 * french["accuracy"] + 60 * german["accuracy"]) / 80 == pytest.approx(told["accuracy"])
    assert (20 * french["log_loss"] + 60 * german["log_loss"]) / 80 == pytest.approx(told["log_loss"])


def test_slices_by_length_of_the_kept_rows(rnn: Rnn, newest: Path, labelled_file: Path) -> None:
    assert labelled_file.exists()
    code, out, err = rnn("evaluate", "--by", "length")
    assert (code, err) == (0, "")
    assert re.search(
        r"^length +rows +accuracy +95% interval +macro F1 +95% interval +log loss +95% interval$", out, re.MULTILINE
    )
    assert re.fullmatch(r"\d+ to \d+ tokens +16 .*", out.splitlines()[-1])
    assert rnn("evaluate", "--by", "length", "--report", "length.html").code == 0
    assert Path("length.html").read_text(encoding="utf-8").count("<h2>By length</h2>") == 1
    # By the very same rows' column, where there is one.
    told = json.loads(rnn("evaluate", "--by", "label", "--json").out)
    assert {each["name"]: each["accuracy"] for each in told["slices"]}.keys() == {"(2 values under 20 rows)"}


def test_a_column_called_length_goes_before_the_texts_length(rnn: Rnn, newest: Path, home: Path) -> None:
    (home / "new.csv").write_text("text,label,length\n" + "warm,good,short\n" * 20)
    told = json.loads(rnn("evaluate", "--data", "new.csv", "--by", "length", "--json").out)
    assert [each["name"] for each in told["slices"]] == ["short"]


def test_a_column_of_seconds_is_cut_into_ranges_that_can_be_told_apart(rnn: Rnn, newest: Path, home: Path) -> None:
    rows = [f"warm,good,{1_700_000_000_000_000_000_000.5 if place == 0 else 10**20 + place}" for place in range(100)]
    (home / "new.csv").write_text("text,label,when\n" + "\n".join(rows) + "\n")
    code, out, err = rnn("evaluate", "--data", "new.csv", "--by", "when")
    assert (code, err) == (0, "")
    shown = [line for line in out.splitlines() if " to " in line and "…" in line]
    assert len({line[:28] for line in shown}) == len(shown) == 5
    told = json.loads(rnn("evaluate", "--data", "new.csv", "--by", "when", "--json").out)
    assert sorted(each["rows"] for each in told["slices"]) == [20] * 5
    assert len({each["name"] for each in told["slices"]}) == 5


def test_a_column_that_there_is_not_is_told_with_those_there_are(rnn: Rnn, newest: Path, home: Path) -> None:
    (home / "new.csv").write_text("text,label,country\nwarm,good,de\n")
    code, out, err = rnn("evaluate", "--data", "new.csv", "--by", "contry")
    assert (code, out) == (2, "")
    assert err == (
        "Error: new.csv: no column 'contry' (columns: 'text', 'label', 'country'); did you mean country? "
        "--by length is always there\n"
    )


def test_of_many_slices_the_worst_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    slices = [MainMetrics(f"user {place}", 30, place / 50, (0.1, 0.9), 0.5, None, 0.5, None) for place in range(25)]
    show_slices("user", slices)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("user ") and "30" in line] == [
        str(place) for place in range(20)
    ]
    assert lines[-1] == "The 20 worst; rnn evaluate --json has the other 5 too."


@pytest.mark.parametrize(("columns", "intervals"), [(80, 1), (120, 3)])
def test_slices_have_as_many_intervals_as_the_terminal_has_room_for(
    columns: int, intervals: int, newest: Path, home: Path
) -> None:
    (home / "new.csv").write_text("text,label,where\n" + "warm,good,a place of a long name\ndull,good,here\n" * 20)
    shown, (code, _, err) = on_a_terminal(
        "evaluate", "--data", "new.csv", "--by", "where", columns=columns, streams=["stdout"]
    )
    assert (code, err) == (0, "")
    lines = shown.replace("\r", "").splitlines()
    head = next(place for place, line in enumerate(lines) if line.startswith("where "))
    assert lines[head].count("95% interval") == intervals
    assert all(
        len(re.findall(" to |no mistakes|too few rows", line)) == intervals for line in lines[head + 2 : head + 4]
    )
    assert max(map(len, lines)) <= columns
    assert ("A wider terminal shows each figure's interval, as do --report and --json." in lines) == (intervals == 1)


def test_a_report_is_written_where_asked_and_the_model_stays_as_it_is(
    rnn: Rnn, newest: Path, home: Path, labelled_file: Path
) -> None:
    assert labelled_file.exists()
    before = files_below(newest)
    code, out, err = rnn("evaluate", "--report", "r.html", "--plots", "charts")
    assert (code, err) == (0, "")
    assert out.endswith("\n\nReport r.html\nCharts charts\n")
    assert (home / "r.html").read_bytes() == before[REPORT]
    assert len(list((home / "charts").iterdir())) == 14
    assert files_below(newest) == before
    code, out, err = rnn("evaluate", "--report", "r.html")
    assert (code, out) == (2, "")
    assert err == "Error: r.html: exists; use --force to replace it, or choose another --report\n"
    assert rnn("evaluate", "--report", "r.html", "--plots", "charts", "--force", "--json").code == 0


def test_a_report_on_other_rows_has_their_figures(rnn: Rnn, newest: Path, home: Path) -> None:
    (home / "new.csv").write_text("text,label\nwarm,good\ndull <b>,bad\nwarm,bad\n")
    code, out, err = rnn("evaluate", "--data", "new.csv", "--report", "r.html", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["accuracy"] == pytest.approx(2 / 3)
    told = (home / "r.html").read_text()
    assert "<b>66.7%</b>" in told and "labelled rows of new.csv" in told
    assert "linear baseline" not in told


def test_force_without_anything_to_replace_is_wrong_usage(rnn: Rnn, newest: Path) -> None:
    code, out, err = rnn("evaluate", "--force")
    assert (code, out) == (2, "")
    assert err == "Error: --force is for --report and --plots, which are not given; add one of them\n"
