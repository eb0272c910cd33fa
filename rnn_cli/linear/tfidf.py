"""TF-IDF features of texts: words and word pairs, or characters in texts without words.

`count_rows` uses scikit-learn's vectorizer, for the one model of a baseline. `count_features` counts once, for the
many fits of data checks. Knows nothing of what the models are for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer, TfidfVectorizer

from rnn_cli.arrays import Floats, Indices
from rnn_cli.copies.words import KNOWN_WORDS, Words
from rnn_cli.linear.logistic import fit_logistic

MOST_WEIGHTS = 10_000_000
"""The maximum of features times outputs, which bounds the memory; the rarest features go first."""

TEXT_SAMPLE_SEED = 1


@dataclass(frozen=True)
class FeatureKind:
    """What a vectorizer counts, and how many characters of training texts it reads at most, which bounds the memory."""

    name: str
    analyzer: str
    ngram_range: tuple[int, int]
    most_characters: int

    def vectorizer(self, outputs: int) -> TfidfVectorizer:
        """A new vectorizer, not fitted, with scikit-learn's defaults for everything not given here."""
        return TfidfVectorizer(
            analyzer=self.analyzer,
            ngram_range=self.ngram_range,
            sublinear_tf=True,
            max_features=MOST_WEIGHTS // outputs,
        )


WORD_PAIRS = FeatureKind("words and word pairs", "word", (1, 2), 40_000_000)
CHARACTER_NGRAMS = FeatureKind("up to three characters", "char", (1, 3), 8_000_000)


@dataclass(frozen=True)
class CountedRows:
    """Training rows as TF-IDF: `rows` are the indices of the texts read, `matrix` is sparse, `[rows, features]`."""

    kind: FeatureKind
    rows: Indices
    vectorizer: TfidfVectorizer
    matrix: Any


def count_rows(texts: Sequence[str], held_out: Sequence[str], outputs: int) -> CountedRows:
    """Fit a vectorizer to training texts; `held_out` texts decide between words and characters."""
    for kind in (WORD_PAIRS, CHARACTER_NGRAMS):
        rows = _sampled(texts, kind.most_characters)
        vectorizer = kind.vectorizer(outputs)
        try:
            matrix = vectorizer.fit_transform([texts[row] for row in rows])
        except ValueError:  # the texts hold no word
            continue
        if kind is CHARACTER_NGRAMS or _knows_words(vectorizer, held_out):
            break
    return CountedRows(kind, rows, vectorizer, matrix)


def _sampled(texts: Sequence[str], most_characters: int) -> Indices:
    """All rows, or a random sample of them with at most this many characters, in order."""
    lengths = np.fromiter(map(len, texts), np.intp, len(texts))
    if lengths.sum() <= most_characters:
        return np.arange(len(texts))
    order = np.random.default_rng(TEXT_SAMPLE_SEED).permutation(len(texts))
    return np.sort(order[: np.searchsorted(lengths[order].cumsum(), most_characters)])


def _knows_words(vectorizer: TfidfVectorizer, texts: Sequence[str]) -> bool:
    words = [word for text in texts for word in vectorizer.build_tokenizer()(text.lower())]
    return sum(word in vectorizer.vocabulary_ for word in words) > KNOWN_WORDS * len(words)


FIXED_STRENGTH = 3.0
"""C of the models of `fit_and_score`: to choose it in so many fits would take minutes. A large C lets a model learn a
wrong label by heart."""


def count_features(words: Words, labels: int) -> Any:
    """How often each text holds each word and word pair that at least two texts hold: sparse, `[texts, features]`."""
    rows = np.repeat(np.arange(len(words)), words.lengths)
    within = rows[1:] == rows[:-1]
    pairs = (words.ids[:-1] * words.size + words.ids[1:])[within]
    # Drop pairs that occur once before the matrix is made: most do, and they would take most of the memory.
    _, numbers, times = np.unique(pairs, return_inverse=True, return_counts=True)
    often = times[numbers] > 1
    columns = np.concatenate([words.ids, words.size + numbers[often]])
    rows = np.concatenate([rows, rows[1:][within][often]])
    shape = (len(words), words.size + len(times))
    counts = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape)  # sums repeated entries
    texts = np.bincount(counts.indices, minlength=shape[1])
    most = MOST_WEIGHTS // labels
    enough = texts > max(1, int(np.sort(texts)[-most]) if most < len(texts) else 0)
    return counts[:, np.flatnonzero(enough)]


def fit_and_score(counts: Any, classes: Indices, train: Indices, held_out: Indices, labels: int) -> Floats:
    """Fit to the rows `train` and return the probabilities of the rows `held_out`, `[held_out, labels]`.

    `classes` holds a number below `labels` for each row of `counts`. A label without a row in `train` has
    probability 0.
    """
    tfidf = TfidfTransformer(sublinear_tf=True)
    model = fit_logistic(tfidf.fit_transform(counts[train]), classes[train], labels, FIXED_STRENGTH)
    return model.probabilities(tfidf.transform(counts[held_out]))
