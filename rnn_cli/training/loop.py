"""The training loop: batches through a learner until its best epoch is found.

Where it stands is one value, `Standing`, which can be saved after any batch and gone on from. Knows nothing of texts,
labels' names, files or Keras.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, astuple, dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from rnn_cli.arrays import AnyArray, Floats32, Ids
from rnn_cli.config.schema import TrainingConfig
from rnn_cli.errors import RunFailed
from rnn_cli.training.encoding import Encoded, epoch_batches, epoch_steps
from rnn_cli.training.listener import EpochMetrics, Listener

SMALLEST = 1e-7
"""Probabilities are kept this far from 0 and 1 in the validation loss, as Keras keeps them in the training loss."""


LARGEST = 1e300
"""No figure of a run comes near it."""


@dataclass(frozen=True)
class Step:
    """What a batch taught: the mean loss over its rows, their probabilities `[rows, 1 or classes]`, and the length of
    the gradient of all weights together before it was clipped."""

    loss: float
    predicted: Floats32
    gradient_norm: float


class Learns(Protocol):
    """What the loop asks of a `Learner`."""

    @property
    def learning_rate(self) -> float:
        """The rate of the next step."""

    def learn(
        self, ids: npt.NDArray[np.int32], classes: npt.NDArray[np.intp], weights: npt.NDArray[np.float32]
    ) -> Step:
        """Take one step."""

    def probabilities(self, ids: Ids) -> Floats32:
        """Probabilities of ids."""

    def weights(self) -> list[AnyArray]:
        """The weights as they are."""

    def set_weights(self, weights: list[AnyArray]) -> None:
        """Put weights back."""


@dataclass
class Sums:
    """What an epoch's batches add up to so far."""

    batches: int = 0
    rows: int = 0
    loss: float = 0.0
    right: int = 0
    gradient_norm: float = 0.0
    clipped: int = 0
    seconds: float = 0.0


@dataclass
class Standing:
    """Where a run stands: the whole epochs, the sums of the one under way, the best epoch's weights."""

    history: list[EpochMetrics] = field(default_factory=list)
    epoch: Sums = field(default_factory=Sums)
    best_weights: list[AnyArray] = field(default_factory=list)

    def __str__(self) -> str:
        """How far that is, in words."""
        return f"epoch {len(self.history) + 1}, {self.epoch.batches:,} batches done"

    def to_dict(self) -> dict[str, Any]:
        """All but the weights, as JSON has it."""
        return {"history": [asdict(metrics) for metrics in self.history], "epoch": asdict(self.epoch)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], best_weights: list[AnyArray]) -> "Standing":
        """What `to_dict` gave; raises `KeyError`, `TypeError` or `ValueError` for what no run comes to."""
        history = [EpochMetrics(**metrics) for metrics in content["history"]]
        sums = Sums(**content["epoch"])
        metrics = [figure for each in history for figure in astuple(each)] + list(astuple(sums))
        if not all(type(figure) in (int, float) and abs(figure) < LARGEST for figure in metrics):
            raise ValueError("its figures are no numbers")
        counts = (sums.batches, sums.rows, sums.right, sums.clipped)
        if not all(type(count) is int and count >= 0 for count in counts) or bool(sums.batches) != bool(sums.rows):
            raise ValueError("its figures are no counts")
        if [each.epoch for each in history] != list(range(1, len(history) + 1)) or bool(history) != bool(best_weights):
            raise ValueError("its epochs do not follow each other")
        return cls(history, sums, best_weights)


def fit(
    learner: Learns,
    config: TrainingConfig,
    train: Encoded,
    validation: Encoded,
    listener: Listener,
    *,
    standing: Standing,
    pause: Callable[[], None] = lambda: None,
    save: Callable[[], None] = lambda: None,
) -> EpochMetrics:
    """Train from `standing` on and leave the learner with its best epoch's weights; answers that epoch.

    The best epoch is the first with the least validation loss or the greatest validation accuracy, as
    `early_stopping.monitor` says. `standing` is kept up to date; `pause` is called where the run may be left, after
    each batch, and `save` after each epoch. Raises `RunFailed` as soon as a loss or a gradient is no longer finite.
    """
    while not _is_done(standing, config):
        metrics = _epoch(learner, config, train, validation, listener, standing, pause)
        standing.history.append(metrics)
        standing.epoch = Sums()
        is_best = best_of(standing, config) is metrics
        if is_best:
            standing.best_weights = learner.weights()
        try:
            listener.epoch_done(metrics, best=is_best)
        finally:  # an epoch is not lost because nobody could be told of it
            save()
    learner.set_weights(standing.best_weights)
    return best_of(standing, config)


def best_of(standing: Standing, config: TrainingConfig) -> EpochMetrics:
    """The best epoch so far, the first of equals."""
    return max(standing.history, key=lambda past: config.merit(past.val_loss, past.val_accuracy))


def _is_done(standing: Standing, config: TrainingConfig) -> bool:
    epochs = len(standing.history)
    if epochs == 0 or config.early_stopping is None:
        return epochs >= config.epochs
    return epochs >= config.epochs or epochs - best_of(standing, config).epoch >= config.early_stopping.patience


def _epoch(
    learner: Learns,
    config: TrainingConfig,
    train: Encoded,
    validation: Encoded,
    listener: Listener,
    standing: Standing,
    pause: Callable[[], None],
) -> EpochMetrics:
    epoch, sums = len(standing.history) + 1, standing.epoch
    steps = epoch_steps(len(train.classes), config.batch_size)
    listener.epoch_starts(epoch, config.epochs, steps, sums.batches)
    started = time.monotonic() - sums.seconds
    batches = epoch_batches(train.lengths(), config.batch_size, seed=config.seed, epoch=epoch)
    for rows in batches[sums.batches :]:
        step = learner.learn(train.ids(rows), train.classes[rows], train.weights[rows])
        for what, value in (("loss", step.loss), ("gradient's norm", step.gradient_norm)):
            if not math.isfinite(value):
                raise diverged(what, value, f"epoch {epoch}, batch {sums.batches + 1}")
        sums.batches += 1
        sums.rows += len(rows)
        sums.loss += step.loss * len(rows)
        sums.right += int((_chosen(step.predicted) == train.classes[rows]).sum())
        sums.gradient_norm += step.gradient_norm
        sums.clipped += config.clip_norm is not None and step.gradient_norm > config.clip_norm
        sums.seconds = time.monotonic() - started
        listener.step_done(sums.loss / sums.rows, sums.right / sums.rows)
        pause()
    val_loss, val_accuracy = _validate(learner, validation, config.batch_size, listener, pause)
    if not math.isfinite(val_loss):
        raise diverged("validation loss", val_loss, f"epoch {epoch}")
    return EpochMetrics(
        epoch=epoch,
        loss=sums.loss / sums.rows,
        accuracy=sums.right / sums.rows,
        val_loss=val_loss,
        val_accuracy=val_accuracy,
        learning_rate=learner.learning_rate,
        gradient_norm=sums.gradient_norm / steps,
        clipped=sums.clipped / steps,
        seconds=time.monotonic() - started,
    )


def diverged(what: str, value: float, when: str) -> RunFailed:
    """The error of a run whose numbers are no longer finite."""
    hint = "try a smaller training.learning_rate, or training.clip_norm: 1.0"
    return RunFailed(f"the {what} is {value} at {when}", hint=hint)


def _validate(
    learner: Learns, validation: Encoded, batch_size: int, listener: Listener, pause: Callable[[], None]
) -> tuple[float, float]:
    order = np.argsort(validation.lengths(), kind="stable")
    loss, right = 0.0, 0
    for start in range(0, len(order), batch_size):
        listener.progress("validation rows", start, len(order))
        rows = order[start : start + batch_size]
        predicted = learner.probabilities(validation.ids(rows)).astype(np.float64)
        true = validation.classes[rows]
        right += int((_chosen(predicted) == true).sum())
        if predicted.shape[1] == 1:
            predicted = np.hstack([1 - predicted, predicted])
        loss -= np.log(np.clip(predicted[np.arange(len(rows)), true], SMALLEST, 1 - SMALLEST)).sum()
        pause()
    return float(loss / len(order)), right / len(order)


def _chosen(predicted: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The class each row is given, as the finished model will choose, a tie too."""
    return predicted[:, 0] >= 0.5 if predicted.shape[1] == 1 else predicted.argmax(axis=1)
