"""Rows of several labels: lists, values split at a separator, or a column of 0 and 1 for each label. Opens no file."""

import ast
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from rnn_cli.data.label_sets import written_labels
from rnn_cli.data.reading.blocks import Block, check_texts, is_encodable
from rnn_cli.data.reading.table import ABSENT, ReadRequest, kind, label_value, quoted_names
from rnn_cli.errors import DataError, Setting

LABEL_FLAGS = {"0": False, "1": True, "false": False, "true": True}
"""What a column of one label may hold, as `label_value` writes it."""

LONGEST_LIST = 1 << 20
"""A longer list of labels is none."""


def check_several(block: Block, names: Sequence[str], request: ReadRequest) -> Block:
    """The block with its first column as texts and the others as one of labels, written as `label_sets` writes them.

    A value that is no text or no labels becomes its row's fault. `names` are the columns' names.
    """
    checked = check_texts(replace(block, columns=block.columns[:1]), names[:1], request)
    labels: list[str | None] = []
    known: dict[Any, str] = {}
    for index, values in enumerate(zip(*block.columns[1:], strict=True)):
        labels.append(None)
        if index in checked.faults:
            continue
        key = values if all(isinstance(value, str) for value in values) else None
        if key is not None and key in known:
            labels[index] = known[key]
            continue
        try:
            labels[index] = _labels(values, names[1:], request, request.at(block.lines[index]))
            if key is not None:
                known[key] = labels[index] or ""
        except DataError as fault:
            checked.texts[index] = ""
            checked.reject(index, fault)
    return replace(checked, columns=[checked.texts, labels])


def _labels(values: Sequence[object], names: Sequence[str], request: ReadRequest, where: str) -> str:
    """A row's labels as one text. Raises DataError."""
    if ABSENT in values:
        what = f"the key {names[values.index(ABSENT)]!r} is missing"
        raise DataError(what, where=where, hint="give every object the same keys")
    if request.label_columns:
        return written_labels(name for name, value in zip(names, values, strict=True) if _flag(value, name, where))
    return written_labels(_checked(_listed(values[0], names[0], request, where), where))


def _flag(value: object, name: str, where: str) -> bool:
    """Whether a row has the label of a column."""
    text = label_value(value, name, where)
    found = LABEL_FLAGS.get((text or "").strip().lower().removesuffix(".0"))
    if found is None:
        shown = "is empty" if not (text or "").strip() else f"holds {(text or '')[:40]!r}"
        what = f"the column of the label {name[:40]!r} {shown}"
        raise DataError(what, where=where, hint="write 1 for a row with the label, 0 for one without it")
    return found


def _listed(value: object, name: str, request: ReadRequest, where: str) -> list[object]:
    """The values of a row's list of labels."""
    if value is None:
        what = f"{name!r} is null, which does not say whether the text has labels"
        raise DataError(what, where=where, hint="write [] for a text with none of the labels, or remove the row")
    if isinstance(value, list | tuple):
        return list(value)
    text = (label_value(value, name, where) or "").strip()
    if not text:
        return []
    if (separator := request.label_separator) is not None:
        parts = [part.strip() for part in text.split(separator)]
        if not all(parts):
            what = f"{text[:60]!r} holds an empty label, between two {separator!r} or at an end"
            raise DataError(what, where=where, hint=f"write the labels as in a{separator}b")
        return list(parts)
    found = listed_labels(text)
    if found is None:
        hint = Setting("data.label_separator", '"|"', 'write it as ["anger", "joy"], or name what separates labels: {}')
        raise DataError(f"{text[:60]!r} is no list of labels", where=where, hint=hint)
    return found


def listed_labels(text: str) -> list[object] | None:
    """A list in JSON, or as Python prints it; None where the text is neither."""
    if not text.startswith("[") or len(text) > LONGEST_LIST:
        return None
    for parse in (json.loads, ast.literal_eval):
        try:
            found = parse(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(found, list):
            return found
    return None


def _checked(values: Iterable[object], where: str) -> list[str]:
    """The labels of a list, each once and none of them empty."""
    found: list[str] = []
    for value in values:
        if value is None or isinstance(value, list | dict | tuple):
            what = f"a label is {kind(value)}"
            raise DataError(what, where=where, hint='write the labels as in ["anger", "joy"]')
        label = (label_value(value, "a label", where) or "").strip()
        if not label or not is_encodable(label) or "\0" in label:
            raise DataError("a label is empty, or no text", where=where, hint="remove it from the row's labels")
        if label in found:
            what = f"names the label {label[:40]!r} twice ({quoted_names([str(each) for each in values][:6])})"
            raise DataError(what, where=where, hint="name each label once a row")
        found.append(label)
    return found
