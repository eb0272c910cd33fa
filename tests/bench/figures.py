"""What figures cost that grow with the rows: seconds of each, and how many times as long ten times the rows take.

    python tests/bench/figures.py [ROUNDS]

McNemar's test is held against scipy's binomial test on the same rows; the two run in turn.
"""

import sys
from functools import partial

import numpy as np
from measuring import in_turn, seconds, show
from scipy.stats import binomtest

from rnn_cli.evaluation.compare import compare_predictions, mcnemar
from rnn_cli.evaluation.evaluate import by_values
from rnn_cli.evaluation.metrics import measure

Case = tuple[np.ndarray, np.ndarray, np.ndarray]


def answered(rows: int, labels: int) -> Case:
    """True labels, probabilities and answers of a classifier that is right in some two of three rows."""
    chance = np.random.default_rng(1)
    truth = chance.integers(0, labels, rows)
    scores = chance.normal(size=(rows, labels))
    scores[np.arange(rows), truth] += 1.5
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return truth, probabilities, probabilities.argmax(axis=1)


def main(rounds: int) -> None:
    for labels in (2, 50):
        small, large = answered(25_000, labels), answered(250_000, labels)
        for name, work in {"measure": measured, "compare": compared, "400 slices": sliced}.items():
            few, many = (min(seconds(partial(work, case)) for _ in range(rounds)) for case in (small, large))
            print(f"{name}, {labels} labels: {few:.2f} s for 25,000 rows, {many:.2f} s for ten times as many")
    for first, second in ((100_000, 100_000), (500_000, 501_000)):
        ours, peer = partial(mcnemar, first, second), partial(binomtest, min(first, second), first + second)
        times = in_turn(partial(seconds, ours), partial(seconds, peer), rounds)
        show(f"McNemar, {first:,} to {second:,}", *times, "s")


def measured(case: Case) -> object:
    return measure([f"label {place}" for place in range(case[1].shape[1])], *case)


def compared(case: Case) -> object:
    return compare_predictions(case[0], case[2], np.roll(case[2], 1), case[1].shape[1])


def sliced(case: Case) -> object:
    return by_values(*case, [f"v{row % 400}" for row in range(len(case[0]))])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
