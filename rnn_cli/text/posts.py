"""Reads a text as people post it: links, addresses and @names say nothing, a letter written long is written short.

The `posts` value of `tokenizer.splitting`. Loads only `re`, as `rnn predict` does at every start.
"""

import re
from collections.abc import Iterator

from rnn_cli.text.typography import clusters

_ACCENTS, _UNSEEN = "\u0300-\u036f", "\u00ad\u200b-\u200f\u2060\ufeff"
"""Accents written apart, and what is not seen: within a name and between equal letters they part nothing."""

_READ_OTHERWISE = re.compile(
    rf"(?P<nothing>(?:https?://|www\.)\S+"
    rf"|[\w.+-]{{1,64}}@[\w-]+\.[\w.-]*\w"  # an e-mail address; its name is no longer (RFC 5321, 4.5.3.1.1)
    rf"|(?<![\w@])@\w[\w{_ACCENTS}{_UNSEEN}]*)"
    rf"|(?P<letter>[^\W\d_][{_ACCENTS}]*)(?:[{_UNSEEN}]*(?P=letter)){{2,}}(?![{_UNSEEN}]*[{_ACCENTS}])",
    re.IGNORECASE,
)

_NOT_SEEN = re.compile(f"[{_UNSEEN}]")

LONG = 2
"""How often a letter is read that stands there three times or more."""


def plain_post(text: str) -> str:
    """The text with a space for each link, e-mail address and @name, and with no letter more than twice in a row."""
    return _READ_OTHERWISE.sub(_read, text)


def _read(found: re.Match[str]) -> str:
    if found["nothing"]:
        return " "
    return _NOT_SEEN.sub("", found[0])[: LONG * len(found["letter"])]


def post_units(text: str, *, joined: bool) -> Iterator[tuple[int, int]]:
    """The spans of a text that are read alone: those that `plain_post` replaces, and `clusters` of the rest."""
    start = 0
    for found in _READ_OTHERWISE.finditer(text):
        yield from (
            (start + first, start + stop) for first, stop in clusters(text[start : found.start()], joined=joined)
        )
        yield found.span()
        start = found.end()
    yield from ((start + first, start + stop) for first, stop in clusters(text[start:], joined=joined))
