"""Would more data help? The linear model's accuracy by the number of training rows, extrapolated by power laws.

On six sizes, laws with and without a floor (an error that no number of rows removes) fit equally well, and differ only
beyond. So both are extrapolated many times with the measured errors varied as chance varies them (held-out rows are
drawn anew, training draws vary as much as repeats do); together they give the range. On parts of rotten_tomatoes,
tweets and imdb, where twice the rows could be measured, it missed one gain in four by more than 0.3 points: mostly on
one or two thousand rows, where the model had only begun to learn, and gained more.

Source: Hestness et al. (2017), Deep learning scaling is predictable, empirically; Figueroa et al. (2012), Predicting
sample size required for classification performance; Efron and Tibshirani (1993), An introduction to the bootstrap.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rnn_cli.arrays import Floats, label_indices
from rnn_cli.checks.rows import CheckedRows
from rnn_cli.data.splits import stratify
from rnn_cli.linear.tfidf import fit_and_score

HELD_OUT = 0.2
REPEATS = (6, 5, 4, 3, 2, 1)
"""Fits of each size, the smallest first; each size is twice the one before, the last is all rows."""

SMALLEST_SIZE = 50
"""Sizes of fewer rows are left out."""

RESAMPLES = 500
EXPONENTS = {"floor": np.linspace(0.05, 1.0, 39), "none": np.linspace(0.05, 0.2, 7)}
"""The exponents of the two laws; errors that fall as slowly as the second have hardly any floor."""


@dataclass(frozen=True)
class LearningCurve:
    """Accuracy on `held_out` rows by training rows, and the gain expected from twice as many as all `rows`.

    `gain` is in accuracy, a share: the median over both laws; `gain_range` holds 95 % of their values.
    """

    sizes: tuple[int, ...]
    accuracies: tuple[float, ...]
    held_out: int
    rows: int
    gain: float
    gain_range: tuple[float, float]


def learning_curve(
    rows: CheckedRows, judged: list[int], counts: Any, note: Callable[[str], None] = lambda _: None
) -> LearningCurve | None:
    """Fit the linear model to growing shares of the rows; None if they are too few for three sizes.

    `judged` are the rows to use and `counts` their features, as in `find_suspects`. The held-out rows stay the same;
    no training text equals one of theirs.
    """
    texts, labels = [rows.texts[row] for row in judged], [rows.labels[row] for row in judged]
    names = sorted(set(labels))
    classes = label_indices(names, labels)
    held_out, train = (np.array(side, np.intp) for side in stratify(texts, labels, [HELD_OUT], 1))
    plan = [(len(train) >> step, REPEATS[-1 - step]) for step in reversed(range(len(REPEATS)))]
    plan = [(size, repeats) for size, repeats in plan if size >= SMALLEST_SIZE]
    if len(plan) < 3 or not len(held_out):
        return None
    right = []
    for size, repeats in plan:
        note(f"linear model of {size:,} rows")
        chosen = (_drawn(train, classes, size, seed) for seed in range(repeats))
        predicted = (fit_and_score(counts, classes, drawn, held_out, len(names)).argmax(axis=1) for drawn in chosen)
        right.append(np.array([each == classes[held_out] for each in predicted]))
    return _extrapolated(np.array([size for size, _ in plan]), right, len(judged))


def _drawn(train: npt.NDArray[np.intp], classes: npt.NDArray[np.intp], size: int, seed: int) -> npt.NDArray[np.intp]:
    """Random training rows, `size` of them, with at least two labels among them."""
    order = np.random.default_rng([1, seed]).permutation(train)
    if len(np.unique(classes[order[:size]])) == 1:
        order[0] = order[np.flatnonzero(classes[order] != classes[order[0]])[0]]
    return np.sort(order[:size])


def _extrapolated(sizes: npt.NDArray[np.intp], right: list[npt.NDArray[np.bool_]], rows: int) -> LearningCurve:
    """The curve from the rows that each fit predicted right: for each size an array `[repeats, held_out]`."""
    errors = _resampled(sizes, right)
    laws = np.concatenate([fit_power_law(sizes, errors, exponents) for exponents in EXPONENTS.values()])
    gains = law_at(laws, rows) - law_at(laws, 2 * rows)
    low, gain, high = np.quantile(gains, [0.025, 0.5, 0.975]).tolist()
    return LearningCurve(
        sizes=tuple(sizes.tolist()),
        accuracies=tuple(float(each.mean()) for each in right),
        held_out=right[0].shape[1],
        rows=rows,
        gain=gain,
        gain_range=(low, high),
    )


def _resampled(sizes: npt.NDArray[np.intp], right: list[npt.NDArray[np.bool_]]) -> Floats:
    """The errors as other samples might have given them: `[resamples, sizes]`."""
    chance = np.random.default_rng(1)
    held_out, repeats = right[0].shape[1], np.array([len(each) for each in right])
    # How much fits of one size differ by their training rows: less with more rows, as the root of their number.
    spread = [
        (1 - each.mean(axis=1) - (1 - each.mean())) * np.sqrt(size * len(each) / (len(each) - 1))
        for size, each in zip(sizes, right, strict=True)
        if len(each) > 1
    ]
    drawn = chance.multinomial(held_out, np.full(held_out, 1 / held_out), RESAMPLES) / held_out
    errors = np.column_stack([1 - drawn @ each.mean(axis=0) for each in right])
    noise = np.std(np.concatenate(spread)) / np.sqrt(sizes * repeats)
    return np.asarray(errors + chance.normal(size=errors.shape) * noise)


def law_at(laws: Floats, rows: float) -> Floats:
    """The errors that laws `[laws, 3]` (floor, factor, exponent) predict for this number of rows: `[laws]`."""
    return np.asarray(laws[:, 0] + laws[:, 1] * float(rows) ** -laws[:, 2])


def fit_power_law(sizes: npt.NDArray[np.intp], errors: Floats, exponents: Floats) -> Floats:
    """The least-squares laws `floor + factor * rows ** -exponent`, one for each row of `errors` `[laws, sizes]`.

    Floor and factor are not negative. For a given exponent the law is a straight line, so all `exponents` are tried.
    """
    best, least = np.zeros((len(errors), 3)), np.full(len(errors), np.inf)
    for exponent in exponents:
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
