"""Texts in another language than most, where that is certain: a false alarm is worse than a missed text.

Only texts of some length are judged, by their beginning. A text is reported if the identifier is sure of its language,
gives most texts' language at most a hundredth of that probability, and finds that language in neither half of the text.
In rotten_tomatoes (8,530 rows) that reports 45 Portuguese, Spanish and French texts, in imdb (25,000) none. Of 16,609
messages of Django, each of its languages alone, it reports 23, all Sorbian, which the identifier does not know. Of the
messages of 14 languages among English texts, it reports 63 to 94 % of those with 30 to 60 characters, and 94 to 100 %
of longer ones.

Source: Lui and Baldwin (2012), langid.py: an off-the-shelf language identification tool.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from rnn_cli.checks.findings import Finding, Hit, Severity, finding_if
from rnn_cli.checks.rows import CheckedRows

GLANCE, LOOK = 120, 1_000
"""Characters that are read of each text at first, and of a text that seems to be in another language."""

LANGUAGE_SURE = 0.5
"""The least probability of a reported language; the identifier is cautious on short texts."""

TIMES = 100
"""A reported language is at least this many times as probable as most texts' language."""

_NOT_WRITTEN = re.compile(r"https?://\S+|www\.\S+|[@#]\S+|<[^<>]{0,200}>|&#?\w{1,8};")
"""Addresses, names and markup, which have no language."""

_NAMES = """
af Afrikaans, am Amharic, ar Arabic, az Azerbaijani, be Belarusian, bg Bulgarian, bn Bengali, bs Bosnian, ca Catalan,
cs Czech, cy Welsh, da Danish, de German, el Greek, en English, es Spanish, et Estonian, eu Basque, fa Persian,
fi Finnish, fr French, ga Irish, gl Galician, gu Gujarati, ha Hausa, he Hebrew, hi Hindi, hr Croatian, hu Hungarian,
hy Armenian, id Indonesian, ig Igbo, is Icelandic, it Italian, ja Japanese, jv Javanese, ka Georgian, kk Kazakh,
km Khmer, kn Kannada, ko Korean, la Latin, lt Lithuanian, lv Latvian, mg Malagasy, mk Macedonian, ml Malayalam,
mn Mongolian, mr Marathi, ms Malay, mt Maltese, my Burmese, ne Nepali, nl Dutch, no Norwegian, pa Punjabi, pl Polish,
ps Pashto, pt Portuguese, ro Romanian, ru Russian, rw Kinyarwanda, sk Slovak, sl Slovenian, so Somali, sq Albanian,
sr Serbian, sv Swedish, sw Swahili, ta Tamil, te Telugu, th Thai, tl Tagalog, tr Turkish, uk Ukrainian, ur Urdu,
uz Uzbek, vi Vietnamese, xh Xhosa, yo Yoruba, zh Chinese, zu Zulu
"""
NAMES: Mapping[str, str] = dict(entry.split(" ", 1) for entry in " ".join(_NAMES.split()).split(", "))
"""The languages that are reported, by their codes; a rarer one is more often slang or a list of names."""

_ALIKE = ("en pcm", "no nn da", "bs hr sr", "id ms", "ar ary arz", "zh yue wuu", "hi mr ne", "cs sk", "xh zu", "gl pt")
_FAMILY = {code: family.split()[0] for family in _ALIKE for code in family.split()}
"""Languages too similar to be distinguished in a sentence count as one."""


@cache
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


FEW_LETTERS = 25
"""A text with fewer letters is not judged."""


def find_languages(rows: CheckedRows, scripts: Sequence[str | None]) -> list[Finding]:
    """The finding about texts in other languages; texts in another of the `scripts`, `[rows]`, are left out."""
    glances = {row: _glance(text) for row, text in enumerate(rows.texts) if len(text) >= FEW_LETTERS}
    families = {row: _family(glance) for row, glance in glances.items() if _letters(glance) >= FEW_LETTERS}
    if not families:
        return []
    bulk = Counter(families.values()).most_common(1)[0][0]
    script = Counter(scripts[row] for row, family in families.items() if family == bulk).most_common(1)[0][0]
    others = [row for row, family in families.items() if family != bulk and scripts[row] == script]
    languages = {row: name for row in others if (name := _other_than(bulk, rows.texts[row])) is not None}
    each = ", ".join(f"{count:,} {name}" for name, count in Counter(languages.values()).most_common())
    return finding_if(
        (Hit(row, name) for row, name in languages.items()),
        "other languages",
        Severity.NOTE,
        ("text is", "texts are"),
        f"surely not in {NAMES.get(bulk, bulk)}, as most of the {len(families):,} long enough texts are: {each}.",
        "Remove them, or add more of each language: a few rows of one teach little.",
    )


def language_of(text: str) -> str | None:
    """The likeliest language of a text, by its name where it is a known one; None for a text of few letters.

    It is often wrong of short texts, so it is for counting, not for a single text.
    """
    glance = _glance(text)
    if _letters(glance) < FEW_LETTERS:
        return None
    family = _family(glance)
    return NAMES.get(family, family)


def _glance(text: str, most: int = GLANCE) -> str:
    """The text's beginning without addresses, names and markup."""
    return " ".join(_NOT_WRITTEN.sub(" ", text[: 2 * most]).split())[:most]


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))


def _family(text: str) -> str:
    code: str = _identifier().classify(text)[0]
    return _FAMILY.get(code, code)


def _other_than(bulk: str, text: str) -> str | None:
    """The name of the text's language, if it surely is not of the family `bulk`."""
    look = _glance(text, LOOK)
    ranked = _identifier().rank(look)
    code, shares = ranked[0][0], Counter[str]()
    for each, share in ranked:
        shares[_FAMILY.get(each, each)] += share
    if code not in NAMES or shares[_FAMILY.get(code, code)] < max(LANGUAGE_SURE, TIMES * shares[bulk]):
        return None
    middle = look.find(" ", len(look) // 2)
    halves = (look[:middle], look[middle:]) if middle > 0 else (look,)
    return None if bulk in map(_family, halves) else NAMES[code]
