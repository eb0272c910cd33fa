"""Texts in another language than most, as far as that is sure: a wrong alarm is worse than a text not found.

Only texts of some length are judged, by their beginning; one is told if the identifier is sure of its language, holds
most texts' for a hundredth as probable at most, and finds that of neither half of the text. Of rotten_tomatoes (8,530
rows) that are 45 Portuguese, Spanish and French ones, of the 25,000 of imdb none. Among 16,609 messages of Django, each
of its languages alone, 23 were told, all of them Sorbian, which the identifier does not know; of the messages of 14
languages put among English texts 63 to 94 % of 30 to 60 characters, and 94 to 100 % of longer ones.

Source: Lui and Baldwin (2012), langid.py: an off-the-shelf language identification tool.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from rnn_cli.checks.findings import Finding, Hit, Severity, counted
from rnn_cli.checks.rows import Rows

GLANCE, LOOK = 120, 1_000
"""Characters of each text that are read at first, and of one that seems to be in another language."""

SURE = 0.5
"""The probability that a language has at least where it is told; the identifier's are cautious for short texts."""

TIMES = 100
"""How many times as probable as most texts' language it is at least."""

_NOT_WRITTEN = re.compile(r"https?://\S+|www\.\S+|[@#]\S+|<[^<>]{0,200}>|&#?\w{1,8};")
"""Addresses, names and markup, which are of no language."""

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
"""The languages that are told, by their codes; what seems to be a rarer one is more often slang or a list of names."""

_ALIKE = ("en pcm", "no nn da", "bs hr sr", "id ms", "ar ary arz", "zh yue wuu", "hi mr ne", "cs sk", "xh zu", "gl pt")
_FAMILY = {code: family.split()[0] for family in _ALIKE for code in family.split()}
"""Languages too near each other to be told apart in a sentence count as one."""


@cache
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


FEW_LETTERS = 25
"""Letters from which on a text is judged."""


def find_languages(rows: Rows, scripts: Sequence[str | None]) -> Iterator[Finding]:
    """The finding about texts in other languages; those in another of the `scripts`, `[rows]`, are not told again."""
    glances = {row: _glance(text) for row, text in enumerate(rows.texts) if len(text) >= FEW_LETTERS}
    families = {row: _family(glance) for row, glance in glances.items() if _letters(glance) >= FEW_LETTERS}
    if not families:
        return
    bulk = Counter(families.values()).most_common(1)[0][0]
    script = Counter(scripts[row] for row, family in families.items() if family == bulk).most_common(1)[0][0]
    others = [row for row, family in families.items() if family != bulk and scripts[row] == script]
    told = {row: name for row in others if (name := _other_than(bulk, rows.texts[row])) is not None}
    if told:
        each = ", ".join(f"{count:,} {name}" for name, count in Counter(told.values()).most_common())
        yield Finding(
            "other languages",
            Severity.NOTE,
            f"Of {counted(len(families), 'text')} long enough to judge {len(told):,} "
            f"{'is' if len(told) == 1 else 'are'} surely not in {NAMES.get(bulk, bulk)}, as most are: {each}.",
            "Remove them, or add more of each language: a few rows of one teach little.",
            tuple(Hit(row, name) for row, name in told.items()),
        )


def _glance(text: str, most: int = GLANCE) -> str:
    """What is written at the text's beginning, without addresses, names and markup."""
    return " ".join(_NOT_WRITTEN.sub(" ", text[: 2 * most]).split())[:most]


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))


def _family(text: str) -> str:
    code: str = _identifier().classify(text)[0]
    return _FAMILY.get(code, code)


def _other_than(bulk: str, text: str) -> str | None:
    """The name of the text's language, if that is surely another than those of the family `bulk`."""
    look = _glance(text, LOOK)
    ranked = _identifier().rank(look)
    code, shares = ranked[0][0], Counter[str]()
    for each, share in ranked:
        shares[_FAMILY.get(each, each)] += share
    if code not in NAMES or shares[_FAMILY.get(code, code)] < max(SURE, TIMES * shares[bulk]):
        return None
    middle = look.find(" ", len(look) // 2)
    halves = (look[:middle], look[middle:]) if middle > 0 else (look,)
    return None if bulk in map(_family, halves) else NAMES[code]
