"""One training run, from prepared rows to a bundle."""

import csv
import json
import math
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import keras
import pandas as pd
import tensorflow

from rnn_cli import bundle
from rnn_cli.bundle import Bundle, Draft, Manifest
from rnn_cli.evaluation.evaluate import Evaluation, evaluate
from rnn_cli.loading import to_yaml
from rnn_cli.network.build import build
from rnn_cli.network.onnx_graph import to_onnx
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.training.batches import epoch_steps
from rnn_cli.training.fit import fit
from rnn_cli.training.listener import EpochFigures, Listener
from rnn_cli.training.prepare import Prepared
from rnn_cli.training.word_vectors import read_word_vectors

LIBRARIES = ("rnn-cli", "tensorflow", "keras", "onnx", "onnxruntime", "numpy")

FEW_STEPS = 100
"""Fewer steps than this leave a network about where it began."""


@dataclass(frozen=True)
class TrainedRun:
    """A finished run: its bundle, and how good it is by the bundle's own ONNX file."""

    bundle: Bundle
    history: list[EpochFigures]
    best: EpochFigures
    validation: Evaluation
    test: Evaluation | None


def train(run: Prepared, *, out: Path | None, name: str, force: bool, listener: Listener) -> TrainedRun:
    """Train a classifier and write its bundle to `out`, or to the next free `runs/NAME-1`, `runs/NAME-2`, ...

    Raises `DataError`, `BundleError` or `RunFailed`; then nothing has been written or replaced.
    """
    with bundle.writing(out, name=name, force=force) as draft:
        keras.utils.set_random_seed(run.config.training.seed)
        tensorflow.config.experimental.enable_op_determinism()
        model = _network(run, listener)
        _warn_of_few_steps(run, listener)
        history, best = fit(model, run.config.training, run.train, run.validation, listener)

        draft.write(bundle.CONFIG, to_yaml(run.config))
        draft.write(bundle.TOKENIZER, run.tokenizer.to_json())
        draft.write(bundle.ONNX_MODEL, to_onnx(model, run.config.model))
        draft.write(bundle.HISTORY, _csv(pd.DataFrame([asdict(epoch) for epoch in history])))
        _save_keras(model, draft)
        trained = _finish(draft, run, history, best)
    if not bundle.is_latest(trained.bundle.path):
        listener.warn(f"{bundle.LATEST} could not be pointed to {trained.bundle.path}")
    return trained


def _network(run: Prepared, listener: Listener) -> keras.Model:
    model, seed, vectors = run.config.model, run.config.training.seed, None
    if model.embeddings is not None:
        file = Path(model.embeddings)
        ready = read_word_vectors(file, run.tokenizer.vocab, model.embedding_dim, seed=seed)
        share = ready.found / max(ready.words, 1)
        listener.note(f"{file.name} holds vectors of {ready.found:,} of {ready.words:,} tokens ({share:.1%})")
        vectors = ready.vectors
    return build(model, vocab_size=run.tokenizer.vocab_size, classes=len(run.labels), seed=seed, embeddings=vectors)


def _warn_of_few_steps(run: Prepared, listener: Listener) -> None:
    training = run.config.training
    steps = epoch_steps(len(run.train.classes), training.batch_size)
    if steps * training.epochs < FEW_STEPS:
        listener.warn(
            f"{steps * training.epochs} steps in all are few to learn from; "
            f"try training.epochs={math.ceil(2 * FEW_STEPS / steps)}, or a smaller training.batch_size"
        )


def _save_keras(model: keras.Model, draft: Draft) -> None:
    # The same layers, never compiled: the optimizer's state would treble the file.
    plain = keras.Model(model.input, model.output, name=model.name)
    plain.save(draft.folder / bundle.KERAS_MODEL)


def _manifest(run: Prepared) -> Manifest:
    splits = run.splits
    return Manifest(
        labels=run.labels,
        threshold=0.5,
        temperature=1.0,
        data={
            "fingerprint": splits.fingerprint,
            "rows": {"train": len(splits.train), "validation": len(splits.validation), "test": len(splits.test)},
        },
        versions={"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
    )


def _finish(draft: Draft, run: Prepared, history: list[EpochFigures], best: EpochFigures) -> TrainedRun:
    manifest = _manifest(run)
    predictor = Predictor(draft.preview(manifest))
    validation = evaluate(predictor, run.splits.validation)
    test = evaluate(predictor, run.splits.test) if len(run.splits.test) else None
    sides = {"validation": validation} | ({"test": test} if test else {})
    figures = {name: side.figures.to_dict() for name, side in sides.items()}
    draft.write(bundle.METRICS, json.dumps(figures, indent=2, ensure_ascii=False) + "\n")
    tables = [side.table().assign(split=name) for name, side in sides.items()]
    draft.write(bundle.PREDICTIONS, _csv(pd.concat(tables)))
    return TrainedRun(draft.finish(manifest), history, best, validation, test)


def _csv(table: pd.DataFrame) -> str:
    # All texts are quoted: before Python 3.13 a lone CR in one would otherwise stand bare and end the row.
    return table.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
