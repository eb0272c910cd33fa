"""How far two people agree on the texts that both have labelled, and how sure that is.

Source: Cohen (1960), A coefficient of agreement for nominal scales; Krippendorff (2011), Computing Krippendorff's
alpha-reliability (nominal data, two coders, no value missing); the intervals are Efron's (1987), Better bootstrap
confidence intervals, in their percentile form.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from rnn_cli.arrays import Indices
from rnn_cli.errors import DataError

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

    `differ` are rows, counted from 0, with the label of each; `pairs` are how often each pair of labels came.
    """

    texts: int
    alike: int
    kappa: Coefficient
    alpha: Coefficient
    differ: Mapping[int, tuple[str, str]]
    pairs: Mapping[tuple[str, str], int]


def compare_people(one: Mapping[int, str], other: Mapping[int, str]) -> Agreement:
    """Compare the labels of two people by row. Raises `DataError` where no row has both."""
    both = sorted(one.keys() & other.keys())
    if not both:
        raise DataError("no text is labelled by both", hint="let the second one label what the first has: --after NAME")
    names = sorted({*(one[row] for row in both), *(other[row] for row in both)})
    first, second = (np.array([names.index(each[row]) for row in both], np.intp) for each in (one, other))
    counts = _counts(first, second, len(names))
    pairs = {
        (names[a], names[b]): int(counts[a, b]) for a in range(len(names)) for b in range(len(names)) if counts[a, b]
    }
    return Agreement(
        len(both),
        int(counts.trace()),
        _with_interval(kappa_of, first, second, len(names)),
        _with_interval(alpha_of, first, second, len(names)),
        {row: (one[row], other[row]) for row in both if one[row] != other[row]},
        pairs,
    )


def _counts(first: Indices, second: Indices, labels: int) -> Indices:
    return np.bincount(first * labels + second, minlength=labels * labels).reshape(labels, labels).astype(np.intp)


def kappa_of(counts: Indices) -> float | None:
    """Cohen's kappa of how often each pair of labels came, `[labels, labels]`; None where chance explains all."""
    total = counts.sum()
    by_chance = float(counts.sum(axis=0) @ counts.sum(axis=1)) / total**2
    return None if by_chance == 1 else float((counts.trace() / total - by_chance) / (1 - by_chance))


def alpha_of(counts: Indices) -> float | None:
    """Krippendorff's alpha of the same, for labels without an order; None where one label alone came."""
    together = counts + counts.T
    times = together.sum(axis=1)
    total = int(times.sum())
    expected = float(total**2 - (times**2).sum())
    if expected == 0:
        return None
    return float(1 - (total - 1) * (total - together.trace()) / expected)


def _with_interval(of: Callable[[Indices], float | None], first: Indices, second: Indices, labels: int) -> Coefficient:
    value, chance = of(_counts(first, second, labels)), np.random.default_rng(1)
    if value is None or len(first) < LEAST_TEXTS:
        return Coefficient(value, None, None)
    drawn = (chance.integers(len(first), size=len(first)) for _ in range(RESAMPLED))
    found = [each for rows in drawn if (each := of(_counts(first[rows], second[rows], labels))) is not None]
    low, high = np.quantile(found, [0.025, 0.975])
    return Coefficient(value, float(min(low, value)), float(max(high, value)))
