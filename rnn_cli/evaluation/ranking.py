"""How well scores set rows of a label apart from the others, as scikit-learn defines it. Knows numpy only.

Written out here because scikit-learn and SciPy take 200 MB and most of a second: what measures a model can then be
installed where it is used.
"""

import numpy as np
import numpy.typing as npt

from rnn_cli.evaluation.losses import Numbers, Rows

Flags = npt.NDArray[np.bool_]


def roc_curve(positive: Flags, scores: Numbers) -> tuple[Numbers, Numbers]:
    """False positive rate and true positive rate at all thresholds, from 0 to 1, but for points on a straight line.

    There are rows of both kinds.
    """
    false, true = _counts(positive, scores)
    bend = np.concatenate([[True], (np.diff(false, 2) != 0) | (np.diff(true, 2) != 0), [True]])[: len(false)]
    false, true = (np.concatenate([[0], counts[bend]]) for counts in (false, true))
    return false / false[-1], true / true[-1]


def roc_auc(positive: Flags, scores: Numbers) -> float:
    """The area under the ROC curve: how often a row of the label scores higher than another one, ties half."""
    false, true = roc_curve(positive, scores)
    return float((np.diff(false) * (true[1:] + true[:-1])).sum() / 2)


def precision_recall_curve(positive: Flags, scores: Numbers) -> tuple[Numbers, Numbers]:
    """Precision and recall at all thresholds, from a recall of 0, where precision is 1, to 1.

    There are rows of both kinds.
    """
    false, true = _counts(positive, scores)
    return np.concatenate([[1.0], true / (true + false)]), np.concatenate([[0.0], true / true[-1]])


def average_precision(positive: Flags, scores: Numbers) -> float:
    """The mean of the precision over all steps of the recall."""
    precision, recall = precision_recall_curve(positive, scores)
    return float((np.diff(recall) * precision[1:]).sum())


def roc_influences(positive: Flags, scores: Numbers) -> Numbers:
    """By how much each row moves the area under the ROC curve, `[rows]`, as a row more like it would.

    Source: DeLong, DeLong and Clarke-Pearson (1988), Comparing the areas under two or more correlated receiver
    operating characteristic curves.
    """
    others, own = np.sort(scores[~positive]), np.sort(scores[positive])
    rank = np.where(positive, _placed(others, scores), 1 - _placed(own, scores))  # how often it stands in order
    area = rank[positive].mean()
    return np.asarray((rank - area) / np.where(positive, len(own), len(others)))


def _placed(among: Numbers, scores: Numbers) -> Numbers:
    """The share of sorted scores that each score is above, ties half."""
    return (np.searchsorted(among, scores, "left") + np.searchsorted(among, scores, "right")) / (2 * len(among))


def precision_influences(positive: Flags, scores: Numbers) -> Numbers:
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


def _counts(positive: Flags, scores: Numbers) -> tuple[Rows, Rows]:
    """How many of the others and how many of the label score at least each threshold, the highest first."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    true: Rows = positive[order].cumsum()[ends]
    return ends + 1 - true, true
