"""The corrected statistics of folds: by hand, as SciPy has them, and in simulation."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from rnn_cli.evaluation.corrected import (
    corrected_error,
    corrected_interval,
    corrected_p,
    joined,
    t_quantile,
    t_within,
)


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 9, 24, 49, 199])
def test_students_t_is_that_of_scipy(freedom: int) -> None:
    assert t_quantile(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), abs=1e-9)
    for t in (0.0, 0.3, 1.7, 12.0):
        assert t_within(t, freedom) == pytest.approx(1 - 2 * stats.t.sf(t, freedom), abs=1e-12)


def test_an_interval_by_hand() -> None:
    figures = [0.7, 0.8, 0.75, 0.85, 0.9]
    error = np.sqrt((1 / 5 + 1 / 4) * np.var(figures, ddof=1))
    assert corrected_error(figures, 5) == pytest.approx(error)
    low, high = corrected_interval(figures, 5, 0.8)
    assert (low, high) == pytest.approx((0.8 - 2.776445 * error, 0.8 + 2.776445 * error), abs=1e-6)


def test_the_test_by_hand_and_against_the_uncorrected_one() -> None:
    gains = [0.02, 0.05, -0.01, 0.03, 0.04]
    found = corrected_p(gains, 5)
    t = np.mean(gains) / np.sqrt((1 / 5 + 1 / 4) * np.var(gains, ddof=1))
    assert found == pytest.approx(2 * stats.t.sf(t, 4), abs=1e-12)
    assert found is not None and found > stats.ttest_1samp(gains, 0).pvalue


def test_equal_differences_say_nothing_of_how_much_they_vary() -> None:
    assert corrected_p([0.1, 0.1, 0.1], 3) is None
    assert corrected_p([0.0, 0.0], 2) is None


def test_the_joined_interval_holds_both_within_the_bounds() -> None:
    assert joined((0.5, 0.7), (0.6, 1.2), 0.0, 1.0) == (0.5, 1.0)
    assert joined(None, (-0.1, 0.3), 0.0, 1.0) == (0.0, 0.3)


@pytest.fixture(scope="module")
def bench() -> Any:
    file = Path(__file__).parent.parent / "bench" / "folds.py"
    found_at = spec_from_file_location("bench_folds", file)
    assert found_at and found_at.loader
    module = module_from_spec(found_at)
    sys.modules["bench_folds"] = module
    found_at.loader.exec_module(module)
    return module


def test_intervals_hold_the_truth_at_least_as_often_as_they_say(bench: Any) -> None:
    found = bench.coverage(rows=60, words=20, signal=0.3, folds=5, trials=200)
    assert found["accuracy"] >= 0.93 and found["macro F1"] >= 0.93
    assert found["of the rows alone"] < found["accuracy"]


@pytest.mark.slow
@pytest.mark.parametrize("case", range(6))
def test_they_do_so_for_all_kinds_of_rows(bench: Any, case: int) -> None:
    found = bench.coverage(**bench.CASES[case], trials=1_000)
    assert 0.94 <= found["accuracy"] <= 1 and 0.94 <= found["macro F1"] <= 1


@pytest.mark.slow
def test_models_that_are_equally_good_are_seldom_told_apart(bench: Any) -> None:
    assert bench.false_alarms(trials=1_000) <= 0.05
