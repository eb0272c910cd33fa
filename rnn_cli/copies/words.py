"""What a word is when texts are compared, and all texts of a set as one array of word numbers.

A word is a run of letters and digits in lower case, independent of the config's tokenizer; in scripts without spaces
between words each character is a word. Knows nothing of labels.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count, repeat

import numpy as np
import numpy.typing as npt

from rnn_cli.arrays import Indices
from rnn_cli.text.typography import usual

# Thai, Lao, Tibetan, Burmese, Khmer; kana and CJK ideographs, including the supplementary planes.
UNSPACED = (
    "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Characters of scripts without spaces between words, as ranges for a regular expression's class."""

KNOWN_WORDS = 0.5
"""Where the training texts hold fewer of the held-out texts' words than this share, models read characters instead: the
words have one letter, or the script puts no spaces between them."""

FindWords = Callable[[str], Sequence[str]]
"""Finds the words of a text."""

_ASCII = re.compile(r"[a-z0-9]+")
_UNSPACED = re.compile(f"[{UNSPACED}]")
_ANY = re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}]+")


@dataclass(frozen=True)
class Words:
    """Texts as numbers: text i is `ids[starts[i]:starts[i + 1]]`, each below `size`, the number of different words.

    A word without a number is -1.
    """

    ids: npt.NDArray[np.int64]
    starts: Indices
    size: int

    def __len__(self) -> int:
        """The number of texts."""
        return len(self.starts) - 1

    @property
    def lengths(self) -> Indices:
        """The number of words of each text."""
        return np.diff(self.starts)

    def take(self, texts: Sequence[int]) -> "Words":
        """Some of the texts, in the order given."""
        parts = [self.ids[self.starts[text] : self.starts[text + 1]] for text in texts]
        return _joined(parts, self.size)

    def runs(self, length: int) -> tuple[Indices, npt.NDArray[np.int64]]:
        """The text of each run of `length` words that all have a number, and a key that only equal runs share."""
        texts = np.repeat(np.arange(len(self)), self.lengths)
        count = max(len(texts) - length + 1, 0)
        keys = np.zeros(count, np.int64)
        whole = texts[:count] == texts[len(texts) - count :]
        for place in range(length):
            ids = self.ids[place : place + count]
            keys = keys * self.size + ids
            whole &= ids >= 0
        return texts[:count][whole], keys[whole]


def learn_words(texts: Iterable[str], split: FindWords) -> tuple[Words, Mapping[str, int]]:
    """The texts with words numbered by first appearance, and each word's number."""
    numbers: defaultdict[str, int] = defaultdict(count().__next__)
    found = [np.fromiter(map(numbers.__getitem__, split(text)), np.int64) for text in texts]
    return _joined(found, len(numbers)), dict(numbers)


def number_words(texts: Iterable[str], split: FindWords, numbers: Mapping[str, int]) -> Words:
    """The texts with words numbered as `learn_words` did for others; a word that is new has no number."""
    found = [np.fromiter(map(numbers.get, split(text), repeat(-1)), np.int64) for text in texts]
    return _joined(found, len(numbers))


def _joined(parts: Sequence[npt.NDArray[np.int64]], size: int) -> Words:
    starts = np.fromiter(chain([0], map(len, parts)), np.intp, len(parts) + 1).cumsum()
    return Words(np.concatenate(parts) if parts else np.empty(0, np.int64), starts, size)


def split_words(text: str) -> list[str]:
    """The words of a text, in order."""
    text = comparable(text)
    return _ASCII.findall(text) if text.isascii() else _ANY.findall(text)


def word_pieces(text: str) -> Iterator[tuple[str, str]]:
    """The text in pieces, each with the word that it is, "" for what stands between words."""
    end = 0
    for found in _ANY.finditer(text):
        if found.start() > end:
            yield text[end : found.start()], ""
        words = split_words(found[0])
        yield found[0], words[0] if len(words) == 1 else ""
        end = found.end()
    if end < len(text):
        yield text[end:], ""


def split_characters(text: str) -> str:
    """A text's characters in lower case, with one space for any white space."""
    return " ".join(comparable(text).split())


def comparable(text: str) -> str:
    """The text in its usual typography and in lower case."""
    # Splits, and the hashes of learned texts that models keep, depend on it.
    return usual(text).lower()


def is_word_character(character: str) -> bool:
    """Whether a character is part of a word."""
    return _ANY.fullmatch(character) is not None


def is_unspaced(character: str) -> bool:
    """Whether a character is of a script without spaces between words."""
    return _UNSPACED.fullmatch(character) is not None


def cleaned(text: str) -> str:
    """The text as it is compared with others: its words; of a text without words, all but white space at its ends.

    Equal results are the same text: case, punctuation, typography and white space make no difference.
    """
    return " ".join(split_words(text)) or comparable(" ".join(text.split()))
