"""One model's answers to labelled rows, as a run wrote them down or anyone did. Knows nothing of how good they are."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnn_cli.bundle import PREDICTIONS, Bundle
from rnn_cli.data.reading.columns import nearest, show
from rnn_cli.data.reading.readers import read_columns
from rnn_cli.errors import DataError
from rnn_cli.evaluation.losses import TINY, Numbers

NEEDED = ("label", "prediction")
KEYS = ("id", "text")
COLUMNS = (*KEYS, *NEEDED, "probability", "split")

LONGEST = 2**31 - 1
"""Bytes of a text in a run's own predictions: whatever the run could read."""

Column = list[str]


@dataclass(frozen=True)
class Answers:
    """What a model, called `name`, answered to labelled rows; all lists are of one length.

    `keys` are columns by which a row can be told from others, by name: `id`, `text` or both. `log_losses` are minus
    the logarithm of the true label's probability, `[rows]`; None where it is not known.
    """

    name: str
    keys: Mapping[str, Column]
    labels: Column
    predictions: Column
    log_losses: Numbers | None


def read_answers(name: str, split: str) -> Answers:
    """The answers of the run in the folder `name` to its rows of a split, `test` or `validation`; or of a file.

    A file (CSV, TSV, JSONL or Parquet) has columns `label`, `prediction`, and `text` or `id` or both; `probability`,
    if it has one, is the prediction's, and tells the true label's where there are two labels; of a file with a column
    `split` the rows of that split are read, else all. Raises `BundleError` or `DataError`.
    """
    if not Path(name).is_dir():
        if not os.path.exists(name):
            raise DataError("no such run's folder, and no such file of predictions", where=name)
        return _read(name, name, split)
    opened = Bundle.open(Path(name))
    return _read(name, str(opened.verify(PREDICTIONS)), split, max_field_bytes=LONGEST)


def _read(name: str, path: str, split: str, **how: int) -> Answers:
    lines, columns = _columns(path, **how)
    if "split" in columns:
        kept = [place for place, value in enumerate(columns["split"]) if value == split]
        if not kept:
            mend = f"use --split with one of them: {show(sorted(set(columns['split'])))}"
            raise DataError(f"has no {split} rows", where=name, mend=mend)
        lines = [lines[place] for place in kept]
        columns = {column: [values[place] for place in kept] for column, values in columns.items()}
    labels, predictions = columns["label"], columns["prediction"]
    losses = None
    if "probability" in columns:
        probabilities = _probabilities(columns["probability"], path, lines)
        if len({*labels, *predictions}) == 2:
            right = np.array([label == prediction for label, prediction in zip(labels, predictions, strict=True)])
            losses = -np.log(np.clip(np.where(right, probabilities, 1 - probabilities), TINY, 1 - TINY))
    return Answers(name, {key: columns[key] for key in KEYS if key in columns}, labels, predictions, losses)


def _columns(path: str, **how: int) -> tuple[list[int], dict[str, Column]]:
    """The lines of a file's records, and its columns that matter here."""
    names: list[str] = []

    def choose(found: Sequence[str]) -> Sequence[str]:
        for needed in (*NEEDED, *(() if set(KEYS) & set(found) else ("text",))):
            if needed not in found:
                meant = nearest(needed, found)
                mend = f"rename {meant!r}" if meant else "label, prediction, and text or id, must be there"
                raise DataError(f"no column {needed!r} (columns: {show(found)})", where=path, mend=mend)
        names.extend(name for name in COLUMNS if name in found)
        return names

    lines: list[int] = []
    columns: list[Column] = []
    for line, values in read_columns(path, choose, **how):
        if not lines:
            columns = [[] for _ in names]
        lines.append(line)
        for name, column, value in zip(names, columns, values, strict=True):
            if name in NEEDED and not value:
                raise DataError(f"no {name}", where=f"{path}:{line}", mend="complete or remove the row")
            column.append(value or "")
    if not lines:
        raise DataError("has no rows", where=path)
    return lines, dict(zip(names, columns, strict=True))


def _probabilities(values: Column, path: str, lines: Sequence[int]) -> Numbers:
    probabilities = np.empty(len(values))
    for place, value in enumerate(values):
        try:
            probabilities[place] = float(value)
        except ValueError:
            probabilities[place] = np.nan
        if not 0 <= probabilities[place] <= 1:
            what = f"{value[:40]!r} is no probability"
            raise DataError(what, where=f"{path}:{lines[place]}", mend="give numbers from 0 to 1, or drop the column")
    return probabilities
