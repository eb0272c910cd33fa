"""A finding about how texts are typed: characters that look like others, or like nothing."""

import re
import unicodedata
from collections import Counter

from rnn_cli.checks.findings import Finding, Hit, Severity, counted
from rnn_cli.checks.rows import CheckedRows

_KINDS = {
    "non-breaking and other unusual spaces": re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]"),
    "unusual line ends": re.compile("[\x85\u2028\u2029]"),
    "characters of no width": re.compile("[\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]"),
    "soft hyphens": re.compile("\u00ad"),
    "full-width letters or marks": re.compile("[\uff01-\uff5e]"),
}
_CURLY, _STRAIGHT = re.compile("[‘’“”„«»]"), re.compile("[\"']")
_DECOMPOSED, _MIXED = "accents as characters of their own", "curly quotes, where others are straight"


def find_typography(rows: CheckedRows, splitting: str) -> list[Finding]:
    """The finding about texts with unusual characters, or none; `splitting` is the config's."""
    straight = any(_STRAIGHT.search(text) for text in rows.texts)
    notes = [_kinds(text, straight) if not text.isascii() else [] for text in rows.texts]
    hits = tuple(Hit(row, ", ".join(kinds)) for row, kinds in enumerate(notes) if kinds)
    if not hits:
        return []
    counts = Counter(kind for kinds in notes for kind in kinds)
    kinds = "; ".join(f"{kind} ({count:,})" for kind, count in counts.most_common())
    what = f"{counted(len(hits), 'text has', 'texts have')} unusual characters: {kinds}."
    if splitting != "ascii":
        return [Finding("typography", Severity.NOTE, what, "They are read as the usual characters.", hits)]
    hint = "Use tokenizer.splitting: unicode, which reads them as the usual characters."
    return [Finding("typography", Severity.WARNING, what, hint, hits)]


def _kinds(text: str, straight: bool) -> list[str]:
    found = [kind for kind, pattern in _KINDS.items() if pattern.search(text)]
    if not unicodedata.is_normalized("NFC", text):
        found.append(_DECOMPOSED)
    if straight and _CURLY.search(text):
        found.append(_MIXED)
    return found
