"""Temperature scaling: calibrates probabilities on the validation rows."""

from math import exp, log

import numpy as np
from scipy.optimize import minimize_scalar

from rnn_cli.arrays import Floats, Indices
from rnn_cli.evaluation.scores import tempered

HOTTEST = 20.0
"""The largest temperature; the smallest is its inverse."""


def fit_temperature(truth: Indices, probabilities: Floats) -> float:
    """The temperature that maximizes the likelihood of the true labels `[rows]` under probabilities `[rows, labels]`.

    It changes no order of labels and, at a threshold of 0.5, no prediction. Few rows that are all predicted correctly
    would allow any confidence, so a normal prior on its logarithm, worth a row or two, bounds it.

    Source: Guo, Pleiss, Sun and Weinberger (2017), On calibration of modern neural networks.
    """

    def loss(logarithm: float) -> float:
        chosen = tempered(probabilities, exp(logarithm))[np.arange(len(truth)), truth]
        return logarithm**2 / 2 - float(np.log(np.maximum(chosen, np.finfo(np.float64).tiny)).sum())

    found = minimize_scalar(loss, bounds=(-log(HOTTEST), log(HOTTEST)), method="bounded", options={"xatol": 1e-6})
    return exp(float(found.x))
