"""Reads what differs only in typography alike: spaces, dashes, quotes, widths, accents in one or two code points.

Imports nothing but Python's Unicode tables. Knows nothing of words or vocabularies.

A model must read texts as it did in training, so a change of the rules needs a new version of them: a tokenizer's file
holds the version that it was made by, and every version stays.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache

VERSIONS = (1, 2)
"""The versions of the rules, the current one last."""

CURRENT = VERSIONS[-1]

_UNSEEN_1 = frozenset(
    map(chr, (0xAD, 0x61C, 0x180E, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF))
) | frozenset(map(chr, range(0x2066, 0x2070)))
"""Soft hyphens, characters of no width and changes of direction: word processors, phones and web pages put them into
words."""

_UNSEEN = _UNSEEN_1 | frozenset(
    map(chr, (0x34F, 0x200C, *range(0xFE00, 0xFE10), *range(0xFFF9, 0xFFFC), *range(0xE0100, 0xE01F0)))
)
"""Also the non-joiner, which only shapes letters, and the selectors of a character's style, as of emoji's."""

_EMOJI = "\u2194-\u2199\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"

_IS_EMOJI = re.compile(f"[{_EMOJI}]")

_JOINERS_1 = re.compile("(?<![\u2190-\u2bff\ufe0f\U0001f000-\U0001faff])[\u200c\u200d]")

_JOINERS = re.compile(f"(?<![{_EMOJI}])\u200d|\u200d(?![{_EMOJI}])")
"""Joiners between two emoji make one of them; others only shape letters."""

_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")

_LINE_ENDS = "\x85\u2028\u2029"

_KIN_1 = {
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

_KIN_ADDED = {
    '"': "‴⁗ʺˮ״❠❮❯⹂🙶🙷🙸",
    "'": "ʽʾʿˈˊ՚׳ꞌ❟",
    "-": "\u058a\u05be\u1400\u1806\u2e17\u2e1a\u2e40\u2e5d\u30a0\u02d7",  # hyphens of other scripts
    "---": "⸻",
    "*": "∗⁎⦁\uf0b7\uf0a7",  # the last two are bullets of Word's symbol fonts
    ":": "∶։",
    ".": "\u06d4",
    "!!": "‼",
    "??": "⁇",
    "?!": "⁈",
    "!?": "⁉",
    "~": "⁓〰",
    "[": "〖〘",
    "]": "〗〙",
}

_WIDTHS_1 = re.compile("[\ufb00-\ufb06\uff01-\uffee]")
"""Ligatures, full-width ASCII and half-width Katakana, which compatibility decomposition (NFKC) reads as usual ones."""

_WIDTHS = re.compile(
    "[\ufb00-\ufb06\uff01-\uffee"
    "\ufe10-\ufe19\ufe30-\ufe6b"  # marks of vertical writing, and small ones
    "\ufb20-\ufb29\ufb4f\ufb50-\ufbb1\ufbd3-\ufbff\ufe80-\ufefc"  # Hebrew and Arabic letters as PDF files hold them
    "\U0001d400-\U0001d7ff]"  # letters and digits in bold, italics and script, as in social media
)
"""NFKC is safe for these alone: it would also read x² as x2 and ½ as 1/2."""

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


def _by_mark(*tables: dict[str, str]) -> dict[str, str]:
    return {mark: ascii_ for table in tables for ascii_, marks in table.items() for mark in marks}


_ASCII_KIN_1, _ASCII_KIN = _by_mark(_KIN_1), _by_mark(_KIN_1, _KIN_ADDED)


def _usual_1(character: str) -> str:
    if character in _UNSEEN_1:
        return ""
    if character in _LINE_ENDS:
        return "\n"
    if character.isspace():
        return " "
    if _WIDTHS_1.match(character):
        return "".join(_ASCII_KIN_1.get(each, each) for each in unicodedata.normalize("NFKC", character))
    return _ASCII_KIN_1.get(character, character)


def _usual(character: str) -> str:
    if character in _UNSEEN:
        return ""
    if character in _LINE_ENDS:
        return "\n"
    # NFC has a mark or space for some others, such as the Greek question mark.
    composed = unicodedata.normalize("NFKC" if _WIDTHS.match(character) else "NFC", character)
    return "".join(" " if each.isspace() else _ASCII_KIN.get(each, each) for each in composed)


def _apart(character: str) -> str:
    category = unicodedata.category(character)
    if character in _SIGNS or category in _MARKS and not "🏻" <= character <= "🏿":
        return " "
    if category == "So":
        return f" {character} "
    return "" if character in "\u200c\u200d\ufe0e\ufe0f" or "🏻" <= character <= "🏿" else character


@cache
def _tables(version: int) -> tuple[_Table, _Table]:
    """What `usual` and `usual_spaces` replace."""
    reading, unseen = (_usual, _UNSEEN) if version > 1 else (_usual_1, _UNSEEN_1)
    return _Table(reading), _Table(lambda each: reading(each) if each.isspace() or each in unseen else each)


_APART = _Table(_apart)


def usual(text: str, version: int = CURRENT) -> str:
    """The text in its usual typography: composed (NFC), with ASCII's marks and spaces, without what is not seen.

    Line ends become \\n, other white space beyond ASCII spaces. A text in ASCII stays as it is.
    """
    return text if text.isascii() else unicodedata.normalize("NFC", _replaced(text, version, _tables(version)[0]))


def usual_spaces(text: str, version: int = CURRENT) -> str:
    """The text with usual line ends and spaces, and without what is not seen; other characters stay."""
    return text if text.isascii() else _replaced(text, version, _tables(version)[1])


def plainest(text: str) -> str:
    """A text that is equal for texts that differ in typography and white space alone."""
    return " ".join(usual(text).split())


def _replaced(text: str, version: int, table: _Table) -> str:
    if version == 1 and ("\u200c" in text or "\u200d" in text):
        text = _JOINERS_1.sub("", text)
    text = _BEYOND_ASCII.sub(lambda run: run[0].translate(table), text)
    return _JOINERS.sub("", text) if version > 1 and "\u200d" in text else text


def marks_apart(text: str) -> str:
    """The text with spaces for the punctuation beyond ASCII, and around symbols such as emoji.

    An emoji's skin tone and style are left out. A text in ASCII stays as it is.
    """
    return text if text.isascii() else _BEYOND_ASCII.sub(lambda run: run[0].translate(_APART), text)


def clusters(text: str, *, joined: bool = True) -> Iterator[tuple[int, int]]:
    """The spans of a text's characters, each with the combining and unseen ones behind it: what `usual` reads alone.

    Emoji that are `joined` are one.
    """
    start = 0
    after_emoji = joins = False  # of the last character that is seen
    for index, character in enumerate(text):
        is_emoji = joined and _IS_EMOJI.match(character) is not None
        continues = _continues(character)
        if index and not continues and not (joins and is_emoji):
            yield start, index
            start = index
        if character == "\u200d":
            joins = after_emoji
        elif character not in _UNSEEN:
            after_emoji, joins = is_emoji, False
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
