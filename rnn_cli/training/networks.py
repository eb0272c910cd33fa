"""The networks of a run: the first one, one from an earlier run, and the plain one that is stored."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np

from rnn_cli.arrays import AnyArray, Floats32
from rnn_cli.config.schema import OWN, ModelConfig
from rnn_cli.errors import BundleError
from rnn_cli.network.build import NGRAM_LOGITS, NGRAMS, build, is_slow, kernels_fault
from rnn_cli.network.onnx_export import put_weights
from rnn_cli.training.finetune import Origin
from rnn_cli.training.listener import Listener
from rnn_cli.training.ngrams import fit_linear
from rnn_cli.training.prepare import Prepared
from rnn_cli.training.vectors import own_vectors, read_word_vectors

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
        vectors = _own_vectors(run, listener)
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
    vocab_size, classes = run.tokenizer.vocab_size, len(run.labels)
    linear = fit_linear(
        run.config.model,
        run.train,
        run.validation,
        vocab_size=vocab_size,
        classes=classes,
        on_progress=lambda what, done, total: listener.progress(f"n-gram part: {what}", done, total),
    )
    network.get_layer(NGRAMS).set_weights([linear.table])
    network.get_layer(NGRAM_LOGITS).set_weights([np.eye(len(linear.bias)), linear.bias])
    seconds = time.monotonic() - began
    listener.note(f"n-gram part alone: validation {linear.val_accuracy:.1%} (C={linear.strength:g}; {seconds:.0f}s)")


def built(config: ModelConfig, run: Prepared, *, fast: bool, vectors: Floats32 | None = None) -> keras.Model:
    """A network for the run's labels and vocabulary."""
    return build(
        config,
        vocab_size=run.tokenizer.vocab_size,
        classes=len(run.labels),
        seed=run.config.training.seed,
        embeddings=vectors,
        fast=fast,
    )


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
