"""Encoded texts and labels, and the batches of an epoch."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import softmax

from rnn_cli.arrays import Floats32, Ids, Indices
from rnn_cli.columns import ExtraColumns
from rnn_cli.config.schema import TrainingConfig
from rnn_cli.data.rows import Dataset
from rnn_cli.errors import ConfigError, ConfigMistake, few_of
from rnn_cli.kinds import LEAST_ORDERED
from rnn_cli.scoring.ordered import number_of
from rnn_cli.text.padding import pad

POOL = 64
"""How many batches are sorted by length together: enough for similar lengths, few enough to stay shuffled."""


@dataclass(frozen=True)
class Encoded:
    """Texts as ids, with their classes `[texts]` and weights in the loss `[texts]`.

    Of texts with several labels the classes are 1 or 0 for each label: `[texts, labels]`. Of ordered labels they are 1
    or 0 for whether a text is above each but the last: `[texts, labels - 1]`.

    The first `labelled` texts have labels. Those after them have `lessons`, a teacher's log-odds of the labels,
    `[texts, labels]`, and the class that it finds most probable; a labelled text's lesson is of a teacher that had not
    seen its label. Without lessons all texts have labels.

    Of numbers, `values` are how many standard deviations each is above the mean, `[texts]`; the classes are 0.
    """

    sequences: Sequence[Sequence[int]]
    classes: Indices
    weights: Floats32
    lessons: Floats32 | None = None
    labelled: int = 0
    values: Floats32 | None = None
    columns: Floats32 | None = None
    """The numbers of the rows' other columns, `[texts, width]`, where the model reads any."""

    def beside(self, rows: Indices) -> tuple[Floats32, ...]:
        """What the network takes beside the ids of some texts: nothing, or the numbers of their other columns."""
        return () if self.columns is None else (self.columns[rows],)

    def targets(self, rows: Indices) -> Indices | Floats32:
        """What to learn of some texts: their classes `[rows]`, with lessons the labels' probabilities, or numbers."""
        if self.values is not None:
            return self.values[rows]
        if self.lessons is None:
            return self.classes[rows]
        soft: Floats32 = softmax(self.lessons[rows], axis=1)
        known = np.flatnonzero(rows < self.labelled)
        soft[known] = np.eye(soft.shape[1], dtype=np.float32)[self.classes[rows[known]]]
        return soft

    def ids(self, rows: Indices) -> Ids:
        """The ids of some texts, `[rows, longest]`, padded after the text with 0."""
        return pad([self.sequences[row] for row in rows])

    def lengths(self) -> Indices:
        """The number of ids of each text."""
        return np.fromiter(map(len, self.sequences), np.intp, len(self.sequences))


def with_lessons(rows: Encoded, texts: Sequence[Sequence[int]], lessons: Floats32) -> Encoded:
    """Labelled rows, then texts, with a teacher's log-odds of both, `[rows + texts, labels]`.

    A text weighs as rows of its probable labels do, on average. Raises `ValueError` for another number of log-odds.
    """
    labelled, labels = len(rows.classes), lessons.shape[-1]
    if lessons.shape != (labelled + len(texts), labels) or rows.classes.max() >= labels:
        raise ValueError("a teacher's log-odds do not fit the rows")
    own = np.bincount(rows.classes, rows.weights, labels) / np.maximum(np.bincount(rows.classes, minlength=labels), 1)
    weights = (softmax(lessons[labelled:], axis=1) @ own).astype(np.float32)
    classes = lessons[labelled:].argmax(axis=1)
    return Encoded(
        [*rows.sequences, *texts],
        np.concatenate([rows.classes, classes]),
        np.concatenate([rows.weights, weights]),
        lessons,
        labelled,
    )


def numbers_beside(columns: ExtraColumns | None, rows: Dataset) -> Floats32 | None:
    """The numbers of the rows' other columns, `[rows, width]`; None for a model that reads none. Raises `DataError`."""
    return None if columns is None else columns.encode(rows.further, len(rows), rows.where)


def with_columns(features: Any, columns: ExtraColumns | None, rows: Dataset) -> Any:
    """Sparse features of rows, `[rows, features]`, followed by the numbers of their other columns."""
    numbers = numbers_beside(columns, rows)
    if numbers is None:
        return features
    from scipy import sparse

    return sparse.hstack([features, sparse.csr_matrix(numbers)], format="csr", dtype=features.dtype)


def epoch_steps(rows: int, batch_size: int) -> int:
    """The number of batches of an epoch; the last batch may be smaller."""
    return math.ceil(rows / batch_size)


def epoch_batches(lengths: Indices, batch_size: int, *, seed: int, epoch: int) -> list[Indices]:
    """The rows of each batch of an epoch: every row once, similar lengths together, shuffled by (seed, epoch)."""
    chance = np.random.default_rng([seed, epoch])
    order = chance.permutation(len(lengths))
    pool = POOL * batch_size
    pools = [order[start : start + pool] for start in range(0, len(order), pool)]
    order = np.concatenate([rows[np.argsort(lengths[rows], kind="stable")] for rows in pools])
    batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    return [batches[index] for index in chance.permutation(len(batches))]


def order_labels(labels: Sequence[str], positive: str | None) -> tuple[str, ...]:
    """The labels in the order of the network's classes: sorted, numbers by value; the positive one of two last."""
    names = sorted(set(labels), key=_by_value)
    if positive is None:
        return tuple(names)
    if len(names) != 2:
        what = f"is for two labels, the data has {len(names)}; remove the key"
        raise ConfigError([ConfigMistake(what, "data.positive_label")])
    if positive not in names:
        what = f"{positive!r} is not in the data; use {' or '.join(names)}"
        raise ConfigError([ConfigMistake(what, "data.positive_label")])
    return tuple(sorted(names, key=lambda name: name == positive))


def labels_in_order(labels: Sequence[str], order: Sequence[str] | None) -> tuple[str, ...]:
    """Ordered labels in the order given, or of numbers in theirs; those of the order that do not occur are left out.

    Raises `ConfigError` for labels whose order is not known, and for fewer than `LEAST_ORDERED`.
    """
    names, what, key = sorted(set(labels), key=_by_value), "", "data.order"
    if order is not None and (others := [name for name in names if name not in order]):
        what = f"does not hold the label {others[0]!r} of the data; name all of them in their order"
    elif order is None and (words := [name for name in names if number_of(name) is None]):
        what = (
            f"{words[0]!r} is not a number, so the labels' order is not known; give it: [{', '.join(names)}] in order"
        )
    elif len(names) < LEAST_ORDERED:
        key, what = "data.labels", f"ordered is for {LEAST_ORDERED} labels or more, the data has {few_of(names)}"
    if what:
        raise ConfigError([ConfigMistake(what, key)])
    return tuple(names if order is None else [name for name in order if name in names])


def label_weights(rows: Sequence[str], labels: Sequence[str], config: TrainingConfig) -> dict[str, float]:
    """Each label's weight in the loss. `balanced` gives all labels equal sums of weights, 1 per row on average."""
    chosen = config.class_weight
    if chosen is None:
        return dict.fromkeys(labels, 1.0)
    if chosen == "balanced":
        counts = Counter(rows)
        return {label: len(rows) / (len(counts) * counts[label]) for label in labels if counts[label]}
    if unknown := sorted(set(chosen) - set(labels)):
        raise ConfigError(
            [
                ConfigMistake(f"not a label of the data ({few_of(labels)})", f"training.class_weight.{label}")
                for label in unknown
            ]
        )
    return {label: chosen.get(label, 1.0) for label in labels}


MOST_POSITIVE = 10.0
"""The largest weight that `balanced` gives the rows with a rare label, of several."""


def positive_weights(rows: Dataset, labels: Sequence[str], config: TrainingConfig) -> Floats32:
    """The weight of the rows with each of several labels in its own loss, `[labels]`.

    `balanced` gives a label the root of how many rows lack it for each that has it, from 1 to `MOST_POSITIVE`: with the
    whole number, rare labels would be predicted everywhere. Raises `ConfigError`.
    """
    if config.class_weight == "balanced":
        counts = rows.label_counts()
        ratios = np.array([(len(rows) - counts[label]) / max(counts[label], 1) for label in labels])
        return np.asarray(np.clip(np.sqrt(ratios), 1, MOST_POSITIVE), np.float32)
    of_label = label_weights([], labels, config)
    return np.array([of_label[label] for label in labels], np.float32)


def row_weights(rows: Dataset, of_label: Mapping[str, float]) -> list[float]:
    """The weight of each row in the loss, `[rows]`: that of its label, times its own."""
    own = rows.weights or [1.0] * len(rows)
    return [of_label[label] * weight for label, weight in zip(rows.labels, own, strict=True)]


def _by_value(label: str) -> tuple[bool, float, str]:
    # A label may be "nan" or "inf", which are floats but have no order among numbers.
    try:
        number = float(label)
    except ValueError:
        number = math.nan
    return (False, number, label) if math.isfinite(number) else (True, 0.0, label)
