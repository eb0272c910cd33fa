"""Rows with predictions as CSV, TSV and JSONL. Rows that came in the same format are written as they stood."""

import csv
import gzip
import io
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import IO, Any, Protocol

from rnn_cli.batch.columns import DIGITS, Added, Column, PredictedRows
from rnn_cli.batch.job import Job
from rnn_cli.batch.windows import Source, Window
from rnn_cli.errors import DataError, Setting
from rnn_cli.formats import DELIMITERS

_FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # of the wide ones, too, some programs make formulas
_BLANK = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def rows_of(window: Window, columns: Sequence[str], kept: Sequence[int]) -> Iterator[Sequence[Any]]:
    """The values of the rows at these places, in the order of the columns; None where there is none.

    A row of a text format that could not be read has none at all. Raises DataError where Arrow's values have no text.
    """
    rows = window.rows
    if rows.batch is not None:
        batch = rows.batch if len(kept) == len(rows.lines) else rows.batch.take(list(kept))
        yield from zip(*map(_listed, batch.columns, columns, [window.source.name] * len(columns)), strict=True)
        return
    blank = [None] * len(columns)
    for index in kept:
        values = rows.values[index]
        if index in rows.faults:
            yield blank
        elif isinstance(values, Mapping):
            values = values if all(map(_is_plain, values.values())) else as_they_stand(rows.raws[index])
            yield [values.get(column) for column in columns]
        else:
            yield values


def _listed(column: Any, name: str, where: str) -> list[Any]:
    """An Arrow column's values; points in time as text, for Python's know neither nanoseconds nor the year 10,000."""
    try:
        values: list[Any] = (column.cast("string") if str(column.type).startswith("time") else column).to_pylist()
    except (ValueError, OverflowError) as error:  # bytes that are not UTF-8 among them
        what = f"the column {name!r} holds what is no text ({error})".replace("\n", " ")
        raise DataError(what, where=where, hint=Setting("format", "parquet", "use {}, which keeps it")) from None
    return values


def _is_plain(value: object) -> bool:
    """Whether a JSON value is read and written again as it stood: not 1.50, 1e400, -0 or [ 1]."""
    return value is None or isinstance(value, str | bool) or (isinstance(value, int) and value != 0)


def as_they_stand(raw: str) -> dict[str, str | None]:
    """The values of a JSON object by key: text as text, None for null, and all else as it is written there."""
    values: dict[str, str | None] = {}
    at = _past_blank(raw, 1)
    while raw[at] == '"':
        key, at = _DECODER.raw_decode(raw, at)
        start = _past_blank(raw, _past_blank(raw, at) + 1)  # behind the colon
        value, at = _DECODER.raw_decode(raw, start)
        values[key] = value if value is None or isinstance(value, str) else raw[start:at]
        at = _past_blank(raw, at)
        if raw[at] == "}":
            break
        at = _past_blank(raw, at + 1)
    return values


def _past_blank(raw: str, at: int) -> int:
    found = _BLANK.match(raw, at)
    return found.end() if found else at


def as_text(value: object) -> str:
    """A value as the text of a cell: text as it stands, nothing for None, the rest as JSON writes it."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool | int | float | list | dict | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value.hex() if isinstance(value, bytes) else str(value)


def as_json(value: object) -> str:
    """A value as JSON; what JSON does not know (NaN, dates, bytes) becomes null or text."""
    if isinstance(value, float) and not math.isfinite(value):
        return "null"
    if isinstance(value, str | bool | int | float | None):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(as_json, value))}]"
    if isinstance(value, dict):
        return as_object(value.items())
    return json.dumps(as_text(value), ensure_ascii=False)


def as_object(items: Any) -> str:
    """Pairs of keys and values as a JSON object."""
    return f"{{{', '.join(f'{as_json(str(key))}: {as_json(value)}' for key, value in items)}}}"


def harmless(cell: str) -> str:
    """The cell with a ' before it where a spreadsheet would take it for a formula; numbers stay as they are.

    Source: https://owasp.org/www-community/attacks/CSV_Injection.
    """
    if not cell.startswith(_FORMULA):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell


Write = Callable[[Window, PredictedRows], None]
"""Writes a window's rows with their predictions."""


class TextFormat(Protocol):
    """How rows become lines of text."""

    def header(self) -> str:
        """What stands before the first row."""

    def lines(self, window: Window, predicted: PredictedRows) -> str:
        """The rows with their predictions, a line each."""


@contextmanager
def written(text: TextFormat, file: IO[bytes], compression: str | None, *, header: bool) -> Iterator[Write]:
    """What writes windows to a file, as a compressed stream of their own where they are to be compressed."""
    with _compressed(file, compression) as stream:
        if header:
            stream.write(text.header().encode())
        yield lambda window, predicted: _ignore(stream.write(text.lines(window, predicted).encode()))


def _ignore(_: object) -> None: ...


def _compressed(file: IO[bytes], compression: str | None) -> AbstractContextManager[Any]:
    if compression == "gz":
        return gzip.GzipFile("", "wb", fileobj=file, mtime=0)  # no name and no time: equal rows, equal bytes
    if compression == "zst":
        import zstandard

        return zstandard.ZstdCompressor().stream_writer(file, closefd=False)
    return _kept_open(file)


@contextmanager
def _kept_open(file: IO[bytes]) -> Iterator[IO[bytes]]:
    yield file


class Delimited:
    """CSV and TSV."""

    def __init__(self, job: Job, added: Added, first: Source) -> None:
        """For files with the columns of `first`."""
        asked = job.how.get("delimiter") if job.format == "csv" else None
        self._delimiter = asked or DELIMITERS[job.format]
        self._columns, self._added = first.columns, added
        self._cell = harmless if job.spreadsheet_safe else str
        self._as_they_stand = not job.spreadsheet_safe

    def header(self) -> str:
        """The columns' names."""
        return self._record([*self._columns, *self._added.names])

    def lines(self, window: Window, predicted: PredictedRows) -> str:
        """The rows with their predictions, a line each."""
        cells = [self._cells(column) for column in (*predicted.columns.values(), *predicted.probabilities.values())]
        tails = map(self._delimiter.join, zip(*cells, strict=True))
        rows = window.rows
        if self._as_they_stand and window.source.kind == self._delimiter:
            blank = self._delimiter * (len(self._columns) - 1) if len(self._columns) > 1 else '""'
            heads = [blank if index in rows.faults else rows.raws[index] for index in predicted.kept]
        else:
            heads = [self._record(row)[:-1] for row in rows_of(window, self._columns, predicted.kept)]
        between = self._delimiter if self._columns else ""  # of rows that are all faulty no column is known
        return "".join([f"{head}{between}{tail}\n" for head, tail in zip(heads, tails, strict=True)])

    def _cells(self, column: Column) -> list[str]:
        """The added cells as they are written."""
        written = {value: self._written(value) for value in set(column) if not isinstance(value, float)}
        return [f"{value:.{DIGITS}f}" if isinstance(value, float) else written[value] for value in column]

    def _written(self, value: str | float | None) -> str:
        if value is None or isinstance(value, bool):
            return as_text(value)
        return self._record(["", str(value)])[1:-1]

    def _record(self, values: Sequence[object]) -> str:
        # Only what is in the line's end is quoted, so with another a lone CR in a text would be read back as one.
        record = io.StringIO(newline="")
        cells = [self._cell(as_text(value)) for value in values]
        csv.writer(record, delimiter=self._delimiter, lineterminator="\r\n").writerow(cells)
        return record.getvalue().removesuffix("\r\n") + "\n"


class Jsonl:
    """JSON Lines."""

    def __init__(self, job: Job, added: Added) -> None:
        """For files of any columns."""
        self._added, self._probabilities = added, f"{job.prefix}probabilities"
        self._names = frozenset(added.keys)

    def header(self) -> str:
        """Nothing: every line tells its keys."""
        return ""

    def lines(self, window: Window, predicted: PredictedRows) -> str:
        """The rows with their predictions, a line each."""
        tails = self._tails(predicted)
        heads = self._heads(window, predicted)
        return "".join(
            [f"{head[:-1]}{', ' * (head != '{}')}{tail}}}\n" for head, tail in zip(heads, tails, strict=True)]
        )

    def _heads(self, window: Window, predicted: PredictedRows) -> list[str]:
        rows, columns = window.rows, window.source.columns
        if window.source.kind != "jsonl":
            return [as_object(zip(columns, row, strict=True)) for row in rows_of(window, columns, predicted.kept)]
        for values, line in zip(rows.values, rows.lines, strict=True):
            if not self._names.isdisjoint(values):
                self._added.refuse_columns(values, f"{window.source.name}:{line}")
        # An object without keys may still hold white space.
        return [rows.raws[index] if rows.values[index] else "{}" for index in predicted.kept]

    def _tails(self, predicted: PredictedRows) -> list[str]:
        written = {name: list(map(as_json, column)) for name, column in predicted.columns.items()}
        if every := predicted.probabilities:
            rows = zip(*every.values(), strict=True)
            written[self._probabilities] = [as_object(zip(every, row, strict=True)) for row in rows]
        keys = [as_json(name) for name in written]
        return [
            ", ".join([f"{key}: {value}" for key, value in zip(keys, row, strict=True)])
            for row in zip(*written.values(), strict=True)
        ]
