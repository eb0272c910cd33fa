"""In which letters texts are written: texts in another script than most, and words of two scripts that look like one.

Knows nothing of labels, and of languages no more than that their letters differ.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache

from rnn_cli.checks.findings import Finding, Hit, Severity, counted
from rnn_cli.checks.rows import Rows

FEWEST_LETTERS = 3
"""Letters from which on a text is said to be in a script."""


_ONE_SCRIPT = dict.fromkeys(("HIRAGANA", "KATAKANA", "CJK"), "Japanese or Chinese")


_LIKE_LATIN = {
    "Cyrillic": set("аеорсухіјѕһԁԛԝАВЕКМНОРСТУХІЈЅԌԚԜ"),
    "Greek": set("ονΑΒΕΖΗΙΚΜΝΟΡΤΥΧ"),
}
"""Letters that print as a Latin one does. Of the small Greek ones but two: others stand in units and formulas."""


_LIKE_OTHERS = set("aceopxyijsABCEHIKMNOPSTXYZ")
"""Latin letters that print as a Cyrillic or Greek one does."""


_GREEK_OR_CYRILLIC = re.compile("[\u0370-\u052f]")


_LETTERS = re.compile(r"[^\W\d_]{3,}")
"""A word; of shorter ones there are too many that are meant, in formulas."""


@cache
def _script(character: str) -> str | None:
    """The script of a letter, by the first word of its name; None for what is no letter."""
    if not character.isalpha():
        return None
    first = unicodedata.name(character, "UNKNOWN").partition(" ")[0].partition("-")[0]
    return _ONE_SCRIPT.get(first, first.title())


def script_of(text: str) -> str | None:
    """The script that most letters of a text are of; None for a text of hardly any letters."""
    scripts: Counter[str] = Counter()
    if text.isascii():
        scripts["Latin"] = sum(map(str.isalpha, text[:50]))
    else:
        for character, times in Counter(text).items():
            if script := _script(character):
                scripts[script] += times
    return scripts.most_common(1)[0][0] if scripts.total() >= FEWEST_LETTERS else None


def find_scripts(rows: Rows, scripts: Sequence[str | None]) -> Iterator[Finding]:
    """The findings about letters; `scripts` are those of `rows`, as `script_of` tells them."""
    yield from _mixed_words(rows)
    counts = Counter(filter(None, scripts))
    if len(counts) < 2:
        return
    bulk, most = counts.most_common(1)[0]
    hits = tuple(Hit(row, f"{script} letters") for row, script in enumerate(scripts) if script not in (None, bulk))
    share = most / counts.total()
    yield Finding(
        "other scripts",
        Severity.NOTE,
        f"{counted(len(hits), 'text is', 'texts are')} not in {bulk} letters, as {share:.1%} are.",
        "Remove them, or add more of each script: a few rows of one teach little.",
        hits,
    )


def _mixed_words(rows: Rows) -> Iterator[Finding]:
    hits = tuple(Hit(row, note) for row, text in enumerate(rows.texts) if (note := _mixed_word(text)))
    if hits:
        yield Finding(
            "look-alike letters",
            Severity.WARNING,
            f"{counted(len(hits), 'text has a word', 'texts have words')} of two scripts' letters that look alike.",
            "Write each word in one script: to a model it is another word, and an unknown one.",
            hits,
        )


def _mixed_word(text: str) -> str | None:
    """A word that looks as if it were of one script, and the letter in it that is of another."""
    if text.isascii() or not _GREEK_OR_CYRILLIC.search(text):
        return None
    for word in _LETTERS.findall(text):
        if stray := _stray(word):
            return f"{word!r} has U+{ord(stray):04X}, a {_script(stray)} letter"
    return None


def _stray(word: str) -> str | None:
    """The first letter of the word's rarer script, if there are two and that one's all look like the other's."""
    scripts = Counter(map(_script, word))
    if len(scripts) != 2 or "Latin" not in scripts:
        return None
    other = next(script for script in scripts if script != "Latin")
    rarer = "Latin" if scripts["Latin"] < scripts[other] else other
    alike = _LIKE_OTHERS if rarer == "Latin" else _LIKE_LATIN.get(other or "", set())
    strays = [letter for letter in word if _script(letter) == rarer]
    return strays[0] if other in _LIKE_LATIN and set(strays) <= alike else None
