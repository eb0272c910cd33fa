"""Every command with a model of numbers: it works, or refuses in one clear line."""

import csv
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest

import rnn_cli
from rnn_cli.cli.main import cli
from rnn_cli.errors import ConfigError, UsageError
from rnn_cli.labelling.session import begin_session
from rnn_cli.scoring.prediction import NumberPrediction
from tests.cli.conftest import Rnn
from tests.cli.test_several import _commands
from tests.conftest import numbered_rows, write_csv

LOW, HIGH = "the plot was awful and awful and dull", "a superb and superb and warm evening"

WORKS = {
    "predict": ["predict", "--model", "MODEL", LOW],
    "score": ["score", "texts.csv", "--model", "MODEL", "--output", "out.csv"],
    "evaluate": ["evaluate", "--model", "MODEL"],
    "export": ["export", "--model", "MODEL", "--to", "exported"],
    "init": ["init", "minutes.csv", "--label-column", "minutes"],
    "data check": ["data", "check", "minutes.yaml"],
    "data list": ["data", "list"],
    "config list": ["config", "list"],
    "config show": ["config", "show", "quick"],
    "config keys": ["config", "keys"],
    "config schema": ["config", "schema"],
    "compare": ["compare", "MODEL", "MODEL"],
    "drift": ["drift", "minutes.csv", "--model", "MODEL", "--labelled"],
    "check-model": ["check-model", "--model", "MODEL", "--gate", "gates.yaml"],
    "inspect model": ["inspect", "model", "--model", "MODEL"],
    "inspect tokens": ["inspect", "tokens", "--model", "MODEL", LOW],
    "inspect neighbours": ["inspect", "neighbours", "--model", "MODEL", "the"],
    "inspect embedding": ["inspect", "embedding", "--model", "MODEL", "--out", "vectors.txt"],
    "runs rm": ["runs", "rm", "runs/copy-1"],
    "label status": ["label", "status", "minutes.csv"],
    "label export": ["label", "export", "minutes.csv", "--out", "labelled.csv", "--label-column", "mine"],
    "label agree": ["label", "agree", "minutes.csv", "--as", "ann"],
}
"""A call of each command that takes such a model, or such rows."""

REFUSED = {
    "inspect reading": (["inspect", "reading", "--model", "MODEL", LOW], "predicts numbers"),
    "inspect behaviour": (["inspect", "behaviour", "--model", "MODEL"], "predicts numbers"),
    "inspect gradients": (["inspect", "gradients", "minutes.yaml"], "not of numbers"),
}
"""Commands that do not, and what they say."""

ELSEWHERE = {"train", "tune", "serve", "completion", "label start", "label review"}
"""Tested in tests/training, below, in tests/serving, for models of any kind, and for logs of labels."""


@pytest.fixture(autouse=True)
def files(home: Path, numbered_file: Path, trained_number: Path) -> None:
    """What the commands read."""
    (home / "minutes.csv").write_bytes(numbered_file.read_bytes())
    (home / "minutes.yaml").write_text(
        "data: {source: minutes.csv, label_column: minutes, labels: number}\nmodel: {units: [4]}\n"
    )
    shutil.copytree(trained_number, home / "runs" / "copy-1")
    for by in (None, "ann"):
        with begin_session("minutes.csv", ["one", "other"], by=by, base=None) as session:
            session.label("one")
    (home / "gates.yaml").write_text("- size <= 9 MB\n")
    (home / "texts.csv").write_text("\n".join(["text", *(text for text, _ in numbered_rows(12))]) + "\n")


def test_every_command_is_among_them():
    assert {*WORKS, *REFUSED, *ELSEWHERE} == set(_commands(cli))


@pytest.mark.parametrize("name", WORKS)
def test_it_works(name: str, rnn: Rnn, trained_number: Path):
    ended = rnn(*[str(trained_number) if word == "MODEL" else word for word in WORKS[name]])
    assert ended.code == 0, ended.err
    assert "Traceback" not in ended.err and "nan" not in ended.out.lower().split()


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_in_one_line(name: str, rnn: Rnn, trained_number: Path):
    words, what = REFUSED[name]
    ended = rnn(*[str(trained_number) if word == "MODEL" else word for word in words])
    assert ended.code == 2, ended
    *_, last = ended.err.strip().splitlines()
    assert what in last and "; " in last


SOURCE = ["--set", "data.source=minutes.csv", "--set", "data.label_column=minutes", "--set", "data.labels=number"]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["evaluate", "--goal", "f1"], "decides on labels"),
        (["evaluate", "--labels", "a,b"], "is about --data"),
        (["predict", "--labels", "a,b", "x"], "has no labels"),
        (["predict", "--proba", "x"], "use --coverage 0.9"),
        (["predict", "--coverage", "0.9999", "x"], "cannot vouch"),
        (["score", "texts.csv", "--proba", "--output", "out.csv"], "use --coverage 0.9"),
        (["train", "few-labels", *SOURCE], "model.base is for labels"),
        (["train", "quick", *SOURCE, "--set", "training.class_weight=balanced"], "training.class_weight is for labels"),
        (["train", "quick", *SOURCE, "--set", "model.kind=linear"], "model.kind: linear is for labels"),
        (["train", "quick", *SOURCE, "--set", "decision.abstain=0.1"], "decision.abstain is for labels"),
        (["train", "quick", "--set", "data.labels=number"], "labels are words"),
        (["train", "quick", *SOURCE, "--set", "data.source=words.csv"], "words.csv:2: label '1,234.5' is no number"),
        (["train", "quick", *SOURCE, "--set", "data.source=equal.csv"], "every row has the number 7"),
        (["tune", "minutes.yaml"], "data.labels: number has no goal"),
        (["data", "check", "minutes.yaml", "--learning-curve"], "leave --learning-curve out"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(words: list[str], what: str, rnn: Rnn, trained_number: Path):
    for name, number in (("words", "1,234.5"), ("equal", "7")):
        with Path(f"{name}.csv").open("w", newline="") as stream:
            csv.writer(stream).writerows([("text", "minutes"), *((f"text {row}", number) for row in range(60))])
    needs_model = words[0] in ("evaluate", "predict", "score")
    ended = rnn(*words, *(["--model", str(trained_number)] if needs_model else []))
    assert ended.code == 2, ended
    assert what in ended.err.replace("\n", " ")
    assert "Traceback" not in ended.err


def test_predicts_a_number_and_its_range(rnn: Rnn, trained_number: Path):
    def run(style: str, *more: str) -> list[str]:
        return rnn("predict", "--model", str(trained_number), "--format", style, *more, LOW, HIGH).out.splitlines()

    low, high = map(json.loads, run("jsonl", "--coverage", "0.8"))
    assert list(low) == ["text", "number", "low", "high", "no_known_words"]
    assert low["low"] < low["number"] < low["high"] and low["number"] + 40 < high["number"]
    assert high["high"] - high["low"] == pytest.approx(low["high"] - low["low"], rel=1e-6)
    (row, _) = csv.DictReader(run("csv", "--coverage", "0.8"))
    assert float(row["number"]) == low["number"] and float(row["low"]) == low["low"]
    assert float(run("plain")[0]) == low["number"]
    assert f"({low['low']:.1f} to {low['high']:.1f})" in run("human", "--coverage", "0.8")[0]
    assert run("human")[1].startswith(f"{high['number']:.1f}")


def test_files_have_the_predictor_s_numbers(rnn: Rnn, trained_number: Path, home: Path):
    model = rnn_cli.load(trained_number)
    texts = [text for text, _ in numbered_rows(12)]
    wanted = model.predict_numbers(texts)
    ranges = model.ranges(wanted[:, None], 0.8)
    for style in ("csv", "jsonl", "parquet"):
        words = ["score", "texts.csv", "--model", str(trained_number), "--output", f"out.{style}"]
        assert rnn(*words, "--coverage", "0.8").code == 0
    with (home / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["text", "number", "low", "high", "no_known_words"]
    assert np.array([float(row["number"]) for row in rows]) == pytest.approx(wanted, rel=1e-8)
    lines = [json.loads(line) for line in (home / "out.jsonl").read_text().splitlines()]
    assert np.array([[line["low"], line["high"]] for line in lines]) == pytest.approx(ranges, rel=1e-8)
    import pyarrow.parquet as pq

    assert pq.read_table(home / "out.parquet").column("number").to_numpy() == pytest.approx(wanted, rel=1e-8)


def test_scored_numbers_are_read_again(rnn: Rnn, trained_number: Path):
    assert rnn("score", "texts.csv", "--model", str(trained_number), "--output", "out.csv").code == 0
    ended = rnn(
        "evaluate", "--model", str(trained_number), "--data", "out.csv", "--label-column", "number", "--json",
        "--include-seen",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["mean_absolute_error"] < 1e-5


def test_explains_what_raises_and_lowers_it(rnn: Rnn, trained_number: Path):
    out = rnn("predict", "--model", str(trained_number), "--explain", "--format", "jsonl", LOW, HIGH).out
    low, high = map(json.loads, out.splitlines())
    weights = {part["text"]: part["weight"] for each in (low, high) for part in each["explanation"]}
    assert weights["awful"] < 0 < weights["superb"]
    shown = rnn("predict", "--model", str(trained_number), "--explain", "--format", "human", LOW).out
    assert "down" in shown and "against" not in shown


def test_evaluates_with_intervals_beside_the_median_and_the_linear_model(rnn: Rnn, trained_number: Path):
    shown = rnn("evaluate", "--model", str(trained_number)).out
    for name in ("mean absolute error", "root mean squared error", "R²", "Spearman", "Always predicting", "linear"):
        assert name in shown
    found = json.loads(rnn("evaluate", "--model", str(trained_number), "--json").out)
    assert found["rows"] == 40 and found["intervals"]["r2"][0] < found["r2"] < found["intervals"]["r2"][1]
    assert found["r2"] > 0.5 and found["median"]["comparison"]["error_difference"] < 0
    kept = json.loads((trained_number / "metrics.json").read_text())
    assert found["mean_absolute_error"] == pytest.approx(kept["test"]["mean_absolute_error"], rel=1e-5)
    assert kept["baseline"]["test"]["mean_absolute_error"] > 0


def test_python_has_numbers_and_no_probabilities(trained_number: Path):
    model = rnn_cli.load(trained_number)
    (found,) = model.predict(LOW, coverage=0.8)
    assert isinstance(found, NumberPrediction) and found.low is not None and found.low < found.number
    assert math.isnan(found.probability) and found.probabilities == () and float(found.label)
    with pytest.raises(UsageError, match="a number has no probability"):
        model.predict_proba(LOW)
    with pytest.raises(UsageError, match="sets are of labels"):
        model.predict_sets(LOW)
    pandas = pytest.importorskip("pandas")
    series = model.predict_numbers(pandas.Series([LOW, HIGH], index=["a", "b"]))
    assert list(series.index) == ["a", "b"] and series["a"] < series["b"]


def test_init_proposes_numbers_and_says_so(rnn: Rnn, home: Path):
    ended = rnn("init", "minutes.csv", "--label-column", "minutes")
    assert "they are predicted as numbers (data.labels: number" in ended.out.replace("\n", " ")
    assert "labels: number" in (home / "config.yaml").read_text()
    rows = [(f"text {row}", str(row % 24)) for row in range(240)]
    write_csv(home / "codes.csv", rows)
    assert "as numbers" not in rnn("init", "codes.csv", "--out", "codes.yaml").out
    as_names = ["init", "minutes.csv", "--label-column", "minutes", "--out", "x.yaml", "--set", "data.labels=single"]
    assert rnn(*as_names).code == 2  # 200 labels in 200 rows


def test_check_finds_outliers_copies_and_rows_that_are_no_numbers(rnn: Rnn, home: Path):
    rows = [*numbered_rows(60), ("one and the same text here", "5"), ("one and the same text here", "9")]
    rows += [("a slip of the unit", "90000"), ("a word", "ten")]
    write_csv(home / "odd.csv", rows)
    found = json.loads(rnn("data", "check", "odd.csv", "--set", "data.labels=number", "--json").out)
    by_name = {each["name"]: each for each in found["findings"]}
    assert [hit["line"] for hit in by_name["outliers"]["rows"]] == [64]
    assert len(by_name["contradicting numbers"]["rows"]) == 2 and "no numbers" in by_name
    shown = rnn("data", "check", "odd.csv", "--set", "data.labels=number").out
    assert "numbers from" in shown and "Numbers are not judged" in shown


def test_slices_are_of_their_rows_alone(rnn: Rnn, trained_number: Path, home: Path):
    ended = rnn("evaluate", "--model", str(trained_number), "--by", "length", "--json")
    found = json.loads(ended.out)
    assert found["by"] == "length" and sum(each["rows"] for each in found["slices"]) == found["rows"]
    errors = sum(each["mean_absolute_error"] * each["rows"] for each in found["slices"])
    assert errors / found["rows"] == pytest.approx(found["mean_absolute_error"])
    shown = rnn("evaluate", "--model", str(trained_number), "--by", "length").out
    assert "tokens" in shown and "mean error" in shown
    assert "no column 'colour'" in rnn("evaluate", "--model", str(trained_number), "--by", "colour").err


def test_the_list_of_runs_says_how_far_off_they_are(rnn: Rnn, trained_number: Path):
    kept = json.loads((trained_number / "metrics.json").read_text())
    (found,) = json.loads(rnn("runs", "--json").out)
    assert found["mean_absolute_error"] == kept["test"]["mean_absolute_error"] and found["accuracy"] is None
    assert found["baseline_mean_absolute_error"] == kept["baseline"]["test"]["mean_absolute_error"]
    assert (found["r2"], found["r2_interval"]) == (kept["test"]["r2"], kept["test"]["intervals"]["r2"])
    assert f"R² {found['r2']:.2f}" in rnn("runs").out


def test_models_are_compared_by_how_far_off_they_are(rnn: Rnn, trained_number: Path, trained: Path):
    written = (trained_number / "predictions.csv").read_text().splitlines()
    kept = [row for row in csv.DictReader(written) if row["split"] == "test"]
    with Path("others.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["text", "label", "prediction"])
        writer.writerows((row["text"], row["label"], float(row["prediction"]) + 60) for row in kept)
    found = json.loads(rnn("compare", str(trained_number), "others.csv", "--json").out)
    first, other = found["models"]
    metrics = json.loads((trained_number / "metrics.json").read_text())
    assert first["mean_absolute_error"] == pytest.approx(metrics["test"]["mean_absolute_error"])
    assert other["against_first"]["error_difference"] > 20 and other["p_corrected"] < 0.001
    shown = rnn("compare", str(trained_number), "others.csv").out
    assert "is really farther from the true numbers" in shown.replace("\n", " ")
    again = rnn(
        "compare", str(trained_number), str(trained_number), "--data", "minutes.csv", "--include-seen", "--json"
    )
    assert json.loads(again.out)["rows"] == 200
    ended = rnn("compare", str(trained_number), str(trained), "--data", "minutes.csv")
    assert ended.code == 2 and "compare models of the same kind" in ended.err


def test_gates_are_of_the_figures_of_numbers(rnn: Rnn, trained_number: Path, trained: Path, home: Path):
    kept = json.loads((trained_number / "metrics.json").read_text())["test"]
    error, high = kept["mean_absolute_error"], kept["intervals"]["mean_absolute_error"][1]

    def results(*gates: str, **more: object) -> dict[str, bool]:
        (home / "some.yaml").write_text(json.dumps({"gates": gates, **more}))
        ended = rnn("check-model", "--model", str(trained_number), "--gate", "some.yaml", "--json")
        assert ended.code in (0, 1), ended.err
        found = json.loads(ended.out)
        return {each["name"]: each["passed"] for each in found["outcomes"]} | {"golden": ended.code == 0}

    bound = f"mae <= {(error + high) / 2:.3f}"
    passed = results(bound, f"{bound} (upper bound)", "rmse <= 9999", "r2 >= 0.1", "spearman >= 0.99 (lower bound)")
    assert [*passed.values()][:5] == [True, False, True, True, False]
    same = f"not worse than {trained_number} by more than 2.5"
    assert results(same, f"{same} in mae (paired)") == {same: True, f"{same} in mae (paired)": True, "golden": True}
    (home / "golden.csv").write_text("text,minutes\na superb and superb and superb evening,500\n")
    assert not results("rows >= 1", golden="golden.csv", within=5)["golden"]
    assert results("rows >= 1", golden="golden.csv", within=900)["golden"]
    for gate, what in (
        ("accuracy >= 0.5", "the model predicts numbers, for which there is no such figure"),
        (f"not worse than {trained} by more than 0", "predicts labels, and the model numbers"),
        ("behaviour >= 0.5", "behaviour tests are of one label a text"),
    ):
        with pytest.raises(ConfigError, match=what):
            rnn_cli.check_model(trained_number, gates=[gate])
    with pytest.raises(ConfigError, match="2.5 is more than all; write 2.5 %"):
        rnn_cli.check_model(trained, gates=[f"not worse than {trained} by more than 2.5"])
