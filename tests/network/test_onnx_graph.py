"""Keras and ONNX Runtime must answer the same probability, whatever the network and the batch."""

from functools import cache
from itertools import product

import keras
import numpy as np
import onnxruntime
import pytest

from rnn_cli.config.schema import ModelConfig
from rnn_cli.network.build import build
from rnn_cli.network.onnx_export import to_onnx

VOCAB = 30


def ids_of(*lengths: int, width: int | None = None) -> np.ndarray:
    chance = np.random.default_rng(7)
    ids = np.zeros((len(lengths), width or max(lengths)), np.int32)
    for row, length in enumerate(lengths):
        ids[row, :length] = chance.integers(1, VOCAB, length)
    return ids


BATCHES = {
    "mixed": ids_of(1, 7, 12, 3),
    "one word": ids_of(1),
    "unknown words": np.ones((2, 4), np.int32),
    "equal lengths": ids_of(9, 9, 9),
    "padded further": ids_of(4, 2, width=20),
    "long": ids_of(30, 5),
}


CELLS, POOLINGS = ("lstm", "gru", "rnn"), ("last", "max", "mean", "max_mean")
# What enters the first layer and how the last one is pooled do not meet: without `slow`, not each with each.
every_network = pytest.mark.parametrize(
    ("cell", "bidirectional", "pooling", "entry"),
    [
        *product(CELLS, (True, False), POOLINGS, ("embedding",)),
        *product(CELLS, (True, False), POOLINGS[:1], ("one_hot",)),
        *(
            pytest.param(*network, marks=pytest.mark.slow)
            for network in product(CELLS, (True, False), POOLINGS[1:], ("one_hot",))
        ),
    ],
)


def randomized(config: ModelConfig, classes: int) -> keras.Model:
    """A network whose weights, biases too, are all far from zero, as after long training."""
    model = build(config, vocab_size=VOCAB, classes=classes, seed=1)
    chance = np.random.default_rng(3)
    for weight in model.trainable_weights + model.non_trainable_weights:
        if "seed" not in weight.path:
            weight.assign(chance.normal(0, 0.6, weight.shape))
    return model


@cache
def network(cell: str, bidirectional: bool, pooling: str, entry: str) -> tuple[keras.Model, bytes]:
    config = ModelConfig(
        cell=cell,
        bidirectional=bidirectional,
        pooling=pooling,
        input=entry,
        units=[5, 4],
        embedding_dim=6,
        dense_units=[4],
        dropout=0.2,
        embedding_dropout=0.2,
    )
    model = randomized(config, classes=2)
    return model, to_onnx(model, config)


def onnx_probabilities(graph: bytes, ids: np.ndarray) -> np.ndarray:
    (logits,) = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"]).run(None, {"ids": ids})
    if logits.shape[1] == 1:
        return 1 / (1 + np.exp(-logits))
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@every_network
def test_onnx_answers_what_keras_answers(cell: str, bidirectional: bool, pooling: str, entry: str) -> None:
    model, graph = network(cell, bidirectional, pooling, entry)
    for name, ids in BATCHES.items():
        keras_answer = np.asarray(model(ids))
        assert np.isfinite(keras_answer).all()
        np.testing.assert_allclose(onnx_probabilities(graph, ids), keras_answer, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("units", [[3], [4, 3, 2]])
@pytest.mark.parametrize("dense_units", [[], [5], [6, 4]])
def test_any_depth_and_more_than_two_classes(units: list[int], dense_units: list[int]) -> None:
    config = ModelConfig(units=units, dense_units=dense_units, embedding_dim=5, pooling="max_mean")
    model = randomized(config, classes=4)
    answer = onnx_probabilities(to_onnx(model, config), BATCHES["mixed"])
    np.testing.assert_allclose(answer, np.asarray(model(BATCHES["mixed"])), atol=1e-5)
    np.testing.assert_allclose(answer.sum(axis=1), 1, atol=1e-6)


@every_network
def test_padding_and_neighbours_do_not_reach_a_score(cell: str, bidirectional: bool, pooling: str, entry: str) -> None:
    _, graph = network(cell, bidirectional, pooling, entry)
    ids = BATCHES["mixed"]
    together = onnx_probabilities(graph, ids)
    wider = onnx_probabilities(graph, np.pad(ids, ((0, 0), (0, 9))))
    alone = np.vstack([onnx_probabilities(graph, row[row > 0][np.newaxis]) for row in ids])
    np.testing.assert_allclose(wider, together, atol=1e-6)
    np.testing.assert_allclose(alone, together, atol=1e-6)


@pytest.mark.parametrize("bidirectional", [True, False])
def test_the_order_of_words_matters(bidirectional: bool) -> None:
    config = ModelConfig(units=[4], embedding_dim=5, bidirectional=bidirectional)
    graph = to_onnx(randomized(config, classes=2), config)
    ids = np.array([[2, 3, 4, 5]], np.int32)
    assert abs(onnx_probabilities(graph, ids) - onnx_probabilities(graph, ids[:, ::-1])).max() > 1e-3


def test_the_backward_layer_reads_backwards() -> None:
    """Copying the forward weights to the backward layer makes a palindrome's two halves equal."""
    config = ModelConfig(units=[4], embedding_dim=5, dense_units=[])
    model = randomized(config, classes=2)
    both = model.get_layer("bidirectional_lstm_1")
    both.backward_layer.set_weights(both.forward_layer.get_weights())
    states = keras.Model(model.input, both.output)
    forward, backward = np.split(np.asarray(states(np.array([[2, 3, 3, 2]], np.int32))), 2, axis=1)
    np.testing.assert_allclose(forward, backward, atol=1e-6)
    forward, backward = np.split(np.asarray(states(np.array([[2, 3, 4, 5]], np.int32))), 2, axis=1)
    assert abs(forward - backward).max() > 1e-3
