"""The parts that all readers share: the request, finding columns, and the types of values.

All readers take one `ReadRequest`. Opens no file.
"""

import difflib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import islice

from rnn_cli.config.schema import DataConfig
from rnn_cli.data.reading import bounds
from rnn_cli.data.reading.bounds import MOST_COLUMNS, too_many_columns
from rnn_cli.data.reading.remote import shown
from rnn_cli.errors import DataError, Setting, quoted

OnColumns = Callable[[tuple[str, str | None]], None]
"""Called with the names of the columns of texts and labels."""


@dataclass(frozen=True)
class ReadAs:
    """What was found out about how a file is written, where it is not the usual way.

    `settings` are keys of a data config that say the same, `notes` say it in words.
    """

    settings: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


Choose = Callable[[Sequence[str]], Sequence[str]]
"""Returns which of a file's columns to read; raises DataError if a wanted column is missing."""

BLOCK_ROWS, BLOCK_CHARACTERS = 2_048, 1 << 19
"""The default maximum of a block."""

STRIP_NUL = Setting("data.strip_nul", "true", "remove it, or drop all with {}")


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """A file and how to read it; None means: detect it."""

    path: str
    text_column: str | None = None
    likely_text_column: str | None = None
    """The column of texts if the file has it and no other is named."""
    label_column: str | None = None
    several: bool = False
    """Whether a row has several labels, which `label_separator` and `label_columns` tell, as in a data config."""
    label_separator: str | None = None
    label_columns: Sequence[str] | None = None
    delimiter: str | None = None
    quoting: str = "auto"
    """auto, csv or none, as in a data config."""
    header: bool | None = None
    """Whether the first line of CSV and TSV names the columns; None: it does, unless it looks like a row."""
    encoding: str | None = None
    strip_nul: bool = False
    """Drop NUL characters instead of refusing them."""
    max_field_bytes: int = DataConfig.model_fields["max_field_bytes"].default
    """The largest line, record or field in bytes of UTF-8, which bounds the memory."""
    labels: bool = True
    """Whether to read labels."""
    beside: Sequence[str] = ()
    """Other columns to read beside texts and labels ..."""
    numbers: Sequence[str] = ()
    """... and those of them in which a value that is no number is its row's fault."""
    format: str | None = None
    """csv, tsv, jsonl, parquet or xlsx, whatever the file's name is."""
    sheet: str | None = None
    """The sheet of a workbook, by its name or its number, from 1."""
    on_read: Callable[[int], None] | None = None
    """Called with the number of bytes of each read of the file, before decompression."""
    on_columns: OnColumns | None = None
    """Called with the names of the columns once they are found."""
    on_warning: Callable[[str], None] | None = None
    """Called with what a reader may not expect of the file."""
    on_read_as: Callable[[ReadAs], None] | None = None
    """Called with what was found out about a CSV or TSV file, once it is open."""
    choose: Choose | None = None
    """Chooses other columns than texts and labels; their values are not checked."""
    whole: bool = False
    """Whether a block must hold whole rows; a block in which the reading ends is then dropped."""
    lenient: bool = False
    """Whether a faulty row comes with its fault and the reading goes on."""
    as_table: bool = False
    """Whether the rows must fit a table: no JSONL object has a key that the first one lacks."""
    at_once: int = BLOCK_ROWS
    """The maximum of rows in a block ..."""
    characters: int = BLOCK_CHARACTERS
    """... and about the maximum of characters (for Parquet, bytes)."""

    @property
    def name(self) -> str:
        """The file as messages name it; a URL without its user and query, which may be secret."""
        return shown(self.path)

    def at(self, line: int) -> str:
        """A line (or a Parquet file's row) as messages name it."""
        return f"{self.name}:{line}"

    def warn(self, text: str) -> None:
        """Say what a reader may not expect."""
        if self.on_warning:
            self.on_warning(text)

    def too_large(self, line: int, what: str) -> DataError:
        """The error for a line, record or field that is too large."""
        return DataError(
            f"{what} larger than {self.max_field_bytes:,} bytes",
            where=self.at(line),
            hint=Setting("data.max_field_bytes", "N", "close its quote if one is left open, or allow more with {}"),
        )

    def too_many_blank(self, line: int) -> DataError:
        """The error for too many blank lines from this one on."""
        return DataError(f"more than {bounds.MOST_BLANK:,} blank lines", where=self.at(line), hint="remove them")

    def nul(self, line: int, hint: Setting = STRIP_NUL) -> DataError:
        """The error for a NUL character."""
        return DataError("a NUL character", where=self.at(line), hint=hint, kind="nul")


READING_KEYS = tuple(
    field.name for field in fields(ReadRequest) if field.name in DataConfig.model_fields and field.name != "labels"
)
"""The keys of a data config that say how to read a file."""


# The first name of each list takes precedence; of the other names a file must have only one.
TEXT_NAMES = (
    *("text", "review", "sentence", "tweet", "comment", "content", "message", "body", "document"),
    *("texts", "reviews", "sentences", "tweets", "comments", "review_text", "tweet_text", "comment_text"),
)
LABEL_NAMES = (
    *("label", "sentiment", "class", "category", "target", "topic", "polarity"),
    *("labels", "sentiments", "classes", "categories"),
)
SECOND_LABEL_NAMES = ("rating", "ratings", "stars", "score", "emotion", "emotions", "intent", "y")
"""Names of labels as well, where no column has one of `LABEL_NAMES`."""

FEW_VALUES = 20
"""A column of so many different numbers at most may be labels."""

Sample = Callable[[str], Sequence[object]]
"""The first values of a column."""

_SHOWN = 20  # names in a message, at most; and
_SHOWN_LENGTH = 40  # characters of each
_COMPARED = 1000  # names that a missing one is compared with, at most


def find_columns(columns: Sequence[str], request: ReadRequest, sample: Sample | None = None) -> tuple[str, str | None]:
    """The names of the columns of texts and of labels (None if labels are not wanted).

    `sample` gives first values where they are known. Raises DataError, with all columns listed, if a column is missing,
    repeated or ambiguous, and `NoUsualName`.
    """
    _refuse_repeated(columns, request)
    text, label = request.text_column, request.label_column if request.labels else None
    if request.labels and request.label_columns:
        return _beside_label_columns(columns, request), None
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
        label = _second_label(columns, text, sample) or _guess(columns, LABEL_NAMES, "label", text, request)
    if request.on_columns:
        request.on_columns((text, label))
    return text, label


def _beside_label_columns(columns: Sequence[str], request: ReadRequest) -> str:
    """The column of texts where each label has a column of its own."""
    named = request.label_columns or ()
    for name in named:
        if name not in columns:
            raise _missing(name, columns, "label_columns", request)
    if request.text_column in named:
        what = f"the column {request.text_column!r} cannot be both texts and labels"
        raise DataError(what, where=request.name, hint="name another data.text_column or other data.label_columns")
    others = [name for name in columns if name not in named]
    return find_columns(others, replace(request, labels=False))[0]


def _likely(columns: Sequence[str], request: ReadRequest) -> str | None:
    """The column of texts if it is certain, whatever its name."""
    if request.likely_text_column in columns:
        return request.likely_text_column
    return columns[0] if len(columns) == 1 and not request.labels else None


def _second_label(columns: Sequence[str], taken: str, sample: Sample | None) -> str | None:
    """The only column of labels by its second-rate name, unless its numbers are too many; None if one has a better."""
    lowered = {name: name.strip().lower() for name in columns if name != taken}
    if not set(lowered.values()).isdisjoint(LABEL_NAMES):
        return None
    found = [name for name, lower in lowered.items() if lower in SECOND_LABEL_NAMES]
    if len(found) != 1:
        return None
    values = {plain_value(value) or "" for value in (sample(found[0]) if sample else ())}
    return found[0] if len(values) <= FEW_VALUES or not all(map(is_number, values)) else None


def is_number(value: str) -> bool:
    """Whether a value is written as a number, or is empty."""
    try:
        return not value or math.isfinite(float(value))
    except ValueError:
        return False


def choose_columns(columns: Sequence[str], request: ReadRequest, sample: Sample | None = None) -> list[str]:
    """The names of the columns to read: those requested, else texts and, if wanted, labels."""
    if request.choose is None:
        others = [name for name in columns if name not in request.beside] if request.beside else columns
        if request.beside:
            refuse_missing_columns(request.beside, columns, request.name)
            for name, key in ((request.text_column, "text_column"), (request.label_column, "label_column")):
                if name in request.beside and (request.labels or key == "text_column"):
                    what = f"the column {name!r} cannot be both data.{key} and one of data.extra_columns"
                    raise DataError(what, where=request.name, hint="leave it out of one of them")
        try:
            found = [name for name in find_columns(others, request, sample) if name is not None]
        except NoUsualName as error:
            if not request.beside:
                raise
            what = f"{error.what} beside those of data.extra_columns"
            raise NoUsualName(what, where=error.where, hint=error.hint) from None
        return [*found, *((request.label_columns or ()) if request.labels else ()), *request.beside]
    _refuse_repeated(columns, request)
    return list(request.choose(columns))


def refuse_missing_columns(names: Iterable[str], columns: Sequence[str], where: str) -> None:
    """Raise DataError, with all columns listed, where one of `data.extra_columns` is none of a file's."""
    for name in names:
        if name not in columns:
            meant = nearest_name(name, columns)
            hint = f"did you mean {meant}?" if meant else "add it to the file; its cells may be empty"
            raise DataError(f"no column {name!r} (columns: {quoted_names(columns)})", where=where, hint=hint)


def _refuse_repeated(columns: Sequence[str], request: ReadRequest) -> None:
    """Raise DataError if two columns have the same name, or there are too many columns."""
    if len(columns) > MOST_COLUMNS:
        raise too_many_columns(request.name)
    repeated = [name for name, count in Counter(columns).items() if count > 1 and name]
    if repeated:
        raise DataError(
            f"the column {quoted_names(repeated[:1])} appears twice (columns: {quoted_names(columns)})",
            where=request.name,
            hint="give each column its own name",
        )


def quoted_names(names: Iterable[str]) -> str:
    """Names for a message: quoted, on one line, shortened, the first few of many."""
    names = list(names)
    listed = [repr(name if len(name) <= _SHOWN_LENGTH else name[:_SHOWN_LENGTH] + "...") for name in names[:_SHOWN]]
    return ", ".join(listed) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def nearest_name(name: str, names: Iterable[str]) -> str | None:
    """The most similar name, if one is similar; ignores case."""
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
    to_name = Setting(f"data.{what}_column", "NAME")
    if candidates:
        found = f"{len(candidates)} columns could be the {what}s: {quoted_names(candidates)}"
        raise DataError(found, where=request.name, hint=to_name)
    found = f"no column has a usual name for {what}s (columns: {quoted_names(columns)})"
    raise NoUsualName(found, where=request.name, hint=to_name)


class NoUsualName(DataError):
    """No column has a usual name for texts, or for labels."""


def text_value(value: object, column: str, where: str) -> str:
    """A text unchanged; raises DataError for any other type."""
    if isinstance(value, str):
        return value
    raise DataError(f"{column!r} is {kind(value)}", where=where, hint="texts must be strings")


def label_value(value: object, column: str, where: str) -> str | None:
    """A label as text, or None if it is missing (null, or the NaN that pandas writes for it).

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
"""The value in a column where a JSON Lines object lacks the key."""


def plain_value(value: object) -> str | None:
    """Any value as text, numbers as `label_value` writes them; None if it is missing."""
    if isinstance(value, str):
        return value
    if value is None or value is ABSENT:
        return None
    is_number = isinstance(value, int | float) and not (isinstance(value, float) and math.isinf(value))
    return label_value(value, "", "") if is_number else str(value)


def kind(value: object) -> str:
    """The type of a value in words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    names = {str: "a string", int: "a number", float: "a number", list: "a list", dict: "an object", bytes: "not UTF-8"}
    return names.get(type(value), type(value).__name__)
