"""Runs in a table."""

import re
from collections.abc import Callable, Sequence

from rnn_cli.bundle.runs import ListedRun, Share
from rnn_cli.cli.layout import show_table, table
from rnn_cli.scoring.prediction import shown_number
from rnn_cli.text.plain import one_line

_Column = tuple[str, Callable[[ListedRun], str]]

_UNKNOWN = "-"

LEAST_NEEDED = ("recipe", "MB", "rows", "min", "95% interval")
"""Columns that a narrow terminal goes without, in this order."""


def in_order(runs: Sequence[ListedRun], by: str) -> list[ListedRun]:
    """The runs by name, or with the greatest accuracy, date, size or minutes first; those that have none come last.

    Runs of numbers, which have no accuracy, come after the others by their R².
    """
    keys: dict[str, Callable[[ListedRun], float | None]] = {
        "accuracy": lambda run: run.accuracy[0] if run.accuracy else run.r2[0] - 2 if run.r2 else None,
        "date": lambda run: run.changed,
        "size": lambda run: float(run.size),
        "minutes": lambda run: run.seconds,
    }
    named = sorted(runs, key=lambda run: _by_number(run.name))
    if by == "name":
        return named

    def rank(run: ListedRun) -> tuple[bool, float]:
        value = keys[by](run)
        return value is None, -(value or 0.0)

    return sorted(named, key=rank)


def _by_number(name: str) -> list[tuple[int, str]]:
    """quick-10 after quick-2."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", name)]


def show_runs(runs: Sequence[ListedRun]) -> None:
    """A line a run; on a narrow terminal without what can best be done without."""
    show_table(*(_drawn(runs, LEAST_NEEDED[:count]) for count in range(len(LEAST_NEEDED) + 1)))


def _drawn(runs: Sequence[ListedRun], without: Sequence[str]) -> list[str]:
    before = [each for each in ABOUT if each[0] not in without]
    after = [each for each in _METRICS_SHOWN if each[0] not in without]
    rows = []
    for run in runs:
        about = [written(run) for _, written in before]
        if run.state in ("damaged", "foreign"):
            rows.append([about[0], one_line(run.status if run.state == "foreign" else f"damaged: {run.status}")])
        elif run.state == "unfinished":
            rows.append([*about, f"unfinished: {one_line(run.status)}"])
        else:
            rows.append([*about, *(written(run) for _, written in after)])
    return table([name for name, _ in before + after], rows, names=len(before))


ABOUT: list[_Column] = [
    ("run", lambda run: one_line(run.name) + " *" * run.is_latest),
    ("recipe", lambda run: one_line(run.recipe or _UNKNOWN)),
    ("data", lambda run: one_line(run.data or _UNKNOWN)),
]
"""What tells runs from each other."""


def _share(share: Share | None) -> str:
    return f"{share[0]:.1%}" if share else _UNKNOWN


def _main(run: ListedRun) -> str:
    """The accuracy; of numbers how far they are off, and R²."""
    if run.error is None:
        return _share(run.accuracy)
    return f"off {_off(run.error, run.error)}" + (f", R² {run.r2[0]:.2f}" if run.r2 else "")


def _off(error: Share | None, like: Share) -> str:
    """An error with as many digits as tell a thousandth of one of its size."""
    return _UNKNOWN if error is None else shown_number(error[0], like[0])


def _interval(run: ListedRun) -> str:
    if run.rows and not run.rows["test"] and not run.folds:
        return "no test rows"
    by = f", {run.folds} folds" if run.folds else ""
    if run.error and run.error[1]:
        return " to ".join(shown_number(end, run.error[0]) for end in run.error[1]) + by
    _, interval = run.accuracy or (None, None)
    return f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f}{by}" if interval else _UNKNOWN


_METRICS_SHOWN: list[_Column] = [
    ("rows", lambda run: f"{sum(run.rows.values()):,}" if run.rows else _UNKNOWN),
    ("accuracy", _main),
    ("95% interval", _interval),
    ("linear", lambda run: _off(run.baseline_error, run.error) if run.error else _share(run.baseline)),
    ("min", lambda run: f"{run.seconds / 60:,.1f}" if run.seconds is not None else _UNKNOWN),
    ("MB", lambda run: f"{run.size / 1e6:,.1f}"),
]
"""What came of a run that has finished."""
