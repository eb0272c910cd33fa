"""The types of arrays that pass from room to room, and labels as indices. Knows numpy alone."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

AnyArray = npt.NDArray[Any]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int32]
"""Token ids, 0 for padding."""
Indices = npt.NDArray[np.intp]
"""Places in another array or list, as those of labels: 0 for the first."""


def label_indices(labels: Sequence[str], values: Iterable[str]) -> Indices:
    """The index in `labels` of each value, `[values]`. Raises `KeyError` for a value that is no label."""
    index = {label: place for place, label in enumerate(labels)}
    return np.array([index[value] for value in values], np.intp)


def label_flags(labels: Sequence[str], rows: Iterable[Iterable[str]]) -> Indices:
    """Which labels each row has, 1 or 0 each: `[rows, labels]`. Raises `KeyError` for a value that is no label."""
    index = {label: place for place, label in enumerate(labels)}
    listed = [[index[name] for name in names] for names in rows]
    found = np.zeros((len(listed), len(labels)), np.intp)
    for row, places in enumerate(listed):
        found[row, places] = 1
    return found
