"""Builds the `keras.Model` of a config: ids in, probabilities out.

Without `fast`, the model consists of Keras's own layers and operations, so `keras.saving.load_model` opens it anywhere.
Every layer that reads along the text masks padding (id 0), so padding never changes a probability.
"""

from collections.abc import Callable
from functools import cache

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from rnn_cli.arrays import Floats32
from rnn_cli.config.schema import ModelConfig
from rnn_cli.graph.skeleton import COLUMNS_INPUT, FAR_BELOW

LOGITS, NGRAMS, NGRAM_LOGITS, COLUMN_WEIGHTS = "logits", "ngrams", "ngram_logits", "column_weights"
"""Names of layers: the recurrent network's logits, the n-grams' weights, the n-grams' logits, and in these the weights
of other columns."""

CELL_LAYERS = {"lstm": layers.LSTM, "gru": layers.GRU, "rnn": layers.SimpleRNN}


def build(
    config: ModelConfig,
    *,
    vocab_size: int,
    classes: int,
    seed: int,
    several: bool = False,
    numbers: bool = False,
    columns: int = 0,
    embeddings: Floats32 | None = None,
    fast: bool = False,
) -> keras.Model:
    """The network with initial weights drawn from `seed`.

    Takes int32 ids `[batch, time]`, padded after the text with 0, with at least one id above 0 per row. Returns the
    positive class's probability `[batch, 1]` for two classes, else all probabilities `[batch, classes]`, with `several`
    each by itself (a sigmoid), as a text may then be of several classes or of none. With `numbers`, of two classes, it
    returns the one output as it is. With `columns`, it takes as many numbers of other columns, too, `[batch, columns]`,
    which join the text's vector and the n-grams. `embeddings`, if given, holds the initial token vectors,
    `[vocab_size, embedding_dim]`.

    With `ngrams`, the logits are the mean of the recurrent network's logits (layer `LOGITS`) and those of a linear
    model over n-grams. Its layers `NGRAMS` and `NGRAM_LOGITS` hold zeros until they are set; training does not change
    them.

    With `fast`, the LSTMs are this package's where these are faster and can be compiled, with the same names and
    weights: a model to train, not to save.
    """
    fast = fast and _suits_kernels(config) and kernels_fault() is None
    next_seed = _seeds(seed)
    ids = keras.Input((None,), dtype="int32", name="ids")
    beside = keras.Input((columns,), dtype="float32", name=COLUMNS_INPUT) if columns else None
    mask = ops.not_equal(ids, 0)
    x = _input(config, ids, vocab_size, next_seed, embeddings)
    for depth, units in enumerate(config.units, start=1):
        is_top = depth == len(config.units)
        whole = not is_top or config.pooling != "last"
        x = _recurrent(config, units, depth, whole=whole, fast=fast, seed=next_seed)(x, mask=mask)
        x = _dropout(config.dropout, next_seed)(x) if config.dropout else x
    x = _pool(config.pooling, x, mask)
    if beside is not None:
        x = layers.Concatenate(name="joined")([x, beside])
    for depth, units in enumerate(config.dense_units, start=1):
        x = layers.Dense(units, "relu", kernel_initializer=_glorot(next_seed), name=f"dense_{depth}")(x)
        x = _dropout(config.dropout, next_seed)(x) if config.dropout else x
    width, activation = (1, "sigmoid") if classes == 2 else (classes, "softmax")
    if several:
        width, activation = classes, "sigmoid"
    elif numbers:
        activation = "linear"
    x = layers.Dense(width, kernel_initializer=_glorot(next_seed), name=LOGITS)(x)
    if config.ngrams:
        x = layers.Average(name="average")([x, _ngram_logits(config, ids, vocab_size, width, beside)])
    x = layers.Activation(activation, name="probability")(x)
    return keras.Model(ids if beside is None else [ids, beside], x, name="classifier")


def columns_of_network(model: keras.Model) -> int:
    """How many numbers of other columns a model from `build` takes."""
    return int(model.inputs[1].shape[-1]) if len(model.inputs) > 1 else 0


def is_slow(config: ModelConfig) -> bool:
    """Whether training is slow here because this package's LSTMs would suit the network but cannot be compiled."""
    return _suits_kernels(config) and kernels_fault() is not None


@cache
def kernels_fault() -> str | None:
    """Why this package's LSTMs cannot be compiled on this machine; None if they can.

    numba may be missing, not match numpy's version, or fail to compile. It compiles at the first call, so both passes
    are run once.
    """
    try:
        from rnn_cli.network.lstm import Recurrence

        tried = Recurrence(1, [False, True], return_sequences=True)
        weights = [np.ones(shape, np.float32) for shape in ((1, 4), (1, 4), 4)] * 2
        states, number = tried.forward(np.ones((1, 1, 1), np.float32), np.ones((1, 1), np.bool_), *weights)
        tried.backward(states, number)
    except Exception as error:
        return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
    return None


def _suits_kernels(config: ModelConfig) -> bool:
    # On a GPU, Keras uses cuDNN's LSTM.
    gpu = bool(tf.config.list_physical_devices("GPU"))
    return config.cell == "lstm" and config.input == "embedding" and not config.recurrent_dropout and not gpu


def _seeds(seed: int) -> Callable[[], int]:
    generator = np.random.default_rng(seed)
    return lambda: int(generator.integers(2**31))


def _glorot(seed: Callable[[], int]) -> keras.initializers.Initializer:
    return keras.initializers.GlorotUniform(seed=seed())


def _dropout(rate: float, seed: Callable[[], int]) -> layers.Layer:
    return layers.Dropout(rate, seed=seed())


def _input(
    config: ModelConfig,
    ids: keras.KerasTensor,
    vocab_size: int,
    seed: Callable[[], int],
    embeddings: Floats32 | None,
) -> keras.KerasTensor:
    if config.input == "one_hot":
        return ops.one_hot(ids, vocab_size)
    embedding = layers.Embedding(
        vocab_size,
        config.embedding_dim,
        embeddings_initializer=keras.initializers.RandomUniform(seed=seed()),
        trainable=config.trainable_embeddings,
        name="embedding",
    )
    x = embedding(ids)
    if embeddings is not None:
        embedding.set_weights([embeddings])
    if config.embedding_dropout:
        x = layers.SpatialDropout1D(config.embedding_dropout, seed=seed())(x)
    return x


def _recurrent(
    config: ModelConfig, units: int, depth: int, *, whole: bool, fast: bool, seed: Callable[[], int]
) -> layers.Layer:
    def cell(kind: type[layers.Layer], name: str, **direction: bool) -> layers.Layer:
        return kind(
            units,
            return_sequences=whole,
            recurrent_dropout=config.recurrent_dropout,
            kernel_initializer=_glorot(seed),
            recurrent_initializer=keras.initializers.Orthogonal(seed=seed()),
            seed=seed(),
            name=name,
            **direction,
        )

    name = f"{config.cell}_{depth}"
    kind, alone, both = CELL_LAYERS[config.cell], CELL_LAYERS[config.cell], layers.Bidirectional
    if fast:
        from rnn_cli.network.lstm import FastBidirectional, FastLSTM

        alone, both = FastLSTM, FastBidirectional
    if not config.bidirectional:
        return cell(alone, name)
    # Pass both directions, else Bidirectional copies the seeds of the first to the second.
    return both(
        cell(kind, f"forward_{name}"),
        backward_layer=cell(kind, f"backward_{name}", go_backwards=True),
        name=f"bidirectional_{name}",
    )


def _ngram_logits(
    config: ModelConfig, ids: keras.KerasTensor, vocab_size: int, width: int, beside: keras.KerasTensor | None
) -> keras.KerasTensor:
    """The sum of the weights of a text's n-grams over the root of their number, as `ngram_counts` weighs them.

    Plus the weights of other columns, `beside`.
    """
    table = layers.Embedding(
        vocab_size + config.ngram_buckets, width, embeddings_initializer="zeros", trainable=False, name=NGRAMS
    )
    there = ops.cast(ops.not_equal(ids, 0), "int64")
    first = follower = ops.cast(ids, "int64")
    rows, known = [first], [there]
    for _ in range(1, config.ngrams):
        follower, there = (ops.pad(each, [[0, 0], [0, 1]])[:, 1:] for each in (follower, there))
        first = ops.mod(first * vocab_size + follower, config.ngram_buckets)
        rows.append(first + vocab_size)
        known.append(there)
    weight = ops.cast(ops.concatenate(known, axis=1), "float32")
    found = table(ops.cast(ops.concatenate(rows, axis=1), "int32")) * ops.expand_dims(weight, -1)
    x = ops.sum(found, axis=1) / ops.sqrt(ops.sum(weight, axis=1, keepdims=True))
    if beside is not None:
        of_columns = layers.Dense(
            width, use_bias=False, kernel_initializer="zeros", trainable=False, name=COLUMN_WEIGHTS
        )
        x = x + of_columns(beside)
    return layers.Dense(width, kernel_initializer="identity", trainable=False, name=NGRAM_LOGITS)(x)


def _pool(pooling: str, x: keras.KerasTensor, mask: keras.KerasTensor) -> keras.KerasTensor:
    if pooling == "last":
        return x
    there = ops.expand_dims(mask, -1)
    pooled = []
    if pooling in ("max", "max_mean"):
        pooled.append(ops.max(ops.where(there, x, FAR_BELOW), axis=1))
    if pooling in ("mean", "max_mean"):
        weight = ops.cast(there, x.dtype)
        pooled.append(ops.sum(x * weight, axis=1) / ops.sum(weight, axis=1))
    return pooled[0] if len(pooled) == 1 else ops.concatenate(pooled, axis=-1)
