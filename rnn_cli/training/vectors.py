"""First token vectors: made from the texts, where tokens with the same neighbours get similar vectors, or from a file.

Source: Levy, Goldberg and Dagan (2015),
Improving distributional similarity with lessons learned from word embeddings (the PPMI and SVD models, with context
distribution smoothing, distance-weighted contexts and the singular values' square root).
"""

import gzip
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from sklearn.utils.extmath import randomized_svd
from threadpoolctl import threadpool_limits

from rnn_cli.arrays import Floats32
from rnn_cli.errors import DataError
from rnn_cli.linear.neighbours import count_neighbours
from rnn_cli.text.tokenizer_json import UNKNOWN

SMOOTHING = 0.75
"""The power of the contexts' counts: below 1 it lowers the information of rare contexts, which is overestimated."""

SPREAD = 0.3
"""The root mean square of the vectors' numbers, which is also their standard deviation, as the mean is near zero."""


def own_vectors(sequences: Iterable[Sequence[int]], vocab_size: int, dim: int, *, seed: int) -> Floats32:
    """Vectors `[vocab_size, dim]` from the ids of whole texts, which are read once; all ids are below `vocab_size`.

    Padding (0) and unknown (1) get zeros and count as no token's neighbours, but as distance. A token without
    informative neighbours gets a random vector of the same spread. Equal ids give equal bytes on one machine, whatever
    the number of cores.
    """
    information = _positive_information(count_neighbours(sequences, vocab_size))
    vectors = np.zeros((vocab_size, dim), np.float32)
    if information.nnz:
        # A small vocabulary has only as many directions as tokens; the rest of each vector stays zero.
        kept = min(dim, vocab_size)
        with threadpool_limits(1):  # sums over several threads differ in their last digits
            left, sizes, _ = randomized_svd(information, kept, n_iter=4, random_state=seed)
        vectors[:, :kept] = left * np.sqrt(sizes)
    is_informed = np.diff(information.indptr) > 0
    if is_informed.any():
        vectors *= SPREAD / np.sqrt(np.mean(np.square(vectors[is_informed])))
    others = np.flatnonzero(~is_informed)[UNKNOWN + 1 :]  # the first two are padding and unknown
    vectors[~is_informed] = 0
    vectors[others] = np.random.default_rng(seed).normal(0, SPREAD, (len(others), dim))
    return vectors


def _positive_information(counts: sp.csr_matrix) -> sp.csr_matrix:
    """Positive pointwise mutual information of each pair, float32; it overwrites `counts`."""
    sums = np.asarray(counts.sum(axis=1)).ravel()
    smoothed = sums**SMOOTHING
    values = counts.data
    values /= np.repeat(sums, np.diff(counts.indptr))
    values /= smoothed[counts.indices]
    values *= smoothed.sum()
    np.log(values, out=values)
    np.maximum(values, 0, out=values)
    counts.eliminate_zeros()
    return counts.astype(np.float32)


GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class WordVectors:
    """Vectors `[vocabulary, dim]`; of `words` words (without padding and unknown) the file holds `found`."""

    vectors: Floats32
    found: int
    words: int


def read_word_vectors(file: Path, vocabulary: Sequence[str], dim: int, *, seed: int) -> WordVectors:
    """Read vectors for `vocabulary`, whose first two tokens are padding and unknown.

    A word that is not in the file gets a random vector of the same spread as the others; padding gets zeros. Raises
    `DataError` with the line if the format or the length of a vector is wrong.
    """
    indices = {word: index for index, word in enumerate(vocabulary) if index >= 2}
    vectors = np.zeros((len(vocabulary), dim), np.float32)
    found: set[int] = set()
    for number, (where, word, rest) in enumerate(_lines(file)):
        index = indices.get(word)
        if number > 0 and (index is None or index in found):
            continue
        numbers = rest.split(" ")
        if number > 0 and len(numbers) > dim:
            continue  # a token of several words whose first one is in the vocabulary
        if len(numbers) != dim:
            raise DataError(
                f"a vector of {len(numbers)} numbers, expected {dim}",
                where=where,
                hint="set model.embedding_dim to the length of the file's vectors",
            )
        vector = _floats(numbers, where)
        if index is not None:
            vectors[index] = vector
            found.add(index)
    missing = [index for index in range(1, len(vocabulary)) if index not in found]
    spread = float(vectors[sorted(found)].std()) if found else 0.05
    vectors[missing] = np.random.default_rng(seed).normal(0, spread, (len(missing), dim))
    return WordVectors(vectors, len(found), len(indices))


def _lines(file: Path) -> Iterator[tuple[str, str, str]]:
    """Place, word and the rest of each line; skips fastText's first line, `words dim`."""
    try:
        with file.open("rb") as raw:
            magic = raw.read(2)
        with gzip.open(file, "rb") if magic == GZIP_MAGIC else file.open("rb") as stream:
            for number, line in enumerate(stream, start=1):
                # A few published words are not valid UTF-8; they cannot be in a vocabulary, so they are no error.
                word, _, rest = line.decode("utf-8", "replace").rstrip().partition(" ")
                if number > 1 or " " in rest:
                    yield f"{file}:{number}", word, rest
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"cannot be read ({reason.lower()})", where=str(file)) from None


def _floats(numbers: list[str], where: str) -> Floats32:
    try:
        vector = np.array(numbers, np.float32)
    except ValueError:
        raise DataError(
            "expected a word and its numbers", where=where, hint="use GloVe's or fastText's text format"
        ) from None
    if not np.isfinite(vector).all():
        raise DataError("a number of the vector is not finite", where=where)
    return vector
