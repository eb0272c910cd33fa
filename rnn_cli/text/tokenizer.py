"""The Tokenizer: texts to tokens and ids, at four levels. Knows nothing of padding, labels or files.

Imports no library at the top, as `rnn predict` loads this file at every start.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice, repeat
from operator import itemgetter
from typing import Any, TypeVar

from rnn_cli.text import tokenizer_json
from rnn_cli.text.pieces import piece_splitter
from rnn_cli.text.posts import post_units
from rnn_cli.text.splitting import (
    WORD_FILTERS,
    WORD_START,
    Span,
    Split,
    blanks,
    cleaner,
    find_spans,
    parts_at_marks,
    splitter,
)
from rnn_cli.text.tokenizer_json import UNKNOWN
from rnn_cli.text.typography import clusters

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Tokenizer:
    """Splits texts into tokens and maps them to ids. Immutable; made by `fit` or `from_json`.

    `vocab` holds the tokens in id order: 0 is padding (the empty string, which is never a token), 1 is `oov_token`.
    """

    level: str
    vocab: tuple[str, ...] = field(repr=False)
    oov_token: str
    lowercase: bool
    filters: str
    punctuation: str
    splitting: str
    max_length: int
    truncate: str
    merges: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Subword level only: the pairs of pieces to join, in the order they were learned."""

    @classmethod
    def fit(
        cls,
        texts: Iterable[str],
        *,
        level: str = "word",
        vocab_size: int = 10_000,
        oov_token: str = "<OOV>",
        lowercase: bool = True,
        filters: str | None = None,
        punctuation: str = "drop",
        splitting: str = "unicode",
        max_length: int = 200,
        truncate: str = "head",
    ) -> "Tokenizer":
        """Learn a vocabulary of at most `vocab_size` ids, including 0 and 1, from texts that are read once.

        The settings are those of `rnn_cli.config.schema.TokenizerConfig`. At word and char level with `splitting`
        "ascii" the ids equal those of Keras's `Tokenizer(num_words=vocab_size, oov_token=...)`, unless punctuation is
        kept: by frequency, ties by first appearance. A token equal to `oov_token` (or to its
        lower-case form, if texts are lower-cased) is unknown.

        Raises `ValueError` for an invalid level or punctuation, and for kept punctuation at another level than word.
        """
        if punctuation != "drop" and (level, punctuation) != ("word", "keep"):
            raise ValueError(f"no such punctuation at level {level}: {punctuation}")
        if filters is None:
            filters = WORD_FILTERS if level == "word" and punctuation == "drop" else ""
        reading = (oov_token, lowercase, filters, punctuation, splitting)
        unfitted = cls(level, (), *reading, max_length, truncate)
        reserved = _reserved(oov_token, lowercase)
        if level == "subword":
            from rnn_cli.text import subword

            specials, clean = ("", oov_token), unfitted._clean
            vocab, merges = subword.learn(
                texts, vocab_size=vocab_size, specials=specials, clean=clean, reserved=reserved
            )
            return replace(unfitted, vocab=vocab, merges=tuple(merges))
        found = _by_frequency(texts, unfitted._split, reserved)
        return replace(unfitted, vocab=("", oov_token, *islice(found, max(vocab_size - 2, 0))))

    @property
    def vocab_size(self) -> int:
        """The number of ids, including padding and unknown; every id is below it."""
        return len(self.vocab)

    def tokens(self, text: str) -> list[str]:
        """All tokens of a text, known or not, before truncation."""
        return self._split(text)

    def spans(self, text: str) -> list[Span]:
        """The span of each of `tokens(text)`: text[start:end], in characters."""
        blank = blanks(self.level, self.punctuation, self.splitting)
        units: Iterable[Span] = ((each, each + 1) for each in range(len(text)))
        if self.splitting != "ascii":
            units = (post_units if self.splitting == "posts" else clusters)(text, joined=not self._apart)
        return find_spans(text, self._split(text), units, self._clean, blank, self.oov_token)

    def id_of(self, token: str) -> int:
        """The id of a token; 1, the unknown token's id, if it is not in the vocabulary."""
        return self._ids.get(token, UNKNOWN) or UNKNOWN  # the empty string is padding, not a token

    def cut(self, tokens: Sequence[_Item]) -> Sequence[_Item]:
        """The tokens of a text after truncation: at most `max_length`, from the part that `truncate` names."""
        excess = len(tokens) - self.max_length
        if excess <= 0:
            return tokens
        if self.truncate == "head":
            return tokens[: self.max_length]
        if self.truncate == "tail":
            return tokens[excess:]
        head = self.max_length - self.max_length // 2
        return [*tokens[:head], *tokens[head + excess :]]

    def encode(self, text: str) -> list[int]:
        """The ids of a text, at least one and at most `max_length`; [1] for a text without tokens."""
        return self.encode_counted(text)[0]

    def encode_counted(self, text: str) -> tuple[list[int], int]:
        """The result of `encode`, and the number of tokens of the whole text."""
        tokens = self._split(text)
        return list(map(self._ids.get, self.cut(tokens), repeat(UNKNOWN))) or [UNKNOWN], len(tokens)

    def encode_whole(self, text: str) -> list[int]:
        """The ids of a whole text without truncation, none for a text without tokens."""
        return list(map(self._ids.get, self._split(text), repeat(UNKNOWN)))

    def encode_all(self, texts: Iterable[str]) -> list[list[int]]:
        """The ids of each text, in order, as from `encode`."""
        # Inlined: calls would take half as long as the work itself.
        split, id_of, longest = self._split, self._ids.get, self.max_length
        encoded = []
        for text in texts:
            tokens: Sequence[str] = split(text)
            if len(tokens) > longest:
                tokens = self.cut(tokens)
            encoded.append(list(map(id_of, tokens, repeat(UNKNOWN))) or [UNKNOWN])
        return encoded

    def knows(self, ids: Iterable[int]) -> bool:
        """Whether an encoded text holds a known token other than spaces; without one, a score means little."""
        if not self.blank:
            return max(ids, default=0) > UNKNOWN
        return any(each > UNKNOWN and each not in self.blank for each in ids)

    def to_json(self) -> str:
        """The tokenizer as JSON text for `from_json`."""
        fields: dict[str, Any] = {
            "level": self.level,
            "oov_token": self.oov_token,
            "lowercase": self.lowercase,
            "filters": self.filters,
            "punctuation": self.punctuation,
            "splitting": self.splitting,
            "max_length": self.max_length,
            "truncate": self.truncate,
            "vocabulary": self.vocab,
        }
        if self.level == "subword":
            fields["merges"] = self.merges
        return tokenizer_json.write_fields(fields)

    @classmethod
    def from_json(cls, text: str) -> "Tokenizer":
        """The tokenizer that `to_json` wrote. Raises `BundleError` on any other text."""
        fields = tokenizer_json.read_fields(text)
        vocab = tuple(fields.pop("vocabulary"))
        merges = tuple((left, right) for left, right in fields.pop("merges", ()))
        return cls(vocab=vocab, merges=merges, **fields)

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {token: index for index, token in enumerate(self.vocab)}

    @cached_property
    def blank(self) -> frozenset[int]:
        """The ids of known tokens that consist of spaces."""
        blank = f" {WORD_START}"
        return frozenset(index for index, token in enumerate(self.vocab) if index > UNKNOWN and not token.strip(blank))

    @property
    def _apart(self) -> bool:
        return parts_at_marks(self.level, self.punctuation, self.filters)

    @cached_property
    def _clean(self) -> Callable[[str], str]:
        return cleaner(
            lowercase=self.lowercase,
            filters=self.filters,
            splitting=self.splitting,
            apart=self._apart,
        )

    @cached_property
    def _split(self) -> Split:
        if self.level != "subword":
            return splitter(self.level, self._clean, self.punctuation, self.splitting)
        reserved = _reserved(self.oov_token, self.lowercase)
        return piece_splitter(self.oov_token, self.merges, clean=self._clean, reserved=reserved)


def _reserved(oov_token: str, lowercase: bool) -> set[str]:
    return {oov_token, oov_token.lower()} if lowercase else {oov_token}


def _by_frequency(texts: Iterable[str], split: Callable[[str], list[str]], reserved: set[str]) -> list[str]:
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(split(text))
    for token in reserved:
        del counts[token]
    # Counter keeps the order of first appearance, and the sort is stable: ties stay in that order.
    return [token for token, _ in sorted(counts.items(), key=itemgetter(1), reverse=True)]
