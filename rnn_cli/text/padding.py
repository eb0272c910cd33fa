"""Ids of several texts as one array. The only file of this room that imports numpy."""

from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from rnn_cli.text.stored import PADDING


def pad(sequences: Sequence[Sequence[int]]) -> NDArray[np.int32]:
    """The sequences as the rows of an int32 array [batch, longest], padded after the text with 0.

    No sequences give an array [0, 0]. Raises `OverflowError` for an id that int32 cannot hold.
    """
    lengths = np.fromiter(map(len, sequences), dtype=np.intp, count=len(sequences))
    longest = int(lengths.max(initial=0))
    padded = np.full((len(sequences), longest), PADDING, dtype=np.int32)
    ids = np.fromiter(chain.from_iterable(sequences), dtype=np.int32, count=int(lengths.sum()))
    padded[np.arange(longest) < lengths[:, np.newaxis]] = ids
    return padded
