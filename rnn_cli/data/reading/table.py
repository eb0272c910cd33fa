"""What all readers share: what one is asked for, how columns are found, and what a value is.

The request is one value, so that no reader has a parameter list of its own. Opens nothing.
"""

import difflib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import islice

from rnn_cli.config.schema import DataConfig
from rnn_cli.data.reading import bounds
from rnn_cli.data.reading.bounds import MOST_COLUMNS, too_many_columns
from rnn_cli.data.reading.remote import shown
from rnn_cli.errors import DataError, Setting, quoted

Hear = Callable[[tuple[str, str | None]], None]
"""Hears the names of the columns of texts and of labels that are read."""

Choose = Callable[[Sequence[str]], Sequence[str]]
"""Answers which of a file's columns, in its order, are to be read; raises DataError if those wanted are not there."""

BLOCK_ROWS, BLOCK_CHARACTERS = 2_048, 1 << 19
"""What a block holds at most, if nothing else is asked for."""


STRIP_NUL = Setting("data.strip_nul", "true", "remove it, or drop all with {}")


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
    max_field_bytes: int = DataConfig.model_fields["max_field_bytes"].default
    """Bytes, as UTF-8, of the largest field; no line or record may be larger, so memory is bounded."""
    labels: bool = True
    """Whether a label is wanted too."""
    format: str | None = None
    """csv, tsv, jsonl or parquet, whatever the path's name says."""
    on_read: Callable[[int], None] | None = None
    """Hears how many bytes of the file, as it lies, each piece read of it has."""
    on_columns: Hear | None = None
    """Hears, once they are found, which columns are read."""
    choose: Choose | None = None
    """Chooses other columns than those of texts and of labels; their values come as they stand."""
    whole: bool = False
    """Whether a block is wanted with all that stands in its rows, or not at all where the reading stops within it."""
    lenient: bool = False
    """Whether a row that is faulty in itself is given with its fault, and does not stop the reading."""
    as_table: bool = False
    """Whether all must have a place in a table: each JSONL object has the first one's keys or fewer."""
    at_once: int = BLOCK_ROWS
    """Rows of a block, or fewer ..."""
    characters: int = BLOCK_CHARACTERS
    """... where they hold more characters (of Parquet, bytes), about."""

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
            hint=Setting("data.max_field_bytes", "N", "close its quote if one is left open, or allow more with {}"),
        )

    def too_many_blank(self, line: int) -> DataError:
        """The error for blank lines, from this one on, without an end."""
        return DataError(f"more than {bounds.MOST_BLANK:,} blank lines", where=self.at(line), hint="remove them")

    def nul(self, line: int, hint: Setting = STRIP_NUL) -> DataError:
        """The error for a NUL character."""
        return DataError("a NUL character", where=self.at(line), hint=hint)


READING_KEYS = tuple(field.name for field in fields(ReadRequest) if field.name in DataConfig.model_fields)
"""The keys of a data config that tell how a file is read."""


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
    _refuse_doubled(columns, request)
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


def choose_columns(columns: Sequence[str], request: ReadRequest) -> list[str]:
    """Names of the columns that are read: those asked for, else that of texts and, where wanted, that of labels."""
    if request.choose is None:
        return [name for name in find_columns(columns, request) if name is not None]
    _refuse_doubled(columns, request)
    return list(request.choose(columns))


def _refuse_doubled(columns: Sequence[str], request: ReadRequest) -> None:
    """Raise DataError where two columns have one name, or there are too many of them."""
    if len(columns) > MOST_COLUMNS:
        raise too_many_columns(request.name)
    doubled = [name for name, count in Counter(columns).items() if count > 1 and name]
    if doubled:
        raise DataError(
            f"the column {quoted_names(doubled[:1])} appears twice (columns: {quoted_names(columns)})",
            where=request.name,
            hint="give each column a name of its own",
        )


def quoted_names(names: Iterable[str]) -> str:
    """Names for a message: quoted, on one line, none too long and not too many."""
    names = list(names)
    listed = [repr(name if len(name) <= _SHOWN_LENGTH else name[:_SHOWN_LENGTH] + "...") for name in names[:_SHOWN]]
    return ", ".join(listed) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def nearest_name(name: str, names: Iterable[str]) -> str | None:
    """The name that was probably meant, if one is near; upper and lower case count as near."""
    by_lower = {candidate.strip().lower(): candidate for candidate in islice(names, _COMPARED)}
    close = difflib.get_close_matches(name.strip().lower(), by_lower, n=1)
    return by_lower[close[0]] if close else None


def _missing(name: str, columns: Sequence[str], key: str, request: ReadRequest) -> DataError:
    meant = nearest_name(name, columns)
    to_name = Setting(f"data.{key}", "NAME", "use {} with one of them")
    hint = Setting(f"data.{key}", quoted(meant), "did you mean {}?") if meant else to_name
    return DataError(f"no column {name!r} (columns: {quoted_names(columns)})", where=request.name, hint=hint)


def _guess(columns: Sequence[str], names: Sequence[str], what: str, taken: str | None, request: ReadRequest) -> str:
    candidates = [name for name in columns if name != taken and name.strip().lower() in names]
    first = [name for name in candidates if name.strip().lower() == names[0]]
    for certain in (first, candidates):
        if len(certain) == 1:
            return certain[0]
    if candidates:
        found = f"{len(candidates)} columns may be the {what}s: {quoted_names(candidates)}"
    else:
        found = f"no column is known to hold {what}s (columns: {quoted_names(columns)})"
    raise DataError(found, where=request.name, hint=Setting(f"data.{what}_column", "NAME"))


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


ABSENT = object()
"""What stands in a column where an object of JSON Lines lacks the key."""


def plain_value(value: object) -> str | None:
    """Anything as text, numbers as `label_value` writes them; None where it is missing."""
    if isinstance(value, str):
        return value
    if value is None or value is ABSENT:
        return None
    is_number = isinstance(value, int | float) and not (isinstance(value, float) and math.isinf(value))
    return label_value(value, "", "") if is_number else str(value)


def kind(value: object) -> str:
    """What a value is, in words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    names = {str: "a string", int: "a number", float: "a number", list: "a list", dict: "an object", bytes: "not UTF-8"}
    return names.get(type(value), type(value).__name__)
