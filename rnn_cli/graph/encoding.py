"""Decodes an ONNX file to its nodes and tensors, if it holds only fields that rnn writes, encoded as rnn encodes them.

An untrusted graph may refer to other files, contain subgraphs, or repeat a field, which readers resolve differently.
Refuses everything that is not listed here. Decodes protobuf itself, as `onnx` is too slow to load for `rnn predict`.

Source: onnx.proto, and https://protobuf.dev/programming-guides/encoding/.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from rnn_cli.graph.skeleton import NUMPY_TYPES, Attribute, Node

MOST_FIELDS = 50_000
"""Enough for a network of hundreds of layers."""


@dataclass(frozen=True)
class Decoded:
    """The graph in a file: tensors by name (type, shape, bytes), inputs and outputs by name (type, sizes)."""

    ir_version: int
    opsets: Mapping[str, int]
    nodes: tuple[Node, ...]
    tensors: Mapping[str, tuple[int, tuple[int, ...], memoryview]]
    inputs: Mapping[str, tuple[int, tuple[int | str, ...]]]
    outputs: Mapping[str, tuple[int, tuple[int | str, ...]]]


Message = dict[int, "Field"]
"""The allowed fields of a message, by number."""

Field = tuple[str, type[int] | type[str] | type[bytes] | Message, bool]
"""A field's name, its type (bytes are not copied) and whether it may repeat."""

_ATTRIBUTE: Message = {
    **{1: ("name", str, False), 3: ("int", int, False), 4: ("text", str, False), 8: ("ints", int, True)},
    20: ("type", int, False),
}
_NODE: Message = {
    **{1: ("inputs", str, True), 2: ("outputs", str, True), 4: ("operator", str, False)},
    **{5: ("attributes", _ATTRIBUTE, True), 7: ("domain", str, False)},
}
_TENSOR: Message = {
    **{1: ("shape", int, True), 2: ("type", int, False), 8: ("name", str, False), 9: ("bytes", bytes, False)},
}
_DIMENSION: Message = {1: ("size", int, False), 2: ("name", str, False)}
_TENSOR_TYPE: Message = {
    1: ("type", int, False),
    2: ("shape", {1: ("dimensions", _DIMENSION, True)}, False),
}
_PORT: Message = {1: ("name", str, False), 2: ("value", {1: ("tensor", _TENSOR_TYPE, False)}, False)}
_GRAPH: Message = {
    **{1: ("nodes", _NODE, True), 2: ("name", str, False), 5: ("tensors", _TENSOR, True)},
    **{11: ("inputs", _PORT, True), 12: ("outputs", _PORT, True)},
}
_MODEL: Message = {
    **{1: ("ir_version", int, False), 2: ("producer", str, False), 7: ("graph", _GRAPH, False)},
    8: ("opsets", {1: ("domain", str, False), 2: ("version", int, False)}, True),
}

_ATTRIBUTE_TYPES = {2: "int", 3: "text", 7: "ints"}


def decode(file: bytes | bytearray) -> Decoded:
    """The graph in a file; raises `ValueError` if anything in it differs from what rnn writes."""
    try:
        model = _Reader().message(memoryview(file), _MODEL)
        graph = model["graph"]
        return Decoded(
            ir_version=model["ir_version"],
            opsets=_named((each["domain"], each["version"]) for each in model["opsets"]),
            nodes=tuple(_node(each) for each in graph["nodes"]),
            tensors=_named((each["name"], _tensor(each)) for each in graph["tensors"]),
            inputs=_named((each["name"], _port(each)) for each in graph["inputs"]),
            outputs=_named((each["name"], _port(each)) for each in graph["outputs"]),
        )
    except (IndexError, KeyError) as error:
        raise ValueError(f"truncated, or lacks {error}") from None


def _node(fields: dict[str, Any]) -> Node:
    attributes = _named(_attribute(each) for each in fields.get("attributes", ()))
    inputs, outputs = (tuple(fields.get(ports, ())) for ports in ("inputs", "outputs"))
    return Node(fields["operator"], inputs, outputs, attributes, fields.get("domain", ""))


def _attribute(fields: dict[str, Any]) -> tuple[str, Attribute]:
    kind = _ATTRIBUTE_TYPES[fields["type"]]
    if set(fields) != {"name", "type", kind}:
        raise ValueError("an attribute with two values")
    value = fields[kind]
    return fields["name"], tuple(value) if kind == "ints" else value


def _tensor(fields: dict[str, Any]) -> tuple[int, tuple[int, ...], memoryview]:
    kind, shape, content = fields["type"], tuple(fields.get("shape", ())), fields["bytes"]
    if min(shape, default=1) < 1 or prod(shape) * int(NUMPY_TYPES[kind][-1]) != len(content):
        raise ValueError("a tensor whose shape does not match its bytes")
    return kind, shape, content


def _port(fields: dict[str, Any]) -> tuple[int, tuple[int | str, ...]]:
    """The type and the dimensions, each a size or a name, of an input or output."""
    tensor = fields["value"]["tensor"]
    sizes = []
    for dimension in tensor["shape"]["dimensions"]:
        (size,) = dimension.values()
        sizes.append(size)
    return tensor["type"], tuple(sizes)


def _named(pairs: Iterator[tuple[str, Any]]) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for name, value in pairs:
        if name in named:
            raise ValueError("a name appears twice")
        named[name] = value
    return named


class _Reader:
    """Reads messages with at most `MOST_FIELDS` fields in all."""

    def __init__(self) -> None:
        self.fields = 0

    def message(self, content: memoryview, kinds: Message) -> dict[str, Any]:
        found: dict[str, Any] = {}
        index = 0
        while index < len(content):
            self.fields += 1
            if self.fields > MOST_FIELDS:
                raise ValueError("more fields than any network has")
            key, index = _varint(content, index)
            name, kind, repeats = kinds[key >> 3]
            if kind is int and key & 7 == 0:
                value, index = _varint(content, index)
                value -= (value >> 63) << 64  # a negative number is encoded in 64 bits
            elif kind is not int and key & 7 == 2:
                length, index = _varint(content, index)
                value, index = self._content(content[index : index + length], kind, length), index + length
            else:
                raise ValueError("a field has another type")
            if repeats:
                found.setdefault(name, []).append(value)
            elif name in found:  # protobuf readers take the last one, or both
                raise ValueError("a field appears twice")
            else:
                found[name] = value
        return found

    def _content(self, part: memoryview, kind: type | Message, length: int) -> Any:
        if len(part) != length:
            raise ValueError("truncated")
        if isinstance(kind, dict):
            return self.message(part, kind)
        return part if kind is bytes else str(part, "utf-8")


def _varint(content: memoryview, index: int) -> tuple[int, int]:
    """A number in the fewest bytes, at most 64 bits, and the position after it."""
    value = shift = 0
    while True:
        byte = content[index]
        index += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if (byte == 0 and shift) or value >> 64:
                raise ValueError("a number with needless bytes")
            return value, index
        shift += 7
        if shift > 63:
            raise ValueError("a number with too many bytes")
