"""Puts weights into a graph's skeleton, and writes a linear model so. Loads no Keras, which takes seconds."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from onnx import ModelProto, checker, helper, numpy_helper

from rnn_cli.arrays import AnyArray, Floats32
from rnn_cli.graph import Architecture, Skeleton, skeleton
from rnn_cli.graph.skeleton import COLUMNS_INPUT, FLOAT, INT32, IR_VERSION, NUMPY_TYPES, Tensor


def linear_to_onnx(
    table: Floats32, bias: Floats32, *, vocab_size: int, ngrams: int, columns: Floats32 | None = None
) -> bytes:
    """The ONNX file of a linear model: the weights of tokens and buckets `[rows, outputs]` and the bias `[outputs]`.

    `columns` are the weights of other columns, `[width, outputs]`. Its inputs and output are those of
    `rnn_cli.network.onnx_export.to_onnx`.
    """
    beside = [] if columns is None else [columns.astype(np.float32)]
    of_columns = sum(map(len, beside))
    architecture = Architecture.linear(vocab_size, table.shape[1], ngrams, len(table) - vocab_size, of_columns)
    rows = vocab_size + architecture.buckets
    last = np.eye(table.shape[1], dtype=np.float32), bias.astype(np.float32)
    made = to_proto(skeleton(architecture), [table[:rows].astype(np.float32), *beside, *last])
    checker.check_model(made, full_check=True)
    return bytes(made.SerializeToString())


def to_proto(made: Skeleton, weights: Iterable[AnyArray]) -> ModelProto:
    """The `onnx` model of a skeleton and its weights, in the order of the skeleton's tensors."""
    left = iter(weights)
    tensors = [
        numpy_helper.from_array(_constant(tensor) if tensor.value is not None else next(left), name)
        for name, tensor in made.tensors.items()
    ]
    nodes = []
    for node in made.nodes:
        attributes: dict[str, Any] = dict(node.attributes)
        nodes.append(
            helper.make_node(node.operator, node.inputs, node.outputs, domain=node.domain or None, **attributes)
        )
    inputs: list[tuple[str, int, list[str | int]]] = [("ids", INT32, ["batch", "time"])]
    if made.columns:
        inputs.append((COLUMNS_INPUT, FLOAT, ["batch", made.columns]))
    return helper.make_model(
        helper.make_graph(
            nodes,
            "classifier",
            [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in inputs],
            [helper.make_tensor_value_info("logits", FLOAT, ["batch", made.outputs])],
            tensors,
        ),
        opset_imports=[helper.make_opsetid(domain, version) for domain, version in made.opsets.items()],
        ir_version=IR_VERSION,
        producer_name="rnn",
    )


def _constant(tensor: Tensor) -> AnyArray:
    return np.frombuffer(tensor.value or b"", NUMPY_TYPES[tensor.type]).reshape(tensor.shape)
