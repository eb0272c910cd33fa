"""Lines above the header of a CSV or TSV file, and below its rows, as banks and reports write them."""

import os
import shlex
from collections import Counter

from rnn_cli.data.reading.dialect import OF_ONE_WIDTH, USUAL_DELIMITERS, Head, without_empty_end
from rnn_cli.data.reading.expanding import GZIP, ZSTD
from rnn_cli.data.reading.header import has_usual_name, may_be_names
from rnn_cli.data.reading.records import reader
from rnn_cli.data.reading.table import ReadRequest
from rnn_cli.errors import DataError

_MOST_LINES = 40
"""So many lines may stand above a header."""

_ROWS = 3
"""So few rows already tell how wide the table is."""

_WIDE = 3
"""A line of one field above rows of fewer may be the header of texts with a comma each."""


class Preamble(DataError):
    """Other lines stand above the header."""


def refuse_preamble(head: Head, request: ReadRequest, usual: str) -> None:
    """Raise `Preamble` where the header and the rows stand below lines of another width, without a usual name.

    For a file that was refused: the lines of one that can be read say nothing.
    """
    delimiters = dict.fromkeys((usual, *USUAL_DELIMITERS)) if request.delimiter is None else (usual,)
    found = [table for delimiter in delimiters if (table := _table_in(head, delimiter))]
    if found:
        _, first, last, end = max(found)  # the widest: decimal commas divide rows, too
        raise _refused(first, last, end, request, head)


def _table_in(head: Head, delimiter: str) -> tuple[int, int, int, int] | None:
    """The width of a table below other lines, the lines of its header, its last row and the file's end; or None."""
    source = reader(head.lines, delimiter, plain=False, strict=False)
    records, line = [], 0
    for fields in source:
        records.append((line + 1, source.line_num, without_empty_end(fields)))
        line = source.line_num
    if head.is_cut:
        records = records[:-1]
    widths = Counter(len(fields) for _, _, fields in records if len(fields) > 1)
    if not widths:
        return None
    width, count = widths.most_common(1)[0]
    at = next(index for index, (_, _, fields) in enumerate(records) if len(fields) == width)
    above = [fields for _, _, fields in records[:at]]
    below = sum(1 for _, _, fields in records[at:] if fields)
    if not any(above) or records[at][0] > _MOST_LINES or count <= _ROWS or count < OF_ONE_WIDTH * below:
        return None
    names = records[at][2]
    if any(map(has_usual_name, above)) or not may_be_names(names):
        return None
    if len(above) == 1 and not has_usual_name(names) and (len(above[0]) > 1 or width < _WIDE):
        return None
    last = max(end for _, end, fields in records if len(fields) == width)
    return width, records[at][0], last, last if head.is_cut else line


def _refused(first: int, last: int, end: int, request: ReadRequest, head: Head) -> Preamble:
    above = "line 1 stands" if first == 2 else f"lines 1 to {first - 1} stand"
    what = f"{above} above the header, which is in line {first}"
    removed = f"1,{first - 1}d"
    if end > last:
        below = f"line {end} stands" if end == last + 1 else f"lines {last + 1} to {end} stand"
        what += f", and {below} below the rows"
        removed += f";{last + 1},{end}d"
    hint = "remove them"
    if _is_for_sed(head, request):
        stem, suffix = os.path.splitext(request.path)
        hint += f": sed {shlex.quote(removed)} {shlex.quote(request.path)} > {shlex.quote(f'{stem}-rows{suffix}')}"
    return Preamble(what, where=request.at(1), hint=hint)


def _is_for_sed(head: Head, request: ReadRequest) -> bool:
    """Whether the lines of the file are lines to other programs: not compressed, of bytes, ended by LF."""
    with open(request.path, "rb") as file:
        start = file.read(4)
    wide = (request.encoding or "").lower().startswith(("utf-16", "utf16", "utf-32", "utf32"))
    marked = start.startswith((GZIP, ZSTD, b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff"))
    return not wide and not marked and all(line.endswith("\n") for line in head.lines[:-1])
