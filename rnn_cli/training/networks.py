"""The networks of a run: the first one, one from an earlier run, and the plain one that is stored."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import keras
import numpy as np

from rnn_cli.arrays import AnyArray, Floats32
from rnn_cli.bundle.history import EpochMetrics
from rnn_cli.config.schema import OWN, ModelConfig
from rnn_cli.errors import BundleError
from rnn_cli.kinds import outputs_of
from rnn_cli.network.build import COLUMN_WEIGHTS, LOGITS, NGRAM_LOGITS, NGRAMS, build, is_slow, kernels_fault
from rnn_cli.network.onnx_export import put_body, put_weights
from rnn_cli.scoring.prediction import shown_number
from rnn_cli.training.finetune import Origin
from rnn_cli.training.linear_run import shared_linear
from rnn_cli.training.listener import Listener
from rnn_cli.training.loop import NEAR_SHARE
from rnn_cli.training.prepare import Prepared
from rnn_cli.training.vectors import own_vectors, read_word_vectors
from rnn_cli.transfer.base import Base
from rnn_cli.transfer.features import of_all_labels
from rnn_cli.transfer.stacking import KnownRows, fit_stack

TEXTS_PER_REPORT = 500
"""Texts between two reports of progress."""


def warn_if_slow(config: ModelConfig, listener: Listener) -> None:
    """Warn where Keras's own LSTM has to train: it gives the same weights but is slower."""
    if is_slow(config):
        listener.warn(
            f"numba cannot compile rnn's own LSTM here ({kernels_fault()}); Keras's trains instead, at a third to a "
            "half of the speed (try pip install --upgrade numba llvmlite)"
        )


def first_network(run: Prepared, listener: Listener) -> keras.Model:
    """The untrained network: random weights, token vectors and fitted n-grams, as the config says."""
    model, seed, vectors = run.config.model, run.config.training.seed, None
    if model.embeddings == OWN:
        key = (run.config.tokenizer.model_dump_json(), model.embedding_dim, seed)
        vectors = run.shared.once("token vectors", key, lambda: _own_vectors(run, listener))
    elif model.embeddings is not None:
        file = Path(model.embeddings)
        listener.doing(f"reading {file.name}")
        ready = read_word_vectors(file, run.tokenizer.vocab, model.embedding_dim, seed=seed)
        share = ready.found / max(ready.words, 1)
        listener.note(f"{file.name} holds vectors of {ready.found:,} of {ready.words:,} tokens ({share:.1%})")
        vectors = ready.vectors
    listener.doing("building the network")
    network = built(model, run, fast=True, vectors=vectors)
    if model.ngrams:
        listener.doing("n-gram part: counting")
        _fit_ngrams(network, run, listener)
    return network


def _own_vectors(run: Prepared, listener: Listener) -> Floats32:
    began, tokenizer, config = time.monotonic(), run.tokenizer, run.config
    texts = [*run.splits.train.texts, *run.unlabelled.texts]

    def sequences() -> Iterator[list[int]]:
        for done, text in enumerate(texts):
            if done % TEXTS_PER_REPORT == 0:
                listener.progress("token vectors: texts", done, len(texts))
            yield tokenizer.encode_whole(text)
        listener.doing("token vectors: factorizing the counts of neighbours")

    vectors = own_vectors(sequences(), tokenizer.vocab_size, config.model.embedding_dim, seed=config.training.seed)
    listener.note(f"token vectors from the neighbours in {len(texts):,} texts, {time.monotonic() - began:.0f}s")
    return vectors


def _fit_ngrams(network: keras.Model, run: Prepared, listener: Listener) -> None:
    began = time.monotonic()
    linear = shared_linear(run, lambda what, done, total: listener.progress(f"n-gram part: {what}", done, total))
    network.get_layer(NGRAMS).set_weights([linear.table])
    if linear.columns is not None:
        network.get_layer(COLUMN_WEIGHTS).set_weights([linear.columns])
    network.get_layer(NGRAM_LOGITS).set_weights([np.eye(len(linear.bias)), linear.bias])
    seconds = time.monotonic() - began
    found = f"validation {linear.val_accuracy:.1%}"
    if run.standard is not None:
        found += f" off by at most {shown_number(NEAR_SHARE * run.standard.scale, run.standard.scale)}"
    strength = linear.strength_in_words() if run.standard is None else f"penalty={linear.strength:g}"
    listener.note(f"n-gram part alone: {found} ({strength}; {seconds:.0f}s)")


def built(config: ModelConfig, run: Prepared, *, fast: bool, vectors: Floats32 | None = None) -> keras.Model:
    """A network for the run's labels and vocabulary."""
    classes, several = outputs_of(run.config.data.labels, len(run.labels))
    return build(
        config,
        vocab_size=run.tokenizer.vocab_size,
        classes=classes,
        several=several,
        numbers=run.standard is not None,
        columns=0 if run.columns is None else run.columns.width,
        seed=run.config.training.seed,
        embeddings=vectors,
        fast=fast,
    )


def network_on_base(run: Prepared, base: Base, listener: Listener) -> tuple[keras.Model, EpochMetrics]:
    """A network of the base's layers whose last ones are fitted to the rows, and its metrics, those of one epoch."""
    began, config, classes = time.monotonic(), run.config.model, len(run.labels)
    sides = [
        KnownRows.of(
            base,
            side.sequences,
            side.classes,
            side.weights,
            config,
            partial(listener.progress, f"{base.name} reads: {name} texts"),
        )
        for name, side in (("training", run.train), ("validation", run.validation))
    ]
    listener.doing("fitting the labels to what the base computes")
    rows, column = run.learned_rows, run.config.data.group_column
    groups = rows.further[column] if column else None
    fitted = fit_stack(sides[0], rows.texts, run.labels, base.answer(run.labels), listener.progress, groups)
    listener.note(fitted.in_words(base.name))
    if fitted.trial is None:
        listener.warn(f"{len(rows)} training rows are too few to cross-validate: they choose no weight")
    network = built(config, run, fast=False)
    kernel, bias, *ngrams = put_body(base.graph, network, config)
    # What is linear in the base's logits is linear in their inputs.
    head = fitted.head
    pooled, of_logits, of_ngrams, of_vectors = np.split(head.kernel, np.cumsum(base.sizes)[:-1])
    kernel, bias = (of_all_labels(each) for each in (kernel, bias[None]))
    weights, biases = pooled + kernel @ of_logits, head.bias + (bias @ of_logits)[0]
    table = np.zeros((run.tokenizer.vocab_size + config.ngram_buckets, classes))
    if ngrams:
        theirs, mixing, added = ngrams
        table += of_all_labels(theirs @ mixing) @ of_ngrams
        biases += (of_all_labels(added[None]) @ of_ngrams)[0]
    if (vectors := base.graph.vectors) is not None:
        table[: len(vectors)] += vectors @ of_vectors
    table[head.used] += head.table
    # The network averages both parts.
    weights, biases, table = (2 * _of_network(each) for each in (weights, biases[None], table))
    network.get_layer(LOGITS).set_weights([weights, biases[0]])
    network.get_layer(NGRAMS).set_weights([table])
    network.get_layer(NGRAM_LOGITS).set_weights([np.eye(table.shape[1]), np.zeros(table.shape[1])])
    (loss, accuracy), (val_loss, val_accuracy) = (head.measured(side) for side in sides)
    return network, EpochMetrics(1, loss, accuracy, val_loss, val_accuracy, 0.0, 0.0, 0.0, time.monotonic() - began)


def _of_network(columns: AnyArray) -> AnyArray:
    """Columns for each label as a network has them: of two labels the second's, less the first's."""
    return columns[:, 1:] - columns[:, :1] if columns.shape[1] == 2 else columns


def network_of(origin: Origin, run: Prepared) -> keras.Model:
    """The network of an earlier run, to train further; raises `BundleError` if the weights do not fit its config."""
    ours = built(run.config.model, run, fast=True)
    if origin.graph is not None:
        put_weights(origin.graph, ours, run.config.model)
    else:
        theirs = built(origin.config.model, run, fast=False)
        with fitting_arrays(origin.path):
            for variable, value in zip(theirs.variables, origin.weights, strict=True):
                variable.assign(value)
        ours.set_weights(theirs.get_weights())
    return ours


@contextmanager
def fitting_arrays(path: Path) -> Iterator[None]:
    """Raise `BundleError` where the block assigns a checkpoint's arrays to a network that they do not fit."""
    try:
        yield
    except (TypeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise BundleError(f"its arrays do not fit the network of its config ({reason})", where=str(path)) from None


def plain_network(weights: list[AnyArray], run: Prepared) -> keras.Model:
    """The trained network, of Keras's own layers only; not compiled, as optimizer state would treble its file."""
    model = built(run.config.model, run, fast=False)
    model.set_weights(weights)
    return model
