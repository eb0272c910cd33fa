"""Reads a text as people post it: links, addresses and @names say nothing, a letter written long is written short.

The `posts` value of `tokenizer.splitting`. Loads only `re`, as `rnn predict` does at every start.
"""

import re
from collections.abc import Iterator

from rnn_cli.text.typography import clusters

_UNSEEN = "\u00ad\u0300-\u036f\u200b-\u200f\u2060\ufeff"
"""Within a name, what is not seen and accents written apart belong to it."""

_READ_OTHERWISE = re.compile(
    rf"(?P<nothing>(?:https?://|www\.)\S+"
    # Bounded, as no address has more before its @ (RFC 5321), and a long word would take its length squared.
    rf"|[\w.+-]{{1,64}}@[\w-]+\.[\w.-]*\w"  # an e-mail address
    rf"|(?<![\w@])@\w[\w{_UNSEEN}]*)"
    rf"|(?P<letter>[^\W\d_])(?P=letter){{2,}}(?![{_UNSEEN}])",
    re.IGNORECASE,
)

LONG = 2
"""How often a letter is read that stands there three times or more."""


def plain_post(text: str) -> str:
    """The text with a space for each link, e-mail address and @name, and with no letter more than twice in a row."""
    return _READ_OTHERWISE.sub(lambda found: " " if found["nothing"] else found[0][:LONG], text)


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
