"""What all readers share: what one is asked for, how columns are found, and what a value, a row and a window are.

The request is one value, so that no reader has a parameter list of its own. Opens nothing.
"""

import difflib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import islice
from typing import Any, NamedTuple

from rnn_cli.config.schema import DataConfig
from rnn_cli.data.reading import bounds
from rnn_cli.data.reading.bounds import MOST_COLUMNS, too_many_columns
from rnn_cli.data.reading.remote import shown
from rnn_cli.data.rows import Row
from rnn_cli.errors import DataError, quoted

Hear = Callable[[tuple[str, str | None]], None]
"""Hears the names of the columns of texts and of labels that are read."""

DEFAULT_MAX_FIELD_BYTES: int = DataConfig.model_fields["max_field_bytes"].default
"""The largest record a reader takes into memory: some five times the longest novel."""


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """A file and how to read it; None means: find it out."""

    path: str
    text_column: str | None = None
    likely_text_column: str | None = None
    """The column of texts where the file has it and no other is named."""
    label_column: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    strip_nul: bool = False
    """Drop NUL characters, which are refused otherwise."""
    max_field_bytes: int = DEFAULT_MAX_FIELD_BYTES
    """Bytes, as UTF-8, of the largest field; no line or record may be larger, so memory is bounded."""
    labels: bool = True
    """Whether a label is wanted too."""
    format: str | None = None
    """csv, tsv, jsonl or parquet, whatever the path's name says."""
    on_read: Callable[[int], None] | None = None
    """Hears how many bytes of the file, as it lies, each piece read of it has."""
    on_columns: Hear | None = None
    """Hears, once they are found, which columns are read."""

    @property
    def name(self) -> str:
        """How a message names the file; of a URL without what may be secret, its user and its query."""
        return shown(self.path)

    def at(self, line: int) -> str:
        """How a message names a line (or a Parquet file's row)."""
        return f"{self.name}:{line}"

    def too_large(self, line: int, what: str) -> DataError:
        """The error for a line, record or field past the bound."""
        return DataError(
            f"{what} larger than {self.max_field_bytes:,} bytes",
            where=self.at(line),
            hint="close its quote if one is left open, or allow more with --set data.max_field_bytes=N",
        )

    def too_many_blank(self, line: int) -> DataError:
        """The error for blank lines, from this one on, without an end."""
        return DataError(f"more than {bounds.MOST_BLANK:,} blank lines", where=self.at(line), hint="remove them")

    def nul(self, line: int, hint: str = "remove it, or drop all with --set data.strip_nul=true") -> DataError:
        """The error for a NUL character."""
        return DataError("a NUL character", where=self.at(line), hint=hint)


Choose = Callable[[Sequence[str]], Sequence[str]]
"""Answers which of a file's columns, in its order, are to be read; raises DataError if those wanted are not there."""

READING_KEYS = tuple(field.name for field in fields(ReadRequest) if field.name in DataConfig.model_fields)
"""The keys of a data config that tell how a file is read."""


_NAMED = 5  # lines without a label that a message names


def checked(rows: Iterator[Row], request: ReadRequest) -> Iterator[Row]:
    """The same rows. Raises DataError for surrogates, NUL characters, missing labels, and no rows at all."""
    none_yet = True
    for row in rows:
        none_yet = False
        whole = clean(row, request)
        if request.labels and not (whole.label and whole.label.strip()):
            raise _missing_labels(row, rows, request)
        yield whole
    if none_yet:
        raise DataError("has no rows", where=request.name, hint="give it at least one")


def clean(row: Row, request: ReadRequest) -> Row:
    """The row, without NUL characters where they are to be dropped. Raises DataError for those and for surrogates."""
    for field in (row.text, row.label or ""):
        if not is_encodable(field):
            raise DataError(
                "half of a surrogate pair, which is no character",
                where=request.at(row.line),
                hint="remove it",
            )
    # A raw NUL was seen to with its line; one written as an escape, or in Parquet, arrives here.
    if "\0" in row.text or "\0" in (row.label or ""):
        if not request.strip_nul:
            raise request.nul(row.line)
        return Row(row.line, row.text.replace("\0", ""), row.label and row.label.replace("\0", ""))
    return row


def is_encodable(text: str) -> bool:
    """Whether a text has no surrogates, which no file can hold."""
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _missing_labels(first: Row, rest: Iterator[Row], request: ReadRequest) -> DataError:
    """Reads on to the end, so that all missing labels are told at once."""
    named, count = [first.line], 1
    for row in rest:
        if not (row.label and row.label.strip()):
            count += 1
            if len(named) < _NAMED:
                named.append(row.line)
    lines = ", ".join(str(line) for line in named) + (", ..." if count > _NAMED else "")
    have = "1 row has" if count == 1 else f"{count:,} rows have"
    return DataError(
        f"{have} no label (line{'' if count == 1 else 's'} {lines})",
        where=request.name,
        hint="label or remove them",
    )


# The first name of each list wins over the others; among the others there must be only one.
TEXT_NAMES = (
    *("text", "review", "sentence", "tweet", "comment", "content", "message", "body", "document"),
    *("texts", "reviews", "sentences", "tweets", "comments", "review_text", "tweet_text", "comment_text"),
)
LABEL_NAMES = (
    *("label", "sentiment", "class", "category", "target", "topic", "polarity"),
    *("labels", "sentiments", "classes", "categories"),
)
_SHOWN = 20  # names in a message, at most; and
_SHOWN_LENGTH = 40  # characters of each
_COMPARED = 1000  # names that one which is missing is held against, at most


def find_columns(columns: Sequence[str], request: ReadRequest) -> tuple[str, str | None]:
    """Names of the columns of texts and of labels (None when labels are not wanted).

    Raises DataError, with all columns listed, when one is missing, doubled or not to be told from others.
    """
    refuse_doubled(columns, request)
    text, label = request.text_column, request.label_column if request.labels else None
    if text is not None and text == label:
        raise DataError(
            f"the column {text!r} cannot be both texts and labels",
            where=request.name,
            hint="name another data.text_column or data.label_column",
        )
    for name, key in ((text, "text_column"), (label, "label_column")):
        if name is not None and name not in columns:
            raise _missing(name, columns, key, request)
    if text is None:
        text = _likely(columns, request) or _guess(columns, TEXT_NAMES, "text", label, request)
    if request.labels and label is None:
        label = _guess(columns, LABEL_NAMES, "label", text, request)
    if request.on_columns:
        request.on_columns((text, label))
    return text, label


def _likely(columns: Sequence[str], request: ReadRequest) -> str | None:
    """The column of texts where that is beyond doubt, whatever it is called."""
    if request.likely_text_column in columns:
        return request.likely_text_column
    return columns[0] if len(columns) == 1 and not request.labels else None


def refuse_doubled(columns: Sequence[str], request: ReadRequest) -> None:
    """Raise DataError where two columns have one name, or there are too many of them."""
    if len(columns) > MOST_COLUMNS:
        raise too_many_columns(request.name)
    doubled = [name for name, count in Counter(columns).items() if count > 1 and name]
    if doubled:
        raise DataError(
            f"the column {show(doubled[:1])} appears twice (columns: {show(columns)})",
            where=request.name,
            hint="give each column a name of its own",
        )


def show(names: Iterable[str]) -> str:
    """Names for a message: quoted, on one line, none too long and not too many."""
    names = list(names)
    shown = [repr(name if len(name) <= _SHOWN_LENGTH else name[:_SHOWN_LENGTH] + "...") for name in names[:_SHOWN]]
    return ", ".join(shown) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name that was probably meant, if one is near; upper and lower case count as near."""
    by_lower = {candidate.strip().lower(): candidate for candidate in islice(names, _COMPARED)}
    close = difflib.get_close_matches(name.strip().lower(), by_lower, n=1)
    return by_lower[close[0]] if close else None


def _missing(name: str, columns: Sequence[str], key: str, request: ReadRequest) -> DataError:
    meant = nearest(name, columns)
    hint = f"did you mean --set data.{key}={quoted(meant)}?" if meant else f"use --set data.{key}=NAME with one of them"
    return DataError(f"no column {name!r} (columns: {show(columns)})", where=request.name, hint=hint)


def _guess(columns: Sequence[str], names: Sequence[str], what: str, taken: str | None, request: ReadRequest) -> str:
    candidates = [name for name in columns if name != taken and name.strip().lower() in names]
    first = [name for name in candidates if name.strip().lower() == names[0]]
    for certain in (first, candidates):
        if len(certain) == 1:
            return certain[0]
    if candidates:
        found = f"{len(candidates)} columns may be the {what}s: {show(candidates)}"
    else:
        found = f"no column is known to hold {what}s (columns: {show(columns)})"
    raise DataError(found, where=request.name, hint=f"use --set data.{what}_column=NAME")


def text_value(value: object, column: str, where: str) -> str:
    """A text as it stands; anything else raises DataError, which names its type."""
    if isinstance(value, str):
        return value
    raise DataError(f"{column!r} is {kind(value)}", where=where, hint="texts must be strings")


def label_value(value: object, column: str, where: str) -> str | None:
    """A label as text, or None where it is missing (null, or the NaN that pandas writes for it).

    1 and 1.0 are "1", 0.5 is "0.5", true is "true". Raises DataError for anything nested or infinite.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and not math.isinf(value):
        if math.isnan(value):
            return None
        return str(int(value)) if value.is_integer() else repr(value)
    what = "an infinite number" if isinstance(value, float) else kind(value)
    raise DataError(f"{column!r} is {what}", where=where, hint="labels must be strings, numbers or true and false")


def plain_value(value: object) -> str | None:
    """Anything as text, numbers as `label_value` writes them; None where it is missing."""
    if isinstance(value, float) and math.isinf(value):
        return str(value)
    return label_value(value, "", "") if value is None or isinstance(value, str | bool | int | float) else str(value)


def kind(value: object) -> str:
    """What a value is, in words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    names = {str: "a string", int: "a number", float: "a number", list: "a list", dict: "an object", bytes: "not UTF-8"}
    return names.get(type(value), type(value).__name__)


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
