"""Values of any format as text for a cell, or as JSON; and a window's rows as values."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rnn_cli.bulk.windows import Window
from rnn_cli.errors import DataError

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
    for place in kept:
        values = rows.values[place]
        if place in rows.faults:
            yield blank
        elif isinstance(values, Mapping):
            values = values if all(map(_is_plain, values.values())) else as_they_stand(rows.raws[place])
            yield [values.get(column) for column in columns]
        else:
            yield values


def _listed(column: Any, name: str, where: str) -> list[Any]:
    """An Arrow column's values; points in time as text, for Python's know neither nanoseconds nor the year 10,000."""
    try:
        values: list[Any] = (column.cast("string") if str(column.type).startswith("time") else column).to_pylist()
    except (ValueError, OverflowError) as error:  # bytes that are not UTF-8 among them
        what = f"the column {name!r} holds what is no text ({error})".replace("\n", " ")
        raise DataError(what, where=where, mend="use --format parquet, which keeps it") from None
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
