"""Groups by value: what is equal shares one, what is not never does, and ranges as written tell where a row belongs."""

import random
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from rnn_cli.evaluation.ranges import MANY_VALUES, NO_VALUE, group_names, range_names


def groups(values: list[str | None]) -> dict[str, int]:
    return dict(Counter(group_names(values, 5, 20)))


def ends(name: str) -> tuple[Decimal, Decimal]:
    low, _, high = name.partition(" to ")
    return Decimal(low), Decimal(high or low)


def holds_apart(values: list[str]) -> int:
    """How many ranges there are; the ends of each, as written, enclose its rows, and no two of them touch."""
    rows = defaultdict(list)
    for value, name in zip(values, group_names(values, 5, 20), strict=True):
        rows[ends(name)].append(Decimal(value))
    for (low, high), found in rows.items():
        assert low <= min(found) and max(found) <= high
    spans = sorted(rows)
    assert all(one[1] < other[0] for one, other in zip(spans, spans[1:], strict=False)), spans
    return len(spans)


@pytest.mark.parametrize(
    "numbers",
    [
        [1_700_000_000.5 + place for place in range(1_000)],
        [1.7e9 + place / 1_000 for place in range(1_000)],
        [0.1 + place * 1e-12 for place in range(1_000)],
        [-place - 0.5 for place in range(1_000)],
        [10.0**place for place in range(-30, 30)] * 4,
        [place / 4 for place in range(1_000)],
    ],
    ids=["seconds", "milliseconds", "nearly alike", "negative", "powers", "quarters"],
)
def test_numbers_that_differ_late_are_cut_where_it_is_written(numbers: list[float]) -> None:
    assert holds_apart(list(map(repr, numbers))) == 5


def test_whole_numbers_beyond_a_float_are_not_one() -> None:
    assert holds_apart([str(10**19 + place) for place in range(1_000)]) == 5
    assert holds_apart(["1e999999999", "1e-999999999", *map(str, range(1_000))]) == 5
    assert groups([str(10**19 + place) for place in range(3)] * 30) == {str(10**19 + place): 30 for place in range(3)}


@pytest.mark.parametrize("digits", [3, 30])
@pytest.mark.parametrize("exponents", [1, 20, 900_000])
def test_any_numbers(digits: int, exponents: int) -> None:
    chance = random.Random(digits)
    for rows in (60, 100, 400):
        numbers = [
            f"{chance.choice(['', '-'])}{chance.randrange(1, 10**digits)}e{chance.randrange(-exponents, exponents)}"
            for _ in range(rows)
        ]
        assert holds_apart(numbers) == min(5, rows // 20)


def test_ranges_need_no_more_digits_than_tell_them_apart() -> None:
    assert list(groups([str(place / 4) for place in range(1_000)])) == [
        *("0 to 49.75", "50 to 99.75", "100 to 149.8", "150 to 199.8", "200 to 249.8")
    ]
    assert set(range_names(list(range(100)), 5, 20, "tokens")) == {
        *("0 to 19 tokens", "20 to 39 tokens", "40 to 59 tokens", "60 to 79 tokens", "80 to 99 tokens")
    }


def test_few_numbers_are_equal_by_value() -> None:
    assert groups(["1", "1.0", "1", "2", "1e0", " 1", "+1", "0", "-0"]) == {"1": 6, "2": 1, "0": 2}


def test_codes_are_no_numbers() -> None:
    assert groups(["007", "7", "7.0"]) == {"007": 1, "7": 1, "7.0": 1}
    hours = [f"{hour:02d}" for hour in range(24)]
    assert groups(hours * 2) == dict.fromkeys(hours, 2)


def test_words_among_numbers_stay_what_they_are() -> None:
    found = groups([*map(str, range(100)), "nan", "inf", "unknown", "unknown", None, ""])
    assert (found["nan"], found["inf"], found["unknown"], found[NO_VALUE]) == (1, 1, 2, 2)
    assert len(found) == 4 + 5
    mixed = [*map(str, range(MANY_VALUES + 1)), *(f"A{place}" for place in range(MANY_VALUES + 1))]
    assert groups(mixed) == dict.fromkeys(mixed, 1)  # as article numbers are


def test_words_are_equal_if_they_are_the_same() -> None:
    assert groups(["true", "True", "de", "de ", "caf\u00e9", "cafe\u0301"]) == dict.fromkeys(
        ["true", "True", "de", "de ", "caf\u00e9", "cafe\u0301"], 1
    )


def test_what_is_missing_is_not_what_is_called_so() -> None:
    assert groups([None, " ", "(none)", "(3 values under 20 rows)"]) == {
        NO_VALUE: 2,
        "'(none)'": 1,
        "'(3 values under 20 rows)'": 1,
    }


@pytest.mark.parametrize(
    ("step", "written", "expected"),
    [
        (timedelta(days=1), "%Y-%m-%d", "2024-02-28 to 2024-03-18"),
        (timedelta(days=1), "%Y-%m-%dT%H:%M:%S", "2024-02-28 to 2024-03-18"),
        (timedelta(minutes=1), "%Y-%m-%d %H:%M:%S", "2024-02-28 09:00 to 2024-02-28 09:19"),
        (timedelta(seconds=1), "%Y-%m-%dT%H:%M:%S.%f", "2024-02-28 09:00:00 to 2024-02-28 09:00:19"),
        (timedelta(minutes=1), "%Y-%m-%dT%H:%M:%S+02:00", "2024-02-28 07:00 to 2024-02-28 07:19 UTC"),
    ],
)
def test_times_are_cut_into_ranges(step: timedelta, written: str, expected: str) -> None:
    times = [(datetime(2024, 2, 28, 9) + place * step).strftime(written) for place in range(100)]
    found = groups([*times[50:], *times[:50]])
    assert expected in found and list(found.values()) == [20] * 5


def test_times_with_and_without_a_zone_are_words() -> None:
    times = [f"2024-01-{day:02d}" for day in range(1, 32)]
    assert len(groups([*times, "2024-02-01T00:00:00Z"])) == 32
