"""A run told to a tracker while it goes: each epoch at once, and at its end the config, the figures and the model.

A tracker that fails during a run costs a warning, never the run. Knows no tracker's library.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Literal, Protocol, get_args

from rnn_cli.bundle.history import EpochMetrics, read_history
from rnn_cli.bundle.model_folder import CONFIG
from rnn_cli.config.load import stored_config
from rnn_cli.errors import UsageError
from rnn_cli.evaluation.compare import BY_FOLDS
from rnn_cli.training.listener import Listener, Recorder
from rnn_cli.training.trained import Run

TrackerName = Literal["mlflow", "tensorboard"]

Ending = Literal["finished", "failed", "killed"]


class Tracker(Protocol):
    """Receives a run. Its methods may raise anything that its library raises."""

    place: str
    """Where it writes, for a message."""

    def curves(self, epoch: int, values: Mapping[str, float]) -> None:
        """Receive the metrics of an epoch, by name."""

    def result(self, run: Run, parameters: Mapping[str, str], figures: Mapping[str, float]) -> None:
        """Receive what the finished run was asked for, what it came to, and its folder."""

    def close(self, ending: Ending) -> None:
        """The run has ended so; nothing comes after it."""


class ToTracker(Recorder):
    """A listener that passes everything on to another one, and each epoch to a tracker, too."""

    def __init__(self, to: Listener, tracker: Tracker) -> None:
        super().__init__(to)
        self._tracker: Tracker | None = tracker
        self._told: set[int] = set()
        self._tell_epoch = to.epoch_done
        self.epoch_done = self._epoch_done  # type: ignore[method-assign]

    def _epoch_done(self, metrics: EpochMetrics, *, best: bool) -> None:
        self._tell_epoch(metrics, best=best)
        self._curves(metrics)

    def finish(self, run: Run) -> None:
        """Tell the tracker of the run's end, and of epochs before it was resumed."""
        for metrics in read_history(run.bundle):
            if metrics.epoch not in self._told:
                self._curves(metrics)
        with self._trying() as tracker:
            if tracker is not None:
                tracker.result(run, parameters_of(run), shown_figures(run))

    def close(self, ending: Ending) -> None:
        """Tell the tracker that the run has ended so."""
        with self._trying() as tracker:
            if tracker is not None:
                tracker.close(ending)

    def _curves(self, metrics: EpochMetrics) -> None:
        self._told.add(metrics.epoch)
        values = {name: float(value) for name, value in asdict(metrics).items() if name != "epoch"}
        with self._trying() as tracker:
            if tracker is not None:
                tracker.curves(metrics.epoch, values)

    @contextmanager
    def _trying(self) -> Iterator[Tracker | None]:
        """The tracker, unless it has failed; a failure in the block is a warning, and the last one."""
        try:
            yield self._tracker
        except Exception as error:
            name = self._tracker.place if self._tracker else ""
            self._tracker = None
            told = f"{type(error).__name__}: {first_line(error)}"
            self.warn(f"{name} takes no more of this run ({told}); the run goes on")


def first_line(error: Exception) -> str:
    """The first line of an error's text, without the user and password of an address in it."""
    return without_secret(str(error).partition("\n")[0])[:200]


def without_secret(text: str) -> str:
    """The text with addresses without their user and password."""
    return re.sub(r"(?<=://)[^/@\s]+@", "", text)


@contextmanager
def tracked(name: str | None, uri: str | None, listener: Listener) -> Iterator[tuple[Listener, "ToTracker | None"]]:
    """The listener for a run that is tracked; the same one, and None, where no tracker is named.

    Raises `UsageError` before any work for a tracker that there is not, that is not installed, or cannot be reached.
    """
    if name is None:
        if uri is not None:
            raise UsageError("tracker_uri is the address of a tracker, and none is named", hint="name tracker, too")
        yield listener, None
        return
    if name not in get_args(TrackerName):
        raise UsageError(f"no such tracker: {name}", hint=f"use one of {', '.join(get_args(TrackerName))}")
    tracker = _begun(name, uri)
    listener.note(f"tracked in {tracker.place}")
    told = ToTracker(listener, tracker)
    try:
        yield told, told
    except Exception:
        told.close("failed")
        raise
    except BaseException:
        told.close("killed")
        raise
    told.close("finished")


def _begun(name: str, uri: str | None) -> Tracker:
    if name == "mlflow":
        from rnn_cli.tracking.mlflow_run import MlflowTracker

        return MlflowTracker(uri or os.environ.get("MLFLOW_TRACKING_URI") or None)
    from rnn_cli.tracking.tensorboard_run import TensorboardTracker

    return TensorboardTracker(uri)


def parameters_of(run: Run) -> dict[str, str]:
    """Every key of the run's config by its dotted name, and its value as text."""
    config = stored_config(run.bundle.read(CONFIG), str(run.path / CONFIG)).model_dump(mode="json")
    return {name: str(value) for name, value in _leaves(config, "")}


def shown_figures(run: Run) -> dict[str, float]:
    """The figures of each side of the run, as `test.accuracy`, and of its linear baseline, `baseline.test.accuracy`.

    Of a run measured by folds, `folds.accuracy` is that of the rows that they predicted.
    """
    metrics, names = run.metrics, ("validation", "test", BY_FOLDS)
    sides = {side: metrics.get(side) for side in names}
    sides |= {f"baseline.{side}": (metrics.get("baseline") or {}).get(side) for side in names}
    return {
        f"{side}.{name}": float(value)
        for side, found in sides.items()
        for name, value in (found or {}).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _leaves(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, each in value.items():
            yield from _leaves(each, f"{name}.{key}" if name else key)
    else:
        yield name, value
