"""An architecture to the nodes of its ONNX graph, and to the shapes of its weights.

The graph is put together by hand because exporters are unreliable for bidirectional recurrent layers: each layer is
one ONNX operator (LSTM, GRU or RNN), told each text's length. From int32 `ids` `[batch, time]`, padded after the text
with 0, to `logits` `[batch, outputs]`.

Bundles are read for ever: whoever changes what is written here must keep what was written before, for `read_graph`.

Source: the operators' definitions, https://onnx.ai/onnx/operators/ (LSTM, GRU, RNN).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from rnn_cli.graph.architecture import GATE_COUNTS, Architecture

OPSET, IR_VERSION = 17, 8

FAR_BELOW = -1e9
"""What stands in for a masked time step under max-pooling: below anything a recurrent cell can answer."""

OPERATORS = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN"}

FLOAT, UINT8, INT8, INT32, INT64 = 1, 2, 3, 6, 7
"""ONNX's numbers of the types of elements that there are."""

NUMPY_TYPES = {FLOAT: "<f4", UINT8: "|u1", INT8: "|i1", INT32: "<i4", INT64: "<i8"}
"""The same as numpy has them."""

Attribute = int | str | tuple[int, ...]


@dataclass(frozen=True)
class Node:
    """One operator, and the names of what it takes and gives."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    domain: str = ""


@dataclass(frozen=True)
class Tensor:
    """Numbers that a graph holds: of which type (ONNX's number) and shape, and their bytes unless they are weights."""

    type: int
    shape: tuple[int, ...]
    value: bytes | None = None


@dataclass(frozen=True)
class Skeleton:
    """All of a graph but its weights: its nodes in order, its tensors by name, and the logits a text that it answers.

    `opsets` are the sets of operators it is made of, and which version of them.
    """

    nodes: tuple[Node, ...]
    tensors: Mapping[str, Tensor]
    outputs: int
    opsets: Mapping[str, int] = field(default_factory=lambda: {"": OPSET})


def skeleton(made_of: Architecture) -> Skeleton:
    """The graph of an architecture that computes in fp32."""
    graph = _Graph()
    lengths = graph.lengths("ids")
    x, width = _input(graph, made_of)
    for depth, units in enumerate(made_of.units, start=1):
        x, width = _recurrent(graph, made_of, units, x, width, lengths, top=depth == len(made_of.units))
    if made_of.pooling != "last":
        x = _pool(graph, made_of.pooling, x, lengths)
        width *= 2 if made_of.pooling == "max_mean" else 1
    for units in made_of.dense_units:
        x = graph.add("Relu", [graph.dense(x, width, units)])
        width = units
    last = graph.dense(x, width, made_of.outputs)
    if made_of.ngrams:
        both = graph.add("Add", [last, _ngram_logits(graph, made_of)])
        last = graph.add("Mul", [both, graph.constant("half", 0.5, FLOAT)])
    graph.add("Identity", [last], output="logits")
    return Skeleton(tuple(graph.nodes), graph.tensors, made_of.outputs)


class _Graph:
    """Nodes and tensors under way, each value named once."""

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
        """Ids that are not padding, a text: int32 `[batch]`."""
        zero = self.constant("padding", 0, INT32)
        there = self.add("Cast", [self.add("Greater", [ids, zero])], to=INT32)
        return self.add("ReduceSum", [there, self.constant("axis", 1)], keepdims=0)

    def dense(self, x: str, width: int, units: int) -> str:
        return self.add("Gemm", [x, self.weights("kernel", width, units), self.weights("bias", units)])


def constant_of(value: npt.ArrayLike, type: int) -> Tensor:
    """A tensor of these numbers."""
    array = np.asarray(value, NUMPY_TYPES[type])
    return Tensor(type, array.shape, array.tobytes())


def _input(graph: _Graph, made_of: Architecture) -> tuple[str, int]:
    """Token vectors, time first: `[time, batch, width]`, and their width."""
    ids = graph.add("Transpose", ["ids"], perm=(1, 0))
    if made_of.width:
        table = graph.weights("embedding", made_of.vocab_size, made_of.width)
        return graph.add("Gather", [table, ids]), made_of.width
    width = made_of.vocab_size
    depth = graph.constant("width", width, INT32)
    return graph.add("OneHot", [ids, depth, graph.constant("values", [0, 1], FLOAT)], axis=-1), width


def _recurrent(
    graph: _Graph, made_of: Architecture, units: int, x: str, width: int, lengths: str, *, top: bool
) -> tuple[str, int]:
    """One layer: `[time, batch, directions × units]`, and how wide that is.

    The top one: `[batch, time, directions × units]` to be pooled, or `[batch, directions × units]`, the last states.
    """
    last, pooled = (top and made_of.pooling == "last"), (top and made_of.pooling != "last")
    directions, rows = 1 + made_of.bidirectional, GATE_COUNTS[made_of.cell] * units
    kernel = graph.weights("kernel", directions, rows, width)
    recurrent = graph.weights("recurrent", directions, rows, units)
    bias = graph.weights("bias", directions, 2 * rows)
    whole, state = graph.name("sequence"), graph.name("state")
    attributes: dict[str, Attribute] = {
        "hidden_size": units,
        "direction": "bidirectional" if made_of.bidirectional else "forward",
    }
    if made_of.cell == "gru":
        attributes["linear_before_reset"] = 1
    inputs, outputs = (x, kernel, recurrent, bias, lengths), ("", state) if last else (whole,)
    graph.nodes.append(Node(OPERATORS[made_of.cell], inputs, outputs, attributes))
    width = directions * units
    if last:  # [directions, batch, units]
        state = graph.add("Transpose", [state], perm=(1, 0, 2))
        return graph.add("Reshape", [state, graph.constant("shape", [-1, width])]), width
    # From [time, directions, batch, units]. ONNX Runtime's ReduceMax is several times as fast over a middle axis.
    whole = graph.add("Transpose", [whole], perm=(2, 0, 1, 3) if pooled else (0, 2, 1, 3))
    return graph.add("Reshape", [whole, graph.constant("shape", [0, 0, width])]), width


def _pool(graph: _Graph, pooling: str, x: str, lengths: str) -> str:
    """`[batch, time, width]` to `[batch, width]` or, of both kinds, `[batch, 2 × width]`."""
    along = graph.constant("axis", 1)
    pooled = []
    if pooling in ("max", "max_mean"):
        ends = graph.add("Unsqueeze", [graph.add("Cast", [lengths], to=INT64), along])  # [batch, 1]
        zero, one = (graph.constant("scalar", value) for value in (0, 1))
        time = graph.add("Range", [zero, graph.add("Squeeze", [graph.add("Shape", [x], start=1, end=2)]), one])
        beyond = graph.add("GreaterOrEqual", [time, ends])  # [batch, time]
        beyond = graph.add("Unsqueeze", [beyond, graph.constant("axis", 2)])
        below = graph.constant("below", FAR_BELOW, FLOAT)
        # Added to what is there it is nothing, and cheaper than a choice between two.
        sink = graph.add("Mul", [graph.add("Cast", [beyond], to=FLOAT), below])
        pooled.append(graph.add("ReduceMax", [graph.add("Add", [x, sink])], axes=(1,), keepdims=0))
    if pooling in ("mean", "max_mean"):
        # ONNX's recurrent operators answer zeros after a text's end, so the plain sum is the masked one.
        count = graph.add("Cast", [lengths], to=FLOAT)
        total = graph.add("ReduceSum", [x, along], keepdims=0)
        pooled.append(graph.add("Div", [total, graph.add("Unsqueeze", [count, along])]))
    return pooled[0] if len(pooled) == 1 else graph.add("Concat", pooled, axis=-1)


def _ngram_logits(graph: _Graph, made_of: Architecture) -> str:
    """`[batch, outputs]`, as `rnn_cli.network.build` has it; a run that reaches into the padding weighs nothing."""
    zero, one = graph.constant("padding", 0), graph.constant("axis", 1)
    first = follower = graph.add("Cast", ["ids"], to=INT64)
    rows, known = [first], [graph.add("Greater", [first, zero])]
    for _ in range(1, made_of.ngrams):
        longer = graph.add("Pad", [follower, graph.constant("ends", [0, 0, 0, 1])])
        follower = graph.add("Slice", [longer, one, graph.constant("end", 1 << 31), one])
        tokens = graph.constant("tokens", made_of.vocab_size)
        buckets = graph.constant("buckets", made_of.buckets)
        first = graph.add("Mod", [graph.add("Add", [graph.add("Mul", [first, tokens]), follower]), buckets])
        rows.append(graph.add("Add", [first, tokens]))
        known.append(graph.add("Greater", [follower, zero]))
    weight = graph.add("Cast", [graph.add("Concat", known, axis=1)], to=FLOAT)
    table = graph.weights("ngrams", made_of.vocab_size + made_of.buckets, made_of.outputs)
    found = graph.add("Gather", [table, graph.add("Concat", rows, axis=1)])
    weighed = graph.add("Mul", [found, graph.add("Unsqueeze", [weight, graph.constant("axis", 2)])])
    total = graph.add("ReduceSum", [weighed, one], keepdims=0)
    length = graph.add("Sqrt", [graph.add("ReduceSum", [weight, one], keepdims=1)])
    return graph.dense(graph.add("Div", [total, length]), made_of.outputs, made_of.outputs)
