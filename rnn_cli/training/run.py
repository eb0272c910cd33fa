"""One training run, from prepared rows to a bundle."""

import csv
import json
import math
import os
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow

from rnn_cli.bundle.checkpoints import Unfinished, beginning
from rnn_cli.bundle.model_folder import (
    CARD,
    CONFIG,
    FURTHER,
    HISTORY,
    INT8_MODEL,
    KERAS_MODEL,
    LATEST,
    METRICS,
    ONNX_MODEL,
    PREDICTIONS,
    REPORT,
    RUN,
    TOKENIZER,
    Bundle,
    Manifest,
)
from rnn_cli.bundle.writer import Draft, is_latest
from rnn_cli.config.load import to_yaml
from rnn_cli.config.schema import DecisionConfig
from rnn_cli.data.rows import Dataset
from rnn_cli.errors import RunFailed, UsageError, quoted
from rnn_cli.evaluation.evaluate import Evaluation, decided, evaluate, true_labels
from rnn_cli.evaluation.scores import before_and_after
from rnn_cli.evaluation.wording import decision_in_words
from rnn_cli.network.onnx_export import to_onnx
from rnn_cli.scoring.predictor import INT8, Predictor
from rnn_cli.training.checkpointing import HeldSignals, Keeper, SavedRun, versions
from rnn_cli.training.encoding import epoch_steps
from rnn_cli.training.finetune import Origin
from rnn_cli.training.int8 import in_int8
from rnn_cli.training.learner import Learner
from rnn_cli.training.listener import EpochMetrics, Listener
from rnn_cli.training.loop import Standing, fit
from rnn_cli.training.networks import belonging, built, first_network, network_of, plain_network, warn_if_slow
from rnn_cli.training.prepare import Prepared
from rnn_cli.training.temperature import fit_temperature
from rnn_cli.training.trained import Run


def documents(
    opened: Bundle,
    predictor: Predictor,
    run: Prepared,
    sides: Mapping[str, Evaluation],
    listener: Listener,
) -> dict[str, str]:
    """The files' contents by their names; `sides` are `validation` and, if there are such rows, `test`.

    They are of the last side. A fault in making them is told, and costs the documents, not the run.
    """
    name = list(sides)[-1]
    splits = run.splits
    rows = {"train": splits.train, "validation": splits.validation} | (
        {"test": splits.test} if len(splits.test) else {}
    )
    try:
        from rnn_cli.reporting.html import model_card, page
        from rnn_cli.reporting.report import gather

        report = gather(opened, predictor, sides[name], name)
        counts = {side: Counter(dataset.labels) for side, dataset in rows.items() if len(dataset)}
        return {REPORT: page(report), CARD: model_card(report, counts)}
    except Exception as error:
        listener.warn(f"no {REPORT} and no {CARD}: {type(error).__name__}: {error}")
        return {}


def _kept(evaluation: Evaluation) -> pd.DataFrame:
    """What a bundle keeps of an evaluation's rows."""
    table = evaluation.to_frame().filter(items=("text", "label", "probability", "prediction", "unsure"))
    return table.replace({"unsure": {True: "true", False: "false"}})


def to_csv(table: pd.DataFrame) -> str:
    """The table as CSV text, all texts quoted."""
    # Before Python 3.13 a lone CR in a text that is not quoted would stand bare and end the row.
    return table.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)


FEW_STEPS = 100
"""Fewer steps than this leave a network about where it began."""


def train(
    run: Prepared, *, out: Path | None, name: str, force: bool, listener: Listener, origin: Origin | None = None
) -> Run:
    """Train a classifier and write its bundle to `out`, or to the next free `runs/NAME-1`, `runs/NAME-2`, ...

    Its network is a new one, or `origin`'s. While it trains, its checkpoints stand in a folder beside that place,
    which stays if the run ends early. Raises `DataError`, `BundleError` or `RunFailed`; then no bundle has been
    written or replaced.
    """
    with beginning(out, name=name, force=force) as place, _own_chance():
        run = replace(run, origin=origin.to_dict()) if origin is not None else replace(run, recipe=name)
        learner = new_learner(run, listener, origin)
        if origin is None:
            _warn_of_few_steps(run, listener)
        return _fit_and_write(run, place, learner, None, listener)


def new_learner(run: Prepared, listener: Listener, origin: Origin | None = None) -> Learner:
    """A learner that has learned nothing yet, or what `origin` has."""
    _seed(run)
    warn_if_slow(run.config.model, listener)
    return _learner(run, first_network(run, listener) if origin is None else network_of(origin, run))


def train_apart(run: Prepared, folder: Path, *, name: str, listener: Listener) -> Run:
    """Train as `train` does, for a program that keeps the bundle itself: it is written into `folder`, which is empty.

    It has no report and no card, which would take longer than a small network. Nothing is kept of a run that ends
    early, an interrupt acts at once, and `runs/latest` stays as it is.
    """
    with _own_chance():
        run = replace(run, recipe=name)
        learner = new_learner(run, listener)
        _warn_of_few_steps(run, listener)
        standing = Standing()
        best = fit(learner, run.config.training, run.train, run.validation, listener, standing=standing)
        parts = folder / "parts"
        parts.mkdir()
        draft = Draft(parts, folder / "model", force=False, numbered=False, becomes_latest=False)
        network = plain_network(learner.weights(), run)
        return _write(draft, run, network, standing.history, best, listener, documented=False)


def resume(run: Prepared, place: Unfinished, saved: SavedRun, listener: Listener) -> Run:
    """Go on with a run that was left, to the same bundle as if it had not been; raises as `train` does."""
    run = replace(run, origin=saved.origin, recipe=saved.recipe, seconds=saved.seconds)
    with _own_chance():
        _seed(run)
        warn_if_slow(run.config.model, listener)
        learner = _learner(run, built(run.config.model, run, fast=True))
        with belonging(place.path):
            learner.restore(saved.arrays)
            best = saved.standing.best_weights
            if best and [each.shape for each in best] != [each.shape for each in learner.weights()]:
                raise ValueError("the best epoch's")
        return _fit_and_write(run, place, learner, saved.standing, listener)


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
        raise UsageError(
            what, hint="start processes anew (spawn, or joblib's loky), or fork before anything is trained"
        )
    _trained_in = os.getpid()
    keras.utils.set_random_seed(run.config.training.seed)
    if run.config.training.deterministic:
        tensorflow.config.experimental.enable_op_determinism()


def _learner(run: Prepared, model: keras.Model) -> Learner:
    training = run.config.training
    return Learner(model, training, epoch_steps(len(run.train.classes), training.batch_size) * training.epochs)


def _fit_and_write(
    run: Prepared, place: Unfinished, learner: Learner, left: Standing | None, listener: Listener
) -> Run:
    standing = left or Standing()
    careful = min(run.config.training.learning_rate / 10, 1e-3)
    with _saying_how_to_resume(place, careful, listener):
        with HeldSignals() as signals:
            keeper = Keeper(place, run, learner, standing, signals)
            if left is None:
                keeper.begin()
            best = fit(
                learner,
                run.config.training,
                run.train,
                run.validation,
                listener,
                standing=standing,
                pause=keeper.pause,
                save=keeper.save,
            )
        with place.draft() as draft:
            trained = _write(draft, run, plain_network(learner.weights(), run), standing.history, best, listener)
    place.remove()
    if not is_latest(trained.bundle.path):
        listener.warn(f"{LATEST} could not be pointed to {trained.bundle.path}")
    return trained


@contextmanager
def _saying_how_to_resume(place: Unfinished, careful: float, listener: Listener) -> Iterator[None]:
    """Tell where a run that ends early has left its state; `careful` is a learning rate to try after a divergence."""
    try:
        yield
    except RunFailed as error:  # going on would end the same way
        if place.can_go_on:
            place.give_up(error.what)
            command = f"rnn train --from {quoted(place.path)} --set training.learning_rate={careful:g}"
            listener.note(f"the last state before that is kept; {command} begins there")
        raise
    except BaseException:
        if place.can_go_on:
            listener.note(f"saved; go on with: rnn train --resume {quoted(place.path)}")
        raise


def _warn_of_few_steps(run: Prepared, listener: Listener) -> None:
    training = run.config.training
    steps = epoch_steps(len(run.train.classes), training.batch_size)
    if steps * training.epochs < FEW_STEPS:
        listener.warn(
            f"{steps * training.epochs} steps in all are few to learn from; "
            f"try training.epochs={math.ceil(2 * FEW_STEPS / steps)}, or a smaller training.batch_size"
        )


def _manifest(run: Prepared) -> Manifest:
    """That of a network which nobody has calibrated yet, nor told how to decide."""
    splits = run.splits
    return Manifest(
        labels=run.labels,
        threshold=0.5,
        temperature=1.0,
        data={
            "fingerprint": splits.fingerprint,
            "rows": {"train": len(splits.train), "validation": len(splits.validation), "test": len(splits.test)},
            **({"unlabelled": run.unlabelled.to_dict()} if run.unlabelled.texts else {}),
            **({FURTHER: dict(run.origin)} if run.origin else {}),
        },
        versions=versions(),
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
    graph = to_onnx(model, run.config.model)
    draft.write(ONNX_MODEL, graph)
    draft.write(HISTORY, to_csv(pd.DataFrame([asdict(epoch) for epoch in history])))
    with draft.writing(KERAS_MODEL) as file:
        model.save(file)
    manifest = _manifest(run)
    listener.doing("scoring the validation rows")
    predictor = _settled(Predictor(draft.preview(manifest)), run, listener)
    manifest = replace(manifest, temperature=predictor.temperature, **asdict(predictor.decision))
    listener.doing("trying the network in 8 bits")
    validation = evaluate(predictor, run.splits.validation)
    int8 = in_int8(graph, run.config.model, predictor, validation)
    listener.note(int8.in_words())
    if int8.graph is not None:
        draft.write(INT8_MODEL, int8.graph)
    listener.doing("measuring on the test rows")
    opened = draft.preview(manifest)
    test = evaluate(predictor, run.splits.test) if len(run.splits.test) else None
    sides = {"validation": validation} | ({"test": test} if test else {})
    metrics: dict[str, Any] = {name: side.to_dict() for name, side in sides.items()}
    metrics["calibration"] = {"temperature": predictor.temperature} | {
        name: before_and_after(side.truth, side.scores.probabilities, side.predicted, predictor.temperature)
        for name, side in sides.items()
    }
    metrics[INT8] = int8.to_dict()
    tables = {name: _kept(side) for name, side in sides.items()}
    if run.baseline is not None:
        knew_more = run.origin is not None
        against = {name: run.baseline.against(name, side, knew_more) for name, side in sides.items()}
        metrics["baseline"] = run.baseline.to_dict(against)
        sides = {name: replace(side, baseline=against[name]) for name, side in sides.items()}
        tables = {name: table.join(run.baseline.columns(name)) for name, table in tables.items()}
    draft.write(METRICS, json.dumps(metrics, indent=2, ensure_ascii=False) + "\n")
    draft.write(PREDICTIONS, to_csv(pd.concat([table.assign(split=name) for name, table in tables.items()])))
    if documented:
        listener.doing("writing the report")
        for name, content in documents(opened, predictor, run, sides, listener).items():
            draft.write(name, content)
    manifest = replace(manifest, data={**manifest.data, RUN: _told_of(run)})
    return Run(draft.finish(manifest), sides["validation"], sides.get("test"), best.epoch)


def _told_of(run: Prepared) -> dict[str, Any]:
    """What the manifest tells of a run that ends now."""
    seconds = run.spent()
    return {
        "recipe": run.recipe,
        "seconds": None if seconds is None else round(seconds, 1),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _settled(predictor: Predictor, run: Prepared, listener: Listener) -> Predictor:
    """The same network, calibrated on the validation rows, and deciding as the config wishes there."""
    calibrated = _calibrated(predictor, run.splits.validation)
    listener.note(f"calibrated on the validation rows: temperature {calibrated.temperature:.2f}")
    found, shortfalls = decided(calibrated, run.splits.validation, run.config.decision)
    if run.config.decision != DecisionConfig():
        listener.note(f"decided on the validation rows: {decision_in_words(found.decision, run.labels)}")
    for shortfall in shortfalls:
        listener.warn(shortfall)
    return found


def _calibrated(predictor: Predictor, validation: Dataset) -> Predictor:
    """The same network at the temperature that makes the labels of the validation rows the likeliest."""
    plain = predictor.adjusted(temperature=1.0)
    truth = true_labels(validation, predictor.labels)
    return plain.adjusted(temperature=fit_temperature(truth, plain.score(validation.texts).probabilities))
