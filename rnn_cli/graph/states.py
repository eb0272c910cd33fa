"""Adds inner values to the outputs of a graph, in memory only: the recurrent layers' states, or what it decides by.

Appends the additions to the file's bytes: protobuf merges a repeated field and joins its lists. Takes only a graph that
`read_graph` has accepted; `read_graph` refuses the result.

Source: https://protobuf.dev/programming-guides/encoding/#last-one-wins.
"""

from collections.abc import Iterable
from dataclasses import replace

from rnn_cli.graph.int8 import OPERATOR as INT8_OPERATOR
from rnn_cli.graph.reading import Graph
from rnn_cli.graph.skeleton import OPERATORS, Attribute, Node

RECURRENT = {*OPERATORS.values(), INT8_OPERATOR}


def with_states(file: bytes, graph: Graph) -> tuple[bytes, list[str]]:
    """The extended file of `graph`, and the names of its new outputs: each recurrent layer's states, from the input up.

    Each is `[time, directions, batch, units]`. The backward direction's state at a token has read the text from its end
    to that token.
    """
    added, names = b"", list[str]()
    for node in graph.skeleton.nodes:
        if node.operator not in RECURRENT:
            continue
        name = node.outputs[0]
        if not name:  # it returns its last states only; a second node with the same weights returns all
            name = f"states_{len(names)}"
            added += _field(_NODES, _node(replace(node, outputs=(name,))))
        added += _field(_OUTPUTS, _field(1, name))
        names.append(name)
    return file + _field(_GRAPH, added), names


def last_layers(graph: Graph) -> list[Node]:
    """The layer of the network's logits and, if it has n-grams, the one of theirs."""
    dense = [node for node in graph.skeleton.nodes if node.operator == "Gemm"]
    return dense[len(graph.architecture.dense_units) :]


def with_features(file: bytes | bytearray, graph: Graph) -> tuple[bytes, list[str]]:
    """The extended file of `graph`, and the names of its new outputs: those that its prediction is linear in.

    They are the last layer's input `[batch, width]`, the network's logits `[batch, outputs]` and, if it has n-grams,
    their logits `[batch, outputs]`.
    """
    last, *ngrams = last_layers(graph)
    names = [last.inputs[0], last.outputs[0], *(node.outputs[0] for node in ngrams)]
    return bytes(file) + _field(_GRAPH, b"".join(_field(_OUTPUTS, _field(1, name)) for name in names)), names


_GRAPH, _NODES, _OUTPUTS = 7, 1, 12
"""Numbers of fields of a model and of a graph."""


def _node(node: Node) -> bytes:
    attributes = (_field(5, _attribute(name, value)) for name, value in node.attributes.items())
    ports = (_field(number, name) for number, names in ((1, node.inputs), (2, node.outputs)) for name in names)
    return b"".join([*ports, _field(4, node.operator), *attributes, _field(7, node.domain)])


def _attribute(name: str, value: Attribute) -> bytes:
    kind = 2 if isinstance(value, int) else 3 if isinstance(value, str) else 7
    numbers: Iterable[int | str] = value if isinstance(value, tuple) else (value,)
    return b"".join([_field(1, name), *(_field({2: 3, 3: 4, 7: 8}[kind], each) for each in numbers), _field(20, kind)])


def _field(number: int, content: int | str | bytes) -> bytes:
    if isinstance(content, int):
        return _varint(number << 3) + _varint(content)
    content = content.encode("utf-8") if isinstance(content, str) else content
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])
