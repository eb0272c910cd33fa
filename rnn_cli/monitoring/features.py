"""What is counted of each text, in bins that are always the same: length, script, language, unknown words, prediction.

Some of it depends on the texts alone. What the model does with texts is counted of texts that it has not learned from.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan
from typing import Any

import numpy as np

from rnn_cli.arrays import Floats, Indices
from rnn_cli.checks.scripts import script_of
from rnn_cli.columns import ExtraColumns, ExtraValues, NumberColumn, cell_number, plain_cell
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.text.tokenizer_json import UNKNOWN

OF_LENGTH, OF_SCRIPT, OF_LANGUAGE = "length", "script", "language"
OF_UNKNOWN, OF_PREDICTION, OF_CONFIDENCE = "unknown", "label", "confidence"
OF_NUMBER, OF_ERROR = "number", "error"
OF_COLUMN = "column "
"""What the feature of another column of a row begins with; its name follows."""

MISSING_VALUE = "(missing)"

OF_TEXTS = (OF_LENGTH, OF_SCRIPT, OF_LANGUAGE)
"""Counted of training texts; the others of texts that the model has not learned from."""

EDGES: Mapping[str, tuple[float, ...]] = {
    OF_LENGTH: (1, 2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64, 91, 128, 181, 256, 362, 512, 724, 1024),
    OF_UNKNOWN: (1e-9, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9),
    OF_CONFIDENCE: (
        0.3,
        0.4,
        0.5,
        0.55,
        0.6,
        0.65,
        0.7,
        0.75,
        0.8,
        0.85,
        0.9,
        0.93,
        0.95,
        0.97,
        0.98,
        0.99,
        0.995,
        0.999,
    ),
    OF_NUMBER: (-6.0, *(each / 4 for each in range(-16, 17)), 6.0, 10.0),
    OF_ERROR: (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0),
}
"""Where bins of numbers begin; the first bin is below the first edge. Length is in tokens; predicted numbers, and how
far they are off, in standard deviations of the training rows' numbers."""

FARTHEST = 1e9
"""No number is counted as farther from 0."""

LONGEST_VALUE, COLUMNS_COUNTED = 60, 40
"""Characters of another column's value that tell it from others; of more other columns than that the first count."""

MOST_VALUES = 50
"""Values of a feature that are counted apart, the most frequent; the rest are counted together."""

OTHERS, NO_NAME = "(others)", "(none)"
"""All other values, and none: a text without letters, or with none of several labels."""

LANGUAGE_TEXTS = 1_000
"""Languages are told of so many texts at most, as that takes a millisecond each."""


@dataclass(frozen=True)
class Histogram:
    """How often each value, or each bin of numbers, occurs. `mean` is that of numbers; None of names."""

    counts: Mapping[str, int]
    mean: float | None = None

    @property
    def rows(self) -> int:
        """How many texts were counted."""
        return sum(self.counts.values())

    @property
    def is_ordered(self) -> bool:
        """Whether the bins have an order."""
        return self.mean is not None

    def share(self, name: str) -> float:
        """The share of a value or a bin."""
        return self.counts.get(name, 0) / max(self.rows, 1)


def of_numbers(name: str, values: "Sequence[float] | Floats | Indices") -> Histogram:
    """A histogram of the bins of `EDGES`; of another column those of standardised numbers, without missing ones (NaN).

    These are counted in a first bin of their own.
    """
    numbers = np.clip(np.asarray(values, np.float64), -FARTHEST, FARTHEST)
    if name.startswith(OF_COLUMN):
        gone = np.isnan(numbers)
        found = of_numbers(OF_NUMBER, numbers[~gone])
        return replace(found, counts={MISSING_VALUE: int(gone.sum()), **found.counts})
    bins = np.bincount(np.searchsorted(EDGES[name], numbers, "right"), minlength=len(EDGES[name]) + 1)
    return Histogram(
        dict(zip(bin_names(name), bins.tolist(), strict=True)), float(numbers.mean()) if len(numbers) else 0.0
    )


def bin_names(name: str) -> list[str]:
    """The bins of a feature, by where they begin."""
    return ["0" if EDGES[name][0] > 0 else "below", *(f"{edge:g}" for edge in EDGES[name])]


def of_names(values: Iterable[str | None]) -> Histogram:
    """A histogram of names, the most frequent first."""
    counts = Counter(NO_NAME if value is None else value for value in values)
    first = dict(sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:MOST_VALUES])
    rest = counts.total() - sum(first.values())
    return Histogram(first | ({OTHERS: rest} if rest else {}))


def in_same_bins(then: Histogram, now: Histogram) -> tuple[list[str], Indices, Indices]:
    """The bins of both histograms, and the counts of each; names that were rare then are counted together."""
    names = list(then.counts)
    if not then.is_ordered:
        names += [name for name in now.counts if name not in then.counts and OTHERS not in then.counts]
    if OTHERS in then.counts:
        rest = sum(count for name, count in now.counts.items() if name not in then.counts or name == OTHERS)
        now = Histogram({**{name: now.counts.get(name, 0) for name in names}, OTHERS: rest})
    counts = [np.array([each.counts.get(name, 0) for name in names], np.intp) for each in (then, now)]
    return names, counts[0], counts[1]


def count_texts(texts: Sequence[str], lengths: Sequence[int]) -> dict[str, Histogram]:
    """The histograms that depend on the texts alone; `lengths` are in tokens.

    Languages are left out of a light install, which lacks what tells them.
    """
    found = {OF_LENGTH: of_numbers(OF_LENGTH, lengths), OF_SCRIPT: of_names(map(script_of, texts))}
    try:
        from rnn_cli.checks.languages import language_of
    except ModuleNotFoundError as error:
        if error.name != "py3langid":
            raise
        return found
    step = max(1, -(-len(texts) // LANGUAGE_TEXTS))
    found[OF_LANGUAGE] = of_names(map(language_of, texts[::step]))
    return found


@dataclass(frozen=True)
class ReadTexts:
    """Texts as a model reads them: ids, and of each its length in tokens and its share of unknown ones, `[texts]`."""

    ids: list[list[int]]
    lengths: list[int]
    unknown: list[float]

    @classmethod
    def of(cls, predictor: Predictor, texts: Iterable[str]) -> "ReadTexts":
        """Read texts."""
        ids, lengths, unknown = [], [], []
        for text in texts:
            encoded, length = predictor.tokenizer.encode_counted(text)
            ids.append(encoded)
            lengths.append(length)
            unknown.append(encoded.count(UNKNOWN) / len(encoded) if length else 0.0)  # one of no token counts as one
        return cls(ids, lengths, unknown)


def count_predictions(predictor: Predictor, unknown: Sequence[float], probabilities: Floats) -> dict[str, Histogram]:
    """The histograms of what a model does with texts, from its probabilities for them, `[texts, labels]`.

    Of several labels a text, the label is the most probable one that is predicted. Of numbers it is the number.
    """
    if predictor.number:
        standardised = (probabilities[:, 0] - predictor.bundle.manifest.center) / predictor.spread
        return {OF_UNKNOWN: of_numbers(OF_UNKNOWN, unknown), OF_NUMBER: of_numbers(OF_NUMBER, standardised)}
    named = (names[0] if names else None for names in predictor.named(probabilities))
    return {
        OF_UNKNOWN: of_numbers(OF_UNKNOWN, unknown),
        OF_PREDICTION: of_names(named),
        OF_CONFIDENCE: of_numbers(OF_CONFIDENCE, probabilities.max(axis=1)),
    }


def count_columns(columns: ExtraColumns | None, values: ExtraValues) -> dict[str, Histogram]:
    """The histograms of the other columns that a model reads; nothing where it reads none."""
    found = {}
    for column in columns.columns[:COLUMNS_COUNTED] if columns is not None else ():
        name, cells = f"{OF_COLUMN}{column.name}", values[column.name]
        if isinstance(column, NumberColumn):
            numbers = [cell_number(cell) for cell in cells]
            standardised = [nan if each is None else (each - column.mean) / column.scale for each in numbers]
            found[name] = of_numbers(name, standardised)
        else:
            found[name] = of_names(None if cell is None else cell[:LONGEST_VALUE] for cell in map(plain_cell, cells))
    return found


def checked_histogram(name: str, content: Any) -> Histogram:
    """A histogram of a stranger's file; raises `KeyError`, `TypeError` or `ValueError` for anything else."""
    counts, mean = content["counts"], content["mean"]
    if not isinstance(counts, dict) or not all(type(each) is int and 0 <= each < 2**40 for each in counts.values()):
        raise ValueError("counts")
    if name in EDGES or (name.startswith(OF_COLUMN) and mean is not None):
        bins = bin_names(name) if name in EDGES else [MISSING_VALUE, *bin_names(OF_NUMBER)]
        least = 0 if name in EDGES and EDGES[name][0] > 0 else -1e12
        if list(counts) != bins or not isinstance(mean, float) or not least <= mean < 1e12:
            raise ValueError("bins")
    elif mean is not None or len(counts) > MOST_VALUES + 1 or not counts:
        raise ValueError("names")
    return Histogram(counts, mean)
