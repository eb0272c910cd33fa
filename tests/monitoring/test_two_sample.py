"""The tests of two samples: exact on few rows, at their rate on many, and not blind."""

from itertools import combinations

import numpy as np
import pytest

from rnn_cli.monitoring.two_sample import DRAWS, Means, _anderson_darling, _chi_square, compare_means, permutation_p


@pytest.mark.parametrize("ordered", [False, True])
def test_a_p_value_is_that_of_all_permutations(ordered: bool) -> None:
    first, second = np.array([4, 1, 0]), np.array([1, 2, 2])
    bins = np.repeat(range(3), first + second)
    statistic = _anderson_darling if ordered else _chi_square
    drawn = np.array([np.bincount(bins[list(rows)], minlength=3) for rows in combinations(range(10), 5)])
    found = statistic(np.vstack([second, drawn]), first + second, 5)
    exact = (found[1:] >= found[0] - 1e-9).mean()
    assert permutation_p(first, second, ordered=ordered) == pytest.approx(exact, abs=4 * np.sqrt(0.25 / DRAWS))


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize(("many", "few"), [(2_000, 30), (60, 300)])
def test_the_same_source_alarms_at_the_stated_rate(ordered: bool, many: int, few: int) -> None:
    chance = np.random.default_rng(7)
    shares = chance.dirichlet(np.ones(12))
    p_values = [
        permutation_p(chance.multinomial(many, shares), chance.multinomial(few, shares), ordered=ordered, draws=199)
        for _ in range(400)
    ]
    assert np.mean(np.array(p_values) <= 0.05) <= 0.08  # 5 % and three standard errors
    assert np.mean(np.array(p_values) <= 0.5) == pytest.approx(0.5, abs=0.08)


def test_a_shift_of_ordered_bins_is_seen_where_the_order_is_known() -> None:
    bins = np.arange(20)
    then = np.full(20, 50)
    now = np.round(8 + 0.45 * (bins - 9.5)).astype(int)
    assert permutation_p(then, now, ordered=True) < 0.01 < permutation_p(then, now, ordered=False)


def test_nothing_to_compare_is_no_difference() -> None:
    assert permutation_p(np.array([5, 0]), np.array([9, 0]), ordered=False) == 1.0
    assert permutation_p(np.array([0, 0]), np.array([3, 4]), ordered=True) == 1.0


def unit_rows(chance: np.random.Generator, rows: int, shares: np.ndarray) -> np.ndarray:
    """Texts of words, some of which come together, as vectors of length 1."""
    found = (chance.random((rows, len(shares))) < shares).astype(float)
    found[:, :10] *= chance.random((rows, 1)) < 0.5  # words that come together vary together
    return found / np.maximum(np.sqrt((found**2).sum(axis=1, keepdims=True)), 1)


def means_of(rows: np.ndarray) -> Means:
    half = len(rows) // 2
    return Means(np.stack([rows[:half].sum(axis=0), rows[half:].sum(axis=0)]), (half, len(rows) - half))


@pytest.mark.parametrize(("many", "few"), [(2_000, 60), (100, 40), (60, 200)])
def test_means_of_the_same_source_alarm_at_the_stated_rate(many: int, few: int) -> None:
    chance = np.random.default_rng(3)
    shares = chance.beta(0.5, 5, 150)
    found = [
        compare_means(
            means_of(unit_rows(chance, many, shares)), unit_rows(chance, few, shares).astype(np.float32), draws=199
        )
        for _ in range(200)
    ]
    p_values = np.array([each.p_value for each in found])
    assert np.mean(p_values <= 0.05) <= 0.1  # 5 % and three standard errors
    assert np.mean(p_values <= 0.5) == pytest.approx(0.5, abs=0.12)
    distances = np.array([each.distance for each in found])
    assert abs(distances.mean()) < 3 * distances.std() / np.sqrt(len(distances))  # 0 on average


def test_another_mean_is_seen_and_its_rows_score_highest() -> None:
    chance = np.random.default_rng(5)
    shares = chance.beta(0.5, 5, 150)
    then = means_of(unit_rows(chance, 1_000, shares))
    same, other = unit_rows(chance, 60, shares), unit_rows(chance, 20, shares[::-1])
    found = compare_means(then, np.vstack([same, other]).astype(np.float32))
    assert found.p_value == pytest.approx(1 / (DRAWS + 1))
    assert found.scores[60:].mean() > found.scores[:60].mean()
    assert set(np.argsort(-found.scores)[:10]) <= set(range(60, 80))


def test_the_same_samples_give_the_same_answer() -> None:
    chance = np.random.default_rng(6)
    rows = unit_rows(chance, 50, np.full(40, 0.2)).astype(np.float32)
    then = means_of(unit_rows(chance, 100, np.full(40, 0.2)))
    assert compare_means(then, rows).p_value == compare_means(then, rows).p_value
