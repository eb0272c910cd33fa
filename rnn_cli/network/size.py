"""How many weights a network will have, before there is one, and what of it a file can hold. Takes no TensorFlow.

What `build` makes, layer by layer, is told by `rnn_cli.graph`; a test holds the two together.
"""

from rnn_cli.config.schema import ModelConfig
from rnn_cli.errors import ConfigError, ConfigMistake
from rnn_cli.graph import Architecture

LARGEST_MODEL = (1 << 31) - (1 << 26)
"""Bytes of weights that an ONNX file can hold beside its graph: protobuf ends at 2 GiB."""

LARGEST_NGRAMS = 1 << 28
"""Bytes of the n-gram part, at most: a run holds eight copies of it when it ends, and a bundle three. Of 60 labels'
short texts 16,000 buckets for 42,000 pairs of words answered no worse than 262,000 did."""

PARTS = {
    "input": "token vectors (tokenizer.vocab_size, model.embedding_dim)",
    "recurrent": "recurrent layers (model.units)",
    "dense": "dense layers (model.dense_units, the labels)",
    "ngrams": "n-gram part (model.ngrams, model.ngram_buckets)",
}
"""A part of an `Architecture`, and the config's keys that it grows with."""


def count_weights(model: ModelConfig, vocab_size: int, classes: int) -> dict[str, int]:
    """The weights of each part of a network, by the part's name and the config's keys that it grows with."""
    sizes: dict[str, int] = {}
    for layer in Architecture.of(model, vocab_size, classes).layers:
        if layer.weights:
            sizes[PARTS[layer.part]] = sizes.get(PARTS[layer.part], 0) + layer.weights
    return sizes


def refuse_too_large(model: ModelConfig, vocab_size: int, classes: int) -> None:
    """Raise `ConfigError` if no model file could hold the network."""
    sizes = count_weights(model, vocab_size, classes)
    if 4 * sum(sizes.values()) <= LARGEST_MODEL:
        return
    largest = sorted(sizes.items(), key=lambda item: -item[1])
    parts = ", ".join(f"{part} {_gib(each)}" for part, each in largest if 20 * each > sum(sizes.values()))
    raise ConfigError(
        [
            ConfigMistake(
                f"the weights would take {_gib(sum(sizes.values()))}, and a model file holds "
                f"{LARGEST_MODEL / 2**30:.1f} GiB; make the largest part smaller: {parts}",
                "model",
            )
        ]
    )


def with_fitting_ngrams(model: ModelConfig, vocab_size: int, classes: int) -> ModelConfig:
    """The model with as many of its n-gram buckets as suit so many labels; without n-grams where too few would."""
    if 4 * count_weights(model, vocab_size, classes).get(PARTS["ngrams"], 0) <= LARGEST_NGRAMS:
        return model
    outputs = 1 if classes == 2 else classes
    rows = (LARGEST_NGRAMS // 4 - outputs) // outputs - outputs
    # With far fewer buckets than tokens, all pairs of tokens would share their weights with many others.
    if rows - vocab_size < vocab_size // 4:
        return model.model_copy(update={"ngrams": 0})
    return model.model_copy(update={"ngram_buckets": min(model.ngram_buckets, rows - vocab_size)})


def _gib(weights: int) -> str:
    return f"{4 * weights / 2**30:.1f} GiB"
