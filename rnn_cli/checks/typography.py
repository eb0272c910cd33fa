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
_CONTROL_NAME, _CONTROL = "control characters", re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""Those of ASCII, without tabs and line ends; those from 128 up are a finding of their own, as damaged characters."""

_CURLY, _STRAIGHT = re.compile("[‘’“”„«»]"), re.compile("[\"']")
_DECOMPOSED, _MIXED = "accents as characters of their own", "curly quotes, where others are straight"


def find_typography(rows: CheckedRows, splitting: str) -> list[Finding]:
    """The finding about texts with unusual characters, or none; `splitting` is the config's."""
    straight = any(_STRAIGHT.search(text) for text in rows.texts)
    notes = [_kinds(text, straight) for text in rows.texts]
    hits = tuple(Hit(row, ", ".join(kinds)) for row, kinds in enumerate(notes) if kinds)
    if not hits:
        return []
    counts = Counter(kind for kinds in notes for kind in kinds)
    kinds = "; ".join(f"{kind} ({count:,})" for kind, count in counts.most_common())
    what = f"{counted(len(hits), 'text has', 'texts have')} unusual characters: {kinds}."
    is_unicode, has_others = splitting != "ascii", bool(set(counts) - {_CONTROL_NAME})
    sentences = []
    if has_others and is_unicode:
        sentences.append("They are read as the usual characters.")
    elif has_others:
        sentences.append("Use tokenizer.splitting: unicode, which reads them as the usual characters.")
    if _CONTROL_NAME in counts:  # no splitting takes a bell or an escape out of a word
        sentences.append("Remove the control characters, which may stay in words.")
    severity = Severity.NOTE if is_unicode and _CONTROL_NAME not in counts else Severity.WARNING
    return [Finding("typography", severity, what, " ".join(sentences), hits)]


def _kinds(text: str, straight: bool) -> list[str]:
    found = [_CONTROL_NAME] if _CONTROL.search(text) else []
    if text.isascii():
        return found
    found += [kind for kind, pattern in _KINDS.items() if pattern.search(text)]
    if not unicodedata.is_normalized("NFC", text):
        found.append(_DECOMPOSED)
    if straight and _CURLY.search(text):
        found.append(_MIXED)
    return found
