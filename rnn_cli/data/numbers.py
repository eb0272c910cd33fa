"""Labels that are numbers, such as prices or minutes: read strictly, dealt to the sides of a split, and standardised.

A number is written as programs write it: 12, -3.5, .5, 1e3. Whatever could be read in two ways is refused with its row.
"""

import re
from typing import NamedTuple

import numpy as np

from rnn_cli.arrays import Floats
from rnn_cli.data.rows import Dataset
from rnn_cli.errors import DataError

WRITTEN_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?", re.ASCII)
"""The forms of a number that are read."""

LARGEST_LABEL = 1e15
"""The largest number, above or below 0: up to there 64 bits hold each whole one."""

_GROUPED = re.compile(r"[-+]?\d{1,3}([,. '\u00a0\u202f_]\d{3})+([.,]\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+", re.ASCII)

FEWEST_IN_GROUP, MOST_GROUPS = 20, 10
"""A split deals groups of neighbouring numbers: of at least so many rows, and at most so many groups."""


class Standard(NamedTuple):
    """What numbers are standardised by: their mean in the training rows, and their standard deviation there."""

    center: float
    scale: float

    @classmethod
    def of(cls, numbers: Floats) -> "Standard":
        """That of training rows, `[rows]`, which are not all equal."""
        return cls(float(numbers.mean()), float(numbers.std()))

    def standardised(self, numbers: Floats) -> Floats:
        """How many standard deviations numbers are above the mean, `[rows]`."""
        return np.asarray((numbers - self.center) / self.scale)


def number_in(text: str) -> float | None:
    """The number that a text is; None for what is none, or beyond `LARGEST_LABEL`."""
    if not WRITTEN_NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if abs(number) <= LARGEST_LABEL else None


def numbers_of(rows: Dataset) -> Floats:
    """The numbers that the rows' labels are, `[rows]`. Raises `DataError` with the first row whose label is none."""
    found = np.empty(len(rows))
    for row, label in enumerate(rows.labels):
        number = number_in(label)
        if number is None:
            raise no_number(label, rows.where(row))
        found[row] = number
    return found


def no_number(label: str, where: str) -> DataError:
    """The error of a row whose label is no number."""
    return DataError(f"label {label!r} is no number", where=where, hint=_way_out(label), kind="no number")


def _way_out(label: str) -> str:
    bare = label.strip()
    if WRITTEN_NUMBER.fullmatch(bare):
        return "numbers go up to 1e15" if bare == label else "remove the space around it"
    if _DECIMAL_COMMA.fullmatch(bare) and not _GROUPED.fullmatch(bare):
        return f"write a point for the comma: {bare.replace(',', '.')}"
    if _GROUPED.fullmatch(bare):
        return "write it without thousands separators, with a point before decimals: 1234.5"
    if bare.lower().lstrip("+-") in ("nan", "inf", "infinity", "na", "n/a", "null", "none", ""):
        return "leave out rows whose number is not known"
    return "write the number alone, as 12 or -3.5; for words use data.labels: single"


def groups_of(numbers: Floats) -> list[str]:
    """A group of neighbouring numbers for each row, `[rows]`, by quantiles, so that a split has them all on all sides.

    Equal numbers share a group.
    """
    count = int(np.clip(len(numbers) // FEWEST_IN_GROUP, 1, MOST_GROUPS))
    edges = np.unique(np.quantile(numbers, np.arange(1, count) / count)) if count > 1 else np.empty(0)
    return [f"group {place}" for place in np.searchsorted(edges, numbers, side="right").tolist()]


def numbers_in_words(numbers: Floats) -> str:
    """Where numbers lie: "numbers from 1 to 90, median 17, mean 20.3"."""
    low, middle, high, mean = numbers.min(), np.median(numbers), numbers.max(), numbers.mean()
    return f"numbers from {low:.6g} to {high:.6g}, median {middle:.6g}, mean {mean:.4g}"
