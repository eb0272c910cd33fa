"""Other columns of a row as inputs beside its text: which kind each is, and how its values become numbers.

A number is clipped to where the training rows' are, and standardised. A category has a place of its own in a one-hot
vector; rare and unknown ones share one. Missing values have a place, too. Where no training row is rare or missing, no
place could learn what that means, and such a value stands for the average of the training rows. Knows numpy alone.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from rnn_cli.arrays import Floats, Floats32
from rnn_cli.errors import DataError, few_of

ColumnKind = Literal["number", "category"]
"""What the values of a column are."""

ExtraValues = Mapping[str, Sequence[object]]
"""Values of columns by name, one a row: texts, numbers, true and false, or None where one is missing."""

MISSING_NUMBERS = {"", "na", "n/a", "nan", "null", "none", "-", "?"}
"""How a missing number is written, in lower case; a missing category is empty."""

MOST_CATEGORIES, LEAST_CATEGORY_ROWS = 200, 2
"""A column has at most so many categories; a value of fewer training rows is none of them, but a rare one."""

CLIPPED_BEYOND = 1.0
"""Numbers are clipped at so many times the distance of the 5th from the 95th percentile beyond these."""

TAILS = 5, 95
LARGEST_NUMBER = 1e30
"""Numbers beyond are refused: their squares would not be finite."""


def plain_cell(value: object) -> str | None:
    """A value as text without spaces around it; None for one that is missing. 1.0 is "1", true is "true"."""
    if value is None:
        return None
    if hasattr(value, "item") and not isinstance(value, str):
        value = value.item()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)
    text = str(value).strip()
    return None if type(value).__name__ in ("NAType", "NaTType") else text or None


def cell_number(value: object) -> float | None:
    """A value as a number; None for one that is missing. Raises `ValueError` for what is no number."""
    text = plain_cell(value)
    if text is None or text.lower() in MISSING_NUMBERS:
        return None
    number = float(text)
    if "_" in text or not abs(number) <= LARGEST_NUMBER:  # NaN fails, too
        raise ValueError(text)
    return number


def kind_of_values(values: Sequence[object]) -> ColumnKind:
    """`number` if all values that are there are numbers, and one is there; else `category`."""
    there = False
    for value in values:
        try:
            there = cell_number(value) is not None or there
        except ValueError:
            return "category"
    return "number" if there else "category"


@dataclass(frozen=True)
class NumberColumn:
    """A column of numbers: clipped to `low` to `high`, then minus `mean`, over `scale`.

    With `missing`, some training rows had no number, and a second place says so.
    """

    name: str
    low: float
    high: float
    mean: float
    scale: float
    missing: bool

    kind = "number"

    @classmethod
    def fit(cls, name: str, values: Sequence[object]) -> "NumberColumn":
        """Fit to training rows. Raises `DataError` where none has a number, or a value is none."""
        numbers = _numbers(name, values, None)
        there = numbers[~np.isnan(numbers)]
        if not len(there):
            raise DataError(f"no training row has a value in the column {name!r}", hint="leave it out")
        first, last = np.percentile(there, TAILS)
        far = CLIPPED_BEYOND * (last - first)
        # A column that is nearly always the same has no percentiles to measure by.
        low, high = (first - far, last + far) if far > 0 else (there.min(), there.max())
        low, high = max(low, there.min()), min(high, there.max())
        usual = np.clip(there, low, high)
        mean, spread = usual.mean(), usual.std()
        scale = spread if spread > 1e-12 * max(1.0, abs(mean)) else 1.0
        return cls(name, float(low), float(high), float(mean), float(scale), len(there) < len(numbers))

    @property
    def width(self) -> int:
        """The number of its places."""
        return 1 + self.missing

    def encode(self, values: Sequence[object], where: Callable[[int], str] | None = None) -> Floats:
        """`[rows, width]`; a missing number is the mean. Raises `DataError` for what is no number."""
        numbers = _numbers(self.name, values, where)
        gone = np.isnan(numbers)
        scaled = np.where(gone, 0.0, (np.clip(numbers, self.low, self.high) - self.mean) / self.scale)
        return np.stack([scaled, gone], axis=1)[:, : self.width].astype(np.float64)

    def in_words(self) -> str:
        """The column and its kind."""
        rest = ", some missing" if self.missing else ""
        return f"{self.name}: number, mean {self.mean:.4g}, from {self.low:.4g} to {self.high:.4g}{rest}"


@dataclass(frozen=True)
class CategoryColumn:
    """A column of categories, each with a place of its own.

    With `other`, some training rows had rare values, which share a place with unknown ones; with `missing`, some had
    none. `shares` are those of the training rows at each place but that of missing ones: what stands for a value that
    has no place.
    """

    name: str
    categories: tuple[str, ...]
    shares: tuple[float, ...]
    other: bool
    missing: bool

    kind = "category"

    @classmethod
    def fit(cls, name: str, values: Sequence[object]) -> "CategoryColumn":
        """Fit to training rows. Raises `DataError` where none has a value, or there are too many different ones."""
        counts = Counter(cell for value in values if (cell := plain_cell(value)) is not None)
        there = counts.total()
        gone = len(values) - there
        if not there:
            raise DataError(f"no training row has a value in the column {name!r}", hint="leave it out")
        kept = tuple(sorted(value for value, rows in counts.items() if rows >= LEAST_CATEGORY_ROWS))
        hint = f"leave it out, put values together, or say that it holds numbers ({name}: number)"
        if not kept:
            raise DataError(f"each value of the column {name!r} is of one training row, as a name is", hint=hint)
        if len(kept) > MOST_CATEGORIES:
            what = f"the column {name!r} has {len(counts):,} different values, as {few_of(kept)}"
            raise DataError(f"{what}; the maximum is {MOST_CATEGORIES} categories", hint=hint)
        rare = there - sum(counts[value] for value in kept)
        shares = [counts[value] / there for value in kept] + ([rare / there] if rare else [])
        return cls(name, kept, tuple(shares), bool(rare), bool(gone))

    @property
    def width(self) -> int:
        """The number of its places."""
        return len(self.shares) + self.missing

    @cached_property
    def _rows(self) -> tuple[dict[str | None, int], Floats]:
        """The row of the table for each known value, then for unknown ones and missing ones: `[values, width]`."""
        places, known = self.width, len(self.categories)
        average = np.array([*self.shares, *([0.0] * self.missing)])
        unknown = np.eye(places)[known] if self.other else average
        gone = np.eye(places)[-1] if self.missing else average
        table = np.vstack([np.eye(places)[:known], unknown, gone])
        return {**{value: row for row, value in enumerate(self.categories)}, None: known + 1}, table

    def encode(self, values: Sequence[object], where: Callable[[int], str] | None = None) -> Floats:
        """`[rows, width]`."""
        rows, table = self._rows
        unknown = len(self.categories)
        found: Floats = table[[rows.get(plain_cell(value), unknown) for value in values]]
        return found

    def in_words(self) -> str:
        """The column and its kind."""
        rest = ", rare ones" * self.other + ", some missing" * self.missing
        word = "category" if len(self.categories) == 1 else "categories"
        return f"{self.name}: {len(self.categories):,} {word} ({few_of(self.categories)}){rest}"


ExtraColumn = NumberColumn | CategoryColumn


@dataclass(frozen=True)
class ExtraColumns:
    """All other columns that a model reads, in order."""

    columns: tuple[ExtraColumn, ...]

    @classmethod
    def fit(cls, kinds: Mapping[str, str], values: ExtraValues) -> "ExtraColumns":
        """Fit to training rows; a kind is one of `ColumnKind`, or `auto` to find it. Raises `DataError`."""
        found: list[ExtraColumn] = []
        for name, kind in kinds.items():
            kind = kind_of_values(values[name]) if kind == "auto" else kind
            found.append((NumberColumn if kind == "number" else CategoryColumn).fit(name, values[name]))
        return cls(tuple(found))

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(each.name for each in self.columns)

    @property
    def width(self) -> int:
        """How many numbers they are in all."""
        return sum(each.width for each in self.columns)

    def encode(self, values: ExtraValues, rows: int, where: Callable[[int], str] | None = None) -> Floats32:
        """The numbers of so many rows, `[rows, width]`; a column that is not among the values is missing in all.

        `where` names a row for a message. Raises `DataError` for a value that is not of its column's kind.
        """
        nothing = [None] * rows
        found = [each.encode(values.get(each.name, nothing), where) for each in self.columns]
        return np.concatenate(found, axis=1).astype(np.float32)

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {"columns": [{"kind": each.kind, **asdict(each)} for each in self.columns]}

    @classmethod
    def from_dict(cls, content: object) -> "ExtraColumns":
        """What `to_dict` gave. Raises `KeyError`, `TypeError` or `ValueError` for anything else."""
        if not isinstance(content, dict) or set(content) != {"columns"} or not isinstance(content["columns"], list):
            raise ValueError("no columns")
        found = cls(tuple(map(_checked_column, content["columns"])))
        if not found.columns or len(set(found.names)) < len(found.names):
            raise ValueError("columns of the same name")
        return found


def _checked_column(content: object) -> ExtraColumn:
    if not isinstance(content, dict):
        raise TypeError("no column")
    given = dict(content)
    kind = given.pop("kind")
    if kind == "category":
        found = CategoryColumn(**{**given, "categories": tuple(given["categories"]), "shares": tuple(given["shares"])})
        column: ExtraColumn = found
        names = found.categories
        texts, numbers, flags = [found.name, *names], list(found.shares), [found.other, found.missing]
        of_known = len(found.shares) - found.other
        if not len(names) == len(set(names)) == of_known or not 1 <= len(names) <= MOST_CATEGORIES:
            raise ValueError("categories")
    elif kind == "number":
        number = column = NumberColumn(**given)
        texts, flags = [number.name], [number.missing]
        numbers = [number.low, number.high, number.mean, number.scale]
        if not (number.low <= number.high and number.scale > 0):
            raise ValueError("scale")
    else:
        raise ValueError("kind")
    is_number = all(type(each) in (int, float) and abs(each) <= LARGEST_NUMBER for each in numbers)
    if not is_number or not all(isinstance(each, str) and each for each in texts) or set(map(type, flags)) != {bool}:
        raise TypeError("column")
    "".join(texts).encode("utf-8")  # raises for half of a surrogate pair
    return column


def _numbers(name: str, values: Sequence[object], where: Callable[[int], str] | None) -> Floats:
    found = np.empty(len(values))
    for row, value in enumerate(values):
        try:
            number = cell_number(value)
        except ValueError:
            what = f"the column {name!r} holds {str(value)[:40]!r}, which is no number"
            hint = "correct it, or leave the cell empty"
            raise DataError(what, where=where(row) if where else None, hint=hint) from None
        found[row] = np.nan if number is None else number
    return found
