"""Agreement of two people: published figures, scikit-learn's, and what happens at the ends."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from rnn_cli.errors import DataError
from rnn_cli.labelling.agreement import compare_people, masi_distance


def by_row(labels: str) -> dict[int, str]:
    return dict(enumerate(labels.split()))


def test_alpha_is_that_of_krippendorffs_own_example() -> None:
    found = compare_people(by_row("a a b b d c c c e d d a"), by_row("b a b b b c c c e d d d"))
    assert found.alpha.value == pytest.approx(0.692, abs=5e-4)  # Krippendorff (2011), B
    assert found.alpha.low is None  # 12 texts
    assert found.texts == 12 and found.alike == 9
    assert found.differ == {0: ("a", "b"), 4: ("d", "b"), 11: ("a", "d")}
    assert found.pairs["a", "d"] == 1 and found.pairs["c", "c"] == 3


def test_kappa_is_scikit_learns_and_the_interval_holds_it() -> None:
    chance = np.random.default_rng(0)
    one = chance.integers(0, 3, 300)
    other = np.where(chance.random(300) < 0.6, one, chance.integers(0, 3, 300))
    found = compare_people(dict(enumerate(map(str, one))), dict(enumerate(map(str, other))))
    assert found.kappa.value == pytest.approx(cohen_kappa_score(one, other))
    assert found.kappa.low is not None and found.kappa.high is not None and found.kappa.value is not None
    assert found.kappa.low < found.kappa.value < found.kappa.high < found.kappa.low + 0.25


def test_only_texts_that_both_labelled_count() -> None:
    found = compare_people({1: "a", 2: "b", 3: "a"}, {2: "b", 3: "b", 9: "a"})
    assert found.texts == 2 and found.differ == {3: ("a", "b")}
    with pytest.raises(DataError, match="no text is labelled by both"):
        compare_people({1: "a"}, {2: "a"})


def test_one_label_alone_says_nothing() -> None:
    found = compare_people(by_row("a a a"), by_row("a a a"))
    assert found.kappa.value is None and found.alpha.value is None and found.alike == 3


def test_labels_with_an_order_are_far_by_it() -> None:
    chance = np.random.default_rng(0)
    one = chance.integers(0, 5, 300)
    other = (one + chance.integers(-1, 2, 300)).clip(0, 4)
    rows = [dict(enumerate(map(str, each))) for each in (one, other)]
    found = compare_people(*rows, "ordered", [*"01234"])
    assert found.kappa is not None
    assert found.kappa.value == pytest.approx(cohen_kappa_score(one, other, weights="quadratic"))
    nominal = compare_people(*rows)
    assert found.alpha.value is not None and nominal.alpha.value is not None
    assert found.alpha.value > nominal.alpha.value + 0.3
    # By hand, after Krippendorff (2011), E: three answers each of a and c, two of b.
    few = compare_people(by_row("a a c c"), by_row("a b b c"), "ordered", ["a", "b", "c"])
    apart = 2 * 2.5**2 * 2  # a to b and b to c: 3/2 + 2/2, each pair twice
    assert few.alpha.value == pytest.approx(1 - 7 * apart / (4 * 3 * 2 * 2.5**2 + 2 * 9 * 5**2))


def test_sets_of_labels_are_as_far_as_they_share_little() -> None:
    assert masi_distance(("a", "b"), ("b", "a")) == masi_distance((), ()) == 0
    assert masi_distance(("a",), ("a", "b")) == pytest.approx(1 - 2 / 3 / 2)
    assert masi_distance(("a", "c"), ("a", "b")) == pytest.approx(1 - 1 / 3 / 3)
    assert masi_distance((), ("a",)) == masi_distance(("b",), ("a",)) == 1
    one = {0: ("a",), 1: ("a", "b"), 2: (), 3: ("b",)}
    near, far = one | {1: ("a",)}, one | {1: ("c",)}
    found, other = (compare_people(one, each, "several") for each in (near, far))
    assert found.kappa is None and found.alpha.value is not None and other.alpha.value is not None
    assert 1 > found.alpha.value > other.alpha.value and found.differ == {1: (("a", "b"), ("a",))}
