"""TF-IDF features of texts: words and word pairs, or characters in texts without words.

`fit_features` is for the one model of a baseline; `count_features` counts once, for the many fits of data checks. Knows
nothing of what the models are for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer

from rnn_cli.arrays import Floats, Indices
from rnn_cli.copies.words import KNOWN_WORDS, FindWords, Words, learn_words, number_words, split_characters, split_words
from rnn_cli.linear.logistic import fit_logistic

MOST_WEIGHTS = 10_000_000
"""The maximum of features times outputs, which bounds the memory; the rarest features go first."""

TEXT_SAMPLE_SEED = 1


@dataclass(frozen=True)
class FeatureKind:
    """What is counted: runs of 1 to `longest` of the words that `split` finds; `most_characters` bounds the memory."""

    name: str
    split: FindWords
    longest: int
    most_characters: int


WORD_PAIRS = FeatureKind("words and word pairs", split_words, 2, 40_000_000)
CHARACTER_NGRAMS = FeatureKind("up to three characters", split_characters, 3, 8_000_000)


class NgramCounter:
    """Counts the n-grams that training texts hold: a column for each word, then one for each longer run of words.

    `counts` are those of the training texts, `[texts, n-grams]`; of more than `most` n-grams the most frequent count.
    """

    def __init__(self, kind: FeatureKind, texts: Sequence[str], most: int) -> None:
        words, self._numbers = learn_words(texts, kind.split)
        self._split, self._keys = kind.split, list[npt.NDArray[np.int64]]()
        found, width = [words.runs(1)], words.size
        for length in range(2, kind.longest + 1):
            rows, runs = words.runs(length)
            keys, places = np.unique(runs, return_inverse=True)
            self._keys.append(keys)
            found.append((rows, width + places))
            width += len(keys)
        counts = _counts(found, (len(words), width))
        times = np.asarray(counts.sum(axis=0)).ravel()
        kept = np.sort(np.argsort(-times, kind="stable")[:most])
        self._kept = kept if len(kept) < width else slice(None)
        self.counts = counts[:, self._kept]

    def of(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """How often other texts hold each n-gram, `[texts, n-grams]`."""
        words = number_words(texts, self._split, self._numbers)
        found, width = [words.runs(1)], words.size
        for length, keys in enumerate(self._keys, start=2):
            rows, runs = words.runs(length)
            places = np.searchsorted(keys[:-1], runs)
            known = keys[places] == runs if len(keys) else np.zeros(len(rows), np.bool_)
            found.append((rows[known], width + places[known]))
            width += len(keys)
        return _counts(found, (len(words), width))[:, self._kept]

    def knows(self, texts: Sequence[str]) -> bool:
        """Whether enough of the words of other texts are in the training texts."""
        ids = number_words(texts, self._split, self._numbers).ids
        return int((ids >= 0).sum()) > KNOWN_WORDS * len(ids)


def _counts(entries: Sequence[tuple[Indices, Indices]], shape: tuple[int, int]) -> sparse.csr_matrix:
    """How often each row and column come together in pairs of their indices."""
    rows, columns = map(np.concatenate, zip(*entries, strict=True))
    return sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape)  # sums repeated entries


@dataclass(frozen=True)
class Features:
    """TF-IDF of training texts: `rows` are the indices of the texts read, `matrix` is sparse, `[rows, features]`."""

    kind: FeatureKind
    rows: Indices
    matrix: Any
    counter: NgramCounter
    tfidf: TfidfTransformer

    def of(self, texts: Sequence[str]) -> Any:
        """The same features of other texts, sparse, `[texts, features]`."""
        return self.tfidf.transform(self.counter.of(texts))


def fit_features(texts: Sequence[str], held_out: Sequence[str], outputs: int) -> Features:
    """The features of training texts for a model with so many outputs; `held_out` decides on words or characters."""
    for kind in (WORD_PAIRS, CHARACTER_NGRAMS):
        rows = _sampled(texts, kind.most_characters)
        counter = NgramCounter(kind, [texts[row] for row in rows], MOST_WEIGHTS // outputs)
        if counter.knows(held_out):
            break
    tfidf = TfidfTransformer(sublinear_tf=True)
    return Features(kind, rows, tfidf.fit_transform(counter.counts), counter, tfidf)


def _sampled(texts: Sequence[str], most_characters: int) -> Indices:
    """All rows, or a random sample of them with at most this many characters, in order."""
    lengths = np.fromiter(map(len, texts), np.intp, len(texts))
    if lengths.sum() <= most_characters:
        return np.arange(len(texts))
    order = np.random.default_rng(TEXT_SAMPLE_SEED).permutation(len(texts))
    return np.sort(order[: np.searchsorted(lengths[order].cumsum(), most_characters)])


FIXED_STRENGTH = 3.0
"""C of the models of `fit_and_score`: to choose it in so many fits would take minutes. A large C lets a model learn a
wrong label by heart."""


def count_features(words: Words, labels: int) -> sparse.csr_matrix:
    """How often each text holds each word and word pair that at least two texts hold: sparse, `[texts, features]`."""
    (rows, ids), (texts, pairs) = words.runs(1), words.runs(2)
    # Drop pairs that occur once before the matrix is made: most do, and they would take most of the memory.
    _, numbers, times = np.unique(pairs, return_inverse=True, return_counts=True)
    often = times[numbers] > 1
    entries = [(rows, ids), (texts[often], words.size + numbers[often])]
    counts = _counts(entries, (len(words), words.size + len(times)))
    holding = np.bincount(counts.indices, minlength=counts.shape[1])
    most = MOST_WEIGHTS // labels
    enough = holding > max(1, int(np.sort(holding)[-most]) if most < len(holding) else 0)
    return counts[:, np.flatnonzero(enough)]


def fit_and_score(counts: Any, classes: Indices, train: Indices, held_out: Indices, labels: int) -> Floats:
    """Fit to the rows `train` and return the probabilities of the rows `held_out`, `[held_out, labels]`.

    `classes` holds a number below `labels` for each row of `counts`. A label without a row in `train` has
    probability 0.
    """
    tfidf = TfidfTransformer(sublinear_tf=True)
    model = fit_logistic(tfidf.fit_transform(counts[train]), classes[train], labels, FIXED_STRENGTH)
    return model.probabilities(tfidf.transform(counts[held_out]))
