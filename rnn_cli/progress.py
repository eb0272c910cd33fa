"""What a command is doing, on stderr: a bar with the time left on a terminal, elsewhere a line every ten seconds.

One listener hears all long work: training, scoring files, checks of data.
"""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from rnn_cli.messages import tell, wrapped
from rnn_cli.text.plain import one_line
from rnn_cli.training.listener import SilentListener

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from rnn_cli.bundle.history import EpochMetrics

HEAD = "epoch     loss  accuracy  val. loss  val. acc.  gradient  clipped   time"

SILENCE = 8.0
"""Seconds after which a line says how far the work is, where nothing else was said. Some libraries let no other thread
run for a second or two, and no silence shall be longer than ten."""

BEAT = 0.5
"""Seconds after which it is looked again whether it is time for that."""

MOMENT = 0.3
"""Seconds that a step must take to have a bar."""

UNNAMED = "working"
"""The name of a step that has none."""


QUIET = "rnn.quiet"
"""In a context's `meta`, which all contexts of a command line share, whether --quiet was given."""


def is_quiet() -> bool:
    """Whether the command line that runs is to show no progress."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(QUIET))


class Notes:
    """A plain line for what is worth knowing; nothing moves, so a log file can keep it."""

    def say(self, line: str, style: str = "") -> None:
        """Print a line, on a terminal wrapped between words."""
        tell(line)

    def note(self, text: str) -> None:
        """Print it, unless the command is to be quiet."""
        if not is_quiet():
            self.say(one_line(text))

    def warn(self, text: str) -> None:
        """Print it, marked."""
        self.say(f"Warning: {one_line(text)}", "yellow")


@dataclass
class Step:
    """What is being done: since when, and how far it is, `done` of `total` (None where nobody knows).

    `first` of them were done when it began. `text` says how far it is in words; `further` are the steps of the same
    kind that come after `total`, in later epochs.
    """

    what: str
    began: float
    first: int = 0
    done: int = 0
    total: int | None = None
    text: str = ""
    further: int = 0

    def left(self, now: float) -> str:
        """How long it will take from now on, or has taken so far where that is not known."""
        if self.total is None or self.done <= self.first:
            return f"{in_words(now - self.began)} so far" if now - self.began >= 1 else ""
        each = (now - self.began) / (self.done - self.first)
        whole = f", {in_words(each * (self.total - self.done + self.further))} in all" if self.further else ""
        return f"{in_words(each * (self.total - self.done))} left{whole}"


def in_words(seconds: float) -> str:
    """A duration: 8s, 3 min, 2 h 5 min."""
    minutes = round(seconds / 60)
    if seconds < 99.5:
        return f"{seconds:.0f}s"
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


class Still(Notes, SilentListener):
    """A listener that tells notes and warnings, but no progress; counts the `rows` scored."""

    def __init__(self) -> None:
        self.rows = 0

    def scored(self, count: int) -> None:
        """Count the rows."""
        self.rows += count


class Lines(Still):
    """Shows progress in plain lines: one when an epoch ends, and of other work one after every long silence."""

    def __init__(self) -> None:
        super().__init__()
        self.size: int | None = None
        self.bytes = 0
        self.epochs = 0
        self.has_head = False
        self.told_at = time.monotonic()
        self.step = Step(UNNAMED, self.told_at)

    def tick(self) -> None:
        """Say how far the work is, if nothing was said for `SILENCE`; called again and again by a thread."""
        now = time.monotonic()
        if now - self.told_at >= SILENCE:
            step = self.step
            self.say(", ".join(filter(None, (f"{step.what} {step.text}".rstrip(), step.left(now)))))

    def say(self, line: str, style: str = "") -> None:
        """Print a line."""
        self.told_at = time.monotonic()
        super().say(line, style)

    def note(self, text: str) -> None:
        """Print it: what was being done is over, and what comes now begins."""
        self.doing(UNNAMED)
        self.step.began = time.monotonic()
        super().note(text)

    def doing(self, what: str) -> None:
        """Remember what is being done, without knowing how long it takes."""
        self._at(what, 0, None, "")

    def progress(self, what: str, done: int, total: int) -> None:
        """Remember how far a step is; it is over when all is done."""
        self._at(what, done, total, f"{done:,}/{total:,}")
        if done >= total:
            self.doing(UNNAMED)

    def to_read(self, size: int | None) -> None:
        """Remember how many bytes the files have that are scored."""
        self.size = size

    def read(self, count: int) -> None:
        """Remember how many bytes of the files were read."""
        self.bytes += count
        self._scoring()

    def scored(self, count: int) -> None:
        """Count the rows, and remember how fast they come."""
        super().scored(count)
        self._scoring()

    def _scoring(self) -> None:
        share = f"{min(self.bytes / self.size, 1):.0%}, " if self.size else ""
        began = self.step.began if self.step.what == "scoring" else time.monotonic()
        rate = self.rows / max(time.monotonic() - began, 1e-3)
        text = f"{share}{self.rows:,} rows" + (f", {rate:,.0f} a second" if self.rows else "")
        self._at("scoring", min(self.bytes, self.size or 0), self.size or None, text)

    def epoch_starts(self, epoch: int, epochs: int, steps: int, done: int) -> None:
        """Remember how much there will be; print the head of the epochs' lines before the first."""
        self.epochs = epochs
        if not self.has_head:
            self.say(HEAD, "bold")
            self.has_head = True
        self._at(f"epoch {epoch}/{epochs}", done, steps, f"{done:,}/{steps:,}", further=(epochs - epoch) * steps)

    def step_done(self, loss: float, accuracy: float) -> None:
        """Remember it; a line a batch would drown the rest."""
        step, done = self.step, self.step.done + 1
        text = f"{done:,}/{step.total or 0:,} loss {loss:.4f}  accuracy {accuracy:.1%}"
        self._at(step.what, done, step.total, text, further=step.further)

    def epoch_done(self, metrics: "EpochMetrics", *, best: bool) -> None:
        """Print the epoch's row of the history."""
        self.doing(UNNAMED)
        self.say(
            f"{f'{metrics.epoch}/{self.epochs}':<5}  {metrics.loss:7.4f}  {metrics.accuracy:8.1%}  "
            f"{metrics.val_loss:9.4f}  {metrics.val_accuracy:9.1%}  {metrics.gradient_norm:8.3g}  "
            f"{metrics.clipped:7.0%}  {metrics.seconds:4.0f}s{'  best' if best else ''}",
        )

    def _at(self, what: str, done: int, total: int | None, text: str, further: int = 0) -> None:
        if what != self.step.what:
            self.step = Step(what, time.monotonic(), done)
        step = self.step
        step.done, step.total, step.text, step.further = done, total, text, further


class Bars(Lines):
    """The same lines, with a bar for the step under way below them, unless it is over in a moment."""

    def __init__(self, bars: "Progress") -> None:
        super().__init__()
        self.bars = bars
        self.shown: TaskID | None = None
        self.alone = threading.RLock()  # the thread that ticks moves the bar, too

    def tick(self) -> None:
        """Bring the bar up to date."""
        with self.alone:
            self._show()

    def say(self, line: str, style: str = "") -> None:
        """Print a line above the bar, wrapped between words."""
        self.bars.console.print(wrapped(line, self.bars.console.width), style=style, soft_wrap=True)

    def epoch_starts(self, epoch: int, epochs: int, steps: int, done: int) -> None:
        """Show the epoch's bar at once: there will be many a short one, and all are shown."""
        super().epoch_starts(epoch, epochs, steps, done)
        with self.alone:
            self._show(after=0)

    def _at(self, what: str, done: int, total: int | None, text: str, further: int = 0) -> None:
        with self.alone:
            before = self.step
            super()._at(what, done, total, text, further)
            if self.step is not before and self.shown is not None:
                self.bars.remove_task(self.shown)
                self.shown = None
                self.bars.refresh()
            self._show()

    def _show(self, after: float = MOMENT) -> None:
        step, now = self.step, time.monotonic()
        if self.shown is None and step.what != UNNAMED and now - step.began >= after:
            self.shown = self.bars.add_task(step.what, total=step.total, text="", left="")
        if self.shown is not None:
            self.bars.update(self.shown, completed=step.done, total=step.total, text=step.text, left=step.left(now))


@contextmanager
def listening(*, is_shown: bool = True) -> Iterator[Still]:
    """A listener that suits stderr, cleared away when the block ends.

    It shows no progress with --quiet, or where none `is_shown`.
    """
    if is_quiet() or not is_shown:
        yield Still()
    elif not sys.stderr.isatty():
        lines = Lines()
        with _beating(lines):
            yield lines
    else:
        with _bar() as progress:
            bars = Bars(progress)
            with _beating(bars):
                yield bars
        if bars.has_head:
            progress.console.print()  # between the epochs and what follows


def _bar() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[text]}"),
        TextColumn("{task.fields[left]}"),
        console=Console(stderr=True, highlight=False, markup=False, emoji=False),
        expand=True,
        transient=True,
    )


@contextmanager
def _beating(lines: Lines) -> Iterator[None]:
    """Have `lines` tick while the block runs, whatever library it waits for."""
    is_over = threading.Event()

    def beat() -> None:
        try:
            while not is_over.wait(BEAT):
                lines.tick()
        except (OSError, ValueError):  # nobody reads stderr any more: the work itself will find out
            pass

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
