"""Explanations, printed: a text with its words coloured, and the strongest of them; or as fields of JSON."""

import re
from collections.abc import Sequence

import click
from rich.cells import cell_len

from rnn_cli.cli.layout import NAME_CELLS, shortened, terminal_width
from rnn_cli.scoring.explain import Part
from rnn_cli.text.plain import plain

STRONGEST = 5
"""How many words for an answer, and how many against it, are told by name."""

LEAST = 0.005
"""A weight that is told as 0.00: it leaves the answer unchanged."""

INDENT = "    "


def shown(text: str, parts: Sequence[Part]) -> str:
    """The text, wrapped, what speaks for the answer in green and what speaks against it in red; the strongest below."""
    # A character for each, so that the parts' places hold.
    flat = plain("".join(" " if each.isspace() else each for each in text))
    width = terminal_width()
    ranges = _wrapped(flat, max(width - len(INDENT), 2)) if width else [(0, len(flat.rstrip()))]
    top = max((abs(part.weight) for part in parts), default=0.0)
    lines = [_painted(flat, start, end, parts, top) for start, end in ranges]
    for name, sign in (("for", 1), ("against", -1)):
        ranked = sorted((part for part in parts if sign * part.weight >= LEAST), key=lambda part: -abs(part.weight))
        if ranked:
            lines.append(_named(name, [(flat[part.start : part.end], part.weight) for part in ranked[:STRONGEST]]))
    return "".join(f"{INDENT}{line}\n" for line in lines if line)


def fields(text: str, parts: Sequence[Part]) -> list[dict[str, object]]:
    """What a JSON answer holds of it: the parts in order, weights with 6 significant digits."""
    return [
        {
            "text": text[part.start : part.end],
            "start": part.start,
            "end": part.end,
            "weight": float(f"{part.weight:.6g}"),
        }
        for part in parts
    ]


def _wrapped(text: str, cells: int) -> list[tuple[int, int]]:
    """The lines, text[start:end], at most `cells` columns wide."""
    lines: list[tuple[int, int]] = []
    # A character takes two columns at most, so that what is matched fits a line; a longer word may be broken.
    for word in re.finditer(rf"\S{{1,{cells // 2}}}", text):
        start, end = word.span()
        if lines and cell_len(text[lines[-1][0] : end]) <= cells:
            start, _ = lines.pop()
        lines.append((start, end))
    return lines


def _painted(text: str, start: int, end: int, parts: Sequence[Part], top: float) -> str:
    painted, done = "", start
    for part in parts:
        first, last = max(part.start, start), min(part.end, end)
        if first < last:
            painted += text[done:first] + _coloured(text[first:last], part.weight, top)
            done = last
    return painted + text[done:end]


def _coloured(text: str, weight: float, top: float) -> str:
    # Bold and underlined rather than bright: bright colours vanish on a light background.
    strength = abs(weight) / top if abs(weight) >= LEAST else 0.0
    if strength < 0.1:
        return text
    colour = "green" if weight > 0 else "red"
    return click.style(text, fg=colour, bold=strength >= 1 / 3 or None, underline=strength >= 2 / 3 or None)


def _named(name: str, ranked: Sequence[tuple[str, float]]) -> str:
    """The words and their weights on one line, as many as it holds."""
    width = terminal_width()
    line = f"{name:<8}"
    for text, weight in ranked:
        longer = f"{line} {shortened(text, NAME_CELLS)} {weight:+.2f} "
        if width is not None and line.strip() != name and cell_len(INDENT + longer.rstrip()) > width:
            break
        line = longer
    return line.rstrip()
