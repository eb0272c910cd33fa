"""Loads a config's source, a built-in set, a file or rows in memory, as labelled texts."""

import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from rnn_cli.config.schema import DataConfig
from rnn_cli.data.builtin import BUILTIN, NotThere, load_builtin
from rnn_cli.data.reading import folders
from rnn_cli.data.reading.blocks import Block, check_texts
from rnn_cli.data.reading.names import format_of
from rnn_cli.data.reading.readers import labelled, read_columns, read_files, read_labelled
from rnn_cli.data.reading.remote import STANDARD_INPUT, is_remote, shown
from rnn_cli.data.reading.several import check_several
from rnn_cli.data.reading.table import (
    READING_KEYS,
    OnColumns,
    ReadAs,
    ReadRequest,
    choose_columns,
    label_value,
    nearest_name,
    plain_value,
    quoted_names,
    refuse_missing_columns,
)
from rnn_cli.data.rows import Dataset
from rnn_cli.errors import DataError, Setting

IN_MEMORY = "(memory)"
"""The `data.source` of rows that a program passes."""

InMemory = Any
"""A pandas DataFrame, or a tuple of texts and labels."""


def is_in_memory(data: object) -> bool:
    """Whether `data` holds rows, not the name of a source."""
    return not isinstance(data, str | os.PathLike)


def from_memory(data: InMemory, config: DataConfig) -> Dataset:
    """The rows of a pandas table, whose columns are found as in a file, or of texts and labels. Raises DataError.

    Lines are row numbers, from 1.
    """
    keys = {"text_column", "label_column", "label_separator", "label_columns", "strip_nul"}
    several = config.labels == "several"
    beside = tuple(config.extra_columns or ())
    request = ReadRequest(IN_MEMORY, several=several, beside=beside, **config.model_dump(include=keys))
    if hasattr(data, "columns"):
        names = {str(name): name for name in data.columns}
        chosen = choose_columns(list(map(str, data.columns)), request)
        text, *label = chosen[: len(chosen) - len(beside)]
        texts, labels = data[names[text]].tolist(), [data[names[each]].tolist() for each in label]
    else:
        if not isinstance(data, tuple) or len(data) != 2:
            hint = "give a DataFrame, a tuple of texts and labels, or a file's name"
            raise DataError(f"expected rows, got {type(data).__name__}", where=IN_MEMORY, hint=hint)
        if beside:
            what = f"texts and labels have no column {beside[0]!r}, which data.extra_columns names"
            raise DataError(what, where=IN_MEMORY, hint="give a DataFrame with it")
        if config.label_columns is not None:
            hint = "give a DataFrame with them, or lists of labels"
            raise DataError("texts and labels have no columns for data.label_columns", where=IN_MEMORY, hint=hint)
        text, label, texts, labels = "texts", ["labels"], list(data[0]), [list(data[1])]
        if len(texts) != len(labels[0]):
            what = f"{len(texts):,} texts and {len(labels[0]):,} {'lists of labels' if several else 'labels'}"
            hint = f"give one {'list of labels' if several else 'label'} per text"
            raise DataError(what, where=IN_MEMORY, hint=hint)
    columns = [texts, *(list(map(_plain, each)) for each in labels)]
    block = Block(list(range(1, len(texts) + 1)), columns, [], [], {})
    block = (check_several if several else check_texts)(block, [text, *label], request)
    if block.faults:
        raise block.faults[min(block.faults)]
    dataset = _dataset(IN_MEMORY, None, labelled([block] if texts else [], request))
    named = [name for name in (config.group_column, config.time_column, *(config.extra_columns or ())) if name]
    further = {name: column_in_memory(data, dataset, name) for name in named}
    return _checked(replace(dataset, further=further, several=several), config)


def _checked(dataset: Dataset, config: DataConfig) -> Dataset:
    """The same; where labels are numbers each is one. Raises `DataError`."""
    if config.labels != "number":
        return dataset
    from rnn_cli.data.numbers import numbers_of  # here: it loads numpy, which labels of other kinds need not

    numbers_of(dataset)
    return replace(dataset, number=True)


def column_in_memory(data: InMemory, dataset: Dataset, column: str) -> list[str | None]:
    """The values of a table's column for the dataset's rows. Raises `NoSuchColumn`."""
    if not hasattr(data, "columns") or column not in data.columns:
        columns = f" (columns: {quoted_names(map(str, data.columns))})" if hasattr(data, "columns") else ""
        raise NoSuchColumn(f"no column {column!r}{columns}", where=IN_MEMORY)
    values = data[column].tolist()
    return [plain_value(_plain(values[line - 1])) for line in dataset.lines]


def label_text(value: Any) -> str | None:
    """A label as it is read from memory, None where it is missing. Raises DataError for what is none."""
    return label_value(_plain(value), "label", IN_MEMORY)


def _plain(value: Any) -> Any:
    """A label, or a list of labels, as a Python value: NumPy's converted, None for pandas' missing values."""
    if getattr(value, "ndim", 0) and hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    return value.item() if hasattr(value, "item") else value


def _dataset(name: str, path: str | None, blocks: Iterable[Block], label: str | None = None) -> Dataset:
    dataset = Dataset(name=name, texts=[], labels=[], lines=[], path=path)
    labels: dict[str, str] = {}
    files: list[str] = []
    beside: dict[str, list[str | None]] = {}
    for block in blocks:
        dataset.texts.extend(block.texts)
        if label is not None:
            dataset.labels.extend([label] * len(block.texts))
        else:  # each label is stored once in memory
            dataset.labels.extend([labels.setdefault(each, each) for each in block.columns[1]])
        dataset.lines.extend(block.lines)
        files.extend(block.files or ())
        for name, values in block.beside.items():
            beside.setdefault(name, []).extend(values)
    return replace(dataset, files=files or None, further=beside)


def is_builtin(source: str) -> bool:
    """Whether this names a built-in set, which takes precedence over a file of the same name."""
    return source in BUILTIN


def load_rows(
    source: str,
    config: DataConfig = DataConfig(),  # noqa: B008  (it is immutable)
    on_columns: OnColumns | None = None,
    label: str | None = None,
) -> Dataset:
    """All rows of a built-in set or a file, read as the config says, whatever the config's source. Raises DataError.

    For a built-in set, whose columns are known, the config has no effect and `on_columns` is not called. With `label`
    that is the label of all rows, which need none of their own.
    """
    if is_builtin(source):
        if config.labels == "several":
            hint = Setting("data.labels", "single", "leave data.labels out, or use {}")
            raise DataError("a built-in set, whose texts have one label each", where=source, hint=hint)
        if config.labels == "number" and label is None:
            hint = Setting("data.labels", "single", "leave data.labels out, or use {}")
            raise DataError("a built-in set, whose labels are words", where=source, hint=hint)
        refuse_missing_columns(config.extra_columns or (), ["text", "label"], source)
        rows = load_builtin(source)
        return rows if label is None else replace(rows, labels=[label] * len(rows))
    warnings, found = list[str](), list[ReadAs]()
    how = {"on_columns": on_columns, "on_warning": warnings.append, "on_read_as": found.append}
    blocks = _blocks(source, config, labels=label is None, **how)
    dataset = _dataset(shown(source), source, blocks, label)
    dataset = replace(dataset, warnings=tuple(warnings), several=config.labels == "several")
    dataset = dataset if label is not None else _checked(dataset, config)
    return replace(dataset, reading=found[0].settings, notes=found[0].notes) if found else dataset


def refuse_columns_of_builtin(config: DataConfig) -> None:
    """Raise `DataError` for keys that say how to read a file where all rows are of built-in sets."""
    files = [config.source, config.validation, config.test, *unlabelled_sources(config)]
    given = [key for key in READING_KEYS if getattr(config, key) != DataConfig.model_fields[key].default]
    if given and all(is_builtin(each) for each in files if isinstance(each, str)):
        what = f"a built-in set, of which data.{given[0]} says nothing"
        hint = Setting("data.source", "FILE", "leave it out, or name a file of yours with {}")
        raise DataError(what, where=config.source, hint=hint)


LINES_FILE = re.compile(r"\.txt(\.gz|\.zst)?$")
"""The end of a name, in lower case, that a file with a text on each line has."""

AS_LINES = {"format": "csv", "quoting": "none", "header": False, "delimiter": "\x1f", "text_column": "1"}
"""How lines are read whole: as rows of one column, separated by what no text holds."""


def iterate_texts(source: str, config: DataConfig) -> Iterator[str]:
    """All texts of a built-in set or a file, which needs no labels; reads and raises as `load_rows` does.

    Of a .txt file each line that is not blank is a text.
    """
    config = config.model_copy(update={"extra_columns": None})
    if is_builtin(source):
        yield from load_builtin(source).texts
        return
    are_lines = LINES_FILE.search(source.lower()) and config.format is None
    for block in _blocks(source, config.model_copy(update=AS_LINES) if are_lines else config, labels=False):
        yield from (text for text in block.texts if not are_lines or text.strip())


def load_texts(source: str, config: DataConfig) -> Dataset:
    """The texts of `iterate_texts` as rows, whose label is the empty text."""
    are_lines = LINES_FILE.search(source.lower()) and config.format is None and not is_builtin(source)
    rows = load_rows(source, config.model_copy(update=AS_LINES) if are_lines else config, label="")
    return rows.select([row for row, text in enumerate(rows.texts) if text.strip()]) if are_lines else rows


def unlabelled_sources(config: DataConfig) -> list[str]:
    """The sources in `data.unlabelled`."""
    named = config.unlabelled or []
    return [named] if isinstance(named, str) else named


def absolute(config: DataConfig) -> DataConfig:
    """The config with absolute paths, valid in every folder.

    Drops a URL's user and query, which may be secret, as a model's config is passed on.
    """
    paths: dict[str, object] = {
        key: _absolute(value)
        for key in ("source", "validation", "test")
        if isinstance(value := getattr(config, key), str)
    }
    if config.sources is not None:
        paths["sources"] = [each.model_copy(update={"source": _absolute(each.source)}) for each in config.sources]
    if config.unlabelled is not None:
        paths["unlabelled"] = [_absolute(value) for value in unlabelled_sources(config)]
    return config.model_copy(update=paths)


def _absolute(source: str) -> str:
    if is_remote(source):
        return shown(source)
    return source if is_builtin(source) or source in (STANDARD_INPUT, IN_MEMORY) else os.path.abspath(source)


def _blocks(source: str, config: DataConfig, *, labels: bool, **more: Any) -> Iterator[Block]:
    """`more` holds further parameters of `ReadRequest`."""
    if source == IN_MEMORY:
        raise DataError("its rows were passed by a program", where=source, hint="name a file with them")

    def request_of(file: str) -> ReadRequest:
        return ReadRequest(file, **reading_keys(file, config), labels=labels, **more)

    if table := folders.table_of(source, labels=labels):
        return read_files(table, request_of)
    need_source(source)
    if source == STANDARD_INPUT and sys.stdin.isatty():
        raise DataError("is a terminal", where=shown(source), hint="pipe the rows in, as in: rnn ... < reviews.csv")
    return read_labelled(request_of(source))


def reading_keys(source: str, config: DataConfig) -> dict[str, Any]:
    """How a config says to read a file, as fields of `ReadRequest`; a format in the file's name takes precedence."""
    how = config.model_dump(include=set(READING_KEYS)) | {
        "several": config.labels == "several",
        "beside": tuple(config.extra_columns or ()),
    }
    return how | ({"format": None} if format_of(source) else {})


def need_source(source: str) -> None:
    """Raise `NotThere` unless there is such a built-in set or file, or one may be there."""
    if not is_builtin(source) and not may_exist(source):
        raise _neither(source)


def may_exist(source: str) -> bool:
    """Whether to try to read it; a file without permission counts, as the reader gives the better message."""
    if source == STANDARD_INPUT or is_remote(source):
        return True
    try:
        os.stat(source)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError:
        pass
    return True


def _neither(source: str) -> NotThere:
    meant = nearest_name(source, BUILTIN)
    return NotThere(
        "no such file or built-in set",
        where=source or '""',
        hint=(f"did you mean {meant}? " if meant else "") + f"built-in sets: {', '.join(BUILTIN)}",
    )


class NoSuchColumn(DataError):
    """A file or a built-in set has no column of that name."""


def further_column(dataset: Dataset, column: str, config: DataConfig) -> list[str | None]:
    """The values of a column for the dataset's rows, None (or empty) where one is missing; read as the config says.

    Reads the file again and matches rows by line, so it must not be a pipe. Raises DataError, and NoSuchColumn, with
    all columns listed.
    """
    if column in dataset.further:
        return dataset.further[column]
    if is_builtin(dataset.name):
        raise NoSuchColumn(f"a built-in set has no column {column!r}", where=dataset.name)
    path = dataset.path or dataset.name
    if dataset.files is not None and not all(dataset.lines):
        raise NoSuchColumn(f"texts in a folder have no column {column!r}", where=dataset.name)
    table = folders.table_of(path, labels=True)
    if not (table or is_remote(path) or os.path.isfile(path)):
        raise DataError("cannot be read twice", where=dataset.name, hint="save it to a file first")

    def choose(columns: Sequence[str]) -> Sequence[str]:
        if column in columns:
            return [column]
        meant = nearest_name(column, columns)
        hint = f"did you mean {meant}?" if meant else None
        raise NoSuchColumn(f"no column {column!r} (columns: {quoted_names(columns)})", where=dataset.name, hint=hint)

    values = {
        (shown(file), line): value
        for file in (table.files if table else [path])
        for line, (value,) in read_columns(file, choose, **reading_keys(file, config))
    }
    places = [(dataset.file_of(row) if table else shown(path), line) for row, line in enumerate(dataset.lines)]
    if missing := [row for row, place in enumerate(places) if place not in values]:
        where = dataset.where(missing[0])
        raise DataError("the file changed between two readings", where=where, hint="try again")
    return [values[place] for place in places]
