"""A text's tokens at the levels that need no library: words, characters, sentences.

Knows nothing of ids, vocabularies or files.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache
from itertools import groupby

_ASCII = re.compile(r"[A-Za-z0-9']++|\S")


def words_and_marks(text: str) -> list[str]:
    """All of a text but its white space, in order: words, and punctuation marks and symbols one by one.

    A word is letters, digits and apostrophes (' and ’). Combining marks and invisible format characters stay
    with what they follow, as in the word boundaries of Unicode (UAX #29, rule WB4); so Hindi and Thai words
    stay whole, and an emoji is one token with its variation selector, its skin tone, all that zero-width
    joiners tie to it, or the other half of its flag.
    """
    return _ASCII.findall(text) if text.isascii() else _any_text().findall(text)


@cache
def _any_text() -> re.Pattern[str]:
    """The pattern for any text, made when the first that is not ASCII comes: it takes some 15 milliseconds."""
    joined = _joined()
    ascii_follows = r"(?![^\x00-\x7f])"
    return re.compile(
        # ASCII before ASCII needs no look at Unicode's tables, which makes most texts three times as fast.
        # Possessive, so that "caf" is no word where é follows.
        rf"[A-Za-z0-9']++{ascii_follows}"
        rf"|[!-&(-/:-@\[-`{{-~]{ascii_follows}"
        r"|(?=\S)(?:"
        rf"(?:[^\W_]++|['’{joined}]++)++"
        r"|[🇦-🇿]{2}"
        rf"|.[{joined}🏻-🏿]*(?:(?<=\u200d)[^\s\w'’][{joined}🏻-🏿]*)*"
        r")",
        re.DOTALL,
    )


def _joined() -> str:
    """Ranges, for a regular expression's class, of the combining marks (M) and format characters (Cf)."""
    # The planes left out hold ideographs, private use and nothing yet.
    codes = (
        code
        for code in (*range(0x80, 0x20000), *range(0xE0000, 0xE1000))
        if unicodedata.category(chr(code)) in {"Mn", "Mc", "Me", "Cf"}
    )
    runs = groupby(enumerate(codes), lambda index: index[1] - index[0])
    ends = ([code for _, code in run] for _, run in runs)
    return "".join(f"{chr(run[0])}-{chr(run[-1])}" for run in ends)


Split = Callable[[str], list[str]]
"""Reads a text and answers its tokens, in order; none of them is empty."""

WORD_FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
"""Keras's default: punctuation but the apostrophe, tabs and line ends. A word level reads them as spaces."""

WORD_START = "▁"
"""Subword level: begins the piece that begins a word, so "in" and the end of "cabin" are two pieces."""

_SENTENCE_END = re.compile(
    r"(?<=[.!?…])\s+"  # a mark and a space: "3.5" and "rnn.org" hold none
    r"|(?<=[.!?…][\"'”’»)\]])\s+"  # the same with a closing quote or bracket between
    r"|(?<=[。！？])(?![。！？])"  # Chinese and Japanese write no space after their marks
    r"|[\r\n]+"
)


def cleaner(*, lowercase: bool, filters: str) -> Callable[[str], str]:
    """A function that lower-cases a text, then makes each character of `filters` a space.

    A lone surrogate, which no UTF-8 file can hold, is read as "?".
    """
    # One pass of `bytes.translate` costs an eighth of `str.lower` and `str.translate` together. Bytes from
    # 128 up are parts of longer UTF-8 sequences and stay as they are, so only ASCII filters can go this way.
    spaces = bytes(ord(" ") if chr(byte) in filters and byte < 128 else byte for byte in range(256))
    lower_and_spaces = bytes(range(256)).lower().translate(spaces) if lowercase else spaces
    beyond_ascii = str.maketrans({character: " " for character in filters if not character.isascii()})

    def clean(text: str) -> str:
        if text.isascii():
            return text.encode().translate(lower_and_spaces).decode()
        if lowercase:
            text = text.lower()
        text = text.encode("utf-8", "replace").translate(spaces).decode()
        return text.translate(beyond_ascii) if beyond_ascii else text

    return clean


def splitter(level: str, clean: Callable[[str], str], punctuation: str) -> Split:
    """The function that splits a text at `level`: "word", "char" or "sentence".

    - word: the cleaned text between plain spaces, as Keras's `Tokenizer` does; other white space (a
      non-breaking space, say) belongs to the word. If `punctuation` is "keep": its words and marks, between
      white space of any kind.
    - char: every code point of the cleaned text, spaces too.
    - sentence: the text between line ends and sentence marks (. ! ? … before white space, 。 ！ ？ anywhere).
      Each sentence keeps its mark and is cleaned by itself, so that filtering "." does not join sentences;
      its runs of white space become one space.
    """
    if level == "word" and punctuation == "keep":
        return lambda text: words_and_marks(clean(text))
    if level == "word":
        return lambda text: list(filter(None, clean(text).split(" ")))
    if level == "char":
        return lambda text: list(clean(text))
    if level == "sentence":
        return lambda text: _sentences(text, clean)
    raise ValueError(f"no such level: {level}")


def _sentences(text: str, clean: Callable[[str], str]) -> list[str]:
    parts = (" ".join(clean(part).split()) for part in _SENTENCE_END.split(text))
    return [part for part in parts if part]


Span = tuple[int, int]
"""A token's characters: text[start:end]."""


def find_spans(
    text: str, tokens: Iterable[str], clean: Callable[[str], str], blank: Callable[[str], bool]
) -> list[Span]:
    """Each token's `Span`; `tokens` are all that splitting found in `text`, `blank` tells what lies between them.

    Two tokens may share a character: "İ" has two in lower case. A token without any, such as the piece that only says
    that a word begins, has the span of the character after it.
    """
    cleaned = clean(text)
    origins: Iterable[int] = range(len(text))
    if len(cleaned) > len(text):
        origins = (index for index, character in enumerate(text) for _ in character.lower())
    solid = [index for index, character in zip(origins, cleaned, strict=True) if not blank(character)]
    if not solid:
        return [(0, len(text)) for _ in tokens]
    spans, done, last = [], 0, len(solid) - 1
    for token in tokens:
        # Cleaned, since a word that is written as the unknown token is given as that, in its own case.
        length = sum(not blank(character) for character in clean(token))
        spans.append((solid[min(done, last)], solid[min(done + max(length, 1) - 1, last)] + 1))
        done += length
    return spans


def blanks(level: str, punctuation: str) -> Callable[[str], bool]:
    """The function that tells whether a character of a cleaned text stands between its tokens."""
    if level == "char":
        return lambda character: False
    if level == "word" and punctuation == "drop":
        return lambda character: character == " "
    if level == "subword":  # which reads the sign of a word's start as a space
        return lambda character: character.isspace() or character == WORD_START
    return str.isspace
