"""How sure a model may be, learned from its answers to the validation rows."""

from math import exp, log

import numpy as np
from scipy.optimize import minimize_scalar

from rnn_cli.arrays import Floats, Indices
from rnn_cli.evaluation.scores import tempered

HOTTEST = 20.0
"""The largest temperature; the least is its inverse."""


def fit_temperature(truth: Indices, probabilities: Floats) -> float:
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
