"""Would more data help? The linear model's accuracy by the number of training rows, carried on by a power law.

Source of the power law: Hestness et al. (2017), Deep learning scaling is predictable, empirically; Figueroa et al.
(2012), Predicting sample size required for classification performance. Its 95 % intervals are the bootstrap's (Efron
and Tibshirani 1993): held-out rows and repeats are drawn again with replacement, and the law is fitted anew.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rnn_cli.data.stratify import stratify
from rnn_cli.doctor.linear import fit_and_score
from rnn_cli.doctor.rows import Rows

HELD_OUT = 0.2
REPEATS = (6, 5, 4, 3, 2, 1)
"""Fits of each size, the smallest first: each size is twice the one before, and the last are all rows."""

FEWEST_ROWS = 50
"""The smallest size; a curve begins with as many of the sizes as have so many rows."""

RESAMPLES = 1000
EXPONENTS = np.linspace(0.05, 1.0, 39)
"""The exponents tried: learning curves of text classifiers lie between a tenth and a half."""

SEED = 1

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LearningCurve:
    """Accuracy on `held_out` rows by training rows, and what the law expects of `rows` rows and of twice as many.

    `gain` is the accuracy that twice the rows would add, as a share, with its 95 % interval. `floor` is the error that
    no number of such rows would take away.
    """

    sizes: tuple[int, ...]
    accuracies: tuple[float, ...]
    fitted: tuple[float, ...]
    held_out: int
    rows: int
    now: float
    doubled: float
    gain: float
    gain_interval: tuple[float, float]
    exponent: float
    floor: float

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain values."""
        return asdict(self)


def learning_curve(
    rows: Rows, judged: list[int], counts: Any, note: Callable[[str], None] = lambda _: None
) -> LearningCurve | None:
    """Fit the linear model to growing shares of the rows; None where they are too few for three sizes.

    `judged` are the rows to use and `counts` their features, as in `find_suspects`. The held-out rows stay the same,
    and no training text equals one of theirs.
    """
    names = sorted({rows.labels[row] for row in judged})
    classes = np.array([names.index(rows.labels[row]) for row in judged], np.intp)
    texts, labels = [rows.texts[row] for row in judged], [rows.labels[row] for row in judged]
    held_out, train = (np.array(side, np.intp) for side in stratify(texts, labels, [HELD_OUT], SEED))
    plan = [(len(train) >> step, REPEATS[-1 - step]) for step in reversed(range(len(REPEATS)))]
    plan = [(size, repeats) for size, repeats in plan if size >= FEWEST_ROWS]
    if len(plan) < 3 or not len(held_out):
        return None
    right = []
    for size, repeats in plan:
        note(f"linear model of {size:,} rows")
        chosen = (_drawn(train, classes, size, seed) for seed in range(repeats))
        answers = (fit_and_score(counts, classes, drawn, held_out, len(names)).argmax(axis=1) for drawn in chosen)
        right.append(np.array([answer == classes[held_out] for answer in answers]))
    return _extrapolated(np.array([size for size, _ in plan]), right, len(judged))


def _drawn(train: npt.NDArray[np.intp], classes: npt.NDArray[np.intp], size: int, seed: int) -> npt.NDArray[np.intp]:
    """So many training rows by chance, with at least two labels among them."""
    order = np.random.default_rng([SEED, seed]).permutation(train)
    if len(np.unique(classes[order[:size]])) == 1:
        order[0] = order[np.flatnonzero(classes[order] != classes[order[0]])[0]]
    return np.sort(order[:size])


def _extrapolated(sizes: npt.NDArray[np.intp], right: list[npt.NDArray[np.bool_]], rows: int) -> LearningCurve:
    """The curve from which rows each fit answered rightly: for each size an array `[repeats, held_out]`."""
    errors = np.array([1 - each.mean() for each in right])
    measured = fit_power_law(sizes, errors[None])
    chance = np.random.default_rng(SEED)
    resampled = np.empty((RESAMPLES, len(sizes)))
    for sample in resampled:
        times = np.bincount(chance.integers(0, right[0].shape[1], right[0].shape[1]), minlength=right[0].shape[1])
        shares = times / times.sum()
        for place, each in enumerate(right):
            drawn = each[chance.integers(0, len(each), len(each))]
            sample[place] = 1 - (drawn @ shares).mean()
    laws = fit_power_law(sizes, resampled)
    gains = law_at(laws, rows) - law_at(laws, 2 * rows)
    low, high = np.quantile(gains, [0.025, 0.975]).tolist()
    now, doubled = (float(1 - law_at(measured, n)[0]) for n in (rows, 2 * rows))
    return LearningCurve(
        sizes=tuple(sizes.tolist()),
        accuracies=tuple((1 - errors).tolist()),
        fitted=tuple(float(1 - law_at(measured, n)[0]) for n in sizes),
        held_out=right[0].shape[1],
        rows=rows,
        now=now,
        doubled=doubled,
        gain=doubled - now,
        gain_interval=(low, high),
        exponent=float(measured[0, 2]),
        floor=float(measured[0, 0]),
    )


def law_at(laws: Floats, rows: float) -> Floats:
    """The errors that laws `[laws, 3]` (floor, factor, exponent) expect after so many training rows: `[laws]`."""
    return np.asarray(laws[:, 0] + laws[:, 1] * float(rows) ** -laws[:, 2])


def fit_power_law(sizes: npt.NDArray[np.intp], errors: Floats) -> Floats:
    """The laws `floor + factor * rows ** -exponent` of least squares, one for each row of `errors` `[laws, sizes]`.

    Floor and factor are not negative. For a given exponent the law is a straight line, so the exponents are tried.
    """
    best, least = np.zeros((len(errors), 3)), np.full(len(errors), np.inf)
    for exponent in EXPONENTS:
        x = sizes.astype(np.float64) ** -exponent
        centred = x - x.mean()
        factor = np.maximum(errors @ centred / (centred @ centred), 0)
        floor = errors.mean(axis=1) - factor * x.mean()
        steep = floor < 0
        factor = np.where(steep, errors @ x / (x @ x), factor)
        floor = np.where(steep, 0, floor)
        missed = ((floor[:, None] + factor[:, None] * x - errors) ** 2).sum(axis=1)
        better = missed < least
        best[better] = np.column_stack([floor, factor, np.full(len(errors), exponent)])[better]
        least = np.minimum(least, missed)
    return best
