import json
import time
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_cli.evaluation.comparison import Comparison, compare, holm, mcnemar, paired_interval
from rnn_cli.evaluation.metrics import measure


def test_mcnemar_worked_out_by_hand() -> None:
    # 1 of 6 coins or fewer on one side, on either: 2 × (1 + 6) / 64.
    assert mcnemar(5, 1) == mcnemar(1, 5) == 14 / 64
    assert mcnemar(0, 10) == 2 / 1024
    assert mcnemar(3, 3) == 1.0  # not the 1.3125 of doubling
    assert mcnemar(0, 0) == 1.0


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_binomial_tail(first: int, second: int) -> None:
    tail = sum(comb(first + second, heads) for heads in range(min(first, second) + 1))
    assert mcnemar(first, second) == pytest.approx(min(1.0, 2 * tail / 2 ** (first + second)))


def test_mcnemar_of_many_rows_neither_overflows_nor_takes_long() -> None:
    started = time.monotonic()
    assert mcnemar(20_000, 20_000) == 1.0
    assert 0 <= mcnemar(1_000, 30_000) < 1e-300
    # The normal approximation with continuity correction: z = (600 - 1) / sqrt(20,600).
    assert mcnemar(10_000, 10_600) == pytest.approx(2.98e-5, rel=0.03)
    assert time.monotonic() - started < 2


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
        found = compare(truth, first, second, labels=2)
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
    found = compare(truth, first, second, labels=4)  # the fourth has no row
    probabilities = np.full((500, 4), 0.25)
    one, two = (measure("abcd", truth, probabilities, answers) for answers in (first, second))
    assert found.difference == pytest.approx(one.accuracy - two.accuracy)
    assert found.macro_f1_difference == pytest.approx(one.macro_f1 - two.macro_f1)
    assert found.interval[0] < found.difference < found.interval[1]
    assert found.macro_f1_interval[0] < found.macro_f1_difference < found.macro_f1_interval[1]
    assert found.only_first_right - found.only_second_right == round(500 * found.difference)
    assert found.p_value < 1e-6


def test_the_other_way_round_it_is_the_negative() -> None:
    chance = np.random.default_rng(3)
    truth, first, second = chance.integers(0, 2, (3, 300))
    found, turned = compare(truth, first, second, 2), compare(truth, second, first, 2)
    assert turned.difference == -found.difference
    assert turned.interval == pytest.approx((-found.interval[1], -found.interval[0]))
    assert turned.p_value == found.p_value


def test_it_repeats_and_survives_json() -> None:
    truth, first, second = np.random.default_rng(5).integers(0, 2, (3, 100))
    found = compare(truth, first, second, 2)
    assert compare(truth, first, second, 2) == found
    assert Comparison.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_25_000_rows_take_less_than_a_second() -> None:
    chance = np.random.default_rng(5)
    truth = chance.integers(0, 5, 25_000)
    first, second = (np.where(chance.random(25_000) < 0.9, truth, chance.integers(0, 5, 25_000)) for _ in range(2))
    started = time.monotonic()
    compare(truth, first, second, 5)
    assert time.monotonic() - started < 1


def test_holm_worked_out_by_hand() -> None:
    # The smallest of four counts four times, the next three times, ...; none is less than one before it.
    assert holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.6, 0.001]) == pytest.approx([0.6, 0.002])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([0.04]) == [0.04]
