"""One step of learning: a batch through a Keras model, its gradient, its clipping, the optimizer.

Knows nothing of epochs, texts or files.
"""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnn_cli.arrays import AnyArray, Floats32, Ids, Indices
from rnn_cli.config.schema import TrainingConfig
from rnn_cli.network.build import LOGITS, columns_of_network
from rnn_cli.training.loop import StepResult

OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "nadam": keras.optimizers.Nadam,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}


COMPILED_FROM = 2_000_000
"""Number of weights from which a compiled update is worth the 140 MB that compiling takes: with 9 million weights it is
6 times as fast and holds fewer copies of them."""


class Learner:
    """A model and its optimizer, for a training of `steps` steps in all.

    For texts of several labels, `positive` is the weight of the rows with each label in its own loss, `[labels]`. With
    `numbers` it learns standardised numbers by Huber's loss, whose slope is bounded: one far number moves it no more
    than others.

    Source: Huber (1964), Robust estimation of a location parameter.
    """

    def __init__(
        self,
        model: keras.Model,
        config: TrainingConfig,
        steps: int,
        positive: Floats32 | None = None,
        *,
        numbers: bool = False,
    ) -> None:
        self.model = model
        self.optimizer = _optimizer(config, steps)
        self.optimizer.build(model.trainable_variables)
        self.width = model.output_shape[-1]
        self._clip_norm = config.clip_norm
        loss = keras.losses.BinaryCrossentropy if self.width == 1 else keras.losses.CategoricalCrossentropy
        self._loss = loss(from_logits=True, label_smoothing=config.label_smoothing)
        self._several, self._numbers = positive is not None, numbers
        if numbers:
            self._loss = keras.losses.Huber(delta=1.0)
        if positive is not None:
            self._loss = _loss_of_each(positive, config.label_smoothing)
        # Only this part learns. An n-gram part, if there is one, is fitted before.
        self._network = keras.Model(model.input, model.get_layer(LOGITS).output)
        ids, targets, weights = (
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None, self.width], tf.float32),
            tf.TensorSpec([None], tf.float32),
        )
        columns = columns_of_network(model)
        beside = [tf.TensorSpec([None, columns], tf.float32)] if columns else []
        # XLA reads the weights once, the plain graph once per operation.
        weights_in_all = sum(math.prod(variable.shape) for variable in model.trainable_variables)
        graph = partial(tf.function, autograph=False)  # autograph writes files, and no condition below is a tensor
        self._change = graph(self._change_weights, jit_compile=weights_in_all >= COMPILED_FROM)
        # One graph for batches of every shape; XLA would compile once per shape.
        self._step = graph(self._take_step, input_signature=[ids, targets, weights, *beside])
        self._predict = graph(
            lambda ids, *beside: model(_inputs(ids, beside), training=False), input_signature=[ids, *beside]
        )

    def learn(self, ids: Ids, targets: Indices | Floats32, weights: Floats32, *beside: Floats32) -> StepResult:
        """Take one step on a batch: ids `[rows, time]`, targets as `Encoded` has them, weights in the loss `[rows]`.

        `beside` are the numbers of other columns, `[rows, width]`, for a model that takes them.
        """
        loss, predicted, norm = self._step(ids, self._targets(targets), weights, *beside)
        return StepResult(float(loss), predicted.numpy(), float(norm))

    def probabilities(self, ids: Ids, *beside: Floats32) -> Floats32:
        """Probabilities `[rows, 1 or classes]` of ids `[rows, time]`, without dropout; `beside` as in `learn`."""
        predicted: Floats32 = self._predict(ids, *beside).numpy()
        return predicted

    @property
    def learning_rate(self) -> float:
        """The rate of the next step."""
        return float(self.optimizer.learning_rate)

    def weights(self) -> list[AnyArray]:
        """The model's weights."""
        weights: list[AnyArray] = self.model.get_weights()
        return weights

    def set_weights(self, weights: list[AnyArray]) -> None:
        """Put weights back."""
        self.model.set_weights(weights)

    def state(self) -> dict[str, list[AnyArray]]:
        """Everything the next steps depend on: weights, counters of random seeds, the optimizer's moments and count."""
        return {
            "model": [variable.numpy() for variable in self.model.variables],
            "optimizer": [variable.numpy() for variable in self.optimizer.variables],
        }

    def restore(self, state: Mapping[str, list[AnyArray]]) -> None:
        """Put a `state` back; raises `ValueError` if it belongs to another network."""
        for variables, values in (
            (self.model.variables, state["model"]),
            (self.optimizer.variables, state["optimizer"]),
        ):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)

    def _targets(self, targets: Indices | Floats32) -> Floats32:
        """What the network's outputs ought to be, `[rows, width]`."""
        if self._numbers:
            return np.asarray(targets[:, None], np.float32)
        if targets.ndim == 1:
            targets = np.eye(max(self.width, 2), dtype=np.float32)[targets]
        return np.asarray(targets[:, 1:] if self.width == 1 else targets, np.float32)

    def _take_step(
        self, ids: tf.Tensor, targets: tf.Tensor, weights: tf.Tensor, *beside: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            logits = self._network(_inputs(ids, beside), training=True)
            loss = self._loss(targets, logits, sample_weight=weights)
        predicted = tf.sigmoid(logits) if self.width == 1 or self._several else tf.nn.softmax(logits)
        predicted = logits if self._numbers else predicted
        # Dense, not one slice per token: a token that a batch holds twice must count once in the norm.
        norm = self._change([tf.convert_to_tensor(each) for each in tape.gradient(loss, variables)])
        return loss, predicted, norm

    def _change_weights(self, gradient: list[tf.Tensor]) -> tf.Tensor:
        norm = tf.linalg.global_norm(gradient)
        if self._clip_norm is not None:
            gradient, _ = tf.clip_by_global_norm(gradient, self._clip_norm, use_norm=norm)
        self.optimizer.apply(gradient, self.model.trainable_variables)
        return norm


def _inputs(ids: tf.Tensor, beside: tuple[tf.Tensor, ...]) -> tf.Tensor | list[tf.Tensor]:
    return [ids, *beside] if beside else ids


def _loss_of_each(positive: Floats32, smoothing: float) -> Callable[..., tf.Tensor]:
    """The binary cross-entropy of each label, summed over labels, weighted mean over rows; `positive` is `[labels]`."""

    def loss(targets: tf.Tensor, logits: tf.Tensor, sample_weight: tf.Tensor) -> tf.Tensor:
        smooth = targets * (1 - smoothing) + smoothing / 2
        each = tf.nn.weighted_cross_entropy_with_logits(smooth, logits, tf.constant(positive))
        return tf.reduce_mean(sample_weight * tf.reduce_sum(each, axis=1))

    return loss


def _optimizer(config: TrainingConfig, steps: int) -> keras.optimizers.Optimizer:
    rate: Any = config.learning_rate
    if config.schedule == "linear":
        rate = keras.optimizers.schedules.PolynomialDecay(rate, steps, end_learning_rate=0.0)
    elif config.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, steps)
    # AdamW does not accept None; the others skip a pass over all weights with it.
    decay = config.weight_decay if config.weight_decay or config.optimizer == "adamw" else None
    return OPTIMIZERS[config.optimizer](rate, weight_decay=decay)
