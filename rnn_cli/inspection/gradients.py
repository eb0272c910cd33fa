"""Vanishing and exploding gradients, measured on the user's own texts.

For each cell, a small network reads texts forwards and predicts from its last state. The gradient of a text's loss at
a token's vector says how much the network can learn from that token. It has passed back through every state between
the token and the text's end, and is multiplied at each.

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

from rnn_cli.arrays import Floats
from rnn_cli.config.schema import ModelConfig
from rnn_cli.errors import RunFailed
from rnn_cli.inspection.decay import Decay, Lesson, left
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


def measure_gradients(run: Prepared, *, texts: int, steps: int, scale: float, listener: Listener) -> Lesson:
    """Measure each cell's gradient by distance from the end of the `texts` longest training texts.

    Takes at most a quarter of a small set, so that short texts do not limit the distances. Multiplies the recurrent
    weights by `scale`. Trains for `steps` batches between two measurements; with 0 measures once. Seeded by
    training.seed. Raises `RunFailed` if training diverges or leaves no gradient.
    """
    seed = run.config.training.seed
    rows = _longest(run.train, texts, seed)
    chosen = Encoded([run.train.sequences[row] for row in rows], run.train.classes[rows], run.train.weights[rows])
    tensorflow.config.experimental.enable_op_determinism()
    decays = []
    for cell in MEASURED_CELLS:
        listener.note(f"measuring {cell}" + (f", and again after {steps} training steps" if steps else ""))
        keras.utils.set_random_seed(seed)
        config = simplest(run.config.model, cell)
        model = build(config, vocab_size=run.tokenizer.vocab_size, classes=len(run.labels), seed=seed)
        _scale(model.get_layer(f"{cell}_1"), scale)
        gradient = token_gradient(model)
        untrained, trained = left(gradient_norms(gradient, chosen)), None
        if steps:
            _train(model, run.train, steps, seed, listener)
            trained = left(gradient_norms(gradient, chosen))
        decays.append(Decay(cell, untrained, trained))
    return Lesson(
        source=run.splits.train.name,
        unit=TOKEN_NAMES[run.config.tokenizer.level],
        texts=len(rows),
        tokens=int(chosen.lengths().min()),
        units=run.config.model.units[0],
        scale=scale,
        steps=steps,
        decays=tuple(decays),
    )


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


def _scale(layer: keras.layers.Layer, factor: float) -> None:
    kernel, recurrent, bias = layer.get_weights()
    layer.set_weights([kernel, recurrent * np.float32(factor), bias])


def _train(model: keras.Model, train: Encoded, steps: int, seed: int, listener: Listener) -> None:
    optimizer = keras.optimizers.Adam(LEARNING_RATE, global_clipnorm=CLIP_NORM)
    model.compile(optimizer=optimizer, loss=_loss(model)(), jit_compile=False)
    lengths = train.lengths()
    batches = (rows for epoch in count(1) for rows in epoch_batches(lengths, BATCH_SIZE, seed=seed, epoch=epoch))
    for step, rows in enumerate(islice(batches, steps), start=1):
        listener.progress("training steps", step - 1, steps)
        found = float(model.train_on_batch(train.ids(rows), train.classes[rows][:, None]))
        if not math.isfinite(found):
            raise RunFailed(f"the loss is {found} at step {step}", hint="use fewer --steps, or a smaller --scale")
