"""What a model of numbers makes of n-grams by themselves: how much each moves the number, read from its graph."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from rnn_cli.arrays import Floats
from rnn_cli.bundle.model_folder import ONNX_MODEL
from rnn_cli.graph.reading import Graph
from rnn_cli.scoring.parts import read_fitting_graph
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.text.tokenizer_json import UNKNOWN

TEXTS_COUNTED = 2_000
"""Of more texts so many, evenly spaced, are looked at."""

FEWEST_HOLDING = 5
"""In how many texts an n-gram must be, so that what it does is seen more than once."""


@dataclass(frozen=True)
class NgramWeight:
    """An n-gram as words, how many of the texts hold it, and how much it adds to their numbers, on average."""

    words: str
    texts: int
    weight: float


def ngram_weights(predictor: Predictor, texts: Sequence[str]) -> list[NgramWeight]:
    """What n-grams that `FEWEST_HOLDING` of the texts hold add to the number, the one that raises it most first.

    The n-gram part adds up a weight for each n-gram of a text, over the root of their number; what the network makes
    of the same words is not in it. N-grams with signs or unknown tokens are left out; a model without n-grams has none.
    """
    opened = predictor.bundle
    if not predictor.number or not predictor.architecture.ngrams:
        return []
    where = str(opened.path / ONNX_MODEL)
    graph = read_fitting_graph(opened.read(ONNX_MODEL), where, predictor.tokenizer, predictor.outputs)
    made, table = graph.architecture, _weights(graph) * predictor.spread
    shares, holding = defaultdict[tuple[int, ...], float](float), Counter[tuple[int, ...]]()
    for text in texts[:: -(-len(texts) // TEXTS_COUNTED) or 1]:
        ids = predictor.tokenizer.encode(text)
        runs = [
            tuple(ids[start : start + length])
            for length in range(1, made.ngrams + 1)
            for start in range(len(ids) - length + 1)
        ]
        share = 1 / sqrt(len(runs))
        for run, times in Counter(runs).items():
            shares[run] += times * share
            holding[run] += 1
    vocab = predictor.tokenizer.vocab
    told = {each for each, token in enumerate(vocab) if each > UNKNOWN and any(map(str.isalnum, token))}
    space = " " if predictor.tokenizer.level == "word" else ""
    found = [
        NgramWeight(
            space.join(vocab[each] for each in run),
            count,
            float(table[_row(run, made.vocab_size, made.buckets)]) * shares[run] / count,
        )
        for run, count in holding.items()
        if count >= FEWEST_HOLDING and all(each in told for each in run)
    ]
    return sorted(found, key=lambda each: (-each.weight, each.words))


def _weights(graph: Graph) -> Floats:
    """What each n-gram's row of the table adds to the network's output, times the root of a text's n-grams."""
    name = next(name for name in graph.tensors if name.startswith("ngrams"))
    last = [node for node in graph.skeleton.nodes if node.operator == "Gemm"][-1]  # what scales the sum
    part = 1.0 if graph.architecture.is_linear else 0.5  # a network and its n-grams are averaged
    return np.asarray(graph.tensors[name][:, 0].astype(float) * float(graph.tensors[last.inputs[1]][0, 0]) * part)


def _row(run: Sequence[int], vocab_size: int, buckets: int) -> int:
    """The row of an n-gram in the table, as the graph finds it."""
    bucket, *others = run
    for token in others:
        bucket = (bucket * vocab_size + token) % buckets
    return bucket + vocab_size * bool(others)
