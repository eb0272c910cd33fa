"""How long texts are and how many words they use, as the config's tokenizer reads them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_cli.checks.findings import Finding, Severity
from rnn_cli.config.schema import TokenizerConfig
from rnn_cli.text.tokenizer import Tokenizer

SHARES = (0.95, 0.99)
"""The shares of texts, and of running words, with a suggestion."""

MUCH = 0.05
"""A larger share of texts cut, or of running tokens unknown, is a finding."""


@dataclass(frozen=True)
class Lengths:
    """Counts of the texts' tokens (characters at level char), and how much of them a config reads.

    `level` and `splitting` are the tokenizer's, as others count otherwise. `quantiles` are tokens a text, by share of
    the texts. `max_length` and `vocab_size` are the smallest settings that keep a share of the texts whole, and know a
    share of the running tokens; `vocab_size` is None at level subword, where pieces make up every word. `cut` is the
    share of texts that the config in force shortens, `lost` the share of running tokens that it does not read,
    `unknown` the share that its vocabulary does not hold; `both_ends` says whether it reads the beginning and the end
    of a text that it shortens. Of `distinct` tokens `twice` occur more than once.
    """

    level: str
    splitting: str
    quantiles: Mapping[float, int]
    max_length: Mapping[float, int]
    vocab_size: Mapping[float, int] | None
    tokens: int
    distinct: int
    twice: int
    in_force: Mapping[str, int]
    both_ends: bool
    cut: float
    lost: float
    unknown: float


def fit_tokenizer(texts: Sequence[str], config: TokenizerConfig) -> Tokenizer:
    """The tokenizer that training would fit to these texts, except for the ids of equally frequent tokens."""
    return Tokenizer.fit(texts, **config.model_dump())


def measure_lengths(texts: Sequence[str], tokenizer: Tokenizer, config: TokenizerConfig) -> Lengths:
    """Count the tokens of at least one text."""
    counts: Counter[str] = Counter()
    lengths = np.zeros(len(texts), np.int64)
    for index, text in enumerate(texts):
        tokens = tokenizer.tokens(text)
        lengths[index] = len(tokens)
        counts.update(tokens)
    running = int(lengths.sum())
    frequencies = np.sort(np.fromiter(counts.values(), np.int64, len(counts)))[::-1].cumsum()
    known = sum(count for token, count in counts.items() if tokenizer.id_of(token) > 1)
    at_least_one = max(running, 1)
    return Lengths(
        level=tokenizer.level,
        splitting=config.splitting,
        quantiles={share: _quantile(lengths, share) for share in (0.5, 0.9, *SHARES, 1.0)},
        max_length={share: max(1, _quantile(lengths, share)) for share in SHARES},
        # Two more ids: padding and the unknown token.
        vocab_size=None
        if tokenizer.level == "subword"
        else {share: 3 + int(np.searchsorted(frequencies, share * running)) for share in SHARES},
        tokens=running,
        distinct=len(counts),
        twice=sum(count > 1 for count in counts.values()),
        in_force={"max_length": config.max_length, "vocab_size": config.vocab_size},
        both_ends=config.truncate == "both",
        cut=float((lengths > config.max_length).mean()),
        lost=float(np.maximum(lengths - config.max_length, 0).sum() / at_least_one),
        unknown=(running - known) / at_least_one,
    )


def _quantile(lengths: Any, share: float) -> int:
    """The smallest length that this share of the texts does not exceed."""
    return int(np.quantile(lengths, share, method="inverted_cdf"))


def find_lengths(lengths: Lengths) -> Iterator[Finding]:
    """The findings about what the config in force does not read."""
    if lengths.cut > MUCH:
        yield Finding(
            "long texts",
            Severity.NOTE,
            f"tokenizer.max_length {lengths.in_force['max_length']:,} cuts {lengths.cut:.1%} of the texts and leaves "
            f"{lengths.lost:.1%} of all tokens unread.",
            f"max_length: {lengths.max_length[0.95]:,} keeps 95% of the texts whole, in more time"
            + ("." if lengths.both_ends else "; truncate: both reads the beginning and the end."),
        )
    if lengths.vocab_size is not None and lengths.unknown > MUCH:
        yield Finding(
            "unknown words",
            Severity.NOTE,
            f"With vocab_size {lengths.in_force['vocab_size']:,} the tokenizer does not know {lengths.unknown:.1%} of "
            "the running tokens.",
            f"vocab_size: {lengths.vocab_size[0.95]:,} knows 95% of them, {lengths.vocab_size[0.99]:,} 99%.",
        )
