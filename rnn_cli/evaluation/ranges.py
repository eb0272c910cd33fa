"""Values of a column in groups, numbers and times in ranges.

Numbers are compared exactly, as decimal fractions: as floats, different 20-digit numbers could be equal.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import MAX_EMAX, MIN_EMIN, ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Any

import numpy as np

from rnn_cli.arrays import Indices

MANY_VALUES = 20
"""A column of more different numbers, or times, than this is cut into ranges."""

NO_VALUE = "(none)"
"""The name of the group of missing values."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,9})?", re.ASCII)
_CODE = re.compile(r"[+-]?0\d")
_SPECIAL = re.compile(r"\(none\)|\([\d,]+ values under \d+ rows\)")

_DIGITS = (*range(4, 21), 40, 400, MAX_EMAX // 2)
"""Significant digits of a range's ends that are tried, until no two written ranges touch."""

_WHOLE_DIGITS = 12
"""Whole numbers of up to this many digits are not rounded."""

_TIME_LENGTHS = (10, 16, 19, 26)
"""Lengths of a written time that are tried, until no two ranges touch: days, minutes, seconds, microseconds."""


def group_names(values: Sequence[str | None], most: int, fewest: int) -> list[str]:
    """The name of each value's group; equal values share one, different ones do not.

    More than `MANY_VALUES` numbers are cut into up to `most` ranges of about equally many rows, at least `fewest`, and
    so are times in ISO format; up to `MANY_VALUES` different words among the numbers stay groups of their own. The
    written ends of the ranges suffice to find each row's range. Numbers of equal value are equal (1 and 1.0), unless
    the column holds codes such as 007; what is empty is missing.
    """
    counts = Counter(value for value in values if value and value.strip())
    numbers = _numbers(counts)
    if len(set(numbers.values())) > MANY_VALUES and len(counts) - len(numbers) <= MANY_VALUES:
        names = _ranges(numbers, counts, most, fewest, _numbers_written)
    elif len(set((times := _times(counts)).values())) > MANY_VALUES:
        names = _ranges(times, counts, most, fewest, _times_written)
    else:
        written: dict[Decimal, str] = {}  # how each number is written most often
        for value, _ in counts.most_common():
            if value in numbers:
                written.setdefault(numbers[value], value)
        names = {value: written[number] for value, number in numbers.items()}
    shown = {value: repr(value) if _SPECIAL.fullmatch(value) else names.get(value, value) for value in counts}
    return [shown.get(value or "", NO_VALUE) for value in values]


def rows_by_name(names: Sequence[str], fewest: int) -> tuple[dict[str, Indices], dict[str, Indices]]:
    """The rows of each name; second, together, those of names of under `fewest` rows, if there are several such names.

    Names and rows are in the order in which they come.
    """
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for row, name in enumerate(names):
        groups[name].append(row)
    rare = [name for name, rows in groups.items() if len(rows) < fewest]
    together = sorted(row for name in rare for row in groups.pop(name)) if len(rare) > 1 else []
    few = {f"({len(rare):,} values under {fewest} rows)": np.asarray(together, np.intp)} if together else {}
    return {name: np.asarray(rows, np.intp) for name, rows in groups.items()}, few


def range_names(numbers: Sequence[int], most: int, fewest: int, unit: str) -> list[str]:
    """The name of each whole number's range; there are up to `most` ranges of at least `fewest` rows each."""
    texts = list(map(str, numbers))
    counts = Counter(texts)
    names = _ranges({text: Decimal(text) for text in counts}, counts, most, fewest, _numbers_written)
    return [f"{names[text]} {unit}" for text in texts]


def _numbers(counts: Mapping[str, int]) -> dict[str, Decimal]:
    """The values that are numbers; none where one of them is a code, as codes are not quantities."""
    found = {value: value.strip() for value in counts if _NUMBER.fullmatch(value.strip())}
    return {} if any(map(_CODE.match, found.values())) else {value: Decimal(text) for value, text in found.items()}


def _times(counts: Mapping[str, int]) -> dict[str, str]:
    """The values as times that sort as text does, in UTC if they name a zone; none unless all are times alike."""
    found = {}
    zoned = set()
    for value in counts:
        try:
            time = datetime.fromisoformat(value.strip())
            zoned.add(time.tzinfo is not None)
            found[value] = (
                (time.astimezone(UTC) if time.tzinfo else time).replace(tzinfo=None).isoformat(" ", "microseconds")
            )
        except (ValueError, OverflowError):
            return {}
    zone = "Z" if True in zoned else ""
    return {} if len(zoned) != 1 else {value: time + zone for value, time in found.items()}


def _ranges(
    keys: Mapping[str, Any],
    counts: Mapping[str, int],
    most: int,
    fewest: int,
    write: Callable[[Sequence[tuple[Any, Any]]], list[str]],
) -> dict[str, str]:
    """The name of each value's range; `keys` order the values, `write` names ranges by their first and last keys."""
    rows: defaultdict[Any, int] = defaultdict(int)
    for value, key in keys.items():
        rows[key] += counts[value]
    ordered = sorted(rows)
    indices = np.repeat(np.arange(len(ordered)), [rows[key] for key in ordered])  # of each row, sorted
    ranges = max(1, min(most, len(indices) // fewest))
    edges = np.quantile(indices, np.arange(1, ranges) / ranges)
    of_key = np.searchsorted(edges, np.arange(len(ordered)), side="left").tolist()
    starts = [index for index in range(len(ordered)) if index == 0 or of_key[index] != of_key[index - 1]]
    ends = [*(start - 1 for start in starts[1:]), len(ordered) - 1]
    written = write([(ordered[start], ordered[end]) for start, end in zip(starts, ends, strict=True)])
    names = dict(zip(sorted(set(of_key)), written, strict=True))
    named = {key: names[index] for key, index in zip(ordered, of_key, strict=True)}
    return {value: named[key] for value, key in keys.items()}


def _numbers_written(ranges: Sequence[tuple[Decimal, Decimal]]) -> list[str]:
    """Ranges by their ends, rounded outwards to the fewest digits with which no two ranges touch."""
    for digits in _DIGITS:
        down, up = (Context(digits, rounding, MIN_EMIN, MAX_EMAX).plus for rounding in (ROUND_FLOOR, ROUND_CEILING))
        ends = [(low, high) if low == high else (_rounded(low, down), _rounded(high, up)) for low, high in ranges]
        if all(one[1] < other[0] for one, other in zip(ends, ends[1:], strict=False)):
            break
    return [_written(low) if low == high else f"{_written(low)} to {_written(high)}" for low, high in ends]


def _rounded(number: Decimal, to: Callable[[Decimal], Decimal]) -> Decimal:
    return number if number.adjusted() < _WHOLE_DIGITS and number == number.to_integral_value() else to(number)


def _written(number: Decimal) -> str:
    if number and not -5 <= number.adjusted() < 21:
        return str(number)
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _times_written(ranges: Sequence[tuple[str, str]]) -> list[str]:
    """Ranges by the beginnings of their first and last times, the shortest with which no two ranges touch."""
    for length in _TIME_LENGTHS:
        ends = [(low[:length], high[:length]) for low, high in ranges]
        if all(one[1] < other[0] for one, other in zip(ends, ends[1:], strict=False)):
            break
    zone = " UTC" if ranges[0][0].endswith("Z") else ""
    return [(low if low == high else f"{low} to {high}") + zone for low, high in ends]
