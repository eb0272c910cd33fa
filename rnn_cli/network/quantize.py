"""An LSTM network's ONNX graph to one that computes in 8 bits: smaller, and the faster the more units a layer has.

The recurrent layers become ONNX Runtime's DynamicQuantizeLSTM (1.3 times as fast with 32 units, 1.6 with 64, 2.2 with
128), and the token vectors are stored as bytes. The rest is left as it is: the Dense layers take no time, and n-grams'
weights of 8 bits cost accuracy. One scale serves a whole matrix; one for each gate's column was slower and no nearer to
fp32. Rewrites what `onnx_graph` wrote, no other graph.

DynamicQuantizeLSTM finds the scale of what enters a layer anew in each batch, so an answer would depend on the texts
beside it (by up to 0.04 on 2,000 tweets). Here the scale of the input stands still, because two values that nothing
weighs enter with it: the ends of its range. What is left comes from the states between two steps: test rows of the
built-in sets, scored alone or in batches, differ by less than 0.0003 on average and 0.004 at most, where 8 bits
themselves move a probability by 0.0005 to 0.003 on average. Two more units that hold the states' range still, too,
would end that, but cost 12% of the time.

Source: the operator's definition, https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import onnx
from onnx import ModelProto, NodeProto, helper, numpy_helper

from rnn_cli.config import ModelConfig

DOMAIN, OPERATOR = "com.microsoft", "DynamicQuantizeLSTM"

LARGEST = 64
"""Weights are stored as -64 to 64: on processors without VNNI, ONNX Runtime adds the products of two inputs (at most
255 each) and two weights in 16 bits, which larger ones would overflow. A seventh bit made no answers better."""

STATES = (-1.0, 1.0)
"""The range of what leaves an LSTM."""

Weights = dict[str, npt.NDArray[np.generic]]


def no_int8(config: ModelConfig) -> str | None:
    """Why `to_int8` cannot serve a network; None if it can."""
    if config.cell == "lstm":
        return None
    return f"ONNX Runtime computes LSTM layers in 8 bits, but no {config.cell.upper()} layers"


def to_int8(graph: bytes) -> bytes:
    """The int8 graph of the same inputs and outputs as an LSTM network's graph from `to_onnx`."""
    model = onnx.load_from_string(graph)
    weights: Weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    entry = next(node.input[0] for node in model.graph.node if node.op_type == "LSTM")
    nodes: list[NodeProto] = []
    for node in model.graph.node:
        if node.op_type == "Gather" and node.output[0] == entry:
            nodes += _embedding(node, weights)
        elif node.op_type == "LSTM" and node.input[0] == entry:
            from_vectors = nodes[-1].op_type == "DequantizeLinear"  # one-hot tokens have the ends 0 and 1 anyway
            nodes.append(_lstm(node, weights, entry, ends=from_vectors))
        elif node.op_type == "LSTM":
            nodes += _with_ends(node.input[0], weights)
            nodes.append(_lstm(node, weights, nodes[-1].output[0], ends=True))
        else:
            nodes.append(node)
    _replace(model, nodes, weights)
    return bytes(model.SerializeToString())


def _replace(model: ModelProto, nodes: Sequence[NodeProto], weights: Weights) -> None:
    used = {name for node in nodes for name in node.input}
    tensors = [numpy_helper.from_array(value, name) for name, value in weights.items() if name in used]
    del model.graph.node[:], model.graph.initializer[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(tensors)
    model.opset_import.append(helper.make_opsetid(DOMAIN, 1))


def _embedding(gather: NodeProto, weights: Weights) -> list[NodeProto]:
    """Token vectors from bytes, each with the ends of the whole table's range as two further values."""
    name, vectors = gather.input[0], gather.output[0]
    table = weights[name].astype(np.float32)
    low, high = min(0.0, float(table.min())), max(0.0, float(table.max()))
    ends = np.broadcast_to(np.array([low, high], np.float32), (len(table), 2))
    scale = np.array((high - low) / 255 or 1, np.float32)
    zero = np.array(np.rint(-low / scale), np.uint8)
    # The values that the LSTM takes the scale from are these bytes, so it finds the same ones again.
    levels = np.rint(np.hstack([table, ends]) / scale) + zero
    weights[name] = np.clip(levels, 0, 255).astype(np.uint8)
    weights[f"{name}_scale"], weights[f"{name}_zero"] = scale, zero
    small = f"{vectors}_bytes"
    return [
        helper.make_node("Gather", list(gather.input), [small]),
        helper.make_node("DequantizeLinear", [small, f"{name}_scale", f"{name}_zero"], [vectors]),
    ]


def _with_ends(states: str, weights: Weights) -> list[NodeProto]:
    """What leaves a layer, `[time, batch, width]`, with the ends of its range as two further values."""
    once, ends, shape, wide = (f"{states}_{hint}" for hint in ("once", "ends", "shape", "wide"))
    weights[once], weights[ends] = np.array([1]), np.array(STATES, np.float32)
    return [
        helper.make_node("Shape", [states], [f"{shape}_2"], end=2),
        helper.make_node("Concat", [f"{shape}_2", once], [shape], axis=0),
        helper.make_node("Expand", [ends, shape], [f"{ends}_wide"]),
        helper.make_node("Concat", [states, f"{ends}_wide"], [wide], axis=2),
    ]


def _lstm(node: NodeProto, weights: Weights, x: str, *, ends: bool) -> NodeProto:
    """The layer in 8 bits, reading `x`; `ends` says that two values that weigh nothing stand at the end of it."""
    _, kernel, recurrent, bias, lengths = node.input
    if ends:
        weights[kernel] = np.pad(weights[kernel], [(0, 0), (0, 0), (0, 2)])
    scales = [scale for name in (kernel, recurrent) for scale in _in_bytes(name, weights)]
    made = helper.make_node(
        OPERATOR, [x, kernel, recurrent, bias, lengths, "", "", "", *scales], list(node.output), domain=DOMAIN
    )
    made.attribute.extend(node.attribute)
    return made


def _in_bytes(name: str, weights: Weights) -> tuple[str, str]:
    """Store weights `[directions, gates × units, in]` as `[directions, in, gates × units]` of int8; scale and zero."""
    matrix = weights[name].astype(np.float32)
    scale = np.abs(matrix).max(axis=(1, 2)) / LARGEST
    scale[scale == 0] = 1
    weights[name] = np.rint(matrix / scale[:, np.newaxis, np.newaxis]).astype(np.int8).transpose(0, 2, 1)
    weights[f"{name}_scale"], weights[f"{name}_zero"] = scale, np.zeros(len(scale), np.int8)
    return f"{name}_scale", f"{name}_zero"
