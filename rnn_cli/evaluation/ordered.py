"""How good predictions of ordered labels are: how far they are off, with intervals and a paired comparison.

Distances are those of the labels' numbers, where all labels are numbers, else of their places. All that is measured
here follows from the counts of each true label and prediction, the confusion matrix.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from math import erfc, nan, sqrt
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from rnn_cli.arrays import Floats, Indices
from rnn_cli.evaluation.compare import Comparison, compare_predictions
from rnn_cli.evaluation.intervals import (
    Interval,
    correlation_interval,
    difference_interval,
    losses_interval,
    wilson_interval,
)
from rnn_cli.evaluation.metrics import Metrics, measure
from rnn_cli.scoring.ordered import values_of

AT_MOST_ONE = 1 + 1e-9
"""How far a prediction may be off to count as within one."""


def absolute_errors(labels: Sequence[str], truth: Indices, predicted: Indices) -> Floats:
    """How far each row's prediction is from its true label, `[rows]`; both are indices into `labels`."""
    values = values_of(labels)
    return np.asarray(np.abs(values[truth] - values[predicted]))


def quadratic_kappa(confusion: Indices | Floats) -> float:
    """Cohen's kappa weighted by the squared distance of the labels' places; scikit-learn's of all these labels.

    `confusion` is `[labels, labels]`, truth first. NaN where all rows have one label and one prediction.

    Source: Cohen (1968), Weighted kappa: nominal scale agreement with provision for scaled disagreement.
    """
    places = np.arange(len(confusion), dtype=np.float64)
    weights = (places[:, None] - places) ** 2
    by_chance = np.outer(confusion.sum(axis=1), confusion.sum(axis=0)) / confusion.sum()
    expected = float((weights * by_chance).sum())
    return 1 - float((weights * confusion).sum()) / expected if expected else nan


def spearman(confusion: Indices | Floats) -> float:
    """Spearman's rank correlation of true labels and predictions, equal ones sharing their mean rank; scipy's.

    `confusion` is `[labels, labels]`, truth first. NaN where all rows have one label, or one prediction.
    """
    rows = float(confusion.sum())
    centred = []
    for counts in (confusion.sum(axis=1), confusion.sum(axis=0)):
        ranks = np.cumsum(counts) - (counts - 1) / 2
        centred.append((ranks - (rows + 1) / 2, counts))
    (ours, truly), (theirs, named) = centred
    spread = float(truly @ ours**2) * float(named @ theirs**2)
    return float(ours @ confusion @ theirs) / sqrt(spread) if spread > 0 else nan


@dataclass(frozen=True, kw_only=True)
class OrderedMetrics(Metrics):
    """The metrics of ordered labels: those of any labels, and how far predictions are off.

    `mean_absolute_error` is in the labels' numbers, or in places where they are words; `within_one` is the share of
    rows off by at most 1. `quadratic_kappa` and `spearman` are None where they do not exist.
    """

    mean_absolute_error: float
    quadratic_kappa: float | None
    spearman: float | None
    within_one: float


def measure_ordered(labels: Sequence[str], truth: Indices, probabilities: Floats, predicted: Indices) -> OrderedMetrics:
    """Measure predictions of ordered labels on at least one row; arguments as of `measure`."""
    plain = measure(labels, truth, probabilities, predicted)
    confusion, errors = np.array(plain.confusion), absolute_errors(labels, truth, predicted)
    near, wrong = int((errors <= AT_MOST_ONE).sum()), int((errors > 0).sum())
    of_ranks: dict[str, float | None] = {}
    intervals = dict(plain.intervals)
    for name, metric in (("quadratic_kappa", quadratic_kappa), ("spearman", spearman)):
        found = metric(confusion)
        of_ranks[name] = None if np.isnan(found) else found
        intervals[name] = correlation_interval(found, *_left_out(metric, confusion))
    intervals |= {
        "mean_absolute_error": losses_interval(errors, wrong),
        "within_one": wilson_interval(near, len(truth)),
    }
    known = {each.name: getattr(plain, each.name) for each in fields(plain)}
    return OrderedMetrics(
        **(known | {"intervals": intervals}),
        mean_absolute_error=float(errors.mean()),
        within_one=near / len(truth),
        **of_ranks,  # type: ignore[arg-type]
    )


def _left_out(metric: Callable[[Floats], float], confusion: Indices) -> tuple[Floats, Floats]:
    """The metric without one row of each kind, a cell of the confusion matrix, and how many rows are of that kind."""
    cells = np.argwhere(confusion)
    found = np.empty(len(cells))
    for index, (row, column) in enumerate(cells.tolist()):
        without = confusion.astype(np.float64)
        without[row, column] -= 1
        found[index] = metric(without)
    return found, confusion[tuple(cells.T)].astype(np.float64)


def read_metrics(content: Mapping[str, Any]) -> Metrics:
    """The metrics that `to_dict` wrote, of ordered labels or of others; raises `TypeError` or `ValueError`."""
    return (OrderedMetrics if "mean_absolute_error" in content else Metrics).from_dict(content)


@dataclass(frozen=True, kw_only=True)
class OrderedComparison(Comparison):
    """How much better the first of two models of ordered labels is than the second, on the same rows.

    `error_difference` is the first's mean absolute error less the second's, below 0 where the first is better, with its
    95 % interval; `error_p_value` is how often chance gives so large a difference if, in each row, either model is as
    likely to have the smaller error.
    """

    error_difference: float
    error_interval: Interval
    error_p_value: float


def read_comparison(content: Mapping[str, Any]) -> Comparison:
    """The comparison that `to_dict` wrote; raises `ValueError`."""
    kind = OrderedComparison if "error_difference" in content else Comparison
    return TypeAdapter(kind).validate_python(content)


def sign_flip_p_value(off: Floats) -> float:
    """How often chance gives so large a mean of paired differences, `[rows]`, if each may as well have the other sign.

    The distribution of their sum is taken as normal.

    Source: Fisher (1935), The design of experiments, section 21.
    """
    spread = sqrt(float((off**2).sum()))
    return erfc(abs(float(off.sum())) / spread / sqrt(2)) if spread else 1.0


def compare_ordered(labels: Sequence[str], truth: Indices, first: Indices, second: Indices) -> OrderedComparison:
    """Compare two models' predictions; all three are indices into `labels`, `[rows]`, at least one row."""
    plain = compare_predictions(truth, first, second, len(labels))
    off = absolute_errors(labels, truth, first) - absolute_errors(labels, truth, second)
    return OrderedComparison(
        **asdict(plain),
        error_difference=float(off.mean()),
        error_interval=difference_interval(off),
        error_p_value=sign_flip_p_value(off),
    )
