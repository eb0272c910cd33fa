"""Vectors of texts, learned without labels from the n-grams that each text holds.

A text's vector and those of its n-grams are pulled together; the text's and those of sampled n-grams are pushed apart:
their cosine, times `SHARPNESS`, is the log-odds that the text holds the n-gram. Texts that say similar things then have
similar vectors, so that a linear model of a few labels tells much of many texts.

Texts and n-grams are divided into `DEALT_PARTS` parts. At a time each core has one part of the texts and one of the
n-grams, and no two cores share any: equal seeds give equal bytes on one machine, whatever the number of cores.

Source: Thongtan and Phienthrakul (2019), Sentiment classification using document embeddings trained with cosine
similarity; Gemulla, Nijkamp, Haas and Sismanis (2011), Large-scale matrix factorization with distributed stochastic
gradient descent (the parts).
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from scipy import sparse

from rnn_cli.arrays import Flags, Floats, Floats32, Indices
from rnn_cli.system import can_cache_code, cores

DEALT_PARTS = 4

SHARPNESS = 6.0
RATE = 0.003
"""The learning rate of the first step; it falls to zero along a line."""

START = 0.01
"""Vectors begin uniformly between minus and plus this. From a large norm nothing is learned."""

DRAWN = 5
"""N-grams that are drawn by chance for each one that a text holds."""

DRAW_POWER = 0.75
"""N-grams are drawn in proportion to their frequency to this power."""

POOL_SIZE, TEXTS_A_POOL = 1_024, 16
"""So many n-grams are drawn at a time, and serve so many texts: they stay in the cache. Of a smaller pool each n-gram
would be pushed away from the same few texts too often, and accuracy falls by ten points."""

TEXTS_A_SLICE = 1_024
"""Texts of a part between two chances to report, or to stop."""

OnTexts = Callable[[int, int], None]
"""Called with the number of texts read so far and the total, each text counted once an epoch."""

_compiled: Any = numba.njit(
    nogil=True, cache=can_cache_code(__file__), error_model="numpy", fastmath={"contract", "reassoc"}
)
"""Allows sums in any order, as that of eight lanes: the order is the same in each run."""


def document_vectors(
    held: sparse.csr_matrix, *, dim: int, epochs: int, seed: int, on_progress: OnTexts = lambda *_: None
) -> Floats32:
    """A vector of unit length for each text, `[texts, dim]`, from what each holds, `[texts, n-grams]`.

    The n-grams are in order of frequency. A text that holds none has a vector of zeros; so has every text where there
    are fewer than `DEALT_PARTS` n-grams.
    """
    texts, ngrams = held.shape
    if ngrams < DEALT_PARTS:
        return np.zeros((texts, dim), np.float32)
    space = _Space(held, dim, np.random.default_rng(seed))
    done = 0
    with ThreadPoolExecutor(min(DEALT_PARTS, cores()), "documents") as threads:
        for epoch in range(epochs):
            for turn, parts in enumerate(space.turns()):
                rate = RATE * (1 - (epoch * DEALT_PARTS + turn) / (epochs * DEALT_PARTS))
                for read in parts:
                    done += sum(threads.map(partial(read, rate), range(DEALT_PARTS)))
                    on_progress(done // DEALT_PARTS, epochs * texts)
    return space.directions(np.diff(held.indptr) == 0)


class _Space:
    """The vectors of texts and, in parts, of n-grams."""

    def __init__(self, held: sparse.csr_matrix, dim: int, chance: np.random.Generator) -> None:
        texts, ngrams = held.shape
        self.chance = chance
        self.texts = _start(chance, (texts, dim))
        self.ngrams = _start(chance, (DEALT_PARTS, -(-ngrams // DEALT_PARTS), dim))
        # In order of frequency, each part gets as many frequent ones as the others.
        self.held = [held[:, part::DEALT_PARTS].tocsr() for part in range(DEALT_PARTS)]
        self.odds = [_drawing_odds(each) for each in self.held]

    def turns(self) -> Iterator[Iterator[Callable[[float, int], int]]]:
        """An epoch: in each turn all parts of the texts meet one part of the n-grams each, a slice after the other.

        A slice is a function of the rate and the part, which returns the number of texts read.
        """
        dealt = np.array_split(self.chance.permutation(len(self.texts)), DEALT_PARTS)
        for shift in self.chance.permutation(DEALT_PARTS).tolist():
            yield (
                partial(self._read, dealt, shift, start, self.chance.integers(1, 1 << 62, DEALT_PARTS))
                for start in range(0, len(dealt[0]), TEXTS_A_SLICE)
            )

    def _read(self, dealt: Sequence[Indices], shift: int, start: int, seeds: Indices, rate: float, part: int) -> int:
        rows, met = dealt[part][start : start + TEXTS_A_SLICE], (part + shift) % DEALT_PARTS
        held = self.held[met]
        _read(self.texts, self.ngrams[met], rows, held.indptr, held.indices, self.odds[met], rate, seeds[part])
        return len(rows)

    def directions(self, empty: Flags) -> Floats32:
        """The texts' vectors at unit length, zeros for the `empty` texts."""
        self.texts /= np.sqrt(np.einsum("ij,ij->i", self.texts, self.texts))[:, None]
        self.texts[empty] = 0
        return self.texts


def _start(chance: np.random.Generator, shape: tuple[int, ...]) -> Floats32:
    vectors = chance.random(shape, np.float32)
    vectors -= np.float32(0.5)
    vectors *= np.float32(2 * START)
    return vectors


def _drawing_odds(held: sparse.csr_matrix) -> Floats:
    """The cumulated odds by which each n-gram is drawn, `[n-grams]`."""
    often = np.bincount(held.indices, minlength=held.shape[1])
    odds: Floats = np.cumsum(often**DRAW_POWER)
    return odds


@_compiled
def _read(
    vectors: Floats32,
    ngrams: Floats32,
    texts: Indices,
    starts: Indices,
    held: Indices,
    odds: Floats,
    rate: float,
    seed: int,
) -> None:
    """Change the vectors of some texts and of n-grams, `[texts, dim]` and `[n-grams, dim]`, by reading each text once.

    Text i holds the n-grams `held[starts[i]:starts[i + 1]]`; `odds` are `_drawing_odds`.
    """
    chance = np.uint64(seed)
    pool = np.zeros(POOL_SIZE, np.int64)
    for number in range(len(texts)):
        if number % TEXTS_A_POOL == 0:
            for place in range(POOL_SIZE):
                chance = _next(chance)
                share = np.float64(chance >> np.uint64(11)) / 9007199254740992.0  # 2 to the power of 53
                pool[place] = np.searchsorted(odds, share * odds[-1])
        text = texts[number]
        first, last = starts[text], starts[text + 1]
        vector = vectors[text]
        for place in range(first, last):
            _draw(vector, ngrams[held[place]], np.float32(1), np.float32(rate))
        chance = _next(chance)
        drawn = np.int64(chance % np.uint64(POOL_SIZE))
        for place in range(drawn, drawn + DRAWN * (last - first)):
            _draw(vector, ngrams[pool[place % POOL_SIZE]], np.float32(0), np.float32(rate))


@_compiled
def _next(chance: Any) -> Any:
    """The next number of Marsaglia's xorshift, 64 bits."""
    chance ^= chance << np.uint64(13)
    chance ^= chance >> np.uint64(7)
    return chance ^ (chance << np.uint64(17))


@_compiled
def _draw(
    vector: npt.NDArray[np.float32], ngram: npt.NDArray[np.float32], target: np.float32, rate: np.float32
) -> None:
    """One step of gradient descent on the log loss of a pair, whose target is 1 or 0."""
    squares, others, product = np.float32(1e-12), np.float32(1e-12), np.float32(0)
    for place in range(len(vector)):
        squares += vector[place] * vector[place]
        others += ngram[place] * ngram[place]
        product += vector[place] * ngram[place]
    lengths = np.float32(1) / np.sqrt(squares * others)
    cosine = product * lengths
    odds = np.float32(SHARPNESS) * cosine
    step = rate * np.float32(SHARPNESS) * (target - np.float32(1) / (np.float32(1) + np.exp(-odds)))
    along, of_vector, of_ngram = step * lengths, step * cosine / squares, step * cosine / others
    for place in range(len(vector)):
        one, other = vector[place], ngram[place]
        vector[place] = one + along * other - of_vector * one
        ngram[place] = other + along * one - of_ngram * other
