"""Figures of merit from true labels and probabilities, each as scikit-learn defines it, with its 95 % interval.

Knows nothing of how the probabilities came about.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rnn_cli.arrays import Indices
from rnn_cli.evaluation.intervals import (
    ENOUGH,
    FEWEST_RANKED,
    Interval,
    area_interval,
    balanced_accuracy_interval,
    f1_interval,
    f1_of,
    losses_interval,
    macro_f1_interval,
    wilson_interval,
)
from rnn_cli.evaluation.scores import (
    average_precision,
    brier_scores,
    calibration_error,
    calibration_interval,
    log_losses,
    precision_influences,
    roc_auc,
    roc_influences,
)


@dataclass(frozen=True)
class ClassMetrics:
    """One label's precision, recall, F1 (0 where undefined) and how many rows truly have it.

    The 95 % intervals are those of `wilson_interval` and `f1_interval`, None where the figure is undefined. They are
    honest on few rows, too: of 3 rows all right, recall is 44 % to 100 %.
    """

    precision: float
    recall: float
    f1: float
    support: int
    precision_interval: Interval | None = None
    recall_interval: Interval | None = None
    f1_interval: Interval | None = None

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "ClassMetrics":
        """What `asdict` answered; raises `TypeError` or `ValueError` for anything else."""
        intervals = {name: _interval(value) for name, value in content.items() if name.endswith("_interval")}
        return cls(**{**content, **intervals})


@dataclass(frozen=True)
class Metrics:
    """How good predictions are. `macro_f1` is the mean over all labels, those without a row too.

    `balanced_accuracy` is the mean recall of the labels that have rows. `roc_auc` and `pr_auc` are the positive
    label's for two labels, else the mean over labels, each against the rest; None where a label has no row. `brier` is
    the mean squared distance of the positive label's probability for two labels, else summed over labels. `log_loss`
    is in nats. `ece` is the expected calibration error: how far the answers' probabilities are from the share of right
    ones, on average; chance alone makes it larger on few rows. `intervals` has each of these fields' 95 % interval by
    its name, None where the figure is, and where too few rows, or no mistakes, tell too little for one; see the module
    `intervals`. `confusion[i][j]` counts rows of label i answered as label j, in the order of `labels`.

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
    per_class: dict[str, ClassMetrics]
    confusion: list[list[int]]

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Metrics":
        """What `to_dict` answered; raises `KeyError`, `TypeError` or `ValueError` for anything else."""
        if "accuracy_interval" in content:  # before each figure had its interval, and before there was an ECE
            known = {name: value for name, value in content.items() if name != "accuracy_interval"}
            of_accuracy = {"accuracy": content["accuracy_interval"]}
            content = {"balanced_accuracy": None, "ece": None, "intervals": of_accuracy, **known}
        read = {
            "intervals": {name: _interval(value) for name, value in dict(content["intervals"]).items()},
            "labels": tuple(content["labels"]),
            "per_class": {label: ClassMetrics.from_dict(row) for label, row in dict(content["per_class"]).items()},
        }
        return cls(**{**content, **read})


@dataclass(frozen=True)
class SelectiveMetrics:
    """The answers a model is sure of: how many, their share of all rows, and their accuracy, None where there is none.

    The accuracy's 95 % interval is that of `wilson_interval`.
    """

    rows: int
    coverage: float
    accuracy: float | None
    accuracy_interval: Interval | None

    @classmethod
    def of(cls, right: int, rows: int, of: int) -> "SelectiveMetrics":
        """So many of `of` rows have sure answers, so many of which are right."""
        return cls(rows, rows / of, *((right / rows, wilson_interval(right, rows)) if rows else (None, None)))


def measure(
    labels: Sequence[str],
    truth: npt.NDArray[np.intp],
    probabilities: npt.NDArray[np.float64],
    predicted: npt.NDArray[np.intp],
) -> Metrics:
    """Hold answers against the truth.

    `truth` and `answers` are indices into `labels`, `[rows]`; `probabilities` is `[rows, labels]`. At least one row.
    """
    confusion = confusion_of(truth, predicted, len(labels))
    per_class = {label: _class_metrics(confusion, index) for index, label in enumerate(labels)}
    right = int((truth == predicted).sum())
    wrong = len(truth) - right
    (roc, roc_interval), (precision, precision_interval) = _areas(truth, probabilities)
    losses, scores = log_losses(truth, probabilities), brier_scores(truth, probabilities)
    intervals = {
        "accuracy": wilson_interval(right, len(truth)),
        "balanced_accuracy": balanced_accuracy_interval(confusion),
        "macro_f1": macro_f1_interval(confusion),
        "roc_auc": roc_interval,
        "pr_auc": precision_interval,
        "log_loss": losses_interval(losses, wrong),
        "brier": losses_interval(scores, wrong),
        "ece": calibration_interval(truth, probabilities, predicted),
    }
    return Metrics(
        rows=len(truth),
        accuracy=right / len(truth),
        balanced_accuracy=float(np.mean([row.recall for row in per_class.values() if row.support])),
        macro_f1=float(np.mean([row.f1 for row in per_class.values()])),
        roc_auc=roc,
        pr_auc=precision,
        log_loss=float(losses.mean()),
        brier=float(scores.mean()),
        ece=calibration_error(truth, probabilities, predicted),
        intervals=intervals,
        labels=tuple(labels),
        per_class=per_class,
        confusion=confusion.tolist(),
    )


def _class_metrics(confusion: npt.NDArray[np.intp], index: int) -> ClassMetrics:
    right, support, given = (
        int(count) for count in (confusion[index, index], confusion[index].sum(), confusion[:, index].sum())
    )
    either = support + given - right
    precision, precision_interval = _share(right, given)
    recall, recall_interval = _share(right, support)
    f1, of_f1 = (f1_of(right / either), f1_interval(right, either)) if either else (0.0, None)
    return ClassMetrics(precision, recall, f1, support, precision_interval, recall_interval, of_f1)


def _share(right: int, rows: int) -> tuple[float, Interval | None]:
    return (right / rows, wilson_interval(right, rows)) if rows else (0.0, None)


def _interval(value: Sequence[float] | None) -> Interval | None:
    if value is None:
        return None
    low, high = value
    return low, high


def confusion_of(truth: Indices, predicted: Indices, labels: int) -> Indices:
    """How many rows of each label, down, were answered as each label, across: `[labels, labels]`."""
    return np.bincount(truth * labels + predicted, minlength=labels**2).reshape(labels, labels)


def macro_f1(truth: Indices, predicted: Indices, labels: int) -> float:
    """The mean F1 of all `labels` labels, 0 where undefined."""
    right = np.bincount(truth[truth == predicted], minlength=labels)
    named = np.bincount(truth, minlength=labels) + np.bincount(predicted, minlength=labels)
    return float((2 * right / np.maximum(named, 1)).mean())


def _areas(
    truth: Indices, probabilities: npt.NDArray[np.float64]
) -> tuple[tuple[float | None, Interval | None], tuple[float | None, Interval | None]]:
    """The area under the ROC curve and the average precision, each with its interval."""
    counts = np.bincount(truth, minlength=probabilities.shape[1])
    if (counts == 0).any():
        return (None, None), (None, None)
    ranked = [1] if len(counts) == 2 else range(len(counts))
    enough = min(counts.min(), len(truth) - counts.max()) >= FEWEST_RANKED
    areas = np.zeros(2)
    influences = np.zeros((2, len(truth)))
    for label in ranked:
        row = truth == label, probabilities[:, label]
        areas += roc_auc(*row), average_precision(*row)
        if enough:
            influences += roc_influences(*row), precision_influences(*row)
    areas, influences = areas / len(ranked), influences / len(ranked)
    of_label = counts[list(ranked)]
    alike = [
        len(ranked) / each.mean() for each in (len(truth) / (4.0 * of_label * (len(truth) - of_label)), 1 / of_label)
    ]
    roc, precision = (
        (float(area), area_interval(float(area), moved, rows) if enough and len(truth) >= fewest else None)
        for area, moved, rows, fewest in zip(areas, influences, alike, (1, ENOUGH), strict=True)
    )
    return roc, precision
