"""Whether an ONNX file holds only what `rnn` writes; looked at before ONNX Runtime sees it.

A graph from a stranger may point to other files, bring subgraphs or operators of other domains. Ours never does, but
for the one operator of ONNX Runtime's own that an int8 graph is made of, so whatever is not on the list here is
refused. Walks the protobuf encoding itself: `onnx` is too slow to load for `rnn predict`. Source: onnx.proto, and the
encoding at https://protobuf.dev/programming-guides/encoding/.
"""

from collections.abc import Iterator

Message = dict[int, "Message | tuple[Message, ...] | frozenset[bytes] | None"]
"""The fields a message may have, by number, and what each may hold.

That is one of some texts; or the fields of a message, or of one of several kinds of messages; None leaves it open.
"""

_TENSOR: Message = dict.fromkeys([1, 2, 8, 9])  # dims, data_type, name, raw_data; not 13, external_data
_ATTRIBUTE: Message = dict.fromkeys([1, 2, 3, 4, 7, 8, 20])  # name, numbers, text, type; no tensor, no graph
_NODE: Message = {**dict.fromkeys([1, 2, 3, 4]), 5: _ATTRIBUTE}  # input, output, name, op_type; not 7, domain
_INT8_NODE: Message = {**_NODE, 4: frozenset([b"DynamicQuantizeLSTM"]), 7: frozenset([b"com.microsoft"])}
_OPSET: Message = {1: frozenset([b"", b"com.microsoft"]), 2: None}  # domain, version
# node, name, initializer, input, output
_GRAPH: Message = {1: (_NODE, _INT8_NODE), 2: None, 5: _TENSOR, 11: None, 12: None}
_MODEL: Message = {1: None, 2: None, 7: _GRAPH, 8: _OPSET}  # ir_version, producer, graph, opset_import


def is_ours(file: bytes) -> bool:
    """Whether the file is an ONNX model of the fields that `rnn_cli.network` writes, and no others."""
    try:
        return _holds_only(memoryview(file), _MODEL)
    except (IndexError, ValueError):
        return False


def _holds_only(message: memoryview, allowed: Message) -> bool:
    for number, content in _fields(message):
        if number not in allowed:
            return False
        inner = allowed[number]
        if inner is None:
            continue
        if content is None:
            return False
        if isinstance(inner, frozenset):
            if bytes(content) not in inner:
                return False
        elif not any(_holds_only(content, kind) for kind in (inner if isinstance(inner, tuple) else (inner,))):
            return False
    return True


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview | None]]:
    """Each field's number and, where it has a length, its bytes. Raises ValueError or IndexError where it is cut."""
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        content = None
        match key & 7:
            case 0:  # a varint
                _, place = _varint(message, place)
            case 1:
                place += 8
            case 5:
                place += 4
            case 2:  # bytes, text or a message
                length, place = _varint(message, place)
                content = message[place : place + length]
                place += length
            case other:
                raise ValueError(f"wire type {other}")
        if place > len(message):
            raise ValueError("cut short")
        yield key >> 3, content


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
        if shift > 63:
            raise ValueError("a number without end")
