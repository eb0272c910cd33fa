"""What each row adds to a figure that is a mean over rows, and the bins of the calibration error.

Knows nothing of how the probabilities came about.
"""

from math import erf, exp, pi, sqrt

import numpy as np

from rnn_cli.arrays import Flags, Floats, Indices
from rnn_cli.evaluation.intervals import NORMAL_95, Interval, least

TINY = float(np.finfo(np.float64).eps)
"""The least probability a logarithm is taken of, as scikit-learn's `log_loss` does."""

BINS = 15
"""Bins of the calibration error, as in Guo et al. (2017)."""


def log_losses(truth: Indices, probabilities: Floats) -> Floats:
    """Minus the logarithm of the true label's probability, a row, in nats; finite, as scikit-learn's `log_loss`."""
    true: Floats = probabilities[np.arange(len(truth)), truth]
    return -np.log(np.clip(true, TINY, 1 - TINY))


def brier_scores(truth: Indices, probabilities: Floats) -> Floats:
    """The squared error, a row: of the positive label's probability for two labels, else summed over labels."""
    squares = probabilities**2  # (p - 1)² = p² + 1 - 2p at the true label, p² at the others
    missed = 1 - 2 * probabilities[np.arange(len(truth)), truth]
    summed: Floats = squares.sum(axis=1) + missed
    return summed / 2 if squares.shape[1] == 2 else summed


def calibration_gaps(truth: Indices, probabilities: Floats, predicted: Indices) -> tuple[Indices, Floats]:
    """Each row's bin, and by how much it is more often right (1 or 0) than sure (the answered label's probability).

    The bins, `BINS` at most, hold equally many rows; equally sure rows share one. The expected calibration error is
    the sum over the bins of the absolute value of their gaps' sum, divided by the rows.

    Source: Naeini, Cooper and Hauskrecht (2015), Obtaining well calibrated probabilities using Bayesian binning; Guo,
    Pleiss, Sun and Weinberger (2017), On calibration of modern neural networks; bins of equal mass from Nguyen and
    O'Connor (2015), Posterior calibration and exploratory analysis for natural language processing models.
    """
    sure = probabilities[np.arange(len(predicted)), predicted]
    edges = np.quantile(sure, np.arange(1, BINS) / BINS)
    return np.searchsorted(edges, sure, side="right"), (truth == predicted) - sure


def calibration_error(truth: Indices, probabilities: Floats, predicted: Indices) -> float:
    """The expected calibration error, as `calibration_gaps` says."""
    bins, gaps = calibration_gaps(truth, probabilities, predicted)
    return float(np.abs(np.bincount(bins, gaps)).sum() / len(truth))


FEWEST = 100
"""Rows from which on the calibration error has an interval: on fewer none holds it often enough."""


def before_and_after(
    truth: Indices, probabilities: Floats, predicted: Indices, temperature: float
) -> dict[str, dict[str, float]]:
    """Log loss, Brier score and ECE of the answers `[rows]`, without the temperature and with it.

    The probabilities, `[rows, labels]`, are those with it.
    """
    return {
        name: {
            "log_loss": float(log_losses(truth, each).mean()),
            "brier": float(brier_scores(truth, each).mean()),
            "ece": calibration_error(truth, each, predicted),
        }
        for name, each in (("before", tempered(probabilities, 1 / temperature)), ("after", probabilities))
    }


def tempered(probabilities: Floats, temperature: float) -> Floats:
    """What probabilities `[rows, labels]` become when the logits they were made of are divided by `temperature`."""
    logs = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny)) / temperature
    raised = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def calibration_interval(truth: Indices, probabilities: Floats, predicted: Indices) -> Interval | None:
    """The interval of the expected calibration error, whose estimate is too large by chance alone, most on few rows.

    Holds the errors that would be found as they were, neither too large nor too small, if all bins were equally far
    off: what chance adds to a bin's gap makes its absolute value a folded normal one. The figure itself is never above.

    Source: Leone, Nelson and Nottingham (1961), The folded normal distribution; Bröcker (2012), Estimating reliability
    and resolution of probability forecasts through decomposition of the empirical score (the bias).
    """
    rows = len(truth)
    if rows < FEWEST:
        return None
    bins, gaps = calibration_gaps(truth, probabilities, predicted)
    sure = probabilities[np.arange(rows), predicted]
    held = np.bincount(bins)
    full = held > 0
    held = held[full]
    found = float(np.abs(np.bincount(bins, gaps)).sum() / rows)
    # A bin's answers may all be right, and yet others of it would not be.
    right = (np.bincount(bins, truth == predicted)[full] + np.bincount(bins, sure)[full] / held) / (held + 1)
    variances = np.maximum(np.bincount(bins, sure * (1 - sure))[full], held * right * (1 - right))
    errors, shares = np.maximum(np.sqrt(variances), 1e-9) / rows, held / rows

    def expected(off: float, side: float) -> float:
        """The error that would be found if all bins were so far off, and chance at its 2.5 or 97.5 %."""
        ratios = off * shares / errors
        means = errors * [sqrt(2 / pi) * exp(-each * each / 2) + each * erf(each / sqrt(2)) for each in ratios]
        variance = ((off * shares) ** 2 + errors**2 - means**2).clip(0).sum()
        return float(means.sum() + side * NORMAL_95 * sqrt(variance))

    low, high = (least(lambda off, side=side: expected(off, side) >= found) for side in (1.0, -1.0))
    return low, max(high, found)


def roc_curve(positive: Flags, scores: Floats) -> tuple[Floats, Floats]:
    """False positive rate and true positive rate at all thresholds, from 0 to 1, but for points on a straight line.

    There are rows of both kinds.
    """
    false, true = _counts(positive, scores)
    bend = np.concatenate([[True], (np.diff(false, 2) != 0) | (np.diff(true, 2) != 0), [True]])[: len(false)]
    false, true = (np.concatenate([[0], counts[bend]]) for counts in (false, true))
    return false / false[-1], true / true[-1]


def roc_auc(positive: Flags, scores: Floats) -> float:
    """The area under the ROC curve: how often a row of the label scores higher than another one, ties half."""
    false, true = roc_curve(positive, scores)
    return float((np.diff(false) * (true[1:] + true[:-1])).sum() / 2)


def precision_recall_curve(positive: Flags, scores: Floats) -> tuple[Floats, Floats]:
    """Precision and recall at all thresholds, from a recall of 0, where precision is 1, to 1.

    There are rows of both kinds.
    """
    false, true = _counts(positive, scores)
    return np.concatenate([[1.0], true / (true + false)]), np.concatenate([[0.0], true / true[-1]])


def average_precision(positive: Flags, scores: Floats) -> float:
    """The mean of the precision over all steps of the recall."""
    precision, recall = precision_recall_curve(positive, scores)
    return float((np.diff(recall) * precision[1:]).sum())


def roc_influences(positive: Flags, scores: Floats) -> Floats:
    """By how much each row moves the area under the ROC curve, `[rows]`, as a row more like it would.

    Source: DeLong, DeLong and Clarke-Pearson (1988), Comparing the areas under two or more correlated receiver
    operating characteristic curves.
    """
    others, own = np.sort(scores[~positive]), np.sort(scores[positive])
    rank = np.where(positive, _placed(others, scores), 1 - _placed(own, scores))  # how often it stands in order
    area = rank[positive].mean()
    return np.asarray((rank - area) / np.where(positive, len(own), len(others)))


def _placed(among: Floats, scores: Floats) -> Floats:
    """The share of sorted scores that each score is above, ties half."""
    return (np.searchsorted(among, scores, "left") + np.searchsorted(among, scores, "right")) / (2 * len(among))


def precision_influences(positive: Flags, scores: Floats) -> Floats:
    """By how much each row moves the average precision, `[rows]`, as a row more like it would."""
    false, true = _counts(positive, scores)
    reached = true + false
    precision = true / reached
    of_label = np.diff(true, prepend=0)
    step = np.searchsorted(reached, np.arange(1, len(scores) + 1))  # of each row, the highest score first
    # A row more counts in the precision at its own score and at all lower ones.
    right = (of_label / reached)[::-1].cumsum()[::-1][step]
    all_there = (of_label * precision / reached)[::-1].cumsum()[::-1][step]
    order = np.argsort(-scores, kind="stable")
    area = float((of_label * precision).sum() / true[-1])
    found = np.empty(len(scores))
    found[order] = (positive[order] * (precision[step] - area + right) - all_there) / true[-1]
    return found


def _counts(positive: Flags, scores: Floats) -> tuple[Indices, Indices]:
    """How many of the others and how many of the label score at least each threshold, the highest first."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    true: Indices = positive[order].cumsum()[ends]
    return ends + 1 - true, true
