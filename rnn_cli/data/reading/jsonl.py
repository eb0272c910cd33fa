"""JSON Lines: one object a line, read strictly; what Python's json lets pass (NaN, doubled keys) is refused.

Blank lines are skipped. The first object's keys are the columns; all others must have the two that are read.
"""

import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, NoReturn

from rnn_cli.data.reading import bounds
from rnn_cli.data.reading.decoding import Faults, lines
from rnn_cli.data.reading.table import (
    Choose,
    ReadRequest,
    WholeRow,
    clean,
    find_columns,
    is_encodable,
    kind,
    label_value,
    plain_value,
    refuse_doubled,
    show,
    text_value,
)
from rnn_cli.data.rows import Row
from rnn_cli.errors import DataError, RowError

_MOST_BEFORE = 10_000
"""Faulty lines that are kept until an object has told the columns."""


def rows(stream: io.BufferedReader, request: ReadRequest) -> Iterator[Row]:
    """The rows, one for each object. Raises DataError."""
    read: tuple[str, str | None] | None = None
    for number, record in _records(stream, request):
        read = read or find_columns(list(record), request)
        yield _row(record, *read, request, number)


def chosen(stream: io.BufferedReader, request: ReadRequest, choose: Choose) -> Iterator[tuple[int, list[str | None]]]:
    """Each object's line and its values of the keys chosen from the first's, None where it lacks one."""
    names: Sequence[str] | None = None
    for number, record in _records(stream, request):
        if names is None:
            refuse_doubled(list(record), request)
            names = choose(list(record))
        yield number, [plain_value(record.get(name)) for name in names]


def whole(
    stream: io.BufferedReader, request: ReadRequest, faults: Faults | None, *, as_table: bool
) -> tuple[list[str], Iterator[WholeRow]]:
    """The first object's keys, and every object as it stands; of faulty ones nothing but that. Raises DataError.

    With `faults`, an empty dict, what is wrong with an object is given with it. Wanted `as_table`, a key that the first
    object lacks is a fault, too, and so is half of a surrogate pair in any value.
    """
    found = _whole_rows(stream, request, faults)
    before: list[WholeRow] = []
    first = None
    for row in found:
        if row.fault is None:
            first = row
            break
        before.append(row)
        if len(before) > _MOST_BEFORE:
            what = f"none of its first {_MOST_BEFORE:,} lines is a JSON object"
            raise DataError(what, where=request.name, hint="is it JSON Lines?")
    if first is None:
        return [], iter(before)
    columns = list(first.values)
    text, _ = find_columns(columns, request)
    if as_table and not is_encodable("".join(columns)):
        raise _half(request.at(first.line))
    known = set(columns) if as_table else None
    checked = (_checked(row, text, known, request, faults) for row in chain([first], found))
    return columns, chain(before, checked)


def _whole_rows(stream: io.BufferedReader, request: ReadRequest, faults: Faults | None) -> Iterator[WholeRow]:
    """Each object as it stands, its text not looked at yet."""
    last = 0
    for number, line in enumerate(lines(stream, request, faults, cut_long=True), start=1):
        raw = line.strip(" \t\r\n")
        fault = faults.pop(number, None) if faults else None
        if not raw and fault is None:
            if number - last > bounds.MOST_BLANK:
                raise request.too_many_blank(last + 1)
            continue
        last = number
        record: dict[str, Any] = {}
        try:
            record = record if fault else _parse(line, request.at(number))
        except DataError as error:
            if faults is None:
                raise RowError.of(error) from None
            fault = error
        yield WholeRow(number, "", raw, record, fault)


def _checked(row: WholeRow, text: str, known: set[str] | None, request: ReadRequest, faults: Faults | None) -> WholeRow:
    """The row with its text; or with what is wrong with that."""
    if row.fault is not None:
        return row
    try:
        if known is not None:
            _refuse_in_table(row, known, request)
        found = clean(_row(row.values, text, None, request, row.line), request)
    except DataError as error:
        if faults is None:
            raise RowError.of(error) from None
        return row._replace(fault=error, values={})
    return row._replace(text=found.text)


def _refuse_in_table(row: WholeRow, known: set[str], request: ReadRequest) -> None:
    """Raise DataError for a key that is no column, and for what only JSON can hold."""
    if not row.values.keys() <= known:
        more = next(key for key in row.values if key not in known)
        raise DataError(
            f"the key {more!r} is not among the first object's, which are the columns",
            where=request.at(row.line),
            hint="give every object the same keys, or use --format jsonl",
        )
    if "\\u" in row.raw and not is_encodable(json.dumps(row.values, ensure_ascii=False)):
        raise _half(request.at(row.line))


def _half(where: str) -> DataError:
    hint = "remove it, or use --format jsonl"
    return DataError("half of a surrogate pair, which is no character", where=where, hint=hint)


def _records(stream: io.BufferedReader, request: ReadRequest) -> Iterator[tuple[int, dict[str, Any]]]:
    last = 0
    for number, line in enumerate(lines(stream, request), start=1):
        if line.strip(" \t\r\n"):
            last = number
            yield number, _parse(line, request.at(number))
        elif number - last > bounds.MOST_BLANK:
            raise request.too_many_blank(last + 1)


def _row(record: dict[str, Any], text: str, label: str | None, request: ReadRequest, number: int) -> Row:
    where = request.at(number)
    for key in (text, label):
        if key is not None and key not in record:
            raise DataError(
                f"the key {key!r} is missing (keys: {show(record)})",
                where=where,
                hint="give every object the same keys",
            )
    return Row(
        line=number,
        text=text_value(record[text], text, where),
        label=None if label is None else label_value(record[label], label, where),
    )


class _Refused(ValueError):
    """JSON that Python would read, but not without guessing."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise _Refused(f"the key {twice!r} appears twice in one object")
    return record


def _no_constant(name: str) -> NoReturn:
    raise _Refused(f"{name} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)


_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?')
_PARTS = re.compile(r"[,\[{]")
_MOST_PARTS = 250_000  # values of an object, in memory a hundred bytes each


def _has_too_many_parts(line: str) -> bool:
    if len(line) < _MOST_PARTS:
        return False
    return sum(1 for _ in _PARTS.finditer(_STRING.sub("", line))) > _MOST_PARTS


def _parse(line: str, where: str) -> dict[str, Any]:
    hint = "write one JSON object a line"
    if _has_too_many_parts(line):
        raise DataError(
            f"more than {_MOST_PARTS:,} values in one object", where=where, hint="leave out what is not read"
        )
    try:
        record = _DECODER.decode(line)
    except json.JSONDecodeError as error:
        raise DataError(f"broken JSON ({error.msg})", where=f"{where}:{error.pos + 1}", hint=hint) from None
    except _Refused as error:
        raise DataError(str(error), where=where, hint="correct the line") from None
    except ValueError:  # Python's bound on the digits of an int
        raise DataError("a number of too many digits", where=where, hint="write it as a string") from None
    except RecursionError:
        raise DataError("nested too deeply", where=where, hint=hint) from None
    if not isinstance(record, dict):
        raise DataError(f"{kind(record)}, not an object", where=where, hint=hint)
    return record
