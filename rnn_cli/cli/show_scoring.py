"""A job's way through its files, as a bar on stderr; nothing moves where that is no terminal."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rnn_cli.batch.job import Job
from rnn_cli.progress import Notes

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


@contextmanager
def listening(job: Job, *, is_shown: bool) -> Iterator["Quiet"]:
    """A `Listener`, whose bar, if one `is_shown`, is cleared away when the block ends."""
    if not is_shown:
        yield Quiet()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    sizes = [each.size for each in job.inputs]
    total = None if None in sizes else sum(size or 0 for size in sizes)
    with Progress(
        TextColumn("{task.fields[rows]:,} rows"),
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]:,.0f} a second"),
        TimeRemainingColumn(),
        TextColumn("left" if total else ""),
        console=Console(stderr=True, highlight=False, markup=False, emoji=False),
        expand=True,
        transient=True,
    ) as progress:
        yield Bar(progress, progress.add_task("", total=total, rows=0, rate=0.0))


class Quiet(Notes):
    """Counts `rows`, and tells no progress."""

    def __init__(self) -> None:
        self.rows = 0

    def read(self, count: int) -> None:
        """Say nothing."""

    def scored(self, count: int) -> None:
        """Count the rows."""
        self.rows += count


class Bar(Quiet):
    """A bar of the bytes read, which are known beforehand, with the rows scored."""

    def __init__(self, progress: "Progress", task: "TaskID") -> None:
        super().__init__()
        self._progress, self._task, self._began = progress, task, time.monotonic()

    def say(self, line: str, style: str = "") -> None:
        """Print a line above the bar, wrapped between words."""
        self._progress.console.print(line, style=style)

    def read(self, count: int) -> None:
        """Move the bar on."""
        self._progress.update(self._task, advance=count)

    def scored(self, count: int) -> None:
        """Count the rows, and show how many."""
        super().scored(count)
        rate = self.rows / max(time.monotonic() - self._began, 1e-3)
        self._progress.update(self._task, rows=self.rows, rate=rate)
