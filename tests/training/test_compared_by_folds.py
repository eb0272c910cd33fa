"""Runs that folds measured, held against each other on the rows that these predicted, with the intervals of folds."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rnn_cli as rnn
from rnn_cli.errors import DataError
from rnn_cli.evaluation.compare import ModelComparison
from rnn_cli.evaluation.compare_several import SeveralModelComparison
from rnn_cli.evaluation.corrected import corrected_interval, corrected_p
from tests.conftest import TINY

pytestmark = pytest.mark.usefixtures("without_report", "in_a_folder_of_its_own")

SETTINGS: dict[str, Any] = {
    "kind": "linear",
    "ngrams": 1,
    "ngram_buckets": 512,
    "validation": 0.2,
    "vocab_size": TINY["tokenizer"]["vocab_size"],
}


def other(source: Path, folds: int = 2, **more: Any) -> Path:
    run = rnn.train("quick", source, out="other", folds=folds, baseline=False, **SETTINGS, **more)
    return run.path


def each_fold(run: Path, name: str) -> list[float]:
    kept = json.loads((run / "metrics.json").read_text())["folds"]["cross_validation"]["each"]
    return [fold["network"][name] for fold in kept]


def test_intervals_and_tests_are_those_of_the_folds(measured_by_folds: Path, labelled_file: Path) -> None:
    mine = other(labelled_file)
    found = rnn.compare(measured_by_folds, mine)
    assert isinstance(found, ModelComparison) and found.rows == 80
    against = found.models[1].against_first
    assert against is not None
    gains = np.subtract(each_fold(mine, "accuracy"), each_fold(measured_by_folds, "accuracy")).tolist()
    low, high = corrected_interval(gains, 2, against.difference)
    assert against.interval[0] <= max(low, -1.0) and against.interval[1] >= min(high, 1.0)
    assert against.p_value >= (corrected_p(gains, 2) or 0.0)
    for model, run in zip(found.models, (measured_by_folds, mine), strict=True):
        kept = json.loads((run / "metrics.json").read_text())["folds"]
        assert model.accuracy == kept["accuracy"]
        assert list(model.accuracy_interval) == kept["intervals"]["accuracy"]
    gate = f"not worse than {measured_by_folds} by more than 0.02 (paired)"
    (outcome,) = rnn.check_model(mine, gates=[gate]).outcomes
    assert (outcome.value, outcome.interval) == (against.difference, against.interval)


def test_folds_that_were_dealt_otherwise_are_compared_by_their_rows(
    measured_by_folds: Path, labelled_file: Path
) -> None:
    mine = other(labelled_file, split_seed=5)
    found = rnn.compare(measured_by_folds, mine)
    assert isinstance(found, ModelComparison)
    against = found.models[1].against_first
    (outcome,) = rnn.check_model(mine, gates=[f"not worse than {measured_by_folds} by more than 1"]).outcomes
    assert against is not None and outcome.value == against.difference and outcome.passed


def test_several_labels_are_compared_alike(several_by_folds: Path, several_file: Path) -> None:
    mine = other(several_file, labels="several")
    found = rnn.compare(several_by_folds, mine)
    assert isinstance(found, SeveralModelComparison)
    kept = json.loads((mine / "metrics.json").read_text())["folds"]
    assert list(found.models[1].intervals["micro_f1"] or ()) == kept["intervals"]["micro_f1"]
    (outcome,) = rnn.check_model(mine, gates=[f"not worse than {several_by_folds} by more than 0.1"]).outcomes
    against = found.models[1].against_first
    assert against is not None
    assert (outcome.value, outcome.interval) == (against.differences["micro_f1"], against.intervals["micro_f1"])


def test_other_rows_are_not_taken_for_the_same(measured_by_folds: Path, labelled_file: Path) -> None:
    lines = labelled_file.read_text().splitlines()
    Path("fewer.csv").write_text("\n".join(lines[:-4]) + "\n")
    mine = other(Path("fewer.csv").resolve())
    with pytest.raises(DataError, match="was trained on all 76 rows"):
        rnn.check_model(mine, gates=[f"not worse than {measured_by_folds} by more than 1"])
