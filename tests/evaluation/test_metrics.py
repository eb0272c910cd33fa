import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_cli.evaluation.intervals import wilson_interval
from rnn_cli.evaluation.metrics import Metrics, measure
from rnn_cli.evaluation.scores import calibration_error


def test_figures_worked_out_by_hand() -> None:
    truth = np.array([0, 0, 1, 1, 1])
    positive = np.array([0.1, 0.6, 0.8, 0.9, 0.4])
    probabilities = np.column_stack([1 - positive, positive])
    metrics = measure(("bad", "good"), truth, probabilities, (positive >= 0.5).astype(int))
    assert metrics.rows == 5
    assert metrics.accuracy == pytest.approx(3 / 5)
    assert metrics.confusion == [[1, 1], [1, 2]]
    good, bad = metrics.per_class["good"], metrics.per_class["bad"]
    assert (good.precision, good.recall, good.support) == (pytest.approx(2 / 3), pytest.approx(2 / 3), 3)
    assert (bad.precision, bad.recall, bad.f1, bad.support) == (0.5, 0.5, 0.5, 2)
    assert metrics.macro_f1 == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert metrics.balanced_accuracy == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert metrics.roc_auc == pytest.approx(5 / 6)  # of 6 pairs of a good and a bad row, 5 stand in order
    assert metrics.log_loss == pytest.approx(-np.log([0.9, 0.4, 0.8, 0.9, 0.4]).mean())
    assert metrics.brier == pytest.approx(np.mean(np.square([0.1, 0.6, 0.2, 0.1, 0.6])))


def test_three_labels() -> None:
    truth = np.array([0, 1, 2, 2])
    probabilities = np.array([[0.7, 0.2, 0.1], [0.3, 0.4, 0.3], [0.2, 0.2, 0.6], [0.5, 0.3, 0.2]])
    metrics = measure(("a", "b", "c"), truth, probabilities, probabilities.argmax(axis=1))
    assert metrics.accuracy == 0.75
    assert metrics.confusion == [[1, 0, 0], [0, 1, 0], [1, 0, 1]]
    one_hot = np.eye(3)[truth]
    assert metrics.brier == pytest.approx(((probabilities - one_hot) ** 2).sum(axis=1).mean())


def test_a_label_without_a_row_has_no_ranking_but_all_the_rest() -> None:
    metrics = measure(("a", "b"), np.array([1, 1]), np.array([[0.2, 0.8], [0.6, 0.4]]), np.array([1, 0]))
    assert metrics.roc_auc is None
    assert metrics.pr_auc is None
    assert metrics.accuracy == 0.5
    assert metrics.balanced_accuracy == 0.5  # of the one label that has rows
    a, b = metrics.per_class["a"], metrics.per_class["b"]
    assert (a.support, a.recall, a.recall_interval) == (0, None, None)
    assert a.f1_interval and a.f1_interval[0] == 0  # it was answered once, wrongly
    assert (metrics.intervals["roc_auc"], metrics.intervals["pr_auc"]) == (None, None)
    assert b.precision_interval == wilson_interval(1, 1)


def test_intervals_of_a_label_are_honest_on_few_rows() -> None:
    truth = np.array([0] * 40 + [1] * 3)
    right = np.eye(2)[truth] * 0.9 + 0.05
    rare = measure(("often", "rare"), truth, right, truth).per_class["rare"]
    assert rare.precision == rare.recall == rare.f1 == 1
    assert rare.recall_interval == rare.precision_interval == wilson_interval(3, 3)
    share = wilson_interval(3, 3)[0]
    assert rare.f1_interval == (pytest.approx(2 * share / (1 + share)), 1.0)


def test_the_intervals_of_a_label_hold_as_often_as_they_say() -> None:
    # Of all rows 30 % are of label 1; it is found in 70 % of them, and answered to 10 % of the others.
    chance = np.random.default_rng(11)
    true = {"precision": 0.21 / 0.28, "recall": 0.7, "f1": 2 * 0.21 / (0.3 + 0.28)}
    held = dict.fromkeys(true, 0)
    for _ in range(400):
        truth = (chance.random(60) < 0.3).astype(int)
        predicted = (chance.random(60) < np.where(truth == 1, 0.7, 0.1)).astype(int)
        row = measure(("no", "yes"), truth, np.full((60, 2), 0.5), predicted).per_class["yes"]
        for name, value in true.items():
            low, high = getattr(row, f"{name}_interval")
            held[name] += low <= value <= high
    assert all(0.92 <= count / 400 <= 0.98 for count in held.values()), held


def test_the_calibration_error_by_hand() -> None:
    # 30 rows of equal sureness fill one bin: 0.8 sure, 21 of 30 right; 15 others of 0.95, all right.
    sure = np.repeat([0.8, 0.95], [30, 15])
    probabilities = np.column_stack([1 - sure, sure])
    truth = np.repeat([1, 0, 1], [21, 9, 15])
    expected = (30 * abs(21 / 30 - 0.8) + 15 * 0.05) / 45
    predicted = np.ones(45, np.intp)
    assert calibration_error(truth, probabilities, predicted) == pytest.approx(expected)
    metrics = measure(("no", "yes"), truth, probabilities, predicted)
    assert metrics.ece == pytest.approx(expected)


def test_the_bins_of_the_calibration_error_hold_equally_many_rows() -> None:
    # Within each fifteenth of the rows, half are right and the sureness is 0.5 on average: no error. In bins of equal
    # width, or in one bin fewer, there would be some.
    sure = np.sort(np.concatenate([np.full(10, 0.5 + 0.02 * part) for part in range(15)]))
    truth = np.tile([1, 0], 75)
    probabilities = np.column_stack([1 - sure, sure])
    expected = np.mean([0.02 * part for part in range(15)])
    assert calibration_error(truth, probabilities, np.ones(150, np.intp)) == pytest.approx(expected)


def test_figures_survive_json() -> None:
    chance = np.random.default_rng(2)
    probabilities = chance.dirichlet(np.ones(3), 50)
    metrics = measure("abc", chance.integers(0, 2, 50), probabilities, probabilities.argmax(axis=1))
    assert metrics.intervals["roc_auc"] is None and metrics.intervals["log_loss"] is not None
    assert Metrics.from_dict(json.loads(json.dumps(metrics.to_dict()))) == metrics


def test_figures_of_before_there_were_intervals_are_read() -> None:
    old = {
        "rows": 2,
        "accuracy": 0.5,
        "accuracy_interval": [0.1, 0.9],
        "macro_f1": 0.4,
        "roc_auc": None,
        "pr_auc": None,
        "log_loss": 0.7,
        "brier": 0.3,
        "labels": ["a"],
        "per_class": {"a": {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2}},
        "confusion": [[2]],
    }
    metrics = Metrics.from_dict(old)
    assert metrics.intervals == {"accuracy": (0.1, 0.9)}
    assert metrics.ece is metrics.balanced_accuracy is metrics.per_class["a"].f1_interval is None
    assert Metrics.from_dict(metrics.to_dict()) == metrics


def test_wilson_interval_against_a_published_one() -> None:
    # Newcombe (1998), Two-sided confidence intervals for the single proportion, table I: 81 of 263.
    assert wilson_interval(81, 263) == (pytest.approx(0.2553, abs=5e-5), pytest.approx(0.3662, abs=5e-5))
    assert wilson_interval(0, 20) == (0.0, pytest.approx(0.1611, abs=5e-5))


@given(st.integers(1, 10_000).flatmap(lambda rows: st.tuples(st.integers(0, rows), st.just(rows))))
def test_wilson_interval_holds_the_share(case: tuple[int, int]) -> None:
    right, rows = case
    low, high = wilson_interval(right, rows)
    assert 0 <= low <= right / rows + 1e-12
    assert right / rows - 1e-12 <= high <= 1
