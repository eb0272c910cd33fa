"""The 95 % intervals of figures: what they would come to on other rows like these. None of them is left to chance.

Each holds the true figure in about 95 of 100 samples of 20 rows or more, and more often where mistakes are few, as
`tests/bench/coverage.py` measures. Where no method known does, there is none (None): of means over labels on under
`ROWS_A_LABEL` rows a label (on average, from `ENOUGH` rows on), of rankings with under `FEWEST_RANKED` rows to either
side (of average precision on under `ENOUGH` rows, too), of losses without a mistake. Knows nothing of how the answers
came about.
"""

from collections.abc import Callable
from math import exp, log, sqrt
from typing import Any, TypeVar

import numpy as np

from rnn_cli.arrays import Floats, Indices

Interval = tuple[float, float]

T = TypeVar("T", float, Floats)

NORMAL_95 = 1.959963984540054

LEAST_MEANS = (0.05129329438755058, 0.3553615106986621, 0.8176914471639534)
"""The means of which Poisson counts of at least 1, 2 and 3 are the uppermost 5 %."""

ROWS_A_LABEL, FEWEST_RANKED = 5, 5

ENOUGH = 50
"""Rows from which on labels may have fewer than `ROWS_A_LABEL`, as long as they have as many on average, and from which
on an average precision has an interval."""


def wilson_interval(right: int, rows: int) -> Interval:
    """The interval of a share of `right` in `rows`: Wilson's, wider where all but one to three are of one kind.

    There Wilson's own holds the share too seldom.

    Source: Wilson (1927), Probable inference, the law of succession, and statistical inference; Brown, Cai and
    DasGupta (2001), Interval estimation for a binomial proportion, section 4.1.1 (the modified Wilson interval).
    """
    low, high = _wilson(right / rows, rows)
    near = LEAST_MEANS[: 2 if rows <= 50 else 3]
    if 1 <= right <= len(near) and right < rows:
        low = min(low, near[right - 1] / rows)
    if 1 <= rows - right <= len(near) and right:
        high = max(high, 1 - near[rows - right - 1] / rows)
    return low, high


def _wilson(share: float, rows: float) -> Interval:
    square = NORMAL_95**2
    middle = (share + square / (2 * rows)) / (1 + square / rows)
    half = NORMAL_95 / (1 + square / rows) * sqrt(share * (1 - share) / rows + square / (4 * rows**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def f1_of(share: T) -> T:
    """F1 from the share of right rows among those of the label or answered with it (Jaccard's index)."""
    return 2 * share / (1 + share)


def f1_interval(right: int, either: int) -> Interval:
    """The interval of a label's F1, where `right` of the rows that are of the label or answered with it are rightly so.

    F1 grows with that share alone, so that its interval's ends follow from the share's.

    Source: Goutte and Gaussier (2005), A probabilistic interpretation of precision, recall and F-score.
    """
    low, high = wilson_interval(right, either)
    return f1_of(low), f1_of(high)


def balanced_accuracy_interval(confusion: Indices) -> Interval | None:
    """The interval of the mean recall of the labels that have rows; `confusion` is `[labels, labels]`, truth first."""
    rows, right = confusion.sum(axis=1), confusion.diagonal()
    known = np.flatnonzero(rows)
    if _too_few(rows[known]):
        return None
    return _of_mean(right[known], rows[known], len(known), lambda shares: (shares, np.ones(len(shares))))


def _too_few(rows: Indices | Floats) -> bool:
    """Whether the labels' rows tell too little of a mean over labels."""
    total = rows.sum()
    return bool(total < ROWS_A_LABEL * len(rows) or (total < ENOUGH and rows.min() < ROWS_A_LABEL))


def macro_f1_interval(confusion: Indices) -> Interval | None:
    """The interval of the mean F1 over all labels; one without a row counts as 0 at both ends.

    `confusion` is `[labels, labels]`, truth first. An error counts in two labels' F1, so these vary together; by how
    much is told by how each row moves them (where all are right, it is twice as much).

    Source: Takahashi, Yamamoto, Kuchiba and Koyama (2022), Confidence interval for micro-averaged F1 and
    macro-averaged F1 scores (the variance).
    """
    truth, given, right = confusion.sum(axis=1), confusion.sum(axis=0), confusion.diagonal()
    known = np.flatnonzero(truth)
    if _too_few(truth[known]):
        return None
    f1 = 2 * right / np.maximum(truth + given, 1)
    moved = f1 / np.maximum(truth + given, 1)  # by how much a row that is of a label, or answered so, lowers its F1
    hit = 2 * (1 - f1) / np.maximum(truth + given, 1)
    together = (confusion * _moves(moved, hit) ** 2).sum()
    wrong = confusion - np.diag(right)
    apart = (right * hit**2).sum() + (wrong * (moved[:, None] ** 2 + moved[None, :] ** 2)).sum()
    either = truth[known] + given[known] - right[known]
    times = together / apart if apart else 2.0
    return _of_mean(right[known], either, len(confusion), lambda each: (f1_of(each), 2 / (1 + each) ** 2), times)


def _moves(moved: Floats, hit: Floats) -> Floats:
    """By how much a row of each truth and answer moves the sum of all F1, `[labels, labels]`."""
    moves: Floats = -(moved[:, None] + moved[None, :])
    np.fill_diagonal(moves, hit)
    return moves


def _of_mean(
    right: Indices, rows: Indices, count: int, figure: Callable[[Floats], tuple[Floats, Floats]], times: float = 1.0
) -> Interval:
    """The interval of the sum of figures of shares of `right` in `rows`, divided by `count`.

    `figure` tells shares' figures and their slopes; `times` is how many times larger the variance of the sum is than if
    they were independent. Holds what is not too far from the figure found, by the variance that there would be if it
    were true, as Wilson's does; the shares move towards it together, by their odds.

    Source: Martín Andrés and Álvarez Hernández (2011), Inferences about a linear combination of proportions (the score
    method), of which this is a simple form.
    """
    found = float(figure(right / rows)[0].sum())
    shares = (right + 0.5) / (rows + 1.0)
    odds = shares / (1 - shares)

    def beyond(side: float) -> float:
        def is_far(moved: float) -> bool:
            by = odds * exp(side * 40 * moved)
            there = by / (1 + by)
            metrics, slopes = figure(there)
            error = sqrt(times * float((slopes**2 * there / (1 + by) / rows).sum()))
            return side * (float(metrics.sum()) - found) > NORMAL_95 * error

        by = odds * exp(side * 40 * least(is_far))
        return float(figure(by / (1 + by))[0].sum()) / count

    return max(0.0, min(beyond(-1.0), found / count)), min(1.0, max(beyond(1.0), found / count))


def macro_f1_gain_interval(kinds: Indices, counts: Indices, labels: int, gain: float) -> Interval | None:
    """The interval of by how much the first's macro F1 is better than the second's on the same rows, which is `gain`.

    `counts[i]` rows are of the truth and the two answers `kinds[i]`, `[kinds, 3]`. The variance is that of the
    difference on two rows more, of which each alone answers one right, so that equal answers are no proof of likeness.
    A label is as frequent among these as it is, and so is what they are wrongly taken for.

    Source: Bonett and Price (2012), Adjusted Wald confidence interval for a difference of binomial proportions based
    on paired data (the two rows); Takahashi et al. (2022), as above.
    """
    truth = np.bincount(kinds[:, 0], counts, labels)
    shares = truth / truth.sum()
    if _too_few(truth[truth > 0]) or shares.max() == 1:
        return None
    added = np.outer(shares / (1 - shares), shares)  # rows of one label that one takes for another
    np.fill_diagonal(added, 0)
    moves = []
    for predicted in (kinds[:, 1], kinds[:, 2]):
        right = np.bincount(kinds[:, 0], counts * (kinds[:, 0] == predicted), labels) + added.sum(axis=1)
        named = truth + np.bincount(predicted, counts, labels) + 3 * added.sum(axis=1) + added.sum(axis=0)
        f1 = 2 * right / np.maximum(named, 1)
        moves.append(_moves(f1 / np.maximum(named, 1), 2 * (1 - f1) / np.maximum(named, 1)))
    first, second = moves
    found = (counts * (first[kinds[:, 0], kinds[:, 1]] - second[kinds[:, 0], kinds[:, 2]]) ** 2).sum()
    for one, other in ((first, second), (second, first)):
        found += (added * (one.diagonal()[:, None] - other) ** 2).sum()
    half = NORMAL_95 * sqrt(found) / labels
    return max(-1.0, gain - half), min(1.0, gain + half)


def losses_interval(losses: Floats, wrong: int) -> Interval | None:
    """The interval of the mean of what is never negative, with so many wrong answers among its rows.

    A few rows with large losses make most of the mean, and without one of them it can't be told how large it may be.
    What chance adds is therefore skewed, which is corrected for.

    Source: Hall (1992), On the removal of skewness by transformation; Student's t as in Johnson (1978), Modified t
    tests and confidence intervals for asymmetrical populations.
    """
    rows = len(losses)
    if not wrong or rows < 2:
        return None
    mean, spread = float(losses.mean()), float(losses.std())
    if spread <= 1e-12 * mean:
        return mean, mean
    skew = float(((losses - mean) ** 3).mean()) / spread**3 / sqrt(rows)
    error, quantile = spread / sqrt(rows - 1), _student(max(rows - 1, 3))

    def corrected(at: float) -> float:
        if abs(skew) < 1e-6:
            return at
        return float(np.cbrt(1 + skew * (at - skew / 6)) - 1) * 3 / skew

    return max(0.0, mean - corrected(quantile) * error), mean - corrected(-quantile) * error


def area_interval(area: float, influences: Floats, rows: float) -> Interval:
    """The interval of an area under a curve; `influences` tell by how much each row moves it, `[rows]`.

    On the logit scale and with Student's t. Its degrees of freedom follow from how few rows the variance rests on, as
    these may be much fewer than there are. Where nothing varies, every row standing in order, it is Wilson's of a share
    of as many `rows` as tell as much.

    Source: DeLong, DeLong and Clarke-Pearson (1988), Comparing the areas under two or more correlated receiver
    operating characteristic curves (the variance; that of the other curve by the same way, from Efron and Tibshirani
    (1993), An introduction to the bootstrap, chapter 21); Boyd, Eng and Page (2013), Area under the precision-recall
    curve: point estimates and confidence intervals (the logit); Satterthwaite (1946), An approximate distribution of
    estimates of variance components.
    """
    squares = influences**2
    variance = float(squares.sum())
    if not 0 < area < 1 or variance < 1e-18:
        return _wilson(min(max(area, 0.0), 1.0), rows)
    freedom = max(2 / max(float((squares**2).sum()) / variance**2 - 1 / len(squares), 1e-12), 3.0)
    half = _student(freedom) * sqrt(variance * (freedom + 1) / freedom) / (area * (1 - area))
    low, high = (1 / (1 + exp(-min(max(log(area / (1 - area)) + side, -700), 700))) for side in (-half, half))
    return low, high


def least(reached: Any) -> float:
    """The least number from 0 to 1 at which something is reached, which it then stays; 1 if it never is."""
    if reached(0.0):
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high


def _student(freedom: float) -> float:
    """Student's t at 97.5 %, within 0.004 of it from 3 degrees of freedom on.

    Source: Abramowitz and Stegun (1964), Handbook of mathematical functions, 26.7.5.
    """
    z = NORMAL_95
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, start=1))
