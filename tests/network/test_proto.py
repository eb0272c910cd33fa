"""A linear model's graph: what is written is read, and computes what was fitted; others are refused."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from rnn_cli.config.schema import ModelConfig
from rnn_cli.errors import BundleError
from rnn_cli.graph import Architecture, read_graph
from rnn_cli.linear.ngrams import ngram_counts
from rnn_cli.network.proto import linear_to_onnx
from rnn_cli.text.padding import pad

VOCAB, BUCKETS = 9, 16


@pytest.mark.parametrize("ngrams", [1, 2, 3])
@pytest.mark.parametrize("outputs", [1, 2, 5])
def test_the_graph_computes_what_was_fitted(ngrams: int, outputs: int) -> None:
    chance = np.random.default_rng(ngrams)
    table = chance.normal(size=(VOCAB + BUCKETS, outputs)).astype(np.float32)
    bias = chance.normal(size=outputs).astype(np.float32)
    file = linear_to_onnx(table, bias, vocab_size=VOCAB, ngrams=ngrams)
    architecture = read_graph(file, "x").architecture
    config = ModelConfig(kind="linear", ngrams=ngrams, ngram_buckets=BUCKETS)
    assert architecture == Architecture.of(config, VOCAB, max(outputs, 2), several=outputs == 2)
    assert architecture.is_linear and architecture.weights == sum(
        tensor.size for tensor in read_graph(file, "x").weights
    )
    texts = [[1, 5, 2, 2, 8], [3], [7, 7, 7, 1]]
    counts = ngram_counts(texts, longest=ngrams, vocab_size=VOCAB, buckets=BUCKETS)
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    found = session.run(None, {"ids": pad(texts)})[0]
    np.testing.assert_allclose(found, counts @ table + bias, atol=1e-5)
    alone = session.run(None, {"ids": pad(texts[:1])})[0]
    np.testing.assert_allclose(alone[0], found[0], atol=1e-6)


@pytest.mark.parametrize("tokens", [0, -3, 8, 10, 1 << 40])
def test_another_number_of_tokens_is_refused(tokens: int) -> None:
    table, bias = np.ones((VOCAB + BUCKETS, 1), np.float32), np.zeros(1, np.float32)
    model = onnx.load_from_string(linear_to_onnx(table, bias, vocab_size=VOCAB, ngrams=2))
    (constant,) = [each for each in model.graph.initializer if each.name.startswith("tokens")]
    constant.CopyFrom(numpy_helper.from_array(np.array([tokens], np.int64), constant.name))
    with pytest.raises(BundleError, match="holds another|never"):
        read_graph(model.SerializeToString(), "x")


def test_a_graph_without_anything_to_learn_is_refused() -> None:
    table, bias = np.ones((VOCAB + BUCKETS, 1), np.float32), np.zeros(1, np.float32)
    model = onnx.load_from_string(linear_to_onnx(table, bias, vocab_size=VOCAB, ngrams=2))
    for node in model.graph.node:
        if node.op_type == "Sqrt":
            node.op_type = "Identity"
    with pytest.raises(BundleError):
        read_graph(model.SerializeToString(), "x")
