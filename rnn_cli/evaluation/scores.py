"""The definition of each metric, as scikit-learn has it where it has one: from true labels and predictions to numbers.

True labels and predictions are indices of labels, `[rows]`; probabilities are `[rows, labels]`.
"""

from math import exp, lgamma, log, log1p, sqrt

import numpy as np

from rnn_cli.arrays import Flags, Floats, Indices
from rnn_cli.scoring.calibration import Calibration

EPSILON = float(np.finfo(np.float64).eps)
"""The smallest probability whose logarithm is taken, as in scikit-learn's `log_loss`."""

BINS = 15
"""Bins of the calibration error, as in Guo et al. (2017)."""


def confusion_of(truth: Indices, predicted: Indices, labels: int) -> Indices:
    """How many rows of each true label (down) have each predicted label (across): `[labels, labels]`."""
    return np.bincount(truth * labels + predicted, minlength=labels**2).reshape(labels, labels)


def f1_scores(right: Indices | Floats | int, named: Indices | Floats | int) -> Floats:
    """F1 from the correctly predicted rows of a label and the sum of its rows and of those predicted as it.

    0 where undefined.
    """
    return np.asarray(2 * right / np.maximum(named, 1))


def occurring(confusion: Indices) -> Flags:
    """Which labels occur, as a row's label or as a prediction: only these have an F1."""
    return np.asarray(confusion.sum(axis=0) + confusion.sum(axis=1) > 0)


def macro_f1(confusion: Indices) -> float:
    """The mean F1 of the labels that occur; one that is predicted and has no row counts as 0."""
    named = (confusion.sum(axis=0) + confusion.sum(axis=1))[occurring(confusion)]
    return float(f1_scores(confusion.diagonal()[occurring(confusion)], named).mean())


def log_losses(truth: Indices, probabilities: Floats) -> Floats:
    """Minus the logarithm of each row's true label's probability, in nats; finite, as scikit-learn's `log_loss`."""
    true: Floats = probabilities[np.arange(len(truth)), truth]
    return -np.log(np.clip(true, EPSILON, 1 - EPSILON))


def brier_scores(truth: Indices, probabilities: Floats) -> Floats:
    """The squared error of each row: of the positive label's probability for two labels, else summed over labels."""
    squares = probabilities**2  # (p - 1)² = p² + 1 - 2p at the true label, p² at the others
    missed = 1 - 2 * probabilities[np.arange(len(truth)), truth]
    summed: Floats = squares.sum(axis=1) + missed
    return summed / 2 if squares.shape[1] == 2 else summed


def confidences(probabilities: Floats, predicted: Indices) -> Floats:
    """The probability of each row's predicted label, `[rows]`."""
    return np.asarray(probabilities[np.arange(len(predicted)), predicted])


def calibration_bins(probabilities: Floats, predicted: Indices) -> Indices:
    """The calibration error's bin of each row; each bin holds about equally many rows, equal confidences share one."""
    confidence = confidences(probabilities, predicted)
    return np.searchsorted(np.quantile(confidence, np.arange(1, BINS) / BINS), confidence, side="right")


def calibration_error(truth: Indices, probabilities: Floats, predicted: Indices) -> float:
    """The expected calibration error: the mean distance between a bin's accuracy and its confidence.

    Source: Naeini, Cooper and Hauskrecht (2015), Obtaining well calibrated probabilities using Bayesian binning; Guo,
    Pleiss, Sun and Weinberger (2017), On calibration of modern neural networks; bins of equal mass from Nguyen and
    O'Connor (2015), Posterior calibration and exploratory analysis for natural language processing models.
    """
    gaps = (truth == predicted) - confidences(probabilities, predicted)
    return float(np.abs(np.bincount(calibration_bins(probabilities, predicted), gaps)).sum() / len(truth))


def chance_calibration_error(probabilities: Floats, predicted: Indices) -> float:
    """The calibration error that chance alone gives: its mean if all these probabilities were exactly right.

    The right predictions of a bin are then nearly binomial, and their mean distance from what is expected is known.

    Source: De Moivre's formula of the mean absolute deviation, as in Diaconis and Zabell (1991), Closed form summation
    for classical distributions; Bröcker (2012), Estimating reliability and resolution of probability forecasts through
    decomposition of the empirical score (the bias).
    """
    bins, confidence = calibration_bins(probabilities, predicted), confidences(probabilities, predicted)
    held = np.bincount(bins)
    total = 0.0
    for number in np.flatnonzero(held):
        of = confidence[bins == number]
        rows, share = len(of), float(of.mean())
        spread = rows * share * (1 - share)
        if spread > 0:
            # Predictions of different probabilities vary less together than those of the mean probability.
            total += _binomial_deviation(rows, share) * sqrt(max(float((of * (1 - of)).sum()), 0.0) / spread)
    return total / len(confidence)


def _binomial_deviation(rows: int, share: float) -> float:
    """The mean distance of a binomial number from its mean; `share` is above 0 and below 1."""
    over = min(int(rows * share) + 1, rows)
    ways = lgamma(rows + 1) - lgamma(over + 1) - lgamma(rows - over + 1)
    return 2 * over * exp(ways + over * log(share) + (rows - over + 1) * log1p(-share))


def before_and_after(
    truth: Indices, probabilities: Floats, predicted: Indices, calibration: Calibration
) -> dict[str, dict[str, float]]:
    """Log loss, Brier score and ECE before and after a calibration; `probabilities` and predictions are those after."""
    return {
        name: {
            "log_loss": float(log_losses(truth, each).mean()),
            "brier": float(brier_scores(truth, each).mean()),
            "ece": calibration_error(truth, each, predicted),
            "ece_by_chance": chance_calibration_error(each, predicted),
        }
        for name, each in (("before", calibration.undone(probabilities)), ("after", probabilities))
    }


def roc_curve(positive: Flags, scores: Floats) -> tuple[Floats, Floats]:
    """False positive rates and true positive rates at all thresholds, from 0 to 1, without points on straight lines.

    Needs rows of both kinds.
    """
    false, true = _counts(positive, scores)
    bend = np.concatenate([[True], (np.diff(false, 2) != 0) | (np.diff(true, 2) != 0), [True]])[: len(false)]
    false, true = (np.concatenate([[0], counts[bend]]) for counts in (false, true))
    return false / false[-1], true / true[-1]


def roc_auc(positive: Flags, scores: Floats) -> float:
    """The area under the ROC curve: how often a row of the label scores higher than another row; ties count half."""
    false, true = roc_curve(positive, scores)
    return float((np.diff(false) * (true[1:] + true[:-1])).sum() / 2)


def precision_recall_curve(positive: Flags, scores: Floats) -> tuple[Floats, Floats]:
    """Precisions and recalls at all thresholds, from a recall of 0, where precision is 1, to 1.

    Needs rows of both kinds.
    """
    false, true = _counts(positive, scores)
    return np.concatenate([[1.0], true / (true + false)]), np.concatenate([[0.0], true / true[-1]])


def average_precision(positive: Flags, scores: Floats) -> float:
    """The mean of the precision over all steps of the recall."""
    precision, recall = precision_recall_curve(positive, scores)
    return float((np.diff(recall) * precision[1:]).sum())


def roc_influences(positive: Flags, scores: Floats) -> Floats:
    """By how much each row changes the area under the ROC curve, `[rows]`: the effect of one more row like it.

    Source: DeLong, DeLong and Clarke-Pearson (1988), Comparing the areas under two or more correlated receiver
    operating characteristic curves.
    """
    others, own = np.sort(scores[~positive]), np.sort(scores[positive])
    rank = np.where(positive, _shares_below(others, scores), 1 - _shares_below(own, scores))  # share of pairs in order
    area = rank[positive].mean()
    return np.asarray((rank - area) / np.where(positive, len(own), len(others)))


def _shares_below(among: Floats, scores: Floats) -> Floats:
    """The share of the sorted scores `among` that is below each score; ties count half."""
    return (np.searchsorted(among, scores, "left") + np.searchsorted(among, scores, "right")) / (2 * len(among))


def precision_influences(positive: Flags, scores: Floats) -> Floats:
    """By how much each row changes the average precision, `[rows]`: the effect of one more row like it."""
    false, true = _counts(positive, scores)
    reached = true + false
    precision = true / reached
    of_label = np.diff(true, prepend=0)
    step = np.searchsorted(reached, np.arange(1, len(scores) + 1))  # of each row, the highest score first
    # One more row counts in the precision at its own score and at all lower ones.
    right = (of_label / reached)[::-1].cumsum()[::-1][step]
    all_there = (of_label * precision / reached)[::-1].cumsum()[::-1][step]
    order = np.argsort(-scores, kind="stable")
    area = float((of_label * precision).sum() / true[-1])
    found = np.empty(len(scores))
    found[order] = (positive[order] * (precision[step] - area + right) - all_there) / true[-1]
    return found


def _counts(positive: Flags, scores: Floats) -> tuple[Indices, Indices]:
    """How many other rows and how many rows of the label score at least each threshold, the highest first."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    true: Indices = positive[order].cumsum()[ends]
    return ends + 1 - true, true
