"""Small pieces of a page: tables, definitions, texts with their words marked. All that comes in is escaped here."""

from collections.abc import Iterable, Sequence

from rnn_cli.reporting.escape import in_html
from rnn_cli.scoring.explain import Part

STEPS = 4
"""Degrees in which a word may be marked."""

LEAST_SHARE = 0.08
"""Of the weight of a text's strongest part: what has less is not marked."""


class Safe(str):
    """Text that is HTML already."""


def safe(text: str) -> Safe:
    """The text as HTML, unless it is already."""
    return text if isinstance(text, Safe) else Safe(in_html(text))


def foreign(text: str) -> Safe:
    """A text of the data, kept from turning what stands beside it when it is written from right to left."""
    return Safe(f"<bdi>{in_html(text)}</bdi>")


def element(name: str, *content: str, **attributes: str) -> Safe:
    """An element with its content; `class_` stands for the attribute class."""
    told = "".join(f' {key.rstrip("_")}="{in_html(value)}"' for key, value in attributes.items())
    return Safe(f"<{name}{told}>{''.join(map(safe, content))}</{name}>")


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, names: int = 1) -> Safe:
    """A table that is scrolled within its own box where it is too wide; the first `names` columns are words."""

    def cells(row: Sequence[str], tag: str) -> Safe:
        made = (element(tag, cell, **({} if place < names else {"class_": "n"})) for place, cell in enumerate(row))
        return element("tr", *made)

    body = element("tbody", *(cells(row, "td") for row in rows))
    return element("div", element("table", element("thead", cells(head, "th")), body), class_="wide")


def figure(shown: str, interval: str = "") -> Safe:
    """A number with its interval below it."""
    return Safe(safe(shown) + (element("small", interval.replace(" to ", "–")) if interval else ""))


def definitions(pairs: Iterable[tuple[str, str]]) -> Safe:
    """Names and what they are, in two columns."""
    return element("dl", *(Safe(element("dt", name) + element("dd", told)) for name, told in pairs))


def folded(summary: str, *content: str) -> Safe:
    """Content that a reader unfolds."""
    return element("details", element("summary", summary), *content)


def marked(text: str, parts: Sequence[Part], start: int, stop: int) -> Safe:
    """text[start:stop] with each part marked as strongly as it spoke for the answer, or against it.

    What holds letters or digits but stands in no part was not read; it is set apart, too.
    """
    strongest = max((abs(part.weight) for part in parts), default=0.0)
    pieces, place = [], start
    for part in parts:
        if part.end <= start or part.start >= stop:
            continue
        begin, end = max(part.start, start), min(part.end, stop)
        pieces += [_between(text[place:begin]), _part(text[begin:end], part.weight, strongest)]
        place = end
    rest = text[place:stop]
    return Safe("".join([*pieces, _between(rest) if parts else safe(rest)]))


def _part(text: str, weight: float, strongest: float) -> Safe:
    share = abs(weight) / strongest if strongest else 0.0
    if share < LEAST_SHARE:
        return safe(text)
    step = min(STEPS, 1 + int(STEPS * share))
    return element("mark", text, class_=f"{'for' if weight > 0 else 'against'} s{step}")


def _between(text: str) -> Safe:
    return element("span", text, class_="unread") if any(map(str.isalnum, text)) else safe(text)
