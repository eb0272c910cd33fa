"""The 95 % intervals of metrics: which values other rows of the same source would give. No random draws are made.

Each interval holds the true value in about 95 of 100 samples of 20 rows or more, and more often where mistakes are few,
as `tests/evaluation/test_coverage.py` measures. At the ends, without or with nothing but mistakes, an interval is as
wide as the rows leave open, never empty. Where no known method reaches 93 there is no interval (None): for means over
labels on under `MEAN_ROWS` rows, or with under `ROWS_PER_LABEL` rows a label (of each label under `MANY_ROWS` rows,
else on average); for rankings with under `RANKED_ROWS` rows of either kind; for average precision with under
`PRECISION_ROWS` of either kind, or under `MEAN_ROWS` rows; for losses without a mistake.
"""

from collections.abc import Callable
from math import atanh, erf, exp, log, pi, sqrt, tanh

import numpy as np

from rnn_cli.arrays import Floats, Indices
from rnn_cli.evaluation.scores import calibration_bins, calibration_error, confidences, f1_scores, occurring

Interval = tuple[float, float]

NORMAL_95 = 1.959963984540054

POISSON_MEANS = (0.05129329438755058, 0.3553615106986621, 0.8176914471639534)
"""The means of Poisson distributions whose uppermost 5 % are counts of at least 1, 2 and 3."""

ROWS_PER_LABEL, RANKED_ROWS, PRECISION_ROWS = 5, 5, 10

MEAN_ROWS, MANY_ROWS = 50, 200
"""From the first number of rows on means over labels and average precision have an interval; from the second on
`ROWS_PER_LABEL` holds for the average label only."""

CALIBRATION_ROWS = 100
"""From this many rows on the calibration error has an interval; on fewer none holds the true value often enough."""


def wilson_interval(right: int, rows: int) -> Interval:
    """The interval of the share `right` / `rows`: Wilson's, widened where at most three rows are right or wrong.

    There Wilson's own interval holds the true share too rarely.

    Source: Wilson (1927), Probable inference, the law of succession, and statistical inference; Brown, Cai and
    DasGupta (2001), Interval estimation for a binomial proportion, section 4.1.1 (the modified Wilson interval).
    """
    low, high = _wilson(right / rows, rows)
    near = POISSON_MEANS[: 2 if rows <= 50 else 3]
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


def f1_interval(right: int, either: int) -> Interval:
    """The interval of a label's F1: `right` of the `either` rows that have the label or its prediction have both.

    F1 follows from that share (Jaccard's index) alone, so the ends of its interval follow from the share's.

    Source: Goutte and Gaussier (2005), A probabilistic interpretation of precision, recall and F-score.
    """
    low, high = (2 * share / (1 + share) for share in wilson_interval(right, either))
    return low, high


def balanced_accuracy_interval(confusion: Indices) -> Interval | None:
    """The interval of the mean recall of the labels that have rows; `confusion` is `[labels, labels]`, truth first."""
    rows, right = confusion.sum(axis=1), confusion.diagonal()
    known = np.flatnonzero(rows)
    if _too_few(rows[known]):
        return None
    return _mean_interval(right[known], rows[known], len(known), lambda shares: (shares, np.ones(len(shares))))


def _too_few(rows: Indices | Floats) -> bool:
    """Whether the labels have too few rows for the interval of a mean over labels."""
    total = rows.sum()
    fewest = rows.min() if total < MANY_ROWS else total / len(rows)
    return bool(total < MEAN_ROWS or fewest < ROWS_PER_LABEL)


def macro_f1_interval(confusion: Indices) -> Interval | None:
    """The interval of the mean F1 of the labels that occur; one without a row counts as 0 at both ends.

    `confusion` is `[labels, labels]`, truth first. An error changes the F1 of two labels, so these vary together. How
    much follows from how each row changes them (where all rows are right, the variance counts twice).

    Source: Takahashi, Yamamoto, Kuchiba and Koyama (2022), Confidence interval for micro-averaged F1 and
    macro-averaged F1 scores (the variance).
    """
    truth, predicted, right = confusion.sum(axis=1), confusion.sum(axis=0), confusion.diagonal()
    known = np.flatnonzero(truth)
    if _too_few(truth[known]):
        return None
    loss, gain = _f1_changes(right, truth + predicted)
    together = (confusion * _row_changes(loss, gain) ** 2).sum()
    wrong = confusion - np.diag(right)
    separate = (right * gain**2).sum() + (wrong * (loss[:, None] ** 2 + loss[None, :] ** 2)).sum()
    either = truth[known] + predicted[known] - right[known]
    return _mean_interval(
        right[known],
        either,
        int(occurring(confusion).sum()),
        lambda shares: (2 * shares / (1 + shares), 2 / (1 + shares) ** 2),
        together / separate if separate else 2.0,
    )


def _f1_changes(right: Indices | Floats, named: Indices | Floats) -> tuple[Floats, Floats]:
    """How much a wrong row with a label, true or predicted, lowers its F1, and how much a right row raises it."""
    f1, named = f1_scores(right, named), np.maximum(named, 1)
    return f1 / named, 2 * (1 - f1) / named


def _row_changes(loss: Floats, gain: Floats) -> Floats:
    """How much a row of each true and predicted label changes the sum of all F1, `[labels, labels]`."""
    changes: Floats = -(loss[:, None] + loss[None, :])
    np.fill_diagonal(changes, gain)
    return changes


def _mean_interval(
    right: Indices, rows: Indices, count: int, metric: Callable[[Floats], tuple[Floats, Floats]], times: float = 1.0
) -> Interval:
    """The interval of a sum of metrics of the shares `right` / `rows`, divided by `count`.

    `metric` gives the metrics of shares and their slopes; `times` is how many times larger the variance of the sum is
    than for independent metrics. The interval holds the values from which the observed one is not too far, by the
    variance that would then hold, as Wilson's does; all shares move towards such a value together, by their odds.

    Source: Martín Andrés and Álvarez Hernández (2011), Inferences about a linear combination of proportions (the score
    method); this is a simple form of it.
    """
    found = float(metric(right / rows)[0].sum())
    shares = (right + 0.5) / (rows + 1.0)
    odds = shares / (1 - shares)

    def end(side: float) -> float:
        def is_far(moved: float) -> bool:
            by = odds * exp(side * 40 * moved)
            there = by / (1 + by)
            metrics, slopes = metric(there)
            error = sqrt(times * float((slopes**2 * there / (1 + by) / rows).sum()))
            return side * (float(metrics.sum()) - found) > NORMAL_95 * error

        by = odds * exp(side * 40 * _least(is_far))
        return float(metric(by / (1 + by))[0].sum()) / count

    return max(0.0, min(end(-1.0), found / count)), min(1.0, max(end(1.0), found / count))


def macro_f1_gain_interval(kinds: Indices, counts: Indices, labels: int, gain: float) -> Interval | None:
    """The interval of `gain`, by how much the first classifier's macro F1 exceeds the second's on the same rows.

    `counts[i]` rows have the true label and the two predictions `kinds[i]`, `[kinds, 3]`. The variance is that of the
    difference with two more rows: each classifier alone is right on one, so that equal predictions do not prove equal
    classifiers. Labels are as frequent in these rows, true or wrongly predicted, as in all rows.

    Source: Bonett and Price (2012), Adjusted Wald confidence interval for a difference of binomial proportions based
    on paired data (the two rows); Takahashi et al. (2022), as above.
    """
    truth = np.bincount(kinds[:, 0], counts, labels)
    shares = truth / truth.sum()
    if _too_few(truth[truth > 0]) or shares.max() == 1:
        return None
    added = np.outer(shares / (1 - shares), shares)  # rows of one label, predicted as another
    np.fill_diagonal(added, 0)
    changes = []
    for predicted in (kinds[:, 1], kinds[:, 2]):
        count = np.count_nonzero(truth + np.bincount(predicted, counts, labels))
        right = np.bincount(kinds[:, 0], counts * (kinds[:, 0] == predicted), labels) + added.sum(axis=1)
        named = truth + np.bincount(predicted, counts, labels) + 3 * added.sum(axis=1) + added.sum(axis=0)
        changes.append(_row_changes(*_f1_changes(right, named)) / count)
    first, second = changes
    variance = (counts * (first[kinds[:, 0], kinds[:, 1]] - second[kinds[:, 0], kinds[:, 2]]) ** 2).sum()
    for one, other in ((first, second), (second, first)):
        variance += (added * (one.diagonal()[:, None] - other) ** 2).sum()
    half = NORMAL_95 * sqrt(variance)
    return max(-1.0, gain - half), min(1.0, gain + half)


def losses_interval(losses: Floats, wrong: int) -> Interval | None:
    """The interval of the mean of losses that are never negative; `wrong` of their rows are wrongly predicted.

    A few rows with large losses make most of the mean; without one of them nothing says how large it may be. So the
    mean's distribution is skewed, which is corrected for.

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
    error, quantile = spread / sqrt(rows - 1), student_95(max(rows - 1, 3))

    def corrected(at: float) -> float:
        return at if abs(skew) < 1e-6 else float(np.cbrt(1 + skew * (at - skew / 6)) - 1) * 3 / skew

    return max(0.0, mean - corrected(quantile) * error), mean - corrected(-quantile) * error


def area_interval(area: float, influences: Floats, rows: float) -> Interval:
    """The interval of an area under a curve; `influences` `[rows]` say by how much each row changes it.

    Uses the logit scale and Student's t. The degrees of freedom follow from how few rows make up the variance, which
    may be far fewer than there are. Where nothing varies, as every row is in order, the interval is Wilson's for the
    share of `rows` equally informative rows.

    Source: DeLong, DeLong and Clarke-Pearson (1988), Comparing the areas under two or more correlated receiver
    operating characteristic curves (the variance; for the other curve by the same method, from Efron and Tibshirani
    (1993), An introduction to the bootstrap, chapter 21); Boyd, Eng and Page (2013), Area under the precision-recall
    curve: point estimates and confidence intervals (the logit); Satterthwaite (1946), An approximate distribution of
    estimates of variance components.
    """
    squares = influences**2
    variance = float(squares.sum())
    if not 0 < area < 1 or variance < 1e-18:
        return _wilson(min(max(area, 0.0), 1.0), rows)
    freedom = max(2 / max(float((squares**2).sum()) / variance**2 - 1 / len(squares), 1e-12), 3.0)
    half = student_95(freedom) * sqrt(variance * (freedom + 1) / freedom) / (area * (1 - area))
    low, high = (1 / (1 + exp(-min(max(log(area / (1 - area)) + side, -700), 700))) for side in (-half, half))
    return low, high


def correlation_interval(found: float, left_out: Floats, rows: Floats) -> Interval | None:
    """The interval of a coefficient from -1 to 1, by how it changes without a row.

    `left_out` are its values without one row of each kind, of which there are so many `rows`. Uses the jackknife's
    variance, Fisher's scale and Student's t. None on few rows, and where nothing varies.

    Source: Fisher (1921), On the "probable error" of a coefficient of correlation deduced from a small sample; Efron
    and Stein (1981), The jackknife estimate of variance.
    """
    count = float(rows.sum())
    if count < MEAN_ROWS or not np.isfinite(left_out).all() or not -1 < found < 1:
        return None
    mean = float(left_out @ rows) / count
    variance = (count - 1) / count * float((left_out - mean) ** 2 @ rows)
    if variance < 1e-18:
        return None
    half = student_95(count - 1) * sqrt(variance) / (1 - found**2)
    return tanh(atanh(found) - half), tanh(atanh(found) + half)


def difference_interval(differences: Floats) -> Interval:
    """The interval of the mean of paired differences, by Student's t; of equal ones two more rows tell of chance."""
    count = len(differences)
    mean, spread = float(differences.mean()), float((differences**2).sum())
    # A row that speaks for each side: equal predictions do not prove equal models.
    variance = ((spread + 2) / (count + 2) - mean**2) / (count + 1)
    half = student_95(max(count - 1, 3)) * sqrt(max(variance, 0.0))
    return mean - half, mean + half


def calibration_interval(truth: Indices, probabilities: Floats, predicted: Indices) -> Interval | None:
    """The interval of the expected calibration error, whose estimate chance alone makes too large, most on few rows.

    Holds the errors for which the observed one is neither too large nor too small, if all bins are equally far off:
    chance makes the absolute value of a bin's gap a folded normal one. The interval always holds the estimate.

    Source: Leone, Nelson and Nottingham (1961), The folded normal distribution; Bröcker (2012), Estimating reliability
    and resolution of probability forecasts through decomposition of the empirical score (the bias).
    """
    rows = len(truth)
    if rows < CALIBRATION_ROWS:
        return None
    bins, confidence = calibration_bins(probabilities, predicted), confidences(probabilities, predicted)
    found = calibration_error(truth, probabilities, predicted)
    held = np.bincount(bins)
    full = held > 0
    held = held[full]
    # All predictions of a bin may be right, and yet others would not be.
    right = (np.bincount(bins, truth == predicted)[full] + np.bincount(bins, confidence)[full] / held) / (held + 1)
    variances = np.maximum(np.bincount(bins, confidence * (1 - confidence))[full], held * right * (1 - right))
    errors, shares = np.maximum(np.sqrt(variances), 1e-9) / rows, held / rows

    def expected(off: float, side: float) -> float:
        """The error at the 2.5 or 97.5 % of chance if all bins are this far off."""
        ratios = off * shares / errors
        means = errors * [sqrt(2 / pi) * exp(-each * each / 2) + each * erf(each / sqrt(2)) for each in ratios]
        variance = ((off * shares) ** 2 + errors**2 - means**2).clip(0).sum()
        return float(means.sum() + side * NORMAL_95 * sqrt(variance))

    low, high = (_least(lambda off, side=side: expected(off, side) >= found) for side in (1.0, -1.0))  # type: ignore[misc]
    return low, max(high, found)


def _least(reached: Callable[[float], bool]) -> float:
    """The least number from 0 to 1 at which a monotonic condition holds; 1 if it never does."""
    if reached(0.0):
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high


def student_95(freedom: float) -> float:
    """Student's t at 97.5 %, within 0.004 from 3 degrees of freedom on.

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
