"""Intervals and tests of figures that the folds of a cross-validation gave, which share most of their training rows.

So the figures vary less than those of independent training rows would, and the plain t-test finds differences that are
not there. The correction adds what the common rows hide.

Source: Nadeau and Bengio (2003), Inference for the generalization error, Machine Learning 52; Bouckaert and Frank
(2004), Evaluating the replicability of significance tests for comparing learning algorithms (repeated folds).
"""

from collections.abc import Sequence
from math import atan, cos, pi, sin, sqrt

import numpy as np

from rnn_cli.evaluation.intervals import Interval


def corrected_interval(figures: Sequence[float], folds: int, middle: float) -> Interval:
    """The 95 % interval around `middle`, the figure of all rows, of figures that were measured on a fold each.

    `folds` is into how many the rows were dealt; `figures` holds those of all repeats, at least two.
    """
    half = t_quantile(len(figures) - 1) * corrected_error(figures, folds)
    return middle - half, middle + half


def corrected_error(figures: Sequence[float], folds: int) -> float:
    """The corrected standard error of the mean of figures: sqrt((1 / J + test rows / training rows) S²)."""
    return sqrt((1 / len(figures) + 1 / (folds - 1)) * float(np.var(figures, ddof=1)))


def corrected_p(differences: Sequence[float], folds: int) -> float | None:
    """The two-sided p-value of the corrected resampled t-test that the mean difference is 0.

    None where all differences are equal, so that nothing says how much they vary.
    """
    error = corrected_error(differences, folds)
    mean = float(np.mean(differences))
    if error <= 1e-12 * max(abs(mean), 1e-12):
        return None
    return 1 - t_within(abs(mean) / error, len(differences) - 1)


def t_within(t: float, freedom: int) -> float:
    """The probability that Student's t with so many degrees of freedom, a whole number, is between -t and t.

    Source: Abramowitz and Stegun (1964), Handbook of mathematical functions, 26.7.3 and 26.7.4.
    """
    angle = atan(t / sqrt(freedom))
    even = freedom % 2 == 0
    term = total = 1.0 if even else cos(angle)
    for step in range(2 if even else 3, freedom, 2):
        term *= (step - 1) / step * cos(angle) ** 2
        total += term
    if even:
        return sin(angle) * total
    return 2 / pi * (angle + (sin(angle) * total if freedom > 1 else 0.0))


def t_quantile(freedom: int) -> float:
    """Between minus and plus this value Student's t is in 95 of 100 cases."""
    low, high = 0.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if t_within(middle, freedom) < 0.95 else (low, middle)
    return high


def joined(one: Interval | None, other: Interval, least: float, most: float) -> Interval:
    """The least interval that holds both, within the bounds of the figure."""
    low, high = other if one is None else (min(one[0], other[0]), max(one[1], other[1]))
    return max(least, low), min(most, high)
