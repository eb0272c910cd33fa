"""Which text is asked next: first a spread over all kinds of texts, then those of which the model is least sure.

A tenth is kept apart, asked by chance, and never learned from in the session: figures come from it alone. Texts are the
numbers of a pool. Knows nothing of logs.

Source: Lewis and Gale (1994), A sequential algorithm for training text classifiers (uncertainty); Scheffer, Decomain
and Wrobel (2001), Active hidden Markov models (the margin); Yuan, Lin and Boyd-Graber (2020), Cold-start active
learning through self-supervised language modeling (the spread).
"""

import math
import re
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from rnn_cli.arrays import Flags, Floats32, Indices
from rnn_cli.copies.words import split_words
from rnn_cli.errors import UsageError
from rnn_cli.labelling.learner import Opinion
from rnn_cli.labelling.vectors import TextVectors

TEST_SHARE = 0.1
"""The share of texts that is asked by chance, and of the pool that is kept for it."""

FIRST_TEXTS, SPREAD_PER_LABEL = 20, 5
"""So many texts, and so many a label, are spread over the pool before the model chooses."""

CLUSTERED = 10_000
"""Clusters are looked for in a sample of so many texts."""

LEAST_SURE = 50
"""Of so many texts of which the model is least sure, those are asked that are least like each other and the last."""

CHOSEN_AHEAD = 10
"""So many texts are chosen at a time."""

NEAREST = 50
"""Behind texts that hold the words that are looked for come so many that are near to them."""


def test_order(size: int, seed: int) -> Indices:
    """The texts kept for figures, in the order in which they are asked: a random tenth of `size`."""
    return np.random.default_rng(seed).permutation(size)[: math.ceil(TEST_SHARE * size)]


def spread_order(dense: Floats32, may_ask: Flags, count: int, seed: int) -> list[int]:
    """A text of each of `count` clusters of those that may be asked, by chance, the largest cluster first.

    On questions and tweets the model of such texts was right in 2 to 5 % more cases than that of 20 or 50 random ones,
    and that of the clusters' middles in fewer: these are more like each other. Lengths of vectors do not count.
    """
    rows = np.flatnonzero(may_ask)
    if len(rows) <= count:
        return [int(row) for row in np.random.default_rng(seed).permutation(rows)]
    if len(rows) > CLUSTERED:
        rows = np.sort(np.random.default_rng(seed).choice(rows, CLUSTERED, replace=False))
    with threadpool_limits(1):  # several threads differ in the last digits
        cluster_of = KMeans(count, n_init=1, max_iter=30, random_state=seed).fit(_directions(dense[rows])).labels_
    chance = np.random.default_rng(seed)
    largest = np.argsort(-np.bincount(cluster_of), kind="stable")
    return [int(chance.choice(rows[cluster_of == cluster])) for cluster in largest if (cluster_of == cluster).any()]


def _directions(vectors: Floats32) -> Floats32:
    """The same vectors with length 1."""
    found: Floats32 = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return found


def unsure_order(opinion: Opinion, dense: Floats32, may_ask: Flags, last: Sequence[int]) -> list[int]:
    """The next texts to ask: the model is unsure of them, and they differ from each other and from the `last` ones.

    What a text is worth is how unsure the model is, times the square root of how far the nearest of those others is. In
    simulated sittings on four sets that weight taught more than the plain distance, and than three or ten times as many
    least sure texts to choose from.
    """
    rows = np.flatnonzero(may_ask)
    margins = opinion.margins[rows]
    if len(rows) > LEAST_SURE:
        least = np.argpartition(margins, LEAST_SURE)[:LEAST_SURE]
        rows, margins = rows[least], margins[least]
    vectors, before = _directions(dense[rows]), _directions(dense[list(last)])
    near = (vectors @ before.T).max(axis=1) if len(before) else np.full(len(rows), -1.0)
    chosen: list[int] = []
    worth = 1 - margins
    for _ in range(min(CHOSEN_AHEAD, len(rows))):
        best = int((worth * np.sqrt(1 - near.clip(0, 1))).argmax())
        chosen.append(int(rows[best]))
        worth[best] = -1.0
        near = np.maximum(near, vectors @ vectors[best])
    return chosen


def parse_hints(hints: Sequence[str], labels: Collection[str]) -> dict[str, re.Pattern[str]]:
    """What "refund: refund|money back" says: the expression for each label. Raises `UsageError`."""
    found: dict[str, re.Pattern[str]] = {}
    for hint in hints:
        label, colon, words = (part.strip() for part in hint.partition(":"))
        where = f"--hint {hint!r}"
        if not colon or not words:
            raise UsageError("names no label and words", where=where, hint="as in --hint 'refund: refund|money back'")
        if label not in labels:
            raise UsageError(f"no label {label!r}", where=where, hint=f"labels: {', '.join(labels)}")
        try:
            found[label] = re.compile(words, re.IGNORECASE)
        except re.error as error:
            raise UsageError(f"is no regular expression ({error})", where=where) from None
    return found


def hint_orders(hints: Mapping[str, re.Pattern[str]], texts: Sequence[str], seed: int) -> dict[str, list[int]]:
    """The texts that each hint finds, in random order."""
    chance = np.random.default_rng(seed)
    return {
        label: chance.permutation([at for at, text in enumerate(texts) if words.search(text)]).astype(int).tolist()
        for label, words in hints.items()
    }


def search_order(
    words: str, texts: Sequence[str], vectors: TextVectors, pool: Sequence[int]
) -> tuple[list[int], list[int]]:
    """The texts that hold all words, in order, and those of the pool that are near to the words, the nearest first.

    Texts are numbers in `texts`; `pool` are the numbers of those that have vectors, in order.
    """
    wanted = split_words(words)
    if not wanted:
        return [], []
    quick = max(wanted, key=len)  # most texts lack it, and need not be split
    holding = [at for at, text in enumerate(texts) if quick in text.lower() and set(wanted) <= set(split_words(text))]
    ngrams, dense = vectors.more([words])
    known = np.asarray((vectors.ngrams @ ngrams.T).todense()).ravel()
    lengths = np.linalg.norm(vectors.dense, axis=1) * np.linalg.norm(dense)
    like = known + np.asarray(vectors.dense @ dense[0]) / np.maximum(lengths, 1e-9)
    found = set(holding)
    near = [int(pool[at]) for at in np.argsort(-like, kind="stable")[: NEAREST + len(holding)]]
    return holding, [row for row in near if row not in found][:NEAREST]
