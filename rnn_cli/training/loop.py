"""The training loop: batches through a learner until its best epoch is found.

Its progress is one value, `TrainingState`, which can be saved after any batch and continued from. Knows nothing of
texts, labels' names, files or Keras.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, astuple, dataclass, field
from typing import Any, Protocol

import numpy as np

from rnn_cli.arrays import AnyArray, Floats32, Ids, Indices
from rnn_cli.bundle.history import LARGEST_METRIC, EpochMetrics, best_epoch, check_history
from rnn_cli.config.schema import TrainingConfig
from rnn_cli.errors import RunFailed
from rnn_cli.training.encoding import Encoded, epoch_batches, epoch_steps
from rnn_cli.training.listener import Listener

CLIP = 1e-7
"""Probabilities are kept this far from 0 and 1 in the validation loss, as Keras keeps them in the training loss."""


@dataclass(frozen=True)
class StepResult:
    """The result of one batch: its mean loss, its probabilities `[rows, 1 or classes]`, and the norm of the whole
    gradient before clipping."""

    loss: float
    predicted: Floats32
    gradient_norm: float


class Learns(Protocol):
    """The part of a `Learner` that the loop uses."""

    @property
    def learning_rate(self) -> float:
        """The rate of the next step."""

    def learn(self, ids: Ids, targets: Indices | Floats32, weights: Floats32, *beside: Floats32) -> StepResult:
        """Take one step; `beside` are the numbers of other columns, if any."""

    def probabilities(self, ids: Ids, *beside: Floats32) -> Floats32:
        """Probabilities of ids."""

    def weights(self) -> list[AnyArray]:
        """The current weights."""

    def set_weights(self, weights: list[AnyArray]) -> None:
        """Put weights back."""


@dataclass
class EpochSums:
    """Sums over the batches of the current epoch so far."""

    batches: int = 0
    rows: int = 0
    loss: float = 0.0
    right: int = 0
    gradient_norm: float = 0.0
    clipped: int = 0
    seconds: float = 0.0


@dataclass
class TrainingState:
    """How far a run is: its finished epochs, the sums of the current one, the best epoch's weights."""

    history: list[EpochMetrics] = field(default_factory=list)
    epoch: EpochSums = field(default_factory=EpochSums)
    best_weights: list[AnyArray] = field(default_factory=list)

    def __str__(self) -> str:
        """The epoch and its finished batches, in words."""
        return f"epoch {len(self.history) + 1}, {self.epoch.batches:,} batches done"

    def to_dict(self) -> dict[str, Any]:
        """Everything except the weights, ready for JSON."""
        return {"history": [asdict(metrics) for metrics in self.history], "epoch": asdict(self.epoch)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], best_weights: list[AnyArray]) -> "TrainingState":
        """The state that `to_dict` wrote; raises `KeyError`, `TypeError` or `ValueError` for an impossible one."""
        history = [EpochMetrics(**metrics) for metrics in content["history"]]
        check_history(history)
        sums = EpochSums(**content["epoch"])
        if not all(type(value) in (int, float) and abs(value) < LARGEST_METRIC for value in astuple(sums)):
            raise ValueError("a sum is not a number")
        counts = (sums.batches, sums.rows, sums.right, sums.clipped)
        if not all(type(count) is int and count >= 0 for count in counts) or bool(sums.batches) != bool(sums.rows):
            raise ValueError("a sum is not a count")
        if bool(history) != bool(best_weights):
            raise ValueError("its best weights do not match its epochs")
        return cls(history, sums, best_weights)


def fit(
    learner: Learns,
    config: TrainingConfig,
    train: Encoded,
    validation: Encoded,
    listener: Listener,
    *,
    state: TrainingState,
    pause: Callable[[], None] = lambda: None,
    save: Callable[[], None] = lambda: None,
) -> EpochMetrics:
    """Train from `state` on, leave the learner with the weights of its best epoch, and return that epoch.

    `state` is kept up to date. `pause` is called after each batch, where the run may be interrupted, and `save` after
    each epoch. Raises `RunFailed` as soon as a loss or a gradient is not finite.
    """
    while not _is_done(state, config):
        metrics = _train_epoch(learner, config, train, validation, listener, state, pause)
        state.history.append(metrics)
        state.epoch = EpochSums()
        is_best = best_epoch(state.history, config) is metrics
        if is_best:
            state.best_weights = learner.weights()
        try:
            listener.epoch_done(metrics, best=is_best)
        finally:  # save the epoch even if it cannot be reported
            save()
    best, epochs = best_epoch(state.history, config), len(state.history)
    if config.early_stopping and epochs < config.epochs:
        since, monitor = epochs - best.epoch, config.early_stopping.monitor
        listener.note(
            f"stopped early after epoch {epochs} of {config.epochs}: the validation {monitor} has not improved for "
            f"{since} {'epoch' if since == 1 else 'epochs'}; the weights of epoch {best.epoch} are kept"
        )
    learner.set_weights(state.best_weights)
    return best


def _is_done(state: TrainingState, config: TrainingConfig) -> bool:
    epochs = len(state.history)
    if epochs == 0 or config.early_stopping is None:
        return epochs >= config.epochs
    return epochs >= config.epochs or epochs - best_epoch(state.history, config).epoch >= config.early_stopping.patience


def _train_epoch(
    learner: Learns,
    config: TrainingConfig,
    train: Encoded,
    validation: Encoded,
    listener: Listener,
    state: TrainingState,
    pause: Callable[[], None],
) -> EpochMetrics:
    epoch, sums = len(state.history) + 1, state.epoch
    steps = epoch_steps(len(train.classes), config.batch_size)
    listener.epoch_starts(epoch, config.epochs, steps, sums.batches)
    started = time.monotonic() - sums.seconds
    batches = epoch_batches(train.lengths(), config.batch_size, seed=config.seed, epoch=epoch)
    for rows in batches[sums.batches :]:
        step = learner.learn(train.ids(rows), train.targets(rows), train.weights[rows], *train.beside(rows))
        for what, value in (("loss", step.loss), ("gradient's norm", step.gradient_norm)):
            if not math.isfinite(value):
                raise diverged(what, value, f"epoch {epoch}, batch {sums.batches + 1}")
        sums.batches += 1
        sums.rows += len(rows)
        sums.loss += step.loss * len(rows)
        sums.right += _right_rows(step.predicted, train, rows)
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
    """The error of a run whose `what` is not finite any more."""
    hint = "try a smaller training.learning_rate, or training.clip_norm: 1.0"
    return RunFailed(f"the {what} is {value} at {when}", hint=hint)


def _validate(
    learner: Learns, validation: Encoded, batch_size: int, listener: Listener, pause: Callable[[], None]
) -> tuple[float, float]:
    order = np.argsort(validation.lengths(), kind="stable")
    loss, right = 0.0, 0
    values = validation.values
    for start in range(0, len(order), batch_size):
        listener.progress("validation rows", start, len(order))
        rows = order[start : start + batch_size]
        predicted = learner.probabilities(validation.ids(rows), *validation.beside(rows)).astype(np.float64)
        right += _right_rows(predicted, validation, rows)
        if values is not None:
            loss += float(np.abs(predicted[:, 0] - values[rows]).sum())
            pause()
            continue
        true = validation.classes[rows]
        loss -= np.log(_likelihoods(predicted, true)).sum()
        pause()
    return float(loss / len(order)), right / len(order)


def _likelihoods(probabilities: AnyArray, classes: Indices) -> AnyArray:
    """The probability of what is true, kept from 0: of each row, `[rows]`, or of each label, `[rows, labels]`."""
    if classes.ndim == 2:
        clipped = np.clip(probabilities, CLIP, 1 - CLIP)
        return np.where(classes == 1, clipped, 1 - clipped)
    if probabilities.shape[1] == 1:
        probabilities = np.hstack([1 - probabilities, probabilities])
    return np.clip(probabilities[np.arange(len(classes)), classes], CLIP, 1 - CLIP)


NEAR_SHARE = 0.5
"""A number counts as right in an epoch's figures if it is off by at most this share of the standard deviation."""


def _right_rows(predicted: AnyArray, of: Encoded, rows: Indices) -> int:
    """How many of some rows are predicted right, or of numbers nearly right."""
    if of.values is not None:
        return _near(predicted, of.values[rows])
    return _right(predicted, of.classes[rows])


def _near(predicted: AnyArray, values: Floats32) -> int:
    """How many numbers are predicted nearly right; both are standardised."""
    return int((np.abs(predicted[:, 0] - values) <= NEAR_SHARE).sum())


def _right(probabilities: AnyArray, classes: Indices) -> int:
    """How many rows are predicted right, ties broken as the finished model breaks them; of several labels, all."""
    if classes.ndim == 2:
        return int(((probabilities >= 0.5) == classes).all(axis=1).sum())
    predicted = probabilities[:, 0] >= 0.5 if probabilities.shape[1] == 1 else probabilities.argmax(axis=1)
    return int((predicted == classes).sum())
