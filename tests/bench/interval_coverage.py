"""How often the 95 % intervals that the program prints hold the truth, in simulation.

    python tests/bench/interval_coverage.py [TRIALS] [ROWS ...]

Rows are drawn from populations whose figures are known: 2 and 5 labels, equally frequent or not, a classifier that is
right in about 50, 65, 90, 95 or 99 % of all rows, 20 to 1,000 rows at a time. A share of a few rows takes few values,
so that its interval's coverage jumps up and down as the true share moves; each cell is therefore the mean over eight
populations that lie around it. One cell is TRIALS samples (1,000 if not given: 0.7 points of chance).

Printed is, for each interval and number of rows, the least and the greatest coverage over the twenty kinds of
populations, and how often an interval was shown at all; below it, each cell that is not within 93 % to 97 %.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from rnn_cli.evaluation.compare import compare_predictions
from rnn_cli.evaluation.evaluate import by_values
from rnn_cli.evaluation.metrics import Metrics, SelectiveMetrics, measure

ROWS = (20, 50, 100, 200, 1_000)
POOL = 100_000
"""Rows of a population."""

AROUND = np.linspace(-0.03, 0.03, 8)
"""By how much the accuracies of a cell's populations differ from the one it is named for; less near to 1."""

SHARES = {
    (2, "equal"): (0.5, 0.5),
    (2, "rare"): (0.9, 0.1),
    (5, "equal"): (0.2,) * 5,
    (5, "rare"): (0.5, 0.25, 0.13, 0.08, 0.04),
}
ACCURACIES = (0.5, 0.65, 0.9, 0.95, 0.99)
GOOD = 0.8
"""Better classifiers are calibrated, others are not."""

SURE = 0.7
"""The share of a population's rows whose answers are sure."""

LOWEST, HIGHEST = 0.93, 0.97

Places = npt.NDArray[np.intp]
Numbers = npt.NDArray[np.float64]
Interval = tuple[float, float] | None


@dataclass(frozen=True)
class ScoredSide:
    """Rows, how one classifier answered them and which of its answers are sure, and how another one did."""

    truth: Places
    probabilities: Numbers
    predicted: Places
    sure: npt.NDArray[np.bool_]
    others: Places

    def at(self, rows: Places) -> "ScoredSide":
        parts = (self.truth, self.probabilities, self.predicted, self.sure, self.others)
        return ScoredSide(*(part[rows] for part in parts))


@dataclass(frozen=True)
class Population:
    """All rows there are, and the figures on them by the names of `found`."""

    rows: ScoredSide
    metrics: Mapping[str, float]


def population(shares: tuple[float, ...], accuracy: float, seed: int, rows: int = POOL) -> Population:
    """Answers by logits that are normal noise, and higher for the true label.

    A good classifier's probabilities are calibrated. A poor one does not know how frequent the labels are, as after
    training with equal weights for them, and is too sure of itself.
    """
    chance = np.random.default_rng(seed)
    labels = len(shares)
    truth = chance.choice(labels, rows, p=shares)
    noise, more = chance.normal(size=(2, rows, labels))
    prior = np.log(shares) if accuracy > GOOD else np.zeros(labels)

    def logits(lift: float, by: Numbers) -> Numbers:
        # With noise of variance v and a lift of v the softmax is the true probability.
        return np.sqrt(lift) * by + lift * np.eye(labels)[truth] + prior

    low, high = 0.01, 40.0
    for _ in range(30):
        middle = (low + high) / 2
        right = (logits(middle, noise).argmax(axis=1) == truth).mean()
        low, high = (middle, high) if right < accuracy else (low, middle)
    wide = logits(low, noise) * (1 if accuracy > GOOD else 1.5)
    wide = np.exp(wide - wide.max(axis=1, keepdims=True))
    probabilities = wide / wide.sum(axis=1, keepdims=True)
    others = logits(0.8 * low, 0.8 * noise + 0.6 * more).argmax(axis=1)
    sureness = probabilities.max(axis=1)
    sure = sureness > np.quantile(sureness, 1 - SURE)
    answered = ScoredSide(truth, probabilities, probabilities.argmax(axis=1), sure, others)
    return Population(answered, metrics(answered))


def metrics(rows: ScoredSide) -> dict[str, float]:
    """The figures of a population by the names of `found`, and each label's F1 by the other classifier."""
    names = [str(place) for place in range(rows.probabilities.shape[1])]
    one, two = (
        measure(names, rows.truth, rows.probabilities, predicted) for predicted in (rows.predicted, rows.others)
    )
    return {
        **{name: getattr(one, name) for name in HEADLINES},
        **{f"{name} {label}": getattr(of, name) for label, of in one.per_class.items() for name in OF_LABEL},
        **{f"other f1 {label}": of.f1 for label, of in two.per_class.items()},
        "sure answers": (rows.truth == rows.predicted)[rows.sure].mean(),
        "accuracy difference": one.accuracy - two.accuracy,
        "slice log loss": one.log_loss,
    }


def truths(whole: Population, rows: ScoredSide) -> dict[str, float]:
    """The figures that the rows' own estimate: a label without a row counts as these say that it does."""
    true = dict(whole.metrics)
    known = np.unique(rows.truth)
    occurring = len({*known.tolist(), *rows.predicted.tolist()})
    one, two = (sum(true[f"{kind} {label}"] for label in known) for kind in ("f1", "other f1"))
    true["balanced_accuracy"] = float(np.mean([true[f"recall {label}"] for label in known]))
    true |= {"macro_f1": one / occurring, "slice macro F1": one / occurring}
    others = len({*known.tolist(), *rows.others.tolist()})
    true["macro F1 difference"] = one / occurring - two / others
    return true


def populations(shares: tuple[float, ...], accuracy: float, rows: int = POOL) -> list[Population]:
    """Those of a cell."""
    around = AROUND * min(1, (1 - accuracy) / 0.06)
    return [population(shares, accuracy + more, seed, rows) for seed, more in enumerate(around)]


HEADLINES = ("accuracy", "balanced_accuracy", "macro_f1", "roc_auc", "pr_auc", "log_loss", "brier", "ece")
OF_LABEL = ("precision", "recall", "f1")


def found(rows: ScoredSide) -> Iterator[tuple[str, Interval]]:
    """Every interval that the program gives to some rows; None where it gives none."""
    names = [str(place) for place in range(rows.probabilities.shape[1])]
    metrics: Metrics = measure(names, rows.truth, rows.probabilities, rows.predicted)
    for name in HEADLINES:
        yield name, metrics.intervals[name]
    for label, of in metrics.per_class.items():
        yield from ((f"{name} {label}", getattr(of, f"{name}_interval")) for name in OF_LABEL)
    right = (rows.truth == rows.predicted)[rows.sure]
    yield "sure answers", SelectiveMetrics.of(int(right.sum()), len(right), len(rows.truth)).accuracy_interval
    compared = compare_predictions(rows.truth, rows.predicted, rows.others, len(names))
    yield "accuracy difference", compared.interval
    yield "macro F1 difference", compared.macro_f1_interval
    (part,) = by_values(rows.truth, rows.probabilities, rows.predicted, ["all"] * len(rows.truth))
    yield "slice macro F1", part.macro_f1_interval
    yield "slice log loss", part.log_loss_interval


Cell = tuple[int, int, str, float]
"""Rows, labels, how frequent these are, accuracy."""


def simulate(cell: Cell, populations: list[Population], trials: int) -> dict[str, tuple[float, float]]:
    """An interval's name → how often it was given, and how often what was given held the truth."""
    rows, labels, frequent, accuracy = cell
    chance = np.random.default_rng([rows, labels, len(frequent), int(100 * accuracy)])
    given: defaultdict[str, int] = defaultdict(int)
    held: defaultdict[str, int] = defaultdict(int)
    asked: defaultdict[str, int] = defaultdict(int)
    for trial in range(trials):
        whole = populations[trial % len(populations)]
        sample = whole.rows.at(chance.integers(0, len(whole.rows.truth), rows))
        true = truths(whole, sample)
        for name, interval in found(sample):
            kind = name.rpartition(" ")[0] if name.split()[-1].isdigit() else name
            asked[kind] += 1
            if interval is not None:
                given[kind] += 1
                held[kind] += interval[0] - 1e-12 <= true[name] <= interval[1] + 1e-12
    return {kind: (given[kind] / count, held[kind] / max(given[kind], 1)) for kind, count in asked.items()}


def main(trials: int, rows: tuple[int, ...]) -> bool:
    found: dict[Cell, dict[str, tuple[float, float]]] = {}
    for (labels, frequent), accuracy in product(SHARES, ACCURACIES):
        kinds = populations(SHARES[labels, frequent], accuracy)
        for count in rows:
            found[count, labels, frequent, accuracy] = simulate((count, labels, frequent, accuracy), kinds, trials)
    names = list(next(iter(found.values())))
    print(f"{'':<22}" + "".join(f"{f'{count:,} rows':^25}" for count in rows))
    for name in names:
        line = f"{name:<22}"
        for count in rows:
            cells = [of[name] for cell, of in found.items() if cell[0] == count]
            shown = np.mean([given for given, _ in cells])
            held = [share for given, share in cells if given > 0.02]
            told = f"{min(held):.1%} to {max(held):.1%}" if held else "-"
            line += f"{f'{told} ({shown:.0%})':^25}"
        print(line)
    print("\nNot within 93 % to 97 %:")
    outside = 0
    for (count, labels, frequent, accuracy), of in sorted(found.items()):
        told = [f"{n} {s:.1%} ({g:.0%})" for n, (g, s) in of.items() if g > 0.02 and not LOWEST <= s <= HIGHEST]
        outside += len(told)
        if told:
            print(f"{count:>5} rows, {labels} labels, {frequent:<5} {accuracy:.0%}: {', '.join(told)}")
    print(f"{outside} cells of {len(found) * len(names)}")
    return outside == 0


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000, tuple(map(int, sys.argv[2:])) or ROWS)
