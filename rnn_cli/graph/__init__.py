"""The ONNX graphs that rnn makes, without their weights: which there may be, and whether a file holds one of them.

What writes a graph and what reads one share this room, so that nothing is read that is not written, and the other way
round. Knows nothing of `onnx`, which is too slow to load for `rnn predict`, nor of ONNX Runtime.
"""

from rnn_cli.graph.architecture import WIDEST, Architecture
from rnn_cli.graph.int8 import skeleton_in_int8
from rnn_cli.graph.reading import Graph, read_graph
from rnn_cli.graph.skeleton import Skeleton, skeleton
from rnn_cli.graph.states import with_states

__all__ = ["WIDEST", "Architecture", "Graph", "Skeleton", "skeleton_in_int8", "read_graph", "skeleton", "with_states"]
