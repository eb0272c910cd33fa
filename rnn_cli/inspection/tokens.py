"""How texts become ids, step by step. Loads only numpy, so that the command starts fast."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnn_cli.errors import UsageError
from rnn_cli.text.padding import pad
from rnn_cli.text.tokenizer import Tokenizer
from rnn_cli.text.tokenizer_json import UNKNOWN

if TYPE_CHECKING:  # loading it loads pydantic
    from rnn_cli.config.schema import TokenizerConfig


@dataclass(frozen=True)
class Token:
    """One token of a text: its id, and whether the model reads it (`kept`)."""

    text: str
    id: int
    kept: bool

    @property
    def known(self) -> bool:
        """Whether the vocabulary has it; otherwise its id is that of the unknown token."""
        return self.id != UNKNOWN


@dataclass(frozen=True)
class Reading:
    """One encoded text: all its tokens, the ids that are read, and these ids padded to the longest text.

    A text without tokens is read as one unknown token, so `ids` is never empty.
    """

    text: str
    tokens: tuple[Token, ...]
    ids: tuple[int, ...]
    padded: tuple[int, ...]


def read_texts(tokenizer: Tokenizer, texts: Sequence[str]) -> list[Reading]:
    """Encode texts, in order, padded together as in a batch."""
    sequences = tokenizer.encode_all(texts)
    return [
        Reading(text, _tokens(tokenizer, text), tuple(ids), tuple(padded.tolist()))
        for text, ids, padded in zip(texts, sequences, pad(sequences), strict=True)
    ]


def untrained_tokenizer(config: "TokenizerConfig") -> Tokenizer:
    """A tokenizer that splits and cuts as a config says, with an empty vocabulary.

    Raises `UsageError` for subwords, which must be learned from texts.
    """
    if config.level == "subword":
        raise UsageError("its word pieces are learned from texts", where="level: subword", hint="name a --model")
    return Tokenizer.fit([], **config.model_dump())


def _tokens(tokenizer: Tokenizer, text: str) -> tuple[Token, ...]:
    tokens = tokenizer.tokens(text)
    kept = set(tokenizer.cut(range(len(tokens))))
    return tuple(Token(token, tokenizer.id_of(token), index in kept) for index, token in enumerate(tokens))
