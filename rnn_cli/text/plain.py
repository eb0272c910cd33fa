"""Foreign text without what is not meant to be seen: control characters, and what turns the direction of writing.

Loads nothing: whatever shows a text, a terminal too, begins here.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from html import escape

UNSEEN = dict.fromkeys(
    [
        *(code for code in range(32) if chr(code) not in "\t\n\r"),
        *range(0x7F, 0xA0),
        *range(0x2028, 0x202F),  # line ends that few expect, and what turns the direction of all that follows
        *range(0x2066, 0x206A),
        *range(0xD800, 0xE000),  # halves of characters, which no UTF-8 file may hold
        *(0xFEFF, 0xFFFE, 0xFFFF),
    ],
    "\ufffd",
)
"""For `str.translate`: a replacement character for each that neither a page, a chart nor a terminal may get."""


def plain(text: str) -> str:
    """The text with a replacement character for each that is not meant to be seen; lines and tabs stay."""
    return text.translate(UNSEEN)


def one_line(text: str) -> str:
    """The text on one line: white space becomes single spaces, what is not meant to be seen a replacement character."""
    return plain(" ".join(text.split()))


def shortened(text: str, most: int) -> str:
    """The text on one line of at most `most` characters; … stands for what is cut."""
    line = one_line(text)
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


Shorten = Callable[[str, int], str]
"""Cuts a name to one line of so many columns, at its end."""


def apart(names: Iterable[str], most: int, shorten: Shorten) -> dict[str, str]:
    """Each name's form on one line of at most `most` columns; no two look alike.

    Names that would are cut in their middle instead; if they still do, their spaces and unseen characters are written
    out; and if even that does not help, they are numbered in the order given.
    """

    def middle(name: str, most: int) -> str:
        whole = shorten(name, 10**9)
        if shorten(name, most) == whole:
            return whole
        return shorten(whole, most // 2) + shorten(whole[::-1], most - most // 2)[::-1].removeprefix("…")

    given = left = list(dict.fromkeys(names))
    forms: dict[str, str] = {}
    for form in (shorten, middle, lambda name, most: middle(ascii(name), most)):
        found = {name: form(name, most) for name in left}
        looks = Counter(map(_look, [*found.values(), *forms.values()]))
        forms |= {name: shown for name, shown in found.items() if looks[_look(shown)] == 1}
        left = [name for name in left if name not in forms]
    taken, number = set(map(_look, forms.values())), 0
    for name in left:
        while True:
            number += 1
            shown = shorten(name, most - len(f" ({number})")) + f" ({number})"
            if _look(shown) not in taken:
                break
        forms[name] = shown
    return {name: forms[name] for name in given}


def _look(shown: str) -> str:
    """The same for texts that look alike: characters composed, or of another width, and unseen ones left out."""
    composed = unicodedata.normalize("NFKC", shown)
    return "".join(character for character in composed if unicodedata.category(character) != "Cf")


def html_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table for a notebook, in which a cell is only ever text."""

    def line(tag: str, cells: Sequence[str]) -> str:
        return f"<tr>{''.join(f'<{tag}>{escape(plain(cell))}</{tag}>' for cell in cells)}</tr>"

    return f"<table>{line('th', head)}{''.join(line('td', row) for row in rows)}</table>"
