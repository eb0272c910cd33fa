"""A run measured by folds says so wherever it is shown."""

import json
import re
from pathlib import Path

import pytest

from tests.conftest import labelled_texts, several_rows, write_csv, write_lists

from .conftest import Rnn, tiny_overrides

Tiny = dict[str, dict[str, object]]


def test_folds_are_told_wherever_the_run_is_shown(rnn: Rnn, home: Path, labelled_file: Path, tiny: Tiny) -> None:
    words = tiny_overrides(tiny, data__source=labelled_file, training__epochs=1, model__kind="linear", model__ngrams=2)
    code, out, err = rnn("train", "quick", *words, "--folds", "2")
    assert code == 0
    assert re.search(r"^ +validation +2 folds$", out, re.MULTILINE)
    assert re.search(r"^rows +16 +16 +80 +80$", out, re.MULTILINE)
    text = " ".join(out.split())
    assert "Estimated by 2-fold cross-validation: each of the 80 rows was predicted by a model that had not" in text
    assert "The model itself has learned from all 80 rows." in text
    assert "On the 80 out-of-fold rows the linear model " in text
    assert err.count("that it had not seen") == 2
    run = home / "runs/latest"
    metrics = json.loads((run / "metrics.json").read_text())
    shown = json.loads(rnn("evaluate", "--json").out)
    assert shown == {
        **metrics["folds"],
        "baseline": metrics["baseline"]["folds"],
        "comparison": metrics["baseline"]["comparison"]["folds"],
    }
    table = rnn("evaluate").out
    assert re.search(r"^folds +linear", table, re.MULTILINE)
    assert re.search(r"^fold +learned from +rows +accuracy +linear", table, re.MULTILINE)
    assert re.search(r"\d to \d+\.\d, 2 folds", rnn("runs").out)
    (listed,) = json.loads(rnn("runs", "--json").out)
    assert listed["folds"] == 2 and listed["accuracy"] == metrics["folds"]["accuracy"]
    for page in ("report.html", "README.md"):
        assert "each predicted by a model that had not seen it (2-fold cross-validation" in (run / page).read_text()
    assert rnn("compare", str(run), str(run)).code == 0


def test_folds_of_several_labels_are_told_alike(rnn: Rnn, several_file: Path, tiny: Tiny) -> None:
    words = tiny_overrides(tiny, data__source=several_file, data__labels="several", model__kind="linear")
    code, out, _ = rnn("train", "quick", *words, "--set", "model.ngrams=2", "--folds", "2")
    assert code == 0
    assert re.search(r"^ +linear +TF-IDF +linear +TF-IDF$", out, re.MULTILINE)
    assert "Against the linear baseline on the" in " ".join(out.split())
    assert "damaged" not in rnn("runs").out
    (listed,) = json.loads(rnn("runs", "--json").out)
    assert listed["folds"] == 2 and listed["accuracy"] is None


def test_ratings_are_measured_by_folds_by_how_far_they_are_off(rnn: Rnn, home: Path) -> None:
    words = "warm", "dull", "fair"
    write_csv(home / "codes.csv", [(f"{words[row % 3]} film {row}", str(row % 3)) for row in range(60)])
    code, out, err = rnn("train", "codes.csv", "--set", "model.kind=linear", "--folds", "2")
    assert code == 0 and "read as ratings" in err and re.search("fold 2 of 2: [0-9.]+ off on average", err)
    assert "mean absolute error" in out and "MAE of the folds" in " ".join(out.split())
    assert re.search("^fold +learned from +rows +MAE +linear +accuracy", rnn("evaluate").out, re.MULTILINE)


def test_so_few_rows_are_not_dealt_into_folds(rnn: Rnn, home: Path) -> None:
    write_csv(home / "few.csv", [(f"{('warm', 'dull')[row % 2]} film {row}", "ab"[row % 2]) for row in range(8)])
    code, _, err = rnn("train", "few.csv", "--set", "model.kind=linear")
    assert code == 0 and "fold" not in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--set", "data.time_column=day"], "training.folds and data.time_column exclude each other"),
        (["--set", "data.test=test.csv"], "training.folds and a file of test rows"),
        (["--set", "model.ngrams=0", "--set", "model.kind=linear"], "kind: linear needs n-grams"),
    ],
)
def test_what_does_not_go_together_is_told_in_a_line(
    words: list[str], said: str, rnn: Rnn, home: Path, labelled_file: Path
) -> None:
    code, out, err = rnn("train", "quick", "--set", f"data.source={labelled_file}", "--folds", "5", *words)
    assert (code, out) == (2, "")
    assert said in " ".join(err.split())


def test_new_rows_are_held_against_the_rows_of_the_folds(
    rnn: Rnn, home: Path, measured_by_folds: Path, several_by_folds: Path
) -> None:
    model = ("--model", str(measured_by_folds))
    write_csv(home / "new.csv", labelled_texts(["good", "bad"], 160)[80:])
    code, out, err = rnn("drift", *model, "new.csv", "--labelled")
    assert (code, err) == (0, "")
    assert "Predicted right then is the share of the 80 out-of-fold rows." in out
    code, out, err = rnn("evaluate", *model, "--data", "new.csv")
    assert code == 0
    kept = json.loads((measured_by_folds / "metrics.json").read_text())["folds"]
    assert f"was {kept['accuracy']:.1%} on the 80 out-of-fold rows" in " ".join(out.split())
    write_lists(home / "topics.csv", several_rows(240)[160:])
    found = json.loads(rnn("drift", "--model", str(several_by_folds), "topics.csv", "--labelled", "--json").out)
    assert found["side"] == "folds"
    assert [each["rows_then"] for each in found["shifts"] if each["feature"] == "accuracy"] == [160]
