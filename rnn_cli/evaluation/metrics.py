"""Figures of merit from true labels and probabilities, each as scikit-learn defines it.

Knows nothing of how the probabilities came about.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn import metrics as sk

NORMAL_95 = 1.959963984540054


@dataclass(frozen=True)
class ClassFigures:
    """One label's precision, recall, F1 (0 where undefined) and how many rows truly have it."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Figures:
    """How good predictions are. `macro_f1` is the mean over all labels, those without a row too.

    `accuracy_interval` is Wilson's 95 % interval. `roc_auc` and `pr_auc` are the positive label's for two labels, else
    the mean over labels, each against the rest; None where a label has no row. `brier` is the mean squared
    distance of the positive label's probability for two labels, else summed over labels. `log_loss` is in nats.
    `confusion[i][j]` counts rows of label i answered as label j, in the order of `labels`.
    """

    rows: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    macro_f1: float
    roc_auc: float | None
    pr_auc: float | None
    log_loss: float
    brier: float
    labels: tuple[str, ...]
    per_class: dict[str, ClassFigures]
    confusion: list[list[int]]

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Figures":
        """What `to_dict` answered; raises `KeyError`, `TypeError` or `ValueError` for anything else."""
        low, high = content["accuracy_interval"]
        per_class = {label: ClassFigures(**row) for label, row in dict(content["per_class"]).items()}
        labels = tuple(content["labels"])
        return cls(**{**content, "accuracy_interval": (low, high), "per_class": per_class, "labels": labels})


def measure(
    labels: Sequence[str],
    truth: npt.NDArray[np.intp],
    probabilities: npt.NDArray[np.float64],
    answers: npt.NDArray[np.intp],
) -> Figures:
    """Hold answers against the truth.

    `truth` and `answers` are indices into `labels`, `[rows]`; `probabilities` is `[rows, labels]`. At least one row.
    """
    classes = np.arange(len(labels))
    precision, recall, f1, support = sk.precision_recall_fscore_support(
        truth, answers, labels=classes, average=None, zero_division=0
    )
    right = int((truth == answers).sum())
    roc_auc, pr_auc = _ranking(truth, probabilities)
    return Figures(
        rows=len(truth),
        accuracy=right / len(truth),
        accuracy_interval=wilson_interval(right, len(truth)),
        macro_f1=float(np.mean(f1)),
        roc_auc=roc_auc,
        pr_auc=pr_auc,
        log_loss=float(sk.log_loss(truth, probabilities, labels=classes)),
        brier=_brier(truth, probabilities),
        labels=tuple(labels),
        per_class={
            label: ClassFigures(float(p), float(r), float(f), int(s))
            for label, p, r, f, s in zip(labels, precision, recall, f1, support, strict=True)
        },
        confusion=sk.confusion_matrix(truth, answers, labels=classes).tolist(),
    )


def wilson_interval(right: int, rows: int) -> tuple[float, float]:
    """The 95 % interval of a share of `right` in `rows`.

    Source: Wilson (1927), Probable inference, the law of succession, and statistical inference.
    """
    share, square = right / rows, NORMAL_95**2
    middle = (share + square / (2 * rows)) / (1 + square / rows)
    half = NORMAL_95 / (1 + square / rows) * sqrt(share * (1 - share) / rows + square / (4 * rows**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def _ranking(truth: npt.NDArray[np.intp], probabilities: npt.NDArray[np.float64]) -> tuple[float | None, float | None]:
    counts = np.bincount(truth, minlength=probabilities.shape[1])
    if (counts == 0).any():
        return None, None
    ranked = [1] if len(counts) == 2 else range(len(counts))
    return (
        float(np.mean([sk.roc_auc_score(truth == label, probabilities[:, label]) for label in ranked])),
        float(np.mean([sk.average_precision_score(truth == label, probabilities[:, label]) for label in ranked])),
    )


def _brier(truth: npt.NDArray[np.intp], probabilities: npt.NDArray[np.float64]) -> float:
    one_hot = np.eye(probabilities.shape[1])[truth]
    squares = (probabilities - one_hot) ** 2
    return float((squares[:, 1] if squares.shape[1] == 2 else squares.sum(axis=1)).mean())
