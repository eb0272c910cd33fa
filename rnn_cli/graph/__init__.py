"""The ONNX graphs that rnn writes, without their weights, and the check that a file holds such a graph.

Writers and readers of graphs share these modules, so that exactly the graphs that are written can be read. Uses neither
`onnx`, which is too slow to load for `rnn predict`, nor ONNX Runtime.
"""

from rnn_cli.graph.architecture import WIDEST, Architecture
from rnn_cli.graph.int8 import skeleton_in_int8
from rnn_cli.graph.reading import Graph, read_graph
from rnn_cli.graph.skeleton import Skeleton, skeleton
from rnn_cli.graph.states import last_layers, with_features, with_states

__all__ = [
    "WIDEST",
    "Architecture",
    "Graph",
    "Skeleton",
    "last_layers",
    "read_graph",
    "skeleton",
    "skeleton_in_int8",
    "with_features",
    "with_states",
]
