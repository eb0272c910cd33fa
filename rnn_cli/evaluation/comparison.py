"""Two classifiers' answers to the same rows held against each other.

Knows nothing of how the answers came about.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from rnn_cli.evaluation.intervals import NORMAL_95, Interval, macro_f1_gain_interval
from rnn_cli.evaluation.metrics import macro_f1

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Comparison:
    """How much better the first of two classifiers is than the second on the same rows; negative where it is worse.

    `difference` is that of the accuracies, `macro_f1_difference` that of the macro F1, each with its 95 % interval (of
    the latter None where there are too few rows); all as shares, 0.01 being a point. `only_first_right` and
    `only_second_right` count the rows that one of them alone answered right; `p_value` is how often chance would part
    those rows at least as unevenly if both were as good.
    """

    rows: int
    difference: float
    interval: Interval
    macro_f1_difference: float
    macro_f1_interval: Interval | None
    only_first_right: int
    only_second_right: int
    p_value: float

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Comparison":
        """What `to_dict` answered; raises `KeyError`, `TypeError` or `ValueError` for anything else."""
        (low, high), of_f1 = content["interval"], content["macro_f1_interval"]
        if of_f1 is not None:
            low_f1, high_f1 = of_f1
            of_f1 = low_f1, high_f1
        return cls(**{**content, "interval": (low, high), "macro_f1_interval": of_f1})


def compare(truth: Rows, first: Rows, second: Rows, labels: int) -> Comparison:
    """Hold two classifiers' answers against the truth and each other.

    All three are indices into `labels` labels, `[rows]`; at least one row.
    """
    # Rows of one truth and one pair of answers are alike, so it is enough to know how many there are of each kind.
    kinds, counts = np.unique(np.column_stack([truth, first, second]), axis=0, return_counts=True)
    gain = macro_f1(truth, first, labels) - macro_f1(truth, second, labels)
    only_first = int(((first == truth) & (second != truth)).sum())
    only_second = int(((first != truth) & (second == truth)).sum())
    return Comparison(
        rows=len(truth),
        difference=(only_first - only_second) / len(truth),
        interval=paired_interval(only_first, only_second, len(truth)),
        macro_f1_difference=gain,
        macro_f1_interval=macro_f1_gain_interval(kinds, counts, labels, gain),
        only_first_right=only_first,
        only_second_right=only_second,
        p_value=mcnemar(only_first, only_second),
    )


def mcnemar(only_first_right: int, only_second_right: int) -> float:
    """McNemar's exact test, two-sided: how often fair coins fall at least as unevenly.

    Its relative error is below 1e-12; it is 0 where no float is small enough (below about 1e-323).

    Source: McNemar (1947), Note on the sampling error of the difference between correlated proportions or percentages;
    Dietterich (1998), Approximate statistical tests for comparing supervised classification learning algorithms.
    """
    coins, fewer = only_first_right + only_second_right, min(only_first_right, only_second_right)
    middle = coins // 2
    if fewer >= middle:
        return 1.0
    # The chances of middle, middle - 1, ... heads, as multiples of the first: no factorial, so nothing is lost. After
    # so many of them even one that began at 2 ** 1000 is 0.
    heads = np.arange(middle, max(0, middle - int(sqrt(720 * (coins + 1))) - 2), -1.0)
    chances = np.cumprod(np.concatenate([[2.0**1000], heads / (coins + 1 - heads)]))
    total = 2 * chances.sum() - (chances[0] if coins % 2 == 0 else 0)
    return float(2 * chances[middle - fewer :].sum() / total)


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
