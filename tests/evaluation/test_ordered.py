"""Metrics of ordered labels: scikit-learn's and scipy's numbers, intervals that hold, a paired comparison."""

import json

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import cohen_kappa_score, mean_absolute_error

from rnn_cli.evaluation.metrics import measure
from rnn_cli.evaluation.ordered import (
    OrderedMetrics,
    compare_ordered,
    measure_ordered,
    read_comparison,
    read_metrics,
)
from rnn_cli.evaluation.wording import ORDERED_SHOWN, bounds, metrics_table
from rnn_cli.scoring.ordered import values_of

STARS = ("1", "2", "3", "4", "7", "8", "9", "10")


def sample(chance: np.random.Generator, rows: int, labels: int, spread: float = 1.3):
    """True labels, and predictions that are off by a few places."""
    truth = chance.integers(0, labels, rows)
    predicted = np.clip(np.rint(truth + chance.normal(0, spread, rows)), 0, labels - 1).astype(np.intp)
    return truth, predicted


def certain(predicted: np.ndarray, labels: int) -> np.ndarray:
    return np.full((len(predicted), labels), 1 / labels)


@pytest.mark.parametrize("labels", [STARS, ("bad", "middling", "good"), tuple("12345")])
@pytest.mark.parametrize("rows", [30, 400])
def test_metrics_are_those_of_scikit_learn_and_scipy(labels, rows):
    truth, predicted = sample(np.random.default_rng(rows), rows, len(labels))
    found = measure_ordered(labels, truth, certain(predicted, len(labels)), predicted)
    values = values_of(labels)
    assert found.mean_absolute_error == pytest.approx(mean_absolute_error(values[truth], values[predicted]), abs=1e-12)
    kappa = cohen_kappa_score(truth, predicted, weights="quadratic", labels=range(len(labels)))
    assert found.quadratic_kappa == pytest.approx(kappa, abs=1e-12)
    assert found.spearman == pytest.approx(spearmanr(truth, predicted).statistic, abs=1e-12)
    assert found.within_one == pytest.approx(np.mean(np.abs(values[truth] - values[predicted]) <= 1), abs=1e-12)
    plain = measure(labels, truth, certain(predicted, len(labels)), predicted)
    assert found.accuracy == plain.accuracy and found.confusion == plain.confusion


def test_metrics_that_do_not_exist_are_none():
    found = measure_ordered("123", np.array([0, 1, 2]), certain(np.zeros(3), 3), np.array([1, 1, 1]))
    assert found.spearman is None and found.quadratic_kappa == 0
    alike = measure_ordered("123", np.array([1, 1]), certain(np.zeros(2), 3), np.array([1, 1]))
    assert alike.quadratic_kappa is None and alike.mean_absolute_error == 0
    assert bounds(alike, "mean_absolute_error", str) == "no mistakes"


def test_they_are_read_as_they_were_written():
    truth, predicted = sample(np.random.default_rng(1), 100, 5)
    found = measure_ordered("12345", truth, certain(predicted, 5), predicted)
    again = read_metrics(json.loads(json.dumps(found.to_dict())))
    assert isinstance(again, OrderedMetrics) and again == found
    compared = compare_ordered("12345", truth, predicted, truth)
    assert read_comparison(json.loads(json.dumps(compared.to_dict()))) == compared
    plain = measure("12345", truth, certain(predicted, 5), predicted)
    assert read_metrics(plain.to_dict()) == plain and type(read_metrics(plain.to_dict())) is type(plain)


def test_a_table_has_every_metric():
    truth, predicted = sample(np.random.default_rng(2), 100, 5)
    _, rows = metrics_table("test", {"network": measure_ordered("12345", truth, certain(predicted, 5), predicted)})
    assert [row[0] for row in rows] == ["rows", *(name for name, _ in ORDERED_SHOWN.values())]


@pytest.mark.parametrize("name", ["mean_absolute_error", "quadratic_kappa", "spearman", "within_one"])
@pytest.mark.parametrize("rows", [60, 300])
def test_intervals_hold_the_true_value(name, rows):
    """The value of a great many rows lies in at least 92 of 100 intervals, as 95 do on average."""
    chance = np.random.default_rng(rows)
    many = sample(chance, 200_000, 5)
    true = getattr(measure_ordered("12345", many[0], certain(many[1], 5), many[1]), name)
    held = 0
    for _ in range(300):
        truth, predicted = sample(chance, rows, 5)
        low, high = measure_ordered("12345", truth, certain(predicted, 5), predicted).intervals[name]
        held += low <= true <= high
    assert held / 300 >= 0.92


def test_a_comparison_is_paired():
    chance = np.random.default_rng(3)
    truth, good = sample(chance, 400, 5, 0.6)
    poor = np.where(chance.random(400) < 0.2, np.clip(good + 1, 0, 4), good)
    found = compare_ordered("12345", truth, good, poor)
    errors = np.abs(truth - good), np.abs(truth - poor)
    assert found.error_difference == pytest.approx(np.mean(errors[0] - errors[1]))
    assert found.error_interval[1] < 0 and found.error_p_value < 0.01
    back = compare_ordered("12345", truth, poor, good)
    assert back.error_difference == -found.error_difference and back.error_p_value == found.error_p_value


def test_equal_predictions_do_not_prove_equal_models():
    truth, predicted = sample(np.random.default_rng(4), 100, 5)
    found = compare_ordered("12345", truth, predicted, predicted)
    assert found.error_p_value == 1
    assert found.error_interval[0] < 0 < found.error_interval[1]


def test_chance_alone_looks_better_in_one_of_twenty():
    chance = np.random.default_rng(6)
    false = 0
    for _ in range(400):
        truth = chance.integers(0, 5, 120)
        first, second = (np.clip(np.rint(truth + chance.normal(0, 1, 120)), 0, 4).astype(np.intp) for _ in range(2))
        false += compare_ordered("12345", truth, first, second).error_p_value < 0.05
    assert false / 400 < 0.08
