"""When a run is saved: at its start, after each epoch, every few minutes, and when a signal asks it to stop."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rnn_cli.bundle import Unfinished
from rnn_cli.training.fit import Array, Standing, diverged
from rnn_cli.training.learner import Learner
from rnn_cli.training.prepare import Prepared
from rnn_cli.training.saved import SavedRun
from rnn_cli.training.stopping import HeldSignals


class Keeper:
    """Saves a run that trains at `place`."""

    def __init__(
        self, place: Unfinished, run: Prepared, learner: Learner, standing: Standing, signals: HeldSignals
    ) -> None:
        self.place = place
        self.run = run
        self.learner = learner
        self.standing = standing
        self.signals = signals
        self.saved_at = time.monotonic()

    def begin(self) -> None:
        """Write the first checkpoint of a run."""
        self._write(self.place.begin, self.learner.state())

    def save(self) -> None:
        """Write a checkpoint; a signal that waits acts after it. Raises `RunFailed` if a weight is not finite."""
        arrays = self.learner.state()
        if not all(np.isfinite(array).all() for values in arrays.values() for array in values):
            epoch = self.standing.epoch
            raise diverged("network", float("nan"), f"epoch {len(self.standing.history) + 1}, batch {epoch.batches}")
        self._write(self.place.save, arrays)
        self.signals.deliver()

    def pause(self) -> None:
        """Save if a signal waits, or the last checkpoint is `checkpoint_minutes` old."""
        minutes = (time.monotonic() - self.saved_at) / 60
        if self.signals.waiting is not None or minutes >= self.run.config.training.checkpoint_minutes:
            self.save()

    def _write(
        self, write: Callable[[Mapping[str, Any], Mapping[str, bytes]], None], arrays: Mapping[str, list[Array]]
    ) -> None:
        saved = SavedRun.of(self.run, self.standing, arrays)
        write(saved.state(), saved.files())
        self.saved_at = time.monotonic()
