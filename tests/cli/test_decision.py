"""How probabilities become answers, as a user meets it: in training, in predict, and tried otherwise in evaluate."""

import csv
import io
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rnn_cli.bundle.locate import GENERAL_FOLDER
from rnn_cli.bundle.model_folder import Bundle
from rnn_cli.evaluation.decide import Chosen
from rnn_cli.scoring.calibration import Calibration
from rnn_cli.scoring.decision import Decision
from rnn_cli.scoring.predictor import Predictor

from .conftest import Rnn, files_below, on_a_terminal, tiny_overrides

WISHES = ["--set", "decision.goal=recall >= 0.9", "--set", "decision.abstain=0.25"]


@pytest.fixture(scope="module")
def cautious(
    tmp_path_factory: pytest.TempPathFactory,
    make_labelled_file: Callable[..., Path],
    tiny: dict[str, dict[str, object]],
) -> tuple[Path, str]:
    """A model that was to find what is good and may be unsure, and what its training printed."""
    from rnn_cli.cli.main import run

    home, before = tmp_path_factory.mktemp("cautious"), Path.cwd()
    source = make_labelled_file(["good", "bad"], 300)
    os.chdir(home)
    try:
        with pytest.MonkeyPatch.context() as patch:
            told = io.StringIO()
            patch.setattr("sys.stdout", told)
            # So few steps, and no n-grams, that some answers are wrong.
            words = tiny_overrides(tiny, data__source=source, training__epochs=2, model__ngrams=0)
            assert run(["train", "quick", "--out", "model", *words, *WISHES]) == 0
    finally:
        os.chdir(before)
    return home / "model", told.getvalue()


@pytest.fixture
def model(cautious: tuple[Path, str]) -> Path:
    return cautious[0]


def metrics(model: Path) -> dict[str, dict[str, dict[str, float]]]:
    found: dict[str, dict[str, dict[str, float]]] = json.loads((model / "metrics.json").read_text())
    return found


def predictions(model: Path, split: str) -> list[dict[str, str]]:
    with (model / "predictions.csv").open(encoding="utf-8", newline="") as stream:
        return [row for row in csv.DictReader(stream) if row["split"] == split]


def test_what_was_chosen_meets_the_wishes_on_the_validation_rows(model: Path) -> None:
    rows = predictions(model, "validation")
    good = [row for row in rows if row["label"] == "good"]
    assert sum(row["prediction"] == "good" for row in good) >= 0.9 * len(good)
    assert 0 < sum(row["unsure"] == "true" for row in rows) <= 0.25 * len(rows)
    manifest = Bundle.open(model).manifest
    assert (manifest.threshold, manifest.temperature) != (0.5, 1.0)
    assert manifest.unsure_below > 0


def test_the_temperature_is_the_best_for_the_validation_rows_and_in_every_answer(model: Path) -> None:
    manifest, rows = Bundle.open(model).manifest, predictions(model, "validation")
    predictor = Predictor.open(model)
    found = predictor.score([row["text"] for row in rows]).probabilities
    for row, probabilities in zip(rows, found, strict=True):
        assert float(row["probability"]) == probabilities[manifest.labels.index(row["prediction"])]
    told = metrics(model)["calibration"]
    assert told["temperature"] == manifest.temperature
    assert told["validation"]["after"]["log_loss"] <= told["validation"]["before"]["log_loss"]
    truth = [manifest.labels.index(row["label"]) for row in rows]
    plain = Calibration(manifest.temperature).undone(found)[np.arange(len(rows)), truth]
    assert told["validation"]["before"]["log_loss"] == pytest.approx(-np.log(plain).mean())


def test_training_tells_what_was_chosen_and_what_it_comes_to(cautious: tuple[Path, str]) -> None:
    model, out = cautious
    told = " ".join(out.split())
    test = metrics(model)["test"]
    sure, good = test["sure"], test["per_class"]["good"]
    sure_rows = f"Sure of {sure['rows']} test rows ({sure['coverage']:.1%})"
    assert f"{sure_rows}; {sure['accuracy']:.1%} of these predictions are right " in told
    assert f"of the test rows with the label good, {good['recall']:.1%} (95% interval " in told


def test_evaluate_says_the_same(rnn: Rnn, model: Path) -> None:
    code, out, err = rnn("evaluate", "--model", str(model), "--json")
    told = json.loads(out)
    assert (code, err) == (0, "")
    assert {name: told[name] for name in ("accuracy", "decision", "sure")} == {
        name: metrics(model)["test"][name] for name in ("accuracy", "decision", "sure")
    }
    out = " ".join(rnn("evaluate", "--model", str(model)).out.split())
    manifest = Bundle.open(model).manifest
    assert f"Decided: good is predicted from a probability of {manifest.threshold:.4g} on; between " in out
    assert f"Sure of {told['sure']['rows']} test rows" in out


def test_the_sure_answers_are_counted_as_they_are(rnn: Rnn, model: Path) -> None:
    rows = [row for row in predictions(model, "test") if row["unsure"] == "false"]
    sure = metrics(model)["test"]["sure"]
    assert sure["rows"] == len(rows)
    assert sure["accuracy"] == pytest.approx(sum(row["label"] == row["prediction"] for row in rows) / len(rows))


@pytest.fixture
def doubtful(model: Path) -> list[str]:
    """Texts the model is unsure of, and one it is sure of at the end."""
    rows = predictions(model, "test")
    unsure = [row["text"] for row in rows if row["unsure"] == "true"]
    assert unsure
    return [*unsure, next(row["text"] for row in rows if row["unsure"] == "false")]


def test_predict_says_unsure(rnn: Rnn, model: Path, doubtful: list[str]) -> None:
    lines = "".join(f"{text}\n" for text in doubtful).encode()
    _, out, _ = rnn("predict", "--model", str(model), stdin=lines)
    assert [line.split("\t")[0] == "unsure" for line in out.splitlines()] == [True] * (len(doubtful) - 1) + [False]
    _, out, _ = rnn("predict", "--model", str(model), "--format", "jsonl", stdin=lines)
    predicted = [json.loads(line) for line in out.splitlines()]
    assert [answer["unsure"] for answer in predicted] == [True] * (len(doubtful) - 1) + [False]
    assert {answer["label"] for answer in predicted} <= {"bad", "good"}
    _, out, _ = rnn("predict", "--model", str(model), "--format", "csv", stdin=lines)
    rows = list(csv.DictReader(io.StringIO(out, newline="")))
    assert [row["unsure"] for row in rows] == ["true"] * (len(doubtful) - 1) + ["false"]


def test_on_a_terminal_the_nearest_label_is_told(model: Path, doubtful: list[str]) -> None:
    shown, ended = on_a_terminal("predict", "--model", str(model), doubtful[0], doubtful[-1])
    first, last = shown.splitlines()
    assert ended.code == 0
    assert re.match(r"unsure  +\d+\.\d%  \(nearest: (good|bad)\)  ", first)
    assert re.match(r"(good  |bad   )  +\d+\.\d%  [a-z]", last)


def test_other_decisions_are_tried_and_the_model_stays(rnn: Rnn, model: Path) -> None:
    before = files_below(model)

    def told(*words: str) -> dict[str, dict[str, dict[str, float]]]:
        code, out, err = rnn("evaluate", "--model", str(model), "--json", *words)
        assert (code, err) == (0, "")
        found: dict[str, dict[str, dict[str, float]]] = json.loads(out)
        return found

    assert told("--goal", "recall >= 0.9")["decision"] == metrics(model)["test"]["decision"]
    high, low = (told("--threshold", each)["per_class"]["good"] for each in ("0.99", "0.01"))
    assert high["recall"] < low["recall"] == 1
    assert told("--threshold", "0.3")["decision"]["threshold"] == 0.3
    assert told("--abstain", "0")["decision"]["unsure_below"] == 0
    assert told("--abstain", "0.6")["sure"]["coverage"] < metrics(model)["test"]["sure"]["coverage"]
    wrong = ("--threshold", "0.001", "--abstain-error")  # which answers "good" too often
    loose, strict = (told(*wrong, each)["decision"]["unsure_below"] for each in ("0.5", "0.05"))
    assert loose < strict
    assert "baseline" not in told("--threshold", "0.5")  # which was not asked to decide so
    left_out = "The linear baseline is left out: it was measured with the decision of training, and is not kept.\n"
    as_trained, tried = (rnn("evaluate", "--model", str(model), *words).out for words in ([], ["--threshold", "0.5"]))
    assert left_out in tried and left_out not in as_trained
    assert files_below(model) == before


def test_a_wish_that_is_not_met_is_told(rnn: Rnn, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = Chosen(Decision(), ("nothing does",))
    monkeypatch.setattr("rnn_cli.evaluation.evaluate.decided", lambda predictor, *_: (predictor, nothing))
    code, out, err = rnn("evaluate", "--model", str(model), "--goal", "precision >= 1", "--json")
    assert (code, err) == (0, "Warning: nothing does\n")
    assert json.loads(out)["rows"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--goal", "best"], "--goal best: expected accuracy, f1, balanced_accuracy, precision >= 0.95"),
        (["--threshold", "2"], "--threshold 2.0: expected a number (above 0 and below 1)"),
        (["--abstain", "1"], "--abstain 1.0: expected a number (at least 0 and below 1)"),
        (["--abstain-error", "1"], "--abstain-error 1.0: expected a number (at least 0 and below 1)"),
        (["--abstain-error", "0.1", "--abstain", "0.1"], "--abstain-error chooses the share that --abstain gives"),
        (["--threshold", "0.5", "--goal", "f1"], "--goal chooses the threshold, which --threshold gives; leave one"),
    ],
)
def test_wishes_that_are_none(words: list[str], expected: str, rnn: Rnn, model: Path) -> None:
    code, out, err = rnn("evaluate", "--model", str(model), *words)
    assert (code, out) == (2, "")
    assert err.startswith(f"Error: {expected}")


def test_three_labels_have_no_threshold_but_can_be_unsure(
    rnn: Rnn, home: Path, make_labelled_file: Callable[..., Path], tiny: dict[str, dict[str, object]]
) -> None:
    source = make_labelled_file(["good", "bad", "so-so"], 90)
    words = ["train", "quick", "--out", "model", *tiny_overrides(tiny, data__source=source, training__epochs=2)]
    code, out, err = rnn(*words, "--set", "decision.goal=f1")
    assert (code, err) == (2, "Error: decision.goal: is for two labels, but there are 3 (bad, good, so-so)\n")
    assert not (home / "model").exists()
    assert rnn(*words, "--set", "decision.abstain=0.2").code == 0
    assert "as probable as the next is unsure" in " ".join(rnn("evaluate", "--model", "model").out.split())
    code, out, err = rnn("evaluate", "--model", "model", "--threshold", "0.4")
    assert (code, out) == (2, "")
    assert err.startswith("Error: --threshold: is for two labels, but the model has 3 (bad, good, so-so); ")


def test_a_label_called_unsure_cannot_be_abstained_beside(
    rnn: Rnn, home: Path, labelled_file: Path, tiny: dict[str, dict[str, object]]
) -> None:
    (home / "rows.csv").write_text(labelled_file.read_text().replace(",bad", ",unsure"))
    words = tiny_overrides(tiny, data__source="rows.csv", decision__abstain_error=0.1)
    code, out, err = rnn("train", "quick", "--out", "model", *words)
    assert code == 2
    assert "decision.abstain_error: a label is already called 'unsure'; rename it" in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["--threshold", "0.4"],
            r"--threshold: is for two labels, but the model has 3 \(negative, neutral, positive\);",
        ),
        (["--goal", "f1"], r"--goal: is for two labels, .*; measure two of them with --labels NAME,NAME"),
        (["--labels", "positive,negative", "--goal", "f1"], "general: keeps no validation rows, .*; give a threshold"),
        (["--abstain-error", "0.1"], "general: keeps no validation rows, which would choose how it decides; "),
    ],
)
def test_the_general_model_says_what_it_cannot_decide(words: list[str], told: str, home: Path, rnn: Rnn) -> None:
    (home / "new.csv").write_text(
        "text,label\nWhat a hollow turnip of a show,negative\nA turnip to remember,positive\n"
    )
    code, out, err = rnn("evaluate", "--model", "general", "--data", "new.csv", *words)
    assert (code, out) == (2, "") and re.match(f"Error: {told}", err) and err.count("\n") == 1


def test_a_threshold_needs_no_validation_rows(home: Path, rnn: Rnn) -> None:
    (home / "new.csv").write_text(
        "text,label\nWhat a hollow turnip of a show,negative\nA turnip to remember,positive\n"
    )
    words = ("evaluate", "--model", "general", "--data", "new.csv", "--labels", "negative,positive", "--json")
    for threshold in (0.0001, 0.9999):
        found = json.loads(rnn(*words, "--threshold", str(threshold)).out)
        assert found["decision"]["threshold"] == threshold
        assert found["per_class"]["positive"]["recall"] == (1.0 if threshold < 0.5 else 0.0)


def test_the_general_model_has_one_name(home: Path, rnn: Rnn) -> None:
    (home / "link").symlink_to(GENERAL_FOLDER)
    (home / "new.csv").write_text(
        "text,label\nWhat a hollow turnip of a show,negative\nA turnip to remember,positive\n"
    )
    for name in ("general", "link", str(GENERAL_FOLDER)):
        assert rnn("evaluate", "--model", name, "--data", "new.csv").out.startswith("Model  general\n")
        assert rnn("inspect", "model", "--model", name).out.startswith("Model  general\n")
    assert rnn("evaluate", "--model", "general").err.startswith("Error: general: the run kept no test rows ")
    assert rnn("compare", "general", "general").err == (
        "Error: general: keeps no predictions of its own rows; score labelled rows by it with --data FILE\n"
    )
