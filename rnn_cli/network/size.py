"""How many weights a network will have, before there is one, and what of it a file can hold. Takes no TensorFlow.

Tells of what `build` makes, layer by layer; a test holds the two together.
"""

from collections.abc import Iterator

from rnn_cli.config.schema import ModelConfig
from rnn_cli.errors import ConfigError, ConfigMistake

LARGEST_MODEL = (1 << 31) - (1 << 26)
"""Bytes of weights that an ONNX file can hold beside its graph: protobuf ends at 2 GiB."""

LARGEST_NGRAMS = 1 << 28
"""Bytes of the n-gram part, at most: a run holds eight copies of it when it ends, and a bundle three. Of 60 labels'
short texts 16,000 buckets for 42,000 pairs of words answered no worse than 262,000 did."""

GATES = {"lstm": 4, "gru": 3, "rnn": 1}


def count_weights(model: ModelConfig, vocab_size: int, classes: int) -> dict[str, int]:
    """The weights of each part of a network, by the part's name and the config's keys that it grows with."""
    sizes: dict[str, int] = {}
    width = vocab_size
    if model.input == "embedding":
        width = model.embedding_dim
        sizes["token vectors (tokenizer.vocab_size, model.embedding_dim)"] = vocab_size * width
    recurrent = 0
    directions = 2 if model.bidirectional else 1
    for units in model.units:
        biases = 2 if model.cell == "gru" else 1
        recurrent += directions * GATES[model.cell] * units * (width + units + biases)
        width = directions * units
    sizes["recurrent layers (model.units)"] = recurrent
    width *= 2 if model.pooling == "max_mean" else 1
    outputs = 1 if classes == 2 else classes
    sizes["dense layers (model.dense_units, the labels)"] = sum(_dense((width, *model.dense_units, outputs)))
    if model.ngrams:
        sizes["n-gram part (model.ngrams, model.ngram_buckets)"] = _ngram_weights(model, vocab_size, outputs)
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
    outputs = 1 if classes == 2 else classes
    if not model.ngrams or 4 * _ngram_weights(model, vocab_size, outputs) <= LARGEST_NGRAMS:
        return model
    rows = (LARGEST_NGRAMS // 4 - outputs) // outputs - outputs
    # With far fewer buckets than tokens, all pairs of tokens would share their weights with many others.
    if rows - vocab_size < vocab_size // 4:
        return model.model_copy(update={"ngrams": 0})
    return model.model_copy(update={"ngram_buckets": min(model.ngram_buckets, rows - vocab_size)})


def _ngram_weights(model: ModelConfig, vocab_size: int, outputs: int) -> int:
    return (vocab_size + model.ngram_buckets + outputs + 1) * outputs


def _dense(widths: tuple[int, ...]) -> Iterator[int]:
    for before, after in zip(widths, widths[1:], strict=False):
        yield (before + 1) * after


def _gib(weights: int) -> str:
    return f"{4 * weights / 2**30:.1f} GiB"
