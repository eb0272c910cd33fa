"""Whether the texts of a file have several labels each, by how its first rows are written."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rnn_cli.config.schema import DataConfig
from rnn_cli.data.label_lists import find_label_lists
from rnn_cli.data.reading import folders
from rnn_cli.data.reading.readers import open_blocks
from rnn_cli.data.reading.remote import STANDARD_INPUT
from rnn_cli.data.reading.several import LABEL_FLAGS, listed_labels
from rnn_cli.data.reading.table import ABSENT, ReadRequest, find_columns, label_value, quoted_names
from rnn_cli.data.source import InMemory, is_builtin, is_in_memory, reading_keys
from rnn_cli.errors import DataError

LOOKED_AT = 2_048
"""Rows that are looked at."""

FEWEST_JOINED, FEWEST_LABELS = 2, 3
"""So many different values must join labels, of so many labels in all: one value "a/b" may be a name."""

SURE_SHARE = 0.8
"""Of the values that hold the separator so many must be lists of labels that occur elsewhere; a rare one may not."""

_KEYS = ("labels", "label_separator", "label_columns")


@dataclass(frozen=True)
class SeveralFound:
    """Keys of a data config that say how several labels are written, and the same in a sentence."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    note: str | None = None


def find_several(source: str | InMemory, config: DataConfig) -> SeveralFound:
    """Look at the first rows; nothing is found where the config says it, and in what can be read only once.

    Faults are not raised: whoever reads all rows finds them.
    """
    if any(getattr(config, key) != DataConfig.model_fields[key].default for key in _KEYS) or config.sources:
        return SeveralFound()
    try:
        columns = _in_memory(source) if is_in_memory(source) else _of_file(os.fspath(source), config)
        return _judged(columns, config)
    except (AttributeError, DataError, OSError, TypeError, ValueError):
        return SeveralFound()


def _in_memory(data: InMemory) -> dict[str, list[object]]:
    if hasattr(data, "columns"):
        return {str(name): data[name].head(LOOKED_AT).tolist() for name in data.columns}
    texts, labels = data
    return {"text": list(texts)[:LOOKED_AT], "label": list(labels)[:LOOKED_AT]}


def _of_file(source: str, config: DataConfig) -> dict[str, list[object]]:
    """The first values of each column."""
    if is_builtin(source) or source == STANDARD_INPUT:
        return {}
    table = folders.table_of(source, labels=True)
    file = table.files[0] if table else source
    if not table and (os.path.isdir(file) or not ("://" in file or os.path.isfile(file))):
        return {}
    request = ReadRequest(file, **reading_keys(file, config), choose=lambda names: names, lenient=True)
    with open_blocks(request) as opened:
        for block in opened.blocks:
            whole = [row for row in range(len(block.lines)) if row not in block.faults][:LOOKED_AT]
            values = [[column[row] for row in whole] for column in block.columns]
            return dict(zip(opened.chosen, values, strict=True))
    return {}


def _judged(columns: Mapping[str, list[object]], config: DataConfig) -> SeveralFound:
    names = list(columns)
    request = ReadRequest("", text_column=config.text_column, label_column=config.label_column)
    try:
        text, label = find_columns(names, request, lambda name: columns[name])
    except DataError:
        return _of_columns(columns, config)
    values = [_plain(value) for value in columns[label or text]]
    there = [value for value in values if value is not None and value is not ABSENT and value != ""]
    if not there or label is None:
        return SeveralFound()
    if all(isinstance(value, list | tuple) for value in there) or _are_written_lists(there):
        note = f"The column {label!r} holds lists of labels: a text may have several (data.labels: several)."
        return SeveralFound({"labels": "several"}, note)
    texts = [label_value(value, "", "") or "" for value in there]
    separator = _separator(texts)
    if separator is None:
        return SeveralFound()
    note = (
        f"The column {label!r} joins labels by {separator!r}: a text may have several (data.labels: several; "
        "if it has one, data.labels: single)."
    )
    return SeveralFound({"labels": "several", "label_separator": separator}, note)


def _plain(value: Any) -> Any:
    return value.tolist() if getattr(value, "ndim", 0) else value


def _are_written_lists(values: Sequence[object]) -> bool:
    """Whether all values are lists of texts, in JSON or as Python prints them."""
    lists = [listed_labels(value.strip()) if isinstance(value, str) else None for value in values]
    return all(each is not None and all(isinstance(part, str) for part in each) for each in lists)


def _separator(values: Sequence[str]) -> str | None:
    """What joins labels in values, if that is beyond doubt."""
    found = find_label_lists(set(values))
    if found is None or len(found.separators) != 1 or len(found.labels) < FEWEST_JOINED:
        return None
    separator = found.separators[0]
    joined = {value for value in values if separator in value}
    labels = {part.strip() for value in values for part in value.split(separator)}
    are_lists = len(found.labels) >= SURE_SHARE * len(joined) and "" not in labels
    return separator if separator != "[ ]" and are_lists and len(labels) >= FEWEST_LABELS else None


def _of_columns(columns: Mapping[str, list[object]], config: DataConfig) -> SeveralFound:
    """Columns of 0 and 1 beside a column of texts, where no column has a usual name for labels."""
    if config.label_column is not None:
        return SeveralFound()
    text, _ = find_columns(list(columns), ReadRequest("", text_column=config.text_column, labels=False))
    flags = [name for name, values in columns.items() if name != text and _are_flags(values)]
    if len(flags) < 2:
        return SeveralFound()
    note = (
        f"The columns {quoted_names(flags)} hold 0 and 1: each is a label, of which a text may have several "
        "(data.labels: several, data.label_columns)."
    )
    return SeveralFound({"labels": "several", "label_columns": flags}, note)


def _are_flags(values: Sequence[object]) -> bool:
    """Whether all values are 0 or 1."""
    try:
        texts = {(label_value(value, "", "") or "").strip().lower().removesuffix(".0") for value in values}
    except DataError:
        return False
    return bool(texts) and texts <= set(LABEL_FLAGS)
