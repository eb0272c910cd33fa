"""Would more data help? The linear model's accuracy by the number of training rows, carried on by power laws.

Nobody knows whether an error has a floor that no number of rows takes away: on six sizes laws with and without fit, and
part only beyond. So both are carried on, each many times over with the measured errors varied as chance varies them
(held-out rows are drawn anew, training draws vary as much as repeats do), and all together give the range. On parts of
rotten_tomatoes, tweets and imdb, whose twofold could be looked at, it missed one gain in four by more than 0.3 points:
most of those were of one or two thousand rows, from which the model had only begun to learn, and gained more.

Source: Hestness et al. (2017), Deep learning scaling is predictable, empirically; Figueroa et al. (2012), Predicting
sample size required for classification performance; Efron and Tibshirani (1993), An introduction to the bootstrap.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rnn_cli.arrays import Floats, label_indices
from rnn_cli.checks.rows import Rows
from rnn_cli.data.splits import stratify
from rnn_cli.linear.tfidf import fit_and_score

HELD_OUT = 0.2
REPEATS = (6, 5, 4, 3, 2, 1)
"""Fits of each size, the smallest first: each size is twice the one before, and the last are all rows."""

FEWEST_ROWS = 50
"""The smallest size; a curve begins with as many of the sizes as have so many rows."""

RESAMPLES = 500
EXPONENTS = {"floor": np.linspace(0.05, 1.0, 39), "none": np.linspace(0.05, 0.2, 7)}
"""The exponents of the two laws: errors that fall so slowly as the latter leave hardly any floor."""

SEED = 1


@dataclass(frozen=True)
class LearningCurve:
    """Accuracy on `held_out` rows by training rows, and what twice as many as `rows`, all there are, would add.

    `gain` is in accuracy, a share: the median over both laws; `gain_range` holds 95 % of what they say.
    """

    sizes: tuple[int, ...]
    accuracies: tuple[float, ...]
    held_out: int
    rows: int
    gain: float
    gain_range: tuple[float, float]

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
    texts, labels = [rows.texts[row] for row in judged], [rows.labels[row] for row in judged]
    names = sorted(set(labels))
    classes = label_indices(names, labels)
    held_out, train = (np.array(side, np.intp) for side in stratify(texts, labels, [HELD_OUT], SEED))
    plan = [(len(train) >> step, REPEATS[-1 - step]) for step in reversed(range(len(REPEATS)))]
    plan = [(size, repeats) for size, repeats in plan if size >= FEWEST_ROWS]
    if len(plan) < 3 or not len(held_out):
        return None
    right = []
    for size, repeats in plan:
        note(f"linear model of {size:,} rows")
        chosen = (_drawn(train, classes, size, seed) for seed in range(repeats))
        predicted = (fit_and_score(counts, classes, drawn, held_out, len(names)).argmax(axis=1) for drawn in chosen)
        right.append(np.array([answer == classes[held_out] for answer in predicted]))
    return _extrapolated(np.array([size for size, _ in plan]), right, len(judged))


def _drawn(train: npt.NDArray[np.intp], classes: npt.NDArray[np.intp], size: int, seed: int) -> npt.NDArray[np.intp]:
    """So many training rows by chance, with at least two labels among them."""
    order = np.random.default_rng([SEED, seed]).permutation(train)
    if len(np.unique(classes[order[:size]])) == 1:
        order[0] = order[np.flatnonzero(classes[order] != classes[order[0]])[0]]
    return np.sort(order[:size])


def _extrapolated(sizes: npt.NDArray[np.intp], right: list[npt.NDArray[np.bool_]], rows: int) -> LearningCurve:
    """The curve from which rows each fit answered rightly: for each size an array `[repeats, held_out]`."""
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
    """The errors as they might have been measured: `[resamples, sizes]`."""
    chance = np.random.default_rng(SEED)
    held_out, repeats = right[0].shape[1], np.array([len(each) for each in right])
    # How much fits of one size differ by the rows they were given: less with more rows, as the root of their number.
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
    """The errors that laws `[laws, 3]` (floor, factor, exponent) expect after so many training rows: `[laws]`."""
    return np.asarray(laws[:, 0] + laws[:, 1] * float(rows) ** -laws[:, 2])


def fit_power_law(sizes: npt.NDArray[np.intp], errors: Floats, exponents: Floats) -> Floats:
    """The laws `floor + factor * rows ** -exponent` of least squares, one for each row of `errors` `[laws, sizes]`.

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
