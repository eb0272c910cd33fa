"""The first line of CSV and TSV: names of columns, or a row; and which columns may hold texts and labels."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

from rnn_cli.data.reading.dialect import USUAL_DELIMITERS
from rnn_cli.data.reading.table import (
    FEW_VALUES,
    LABEL_NAMES,
    SECOND_LABEL_NAMES,
    TEXT_NAMES,
    ReadRequest,
    find_columns,
    is_number,
    quoted_names,
)
from rnn_cli.errors import DataError, Setting, quoted

Rows = Sequence[Sequence[str]]

_USUAL = frozenset((*TEXT_NAMES, *LABEL_NAMES, *SECOND_LABEL_NAMES))
_SENTENCE, _PHRASE = 3, 5
"""Words: a sentence has no fewer, a name of a column seldom more."""

_ROWS = 3
"""So few rows already tell what a column holds."""

_ENDS = re.compile(r"[.!?…。！？]\W*$")


class RowAsHeader(DataError):
    """The first line looks like a row, not like names of columns."""


def numbered(width: int) -> list[str]:
    """The names of columns that have none."""
    return [str(number) for number in range(1, width + 1)]


def has_usual_name(names: Sequence[str]) -> bool:
    """Whether one of the names is usual for texts or labels."""
    return any(name.strip().lower() in _USUAL for name in names)


def may_be_names(fields: Sequence[str]) -> bool:
    """Whether these may name columns: no numbers, and each another one."""
    names = [name.strip() for name in fields if name.strip()]
    return len(set(names)) == len(names) and not any(map(is_number, names))


def refuse_row(header: Sequence[str], rows: Rows, request: ReadRequest, line: int) -> None:
    """Raise `RowAsHeader` for a first line, of number `line`, that looks like one of the first rows below it.

    A usual name among its names is enough for a header, and so are names that the request knows; but a name that it
    says itself may be the value of a row.
    """
    if request.header is not None or request.choose is not None or request.likely_text_column in header:
        return
    said = [name for name in (request.text_column, request.label_column) if name in header]
    if has_usual_name(header) or _counts(header):
        return
    if len(header) == 1:
        _refuse_other_delimiter(header[0], rows, request, line)
        if request.labels:
            what = f"its only column, {quoted_names(header)}, cannot be both texts and labels"
            raise DataError(what, where=request.name, hint="add a column of labels")
    if why := _likeness(header, rows, said):
        raise _refused(why, header, rows, request, line)


def _likeness(header: Sequence[str], rows: Rows, said: Collection[str | None]) -> str | None:
    """Why a first line looks like a row; of columns that were `said`, only their values tell."""
    for index, name in enumerate(header):
        if (said and name not in said) or not name.strip():
            continue
        cells = [row[index] for row in rows if index < len(row) and list(row) != list(header)]
        if name in cells:
            return f"{quoted_names([name])} is a value of the same column below"
        if not said and cells and is_number(name) and all(map(is_number, cells)):
            return f"{quoted_names([name])} is a number as those below it"
    if said:
        return None
    if len(header) == 1:
        return f"the only column would be called {quoted_names(header)}"
    columns = [[row[index] for row in rows if index < len(row)] for index in range(len(header))]
    sentences = [name for name, cells in zip(header, columns, strict=True) if _is_sentence(name, cells)]
    if not sentences or any(map(_differs, header, columns)):
        return None
    return f"{quoted_names(sentences[:1])} is a sentence"


def _is_sentence(name: str, cells: Sequence[str]) -> bool:
    """Whether it may be a text; not a phrase, as "Kommentar des Kunden", above long texts or single words."""
    words = len(name.split())
    if words < _SENTENCE or words > _PHRASE or _ENDS.search(name) or not cells:
        return words >= _SENTENCE
    lengths = [len(cell.split()) for cell in cells]
    return 1 < max(lengths) and median(lengths) < 2 * words


def _differs(name: str, cells: Sequence[str]) -> bool:
    """Whether no row of the column would say this: all of them are numbers, or the same few labels again and again."""
    if len(cells) < _ROWS:
        return False
    if all(map(is_number, cells)) and not is_number(name):
        return True
    return name not in cells and len(set(cells)) <= len(cells) // 3


def _refuse_other_delimiter(name: str, rows: Rows, request: ReadRequest, line: int) -> None:
    """Raise DataError for a header of one column, and most rows of it, that hold another delimiter."""
    for other in USUAL_DELIMITERS:
        if other in name and sum(other in row[0] for row in rows) * 2 >= len(rows):
            what = f"the header is one column, {quoted_names([name])}; found {other!r}"
            hint = Setting("data.delimiter", "tab" if other == "\t" else quoted(other))
            raise DataError(what, where=request.at(line), hint=hint)


def _counts(header: Sequence[str]) -> bool:
    """Whether the names are 0, 1, 2, ... or 1, 2, 3, ..., as programs write them, perhaps behind one without a name."""
    names = header[1:] if len(header) > 1 and not header[0] else header
    if not all(name.isdecimal() for name in names) or names[:1] not in (["0"], ["1"]):
        return False
    return all(int(after) == int(before) + 1 for before, after in pairwise(names))


def _refused(why: str, header: Sequence[str], rows: Rows, request: ReadRequest, line: int) -> RowAsHeader:
    names = numbered(len(header))
    bare = replace(request, text_column=None, label_column=None, likely_text_column=None)
    columns = column_settings(names, [header, *rows], bare)
    named = column_settings(header, rows, replace(request, header=True))
    is_header = Setting("data.header", "true", "; if it is the header, {}", also=named)
    hint = Setting("data.header", "false", "add a header, or use {}", also=columns, more=(is_header,))
    return RowAsHeader(f"looks like a row, not like a header: {why}", where=request.at(line), hint=hint)


def column_settings(names: Sequence[str], rows: Rows, request: ReadRequest) -> tuple[tuple[str, str], ...]:
    """The settings that name the columns of texts and of labels, as far as they are not found; guessed by their values.

    A column that cannot be guessed is NAME.
    """
    if not names or (len(names) == 1 and not request.labels):
        return ()
    settings = []
    cells = {name: [row[index] for row in rows if index < len(row)] for index, name in enumerate(names)}
    others = [name for name in names if name != request.label_column]
    text = _found(others, replace(request, labels=False, on_columns=None))
    if text is None:
        text = _longest({name: each for name, each in cells.items() if name in others})
        settings.append(("data.text_column", text))
    if request.labels:
        as_text = replace(request, text_column=text or names[0], on_columns=None)
        try:
            find_columns(names, as_text, cells.get)  # type: ignore[arg-type]
        except DataError:
            label = _fewest({name: each for name, each in cells.items() if name != text})
            settings.append(("data.label_column", label))
    return tuple((key, "NAME" if value is None else quoted(value)) for key, value in settings)


def _found(names: Sequence[str], request: ReadRequest) -> str | None:
    try:
        return find_columns(names, request)[0]
    except DataError:
        return None


def _longest(cells: dict[str, list[str]]) -> str | None:
    """The column of the longest values that are not numbers."""
    lengths = {name: sum(map(len, each)) for name, each in cells.items() if not all(map(is_number, each))}
    return max(lengths, key=lambda name: lengths[name]) if lengths else None


def _fewest(cells: dict[str, list[str]]) -> str | None:
    """The column of the fewest different values, of several the one of the shortest; none of a single value."""
    different = {name: len(set(each)) for name, each in cells.items() if name}
    most = {name: len(each) if len(each) < FEW_VALUES else len(each) // 2 for name, each in cells.items()}
    likely = [name for name, count in different.items() if 1 < count <= most[name]]
    return min(likely, key=lambda name: (different[name], sum(map(len, cells[name]))), default=None)
