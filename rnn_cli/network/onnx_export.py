"""Converts a trained network's weights to an ONNX graph, and back.

`rnn_cli.graph` defines a graph without its weights. Knows only the layers that `build` makes.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

import keras
import numpy as np
from onnx import checker

from rnn_cli.arrays import AnyArray, Indices
from rnn_cli.config.schema import ModelConfig
from rnn_cli.graph import Architecture, Graph, skeleton
from rnn_cli.network.build import COLUMN_WEIGHTS, LOGITS, NGRAM_LOGITS, NGRAMS, columns_of_network
from rnn_cli.network.proto import to_proto

GATE_ORDER = {"lstm": (0, 3, 1, 2), "gru": (0, 1, 2), "rnn": (0,)}
"""The index in Keras's order of each of ONNX's gates: LSTM i, o, f, c of i, f, c, o; GRU z, r, h in both."""


def to_onnx(model: keras.Model, config: ModelConfig) -> bytes:
    """The ONNX file of a model from `build`: int32 `ids` `[batch, time]`, padded after the text with 0, to `logits`.

    A model of other columns takes their numbers, too: `columns` `[batch, width]`.

    `logits` is `[batch, 1]` for two classes (the positive one's), else `[batch, classes]`; a sigmoid or a softmax, as
    in the model, of it gives the model's probabilities.
    """
    vocab_size = _layers(model, config)[0][0].get_weights()[0].shape[0]
    width = model.output_shape[-1]
    # Two outputs are of two labels that a text may both have.
    columns = columns_of_network(model)
    architecture = Architecture.of(config, vocab_size, max(width, 2), several=width == 2, columns=columns)
    made = to_proto(skeleton(architecture), _weights(model, config))
    checker.check_model(made, full_check=True)
    return bytes(made.SerializeToString())


def put_weights(graph: Graph, model: keras.Model, config: ModelConfig) -> None:
    """Set the weights of a model from `build` to those of a graph from `to_onnx`."""
    _put(iter(graph.weights), _layers(model, config), config)


def put_body(graph: Graph, model: keras.Model, config: ModelConfig) -> list[AnyArray]:
    """Set the weights of all layers below the logits; returns those that are left, of a graph with other labels.

    They are the logits' kernel and bias and, where the graph has n-grams, their table, kernel and bias.
    """
    weights, last = iter(graph.weights), model.get_layer(LOGITS)
    layers = _layers(model, config)
    _put(weights, layers[: layers.index([last])], config)
    return list(weights)


def _put(weights: Iterator[AnyArray], layers: Sequence[Sequence[keras.layers.Layer]], config: ModelConfig) -> None:
    for together in layers:
        if _is_recurrent(together):
            stacks = list(islice(weights, 3))
            for index, layer in enumerate(together):
                layer.set_weights(_keras_order([stack[index] for stack in stacks], config.cell))
        else:
            together[0].set_weights(list(islice(weights, len(together[0].weights))))


def _layers(model: keras.Model, config: ModelConfig) -> list[list[keras.layers.Layer]]:
    """The layers that have weights, in the order of the skeleton's tensors; both directions of one layer together."""
    plain = [*(f"dense_{depth}" for depth, _ in enumerate(config.dense_units, start=1)), LOGITS]
    beside = [COLUMN_WEIGHTS] if columns_of_network(model) else []
    plain += [NGRAMS, *beside, NGRAM_LOGITS] if config.ngrams else []
    return [
        *([[model.get_layer("embedding")]] if config.input == "embedding" else []),
        *(_directions(model, config, depth) for depth, _ in enumerate(config.units, start=1)),
        *([model.get_layer(name)] for name in plain),
    ]


def _directions(model: keras.Model, config: ModelConfig, depth: int) -> list[keras.layers.Layer]:
    name = f"{config.cell}_{depth}"
    if not config.bidirectional:
        return [model.get_layer(name)]
    both = model.get_layer(f"bidirectional_{name}")
    return [both.forward_layer, both.backward_layer]


def _is_recurrent(layers: Sequence[keras.layers.Layer]) -> bool:
    return isinstance(layers[0], keras.layers.RNN)


def _weights(model: keras.Model, config: ModelConfig) -> Iterator[AnyArray]:
    for layers in _layers(model, config):
        if _is_recurrent(layers):
            stacks = zip(*(_onnx_order(layer.get_weights(), config.cell) for layer in layers), strict=True)
            yield from map(np.stack, stacks)
        else:
            yield from layers[0].get_weights()


def _onnx_order(weights: Sequence[AnyArray], cell: str) -> tuple[AnyArray, AnyArray, AnyArray]:
    """Keras's kernel `[in, gates × units]` and bias to ONNX's `[gates × units, in]` and `[2 × gates × units]`."""
    kernel, recurrent, bias = weights
    order = _indices(cell, recurrent.shape[0])
    # Keras's GRU has a separate recurrent bias (reset_after), as every cell in ONNX; the other cells have none.
    biases = bias if bias.ndim == 2 else np.stack([bias, np.zeros_like(bias)])
    return kernel.T[order], recurrent.T[order], biases[:, order].reshape(-1)


def _keras_order(weights: Sequence[AnyArray], cell: str) -> tuple[AnyArray, AnyArray, AnyArray]:
    """The inverse of `_onnx_order`."""
    kernel, recurrent, bias = weights
    order = np.argsort(_indices(cell, recurrent.shape[1]))
    biases = bias.reshape(2, -1)[:, order]
    return kernel[order].T, recurrent[order].T, biases if cell == "gru" else biases.sum(axis=0)


def _indices(cell: str, units: int) -> Indices:
    """The index in Keras's order of each row in ONNX's order."""
    return np.concatenate([np.arange(gate * units, (gate + 1) * units) for gate in GATE_ORDER[cell]])
