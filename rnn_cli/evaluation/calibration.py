"""Probabilities that mean what they say: one number, the temperature, by which all logits are divided.

Knows nothing of how the probabilities came about.
"""

from math import exp, log

import numpy as np
from scipy.optimize import minimize_scalar

from rnn_cli.evaluation.losses import Numbers, Rows, brier_scores, calibration_error, log_losses

HOTTEST = 20.0
"""The largest temperature; the least is its inverse."""


def fit_temperature(truth: Rows, probabilities: Numbers) -> float:
    """The temperature that makes the probabilities `[rows, labels]` of the true labels `[rows]` the likeliest.

    It changes no order and, at a threshold of 0.5, no answer. To a few rows that are all answered right any certainty
    would look deserved: a normal prior on its logarithm, worth as much as a row or two, keeps it within reason.

    Source: Guo, Pleiss, Sun and Weinberger (2017), On calibration of modern neural networks.
    """

    def unlikely(cold: float) -> float:
        chosen = tempered(probabilities, exp(cold))[np.arange(len(truth)), truth]
        return cold**2 / 2 - float(np.log(np.maximum(chosen, np.finfo(np.float64).tiny)).sum())

    found = minimize_scalar(unlikely, bounds=(-log(HOTTEST), log(HOTTEST)), method="bounded", options={"xatol": 1e-6})
    return exp(float(found.x))


def before_and_after(
    truth: Rows, probabilities: Numbers, answers: Rows, temperature: float
) -> dict[str, dict[str, float]]:
    """Log loss, Brier score and ECE of the answers `[rows]`, without the temperature and with it.

    The probabilities, `[rows, labels]`, are those with it.
    """
    return {
        name: {
            "log_loss": float(log_losses(truth, each).mean()),
            "brier": float(brier_scores(truth, each).mean()),
            "ece": calibration_error(truth, each, answers),
        }
        for name, each in (("before", tempered(probabilities, 1 / temperature)), ("after", probabilities))
    }


def tempered(probabilities: Numbers, temperature: float) -> Numbers:
    """What probabilities `[rows, labels]` become when the logits they were made of are divided by `temperature`."""
    logs = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny)) / temperature
    raised = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))
