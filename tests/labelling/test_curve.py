"""The learning curve: what it says of answers that teach as they should, and when it says nothing."""

from collections.abc import Sequence

import numpy as np
import pytest

from rnn_cli.arrays import Flags
from rnn_cli.labelling.curve import LEAST_ANSWERS, USUAL_ANSWERS, USUAL_POWER, Curve, fit_curve
from tests.labelling.conftest import Begin
from tests.labelling.test_session import answer


def curve_of(count: int, power: float) -> Curve | None:
    """The curve of so many answers where mistakes fall with this power, from 60 % with ten."""
    chance = np.random.default_rng(1)

    def is_right(learned: Sequence[int], held_out: Sequence[int]) -> Flags:
        assert not set(learned) & set(held_out)
        found: Flags = chance.random(len(held_out)) > 0.6 * (len(learned) / 10) ** -power
        return found

    *steps, last = list(fit_curve(range(count), is_right)) or [None]
    assert all(step is None for step in steps)
    return last


@pytest.mark.parametrize("power", [0.05, 0.2, 0.4])
def test_many_answers_tell_the_power_of_their_curve(power: float) -> None:
    curve = curve_of(20_000, power)
    assert curve is not None and curve.power == pytest.approx(power, abs=0.08)


def test_few_answers_hardly_move_it_from_what_is_usual() -> None:
    few = curve_of(LEAST_ANSWERS, 0.5)
    assert few is not None
    most = LEAST_ANSWERS / (LEAST_ANSWERS + USUAL_ANSWERS)
    assert USUAL_POWER * (1 - most) <= few.power <= USUAL_POWER * (1 - most) + most
    assert curve_of(LEAST_ANSWERS - 1, 0.5) is None


def test_no_curve_where_a_part_teaches_nothing() -> None:
    assert (
        list(fit_curve(range(100), lambda learned, _: None if len(learned) < 50 else np.ones(20, bool))) == [None] * 10
    )


def test_mistakes_left_follow_the_power() -> None:
    assert Curve(100, 0.5).mistakes_left(300) == pytest.approx(0.5)
    assert Curve(100, 0.5).mistakes_left(0) == 1


def test_a_sitting_tells_what_to_expect_once_it_can_be_known(begin: Begin) -> None:
    session = begin("good", "bad")
    answer(session, 40)
    assert session.standing().expected is None
    answer(session, 30)
    session.learner.wait_for_curve()
    standing = session.standing()
    assert standing.accuracy is not None and standing.expected is not None
    assert standing.accuracy.share <= standing.expected <= 1
    for _ in range(20):
        session.undo()
    session.learner.wait_for_curve()
    assert session.learner.curve is None and session.standing().expected is None


def test_nothing_is_expected_of_answers_that_there_are_no_texts_for(begin: Begin) -> None:
    session = begin("good", "bad")
    answer(session, 155, wait=False)
    session.learner.wait_for_curve()
    assert session.learner.curve is not None and session.standing().expected is None
