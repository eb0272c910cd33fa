"""One trial of a search: from its config to a measured model in a folder of its own, or why there is none."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnn_cli import system
from rnn_cli.arrays import Floats, Indices
from rnn_cli.bundle.history import EpochMetrics
from rnn_cli.bundle.model_folder import CONFIG, Bundle
from rnn_cli.bundle.writer import Draft
from rnn_cli.config.load import to_yaml
from rnn_cli.config.schema import Config
from rnn_cli.data.folds import Fold
from rnn_cli.evaluation.evaluate_numbers import NumberEvaluation
from rnn_cli.evaluation.folds import figures_of, true_classes
from rnn_cli.gates.judge import time_each
from rnn_cli.graph import Architecture
from rnn_cli.kinds import outputs_of
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.training.folds import FoldPart, Learned, evaluate_learned, in_memory
from rnn_cli.training.listener import Listener, PartListener, SilentListener
from rnn_cli.training.npz import pack_arrays, unpack_arrays
from rnn_cli.training.prepare import Prepared
from rnn_cli.training.trial import TrialModel, learn_linear_trial, write_trial
from rnn_cli.tuning.budget import Budget, OutOfTime
from rnn_cli.tuning.goals import Goal

MODEL, PREDICTED, FACTS = "model", "predictions.npz", "trial.json"
"""In a trial's folder, beside its config: the bundle of its model, its predictions for the rows that choose, and what
it is."""

SHORT_WORDS, SHORT_TEXTS = 12, 60
"""A short sentence has about so many words; so many are timed."""


SURE_STEPS, SURE_SECONDS = 20, 5.0
"""After so many batches and seconds it can be told how long a trial will take."""

QUARTERS = 4
"""The epochs of a trial are so many steps to the pruner."""


class Hopeless(Exception):
    """A trial promises less than others did at the same step."""


OnPromise = Callable[[float, int], bool]
"""Told what a trial promises after a step, from 1; whether it shall stop."""


@dataclass
class TrialFolder:
    """A trial's folder, which also keeps what its folds predicted."""

    path: Path

    def begin(self) -> None:
        """Make it anew: an interrupted trial leaves nothing that the next one would take for its own."""
        with system.as_write_error(self.path):
            system.remove(self.path)
            self.path.mkdir(parents=True)

    def keep_part(self, name: str, content: bytes) -> None:
        """Keep a fold's predictions."""
        with system.as_write_error(self.path), system.whole_file(self.path / f"fold-{name}") as file:
            system.write(file, content)

    def kept_part(self, name: str) -> bytes | None:
        """A fold's predictions that were kept."""
        file = self.path / f"fold-{name}"
        return system.read_plain(file, 1 << 30) if file.is_file() else None

    def keep_predictions(self, probabilities: Floats, predicted: Indices) -> None:
        """Keep the predictions for the rows that choose."""
        with system.as_write_error(self.path):
            system.write(self.path / PREDICTED, pack_arrays([probabilities, predicted]))

    def predictions(self) -> tuple[Floats, Indices]:
        """The predictions for the rows that choose."""
        probabilities, predicted = unpack_arrays(system.read_plain(self.path / PREDICTED, 1 << 30))
        return probabilities, predicted

    def keep_config(self, config: Config) -> None:
        """Write the trial's config, for a training that repeats it."""
        with system.as_write_error(self.path):
            system.write(self.path / CONFIG, to_yaml(config))

    def keep_facts(self, facts: dict[str, Any]) -> None:
        """Write what the trial is, for people and programs."""
        with system.as_write_error(self.path):
            system.write(self.path / FACTS, json.dumps(facts, indent=2, ensure_ascii=False) + "\n")

    def keep_model(self, model: TrialModel, listener: Listener, *, documented: bool) -> None:
        """Write the bundle of its model, measured without test rows."""
        parts, target = self.path / "model.part", self.path / MODEL
        with system.as_write_error(parts):
            system.remove(parts)
            parts.mkdir()
        draft = Draft(parts, target, force=False, numbered=False, becomes_latest=False)
        write_trial(draft, model, listener, documented=documented)

    def drop_model(self) -> None:
        """Delete the bundle; the rest stays."""
        shutil.rmtree(self.path / MODEL, ignore_errors=True)

    @property
    def has_model(self) -> bool:
        """Whether it holds the bundle of its model."""
        return (self.path / MODEL).is_dir()

    def opened(self) -> Bundle:
        """The bundle of its model. Raises `BundleError`."""
        return Bundle.open(self.path / MODEL)


class TooLong(OutOfTime):
    """A trial under way would not end within the time; `seconds` is what it would take in all."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"would take about {seconds:.0f}s")


class TrialListener(SilentListener):
    """Hears a trial: ends it when the time is over or when it promises too little, and shows how far it is."""

    def __init__(self, to: Listener, called: str, budget: Budget, goal: Goal, is_hopeless: OnPromise) -> None:
        self._to, self._called = to, called
        self._budget, self._goal, self._is_hopeless = budget, goal, is_hopeless
        self._epochs = self._steps = self._done = 0
        self._began = budget.clock()
        self._at: tuple[float, int] | None = None
        self._seen: list[tuple[Indices, Floats, Indices]] = []
        self.promises: list[tuple[int, float]] = []
        self.reached = ""
        self.seconds: list[float] = []
        self.warnings: list[str] = []
        self.work: dict[str, float] = {}

    def note(self, text: str) -> None:
        """Nothing is said of each of many trials."""
        self._budget.check()

    def warn(self, text: str) -> None:
        """Keep it."""
        self.warnings.append(text)

    def doing(self, what: str) -> None:
        """Show a step."""
        self._budget.check()
        self._to.doing(f"{self._called}: {what}")

    def progress(self, what: str, done: int, total: int) -> None:
        """Show a step's progress."""
        self._budget.check()
        self._to.progress(f"{self._called}: {what}", done, total)

    def epoch_starts(self, epoch: int, epochs: int, steps: int, done: int) -> None:
        """Show an epoch as a step."""
        self._budget.check()
        self._epochs, self._steps, self._done = epochs, epochs * steps, (epoch - 1) * steps
        self._at = self._at or (self._budget.clock(), self._done)
        self._to.progress(f"{self._called}: batches", self._done, self._steps)

    def step_done(self, loss: float, accuracy: float) -> None:
        """Show a batch."""
        self._budget.check()
        self._done += 1
        self._foresee_steps()
        if self._done < self._steps:
            self._to.progress(f"{self._called}: batches", self._done, self._steps)

    def epoch_done(self, metrics: EpochMetrics, *, best: bool) -> None:
        """Tell what the trial promises, unless this was its last epoch.

        Its steps are quarters of its epochs: where the learning rate falls to zero, trials of few and of many epochs
        are not alike after one epoch. One that folds have measured promises nothing more.
        """
        self.seconds.append(metrics.seconds)
        quarter = QUARTERS * metrics.epoch // self._epochs
        if 0 < quarter < QUARTERS and not self._seen:
            self._promise(quarter, self._goal.of_epoch(metrics), f"epoch {metrics.epoch}")

    def fold_done(self, fold: Fold, part: FoldPart, folds: int) -> None:
        """Tell what the trial promises after a fold: its figure on the rows of all folds so far."""
        truth = true_classes(fold.splits.test, self._goal.labels)
        self._seen.append((truth, part.probabilities, part.predicted))
        taken, done = self._budget.clock() - self._began, len(self._seen)
        whole = folds / (folds - 1)  # the model of all rows takes so many times as long as that of a fold
        if epochs := self.work.get("epochs", 0):  # what an epoch of all rows takes, for the estimates of others
            self.seconds = [taken / done * whole / epochs] if done < folds else []
        self._foresee(taken / done * (folds + whole - done))
        figures = [figures_of(*each) for each in self._seen]
        sizes = np.array([len(each[0]) for each in self._seen], float)
        name = self._goal.chooser.name if self._goal.chooser.name in figures[0] else "log_loss"
        mean = float(np.average([each[name] for each in figures], weights=sizes))
        if len(self._seen) < folds:
            self._promise(len(self._seen), mean if name == "log_loss" else -mean, f"fold {len(self._seen)}")

    def share_done(self, promise: float, epochs: Sequence[float], share: float) -> None:
        """Tell what the trial promises after a share of the rows, whose epochs took so many seconds."""
        taken = self._budget.clock() - self._began
        self.seconds = [each / share for each in epochs]  # what an epoch of all rows takes, for the estimates of others
        self._foresee(taken - sum(epochs) + sum(self.seconds))
        self._promise(1, promise, "a third of the rows")
        self.seconds = []

    def _foresee_steps(self) -> None:
        """Stop a trial whose batches so far show that it would not end in time."""
        assert self._at is not None
        began, first = self._at
        taken, done = self._budget.clock() - began, self._done - first
        if done < SURE_STEPS or taken < SURE_SECONDS:
            return
        try:
            self._foresee(taken / done * (self._steps - first - done))
        except TooLong:
            if not self.seconds:  # what an epoch would have taken, for the estimates of others
                self.seconds.append(taken / done * self._steps / self._epochs)
            raise

    def _foresee(self, rest: float) -> None:
        if rest > self._budget.left():
            raise TooLong(self._budget.clock() - self._began + rest)

    def _promise(self, step: int, value: float, reached: str) -> None:
        if self.promises and self.promises[-1][0] == step:
            return
        self.promises.append((step, value))
        self.reached = reached
        if self._is_hopeless(value, step):
            raise Hopeless


def learn_model(run: Prepared, folder: TrialFolder, listener: TrialListener) -> TrialModel:
    """Train a trial's model; loads TensorFlow where it is a network."""
    training = run.config.training
    folds = (training.folds or 0) * training.fold_repeats

    def after(fold: Fold, part: FoldPart) -> None:
        listener.fold_done(fold, part, folds)

    if run.config.model.kind == "linear":
        return learn_linear_trial(run, listener, folder, after)
    listener.doing("loading TensorFlow")
    from rnn_cli.training import quiet  # noqa: F401  (without start-up messages)
    from rnn_cli.training.run import forget_networks, learn_network_trial

    forget_networks()
    return learn_network_trial(run, listener, folder, after)


def learn_share(run: Prepared, share: float, goal: Goal, listener: TrialListener) -> None:
    """Train a network on a share of the rows, those of `run`, and tell what it promises; loads TensorFlow."""
    listener.doing("loading TensorFlow")
    from rnn_cli.training import quiet  # noqa: F401  (without start-up messages)
    from rnn_cli.training.run import forget_networks, learn_fold

    forget_networks()
    part = PartListener("a third of the rows", listener)
    found = evaluate_learned(learn_fold(run, part), run.splits.validation, SilentListener())
    assert not isinstance(found, NumberEvaluation)  # a search is for labels
    promise = goal.chooser.cost(goal.chooser.of(found.truth, found.scores.probabilities, found.predicted))
    listener.share_done(promise, part.seconds, share)


@dataclass(frozen=True)
class ServedLimits:
    """What a model may have at most: bytes of graph and tokenizer, and seconds for a short sentence; None for any."""

    size: int | None = None
    latency: float | None = None

    def excess(self, size: int | None, latency: float | None) -> dict[str, float]:
        """By which share a model exceeds each limit, below 0 where it does not."""
        pairs = {"size": (size, self.size), "latency": (latency, self.latency)}
        return {name: has / most - 1 for name, (has, most) in pairs.items() if has is not None and most is not None}


def least_bytes(run: Prepared) -> int:
    """About the bytes of a run's model, before it is trained: four for each weight, and the tokenizer."""
    classes, several = outputs_of(run.config.data.labels, len(run.labels))
    width = 0 if run.columns is None else run.columns.width
    made_of = Architecture.of(run.config.model, run.tokenizer.vocab_size, classes, several=several, columns=width)
    return 4 * made_of.weights + len(run.tokenizer.to_json().encode("utf-8"))


def seconds_of_short(model: TrialModel, texts: list[str]) -> float:
    """The median seconds that a short sentence takes, predicted alone."""
    nearest = sorted(texts, key=lambda text: (abs(len(text.split()) - SHORT_WORDS), text))[:SHORT_TEXTS]
    predictor = Predictor(in_memory(Learned(model.graph, model.run, model.best.epoch)))
    return float(np.median(time_each(predictor, nearest)))
