"""A trained network's weights to an ONNX graph.

The graph is put together by hand because exporters are unreliable for bidirectional recurrent layers: each layer is
one ONNX operator (LSTM, GRU or RNN), told each text's length. Knows the shape of what `build` makes, no more.

Source: the operators' definitions, https://onnx.ai/onnx/operators/ (LSTM, GRU, RNN).
"""

from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper

from rnn_cli.config import ModelConfig
from rnn_cli.network.build import FAR_BELOW, LOGITS, NGRAM_LOGITS, NGRAMS

OPSET = 17
IR_VERSION = 8

Array = npt.NDArray[np.float32]

GATES = {"lstm": (0, 3, 1, 2), "gru": (0, 1, 2), "rnn": (0,)}
"""Where in Keras's order each of ONNX's gates stands: LSTM i, o, f, c of i, f, c, o; GRU z, r, h in both."""

OPERATORS = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN"}


def to_onnx(model: keras.Model, config: ModelConfig) -> bytes:
    """The ONNX file of a model from `build`: int32 `ids` `[batch, time]`, padded after the text with 0, to `logits`.

    `logits` is `[batch, 1]` for two classes (the positive one's), else `[batch, classes]`; a sigmoid or a softmax of
    it gives the model's probabilities.
    """
    graph = _Graph()
    lengths = graph.lengths("ids")
    x = _input(graph, model, config)
    for depth, _ in enumerate(config.units, start=1):
        top = depth == len(config.units)
        x = _recurrent(graph, _directions(model, config, depth), config, x, lengths, top=top)
    if config.pooling != "last":
        x = _pool(graph, config.pooling, x, lengths)
    for depth, _ in enumerate(config.dense_units, start=1):
        x = graph.add("Relu", [_dense(graph, model.get_layer(f"dense_{depth}"), x)])
    last = _dense(graph, model.get_layer(LOGITS), x)
    if config.ngrams:
        both = graph.add("Add", [last, _ngram_logits(graph, model, config)])
        last = graph.add("Mul", [both, graph.constant("half", np.array(0.5, np.float32))])
    return graph.serialize(graph.add("Identity", [last], output="logits"), width=model.output_shape[-1])


class _Graph:
    """Nodes and weights under way, each value named once."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []
        self.count = 0

    def name(self, hint: str) -> str:
        self.count += 1
        return f"{hint}_{self.count}"

    def constant(self, hint: str, value: npt.ArrayLike) -> str:
        name = self.name(hint)
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, operator: str, inputs: Iterable[str], *, output: str | None = None, **attributes: Any) -> str:
        output = output or self.name(operator.lower())
        self.nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def lengths(self, ids: str) -> str:
        """Ids that are not padding, a text: int32 `[batch]`."""
        zero = self.constant("padding", np.array(0, np.int32))
        there = self.add("Cast", [self.add("Greater", [ids, zero])], to=TensorProto.INT32)
        return self.add("ReduceSum", [there, self.constant("axis", np.array([1]))], keepdims=0)

    def serialize(self, output: str, width: int) -> bytes:
        model: ModelProto = helper.make_model(
            helper.make_graph(
                self.nodes,
                "classifier",
                [helper.make_tensor_value_info("ids", TensorProto.INT32, ["batch", "time"])],
                [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", width])],
                self.weights,
            ),
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="rnn",
        )
        checker.check_model(model, full_check=True)
        return bytes(model.SerializeToString())


def _input(graph: _Graph, model: keras.Model, config: ModelConfig) -> str:
    """Token vectors, time first: `[time, batch, dim]`."""
    ids = graph.add("Transpose", ["ids"], perm=[1, 0])
    if config.input == "embedding":
        (vectors,) = model.get_layer("embedding").get_weights()
        return graph.add("Gather", [graph.constant("embedding", vectors), ids])
    width = _directions(model, config, 1)[0][0].shape[0]
    depth = graph.constant("width", np.array([width], np.int32))
    return graph.add("OneHot", [ids, depth, graph.constant("values", np.array([0, 1], np.float32))], axis=-1)


def _directions(model: keras.Model, config: ModelConfig, depth: int) -> list[Sequence[Array]]:
    """A recurrent layer's weights, a direction each: kernel, recurrent kernel, bias."""
    name = f"{config.cell}_{depth}"
    if not config.bidirectional:
        return [model.get_layer(name).get_weights()]
    both = model.get_layer(f"bidirectional_{name}")
    return [both.forward_layer.get_weights(), both.backward_layer.get_weights()]


def _recurrent(
    graph: _Graph, directions: list[Sequence[Array]], config: ModelConfig, x: str, lengths: str, *, top: bool
) -> str:
    """One layer: `[time, batch, directions × units]`.

    The top one: `[batch, time, directions × units]` to be pooled, or `[batch, directions × units]`, the last states.
    """
    last, pooled = (top and config.pooling == "last"), (top and config.pooling != "last")
    units = directions[0][1].shape[0]
    weights = [
        graph.constant(hint, np.stack(stack))
        for hint, stack in zip(
            ("kernel", "recurrent", "bias"),
            zip(*(_reorder(direction, config.cell, units) for direction in directions), strict=True),
            strict=True,
        )
    ]
    whole, state = graph.name("sequence"), graph.name("state")
    attributes: dict[str, Any] = {"linear_before_reset": 1} if config.cell == "gru" else {}
    graph.nodes.append(
        helper.make_node(
            OPERATORS[config.cell],
            [x, *weights, lengths],
            ["", state] if last else [whole],
            hidden_size=units,
            direction="bidirectional" if len(directions) == 2 else "forward",
            **attributes,
        )
    )
    width = len(directions) * units
    if last:  # [directions, batch, units]
        state = graph.add("Transpose", [state], perm=[1, 0, 2])
        return graph.add("Reshape", [state, graph.constant("shape", np.array([-1, width]))])
    # From [time, directions, batch, units]. ONNX Runtime's ReduceMax is several times as fast over a middle axis.
    whole = graph.add("Transpose", [whole], perm=[2, 0, 1, 3] if pooled else [0, 2, 1, 3])
    return graph.add("Reshape", [whole, graph.constant("shape", np.array([0, 0, width]))])


def _reorder(weights: Sequence[Array], cell: str, units: int) -> tuple[Array, Array, Array]:
    """Keras's kernel `[in, gates × units]` and bias to ONNX's `[gates × units, in]` and `[2 × gates × units]`."""
    kernel, recurrent, bias = weights
    order = np.concatenate([np.arange(gate * units, (gate + 1) * units) for gate in GATES[cell]])
    # Keras's GRU keeps the recurrent bias apart (reset_after), as ONNX does for all; the others have none.
    biases = bias if bias.ndim == 2 else np.stack([bias, np.zeros_like(bias)])
    return kernel.T[order], recurrent.T[order], biases[:, order].reshape(-1)


def _pool(graph: _Graph, pooling: str, x: str, lengths: str) -> str:
    """`[batch, time, width]` to `[batch, width]` or, of both kinds, `[batch, 2 × width]`."""
    along = graph.constant("axis", np.array([1]))
    pooled = []
    if pooling in ("max", "max_mean"):
        ends = graph.add("Unsqueeze", [graph.add("Cast", [lengths], to=TensorProto.INT64), along])  # [batch, 1]
        zero, one = (graph.constant("scalar", np.array(value)) for value in (0, 1))
        time = graph.add("Range", [zero, graph.add("Squeeze", [graph.add("Shape", [x], start=1, end=2)]), one])
        beyond = graph.add("GreaterOrEqual", [time, ends])  # [batch, time]
        beyond = graph.add("Unsqueeze", [beyond, graph.constant("axis", np.array([2]))])
        below = graph.constant("below", np.array(FAR_BELOW, np.float32))
        # Added to what is there it is nothing, and cheaper than a choice between two.
        sink = graph.add("Mul", [graph.add("Cast", [beyond], to=TensorProto.FLOAT), below])
        pooled.append(graph.add("ReduceMax", [graph.add("Add", [x, sink])], axes=[1], keepdims=0))
    if pooling in ("mean", "max_mean"):
        # ONNX's recurrent operators answer zeros after a text's end, so the plain sum is the masked one.
        count = graph.add("Cast", [lengths], to=TensorProto.FLOAT)
        total = graph.add("ReduceSum", [x, along], keepdims=0)
        pooled.append(graph.add("Div", [total, graph.add("Unsqueeze", [count, along])]))
    return pooled[0] if len(pooled) == 1 else graph.add("Concat", pooled, axis=-1)


def _ngram_logits(graph: _Graph, model: keras.Model, config: ModelConfig) -> str:
    """`[batch, width]`, as `build` has it; a run that reaches into the padding weighs nothing."""
    (table,) = model.get_layer(NGRAMS).get_weights()
    zero, one = graph.constant("padding", np.array(0)), graph.constant("axis", np.array([1]))
    first = follower = graph.add("Cast", ["ids"], to=TensorProto.INT64)
    rows, known = [first], [graph.add("Greater", [first, zero])]
    for _ in range(1, config.ngrams):
        longer = graph.add("Pad", [follower, graph.constant("ends", np.array([0, 0, 0, 1]))])
        follower = graph.add("Slice", [longer, one, graph.constant("end", np.array([1 << 31])), one])
        tokens = graph.constant("tokens", np.array(len(table) - config.ngram_buckets))
        buckets = graph.constant("buckets", np.array(config.ngram_buckets))
        first = graph.add("Mod", [graph.add("Add", [graph.add("Mul", [first, tokens]), follower]), buckets])
        rows.append(graph.add("Add", [first, tokens]))
        known.append(graph.add("Greater", [follower, zero]))
    weight = graph.add("Cast", [graph.add("Concat", known, axis=1)], to=TensorProto.FLOAT)
    found = graph.add("Gather", [graph.constant("ngrams", table), graph.add("Concat", rows, axis=1)])
    weighed = graph.add("Mul", [found, graph.add("Unsqueeze", [weight, graph.constant("axis", np.array([2]))])])
    total = graph.add("ReduceSum", [weighed, one], keepdims=0)
    length = graph.add("Sqrt", [graph.add("ReduceSum", [weight, one], keepdims=1)])
    return _dense(graph, model.get_layer(NGRAM_LOGITS), graph.add("Div", [total, length]))


def _dense(graph: _Graph, layer: keras.layers.Dense, x: str) -> str:
    kernel, bias = layer.get_weights()
    return graph.add("Gemm", [x, graph.constant("kernel", kernel), graph.constant("bias", bias)])
