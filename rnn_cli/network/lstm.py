"""Keras's LSTM layers with this package's CPU kernels, used where a mask is given.

Weights, names and configs are those of `keras.layers.LSTM` and `keras.layers.Bidirectional`, so `get_weights` and
`set_weights` exchange weights with them. Padding must follow the text; states are 0 there.
"""

import math
import weakref
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from keras import layers

from rnn_cli.network import kernels
from rnn_cli.network.kernels import LANES, Matrix, RowNumbers, Sequences, panels
from rnn_cli.system import cores

SLICE = 32
"""The maximum of texts per task. Fixed, so that results do not depend on the number of cores."""

MOST_SLICES = 16
"""The maximum of slices per batch: each holds its own sum of the weights' gradient."""

ALIGNMENT = 16
"""The alignment of TensorFlow's memory in floats."""


@dataclass(frozen=True)
class _Slice:
    """Some texts of a batch, longest first, and the start of each time step's packed rows, and their end."""

    rows: RowNumbers
    starts: RowNumbers


@dataclass(frozen=True)
class _Batch:
    """The data that a forward pass keeps for its backward pass, besides the activations."""

    shape: tuple[int, ...]
    mask: npt.NDArray[np.bool_]
    slices: Sequence[_Slice]
    transposed: Sequence[Matrix]


class _Outputs:
    """Output arrays, in memory that is reused once no array refers to it."""

    def __init__(self) -> None:
        self._given: list[tuple[Matrix, weakref.ref[Matrix]]] = []

    def take(self, *shape: int) -> Sequences:
        """An uninitialized array with TensorFlow's alignment, so that TensorFlow does not copy it."""
        size = math.prod(shape)
        needed = size + ALIGNMENT
        self._given = [(memory, user) for memory, user in self._given if user() is not None or memory.size >= needed]
        free = next((each for each in self._given if each[1]() is None), None)
        self._given = [each for each in self._given if each is not free]
        memory = free[0] if free else np.empty(needed, np.float32)
        # Made from the bytes, not from the array: a view keeps its base array alive, which has to be `user`.
        user = np.frombuffer(memory.data, np.float32)
        self._given.append((memory, weakref.ref(user)))
        start = -user.ctypes.data // user.itemsize % ALIGNMENT
        return user[start : start + size].reshape(shape)


class Recurrence:
    """LSTMs of `units` units that read the same texts, one per direction (True: from the last token to the first).

    Keeps the activations of the last forward pass in memory that the next one reuses: the first use of new memory takes
    as long as filling it several times.
    """

    def __init__(self, units: int, directions: Sequence[bool], *, return_sequences: bool) -> None:
        self._units = units
        self._directions = list(enumerate(directions))
        self._whole = return_sequences
        self._memory: dict[str, Matrix] = {}
        self._states, self._gradients = _Outputs(), _Outputs()
        self._passes = 0
        self._last: _Batch | None = None

    def forward(self, x: Sequences, mask: npt.NDArray[np.bool_], *weights: Matrix) -> tuple[Sequences, np.int64]:
        """The states `[batch, time, directions * units]`, or only the last ones, without `time`; and the pass's number.

        `x` is `[batch, time, inputs]`; `weights` holds each direction's kernel, recurrent kernel and bias. States are 0
        where `mask` is False. Raises `ValueError` unless that is after the end of each text, and nowhere else.
        """
        batch, time, inputs = x.shape
        lengths = np.count_nonzero(mask, axis=1).astype(np.int64)
        if not np.array_equal(mask, np.arange(time) < lengths[:, None]):
            raise ValueError("padding must follow the text")
        slices = _slices(lengths)
        stacked = [self._stack(*weights[3 * number : 3 * number + 3]) for number, _ in self._directions]
        forth = [panels(weight) for weight in stacked]
        joined, gates, cells = self._activations(int(np.count_nonzero(mask)), inputs)
        y = self._states.take(batch, time if self._whole else 1, len(self._directions) * self._units)
        if y.shape[1] == time:
            y[~mask] = 0

        def task(part: _Slice, number: int, back: bool) -> None:
            kernels.forward(
                x, part.rows, part.starts, back,
                forth[number], joined[number], gates[number], cells[number], y, number * self._units,
            )  # fmt: skip

        _run(task, [(part, number, back) for part in slices for number, back in self._directions])
        transposed = [panels(np.pad(weight[:-1], ((0, 0), (0, -weight.shape[1] % LANES))).T) for weight in stacked]
        self._last = _Batch(x.shape, mask.copy(), slices, transposed)
        self._passes += 1
        return y if self._whole else y[:, 0], np.int64(self._passes)

    def backward(self, dy: Sequences, number_of_pass: np.int64) -> list[npt.NDArray[np.float32]]:
        """The loss's gradients by `x` and `weights` of a forward pass, from `dy`, the gradient by its states.

        Raises `RuntimeError` if another forward pass, or this backward pass, has overwritten its activations.
        """
        batch, self._last = self._last, None
        if batch is None or number_of_pass != self._passes:
            raise RuntimeError("a backward pass must follow its own forward pass, once")
        inputs = batch.shape[2]
        joined, gates, cells = self._activations(int(np.count_nonzero(batch.mask)), inputs)
        dx = self._take("dx", gates.shape[1], inputs)
        parts = np.empty((len(self._directions), len(batch.slices), joined.shape[2], gates.shape[2]), np.float32)
        dy = dy if self._whole else dy[:, None]

        def task(index: int, number: int, back: bool) -> None:
            part, left, gradient = batch.slices[index], number * self._units, parts[number, index]
            kernels.backward(
                dy, self._whole, left, part.rows, part.starts, back, batch.transposed[number],
                joined[number], gates[number], cells[number], dx[number], gradient,
            )  # fmt: skip

        _run(task, [(index, number, back) for index in range(len(batch.slices)) for number, back in self._directions])
        out = self._gradients.take(*batch.shape)
        out[~batch.mask] = 0
        _run(kernels.add_up_directions, [(dx, part.rows, part.starts, out) for part in batch.slices])
        gradients = [self._split(total, inputs) for total in parts.sum(axis=1)]
        return [out, *(gradient for direction in gradients for gradient in direction)]

    def _stack(self, kernel: Matrix, recurrent: Matrix, bias: Matrix) -> Matrix:
        return np.vstack([kernel, recurrent, bias]) * self._halves()

    def _split(self, gradient: Matrix, inputs: int) -> tuple[Matrix, Matrix, Matrix]:
        whole = gradient[:, : 4 * self._units] * self._halves()
        return whole[:inputs], whole[inputs:-1], whole[-1]

    def _halves(self) -> Matrix:
        return np.repeat(np.array([0.5, 0.5, 1, 0.5], np.float32), self._units)

    def _activations(self, packed: int, inputs: int) -> tuple[Sequences, Sequences, Sequences]:
        joined = self._take("joined", packed, inputs + self._units + 1)
        gates = self._take("gates", packed, -(-4 * self._units // LANES) * LANES)
        return joined, gates, self._take("cells", packed, self._units)

    def _take(self, name: str, packed: int, width: int) -> Sequences:
        shape = (len(self._directions), packed, width)
        size = math.prod(shape)
        if name not in self._memory or self._memory[name].size < size:
            self._memory[name] = np.empty(size, np.float32)
        return self._memory[name][:size].reshape(shape)


def _slices(lengths: RowNumbers) -> list[_Slice]:
    order = np.argsort(-lengths, kind="stable")
    slices, start = [], 0
    for rows in np.array_split(order, min(-(-len(order) // SLICE), MOST_SLICES)):
        counts = np.count_nonzero(lengths[rows] > np.arange(lengths[rows[0]])[:, None], axis=1)
        starts = start + np.concatenate([[0], np.cumsum(counts)])
        slices.append(_Slice(rows, starts))
        start = starts[-1]
    return slices


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(cores(), thread_name_prefix="lstm")


def _run(task: Callable[..., None], arguments: Iterable[tuple[Any, ...]]) -> None:
    for done in [_threads().submit(task, *each) for each in arguments]:
        done.result()


REQUIRED = {
    "activation": "tanh",
    "recurrent_activation": "sigmoid",
    "use_bias": True,
    "dropout": 0.0,
    "recurrent_dropout": 0.0,
    "return_state": False,
    "stateful": False,
}
"""The only options that the kernels compute: Keras's defaults for an LSTM."""


class FastLSTM(layers.LSTM):
    """`keras.layers.LSTM`, faster on a CPU. Raises `ValueError` for options that the kernels do not support."""

    def __init__(self, units: int, **options: Any) -> None:
        super().__init__(units, **options)
        if self.go_backwards and self.return_sequences:
            raise ValueError("Keras returns such states in reverse order; use a Bidirectional")
        self._recurrence = _recurrence([self])

    def call(self, sequences: tf.Tensor, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        """The states `[batch, time, units]`, or the last one `[batch, units]`, like Keras's, but 0 in padding."""
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
        """The states `[batch, time, 2 * units]`, or the last ones `[batch, 2 * units]`; 0 in padding."""
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
