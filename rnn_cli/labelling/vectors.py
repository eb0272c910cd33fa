"""What is computed of each text once, before labels come: n-grams, and a short vector of what the text is like.

The vector is what the general model computes of a text, where it knows the texts' words, beside the texts' n-grams in
few dimensions. Knows nothing of labels or files.

Source: Deerwester et al. (1990), Indexing by latent semantic analysis.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from threadpoolctl import threadpool_limits

from rnn_cli.arrays import Floats32
from rnn_cli.bundle.locate import GENERAL
from rnn_cli.copies.words import KNOWN_WORDS
from rnn_cli.errors import BundleError
from rnn_cli.linear.ngrams import ngram_counts
from rnn_cli.linear.tfidf import Features, fit_features
from rnn_cli.text.tokenizer_json import UNKNOWN
from rnn_cli.transfer.base import Base

DIMENSIONS = 64
"""Dimensions that the n-grams are reduced to."""

PROBED_TEXTS = 500
"""From so many texts it is decided whether the base knows their words."""

BASE_WEIGHT, TOPIC_WEIGHT = 1.0, 0.3
"""The length of an average vector of the base and of the reduced n-grams; a text's n-grams have the length 1.

Chosen with 20 to 200 labels of the set `sample` and of questions by topic, neither of which the general model has seen,
and with 50 to 800 of `rotten_tomatoes` without it.
"""

LEAST_SPREAD = 1e-2
"""Added to the standard deviation of a number that hardly varies."""

OnRead = Callable[[int, int], None]


@dataclass(frozen=True)
class TextVectors:
    """Texts as numbers: `ngrams` are sparse, `[texts, n-grams]`, `dense` are short vectors, `[texts, width]`."""

    ngrams: sparse.csr_matrix
    dense: Floats32
    _parts: tuple[Any, ...]
    _features: Features

    @classmethod
    def of(cls, texts: Sequence[str], base: str | None = GENERAL, on_read: OnRead = lambda *_: None) -> "TextVectors":
        """Those of texts; `base` names the model that reads them, too, None for none.

        `on_read` is called with how many of how many texts the base has read. Raises `BundleError`.
        """
        features = fit_features(texts, texts, 2)
        parts: list[Any] = []
        if (reader := base_for(texts, base)) is not None:
            parts.append(_Standardized.of(reader, texts, on_read))
        if (reduced := _Reduced.of(features)) is not None:
            parts.append(reduced)
        dense = [part.fitted for part in parts]
        return cls(
            features.matrix.astype(np.float64),
            np.hstack(dense) if dense else np.zeros((len(texts), 1), np.float32),
            tuple(parts),
            features,
        )

    @property
    def has_base(self) -> bool:
        """Whether a trained model has read the texts."""
        return any(isinstance(part, _Standardized) for part in self._parts)

    def more(self, texts: Sequence[str]) -> tuple[sparse.csr_matrix, Floats32]:
        """The same of other texts: n-grams `[texts, n-grams]` and short vectors `[texts, width]`."""
        ngrams = self._features.of(texts)
        dense = [part.apply(texts, ngrams) for part in self._parts]
        return ngrams.astype(np.float64), np.hstack(dense) if dense else np.zeros((len(texts), 1), np.float32)


def base_for(texts: Sequence[str], named: str | None) -> Base | None:
    """The base, if it is there and knows enough of the texts' words."""
    if named is None:
        return None
    try:
        base = Base.open(named)
    except BundleError:
        if named != GENERAL:
            raise
        return None
    probed = [texts[at] for at in np.linspace(0, len(texts) - 1, min(PROBED_TEXTS, len(texts))).astype(int)]
    ids = [each for text in probed for each in base.tokenizer.encode_whole(text)]
    known = sum(each != UNKNOWN for each in ids)
    return base if known > KNOWN_WORDS * len(ids) else None


@dataclass(frozen=True)
class _Standardized:
    """What a base computes of texts, with mean 0 and spread 1 over these, as vectors of about the length 1."""

    base: Base
    mean: Floats32
    spread: Floats32
    fitted: Floats32

    @classmethod
    def of(cls, base: Base, texts: Sequence[str], on_read: OnRead) -> "_Standardized":
        raw = _read(base, texts, on_read)
        mean, spread = raw.mean(axis=0), (raw.std(axis=0) + LEAST_SPREAD) * np.sqrt(raw.shape[1], dtype=np.float32)
        return cls(base, mean, spread, BASE_WEIGHT * (raw - mean) / spread)

    def apply(self, texts: Sequence[str], _: sparse.csr_matrix) -> Floats32:
        found: Floats32 = BASE_WEIGHT * (_read(self.base, texts, lambda *_: None) - self.mean) / self.spread
        return found


def _read(base: Base, texts: Sequence[str], on_read: OnRead) -> Floats32:
    sequences = [ids if len(ids) else [UNKNOWN] for ids in map(base.tokenizer.encode_whole, texts)]
    counts = ngram_counts(sequences, longest=1, vocab_size=base.tokenizer.vocab_size, buckets=1)
    return base.features(sequences, counts, on_read).astype(np.float32)


@dataclass(frozen=True)
class _Reduced:
    """N-grams in few dimensions, as vectors of about the same length."""

    svd: TruncatedSVD
    scale: float
    fitted: Floats32

    @classmethod
    def of(cls, features: Features) -> "_Reduced | None":
        dimensions = min(DIMENSIONS, min(features.matrix.shape) - 1)
        if dimensions < 1:
            return None
        svd = TruncatedSVD(dimensions, n_iter=4, random_state=1)
        with threadpool_limits(1):  # several threads differ in the last digits
            raw = svd.fit_transform(features.matrix)
        scale = TOPIC_WEIGHT / max(float(np.sqrt((raw**2).sum(axis=1).mean())), 1e-9)
        return cls(svd, scale, (scale * raw).astype(np.float32))

    def apply(self, _: Sequence[str], ngrams: sparse.csr_matrix) -> Floats32:
        return np.asarray(self.scale * self.svd.transform(ngrams), np.float32)
