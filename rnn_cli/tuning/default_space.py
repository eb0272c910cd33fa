"""What a search tries where its config does not say: a space for rows of each number, length and kind.

Each dimension holds the value of the config to begin with, so that the first network is a point of the space.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from rnn_cli.checks.word_pieces import PIECES, settings_of_pieces
from rnn_cli.config.schema import OWN, Config
from rnn_cli.tuning.space import Choices, Dimension, Range, Space, value_in

FEW_TO_TUNE = 1_000
"""Fewer rows are for small networks and small batches."""

LONG_TEXTS = 120
"""Tokens: texts of more are read in longer or shorter parts."""

IMBALANCED = 3.0
"""So many times more frequent must a label be than another, so that weights of labels are worth a try."""

WHERE_NETWORK: dict[str, tuple[Any, ...]] = {"model.kind": ("network",)}
WHERE_LINEAR: dict[str, tuple[Any, ...]] = {"model.kind": ("linear",)}


@dataclass(frozen=True)
class Facts:
    """What the space depends on: training rows, the length in tokens that 95 % of the texts do not exceed, by how much
    the most frequent label exceeds the rarest, and the most bytes that a model may have."""

    rows: int
    length: int
    imbalance: float
    max_bytes: int | None = None


def pieces_of(config: Config, facts: Facts) -> dict[str, Any] | None:
    """The settings by which the n-grams of a config learn from pieces of words, too; None where that is not for it."""
    return settings_of_pieces(config, facts.rows, facts.length, may_grow=facts.max_bytes is None)


def default_space(config: Config, facts: Facts, base: str | None = None) -> Space:
    """The space around a config of a network of its own; `base` is a model that is worth a try, too."""
    found = [Dimension("model.kind", Choices(("network", "linear")))]
    network = WHERE_NETWORK
    if base is not None:
        found.append(Dimension("model.base", Choices((None, base)), WHERE_NETWORK))
        network = {**WHERE_NETWORK, "model.base": (None,)}
        # On the base nothing else counts, so all has a dimension for the linear model and one for the network.
        for when, of in ((WHERE_LINEAR, "linear"), (network, "network")):
            shared = [*_of_tokenizer(config, facts), *_of_both(config, facts)]
            found += [replace(each, when=when, name=f"{each.key} of {of}") for each in shared]
    else:
        found += [*_of_tokenizer(config, facts), *_of_both(config, facts)]
    of_pieces = pieces_of(config, facts) is not None
    found += _of_linear(config)
    found += _of_pieces(config, WHERE_LINEAR, "linear") if of_pieces else ()
    found += _of_network(config, facts, network)
    found += _of_pieces(config, network, "network") if of_pieces else ()
    return Space(tuple(found))


def _choices(config: Config, key: str, *values: Any, **more: Any) -> Dimension:
    """A dimension of these values and the config's own."""
    own = value_in(config, key)
    return Dimension(key, Choices(tuple(values if own in values else (own, *values))), **more)


def _range(
    config: Config, key: str, low: float, high: float, when: dict[str, tuple[Any, ...]], step: float | None = None
) -> Dimension:
    """A dimension of a range that holds the config's own value: every `step`, or in logarithms."""
    own = value_in(config, key)
    if step is None:
        return Dimension(key, Range(min(low, own), max(high, own), log=True), when)
    if Range(low, high, step=step).holds(own):
        return Dimension(key, Range(low, high, step=step), when)
    steps = [round(low + at * step, 6) for at in range(round((high - low) / step) + 1)]
    return Dimension(key, Choices((own, *steps)), when)


def _of_tokenizer(config: Config, facts: Facts) -> Iterator[Dimension]:
    tokenizer = config.tokenizer
    small = (2_000, 5_000, 10_000) if facts.max_bytes is not None else ()
    if tokenizer.level == "word":
        large = () if facts.max_bytes is not None else (20_000, 50_000)
        yield _choices(config, "tokenizer.vocab_size", *small, *large)
        if tokenizer.splitting != "ascii":
            yield _choices(config, "tokenizer.splitting", "unicode", "posts")
        yield _choices(config, "tokenizer.punctuation", "drop", "keep")
    length = tokenizer.max_length
    if facts.length > length:
        yield _choices(config, "tokenizer.max_length", length, min(2 * length, 10 * -(-facts.length // 10)))
    elif length > LONG_TEXTS:
        yield _choices(config, "tokenizer.max_length", length, length // 2)


def _buckets(facts: Facts) -> tuple[int, ...]:
    """Numbers of n-gram buckets, of a small model few."""
    return (1 << 14, 1 << 16, 1 << 18) if facts.max_bytes is not None else (1 << 18, 1 << 20)


def _of_linear(config: Config) -> Iterator[Dimension]:
    own = config.model.ngrams or 2
    longest = tuple(dict.fromkeys((own, 1, 2, 3)))
    yield Dimension("model.ngrams", Choices(longest), WHERE_LINEAR, "model.ngrams of linear")


def _of_pieces(config: Config, when: dict[str, tuple[Any, ...]], of: str) -> Iterator[Dimension]:
    """Pieces of words, beside n-grams alone."""
    where = {**when, "model.ngrams": (1, 2, 3)}
    yield _choices(config, "model.char_ngrams", 0, PIECES, when=where, name=f"model.char_ngrams of {of}")


def _of_both(config: Config, facts: Facts) -> Iterator[Dimension]:
    yield _choices(config, "model.ngram_buckets", *_buckets(facts))
    if facts.imbalance > IMBALANCED:
        yield _choices(config, "training.class_weight", None, "balanced")


def _of_network(config: Config, facts: Facts, when: dict[str, tuple[Any, ...]]) -> Iterator[Dimension]:
    few = facts.rows < FEW_TO_TUNE
    without = () if config.model.char_ngrams else (0,)
    yield _choices(config, "model.ngrams", *without, 2, 3, when=when, name="model.ngrams of network")
    if config.model.input == "embedding":
        yield _choices(config, "model.embeddings", None, OWN, when=when)
    small = facts.max_bytes is not None
    yield _choices(config, "model.embedding_dim", *((16, 32, 64) if small else (64, 128, 200)), when=when)
    units = [[16], [32], [64]] if few or small else [[32], [64], [96], [128], [64, 64]]
    yield _choices(config, "model.units", *units, when=when)
    yield _choices(config, "model.pooling", "max", "max_mean", when=when)
    yield _range(config, "model.embedding_dropout", 0.0, 0.6, when, step=0.1)
    yield _range(config, "model.dropout", 0.0, 0.6, when, step=0.1)
    yield _range(config, "training.learning_rate", 5e-4, 1e-2, when)
    yield _choices(config, "training.batch_size", *((8, 16, 32) if few else (32, 64, 128)), when=when)
    epochs = config.training.epochs
    yield Dimension("training.epochs", Range(max(1, epochs // 2), 2 * epochs), when)
    if not config.data.several:
        yield _range(config, "training.label_smoothing", 0.0, 0.1, when, step=0.05)
