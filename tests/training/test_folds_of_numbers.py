"""A run of numbers that is measured by folds."""

import json
from pathlib import Path

import numpy as np
import pytest

import rnn_cli as rnn
from rnn_cli.config.schema import Config, DataConfig
from rnn_cli.data.folds import deal_folds
from rnn_cli.data.splits import load_splits
from rnn_cli.evaluation.corrected import corrected_interval
from rnn_cli.evaluation.numbers import measure_numbers
from rnn_cli.training.prepare import prepare
from rnn_cli.training.run import train_prepared
from tests.conftest import TINY, BuiltOnce, Silent


@pytest.fixture(scope="session")
def numbers_by_folds(numbered_file: Path, built_once: BuiltOnce) -> Path:
    data = {"labels": "number", "label_column": "minutes", "source": str(numbered_file), "validation": 0.2}
    config = Config.model_validate(TINY | {"data": data, "training": {**TINY["training"], "folds": 2}})

    def fill(home: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(home)  # a run writes runs/latest where it stands
            train_prepared(prepare(config, Silent()), out=home / "model", name="tiny", force=False, listener=Silent())

    return built_once("numbers_by_folds", fill) / "model"


def test_each_fold_has_low_and_high_numbers(numbered_file: Path) -> None:
    config = DataConfig(source=str(numbered_file), label_column="minutes", labels="number", validation=0.2, test=0)
    dealt = deal_folds(config, load_splits(config), 4, 1)
    assert not dealt.teaching and sorted(row for fold in dealt.folds for row in fold.rows) == list(range(200))
    for fold in dealt.folds:
        numbers = [float(label) for label in fold.splits.test.labels]
        assert min(numbers) < 10 < 70 < max(numbers)
        assert not set(fold.splits.test.texts) & {*fold.splits.train.texts, *fold.splits.validation.texts}


def test_the_stated_error_is_that_of_all_rows_with_the_folds_interval(numbers_by_folds: Path) -> None:
    kept = json.loads((numbers_by_folds / "metrics.json").read_text())["folds"]
    found = rnn.evaluate(numbers_by_folds)
    assert found.folds is not None and found.metrics.rows == 200
    assert found.metrics.mean_absolute_error == pytest.approx(kept["mean_absolute_error"])
    alone = measure_numbers(found.truth, found.predicted)
    assert alone.mean_absolute_error == pytest.approx(found.metrics.mean_absolute_error)
    each = [fold.network["mean_absolute_error"] for fold in found.folds.each]
    low, high = corrected_interval(each, found.folds.folds, alone.mean_absolute_error)
    own = alone.intervals["mean_absolute_error"]
    assert own is not None
    interval = found.metrics.intervals["mean_absolute_error"]
    assert interval == pytest.approx((max(0.0, min(low, own[0])), max(high, own[1])))
    assert np.average(each, weights=[fold.rows for fold in found.folds.each]) == pytest.approx(
        alone.mean_absolute_error
    )
    baseline = found.baseline
    assert baseline is not None and baseline.by_folds
    gains = [
        fold.network["mean_absolute_error"] - (fold.baseline or {})["mean_absolute_error"] for fold in found.folds.each
    ]
    low, high = corrected_interval(gains, 2, baseline.comparison.error_difference)
    stated = baseline.comparison.error_interval
    assert stated is not None and stated[0] <= low < high <= stated[1]
    page = (numbers_by_folds / "report.html").read_text()
    assert "By fold" in page and "2-fold cross-validation" in page and 'class="for' not in page


def test_compared_each_has_its_folds_interval(numbers_by_folds: Path) -> None:
    kept = json.loads((numbers_by_folds / "metrics.json").read_text())["folds"]
    for model in rnn.compare(numbers_by_folds, numbers_by_folds).models:
        assert model.mean_absolute_error == kept["mean_absolute_error"]
        assert list(model.intervals["mean_absolute_error"]) == kept["intervals"]["mean_absolute_error"]
