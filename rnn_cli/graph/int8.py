"""The skeleton of a graph with LSTMs in 8 bits; `rnn_cli.network.quantize` explains it.

Source: https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md (DynamicQuantizeLSTM).
"""

from dataclasses import replace

from rnn_cli.graph.skeleton import FLOAT, INT8, INT64, UINT8, Node, Skeleton, Tensor, constant_of

DOMAIN, OPERATOR = "com.microsoft", "DynamicQuantizeLSTM"

STATES = (-1.0, 1.0)
"""The range of an LSTM's states."""


def skeleton_in_int8(plain: Skeleton) -> Skeleton:
    """Convert the skeleton of a graph in fp32 with LSTM layers.

    A tensor `NAME` in 8 bits has the tensors `NAME_scale` and `NAME_zero` for its scale and zero point.
    """
    tensors = dict(plain.tensors)
    entry = next(node.inputs[0] for node in plain.nodes if node.operator == "LSTM")
    nodes: list[Node] = []
    for node in plain.nodes:
        if node.operator == "Gather" and node.outputs[0] == entry:
            nodes += _vectors_from_bytes(node, tensors)
        elif node.operator == "LSTM" and node.inputs[0] == entry:
            from_vectors = nodes[-1].operator == "DequantizeLinear"  # one-hot tokens always have the range 0 to 1
            nodes.append(_int8_layer(node, tensors, entry, ends=from_vectors))
        elif node.operator == "LSTM":
            nodes += _with_ends(node.inputs[0], tensors)
            nodes.append(_int8_layer(node, tensors, nodes[-1].outputs[0], ends=True))
        else:
            nodes.append(node)
    return replace(plain, nodes=tuple(nodes), tensors=tensors, opsets={**plain.opsets, DOMAIN: 1})


def _vectors_from_bytes(gather: Node, tensors: dict[str, Tensor]) -> list[Node]:
    """Nodes for token vectors from bytes, each followed by the two ends of the table's range."""
    name, vectors = gather.inputs[0], gather.outputs[0]
    rows, width = tensors[name].shape
    tensors[name] = Tensor(UINT8, (rows, width + 2))
    tensors[f"{name}_scale"], tensors[f"{name}_zero"] = Tensor(FLOAT, ()), Tensor(UINT8, ())
    small = f"{vectors}_bytes"
    return [
        Node("Gather", gather.inputs, (small,)),
        Node("DequantizeLinear", (small, f"{name}_scale", f"{name}_zero"), (vectors,)),
    ]


def _with_ends(states: str, tensors: dict[str, Tensor]) -> list[Node]:
    """Nodes that append the two ends of their range to a layer's states `[time, batch, width]`."""
    once, ends, shape, wide = (f"{states}_{hint}" for hint in ("once", "ends", "shape", "wide"))
    tensors[once], tensors[ends] = constant_of([1], INT64), constant_of(STATES, FLOAT)
    return [
        Node("Shape", (states,), (f"{shape}_2",), {"end": 2}),
        Node("Concat", (f"{shape}_2", once), (shape,), {"axis": 0}),
        Node("Expand", (ends, shape), (f"{ends}_wide",)),
        Node("Concat", (states, f"{ends}_wide"), (wide,), {"axis": 2}),
    ]


def _int8_layer(node: Node, tensors: dict[str, Tensor], x: str, *, ends: bool) -> Node:
    """The layer in 8 bits, reading `x`; `ends` says that `x` ends with two values with zero weights."""
    _, kernel, recurrent, bias, lengths = node.inputs
    beside = []
    for name in (kernel, recurrent):
        directions, rows, width = tensors[name].shape
        tensors[name] = Tensor(INT8, (directions, width + 2 * (ends and name == kernel), rows))
        tensors[f"{name}_scale"] = Tensor(FLOAT, (directions,))
        tensors[f"{name}_zero"] = constant_of([0] * directions, INT8)
        beside += [f"{name}_scale", f"{name}_zero"]
    inputs = (x, kernel, recurrent, bias, lengths, "", "", "", *beside)
    return Node(OPERATOR, inputs, node.outputs, node.attributes, DOMAIN)
