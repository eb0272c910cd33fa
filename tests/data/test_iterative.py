"""Splits of several labels: rare labels and pairs on all sides, copies together, the same each time."""

import random
from collections import Counter
from itertools import combinations

import hypothesis
import hypothesis.strategies as st
import pytest

from rnn_cli.data.iterative import deal

LABELS = {"often": 0.5, "some": 0.2, "few": 0.03, "rare": 0.01}


def drawn(rows: int, seed: int = 1) -> list[tuple[str, ...]]:
    chance = random.Random(seed)
    return [tuple(sorted(name for name, rate in LABELS.items() if chance.random() < rate)) for _ in range(rows)]


def key(unit):
    return str(hash(tuple(unit)) % 1_000_003).encode()


def singles(rows: int) -> list[list[int]]:
    return [[row] for row in range(rows)]


def test_every_label_and_frequent_pair_is_on_all_sides_in_its_share():
    sets = drawn(2_000)
    sides = deal(sets, [0.1, 0.1], singles(2_000), key)
    assert [len(side) for side in sides] == [
        pytest.approx(200, abs=8),
        pytest.approx(200, abs=8),
        pytest.approx(1600, abs=16),
    ]
    counts = [Counter(name for row in side for name in sets[row]) for side in sides]
    for name in LABELS:
        total = sum(count[name] for count in counts)
        for count in counts[:2]:
            assert count[name] == pytest.approx(total / 10, abs=1.01), name
    pairs = [Counter(pair for row in side for pair in combinations(sets[row], 2)) for side in sides]
    for pair, total in sum(pairs, Counter()).items():
        if total >= 20:
            for count in pairs[:2]:
                assert count[pair] == pytest.approx(total / 10, abs=1.01), pair


def test_chance_would_leave_rare_labels_out():
    """What the method is for: of a label with 8 rows, each of the small sides has one."""
    sets = [("rare",)] * 8 + [("often",)] * 92
    test, validation, train = deal(sets, [0.1, 0.1], singles(100), key)
    for side in (test, validation):
        assert sum("rare" in sets[row] for row in side) == 1
    assert sum("rare" in sets[row] for row in train) == 6


def test_a_label_of_one_row_is_trained_on():
    sets = [("once",), *[("often",)] * 20, ("twice",), ("twice",)]
    *sides, train = deal(sets, [0.4, 0.4], singles(23), key)
    assert 0 in train
    assert any(row in train for row in (21, 22))


def test_rows_of_a_unit_stay_together_and_no_unit_is_larger_than_its_side():
    sets = drawn(300)
    units = [[0, 1, 2], list(range(10, 110)), *([row] for row in range(300) if row > 109 or 3 <= row < 10)]
    sides = deal(sets, [0.1, 0.1], units, key)
    side_of = {row: side for side, rows in enumerate(sides) for row in rows}
    for unit in units:
        assert len({side_of[row] for row in unit}) == 1
    assert side_of[10] == 2


def test_rows_of_no_label_are_dealt_by_their_share():
    sets = [()] * 200 + [("a",)] * 100
    test, _ = deal(sets, [0.2], singles(300), key)
    assert sum(not sets[row] for row in test) == pytest.approx(40, abs=1)


@hypothesis.given(
    st.lists(st.sets(st.sampled_from("abcd"), max_size=3), min_size=1, max_size=60), st.floats(0.05, 0.45)
)
def test_each_row_is_dealt_once_and_the_same_again(sets, share):
    named = [tuple(sorted(each)) for each in sets]
    sides = deal(named, [share, share], singles(len(named)), key)
    assert sorted(row for side in sides for row in side) == list(range(len(named)))
    assert deal(named, [share, share], singles(len(named)), key) == sides
    assert {name for names in named for name in names} == {name for row in sides[-1] for name in named[row]}
