"""Which of several labels a text gets, chosen on validation rows: a threshold for each label.

Source: Lipton, Elkan and Naryanaswamy (2014), Optimal thresholding of classifiers to maximize F1 measure (a threshold
a label for macro F1, and why that of a rare label is fragile).
"""

import numpy as np

from rnn_cli.arrays import Floats, Indices
from rnn_cli.config.schema import DecisionConfig
from rnn_cli.evaluation.decide import best_threshold
from rnn_cli.scoring.of_each import DecisionOfEach, odds_of, sigmoid

FULL_ROWS = 50
"""A label of so many validation rows has a threshold halfway, in log-odds, between its own best and the shared one. On
28 emotions, chosen on one half of 4,341 rows and measured on the other, this was better than 0, 5, 20, 100 or 300."""

SHARED_THRESHOLDS = sigmoid(np.linspace(-5, 3, 161))
"""The thresholds that are tried for all labels together."""


def decide_each(
    config: DecisionConfig, truth: Indices, probabilities: Floats
) -> tuple[DecisionOfEach, tuple[str, ...]]:
    """The thresholds that serve the config best, and in words what no threshold reaches.

    `truth` is 1 or 0 for each label, `[rows, labels]`, as the probabilities. For F1, the goal by default, each label's
    threshold is drawn towards the one that is best for all together, the more the fewer rows the label has.
    """
    labels, most = probabilities.shape[1], config.most_labels or 0
    if config.threshold is not None:
        return DecisionOfEach(thresholds=(config.threshold,) * labels, most=most), ()
    goal = config.goal or "f1"
    shared = shared_threshold(truth, probabilities)
    thresholds, missed = [], 0
    for label in range(labels):
        own, rows = truth[:, label], int(truth[:, label].sum())
        if rows in (0, len(own)):
            thresholds.append(shared)
            continue
        alone = np.stack([1 - probabilities[:, label], probabilities[:, label]], axis=1)
        found, short, _ = best_threshold(goal, own, alone)
        missed += short is not None
        if goal == "f1":
            weight = rows / (rows + FULL_ROWS)
            found = float(sigmoid(weight * odds_of(np.array(found)) + (1 - weight) * odds_of(np.array(shared))))
        thresholds.append(found)
    shortfalls = () if not missed else (f"no threshold reaches {goal} on the validation rows for {missed} labels",)
    return DecisionOfEach(thresholds=tuple(thresholds), most=most), shortfalls


def shared_threshold(truth: Indices, probabilities: Floats) -> float:
    """The threshold of `SHARED_THRESHOLDS` with the highest macro F1, of equals the nearest to 0.5."""
    merits = []
    for threshold in SHARED_THRESHOLDS:
        predicted = probabilities >= threshold
        named = truth.sum(axis=0) + predicted.sum(axis=0)
        f1 = 2 * (truth * predicted).sum(axis=0) / np.maximum(named, 1)
        merits.append(float(f1[named > 0].mean()) if (named > 0).any() else 0.0)
    best = np.lexsort([np.abs(SHARED_THRESHOLDS - 0.5), -np.array(merits)])[0]
    return float(SHARED_THRESHOLDS[best])
