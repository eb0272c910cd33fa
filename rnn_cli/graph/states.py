"""A graph that answers its recurrent layers' states, too. The file of the model is not changed by it.

What is added is written behind the file's bytes: protobuf takes a field that stands twice for one, its lists joined.
Only for a graph that `read_graph` has let pass, and only in memory: `read_graph` refuses what comes of it. Source:
https://protobuf.dev/programming-guides/encoding/#last-one-wins.
"""

from collections.abc import Iterable
from dataclasses import replace

from rnn_cli.graph.int8 import OPERATOR as INT8_OPERATOR
from rnn_cli.graph.reading import Graph
from rnn_cli.graph.skeleton import OPERATORS, Attribute, Node

RECURRENT = {*OPERATORS.values(), INT8_OPERATOR}


def with_states(file: bytes, graph: Graph) -> tuple[bytes, list[str]]:
    """The file of `graph`, and the names of its new outputs: each recurrent layer's states, from the input up.

    Each is `[time, directions, batch, units]`. The state of the backward direction at a token has read from the text's
    end to that token.
    """
    added, names = b"", list[str]()
    for node in graph.skeleton.nodes:
        if node.operator not in RECURRENT:
            continue
        name = node.outputs[0]
        if not name:  # it answers its last states alone; a second one of the same weights answers all
            name = f"states_{len(names)}"
            added += _field(_NODES, _node(replace(node, outputs=(name,))))
        added += _field(_OUTPUTS, _field(1, name))
        names.append(name)
    return file + _field(_GRAPH, added), names


_GRAPH, _NODES, _OUTPUTS = 7, 1, 12
"""Fields of a model and of a graph, by number; those of a node and of an attribute stand where they are written."""


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
