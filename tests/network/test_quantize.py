"""The int8 graph answers nearly what the fp32 graph does, whatever the network, the batch and the neighbours."""

from itertools import product

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from rnn_cli.config.schema import ModelConfig
from rnn_cli.graph.int8 import OPERATOR
from rnn_cli.network.onnx_export import to_onnx
from rnn_cli.network.quantize import no_int8, to_int8

from .test_onnx_graph import BATCHES, VOCAB, ids_of, network, onnx_probabilities, randomized

NEAR = 0.01
"""How near 8 bits come to 32 with weights by chance."""

every_lstm = pytest.mark.parametrize(
    ("bidirectional", "pooling", "entry"),
    list(product((True, False), ("last", "max", "mean", "max_mean"), ("embedding", "one_hot"))),
)


def both(bidirectional: bool, pooling: str, entry: str) -> tuple[bytes, bytes]:
    _, graph = network("lstm", bidirectional, pooling, entry)
    return graph, to_int8(graph)


@every_lstm
def test_it_answers_nearly_what_fp32_answers(bidirectional: bool, pooling: str, entry: str) -> None:
    graph, small = both(bidirectional, pooling, entry)
    for name, ids in BATCHES.items():
        np.testing.assert_allclose(
            onnx_probabilities(small, ids), onnx_probabilities(graph, ids), atol=NEAR, err_msg=name
        )


@every_lstm
def test_padding_and_neighbours_hardly_reach_a_score(bidirectional: bool, pooling: str, entry: str) -> None:
    _, small = both(bidirectional, pooling, entry)
    ids = BATCHES["mixed"]
    together = onnx_probabilities(small, ids)
    wider = onnx_probabilities(small, np.pad(ids, ((0, 0), (0, 9))))
    alone = np.vstack([onnx_probabilities(small, row[row > 0][np.newaxis]) for row in ids])
    np.testing.assert_allclose(wider, together, atol=1e-6)
    np.testing.assert_allclose(alone, together, atol=NEAR)


def test_the_scale_of_the_input_stands_still() -> None:
    """A token's vector is the same whether the table's largest values stand beside it or not."""
    config = ModelConfig(units=[4], embedding_dim=5, dense_units=[], pooling="last", bidirectional=False)
    model = randomized(config, classes=2)
    layer = model.get_layer("lstm_1")
    kernel, recurrent, bias = layer.get_weights()
    layer.set_weights([kernel, np.zeros_like(recurrent), bias])  # no state enters, so the input's scale is all
    vectors = model.get_layer("embedding").get_weights()[0]
    vectors[VOCAB - 1] *= 50
    model.get_layer("embedding").set_weights([vectors])
    small = to_int8(to_onnx(model, config))
    beside = onnx_probabilities(small, np.array([[2, 3], [VOCAB - 1, VOCAB - 1]], np.int32))
    np.testing.assert_allclose(onnx_probabilities(small, np.array([[2, 3]], np.int32)), beside[:1], atol=1e-7)


def test_n_grams_and_several_labels_stay_as_they_are() -> None:
    config = ModelConfig(units=[4, 3], dense_units=[5], embedding_dim=5, pooling="max", ngrams=2, ngram_buckets=16)
    graph = to_onnx(randomized(config, classes=4), config)
    ids = ids_of(1, 7, 12, 3)
    np.testing.assert_allclose(onnx_probabilities(to_int8(graph), ids), onnx_probabilities(graph, ids), atol=NEAR)


def test_weights_and_vectors_are_bytes_and_the_same_ones_each_time() -> None:
    _, graph = network("lstm", True, "max", "embedding")
    small = to_int8(graph)
    assert small == to_int8(graph)
    made = onnx.load_from_string(small)
    onnx.checker.check_model(made)
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in made.graph.initializer}
    layers = [node for node in made.graph.node if node.op_type == OPERATOR]
    assert len(layers) == 2
    for layer in layers:
        for name in layer.input[1:3]:
            assert weights[name].dtype == np.int8
            assert abs(weights[name].astype(int)).max() == 64  # products of 255 and two of these fit in 16 bits
    assert {weights[node.input[0]].dtype for node in made.graph.node if node.op_type == "Gather"} == {np.dtype("u1")}


def test_a_table_and_weights_of_zeros_are_no_trouble() -> None:
    config = ModelConfig(units=[4], embedding_dim=5, dense_units=[])
    model = randomized(config, classes=2)
    for weight in model.trainable_weights:
        weight.assign(np.zeros(weight.shape))
    assert onnx_probabilities(to_int8(to_onnx(model, config)), ids_of(3, 2)).tolist() == [[0.5], [0.5]]


@pytest.mark.parametrize(("cell", "word"), [("lstm", None), ("gru", "GRU"), ("rnn", "RNN")])
def test_only_lstms_have_an_operator_of_8_bits(cell: str, word: str | None) -> None:
    why = no_int8(ModelConfig(cell=cell))
    assert why is None if word is None else f"no {word} layers" in str(why)
