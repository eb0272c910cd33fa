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


def read(tokenizer: Tokenizer, texts: Sequence[str]) -> tuple[list[list[int]], Reading]:
    """What `Tokenizer.encode_all` makes of texts, at least one, and the counts over them, both in one go."""
    encoded: list[list[int]] = []
    lengths = np.empty(len(texts), np.intp)
    for place, text in enumerate(texts):
        ids, lengths[place] = tokenizer.encode_counted(text)
        encoded.append(ids)
    seen = np.minimum(lengths, tokenizer.max_length)
    # A text without tokens is encoded as an unknown one, which stands nowhere in it.
    unknown = sum(ids.count(UNKNOWN) for ids in encoded) - int((lengths == 0).sum())
    cut = int((lengths > tokenizer.max_length).sum())
    return encoded, Reading(len(texts), int(lengths.sum()), int(seen.sum()), unknown, cut, lengths)
