"""Equal texts on one side, shares kept within each label, the order of rows without effect."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from rnn_cli.data.splits import stratify
from rnn_cli.data.together import group_equal

ROWS = st.lists(st.tuples(st.integers(0, 60).map(str), st.sampled_from("abc")), max_size=120)
SHARES = st.sampled_from([(0.1, 0.1), (0.25, 0.5), (0.0, 0.3), (0.2,), ()])
SEEDS = st.integers(0, 2**32 - 1)


def dealt(rows, shares, seed):
    sides = stratify([text for text, _ in rows], [label for _, label in rows], shares, seed)
    return [[rows[index] for index in side] for side in sides]


@given(ROWS, SHARES, SEEDS)
def test_every_row_is_on_one_side_in_order_and_equal_texts_together(rows, shares, seed):
    sides = stratify([text for text, _ in rows], [label for _, label in rows], shares, seed)
    assert len(sides) == len(shares) + 1
    assert sorted(index for side in sides for index in side) == list(range(len(rows)))
    assert all(side == sorted(side) for side in sides)
    texts = [{rows[index][0] for index in side} for side in sides]
    assert sum(map(len, texts)) == len({text for text, _ in rows})


@given(ROWS, SHARES, SEEDS, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows, shares, seed, random):
    shuffled = random.sample(rows, len(rows))
    before, after = dealt(rows, shares, seed), dealt(shuffled, shares, seed)
    assert [Counter(side) for side in before] == [Counter(side) for side in after]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=60), st.sampled_from([0.1, 0.25, 0.5]), SEEDS)
def test_a_side_has_its_share_to_within_a_group(sizes, share, seed):
    rows = [(f"text {number}", "a") for number, size in enumerate(sizes) for _ in range(size)]
    side, left = dealt(rows, [share], seed)
    wanted = round(share * len(rows))
    assert len(side) <= wanted
    # Of the groups left, only the last, which is never taken, may have fitted.
    assert sum(size <= wanted - len(side) for size in Counter(left).values()) <= 1


def test_shares_are_kept_within_each_label():
    rows = [(f"{label}{n}", label) for label, count in (("a", 1000), ("b", 200), ("c", 30)) for n in range(count)]
    test, validation, train = dealt(rows, [0.1, 0.2], 1)
    assert Counter(label for _, label in test) == {"a": 100, "b": 20, "c": 3}
    assert Counter(label for _, label in validation) == {"a": 200, "b": 40, "c": 6}
    assert Counter(label for _, label in train) == {"a": 700, "b": 140, "c": 21}


def test_seeds_differ_and_repeat():
    rows = [(f"text {n}", "ab"[n % 2]) for n in range(200)]
    assert dealt(rows, [0.5], 1) == dealt(rows, [0.5], 1)
    first, second = (set(dealt(rows, [0.5], seed)[0]) for seed in (1, 2))
    assert len(first & second) < 80


def test_the_split_is_the_same_in_every_release():
    """Were the hash or its order to change, models could be measured on rows they were trained on."""
    rows = [(f"text {n}", "ab"[n % 2]) for n in range(20)]
    test, _ = dealt(rows, [0.2], 1)
    assert [rows.index(row) for row in test] == [1, 2, 3, 16]


def test_a_torn_group_follows_its_most_frequent_label():
    rows = (
        [("x", "b"), ("x", "b"), ("x", "a")] + [(f"a{n}", "a") for n in range(7)] + [(f"b{n}", "b") for n in range(4)]
    )
    for seed in range(20):
        side, left = dealt(rows, [0.5], seed)
        in_a = [text for text, _ in side if text.startswith("a")]
        assert len(in_a) == round(0.5 * 7)  # the torn group is not counted among a's rows
        assert len({row in side for row in rows[:3]}) == 1


def test_a_label_is_never_taken_from_training_whole():
    rows = [(f"a{n}", "a") for n in range(10)] + [("b", "b")]
    for seed in range(20):
        assert ("b", "b") in dealt(rows, [0.8, 0.1], seed)[-1]


def test_group_equal():
    assert group_equal(["x", "y", "x"]) == {"x": [0, 2], "y": [1]}
