"""How far predicted numbers are off: definitions as scikit-learn's and scipy's, with intervals and a comparison.

True and predicted numbers are `[rows]`. The 95 % intervals say which values other rows of the same source would give;
they are computed without random draws, and `tests/evaluation/test_numbers.py` measures how often they hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import atanh, exp, log, sqrt, tanh
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from rnn_cli.arrays import Floats, Indices
from rnn_cli.evaluation.intervals import NORMAL_95, Interval, losses_interval, student_95
from rnn_cli.evaluation.ordered import sign_flip_p_value
from rnn_cli.evaluation.ranges import group_names, rows_by_name

FEWEST_MEASURED = 20
"""On fewer rows there are no intervals: they would hold too rarely."""

NUMBER_RANGES = 5
"""Into how many ranges of about equally many rows the true numbers are cut."""


@dataclass(frozen=True)
class NumberMetrics:
    """How good predicted numbers are; errors are in the numbers' unit.

    `r2` is the share of the variance of the true numbers that the predictions explain, below 0 where their mean would
    be nearer; it and `spearman`, the rank correlation, are None where all true numbers are equal (`spearman` also where
    all predictions are). `mean_error` is above 0 where predictions are too high on average. `spread` is the standard
    deviation of the true numbers. `intervals` has each figure's by its name; None on too few rows.
    """

    rows: int
    mean_absolute_error: float
    median_absolute_error: float
    root_mean_squared_error: float
    r2: float | None
    spearman: float | None
    mean_error: float
    spread: float
    intervals: Mapping[str, Interval | None]

    def to_dict(self) -> dict[str, Any]:
        """The metrics as plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "NumberMetrics":
        """Read what `to_dict` wrote; raises `TypeError` or `ValueError`."""
        return TypeAdapter(cls).validate_python(content)


@dataclass(frozen=True)
class NumberSlice(NumberMetrics):
    """The metrics of some of the rows measured, that have a `name`; `spread` is that of all rows."""

    name: str = ""


def slices_of_numbers(truth: Floats, predicted: Floats, names: Sequence[str]) -> list[NumberSlice]:
    """Measure the rows of each name, the farthest off first; those of rare names are one slice, which comes last.

    All arguments are `[rows]`.
    """
    spread = float(truth.std())

    def measured(name: str, rows: Indices) -> NumberSlice:
        found = measure_numbers(truth[rows], predicted[rows])
        return NumberSlice(**{**vars(found), "spread": spread}, name=name)

    groups, few = rows_by_name(names, FEWEST_MEASURED)
    slices = [measured(name, rows) for name, rows in groups.items()]
    slices.sort(key=lambda each: (each.rows < FEWEST_MEASURED, -each.mean_absolute_error, -each.rows))
    return slices + [measured(name, rows) for name, rows in few.items()]


def slices_by_number(truth: Floats, predicted: Floats) -> list[NumberSlice]:
    """Measure up to `NUMBER_RANGES` ranges of the true numbers, the lowest first; both are `[rows]`."""
    names = group_names([repr(each) for each in truth.tolist()], NUMBER_RANGES, FEWEST_MEASURED)
    order = {name: float(truth[rows].min()) for name, rows in rows_by_name(names, 0)[0].items()}
    return sorted(slices_of_numbers(truth, predicted, names), key=lambda each: order.get(each.name, np.inf))


def measure_numbers(truth: Floats, predicted: Floats) -> NumberMetrics:
    """Measure predicted numbers on at least one row."""
    off = predicted - truth
    errors, squares = np.abs(off), off**2
    wrong, enough = int((errors > 0).sum()), len(truth) >= FEWEST_MEASURED
    explained, correlation = r_squared(truth, predicted), spearman_of(truth, predicted)
    intervals: dict[str, Interval | None] = {
        "mean_absolute_error": losses_interval(errors, wrong),
        "median_absolute_error": median_interval(errors),
        "root_mean_squared_error": _rooted(losses_interval(squares, wrong)),
        "r2": None if explained is None else r_squared_interval(truth, squares),
        "spearman": None if correlation is None else spearman_interval(correlation, len(truth)),
        "mean_error": mean_interval(off),
    }
    return NumberMetrics(
        rows=len(truth),
        mean_absolute_error=float(errors.mean()),
        median_absolute_error=float(np.median(errors)),
        root_mean_squared_error=sqrt(float(squares.mean())),
        r2=explained,
        spearman=correlation,
        mean_error=float(off.mean()),
        spread=float(truth.std()),
        intervals=intervals if enough else dict.fromkeys(intervals),
    )


def r_squared(truth: Floats, predicted: Floats) -> float | None:
    """The coefficient of determination, as scikit-learn's `r2_score`; None where all true numbers are equal."""
    spread = float(((truth - truth.mean()) ** 2).sum())
    return 1 - float(((truth - predicted) ** 2).sum()) / spread if spread else None


def r_squared_interval(truth: Floats, squares: Floats) -> Interval | None:
    """The interval of R², of the rows' squared errors; None where there is no error.

    R² is 1 less a ratio of two means over rows, of which the logarithm varies as the rows' influence on it does.

    Source: Efron (1982), The jackknife, the bootstrap and other resampling plans, chapter 6 (the delta method).
    """
    from_mean = (truth - truth.mean()) ** 2
    error, spread, rows = float(squares.mean()), float(from_mean.mean()), len(truth)
    if not error or rows < 3:
        return None
    influence = squares / error - from_mean / spread
    half = student_95(rows - 1) * sqrt(float((influence**2).mean()) / (rows - 1))
    ratio = log(error / spread)
    return 1 - exp(ratio + half), 1 - exp(ratio - half)


def ranks_of(numbers: Floats) -> Floats:
    """The ranks from 1 on, `[rows]`; equal numbers share their mean rank."""
    _, places, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[places])


def spearman_of(truth: Floats, predicted: Floats) -> float | None:
    """Spearman's rank correlation, as `scipy.stats.spearmanr`; None where all true or all predicted ones are equal."""
    ours, theirs = (ranks_of(each) - (len(truth) + 1) / 2 for each in (truth, predicted))
    spread = sqrt(float((ours**2).sum()) * float((theirs**2).sum()))
    return min(max(float((ours * theirs).sum()) / spread, -1.0), 1.0) if spread else None


def spearman_interval(found: float, rows: int) -> Interval | None:
    """The interval of a rank correlation; None at the ends of its range and on under five rows.

    Source: Bonett and Wright (2000), Sample size requirements for estimating Pearson, Kendall and Spearman
    correlations (the variance on Fisher's scale).
    """
    if rows < 5 or not -1 < found < 1:
        return None
    half = NORMAL_95 * sqrt((1 + found**2 / 2) / (rows - 3))
    return tanh(atanh(found) - half), tanh(atanh(found) + half)


def median_interval(numbers: Floats) -> Interval | None:
    """The interval of a median, by the ranks between which it lies with 95 %; None on under six rows.

    Source: Conover (1999), Practical nonparametric statistics, section 3.2.
    """
    rows = len(numbers)
    if rows < 6:
        return None
    ordered, half = np.sort(numbers), NORMAL_95 * sqrt(rows) / 2
    low, high = int(np.floor(rows / 2 - half)), int(np.ceil(rows / 2 + half))
    return float(ordered[max(low - 1, 0)]), float(ordered[min(high, rows - 1)])


def mean_interval(values: Floats) -> Interval | None:
    """The interval of a mean of any values, by Student's t; None of under two."""
    rows = len(values)
    if rows < 2:
        return None
    half = student_95(max(rows - 1, 3)) * float(values.std()) / sqrt(rows - 1)
    return float(values.mean()) - half, float(values.mean()) + half


def _rooted(interval: Interval | None) -> Interval | None:
    return None if interval is None else (sqrt(max(interval[0], 0.0)), sqrt(interval[1]))


@dataclass(frozen=True)
class NumberComparison:
    """How much nearer the first of two models' numbers are than the second's, on the same rows.

    `error_difference` is the first's mean absolute error less the second's, below 0 where the first is better, with its
    95 % interval; `error_p_value` is how often chance gives so large a difference if, in each row, either model is as
    likely to have the smaller error.
    """

    rows: int
    error_difference: float
    error_interval: Interval | None
    error_p_value: float

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain values."""
        return asdict(self)


def compare_numbers(truth: Floats, first: Floats, second: Floats) -> NumberComparison:
    """Compare two models' numbers, all `[rows]`, on at least one row."""
    off = np.abs(first - truth) - np.abs(second - truth)
    interval = mean_interval(off) if len(off) >= FEWEST_MEASURED else None
    return NumberComparison(len(off), float(off.mean()), interval, sign_flip_p_value(off))


@dataclass(frozen=True)
class AgainstMedian:
    """A model's numbers compared with always predicting `median`, that of the training rows' numbers."""

    median: float
    mean_absolute_error: float
    comparison: NumberComparison

    @classmethod
    def of(cls, truth: Floats, predicted: Floats, median: float) -> "AgainstMedian":
        """Of the numbers of some rows, `[rows]`."""
        always = np.full(len(truth), median)
        return cls(median, float(np.abs(always - truth).mean()), compare_numbers(truth, predicted, always))
