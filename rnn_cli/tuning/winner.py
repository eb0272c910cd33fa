"""How sure it is that the best trial is better, and how much of its figure is luck of the choice: by bootstrap of rows.

Source: Tsamardinos, Greasidou and Borboudakis (2018), Bootstrapping the out-of-sample predictions for efficient and
accurate cross-validation: the best is chosen anew on each sample, and measured on the rows that are not in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rnn_cli.arrays import Floats, Indices
from rnn_cli.evaluation.intervals import Interval
from rnn_cli.tuning.goals import Goal
from rnn_cli.tuning.samples import Predicted, goal_on_samples

MOST_SAMPLES, FEWEST_SAMPLES, SAMPLES_SEED = 1_000, 200, 1
MOST_CELLS = 100_000_000
"""Rows times samples times trials: more take more than some seconds."""


@dataclass(frozen=True)
class Lead:
    """By how much the winner is better than another trial on the rows that choose: above 0 where it is.

    `share` of the samples have it better; the interval is of 95 % of them.
    """

    over: int
    difference: float
    interval: Interval
    share: float

    @property
    def beyond_chance(self) -> bool:
        """Whether the interval excludes 0."""
        return self.interval[0] > 0


@dataclass(frozen=True)
class WinnerStanding:
    """The winner's figure on the rows that choose, and what it is expected to be on other rows.

    `chosen` is the figure by which it was chosen among `trials`; `corrected` that of the choice on rows that did not
    choose, with the interval of 95 % of `samples`. `wins` says in which share of them each trial was the best. `winner`
    is the best trial; `kept` is the one that is made instead of it, with its figure, where the best is no better.
    """

    goal: str
    winner: int
    trials: int
    rows: int
    samples: int
    chosen: float
    corrected: float
    interval: Interval
    leads: tuple[Lead, ...]
    wins: Mapping[int, float]
    kept: int | None = None
    kept_figure: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The standing as plain values."""
        return asdict(self)


def standing_of(
    goal: Goal, truth: Indices, found: Mapping[int, Predicted], winner: int, others: Sequence[int]
) -> WinnerStanding:
    """How the winner stands among the trials `found`, by number; `others` are those that it is compared with."""
    numbers = list(found)
    cells = len(truth) * len(numbers)
    samples = int(np.clip(MOST_CELLS // max(cells, 1), FEWEST_SAMPLES, MOST_SAMPLES))
    drawn = np.random.default_rng(SAMPLES_SEED).integers(len(truth), size=(samples, len(truth)))
    within = np.stack([np.bincount(each, minlength=len(truth)) for each in drawn]).astype(np.float64)
    outside = (within == 0).astype(np.float64)
    every = np.ones((1, len(truth)))
    on_all, on_within, on_outside = (
        {number: _costs(goal, truth, found[number], weights) for number in numbers}
        for weights in (every, within, outside)
    )
    ranked = on_within
    if goal.chooser is not goal:
        ranked = {number: _costs(goal.chooser, truth, found[number], within) for number in numbers}
    chosen = np.argmin(np.nan_to_num(np.stack([ranked[each] for each in numbers]), nan=np.inf), axis=0)
    beside = np.stack([on_outside[each] for each in numbers])[chosen, np.arange(samples)]
    beside = beside[np.isfinite(beside)]
    sign = -1.0 if goal.more_is_better else 1.0
    low, high = sorted(sign * np.quantile(beside, [0.025, 0.975]))
    return WinnerStanding(
        goal.name,
        winner,
        len(numbers),
        len(truth),
        samples,
        float(sign * on_all[winner][0]),
        float(sign * beside.mean()),
        (float(low), float(high)),
        tuple(_lead(on_all, on_within, winner, other) for other in others if other != winner),
        {number: float((chosen == place).mean()) for place, number in enumerate(numbers)},
    )


def _costs(goal: Goal, truth: Indices, found: Predicted, weights: Floats) -> Floats:
    figures = goal_on_samples(goal, truth, found, weights)
    return -figures if goal.more_is_better else figures


def _lead(on_all: Mapping[int, Floats], on_samples: Mapping[int, Floats], winner: int, other: int) -> Lead:
    gains = on_samples[other] - on_samples[winner]
    gains = gains[np.isfinite(gains)]
    low, high = np.quantile(gains, [0.025, 0.975])
    return Lead(
        other, float(on_all[other][0] - on_all[winner][0]), (float(low), float(high)), float((gains > 0).mean())
    )
