"""How far two people agree on the texts that both have labelled, and how sure that is.

Source: Cohen (1960), A coefficient of agreement for nominal scales; Cohen (1968), Weighted kappa (squares of the
distance in places, for labels with an order); Krippendorff (2011), Computing Krippendorff's alpha-reliability (nominal
and ordinal data, two coders, no value missing); Passonneau (2006), Measuring agreement on set-valued items (MASI, for
several labels). The intervals are Efron's (1987), Better bootstrap confidence intervals, in their percentile form.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnn_cli.arrays import Floats, Indices
from rnn_cli.errors import DataError
from rnn_cli.kinds import LabelsKind
from rnn_cli.labelling.answers import LabelOrSet

RESAMPLED, LEAST_TEXTS = 2_000, 20
"""Samples of the texts, from which an interval comes; on fewer texts there is none."""


@dataclass(frozen=True)
class Coefficient:
    """A coefficient of agreement: 1 where all agree, 0 where they agree as often as by chance; its 95 % interval.

    None where both gave one label alone, so that nothing can be said.
    """

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Agreement:
    """Of two people: how many texts both labelled, how many alike, two coefficients, and where they differ.

    There is no `kappa` of several labels, whose sets are too many for it.
    `differ` are rows, counted from 0, with the label of each; `pairs` are how often each pair of labels came.
    """

    texts: int
    alike: int
    kappa: Coefficient | None
    alpha: Coefficient
    differ: Mapping[int, tuple[LabelOrSet, LabelOrSet]]
    pairs: Mapping[tuple[LabelOrSet, LabelOrSet], int]


def compare_people(
    one: Mapping[int, LabelOrSet],
    other: Mapping[int, LabelOrSet],
    kind: LabelsKind = "single",
    labels: Sequence[str] = (),
) -> Agreement:
    """Compare the labels of two people by row; `labels` are those of an order, from the lowest on.

    Raises `DataError` where no row has both.
    """
    both = sorted(one.keys() & other.keys())
    if not both:
        raise DataError("no text is labelled by both", hint="let the second one label what the first has: --after NAME")
    given = {*(one[row] for row in both), *(other[row] for row in both)}
    names: list[LabelOrSet] = [label for label in labels if label in given] if kind == "ordered" else sorted(given)
    places = np.array([list(labels).index(str(name)) for name in names]) if kind == "ordered" else np.arange(len(names))
    squares = 1.0 * ((places[:, None] - places) ** 2 if kind == "ordered" else places[:, None] != places)
    fixed = np.array([[masi_distance(a, b) for b in names] for a in names]) if kind == "several" else None
    first, second = (np.array([names.index(each[row]) for row in both], np.intp) for each in (one, other))
    counts = _counts(first, second, len(names))
    pairs = {
        (names[a], names[b]): int(counts[a, b]) for a in range(len(names)) for b in range(len(names)) if counts[a, b]
    }
    return Agreement(
        len(both),
        int(counts.trace()),
        None
        if kind == "several"
        else _with_interval(lambda counts: kappa_of(counts, squares), first, second, len(names)),
        _with_interval(
            lambda counts: alpha_of(counts, _ordinal(counts) if kind == "ordered" else fixed), first, second, len(names)
        ),
        {row: (one[row], other[row]) for row in both if one[row] != other[row]},
        pairs,
    )


def _counts(first: Indices, second: Indices, labels: int) -> Indices:
    return np.bincount(first * labels + second, minlength=labels * labels).reshape(labels, labels).astype(np.intp)


def kappa_of(counts: Indices, weights: Floats) -> float | None:
    """Cohen's kappa of how often each pair of labels came, `[labels, labels]`; None where chance explains all.

    `weights` are how bad each pair is, 0 where both are the same.
    """
    total = counts.sum()
    by_chance = float((np.outer(counts.sum(axis=1), counts.sum(axis=0)) * weights).sum()) / total
    return None if by_chance == 0 else float(1 - (counts * weights).sum() / by_chance)


def alpha_of(counts: Indices, distances: Floats | None = None) -> float | None:
    """Krippendorff's alpha of the same; None where one label alone came.

    `distances` are those of each pair, squared if the metric says so; without them all different labels are as far.
    """
    together = counts + counts.T
    times = together.sum(axis=1)
    apart = 1.0 - np.eye(len(counts)) if distances is None else distances
    expected = float((np.outer(times, times) * apart).sum())
    return None if expected == 0 else float(1 - (times.sum() - 1) * (together * apart).sum() / expected)


def _ordinal(counts: Indices) -> Floats:
    """The squared distances of labels with an order: how many answers lie between two, half of their own counted."""
    times = (counts + counts.T).sum(axis=1)
    middles = np.cumsum(times) - times / 2
    found: Floats = (middles[:, None] - middles) ** 2
    return found


def masi_distance(one: Collection[str], other: Collection[str]) -> float:
    """How far two sets of labels are from each other, from 0 to 1.

    That is 1 less their Jaccard index, of which two thirds count where one set is a part of the other, else a third.
    """
    first, second = set(one), set(other)
    if first == second:
        return 0.0
    part = 2 / 3 if first <= second or second <= first else 1 / 3 if first & second else 0.0
    return 1 - part * len(first & second) / len(first | second)


def _with_interval(of: Callable[[Indices], float | None], first: Indices, second: Indices, labels: int) -> Coefficient:
    value, chance = of(_counts(first, second, labels)), np.random.default_rng(1)
    if value is None or len(first) < LEAST_TEXTS:
        return Coefficient(value, None, None)
    drawn = (chance.integers(len(first), size=len(first)) for _ in range(RESAMPLED))
    found = [each for rows in drawn if (each := of(_counts(first[rows], second[rows], labels))) is not None]
    low, high = np.quantile(found, [0.025, 0.975])
    return Coefficient(value, float(min(low, value)), float(max(high, value)))
