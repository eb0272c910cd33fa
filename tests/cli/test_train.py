"""`rnn train`: what it shows and leaves behind when it ends well, goes wrong or is interrupted."""

import csv
import json
import re
import shlex
import signal
import subprocess
from pathlib import Path

import pytest

from .conftest import COMMAND, Rnn, files_below, on_a_terminal, tiny_overrides

Tiny = dict[str, dict[str, object]]


def test_a_run_ends_with_figures_the_model_and_commands_that_work(
    rnn: Rnn, home: Path, labelled_file: Path, tiny: Tiny
) -> None:
    code, out, err = rnn("train", "quick", str(labelled_file), *tiny_overrides(tiny, training__epochs=2))
    assert code == 0
    assert re.search(r"^ +validation +test$", out, re.MULTILINE)
    assert re.search(r"^ +network +linear +network +linear$", out, re.MULTILINE)
    assert re.search(r"^accuracy( +\d+\.\d%){4}$", out, re.MULTILINE)
    assert "\nOn the 16 test rows the network " in out
    assert re.search(r"^Model  runs/quick-1  \(weights of epoch [12], the best of 2\)$", out, re.MULTILINE)
    assert "\x1b" not in out + err
    assert not [line for line in out.splitlines() if line != line.rstrip()]
    said = [line for line in err.splitlines() if not re.match(r"Warning: |\d", line)]
    assert re.fullmatch(r"linear baseline: validation \d+\.\d% \(TF-IDF of .*, C=\d+(\.\d)?; \d+s\)", said.pop(1))
    assert re.fullmatch(r"n-gram part alone: validation \d+\.\d% \(C=\d+; \d+s\)", said.pop(2))
    assert said[:3] == [
        "fitting the linear baseline",
        "loading TensorFlow",
        "epoch     loss  accuracy  val. loss  val. acc.  gradient  clipped   time",
    ]
    assert re.search(r"^2/2 +\d\.\d{4} +\d+\.\d% +\d\.\d{4} +\d+\.\d% +\d\S+ +0% +\d+s", err, re.MULTILINE)
    commands = [line[7:] for line in out.splitlines() if line[7:].startswith("rnn ")]
    assert commands == ['rnn predict "A sentence of your own."', "rnn evaluate"]
    assert [rnn(*shlex.split(command)[1:]).code for command in commands] == [0, 0]
    metrics = json.loads((home / "runs/latest/metrics.json").read_text())
    assert json.loads(rnn("evaluate", "--json").out) == {
        **metrics["test"],
        "baseline": metrics["baseline"]["test"],
        "comparison": metrics["baseline"]["comparison"]["test"],
    }


def test_the_network_is_shown_beside_the_baseline_it_was_compared_with(
    rnn: Rnn, home: Path, labelled_file: Path, tiny: Tiny
) -> None:
    words = tiny_overrides(tiny, data__source=labelled_file, training__epochs=1)
    out = rnn("train", "quick", *words).out
    metrics = json.loads((home / "runs/latest/metrics.json").read_text())
    linear, found = metrics["baseline"], metrics["baseline"]["comparison"]
    four = [metrics["validation"], linear["validation"], metrics["test"], linear["test"]]
    for row, shown in (("accuracy", "{accuracy:.1%}"), ("log loss", "{log_loss:.3f}")):
        assert next(line for line in out.splitlines() if line.startswith(row)).split()[-4:] == [
            shown.format(**metrics) for metrics in four
        ]
    for side in ("validation", "test"):
        gain = metrics[side]["accuracy"] - linear[side]["accuracy"]
        assert found[side]["difference"] == pytest.approx(gain)
    with (home / "runs/latest/predictions.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "test"]
    right = {name: sum(row[name] == row["label"] for row in rows) for name in ("prediction", "baseline_prediction")}
    assert right["prediction"] / len(rows) == metrics["test"]["accuracy"]
    assert right["baseline_prediction"] / len(rows) == linear["test"]["accuracy"]
    only = [row["prediction"] == row["label"] != row["baseline_prediction"] for row in rows]
    assert sum(only) == found["test"]["only_first_right"]
    assert all(0.5 <= float(row["baseline_probability"]) <= 1 for row in rows)


def test_no_baseline_leaves_no_trace_of_one(rnn: Rnn, home: Path, labelled_file: Path, tiny: Tiny) -> None:
    words = tiny_overrides(tiny, data__source=labelled_file, training__epochs=1)
    code, out, err = rnn("train", "quick", *words, "--no-baseline")
    assert code == 0
    assert not re.search("baseline|linear", out + err)
    assert re.search(r"^accuracy( +\d+\.\d%){2}$", out, re.MULTILINE)
    kept = json.loads((home / "runs/latest/metrics.json").read_text())
    assert kept.keys() == {"validation", "test", "calibration", "int8", "most_frequent_label"}
    assert "baseline" not in (home / "runs/latest/predictions.csv").read_text()
    assert json.loads(rnn("evaluate", "--json").out).keys().isdisjoint({"baseline", "comparison"})
    assert "linear" not in rnn("evaluate").out


def test_without_test_rows_the_comparison_is_of_the_validation_rows(
    rnn: Rnn, home: Path, labelled_file: Path, tiny: Tiny
) -> None:
    out = rnn("train", *tiny_overrides(tiny, data__source=labelled_file, training__epochs=1, data__test=0)).out
    assert "\nOn the 16 validation rows, which chose the epoch and the linear model's C, the network " in out


def test_a_run_without_test_rows_says_so_wherever_it_is_shown(
    rnn: Rnn, home: Path, labelled_file: Path, tiny: Tiny
) -> None:
    source = home / "rows.csv"
    source.write_bytes(labelled_file.read_bytes())
    words = tiny_overrides(tiny, data__source=source, training__epochs=1, data__test=0)
    out = rnn("train", "quick", *words, "--no-baseline").out
    assert "No test rows were kept (data.test: 0)." in out and "rnn evaluate --data FILE" in out
    assert "No test rows were kept." in Path("runs/quick-1/report.html").read_text()
    assert "Validation rows chose the best epoch; no test rows were kept." in Path("runs/quick-1/README.md").read_text()
    assert "test" not in json.loads(Path("runs/quick-1/metrics.json").read_text())
    listed = next(line for line in rnn("runs").out.splitlines() if line.startswith("quick-1"))
    assert "no test rows" in listed
    source.unlink()  # it is known without the rows
    code, out, err = rnn("evaluate")
    assert (code, out) == (2, "") and "the run kept no test rows (data.test: 0); use --data FILE" in err
    assert rnn("evaluate", "--data", str(labelled_file), "--include-seen").code == 0
    code, _, err = rnn("compare", "runs/quick-1", "runs/quick-1")
    assert code == 2 and "has no test rows; use --split with one of them: 'validation'" in err


def test_the_side_by_side_fits_an_ordinary_terminal(rnn: Rnn, home: Path, labelled_file: Path, tiny: Tiny) -> None:
    words = tiny_overrides(tiny, data__source=labelled_file, training__epochs=1)
    shown, (code, _, _) = on_a_terminal("train", "quick", *words, streams=["stdout"])
    assert code == 0
    lines = shown.splitlines()
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("On the 16 test rows the network") for line in lines)


def test_out_is_named_in_the_next_commands_and_is_the_newest_run(
    rnn: Rnn, home: Path, labelled_file: Path, tiny: Tiny
) -> None:
    words = tiny_overrides(tiny, data__source=labelled_file, training__epochs=1, data__test=0)
    code, out, _ = rnn("train", "quick", *words, "--out", "my models/reviews")
    assert code == 0
    commands = [line[7:] for line in out.splitlines() if line[7:].startswith("rnn ")]
    assert commands[0] == "rnn predict --model 'my models/reviews' \"A sentence of your own.\""
    assert commands[1] == "rnn evaluate --model 'my models/reviews' --data FILE"  # no rows were kept for a test
    assert rnn(*shlex.split(commands[0])[1:]).code == 0
    assert (home / "runs/latest").resolve() == home / "my models/reviews"

    before = files_below(home)
    code, out, err = rnn("train", "quick", *words, "--out", "my models/reviews")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "use --force" in err
    assert files_below(home) == before
    assert rnn("train", "quick", *words, "--out", "my models/reviews", "--force").code == 0


def test_a_folder_that_is_no_model_is_never_replaced(rnn: Rnn, home: Path) -> None:
    (home / "thesis").mkdir()
    (home / "thesis" / "chapter.txt").write_text("years of work")
    before = files_below(home)
    code, out, err = rnn("train", "quick", "--out", "thesis", "--force")
    assert (code, out) == (2, "")
    assert err == "Error: thesis: exists and is not a trained model; choose another --out\n"
    assert files_below(home) == before


def test_all_mistakes_of_a_config_are_told_a_line_each(rnn: Rnn, home: Path) -> None:
    (home / "my.yaml").write_text("training: {epohcs: 3, batch_size: 0}\nmodel: {cell: lstn}\n")
    code, out, err = rnn("train", "my.yaml", "--set", "model.dropout=2")
    assert (code, out) == (2, "")
    assert err.count("\n") == err.count("Error: ") == 4
    assert "my.yaml: training.epohcs: no such key; did you mean training.epochs?" in err
    assert files_below(home).keys() == {"my.yaml"}


def test_unlabelled_texts_that_are_not_there_are_told_in_a_line(rnn: Rnn, home: Path) -> None:
    code, out, err = rnn("train", "quick", "--set", "data.source=sample", "--set", "data.unlabelled=[none.csv]")
    assert (code, out) == (2, "")
    assert err.startswith("Error: none.csv: no such file or built-in set") and err.count("\n") == 1
    code, _, err = rnn("train", "quick", "--set", "data.unlabelled=[none.csv, 3]")
    assert code == 2 and "data.unlabelled.1: expected text, got 3; quote it" in err
    assert files_below(home) == {}


def test_texts_without_labels_need_some_with(rnn: Rnn, home: Path) -> None:
    code, out, err = rnn("train", "--unlabelled", "more.txt")
    assert (code, out) == (2, "")
    assert err.startswith("Error: --unlabelled adds to labelled texts, and no file of those is named; rnn train FILE ")


def test_unlabelled_texts_bring_a_teacher_unless_the_config_says_otherwise(
    rnn: Rnn, home: Path, labelled_file: Path, tiny: Tiny
) -> None:
    words = "warm funny film plot dull bland scene story".split()
    Path("more.txt").write_text("\n".join(" ".join(words[at % 5 : at % 5 + 4]) for at in range(60)))
    options = tiny_overrides(tiny, data__source=labelled_file, training__epochs=1, model__ngrams=1)
    code, _, err = rnn("train", "quick", "--unlabelled", "more.txt", *options)
    assert code == 0 and re.search(r"^teacher, cross-validated on \d+ rows: ", err, re.MULTILINE)
    code, _, err = rnn("train", "quick", "--unlabelled", "more.txt", *options, "--set", "training.teacher=null")
    assert code == 0 and "teacher" not in err and "60 unlabelled texts" in err
    Path("own.yaml").write_text(
        json.dumps({"data": {"unlabelled": "sample"}, "model": {"ngrams": 1}, "training": {"teacher": {"dim": 7}}})
    )
    code, _, err = rnn("train", "own.yaml", "--unlabelled", "more.txt", *options)
    assert code == 0 and "dim: 7\n" in Path("runs/latest/config.yaml").read_text()


def test_a_run_that_fails_says_why_and_where_its_last_state_is(
    rnn: Rnn, home: Path, labelled_file: Path, tiny: Tiny
) -> None:
    words = tiny_overrides(tiny, data__source=labelled_file, training__learning_rate=1e38, model__dense_units=[4])
    code, out, err = rnn("train", "quick", "--quiet", *words)
    assert (code, out) == (1, "")
    assert re.fullmatch(r"Error: the loss is (nan|inf) at epoch \d+, batch \d+; try a smaller .*", err.splitlines()[-1])
    command = "rnn train --from runs/quick-1.unfinished --set training.learning_rate=0.001"
    assert err.splitlines()[-2] == f"the last state before that is kept; {command} starts from it"
    assert {Path(name).parts[1] for name in files_below(home)} == {"quick-1.unfinished"}


SAVED = "saved; go on with: rnn train --resume runs/quick-1.unfinished"


@pytest.fixture
def endless(labelled_file: Path, tiny: Tiny) -> list[str]:
    """A run of so many epochs that it does not end by itself."""
    return [*COMMAND, "train", "quick", *tiny_overrides(tiny, data__source=labelled_file, training__epochs=1_000_000)]


@pytest.mark.parametrize(
    ("sent", "after", "code", "told"),
    [
        (signal.SIGINT, "loading", 130, ["interrupted"]),
        (signal.SIGINT, "1/1000000", 130, [SAVED, "interrupted"]),
        pytest.param(signal.SIGTERM, "1/1000000", 143, [SAVED, "terminated"], marks=pytest.mark.slow),
    ],
)
def test_an_interrupted_run_says_how_to_go_on_once_there_is_something_to_lose(
    sent: signal.Signals, after: str, code: int, told: list[str], endless: list[str], home: Path
) -> None:
    with subprocess.Popen(endless, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout and child.stderr
        while after not in child.stderr.readline():
            assert child.poll() is None
        child.send_signal(sent)
        out, err = child.communicate(timeout=60)
    assert (child.returncode, out) == (code, "")
    assert [line for line in err.splitlines() if not re.match(r"\d+/1000000 ", line)] == told
    left = {Path(name).parts[1] for name in files_below(home)}
    assert left == ({"quick-1.unfinished"} if SAVED in told else set()) and not (home / "runs/latest").is_symlink()


def test_interrupted_while_the_baseline_is_fitted_nothing_is_left(
    rnn: Rnn, home: Path, labelled_file: Path, tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rnn_cli.training import baseline

    monkeypatch.setattr(baseline, "_fits", lambda *_: signal.raise_signal(signal.SIGINT))
    code, out, err = rnn("train", "quick", *tiny_overrides(tiny, data__source=labelled_file))
    assert (code, out) == (130, "")
    assert err.splitlines()[-2:] == ["fitting the linear baseline", "interrupted"]
    assert not files_below(home)


def test_a_closed_stderr_ends_a_run_and_leaves_its_checkpoint(endless: list[str], home: Path) -> None:
    with subprocess.Popen(endless, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout and child.stderr
        while "1/1000000" not in child.stderr.readline():
            assert child.poll() is None
        child.stderr.close()
        assert child.wait(timeout=30) == 141
        assert child.stdout.read() == ""
    assert {Path(name).parts[1] for name in files_below(home)} == {"quick-1.unfinished"}


def test_a_terminal_shows_a_bar_and_stdout_stays_plain(home: Path, labelled_file: Path, tiny: Tiny) -> None:
    words = tiny_overrides(tiny, data__source=labelled_file, training__epochs=50)
    shown, (code, out, _) = on_a_terminal("train", "quick", *words, columns=80, streams=["stderr"], fresh=True)
    assert code == 0
    assert "\x1b" not in out and "Model  runs/quick-1" in out
    assert re.search(r"epoch \d+/50 ━*.* *\d+/6 loss \d\.\d{4}  accuracy \d+\.\d% \d+s left", shown)
    assert re.search(r"[\r\n]50/50 ", shown)
    # Nothing of TensorFlow's own.
    assert re.match(
        r"\s*48 training, 16 validation, 16 test rows; .*\s+linear baseline: .*\s+loading TensorFlow\s",
        shown,
        re.DOTALL,
    )
    assert not re.search(r"cuda|oneDNN|WARNING|I0000|E0000", shown)


def test_a_mistake_in_the_data_is_told_before_tensorflow_loads(rnn: Rnn, home: Path) -> None:
    code, out, err = rnn("train", "quick", "--set", "data.source=nope.csv")
    assert (code, out) == (2, "")
    assert err.startswith("Error: nope.csv: no such file or built-in set")
    assert err.count("\n") == 1
    assert not files_below(home)


def test_further_training_is_a_run_of_its_own(rnn: Rnn, newest: Path, labelled_file: Path) -> None:
    before = files_below(newest)
    words = ["train", "--from", "runs/quick-1", "--set", f"data.source={labelled_file}", "--set", "training.epochs=1"]
    code, out, err = rnn(*words)
    assert code == 0, err
    assert "Model  runs/quick-2  " in out
    assert files_below(newest) == before
    code, out, err = rnn(*words, "--set", "model.cell=gru")
    assert (code, out) == (2, "")
    assert err.startswith("Error: model.cell: is 'gru', but runs/quick-1 has 'lstm'; ")


def test_a_place_that_cannot_be_written_is_refused_before_the_rows_are_read(rnn: Rnn, home: Path) -> None:
    (home / "taken").write_text("here")
    for words in (["missing.csv"], ["quick", "--set", "data.source=missing.csv"]):
        code, out, err = rnn("train", *words, "--out", "taken")
        assert (code, out, err) == (2, "", "Error: taken: is not a folder; choose another --out\n")


def test_rows_are_named_once(rnn: Rnn, home: Path) -> None:
    wrong = {
        "--set data.source=b.csv: the source is already named: a.csv": ["quick", "a.csv", "--set", "data.source=b.csv"],
        "expected one set of rows, got two; give a config or a recipe first, then the rows": ["a.csv", "b.csv"],
    }
    for what, words in wrong.items():
        assert rnn("train", *words) == (2, "", f"Error: {what}\n")


def test_a_model_of_a_file_has_the_recipe_that_was_chosen_for_it(
    rnn: Rnn, home: Path, labelled_file: Path, tiny: dict[str, dict[str, object]]
) -> None:
    assert rnn("train", str(labelled_file), *tiny_overrides(tiny)).code == 0
    (run,) = json.loads(rnn("runs", "--json").out)
    assert (run["name"], run["recipe"]) == ("reviews-1", "quick")
