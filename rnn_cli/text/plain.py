"""Makes text safe to show: without control characters and without changes of the direction of writing.

Imports no library, as every output uses it.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from html import escape

UNSEEN = dict.fromkeys(
    [
        *(code for code in range(32) if chr(code) not in "\t\n\r"),
        *range(0x7F, 0xA0),
        *range(0x2028, 0x202F),  # unusual line ends, and changes of the direction of writing
        *range(0x2066, 0x206A),
        *range(0xD800, 0xE000),  # surrogates, which UTF-8 cannot encode
        *(0xFEFF, 0xFFFE, 0xFFFF),
    ],
    "\ufffd",
)
"""For `str.translate`: replaces each character that no page, chart or terminal may receive."""


def plain(text: str) -> str:
    """The text with invisible and control characters replaced; line ends and tabs stay."""
    return text.translate(UNSEEN)


def one_line(text: str) -> str:
    """The text on one line: white space becomes single spaces, control characters are replaced as in `plain`."""
    return plain(" ".join(text.split()))


def shortened(text: str, most: int) -> str:
    """The text on one line of at most `most` characters; … marks a cut."""
    line = one_line(text)
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


Shorten = Callable[[str, int], str]
"""Shortens a name to one line of at most this width, at its end."""


def apart(names: Iterable[str], most: int, shorten: Shorten) -> dict[str, str]:
    """Each name shortened to one line of at most `most` columns, so that no two look alike.

    Names that would look alike are cut in the middle instead; if they still do, spaces and invisible characters are
    written as escapes; if that does not help, the names are numbered in order.
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
    """A key that is equal for texts that look alike: normalized (NFKC), without invisible characters."""
    composed = unicodedata.normalize("NFKC", shown)
    return "".join(character for character in composed if unicodedata.category(character) != "Cf")


def html_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """An HTML table for a notebook; the cells are escaped."""

    def line(tag: str, cells: Sequence[str]) -> str:
        return f"<tr>{''.join(f'<{tag}>{escape(plain(cell))}</{tag}>' for cell in cells)}</tr>"

    return f"<table>{line('th', head)}{''.join(line('td', row) for row in rows)}</table>"
