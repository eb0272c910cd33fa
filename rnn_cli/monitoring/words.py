"""Texts as vectors of hashed words, from whose sums no text can be read.

A text's vector has a place for each of `BUCKETS` hashes of words. It is the text's TF-IDF vector of length 1: each word
that it holds counts once, weighted by how rare its hash is in the training texts.

Source: Weinberger, Dasgupta, Langford, Smola and Attenberg (2009), Feature hashing for large scale multitask learning.
"""

from collections.abc import Iterable, Sequence
from zlib import crc32

import numpy as np

from rnn_cli.arrays import Floats, Floats32, Indices
from rnn_cli.copies.words import split_words

BUCKETS = 4_096
"""Places of a vector; more hold words better apart, and make the summary of the training texts larger."""


class Hashed:
    """Hashes words; a word that was hashed before is looked up."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def place(self, word: str) -> int:
        """The place of a word, below `BUCKETS`."""
        found = self._known.get(word)
        if found is None:
            found = self._known[word] = crc32(word.encode("utf-8", "surrogatepass")) % BUCKETS
        return found

    def places(self, text: str) -> Indices:
        """The places of a text's words, each once, in order."""
        return np.array(sorted({self.place(word) for word in split_words(text)}), np.intp)


def counts_of(texts: Iterable[Indices]) -> Indices:
    """How many texts have a word at each place, `[BUCKETS]`."""
    counts = np.zeros(BUCKETS, np.intp)
    for places in texts:
        counts[places] += 1
    return counts


def rarity(counts: Indices, texts: int) -> Floats:
    """The weight of each place by how many of so many texts have it, `[BUCKETS]`, as scikit-learn's smooth IDF."""
    weights: Floats = np.log((texts + 1) / (counts + 1)) + 1
    return weights


def vectors(texts: Sequence[Indices], weights: Floats) -> Floats32:
    """Each text's vector of length 1, `[texts, BUCKETS]`; one without a word has zeros."""
    found = np.zeros((len(texts), BUCKETS), np.float32)
    for row, places in enumerate(texts):
        found[row, places] = unit(weights[places])
    return found


def sum_of_vectors(texts: Iterable[Indices], weights: Floats) -> Floats:
    """The sum of the texts' vectors, `[BUCKETS]`."""
    total = np.zeros(BUCKETS)
    for places in texts:
        total[places] += unit(weights[places])
    return total


def unit(values: Floats) -> Floats:
    """The values divided by their length; none stay none."""
    return values / np.sqrt((values * values).sum()) if len(values) else values
