"""A search as a table on a terminal: the best so far, the last trials, the one under way and the time left."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import inf, isfinite
from typing import TYPE_CHECKING, Any

from rnn_cli.messages import wrapped
from rnn_cli.progress import Still, is_quiet, listening
from rnn_cli.text.plain import one_line
from rnn_cli.tuning.goals import Goal
from rnn_cli.tuning.journal import TrialRecord
from rnn_cli.tuning.shows import ToldInLines, time_in_words, written_goal
from rnn_cli.tuning.space import settings_in_words
from rnn_cli.tuning.wording import goal_called

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

LAST_SHOWN = 8
"""So many trials are shown, and the best one if it is not among them."""

REFRESHED = 2
"""Times a second."""


class SearchTable(ToldInLines):
    """Shows a search in a table that changes; notes and warnings stand above it."""

    def __init__(self, console: "Console") -> None:
        super().__init__(Still())
        self.console = console
        self.note, self.warn = self._note, self._warn  # type: ignore[method-assign]
        self.doing, self.progress = self._doing, self._progress  # type: ignore[method-assign]
        self.rows: list[tuple[TrialRecord, Mapping[str, Any]]] = []
        self.best: TrialRecord | None = None
        self.step, self.trial = "", ""
        self.ends: float = inf
        self.trials: int | None = None

    def searching(self, goal: Goal, left: float, trials: int | None) -> None:
        """Remember the goal, and when the time is over."""
        super().searching(goal, left, trials)
        self.trials = trials
        self.ends = time.monotonic() + left if isfinite(left) else inf

    def trial_known(self, record: TrialRecord, apart: Mapping[str, Any], *, best: bool) -> None:
        """Add its row."""
        self.trial_done(record, apart, best=best)

    def trial_starts(self, number: int, name: str, settings: Mapping[str, Any], left: float) -> None:
        """Show that it is under way; the time left is that which the search has."""
        self.trial, self.step = f"trial {number}", ""
        self.ends = time.monotonic() + left if isfinite(left) else inf

    def trial_done(self, record: TrialRecord, apart: Mapping[str, Any], *, best: bool) -> None:
        """Add its row."""
        self.rows.append((record, apart))
        self.best = record if best else self.best
        self.trial = self.step = ""

    def _note(self, text: str) -> None:
        self.step = ""
        self.console.print(wrapped(one_line(text), self.console.width), soft_wrap=True)

    def _warn(self, text: str) -> None:
        self.console.print(wrapped(f"Warning: {one_line(text)}", self.console.width), style="yellow", soft_wrap=True)

    def _doing(self, what: str) -> None:
        self.step = what

    def _progress(self, what: str, done: int, total: int) -> None:
        self.step = f"{what} {done:,}/{total:,}"

    def render(self) -> "RenderableType":
        """The table as it is now."""
        from rich.table import Table
        from rich.text import Text

        name = "" if self.goal is None else self.goal.name
        table = Table(
            box=None, pad_edge=False, expand=True, title=self._head(name), title_justify="left", title_style=""
        )
        for head, side in (("trial", "right"), (goal_called(name), "right"), ("time", "right")):
            table.add_column(head, justify=side, no_wrap=True)  # type: ignore[arg-type]
        table.add_column("what sets it apart", ratio=1, no_wrap=True, overflow="ellipsis")
        shown = self.rows[-LAST_SHOWN:]
        if self.best is not None and self.best.number not in [record.number for record, _ in shown]:
            shown = [each for each in self.rows if each[0].number == self.best.number] + shown
        for record, apart in shown:
            value = record.state if record.value is None else written_goal(name, record.value)
            what = record.name or settings_in_words(apart, most=99) or "the same as the config"
            if record.state == "pruned":
                what = f"{record.reason.partition(':')[0]}; {what}"
            is_best = self.best is not None and record.number == self.best.number
            row = (str(record.number), value, time_in_words(record.seconds), what)
            table.add_row(*map(Text, row), style="bold" if is_best else "" if record.value is not None else "dim")
        table.caption = Text(self.step or self.trial, overflow="ellipsis", no_wrap=True)
        table.caption_justify = "left"
        return table

    def _head(self, name: str) -> str:
        left = f"{time_in_words(self.ends - time.monotonic())} left" if isfinite(self.ends) else ""
        count = f"{len(self.rows)} of {self.trials} trials" if self.trials else f"{len(self.rows)} trials"
        best = "no model yet"
        if self.best is not None and self.best.value is not None:
            best = f"best {goal_called(name)} {written_goal(name, self.best.value)}"
            if self.best.interval is not None:
                low, high = (written_goal(name, end) for end in self.best.interval)
                best += f" (95% interval {low} to {high})"
            best += f", trial {self.best.number}"
        return "; ".join(filter(None, (best, count, left)))


@contextmanager
def showing_search() -> Iterator[ToldInLines]:
    """What shows a search on stderr: a table on a terminal, lines elsewhere, warnings alone with --quiet."""
    import sys

    if is_quiet() or not sys.stderr.isatty():
        with listening() as listener:
            yield ToldInLines(listener)
        return
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    table = SearchTable(console)
    with Live(console=console, get_renderable=table.render, refresh_per_second=REFRESHED):
        yield table
    console.print()
