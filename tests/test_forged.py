"""Bundles that a stranger signed again are refused: at once, in one line, whatever in them is not as rnn writes it."""

import json
import os
import random
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from rnn_cli.bundle.model_folder import NEWEST_FORMAT, Bundle
from rnn_cli.cli.main import run
from rnn_cli.errors import BundleError
from rnn_cli.scoring.predictor import Predictor
from tests.forge import Forged, at_once

Forgery = Callable[[Forged], object]

COMMANDS: dict[str, tuple[str, ...]] = {
    "predict": ("predict", "a warm film", "--model"),
    "int8": ("predict", "a warm film", "--precision", "int8", "--model"),
    "evaluate": ("evaluate", "--model"),
    "export": ("export", "--to", "exported", "--model"),
    "tokens": ("inspect", "tokens", "a warm film", "--model"),
    "neighbours": ("inspect", "neighbours", "warm", "--model"),
    "reading": ("inspect", "reading", "a warm film", "--model"),
    "model": ("inspect", "model", "--model"),
    "behaviour": ("inspect", "behaviour", "--model"),
    "from": ("train", "--out", "further", "--from"),
}
SCORING = ("predict", "evaluate", "export", "behaviour")
GRAPH = (*SCORING, "neighbours", "tokens", "reading", "model", "from")
ALL = (*GRAPH, "int8")


def refused(forged: Forged, command: str, capsys: pytest.CaptureFixture[str]) -> str:
    """The line that a command refuses it with."""
    capsys.readouterr()
    with at_once():
        code = run([*COMMANDS[command], str(forged.path)])
    out, err = capsys.readouterr()
    assert (code, out) == (2, ""), err
    (line,) = err.splitlines()
    assert line.startswith("Error: ") and "fault of rnn" not in line
    return line


@pytest.fixture
def forged(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Forged:
    monkeypatch.chdir(tmp_path)
    return Forged(trained, tmp_path / "m")


@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_signed_again_but_not_changed_is_taken(command: str, forged: Forged) -> None:
    forged.sign()
    if command != "from":  # which would train
        assert run([*COMMANDS[command], str(forged.path)]) == 0


# Weights and graphs


def tensor(model: ModelProto, name: str) -> TensorProto:
    return next(each for each in model.graph.initializer if each.name.startswith(name))


def weights(name: str, change: Callable[[np.ndarray], np.ndarray], file: str = "model.onnx") -> Forgery:
    """Other numbers for the first weights whose name begins so."""

    def forge(model: ModelProto) -> None:
        found = tensor(model, name)
        found.CopyFrom(numpy_helper.from_array(change(numpy_helper.to_array(found).copy()), found.name))

    return lambda forged: forged.graph(forge, file)


def one(value: float) -> Callable[[np.ndarray], np.ndarray]:
    def change(array: np.ndarray) -> np.ndarray:
        array.flat[-1] = value
        return array

    return change


def fields(name: str, **values: Any) -> Forgery:
    """Another description of the first weights whose name begins so."""

    def forge(model: ModelProto) -> None:
        found = tensor(model, name)
        for field, value in values.items():
            found.ClearField(field)
            if isinstance(value, list):
                getattr(found, field).extend(value)
            elif value is not None:
                setattr(found, field, value)

    return lambda forged: forged.graph(forge)


def graph(change: Callable[[ModelProto], object]) -> Forgery:
    return lambda forged: forged.graph(change)


def instead(*operators: tuple[str, dict[str, Any]], **constants: np.ndarray) -> Forgery:
    """A chain of operators before the last one; the constants are the further inputs of those that bear their names."""

    def forge(model: ModelProto) -> None:
        last = model.graph.node.pop()
        before = last.input[0]
        for place, (operator, attributes) in enumerate(operators):
            more = [name for name in constants if name.startswith(operator.lower())]
            twice = [before] if operator == "Concat" else []
            model.graph.node.append(
                helper.make_node(operator, [before, *twice, *more], [f"more_{place}"], **attributes)
            )
            before = f"more_{place}"
        last.input[0] = before
        model.graph.node.append(last)
        model.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())

    return graph(forge)


def attribute(operator: str, name: str, value: Any) -> Forgery:
    def forge(model: ModelProto) -> None:
        node = next(each for each in model.graph.node if each.op_type == operator)
        others = [each for each in node.attribute if each.name != name]
        del node.attribute[:]
        node.attribute.extend([*others, helper.make_attribute(name, value)])

    return graph(forge)


def set_dimension(model: ModelProto) -> None:
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 1 << 40


def many_nodes(model: ModelProto) -> None:
    model.graph.node.extend(helper.make_node("Identity", ["ids"], [f"more_{place}"]) for place in range(100_000))


def subgraph(operator: str) -> Forgery:
    body = helper.make_graph([], "body", [], [])
    return graph(lambda model: model.graph.node.append(helper.make_node(operator, ["ids"], ["more"], body=body)))


def outside(model: ModelProto) -> None:
    for each in model.graph.initializer:
        onnx.external_data_helper.set_external_data(each, location="/etc/hostname")
        each.ClearField("raw_data")


def larger(model: ModelProto, rows: int, columns: int) -> None:
    found = tensor(model, "embedding")
    table = numpy_helper.to_array(found)
    found.CopyFrom(numpy_helper.from_array(np.pad(table, [(0, rows), (0, columns)]), found.name))


def node(operator: str, place: int = 0) -> Callable[[ModelProto], Any]:
    return lambda model: [each for each in model.graph.node if each.op_type == operator][place]


def changed_node(operator: str, field: str, value: Any) -> Forgery:
    def forge(model: ModelProto) -> None:
        found = node(operator)(model)
        if isinstance(value, list):
            found.ClearField(field)
            getattr(found, field).extend(value)
        else:
            setattr(found, field, value)

    return graph(forge)


def swap(model: ModelProto) -> None:
    first, second = model.graph.node[0], model.graph.node[1]
    copy = onnx.NodeProto()
    copy.CopyFrom(first)
    first.CopyFrom(second)
    second.CopyFrom(copy)


def extend(field: str, value: Any) -> Forgery:
    return graph(lambda model: getattr(model.graph, field).append(value))


def bytes_of(change: Callable[[bytes], bytes]) -> Forgery:
    return lambda forged: forged.write("model.onnx", change((forged.path / "model.onnx").read_bytes()))


INFO = helper.make_tensor_value_info("more", TensorProto.FLOAT, [1])
WIDE = np.array([1 << 20, 1 << 20])

GRAPHS: dict[str, Forgery] = {
    "a vector that is no number": weights("embedding", one(np.nan)),
    "an endless kernel": weights("kernel", one(np.inf)),
    "an endless recurrent weight": weights("recurrent", one(-np.inf)),
    "a bias that is no number": weights("bias", one(np.nan)),
    "a negative size": fields("embedding", dims=[-60, -8]),
    "a size of zero": fields("embedding", dims=[0, 8]),
    "a huge size": fields("embedding", dims=[1 << 62, 8]),
    "sizes whose product overflows": fields("embedding", dims=[1 << 32, 1 << 32]),
    "no sizes": fields("kernel", dims=[]),
    "too few bytes": fields("embedding", raw_data=b"1234"),
    "no bytes": fields("embedding", raw_data=None),
    "numbers elsewhere": fields("bias", raw_data=None, float_data=[0.5] * 96),
    "an unknown type": fields("embedding", data_type=99),
    "texts for numbers": fields("embedding", data_type=TensorProto.STRING),
    "another type": weights("embedding", lambda array: array.astype(np.float64)),
    "half a type": weights("bias", lambda array: array.astype(np.float16)),
    "more vectors than tokens": graph(lambda model: larger(model, 1, 0)),
    "fewer vectors than tokens": weights("embedding", lambda array: array[:-1]),
    "longer vectors": graph(lambda model: larger(model, 0, 1)),
    "units that are not": weights("recurrent", lambda array: array[..., :-1]),
    "a kernel turned": weights("kernel", lambda array: array.transpose(0, 2, 1)),
    "a short bias": weights("bias", lambda array: array[..., :-1]),
    "huge units": attribute("LSTM", "hidden_size", 1 << 62),
    "no units": attribute("LSTM", "hidden_size", 0),
    "negative units": attribute("LSTM", "hidden_size", -6),
    "another direction": attribute("LSTM", "direction", "reverse"),
    "activations": attribute("LSTM", "activations", ["Relu"] * 6),
    "another axis": attribute("ReduceMax", "axes", [0]),
    "another cast": attribute("Cast", "to", TensorProto.DOUBLE),
    "Expand": instead(("Expand", {}), expand_more=WIDE),
    "Tile": instead(("Tile", {}), tile_more=WIDE),
    "Pad": instead(("Pad", {}), pad_more=np.array([0, 0, 1 << 30, 1 << 30])),
    "Resize": instead(("Resize", {}), resize_a=np.zeros(0, "f"), resize_scales=np.array([1e5, 1e5], "f")),
    "doubled 40 times": instead(*[("Concat", {"axis": 0})] * 40),
    "a huge product": instead(("MatMul", {}), matmul_more=np.ones((1, 1 << 22), "f")),
    "Range": extend("node", helper.make_node("Range", ["scalar_1", "end", "scalar_1"], ["more"])),
    "ConstantOfShape": extend("node", helper.make_node("ConstantOfShape", ["axis_4"], ["more"])),
    "a constant in a node": extend(
        "node", helper.make_node("Constant", [], ["more"], value=numpy_helper.from_array(WIDE, "v"))
    ),
    "Loop": subgraph("Loop"),
    "If": subgraph("If"),
    "a foreign operator": changed_node("Identity", "domain", "com.microsoft"),
    "another operator": changed_node("ReduceMax", "op_type", "ReduceMin"),
    "a circle": changed_node("Greater", "input", ["greater_2", "greater_2"]),
    "a name of two values": changed_node("Cast", "output", ["greater_2"]),
    "an output that is an input": changed_node("Cast", "output", ["ids"]),
    "more outputs": changed_node("LSTM", "output", ["a", "b", "c"]),
    "a node's name": changed_node("LSTM", "name", "x"),
    "another order": graph(swap),
    "many nodes": graph(many_nodes),
    "no nodes": graph(lambda model: model.graph.ClearField("node")),
    "weights twice": graph(lambda model: model.graph.initializer.append(model.graph.initializer[0])),
    "weights that nothing reads": extend("initializer", numpy_helper.from_array(WIDE, "more")),
    "weights named as the texts": graph(lambda model: setattr(model.graph.initializer[0], "name", "ids")),
    "weights without a name": graph(lambda model: model.graph.initializer[0].ClearField("name")),
    "another constant": weights("shape", lambda array: array * 1_000),
    "another bound": weights("padding", lambda array: array - 5),
    "another mask": weights("below", lambda array: -array),
    "sparse weights": extend("sparse_initializer", onnx.SparseTensorProto(dims=[1 << 40])),
    "outside data": graph(outside),
    "further inputs": extend("input", INFO),
    "further outputs": extend("output", INFO),
    "further values": extend("value_info", INFO),
    "a huge answer": graph(set_dimension),
    "a texts' type": graph(lambda model: setattr(model.graph.input[0].type.tensor_type, "elem_type", 7)),
    "functions": graph(lambda model: model.functions.add(name="f", domain="x")),
    "metadata": graph(lambda model: model.metadata_props.add(key="k", value="v")),
    "other operators": graph(lambda model: setattr(model.opset_import[0], "version", 9)),
    "a foreign set of operators": graph(lambda model: model.opset_import.append(helper.make_opsetid("com.else", 1))),
    "another version": graph(lambda model: setattr(model, "ir_version", 99)),
    "nothing": bytes_of(lambda content: b""),
    "half of it": bytes_of(lambda content: content[: len(content) // 2]),
    "twice the same": bytes_of(lambda content: content * 2),
    "another format": bytes_of(lambda content: b"ORTM" + content),
    "noise": bytes_of(lambda content: random.Random(1).randbytes(5_000)),
    "a long number": bytes_of(lambda content: b"\x08" + b"\xff" * 5_000 + content),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_a_forged_graph_is_refused(name: str, forged: Forged, capsys: pytest.CaptureFixture[str]) -> None:
    GRAPHS[name](forged)
    for command in ("predict", "neighbours"):
        assert "m/model.onnx: " in refused(forged, command, capsys)


INT8: dict[str, Forgery] = {
    "a scale that is no number": weights("embedding_7_scale", one(np.nan), "model.int8.onnx"),
    "a scale of zero": weights("embedding_7_scale", lambda array: array * 0, "model.int8.onnx"),
    "a negative scale": weights("kernel_9_scale", lambda array: -array, "model.int8.onnx"),
    "an endless scale": weights("recurrent_10_scale", one(np.inf), "model.int8.onnx"),
    "another zero": weights("kernel_9_zero", lambda array: array + 1, "model.int8.onnx"),
    "a zero of another type": weights("embedding_7_zero", lambda array: array.astype(np.int8), "model.int8.onnx"),
    "a bias that is no number": weights("bias", one(np.nan), "model.int8.onnx"),
    "a short kernel": weights("kernel", lambda array: array[:, :-2], "model.int8.onnx"),
    "numbers of 32 bits": weights("recurrent", lambda array: array.astype("f"), "model.int8.onnx"),
}


@pytest.mark.parametrize("name", INT8)
def test_a_forged_int8_graph_is_refused(name: str, forged: Forged, capsys: pytest.CaptureFixture[str]) -> None:
    INT8[name](forged)
    assert "m/model.int8.onnx: " in refused(forged, "int8", capsys)


def test_weights_whose_answers_are_endless_are_refused(forged: Forged, capsys: pytest.CaptureFixture[str]) -> None:
    def forge(model: ModelProto) -> None:
        for name in node("Gemm")(model).input[1:]:
            found = tensor(model, name)
            huge = np.full(tuple(found.dims), 3e38, np.float32)
            found.CopyFrom(numpy_helper.from_array(huge, name))

    forged.graph(forge)
    assert "m/model.onnx: returns a logit that is not finite" in refused(forged, "predict", capsys)


@pytest.mark.parametrize("command", GRAPH)
def test_every_command_that_reads_a_graph_refuses_a_forged_one(
    command: str, forged: Forged, capsys: pytest.CaptureFixture[str]
) -> None:
    GRAPHS["a vector that is no number"](forged)
    assert "m/model.onnx: its weights embedding_7 hold a number that is not finite" in refused(forged, command, capsys)


# Manifests


def manifest(**changes: Any) -> Forgery:
    return lambda forged: forged.sign(**changes)


def data(**changes: Any) -> Forgery:
    return lambda forged: forged.sign(data=forged.manifest["data"] | changes)


def named(name: str) -> Forgery:
    """A file of another name, that stands there or not, among those of the manifest."""
    return lambda forged: forged.sign(files=forged.manifest["files"] | {name: {"size": 5, "sha256": "0" * 64}})


def proven(**changes: Any) -> Forgery:
    def forge(forged: Forged) -> None:
        files = forged.manifest["files"]
        forged.sign(files=files | {"tokenizer.json": files["tokenizer.json"] | changes})

    return forge


def deep(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


def text_of(change: Callable[[str], str]) -> Forgery:
    """The manifest's text changed, its checksum as it was."""

    def forge(forged: Forged) -> None:
        file = forged.path / "manifest.json"
        file.write_text(change(file.read_text("utf-8")), "utf-8")

    return forge


def sparse(name: str, size: int) -> Forgery:
    def forge(forged: Forged) -> None:
        os.truncate(forged.path / name, size)
        if name != "manifest.json":
            forged.sign(files=forged.manifest["files"] | {name: {"size": size, "sha256": "0" * 64}})

    return forge


MANIFESTS: dict[str, Forgery] = {
    **{f"temperature {value!r:.9}": manifest(temperature=value) for value in (0, -1, 1e-300, 1e300, True, "1", None)},
    **{f"temperature {value}": manifest(temperature=value) for value in (np.nan, np.inf)},
    "temperature of 400 digits": manifest(temperature=10**400),
    **{f"threshold {value!r}": manifest(threshold=value) for value in (np.nan, -0.1, 1.1, True, "0.5", [0.5])},
    **{f"unsure_below {value!r}": manifest(unsure_below=value) for value in (np.nan, -0.1, np.inf, 1e9, False, None)},
    **{f"labels {value!r}": manifest(labels=value) for value in ([], ["a"], ["a", "a"], ["a", ""], [1, 2], "ab", None)},
    "labels of half a surrogate pair": manifest(labels=["a", "\ud800"]),
    "labels in a dict": manifest(labels={"a": 1, "b": 2}),
    **{
        f"a file named {name!r}": named(name)
        for name in ("../x", "/etc/hostname", "a/b", "", ".", "..", "a\0b", "a\\b", "a\nb", "é", "x" * 300, ".hidden")
    },
    "a file that is not there": named("more.txt"),
    **{f"size {value!r}": proven(size=value) for value in (-1, True, "1", None, 1.5, 1 << 70)},
    **{f"sha256 {value!r}": proven(sha256=value) for value in (None, 1, "", "0" * 64)},
    "files in a list": manifest(files=["tokenizer.json"]),
    "no files": manifest(files={}),
    **{
        f"format {value!r}": manifest(format_version=value)
        for value in (0, -1, True, "1", 1.0, None, NEWEST_FORMAT + 1)
    },
    **{f"data {value!r}": manifest(data=value) for value in ([], None, {}, "x")},
    "no fingerprint": data(fingerprint=None),
    "rows that are no numbers": data(rows={"train": "3", "validation": 2, "test": 1}),
    "fewer rows than none": data(rows={"train": -3, "validation": 2, "test": 1}),
    "another precision": data(precision="fp16"),
    "an origin that is a list": data(further_training_of=[]),
    "unlabelled texts that are a list": data(unlabelled=[]),
    **{f"versions {value!r}": manifest(versions=value) for value in ([], None, {"keras": 3})},
    "no temperature": manifest(temperature=...),
    **{
        f"scales {scales!r:.20} and biases {biases!r:.20}": manifest(scales=scales, biases=biases)
        for scales, biases in (
            ([1.0], []),
            ([1.0, 1.0], [0.0, 0.0]),
            ([0], [0]),
            ([-1], [0]),
            ([1e9], [0]),
            ([1], [1e9]),
            (["1"], ["0"]),
            ([True], [0]),
            (None, None),
            (1, 1),
            ({"a": 1}, {"a": 1}),
            ([np.nan], [0]),
            ([1], [-np.inf]),
        )
    },
    "a bare NaN": text_of(lambda text: text.replace('"threshold": 0.5', '"threshold": NaN')),
    "nested deeply": manifest(more=deep(100)),
    "data nested deeply": lambda forged: data(more=deep(900))(forged),
    "nested far too deeply": text_of(lambda text: "[" * 200_000),
    "not UTF-8": lambda forged: (forged.path / "manifest.json").write_bytes(b"\xff\xfe{}"),
    "a huge manifest": sparse("manifest.json", 1 << 40),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_forged_manifest_is_refused(name: str, forged: Forged, capsys: pytest.CaptureFixture[str]) -> None:
    MANIFESTS[name](forged)
    for command in ("predict", "tokens"):
        refused(forged, command, capsys)


def test_labels_of_another_network_are_refused(forged: Forged, capsys: pytest.CaptureFixture[str]) -> None:
    forged.sign(labels=["a", "b", "c"])
    assert "does not return the 3 logits a text that its labels need" in refused(forged, "predict", capsys)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_refuses_a_forged_manifest(
    command: str, forged: Forged, capsys: pytest.CaptureFixture[str]
) -> None:
    MANIFESTS["a file named '../x'"](forged)
    assert "m/manifest.json: not a manifest this rnn understands" in refused(forged, command, capsys)


# Tokenizers, configs and figures


def tokenizer(**changes: Any) -> Forgery:
    return lambda forged: forged.json("tokenizer.json", **changes)


def vocabulary(change: Callable[[list[Any]], list[Any]]) -> Forgery:
    def forge(forged: Forged) -> None:
        tokens = json.loads((forged.path / "tokenizer.json").read_text())["vocabulary"]
        forged.json("tokenizer.json", vocabulary=change(tokens))

    return forge


TOKENIZERS: dict[str, Forgery] = {
    "a token twice": vocabulary(lambda tokens: [*tokens[:-1], tokens[2]]),
    "a token that is a number": vocabulary(lambda tokens: [*tokens[:-1], 7]),
    "a token that is no text": vocabulary(lambda tokens: [*tokens[:-1], "\ud800"]),
    "one token more": vocabulary(lambda tokens: [*tokens, "more"]),
    "one token less": vocabulary(lambda tokens: tokens[:-1]),
    "no tokens": vocabulary(lambda tokens: []),
    "no padding": vocabulary(lambda tokens: ["x", *tokens[1:]]),
    "an unknown level": tokenizer(level="letter"),
    "merges of a word level": tokenizer(merges=[["a", "b"]]),
    "merges that make nothing": tokenizer(level="subword", merges=[["zz", "qq"]]),
    "merges of three": tokenizer(level="subword", merges=[["a", "b", "c"]]),
    "merges that are texts": tokenizer(level="subword", merges=["ab"]),
    "merges of no pieces": tokenizer(level="subword", merges=[["", "the"]]),
    "merges twice": tokenizer(
        level="subword", vocabulary=["", "<OOV>", "a", "b", "ab"], merges=[["a", "b"], ["a", "b"]]
    ),
    "filters that are a list": tokenizer(filters=["."]),
    "filters that are no text": tokenizer(filters="\udc00"),
    "endless filters": tokenizer(filters="." * 10_001),
    "lowercase as a number": tokenizer(lowercase=1),
    "no length": tokenizer(max_length=0),
    "an endless length": tokenizer(max_length=10**30),
    "a length that is a number with a point": tokenizer(max_length=12.0),
    "another key": tokenizer(more=1),
    "a list": lambda forged: forged.write("tokenizer.json", "[]"),
    "nested deeply": lambda forged: forged.write("tokenizer.json", "[" * 100_000),
    "many lists": tokenizer(vocabulary=[[]] * 1_000_000),
    "many objects": lambda forged: forged.write("tokenizer.json", '{"vocabulary": [' + "{}," * 1_000_000 + "{}]}"),
    "objects": lambda forged: forged.write("tokenizer.json", '{"vocabulary": [{}, {}]}'),
    "a huge file": sparse("tokenizer.json", 1 << 40),
}


@pytest.mark.parametrize("name", TOKENIZERS)
def test_a_forged_tokenizer_is_refused(name: str, forged: Forged, capsys: pytest.CaptureFixture[str]) -> None:
    TOKENIZERS[name](forged)
    for command in ("predict", "neighbours", "from"):
        refused(forged, command, capsys)


def config(before: str, after: str) -> Forgery:
    def forge(forged: Forged) -> None:
        text = (forged.path / "config.yaml").read_text("utf-8")
        assert before in text
        forged.write("config.yaml", text.replace(before, after))

    return forge


CONFIGS: dict[str, Forgery] = {
    "other units": config("units: [6]", "units: [7]"),
    "huge units": config("units: [6]", "units: [1000000, 1000000]"),
    "longer vectors": config("embedding_dim: 8", "embedding_dim: 2000000000"),
    "another cell": config("cell: lstm", "cell: gru"),
    "one direction": config("bidirectional: true", "bidirectional: false"),
    "another pooling": config("pooling: max", "pooling: mean"),
    "dense layers": config("dense_units: []", "dense_units: [100000, 100000]"),
    "n-grams": config("ngrams: 0", "ngrams: 3"),
    "one-hot tokens": config("input: embedding", "input: one_hot"),
    "another level": config("level: word", "level: char"),
    "another length": config("max_length: 12", "max_length: 13"),
    "a smaller vocabulary": config("vocab_size: 60", "vocab_size: 3"),
    "an object": config("level: word", "level: !!python/object/apply:os.system [true]"),
    "an alias": config("units: [6]", "units: &a [*a]"),
    "no YAML": lambda forged: forged.write("config.yaml", "a: b: c"),
    "a list": lambda forged: forged.write("config.yaml", "[]"),
    "nothing": lambda forged: forged.write("config.yaml", ""),
    "not UTF-8": lambda forged: forged.write("config.yaml", b"\xff"),
    "nested deeply": lambda forged: forged.write("config.yaml", "[" * 100_000),
    "many keys": lambda forged: forged.write("config.yaml", "".join(f"k{place}: 1\n" for place in range(300))),
    "a huge file": sparse("config.yaml", 1 << 40),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_forged_config_is_refused(name: str, forged: Forged, capsys: pytest.CaptureFixture[str]) -> None:
    CONFIGS[name](forged)
    for command in ("from", "export", "evaluate"):
        assert "m/config.yaml: " in refused(forged, command, capsys)


METRICS_SHOWN: dict[str, str] = {
    "nested deeply": "[" * 100_000,
    "a list": "[]",
    "other keys": '{"baseline": {"comparison": {"test": {"interval": [0, 1]}}}}',
    "no JSON": "{",
    "many lists": '{"baseline": [' + "[]," * 1_000_000 + "[]]}",
    "texts": '{"baseline": {"comparison": {"test": "x"}, "test": "y"}}',
}


def test_a_figure_that_is_no_number_is_refused(forged: Forged, capsys: pytest.CaptureFixture[str]) -> None:
    metrics = json.loads((forged.path / "metrics.json").read_text("utf-8"))
    for place in (metrics["baseline"]["test"], metrics["baseline"]["comparison"]["test"]):
        name = "accuracy" if "accuracy" in place else "difference"
        before, place[name] = place[name], "much"
        forged.write("metrics.json", json.dumps(metrics))
        assert "m/metrics.json: metrics this rnn does not understand" in refused(forged, "evaluate", capsys)
        place[name] = before


@pytest.mark.parametrize("name", METRICS_SHOWN)
def test_forged_figures_are_refused(name: str, forged: Forged, capsys: pytest.CaptureFixture[str]) -> None:
    forged.write("metrics.json", METRICS_SHOWN[name])
    assert "m/metrics.json: " in refused(forged, "evaluate", capsys)


# What is no file


def link(path: Path, to: str) -> None:
    path.unlink()
    path.symlink_to(to)


def socket_at(path: Path) -> None:
    path.unlink()
    before = Path.cwd()
    os.chdir(path.parent)  # a socket's path may not be long
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(before)


def moved_and_linked(path: Path) -> None:
    path.rename(path.parent.parent / "elsewhere")
    path.symlink_to("../elsewhere")


def replaced(path: Path, make: Callable[[Path], object]) -> None:
    path.unlink()
    make(path)


THINGS: dict[str, tuple[Callable[[Path], object], str]] = {
    "pipe": (lambda path: replaced(path, os.mkfifo), "is a pipe, not a file"),
    "folder": (lambda path: replaced(path, Path.mkdir), "is a folder, not a file"),
    "socket": (socket_at, "is a socket, not a file"),
    "link": (moved_and_linked, "is a link, not a file"),
    "link outside": (lambda path: link(path, "/etc/hostname"), "is a link, not a file"),
    "link to a device": (lambda path: link(path, "/dev/zero"), "is a link, not a file"),
    "link to nothing": (lambda path: link(path, "nowhere"), "is a link, not a file"),
    "link to itself": (lambda path: link(path, path.name), "is a link, not a file"),
    "nothing": (Path.unlink, ""),
}


@pytest.mark.parametrize("thing", THINGS)
@pytest.mark.parametrize(
    "name", ["manifest.json", "tokenizer.json", "model.onnx", "model.int8.onnx", "model.keras", "config.yaml"]
)
def test_what_is_no_file_is_refused(name: str, thing: str, forged: Forged, capsys: pytest.CaptureFixture[str]) -> None:
    make, told = THINGS[thing]
    make(forged.path / name)
    for command in ("predict", "from"):
        assert told in refused(forged, command, capsys)


def test_a_device_is_refused(forged: Forged, capsys: pytest.CaptureFixture[str]) -> None:
    file = forged.path / "tokenizer.json"
    file.unlink()
    try:
        os.mknod(file, 0o20666, os.makedev(1, 5))  # /dev/zero's
    except PermissionError:
        pytest.skip("only root makes devices")
    assert "is a device, not a file" in refused(forged, "predict", capsys)


def test_a_folder_reached_through_a_link_is_taken(forged: Forged) -> None:
    Path("link").symlink_to(forged.path)
    assert Predictor.open(Path("link")).labels == ("bad", "good")


def test_a_file_that_grows_while_it_is_read_is_refused(forged: Forged, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fstat

    def smaller(handle: int) -> os.stat_result:
        found = list(real(handle))
        found[6] -= 1
        return os.stat_result(found)

    opened = Bundle.open(forged.path)
    monkeypatch.setattr(os, "fstat", smaller)
    with pytest.raises(BundleError, match="m/tokenizer.json: changes while it is read"):
        opened.read("tokenizer.json")


def test_what_would_be_replaced_by_force_is_looked_at_without_waiting(forged: Forged) -> None:
    THINGS["pipe"][0](forged.path / "manifest.json")
    with at_once():
        assert run(["export", "--model", str(forged.path), "--to", "m", "--force"]) == 2


def test_random_changes_of_a_graph_are_refused_or_harmless(forged: Forged) -> None:
    """Whatever bytes are changed, it is refused, or it answers a number."""
    chance = random.Random(5)
    good = (forged.path / "model.onnx").read_bytes()
    taken = 0
    for _ in range(200):
        content = bytearray(good)
        for _ in range(chance.choice([1, 1, 1, 2, 5])):
            place = chance.randrange(len(content)) if chance.random() < 0.5 else chance.randrange(1_500)
            content[place] = chance.randrange(256)
        forged.write("model.onnx", bytes(content))
        try:
            (answer,) = Predictor.open(forged.path).predict(["a warm film"])
            assert 0 <= answer.probability <= 1
            taken += 1
        except BundleError as error:
            assert "\n" not in str(error)
    assert 0 < taken < 200
