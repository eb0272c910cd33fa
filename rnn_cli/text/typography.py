"""Reads what differs only in typography alike: spaces, dashes, quotes, widths, accents in one or two code points.

Imports nothing but Python's Unicode tables. Knows nothing of words or vocabularies.

A model must read texts as it did in training, and copies are found by these rules, so a change of them needs a further
value of `tokenizer.splitting`.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator

_UNSEEN = frozenset(
    map(
        chr,
        (
            *(0xAD, 0x34F, 0x61C, 0x180E, 0x200B, 0x200C, 0x200E, 0x200F, 0xFEFF),
            *(*range(0x202A, 0x202F), *range(0x2060, 0x2065), *range(0x2066, 0x2070), *range(0xFFF9, 0xFFFC)),
            *(*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)),
        ),
    )
)
"""Soft hyphens, characters of no width, changes of direction, selectors of a character's style: word processors, phones
and web pages put them into words."""

_EMOJI = "\u2194-\u2199\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"

_IS_EMOJI = re.compile(f"[{_EMOJI}]")

_JOINERS = re.compile(f"(?<![{_EMOJI}])\u200d|\u200d(?![{_EMOJI}])")
"""Joiners between two emoji make one of them; others only shape letters."""

_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")

_LINE_ENDS = "\x85\u2028\u2029"

_KIN = {
    '"': "“”„‟″‶〝〞〟«»‹›「」『』《》〈〉❝❞‴⁗ʺˮ״❠❮❯⹂🙶🙷🙸",
    "'": "‘’‚‛′‵ʹʻʼ´❛❜ʽʾʿˈˊ՚׳ꞌ❟",
    "-": "‐‑‒–−﹣\u058a\u05be\u1400\u1806\u2e17\u2e1a\u2e40\u2e5d\u30a0\u02d7",  # and those of other scripts
    "--": "—―⸺",
    "..": "‥",
    "...": "…⋯",
    "*": "•‣◦∙⁃▪▫●○■□·・∗⁎⦁\uf0b7\uf0a7",  # and two bullets of Word's symbol fonts
    ",": "、،",
    ".": "。।॥\u06d4",
    ";": "؛",
    "?": "¿؟",
    "!": "¡",
    "%": "٪",
    "/": "⁄∕",
    "|": "‖¦",
    "~": "〜⁓〰",
    "[": "【〔〖〘",
    "]": "】〕〗〙",
    "---": "⸻",
    ":": "∶։",
    "!!": "‼",
    "??": "⁇",
    "?!": "⁈",
    "!?": "⁉",
}
"""What ASCII writes, and the marks that mean the same. A dash is as wide as word processors make it of - and --."""

_WIDTHS = re.compile(
    "[\ufb00-\ufb06\uff01-\uffee"
    "\ufe10-\ufe19\ufe30-\ufe6b"  # marks of vertical writing, and small ones
    "\ufb20-\ufb29\ufb4f\ufb50-\ufbb1\ufbd3-\ufbff\ufe80-\ufefc"  # Hebrew and Arabic letters as PDF files hold them
    "\U0001d400-\U0001d7ff]"  # letters and digits in bold, italics and script, as in social media
)
"""What compatibility decomposition (NFKC) reads as usual: full-width ASCII, half-width Katakana, ligatures, ….
It is not for other characters: it would read x² as x2 and ½ as 1/2."""

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


def _usual_space(character: str) -> str:
    return _usual(character) if character.isspace() or character in _UNSEEN else character


_USUAL, _SPACES, _APART = _Table(_usual), _Table(_usual_space), _Table(_apart)


def usual(text: str) -> str:
    """The text in its usual typography: composed (NFC), with ASCII's marks and spaces, without what is not seen.

    Line ends become \\n, other white space beyond ASCII spaces. A text in ASCII stays as it is.
    """
    return text if text.isascii() else unicodedata.normalize("NFC", _replaced(text, _USUAL))


def usual_spaces(text: str) -> str:
    """The text with usual line ends and spaces, and without what is not seen; other characters stay."""
    return text if text.isascii() else _replaced(text, _SPACES)


def plainest(text: str) -> str:
    """A text that is equal for texts that differ in typography and white space alone."""
    return " ".join(usual(text).split())


def _replaced(text: str, table: _Table) -> str:
    text = _BEYOND_ASCII.sub(lambda run: run[0].translate(table), text)
    return _JOINERS.sub("", text) if "\u200d" in text else text


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
