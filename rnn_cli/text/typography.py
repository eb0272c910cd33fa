"""Reads what differs only in typography alike: spaces, dashes, quotes, widths, accents in one or two code points.

Imports nothing but Python's Unicode tables. Knows nothing of words or vocabularies.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator

_UNSEEN = frozenset(
    map(chr, (0xAD, 0x61C, 0x180E, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF))
) | frozenset(map(chr, range(0x2066, 0x2070)))
"""Soft hyphens, characters of no width and changes of direction: word processors, phones and web pages put them into
words."""

_JOINERS = re.compile("(?<![\u2190-\u2bff\ufe0f\U0001f000-\U0001faff])[\u200c\u200d]")
"""Characters that join or part letters; those of emoji stay."""

_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")

_LINE_ENDS = "\x85\u2028\u2029"

_KIN = {
    '"': "“”„‟″‶〝〞〟«»‹›「」『』《》〈〉❝❞",
    "'": "‘’‚‛′‵ʹʻʼ´❛❜",
    "-": "‐‑‒–−﹣",
    "--": "—―⸺",
    "..": "‥",
    "...": "…⋯",
    "*": "•‣◦∙⁃▪▫●○■□·・",
    ",": "、،",
    ".": "。।॥",
    ";": "؛",
    "?": "¿؟",
    "!": "¡",
    "%": "٪",
    "/": "⁄∕",
    "|": "‖¦",
    "~": "〜",
    "[": "【〔",
    "]": "】〕",
}
"""What ASCII writes, and the marks that mean the same. A dash is as wide as word processors make it of - and --."""

_OTHER_WIDTHS = re.compile("[\ufb00-\ufb06\uff01-\uffee]")
"""Ligatures, full-width ASCII and half-width Katakana, which compatibility decomposition (NFKC) reads as usual ones."""

_MARKS = frozenset({"Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sc", "Sk", "Sm"})
"""The Unicode categories of punctuation and of symbols that count as punctuation."""

_SIGNS = frozenset("©®™℠℗")
"""Symbols that say nothing of their own."""


class _Table(dict[int, str]):
    """For `str.translate`: computes what replaces a character when it first occurs."""

    def __init__(self, replacement: Callable[[str], str]) -> None:
        super().__init__()
        self._replacement = replacement

    def __missing__(self, code: int) -> str:
        self[code] = found = self._replacement(chr(code))
        return found


_ASCII_KIN = {mark: ascii_ for ascii_, marks in _KIN.items() for mark in marks}


def _usual(character: str) -> str:
    if character in _UNSEEN:
        return ""
    if character in _LINE_ENDS:
        return "\n"
    if character.isspace():
        return " "
    if _OTHER_WIDTHS.match(character):
        return "".join(_ASCII_KIN.get(each, each) for each in unicodedata.normalize("NFKC", character))
    return _ASCII_KIN.get(character, character)


def _apart(character: str) -> str:
    category = unicodedata.category(character)
    if character in _SIGNS or category in _MARKS and not "🏻" <= character <= "🏿":
        return " "
    if category == "So":
        return f" {character} "
    return "" if character in "\u200c\u200d\ufe0e\ufe0f" or "🏻" <= character <= "🏿" else character


def _usual_space(character: str) -> str:
    return _usual(character) if character.isspace() or character in _UNSEEN else character


_USUAL, _SPACES, _APART = _Table(_usual), _Table(_usual_space), _Table(_apart)


def usual(text: str) -> str:
    """The text in its usual typography: composed (NFC), with ASCII's marks and spaces, without what is not seen.

    Line ends become \\n, other white space beyond ASCII spaces. A text in ASCII stays as it is.
    """
    if text.isascii():
        return text
    text = _BEYOND_ASCII.sub(lambda run: run[0].translate(_USUAL), _without_joiners(text))
    return unicodedata.normalize("NFC", text)


def _without_joiners(text: str) -> str:
    return _JOINERS.sub("", text) if "\u200c" in text or "\u200d" in text else text


def usual_spaces(text: str) -> str:
    """The text with usual line ends and spaces, and without what is not seen; other characters stay."""
    if text.isascii():
        return text
    return _BEYOND_ASCII.sub(lambda run: run[0].translate(_SPACES), _without_joiners(text))


def marks_apart(text: str) -> str:
    """The text with spaces for the punctuation beyond ASCII, and around symbols such as emoji.

    An emoji's skin tone and style are left out. A text in ASCII stays as it is.
    """
    return text if text.isascii() else _BEYOND_ASCII.sub(lambda run: run[0].translate(_APART), text)


def clusters(text: str) -> Iterator[tuple[int, int]]:
    """The spans of a text's characters, each with the combining and unseen ones behind it: what `usual` reads alone."""
    start = 0
    for index in range(1, len(text)):
        if not _continues(text[index]):
            yield start, index
            start = index
    if text:
        yield start, len(text)


def _continues(character: str) -> bool:
    if character.isascii():
        return False
    return (
        unicodedata.category(character)[0] == "M"
        or character in "\u200c\u200d\uff9e\uff9f"
        or "\u1160" <= character <= "\u11ff"  # vowels and ends of Korean syllables
        or "\uffa0" <= character <= "\uffdc"
        or character in _UNSEEN
    )
