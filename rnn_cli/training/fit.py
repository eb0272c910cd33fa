"""The training loop: batches through a Keras model until its best epoch is found.

Knows nothing of texts, labels' names or files.
"""

import math
import time
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from rnn_cli.config import TrainingConfig
from rnn_cli.errors import RunFailed
from rnn_cli.training.batches import Encoded, epoch_batches, epoch_steps
from rnn_cli.training.listener import EpochFigures, Listener

OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "nadam": keras.optimizers.Nadam,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}

SMALLEST = 1e-7
"""Probabilities are kept this far from 0 and 1 in the validation loss, as Keras keeps them in the training loss."""


def fit(
    model: keras.Model, config: TrainingConfig, train: Encoded, validation: Encoded, listener: Listener
) -> tuple[list[EpochFigures], EpochFigures]:
    """Train `model` in place and leave it with its best epoch's weights; answers the history and that epoch.

    The best epoch is the first with the least validation loss or the greatest validation accuracy, as
    `early_stopping.monitor` says. Raises `RunFailed` as soon as a loss is no longer a finite number.
    """
    steps = epoch_steps(len(train.classes), config.batch_size)
    _compile(model, config, steps * config.epochs)
    history: list[EpochFigures] = []
    for epoch in range(1, config.epochs + 1):
        listener.epoch_starts(epoch, config.epochs, steps)
        figures = _epoch(model, config, train, validation, epoch, listener)
        history.append(figures)
        best = max(history, key=lambda past: _score(past, config))  # the first of equals
        if best is figures:
            best_weights = model.get_weights()
        listener.epoch_done(figures, best=best is figures)
        if config.early_stopping and epoch - best.epoch >= config.early_stopping.patience:
            break
    model.set_weights(best_weights)
    return history, best


def _score(figures: EpochFigures, config: TrainingConfig) -> float:
    by_accuracy = config.early_stopping is not None and config.early_stopping.monitor == "accuracy"
    return figures.val_accuracy if by_accuracy else -figures.val_loss


def _compile(model: keras.Model, config: TrainingConfig, steps: int) -> None:
    rate: Any = config.learning_rate
    if config.schedule == "linear":
        rate = keras.optimizers.schedules.PolynomialDecay(rate, steps, end_learning_rate=0.0)
    elif config.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, steps)
    # AdamW takes no None; the others need not walk over all weights to take nothing away.
    decay = config.weight_decay if config.weight_decay or config.optimizer == "adamw" else None
    optimizer = OPTIMIZERS[config.optimizer](rate, global_clipnorm=config.clip_norm, weight_decay=decay)
    binary = model.output_shape[-1] == 1
    loss = keras.losses.BinaryCrossentropy if binary else keras.losses.CategoricalCrossentropy
    accuracy = keras.metrics.BinaryAccuracy if binary else keras.metrics.CategoricalAccuracy
    # XLA would compile anew for every length of batch.
    model.compile(
        optimizer=optimizer,
        loss=loss(label_smoothing=config.label_smoothing),
        metrics=[accuracy(name="accuracy")],
        jit_compile=False,
    )


def _epoch(
    model: keras.Model,
    config: TrainingConfig,
    train: Encoded,
    validation: Encoded,
    epoch: int,
    listener: Listener,
) -> EpochFigures:
    started = time.monotonic()
    loss, right, seen = 0.0, 0.0, 0
    rows_of_batches = epoch_batches(train.lengths(), config.batch_size, seed=config.seed, epoch=epoch)
    for number, rows in enumerate(rows_of_batches, start=1):
        batch = model.train_on_batch(
            train.ids(rows),
            _targets(train.classes[rows], model.output_shape[-1]),
            train.weights[rows],
            return_dict=True,
        )
        if not math.isfinite(batch["loss"]):
            raise _diverged("loss", float(batch["loss"]), f"epoch {epoch}, batch {number}")
        loss += float(batch["loss"]) * len(rows)
        right += float(batch["accuracy"]) * len(rows)
        seen += len(rows)
        listener.step_done(loss / seen, right / seen)
    val_loss, val_accuracy = _validate(model, validation, config.batch_size)
    if not math.isfinite(val_loss):
        raise _diverged("validation loss", val_loss, f"epoch {epoch}")
    return EpochFigures(
        epoch=epoch,
        loss=loss / seen,
        accuracy=right / seen,
        val_loss=val_loss,
        val_accuracy=val_accuracy,
        learning_rate=float(model.optimizer.learning_rate),
        seconds=time.monotonic() - started,
    )


def _diverged(what: str, value: float, when: str) -> RunFailed:
    mend = "try a smaller training.learning_rate, or training.clip_norm: 1.0"
    return RunFailed(f"the {what} is {value} at {when}", mend=mend)


def _validate(model: keras.Model, validation: Encoded, batch_size: int) -> tuple[float, float]:
    order = np.argsort(validation.lengths(), kind="stable")
    loss, right = 0.0, 0
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        answers = np.asarray(model.predict_on_batch(validation.ids(rows)), np.float64)
        true = validation.classes[rows]
        if answers.shape[1] == 1:
            chosen = answers[:, 0] >= 0.5  # as the finished model will choose, a tie too
            answers = np.hstack([1 - answers, answers])
        else:
            chosen = answers.argmax(axis=1)
        loss -= np.log(np.clip(answers[np.arange(len(rows)), true], SMALLEST, 1 - SMALLEST)).sum()
        right += int((chosen == true).sum())
    return float(loss / len(order)), right / len(order)


def _targets(classes: npt.NDArray[np.intp], width: int) -> npt.NDArray[np.float32]:
    if width == 1:
        return classes.astype(np.float32)[:, None]
    return np.eye(width, dtype=np.float32)[classes]
