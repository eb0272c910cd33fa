"""Converts an LSTM network's ONNX graph to 8 bits: smaller, and faster the more units a layer has.

The recurrent layers become ONNX Runtime's DynamicQuantizeLSTM (1.3 times as fast with 32 units, 1.6 with 64, 2.2 with
128), and the token vectors are stored as bytes. The rest stays in fp32: the Dense layers take no time, and n-gram
weights in 8 bits cost accuracy. Each matrix has one scale; one per gate column was slower and no closer to fp32.
Converts only graphs from `onnx_export`.

DynamicQuantizeLSTM computes the scale of a layer's input in each batch, so a prediction would depend on the other texts
(by up to 0.04 on 2,000 tweets). Here two further input values with zero weights, the ends of the range, fix that scale.
The states between two steps still differ: probabilities of test rows of the built-in sets, scored alone or in batches,
differ by less than 0.0003 on average and 0.004 at most, while 8 bits change them by 0.0005 to 0.003 on average. Two
more units that fix the states' range would remove this, but take 12% more time.

Source: the operator's definition, https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
"""

import numpy as np

from rnn_cli.arrays import AnyArray, Floats32
from rnn_cli.config.schema import ModelConfig
from rnn_cli.graph import read_graph, skeleton_in_int8
from rnn_cli.graph.skeleton import INT8, UINT8
from rnn_cli.network.proto import to_proto

LARGEST_WEIGHT = 64
"""Weights are stored as -64 to 64: on processors without VNNI, ONNX Runtime adds the products of two inputs (at most
255 each) and two weights in 16 bits, which larger weights would overflow. A seventh bit did not improve accuracy."""


def no_int8(config: ModelConfig) -> str | None:
    """Why `to_int8` does not support a network; None if it does."""
    if config.kind == "linear":
        return "a linear model is small and fast as it is"
    if config.cell == "lstm":
        return None
    return f"ONNX Runtime computes LSTM layers in 8 bits, but no {config.cell.upper()} layers"


def to_int8(graph: bytes) -> bytes:
    """The int8 graph of an LSTM network's graph from `to_onnx`, with the same inputs and outputs."""
    plain = read_graph(graph, "the graph in fp32")
    made, given = skeleton_in_int8(plain.skeleton), plain.tensors
    weights: dict[str, AnyArray] = dict(given)
    for name, tensor in made.tensors.items():
        if name in given and tensor.type == UINT8:
            weights |= _vectors_in_bytes(name, given[name].astype(np.float32))
        elif name in given and tensor.type == INT8:
            ends = tensor.shape[1] - given[name].shape[2]  # further inputs with zero weights
            weights |= _in_bytes(name, np.pad(given[name].astype(np.float32), [(0, 0), (0, 0), (0, ends)]))
    found = to_proto(made, [weights[name] for name, tensor in made.tensors.items() if tensor.value is None])
    return bytes(found.SerializeToString())


def _vectors_in_bytes(name: str, table: Floats32) -> dict[str, AnyArray]:
    """Token vectors as bytes, each followed by the two ends of the table's range; with scale and zero point."""
    low, high = min(0.0, float(table.min())), max(0.0, float(table.max()))
    ends = np.broadcast_to(np.array([low, high], np.float32), (len(table), 2))
    scale = np.array((high - low) / 255 or 1, np.float32)
    zero = np.array(np.rint(-low / scale), np.uint8)
    # The LSTM computes its scale from these bytes, so it finds the same scale.
    levels = np.rint(np.hstack([table, ends]) / scale) + zero
    return {name: np.clip(levels, 0, 255).astype(np.uint8), f"{name}_scale": scale, f"{name}_zero": zero}


def _in_bytes(name: str, matrix: Floats32) -> dict[str, AnyArray]:
    """Weights `[directions, gates × units, in]` as int8 `[directions, in, gates × units]`, and their scales."""
    scale = np.abs(matrix).max(axis=(1, 2)) / LARGEST_WEIGHT
    scale[scale == 0] = 1
    small = np.rint(matrix / scale[:, np.newaxis, np.newaxis]).astype(np.int8).transpose(0, 2, 1)
    return {name: small, f"{name}_scale": scale}
