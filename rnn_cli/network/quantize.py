"""An LSTM network's ONNX graph to one that computes in 8 bits: smaller, and the faster the more units a layer has.

The recurrent layers become ONNX Runtime's DynamicQuantizeLSTM (1.3 times as fast with 32 units, 1.6 with 64, 2.2 with
128), and the token vectors are stored as bytes. The rest is left as it is: the Dense layers take no time, and n-grams'
weights of 8 bits cost accuracy. One scale serves a whole matrix; one for each gate's column was slower and no nearer to
fp32. Rewrites what `onnx_export` wrote, no other graph.

DynamicQuantizeLSTM finds the scale of what enters a layer anew in each batch, so an answer would depend on the texts
beside it (by up to 0.04 on 2,000 tweets). Here the scale of the input stands still, because two values that nothing
weighs enter with it: the ends of its range. What is left comes from the states between two steps: test rows of the
built-in sets, scored alone or in batches, differ by less than 0.0003 on average and 0.004 at most, where 8 bits
themselves move a probability by 0.0005 to 0.003 on average. Two more units that hold the states' range still, too,
would end that, but cost 12% of the time.

Source: the operator's definition, https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
"""

import numpy as np

from rnn_cli.arrays import AnyArray, Floats32
from rnn_cli.config.schema import ModelConfig
from rnn_cli.graph import read_graph, skeleton_in_int8
from rnn_cli.graph.skeleton import INT8, UINT8
from rnn_cli.network.onnx_export import to_proto

LARGEST_WEIGHT = 64
"""Weights are stored as -64 to 64: on processors without VNNI, ONNX Runtime adds the products of two inputs (at most
255 each) and two weights in 16 bits, which larger ones would overflow. A seventh bit made no answers better."""


def no_int8(config: ModelConfig) -> str | None:
    """Why `to_int8` cannot serve a network; None if it can."""
    if config.cell == "lstm":
        return None
    return f"ONNX Runtime computes LSTM layers in 8 bits, but no {config.cell.upper()} layers"


def to_int8(graph: bytes) -> bytes:
    """The int8 graph of the same inputs and outputs as an LSTM network's graph from `to_onnx`."""
    plain = read_graph(graph, "the graph in fp32")
    made, given = skeleton_in_int8(plain.skeleton), plain.tensors
    weights: dict[str, AnyArray] = dict(given)
    for name, tensor in made.tensors.items():
        if name in given and tensor.type == UINT8:
            weights |= _vectors_in_bytes(name, given[name].astype(np.float32))
        elif name in given and tensor.type == INT8:
            ends = tensor.shape[1] - given[name].shape[2]  # as many values as weigh nothing
            weights |= _in_bytes(name, np.pad(given[name].astype(np.float32), [(0, 0), (0, 0), (0, ends)]))
    found = to_proto(made, [weights[name] for name, tensor in made.tensors.items() if tensor.value is None])
    return bytes(found.SerializeToString())


def _vectors_in_bytes(name: str, table: Floats32) -> dict[str, AnyArray]:
    """Token vectors as bytes, each with the ends of the whole table's range as two further values; scale and zero."""
    low, high = min(0.0, float(table.min())), max(0.0, float(table.max()))
    ends = np.broadcast_to(np.array([low, high], np.float32), (len(table), 2))
    scale = np.array((high - low) / 255 or 1, np.float32)
    zero = np.array(np.rint(-low / scale), np.uint8)
    # The values that the LSTM takes the scale from are these bytes, so it finds the same ones again.
    levels = np.rint(np.hstack([table, ends]) / scale) + zero
    return {name: np.clip(levels, 0, 255).astype(np.uint8), f"{name}_scale": scale, f"{name}_zero": zero}


def _in_bytes(name: str, matrix: Floats32) -> dict[str, AnyArray]:
    """Weights `[directions, gates × units, in]` as `[directions, in, gates × units]` of int8, and their scales."""
    scale = np.abs(matrix).max(axis=(1, 2)) / LARGEST_WEIGHT
    scale[scale == 0] = 1
    small = np.rint(matrix / scale[:, np.newaxis, np.newaxis]).astype(np.int8).transpose(0, 2, 1)
    return {name: small, f"{name}_scale": scale}
