"""What every row must satisfy, whichever format it came from. Knows nothing of formats."""

from collections.abc import Iterator

from rnn_cli.data.reading.request import ReadRequest
from rnn_cli.data.rows import Row
from rnn_cli.errors import DataError

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
        raise DataError("has no rows", where=request.name, mend="give it at least one")


def clean(row: Row, request: ReadRequest) -> Row:
    """The row, without NUL characters where they are to be dropped. Raises DataError for those and for surrogates."""
    for field in (row.text, row.label or ""):
        if not is_encodable(field):
            raise DataError(
                "half of a surrogate pair, which is no character",
                where=request.at(row.line),
                mend="remove it",
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
        mend="label or remove them",
    )
