"""How good predictions are: the metrics of `scores`, each with its 95 % interval of `intervals`, as plain records."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from pydantic import TypeAdapter

from rnn_cli.arrays import Floats, Indices
from rnn_cli.evaluation.intervals import (
    MEAN_ROWS,
    PRECISION_ROWS,
    RANKED_ROWS,
    Interval,
    area_interval,
    balanced_accuracy_interval,
    calibration_interval,
    f1_interval,
    losses_interval,
    macro_f1_interval,
    wilson_interval,
)
from rnn_cli.evaluation.scores import (
    average_precision,
    brier_scores,
    calibration_error,
    chance_calibration_error,
    confusion_of,
    f1_scores,
    log_losses,
    macro_f1,
    precision_influences,
    roc_auc,
    roc_influences,
)


@dataclass(frozen=True)
class ClassMetrics:
    """One label's precision, recall and F1, and its support: how many rows truly have it.

    Precision is None for a label that is never predicted, recall for one without a row, F1 where it is neither; older
    releases wrote 0 then. The 95 % intervals are those of `wilson_interval` and `f1_interval`, None where it is.
    They hold on few rows, too: of 3 rows all right, recall is 44 % to 100 %.
    """

    precision: float | None
    recall: float | None
    f1: float | None
    support: int
    precision_interval: Interval | None = None
    recall_interval: Interval | None = None
    f1_interval: Interval | None = None


@dataclass(frozen=True)
class Metrics:
    """How good predictions are. `macro_f1` is the mean over the labels that occur, as a row's or as a prediction.

    `balanced_accuracy` is the mean recall of the labels that have rows. `roc_auc` and `pr_auc` are the positive
    label's for two labels, else the mean over labels, each against the rest; None where a label has no row. `brier` is
    the mean squared error of the positive label's probability for two labels, else summed over labels. `log_loss` is
    in nats. `ece` is the expected calibration error, `ece_by_chance` what it would be on
    average if all probabilities were right. `intervals` has each field's 95 % interval by the field's name;
    None where the metric is None, and where the rows are too few or have no mistakes (see the module `intervals`).
    `confusion[i][j]` counts rows of label i predicted as label j, in the order of `labels`.

    Metrics that older releases wrote have no `balanced_accuracy`, no `ece` and no `ece_by_chance`, and only accuracy's
    interval.
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
    ece_by_chance: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The metrics as plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Metrics":
        """Read what `to_dict` of this release or an older one wrote; raises `TypeError` or `ValueError`."""
        if "accuracy_interval" in content:  # from before each metric had its interval, and before there was an ECE
            of_accuracy = {"accuracy": content["accuracy_interval"]}
            content = {"balanced_accuracy": None, "ece": None, "intervals": of_accuracy, **content}
        return TypeAdapter(cls).validate_python(content)


@dataclass(frozen=True)
class MainMetrics:
    """The main metrics on `rows` rows, of the slice or the model called `name`.

    `macro_f1` is the mean over the labels that occur, true or predicted; `log_loss` is None where it is unknown. The
    95 % intervals are those of the module `intervals`, None where the rows are too few.
    """

    name: str
    rows: int
    accuracy: float
    accuracy_interval: Interval
    macro_f1: float
    macro_f1_interval: Interval | None
    log_loss: float | None
    log_loss_interval: Interval | None

    @classmethod
    def of(cls, name: str, confusion: Indices, losses: Floats | None, *, intervals: bool = True, **more: Any) -> Self:
        """Measure the rows of a confusion matrix and their log losses; without `intervals`, only accuracy has one."""
        rows, right = int(confusion.sum()), int(confusion.trace())
        return cls(
            name=name,
            rows=rows,
            accuracy=right / rows,
            accuracy_interval=wilson_interval(right, rows),
            macro_f1=macro_f1(confusion),
            macro_f1_interval=macro_f1_interval(confusion) if intervals else None,
            log_loss=None if losses is None else float(losses.mean()),
            log_loss_interval=None if losses is None or not intervals else losses_interval(losses, rows - right),
            **more,
        )


@dataclass(frozen=True)
class SelectiveMetrics:
    """The predictions a model is sure of: their number, their share of all rows, and their accuracy.

    The accuracy, with its 95 % interval of `wilson_interval`, is None where there is no sure prediction.
    """

    rows: int
    coverage: float
    accuracy: float | None
    accuracy_interval: Interval | None

    @classmethod
    def of(cls, right: int, rows: int, of: int) -> "SelectiveMetrics":
        """Measure `rows` sure predictions among `of`, of which `right` are right."""
        return cls(rows, rows / of, *((right / rows, wilson_interval(right, rows)) if rows else (None, None)))


@dataclass(frozen=True)
class ScalingTrial:
    """Vector scaling against the temperature alone, cross-validated on `rows` validation rows.

    The log losses are means over rows, each measured with what was fitted on the rows of other folds. `gain` is by how
    much vector scaling lowers them, with its 95 % interval from the rows' differences.
    """

    rows: int
    folds: int
    log_loss_temperature: float
    log_loss_scaling: float
    gain: float
    interval: Interval

    @property
    def is_won(self) -> bool:
        """Whether vector scaling is better beyond chance."""
        return self.interval[0] > 0

    @classmethod
    def from_dict(cls, content: object) -> Self:
        """Read what a run wrote; raises `ValueError` if it is anything else."""
        return TypeAdapter(cls).validate_python(content)


def measure(labels: Sequence[str], truth: Indices, probabilities: Floats, predicted: Indices) -> Metrics:
    """Measure predictions against the truth on at least one row.

    `truth` and `predicted` are indices into `labels`, `[rows]`; `probabilities` is `[rows, labels]`.
    """
    confusion = confusion_of(truth, predicted, len(labels))
    per_class = {label: _class_metrics(confusion, index) for index, label in enumerate(labels)}
    rows, right = len(truth), int(confusion.trace())
    (roc, roc_interval), (precision, precision_interval) = _areas(truth, probabilities)
    losses, scores = log_losses(truth, probabilities), brier_scores(truth, probabilities)
    return Metrics(
        rows=rows,
        accuracy=right / rows,
        balanced_accuracy=float(np.mean([row.recall for row in per_class.values() if row.recall is not None])),
        macro_f1=macro_f1(confusion),
        roc_auc=roc,
        pr_auc=precision,
        log_loss=float(losses.mean()),
        brier=float(scores.mean()),
        ece=calibration_error(truth, probabilities, predicted),
        intervals={
            "accuracy": wilson_interval(right, rows),
            "balanced_accuracy": balanced_accuracy_interval(confusion),
            "macro_f1": macro_f1_interval(confusion),
            "roc_auc": roc_interval,
            "pr_auc": precision_interval,
            "log_loss": losses_interval(losses, rows - right),
            "brier": losses_interval(scores, rows - right),
            "ece": calibration_interval(truth, probabilities, predicted),
        },
        labels=tuple(labels),
        per_class=per_class,
        confusion=confusion.tolist(),
        ece_by_chance=chance_calibration_error(probabilities, predicted),
    )


def _class_metrics(confusion: Indices, index: int) -> ClassMetrics:
    right, support, predicted = (
        int(count) for count in (confusion[index, index], confusion[index].sum(), confusion[:, index].sum())
    )
    either = support + predicted - right
    precision, precision_interval = _share(right, predicted)
    recall, recall_interval = _share(right, support)
    f1 = float(f1_scores(right, support + predicted)) if either else None
    of_f1 = f1_interval(right, either) if either else None
    return ClassMetrics(precision, recall, f1, support, precision_interval, recall_interval, of_f1)


def _share(right: int, rows: int) -> tuple[float | None, Interval | None]:
    return (right / rows, wilson_interval(right, rows)) if rows else (None, None)


def _areas(
    truth: Indices, probabilities: Floats
) -> tuple[tuple[float | None, Interval | None], tuple[float | None, Interval | None]]:
    """The area under the ROC curve and the average precision, each with its interval."""
    counts = np.bincount(truth, minlength=probabilities.shape[1])
    if (counts == 0).any():
        return (None, None), (None, None)
    ranked = [1] if len(counts) == 2 else range(len(counts))
    fewest = min(counts.min(), len(truth) - counts.max())
    enough = fewest >= RANKED_ROWS
    areas, influences = np.zeros(2), np.zeros((2, len(truth)))
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
        (float(area), area_interval(float(area), moved, rows) if enough and is_fit else None)
        for area, moved, rows, is_fit in zip(
            areas, influences, alike, (True, fewest >= PRECISION_ROWS and len(truth) >= MEAN_ROWS), strict=True
        )
    )
    return roc, precision
