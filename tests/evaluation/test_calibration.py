"""Temperature, vector scaling, and the calibration error that chance gives."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from rnn_cli.config.schema import Config
from rnn_cli.evaluation.scores import (
    before_and_after,
    calibration_error,
    chance_calibration_error,
    confidences,
)
from rnn_cli.scoring.calibration import Calibration, to_logits, to_probabilities
from rnn_cli.training import calibration as fitting
from rnn_cli.training.calibration import HOTTEST, fit_calibration, fit_scaling, fit_temperature

CONFIG = Config.model_validate({"data": {"source": "rows.csv"}})


def overconfident(rows: int, times: float, labels: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn by the probabilities of some logits, and the probabilities of logits so many times as large."""
    chance = np.random.default_rng(1)
    logits = chance.normal(size=(rows, labels))
    return drawn(to_probabilities(logits)), to_probabilities(times * logits)


def drawn(probabilities: np.ndarray, seed: int = 2) -> np.ndarray:
    """Labels drawn by probabilities."""
    chance = np.random.default_rng(seed).random((len(probabilities), 1))
    return np.asarray((probabilities.cumsum(axis=1) < chance).sum(axis=1).clip(max=probabilities.shape[1] - 1))


def shifted(rows: int, labels: int, by: float = 1.2, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and probabilities that are too large for the last label, as `by` was added to its logit."""
    logits = np.random.default_rng(seed).normal(scale=1.5, size=(rows, labels))
    wrong = logits.copy()
    wrong[:, -1] += by
    return drawn(to_probabilities(logits), seed), to_probabilities(wrong)


@pytest.mark.parametrize("labels", [2, 4])
@pytest.mark.parametrize("times", [0.4, 1.0, 3.0])
def test_the_temperature_undoes_what_made_answers_too_sure_or_not_sure_enough(times: float, labels: int) -> None:
    truth, probabilities = overconfident(4_000, times, labels)
    assert fit_temperature(truth, probabilities) == pytest.approx(times, rel=0.1)


def test_it_is_the_best_of_all_on_the_rows_it_was_fitted_on() -> None:
    truth, probabilities = overconfident(500, 2.5)
    best = fit_temperature(truth, probabilities)

    def loss(temperature: float) -> float:
        return float(log_loss(truth, Calibration(temperature).of(probabilities)))

    assert all(loss(best) <= loss(best * factor) + 1e-4 for factor in (0.9, 0.97, 1.03, 1.1))


def test_a_few_rows_that_are_all_right_do_not_make_it_certain_of_everything() -> None:
    truth, probabilities = np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.1, 0.9]])
    assert 0.3 < fit_temperature(truth, probabilities) < 1


def test_on_a_base_a_few_rows_change_little_and_many_decide() -> None:
    truth, probabilities = np.array([0, 1, 1, 0, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.1, 0.9]] + [[0.4, 0.6]] * 2)
    config = Config.model_validate({"model": {"base": "general"}})
    found = [fit_calibration(truth, probabilities, each).calibration.temperature for each in (config, Config())]
    assert abs(np.log(found[0])) < abs(np.log(found[1])) and 0.8 < found[0] < 1.2
    many = overconfident(4_000, 3.0)
    assert fit_calibration(*many, config).calibration.temperature == pytest.approx(3, rel=0.1)


def test_probabilities_of_nought_and_one_have_a_temperature_too() -> None:
    wrong = fit_temperature(np.array([0, 0, 1, 1]), np.array([[1.0, 0], [0, 1.0], [0, 1.0], [1.0, 0]]))
    assert wrong == pytest.approx(HOTTEST, rel=0.01)


CALIBRATIONS = [
    (2, Calibration(1.7)),
    (2, Calibration(0.6, (1.4,), (-0.8,))),
    (3, Calibration(2.1)),
    (3, Calibration(0.7, (0.5, 1.0, 3.0), (1.5, -0.2, -2.0))),
    (20, Calibration(1.0, tuple(np.linspace(0.2, 4, 20)), tuple(np.linspace(-3, 3, 20)))),
]


@pytest.mark.parametrize(("labels", "calibration"), CALIBRATIONS)
def test_a_calibration_can_be_undone(labels: int, calibration: Calibration) -> None:
    raw = to_probabilities(np.random.default_rng(4).normal(scale=3, size=(200, labels)))
    found = calibration.of(raw)
    assert found.sum(axis=1) == pytest.approx(np.ones(200))
    np.testing.assert_allclose(calibration.undone(found), raw, atol=1e-9)


@pytest.mark.parametrize(("labels", "calibration"), CALIBRATIONS)
def test_logits_and_probabilities_are_calibrated_alike(labels: int, calibration: Calibration) -> None:
    logits = np.random.default_rng(5).normal(scale=3, size=(200, 1 if labels == 2 else labels)).astype(np.float32)
    through_logits = calibration.logits(logits)
    assert through_logits.dtype == np.float32
    np.testing.assert_allclose(to_probabilities(through_logits), calibration.of(to_probabilities(logits)), atol=1e-6)
    # What is added to all logits of a text changes nothing.
    more = logits + np.float32(3) if labels > 2 else logits
    np.testing.assert_allclose(to_probabilities(calibration.logits(more)), to_probabilities(through_logits), atol=1e-6)


def test_a_temperature_changes_no_order() -> None:
    _, probabilities = overconfident(50, 1.0, labels=3)
    assert (Calibration(1.7).of(probabilities).argsort(axis=1) == probabilities.argsort(axis=1)).all()


def test_extreme_probabilities_stay_finite() -> None:
    for labels, calibration in CALIBRATIONS:
        sure = np.eye(labels)
        for found in (calibration.of(sure), calibration.undone(sure), calibration.undone(calibration.of(sure))):
            assert np.isfinite(found).all() and found.sum(axis=1) == pytest.approx(np.ones(labels))


def test_two_labels_are_scaled_as_platt_does() -> None:
    truth, probabilities = shifted(3_000, 2)
    found = fit_scaling(truth, probabilities, 1.0)
    theirs = LogisticRegression(C=np.inf).fit(to_logits(probabilities), truth)
    assert found.scales[0] == pytest.approx(theirs.coef_[0, 0], rel=0.01)
    assert found.biases[0] == pytest.approx(theirs.intercept_[0], abs=0.01)
    np.testing.assert_allclose(found.of(probabilities), theirs.predict_proba(to_logits(probabilities)), atol=0.002)


def test_scales_and_biases_are_those_of_the_greatest_likelihood() -> None:
    truth, probabilities = shifted(2_000, 3)
    found = fit_scaling(truth, probabilities, 1.0)
    best = log_loss(truth, found.of(probabilities))
    for index in range(3):
        for by in (-0.1, 0.1):
            scales, biases = list(found.scales), list(found.biases)
            scales[index] *= 1 + by
            assert log_loss(truth, Calibration(1.0, tuple(scales), found.biases).of(probabilities)) > best
            biases[index] += by
            assert log_loss(truth, Calibration(1.0, found.scales, tuple(biases)).of(probabilities)) > best


@pytest.mark.parametrize("labels", [2, 3, 5])
def test_vector_scaling_is_chosen_where_a_label_is_too_probable(labels: int) -> None:
    truth, probabilities = shifted(1_500, labels)
    fitted = fit_calibration(truth, probabilities, CONFIG)
    assert fitted.trial is not None and fitted.trial.is_won
    assert fitted.trial.gain == pytest.approx(fitted.trial.log_loss_temperature - fitted.trial.log_loss_scaling)
    assert fitted.trial.interval[0] < fitted.trial.gain < fitted.trial.interval[1]
    others, their_probabilities = shifted(20_000, labels, seed=9)
    alone = Calibration(fitted.calibration.temperature)
    gain = log_loss(others, alone.of(their_probabilities)) - log_loss(
        others, fitted.calibration.of(their_probabilities)
    )
    assert fitted.trial.interval[0] < gain < fitted.trial.interval[1]
    told = fitted.to_dict()
    assert told["scales"] == fitted.calibration.scales and told["vector_scaling"]["rows"] == 1_500


@pytest.mark.parametrize("labels", [2, 4])
def test_vector_scaling_is_rarely_chosen_where_it_is_not_needed(labels: int) -> None:
    chosen = 0
    for seed in range(30):
        right = to_probabilities(np.random.default_rng(seed).normal(scale=1.5, size=(400, labels)))
        fitted = fit_calibration(drawn(right, seed + 100), Calibration(0.5).of(right), CONFIG)
        assert fitted.trial is not None
        chosen += bool(fitted.calibration.scales)
    assert chosen <= 3


def test_few_rows_have_a_temperature_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    truth, probabilities = shifted(fitting.SCALED_ROWS - 1, 2, by=3.0)
    fitted = fit_calibration(truth, probabilities, CONFIG)
    assert (fitted.trial, fitted.calibration.scales) == (None, ())
    assert fitted.to_dict()["vector_scaling"] is None
    truth, probabilities = shifted(1_000, 3)
    rare = np.where(truth == 0, 1, truth)
    rare[: fitting.SCALED_ROWS_PER_LABEL - 1] = 0
    assert fit_calibration(rare, probabilities, CONFIG).trial is None


@pytest.mark.parametrize(("decision", "is_tried"), [({}, False), ({"goal": "f1"}, True)])
def test_class_weights_are_not_taken_back_unless_a_goal_chooses_the_threshold(
    decision: dict[str, str], is_tried: bool
) -> None:
    truth, probabilities = shifted(1_000, 2)
    weighted = {"data": {"source": "rows.csv"}, "training": {"class_weight": "balanced"}, "decision": decision}
    fitted = fit_calibration(truth, probabilities, Config.model_validate(weighted))
    assert (fitted.trial is not None, bool(fitted.calibration.scales)) == (is_tried, is_tried)


def test_before_is_without_the_calibration() -> None:
    truth, raw = overconfident(300, 3.0)
    cool = Calibration(3.0)
    found = before_and_after(truth, cool.of(raw), raw.argmax(axis=1), cool)
    assert found["before"]["log_loss"] == pytest.approx(log_loss(truth, raw))
    assert all(found["after"][name] < found["before"][name] for name in ("log_loss", "brier", "ece"))
    truth, raw = shifted(300, 3)
    scaled = Calibration(1.2, (1.0, 0.9, 1.1), (0.4, 0.4, -0.8))
    found = before_and_after(truth, scaled.of(raw), scaled.of(raw).argmax(axis=1), scaled)
    assert found["before"]["log_loss"] == pytest.approx(log_loss(truth, raw))


@pytest.mark.parametrize("rows", [12, 40, 300, 3_000])
@pytest.mark.parametrize(("labels", "spread"), [(2, 0.5), (2, 3.0), (5, 1.5)])
def test_the_error_by_chance_is_that_of_models_that_are_exactly_right(rows: int, labels: int, spread: float) -> None:
    chance = np.random.default_rng(rows)
    probabilities = to_probabilities(chance.normal(scale=spread, size=(rows, labels)))
    predicted = probabilities.argmax(axis=1)
    confidence = confidences(probabilities, predicted)
    errors = []
    for _ in range(400):
        right = chance.random(rows) < confidence
        errors.append(calibration_error(np.where(right, predicted, (predicted + 1) % labels), probabilities, predicted))
    found = chance_calibration_error(probabilities, predicted)
    assert found == pytest.approx(np.mean(errors), rel=0.06, abs=5 * np.std(errors) / 20)


def test_sure_predictions_have_no_error_by_chance() -> None:
    assert chance_calibration_error(np.eye(2), np.array([0, 1])) == 0
    half = chance_calibration_error(np.full((1, 2), 0.5), np.array([1]))
    assert half == pytest.approx(0.5)  # one row is right or wrong
