"""The epochs of a run: their metrics, which one is the best, and history.csv. Knows nothing of how a network learns."""

import csv
import io
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING

from rnn_cli.bundle.model_folder import HISTORY, Bundle
from rnn_cli.errors import BundleError

if TYPE_CHECKING:  # loading it loads pydantic
    from rnn_cli.config.schema import TrainingConfig

LARGEST_METRIC = 1e300
"""No metric of a run comes near it."""


@dataclass(frozen=True)
class EpochMetrics:
    """One row of the history.

    Losses are in nats per row. `loss` and `accuracy` are means over the epoch's batches while the weights changed, and
    `loss` includes label smoothing and class weights; `val_loss` and `val_accuracy` include neither and use the epoch's
    last weights. Of numbers, `loss` is Huber's of standardised numbers, `val_loss` the mean absolute error in standard
    deviations, and an accuracy the share of rows that are off by at most half of one. `gradient_norm` is the mean over
    batches of the norm of the whole gradient before clipping; `clipped` is the share of batches whose norm exceeded
    `clip_norm`. `seconds` cover training and validation.
    """

    epoch: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float
    gradient_norm: float
    clipped: float
    seconds: float


FIELDS = [each.name for each in fields(EpochMetrics)]
"""The columns of history.csv."""


def best_epoch(history: Sequence[EpochMetrics], config: "TrainingConfig") -> EpochMetrics:
    """The epoch whose weights a run keeps: the first with the least validation loss, or the greatest accuracy."""
    by_accuracy = config.early_stopping is not None and config.early_stopping.monitor == "accuracy"
    return max(history, key=lambda each: each.val_accuracy if by_accuracy else -each.val_loss)


def check_history(history: Sequence[EpochMetrics]) -> None:
    """Raise `ValueError` or `TypeError` unless all metrics are finite numbers and the epochs are 1, 2, 3, ..."""
    if not all(
        type(value) in (int, float) and abs(value) < LARGEST_METRIC for each in history for value in astuple(each)
    ):
        raise ValueError("a metric is not a number")
    if [each.epoch for each in history] != list(range(1, len(history) + 1)):
        raise ValueError("its epochs do not follow each other")


def history_to_csv(history: Sequence[EpochMetrics]) -> str:
    """The content of history.csv."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerows([FIELDS, *map(astuple, history)])
    return text.getvalue()


def read_history(opened: Bundle) -> tuple[EpochMetrics, ...]:
    """The epochs of a bundle's run, at least one. Raises `BundleError`."""
    rows = csv.DictReader(opened.read(HISTORY).decode("utf-8", "replace").splitlines())
    try:
        history = tuple(EpochMetrics(int(row["epoch"]), *(float(row[name]) for name in FIELDS[1:])) for row in rows)
        check_history(history)
        if not history:
            raise ValueError("no epoch")
        return history
    except (ArithmeticError, csv.Error, KeyError, TypeError, ValueError):
        raise BundleError("not a history this rnn understands", where=str(opened.path / HISTORY)) from None
