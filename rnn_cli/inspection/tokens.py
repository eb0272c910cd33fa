"""How texts become ids, step by step. Loads no library but numpy, so that it answers at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from rnn_cli.text.padding import pad
from rnn_cli.text.tokenizer import Tokenizer
from rnn_cli.text.tokenizer_json import UNKNOWN


@dataclass(frozen=True)
class Token:
    """One token of a text: its id, and whether it is among those that are read."""

    text: str
    id: int
    kept: bool

    @property
    def known(self) -> bool:
        """Whether the vocabulary has it; if not, its id is that of the unknown token."""
        return self.id != UNKNOWN


@dataclass(frozen=True)
class Reading:
    """What became of one text: all its tokens, the ids that are read, and these padded to the longest text's.

    A text without tokens is read as one unknown token, so `ids` is never empty.
    """

    text: str
    tokens: tuple[Token, ...]
    ids: tuple[int, ...]
    padded: tuple[int, ...]


def read_texts(tokenizer: Tokenizer, texts: Sequence[str]) -> list[Reading]:
    """A `Reading` a text, in order; all are padded together, as in a batch."""
    sequences = tokenizer.encode_all(texts)
    return [
        Reading(text, _tokens(tokenizer, text), tuple(ids), tuple(padded.tolist()))
        for text, ids, padded in zip(texts, sequences, pad(sequences), strict=True)
    ]


def _tokens(tokenizer: Tokenizer, text: str) -> tuple[Token, ...]:
    tokens = tokenizer.tokens(text)
    kept = set(tokenizer.cut(range(len(tokens))))
    return tuple(Token(token, tokenizer.id_of(token), index in kept) for index, token in enumerate(tokens))
