"""What each row adds to a figure that is a mean over rows, and the bins of the calibration error.

Knows nothing of how the probabilities came about.
"""

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.intp]
Numbers = npt.NDArray[np.float64]

TINY = float(np.finfo(np.float64).eps)
"""The least probability a logarithm is taken of, as scikit-learn's `log_loss` does."""

BINS = 15
"""Bins of the calibration error, as in Guo et al. (2017)."""


def log_losses(truth: Rows, probabilities: Numbers) -> Numbers:
    """Minus the logarithm of the true label's probability, a row, in nats; finite, as scikit-learn's `log_loss`."""
    true: Numbers = probabilities[np.arange(len(truth)), truth]
    return -np.log(np.clip(true, TINY, 1 - TINY))


def brier_scores(truth: Rows, probabilities: Numbers) -> Numbers:
    """The squared error, a row: of the positive label's probability for two labels, else summed over labels."""
    squares = probabilities**2  # (p - 1)² = p² + 1 - 2p at the true label, p² at the others
    missed = 1 - 2 * probabilities[np.arange(len(truth)), truth]
    summed: Numbers = squares.sum(axis=1) + missed
    return summed / 2 if squares.shape[1] == 2 else summed


def calibration_gaps(truth: Rows, probabilities: Numbers, answers: Rows) -> tuple[Rows, Numbers]:
    """Each row's bin, and by how much it is more often right (1 or 0) than sure (the answered label's probability).

    The bins, `BINS` at most, hold equally many rows; equally sure rows share one. The expected calibration error is
    the sum over the bins of the absolute value of their gaps' sum, divided by the rows.

    Source: Naeini, Cooper and Hauskrecht (2015), Obtaining well calibrated probabilities using Bayesian binning; Guo,
    Pleiss, Sun and Weinberger (2017), On calibration of modern neural networks; bins of equal mass from Nguyen and
    O'Connor (2015), Posterior calibration and exploratory analysis for natural language processing models.
    """
    sure = probabilities[np.arange(len(answers)), answers]
    edges = np.quantile(sure, np.arange(1, BINS) / BINS)
    return np.searchsorted(edges, sure, side="right"), (truth == answers) - sure


def calibration_error(truth: Rows, probabilities: Numbers, answers: Rows) -> float:
    """The expected calibration error, as `calibration_gaps` says."""
    bins, gaps = calibration_gaps(truth, probabilities, answers)
    return float(np.abs(np.bincount(bins, gaps)).sum() / len(truth))
