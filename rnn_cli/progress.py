"""A run's steps on stderr: a bar with the time left on a terminal, a line an epoch everywhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from rnn_cli.text.plain import one_line
from rnn_cli.training.listener import EpochMetrics, Listener

HEAD = "epoch     loss  accuracy  val. loss  val. acc.  gradient  clipped   time"


QUIET_SECONDS = 10.0
"""A fit under way is told in lines as often as this."""


@contextmanager
def listening() -> Iterator[Listener]:
    """A `Listener` that suits stderr, cleared away when the block ends."""
    if not sys.stderr.isatty():
        yield Lines()
        return
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[metrics]}"),
        TimeRemainingColumn(),
        TextColumn("left"),
        console=console,
        expand=True,
        transient=True,
    ) as progress:
        yield Bars(progress)
    console.print()  # between the epochs and what follows


class Notes:
    """A plain line for what is worth knowing; nothing moves, so a log file can keep it."""

    def say(self, line: str, style: str = "") -> None:
        """Print a line."""
        click.echo(line, err=True)

    def note(self, text: str) -> None:
        """Print it."""
        self.say(one_line(text))

    def warn(self, text: str) -> None:
        """Print it, marked."""
        self.say(f"Warning: {one_line(text)}", "yellow")


class Lines(Notes):
    """The epochs, too, as plain lines."""

    def __init__(self) -> None:
        self.epochs = 0
        self.has_head = False
        self.fit_named = ""
        self.fit_told_at = 0.0

    def progress(self, what: str, done: int, total: int) -> None:
        """Print how far a long fit is, every few seconds."""
        now = time.monotonic()
        if what != self.fit_named:
            self.fit_named, self.fit_told_at = what, now
        elif now - self.fit_told_at >= QUIET_SECONDS:
            self.fit_told_at = now
            self.say(f"{what} {done:,}/{total:,}")

    def epoch_starts(self, epoch: int, epochs: int, steps: int, done: int) -> None:
        """Remember how many there will be; print the head of the epochs' lines before the first."""
        self.epochs = epochs
        if not self.has_head:
            self.say(HEAD, "bold")
            self.has_head = True

    def step_done(self, loss: float, accuracy: float) -> None:
        """Say nothing; a line a batch would drown the rest."""

    def epoch_done(self, metrics: EpochMetrics, *, best: bool) -> None:
        """Print the epoch's row of the history."""
        self.say(
            f"{f'{metrics.epoch}/{self.epochs}':<5}  {metrics.loss:7.4f}  {metrics.accuracy:8.1%}  "
            f"{metrics.val_loss:9.4f}  {metrics.val_accuracy:9.1%}  {metrics.gradient_norm:8.3g}  "
            f"{metrics.clipped:7.0%}  {metrics.seconds:4.0f}s{'  best' if best else ''}",
        )


class Bars(Lines):
    """The same lines, with a bar for the epoch under way below them."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self.bars = progress
        self.task: TaskID | None = None
        self.fit: TaskID | None = None

    def say(self, line: str, style: str = "") -> None:
        """Print a line above the bar, wrapped between words."""
        self._end_fit()
        self.bars.console.print(line, style=style)

    def progress(self, what: str, done: int, total: int) -> None:
        """Move a fit's bar on; it goes when all is done, and before any other line."""
        if self.fit is None or what != self.fit_named:
            self._end_fit()
            self.fit, self.fit_named = self.bars.add_task(what, total=total, metrics=""), what
        self.bars.update(self.fit, completed=done)
        if done >= total:
            self._end_fit()

    def _end_fit(self) -> None:
        if self.fit is not None:
            self.bars.remove_task(self.fit)
            self.fit = None

    def epoch_starts(self, epoch: int, epochs: int, steps: int, done: int) -> None:
        """Begin a bar of `steps`, with so many done."""
        super().epoch_starts(epoch, epochs, steps, done)
        self.task = self.bars.add_task(f"epoch {epoch}/{epochs}", total=steps, completed=done, metrics="")

    def step_done(self, loss: float, accuracy: float) -> None:
        """Move the bar on."""
        if self.task is not None:
            self.bars.update(self.task, advance=1, metrics=f"loss {loss:.4f}  accuracy {accuracy:.1%}")

    def epoch_done(self, metrics: EpochMetrics, *, best: bool) -> None:
        """Replace the bar by the epoch's line."""
        if self.task is not None:
            self.bars.remove_task(self.task)
            self.task = None
        super().epoch_done(metrics, best=best)
