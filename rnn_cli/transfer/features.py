"""What a graph's prediction is linear in, computed for many texts. Loads no TensorFlow."""

from collections.abc import Callable, Sequence

import numpy as np

from rnn_cli.arrays import AnyArray, Floats32
from rnn_cli.graph import Graph, with_features
from rnn_cli.linear.logistic import on_all_cores
from rnn_cli.scoring.predictor import BATCH_TEXTS, graph_inputs, open_session
from rnn_cli.text.padding import Ragged


def read_features(
    file: bytes | bytearray,
    graph: Graph,
    where: str,
    sequences: Sequence[Sequence[int]],
    on_read: Callable[[int, int], None] = lambda *_: None,
    columns: Floats32 | None = None,
) -> list[AnyArray]:
    """The inputs of a graph's last layer `[texts, width]`, its network's logits and, if it has any, its n-grams'.

    Logits are `[texts, labels]`. `file` holds the bytes of the graph, of the file `where`; `sequences` are encoded
    texts, each of at least one id, `columns` the numbers of other columns of a graph that takes them, `[texts, width]`.
    `on_read` is called with how many of how many texts are done.
    """
    extended, names = with_features(file, graph)
    session, texts = open_session(extended, where), Ragged(sequences)
    order = np.argsort(texts.lengths, kind="stable")
    batches = [order[start : start + BATCH_TEXTS] for start in range(0, len(order), BATCH_TEXTS)]
    found: list[list[AnyArray]] = [[] for _ in batches]
    done = 0
    for number, (pooled, *logits) in on_all_cores(
        lambda number: session.run(names, graph_inputs(texts, columns, batches[number])), range(len(batches))
    ):
        found[number] = [pooled, *map(of_all_labels, logits)]
        done += len(batches[number])
        on_read(done, len(sequences))
    places = np.argsort(order)
    return [np.concatenate(parts)[places] for parts in zip(*found, strict=True)]


def of_all_labels(logits: AnyArray) -> AnyArray:
    """Logits, or their weights, for each label; of two, a network has only the second's, beside a zero."""
    return np.hstack([np.zeros_like(logits), logits]) if logits.shape[1] == 1 else logits
