"""Every graph that rnn writes, or has written, is read; no other is."""

import json
import random
import zipfile
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import ModelProto, helper, numpy_helper

from rnn_cli.config.schema import ModelConfig
from rnn_cli.errors import BundleError
from rnn_cli.graph import WIDEST, Architecture, read_graph, skeleton
from rnn_cli.graph.encoding import MOST_FIELDS, decode
from rnn_cli.network.build import build
from rnn_cli.network.onnx_export import put_weights, to_onnx, to_proto
from rnn_cli.network.quantize import no_int8, to_int8

OLDER = Path(__file__).parent.parent / "older" / "graphs.zip"
"""Graphs of 6 tokens that rnn wrote before it read none but its own, and the configs of their networks."""


def older() -> Iterator[tuple[str, bytes, ModelConfig, int]]:
    with zipfile.ZipFile(OLDER) as archive:
        kinds = json.loads(archive.read("kinds.json"))
        for name in archive.namelist():
            if name.endswith(".onnx"):
                kind = kinds[int(name[:2])]
                yield name, archive.read(name), ModelConfig(**kind["model"]), kind["labels"]


GRAPHS = {name: (content, config, labels) for name, content, config, labels in older()}


@pytest.mark.parametrize("name", GRAPHS)
def test_an_older_graph_is_read(name: str) -> None:
    content, config, labels = GRAPHS[name]
    graph = read_graph(content, name)
    assert graph.architecture == Architecture.of(config, 6, labels)
    assert graph.is_int8 == ("int8" in name)
    stored = {each.name: numpy_helper.to_array(each) for each in onnx.load_from_string(content).graph.initializer}
    assert stored.keys() == graph.tensors.keys()
    for key, array in stored.items():
        np.testing.assert_array_equal(array, graph.tensors[key])


def every_kind() -> Iterator[dict[str, Any]]:
    for cell, both, pooling, entry in product(
        ("lstm", "gru", "rnn"), (True, False), ("last", "max", "mean", "max_mean"), ("embedding", "one_hot")
    ):
        yield {"cell": cell, "bidirectional": both, "pooling": pooling, "input": entry}
    for ngrams in (1, 2, 3):
        yield {"ngrams": ngrams, "ngram_buckets": 5}
    yield {"units": [3, 2, 4], "dense_units": [3, 2, 4], "dropout": 0.5, "recurrent_dropout": 0.1}
    yield {"dense_units": [], "trainable_embeddings": False, "embedding_dropout": 0.5}


@pytest.mark.parametrize("kind", list(every_kind()), ids=str)
def test_what_is_written_is_read_and_gives_its_weights_back(kind: dict[str, Any]) -> None:
    config = ModelConfig(**{"embedding_dim": 3, "units": [2, 3], "dense_units": [2], **kind})
    labels = 2 + len(kind) % 2
    model = build(config, vocab_size=7, classes=labels, seed=1)
    chance = np.random.default_rng(3)
    model.set_weights([chance.normal(0, 0.6, each.shape) for each in model.get_weights()])
    content = to_onnx(model, config)
    graph = read_graph(content, "model.onnx")
    assert graph.architecture == Architecture.of(config, 7, labels)
    assert graph.architecture.weights == sum(each.size for each in model.get_weights())
    other = build(config, vocab_size=7, classes=labels, seed=2)
    put_weights(graph, other, config)
    for ours, theirs in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    if not no_int8(config):
        small = read_graph(to_int8(content), "model.int8.onnx")
        assert small.is_int8 and small.architecture == graph.architecture
        if graph.vectors is not None:
            assert small.vectors is not None
            np.testing.assert_allclose(small.vectors, graph.vectors, atol=0.02)


def refusal(content: bytes) -> str:
    with pytest.raises(BundleError) as refused:
        read_graph(content, "g.onnx")
    assert str(refused.value).startswith("g.onnx: ") and "\n" not in str(refused.value)
    return refused.value.what


def changed(name: str, change: Callable[[ModelProto], object]) -> bytes:
    model = onnx.load_from_string(GRAPHS[name][0])
    change(model)
    return model.SerializeToString()


NGRAMS = "13.onnx"
"""A graph with runs of three tokens."""


@pytest.mark.parametrize(
    ("constant", "value"),
    [("ends", [0, 0, 0, 1 << 30]), ("end_", [-1]), ("tokens", [7]), ("buckets", [6]), ("buckets", [0]), ("half", [2])],
)
def test_another_constant_of_the_n_grams_is_refused(constant: str, value: list[int]) -> None:
    def change(model: ModelProto) -> None:
        found = next(each for each in model.graph.initializer if each.name.startswith(constant))
        kind = numpy_helper.to_array(found).dtype
        found.CopyFrom(numpy_helper.from_array(np.array(value, kind), found.name))

    assert f"holds another {constant}" in refusal(changed(NGRAMS, change))


def test_a_short_table_of_n_grams_is_refused() -> None:
    def change(model: ModelProto) -> None:
        found = next(each for each in model.graph.initializer if each.name.startswith("ngrams"))
        found.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(found)[:5], found.name))

    refusal(changed(NGRAMS, change))


def test_runs_of_more_tokens_than_a_config_may_ask_for_are_refused() -> None:
    """Each further token costs as much memory again."""
    refusal(zeros(Architecture(6, 3, "lstm", (2,), True, "last", (), 1, ngrams=4, buckets=5)))


def zeros(made_of: Architecture) -> bytes:
    """The graph of an architecture that no config can ask for."""
    made = skeleton(made_of)
    weights = [np.zeros(each.shape, np.float32) for each in made.tensors.values() if each.value is None]
    content: bytes = to_proto(made, weights).SerializeToString()
    return content


@pytest.mark.parametrize("wide", [{"width": WIDEST + 1}, {"dense_units": (WIDEST + 1,)}], ids=str)
def test_a_layer_too_wide_to_score_with_is_refused(wide: dict[str, Any]) -> None:
    """A file of a few numbers a token may take gigabytes for a text."""
    sizes = {"width": 1, "dense_units": (), **wide}
    made_of = Architecture(6, units=(1,), cell="rnn", bidirectional=False, pooling="last", outputs=1, **sizes)
    assert refusal(zeros(made_of)) == f"a layer has {WIDEST + 1:,} numbers; the maximum is {WIDEST:,}"


def test_a_number_spelled_otherwise_is_refused() -> None:
    """The same to a reader of protobuf; but of two readers one may read it otherwise."""
    content = GRAPHS["00.onnx"][0]
    assert content.startswith(b"\x08\x08\x12\x03rnn")
    refusal(b"\x08\x88\x00" + content[2:])
    refusal(b"\x08\x08\x12\x83\x00rnn" + content[7:])


@pytest.mark.parametrize("again", [b"\x08\x08", b"\x12\x03rnn", b"\x3a\x00"], ids=["version", "producer", "graph"])
def test_a_field_that_stands_twice_is_refused(again: bytes) -> None:
    refusal(GRAPHS["00.onnx"][0] + again)


@pytest.mark.parametrize("more", [b"\x20\x01", b"\x2d\0\0\0\0", b"\x31" + b"\0" * 8, b"\x33\x34", b"\x00\x00"])
def test_a_field_that_rnn_never_writes_is_refused(more: bytes) -> None:
    refusal(GRAPHS["00.onnx"][0] + more)


def test_more_fields_than_any_network_has_are_refused() -> None:
    refusal(GRAPHS["00.onnx"][0] + helper.make_opsetid("x", 1).SerializeToString() * MOST_FIELDS)


@pytest.mark.parametrize("name", ["00.onnx", "00.int8.onnx"])
def test_a_cut_file_is_refused(name: str) -> None:
    content = GRAPHS[name][0]
    for length in range(0, len(content), 7):
        refusal(content[:length])


@pytest.mark.parametrize("name", [name for name in GRAPHS if name[:2] in ("00", "05", "13")])
def test_random_changes_are_refused_or_run(name: str) -> None:
    chance, content = random.Random(name), GRAPHS[name][0]
    ids = np.array([[2, 3, 1], [5, 0, 0]], np.int32)
    for _ in range(100):
        other = bytearray(content)
        for _ in range(chance.choice([1, 1, 2])):
            other[chance.randrange(len(other))] = chance.randrange(256)
        try:
            graph = read_graph(bytes(other), name)
        except BundleError:
            continue
        assert graph.architecture == read_graph(content, name).architecture
        session = onnxruntime.InferenceSession(bytes(other), providers=["CPUExecutionProvider"])
        (logits,) = session.run(None, {"ids": ids})
        assert logits.shape == (2, graph.architecture.outputs)


def test_decoding_is_what_onnx_reads() -> None:
    content = GRAPHS[NGRAMS][0]
    decoded, model = decode(content), onnx.load_from_string(content)
    for ours, theirs in zip(decoded.nodes, model.graph.node, strict=True):
        assert (ours.operator, ours.domain) == (theirs.op_type, theirs.domain)
        assert (list(ours.inputs), list(ours.outputs)) == (list(theirs.input), list(theirs.output))
        expected = {each.name: helper.get_attribute_value(each) for each in theirs.attribute}
        read = {name: list(value) if isinstance(value, tuple) else value for name, value in ours.attributes.items()}
        assert read == {name: value.decode() if isinstance(value, bytes) else value for name, value in expected.items()}
