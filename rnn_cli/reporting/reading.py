"""How much of some texts a model reads, and how much of that it knows."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from rnn_cli.text.stored import UNKNOWN
from rnn_cli.text.tokenizer import Tokenizer


@dataclass(frozen=True)
class Reading:
    """Counts over `texts` texts, at least one.

    Of all `tokens` the model reads `read`, for a text longer than its `max_length` is cut, as `cut` texts were; of
    those it reads, `unknown` are not in its vocabulary. `median` is that of the texts' numbers of tokens.
    """

    texts: int
    tokens: int
    read: int
    unknown: int
    cut: int
    median: float

    @property
    def unknown_share(self) -> float:
        """Of the tokens that are read."""
        return self.unknown / max(self.read, 1)

    @property
    def cut_share(self) -> float:
        """Of the texts."""
        return self.cut / self.texts


def count(tokenizer: Tokenizer, texts: Sequence[str]) -> Reading:
    """Count over texts, at least one, what the tokenizer makes of each."""
    lengths, read, unknown = [], 0, 0
    for text in texts:
        ids = tokenizer.encode_whole(text)
        seen = tokenizer.cut(ids)
        lengths.append(len(ids))
        read += len(seen)
        unknown += seen.count(UNKNOWN)
    cut = sum(length > tokenizer.max_length for length in lengths)
    return Reading(len(texts), sum(lengths), read, unknown, cut, median(lengths))
