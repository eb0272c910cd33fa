"""Every command with a model of ordered labels: it works, or refuses in one clear line."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from rnn_cli.cli.main import cli
from rnn_cli.evaluation.compare import BaselineComparison
from rnn_cli.evaluation.ordered import compare_ordered, measure_ordered
from rnn_cli.evaluation.wording import verdict
from rnn_cli.labelling.session import begin_session
from tests.cli.conftest import Rnn
from tests.cli.test_several import _commands
from tests.conftest import rated_rows, write_csv

LOW, HIGH = "the plot was awful and dreadful", "a superb and brilliant evening"

WORKS = {
    "predict": ["predict", "--model", "MODEL", LOW],
    "score": ["score", "texts.csv", "--model", "MODEL", "--output", "out.csv"],
    "evaluate": ["evaluate", "--model", "MODEL", "--report", "page.html"],
    "compare": ["compare", "MODEL", "MODEL"],
    "export": ["export", "--model", "MODEL", "--to", "exported"],
    "init": ["init", "rated.csv"],
    "data check": ["data", "check", "rated.csv"],
    "data list": ["data", "list"],
    "config list": ["config", "list"],
    "config show": ["config", "show", "quick"],
    "config keys": ["config", "keys"],
    "config schema": ["config", "schema"],
    "inspect model": ["inspect", "model", "--model", "MODEL"],
    "inspect tokens": ["inspect", "tokens", "--model", "MODEL", LOW],
    "inspect reading": ["inspect", "reading", "--model", "MODEL", LOW],
    "inspect behaviour": ["inspect", "behaviour", "--model", "MODEL", "--label", "positive=5", "--label", "negative=1"],
    "inspect neighbours": ["inspect", "neighbours", "--model", "MODEL", "the"],
    "inspect embedding": ["inspect", "embedding", "--model", "MODEL", "--out", "vectors.txt"],
    "check-model": ["check-model", "--model", "MODEL", "--gate", "gates.yaml"],
    "drift": ["drift", "rated.csv", "--model", "MODEL"],
    "runs rm": ["runs", "rm", "runs/copy-1"],
    "label status": ["label", "status", "rated.csv"],
    "label export": ["label", "export", "rated.csv", "--out", "labelled.csv", "--label-column", "mine"],
    "label review": ["label", "review", "rated.csv", "--base", "none"],
    "label agree": ["label", "agree", "rated.csv", "--as", "ann"],
}
"""A call of each command that takes such a model, or such rows."""

REFUSED = {"inspect gradients": (["inspect", "gradients", "rated.yaml"], "softmax over labels")}
"""Commands that do not, and what they say."""

ELSEWHERE = {"train", "tune", "serve", "completion", "label start"}
"""Tested in `test_trains_*`, in tests/tuning, tests/serving, for models of any kind and in test_label.py."""


@pytest.fixture(autouse=True)
def files(home: Path, rated_file: Path, trained_ordered: Path) -> None:
    """What the commands read."""
    (home / "rated.csv").write_bytes(rated_file.read_bytes())
    (home / "rated.yaml").write_text("data: {source: rated.csv, labels: ordered}\nmodel: {units: [4]}\n")
    shutil.copytree(trained_ordered, home / "runs" / "copy-1")
    for by in (None, "ann"):
        with begin_session("rated.csv", ["one", "two", "three"], by=by, base=None, kind="ordered") as session:
            for each in range(60):
                session.label(["one", "two", "three"][each % 3])
    (home / "gates.yaml").write_text("- mean_absolute_error <= 4\n- within_one >= 0.1\n")
    (home / "texts.csv").write_text("\n".join(["text", *(text for text, _ in rated_rows(12))]) + "\n")
    write_csv(home / "rows.csv", rated_rows(12))


def test_every_command_is_among_them():
    assert {*WORKS, *REFUSED, *ELSEWHERE} == set(_commands(cli))


@pytest.mark.parametrize("name", WORKS)
def test_it_works(name: str, rnn: Rnn, trained_ordered: Path):
    ended = rnn(*[str(trained_ordered) if word == "MODEL" else word for word in WORKS[name]])
    assert ended.code == 0, ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_in_one_line(name: str, rnn: Rnn):
    words, what = REFUSED[name]
    ended = rnn(*words)
    assert ended.code == 2
    *_, last = ended.err.strip().splitlines()
    assert what in last and "; " in last


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["evaluate", "--goal", "f1"], "is for two labels"),
        (["train", "few-labels", "--set", "data.source=rated.csv", "--set", "data.labels=ordered"], "model.base"),
        (["train", "few-labels", "--set", "data.source=topics.csv", "--set", "model.base=MODEL"], "have an order"),
        (["train", "quick", "--set", "decision.choice=mode"], "add data.labels: ordered"),
        (["train", "quick", "--set", "data.source=words.csv", "--set", "data.labels=ordered"], "order is not known"),
        (["train", "quick", "--set", "data.source=words.csv", "--set", "data.order=[bad, fair, fine]"], "'good'"),
        (["train", "quick", "--set", "data.source=two.csv", "--set", "data.labels=ordered"], "3 labels or more"),
        (["train", "quick", "--set", "data.labels=number"], "single"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(words: list[str], what: str, rnn: Rnn, trained_ordered: Path):
    write_csv(Path("words.csv"), [(f"text {row}", ("bad", "fair", "good")[row % 3]) for row in range(60)])
    write_csv(Path("topics.csv"), [(f"text {row}", "ab"[row % 2]) for row in range(60)])
    write_csv(Path("two.csv"), [(f"text {row}", "12"[row % 2]) for row in range(60)])
    named = [each.replace("MODEL", str(trained_ordered)) for each in words]
    ended = rnn(*named, *(["--model", str(trained_ordered)] if words[0] == "evaluate" else []))
    assert ended.code == 2, ended
    assert what in ended.err.replace("\n", " ")
    assert "Traceback" not in ended.err


def test_predicts_a_label_its_probability_and_the_expected_value(rnn: Rnn, trained_ordered: Path):
    def run(style: str, *more: str) -> list[str]:
        return rnn("predict", "--model", str(trained_ordered), "--format", style, *more, LOW, HIGH).out.splitlines()

    low, high = map(json.loads, run("jsonl", "--proba"))
    assert int(low["label"]) < int(high["label"]) and low["expected"] < high["expected"]
    assert list(low["probabilities"]) == list("12345")
    mean = sum(int(label) * share for label, share in low["probabilities"].items())
    assert low["expected"] == pytest.approx(mean, abs=1e-5)
    rows = list(csv.DictReader(run("csv")))
    assert float(rows[0]["expected"]) == pytest.approx(low["expected"], abs=1e-6)
    label, probability, expected = run("plain")[0].split("\t")
    assert label == low["label"] and float(expected) == pytest.approx(low["expected"], abs=1e-6)
    assert f"expected {low['expected']:.2f}" in run("human")[0]


def test_a_set_of_labels_of_a_stated_coverage(rnn: Rnn, trained_ordered: Path):
    def run(style: str, coverage: str = "0.8", *more: str):
        return rnn("predict", "--model", str(trained_ordered), "--format", style, "--coverage", coverage, *more, LOW)

    found = json.loads(run("jsonl").out)
    assert found["label"] in found["label_set"] and set(found["label_set"]) <= set("12345")
    (row,) = csv.DictReader(run("csv").out.splitlines())
    assert row["label_set"] == "|".join(found["label_set"]) == run("plain").out.strip().split("\t")[3]
    assert f"{{{', '.join(found['label_set'])}}}" in run("human").out
    wrong = run("plain", "0.9999")
    assert wrong.code == 2 and "validation rows cannot vouch" in wrong.err and "the most is 0.9" in wrong.err
    assert run("plain", "0.8", "--labels", "1,2").code == 2
    assert run("plain", "0.8", "--server", "http://127.0.0.1:1").code == 1


def test_files_have_the_same_numbers(rnn: Rnn, trained_ordered: Path, home: Path):
    texts = [text for text, _ in rated_rows(12)]
    for style in ("csv", "jsonl", "parquet"):
        words = ["score", "texts.csv", "--model", str(trained_ordered), "--output", f"out.{style}"]
        assert rnn(*words).code == 0
    alone = rnn("predict", "--model", str(trained_ordered), "--format", "jsonl", *texts).out.splitlines()
    expected = [json.loads(line)["expected"] for line in alone]
    with (home / "out.csv").open() as file:
        assert [float(row["expected"]) for row in csv.DictReader(file)] == pytest.approx(expected, abs=2e-6)


def test_explains_what_raises_and_lowers_it(rnn: Rnn, trained_ordered: Path):
    out = rnn("predict", "--model", str(trained_ordered), "--explain", "--format", "jsonl", LOW, HIGH).out
    low, high = map(json.loads, out.splitlines())
    weights = {part["text"]: part["weight"] for each in (low, high) for part in each["explanation"]}
    assert weights["awful"] < 0 < weights["superb"]
    shown = rnn("predict", "--model", str(trained_ordered), "--explain", "--format", "human", LOW).out
    assert "down" in shown and "against" not in shown


def test_evaluates_with_how_far_it_is_off(rnn: Rnn, trained_ordered: Path):
    shown = rnn("evaluate", "--model", str(trained_ordered)).out
    assert all(name in shown for name in ("mean absolute error", "quadratic kappa", "Spearman", "within one"))
    own = json.loads(rnn("evaluate", "--model", str(trained_ordered), "--json").out)
    median = json.loads(rnn("evaluate", "--model", str(trained_ordered), "--json", "--choice", "median").out)
    assert median["decision"]["choice"] == "median" and own["decision"]["choice"] == "balanced"
    confusion = np.array(own["confusion"])
    off = np.abs(np.subtract.outer(np.arange(5), np.arange(5)))
    assert own["mean_absolute_error"] == pytest.approx((confusion * off).sum() / confusion.sum())
    assert own["baseline"]["mean_absolute_error"] >= 0
    assert "error_difference" in own["comparison"]


def test_compares_by_how_far_models_are_off(rnn: Rnn, trained_ordered: Path):
    Path("worse.csv").write_text("id,text,label,prediction\n" + "".join(f"{n},t{n},{1 + n % 5},1\n" for n in range(99)))
    shutil.copyfile("worse.csv", "same.csv")
    assert "make the same mistakes" in rnn("compare", "worse.csv", "same.csv").out, "files tell of no order"
    out = rnn("compare", str(trained_ordered), str(trained_ordered)).out
    assert "mean absolute error" in out and "cannot be told apart" in out


@pytest.mark.parametrize("kind", ["linear", "auto"])
def test_a_linear_model_of_ordered_labels_is_named_as_what_it_is(rnn: Rnn, kind: str):
    quick = ["--set", "training.epochs=1", "--folds", "2"]
    words = ["train", "rated.csv", "--set", f"model.kind={kind}", *quick, "--out", "made"]
    code, out, err = rnn(*words)
    assert code == 0, err
    assert json.loads(Path("made/manifest.json").read_text())["ordered"] is True
    if kind == "linear":
        assert " the linear model is on average " in " ".join(out.split()) and "network" not in out
        card = Path("made/README.md").read_text()
        assert "--from" not in card and "It knows 50,000" not in card
        assert "a linear model adds up a weight" in rnn("inspect", "tokens", "--model", "made", LOW).out


def test_errors_of_other_size_in_the_same_rows_are_no_tie():
    truth, near, far = np.array([0] * 40), np.array([1] * 40), np.array([4] * 40)
    against = BaselineComparison(
        measure_ordered("12345", truth, np.full((40, 5), 0.2), far), compare_ordered("12345", truth, near, far), False
    )
    assert "is on average 3.000 less off than the linear baseline" in verdict("test", against)


def test_the_report_and_the_card_tell_of_it(rnn: Rnn, trained_ordered: Path):
    assert "mean absolute error" in (trained_ordered / "README.md").read_text()
    assert "mean absolute error" in (trained_ordered / "report.html").read_text()


def test_init_proposes_it_and_says_so(rnn: Rnn, home: Path):
    ended = rnn("init", "rated.csv")
    assert "whole numbers from 1 to 5" in ended.out.replace("\n", " ")
    assert "labels: ordered" in (home / "config.yaml").read_text()
    assert rnn("init", "rated.csv", "--force", "--set", "data.labels=single").code == 0
    assert "labels: ordered" not in (home / "config.yaml").read_text()


def test_trains_words_in_the_order_named(rnn: Rnn, home: Path):
    names = dict(zip("12345", ("awful", "bad", "fair", "good", "great"), strict=True))
    write_csv(home / "words.csv", [(text, names[stars]) for text, stars in rated_rows(200)])
    order = f"data.order=[{', '.join([*names.values(), 'heavenly'])}]"
    ended = rnn("train", "quick", "--set", "data.source=words.csv", "--set", order, "--out", "words")
    assert ended.code == 0, ended.err
    assert "no training row has heavenly" in ended.err.replace("\n", " ")
    labels = json.loads((home / "words" / "manifest.json").read_text())["labels"]
    assert labels == list(names.values())
    found = json.loads(rnn("predict", "--model", "words", "--format", "jsonl", HIGH).out)
    assert 1 <= found["expected"] <= 5
