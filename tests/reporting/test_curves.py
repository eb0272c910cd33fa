"""The numbers behind the charts."""

import numpy as np
import pytest
from sklearn import metrics as sk

from rnn_cli.evaluation.scores import calibration_error
from rnn_cli.reporting import curves


@pytest.fixture
def scored() -> tuple[np.ndarray, np.ndarray]:
    """20,000 rows, 2 labels: whether each is positive, and its probabilities."""
    chance = np.random.default_rng(4)
    positive = chance.random(20_000) < 0.3
    logits = chance.normal(size=20_000) + 1.5 * positive - 0.8
    second = 1 / (1 + np.exp(-logits))
    return positive, np.column_stack([1 - second, second])


def test_a_thinned_curve_keeps_its_ends_and_its_area(scored: tuple[np.ndarray, np.ndarray]) -> None:
    positive, probabilities = scored
    roc = curves.roc(positive, probabilities[:, 1])
    assert 250 < len(roc.x) <= curves.POINTS + 1
    assert (roc.x[0], roc.y[0], roc.x[-1], roc.y[-1]) == (0, 0, 1, 1)
    assert (np.diff(roc.x) >= 0).all() and (np.diff(roc.y) >= 0).all()
    assert roc.area == pytest.approx(sk.roc_auc_score(positive, probabilities[:, 1]))
    assert np.trapezoid(roc.y, roc.x) == pytest.approx(roc.area, abs=0.002)
    both = curves.precision_recall(positive, probabilities[:, 1])
    assert len(both.x) <= curves.POINTS + 1
    assert (both.x[0], both.x[-1]) == (0, 1)
    assert both.y[-1] == pytest.approx(positive.mean())
    assert np.trapezoid(both.y, both.x) == pytest.approx(both.area, abs=0.01)


def test_few_points_stay_as_they_are() -> None:
    curve = curves.roc(np.array([False, True, False, True]), np.array([0.1, 0.9, 0.6, 0.4]))
    assert curve.x.tolist() == [0, 0, 0.5, 0.5, 1]
    assert curve.y.tolist() == [0, 0.5, 0.5, 1, 1]


def test_the_reliability_diagram_is_of_the_calibration_error(scored: tuple[np.ndarray, np.ndarray]) -> None:
    positive, probabilities = scored
    truth, predicted = positive.astype(np.intp), (probabilities[:, 1] >= 0.5).astype(np.intp)
    found = curves.reliability(truth, probabilities, predicted)
    assert found.error == pytest.approx(calibration_error(truth, probabilities, predicted))
    assert len(found.sure) == 15 and (np.diff(found.sure) > 0).all()
    assert found.error == pytest.approx(np.abs(found.right - found.sure).mean(), abs=1e-3)  # bins of equal mass
    assert (found.low < found.right).all() and (found.right < found.high).all()


def test_the_shares_of_a_histogram_are_of_all_scores() -> None:
    share, edges = curves.shares(np.array([0.0, 0.01, 0.5, 1.0]))
    assert (share.sum(), share[0], share[-1], len(edges)) == (1, 0.5, 0.25, curves.SCORE_BINS + 1)
