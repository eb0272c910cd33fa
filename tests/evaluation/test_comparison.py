import json
import random
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import product
from math import comb

import numpy as np
import pytest
from pydantic import TypeAdapter
from scipy.stats import binomtest

from rnn_cli.evaluation.compare import Comparison, compare_predictions, holm, mcnemar, paired_interval
from rnn_cli.evaluation.metrics import measure


def test_mcnemar_worked_out_by_hand() -> None:
    # 1 of 6 coins or fewer on one side, on either: 2 × (1 + 6) / 64.
    assert mcnemar(5, 1) == mcnemar(1, 5) == pytest.approx(14 / 64, rel=1e-14)
    assert mcnemar(0, 10) == pytest.approx(2 / 1024, rel=1e-14)
    assert mcnemar(3, 3) == 1.0  # not the 1.3125 of doubling
    assert mcnemar(0, 0) == 1.0


def exactly(first: int, second: int) -> Fraction:
    tail = sum(comb(first + second, heads) for heads in range(min(first, second) + 1))
    return min(Fraction(1), Fraction(2 * tail, 2 ** (first + second)))


def test_mcnemar_is_the_binomial_tail_for_all_small_tables() -> None:
    for first, second in product(range(35), repeat=2):
        p = mcnemar(first, second)
        assert abs(Fraction(p) / exactly(first, second) - 1) < 1e-13, (first, second)
        if first + second:
            assert p == pytest.approx(binomtest(first, first + second).pvalue, rel=1e-12)


def test_mcnemar_is_scipys_on_up_to_ten_million_rows() -> None:
    chance = random.Random(1)
    for _ in range(200):
        coins = int(10 ** chance.uniform(2, 7))
        uneven = chance.choice([1, 3, 10, 30, 37]) * chance.random()  # in standard deviations
        fewer = max(0, int((coins - uneven * coins**0.5) / 2))
        expected = binomtest(fewer, coins).pvalue  # right to about 1e-11 on so many rows
        assert mcnemar(fewer, coins - fewer) == pytest.approx(expected, rel=1e-10, abs=1e-310)


@pytest.mark.parametrize(("first", "second"), [(4_201_067, 4_274_784), (196_178, 204_638), (520_172, 513_994)])
def test_mcnemar_keeps_twelve_digits_where_scipy_does_not(first: int, second: int) -> None:
    """Against the same sum in forty decimal digits."""
    coins, fewer = first + second, min(first, second)
    with localcontext(prec=40):
        chance, total, tail = Decimal(1), Decimal(0), Decimal(0)
        for heads in range(coins // 2, 0, -1):
            total += chance
            tail += chance if heads <= fewer else 0
            chance *= Decimal(heads) / (coins - heads + 1)
            if chance < Decimal("1e-250"):
                break
        expected = 2 * tail / (2 * total - (coins % 2 == 0))
        assert abs(Decimal(mcnemar(first, second)) / expected - 1) < Decimal("1e-12")


def test_mcnemar_neither_overflows_nor_loses_what_a_float_can_hold() -> None:
    assert mcnemar(20_000, 20_000) == mcnemar(20_000, 20_001) == 1.0
    assert mcnemar(0, 1_000) == pytest.approx(2.0**-999, rel=1e-12)
    assert mcnemar(0, 1_060) == 2.0**-1059  # a subnormal number
    assert mcnemar(0, 1_100) == mcnemar(1_000, 30_000) == mcnemar(0, 10_000_000) == 0


def test_mcnemar_sums_no_more_terms_than_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    summed = []
    cumprod = np.cumprod
    monkeypatch.setattr(np, "cumprod", lambda terms: summed.append(len(terms)) or cumprod(terms))
    assert mcnemar(5_000_000, 5_000_100) == pytest.approx(0.975, abs=0.001)
    assert summed[0] < 100_000


def test_the_interval_against_its_formula_by_hand() -> None:
    # 1 and 6 of 50 rows: shares 2/52 and 7/52, difference -5/52, variance (9/52 - 25/2704) / 52.
    low, high = paired_interval(1, 6, 50)
    assert (low + high) / 2 == pytest.approx(-5 / 52)
    assert (high - low) / 2 == pytest.approx(1.959964 * ((9 / 52 - 25 / 2704) / 52) ** 0.5)


def test_alike_answers_to_few_rows_are_no_proof_of_likeness() -> None:
    low, high = paired_interval(0, 0, 20)
    assert low < -0.1 and high > 0.1
    assert low == -high


def test_the_intervals_hold_the_true_difference_as_often_as_they_say() -> None:
    # Two classifiers that are right in 80 % and 75 % of all rows there are, measured on 200 of them, 400 times.
    chance = np.random.default_rng(7)
    held_accuracy = held_f1 = 0
    for _ in range(400):
        truth = chance.integers(0, 2, 200)
        hard = chance.random(200)
        first = np.where(hard < 0.8, truth, 1 - truth)
        second = np.where((hard > 0.1) & (hard < 0.85), truth, 1 - truth)
        found = compare_predictions(truth, first, second, labels=2)
        expected = 0.8 - 0.75
        held_accuracy += found.interval[0] <= expected <= found.interval[1]
        # With labels of equal share and errors of equal share, macro F1 is the accuracy but for a hair.
        held_f1 += found.macro_f1_interval[0] <= expected <= found.macro_f1_interval[1]
    assert 0.93 <= held_accuracy / 400 <= 0.98
    assert 0.91 <= held_f1 / 400 <= 0.98


def test_the_differences_are_those_of_the_figures() -> None:
    chance = np.random.default_rng(3)
    truth, first, second = chance.integers(0, 3, (3, 500))
    first = np.where(chance.random(500) < 0.5, truth, first)
    found = compare_predictions(truth, first, second, labels=4)  # the fourth has no row
    probabilities = np.full((500, 4), 0.25)
    one, two = (measure("abcd", truth, probabilities, predicted) for predicted in (first, second))
    assert found.difference == pytest.approx(one.accuracy - two.accuracy)
    assert found.macro_f1_difference == pytest.approx(one.macro_f1 - two.macro_f1)
    assert found.interval[0] < found.difference < found.interval[1]
    assert found.macro_f1_interval[0] < found.macro_f1_difference < found.macro_f1_interval[1]
    assert found.only_first_right - found.only_second_right == round(500 * found.difference)
    assert found.p_value < 1e-6


def test_the_other_way_round_it_is_the_negative() -> None:
    chance = np.random.default_rng(3)
    truth, first, second = chance.integers(0, 2, (3, 300))
    found, turned = compare_predictions(truth, first, second, 2), compare_predictions(truth, second, first, 2)
    assert turned.difference == -found.difference
    assert turned.interval == pytest.approx((-found.interval[1], -found.interval[0]))
    assert turned.p_value == found.p_value


def test_it_repeats_and_survives_json() -> None:
    truth, first, second = np.random.default_rng(5).integers(0, 2, (3, 100))
    found = compare_predictions(truth, first, second, 2)
    assert compare_predictions(truth, first, second, 2) == found
    assert TypeAdapter(Comparison).validate_python(json.loads(json.dumps(found.to_dict()))) == found


def test_holm_worked_out_by_hand() -> None:
    # The smallest of four counts four times, the next three times, ...; none is less than one before it.
    assert holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.6, 0.001]) == pytest.approx([0.6, 0.002])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([0.04]) == [0.04]
