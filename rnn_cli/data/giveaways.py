"""Whether another column of the rows gives their label away, as one that is filled in after the label is known."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from rnn_cli.columns import cell_number, kind_of_values, plain_cell
from rnn_cli.data.rows import Dataset

TELLS_ALL = 0.98
"""A column whose values alone tell the labels of so large a share of rows gives them away."""

UNLIKELY = 1e-6
"""A category whose rows all have one label is worth a word where chance would make so few such categories."""

LEAST_ROWS_TOLD, MOST_BINS = 20, 20
"""Fewer rows show nothing; and numbers are cut into so many ranges at most."""


def giveaways(rows: Dataset, kinds: Mapping[str, str]) -> list[str]:
    """What is wrong with the columns of `kinds` (`number`, `category` or `auto`) as inputs, a line each."""
    if len(rows) < LEAST_ROWS_TOLD:
        return []
    return [line for name, kind in kinds.items() for line in _of_column(name, kind, rows)]


def _of_column(name: str, kind: str, rows: Dataset) -> Iterator[str]:
    values = rows.further[name]
    kind = kind_of_values(values) if kind == "auto" else kind
    groups: Sequence[object] = [plain_cell(value) for value in values]
    if kind == "number":
        numbers = np.array([np.nan if (number := _number(value)) is None else number for value in values])
        there = numbers[~np.isnan(numbers)]
        if len(there) >= LEAST_ROWS_TOLD and len(set(there)) == len(there) and (there == np.rint(there)).all():
            yield f"column {name}: a whole number of its own for each row, as an id: it tells nothing of other rows"
            return
        ends = np.unique(np.quantile(there, np.linspace(0, 1, MOST_BINS + 1)[1:-1])) if len(there) else np.empty(0)
        groups = np.where(np.isnan(numbers), -1, np.searchsorted(ends, numbers)).tolist()
    every = Counter(rows.labels)
    counts: defaultdict[object, Counter[str]] = defaultdict(Counter)
    for group, label in zip(groups, rows.labels, strict=True):
        counts[group][label] += 1
    usual = max(every.values()) / len(rows)
    told = sum(_told(each) for each in counts.values()) / len(rows)
    if told >= TELLS_ALL and told > (1 + usual) / 2:
        yield (
            f"column {name} alone tells the label of {told:.1%} of the rows (the most frequent label is that of "
            f"{usual:.1%}): is it known before the label is?"
        )
    elif kind == "category":
        yield from _of_categories(name, counts, every)


def _of_categories(name: str, counts: Mapping[object, Mapping[str, int]], every: Mapping[str, int]) -> Iterator[str]:
    total = sum(every.values())
    for value, labels in sorted(counts.items(), key=lambda each: -sum(each[1].values())):
        (label, rows), *others = labels.items()
        chance = (every[label] / total) ** rows * len(counts)
        if value is not None and not others and rows >= LEAST_ROWS_TOLD and chance < UNLIKELY:
            yield (
                f"column {name}: all {rows:,} rows with {value} have the label {label}, which "
                f"{every[label] / total:.0%} of all rows have: is it known before the label is?"
            )


def _told(labels: Mapping[str, int]) -> int:
    """How many rows of a value have the label that most of its other rows have."""
    first, second = [*sorted(labels.values(), reverse=True), 0][:2]
    return first if first - 1 > second else 0


def _number(value: object) -> float | None:
    try:
        return cell_number(value)
    except ValueError:
        return None
