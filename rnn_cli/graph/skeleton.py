"""Builds the nodes of an architecture's ONNX graph and the shapes of its weights.

The graph is built by hand because exporters are unreliable for bidirectional recurrent layers: each layer is one ONNX
operator (LSTM, GRU or RNN), which receives each text's length. Maps int32 `ids` `[batch, time]`, padded after the text
with 0, to `logits` `[batch, outputs]`; a model of other columns takes their numbers, too, `columns` `[batch, width]`.

Older bundles must load for ever: after a change here, `read_graph` must still accept the earlier graphs.

Source: the operators' definitions, https://onnx.ai/onnx/operators/ (LSTM, GRU, RNN).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from rnn_cli.graph.architecture import GATE_COUNTS, Architecture

OPSET, IR_VERSION = 17, 8

COLUMNS_INPUT = "columns"
"""The input of the numbers of a row's other columns."""

FAR_BELOW = -1e9
"""The value of a masked time step in max-pooling: below every state of a recurrent cell."""

OPERATORS = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN"}

FLOAT, UINT8, INT8, INT32, INT64 = 1, 2, 3, 6, 7
"""ONNX's numbers for element types."""

NUMPY_TYPES = {FLOAT: "<f4", UINT8: "|u1", INT8: "|i1", INT32: "<i4", INT64: "<i8"}
"""The same types in numpy."""

Attribute = int | str | tuple[int, ...]


@dataclass(frozen=True)
class Node:
    """One operator, with the names of its inputs and outputs."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    domain: str = ""


@dataclass(frozen=True)
class Tensor:
    """A tensor in a graph: its type (ONNX's number) and shape, and its bytes unless it holds weights."""

    type: int
    shape: tuple[int, ...]
    value: bytes | None = None


@dataclass(frozen=True)
class Skeleton:
    """A graph without its weights: its nodes in order, its tensors by name, and its number of logits.

    `columns` is the width of the input of that name, 0 where there is none. `opsets` maps the operator sets it uses to
    their versions.
    """

    nodes: tuple[Node, ...]
    tensors: Mapping[str, Tensor]
    outputs: int
    columns: int = 0
    opsets: Mapping[str, int] = field(default_factory=lambda: {"": OPSET})


def skeleton(architecture: Architecture) -> Skeleton:
    """The graph of an architecture in fp32."""
    graph = _Graph()
    if architecture.is_linear:
        graph.add("Identity", [_ngram_logits(graph, architecture)], output="logits")
        return Skeleton(tuple(graph.nodes), graph.tensors, architecture.outputs, architecture.columns)
    lengths = graph.lengths("ids")
    x, width = _input(graph, architecture)
    for depth, units in enumerate(architecture.units, start=1):
        x, width = _recurrent(graph, architecture, units, x, width, lengths, top=depth == len(architecture.units))
    if architecture.pooling != "last":
        x = _pool(graph, architecture.pooling, x, lengths)
        width *= 2 if architecture.pooling == "max_mean" else 1
    if architecture.columns:
        x = graph.add("Concat", [x, COLUMNS_INPUT], axis=-1)
        width += architecture.columns
    for units in architecture.dense_units:
        x = graph.add("Relu", [graph.dense(x, width, units)])
        width = units
    last = graph.dense(x, width, architecture.outputs)
    if architecture.ngrams:
        both = graph.add("Add", [last, _ngram_logits(graph, architecture)])
        last = graph.add("Mul", [both, graph.constant("half", 0.5, FLOAT)])
    graph.add("Identity", [last], output="logits")
    return Skeleton(tuple(graph.nodes), graph.tensors, architecture.outputs, architecture.columns)


class _Graph:
    """A graph being built; every value has a unique name."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.tensors: dict[str, Tensor] = {}
        self.count = 0

    def name(self, hint: str) -> str:
        self.count += 1
        return f"{hint}_{self.count}"

    def constant(self, hint: str, value: npt.ArrayLike, type: int = INT64) -> str:
        name = self.name(hint)
        self.tensors[name] = constant_of(np.atleast_1d(value), type)
        return name

    def weights(self, hint: str, *shape: int) -> str:
        name = self.name(hint)
        self.tensors[name] = Tensor(FLOAT, shape)
        return name

    def add(self, operator: str, inputs: Iterable[str], *, output: str | None = None, **attributes: Attribute) -> str:
        output = output or self.name(operator.lower())
        self.nodes.append(Node(operator, tuple(inputs), (output,), attributes))
        return output

    def lengths(self, ids: str) -> str:
        """The number of ids of each text, without padding: int32 `[batch]`."""
        zero = self.constant("padding", 0, INT32)
        there = self.add("Cast", [self.add("Greater", [ids, zero])], to=INT32)
        return self.add("ReduceSum", [there, self.constant("axis", 1)], keepdims=0)

    def dense(self, x: str, width: int, units: int) -> str:
        return self.add("Gemm", [x, self.weights("kernel", width, units), self.weights("bias", units)])


def constant_of(value: npt.ArrayLike, type: int) -> Tensor:
    """A tensor with this value."""
    array = np.asarray(value, NUMPY_TYPES[type])
    return Tensor(type, array.shape, array.tobytes())


def _input(graph: _Graph, architecture: Architecture) -> tuple[str, int]:
    """Token vectors `[time, batch, width]`, and their width."""
    ids = graph.add("Transpose", ["ids"], perm=(1, 0))
    if architecture.width:
        table = graph.weights("embedding", architecture.vocab_size, architecture.width)
        return graph.add("Gather", [table, ids]), architecture.width
    width = architecture.vocab_size
    depth = graph.constant("width", width, INT32)
    return graph.add("OneHot", [ids, depth, graph.constant("values", [0, 1], FLOAT)], axis=-1), width


def _recurrent(
    graph: _Graph, architecture: Architecture, units: int, x: str, width: int, lengths: str, *, top: bool
) -> tuple[str, int]:
    """One layer: `[time, batch, directions × units]`, and its width.

    The top layer: `[batch, time, directions × units]` for pooling, or the last states `[batch, directions × units]`.
    """
    last, pooled = (top and architecture.pooling == "last"), (top and architecture.pooling != "last")
    directions, rows = 1 + architecture.bidirectional, GATE_COUNTS[architecture.cell] * units
    kernel = graph.weights("kernel", directions, rows, width)
    recurrent = graph.weights("recurrent", directions, rows, units)
    bias = graph.weights("bias", directions, 2 * rows)
    whole, state = graph.name("sequence"), graph.name("state")
    attributes: dict[str, Attribute] = {
        "hidden_size": units,
        "direction": "bidirectional" if architecture.bidirectional else "forward",
    }
    if architecture.cell == "gru":
        attributes["linear_before_reset"] = 1
    inputs, outputs = (x, kernel, recurrent, bias, lengths), ("", state) if last else (whole,)
    graph.nodes.append(Node(OPERATORS[architecture.cell], inputs, outputs, attributes))
    width = directions * units
    if last:  # [directions, batch, units]
        state = graph.add("Transpose", [state], perm=(1, 0, 2))
        return graph.add("Reshape", [state, graph.constant("shape", [-1, width])]), width
    # From [time, directions, batch, units]. ONNX Runtime's ReduceMax is several times faster over a middle axis.
    whole = graph.add("Transpose", [whole], perm=(2, 0, 1, 3) if pooled else (0, 2, 1, 3))
    return graph.add("Reshape", [whole, graph.constant("shape", [0, 0, width])]), width


def _pool(graph: _Graph, pooling: str, x: str, lengths: str) -> str:
    """`[batch, time, width]` to `[batch, width]`, or to `[batch, 2 × width]` for both kinds of pooling."""
    along = graph.constant("axis", 1)
    pooled = []
    if pooling in ("max", "max_mean"):
        ends = graph.add("Unsqueeze", [graph.add("Cast", [lengths], to=INT64), along])  # [batch, 1]
        zero, one = (graph.constant("scalar", value) for value in (0, 1))
        time = graph.add("Range", [zero, graph.add("Squeeze", [graph.add("Shape", [x], start=1, end=2)]), one])
        beyond = graph.add("GreaterOrEqual", [time, ends])  # [batch, time]
        beyond = graph.add("Unsqueeze", [beyond, graph.constant("axis", 2)])
        below = graph.constant("below", FAR_BELOW, FLOAT)
        # Adding 0 or `FAR_BELOW` is cheaper than a choice between two values.
        sink = graph.add("Mul", [graph.add("Cast", [beyond], to=FLOAT), below])
        pooled.append(graph.add("ReduceMax", [graph.add("Add", [x, sink])], axes=(1,), keepdims=0))
    if pooling in ("mean", "max_mean"):
        # ONNX's recurrent operators return zeros after a text's end, so the sum needs no mask.
        count = graph.add("Cast", [lengths], to=FLOAT)
        total = graph.add("ReduceSum", [x, along], keepdims=0)
        pooled.append(graph.add("Div", [total, graph.add("Unsqueeze", [count, along])]))
    return pooled[0] if len(pooled) == 1 else graph.add("Concat", pooled, axis=-1)


def _ngram_logits(graph: _Graph, architecture: Architecture) -> str:
    """`[batch, outputs]`, as in `rnn_cli.network.build`; an n-gram that reaches into the padding has weight 0."""
    zero, one = graph.constant("padding", 0), graph.constant("axis", 1)
    first = follower = graph.add("Cast", ["ids"], to=INT64)
    rows, known = [first], [graph.add("Greater", [first, zero])]
    for _ in range(1, architecture.ngrams):
        longer = graph.add("Pad", [follower, graph.constant("ends", [0, 0, 0, 1])])
        follower = graph.add("Slice", [longer, one, graph.constant("end", 1 << 31), one])
        tokens = graph.constant("tokens", architecture.vocab_size)
        buckets = graph.constant("buckets", architecture.buckets)
        first = graph.add("Mod", [graph.add("Add", [graph.add("Mul", [first, tokens]), follower]), buckets])
        rows.append(graph.add("Add", [first, tokens]))
        known.append(graph.add("Greater", [follower, zero]))
    weight = graph.add("Cast", [graph.add("Concat", known, axis=1)], to=FLOAT)
    table = graph.weights("ngrams", architecture.vocab_size + architecture.buckets, architecture.outputs)
    found = graph.add("Gather", [table, graph.add("Concat", rows, axis=1)])
    weighed = graph.add("Mul", [found, graph.add("Unsqueeze", [weight, graph.constant("axis", 2)])])
    total = graph.add("ReduceSum", [weighed, one], keepdims=0)
    length = graph.add("Sqrt", [graph.add("ReduceSum", [weight, one], keepdims=1)])
    found = graph.add("Div", [total, length])
    if architecture.columns:
        weights = graph.weights("columns", architecture.columns, architecture.outputs)
        found = graph.add("Add", [found, graph.add("MatMul", [COLUMNS_INPUT, weights])])
    return graph.dense(found, architecture.outputs, architecture.outputs)
