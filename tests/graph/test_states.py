"""The states that a graph answers are Keras's, of every network, and its logits stay what they were."""

from itertools import product

import numpy as np
import onnxruntime
import pytest

from rnn_cli.config.schema import ModelConfig
from rnn_cli.errors import BundleError
from rnn_cli.graph import read_graph, with_states
from rnn_cli.network.build import build
from rnn_cli.network.onnx_export import to_onnx
from rnn_cli.network.quantize import to_int8

VOCAB = 11
IDS = np.array([[2, 3, 4, 5, 9, 1, 2]], np.int32)


def predicted(file: bytes, names: list[str]) -> list[np.ndarray]:
    return onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"]).run(names, {"ids": IDS})


def made(**keys: object) -> tuple[ModelConfig, list[np.ndarray], bytes]:
    """A network's config, its weights, all far from zero, and its file."""
    config = ModelConfig(**{"units": [5, 4], "embedding_dim": 3, "dense_units": [3], **keys})
    model = build(config, vocab_size=VOCAB, classes=2, seed=1)
    chance = np.random.default_rng(3)
    weights = [chance.normal(0, 0.6, each.shape).astype(np.float32) for each in model.get_weights()]
    model.set_weights(weights)
    return config, weights, to_onnx(model, config)


def keras_states(config: ModelConfig, weights: list[np.ndarray]) -> list[np.ndarray]:
    """Each recurrent layer's output at each token, `[tokens, width]`: a pooled network's, which has the same layers."""
    import keras

    pooled = config.model_copy(update={"pooling": "mean"} if config.pooling == "last" else {})
    model = build(pooled, vocab_size=VOCAB, classes=2, seed=1)
    model.set_weights(weights)
    layers = [each.output for each in model.layers if each.name.rpartition("_")[0].endswith(config.cell)]
    return [np.asarray(each)[0] for each in keras.Model(model.input, layers)(IDS)]


@pytest.mark.parametrize(
    ("cell", "bidirectional", "pooling", "entry"),
    [
        *product(("lstm", "gru", "rnn"), (True, False), ("last", "max"), ("embedding",)),
        ("lstm", True, "last", "one_hot"),
        ("gru", False, "max_mean", "one_hot"),
        ("lstm", True, "mean", "embedding"),
    ],
)
def test_states_are_those_of_keras(cell: str, bidirectional: bool, pooling: str, entry: str) -> None:
    config, weights, file = made(cell=cell, bidirectional=bidirectional, pooling=pooling, input=entry)
    changed, names = with_states(file, read_graph(file, "here"))
    *states, logits = predicted(changed, [*names, "logits"])
    assert len(states) == 2
    for found, wanted in zip(states, keras_states(config, weights), strict=True):
        tokens, directions, _, units = found.shape
        assert (tokens, directions) == (IDS.shape[1], 1 + bidirectional)
        np.testing.assert_allclose(found.reshape(tokens, directions * units), wanted, atol=1e-5)
    np.testing.assert_array_equal(logits, predicted(file, ["logits"])[0])


@pytest.mark.parametrize("pooling", ["last", "max"])
def test_states_in_8_bits_are_near_those_in_32(pooling: str) -> None:
    _, _, file = made(pooling=pooling, ngrams=2, ngram_buckets=7)
    small = to_int8(file)
    assert read_graph(small, "here").is_int8
    plain, eight = (predicted(*with_states(each, read_graph(each, "here"))) for each in (file, small))
    for wanted, found in zip(plain, eight, strict=True):
        np.testing.assert_allclose(found, wanted, atol=0.03)
        assert abs(found - wanted).max() > 0


def test_a_graph_with_more_outputs_is_none_that_is_read_from_a_folder() -> None:
    _, _, file = made()
    changed, _ = with_states(file, read_graph(file, "here"))
    with pytest.raises(BundleError):
        read_graph(changed, "here")
