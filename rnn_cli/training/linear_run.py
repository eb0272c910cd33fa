"""A run whose product is the linear model of n-grams (`model.kind: linear`): from prepared rows to a bundle.

The bundle is of the same form as a network's. Takes no TensorFlow, and so little time that nothing is saved in between.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import log_softmax

from rnn_cli.arrays import Floats
from rnn_cli.bundle.checkpoints import beginning
from rnn_cli.bundle.history import EpochMetrics
from rnn_cli.bundle.model_folder import LATEST
from rnn_cli.bundle.writer import Draft, is_latest
from rnn_cli.evaluation.evaluate_numbers import EvaluationOfAny
from rnn_cli.network.proto import linear_to_onnx
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.training.at_once import folds_at_once
from rnn_cli.training.encoding import Encoded
from rnn_cli.training.finish import finish
from rnn_cli.training.folds import Learned, predict_folds
from rnn_cli.training.listener import Listener
from rnn_cli.training.ngrams import LinearModel, OnProgress, calibrated_loss, counts_of_ngrams, fit_linear
from rnn_cli.training.ngrams_numbers import fit_linear_numbers
from rnn_cli.training.pooling import pooled
from rnn_cli.training.prepare import Prepared
from rnn_cli.training.teacher import taught
from rnn_cli.training.trained import Run


@dataclass(frozen=True)
class LearnedLinear(Learned):
    """A linear model, with its metrics as those of one epoch."""

    metrics: EpochMetrics


def learn_linear(run: Prepared, listener: Listener) -> LearnedLinear:
    """Fit the linear model to the training rows, and to a teacher's lessons where the config wants some."""
    began = time.monotonic()
    run = taught(run, listener)
    config, vocab_size = run.config.model, run.tokenizer.vocab_size
    listener.doing("linear model: counting")
    fitted = shared_linear(run, lambda what, done, total: listener.progress(f"linear model: {what}", done, total))
    listener.note(f"linear model: validation {fitted.val_accuracy:.1%} ({fitted.strength_in_words()})")
    (loss, accuracy), (val_loss, val_accuracy) = (_measured(fitted, side, run) for side in (run.train, run.validation))
    seconds = time.monotonic() - began
    metrics = EpochMetrics(1, loss, accuracy, val_loss, val_accuracy, 0.0, 0.0, 0.0, seconds)
    graph = linear_to_onnx(
        fitted.table, fitted.bias, vocab_size=vocab_size, ngrams=config.ngrams, columns=fitted.columns
    )
    return LearnedLinear(graph, run, 1, metrics)


def shared_linear(run: Prepared, on_progress: OnProgress) -> LinearModel:
    """The linear model of a run's n-grams, alone or as a part of a network: both are the same.

    Where a teacher has given lessons, one model learns from these and one from the labels alone, and that is taken
    which suits the validation rows better: with many labels the lessons blur what n-grams know.
    """
    config = run.config

    def fit(rows: Encoded) -> LinearModel:
        vocab_size = run.tokenizer.vocab_size
        if run.standard is not None:
            return fit_linear_numbers(
                config.model, rows, run.validation, vocab_size=vocab_size, on_progress=on_progress
            )
        return fit_linear(
            config.model,
            rows,
            run.validation,
            vocab_size=vocab_size,
            classes=len(run.labels),
            on_progress=on_progress,
            words=run.tokenizer.vocab,
        )

    if config.training.teacher is not None and run.rows_to_learn.lessons is not None:
        return min((fit(rows) for rows in (run.rows_to_learn, run.train)), key=lambda each: _loss_at_best(each, run))
    if run.base is not None or config.training.teacher is not None:
        return fit(run.train)
    weights = config.training.class_weight
    of_model = config.model.ngrams, config.model.ngram_buckets, config.model.char_ngrams
    key = (config.tokenizer.model_dump_json(), *of_model, repr(weights), run.columns)
    return run.shared.once("n-grams", key, lambda: fit(run.train))


def _loss_at_best(fitted: LinearModel, run: Prepared) -> float:
    """The log loss of the validation rows when calibrated: how sure a model is will be fitted to them."""
    return calibrated_loss(_logits(fitted, run.validation, run), run.validation.classes)[1]


def _logits(fitted: LinearModel, rows: Encoded, run: Prepared) -> Floats:
    """The logits of the rows, `[rows, classes]`."""
    counts = counts_of_ngrams(run.config.model, rows.sequences, run.tokenizer.vocab_size)
    logits: Floats = counts @ fitted.table.astype(np.float64) + fitted.bias
    if fitted.columns is not None and rows.columns is not None:
        logits += rows.columns.astype(np.float64) @ fitted.columns
    is_of_two = logits.shape[1] == 1 and rows.classes.ndim == 1
    return np.hstack([np.zeros_like(logits), logits]) if is_of_two else logits


def _measured(fitted: LinearModel, rows: Encoded, run: Prepared) -> tuple[float, float]:
    """The mean log loss of rows, and the share that is right."""
    logits = _logits(fitted, rows, run)
    if rows.classes.ndim == 2:
        losses = np.logaddexp(0, logits) - rows.classes * logits
        return float(losses.sum(axis=1).mean()), float(((logits >= 0) == rows.classes).all(axis=1).mean())
    logs = log_softmax(logits, axis=1)
    right = logs.argmax(axis=1) == rows.classes
    return float(-logs[np.arange(len(logs)), rows.classes].mean()), float(right.mean())


def train_linear(run: Prepared, *, out: Path | None, name: str, force: bool, listener: Listener) -> Run:
    """Train the linear model and write its bundle, as `rnn_cli.training.run.train_prepared` does a network's."""
    with (
        beginning(out, name=name, force=force) as place,
        folds_at_once(run, learn_linear, place, listener) as ahead,
    ):
        folds = predict_folds(run, learn_linear, place, listener, ahead=ahead)
        learned = learn_linear(run, listener)
        with place.draft() as draft:
            trained = finish(
                draft, learned.run, learned.graph, [learned.metrics], learned.metrics, listener, folds=folds
            )
    if not is_latest(trained.bundle.path):
        listener.warn(f"{LATEST} could not be pointed to {trained.bundle.path}")
    return trained


def train_linear_into(run: Prepared, folder: Path, listener: Listener) -> Run:
    """The same into the empty `folder`, as `rnn_cli.training.run.train_into`."""
    learned = learn_linear(run, listener)
    parts = folder / "parts"
    parts.mkdir()
    draft = Draft(parts, folder / "model", force=False, numbered=False, becomes_latest=False)
    return finish(draft, learned.run, learned.graph, [learned.metrics], learned.metrics, listener, documented=False)


def measure_linear_by_folds(run: Prepared, predictor: Predictor, listener: Listener) -> EvaluationOfAny:
    """Measure a config by folds, as `rnn_cli.training.run.measure_by_folds`."""
    with folds_at_once(run, learn_linear, None, listener) as ahead:
        found = predict_folds(run, learn_linear, None, listener, ahead=ahead)
    assert found is not None
    return pooled(run, predictor, found, is_final=False)
