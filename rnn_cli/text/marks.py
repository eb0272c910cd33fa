"""Word level with its punctuation kept: a text's words and marks, each a token.

Knows nothing of ids, of lower-casing or of filters.
"""

import re
import unicodedata
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
    runs = groupby(enumerate(codes), lambda place: place[1] - place[0])
    ends = ([code for _, code in run] for _, run in runs)
    return "".join(f"{chr(run[0])}-{chr(run[-1])}" for run in ends)
