"""Two classifiers' answers to the same rows held against each other.

Knows nothing of how the answers came about.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from rnn_cli.evaluation.bootstrap import grouped_sums
from rnn_cli.evaluation.metrics import NORMAL_95

ROUNDS, RESAMPLES_A_ROUND = 20, 250
"""The bootstrap's resamples, 5,000 in all, are drawn in rounds, so that many labels do not take much memory."""

SEED = 1

Interval = tuple[float, float]
Rows = npt.NDArray[np.intp]
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """How much better the first of two classifiers is than the second on the same rows; negative where it is worse.

    `difference` is that of the accuracies, `macro_f1_difference` that of the macro F1, each with its 95 % interval;
    all as shares, 0.01 being a point. `only_first_right` and `only_second_right` count the rows that one of them alone
    answered right; `p_value` is how often chance would part those rows at least as unevenly if both were as good.
    """

    rows: int
    difference: float
    interval: Interval
    macro_f1_difference: float
    macro_f1_interval: Interval
    only_first_right: int
    only_second_right: int
    p_value: float

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Comparison":
        """What `to_dict` answered; raises `KeyError`, `TypeError` or `ValueError` for anything else."""
        (low, high), (low_f1, high_f1) = content["interval"], content["macro_f1_interval"]
        return cls(**{**content, "interval": (low, high), "macro_f1_interval": (low_f1, high_f1)})


def compare(truth: Rows, first: Rows, second: Rows, labels: int) -> Comparison:
    """Hold two classifiers' answers against the truth and each other.

    All three are indices into `labels` labels, `[rows]`; at least one row. The interval of macro F1 is of the paired
    bootstrap: rows are drawn with replacement, and both classifiers are measured on the rows drawn. On a few dozen
    rows it is too narrow, which is why that of the accuracy is `paired_interval`.

    Source: Efron and Tibshirani (1993), An introduction to the bootstrap, chapter 13 (percentile intervals);
    Koehn (2004), Statistical significance tests for machine translation evaluation (paired resampling).
    """
    # Rows of one truth and one pair of answers are alike, so it is enough to draw how many there are of each kind.
    kinds, counts = np.unique(np.column_stack([truth, first, second]), axis=0, return_counts=True)
    chance = np.random.default_rng(SEED)
    shares = counts / len(truth)
    gain = _f1_gain(kinds, labels)
    resampled = (gain(chance.multinomial(len(truth), shares, RESAMPLES_A_ROUND)) for _ in range(ROUNDS))
    low, high = np.quantile(np.concatenate(list(resampled)), [0.025, 0.975]).tolist()
    only_first = int(((first == truth) & (second != truth)).sum())
    only_second = int(((first != truth) & (second == truth)).sum())
    return Comparison(
        rows=len(truth),
        difference=(only_first - only_second) / len(truth),
        interval=paired_interval(only_first, only_second, len(truth)),
        macro_f1_difference=float(gain(counts[None])[0]),
        macro_f1_interval=(low, high),
        only_first_right=only_first,
        only_second_right=only_second,
        p_value=mcnemar(only_first, only_second),
    )


def mcnemar(only_first_right: int, only_second_right: int) -> float:
    """McNemar's exact test, two-sided: how often fair coins fall at least as unevenly.

    Source: McNemar (1947), Note on the sampling error of the difference between correlated proportions or percentages;
    Dietterich (1998), Approximate statistical tests for comparing supervised classification learning algorithms.
    """
    coins, fewer = only_first_right + only_second_right, min(only_first_right, only_second_right)
    ways = total = 1  # whole numbers, so that nothing is rounded or overflows before the end
    for heads in range(1, fewer + 1):
        ways = ways * (coins - heads + 1) // heads
        total += ways
    return min(1.0, 2 * total / (1 << coins))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values of several tests, corrected so that at 0.05 chance rejects any of them in 5 % of all cases at most.

    Source: Holm (1979), A simple sequentially rejective multiple test procedure.
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for place, test in enumerate(order):
        highest = corrected[test] = max(highest, min(1.0, (len(p_values) - place) * p_values[test]))
    return corrected


def paired_interval(only_first_right: int, only_second_right: int, rows: int) -> Interval:
    """The 95 % interval of the difference of two accuracies on the same rows.

    Source: Bonett and Price (2012), Adjusted Wald confidence interval for a difference of binomial proportions based
    on paired data; recommended for few rows, too, by Fagerland, Lydersen and Laake (2014), Recommended tests and
    confidence intervals for paired binomial proportions.
    """
    first, second = (only_first_right + 1) / (rows + 2), (only_second_right + 1) / (rows + 2)
    half = NORMAL_95 * sqrt((first + second - (first - second) ** 2) / (rows + 2))
    return max(-1.0, first - second - half), min(1.0, first - second + half)


def _f1_gain(kinds: Rows, labels: int) -> Callable[[Rows], Numbers]:
    """What tells by how much the first's macro F1 is better, `[resamples]`, from counts `[resamples, kinds]`.

    `kinds` are truth, first and second answer, `[kinds, 3]`.
    """
    truth, first, second = kinds.T
    of_truth = grouped_sums(truth, 1, labels)
    right, answered = (
        [grouped_sums(groups, 1, labels) for groups in each]
        for each in ([np.where(truth == answers, truth, -1) for answers in (first, second)], (first, second))
    )

    def gain(drawn: Rows) -> Numbers:
        counts = drawn.T.astype(np.float32)
        there = of_truth(counts)
        ours, theirs = (
            _macro_f1(right_of(counts), there + answered_of(counts))
            for right_of, answered_of in zip(right, answered, strict=True)
        )
        return ours - theirs

    return gain


def _macro_f1(right: npt.NDArray[np.float32], named: npt.NDArray[np.float32]) -> Numbers:
    """Of rows counted by label, `[labels, resamples]`: those answered rightly, those labelled plus those answered."""
    twice, both = (np.ascontiguousarray(each.T, np.float64) for each in (2 * right, named))
    f1 = np.divide(twice, both, out=np.zeros_like(twice), where=both > 0)  # 0 where undefined, as measured
    mean: Numbers = f1.mean(axis=1)
    return mean
