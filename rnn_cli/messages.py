"""Messages on stderr: each stays one line in a pipe, and is wrapped at words on a terminal.

What a reader may copy, a command, a path, an option with its value or key=value, is not broken. Knows nothing of what
is said.
"""

import os
import re
import sys
from collections.abc import Iterator, Sequence

import click

USUAL_WIDTH = 80
"""The width of a terminal that does not tell it."""

QUOTED = r"""(?<!\w)'[^']*'|(?<!\w)"[^"]*\""""
LISTED = r"=[\[{][^\]}]*[\]}]"

ARGUMENT = re.compile(r"""[-'"$<>|]|[A-Z\d]+\b|\S*[/=.]\S""")
"""How a word begins that goes on with a command."""

GROUPS = ("config", "data", "inspect", "label")
"""Verbs with verbs of their own."""

STOPS = tuple(",;:)")
"""What stands behind the last word of a command or of an option's value."""


def tell(message: str, *, whole: Sequence[str] = ()) -> None:
    """Print a message on stderr; `whole` are names in it, of files say, to keep whole if they have spaces."""
    columns = stderr_columns()
    click.echo(message if columns is None else wrapped(message, columns, whole=whole), err=True)


def stderr_columns() -> int | None:
    """Columns of the terminal that stderr is; None where it is none and a message stays one line."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or USUAL_WIDTH if sys.stderr.isatty() else None
    except (OSError, ValueError):
        return None


def wrapped(text: str, columns: int, *, first: str = "", further: str = "", whole: Sequence[str] = ()) -> str:
    """The text in lines of at most `columns`, of which a wide character takes two.

    `first` and `further` are indents. Lines break at spaces, but not within `whole` names, quotes, commands, options
    with their values, and lists behind a key: one that is too long has a line of its own. Only a quote that is too long
    for a line is broken, as it is prose.
    """
    from rich.cells import cell_len  # here: `rnn` starts without

    lines: list[str] = []
    line, is_empty = first, True
    for gap, piece in _pieces(text, whole):
        is_prose = piece[0] in "'\"" and cell_len(piece) > columns - cell_len(further)
        for at, word in enumerate(piece.split(" ") if is_prose else [piece]):
            space = " " if at else gap
            if not is_empty and cell_len(line + space + word) > columns:
                lines.append(line)
                line, is_empty = further, True
            line += word if is_empty and lines else space + word
            is_empty = False
    return "\n".join([*lines, line])


def _pieces(text: str, whole: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What no line may break, each with the spaces before it."""
    names = [re.escape(name) for name in whole if " " in name]
    word_of = rf"( *)((?:{'|'.join([*names, QUOTED, LISTED])}|[^ ])+)"
    gap = piece = last = ""
    is_command = False
    for spaces, word in re.findall(word_of, re.sub(r"[\t\n\r\f\v]", " ", text)):
        if piece and len(spaces) == 1 and _goes_on(piece if is_command else "", last, word):
            piece += " " + word
        else:
            if piece:
                yield gap, piece
            gap, piece, is_command = spaces, word, word.lstrip("(") in ("rnn", "pip")
        last = word
    if piece:
        yield gap, piece


def _goes_on(command: str, last: str, word: str) -> bool:
    """Whether a command that has begun, or an option with its value, goes on with this word after the `last` one."""
    if last.endswith(STOPS):
        return False
    if re.match(r"--?[A-Za-z]", last) or last in ("<", ">", "|"):
        return True
    if not command:
        return False
    # The verb and the word behind it, as in "rnn train quick" and "rnn config show quick".
    begun = command.split(" ")
    return len(begun) < (4 if begun[1:2] and begun[1] in GROUPS else 3) or ARGUMENT.match(word) is not None
