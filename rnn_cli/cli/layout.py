"""Text in lines and columns, and what keeps a foreign text from disturbing them. Prints nothing."""

import json
import os
import re
import sys
import textwrap
from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

from rnn_cli.text.plain import UNSEEN, apart, one_line, plain

NAME_CELLS = 28
"""The widest a label or a file's name may be in a table."""


_ESCAPED = {code: f"\\u{code:04x}" for code in UNSEEN}
"""JSON has such characters in its strings alone, where an escape is the same."""


def shortened(text: str, cells: int) -> str:
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


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, names: int = 1) -> list[str]:
    """The lines of a table: its head, a rule, its rows.

    The first `names` columns are aligned left, the others, numbers, right. Names that differ do so as shown, too.
    """
    shown = apart([*head, *(cell for row in rows for cell in row[:names])], NAME_CELLS, shortened)
    cells = [[shown[cell] for cell in head]]
    for row in rows:
        cells.append([*(shown[cell] for cell in row[:names]), *(shortened(cell, NAME_CELLS) for cell in row[names:])])
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(
            padded(cell, width, right=index >= names)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
    return [lines[0], "─" * (sum(widths) + 2 * (len(widths) - 1)), *lines[1:]]


def fits(lines: Sequence[str]) -> bool:
    """Whether no line is wider than the terminal."""
    width = terminal_width()
    return width is None or all(cell_len(line) <= width for line in lines)


def paragraph(text: str, indent: str = "    ") -> str:
    """A text wrapped to the terminal, indented below its heading; what a terminal must not get is replaced."""
    wrapper = textwrap.TextWrapper(
        terminal_width() or 2**31,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return wrapper.fill(plain(text))
