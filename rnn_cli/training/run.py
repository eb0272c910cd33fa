"""One training run from start to finish: labelled rows and a config in, a bundle out."""

import csv
import json
import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow

from rnn_cli import bundle
from rnn_cli.bundle import Bundle, Draft, Manifest
from rnn_cli.config import Config, TrainingConfig
from rnn_cli.data.rows import Dataset
from rnn_cli.data.source import absolute
from rnn_cli.data.splits import Splits
from rnn_cli.errors import ConfigError, DataError
from rnn_cli.evaluation.evaluate import Evaluation, evaluate
from rnn_cli.loading import to_yaml
from rnn_cli.network.build import build
from rnn_cli.network.onnx_graph import to_onnx
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.text.tokenizer import Tokenizer
from rnn_cli.training.batches import Encoded
from rnn_cli.training.fit import best_epoch, fit
from rnn_cli.training.listener import EpochFigures, Listener
from rnn_cli.training.word_vectors import read_word_vectors

LIBRARIES = ("rnn-cli", "tensorflow", "keras", "onnx", "onnxruntime", "numpy")


@dataclass(frozen=True)
class TrainedRun:
    """A finished run: its bundle, and how good it is by the bundle's own ONNX file."""

    bundle: Bundle
    history: list[EpochFigures]
    best: EpochFigures
    validation: Evaluation
    test: Evaluation | None


def train(
    config: Config, splits: Splits, *, out: Path | None, name: str, force: bool, listener: Listener
) -> TrainedRun:
    """Train a classifier and write its bundle to `out`, or to the next free `runs/NAME-1`, `runs/NAME-2`, ...

    `splits` are the rows that `load_splits(config.data)` gives; reading them takes no TensorFlow, so a caller can
    tell what is wrong with them before it loads this module. Raises `DataError`, `ConfigError`, `BundleError` or
    `RunFailed`; then nothing has been written or replaced.
    """
    with bundle.writing(out, name=name, force=force) as draft:
        config = _with_absolute_paths(config)
        for warning in splits.warnings:
            listener.warn(warning)
        labels = order_labels(splits.train.labels, config.data.positive_label)
        weights = label_weights(splits.train.labels, labels, config.training)
        tokenizer = Tokenizer.fit(splits.train.texts, **config.tokenizer.model_dump())
        listener.note(_summary(splits, labels, tokenizer))
        learned = _drop_unreadable(_encode(splits.train, labels, tokenizer, weights), tokenizer, listener)
        validation = _encode(splits.validation, labels, tokenizer, weights)

        keras.utils.set_random_seed(config.training.seed)
        tensorflow.config.experimental.enable_op_determinism()
        model = _network(config, tokenizer, len(labels), listener)
        history = fit(model, config.training, learned, validation, listener)

        draft.write(bundle.CONFIG, to_yaml(config))
        draft.write(bundle.TOKENIZER, tokenizer.to_json())
        draft.write(bundle.ONNX_MODEL, to_onnx(model, config.model))
        draft.write(bundle.HISTORY, _csv(pd.DataFrame([asdict(epoch) for epoch in history])))
        _save_keras(model, draft)
        return _finish(draft, _manifest(splits, labels), splits, history, best_epoch(history, config.training))


def order_labels(labels: Sequence[str], positive: str | None) -> tuple[str, ...]:
    """The network's classes: sorted, numbers by value; of two, the positive one last."""
    names = sorted(set(labels), key=_by_value)
    if positive is None:
        return tuple(names)
    if len(names) != 2:
        raise ConfigError([f"data.positive_label: is for two labels, the data has {len(names)}; remove the key"])
    if positive not in names:
        raise ConfigError([f"data.positive_label: {positive!r} is not in the data; use {' or '.join(names)}"])
    return tuple(sorted(names, key=lambda name: name == positive))


def label_weights(rows: Sequence[str], labels: Sequence[str], config: TrainingConfig) -> dict[str, float]:
    """Each label's weight in the loss. `balanced` gives every label the same sum of weights, 1 a row on average."""
    chosen = config.class_weight
    if chosen is None:
        return dict.fromkeys(labels, 1.0)
    if chosen == "balanced":
        counts = Counter(rows)
        return {label: len(rows) / (len(labels) * counts[label]) for label in labels}
    if unknown := sorted(set(chosen) - set(labels)):
        raise ConfigError(
            [f"training.class_weight.{label}: not a label of the data ({', '.join(labels)})" for label in unknown]
        )
    return {label: chosen.get(label, 1.0) for label in labels}


def _by_value(label: str) -> tuple[bool, float, str]:
    try:
        return False, float(label), label
    except ValueError:
        return True, 0.0, label


def _with_absolute_paths(config: Config) -> Config:
    # The bundle's config must mean the same files wherever it is read.
    model = config.model
    if model.embeddings is not None:
        model = model.model_copy(update={"embeddings": str(Path(model.embeddings).absolute())})
    return config.model_copy(update={"data": absolute(config.data), "model": model})


def _summary(splits: Splits, labels: Sequence[str], tokenizer: Tokenizer) -> str:
    sides = {"training": splits.train, "validation": splits.validation, "test": splits.test}
    rows = ", ".join(f"{len(side):,} {name}" for name, side in sides.items())
    return f"{rows} rows; {len(labels)} labels ({', '.join(labels[:8])}); {tokenizer.vocab_size:,} token ids"


def _encode(dataset: Dataset, labels: Sequence[str], tokenizer: Tokenizer, weights: dict[str, float]) -> Encoded:
    places = {label: place for place, label in enumerate(labels)}
    return Encoded(
        tokenizer.encode_all(dataset.texts),
        np.array([places[label] for label in dataset.labels], np.intp),
        np.array([weights[label] for label in dataset.labels], np.float32),
    )


def _drop_unreadable(encoded: Encoded, tokenizer: Tokenizer, listener: Listener) -> Encoded:
    """Texts without one known token teach nothing but their label."""
    kept = [row for row, ids in enumerate(encoded.sequences) if tokenizer.knows(ids)]
    dropped = len(encoded.sequences) - len(kept)
    if not kept:
        raise DataError("no training text holds a known token", mend="check data.text_column and tokenizer.filters")
    if dropped:
        rows = "row was" if dropped == 1 else "rows were"
        listener.warn(f"{dropped:,} training {rows} dropped, having no known token")
    return Encoded([encoded.sequences[row] for row in kept], encoded.classes[kept], encoded.weights[kept])


def _network(config: Config, tokenizer: Tokenizer, classes: int, listener: Listener) -> keras.Model:
    vectors, seed = None, config.training.seed
    if config.model.embeddings is not None:
        file = Path(config.model.embeddings)
        ready = read_word_vectors(file, tokenizer.vocab, config.model.embedding_dim, seed=seed)
        share = ready.found / max(ready.words, 1)
        listener.note(f"{file.name} holds vectors of {ready.found:,} of {ready.words:,} tokens ({share:.1%})")
        vectors = ready.vectors
    return build(config.model, vocab_size=tokenizer.vocab_size, classes=classes, seed=seed, embeddings=vectors)


def _save_keras(model: keras.Model, draft: Draft) -> None:
    # The same layers, never compiled: the optimizer's state would treble the file.
    plain = keras.Model(model.input, model.output, name=model.name)
    plain.save(draft.folder / bundle.KERAS_MODEL)


def _manifest(splits: Splits, labels: tuple[str, ...]) -> Manifest:
    return Manifest(
        labels=labels,
        threshold=0.5,
        temperature=1.0,
        data={
            "fingerprint": splits.fingerprint,
            "rows": {
                "train": len(splits.train),
                "validation": len(splits.validation),
                "test": len(splits.test),
            },
        },
        versions={"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
    )


def _finish(
    draft: Draft, manifest: Manifest, splits: Splits, history: list[EpochFigures], best: EpochFigures
) -> TrainedRun:
    predictor = Predictor(draft.preview(manifest))
    validation = evaluate(predictor, splits.validation)
    test = evaluate(predictor, splits.test) if len(splits.test) else None
    sides = {"validation": validation} | ({"test": test} if test else {})
    figures = {name: side.figures.to_dict() for name, side in sides.items()}
    draft.write(bundle.METRICS, json.dumps(figures, indent=2, ensure_ascii=False) + "\n")
    tables = [side.table().assign(split=name) for name, side in sides.items()]
    draft.write(bundle.PREDICTIONS, _csv(pd.concat(tables)))
    return TrainedRun(draft.finish(manifest), history, best, validation, test)


def _csv(table: pd.DataFrame) -> str:
    # All texts are quoted: before Python 3.13 a lone CR in one would otherwise stand bare and end the row.
    return table.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
