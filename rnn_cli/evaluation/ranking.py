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


def _counts(positive: Flags, scores: Numbers) -> tuple[Rows, Rows]:
    """How many of the others and how many of the label score at least each threshold, the highest first."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    true: Rows = positive[order].cumsum()[ends]
    return ends + 1 - true, true
