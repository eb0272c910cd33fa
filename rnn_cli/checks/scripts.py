"""The scripts of texts: texts in another script than most, and words that mix two scripts' look-alike letters."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache

from rnn_cli.checks.findings import Finding, Hit, Severity, finding_if
from rnn_cli.checks.rows import CheckedRows

MIN_LETTERS = 3
"""A text with fewer letters has no script."""

_ONE_SCRIPT = dict.fromkeys(("HIRAGANA", "KATAKANA", "CJK"), "Japanese or Chinese")

_LIKE_LATIN = {
    "Cyrillic": set("аеорсухіјѕһԁԛԝАВЕКМНОРСТУХІЈЅԌԚԜ"),
    "Greek": set("ονΑΒΕΖΗΙΚΜΝΟΡΤΥΧ"),
}
"""Letters that look like a Latin one. Of the small Greek ones only two: the others occur in units and formulas."""

_LIKE_OTHERS = set("aceopxyijsABCEHIKMNOPSTXYZ")
"""Latin letters that look like a Cyrillic or Greek one."""

_GREEK_OR_CYRILLIC = re.compile("[\u0370-\u052f]")

_WORD = re.compile(r"[^\W\d_]{3,}")
"""A word; shorter ones are too often intended, in formulas."""


@cache
def _script(character: str) -> str | None:
    """The script of a letter, by the first word of its name; None for other characters."""
    if not character.isalpha():
        return None
    first = unicodedata.name(character, "UNKNOWN").partition(" ")[0].partition("-")[0]
    return _ONE_SCRIPT.get(first, first.title())


def script_of(text: str) -> str | None:
    """The script of most of a text's letters; None for a text with hardly any letters."""
    scripts: Counter[str] = Counter()
    if text.isascii():
        scripts["Latin"] = sum(map(str.isalpha, text[:50]))
    else:
        for character, times in Counter(text).items():
            if script := _script(character):
                scripts[script] += times
    return scripts.most_common(1)[0][0] if scripts.total() >= MIN_LETTERS else None


def find_scripts(rows: CheckedRows, scripts: Sequence[str | None]) -> list[Finding]:
    """The findings about scripts; `scripts` are those of `rows`, from `script_of`."""
    mixed = finding_if(
        (Hit(row, note) for row, text in enumerate(rows.texts) if (note := _mixed_word(text))),
        "look-alike letters",
        Severity.WARNING,
        ("text has a word", "texts have words"),
        "of two scripts' letters that look alike.",
        "Write each word in one script: to a model it is a different, unknown word.",
    )
    counts = Counter(filter(None, scripts))
    if not counts:
        return mixed
    bulk, most = counts.most_common(1)[0]
    return mixed + finding_if(
        (Hit(row, f"{script} letters") for row, script in enumerate(scripts) if script not in (None, bulk)),
        "other scripts",
        Severity.NOTE,
        ("text is", "texts are"),
        f"not in {bulk} letters, as {most / counts.total():.1%} are.",
        "Remove them, or add more of each script: a few rows of one teach little.",
    )


def _mixed_word(text: str) -> str | None:
    """A note on a word that seems to be of one script, and the letter in it that is of another."""
    if text.isascii() or not _GREEK_OR_CYRILLIC.search(text):
        return None
    for word in _WORD.findall(text):
        if stray := _stray(word):
            return f"{word!r} has U+{ord(stray):04X}, a {_script(stray)} letter"
    return None


def _stray(word: str) -> str | None:
    """The first letter of the word's rarer script, if it has two and all letters of the rarer look like the other's."""
    scripts = Counter(map(_script, word))
    if len(scripts) != 2 or "Latin" not in scripts:
        return None
    other = next(script for script in scripts if script != "Latin")
    rarer = "Latin" if scripts["Latin"] < scripts[other] else other
    alike = _LIKE_OTHERS if rarer == "Latin" else _LIKE_LATIN.get(other or "", set())
    strays = [letter for letter in word if _script(letter) == rarer]
    return strays[0] if other in _LIKE_LATIN and set(strays) <= alike else None
