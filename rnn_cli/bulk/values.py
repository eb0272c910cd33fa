"""Values of any format as text for a cell, or as JSON; and a window's rows as values."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rnn_cli.bulk.windows import Window

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def rows_of(window: Window, columns: Sequence[str], kept: Sequence[int]) -> Iterator[Sequence[Any]]:
    """The values of the rows at these places, in the order of the columns; None where there is none.

    A row that could not be read has none at all.
    """
    rows = window.rows
    if rows.batch is not None:
        every = zip(*(column.to_pylist() for column in rows.batch.columns), strict=True)
        by_place = dict(enumerate(every)) if len(kept) < len(rows.lines) else None
        yield from every if by_place is None else (by_place[place] for place in kept)
        return
    blank = [None] * len(columns)
    for place in kept:
        values = rows.values[place]
        if place in rows.faults:
            yield blank
        elif isinstance(values, Mapping):
            yield [values.get(column) for column in columns]
        else:
            yield values


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
