"""A source as a config names it, a built-in set or a file, becomes labelled texts in memory."""

import os
import sys
from collections.abc import Iterator
from typing import Any

from rnn_cli.config import DataConfig
from rnn_cli.data.builtin import BUILTIN, load_builtin
from rnn_cli.data.reading.columns import nearest
from rnn_cli.data.reading.readers import FORMATS_BY_SUFFIX, read_rows, suffix_of
from rnn_cli.data.reading.remote import STANDARD_INPUT, is_remote, shown
from rnn_cli.data.reading.request import READING_KEYS, Hear
from rnn_cli.data.rows import Dataset, Row
from rnn_cli.errors import DataError


def is_builtin(source: str) -> bool:
    """Whether this names a built-in set, which goes before a file of the same name."""
    return source in BUILTIN


def load(
    source: str,
    config: DataConfig = DataConfig(),  # noqa: B008  (it never changes)
    on_columns: Hear | None = None,
) -> Dataset:
    """All rows of a built-in set or a file, read as the config says but for its own source. Raises DataError.

    A built-in set's columns are known: the config matters for files only, and `on_columns` hears of theirs only.
    """
    if is_builtin(source):
        return load_builtin(source)
    dataset = Dataset(name=shown(source), texts=[], labels=[], lines=[], path=source)
    labels: dict[str, str] = {}
    for row in _rows(source, config, labels=True, on_columns=on_columns):
        assert row.label is not None  # labels were asked for
        dataset.texts.append(row.text)
        dataset.labels.append(labels.setdefault(row.label, row.label))  # one in memory, however many rows have it
        dataset.lines.append(row.line)
    return dataset


def load_texts(source: str, config: DataConfig) -> list[str]:
    """All texts of a built-in set or a file, which needs no column of labels; read and raising as `load` does."""
    if is_builtin(source):
        return load_builtin(source).texts
    return [row.text for row in _rows(source, config, labels=False)]


def unlabelled_sources(config: DataConfig) -> list[str]:
    """What `data.unlabelled` names, if anything."""
    named = config.unlabelled or []
    return [named] if isinstance(named, str) else named


def absolute(config: DataConfig) -> DataConfig:
    """The same config with each file's path made absolute, so that it holds in every folder.

    A URL's user and query stay behind, for they may be secret, and a model's config is handed on.
    """
    paths: dict[str, object] = {
        key: _absolute(value)
        for key in ("source", "validation", "test")
        if isinstance(value := getattr(config, key), str)
    }
    if config.unlabelled is not None:
        paths["unlabelled"] = [_absolute(value) for value in unlabelled_sources(config)]
    return config.model_copy(update=paths)


def _absolute(source: str) -> str:
    if is_remote(source):
        return shown(source)
    return source if is_builtin(source) or source == STANDARD_INPUT else os.path.abspath(source)


def _rows(source: str, config: DataConfig, *, labels: bool, on_columns: Hear | None = None) -> Iterator[Row]:
    if not may_exist(source):
        raise _neither(source)
    if source == STANDARD_INPUT and sys.stdin.isatty():
        raise DataError("is a terminal", where=shown(source), mend="pipe the rows in, as in: rnn ... < reviews.csv")
    return read_rows(source, **reading_keys(source, config), labels=labels, on_columns=on_columns)


def reading_keys(source: str, config: DataConfig) -> dict[str, Any]:
    """How a config says that a file is read, as fields of a `ReadRequest`; what its name says of its format goes
    before."""
    how = config.model_dump(include=set(READING_KEYS))
    return how | ({"format": None} if suffix_of(source) in FORMATS_BY_SUFFIX else {})


def may_exist(source: str) -> bool:
    """Whether to try and read it: what may not be looked at may exist, and the reader will say more."""
    if source == STANDARD_INPUT or is_remote(source):
        return True
    try:
        os.stat(source)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError:
        pass
    return True


def _neither(source: str) -> DataError:
    meant = nearest(source, BUILTIN)
    return DataError(
        "no such file, and no built-in set of that name",
        where=source,
        mend=(f"did you mean {meant}? " if meant else "") + f"built-in sets: {', '.join(BUILTIN)}",
    )
