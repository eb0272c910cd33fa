"""A run's steps on stderr: bars with the time left on a terminal, a line an epoch elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from rnn_cli.training.listener import EpochFigures, Listener


@contextmanager
def listening() -> Iterator[Listener]:
    """A `Listener` that suits stderr, cleared away when the block ends."""
    console = Console(stderr=True, highlight=False)
    if not sys.stderr.isatty():
        yield Lines(console)
        return
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as progress:
        yield Bars(console, progress)


class Lines:
    """A plain line for what is worth knowing; nothing moves, so a log file can keep it."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.epochs = 0

    def note(self, text: str) -> None:
        """Print it."""
        self.console.print(text, markup=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        """Print it, marked."""
        self.console.print(f"Warning: {text}", markup=False, soft_wrap=True, style="yellow")

    def epoch_starts(self, epoch: int, epochs: int, steps: int) -> None:
        """Remember how many there will be."""
        self.epochs = epochs

    def step_done(self, loss: float, accuracy: float) -> None:
        """Say nothing; a line a batch would drown the rest."""

    def epoch_done(self, figures: EpochFigures, *, best: bool) -> None:
        """Print the epoch's row of the history."""
        self.console.print(
            f"epoch {figures.epoch:>{len(str(self.epochs))}}/{self.epochs}  "
            f"loss {figures.loss:.4f}  accuracy {figures.accuracy:.1%}  "
            f"validation loss {figures.val_loss:.4f}  accuracy {figures.val_accuracy:.1%}  "
            f"{figures.seconds:.0f} s{'  best so far' if best else ''}",
            markup=False,
            soft_wrap=True,
        )


class Bars(Lines):
    """The same lines, with a bar for the epoch under way below them."""

    def __init__(self, console: Console, progress: Progress) -> None:
        super().__init__(console)
        self.progress = progress
        self.task: TaskID | None = None

    def epoch_starts(self, epoch: int, epochs: int, steps: int) -> None:
        """Begin a bar of `steps`."""
        super().epoch_starts(epoch, epochs, steps)
        self.task = self.progress.add_task(f"epoch {epoch}/{epochs}", total=steps, figures="")

    def step_done(self, loss: float, accuracy: float) -> None:
        """Move the bar on."""
        if self.task is not None:
            self.progress.update(self.task, advance=1, figures=f"loss {loss:.4f}  accuracy {accuracy:.1%}")

    def epoch_done(self, figures: EpochFigures, *, best: bool) -> None:
        """Replace the bar by the epoch's line."""
        if self.task is not None:
            self.progress.remove_task(self.task)
            self.task = None
        super().epoch_done(figures, best=best)
