"""Blocks: consecutive rows of a file, column by column, with their lines and faults.

Every format's reader returns blocks; training and scoring both use them. Opens no file.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from rnn_cli.data.reading.decoding import size
from rnn_cli.data.reading.table import ABSENT, ReadRequest, label_value, quoted_names, text_value
from rnn_cli.errors import DataError


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive rows of a file, as lists of equal length.

    `columns` holds the chosen columns, `faults` the errors of rows by index; `error` ends the reading after these rows.
    `raws` holds the rows of a text format as in the file, without line ends, and `values` their fields or objects;
    `batch` holds whole rows of Parquet, if wanted, as an Arrow RecordBatch. `beside` holds other columns by name, where
    they were asked for. `files` are the files of the rows, if there are several; a row that is a
    whole file has the line 0. A row with a fault has no values and an empty text.
    """

    lines: list[int]
    columns: list[list[Any]]
    raws: list[str]
    values: list[Sequence[str] | Mapping[str, Any]]
    faults: dict[int, DataError]
    batch: Any = None
    error: DataError | None = None
    files: list[str] | None = None
    beside: Mapping[str, list[str | None]] = field(default_factory=dict)

    @property
    def texts(self) -> list[str]:
        """The first column, which holds the texts unless other columns were chosen."""
        return self.columns[0]

    def reject(self, index: int, fault: DataError) -> None:
        """Record a row's fault."""
        self.faults[index] = fault
        if self.values:
            self.values[index] = {}

    def before(self, end: int) -> "Block":
        """The rows before `end`, but the whole batch."""
        columns = [column[:end] for column in self.columns]
        faults = {index: fault for index, fault in self.faults.items() if index < end}
        files = self.files[:end] if self.files is not None else None
        beside = {name: values[:end] for name, values in self.beside.items()}
        found = Block(self.lines[:end], columns, self.raws[:end], self.values[:end], faults, self.batch, files=files)
        return replace(found, beside=beside) if beside else found

    def place(self, index: int) -> str:
        """A row as messages name it that name its file already; its file, where it is one of several."""
        return self.files[index] if self.files is not None else f"line {self.lines[index]}"


@dataclass(frozen=True)
class Opened:
    """An open file: its kind, all and chosen columns, and its rows.

    `kind` is parquet, xlsx, jsonl, txt (a folder of texts), the delimiter of its fields, or plain: delimited, with
    quotes as plain characters. `schema` is the Arrow schema of a Parquet file.
    """

    kind: str
    columns: Sequence[str]
    chosen: Sequence[str]
    blocks: Iterator[Block]
    schema: Any = None


TextRow = tuple[int, str, Any, DataError | None]
"""A row of a text format: its line, the row as in the file, its values, and its fault."""


def into_blocks(rows: Iterator[TextRow], request: ReadRequest) -> Iterator[Block]:
    """Group rows into blocks of the size requested, without columns; an error of the rows is the last block's `error`.

    The ends of blocks depend on the rows only, so a resumed job finds the same blocks.
    """
    error: DataError | None = None
    while error is None:
        taken: list[TextRow] = []
        left = request.characters
        try:
            for row in islice(rows, request.at_once):
                taken.append(row)
                left -= len(row[1])
                if left <= 0:
                    break
        except DataError as caught:
            error = caught
        if not taken and error is None:
            return
        faults = {index: row[3] for index, row in enumerate(taken) if row[3] is not None}
        yield Block(
            [row[0] for row in taken], [], [row[1] for row in taken], [row[2] for row in taken], faults, None, error
        )


def check_texts(block: Block, names: Sequence[str], request: ReadRequest) -> Block:
    """The block with its first column as texts and its second, if any, as labels, None where a label is missing.

    A value that is neither becomes its row's fault. `names` are the columns' names.
    """
    texts, *labels = block.columns
    if not block.faults and _are_usable(texts, request.max_field_bytes):
        usable = list(filter(None, map(_usable_labels, labels)))
        if len(usable) == len(labels):
            return replace(block, columns=[texts, *usable])
    found: list[tuple[str, str | None]] = []
    for index in range(len(block.lines)):
        found.append(("", None))
        if index not in block.faults:
            try:
                found[index] = _text_and_label(block, index, names, request)
            except DataError as fault:
                block.reject(index, fault)
    return replace(block, columns=[list(column) for column in zip(*found, strict=True)][: 1 + len(labels)])


def _are_usable(column: list[Any], most: int) -> bool:
    """Whether all values are valid texts that are certainly not too large."""
    try:
        joined = "".join(column)
    except TypeError:
        return False
    return len(joined) * 4 <= most and "\0" not in joined and is_encodable(joined)


def _usable_labels(column: list[Any]) -> list[Any] | None:
    """The labels, or None if one of them needs a check of its own."""
    if set(map(type, column)) != {str}:
        try:
            column = [label_value(value, "", "") for value in column]
        except DataError:
            return None
    joined = "".join([label for label in column if label is not None])
    return column if "\0" not in joined and is_encodable(joined) else None


def _text_and_label(block: Block, index: int, names: Sequence[str], request: ReadRequest) -> tuple[str, str | None]:
    """A row's text and label. Raises DataError for one that is missing, of a wrong type, too large or not valid."""
    line, values = block.lines[index], [column[index] for column in block.columns]
    where = request.at(line)
    if ABSENT in values:
        what = f"the key {names[values.index(ABSENT)]!r} is missing (keys: {quoted_names(block.values[index])})"
        raise DataError(what, where=where, hint="give every object the same keys")
    text = text_value(values[0], names[0], where)
    if size(text) > request.max_field_bytes:
        raise request.too_large(line, "a text")
    label = label_value(values[1], names[1], where) if len(values) > 1 else None
    fields = [text] if label is None else [text, label]
    if not all(map(is_encodable, fields)):
        raise DataError("half of a surrogate pair, which is not a character", where=where, hint="remove it")
    # A raw NUL was handled with its line; one written as an escape, or in Parquet, comes here.
    if any("\0" in field for field in fields) and not request.strip_nul:
        raise request.nul(line)
    return text.replace("\0", ""), label and label.replace("\0", "")


def is_encodable(text: str) -> bool:
    """Whether a text has no surrogates, which UTF-8 cannot encode."""
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
