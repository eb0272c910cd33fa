"""The page of a search, tune.html. It loads nothing and runs nothing."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rnn_cli.config.schema import Config
from rnn_cli.gates.grammar import written_value
from rnn_cli.reporting.canvas import DARK, LIGHT, in_page
from rnn_cli.reporting.drawing import draw
from rnn_cli.training.trained import Run
from rnn_cli.tuning.charts import draw_search
from rnn_cli.tuning.importance import importance_of_keys
from rnn_cli.tuning.journal import TrialRecord
from rnn_cli.tuning.search import Search
from rnn_cli.tuning.shows import time_in_words, written_goal
from rnn_cli.tuning.space import settings_in_words, value_in
from rnn_cli.tuning.winner import WinnerStanding
from rnn_cli.tuning.wording import goal_called, standing_in_lines

MOST_RANKED = 10

STATE_WORDS = {
    "complete": "measured",
    "pruned": "pruned",
    "failed": "failed",
    "infeasible": "beyond a limit",
    "cut": "cut by the time",
    "skipped": "skipped for lack of time",
}


def search_page(
    search: Search, best: TrialRecord, standing: WinnerStanding, run: Run, yaml: str, commands: tuple[str, str]
) -> str:
    """The page as HTML; `commands` are what would repeat the search, and how exactly."""
    goal, records = search.plan.goal, search.journal.ended
    importance = importance_of_keys(search.sampler.study)
    charts = draw_search(goal, records, best, importance, search.plan.space.dimensions)
    side = rows_that_choose(search)
    lines = list(standing_in_lines(standing, side, records))
    kinds = ["", *("better" if each.beyond_chance else "chance" for each in standing.leads)][: len(lines)]
    low, high = (written_goal(goal.name, end) for end in standing.interval)
    ranked = sorted(search.measured(), key=search.rank)[:MOST_RANKED]
    figures = [name for name in (ranked[0].figures if ranked else ()) if name != goal.name]
    return draw(
        "tune.html",
        name=search.plan.name,
        light=LIGHT,
        dark=DARK,
        goal=goal,
        goal_name=goal_called(goal.name),
        seed=search.plan.seed,
        model=str(run.path),
        time=time_in_words(search.budget.spent()),
        side=side,
        best=best,
        winner=standing.winner,
        chosen=written_goal(goal.name, standing.chosen),
        corrected=written_goal(goal.name, standing.corrected),
        corrected_interval=f"{low} to {high}",
        test=_test_figure(run, goal.name),
        counts=counts_in_words(records),
        records=records,
        lines=list(zip(lines, kinds + ["chance"] * len(lines), strict=False)),
        overview=[charts[name] for name in ("search", "importance") if name in charts],
        slices=[chart for name, chart in charts.items() if name.startswith("slice ")],
        pictures={name: in_page(chart) for name, chart in charts.items()},
        figures=[goal_called(name) for name in figures],
        ranked=[_ranked(each, search.plan.config, goal.name, figures, standing) for each in ranked],
        every=[_listed(each, search.plan.config, goal.name) for each in records],
        yaml=yaml,
        repeat=commands[1],
        commands=commands[0],
    )


def rows_that_choose(search: Search) -> str:
    """What the rows are called that choose."""
    return "rows predicted by folds" if search.plan.halving == "folds" else "validation rows"


def counts_in_words(records: Sequence[TrialRecord]) -> str:
    """How many trials ended how: 12 measured, 3 pruned."""
    counts = Counter(STATE_WORDS[each.state] for each in records)
    return ", ".join(f"{count:,} {state}" for state, count in counts.items())


def _test_figure(run: Run, name: str) -> tuple[str, str] | None:
    """The winner's figure on the test rows, and its interval; None where there are none."""
    if run.test is None:
        return None
    value, interval = getattr(run.test.metrics, name), run.test.metrics.intervals.get(name)
    bounds = "" if interval is None else " to ".join(written_goal(name, end) for end in interval)
    return ("–" if value is None else written_goal(name, value)), bounds


def _ranked(
    record: TrialRecord, config: Config, goal: str, figures: Sequence[str], standing: WinnerStanding
) -> dict[str, Any]:
    return {
        "trial": record.number,
        "value": written_goal(goal, record.value or 0.0),
        "figures": [written_goal(name, record.figures[name]) for name in figures],
        "size": written_value(record.size or 0, "bytes"),
        "time": time_in_words(record.seconds),
        "wins": f"{standing.wins.get(record.number, 0.0):.0%}",
        "settings": _named(record, config),
    }


def _named(record: TrialRecord, config: Config) -> str:
    """A trial's name, or what sets it apart from the config."""
    apart = {key: each for key, each in record.settings.items() if value_in(config, key) != each}
    return record.name or settings_in_words(apart, most=99) or "the same as the config"


def _listed(record: TrialRecord, config: Config, goal: str) -> dict[str, Any]:
    return {
        "trial": record.number,
        "state": STATE_WORDS[record.state],
        "reason": record.reason,
        "value": "" if record.value is None else written_goal(goal, record.value),
        "time": time_in_words(record.seconds),
        "settings": _named(record, config),
    }
