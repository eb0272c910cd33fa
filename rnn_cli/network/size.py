"""Counts the weights of a config's network before it is built, and limits them to what a file can hold.

Takes no TensorFlow: counts by `rnn_cli.graph`; a test compares that with `build`.
"""

from rnn_cli.config.schema import ModelConfig
from rnn_cli.errors import ConfigError, ConfigMistake
from rnn_cli.graph import Architecture

LARGEST_MODEL = (1 << 31) - (1 << 26)
"""Bytes of weights that an ONNX file can hold besides its graph: protobuf's limit is 2 GiB."""

LARGEST_NGRAMS = 1 << 28
"""The maximum of bytes of the n-gram part: a run holds eight copies of it at its end, and a bundle three. On short
texts of 60 labels, 16,000 buckets for 42,000 pairs of words were as accurate as 262,000."""

PARTS = {
    "input": "token vectors (tokenizer.vocab_size, model.embedding_dim)",
    "recurrent": "recurrent layers (model.units)",
    "dense": "dense layers (model.dense_units, the labels)",
    "ngrams": "n-gram part (model.ngrams, model.ngram_buckets)",
}
"""The parts of an `Architecture`, with the config keys that set their size."""


def count_weights(model: ModelConfig, vocab_size: int, classes: int, *, several: bool = False) -> dict[str, int]:
    """The number of weights of each part of a network, by the part's description in `PARTS`."""
    sizes: dict[str, int] = {}
    for layer in Architecture.of(model, vocab_size, classes, several=several).layers:
        if layer.weights:
            sizes[PARTS[layer.part]] = sizes.get(PARTS[layer.part], 0) + layer.weights
    return sizes


def refuse_too_large(model: ModelConfig, vocab_size: int, classes: int, *, several: bool = False) -> None:
    """Raise `ConfigError` if the network is too large for a model file."""
    sizes = count_weights(model, vocab_size, classes, several=several)
    if 4 * sum(sizes.values()) <= LARGEST_MODEL:
        return
    largest = sorted(sizes.items(), key=lambda item: -item[1])
    parts = ", ".join(f"{part} {_gib(each)}" for part, each in largest if 20 * each > sum(sizes.values()))
    raise ConfigError(
        [
            ConfigMistake(
                f"the weights take {_gib(sum(sizes.values()))}, but a model file holds "
                f"{LARGEST_MODEL / 2**30:.1f} GiB; make the largest part smaller: {parts}",
                "model",
            )
        ]
    )


def with_fitting_ngrams(model: ModelConfig, vocab_size: int, classes: int, *, several: bool = False) -> ModelConfig:
    """The model with as many n-gram buckets as fit for this number of labels; without n-grams if too few fit."""
    sizes = count_weights(model, vocab_size, classes, several=several)
    if 4 * sizes.get(PARTS["ngrams"], 0) <= LARGEST_NGRAMS:
        return model
    outputs = 1 if classes == 2 and not several else classes
    rows = (LARGEST_NGRAMS // 4 - outputs) // outputs - outputs
    # With far fewer buckets than tokens, all pairs of tokens would share their weights with many others.
    if rows - vocab_size < vocab_size // 4:
        return model.model_copy(update={"ngrams": 0})
    return model.model_copy(update={"ngram_buckets": min(model.ngram_buckets, rows - vocab_size)})


def _gib(weights: int) -> str:
    return f"{4 * weights / 2**30:.1f} GiB"
