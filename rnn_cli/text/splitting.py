"""Splits a text into tokens at the levels that need no library: words, characters, sentences.

Knows nothing of ids, vocabularies or files.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache
from itertools import groupby

from rnn_cli.text.posts import plain_post
from rnn_cli.text.typography import marks_apart, usual, usual_spaces

_ASCII = re.compile(r"[A-Za-z0-9']++|\S")


def words_and_marks(text: str) -> list[str]:
    """The words of a text, and its punctuation marks and symbols one by one, in order.

    A word consists of letters, digits and apostrophes (' and ’). Combining marks and invisible format characters stay
    with the character before them, as in Unicode's word boundaries (UAX #29, rule WB4). So Hindi and Thai words stay
    whole, and an emoji is one token with its variation selector, skin tone, zero-width-joined parts or flag half.
    """
    return _ASCII.findall(text) if text.isascii() else _any_text().findall(text)


@cache
def _any_text() -> re.Pattern[str]:
    """The pattern for any text, built for the first text that is not ASCII, as that takes about 15 milliseconds."""
    joined = _joined()
    ascii_follows = r"(?![^\x00-\x7f])"
    return re.compile(
        # ASCII followed by ASCII needs no Unicode tables, which makes most texts three times as fast.
        # Possessive, so that "caf" is not a word before é.
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
    """The combining marks (M) and format characters (Cf) as ranges of a regular expression's class."""
    # The other planes hold ideographs, private use characters or nothing.
    codes = (
        code
        for code in (*range(0x80, 0x20000), *range(0xE0000, 0xE1000))
        if unicodedata.category(chr(code)) in {"Mn", "Mc", "Me", "Cf"}
    )
    runs = groupby(enumerate(codes), lambda index: index[1] - index[0])
    ends = ([code for _, code in run] for _, run in runs)
    return "".join(f"{chr(run[0])}-{chr(run[-1])}" for run in ends)


Split = Callable[[str], list[str]]
"""Splits a text into its tokens, in order; no token is empty."""

WORD_FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
"""Keras's default: punctuation except the apostrophe, tabs and line ends, which the word level reads as spaces."""

WORD_START = "▁"
"""Marks a piece at the start of a word at subword level, so "in" and the end of "cabin" are two pieces."""

_SENTENCE_END = re.compile(
    r"(?<=[.!?…])\s+"  # a mark and a space, so not within "3.5" or "rnn.org"
    r"|(?<=[.!?…][\"'”’»)\]])\s+"  # the same with a closing quote or bracket between
    r"|(?<=[。！？])(?![。！？])"  # Chinese and Japanese write no space after their marks
    r"|[\r\n]+"
)


def cleaner(*, lowercase: bool, filters: str, splitting: str, apart: bool) -> Callable[[str], str]:
    """A function that lower-cases a text, then replaces each character of `filters` by a space.

    With `splitting` "unicode" it first reads the text in its usual typography, with "posts" after `plain_post`; `apart`
    then also puts spaces for punctuation beyond ASCII and around symbols. Reads a lone surrogate, which UTF-8 cannot
    encode, as "?".
    """
    if splitting != "ascii":
        filters = usual(filters)
    # One pass of `bytes.translate` takes an eighth of the time of `str.lower` and `str.translate`. Bytes from 128 on
    # are parts of longer UTF-8 sequences and must stay, so this works for ASCII filters only.
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

    if splitting == "ascii":
        return clean

    def read(text: str) -> str:
        if text.isascii():  # as most are: nothing in it needs the typography's tables
            return clean(text)
        cleaned = clean(usual(text))
        return marks_apart(cleaned) if apart else cleaned

    return (lambda text: read(plain_post(text))) if splitting == "posts" else read


def parts_at_marks(level: str, punctuation: str, filters: str) -> bool:
    """Whether every mark and symbol beyond ASCII parts words: at word level, unless `filters` names other marks."""
    return level == "word" and punctuation == "drop" and set(WORD_FILTERS) <= set(filters)


def splitter(level: str, clean: Callable[[str], str], punctuation: str, splitting: str) -> Split:
    """The function that splits a text at `level`: "word", "char" or "sentence".

    - word: splits the cleaned text at white space; with `splitting` "ascii" at spaces alone, as Keras's `Tokenizer`
      does, so that a non-breaking space belongs to the word. If `punctuation` is "keep": its words and marks.
    - char: every code point of the cleaned text, including spaces.
    - sentence: splits the text at line ends and after sentence marks (. ! ? … before white space, 。 ！ ？ anywhere).
      Each sentence keeps its mark and is cleaned separately, so that filtering "." does not join sentences; runs of
      white space become one space.
    """
    if level == "word" and punctuation == "keep":
        return lambda text: words_and_marks(clean(text))
    if level == "word" and splitting == "ascii":
        return lambda text: list(filter(None, clean(text).split(" ")))
    if level == "word":
        return lambda text: clean(text).split()
    if level == "char":
        return lambda text: list(clean(text))
    if level == "sentence" and splitting == "ascii":
        return lambda text: _sentences(text, clean)
    if level == "sentence":
        return lambda text: _sentences(usual_spaces(text), clean)
    raise ValueError(f"no such level: {level}")


def _sentences(text: str, clean: Callable[[str], str]) -> list[str]:
    parts = (" ".join(clean(part).split()) for part in _SENTENCE_END.split(text))
    return [part for part in parts if part]


Span = tuple[int, int]
"""A token's characters: text[start:end]."""


def find_spans(
    text: str,
    tokens: Iterable[str],
    units: Iterable[Span],
    clean: Callable[[str], str],
    blank: Callable[[str], bool],
    unknown: str,
) -> list[Span]:
    """The `Span` of each token; `tokens` are all tokens of `text`, `blank` recognizes characters between them.

    `units` are the spans of the text that `clean` reads by themselves.

    Two tokens may share a character: "İ" becomes two characters in lower case. A token without characters, such as the
    piece that only marks the start of a word, has the span of the next character.
    """
    origins = (unit for unit in units for _ in clean(text[slice(*unit)]))
    solid = [origin for origin, character in zip(origins, clean(text), strict=True) if not blank(character)]
    if not solid:
        return [(0, len(text)) for _ in tokens]
    spans, done, last = [], 0, len(solid) - 1
    for token in tokens:
        # A word written like the unknown token has become that token, in the token's case.
        length = sum(not blank(character) for character in (clean(token) if token == unknown else token))
        spans.append((solid[min(done, last)][0], solid[min(done + max(length, 1) - 1, last)][1]))
        done += length
    return spans


def blanks(level: str, punctuation: str, splitting: str) -> Callable[[str], bool]:
    """The function that recognizes the characters of a cleaned text that are between tokens."""
    if level == "char":
        return lambda character: False
    if level == "word" and punctuation == "drop" and splitting == "ascii":
        return lambda character: character == " "
    if level == "subword":  # it reads the mark of a word's start as a space
        return lambda character: character.isspace() or character == WORD_START
    return str.isspace
