"""Rows that must stay on one side of a split: copies, the rows of one group, and in which order by time.

Knows nothing of shares or labels.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rnn_cli.copies.groups import DisjointSets
from rnn_cli.data.rows import Dataset
from rnn_cli.errors import DataError

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?: (.+))?", re.ASCII)


def group_equal(texts: Sequence[str]) -> dict[str, list[int]]:
    """The indices of each text, in order of first appearance."""
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for index, text in enumerate(texts):
        groups[text].append(index)
    return dict(groups)


@dataclass(frozen=True)
class Units:
    """The rows that stay together, and why some do."""

    rows: list[list[int]]
    """Of each unit, as ascending indices, in order of first appearance."""
    near: list[list[int]]
    """The groups of different texts that are nearly the same, by the index where each text appears first."""


def units_of(texts: Sequence[str], groups: Sequence[str | None] | None = None, *, near: bool = True) -> Units:
    """What stays together: the rows of equal texts and of each value of `groups`, `[rows]`; with `near`, near copies.

    A missing value is no group. What two of these have in common stays together as well.
    """
    equal = group_equal(texts)
    alike = list[list[int]]()
    if near:
        from rnn_cli.copies.near import near_copies  # loads NumPy, which reading does without

        firsts = [rows[0] for rows in equal.values()]
        alike = [[firsts[place] for place in group] for group in near_copies(list(equal))]
    together = [*equal.values(), *alike]
    if groups is not None:
        of_value: defaultdict[str, list[int]] = defaultdict(list)
        for row, value in enumerate(groups):
            if value and value.strip():
                of_value[value].append(row)
        together += of_value.values()
    sets = DisjointSets(len(texts))
    for first, *others in together:
        for row in others:
            sets.join(first, row)
    return Units(sets.groups(), alike)


def times_of(values: Sequence[str | None], dataset: Dataset, column: str) -> list[float]:
    """The values of a column as seconds or other numbers, `[rows]`; raises `DataError` for one that is no time."""
    found = []
    for value, line in zip(values, dataset.lines, strict=True):
        time = parsed_time(value or "")
        if time is None:
            what = f"{value[:40]!r} is not a date" if value and value.strip() else "a date is missing"
            hint = "write dates as 2025-12-31 (a time may follow) or 31.12.2025, or give numbers"
            raise DataError(f"{what} in the column {column!r}", where=f"{dataset.name}:{line}", hint=hint)
        found.append(time)
    return found


def parsed_time(value: str) -> float | None:
    """A date in ISO 8601 or as 31.12.2025, with or without a time, as seconds; a number as it is; None for others."""
    value = value.strip()
    if _NUMBER.fullmatch(value) and not (len(value) == 8 and value.startswith(("19", "20"))):  # 20251231 is a date
        return float(value)
    if dotted := _DOTTED.fullmatch(value):
        day, month, year, time = dotted.groups()
        value = f"{year}-{month:>02}-{day:>02}" + (f" {time}" if time else "")
    try:
        time = datetime.fromisoformat(value)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return float(value) if _NUMBER.fullmatch(value) else None
