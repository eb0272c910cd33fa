"""The labelled rows as a file: all columns of the texts' file, in its order, and a column of labels."""

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rnn_cli import system
from rnn_cli.config.schema import DataConfig
from rnn_cli.data.reading.names import format_of
from rnn_cli.data.reading.readers import read_columns
from rnn_cli.data.reading.table import quoted_names
from rnn_cli.data.source import LINES_FILE, is_builtin, reading_keys
from rnn_cli.errors import DataError, UsageError
from rnn_cli.formats import DELIMITERS, is_pattern
from rnn_cli.labelling.answers import LabelOrSet
from rnn_cli.labelling.texts import TextPool

TEXT = "text"
"""The name of the column of texts where the file has no columns."""


@dataclass(frozen=True)
class LabelledOutput:
    """A file to write: its format, and the columns it has before that of the labels."""

    out: Path
    format: str
    columns: Sequence[str]
    label_column: str
    config: DataConfig

    @classmethod
    def plan(cls, out: Path, source: str, config: DataConfig, label_column: str) -> "LabelledOutput":
        """What will be written; raises `UsageError` and `DataError` where it cannot be, before a text is labelled."""
        kind = format_of(str(out))
        if kind not in ("csv", "tsv", "jsonl") or out.suffix in (".gz", ".zst"):
            what = "its name says no format that can be written"
            raise UsageError(what, where=str(out), hint="use .csv, .tsv or .jsonl")
        columns = _columns_of(source, config)
        if label_column in columns:
            what = f"has a column {label_column!r} already (columns: {quoted_names(columns)})"
            raise UsageError(what, where=source, hint="name that of the labels: --label-column NAME")
        return cls(out, kind, columns, label_column, config)

    def write(self, texts: TextPool, labels: Mapping[int, LabelOrSet]) -> int:
        """Write the labelled rows, and those of the same words; returns how many. Raises `WriteError`, `DataError`.

        Several labels are a JSON list, in CSV as its text, as `data.labels: several` reads them.
        """
        first_labels = {int(texts.copy_of[row]): label for row, label in labels.items()}
        count = 0
        with system.as_write_error(self.out), system.whole_file(self.out) as hidden:
            with open(hidden, "w", encoding="utf-8", newline="") as file:
                if self.format != "jsonl":
                    file.write(self._record([*self.columns, self.label_column]))
                for row, values in enumerate(self._rows(texts)):
                    label = labels.get(row, first_labels.get(int(texts.copy_of[row])))
                    if label is None:
                        continue
                    count += 1
                    if self.format == "jsonl":
                        record = dict(zip(self.columns, values, strict=True)) | {self.label_column: label}
                        file.write(json.dumps(record, ensure_ascii=False) + "\n")
                    else:
                        written = label if isinstance(label, str) else json.dumps(label, ensure_ascii=False)
                        file.write(self._record(["" if value is None else value for value in (*values, written)]))
        return count

    def _record(self, values: Sequence[str]) -> str:
        # Only what is in the line's end is quoted, so with another a lone CR in a text would be read back as one.
        record = io.StringIO(newline="")
        csv.writer(record, delimiter=DELIMITERS[self.format], lineterminator="\r\n").writerow(values)
        return record.getvalue().removesuffix("\r\n") + "\n"

    def _rows(self, texts: TextPool) -> Iterator[Sequence[str | None]]:
        """The values of each row in all columns. Raises `DataError` where the file has changed."""
        if not _is_table(texts.source):
            yield from ([text] for text in texts.rows)
            return
        number = -1
        read = read_columns(texts.source, lambda columns: columns, **reading_keys(texts.source, self.config))
        for number, (_, values) in enumerate(read):
            if number >= len(texts.rows) or texts.rows[number] not in values:
                break
            yield values
        if number != len(texts.rows) - 1:
            raise DataError("the file changed while it was labelled", where=texts.source, hint="put the old one back")


def _is_table(source: str) -> bool:
    """Whether the texts are a column of one file that has others."""
    is_file = not is_builtin(source) and not is_pattern(source) and not os.path.isdir(source)
    return is_file and not LINES_FILE.search(source.lower())


def _columns_of(source: str, config: DataConfig) -> list[str]:
    if not _is_table(source):
        return [TEXT]
    found: list[str] = []

    def choose(columns: Sequence[str]) -> Sequence[str]:
        found.extend(columns)
        return columns

    next(read_columns(source, choose, **reading_keys(source, config)), None)
    return found
