"""Foreign text made safe to stand in a page, a Markdown file or a chart. Whoever wrote it may have meant harm."""

import html
import re

_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]")
"""Control characters, those that turn the direction of what follows, and what no UTF-8 file may hold."""

_MARKDOWN = re.compile(r"([\\`*_{}\[\]#|~])")


def plain(text: str) -> str:
    """The text with a replacement character for each that is not meant to be seen; lines and tabs stay."""
    return _UNSEEN.sub("\ufffd", text)


def in_html(text: str) -> str:
    """The text as content of an element or of a quoted attribute."""
    return html.escape(plain(text), quote=True)


def in_markdown(text: str) -> str:
    """The text as words within a line of Markdown, GitHub's tables included; not at its beginning."""
    return _MARKDOWN.sub(r"\\\1", html.escape(" ".join(plain(text).split()), quote=False))


def shortened(text: str, most: int) -> str:
    """The text on one line of at most `most` characters; … stands for what is cut."""
    line = " ".join(plain(text).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"
