"""Which weight an n-gram has: the numbering that a network's n-gram part, its ONNX graph and its fitting share.

A token's row in the table of weights is its id. A run of two tokens has the row `vocab_size` + (first × vocab_size +
second) modulo the buckets, and each further token goes on from there, so that no table of n-grams need be stored or
searched. Two runs may share a row (Weinberger et al. 2009, Feature hashing for large scale multitask learning).
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse

Rows = npt.NDArray[np.int64]


def ngram_rows(ids: Sequence[int], *, longest: int, vocab_size: int, buckets: int) -> Rows:
    """The table's row of each run of 1 to `longest` tokens of a text, the shorter runs first."""
    tokens = np.asarray(ids, np.int64)
    bucket, rows = tokens, [tokens]
    for length in range(2, min(longest, len(tokens)) + 1):
        bucket = (bucket[:-1] * vocab_size + tokens[length - 1 :]) % buckets
        rows.append(bucket + vocab_size)
    return np.concatenate(rows)


def ngram_counts(
    sequences: Iterable[Sequence[int]], *, longest: int, vocab_size: int, buckets: int
) -> sparse.csr_matrix:
    """How often each row is met in each text, over the root of the text's n-grams: `[texts, rows]`, float64.

    The product with a table of weights is what the network's n-gram part sums up.
    """
    columns, values, ends = [], [], [0]
    for ids in sequences:
        rows = ngram_rows(ids, longest=longest, vocab_size=vocab_size, buckets=buckets)
        met, counts = np.unique(rows, return_counts=True)
        columns.append(met)
        values.append(counts / np.sqrt(len(rows)))
        ends.append(ends[-1] + len(met))
    shape = (len(ends) - 1, vocab_size + buckets)
    return sparse.csr_matrix((np.concatenate(values), np.concatenate(columns), ends), shape)
