"""One training run, from prepared rows to a bundle."""

import csv
import json
import math
import os
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow

from rnn_cli.bundle.checkpoints import Unfinished, beginning
from rnn_cli.bundle.history import EpochMetrics, history_to_csv
from rnn_cli.bundle.model_folder import (
    CARD,
    CONFIG,
    CONFORMAL,
    FURTHER,
    HISTORY,
    INT8_MODEL,
    KERAS_MODEL,
    LATEST,
    LEARNED,
    METRICS,
    NEAR_TOGETHER,
    ONNX_MODEL,
    PREDICTIONS,
    REPORT,
    RUN,
    SUMMARY,
    TOKENIZER,
    Bundle,
    Manifest,
)
from rnn_cli.bundle.writer import Draft, is_latest
from rnn_cli.config.load import to_yaml
from rnn_cli.config.schema import FEW_STEPS, DecisionConfig
from rnn_cli.copies.learned import LearnedTexts
from rnn_cli.data.rows import most_frequent
from rnn_cli.data.source import IN_MEMORY
from rnn_cli.errors import Note, RunFailed, UsageError, quoted
from rnn_cli.evaluation.compare import CAREFUL, MOST_FREQUENT
from rnn_cli.evaluation.decide import Chosen
from rnn_cli.evaluation.evaluate import Evaluation, by_source, decided, evaluate_predictor, true_labels
from rnn_cli.evaluation.evaluate_several import SeveralEvaluation
from rnn_cli.evaluation.scores import before_and_after
from rnn_cli.evaluation.standing import with_standing
from rnn_cli.evaluation.wording import decision_in_words, scaling_trial_in_words
from rnn_cli.monitoring.summary import summarize
from rnn_cli.network.onnx_export import to_onnx
from rnn_cli.scoring.conformal import Conformal
from rnn_cli.scoring.predictor import INT8_METRICS, Predictor
from rnn_cli.scoring.unknown import UNKNOWN_TOKENS
from rnn_cli.training.baseline import Baseline
from rnn_cli.training.calibration import FittedCalibration, fit_calibration
from rnn_cli.training.checkpointing import Checkpointer, HeldSignals, SavedRun, versions
from rnn_cli.training.encoding import epoch_steps, positive_weights, with_lessons
from rnn_cli.training.finetune import Origin
from rnn_cli.training.int8 import try_int8
from rnn_cli.training.learner import Learner
from rnn_cli.training.listener import Listener
from rnn_cli.training.loop import TrainingState, fit
from rnn_cli.training.measured import Measured
from rnn_cli.training.networks import (
    built,
    first_network,
    fitting_arrays,
    network_of,
    network_on_base,
    plain_network,
    warn_if_slow,
)
from rnn_cli.training.prepare import Prepared
from rnn_cli.training.several import measure_run_of_several
from rnn_cli.training.teacher import taught
from rnn_cli.training.trained import Run
from rnn_cli.training.weighing import weigh


def documents(
    opened: Bundle,
    predictor: Predictor,
    run: Prepared,
    sides: Mapping[str, Evaluation | SeveralEvaluation],
    listener: Listener,
) -> dict[str, str]:
    """Report and model card, by file name, of the last of `sides`: `validation` and, if there are such rows, `test`.

    A failure to make them is a warning; the run goes on without them.
    """
    name = list(sides)[-1]
    side = sides[name]
    splits = run.splits
    rows = {"train": splits.train, **splits.held_out}
    try:
        from rnn_cli.reporting.html import model_card, page
        from rnn_cli.reporting.report import gather_report

        report = gather_report(opened, predictor, side, name)
        counts = {side: dataset.label_counts() for side, dataset in rows.items() if len(dataset)}
        return {REPORT: page(report), CARD: model_card(report, counts)}
    except Exception as error:
        listener.warn(f"no {REPORT} and no {CARD}: {type(error).__name__}: {error}")
        return {}


def _prediction_columns(evaluation: Evaluation) -> pd.DataFrame:
    """The columns of an evaluation's rows that a bundle keeps."""
    table = evaluation.to_frame().filter(items=("text", "label", "probability", "prediction", "unsure"))
    return table.replace({"unsure": {True: "true", False: "false"}})


def to_csv(table: pd.DataFrame) -> str:
    """The table as CSV, all texts quoted."""
    # Before Python 3.13 a lone CR in a text without quotes would end the row.
    return table.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)


def train_prepared(
    run: Prepared, *, out: Path | None, name: str, force: bool, listener: Listener, origin: Origin | None = None
) -> Run:
    """Train a classifier and write its bundle to `out`, or to the next free `runs/NAME-1`, `runs/NAME-2`, ...

    Starts from a new network, or from `origin`'s. Keeps checkpoints in a folder beside the bundle, which stays if the
    run ends early. Raises `DataError`, `BundleError` or `RunFailed`; then no bundle is written or replaced.
    """
    with beginning(out, name=name, force=force) as place, _own_chance():
        run = run if origin is None else replace(run, origin=origin.to_dict())
        run = taught(run, listener)
        learner, state = begin_learning(run, listener, origin)
        return _fit_and_write(run, place, learner, state, listener)


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
    with _own_chance():
        _seed(run)
        warn_if_slow(run.config.model, listener)
        learner = _learner(run, built(run.config.model, run, fast=True))
        with fitting_arrays(place.path):
            learner.restore(saved.arrays)
            best = saved.reached.best_weights
            if best and [each.shape for each in best] != [each.shape for each in learner.weights()]:
                raise ValueError("the best epoch's weights")
        return _fit_and_write(run, place, learner, saved.reached, listener, resumes=True)


@contextmanager
def _own_chance() -> Iterator[None]:
    """A program's own random numbers go on after the block as if it had not been: Keras seeds Python's and NumPy's."""
    python, array = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(array)


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
    steps = epoch_steps(len(run.rows_to_learn.classes), training.batch_size) * training.epochs
    positive = None
    if run.config.data.several:
        positive = positive_weights(run.learned_rows, run.labels, training)
    elif run.config.data.ordered:
        positive = np.ones(len(run.labels) - 1, np.float32)  # rows have the weights of their labels
    return Learner(model, training, steps, positive)


def _fit_and_write(
    run: Prepared,
    place: Unfinished,
    learner: Learner,
    state: TrainingState,
    listener: Listener,
    *,
    resumes: bool = False,
) -> Run:
    careful = min(run.config.training.learning_rate / 10, 1e-3)
    with _noting_how_to_resume(place, careful, run.config.data.source == IN_MEMORY):
        with HeldSignals() as signals:
            checkpointer = Checkpointer(place, run, learner, state, signals)
            if not resumes:
                checkpointer.begin()
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
            trained = _write(draft, run, plain_network(learner.weights(), run), state.history, best, listener)
    place.remove()
    if not is_latest(trained.bundle.path):
        listener.warn(f"{LATEST} could not be pointed to {trained.bundle.path}")
    return trained


@contextmanager
def _noting_how_to_resume(place: Unfinished, careful: float, from_memory: bool) -> Iterator[None]:
    """Note on the exception how to go on; `careful` is a learning rate to try after a divergence."""
    try:
        yield
    except RunFailed as error:  # resuming would fail the same way
        if place.can_go_on:
            place.give_up(error.what)
            command = f"rnn train --from {quoted(place.path)} --set training.learning_rate={careful:g}"
            error.add_note(Note(f"the last state before that is kept; {command} starts from it"))
        raise
    except BaseException as error:
        if place.can_go_on:
            command = f"rnn train --resume {quoted(place.path)}"
            if from_memory:  # a command has no such rows
                command = f"rnn.train(resume={str(place.path)!r}, data=...) and the same rows"
            error.add_note(Note(f"saved; go on with: {command}"))
        raise


def _warn_of_few_steps(run: Prepared, listener: Listener) -> None:
    training = run.config.training
    steps = epoch_steps(len(run.rows_to_learn.classes), training.batch_size)
    if steps * training.epochs < FEW_STEPS:
        listener.warn(
            f"{steps * training.epochs} steps in all are few to learn from; "
            f"try training.epochs={math.ceil(2 * FEW_STEPS / steps)}, or a smaller training.batch_size"
        )


def _manifest(run: Prepared) -> Manifest:
    """The manifest before calibration and before the threshold is chosen."""
    splits = run.splits
    return Manifest(
        labels=run.labels,
        threshold=0.5,
        temperature=1.0,
        data={
            "fingerprint": splits.fingerprint,
            NEAR_TOGETHER: splits.near,
            "rows": {"train": len(splits.train), "validation": len(splits.validation), "test": len(splits.test)},
            **({"unlabelled": run.unlabelled.to_dict()} if run.unlabelled.texts else {}),
            **({FURTHER: dict(run.origin)} if run.origin else {}),
        },
        versions=versions(),
        several=run.config.data.several,
        ordered=run.config.data.ordered,
        choice="balanced" if run.config.data.ordered else "",
    )


def _write(
    draft: Draft,
    run: Prepared,
    model: keras.Model,
    history: list[EpochMetrics],
    best: EpochMetrics,
    listener: Listener,
    *,
    documented: bool = True,
) -> Run:
    draft.write(CONFIG, to_yaml(run.config))
    draft.write(TOKENIZER, run.tokenizer.to_json())
    if run.config.model.ngrams and run.config.model.base is None:
        listener.doing("weighing the network and its n-grams")
        network, ngrams = weigh(model, run)
        listener.note(f"weights by the validation rows: network {network:.2f}, n-grams {ngrams:.2f}")
    graph = to_onnx(model, run.config.model)
    draft.write(ONNX_MODEL, graph)
    draft.write(HISTORY, history_to_csv(history))
    texts = chain(run.splits.train.texts, run.splits.validation.texts, run.taught_texts if run.to_learn else ())
    learned = LearnedTexts.of(texts, run.learned)
    draft.write(LEARNED, learned.to_bytes())
    with draft.writing(KERAS_MODEL) as file:
        model.save(file)
    manifest = _manifest(run)
    listener.doing("scoring the validation rows")
    measure = measure_run_of_several if run.config.data.several else _measure
    measured = measure(run, Predictor(draft.preview(manifest)), graph, listener)
    sides, int8 = measured.sides, measured.int8
    tokens = sides["validation"].scores.tokens.to_dict()
    more: dict[str, Any] = {UNKNOWN_TOKENS: tokens}
    if isinstance(kept := sides["validation"], Evaluation):
        ordered = run.config.data.ordered
        more[CONFORMAL] = Conformal.of_rows(kept.truth, kept.scores.probabilities, ordered=ordered).to_dict()
    manifest = replace(manifest, **measured.stored, data={**manifest.data, **more})
    if int8.graph is not None:
        draft.write(INT8_MODEL, int8.graph)
    draft.write(METRICS, json.dumps(measured.metrics, indent=2, ensure_ascii=False) + "\n")
    tables = [table.assign(split=name) for name, table in measured.tables.items()]
    draft.write(PREDICTIONS, to_csv(pd.concat(tables)))
    if documented:
        listener.doing("summarizing the texts")
        aside = [text for side in sides.values() for text in side.dataset.texts]
        known = np.concatenate([side.scores.probabilities for side in sides.values()])
        if (summary := summarize(measured.predictor, run.splits.train.texts, aside, known)) is not None:
            draft.write(SUMMARY, summary.to_bytes())
        listener.doing("writing the report")
        for name, content in documents(draft.preview(manifest), measured.predictor, run, sides, listener).items():
            draft.write(name, content)
    manifest = replace(manifest, data={**manifest.data, RUN: _run_facts(run)})
    return Run(draft.finish(manifest), sides["validation"], sides.get("test"), best.epoch)


def _measure(run: Prepared, plain: Predictor, graph: bytes, listener: Listener) -> Measured:
    """Calibrate and decide on the validation rows, try 8 bits, and measure; the test rows once, at the end."""
    predictor, fitted, chosen = _calibrated_and_decided(plain, run, listener)
    listener.doing("trying the network in 8 bits")
    validation = by_source(evaluate_predictor(predictor, run.splits.validation))
    int8 = try_int8(graph, run.config.model, predictor, validation)
    listener.note(int8.summary())
    listener.doing("measuring on the test rows")
    test = by_source(evaluate_predictor(predictor, run.splits.test)) if len(run.splits.test) else None
    usual_label = most_frequent(run.splits.train.labels)
    sides = {
        name: replace(
            with_standing(side, usual_label, run.config.decision, chosen.careful),
            transductive=run.config.data.transductive and run.to_learn is not None,
        )
        for name, side in ({"validation": validation} | ({"test": test} if test else {})).items()
    }
    metrics: dict[str, Any] = {name: side.to_dict() for name, side in sides.items()}
    metrics["calibration"] = fitted.to_dict() | {
        name: before_and_after(side.truth, side.scores.probabilities, side.predicted, predictor.calibration)
        for name, side in sides.items()
    }
    metrics[INT8_METRICS] = int8.to_dict()
    metrics[MOST_FREQUENT] = usual_label
    if chosen.careful is not None:
        metrics[CAREFUL] = asdict(chosen.careful)
    tables = {name: _prediction_columns(side) for name, side in sides.items()}
    if isinstance(run.baseline, Baseline):
        knew_more = run.origin is not None
        against = {name: run.baseline.against(name, side, knew_more) for name, side in sides.items()}
        metrics["baseline"] = run.baseline.to_dict(against)
        sides = {name: replace(side, baseline=against[name]) for name, side in sides.items()}
        tables = {name: table.assign(**run.baseline.columns(name, run.labels)) for name, table in tables.items()}
    stored = {**asdict(predictor.calibration), **asdict(predictor.decision)}
    return Measured(predictor, stored, sides, metrics, tables, int8)


def _run_facts(run: Prepared) -> dict[str, Any]:
    """The manifest's entry for a run that ends now."""
    seconds = run.spent()
    return {
        "recipe": run.recipe,
        "seconds": None if seconds is None else round(seconds, 1),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _calibrated_and_decided(
    predictor: Predictor, run: Prepared, listener: Listener
) -> tuple[Predictor, FittedCalibration, Chosen]:
    """The same network, calibrated and with its decision chosen on the validation rows, and how both were chosen."""
    validation = run.splits.validation
    plain = predictor.adjusted(calibration=type(predictor.calibration)())
    fitted = fit_calibration(
        true_labels(validation, plain.labels), plain.score(validation.texts).probabilities, run.config
    )
    listener.note(f"calibrated on the validation rows: temperature {fitted.calibration.temperature:.2f}")
    if fitted.trial is not None and fitted.trial.is_won:
        scaling = "matrix scaling" if run.config.data.ordered else "vector scaling"
        listener.note(f"{scaling} on top: {scaling_trial_in_words(fitted.trial)}")
    found, chosen = decided(predictor.adjusted(calibration=fitted.calibration), validation, run.config.decision)
    if run.config.decision != DecisionConfig():
        listener.note(f"decided on the validation rows: {decision_in_words(found.decision, run.labels)}")
    for shortfall in chosen.shortfalls:
        listener.warn(shortfall)
    return found, fitted, chosen
