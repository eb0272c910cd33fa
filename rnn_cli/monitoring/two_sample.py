"""Whether two samples come from the same source, where of the first only a summary is known.

All tests simulate what chance gives, with random numbers that are the same each time. Knows nothing of texts.
"""

from dataclasses import dataclass

import numpy as np

from rnn_cli.arrays import Floats, Floats32, Indices

DRAWS, DRAWS_SEED = 4_999, 1
"""How often chance is simulated; a p-value is 1/5,000 at least."""

DRAWS_AT_ONCE = 500
"""Simulations of the test of means that are in memory at once."""


def permutation_p(first: Indices, second: Indices, *, ordered: bool, draws: int = DRAWS) -> float:
    """How often chance alone makes two histograms of the same bins as different as these; exact for any counts.

    The bins' counts are drawn anew from both samples together, as a permutation of all rows does. The difference is the
    chi-square statistic; where bins are `ordered` that of Anderson and Darling, which sees shifts better.

    Source: Pesarin and Salmaso (2010), Permutation tests for complex data; Scholz and Stephens (1987), K-sample
    Anderson-Darling tests (of tied values, two samples).
    """
    both = first + second
    rows, others = int(second.sum()), int(first.sum())
    if not rows or not others or np.count_nonzero(both) < 2:
        return 1.0
    both, second = both[both > 0], second[first + second > 0]
    chance = np.random.default_rng(DRAWS_SEED)
    drawn = chance.multivariate_hypergeometric(both, rows, size=draws, method="marginals")
    statistic = _anderson_darling if ordered else _chi_square
    found = statistic(np.vstack([second, drawn]), both, rows)
    return float((1 + (found[1:] >= found[0] * (1 - 1e-9)).sum()) / (draws + 1))


def _chi_square(drawn: Indices, both: Indices, rows: int) -> Floats:
    expected = both * (rows / both.sum())
    found: Floats = ((drawn - expected) ** 2 / expected).sum(axis=1)
    return found


def _anderson_darling(drawn: Indices, both: Indices, rows: int) -> Floats:
    below = both.cumsum()[:-1] / both.sum()
    apart = drawn.cumsum(axis=1)[:, :-1] / rows - below
    weights = (both[:-1] + both[1:]) / both.sum() / (below * (1 - below))
    found: Floats = (weights * apart**2).sum(axis=1)
    return found


@dataclass(frozen=True)
class Means:
    """A sample as the sums of its vectors in two halves, `[2, places]`, and how many vectors each has, at least one."""

    sums: Floats
    sizes: tuple[int, int]


@dataclass(frozen=True)
class MeansTest:
    """The squared distance of two samples' means, without bias: 0 on average for the same source, and its p-value.

    `scores` say for each vector of the second sample how much rather a classifier takes it for one of the second than
    of the first, `[rows]`: the classifier is fitted to all other rows.
    """

    distance: float
    p_value: float
    scores: Floats


def compare_means(first: Means, second: Floats32, draws: int = DRAWS) -> MeansTest:
    """Test whether vectors `[rows, places]`, two at least, have the same mean as a sample of which sums are known.

    For each row a nearest-mean classifier is fitted to all other rows and to the first half of the first sample; it
    then scores the row, and the mean of the second half. The mean difference of these scores is the distance. As no row
    and neither half is scored by a classifier that has seen it, it is 0 on average where the sources are the same. What
    chance makes of it then is simulated from the rows' inner products with random signs (of the rows) and normal
    numbers (of the halves' sums).

    Source: Lopez-Paz and Oquab (2017), Revisiting classifier two-sample tests; Chen and Qin (2010), A two-sample test
    for high-dimensional data (the statistic); Leucht and Neumann (2013), Dependent wild bootstrap for degenerate U- and
    V-statistics (the simulation).
    """
    rows, (one, other) = len(second), first.sizes
    means = first.sums[0] / one, first.sums[1] / other
    total = second.sum(axis=0, dtype=np.float64)
    products = (second @ second.T).astype(np.float64)
    own = products.diagonal().copy()
    distance = (total @ total - own.sum()) / (rows * (rows - 1))
    distance += means[0] @ means[1] - total / rows @ (means[0] + means[1])
    together = (total + first.sums.sum(axis=0)) / (rows + one + other)
    shift = second @ together
    # A row with itself is left out: it would count as much as all others together.
    centred = products - shift[:, None] - shift[None, :] + together @ together
    np.fill_diagonal(centred, 0)
    reached = sum(int((chance >= distance - 1e-15).sum()) for chance in _by_chance(centred, first.sizes, draws))
    others = (total[None, :] - second) / (rows - 1)
    whole = first.sums.sum(axis=0) / (one + other)
    scores: Floats = np.einsum("ij,ij->i", second, others - whole) - 0.5 * ((others**2).sum(axis=1) - whole @ whole)
    return MeansTest(float(distance), (1 + reached) / (draws + 1), scores)


def _by_chance(centred: Floats, sizes: tuple[int, int], draws: int) -> list[Floats]:
    """Distances that chance alone gives, some at once."""
    rows, found, chance = len(centred), [], np.random.default_rng(DRAWS_SEED)
    for start in range(0, draws, DRAWS_AT_ONCE):
        shape = rows, min(DRAWS_AT_ONCE, draws - start)
        signs = chance.choice([-1.0, 1.0], size=shape)
        one, other = (chance.standard_normal(shape) / np.sqrt(rows * size) for size in sizes)
        by_signs, by_other = centred @ signs, centred @ other
        found.append(
            (signs * by_signs).sum(axis=0) / (rows * (rows - 1))
            - (one * by_signs).sum(axis=0) / rows
            - (signs * by_other).sum(axis=0) / rows
            + (one * by_other).sum(axis=0)
        )
    return found
