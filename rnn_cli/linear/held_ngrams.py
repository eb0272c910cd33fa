"""Which frequent n-grams each of many texts holds. Knows nothing of labels, nor of a config's tokenizer."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from rnn_cli.arrays import Indices
from rnn_cli.copies.words import Words, learn_words, split_words

LEAST_TIMES = (3, 5, 5)
"""How often texts must hold a word, a pair and a triple: what fewer hold joins no texts."""

MOST_NGRAMS = 1_000_000
"""Of more n-grams the most frequent count, which bounds the memory."""

TEXTS_A_CHUNK = 4_096
"""Texts whose n-grams are looked up at a time."""


def held_ngrams(texts: Sequence[str]) -> sparse.csr_matrix:
    """Whether each text holds each frequent n-gram of up to three words: sparse, `[texts, n-grams]`, 1 where it does.

    The n-grams are in order of frequency. The values are int8; what a text holds is sorted.
    """
    words = _frequent_words(texts)
    found, times = list[Indices](), list[Indices]()
    for length, least in enumerate(LEAST_TIMES, start=1):
        keys, often = np.unique(words.runs(length)[1], return_counts=True)
        found.append(keys[often >= least])
        times.append(often[often >= least])
    order = np.argsort(-np.concatenate(times), kind="stable")[:MOST_NGRAMS]
    number = np.full(sum(map(len, times)), -1)
    number[order] = np.arange(len(order))
    numbers = np.split(number, np.cumsum([len(each) for each in found])[:-1])
    chunks = [range(start, min(start + TEXTS_A_CHUNK, len(words))) for start in range(0, len(words), TEXTS_A_CHUNK)]
    return sparse.vstack([_held(words.take(chunk), found, numbers, len(order)) for chunk in chunks], format="csr")


def _frequent_words(texts: Sequence[str]) -> Words:
    """The texts with their frequent words numbered; the others have no number, as no frequent n-gram holds them."""
    words, _ = learn_words(texts, split_words)
    frequent = np.flatnonzero(np.bincount(words.ids, minlength=words.size) >= LEAST_TIMES[0])
    number = np.full(words.size, -1)
    number[frequent] = np.arange(len(frequent))
    return Words(number[words.ids], words.starts, len(frequent))


def _held(words: Words, keys: Sequence[Indices], numbers: Sequence[Indices], width: int) -> sparse.csr_matrix:
    """What some texts hold; `keys` are those of the n-grams of each length, sorted, `numbers` their columns or -1."""
    rows, columns = list[Indices](), list[Indices]()
    for length, (known, number) in enumerate(zip(keys, numbers, strict=True), start=1):
        if not len(known):
            continue
        texts, runs = words.runs(length)
        places = np.minimum(np.searchsorted(known, runs), len(known) - 1)
        column = np.where(known[places] == runs, number[places], -1)
        rows.append(texts[column >= 0])
        columns.append(column[column >= 0])
    if not rows:
        return sparse.csr_matrix((len(words), width), dtype=np.int8)
    entries = np.concatenate(rows), np.concatenate(columns)
    held = sparse.csr_matrix((np.ones(len(entries[0]), np.int8), entries), (len(words), width))
    held.sum_duplicates()
    held.data[:] = 1
    return held
