"""Texts that something happened to: empty ones, damaged characters, left-over HTML, no known word."""

import re
from collections.abc import Callable, Iterator
from html.entities import html5

from ftfy import fix_encoding

from rnn_cli.checks.findings import Finding, Hit, Severity, counted
from rnn_cli.checks.rows import Rows
from rnn_cli.text.tokenizer import Tokenizer

_TAGS = "a|abbr|b|big|blockquote|br|center|code|div|em|font|h[1-6]|hr|i|img|li|ol|p|pre|s|script|small|span|strike|"
_TAGS += "strong|style|sub|sup|table|tbody|td|th|tr|tt|u|ul"
_HTML = re.compile(rf"</?(?:{_TAGS})(?:\s[^<>]{{0,500}})?/?>|&(?:#\d{{1,7}}|#x[0-9a-f]{{1,6}}|[a-z]{{2,8}}\d?);", re.I)
_DAMAGED = re.compile("[\ufffd\x80-\x84\x86-\x9f]")
"""The replacement character, and the control characters from 128 up (but for 133, a line end), which no one types."""


def find_spoiled(rows: Rows, tokenizer: Tokenizer) -> Iterator[Finding]:
    """The findings about single texts; the tokenizer is the config's, fitted to the training rows."""
    yield from _each(
        rows,
        "empty texts",
        Severity.WARNING,
        lambda text: None if text.strip() else "",
        "no text, but a label.",
        "Remove them.",
    )
    yield from _each(
        rows,
        "no known word",
        Severity.WARNING,
        lambda text: "" if text.strip() and not tokenizer.knows(tokenizer.encode_whole(text)) else None,
        "no token that the config's tokenizer would know.",
        "Remove them, or try tokenizer.punctuation: keep or level: char; training drops them.",
    )
    yield from _each(
        rows,
        "damaged characters",
        Severity.WARNING,
        _damage,
        "characters that were decoded wrongly somewhere.",
        "Write the file anew from its source, name its data.encoding, or mend it with ftfy.",
    )
    yield from _each(
        rows,
        "HTML",
        Severity.NOTE,
        _html,
        "tags or entities of HTML.",
        "Strip and unescape them, unless the texts to come have them too.",
    )


def _each(
    rows: Rows, name: str, severity: Severity, note: Callable[[str], str | None], what: str, hint: str
) -> Iterator[Finding]:
    """A finding of the rows for whose text there is a note, be it empty."""
    hits = tuple(Hit(row, told) for row, text in enumerate(rows.texts) if (told := note(text)) is not None)
    if hits:
        yield Finding(name, severity, f"{counted(len(hits), 'text has', 'texts have')} {what}", hint, hits)


def _damage(text: str) -> str | None:
    if text.isascii():
        return None
    if found := _DAMAGED.search(text):
        return f"has U+{ord(found[0]):04X}"
    mended = fix_encoding(text)
    if mended == text:
        return None
    # The first place where they part, and a little of what stands there.
    index = next((at for at, (old, new) in enumerate(zip(text, mended, strict=False)) if old != new), len(mended))
    return f"{text[index : index + 3]!r} was {mended[index : index + 1]!r}"


def _html(text: str) -> str | None:
    if "<" not in text and "&" not in text:
        return None
    for found in _HTML.finditer(text):
        if found[0][0] == "<" or found[0][1] == "#" or found[0][1:] in html5:
            return f"has {found[0][:20]}"
    return None
