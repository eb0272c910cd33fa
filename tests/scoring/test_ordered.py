"""Ordered labels: probabilities of log-odds and back, and the decision by expected error."""

import numpy as np
import pytest
from scipy.special import expit

from rnn_cli.scoring.calibration import to_probabilities
from rnn_cli.scoring.ordered import (
    CalibrationOfOrdered,
    DecisionOfOrdered,
    expected_values,
    flags_above,
    log_probabilities,
    odds_above,
    values_of,
)

CHANCE = np.random.default_rng(4)


def test_probabilities_are_differences_of_the_chances_of_being_above():
    odds = -np.sort(-CHANCE.normal(0, 3, (50, 4)), axis=1)
    above = np.hstack([np.ones((50, 1)), expit(odds), np.zeros((50, 1))])
    found = np.exp(log_probabilities(odds))
    assert np.allclose(found, above[:, :-1] - above[:, 1:], rtol=1e-9, atol=1e-15)
    assert np.allclose(found.sum(axis=1), 1)


def test_log_odds_out_of_order_are_sorted():
    odds = CHANCE.normal(0, 1, (20, 5))
    assert np.array_equal(log_probabilities(odds), log_probabilities(-np.sort(-odds, axis=1)))


def test_extreme_and_equal_log_odds_stay_finite():
    odds = np.array([[800.0, 800.0, -800.0], [0.0, 0.0, 0.0], [-1e30, -1e30, -1e30]])
    logs = log_probabilities(odds)
    assert np.isfinite(logs).all()
    assert np.allclose(to_probabilities(logs), [[0, 0, 1, 0], [0.5, 0, 0, 0.5], [1, 0, 0, 0]], atol=1e-12)


def test_small_probabilities_are_exact_where_a_difference_would_cancel():
    logs = log_probabilities(np.array([[40.0, 39.0, 0.0]]))
    # sigmoid(40) - sigmoid(39) in 64 bits keeps few digits; exp(-39) - exp(-40) keeps all
    assert np.exp(logs[0, 1]) == pytest.approx(np.exp(-39) - np.exp(-40), rel=1e-12)


def test_log_odds_come_back_from_probabilities():
    odds = -np.sort(-CHANCE.normal(0, 2, (30, 6)), axis=1)
    assert np.allclose(odds_above(np.exp(log_probabilities(odds))), odds, atol=1e-9)


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_calibration_is_undone(temperature: float):
    own = CHANCE.dirichlet(np.ones(5), 40)
    calibration = CalibrationOfOrdered(temperature)
    assert np.allclose(calibration.undone(calibration.of(own)), own, atol=1e-9)


def test_calibrated_logits_are_those_of_calibrated_probabilities():
    logits = CHANCE.normal(0, 2, (25, 4))
    calibration = CalibrationOfOrdered(1.7)
    own = to_probabilities(log_probabilities(logits))
    assert np.allclose(calibration.probabilities(calibration.logits(logits)), calibration.of(own), atol=1e-12)
    assert calibration.logits(logits.astype(np.float32)).dtype == np.float32


def test_the_median_has_the_least_expected_error_and_the_mode_is_right_most_often():
    probabilities = CHANCE.dirichlet(np.full(5, 0.7), 500)
    places = np.arange(5)
    costs = probabilities @ np.abs(places[:, None] - places)
    median = DecisionOfOrdered(choice="median").choose(probabilities)
    assert np.allclose(costs[np.arange(500), median], costs.min(axis=1))
    assert np.array_equal(DecisionOfOrdered(choice="mode").choose(probabilities), probabilities.argmax(axis=1))


def test_balanced_costs_a_wrong_label_and_its_distance():
    probabilities, places = CHANCE.dirichlet(np.full(5, 0.7), 500), np.arange(5)
    far = np.abs(places[:, None] - places)
    costs = probabilities @ (far / 4 + (far > 0))
    found = DecisionOfOrdered().choose(probabilities)
    assert np.allclose(costs[np.arange(500), found], costs.min(axis=1))
    means = [
        (probabilities @ far)[np.arange(500), DecisionOfOrdered(choice=each).choose(probabilities)].mean()
        for each in ("median", "balanced", "mode")
    ]
    assert means == sorted(means)


def test_a_matrix_mixes_the_log_odds_and_is_undone():
    matrix, biases = CHANCE.normal(0, 1, (4, 5)), CHANCE.normal(0, 1, 5)
    calibration = CalibrationOfOrdered(1.5, biases=tuple(biases), matrix=tuple(matrix.ravel()))
    logits = CHANCE.normal(0, 2, (25, 4))
    own = to_probabilities(log_probabilities(logits))
    wanted = to_probabilities(-np.sort(-logits, axis=1) / 1.5 @ matrix + biases)
    assert np.allclose(calibration.probabilities(calibration.logits(logits)), wanted, atol=1e-12)
    assert np.allclose(calibration.of(own), wanted, atol=1e-9)
    assert np.allclose(calibration.undone(wanted), own, atol=1e-7)


def test_the_median_is_the_same_however_far_apart_the_values_are():
    probabilities, values = CHANCE.dirichlet(np.ones(4), 300), np.array([1.0, 2.0, 7.0, 10.0])
    costs = probabilities @ np.abs(values[:, None] - values)
    median = DecisionOfOrdered(choice="median").choose(probabilities)
    assert np.allclose(costs[np.arange(300), median], costs.min(axis=1))


def test_margins_tell_how_near_another_label_is():
    near, far = np.array([[0.49, 0.51, 0.0]]), np.array([[0.05, 0.9, 0.05]])
    decision = DecisionOfOrdered(choice="median", unsure_below=0.5)
    assert decision.margins(near)[0] == pytest.approx(np.log(0.51 / 0.49))
    assert decision.unsure(np.vstack([near, far])).tolist() == [True, False]
    assert DecisionOfOrdered().margins(far)[0] == pytest.approx(np.log(0.9 / 0.05))


def test_values_are_numbers_or_places():
    assert values_of(("1", "2.5", "10")).tolist() == [1, 2.5, 10]
    assert values_of(("bad", "middling", "good")).tolist() == [1, 2, 3]
    assert values_of(("3", "2", "1")).tolist() == [1, 2, 3], "named in an order that is not that of the numbers"
    assert values_of(("1", "2", "nan")).tolist() == [1, 2, 3]
    assert expected_values(("1", "5"), np.array([[0.25, 0.75]])).tolist() == [4.0]


def test_a_class_is_above_all_before_it():
    assert flags_above(np.array([0, 2, 1]), 3).tolist() == [[0, 0], [1, 1], [1, 0]]
