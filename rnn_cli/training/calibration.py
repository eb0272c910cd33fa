"""Fits on the validation rows how logits become probabilities: a temperature, and vector scaling if that is better."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from math import exp, log, sqrt
from typing import Any

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from threadpoolctl import threadpool_limits

from rnn_cli.arrays import Floats, Indices
from rnn_cli.config.schema import Config
from rnn_cli.evaluation.intervals import NORMAL_95
from rnn_cli.evaluation.metrics import ScalingTrial
from rnn_cli.evaluation.scores import log_losses
from rnn_cli.scoring.calibration import Calibration, to_logits, to_probabilities
from rnn_cli.scoring.ordered import CalibrationOfOrdered, odds_above

HOTTEST = 20.0
"""The largest temperature; the smallest is its inverse."""

MOST_SCALED, MOST_BIASED = log(20.0), 10.0
"""The largest logarithm of a scale, and the largest bias."""

SCALED_ROWS, SCALED_ROWS_PER_LABEL = 200, 20
"""From so many validation rows, and of each label, on vector scaling is tried."""

TRIAL_FOLDS = 5

UNCHANGED = Calibration()

MATRIX_PENALTY = 3.0
"""What an entry of the matrix of ordered labels costs, squared and halved, in nats of all rows."""

NEAR_ONE = 0.3
"""How far from 0 the logarithm of the temperature of a calibrated model is expected: a standard deviation."""


@dataclass(frozen=True)
class FittedCalibration:
    """A calibration, and the trial that chose it; None where there was none: too few rows, or class weights."""

    calibration: Calibration
    trial: ScalingTrial | None

    def to_dict(self) -> dict[str, Any]:
        """The part of `metrics.json` that says what was chosen."""
        return {**asdict(self.calibration), "vector_scaling": None if self.trial is None else asdict(self.trial)}


def fit_calibration(
    truth: Indices, probabilities: Floats, config: Config, *, of_softmax: bool = False
) -> FittedCalibration:
    """The temperature, with vector scaling if cross-validation shows that it lowers the log loss beyond chance.

    `truth` are the true labels `[rows]`, `probabilities` the network's own, `[rows, labels]`. Where class weights make
    labels more probable than they are, vector scaling would take that back, so that it is tried only if a goal then
    chooses the threshold anew. A network of ordered labels has a temperature alone; `of_softmax` says that the
    probabilities come from another model of such labels.
    """
    if config.data.ordered and not of_softmax:
        plain = CalibrationOfOrdered(fit_temperature(truth, probabilities, like=CalibrationOfOrdered()))
        trial = _try_scaling(truth, probabilities, plain, fit_matrix)
        if trial is None or not trial.is_won:
            return FittedCalibration(plain, trial)
        return FittedCalibration(fit_matrix(truth, probabilities, plain.temperature), trial)
    # On a base, cross-validation on the training rows has calibrated the parts; a few rows must not undo that.
    temperature = fit_temperature(truth, probabilities, 1.0 if config.model.base is None else NEAR_ONE)
    may_shift = config.training.class_weight is None or config.decision.goal is not None
    trial = _try_scaling(truth, probabilities) if may_shift else None
    if trial is None or not trial.is_won:
        return FittedCalibration(Calibration(temperature), trial)
    return FittedCalibration(fit_scaling(truth, probabilities, temperature), trial)


def _try_scaling(
    truth: Indices,
    probabilities: Floats,
    like: Calibration = UNCHANGED,
    fit: Callable[[Indices, Floats, float], Calibration] | None = None,
) -> ScalingTrial | None:
    rows, labels = probabilities.shape
    if rows < SCALED_ROWS or np.bincount(truth, minlength=labels).min() < SCALED_ROWS_PER_LABEL:
        return None
    # Each fold has its share of every label.
    order = np.random.default_rng(0).permutation(rows)
    order = order[np.argsort(truth[order], kind="stable")]
    fold = np.empty(rows, np.intp)
    fold[order] = np.arange(rows) % TRIAL_FOLDS
    losses = np.empty((2, rows))
    for number in range(TRIAL_FOLDS):
        left_out, kept = fold == number, fold != number
        temperature = fit_temperature(truth[kept], probabilities[kept], like=like)
        scaled = (fit or fit_scaling)(truth[kept], probabilities[kept], temperature)
        for index, each in enumerate((replace(like, temperature=temperature), scaled)):
            losses[index, left_out] = log_losses(truth[left_out], each.of(probabilities[left_out]))
    gains = losses[0] - losses[1]
    gain, half = float(gains.mean()), NORMAL_95 * float(gains.std(ddof=1)) / sqrt(rows)
    return ScalingTrial(
        rows, TRIAL_FOLDS, float(losses[0].mean()), float(losses[1].mean()), gain, (gain - half, gain + half)
    )


def fit_scaling(truth: Indices, probabilities: Floats, temperature: float) -> Calibration:
    """Vector scaling on top of a temperature: the scales and biases that maximize the likelihood of the true labels.

    Normal priors on biases and on the logarithms of scales, worth a row or two each, hold them near none at all.
    """
    logits = to_logits(Calibration(temperature).of(probabilities))
    outputs = logits.shape[1]
    is_true = np.eye(max(outputs, 2))[truth][:, -outputs:]  # of two labels, the second

    def loss(found: Floats) -> tuple[float, Floats]:
        scales, biases = np.exp(found[:outputs]), found[outputs:]
        scaled = logits * scales + biases
        # The sum of all labels' likelihoods; of two labels the first one's logit is 0.
        beside = np.zeros((len(scaled), 1)) if outputs == 1 else scaled[:, :0]
        most = np.maximum(scaled.max(axis=1), 0.0 if outputs == 1 else -np.inf)[:, None]
        total = np.exp(np.hstack([beside, scaled]) - most).sum(axis=1, keepdims=True)
        off = np.exp(scaled - most) / total - is_true
        value = float((most + np.log(total)).sum() - (is_true * scaled).sum() + (found**2).sum() / 2)
        slopes = np.concatenate([(off * logits).sum(axis=0) * scales, off.sum(axis=0)])
        return value, slopes + found

    bounds = [(-MOST_SCALED, MOST_SCALED)] * outputs + [(-MOST_BIASED, MOST_BIASED)] * outputs
    found = minimize(loss, np.zeros(2 * outputs), jac=True, method="L-BFGS-B", bounds=bounds).x
    return Calibration(temperature, tuple(np.exp(found[:outputs]).tolist()), tuple(found[outputs:].tolist()))


def fit_matrix(truth: Indices, probabilities: Floats, temperature: float) -> CalibrationOfOrdered:
    """Matrix scaling of ordered labels on top of a temperature: the likeliest matrix and biases.

    Normal priors hold the matrix's entries, by `MATRIX_PENALTY`, and the biases near 0.
    """
    above = odds_above(probabilities) / temperature
    is_true = np.eye(probabilities.shape[1])[truth]
    steps, labels = above.shape[1], probabilities.shape[1]

    def loss(found: Floats) -> tuple[float, Floats]:
        matrix, biases = found[: steps * labels].reshape(steps, labels), found[steps * labels :]
        logits = above @ matrix + biases
        chances = to_probabilities(logits)
        off = chances - is_true
        held = MATRIX_PENALTY * float((matrix**2).sum()) / 2 + float(biases @ biases) / 2
        true = np.maximum((chances * is_true).sum(axis=1), np.finfo(np.float64).tiny)
        slopes = np.concatenate([(above.T @ off + MATRIX_PENALTY * matrix).ravel(), off.sum(axis=0) + biases])
        return held - float(np.log(true).sum()), slopes

    with threadpool_limits(1):  # several threads differ in the last digits
        found = minimize(loss, np.zeros(steps * labels + labels), jac=True, method="L-BFGS-B").x
    matrix, biases = tuple(found[: steps * labels].tolist()), tuple(found[steps * labels :].tolist())
    return CalibrationOfOrdered(temperature, biases=biases, matrix=matrix)


def fit_temperature(truth: Indices, probabilities: Floats, spread: float = 1.0, like: Calibration = UNCHANGED) -> float:
    """The temperature that maximizes the likelihood of the true labels `[rows]` under probabilities `[rows, labels]`.

    `like` is a calibration of the kind that has it.

    It changes no order of labels and, at a threshold of 0.5, no prediction. Few rows that are all predicted correctly
    would allow any confidence, so a normal prior on its logarithm, by default worth a row or two, bounds it; `spread`
    is its standard deviation.

    Source: Guo, Pleiss, Sun and Weinberger (2017), On calibration of modern neural networks.
    """

    def loss(logarithm: float) -> float:
        chosen = replace(like, temperature=exp(logarithm)).of(probabilities)[np.arange(len(truth)), truth]
        return (logarithm / spread) ** 2 / 2 - float(np.log(np.maximum(chosen, np.finfo(np.float64).tiny)).sum())

    found = minimize_scalar(loss, bounds=(-log(HOTTEST), log(HOTTEST)), method="bounded", options={"xatol": 1e-6})
    return exp(float(found.x))
