"""What a network is made of, as far as its graph shows."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # loading it loads pydantic
    from rnn_cli.config.schema import ModelConfig

GATES = {"lstm": 4, "gru": 3, "rnn": 1}

LONGEST_NGRAMS = 3
"""Tokens of the longest runs that have weights of their own."""

WIDEST = 1 << 16
"""Numbers that a token, a state or a hidden layer may have, at most: what a text takes to score is so many times its
length, and no file's size bounds that."""


@dataclass(frozen=True)
class Architecture:
    """The layers of a network and their sizes.

    `width` is the length of a token's vector, 0 where tokens enter as one-hot. `outputs` are the logits a text: one for
    two labels. `ngrams` is the length of the longest runs with weights, 0 for none; `buckets` their weights.
    """

    vocab_size: int
    width: int
    cell: str
    units: tuple[int, ...]
    bidirectional: bool
    pooling: str
    dense_units: tuple[int, ...]
    outputs: int
    ngrams: int = 0
    buckets: int = 0

    @classmethod
    def of(cls, config: "ModelConfig", vocab_size: int, labels: int) -> "Architecture":
        """That of the network of a config."""
        return cls(
            vocab_size=vocab_size,
            width=config.embedding_dim if config.input == "embedding" else 0,
            cell=config.cell,
            units=tuple(config.units),
            bidirectional=config.bidirectional,
            pooling=config.pooling,
            dense_units=tuple(config.dense_units),
            outputs=1 if labels == 2 else labels,
            ngrams=config.ngrams,
            buckets=config.ngram_buckets if config.ngrams else 0,
        )

    @property
    def widest(self) -> int:
        """The most numbers that one token, state or hidden layer has."""
        return max(self.width or self.vocab_size, *self.units, *self.dense_units)

    @property
    def weights(self) -> int:
        """How many numbers training finds, in Keras's layers."""
        directions, gates = 1 + self.bidirectional, GATES[self.cell]
        biases = 2 if self.cell == "gru" else 1  # Keras's GRU keeps the recurrent bias apart
        count, width = self.vocab_size * self.width, self.width or self.vocab_size
        for units in self.units:
            count += directions * gates * units * (width + units + biases)
            width = directions * units
        width *= 2 if self.pooling == "max_mean" else 1
        for units in (*self.dense_units, self.outputs):
            count += (width + 1) * units
            width = units
        if self.ngrams:
            count += (self.vocab_size + self.buckets + self.outputs + 1) * self.outputs
        return count
