"""Keras's LSTM layers, computed by this package's own kernels for the CPU where a mask is given.

Weights, names and configs are those of `keras.layers.LSTM` and `keras.layers.Bidirectional`, so weights go from one
to the other by `get_weights` and `set_weights`. Padding must follow the text; states are 0 there.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from keras import layers

from rnn_cli.network.recurrence import Recurrence

REQUIRED = {
    "activation": "tanh",
    "recurrent_activation": "sigmoid",
    "use_bias": True,
    "dropout": 0.0,
    "recurrent_dropout": 0.0,
    "return_state": False,
    "stateful": False,
}
"""What the kernels compute: an LSTM with the options that Keras gives it unasked."""


class FastLSTM(layers.LSTM):
    """`keras.layers.LSTM`, faster on a CPU. Raises `ValueError` for options that the kernels have not."""

    def __init__(self, units: int, **options: Any) -> None:
        super().__init__(units, **options)
        if self.go_backwards and self.return_sequences:
            raise ValueError("Keras answers such states last one first; use a Bidirectional")
        self._recurrence = _recurrence([self])

    def call(self, sequences: tf.Tensor, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        """The states `[batch, time, units]`, or the last one `[batch, units]`, as Keras's, but 0 in padding."""
        if mask is None or initial_state is not None:
            return super().call(sequences, initial_state=initial_state, mask=mask, training=training)
        return _compute(self._recurrence, [self], sequences, mask)


class FastBidirectional(layers.Bidirectional):
    """`keras.layers.Bidirectional` over two LSTMs, faster on a CPU. Raises `ValueError` as `FastLSTM` does."""

    def __init__(self, layer: layers.LSTM, **options: Any) -> None:
        super().__init__(layer, **options)
        if self.merge_mode != "concat":
            raise ValueError("the states can only be concatenated")
        self._recurrence = _recurrence([self.forward_layer, self.backward_layer])

    def call(self, sequences: tf.Tensor, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        """The states `[batch, time, 2 * units]`, or the last ones `[batch, 2 * units]`: Keras's, but 0 in padding."""
        if mask is None or initial_state is not None:
            return super().call(sequences, initial_state=initial_state, mask=mask, training=training)
        return _compute(self._recurrence, [self.forward_layer, self.backward_layer], sequences, mask)


def _recurrence(lstms: Sequence[layers.LSTM]) -> Recurrence:
    for lstm in lstms:
        if type(lstm) not in (layers.LSTM, FastLSTM):
            raise ValueError(f"{lstm.name} is not an LSTM")
        config = lstm.get_config()
        for option, value in REQUIRED.items():
            if config[option] != value:
                raise ValueError(f"{lstm.name} computes with {option}={value!r} only")
        if lstm.compute_dtype != "float32":
            raise ValueError(f"{lstm.name} computes in float32 only")
    first = lstms[0]
    directions = [lstm.go_backwards for lstm in lstms]
    return Recurrence(first.units, directions, return_sequences=first.return_sequences)


def _compute(recurrence: Recurrence, lstms: Sequence[layers.LSTM], x: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    variables = [v for lstm in lstms for v in (lstm.cell.kernel, lstm.cell.recurrent_kernel, lstm.cell.bias)]
    weights = [tf.convert_to_tensor(variable.value) for variable in variables]

    @tf.custom_gradient
    def states(x: tf.Tensor, *weights: tf.Tensor) -> Any:
        y, number = tf.numpy_function(recurrence.forward, [x, mask, *weights], [tf.float32, tf.int64])

        def gradients(dy: tf.Tensor) -> list[tf.Tensor]:
            found = tf.numpy_function(recurrence.backward, [dy, number], [tf.float32] * (1 + len(weights)))
            return [tf.ensure_shape(one, like.shape) for one, like in zip(found, [x, *weights], strict=True)]

        return y, gradients

    y = states(x, *weights)
    width = sum(lstm.units for lstm in lstms)
    shape = x.shape[:2] if lstms[0].return_sequences else x.shape[:1]
    return tf.ensure_shape(y, [*shape, width])
