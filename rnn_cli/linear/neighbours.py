"""How often tokens of encoded texts stand near each other."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import scipy.sparse as sp

from rnn_cli.arrays import Ids
from rnn_cli.text.tokenizer_json import UNKNOWN

NEIGHBOUR_WINDOW = 5
"""Tokens to each side that count as neighbours, one at distance d as 1/d."""

CHUNK = 1 << 18
"""Tokens counted at a time, so that memory grows with the number of different pairs, not with the texts."""


def count_neighbours(sequences: Iterable[Sequence[int]], size: int) -> sp.csr_matrix:
    """How often two ids are neighbours, weighted by distance: a symmetric matrix `[size, size]`."""
    # Each pair is held once, at its smaller id, which halves the memory.
    upper = sp.csr_matrix((size, size))
    for ids in _chunks(sequences):
        smaller, larger, weights = [], [], []
        for distance in range(1, NEIGHBOUR_WINDOW + 1):
            one, other = ids[:-distance], ids[distance:]
            known = (one > UNKNOWN) & (other > UNKNOWN)
            one, other = one[known], other[known]
            smaller.append(np.minimum(one, other))
            larger.append(np.maximum(one, other))
            weights.append(np.full(len(one), 1 / distance))
        indices = np.concatenate(smaller), np.concatenate(larger)
        upper = upper + sp.coo_matrix((np.concatenate(weights), indices), (size, size)).tocsr()
    return (upper + upper.T).tocsr()


def _chunks(sequences: Iterable[Sequence[int]]) -> Iterator[Ids]:
    """The ids of some texts in a row, with enough padding between them that no window reaches the next text."""
    gap = [0] * NEIGHBOUR_WINDOW
    chunk: list[int] = []
    for sequence in sequences:
        chunk += sequence
        chunk += gap
        if len(chunk) >= CHUNK:
            yield np.array(chunk, np.int32)
            chunk = []
    yield np.array(chunk + gap, np.int32)
