"""Vanishing and exploding gradients, measured on the user's own texts.

For each cell, small networks read texts forwards and predict from their last state. The gradient of a text's loss at
a token's vector says how much the network can learn from that token. It has passed back through every state between
the token and the text's end, and is multiplied at each.

One network says little of its cell: another seed gives another curve. So each cell is measured with several seeds, on
the same texts, and all cells start alike, by rules that are in common use (see `start_weights`).

Source: Bengio, Simard and Frasconi (1994), Learning long-term dependencies with gradient descent is difficult; Pascanu,
Mikolov and Bengio (2013), On the difficulty of training recurrent neural networks.
"""

import math
from collections.abc import Callable
from itertools import count, islice

import keras
import numpy as np
import numpy.typing as npt
import tensorflow

from rnn_cli.arrays import Floats, Floats32
from rnn_cli.config.schema import ModelConfig
from rnn_cli.errors import RunFailed, UsageError
from rnn_cli.inspection.decay import Decay, Lesson, Spread
from rnn_cli.network.build import build
from rnn_cli.training.encoding import Encoded, epoch_batches
from rnn_cli.training.listener import Listener
from rnn_cli.training.prepare import Prepared

MEASURED_CELLS = ("rnn", "gru", "lstm")
"""From the plain cell to the one with the most gates."""

LEARNING_RATE, CLIP_NORM, BATCH_SIZE = 2e-3, 1.0, 64
"""Settings of the short training with Adam, the same for each cell."""

Gradient = Callable[[npt.NDArray[np.int32], npt.NDArray[np.intp]], npt.NDArray[np.float32]]

TOKEN_NAMES = {"word": "word", "char": "character", "sentence": "sentence", "subword": "word piece"}
"""The name of a token, by the tokenizer's level."""


def measure_gradients(run: Prepared, *, texts: int, seeds: int, steps: int, scale: float, listener: Listener) -> Lesson:
    """Measure each cell's gradient by distance from the end of the `texts` longest training texts.

    Takes at most a quarter of a small set, so that short texts do not limit the distances. Measures `seeds` networks a
    cell, the first of training.seed; multiplies the recurrent weights by `scale`. Trains each for `steps` batches
    between two measurements; with 0 measures once. Raises `RunFailed` if training diverges or leaves no gradient.
    """
    if run.config.data.several:
        what = "the lesson is about texts with one label each, and these may have several"
        raise UsageError(what, where="data.labels", hint="name a config of one label a text, as quick")
    if run.config.data.number:
        what = "the lesson is about a softmax over labels, not of numbers"
        raise UsageError(what, where="data.labels", hint="name a config of labels without an order, as quick")
    if run.config.data.ordered:
        what = "the lesson is about a softmax over labels, and ordered labels have none"
        raise UsageError(what, where="data.labels", hint="name a config of labels without an order, as quick")
    if run.columns is not None:
        what = "the lesson is about texts alone, and these rows have other columns"
        raise UsageError(what, where="data.extra_columns", hint="leave it out")
    first = run.config.training.seed
    rows = _longest(run.train, texts, first)
    chosen = Encoded([run.train.sequences[row] for row in rows], run.train.classes[rows], run.train.weights[rows])
    tensorflow.config.experimental.enable_op_determinism()
    decays = []
    for cell in MEASURED_CELLS:
        listener.note(f"measuring {cell}" + (f", and again after {steps} training steps" if steps else ""))
        before, after = [], []
        network = SeededNetwork(simplest(run.config.model, cell), run)
        for index in range(seeds):
            listener.progress("networks", index, seeds)
            network.start(first + index, scale)
            before.append(gradient_norms(network.gradient, chosen))
            if steps:
                network.train(steps, first + index)
                after.append(gradient_norms(network.gradient, chosen))
        decays.append(
            Decay(cell, Spread.of(np.concatenate(before)), Spread.of(np.concatenate(after)) if steps else None)
        )
    return Lesson(
        source=run.splits.train.name,
        unit=TOKEN_NAMES[run.config.tokenizer.level],
        texts=len(rows),
        tokens=int(chosen.lengths().min()),
        units=run.config.model.units[0],
        seeds=seeds,
        scale=scale,
        steps=steps,
        decays=tuple(decays),
    )


class SeededNetwork:
    """One cell's network, compiled once; `start` gives it the weights of a seed, whatever was trained before."""

    def __init__(self, config: ModelConfig, run: Prepared) -> None:
        self._config, self._train, self._vocab_size = config, run.train, run.tokenizer.vocab_size
        self._classes, self._lengths = len(run.labels), run.train.lengths()
        self.model = self._built(0)
        self.gradient = token_gradient(self.model)
        optimizer = keras.optimizers.Adam(LEARNING_RATE, global_clipnorm=CLIP_NORM)
        optimizer.build(self.model.trainable_variables)
        self.model.compile(optimizer=optimizer, loss=_loss(self.model)(), jit_compile=False)
        self._fresh = [(variable, keras.ops.convert_to_numpy(variable)) for variable in optimizer.variables]

    def _built(self, seed: int) -> keras.Model:
        return build(self._config, vocab_size=self._vocab_size, classes=self._classes, seed=seed)

    def start(self, seed: int, scale: float) -> None:
        """Draw the weights of a seed, and forget all training."""
        self.model.set_weights(self._built(seed).get_weights())
        layer = self.model.get_layer(f"{self._config.cell}_1")
        layer.set_weights(start_weights(self._config.cell, layer.get_weights(), seed, scale))
        for variable, value in self._fresh:
            variable.assign(value)

    def train(self, steps: int, seed: int) -> None:
        """Train on `steps` batches, in the order of a seed."""
        keras.utils.set_random_seed(seed)
        order = (
            rows for epoch in count(1) for rows in epoch_batches(self._lengths, BATCH_SIZE, seed=seed, epoch=epoch)
        )
        width = int(self._lengths.max())
        for step, rows in enumerate(islice(order, steps), start=1):
            ids = self._train.ids(rows)
            ids = np.pad(ids, [(0, 0), (0, width - ids.shape[1])])  # one shape, else TensorFlow compiles each anew
            found = float(self.model.train_on_batch(ids, self._train.classes[rows][:, None]))
            if not math.isfinite(found):
                raise RunFailed(f"the loss is {found} at step {step}", hint="use fewer --steps, or a smaller --scale")


def start_weights(cell: str, weights: list[Floats32], seed: int, scale: float) -> list[Floats32]:
    """A layer's weights (of Keras: kernel, recurrent kernel, bias) as every measurement starts.

    All cells draw their recurrent weights evenly from ±1/√units, times `scale`: the common rule for small random
    weights, and that of PyTorch's RNN, GRU and LSTM. Keras draws orthogonal ones: a plain cell with small inputs, which
    is nearly linear, then keeps nearly the whole gradient until it has learned something, which teaches nothing of
    plain cells. The gates start with the biases that are in use, so that they keep more than half of the state: 1 for
    the forget gate of an LSTM, and 1 for both gates of a GRU, where Keras has 0 and halves the state at each token.

    Source: Glorot and Bengio (2010), Understanding the difficulty of training deep feedforward neural networks,
    equation 1 (the common rule); Jozefowicz, Zaremba and Sutskever (2015), An empirical exploration of recurrent
    network architectures (the forget gate's bias); TensorFlow's `GRUCell` (the GRU's).
    """
    kernel, recurrent, bias = weights
    units = recurrent.shape[0]
    most = scale / math.sqrt(units)
    drawn = np.random.default_rng([seed, units]).uniform(-most, most, recurrent.shape).astype(np.float32)
    bias = np.zeros_like(bias)
    if cell == "lstm":
        bias[units : 2 * units] = 1  # input, forget, candidate, output
    elif cell == "gru":
        bias[0, : 2 * units] = 1  # update, reset, candidate; the second row is added to the recurrent product
    return [kernel, drawn, bias]


def simplest(config: ModelConfig, cell: str) -> ModelConfig:
    """One forward layer of `cell` that predicts from its last state: the gradient can only go back through time."""
    return ModelConfig(
        embedding_dim=config.embedding_dim, cell=cell, units=config.units[:1], bidirectional=False, dense_units=[]
    )


def token_gradient(model: keras.Model) -> Gradient:
    """A function from ids `[texts, time]` and classes `[texts]` to the gradient of each text's loss at its vectors.

    The gradient, `[texts, time, embedding_dim]`, is that of a model from `build` with its current weights.
    """
    both = keras.Model(model.input, [model.get_layer("embedding").output, model.output])
    loss = _loss(model)(reduction="sum")

    @tensorflow.function(reduce_retracing=True, autograph=False)  # type: ignore[untyped-decorator]  # autograph would leave files
    def gradient(ids: tensorflow.Tensor, classes: tensorflow.Tensor) -> tensorflow.Tensor:
        with tensorflow.GradientTape() as tape:
            vectors, predicted = both(ids, training=False)
            total = loss(classes[:, None], predicted)
        return tape.gradient(total, vectors)

    return lambda ids, classes: np.asarray(gradient(tensorflow.constant(ids), tensorflow.constant(classes)))


def gradient_norms(gradient: Gradient, texts: Encoded) -> Floats:
    """Euclidean norms of `gradient` at each token vector, by the token's distance from its text's end.

    Returns `[texts, length of the shortest]`, without texts whose loss has no gradient. Infinity means more than 32
    bits can hold. Raises `RunFailed` if no text is left.
    """
    lengths = texts.lengths()
    parts = []
    for start in range(0, len(lengths), BATCH_SIZE):
        rows = np.arange(start, min(start + BATCH_SIZE, len(lengths)))
        found = gradient(texts.ids(rows), texts.classes[rows]).astype(np.float64)
        norms = np.linalg.norm(np.where(np.isfinite(found), found, np.inf), axis=-1)
        indices = lengths[rows, None] - 1 - np.arange(lengths.min())
        parts.append(np.take_along_axis(norms, indices, axis=1))
    by_distance: Floats = np.concatenate(parts)
    by_distance = by_distance[by_distance[:, 0] > 0]
    if not len(by_distance):
        raise RunFailed("the network has memorized every text, so no loss has a gradient", hint="use fewer --steps")
    return by_distance


def _loss(model: keras.Model) -> type[keras.losses.Loss]:
    if model.output_shape[-1] == 1:
        return keras.losses.BinaryCrossentropy  # type: ignore[no-any-return]
    return keras.losses.SparseCategoricalCrossentropy  # type: ignore[no-any-return]


def _longest(train: Encoded, texts: int, seed: int) -> npt.NDArray[np.intp]:
    lengths = train.lengths()
    texts = min(texts, math.ceil(len(lengths) / 4))
    long_enough = np.flatnonzero(lengths >= np.sort(lengths)[-texts])
    return np.sort(np.random.default_rng(seed).choice(long_enough, texts, replace=False))
