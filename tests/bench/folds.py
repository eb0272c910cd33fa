"""How often the intervals of a cross-validation hold the truth, and how often its test tells equal models apart.

    python tests/bench/folds.py

Rows are drawn anew in each trial, a linear model is trained on all folds but one, and the truth is the mean accuracy of
such models on other rows. Takes three minutes on one core; the rows are numbers instead of texts, which are quicker.
"""

import numpy as np

from rnn_cli.arrays import Floats, Indices
from rnn_cli.evaluation.corrected import corrected_interval, corrected_p, joined
from rnn_cli.evaluation.intervals import macro_f1_interval, wilson_interval
from rnn_cli.evaluation.scores import confusion_of, macro_f1

CASES: list[dict[str, float]] = [
    {"rows": 60, "words": 20, "signal": 0.3, "folds": 5},
    {"rows": 150, "words": 40, "signal": 0.3, "folds": 5},
    {"rows": 300, "words": 40, "signal": 0.6, "folds": 5},
    {"rows": 1_000, "words": 60, "signal": 0.2, "folds": 5},
    {"rows": 300, "words": 40, "signal": 0.3, "folds": 10},
    {"rows": 300, "words": 40, "signal": 0.3, "folds": 3},
]
"""Of so many `words` five carry the `signal`: half the distance of the two labels' means, in standard deviations."""


def drawn(rows: int, words: int, signal: float, chance: np.random.Generator) -> tuple[Floats, Indices]:
    """Rows and their labels."""
    labels = chance.integers(2, size=rows)
    values = chance.normal(size=(rows, words))
    values[:, :5] += signal * (2 * labels[:, None] - 1)
    return values, labels


def predicted(learned: tuple[Floats, Indices], values: Floats) -> Indices:
    """The labels that a ridge regression of the learned rows gives others."""
    rows = np.c_[learned[0], np.ones(len(learned[0]))]
    weights = np.linalg.solve(rows.T @ rows + np.eye(rows.shape[1]), rows.T @ (2 * learned[1] - 1))
    found: Indices = (np.c_[values, np.ones(len(values))] @ weights > 0).astype(np.intp)
    return found


def coverage(rows: int, words: int, signal: float, folds: int, trials: int, seed: int = 1) -> dict[str, float]:
    """The share of trials whose interval holds the truth, by figure."""
    chance = np.random.default_rng(seed)
    others, truth = drawn(40_000, words, signal, chance)
    accuracy, f1 = [], []
    for _ in range(60):
        found = predicted(drawn(rows * (folds - 1) // folds, words, signal, chance), others)
        accuracy.append(float((found == truth).mean()))
        f1.append(macro_f1(confusion_of(truth, found, 2)))
    true = {"accuracy": float(np.mean(accuracy)), "macro F1": float(np.mean(f1))}
    held = dict.fromkeys((*true, "of the rows alone", "the final model's"), 0)
    for _ in range(trials):
        values, labels = drawn(rows, words, signal, chance)
        fold_of, answers = np.arange(rows) % folds, np.zeros(rows, np.intp)
        of_folds: dict[str, list[float]] = {name: [] for name in true}
        for fold in range(folds):
            out = fold_of == fold
            answers[out] = predicted((values[~out], labels[~out]), values[out])
            of_folds["accuracy"].append(float((answers[out] == labels[out]).mean()))
            of_folds["macro F1"].append(macro_f1(confusion_of(labels[out], answers[out], 2)))
        confusion = confusion_of(labels, answers, 2)
        right = int(confusion.trace())
        plain = {"accuracy": wilson_interval(right, rows), "macro F1": macro_f1_interval(confusion)}
        pooled = {"accuracy": right / rows, "macro F1": macro_f1(confusion)}
        for name in true:
            corrected = corrected_interval(of_folds[name], folds, pooled[name])
            low, high = joined(plain[name], corrected, 0.0, 1.0)
            held[name] += low <= true[name] <= high
            if name == "accuracy":
                final = float((predicted((values, labels), others) == truth).mean())
                held["the final model's"] += low <= final <= high
        low, high = wilson_interval(right, rows)
        held["of the rows alone"] += low <= true["accuracy"] <= high
    return {name: count / trials for name, count in held.items()}


def false_alarms(trials: int, rows: int = 300, folds: int = 5, seed: int = 1) -> float:
    """How often two models of which each knows other useless words, and so is as good, differ by the corrected test."""
    chance, alarms = np.random.default_rng(seed), 0
    for _ in range(trials):
        values, labels = drawn(rows, 40, 0.3, chance)
        one, other = values[:, :20], np.c_[values[:, :5], values[:, 20:35]]
        fold_of, gains = np.arange(rows) % folds, []
        for fold in range(folds):
            out = fold_of == fold
            first, second = (
                (predicted((each[~out], labels[~out]), each[out]) == labels[out]).mean() for each in (one, other)
            )
            gains.append(float(first - second))
        p = corrected_p(gains, folds)
        alarms += p is not None and p < 0.05
    return alarms / trials


def main() -> None:
    """Print a line a case."""
    for case in CASES:
        found = coverage(**case, trials=1_000)  # type: ignore[arg-type]
        print(case, ", ".join(f"{name} {share:.1%}" for name, share in found.items()), flush=True)
    print(f"equally good models told apart: {false_alarms(1_000):.1%}")


if __name__ == "__main__":
    main()
