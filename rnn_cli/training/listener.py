"""What a run tells of itself while it goes on. The command line shows it; a run alone is silent."""

from typing import Protocol

from rnn_cli.bundle.history import EpochMetrics


class Listener(Protocol):
    """Hears of a run's steps: of its fits, then of its epochs, in this order.

    A step is over when the next one or a note is heard of.
    """

    def note(self, text: str) -> None:
        """A line worth knowing."""

    def warn(self, text: str) -> None:
        """A line worth a second look."""

    def doing(self, what: str) -> None:
        """A step begins of which nobody knows how long it takes; `what` names it."""

    def progress(self, what: str, done: int, total: int) -> None:
        """A step goes on: `what` names it and what is counted. It is over when all are done, too."""

    def epoch_starts(self, epoch: int, epochs: int, steps: int, done: int) -> None:
        """Epoch `epoch` of `epochs` begins, or goes on; of its `steps` batches so many are done."""

    def step_done(self, loss: float, accuracy: float) -> None:
        """A batch was learned; the figures are the epoch's so far."""

    def epoch_done(self, metrics: EpochMetrics, *, best: bool) -> None:
        """An epoch ended; `best` says that its weights are the ones to keep so far."""


class SilentListener:
    """A `Listener` that tells nobody."""

    def note(self, text: str) -> None:
        """Say nothing."""

    def warn(self, text: str) -> None:
        """Say nothing."""

    def doing(self, what: str) -> None:
        """Say nothing."""

    def progress(self, what: str, done: int, total: int) -> None:
        """Say nothing."""

    def epoch_starts(self, epoch: int, epochs: int, steps: int, done: int) -> None:
        """Say nothing."""

    def step_done(self, loss: float, accuracy: float) -> None:
        """Say nothing."""

    def epoch_done(self, metrics: EpochMetrics, *, best: bool) -> None:
        """Say nothing."""


class Recorder(SilentListener):
    """Passes on all it hears, and keeps the warnings."""

    def __init__(self, to: Listener) -> None:
        self.warnings: list[str] = []
        self.note, self.doing, self.progress = to.note, to.doing, to.progress  # type: ignore[method-assign]
        self.epoch_starts, self.step_done, self.epoch_done = to.epoch_starts, to.step_done, to.epoch_done  # type: ignore[method-assign]
        self._to = to

    def warn(self, text: str) -> None:
        """Keep it, and pass it on."""
        self.warnings.append(text)
        self._to.warn(text)
