"""Reads an ONNX file that rnn wrote and refuses any other, before ONNX Runtime opens the file.

Derives the expected graph from a few of its sizes and compares it with the whole file: every operator, attribute, name,
edge, shape and constant. Only weights are free, and they must be finite. So the graph cannot use more memory, time or
files than a network of its size.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnn_cli.arrays import AnyArray, Floats32
from rnn_cli.errors import BundleError
from rnn_cli.graph.architecture import LONGEST_NGRAMS, WIDEST, Architecture
from rnn_cli.graph.encoding import Decoded, decode
from rnn_cli.graph.int8 import OPERATOR as INT8_OPERATOR
from rnn_cli.graph.int8 import skeleton_in_int8
from rnn_cli.graph.skeleton import (
    COLUMNS_INPUT,
    FLOAT,
    INT32,
    IR_VERSION,
    NUMPY_TYPES,
    OPERATORS,
    Node,
    Skeleton,
    skeleton,
)

OPERATOR_CELLS = {operator: cell for cell, operator in OPERATORS.items()} | {INT8_OPERATOR: "lstm"}


@dataclass(frozen=True)
class Graph:
    """A graph that rnn wrote: its architecture, and its tensors by name, as views of the file's bytes."""

    architecture: Architecture
    is_int8: bool
    skeleton: Skeleton
    tensors: Mapping[str, AnyArray]

    @property
    def weights(self) -> list[AnyArray]:
        """The trained tensors, in the skeleton's order."""
        return [self.tensors[name] for name, tensor in self.skeleton.tensors.items() if tensor.value is None]

    @property
    def vectors(self) -> Floats32 | None:
        """The vector of each token, `[vocab_size, width]`; None for one-hot input and a linear model."""
        width = self.architecture.width
        if not width:
            return None
        name = next(name for name in self.tensors if name.startswith("embedding"))
        table = self.tensors[name][:, :width].astype(np.float32)
        return (table - self.tensors[f"{name}_zero"]) * self.tensors[f"{name}_scale"] if self.is_int8 else table


def read_graph(file: bytes | bytearray, where: str) -> Graph:
    """The graph in the bytes of the file `where`; raises `BundleError` unless rnn writes such a graph."""
    try:
        decoded = decode(file)
        architecture, is_int8 = _architecture(decoded)
        if architecture.widest > WIDEST:
            raise BundleError(f"a layer has {architecture.widest:,} numbers; the maximum is {WIDEST:,}", where=where)
        expected = skeleton(architecture)
        if is_int8:
            expected = skeleton_in_int8(expected)
        difference = _difference(decoded, expected)
    except (ArithmeticError, LookupError, StopIteration, TypeError, ValueError):
        difference = "holds what rnn never writes, such as a path to another file"
    if difference:
        raise BundleError(difference, where=where)
    tensors = {name: _array(*tensor) for name, tensor in decoded.tensors.items()}
    for name, tensor in tensors.items():
        if tensor.dtype.kind == "f" and not np.isfinite(tensor).all():
            raise BundleError(f"its weights {name} hold a number that is not finite", where=where)
        if name.endswith("_scale") and (tensor <= 0).any():
            raise BundleError(f"{name} is not above zero", where=where)
    return Graph(architecture, is_int8, expected, tensors)


def _architecture(decoded: Decoded) -> tuple[Architecture, bool]:
    """The architecture of a graph with these operators and sizes, and whether it computes in 8 bits.

    For a graph not from rnn the result is arbitrary, or an error; the caller compares the whole graph with it.
    """
    shapes = {name: shape for name, (_, shape, _) in decoded.tensors.items()}
    operators = [node.operator for node in decoded.nodes]
    layers = [node for node in decoded.nodes if node.operator in OPERATOR_CELLS]
    dense = [shapes[node.inputs[1]] for node in decoded.nodes if node.operator == "Gemm"]
    tables = [shapes[node.inputs[0]] for node in decoded.nodes if node.operator == "Gather"]
    if not layers:
        return _linear(decoded, operators, tables[0][0], dense[0][1]), False
    is_int8, cell = layers[0].operator == INT8_OPERATOR, OPERATOR_CELLS[layers[0].operator]
    hidden, ngrams = operators.count("Relu"), "Sqrt" in operators
    if "OneHot" in operators:
        vocab_size, width = shapes[layers[0].inputs[1]][1 if is_int8 else 2], 0
    else:
        vocab_size, width = tables[0][0], tables[0][1] - (2 if is_int8 else 0)
    means, longest = operators.count("Div") - ngrams, operators.count("Mod") + 1 if ngrams else 0
    if longest > LONGEST_NGRAMS:
        raise ValueError("ngrams")
    return Architecture(
        vocab_size=vocab_size,
        width=width,
        cell=cell,
        units=tuple(_units(node) for node in layers),
        bidirectional=layers[0].attributes["direction"] == "bidirectional",
        pooling="_".join(["max"] * ("ReduceMax" in operators) + ["mean"] * means) or "last",
        dense_units=tuple(shape[1] for shape in dense[:hidden]),
        outputs=dense[hidden][1],
        ngrams=longest,
        buckets=tables[-1][0] - vocab_size if ngrams else 0,
        columns=_columns(decoded),
    ), is_int8


def _linear(decoded: Decoded, operators: Sequence[str], rows: int, outputs: int) -> Architecture:
    """The architecture of a graph without recurrent layers, of a table of so many rows."""
    if "Sqrt" not in operators:
        raise ValueError("neither a network nor n-grams")
    longest = operators.count("Mod") + 1
    if longest > LONGEST_NGRAMS:
        raise ValueError("ngrams")
    vocab_size = rows
    if longest > 1:  # buckets follow the tokens in the table
        vocab_size = int.from_bytes(
            next(value for name, (_, _, value) in decoded.tensors.items() if name.startswith("tokens")), "little"
        )
    return Architecture.linear(vocab_size, outputs, longest, rows - vocab_size, _columns(decoded))


def _columns(decoded: Decoded) -> int:
    """The width of the input of other columns, 0 where there is none."""
    if COLUMNS_INPUT not in decoded.inputs:
        return 0
    width = decoded.inputs[COLUMNS_INPUT][1][-1]
    if not isinstance(width, int) or width < 1:
        raise ValueError(COLUMNS_INPUT)
    return width


def _units(layer: Node) -> int:
    units = layer.attributes["hidden_size"]
    if not isinstance(units, int) or units < 1:
        raise ValueError("hidden_size")
    return units


def _difference(decoded: Decoded, expected: Skeleton) -> str | None:
    """How a graph differs from the expected one, in words; None if it does not."""
    if (decoded.ir_version, dict(decoded.opsets)) != (IR_VERSION, dict(expected.opsets)):
        return "uses other operators, or other versions of them, than rnn writes"
    inputs: dict[str, tuple[int, tuple[int | str, ...]]] = {"ids": (INT32, ("batch", "time"))}
    if expected.columns:
        inputs[COLUMNS_INPUT] = FLOAT, ("batch", expected.columns)
    if decoded.inputs != inputs:
        return "has other inputs than rnn writes"
    if decoded.outputs != {"logits": (FLOAT, ("batch", expected.outputs))}:
        return "has other outputs than rnn writes"
    if decoded.nodes != expected.nodes:
        return "holds operators, or an order of them, that rnn never writes"
    if set(decoded.tensors) != set(expected.tensors):
        return "holds other weights than its operators read"
    for name, tensor in expected.tensors.items():
        kind, shape, content = decoded.tensors[name]
        if (kind, shape) != (tensor.type, tensor.shape):
            return f"its weights {name} do not have the shape that the other layers need"
        if tensor.value not in (None, content):
            return f"holds another {name} than rnn writes"
    return None


def _array(kind: int, shape: tuple[int, ...], content: memoryview) -> AnyArray:
    return np.frombuffer(content, NUMPY_TYPES[kind]).reshape(shape)
