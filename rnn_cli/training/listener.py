"""Progress of a run. The command line shows it; by default nobody listens."""

from typing import Protocol

from rnn_cli.bundle.history import EpochMetrics


class Listener(Protocol):
    """Receives a run's progress: first its fits, then its epochs.

    A step ends when the next step or a note arrives.
    """

    def note(self, text: str) -> None:
        """Receive an informative line."""

    def warn(self, text: str) -> None:
        """Receive a warning."""

    def doing(self, what: str) -> None:
        """A step of unknown length begins; `what` names it."""

    def progress(self, what: str, done: int, total: int) -> None:
        """A step advances; `what` names the step and its unit. It also ends when `done` reaches `total`."""

    def epoch_starts(self, epoch: int, epochs: int, steps: int, done: int) -> None:
        """Epoch `epoch` of `epochs` begins, or continues after `done` of its `steps` batches."""

    def step_done(self, loss: float, accuracy: float) -> None:
        """A batch is done; loss and accuracy are means of the epoch so far."""

    def epoch_done(self, metrics: EpochMetrics, *, best: bool) -> None:
        """An epoch ended; `best` says whether it is the best one so far."""

    # Of files that are scored:

    def to_read(self, size: int | None) -> None:
        """The files have so many bytes in all; None where that is not known."""

    def read(self, count: int) -> None:
        """So many more bytes of the files were read."""

    def scored(self, count: int) -> None:
        """So many more rows are done."""


class SilentListener:
    """A `Listener` that ignores everything."""

    def note(self, text: str) -> None:
        """Do nothing."""

    def warn(self, text: str) -> None:
        """Do nothing."""

    def doing(self, what: str) -> None:
        """Do nothing."""

    def progress(self, what: str, done: int, total: int) -> None:
        """Do nothing."""

    def epoch_starts(self, epoch: int, epochs: int, steps: int, done: int) -> None:
        """Do nothing."""

    def step_done(self, loss: float, accuracy: float) -> None:
        """Do nothing."""

    def epoch_done(self, metrics: EpochMetrics, *, best: bool) -> None:
        """Do nothing."""

    def to_read(self, size: int | None) -> None:
        """Say nothing."""

    def read(self, count: int) -> None:
        """Say nothing."""

    def scored(self, count: int) -> None:
        """Say nothing."""


class PartListener(SilentListener):
    """Names a part of a run in all its steps, and leaves out what is said of each run."""

    def __init__(self, called: str, to: Listener) -> None:
        self._called, self._to = called, to
        self._epoch, self._done, self._steps = "", 0, 0
        self.seconds: list[float] = []
        """What each epoch took."""

    def doing(self, what: str) -> None:
        """Pass on a step."""
        self._to.doing(f"{self._called}: {what}")

    def progress(self, what: str, done: int, total: int) -> None:
        """Pass on a step's progress."""
        self._to.progress(f"{self._called}: {what}", done, total)

    def epoch_starts(self, epoch: int, epochs: int, steps: int, done: int) -> None:
        """Show an epoch as a step."""
        self._epoch, self._done, self._steps = f"epoch {epoch} of {epochs}", done, steps
        self.doing(self._epoch)

    def step_done(self, loss: float, accuracy: float) -> None:
        """Show a batch, but for the last one of an epoch, which is measured then."""
        self._done += 1
        if self._done < self._steps:
            self.progress(f"{self._epoch}, batches", self._done, self._steps)

    def epoch_done(self, metrics: EpochMetrics, *, best: bool) -> None:
        """Remember how long it took."""
        self.seconds.append(metrics.seconds)


def announce_tensorflow(listener: Listener) -> None:
    """Say that TensorFlow is loaded now, and how long it takes where it takes long."""
    listener.note("loading TensorFlow")
    listener.doing("loading TensorFlow")


class Recorder(SilentListener):
    """Passes everything on to another listener and keeps the warnings."""

    def __init__(self, to: Listener) -> None:
        self.warnings: list[str] = []
        self.note, self.doing, self.progress = to.note, to.doing, to.progress  # type: ignore[method-assign]
        self.epoch_starts, self.step_done, self.epoch_done = to.epoch_starts, to.step_done, to.epoch_done  # type: ignore[method-assign]
        self._to = to

    def warn(self, text: str) -> None:
        """Keep the warning and pass it on."""
        self.warnings.append(text)
        self._to.warn(text)
