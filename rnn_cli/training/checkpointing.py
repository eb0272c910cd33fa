"""Saves all that a run depends on in a checkpoint's files, and reads it again.

The order of rows follows from (seed, epoch) and the number of batches done, dropout from its saved counters. So a
resumed run ends with the same bytes of weights as one that never stopped. Takes no TensorFlow.
"""

import json
import platform
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from math import isfinite
from types import FrameType
from typing import TYPE_CHECKING, Any

import numpy as np

from rnn_cli import __version__
from rnn_cli.arrays import AnyArray, Floats32
from rnn_cli.bundle.checkpoints import Checkpoint, Unfinished
from rnn_cli.bundle.model_folder import (
    CONFIG,
    LARGEST,
    LEARNED,
    MAX_RUN_SECONDS,
    NEAR_TOGETHER,
    TOKENIZER,
    Bundle,
    checked_labels,
    checked_number,
    texts,
)
from rnn_cli.columns import ExtraColumns
from rnn_cli.config.load import stored_config, to_yaml
from rnn_cli.config.schema import Config
from rnn_cli.copies.learned import UNKNOWN_TEXTS, LearnedTexts
from rnn_cli.data.numbers import Standard
from rnn_cli.errors import BundleError, ConfigError, ConfigMistake
from rnn_cli.graph import Architecture
from rnn_cli.kinds import LabelsKind, outputs_of
from rnn_cli.scoring.parts import describes, parse_tokenizer
from rnn_cli.training.baseline import Baseline
from rnn_cli.training.baseline_of_each import BaselineOfEach
from rnn_cli.training.baseline_of_numbers import BaselineOfNumbers
from rnn_cli.training.loop import TrainingState, diverged
from rnn_cli.training.npz import pack_arrays, unpack_arrays
from rnn_cli.training.prepare import AnyBaseline, Known, Prepared, as_prepared, with_absolute_paths

if TYPE_CHECKING:  # loading it loads TensorFlow
    from rnn_cli.training.learner import Learner

LIBRARIES = ("tensorflow", "keras", "onnx", "onnxruntime", "numpy", "numba", "scipy", "scikit-learn")

IMPORTED = {"scikit-learn": "sklearn"}
"""Import names that differ from the library's name."""


def versions() -> dict[str, str]:
    """Name → version of each library, of Python and of rnn-cli; "missing" for a library that is not installed."""
    return {"python": platform.python_version(), "rnn-cli": __version__, **{name: _version(name) for name in LIBRARIES}}


@cache
def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # installed under another name, as tensorflow-cpu, or in a frozen program
        pass
    try:
        if name == "tensorflow":
            from rnn_cli.training import quiet  # noqa: F401  (loads it without start-up messages)
        return str(import_module(IMPORTED.get(name, name)).__version__)
    except Exception:  # a damaged library may raise anything
        return "missing"


BEST, BASELINE, LESSONS = "best", "baseline", "lessons"
BEFORE = "before"
"""What further training began with: the texts that its model had learned from, in `LEARNED`."""
STANDARDISED_BY = "standard"
"""What numbers are standardised by: their mean and standard deviation."""
BESIDE = "columns"
"""How the values of other columns become numbers, where the model reads any."""
ARRAYS = ("model.npz", "optimizer.npz", f"{BEST}.npz")


@dataclass(frozen=True)
class SavedRun:
    """A run as stored in a checkpoint; `arrays` is a `Learner`'s state, `recipe` and `seconds` are as in `Prepared`."""

    config: Config
    known: Known
    origin: Mapping[str, Any] | None
    versions: Mapping[str, str]
    reached: TrainingState
    arrays: Mapping[str, list[AnyArray]]
    recipe: str | None = None
    seconds: float | None = None
    lessons: Floats32 | None = None
    """Those of the run's teacher, `[rows + texts, labels]`."""

    @classmethod
    def of(cls, run: Prepared, reached: TrainingState, arrays: Mapping[str, list[AnyArray]]) -> "SavedRun":
        """The current state of a run."""
        splits, unlabelled = run.splits, run.unlabelled.fingerprint
        known = Known(
            run.tokenizer,
            run.labels,
            splits.fingerprint,
            unlabelled,
            run.baseline,
            run.learned,
            splits.near,
            columns=run.columns,
            standard=run.standard,
        )
        lessons = None if run.to_learn is None else run.to_learn.lessons
        return cls(run.config, known, run.origin, versions(), reached, arrays, run.recipe, run.spent(), lessons)

    @classmethod
    def read(cls, checkpoint: Checkpoint) -> "SavedRun":
        """The run in a checkpoint made from `state` and `files`; raises `BundleError` if there is none."""
        where, state, files = str(checkpoint.path), checkpoint.state, checkpoint.files
        try:
            config = stored_config(state["config"].encode("utf-8"), where)
            labels = () if config.data.number else checked_labels(state["labels"])
            standard = None
            if config.data.number:
                center, scale = state[STANDARDISED_BY]
                standard = Standard(
                    checked_number(center, -LARGEST, LARGEST), checked_number(scale, 1 / LARGEST, LARGEST)
                )
            texts([state["fingerprint"], state.get("unlabelled") or "", *state["versions"].values()])
            texts([(state["origin"] or {}).get("model", "")])
            tokenizer = parse_tokenizer(files[TOKENIZER], checkpoint.path)
            names = [*ARRAYS, *(f"{name}.npz" for name in (BASELINE, LESSONS) if state.get(name))]
            before = LearnedTexts.from_bytes(files[LEARNED]) if state.get(BEFORE) else None
            if state["origin"] is not None and before is None:
                before = UNKNOWN_TEXTS  # an earlier release began the run
            if (
                set(files) - {LEARNED} != {TOKENIZER, *names}
                or bool(state.get(BEFORE)) != (LEARNED in files)
                or not describes(config, tokenizer)
            ):
                raise ValueError("its files do not fit together")
            arrays = {name.removesuffix(".npz"): unpack_arrays(files[name]) for name in names}
            kept = None
            if state.get(BASELINE):
                kept = _kept_baseline(state[BASELINE], arrays.pop(BASELINE), len(labels), config.data.labels)
            known = Known(
                tokenizer,
                labels,
                state["fingerprint"],
                state.get("unlabelled"),
                kept,
                before,
                state.get(NEAR_TOGETHER, False) is True,
                columns=ExtraColumns.from_dict(state[BESIDE]) if BESIDE in state else None,
                standard=standard,
            )
            if (known.columns is None) != (config.data.extra_columns is None):
                raise ValueError("its columns are not those of its config")
            width = 0 if known.columns is None else known.columns.width
            lessons = _kept_lessons(arrays.pop(LESSONS), len(labels)) if state.get(LESSONS) else None
            classes, several = outputs_of(config.data.labels, len(labels))
            made_of = Architecture.of(config.model, tokenizer.vocab_size, classes, several=several, columns=width)
            _check_sizes(arrays, made_of)
            reached = TrainingState.from_dict(state["standing"], arrays.pop(BEST))
            texts([state.get("recipe") or ""])
            seconds = state.get("seconds")  # earlier releases stored none
            spent = None if seconds is None else checked_number(seconds, 0, MAX_RUN_SECONDS)
            recipe = state.get("recipe")
            return cls(config, known, state["origin"], state["versions"], reached, arrays, recipe, spent, lessons)
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise BundleError(f"not a checkpoint this rnn understands ({error})", where=where) from None

    def state(self) -> dict[str, Any]:
        """The part that is stored as JSON."""
        return {
            "config": to_yaml(self.config),
            "labels": list(self.known.labels),
            "fingerprint": self.known.fingerprint,
            "unlabelled": self.known.unlabelled,
            BASELINE: self._baseline_state(),
            LESSONS: self.lessons is not None,
            "origin": self.origin,
            BEFORE: self.known.learned is not None,
            **({} if self.known.columns is None else {BESIDE: self.known.columns.to_dict()}),
            NEAR_TOGETHER: self.known.near,
            **({} if self.known.standard is None else {STANDARDISED_BY: list(self.known.standard)}),
            "versions": dict(self.versions),
            "recipe": self.recipe,
            "seconds": self.seconds,
            "standing": self.reached.to_dict(),
        }

    def files(self) -> dict[str, bytes]:
        """The other part: the tokenizer and the arrays."""
        arrays = {**self.arrays, BEST: self.reached.best_weights}
        if (kept := self.known.baseline) is not None:
            arrays[BASELINE] = [array for side in kept.sides.values() for array in side]
        if self.lessons is not None:
            arrays[LESSONS] = [self.lessons]
        packed = {f"{name}.npz": pack_arrays(values) for name, values in arrays.items()}
        before = {} if self.known.learned is None else {LEARNED: self.known.learned.to_bytes()}
        return {TOKENIZER: self.known.tokenizer.to_json().encode("utf-8"), **before, **packed}

    def _baseline_state(self) -> dict[str, Any] | None:
        kept = self.known.baseline
        if kept is None:
            return None
        fields = BASELINE_FIELDS if isinstance(kept, Baseline) else OF_EACH_FIELDS
        fields = OF_NUMBER_FIELDS if isinstance(kept, BaselineOfNumbers) else fields
        return {"numbers": {name: getattr(kept, name) for name in fields}, "sides": list(kept.sides)}

    def config_to_resume(self, config: Config) -> Config:
        """The config to continue with.

        It may change where the rows are, how often the run is saved and whether a linear baseline is fitted. Raises
        `ConfigError`, naming every other key that differs.
        """
        config = as_prepared(config, self.known, self.config.model)
        if changes := self._changes(config):
            raise ConfigError(
                [
                    ConfigMistake(
                        f"{json.dumps(now)} now, {json.dumps(then)} when the run began; restore it, or start a new run",
                        key,
                    )
                    for key, now, then in changes
                ]
            )
        return config

    def _changes(self, config: Config) -> list[tuple[str, Any, Any]]:
        differing = with_absolute_paths(config).differences(self.config)
        return [(key, now, then) for key, (now, then) in differing.items() if not _is_free(key, now, then)]

    def is_finished(self, place: Unfinished) -> bool:
        """Whether its bundle exists already: the run was stopped before its folder was removed."""
        try:
            opened = Bundle.open(place.target)
            same = not self._changes(stored_config(opened.read(CONFIG), str(place.target / CONFIG)))
        except BundleError:
            return False
        data, known = opened.manifest.data, self.known
        unlabelled = data.get("unlabelled", {}).get("fingerprint")
        return same and not place.force and (data["fingerprint"], unlabelled) == (known.fingerprint, known.unlabelled)

    def changed_versions(self) -> list[str]:
        """Each library whose version differs from the one at the start of the run, in words."""
        now = {name: versions().get(name, "missing") for name in self.versions}
        return [f"{name} {then} became {now[name]}" for name, then in self.versions.items() if now[name] != then]


BASELINE_FIELDS = {
    "model": str,
    "C": float,
    "features": int,
    "rows": int,
    "seconds": float,
    "temperature": float,
    "threshold": float,
    "vector_scaling": bool,
}
"""The fields of a `Baseline` that are stored as JSON, with their types."""

OF_EACH_FIELDS = {name: BASELINE_FIELDS[name] for name in ("model", "C", "features", "rows", "seconds")}
"""The same of a `BaselineOfEach`."""

OF_NUMBER_FIELDS = {"model": str, "penalty": float, "features": int, "rows": int, "seconds": float}
"""The same of a `BaselineOfNumbers`."""


def _kept_baseline(state: Mapping[str, Any], arrays: Sequence[AnyArray], labels: int, kind: LabelsKind) -> AnyBaseline:
    """The stored baseline; raises `KeyError`, `TypeError` or `ValueError` if it is damaged."""
    several = kind == "several"
    if kind == "number":
        return _kept_baseline_of_numbers(state, arrays)
    stored = {"vector_scaling": False, **state["numbers"]}  # which earlier releases did not know
    numbers = {name: kind(stored[name]) for name, kind in (OF_EACH_FIELDS if several else BASELINE_FIELDS).items()}
    if not all(isfinite(number) for number in numbers.values() if isinstance(number, float)):
        raise ValueError("a number of the baseline is not finite")
    sides = dict(zip(state["sides"], zip(arrays[::2], arrays[1::2], strict=True), strict=True))
    for probabilities, predicted in sides.values():
        shape = (len(predicted), labels) if several else (len(predicted),)
        is_whole = probabilities.shape == (len(predicted), labels) and predicted.shape == shape
        if not is_whole or predicted.min() < 0 or predicted.max() >= (2 if several else labels):
            raise ValueError("the predictions of the baseline")
    return BaselineOfEach(**numbers, sides=sides) if several else Baseline(**numbers, sides=sides)


def _kept_baseline_of_numbers(state: Mapping[str, Any], arrays: Sequence[AnyArray]) -> BaselineOfNumbers:
    numbers: dict[str, Any] = {name: kind(state["numbers"][name]) for name, kind in OF_NUMBER_FIELDS.items()}
    sides = dict(zip(state["sides"], zip(arrays[::2], arrays[1::2], strict=True), strict=True))
    every = [each for pair in sides.values() for each in pair]
    if not all(isfinite(numbers[name]) for name in ("penalty", "seconds")) or not all(
        each.ndim == 1 and each.dtype == np.float64 and np.isfinite(each).all() for each in every
    ):
        raise ValueError("the predictions of the baseline")
    return BaselineOfNumbers(**numbers, sides=sides)


def _kept_lessons(arrays: Sequence[AnyArray], labels: int) -> Floats32:
    """A teacher's stored lessons; raises `ValueError` if they are damaged."""
    (lessons,) = arrays
    if lessons.dtype != np.float32 or lessons.ndim != 2 or lessons.shape[1] != labels or not np.isfinite(lessons).all():
        raise ValueError("the teacher's lessons")
    return lessons


def _is_free(key: str, now: object, then: object) -> bool:
    # Files may have moved; the fingerprint checks that the rows are the same.
    are_files = isinstance(now, str) and isinstance(then, str)
    return (
        key in ("data.source", "training.checkpoint_minutes", "training.baseline")
        or (key in ("data.validation", "data.test") and are_files)
        or (key == "data.unlabelled" and None not in (now, then))
        or (key == "data.sources" and _elsewhere(now, then))
        or (key == "model.kind" and then == "auto")  # a bundle's says what was made
    )


def _elsewhere(now: Any, then: Any) -> bool:
    """Whether several sources differ in nothing but where their rows are."""
    one, other = ([{**source, "source": ""} for source in each or ()] for each in (now, then))
    return one == other


def _check_sizes(arrays: Mapping[str, list[AnyArray]], made_of: Architecture) -> None:
    """Raise `ValueError` unless there are as many weights as the network has, so that no larger network is built."""
    for name in ("model", BEST):
        weights = sum(array.size for array in arrays[name] if array.dtype.kind == "f")
        if weights != made_of.weights and (
            arrays[name] or name != BEST
        ):  # there are no best weights before the first epoch ends
            raise ValueError(f"{weights:,} weights, where its config has {made_of.weights:,}")


HELD_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


class HeldSignals:
    """Within the block, holds back the first Ctrl-C, SIGTERM or SIGHUP; a second one of any kind acts at once.

    `deliver` lets the held signal act. Outside the main thread, which alone receives signals, it holds nothing.
    """

    def __init__(self) -> None:
        self.waiting: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "HeldSignals":
        """Start to hold signals."""
        if threading.current_thread() is threading.main_thread():
            for number in (getattr(signal, name) for name in HELD_SIGNALS if hasattr(signal, name)):
                if signal.getsignal(number) not in (signal.SIG_IGN, None):  # a signal that nohup ignores stays ignored
                    self._before[number] = signal.signal(number, self._hold)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Stop holding; a signal that is still held acts now, unless another error is raised."""
        self._restore()
        if kind is None:
            self.deliver()

    def deliver(self) -> None:
        """Let the held signal act, if there is one."""
        number, self.waiting = self.waiting, None
        if number is not None:
            self._restore()
            signal.raise_signal(number)

    def _hold(self, number: int, frame: FrameType | None) -> None:
        self.waiting = number
        self._restore()

    def _restore(self) -> None:
        before, self._before = self._before, {}  # a signal that arrives meanwhile must not restore twice
        for signum, handler in before.items():
            signal.signal(signum, handler)


class Checkpointer:
    """Writes the checkpoints of a run to its folder, `place`."""

    def __init__(
        self, place: Unfinished, run: Prepared, learner: "Learner", reached: TrainingState, signals: HeldSignals
    ) -> None:
        self.place = place
        self.run = run
        self.learner = learner
        self.reached = reached
        self.signals = signals
        self.saved_at = time.monotonic()

    def begin(self) -> None:
        """Write the run's first checkpoint."""
        self._write(self.place.begin, self.learner.state())

    def save(self) -> None:
        """Write a checkpoint, then let a held signal act. Raises `RunFailed` if a weight is not finite."""
        arrays = self.learner.state()
        if not all(np.isfinite(array).all() for values in arrays.values() for array in values):
            epoch = self.reached.epoch
            raise diverged("network", float("nan"), f"epoch {len(self.reached.history) + 1}, batch {epoch.batches}")
        self._write(self.place.save, arrays)
        self.signals.deliver()

    def pause(self) -> None:
        """Save if a signal is held or the last checkpoint is `checkpoint_minutes` old."""
        minutes = (time.monotonic() - self.saved_at) / 60
        if self.signals.waiting is not None or minutes >= self.run.config.training.checkpoint_minutes:
            self.save()

    def _write(
        self, write: Callable[[Mapping[str, Any], Mapping[str, bytes]], None], arrays: Mapping[str, list[AnyArray]]
    ) -> None:
        saved = SavedRun.of(self.run, self.reached, arrays)
        write(saved.state(), saved.files())
        self.saved_at = time.monotonic()
