"""How good predictions of several labels a text are: definitions as scikit-learn's, with intervals and a comparison.

True and predicted labels are 1 or 0 for each label, `[rows, labels]`; probabilities are `[rows, labels]`. A label's F1
exists where the label occurs, as a row's or as a prediction; a row of no label that is predicted so has an F1 of 1.

Source: Tsoumakas, Katakis and Vlahavas (2010), Mining multi-label data (the metrics); Efron and Tibshirani (1993), An
introduction to the bootstrap, chapters 13 and 16 (percentile intervals).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from rnn_cli.arrays import Floats, Indices
from rnn_cli.evaluation.compare import paired_interval
from rnn_cli.evaluation.intervals import Interval, f1_interval, wilson_interval
from rnn_cli.evaluation.metrics import ClassMetrics
from rnn_cli.evaluation.scores import EPSILON, average_precision, f1_scores

SAMPLES, BOOTSTRAP_SEED = 1_000, 1
"""Bootstrap samples of rows, always the same for the same number of rows."""

FEWEST_ROWS = 20
"""On fewer rows there are no intervals: they would hold too rarely."""

AT_ONCE = 1 << 24
"""About how many numbers of bootstrap samples are in memory at once."""


@dataclass(frozen=True)
class PairCount:
    """How many rows have two labels, how many are predicted as both, and how often chance would bring them together."""

    first: str
    second: str
    rows: int
    predicted: int
    by_chance: float


@dataclass(frozen=True)
class Mistaken:
    """In how many rows the label `missed` is missing from the prediction and `instead` is predicted though wrong."""

    missed: str
    instead: str
    rows: int


@dataclass(frozen=True)
class SeveralMetrics:
    """How good predictions of several labels are.

    `micro_f1` is that of all decisions together, `macro_f1` the mean over the labels that occur, `weighted_f1` the mean
    weighted by their rows, `samples_f1` the mean over rows. `exact_match` is the share of rows with all labels right,
    `hamming_loss` the share of wrong decisions, `ranking_precision` the label ranking average precision: how far up a
    row's labels stand by their probabilities. `map` is the mean average precision of the labels that have rows.
    `log_loss` is in nats per row, summed over labels. `intervals` has each one's 95 % interval by its name, from a
    bootstrap over rows; None on fewer than `FEWEST_ROWS` rows. `none` counts the rows that have no label, and
    `predicted_none` those that are predicted so.
    """

    rows: int
    micro_f1: float
    macro_f1: float
    weighted_f1: float
    samples_f1: float
    exact_match: float
    hamming_loss: float
    ranking_precision: float
    map: float | None
    log_loss: float
    intervals: Mapping[str, Interval | None]
    labels: tuple[str, ...]
    per_class: dict[str, ClassMetrics]
    none: int
    predicted_none: int
    labels_per_row: float
    predicted_per_row: float
    together: tuple[PairCount, ...] = ()
    mistaken: tuple[Mistaken, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The metrics as plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "SeveralMetrics":
        """Read what `to_dict` wrote; raises `TypeError` or `ValueError`."""
        return TypeAdapter(cls).validate_python(content)


PAIRS_KEPT = 20
"""Of pairs of labels that come together, and of mistakes, so many are kept, the most frequent."""


def measure_several(labels: Sequence[str], truth: Indices, probabilities: Floats, predicted: Indices) -> SeveralMetrics:
    """Measure predictions against the truth on at least one row."""
    sums = _RowSums.of(truth, probabilities, predicted)
    found = {name: float(value[0]) for name, value in sums.metrics(np.ones((1, len(truth)))).items()}
    ranked = [label for label in range(len(labels)) if truth[:, label].any()]
    areas = [average_precision(truth[:, label] == 1, probabilities[:, label]) for label in ranked]
    return SeveralMetrics(
        rows=len(truth),
        **found,
        map=float(np.mean(areas)) if areas else None,
        intervals=_intervals(sums, len(truth)),
        labels=tuple(labels),
        per_class={label: _of_label(truth[:, index], predicted[:, index]) for index, label in enumerate(labels)},
        none=int((truth.sum(axis=1) == 0).sum()),
        predicted_none=int((predicted.sum(axis=1) == 0).sum()),
        labels_per_row=float(truth.sum() / len(truth)),
        predicted_per_row=float(predicted.sum() / len(truth)),
        together=_together(labels, truth, predicted),
        mistaken=_mistaken(labels, truth, predicted),
    )


def _of_label(truth: Indices, predicted: Indices) -> ClassMetrics:
    right, support, named = int((truth & predicted).sum()), int(truth.sum()), int(predicted.sum())
    either = support + named - right
    return ClassMetrics(
        right / named if named else None,
        right / support if support else None,
        float(f1_scores(right, support + named)) if either else None,
        support,
        wilson_interval(right, named) if named else None,
        wilson_interval(right, support) if support else None,
        f1_interval(right, either) if either else None,
    )


def ranking_precisions(truth: Indices, probabilities: Floats) -> Floats:
    """The ranking average precision of each row, `[rows]`: of its labels, the mean share of labels down to its rank
    that are its own. 1 for a row with none or all of the labels. Ties share the lower rank, as in scikit-learn.
    """
    found = np.ones(len(truth))
    for row in np.flatnonzero((truth.sum(axis=1) > 0) & (truth.sum(axis=1) < truth.shape[1])):
        scores, own = probabilities[row], probabilities[row][truth[row] == 1]
        every, mine = np.sort(scores), np.sort(own)
        rank = len(scores) - np.searchsorted(every, own, "left")
        found[row] = ((len(mine) - np.searchsorted(mine, own, "left")) / rank).mean()
    return found


def log_losses_of_each(truth: Indices, probabilities: Floats) -> Floats:
    """Minus the logarithm of the probability of what is true of each label, summed over labels, `[rows]`, in nats."""
    true = np.where(truth == 1, probabilities, 1 - probabilities)
    summed: Floats = -np.log(np.clip(true, EPSILON, 1 - EPSILON)).sum(axis=1)
    return summed


@dataclass(frozen=True)
class _RowSums:
    """What each row adds to the sums that all metrics follow from.

    `right`, `true` and `named` are `[rows, labels]`, `of_row` `[rows, 5]` with a row's own metrics.
    """

    right: Floats
    true: Floats
    named: Floats
    of_row: Floats

    @classmethod
    def of(cls, truth: Indices, probabilities: Floats, predicted: Indices) -> "_RowSums":
        right, named = (truth & predicted).astype(np.float64), (truth + predicted).astype(np.float64)
        both = named.sum(axis=1)
        f1 = np.divide(2 * right.sum(axis=1), both, out=np.ones(len(truth)), where=both > 0)
        wrong = truth != predicted
        of_row = np.stack(
            [
                f1,
                ~wrong.any(axis=1),
                wrong.mean(axis=1),
                ranking_precisions(truth, probabilities),
                log_losses_of_each(truth, probabilities),
            ],
            axis=1,
        )
        return cls(right, truth.astype(np.float64), named, of_row.astype(np.float64))

    def metrics(self, weights: Floats) -> dict[str, Floats]:
        """The metrics, each `[samples]`, of samples of the rows: how often each holds each row, `[samples, rows]`."""
        right, true, named = weights @ self.right, weights @ self.true, weights @ self.named
        f1 = 2 * right / np.maximum(named, 1)
        occurring = named > 0
        rows = weights @ self.of_row / weights.sum(axis=1, keepdims=True)
        return {
            "micro_f1": _ratio(2 * right.sum(axis=1), named.sum(axis=1)),
            "macro_f1": _ratio((f1 * occurring).sum(axis=1), occurring.sum(axis=1)),
            "weighted_f1": _ratio((f1 * true).sum(axis=1), true.sum(axis=1)),
            **dict(zip(_OF_ROW, rows.T, strict=True)),
        }


_OF_ROW = ("samples_f1", "exact_match", "hamming_loss", "ranking_precision", "log_loss")
"""The metrics that are means over rows."""

_NAMES = ("micro_f1", "macro_f1", "weighted_f1", *_OF_ROW)


def _ratio(part: Floats, whole: Floats) -> Floats:
    """0 where undefined."""
    return np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0)


def _samples(rows: int, width: int) -> Iterator[Floats]:
    """How often each bootstrap sample holds each row, a few samples at once: `[samples, rows]`."""
    chance = np.random.default_rng(BOOTSTRAP_SEED)
    at_once = max(1, min(SAMPLES, AT_ONCE // max(rows, width)))
    for start in range(0, SAMPLES, at_once):
        drawn = chance.integers(rows, size=(min(at_once, SAMPLES - start), rows))
        yield np.stack([np.bincount(each, minlength=rows) for each in drawn]).astype(np.float64)


def _bootstrapped(rows: int, metrics: Callable[[Floats], Mapping[str, Floats]], width: int) -> dict[str, Floats]:
    parts = [metrics(weights) for weights in _samples(rows, width)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _intervals(sums: _RowSums, rows: int) -> dict[str, Interval | None]:
    if rows < FEWEST_ROWS:
        return dict.fromkeys(_NAMES)
    if (sums.of_row[:, _OF_ROW.index("exact_match")] == 1).all():
        # Nothing varies. Of other rows some may be wrong, at worst in all that they have.
        low, _ = wilson_interval(rows, rows)
        shares: dict[str, Interval | None] = dict.fromkeys(
            ("micro_f1", "macro_f1", "weighted_f1", *_OF_ROW), (low, 1.0)
        )
        return shares | {"hamming_loss": (0.0, 1 - low), "log_loss": None}
    found = _bootstrapped(rows, sums.metrics, sums.right.shape[1])
    intervals: dict[str, Interval | None] = {name: _middle(values) for name, values in found.items()}
    return intervals | {
        "exact_match": wilson_interval(round(float(sums.of_row[:, _OF_ROW.index("exact_match")].sum())), rows)
    }


def _middle(values: Floats) -> Interval:
    """What 95 % of the samples lie between."""
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


COMPARED = ("micro_f1", "macro_f1", "samples_f1", "exact_match", "ranking_precision")
"""The metrics of which a comparison says by how much they differ."""


def figures_of_samples(truth: Indices, probabilities: Floats, predicted: Indices, weights: Floats) -> dict[str, Floats]:
    """The metrics by name, each `[samples]`, of samples of the rows: how often each has a row, `[samples, rows]`."""
    return _RowSums.of(truth, probabilities, predicted).metrics(weights)


def main_figures(truth: Indices, probabilities: Floats, predicted: Indices) -> dict[str, float]:
    """The metrics by name, without intervals; all arguments are `[rows, labels]`."""
    found = _RowSums.of(truth, probabilities, predicted).metrics(np.ones((1, len(truth))))
    return {name: float(values[0]) for name, values in found.items()}


@dataclass(frozen=True)
class SeveralComparison:
    """How much better the first of two models is than the second on the same rows; negative where it is worse.

    `differences` are shares by the metric's name, each with its 95 % interval and its p-value, twice the share of
    bootstrap samples of rows in which the sign is the other; None on too few rows.
    """

    rows: int
    differences: Mapping[str, float]
    intervals: Mapping[str, Interval | None]
    p_values: Mapping[str, float | None]

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain values."""
        return asdict(self)


def compare_several(truth: Indices, first: tuple[Floats, Indices], second: tuple[Floats, Indices]) -> SeveralComparison:
    """Compare two models by the probabilities and predictions of each, on the same bootstrap samples of rows."""
    rows, (one, other) = len(truth), (_RowSums.of(truth, *each) for each in (first, second))

    def gains(weights: Floats) -> dict[str, Floats]:
        ours, theirs = one.metrics(weights), other.metrics(weights)
        return {name: ours[name] - theirs[name] for name in COMPARED}

    differences = {name: float(value[0]) for name, value in gains(np.ones((1, rows))).items()}
    if rows < FEWEST_ROWS:
        return SeveralComparison(rows, differences, dict.fromkeys(COMPARED), dict.fromkeys(COMPARED))
    found = _bootstrapped(rows, gains, truth.shape[1])
    return SeveralComparison(
        rows,
        differences,
        # Equal predictions do not prove equal models.
        {name: _middle(each) if each.any() else paired_interval(0, 0, rows) for name, each in found.items()},
        {name: _p_value(values) for name, values in found.items()},
    )


def _p_value(gains: Floats) -> float:
    """Twice the smaller share of samples on one side of 0; never 0, as the samples are only so many."""
    below, above = int((gains <= 0).sum()), int((gains >= 0).sum())
    return min(1.0, 2 * (min(below, above) + 1) / (len(gains) + 1))


def _together(labels: Sequence[str], truth: Indices, predicted: Indices) -> tuple[PairCount, ...]:
    """The pairs of labels that most rows have."""
    both, guessed, counts = truth.T @ truth, predicted.T @ predicted, truth.sum(axis=0)
    first, second = np.triu_indices(len(labels), 1)
    order = np.lexsort([-guessed[first, second], -both[first, second]])[:PAIRS_KEPT]
    return tuple(
        PairCount(labels[a], labels[b], int(both[a, b]), int(guessed[a, b]), float(counts[a] * counts[b] / len(truth)))
        for a, b in zip(first[order].tolist(), second[order].tolist(), strict=True)
        if both[a, b] or guessed[a, b]
    )


def _mistaken(labels: Sequence[str], truth: Indices, predicted: Indices) -> tuple[Mistaken, ...]:
    """The most frequent pairs of a label that is missed and one that is wrongly predicted in the same row."""
    missed, wrong = truth & (1 - predicted), predicted & (1 - truth)
    counts = missed.T @ wrong
    order = np.argsort(-counts, axis=None, kind="stable")[:PAIRS_KEPT]
    places = zip(*np.unravel_index(order, counts.shape), strict=True)
    return tuple(Mistaken(labels[a], labels[b], int(counts[a, b])) for a, b in places if counts[a, b])
