"""How a trained model's probabilities are calibrated and become predictions: chosen on validation rows alone."""

from typing import Any

from rnn_cli.bundle.model_folder import Manifest
from rnn_cli.config.schema import DecisionConfig
from rnn_cli.evaluation.decide import Chosen
from rnn_cli.evaluation.evaluate import decided, true_labels
from rnn_cli.evaluation.evaluate_several import decided_each, true_flags
from rnn_cli.evaluation.wording import decision_in_words, scaling_trial_in_words
from rnn_cli.evaluation.wording_several import several_decision_in_words
from rnn_cli.scoring.of_each import CalibrationOfEach, DecisionOfEach
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.training.calibration import FittedCalibration, fit_calibration
from rnn_cli.training.calibration_each import fit_calibration_of_each
from rnn_cli.training.listener import Listener
from rnn_cli.training.prepare import Prepared


def undecided_manifest(run: Prepared, **more: Any) -> Manifest:
    """The manifest of a run's model before calibration and decision; `more` are further fields."""
    data = run.config.data
    return Manifest(
        labels=run.labels,
        threshold=0.5,
        temperature=1.0,
        several=data.several,
        ordered=data.ordered,
        choice="balanced" if data.ordered else "",
        number=data.number,
        **({} if run.standard is None else run.standard._asdict()),
        **more,
    )


def calibrated_and_decided(
    predictor: Predictor, run: Prepared, listener: Listener
) -> tuple[Predictor, FittedCalibration, Chosen]:
    """The same network, calibrated and with its decision chosen on the validation rows, and how both were chosen."""
    validation = run.splits.validation
    plain = predictor.adjusted(calibration=type(predictor.calibration)())
    probabilities = plain.score(validation.texts, validation.further).probabilities
    fitted = fit_calibration(true_labels(validation, plain.labels), probabilities, run.config)
    listener.note(f"calibrated on the validation rows: temperature {fitted.calibration.temperature:.2f}")
    if fitted.trial is not None and fitted.trial.is_won:
        scaling = "matrix scaling" if run.config.data.ordered else "vector scaling"
        listener.note(f"{scaling} on top: {scaling_trial_in_words(fitted.trial)}")
    found, chosen = decided(predictor.adjusted(calibration=fitted.calibration), validation, run.config.decision)
    if run.config.decision != DecisionConfig():
        listener.note(f"decided on the validation rows: {decision_in_words(found.decision, run.labels)}")
    for shortfall in chosen.shortfalls:
        listener.warn(shortfall)
    return found, fitted, chosen


def calibrated_and_decided_of_each(
    predictor: Predictor, run: Prepared, listener: Listener
) -> tuple[Predictor, CalibrationOfEach]:
    """The same of several labels a text, each of which has a threshold of its own."""
    rows = run.splits.validation
    plain = predictor.adjusted(calibration=CalibrationOfEach())
    probabilities = plain.score(rows.texts, rows.further).probabilities
    calibration = fit_calibration_of_each(true_flags(rows, plain.labels), probabilities)
    listener.note(f"calibrated each label on the validation rows: temperature of all {calibration.temperature:.2f}")
    found, shortfalls = decided_each(plain.adjusted(calibration=calibration), rows, run.config.decision)
    assert isinstance(found.decision, DecisionOfEach)
    listener.note(f"decided on the validation rows: {several_decision_in_words(found.decision, run.labels)}")
    for shortfall in shortfalls:
        listener.warn(shortfall)
    return found, calibration
