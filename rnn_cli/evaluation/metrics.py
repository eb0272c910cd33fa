"""Figures of merit from true labels and probabilities, each as scikit-learn defines it, with its 95 % interval.

Knows nothing of how the probabilities came about.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from rnn_cli.evaluation.bootstrap import Interval, bootstrap_intervals
from rnn_cli.evaluation.losses import Rows, brier_scores, calibration_error, log_losses
from rnn_cli.evaluation.ranking import average_precision, roc_auc

NORMAL_95 = 1.959963984540054


@dataclass(frozen=True)
class ClassFigures:
    """One label's precision, recall, F1 (0 where undefined) and how many rows truly have it.

    The 95 % intervals are Wilson's, None where the figure is undefined. Of rows that are of the label or answered with
    it, a share is rightly so, and F1 grows with that share alone (2s / (1 + s)), so that its interval's ends follow
    from the share's. They are honest on few rows, too: of 3 rows all right, recall is 44 % to 100 %.

    Source: Goutte and Gaussier (2005), A probabilistic interpretation of precision, recall and F-score.
    """

    precision: float
    recall: float
    f1: float
    support: int
    precision_interval: Interval | None = None
    recall_interval: Interval | None = None
    f1_interval: Interval | None = None

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "ClassFigures":
        """What `asdict` answered; raises `TypeError` or `ValueError` for anything else."""
        intervals = {name: _interval(value) for name, value in content.items() if name.endswith("_interval")}
        return cls(**{**content, **intervals})


@dataclass(frozen=True)
class Figures:
    """How good predictions are. `macro_f1` is the mean over all labels, those without a row too.

    `balanced_accuracy` is the mean recall of the labels that have rows. `roc_auc` and `pr_auc` are the positive
    label's for two labels, else the mean over labels, each against the rest; None where a label has no row. `brier` is
    the mean squared distance of the positive label's probability for two labels, else summed over labels. `log_loss`
    is in nats. `ece` is the expected calibration error: how far the answers' probabilities are from the share of right
    ones, on average; chance alone makes it larger on few rows. `intervals` has each of these fields' 95 % interval by
    its name, None where the figure is: Wilson's of the accuracy, the bootstrap's (see `bootstrap_intervals`) of the
    others. `confusion[i][j]` counts rows of label i answered as label j, in the order of `labels`.

    Figures of a run before there were such have no `balanced_accuracy` and no `ece`, and only accuracy's interval.
    """

    rows: int
    accuracy: float
    balanced_accuracy: float | None
    macro_f1: float
    roc_auc: float | None
    pr_auc: float | None
    log_loss: float
    brier: float
    ece: float | None
    intervals: Mapping[str, Interval | None]
    labels: tuple[str, ...]
    per_class: dict[str, ClassFigures]
    confusion: list[list[int]]

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Figures":
        """What `to_dict` answered; raises `KeyError`, `TypeError` or `ValueError` for anything else."""
        if "accuracy_interval" in content:  # before each figure had its interval, and before there was an ECE
            known = {name: value for name, value in content.items() if name != "accuracy_interval"}
            of_accuracy = {"accuracy": content["accuracy_interval"]}
            content = {"balanced_accuracy": None, "ece": None, "intervals": of_accuracy, **known}
        read = {
            "intervals": {name: _interval(value) for name, value in dict(content["intervals"]).items()},
            "labels": tuple(content["labels"]),
            "per_class": {label: ClassFigures.from_dict(row) for label, row in dict(content["per_class"]).items()},
        }
        return cls(**{**content, **read})


@dataclass(frozen=True)
class Sure:
    """The answers a model is sure of: how many, their share of all rows, and their accuracy, None where there is none.

    The accuracy's 95 % interval is Wilson's.
    """

    rows: int
    coverage: float
    accuracy: float | None
    accuracy_interval: Interval | None

    @classmethod
    def of(cls, right: int, rows: int, of: int) -> "Sure":
        """So many of `of` rows have sure answers, so many of which are right."""
        return cls(rows, rows / of, *((right / rows, wilson_interval(right, rows)) if rows else (None, None)))


def measure(
    labels: Sequence[str],
    truth: npt.NDArray[np.intp],
    probabilities: npt.NDArray[np.float64],
    answers: npt.NDArray[np.intp],
    *,
    bootstrap: bool = True,
) -> Figures:
    """Hold answers against the truth.

    `truth` and `answers` are indices into `labels`, `[rows]`; `probabilities` is `[rows, labels]`. At least one row.
    Without `bootstrap`, which takes longest, only accuracy has an interval.
    """
    confusion = np.bincount(truth * len(labels) + answers, minlength=len(labels) ** 2).reshape(len(labels), -1)
    per_class = {label: _class_figures(confusion, place) for place, label in enumerate(labels)}
    right = int((truth == answers).sum())
    intervals: dict[str, Interval | None] = {"accuracy": wilson_interval(right, len(truth))}
    if bootstrap:
        intervals |= bootstrap_intervals(truth, probabilities, answers)
    areas = _areas(truth, probabilities)
    return Figures(
        rows=len(truth),
        accuracy=right / len(truth),
        balanced_accuracy=float(np.mean([row.recall for row in per_class.values() if row.support])),
        macro_f1=float(np.mean([row.f1 for row in per_class.values()])),
        roc_auc=areas and areas[0],
        pr_auc=areas and areas[1],
        log_loss=float(log_losses(truth, probabilities).mean()),
        brier=float(brier_scores(truth, probabilities).mean()),
        ece=calibration_error(truth, probabilities, answers),
        intervals=intervals,
        labels=tuple(labels),
        per_class=per_class,
        confusion=confusion.tolist(),
    )


def _class_figures(confusion: npt.NDArray[np.intp], place: int) -> ClassFigures:
    right, support, answered = (
        int(count) for count in (confusion[place, place], confusion[place].sum(), confusion[:, place].sum())
    )
    either = support + answered - right
    precision, precision_interval = _share(right, answered)
    recall, recall_interval = _share(right, support)
    share, share_interval = _share(right, either)
    f1_interval = share_interval and (_f1(share_interval[0]), _f1(share_interval[1]))
    return ClassFigures(precision, recall, _f1(share), support, precision_interval, recall_interval, f1_interval)


def _share(right: int, rows: int) -> tuple[float, Interval | None]:
    return (right / rows, wilson_interval(right, rows)) if rows else (0.0, None)


def _f1(share: float) -> float:
    """F1 from the share of right rows among those of the label or answered with it (Jaccard's index)."""
    return 2 * share / (1 + share)


def _interval(value: Sequence[float] | None) -> Interval | None:
    if value is None:
        return None
    low, high = value
    return low, high


def wilson_interval(right: int, rows: int) -> Interval:
    """The 95 % interval of a share of `right` in `rows`.

    Source: Wilson (1927), Probable inference, the law of succession, and statistical inference.
    """
    share, square = right / rows, NORMAL_95**2
    middle = (share + square / (2 * rows)) / (1 + square / rows)
    half = NORMAL_95 / (1 + square / rows) * sqrt(share * (1 - share) / rows + square / (4 * rows**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def macro_f1(truth: Rows, answers: Rows, labels: int) -> float:
    """The mean F1 of all `labels` labels, 0 where undefined."""
    right = np.bincount(truth[truth == answers], minlength=labels)
    named = np.bincount(truth, minlength=labels) + np.bincount(answers, minlength=labels)
    return float((2 * right / np.maximum(named, 1)).mean())


def _areas(truth: Rows, probabilities: npt.NDArray[np.float64]) -> tuple[float, float] | None:
    counts = np.bincount(truth, minlength=probabilities.shape[1])
    if (counts == 0).any():
        return None
    ranked = [1] if len(counts) == 2 else range(len(counts))
    return (
        float(np.mean([roc_auc(truth == label, probabilities[:, label]) for label in ranked])),
        float(np.mean([average_precision(truth == label, probabilities[:, label]) for label in ranked])),
    )
