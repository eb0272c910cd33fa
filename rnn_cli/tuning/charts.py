"""The charts of a search: its best figure from trial to trial, which keys mattered, and slices of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from rnn_cli.config.strict_yaml import shown_value
from rnn_cli.reporting.canvas import LIGHT, Chart, canvas
from rnn_cli.text.plain import shortened
from rnn_cli.tuning.goals import Goal
from rnn_cli.tuning.journal import TrialRecord
from rnn_cli.tuning.space import Choices, Dimension, Range

MOST_KEY_CHARTS, MOST_KEYS = 6, 10

FAR_OFF = 3.0
"""A figure that is so many times as far from the best as the median is would press all others together: at the edge."""


def draw_search(
    goal: Goal,
    records: Sequence[TrialRecord],
    best: TrialRecord,
    importance: Mapping[str, float],
    dimensions: Sequence[Dimension],
) -> dict[str, Chart]:
    """Every chart for which the trials have something to show, by name."""
    measured = [each for each in records if each.value is not None]
    found = [_history(goal, measured, best)]
    if importance:
        found.append(_importance(importance))
    asked = {each.called: each for each in dimensions}
    names = [name for name in importance if name in asked][:MOST_KEY_CHARTS]
    for name in names or list(asked)[:MOST_KEY_CHARTS]:
        if (chart := _slice(goal, asked[name], measured, best)) is not None:
            found.append(chart)
    return {chart.name: chart for chart in found}


def _title(goal: Goal) -> str:
    return goal.name.replace("_", " ")


def _limits(axes: Axes, goal: Goal, values: Sequence[float]) -> float:
    """Leave out of the picture what is far worse than most; returns the worst figure that it shows."""
    costs = np.array([goal.cost(each) for each in values])
    worst = min(costs.max(), costs.min() + FAR_OFF * max(float(np.median(costs)) - costs.min(), 1e-6))
    room = max(0.08 * (worst - costs.min()), 1e-6)
    ends = (costs.min() - room, worst + room)
    axes.set_ylim(*(ends if not goal.more_is_better else (-ends[1], -ends[0])))
    return float(worst)


def _history(goal: Goal, measured: Sequence[TrialRecord], best: TrialRecord) -> Chart:
    with canvas("search") as (figure, axes):
        values = [each.value for each in measured if each.value is not None]
        worst = _limits(axes, goal, values)
        numbers = [each.number for each in measured]
        shown = [goal.cost(min(goal.cost(each), worst)) if goal.more_is_better else min(each, worst) for each in values]
        inside = [each.state == "complete" for each in measured]
        for is_in, colour, label in ((True, "blue", "trial"), (False, "muted", "breaks a limit")):
            points = [(x, y) for x, y, each in zip(numbers, shown, inside, strict=True) if each is is_in]
            if points:
                axes.plot(*zip(*points, strict=True), "o", color=LIGHT[colour], markersize=4.5, alpha=0.75, label=label)
        kept = [(x, each) for x, each, ok in zip(numbers, values, inside, strict=True) if ok]
        running, so_far = [], None
        for _, each in kept:
            so_far = each if so_far is None or goal.better(each, so_far) else so_far
            running.append(so_far)
        steps = [x for x, _ in kept]
        axes.step(
            [*steps, max(numbers) + 0.5], [*running, running[-1]], where="post", color=LIGHT["ink"], label="best so far"
        )
        assert best.value is not None
        axes.plot(
            [best.number], [best.value], "o", color=LIGHT["red"], markersize=7, label=f"trial {best.number}, the best"
        )
        axes.set(xlabel="trial", ylabel=_title(goal))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        figure.legend(loc="outside lower center", ncols=3, fontsize=8)
    better = "higher" if goal.more_is_better else "lower"
    caption = f"The {_title(goal)} on the rows that choose; {better} is better. Figures far off stand at the edge."
    return Chart("search", "From trial to trial", caption, figure)


def _importance(importance: Mapping[str, float]) -> Chart:
    with canvas("importance") as (figure, axes):
        names = list(importance)[:MOST_KEYS][::-1]
        axes.barh(range(len(names)), [importance[name] for name in names], color=LIGHT["blue"], height=0.62)
        axes.set_yticks(range(len(names)), [_short(name) for name in names], fontsize=8.5)
        axes.set(xlabel="share of the differences between trials", xlim=(0, None))
        axes.grid(False, axis="y")
        axes.tick_params(axis="y", length=0)
    caption = "Which keys made trials differ, by an analysis of variance over a forest. Few trials say little."
    return Chart("importance", "Which keys mattered", caption, figure)


def _short(name: str) -> str:
    key, _, of = name.partition(" ")
    return " ".join(filter(None, (key.rpartition(".")[2], of)))


def _slice(goal: Goal, dimension: Dimension, measured: Sequence[TrialRecord], best: TrialRecord) -> Chart | None:
    """The figures of trials by the value of one key; None where it has but one value."""
    pairs = [
        (each.params[dimension.called], each)
        for each in measured
        if each.params is not None and dimension.called in each.params
    ]
    values = dimension.values
    used = (
        [value for value in values.values if any(found == value for found, _ in pairs)]
        if isinstance(values, Choices)
        else []
    )
    if len({str(value) for value, _ in pairs}) < 2:
        return None
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in used):
        used = sorted(used)
    name = f"slice {dimension.called}"
    with canvas(name) as (figure, axes):
        figures = [each.value for _, each in pairs if each.value is not None]
        worst = _limits(axes, goal, figures)
        places = [_place(values, used, value) for value, _ in pairs]
        shown = [min(goal.cost(each), worst) for each in figures]
        heights = [-each if goal.more_is_better else each for each in shown]
        axes.plot(places, heights, "o", color=LIGHT["blue"], markersize=5, alpha=0.7)
        for place, height, (_, each) in zip(places, heights, pairs, strict=True):
            if each.number == best.number:
                axes.plot([place], [height], "o", color=LIGHT["red"], markersize=7)
        axes.set(xlabel=_short(dimension.called), ylabel=_title(goal))
        if isinstance(values, Range):
            if values.log:
                axes.set_xscale("log")
            elif values.is_whole:
                axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        else:
            axes.set_xticks(range(len(used)), [shortened(_word(value), 14) for value in used], fontsize=8.5)
            axes.set_xlim(-0.5, len(used) - 0.5)
    return Chart(name, dimension.key, "Each point is a trial; the best one is red.", figure)


def _place(values: Choices | Range, used: Sequence[Any], value: Any) -> float:
    return float(value) if isinstance(values, Range) else float(list(used).index(value))


def _word(value: Any) -> str:
    return value if isinstance(value, str) else "none" if value is None else shown_value(value)
