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
