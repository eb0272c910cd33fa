import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_cli.evaluation.metrics import measure, wilson_interval


def test_figures_worked_out_by_hand() -> None:
    truth = np.array([0, 0, 1, 1, 1])
    positive = np.array([0.1, 0.6, 0.8, 0.9, 0.4])
    probabilities = np.column_stack([1 - positive, positive])
    figures = measure(("bad", "good"), truth, probabilities, (positive >= 0.5).astype(int))
    assert figures.rows == 5
    assert figures.accuracy == pytest.approx(3 / 5)
    assert figures.confusion == [[1, 1], [1, 2]]
    good, bad = figures.per_class["good"], figures.per_class["bad"]
    assert (good.precision, good.recall, good.support) == (pytest.approx(2 / 3), pytest.approx(2 / 3), 3)
    assert (bad.precision, bad.recall, bad.f1, bad.support) == (0.5, 0.5, 0.5, 2)
    assert figures.macro_f1 == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert figures.roc_auc == pytest.approx(5 / 6)  # of 6 pairs of a good and a bad row, 5 stand in order
    assert figures.log_loss == pytest.approx(-np.log([0.9, 0.4, 0.8, 0.9, 0.4]).mean())
    assert figures.brier == pytest.approx(np.mean(np.square([0.1, 0.6, 0.2, 0.1, 0.6])))


def test_three_labels() -> None:
    truth = np.array([0, 1, 2, 2])
    probabilities = np.array([[0.7, 0.2, 0.1], [0.3, 0.4, 0.3], [0.2, 0.2, 0.6], [0.5, 0.3, 0.2]])
    figures = measure(("a", "b", "c"), truth, probabilities, probabilities.argmax(axis=1))
    assert figures.accuracy == 0.75
    assert figures.confusion == [[1, 0, 0], [0, 1, 0], [1, 0, 1]]
    one_hot = np.eye(3)[truth]
    assert figures.brier == pytest.approx(((probabilities - one_hot) ** 2).sum(axis=1).mean())


def test_a_label_without_a_row_has_no_ranking_but_all_the_rest() -> None:
    figures = measure(("a", "b"), np.array([1, 1]), np.array([[0.2, 0.8], [0.6, 0.4]]), np.array([1, 0]))
    assert figures.roc_auc is None
    assert figures.pr_auc is None
    assert figures.accuracy == 0.5
    assert figures.per_class["a"].support == 0


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
