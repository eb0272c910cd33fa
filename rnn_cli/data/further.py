"""A further column of labelled rows that were read already, by which they can be told apart. Knows no figures."""

import os
from collections.abc import Sequence

from rnn_cli.config import DataConfig
from rnn_cli.data.reading.columns import nearest, show
from rnn_cli.data.reading.readers import read_columns
from rnn_cli.data.reading.remote import is_remote
from rnn_cli.data.rows import Dataset
from rnn_cli.data.source import is_builtin, reading_keys
from rnn_cli.errors import DataError


class NoSuchColumn(DataError):
    """A file, or a built-in set, has no column of that name."""


def further_column(dataset: Dataset, column: str, config: DataConfig) -> list[str | None]:
    """The values of a column in the dataset's rows, None (or empty) where one is missing; read as the config says.

    The file is read once more, which tells the rows by their lines, so it must not be a pipe. Raises DataError;
    NoSuchColumn, with all columns listed, where it has none of that name.
    """
    if is_builtin(dataset.name):
        raise NoSuchColumn(f"a built-in set has no column {column!r}", where=dataset.name)
    path = dataset.path or dataset.name
    if not (is_remote(path) or os.path.isfile(path)):
        raise DataError("cannot be read twice", where=dataset.name, mend="save it to a file first")

    def choose(columns: Sequence[str]) -> Sequence[str]:
        if column in columns:
            return [column]
        meant = nearest(column, columns)
        mend = f"did you mean {meant}?" if meant else None
        raise NoSuchColumn(f"no column {column!r} (columns: {show(columns)})", where=dataset.name, mend=mend)

    values = {line: value for line, (value,) in read_columns(path, choose, **reading_keys(path, config))}
    if missing := [line for line in dataset.lines if line not in values]:
        raise DataError("changed while it was read", where=f"{dataset.name}:{missing[0]}", mend="try again")
    return [values[line] for line in dataset.lines]
