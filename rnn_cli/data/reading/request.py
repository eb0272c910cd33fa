"""What a reader is asked for: which file, which columns, written how, within which bounds.

One value that all readers share, so that none has a parameter list of its own. Opens nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

from rnn_cli.config import DataConfig
from rnn_cli.data.reading import bounds
from rnn_cli.data.reading.remote import shown
from rnn_cli.errors import DataError

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
            mend="close its quote if one is left open, or allow more with --set data.max_field_bytes=N",
        )

    def too_many_blank(self, line: int) -> DataError:
        """The error for blank lines, from this one on, without an end."""
        return DataError(f"more than {bounds.MOST_BLANK:,} blank lines", where=self.at(line), mend="remove them")

    def nul(self, line: int, mend: str = "remove it, or drop all with --set data.strip_nul=true") -> DataError:
        """The error for a NUL character."""
        return DataError("a NUL character", where=self.at(line), mend=mend)


Choose = Callable[[Sequence[str]], Sequence[str]]
"""Answers which of a file's columns, in its order, are to be read; raises DataError if those wanted are not there."""

READING_KEYS = tuple(field.name for field in fields(ReadRequest) if field.name in DataConfig.model_fields)
"""The keys of a data config that tell how a file is read."""
