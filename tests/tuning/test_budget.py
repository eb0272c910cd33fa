"""What trials will take, learned from those before, and whether there is time for them."""

import numpy as np
import pytest

from rnn_cli.data.folds import Fold
from rnn_cli.data.rows import Dataset
from rnn_cli.data.splits import Splits
from rnn_cli.training.folds import FoldPart
from rnn_cli.training.listener import SilentListener
from rnn_cli.tuning.budget import Budget, Costs, OutOfTime, TrialWork
from rnn_cli.tuning.goals import Goal
from rnn_cli.tuning.trials import SURE_STEPS, Hopeless, TooLong, TrialListener


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


def heard_after(taken: float, left: float, is_hopeless: bool = False) -> TrialListener:
    """A trial that began so many seconds ago."""
    clock = Clock()
    budget = Budget(taken + left, clock=clock, began=0.0)
    heard = TrialListener(SilentListener(), "trial 2", budget, GOAL, lambda promise, step: is_hopeless)
    clock.now = taken
    return heard


def test_a_third_of_the_rows_tells_what_all_would_take():
    """Two epochs of a third took 10 seconds each: those of all rows take 30, and what is besides them 5 again."""
    heard_after(25.0, left=66.0).share_done(0.5, [10.0, 10.0], 1 / 3)
    heard = heard_after(25.0, left=64.0)
    with pytest.raises(TooLong, match="would take about 90s"):
        heard.share_done(0.5, [10.0, 10.0], 1 / 3)
    assert heard.seconds == pytest.approx([30.0, 30.0]) and heard.promises == []


def test_a_trial_that_a_third_of_the_rows_stops_tells_what_an_epoch_takes():
    heard = heard_after(25.0, left=1e6, is_hopeless=True)
    with pytest.raises(Hopeless):
        heard.share_done(0.5, [10.0, 10.0], 1 / 3)
    assert (heard.reached, heard.promises, heard.seconds) == ("a third of the rows", [(1, 0.5)], [30.0, 30.0])
    costs = Costs()
    costs.add(TrialWork(4 / 3, 2, 100, 1e9), heard.seconds, 25.0, ended=False)
    assert costs.expected(TrialWork(4 / 3, 2, 100, 1e9)) == pytest.approx(4 / 3 * 60.0)


def test_folds_tell_what_an_epoch_of_all_rows_takes():
    """A fold of three, five epochs of two thirds of the rows, took 20 seconds; two folds and all rows are left."""
    labelled = Dataset("rows", ["x", "y"], ["a", "b"], [1, 2])
    fold = Fold(1, 1, [0, 1], Splits(labelled, labelled, labelled, (), ""))
    part = FoldPart(np.full((2, 2), 0.5), np.zeros(2, np.int64), np.ones(2, np.int64), 2, 2, 0, 1)
    heard = heard_after(20.0, left=69.0)
    heard.work = {"epochs": 5}
    with pytest.raises(TooLong, match="would take about 90s"):
        heard.fold_done(fold, part, 3)
    assert heard.seconds == pytest.approx([6.0])


GOAL = Goal("log_loss", "single", ("a", "b"))
