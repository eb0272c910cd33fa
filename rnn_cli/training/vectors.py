"""Token vectors from the texts themselves: tokens that stand beside the same tokens get vectors that are near.

Knows nothing of texts, files or networks: ids go in, vectors come out. Source: Levy, Goldberg and Dagan (2015),
Improving distributional similarity with lessons learned from word embeddings (the PPMI and SVD models, with context
distribution smoothing, distance-weighted contexts and the singular values' square root).
"""

import gzip
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.utils.extmath import randomized_svd
from threadpoolctl import threadpool_limits

from rnn_cli.errors import DataError
from rnn_cli.text.tokenizer_json import UNKNOWN

NEIGHBOUR_WINDOW = 5
"""Tokens to each side that count as neighbours, one at distance d as 1/d."""

SMOOTHING = 0.75
"""The power of the contexts' counts: below 1 it keeps rare contexts from looking more telling than they are."""

SPREAD = 0.3
"""The root mean square of the vectors' numbers; their mean is near zero, so it is their standard deviation too."""

PIECE = 1 << 18
"""Tokens that are counted at a time, so that memory is bounded by the pairs that differ, not by the texts."""


def own_vectors(sequences: Iterable[Sequence[int]], vocab_size: int, dim: int, *, seed: int) -> npt.NDArray[np.float32]:
    """First vectors `[vocab_size, dim]` from the whole texts' ids, which are read once, all below `vocab_size`.

    Padding (0) and unknown (1) get zeros and are nobody's neighbours, though their places count for the distance. A
    token with no neighbour that tells anything gets a random vector of the same spread. Equal ids, equal bytes on one
    machine, however many cores it lends.
    """
    told = _positive_information(_neighbours(sequences, vocab_size))
    vectors = np.zeros((vocab_size, dim), np.float32)
    if told.nnz:
        # A small vocabulary has no more directions than tokens; the rest of each vector stays zero.
        kept = min(dim, vocab_size)
        with threadpool_limits(1):  # sums over two threads differ in their last digits from sums over one
            left, sizes, _ = randomized_svd(told, kept, n_iter=4, random_state=seed)
        vectors[:, :kept] = left * np.sqrt(sizes)
    is_told = np.diff(told.indptr) > 0
    if is_told.any():
        vectors *= SPREAD / np.sqrt(np.mean(np.square(vectors[is_told])))
    others = np.flatnonzero(~is_told)[UNKNOWN + 1 :]  # the first two are padding and unknown
    vectors[~is_told] = 0
    vectors[others] = np.random.default_rng(seed).normal(0, SPREAD, (len(others), dim))
    return vectors


def _neighbours(sequences: Iterable[Sequence[int]], size: int) -> sp.csr_matrix:
    """How often two ids are neighbours, weighted by distance: symmetric, `[size, size]`."""
    # While it grows, each pair is held once, at its smaller id: half the memory.
    upper = sp.csr_matrix((size, size))
    for ids in _pieces(sequences):
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


def _pieces(sequences: Iterable[Sequence[int]]) -> Iterator[npt.NDArray[np.int32]]:
    """The ids of some texts after each other, with so much padding between them that none reaches another."""
    gap = [0] * NEIGHBOUR_WINDOW
    piece: list[int] = []
    for sequence in sequences:
        piece += sequence
        piece += gap
        if len(piece) >= PIECE:
            yield np.array(piece, np.int32)
            piece = []
    yield np.array(piece + gap, np.int32)


def _positive_information(counts: sp.csr_matrix) -> sp.csr_matrix:
    """Positive pointwise mutual information of each pair, float32; `counts` is used up."""
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
    """First vectors `[vocabulary, dim]`, and how many of the words (padding and unknown apart) the file held."""

    vectors: npt.NDArray[np.float32]
    found: int
    words: int


def read_word_vectors(file: Path, vocabulary: Sequence[str], dim: int, *, seed: int) -> WordVectors:
    """Vectors for `vocabulary`, whose first two tokens are padding and unknown.

    A word the file lacks gets a random vector of the spread of those it holds; padding gets zeros. Raises
    `DataError` with the line if the file is not in the format or its vectors are not of length `dim`.
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
            continue  # a token of several words, of which the first is in the vocabulary
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
    """Place, word and the rest of each line; fastText's first line, `words dim`, is passed over."""
    try:
        with file.open("rb") as raw:
            magic = raw.read(2)
        with gzip.open(file, "rb") if magic == GZIP_MAGIC else file.open("rb") as stream:
            for number, line in enumerate(stream, start=1):
                # A few published words are not whole UTF-8; they can't be in a vocabulary, but need not stop us.
                word, _, rest = line.decode("utf-8", "replace").rstrip().partition(" ")
                if number > 1 or " " in rest:
                    yield f"{file}:{number}", word, rest
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"cannot be read ({reason.lower()})", where=str(file)) from None


def _floats(numbers: list[str], where: str) -> npt.NDArray[np.float32]:
    try:
        vector = np.array(numbers, np.float32)
    except ValueError:
        raise DataError(
            "not a word and its numbers", where=where, hint="use GloVe's or fastText's text format"
        ) from None
    if not np.isfinite(vector).all():
        raise DataError("a vector that is not finite", where=where)
    return vector
