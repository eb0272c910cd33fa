"""What trials will take, learned from those before, and whether there is time for them."""

import pytest

from rnn_cli.training.listener import SilentListener
from rnn_cli.tuning.budget import Budget, Costs, OutOfTime, TrialWork
from rnn_cli.tuning.goals import Goal
from rnn_cli.tuning.trials import SURE_STEPS, TooLong, TrialListener


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_time_is_left_for_the_end():
    clock = Clock()
    budget = Budget(60.0, clock=clock, ending=10.0, began=0.0)
    clock.now = 40.0
    assert budget.left() == 10.0 and budget.fits(8.0) and not budget.fits(9.9)
    budget.check()
    clock.now = 50.0
    with pytest.raises(OutOfTime):
        budget.check()
    assert Budget(None, clock=clock, began=0.0).left() == float("inf")


def test_costs_follow_from_what_a_trial_has_to_do():
    """An epoch takes a second for 1e9 products and 10 ms for a step, and each trial 3 seconds besides."""
    costs = Costs()
    works = [
        TrialWork(1, epochs, steps, 1e9 * products)
        for epochs, steps, products in (
            (2, 100, 1.0),
            (3, 50, 2.0),
            (4, 200, 0.5),
            (2, 400, 4.0),
            (1, 30, 8.0),
            (2, 90, 3.0),
        )
    ]
    for work in works:
        of_epoch = work.products / 1e9 + 0.01 * work.steps
        costs.add(work, [of_epoch] * work.epochs, of_epoch * work.epochs + 3)
    asked = TrialWork(1, 5, 120, 6e9)
    assert costs.expected(asked) == pytest.approx(5 * (6 + 1.2) + 3, rel=0.02)
    assert costs.expected(TrialWork(6, 5, 120, 6e9)) == pytest.approx(30 * (6 + 1.2) + 3, rel=0.02)


def test_one_trial_is_enough_for_an_estimate_and_a_linear_model_needs_none():
    costs = Costs()
    assert costs.expected(TrialWork(1, 2, 100, 1e9)) is None
    costs.add(TrialWork(1, 2, 100, 1e9), [2.0, 2.0], 5.0)
    assert costs.expected(TrialWork(1, 4, 100, 1e9)) == pytest.approx(4 * 2.0 + 1.0)
    assert costs.expected(TrialWork(1, 2, 200, 2e9)) == pytest.approx(2 * 4.0 + 1.0)
    assert costs.expected(TrialWork(1, 0, 0.0, 0.0)) is None


def test_a_trial_that_would_not_end_in_time_is_stopped_early():
    """Each batch takes 2 seconds: 10 epochs of 50 of them 1,000 seconds, and 300 are left."""
    clock = Clock()
    heard = TrialListener(
        SilentListener(), "trial 1", Budget(300.0, clock=clock, began=0.0), GOAL, lambda step, promise: False
    )
    heard.epoch_starts(1, 10, 50, 0)
    with pytest.raises(TooLong, match="would take about 1000s"):
        for _ in range(50):
            clock.now += 2.0
            heard.step_done(0.5, 0.5)
    assert clock.now == 2.0 * SURE_STEPS
    assert heard.seconds == [pytest.approx(100.0)]


def test_a_trial_that_ends_in_time_goes_on():
    clock = Clock()
    heard = TrialListener(
        SilentListener(), "trial 1", Budget(101.0, clock=clock, began=0.0), GOAL, lambda step, promise: False
    )
    for epoch in (1, 2):
        heard.epoch_starts(epoch, 2, 50, 0)
        for _ in range(50):
            clock.now += 1.0
            heard.step_done(0.5, 0.5)
    assert heard.seconds == []


GOAL = Goal("log_loss", "single", ("a", "b"))
