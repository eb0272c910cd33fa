"""How much of some texts a model reads, and how much of that it knows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rnn_cli.text.stored import UNKNOWN
from rnn_cli.text.tokenizer import Tokenizer


@dataclass(frozen=True)
class Reading:
    """Counts over `texts` texts, at least one.

    Of all `tokens` the model reads `read`, for a text longer than its `max_length` is cut, as `cut` texts were; of
    those it reads, `unknown` are not in its vocabulary. `lengths` are the whole texts' numbers of tokens, `[texts]`.
    """

    texts: int
    tokens: int
    read: int
    unknown: int
    cut: int
    lengths: npt.NDArray[np.intp]

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
    lengths = np.empty(len(texts), np.intp)
    read = unknown = 0
    for place, text in enumerate(texts):
        ids = tokenizer.encode_whole(text)
        seen = tokenizer.cut(ids)
        lengths[place] = len(ids)
        read += len(seen)
        unknown += seen.count(UNKNOWN)
    cut = int((lengths > tokenizer.max_length).sum())
    return Reading(len(texts), int(lengths.sum()), read, unknown, cut, lengths)
