"""One training run, from prepared rows to a bundle."""

import math
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import numpy as np
import tensorflow

from rnn_cli.bundle.checkpoints import Unfinished, beginning
from rnn_cli.bundle.history import EpochMetrics
from rnn_cli.bundle.model_folder import KERAS_MODEL, LATEST
from rnn_cli.bundle.writer import Draft, is_latest
from rnn_cli.config.schema import FEW_STEPS
from rnn_cli.data.source import IN_MEMORY
from rnn_cli.errors import Note, RunFailed, UsageError, quoted
from rnn_cli.evaluation.evaluate_numbers import EvaluationOfAny
from rnn_cli.forks import WorkerLost
from rnn_cli.network.onnx_export import to_onnx
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.training.at_once import folds_at_once
from rnn_cli.training.checkpointing import Checkpointer, HeldSignals, SavedRun
from rnn_cli.training.choosing import CHOICE, Choice, choose_by_folds, choose_by_validation, made
from rnn_cli.training.encoding import epoch_steps, positive_weights, with_lessons
from rnn_cli.training.finetune import Origin
from rnn_cli.training.finish import finish
from rnn_cli.training.folds import Ahead, FoldResults, Keeps, Learned, OnFoldPart, predict_folds
from rnn_cli.training.learner import Learner
from rnn_cli.training.linear_run import LearnedLinear, learn_linear
from rnn_cli.training.listener import Listener
from rnn_cli.training.loop import TrainingState, fit
from rnn_cli.training.networks import (
    built,
    first_network,
    fitting_arrays,
    network_of,
    network_on_base,
    plain_network,
    warn_if_slow,
)
from rnn_cli.training.pooling import pooled
from rnn_cli.training.prepare import Prepared
from rnn_cli.training.teacher import taught
from rnn_cli.training.trained import Run
from rnn_cli.training.trial import TrialModel
from rnn_cli.training.weighing import weigh


def train_prepared(
    run: Prepared, *, out: Path | None, name: str, force: bool, listener: Listener, origin: Origin | None = None
) -> Run:
    """Train a classifier and write its bundle to `out`, or to the next free `runs/NAME-1`, `runs/NAME-2`, ...

    Starts from a new network, or from `origin`'s. Keeps checkpoints in a folder beside the bundle, which stays if the
    run ends early. Raises `DataError`, `BundleError` or `RunFailed`; then no bundle is written or replaced.
    """
    with (
        beginning(out, name=name, force=force) as place,
        _own_chance(),
        network_folds_at_once(run, place, listener) as ahead,
    ):
        run = run if origin is None else replace(run, origin=origin.to_dict())
        run = taught(run, listener)
        learner, state = begin_learning(run, listener, origin)
        return _fit_and_write(run, place, learner, state, listener, ahead)


def begin_learning(run: Prepared, listener: Listener, origin: Origin | None = None) -> tuple[Learner, TrainingState]:
    """A learner with a new network, or with `origin`'s, and its state; on a base nothing is left to learn."""
    _seed(run)
    if run.base is not None:
        network, metrics = network_on_base(run, run.base, listener)
        learner = _learner(run, network)
        return learner, TrainingState([metrics], best_weights=learner.weights())
    warn_if_slow(run.config.model, listener)
    if origin is not None:
        return _learner(run, network_of(origin, run)), TrainingState()
    learner = _learner(run, first_network(run, listener))
    _warn_of_few_steps(run, listener)
    return learner, TrainingState()


def train_into(run: Prepared, folder: Path, listener: Listener) -> Run:
    """Train as `train` does, for a program that keeps the bundle itself: it is written into `folder`, which is empty.

    It has no report, no card and no summary of the texts, which would take longer than a small network. Nothing is kept
    of a run that ends early, an interrupt acts at once, and `runs/latest` stays as it is.
    """
    with _own_chance():
        run = taught(run, listener)
        learner, reached = begin_learning(run, listener)
        best = fit(learner, run.config.training, run.rows_to_learn, run.validation, listener, state=reached)
        parts = folder / "parts"
        parts.mkdir()
        draft = Draft(parts, folder / "model", force=False, numbered=False, becomes_latest=False)
        network = plain_network(learner.weights(), run)
        return _write(draft, run, network, reached.history, best, listener, documented=False)


def resume(run: Prepared, place: Unfinished, saved: SavedRun, listener: Listener) -> Run:
    """Continue an interrupted run to the same bundle as without the interruption; raises as `train_prepared` does."""
    run = replace(run, origin=saved.origin, recipe=saved.recipe, seconds=saved.seconds)
    if saved.lessons is not None:
        with fitting_arrays(place.path):
            run = replace(run, to_learn=with_lessons(run.train, run.taught_ids, saved.lessons))
    with _own_chance(), network_folds_at_once(run, place, listener) as ahead:
        _seed(run)
        warn_if_slow(run.config.model, listener)
        learner = _learner(run, built(run.config.model, run, fast=True))
        with fitting_arrays(place.path):
            learner.restore(saved.arrays)
            best = saved.reached.best_weights
            if best and [each.shape for each in best] != [each.shape for each in learner.weights()]:
                raise ValueError("the best epoch's weights")
        return _fit_and_write(run, place, learner, saved.reached, listener, ahead, resumes=True)


@contextmanager
def _own_chance() -> Iterator[None]:
    """A program's own random numbers go on after the block as if it had not been: Keras seeds Python's and NumPy's."""
    python, array = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(array)


@contextmanager
def network_folds_at_once(run: Prepared, keep: Keeps | None, listener: Listener) -> Iterator[Ahead | None]:
    """Workers that learn a run's folds at once, where TensorFlow has computed nothing yet in this process."""
    if not _is_unused():
        yield None
        return
    with folds_at_once(run, learn_fold, keep, listener) as ahead:
        yield ahead


def _is_unused() -> bool:
    """Whether TensorFlow has computed nothing yet, and so has no threads that a fork would lose."""
    setting = tensorflow.config.threading
    threads = setting.get_intra_op_parallelism_threads()
    try:
        setting.set_intra_op_parallelism_threads(threads + 1)  # refused once it has some
    except RuntimeError:
        return False
    setting.set_intra_op_parallelism_threads(threads)
    return True


_trained_in: int | None = None
"""The process in which a network was made first, if any was."""


def _seed(run: Prepared) -> None:
    global _trained_in
    if _trained_in not in (None, os.getpid()):  # TensorFlow's threads are gone there, and it would wait for ever
        what = "TensorFlow cannot train in a process that was forked from one that has trained"
        raise UsageError(what, hint="start new processes (spawn, or joblib's loky), or fork before anything is trained")
    _trained_in = os.getpid()
    keras.utils.set_random_seed(run.config.training.seed)
    if run.config.training.deterministic:
        tensorflow.config.experimental.enable_op_determinism()


def _learner(run: Prepared, model: keras.Model) -> Learner:
    training = run.config.training
    steps = _steps_of_an_epoch(run) * training.epochs
    positive = None
    if run.config.data.several:
        positive = positive_weights(run.learned_rows, run.labels, training)
    elif run.config.data.ordered:
        positive = np.ones(len(run.labels) - 1, np.float32)  # rows have the weights of their labels
    return Learner(model, training, steps, positive, numbers=run.standard is not None)


def _fit_and_write(
    run: Prepared,
    place: Unfinished,
    learner: Learner,
    state: TrainingState,
    listener: Listener,
    ahead: Ahead | None,
    *,
    resumes: bool = False,
) -> Run:
    careful = min(run.config.training.learning_rate / 10, 1e-3)
    with _noting_how_to_resume(place, careful, run.config.data.source == IN_MEMORY):
        signals = HeldSignals()
        checkpointer = Checkpointer(place, run, learner, state, signals)
        if not resumes:
            with signals:
                checkpointer.begin()
        # An interrupt acts at once: finished folds are kept.
        folds = predict_folds(run, learn_fold, place, listener, ahead=ahead)
        choice = None
        if run.config.model.kind == "auto" and folds is not None:
            choice, folds = choose_by_folds(run, folds, place, listener)
        if choice is not None and choice.kind == "linear":
            with place.draft() as draft:
                trained = _write_linear(draft, run, learn_linear(run, listener), choice, listener, folds=folds)
        else:
            with signals:
                best = fit(
                    learner,
                    run.config.training,
                    run.rows_to_learn,
                    run.validation,
                    listener,
                    state=state,
                    pause=checkpointer.pause,
                    save=checkpointer.save,
                )
            with place.draft() as draft:
                network = plain_network(learner.weights(), run)
                trained = _write(draft, run, network, state.history, best, listener, folds=folds, choice=choice)
    place.remove()
    if not is_latest(trained.bundle.path):
        listener.warn(f"{LATEST} could not be pointed to {trained.bundle.path}")
    return trained


@contextmanager
def _noting_how_to_resume(place: Unfinished, careful: float, from_memory: bool) -> Iterator[None]:
    """Note on the exception how to go on; `careful` is a learning rate to try after a divergence."""
    try:
        yield
    except BaseException as error:
        if not place.can_go_on:
            raise
        if isinstance(error, RunFailed) and not isinstance(error, WorkerLost):  # resuming would fail the same way
            place.give_up(error.what)
            command = f"rnn train --from {quoted(place.path)} --set training.learning_rate={careful:g}"
            error.add_note(Note(f"the last state before that is kept; {command} starts from it"))
            raise
        command = f"rnn train --resume {quoted(place.path)}"
        if from_memory:  # a command has no such rows
            command = f"rnn.train(resume={str(place.path)!r}, data=...) and the same rows"
        error.add_note(Note(f"saved; go on with: {command}"))
        raise


def _warn_of_few_steps(run: Prepared, listener: Listener) -> None:
    steps, epochs = _steps_of_an_epoch(run), run.config.training.epochs
    if (count := steps * epochs) < FEW_STEPS:
        listener.warn(
            f"only {count} training {'step' if count == 1 else 'steps'}; "
            f"try training.epochs={math.ceil(2 * FEW_STEPS / steps)}, or a smaller training.batch_size"
        )


def _steps_of_an_epoch(run: Prepared) -> int:
    return epoch_steps(len(run.rows_to_learn.classes), run.config.training.batch_size)


def _write(
    draft: Draft,
    run: Prepared,
    model: keras.Model,
    history: list[EpochMetrics],
    best: EpochMetrics,
    listener: Listener,
    *,
    documented: bool = True,
    folds: FoldResults | None = None,
    choice: Choice | None = None,
) -> Run:
    graph = _weighed(model, run, listener)
    if run.config.model.kind == "auto" and choice is None:
        linear = learn_linear(run, listener)
        choice = choose_by_validation(run, graph, linear.graph, listener)
        if choice.kind == "linear":
            return _write_linear(draft, run, linear, choice, listener, documented=documented)
    with draft.writing(KERAS_MODEL) as file:
        model.save(file)
    more = None if choice is None else {CHOICE: choice.to_dict()}
    run = run if choice is None else made(run, choice.kind)
    return finish(draft, run, graph, history, best, listener, documented=documented, folds=folds, more=more)


def _write_linear(
    draft: Draft,
    run: Prepared,
    learned: LearnedLinear,
    choice: Choice,
    listener: Listener,
    *,
    documented: bool = True,
    folds: FoldResults | None = None,
) -> Run:
    """Write the bundle of the linear model that was chosen instead of a network."""
    more, metrics = {CHOICE: choice.to_dict()}, learned.metrics
    run = made(run, "linear")
    return finish(
        draft, run, learned.graph, [metrics], metrics, listener, documented=documented, folds=folds, more=more
    )


def _weighed(model: keras.Model, run: Prepared, listener: Listener) -> bytes:
    """The ONNX graph of a trained network, whose n-grams it weighs first."""
    if run.config.model.ngrams and run.config.model.base is None:
        listener.doing("weighing the network and its n-grams")
        network, ngrams = weigh(model, run)
        listener.note(f"weights by the validation rows: network {network:.2f}, n-grams {ngrams:.2f}")
    return to_onnx(model, run.config.model)


def measure_by_folds(run: Prepared, predictor: Predictor, listener: Listener) -> EvaluationOfAny:
    """Measure a config by folds, without a model of all rows; `predictor` is one that a run of the config made."""
    with _own_chance(), network_folds_at_once(run, None, listener) as ahead:
        found = predict_folds(run, learn_fold, None, listener, ahead=ahead)
    assert found is not None
    return pooled(run, predictor, found, is_final=False)


def learn_fold(run: Prepared, listener: Listener) -> Learned:
    """Train a network that is not kept, for the rows of a fold."""
    return _learn(run, listener)[0]


def _learn(run: Prepared, listener: Listener) -> tuple[Learned, keras.Model, list[EpochMetrics]]:
    """Train a network of its best epoch's weights; returns it with its graph and its history."""
    run = taught(run, listener)
    learner, reached = begin_learning(run, listener)
    best = fit(learner, run.config.training, run.rows_to_learn, run.validation, listener, state=reached)
    network = plain_network(learner.weights(), run)
    return Learned(_weighed(network, run, listener), run, best.epoch), network, reached.history


def learn_network_trial(run: Prepared, listener: Listener, keep: Keeps, after: OnFoldPart) -> TrialModel:
    """Train a network in a search over configs, measured by folds where its config wants that."""
    with _own_chance():
        found = predict_folds(run, learn_fold, keep, listener, after=after)
        learned, network, history = _learn(run, listener)
        with TemporaryDirectory() as folder:
            network.save(file := Path(folder, KERAS_MODEL))
            kept = file.read_bytes()
    return TrialModel(learned.run, learned.graph, kept, tuple(history), found)


def forget_networks() -> None:
    """Let go of what Keras and TensorFlow keep of the networks made so far in this process."""
    keras.backend.clear_session(free_memory=True)
