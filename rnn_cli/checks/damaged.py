"""Findings about single texts: empty ones, damaged characters, left-over HTML, no known word."""

import re
from collections.abc import Callable
from html.entities import html5

from ftfy import fix_encoding

from rnn_cli.checks.findings import Finding, Hit, Severity, finding_if
from rnn_cli.checks.rows import CheckedRows
from rnn_cli.text.tokenizer import Tokenizer

_TAGS = "a|abbr|b|big|blockquote|br|center|code|div|em|font|h[1-6]|hr|i|img|li|ol|p|pre|s|script|small|span|strike|"
_TAGS += "strong|style|sub|sup|table|tbody|td|th|tr|tt|u|ul"
_HTML = re.compile(rf"</?(?:{_TAGS})(?:\s[^<>]{{0,500}})?/?>|&(?:#\d{{1,7}}|#x[0-9a-f]{{1,6}}|[a-z]{{2,8}}\d?);", re.I)
_SPREADSHEET_ERROR = re.compile(r"\s*#(?:REF!|N/A|VALUE!|NAME\?|DIV/0!|NULL!|NUM!|ERROR!|SPILL!|CALC!)\s*")
_DAMAGED = re.compile("[\ufffd\x80-\x84\x86-\x9f]")
"""The replacement character, and the control characters from 128 up (except 133, a line end), which no one types."""


def find_damaged(rows: CheckedRows, tokenizer: Tokenizer) -> list[Finding]:
    """The findings about single texts; the tokenizer is the config's, fitted to the training rows."""

    def find(note: Callable[[str], str | None], name: str, severity: Severity, what: str, hint: str) -> list[Finding]:
        """The finding about the rows whose text has a note, which may be empty."""
        hits = (Hit(row, found) for row, text in enumerate(rows.texts) if (found := note(text)) is not None)
        return finding_if(hits, name, severity, ("text has", "texts have"), what, hint)

    return [
        *find(
            lambda text: None if text.strip() else "",
            *("empty texts", Severity.WARNING, "no text, but a label.", "Remove them."),
        ),
        *find(
            lambda text: "" if text.strip() and not tokenizer.knows(tokenizer.encode_whole(text)) else None,
            "no known word",
            Severity.WARNING,
            "no token that the config's tokenizer would know.",
            "Remove them, or try tokenizer.punctuation: keep or level: char; training drops them.",
        ),
        *find(
            lambda text: "" if _SPREADSHEET_ERROR.fullmatch(text) else None,
            *("spreadsheet errors", Severity.WARNING, "an error of a spreadsheet, as #REF!, in place of a text."),
            "Correct the formulas and save the file again, or remove the rows.",
        ),
        *find(
            _damage,
            "damaged characters",
            Severity.WARNING,
            "characters that were decoded wrongly somewhere.",
            "Write the file again from its source, set its data.encoding, or repair it with ftfy.",
        ),
        *find(
            _html,
            *("HTML", Severity.NOTE, "tags or entities of HTML."),
            "Strip and unescape them, unless future texts will have them, too.",
        ),
    ]


def _damage(text: str) -> str | None:
    if text.isascii():
        return None
    if found := _DAMAGED.search(text):
        return f"has U+{ord(found[0]):04X}"
    fixed = fix_encoding(text)
    if fixed == text:
        return None
    # The first difference, with a few characters.
    index = next((at for at, (old, new) in enumerate(zip(text, fixed, strict=False)) if old != new), len(fixed))
    return f"{text[index : index + 3]!r} was {fixed[index : index + 1]!r}"


def _html(text: str) -> str | None:
    if "<" not in text and "&" not in text:
        return None
    for found in _HTML.finditer(text):
        if found[0][0] == "<" or found[0][1] == "#" or found[0][1:] in html5:
            return f"has {found[0][:20]}"
    return None
