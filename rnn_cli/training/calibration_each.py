"""Fits on the validation rows how each label's logit becomes its probability, where a text may have several labels.

Source: Platt (1999), Probabilistic outputs for support vector machines; Guo et al. (2017), On calibration of modern
neural networks.
"""

from dataclasses import replace
from math import log

import numpy as np
from scipy.optimize import minimize

from rnn_cli.arrays import Floats, Indices
from rnn_cli.scoring.of_each import CalibrationOfEach, odds_of, sigmoid

SCALE_SPREAD, BIAS_SPREAD = 0.3, 1.0
"""How far a label's scale (its logarithm) and bias are expected from those of all labels: standard deviations. A few
rows outweigh them, so that only rare labels stay near."""

MOST_SCALED_EACH, MOST_SHIFTED = 20.0, 10.0
"""The largest temperature, and the largest bias."""


def fit_calibration_of_each(truth: Indices, probabilities: Floats) -> CalibrationOfEach:
    """A temperature for all labels, and for each a scale and a bias on top that maximize its likelihood.

    `truth` is 1 or 0 for each label, `[rows, labels]`, as the network's own probabilities. Normal priors draw a label's
    scale and bias towards those that are best for all labels together, so a rare label has nearly those.
    """
    logits = odds_of(probabilities)
    shared_scale, shared_bias = _fit(logits.ravel(), truth.ravel(), (0.0, 0.0), (1.0, BIAS_SPREAD))
    temperature = float(np.exp(-shared_scale))
    scales, biases = [], []
    for label in range(logits.shape[1]):
        start = (shared_scale, shared_bias)
        scale, bias = _fit(logits[:, label], truth[:, label], start, (SCALE_SPREAD, BIAS_SPREAD))
        scales.append(float(np.exp(scale) * temperature))
        biases.append(bias)
    return replace(CalibrationOfEach(temperature), scales=tuple(scales), biases=tuple(biases))


def _fit(
    logits: Floats, truth: Indices, start: tuple[float, float], spreads: tuple[float, float]
) -> tuple[float, float]:
    """The logarithm of the scale, and the bias."""
    middle, width = np.array(start), np.array(spreads)

    def loss(at: Floats) -> tuple[float, Floats]:
        scaled = np.exp(at[0]) * logits
        moved = scaled + at[1]
        away = (at - middle) / width
        off = sigmoid(moved) - truth
        value = float((np.logaddexp(0, moved) - truth * moved).sum() + away @ away / 2)
        return value, np.array([(off * scaled).sum(), off.sum()]) + away / width

    bounds = [(-log(MOST_SCALED_EACH), log(MOST_SCALED_EACH)), (-MOST_SHIFTED, MOST_SHIFTED)]
    found = minimize(loss, middle, jac=True, method="L-BFGS-B", bounds=bounds).x
    return float(found[0]), float(found[1])
