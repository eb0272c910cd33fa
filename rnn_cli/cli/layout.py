"""Text in lines and columns, and what keeps a foreign text from disturbing them. Prints only tables."""

import json
import os
import re
import sys
from collections.abc import Sequence

import click
from rich.cells import cell_len, set_cell_size

from rnn_cli.messages import wrapped
from rnn_cli.text.plain import UNSEEN, apart, one_line, plain

NAME_CELLS = 28
"""The widest a label or a file's name may be in a table."""

GAP = 2
"""Spaces between two columns of a table."""


_ESCAPED = {code: f"\\u{code:04x}" for code in UNSEEN}
"""JSON has such characters in its strings alone, where an escape is the same."""


def cut_to(text: str, cells: int) -> str:
    """The text on one line of at most `cells` columns (a wide character takes two); … stands for what is cut."""
    line = one_line(text)
    return line if cell_len(line) <= cells else set_cell_size(line, max(cells - 1, 0)).rstrip() + "…"


def for_terminal(records: str) -> str:
    """Lines of a file, CSV say, without what a terminal must not get; their ends stay."""
    return re.sub(r"\r(?!\n)", "\ufffd", plain(records))


def to_json(value: object, indent: int | None = None) -> str:
    """The value as JSON, in which what a terminal must not get is written as an escape."""
    return json.dumps(value, indent=indent, ensure_ascii=False).translate(_ESCAPED)


def padded(text: str, cells: int, *, right: bool = False) -> str:
    """The text with spaces behind it, or before it, to fill `cells` columns."""
    spaces = " " * (cells - cell_len(text))
    return spaces + text if right else text + spaces


def terminal_width() -> int | None:
    """Columns of the terminal that the standard output is; None where it is none and nothing need be cut."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or None if sys.stdout.isatty() else None
    except (OSError, ValueError):
        return None


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    names: int = 1,
    groups: Sequence[tuple[str, int]] = (),
) -> list[str]:
    """The lines of a table: its head, a rule, its rows.

    The first `names` columns are aligned left, the others, numbers, right. Names that differ do so as shown, too. A row
    of fewer cells than the head has its last one run on, as far as a terminal goes. `groups` stand above the head: what
    some columns after each other have in common, and how many they are.
    """
    shown = apart([*head, *(cell for row in rows for cell in row[:names])], NAME_CELLS, cut_to)
    cells = [[shown[cell] for cell in head]]
    for row in rows:
        cells.append([*(shown[cell] for cell in row[:names]), *(cut_to(cell, NAME_CELLS) for cell in row[names:])])
    widths = [0] * len(head)
    for row in cells:
        counted = row if len(row) == len(head) else row[:-1]
        widths[: len(counted)] = map(max, widths, map(cell_len, counted))
    above = _above(groups, widths)
    lines = []
    for row, given in zip(cells, [head, *rows], strict=True):
        texts = [
            padded(cell, width, right=index >= names)
            for index, (cell, width) in enumerate(zip(row, widths, strict=False))
        ]
        if len(row) < len(head):
            before = sum(widths[: len(row) - 1]) + GAP * (len(row) - 1)
            texts[-1] = cut_to(given[-1], max((terminal_width() or 2**31) - before, 1))
        lines.append((" " * GAP).join(texts).rstrip())
    return [*above, lines[0], "─" * (sum(widths) + GAP * (len(widths) - 1)), *lines[1:]]


def _above(groups: Sequence[tuple[str, int]], widths: list[int]) -> list[str]:
    """The line of the groups' names, if there are any; makes the columns wide enough for them."""
    line, first = [], 0
    for name, count in groups:
        span = sum(widths[first : first + count]) + GAP * (count - 1)
        widths[first + count - 1] += max(cell_len(name) - span, 0)
        line.append(padded(name, max(span, cell_len(name)), right=True))
        first += count
    return [(" " * GAP).join(line)] if groups else []


def fits(lines: Sequence[str]) -> bool:
    """Whether no line is wider than the terminal."""
    width = terminal_width()
    return width is None or all(cell_len(line) <= width for line in lines)


def show_table(*choices: Sequence[str]) -> bool:
    """Print the first of these tables that fits the terminal, else the last; returns whether it is the first."""
    chosen = next((lines for lines in choices if fits(lines)), choices[-1])
    is_head = True
    for line in chosen:
        is_head = is_head and not line.startswith("─")
        click.secho(line, bold=is_head or None)
    return chosen is choices[0]


def paragraph(text: str, indent: str = "    ") -> str:
    """A text wrapped to the terminal, indented below its heading; what a terminal must not get is replaced."""
    columns, shown = terminal_width(), plain(text)
    if columns is None:
        return indent + " ".join(shown.splitlines())
    return wrapped(shown, columns, first=indent, further=indent)
