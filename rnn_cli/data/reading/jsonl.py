"""Reads JSON Lines, one object per line, strictly: refuses what Python's json accepts (NaN, repeated keys).

Skips blank lines. The first object's keys are the columns; all objects must have the columns that are read. A key of an
object in it is a column, too, by a dotted name, such as review.text, unless a key has just this name.
"""

import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, NoReturn

from rnn_cli.data.reading import bounds
from rnn_cli.data.reading.blocks import Block, Opened, TextRow, into_blocks, is_encodable
from rnn_cli.data.reading.decoding import Faults, lines
from rnn_cli.data.reading.table import ABSENT, ReadRequest, choose_columns, kind
from rnn_cli.errors import DataError, RowError, Setting

_SPACE = " \t\r\n"

_Path = tuple[str, ...]
"""A key, or the key of an object and a key in it."""

_MOST_BEFORE = 10_000
"""The maximum of faulty lines before the first object, which gives the columns."""


def open_jsonl(stream: io.BufferedReader, request: ReadRequest) -> Opened:
    """The first object's keys, and all objects. Raises DataError, here or while reading.

    If lenient, records the fault of an object. With `as_table`, a key that the first object lacks is a fault, and so is
    half of a surrogate pair in any value.
    """
    parsed = (_parsed(block, request) for block in into_blocks(_rows(stream, request), request))
    held: list[Block] = []
    before = 0
    for block in parsed:
        held.append(block)
        first = next((index for index in range(len(block.lines)) if index not in block.faults), None)
        if 0 in block.faults and not request.lenient:
            raise RowError.of(block.faults[0])
        before += len(block.lines) if first is None else first
        if before > _MOST_BEFORE:
            what = f"none of its first {_MOST_BEFORE:,} lines is a JSON object"
            raise DataError(what, where=request.name, hint="is it JSON Lines?")
        if first is not None:
            break
        if block.error is not None:
            raise block.error
    else:
        return Opened("jsonl", (), (), (replace(block, columns=[[""] * len(block.lines)]) for block in held))
    columns = list(block.values[first])

    def sample(name: str) -> list[object]:
        return [record.get(name) for block in held for record in block.values if isinstance(record, dict)]

    inner = _inner_names(block.values[first], columns, request)
    chosen = choose_columns([*columns, *inner], request, sample)
    if request.as_table and not is_encodable("".join(columns)):
        raise _half(request.at(block.lines[first]))
    known = set(columns) if request.as_table else None
    paths = [inner.get(name, (name,)) for name in chosen]
    return Opened("jsonl", columns, chosen, (_complete(block, paths, known, request) for block in chain(held, parsed)))


def _rows(stream: io.BufferedReader, request: ReadRequest) -> Iterator[TextRow]:
    """Each line that is not blank, with the line itself in place of values."""
    faults: Faults | None = {} if request.lenient else None
    last = 0
    for number, line in enumerate(lines(stream, request, faults, cut_long=True), start=1):
        raw = line.strip(_SPACE)
        fault = faults.pop(number, None) if faults else None
        if raw or fault:
            last = number
            yield number, raw, line, fault
        elif number - last > bounds.MOST_BLANK:
            raise request.too_many_blank(last + 1)


def _parsed(block: Block, request: ReadRequest) -> Block:
    """The block with each line's object as its values."""
    values = None if block.faults else _objects(block.raws)
    if values is None:
        values = []
        for index, line in enumerate(block.values):
            values.append({})
            if index not in block.faults:
                try:
                    values[index] = _parse(str(line), request.at(block.lines[index]))
                except DataError as fault:
                    block.faults[index] = fault
    return replace(block, values=values)


def _objects(raws: Sequence[str]) -> list[Any] | None:
    """The objects of lines if all are valid; None if one is not, so that the slower path finds its fault."""
    if max(map(len, raws), default=0) >= _MOST_PARTS:
        return None
    try:
        found = list(map(_DECODER.raw_decode, raws))
    except (ValueError, RecursionError):
        return None
    is_whole = [end for _, end in found] == list(map(len, raws))
    values = [value for value, _ in found]
    return values if is_whole and set(map(type, values)) == {dict} else None


def _inner_names(record: Any, columns: Sequence[str], request: ReadRequest) -> dict[str, _Path]:
    """The keys of the objects in an object, by their dotted names; of very many only those that are asked for."""
    found: dict[str, _Path] = {}
    for name, value in record.items():
        for key in value if isinstance(value, dict) else ():
            if (dotted := f"{name}.{key}") not in record:
                found.setdefault(dotted, (name, key))
    if len(columns) + len(found) > bounds.MOST_COLUMNS:
        asked = {request.text_column, request.likely_text_column, request.label_column, *request.beside}
        found = {name: path for name, path in found.items() if name in asked}
    return found


def _at(record: Mapping[str, Any], path: _Path) -> Any:
    """The value at a path, ABSENT if there is none."""
    inner = record.get(path[0], ABSENT)
    if len(path) == 1:
        return inner
    return inner.get(path[1], ABSENT) if isinstance(inner, dict) else ABSENT


def _complete(block: Block, chosen: Sequence[_Path], known: set[str] | None, request: ReadRequest) -> Block:
    """The block with the chosen columns; a row with a key outside `known`, if given, becomes a fault."""
    values: list[Any] = block.values
    if known is not None and not (set().union(*values) <= known and not any("\\u" in raw for raw in block.raws)):
        for index in range(len(values)):
            if fault := _fault_in_table(block, index, known, request):
                block.reject(index, fault)
    return replace(block, columns=[[_at(record, path) for record in values] for path in chosen])


def _fault_in_table(block: Block, index: int, known: set[str], request: ReadRequest) -> DataError | None:
    """The fault of an object with a key that is not a column, or with a value that only JSON can hold."""
    where, values = request.at(block.lines[index]), block.values[index]
    if more := [key for key in values if key not in known]:
        what = f"the first object, whose keys are the columns, has no key {more[0]!r}"
        return DataError(
            what, where=where, hint=Setting("format", "jsonl", "give every object the same keys, or use {}")
        )
    if "\\u" in block.raws[index] and not is_encodable(json.dumps(values, ensure_ascii=False)):
        return _half(where)
    return None


def _half(where: str) -> DataError:
    hint = Setting("format", "jsonl", "remove it, or use {}")
    return DataError("half of a surrogate pair, which is not a character", where=where, hint=hint)


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
_MOST_PARTS = 250_000  # values of an object, a hundred bytes each in memory


def _has_too_many_parts(line: str) -> bool:
    if len(line) < _MOST_PARTS:
        return False
    return sum(1 for _ in _PARTS.finditer(_STRING.sub("", line))) > _MOST_PARTS


def _parse(line: str, where: str) -> dict[str, Any]:
    hint = "write one JSON object per line"
    if _has_too_many_parts(line):
        raise DataError(
            f"more than {_MOST_PARTS:,} values in one object", where=where, hint="leave out the keys you do not need"
        )
    try:
        record = _DECODER.decode(line)
    except json.JSONDecodeError as error:
        raise DataError(f"broken JSON ({error.msg})", where=f"{where}:{error.pos + 1}", hint=hint) from None
    except _Refused as error:
        raise DataError(str(error), where=where, hint="correct the line") from None
    except ValueError:  # more digits than Python's int accepts
        raise DataError("a number with too many digits", where=where, hint="write it as a string") from None
    except RecursionError:
        raise DataError("nested too deeply", where=where, hint=hint) from None
    if not isinstance(record, dict):
        raise DataError(f"{kind(record)}, not an object", where=where, hint=hint)
    return record
