"""The layers of a network and their sizes, as its graph shows them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # loading it loads pydantic
    from rnn_cli.config.schema import ModelConfig

GATE_COUNTS = {"lstm": 4, "gru": 3, "rnn": 1}

CELL_NAMES = {"lstm": "LSTM", "gru": "GRU", "rnn": "SimpleRNN"}
"""The names of the cells in Keras."""

LONGEST_NGRAMS = 3
"""The maximum length of an n-gram in tokens."""

WIDEST = 1 << 16
"""The maximum width of a token vector, a state or a hidden layer: scoring a text takes memory of its length times the
width, which no file size limits."""


@dataclass(frozen=True)
class Layer:
    """One layer: its name in Keras, its part of the network, and its number of weights.

    `width` is its number of outputs for each of a text's `along` ("tokens" or "runs" of tokens), or for the whole text
    if that is None. A part is "input", "recurrent", "pooling", "dense" or "ngrams".
    """

    name: str
    part: str
    what: str
    width: int
    along: str | None
    weights: int


@dataclass(frozen=True)
class Architecture:
    """The layers of a network and their sizes.

    `width` is the length of a token's vector, 0 for one-hot input. `outputs` is the number of logits, one for two
    labels. `columns` are the numbers of a row's other columns, which join the text's vector and the n-grams. `ngrams`
    is the maximum length of an n-gram, 0 for none; `buckets` is the number of their weights. A linear model has no
    `units`, and no layers but those of its n-grams.
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
    columns: int = 0

    @classmethod
    def of(
        cls, config: "ModelConfig", vocab_size: int, labels: int, *, several: bool = False, columns: int = 0
    ) -> "Architecture":
        """The architecture of a config's network; with `several`, a text may have several of the labels."""
        outputs = 1 if labels == 2 and not several else labels
        if config.kind == "linear":
            return cls.linear(vocab_size, outputs, config.ngrams, config.ngram_buckets, columns)
        return cls(
            vocab_size=vocab_size,
            width=config.embedding_dim if config.input == "embedding" else 0,
            cell=config.cell,
            units=tuple(config.units),
            bidirectional=config.bidirectional,
            pooling=config.pooling,
            dense_units=tuple(config.dense_units),
            outputs=outputs,
            ngrams=config.ngrams,
            buckets=config.ngram_buckets if config.ngrams else 0,
            columns=columns,
        )

    @classmethod
    def linear(cls, vocab_size: int, outputs: int, ngrams: int, buckets: int, columns: int = 0) -> "Architecture":
        """The architecture of a linear model; single tokens need no buckets."""
        return cls(vocab_size, 0, "", (), False, "", (), outputs, ngrams, buckets if ngrams > 1 else 0, columns)

    @property
    def is_linear(self) -> bool:
        """Whether there is no network."""
        return not self.units

    @property
    def widest(self) -> int:
        """The largest width of a token vector, state or hidden layer."""
        if self.is_linear:
            return max(self.outputs, self.columns)
        return max(self.width or self.vocab_size, *self.units, *self.dense_units, self.columns)

    @property
    def weights(self) -> int:
        """The number of weights in Keras's layers."""
        return sum(layer.weights for layer in self.layers)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers in order, also those without weights, except layers that only training uses (dropout)."""
        if self.is_linear:
            return (*self._ngrams(), self._probability())
        found, width = [self._input()], self.width or self.vocab_size
        for depth, units in enumerate(self.units, start=1):
            found.append(self._recurrent(depth, width, units))
            width = found[-1].width
        if self.pooling != "last":
            width *= 2 if self.pooling == "max_mean" else 1
            what = {"max": "maximum", "mean": "mean", "max_mean": "maximum and mean"}[self.pooling]
            found.append(Layer("pooling", "pooling", f"{what} over tokens", width, None, 0))
        if self.columns:
            width += self.columns
            found.append(Layer("joined", "dense", f"and {self.columns} numbers of other columns", width, None, 0))
        for depth, units in enumerate(self.dense_units, start=1):
            found.append(Layer(f"dense_{depth}", "dense", "Dense, ReLU", units, None, (width + 1) * units))
            width = units
        outputs = self.outputs
        found.append(Layer("logits", "dense", "Dense", outputs, None, (width + 1) * outputs))
        if self.ngrams:
            found += [*self._ngrams(), Layer("average", "ngrams", "mean of both logits", outputs, None, 0)]
        return (*found, self._probability())

    def _ngrams(self) -> tuple[Layer, ...]:
        rows, runs = self.vocab_size + self.buckets, "token" if self.ngrams == 1 else f"1 to {self.ngrams} tokens"
        outputs = self.outputs
        table = Layer("ngrams", "ngrams", f"a weight per {runs}", outputs, "runs", rows * outputs)
        last = Layer("ngram_logits", "ngrams", "their sum, scaled", outputs, None, (outputs + 1) * outputs)
        if not self.columns:
            return table, last
        weights = self.columns * outputs
        return table, Layer("column_weights", "ngrams", "weights of other columns", outputs, None, weights), last

    def _probability(self) -> Layer:
        squashed = "sigmoid" if self.outputs == 1 else "softmax"
        return Layer("probability", "dense", squashed, self.outputs, None, 0)

    def _input(self) -> Layer:
        if self.width:
            count = self.vocab_size * self.width
            return Layer("embedding", "input", "a learned vector per token", self.width, "tokens", count)
        return Layer("one_hot", "input", "a 1 among zeros per token", self.vocab_size, "tokens", 0)

    def _recurrent(self, depth: int, width: int, units: int) -> Layer:
        directions, gates = 1 + self.bidirectional, GATE_COUNTS[self.cell]
        biases = 2 if self.cell == "gru" else 1  # Keras's GRU has a separate recurrent bias
        last = depth == len(self.units) and self.pooling == "last"
        return Layer(
            name=f"{'bidirectional_' * self.bidirectional}{self.cell}_{depth}",
            part="recurrent",
            what=f"{CELL_NAMES[self.cell]}, {'both directions' if self.bidirectional else 'forward'}",
            width=directions * units,
            along=None if last else "tokens",
            weights=directions * gates * units * (width + units + biases),
        )
