"""The ids of several texts as arrays. The only file of this room that imports numpy."""

from collections.abc import Sequence
from itertools import chain

import numpy as np

from rnn_cli.arrays import Flags, Ids, Indices
from rnn_cli.text.tokenizer_json import PADDING


class Ragged:
    """Encoded texts of any lengths in one array: `ids` (int32, `[tokens]`) and `lengths` (`[texts]`).

    Raises `OverflowError` for an id that int32 cannot hold.
    """

    def __init__(self, sequences: Sequence[Sequence[int]]) -> None:
        self.lengths = np.fromiter(map(len, sequences), dtype=np.intp, count=len(sequences))
        self.ids = np.fromiter(chain.from_iterable(sequences), dtype=np.int32, count=int(self.lengths.sum()))
        self.starts = np.cumsum(self.lengths) - self.lengths

    def padded(self, rows: Indices) -> Ids:
        """Some texts as the rows of an array `[rows, longest]`, padded after the text with 0."""
        lengths = self.lengths[rows][:, np.newaxis]
        indices = np.arange(lengths.max(initial=0))
        if not len(indices):
            return np.full((len(rows), 0), PADDING, np.int32)
        ids = self.ids.take(
            self.starts[rows][:, np.newaxis] + indices, mode="clip"
        )  # beyond the end of a text is the next text
        return np.where(indices < lengths, ids, np.int32(PADDING))

    def any(self, marked: Flags) -> Flags:
        """Whether any of a text's ids is marked: `[tokens]` to `[texts]`; every text has at least one id."""
        return np.logical_or.reduceat(marked, self.starts) if len(self.starts) else np.empty(0, np.bool_)


def pad(sequences: Sequence[Sequence[int]]) -> Ids:
    """The sequences as the rows of an int32 array `[batch, longest]`, padded with 0; `[0, 0]` for no sequences.

    Raises `OverflowError` for an id that int32 cannot hold.
    """
    return Ragged(sequences).padded(np.arange(len(sequences)))
