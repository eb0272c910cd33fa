"""The numbers behind the charts."""

import numpy as np
import pytest
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve

from rnn_cli.evaluation.intervals import wilson_interval
from rnn_cli.evaluation.scores import BINS, calibration_error, precision_recall_curve, roc_curve
from rnn_cli.reporting import charts


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
    row = positive, probabilities[:, 1]
    x, y = charts.thinned(*roc_curve(*row))
    assert 250 < len(x) <= charts.POINTS + 1
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert (np.diff(x) >= 0).all() and (np.diff(y) >= 0).all()
    assert np.trapezoid(y, x) == pytest.approx(sk.roc_auc_score(*row), abs=0.002)
    precision, recall = precision_recall_curve(*row)
    x, y = charts.thinned(recall, precision)
    assert len(x) <= charts.POINTS + 1
    assert (x[0], x[-1]) == (0, 1)
    assert y[-1] == pytest.approx(positive.mean())
    assert np.trapezoid(y, x) == pytest.approx(sk.average_precision_score(*row), abs=0.01)


def test_few_points_stay_as_they_are() -> None:
    x, y = charts.thinned(*roc_curve(np.array([False, True, False, True]), np.array([0.1, 0.9, 0.6, 0.4])))
    assert x.tolist() == [0, 0, 0.5, 0.5, 1]
    assert y.tolist() == [0, 0.5, 0.5, 1, 1]


def test_the_reliability_diagram_shows_the_calibration_error(scored: tuple[np.ndarray, np.ndarray]) -> None:
    positive, probabilities = scored
    truth, predicted = positive.astype(np.intp), (probabilities[:, 1] >= 0.5).astype(np.intp)
    confidence, accuracy, low, high, rows = charts.reliability(truth, probabilities, predicted)
    assert len(confidence) == 15 and (np.diff(confidence) > 0).all()
    error = calibration_error(truth, probabilities, predicted)
    assert error == pytest.approx(np.abs(accuracy - confidence).mean(), abs=1e-3)  # bins of equal mass
    assert (low < accuracy).all() and (accuracy < high).all()
    assert rows.sum() == len(truth) and np.ptp(rows) <= 1
    ends = [wilson_interval(round(share * of), int(of)) for share, of in zip(accuracy, rows, strict=True)]
    np.testing.assert_allclose(np.stack([low, high], axis=1), ends)


def test_the_bins_are_scikit_learn_s_of_equal_mass(scored: tuple[np.ndarray, np.ndarray]) -> None:
    positive, probabilities = scored
    truth, ones = positive.astype(np.intp), np.ones(len(positive), np.intp)
    confidence, accuracy, *_ = charts.reliability(truth, probabilities, ones)
    shares, means = calibration_curve(truth, probabilities[:, 1], n_bins=BINS, strategy="quantile")
    np.testing.assert_allclose(confidence, means, atol=2e-3)
    np.testing.assert_allclose(accuracy, shares, atol=2e-2)
