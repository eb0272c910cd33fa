"""A source as a config names it, a built-in set or a file, becomes labelled texts in memory."""

import os
from collections.abc import Iterator

from rnn_cli.config import DataConfig
from rnn_cli.data.builtin import BUILTIN, load_builtin
from rnn_cli.data.reading.columns import nearest
from rnn_cli.data.reading.readers import columns_read, read_rows
from rnn_cli.data.reading.request import READING_KEYS, ReadRequest
from rnn_cli.data.rows import Dataset, Row
from rnn_cli.errors import DataError


def is_builtin(source: str) -> bool:
    """Whether this names a built-in set, which goes before a file of the same name."""
    return source in BUILTIN


def load(source: str, config: DataConfig = DataConfig()) -> Dataset:  # noqa: B008  (it never changes)
    """All rows of a built-in set or a file, read as the config says but for its own source. Raises DataError.

    A built-in set's columns are known: the config matters for files only.
    """
    if is_builtin(source):
        return load_builtin(source)
    dataset = Dataset(name=source, texts=[], labels=[], lines=[])
    for row in _rows(source, config, labels=True):
        assert row.label is not None  # labels were asked for
        dataset.texts.append(row.text)
        dataset.labels.append(row.label)
        dataset.lines.append(row.line)
    return dataset


def columns_of(source: str, config: DataConfig) -> tuple[str, str | None] | None:
    """The columns of texts and labels that `load` reads from a file; None for a built-in set. Raises DataError."""
    if is_builtin(source):
        return None
    if not _exists(source):
        raise _neither(source)
    return columns_read(ReadRequest(path=source, **config.model_dump(include=set(READING_KEYS))))


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
    """The same config with each file's path made absolute, so that it holds in every folder."""
    paths: dict[str, object] = {
        key: _absolute(value)
        for key in ("source", "validation", "test")
        if isinstance(value := getattr(config, key), str)
    }
    if config.unlabelled is not None:
        paths["unlabelled"] = [_absolute(value) for value in unlabelled_sources(config)]
    return config.model_copy(update=paths)


def _absolute(source: str) -> str:
    return source if is_builtin(source) else os.path.abspath(source)


def _rows(source: str, config: DataConfig, *, labels: bool) -> Iterator[Row]:
    if not _exists(source):
        raise _neither(source)
    return read_rows(source, **config.model_dump(include=set(READING_KEYS)), labels=labels)


def _exists(source: str) -> bool:
    """Whether to try and read it: what may not be looked at may exist, and the reader will say more."""
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
