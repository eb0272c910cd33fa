"""Rows with all that stands in them, for those who write them again: a row as it stands, its values, its faults.

Knows nothing of formats.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from rnn_cli.errors import DataError


class WholeRow(NamedTuple):
    """A row of a text format.

    `raw` is the row as it stands in the file, without its line end; `values` are its fields, or its object. A row with
    a `fault` has no text and no values.
    """

    line: int
    text: str
    raw: str
    values: Any
    fault: DataError | None


@dataclass(frozen=True, slots=True)
class WholeRows:
    """Neighbouring rows of a file, as lists of one length, each entry as in `WholeRow`.

    `faults` tells what is wrong with a row by its place among them. Rows of Parquet stand in `batch`, an Arrow
    RecordBatch, and have neither `raws` nor `values`.
    """

    lines: list[int]
    texts: list[str]
    raws: list[str]
    values: list[Sequence[str] | Mapping[str, Any]]
    faults: dict[int, DataError]
    batch: Any = None


@dataclass(frozen=True)
class Whole:
    """An open file: its kind (parquet, jsonl, or the delimiter of its fields), its columns and its rows.

    `schema` is a Parquet file's, in Arrow's terms.
    """

    kind: str
    columns: tuple[str, ...]
    rows: Iterator[WholeRows]
    schema: Any = None


def together(rows: Iterator[WholeRow], at_once: int, characters: int) -> Iterator[WholeRows]:
    """The rows, `at_once` of them together, or fewer where they hold more than so many characters."""
    while True:
        taken, left = [], characters
        for row in islice(rows, at_once):
            taken.append(row)
            left -= len(row.raw)
            if left <= 0:
                break
        if not taken:
            return
        lines, texts, raws, values, faults = (list(column) for column in zip(*taken, strict=True))
        yield WholeRows(
            lines, texts, raws, values, {place: fault for place, fault in enumerate(faults) if fault is not None}
        )
