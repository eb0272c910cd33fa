"""Pieces of words: what words have in common by their spelling, so that those that are rare share what is learned.

A weight of a piece counts for each word that holds it, so the weights of pieces fold into those of the words: a model
that learned from them predicts as one that did not.

Source: Bojanowski and others (2017), Enriching word vectors with subword information.
"""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from rnn_cli.text.tokenizer_json import UNKNOWN

SHORTEST_PIECE = 2
"""Characters; a word's two ends count as one each."""

PIECES_SHARE = 0.3
"""What counts of pieces are multiplied by beside those of n-grams. On 2,000 rows of `rotten_tomatoes` 0.3 was better on
other rows than 0.15 and 1."""


def pieces_of_words(words: Sequence[str], longest: int) -> sparse.csr_matrix:
    """Which pieces each word holds, 0 or 1: `[words, pieces]`, float64.

    Pieces have `SHORTEST_PIECE` to `longest` characters, of the word between its marked ends. Those of a single word
    are left out: they tell no more than the word. Words without letters have none, nor have the first two, which are
    padding and the unknown token.
    """
    index: dict[str, int] = {}
    holders, columns = list[int](), list[int]()
    for place, word in enumerate(words):
        if place <= UNKNOWN or not any(map(str.isalpha, word)):
            continue
        marked = f"<{word}>"
        found = {
            marked[start : start + length]
            for length in range(SHORTEST_PIECE, longest + 1)
            for start in range(len(marked) - length + 1)
        }
        for piece in sorted(found):
            holders.append(place)
            columns.append(index.setdefault(piece, len(index)))
    shape = len(words), len(index)
    every = sparse.csr_matrix((np.ones(len(holders)), (holders, columns)), shape)
    return every[:, np.bincount(columns, minlength=len(index)) > 1]
