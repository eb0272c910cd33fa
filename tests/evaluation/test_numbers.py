"""Figures of predicted numbers: scikit-learn's and scipy's, intervals that hold, and ranges of a stated coverage."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sklearn_metrics

from rnn_cli.evaluation.numbers import AgainstMedian, NumberMetrics, compare_numbers, measure_numbers
from rnn_cli.evaluation.wording_numbers import median_in_words, nearer_in_words
from rnn_cli.scoring.conformal import Conformal
from rnn_cli.scoring.prediction import shown_number


def rows(chance: np.random.Generator, count: int, scale: float = 1.0):
    """True numbers with a long tail and many ties, and predictions that know half of them."""
    signal = chance.gamma(2.0, 3.0, count)
    truth = np.round(signal + chance.normal(0, 2, count), 1) * scale
    return truth, (0.8 * signal + 1 + chance.normal(0, 0.5, count)) * scale


@pytest.mark.parametrize("count", [2, 5, 40, 3_000])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e7])
def test_figures_are_scikit_learn_s_and_scipy_s(count: int, scale: float):
    truth, predicted = rows(np.random.default_rng(count), count, scale)
    found = measure_numbers(truth, predicted)
    same = pytest.approx
    assert found.mean_absolute_error == same(sklearn_metrics.mean_absolute_error(truth, predicted), rel=1e-12)
    assert found.median_absolute_error == same(sklearn_metrics.median_absolute_error(truth, predicted), rel=1e-12)
    assert found.root_mean_squared_error == same(sklearn_metrics.root_mean_squared_error(truth, predicted), rel=1e-12)
    assert found.r2 == same(sklearn_metrics.r2_score(truth, predicted), rel=1e-12, abs=1e-12)
    assert found.spearman == same(stats.spearmanr(truth, predicted).statistic, rel=1e-12, abs=1e-12)
    assert found.mean_error == same((predicted - truth).mean(), rel=1e-9)
    assert NumberMetrics.from_dict(found.to_dict()) == found


def test_what_does_not_exist_is_none():
    found = measure_numbers(np.full(30, 5.0), np.arange(30.0))
    assert found.r2 is None and found.spearman is None
    found = measure_numbers(np.arange(30.0), np.full(30, 5.0))
    assert found.r2 is not None and found.spearman is None
    perfect = measure_numbers(np.arange(30.0), np.arange(30.0))
    assert (perfect.r2, perfect.spearman, perfect.mean_absolute_error) == (1.0, 1.0, 0.0)
    assert perfect.intervals["r2"] is None and perfect.intervals["mean_absolute_error"] is None
    assert set(measure_numbers(*rows(np.random.default_rng(1), 19)).intervals.values()) == {None}


def test_intervals_hold_in_about_95_of_100_samples():
    chance, trials, count = np.random.default_rng(5), 400, 80
    everyone = rows(chance, 200_000)
    true = measure_numbers(*everyone)
    held = dict.fromkeys(true.intervals, 0)
    for _ in range(trials):
        taken = chance.integers(0, 200_000, count)
        found = measure_numbers(*(side[taken] for side in everyone)).intervals
        for name in held:
            low, high = found[name] or (0.0, 0.0)
            held[name] += low <= getattr(true, name) <= high
    assert all(0.915 <= count / trials <= 0.985 for count in held.values()), held


def test_the_comparison_is_paired_and_its_test_is_as_rare_as_it_says():
    chance, rejected = np.random.default_rng(6), 0
    for _ in range(400):
        truth = chance.normal(size=60)
        one, other = (truth + chance.normal(0, 1, 60) for _ in range(2))
        rejected += compare_numbers(truth, one, other).error_p_value < 0.05
    assert 0.02 <= rejected / 400 <= 0.085
    truth = chance.normal(size=60)
    found = compare_numbers(truth, truth + 0.1, truth + 1.0)
    assert found.error_difference == pytest.approx(-0.9) and found.error_p_value < 1e-6
    assert found.error_interval == pytest.approx((-0.9, -0.9))
    alike = compare_numbers(truth, truth, truth)
    assert alike.error_p_value == 1.0 and alike.error_difference == 0.0
    assert compare_numbers(truth[:5], truth[:5], truth[:5] + 1).error_interval is None


def test_always_the_median_is_what_it_is_compared_with():
    truth, predicted = rows(np.random.default_rng(7), 200)
    median = float(np.median(truth))
    found = AgainstMedian.of(truth, predicted, median)
    assert found.mean_absolute_error == pytest.approx(np.abs(truth - median).mean())
    assert found.comparison.error_difference < 0
    said = median_in_words("test", found, truth.std())
    assert said.startswith("Always predicting") and "less off than that" in said and "need not" not in said
    useless = AgainstMedian.of(truth, np.full(200, median), median)
    assert "so it may have learned nothing" in median_in_words("test", useless, truth.std())
    assert "more off than x" in nearer_in_words(compare_numbers(truth, predicted + 50, predicted), 1.0, "x")


@pytest.mark.parametrize(("count", "coverage"), [(40, 0.9), (99, 0.8), (400, 0.95), (3_000, 0.9)])
def test_ranges_hold_the_true_number_as_often_as_asked(count: int, coverage: float):
    chance, held = np.random.default_rng(count), []
    for _ in range(30 if count > 1_000 else 200):
        truth, predicted = rows(chance, count, 1e4)
        kept = Conformal.of_numbers(np.abs(predicted - truth))
        later, others = rows(chance, 200, 1e4)
        held.append((np.abs(others - later) <= kept.farthest(coverage)).mean())
    error = np.std(held) / np.sqrt(len(held))
    assert coverage - 3 * error <= np.mean(held) <= coverage + 1 / (count + 1) + 0.001 + 3 * error


@pytest.mark.parametrize(
    ("number", "spread", "shown"),
    [
        (7.3124, 3.4, "7.31"),
        (-0.001, 3.4, "0.00"),
        (123456.7, 5e4, "123457"),
        (0.0123456, 0.002, "0.01235"),
        (5, 0, "5.00"),
    ],
)
def test_people_see_the_digits_that_tell_a_hundredth(number: float, spread: float, shown: str):
    assert shown_number(number, spread) == shown
