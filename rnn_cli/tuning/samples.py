"""A goal's figure on samples of rows, as a bootstrap draws them: thousands of figures of one model at once."""

from collections.abc import Callable

import numpy as np

from rnn_cli.arrays import Flags, Floats, Indices
from rnn_cli.evaluation.ordered import AT_MOST_ONE, absolute_errors, quadratic_kappa, spearman
from rnn_cli.evaluation.scores import average_precision, brier_scores, log_losses, roc_auc
from rnn_cli.evaluation.several import figures_of_samples
from rnn_cli.tuning.goals import Goal

Predicted = tuple[Floats, Indices]
"""Probabilities `[rows, labels]` and predictions `[rows]`, or `[rows, labels]` of several labels a text."""


def goal_on_samples(goal: Goal, truth: Indices, found: Predicted, weights: Floats) -> Floats:
    """The goal's figure on each sample: `weights` says how often it holds each row, `[samples, rows]`.

    NaN where a sample does not tell it.
    """
    probabilities, predicted = found
    if goal.kind == "several":
        if goal.name == "map":
            return _each(weights, lambda rows: _mean_precision(truth[rows], probabilities[rows]))
        figures: Floats = figures_of_samples(truth, probabilities, predicted, weights)[goal.name]
        return figures
    if goal.name in ("macro_f1", "balanced_accuracy"):
        return _of_labels(goal.name, truth, predicted, probabilities.shape[1], weights)
    if goal.name in ("roc_auc", "pr_auc"):
        area = roc_auc if goal.name == "roc_auc" else average_precision
        return _each(weights, lambda rows: _area(area, truth[rows], probabilities[rows]))
    if goal.name in ("quadratic_kappa", "spearman"):
        return _of_cells(quadratic_kappa if goal.name == "quadratic_kappa" else spearman, truth, found, weights)
    of_rows = _of_rows(goal, truth, found)
    means: Floats = weights @ of_rows / weights.sum(axis=1)
    return means


def _of_rows(goal: Goal, truth: Indices, found: Predicted) -> Floats:
    """What each row adds to a figure that is a mean over rows, `[rows]`."""
    probabilities, predicted = found
    if goal.name == "log_loss":
        return log_losses(truth, probabilities)
    if goal.name == "brier":
        return brier_scores(truth, probabilities)
    if goal.name == "accuracy":
        right: Floats = (truth == predicted).astype(np.float64)
        return right
    errors: Floats = absolute_errors(goal.labels, truth, predicted)
    return np.asarray(errors <= AT_MOST_ONE, np.float64) if goal.name == "within_one" else errors


def _of_labels(name: str, truth: Indices, predicted: Indices, labels: int, weights: Floats) -> Floats:
    every = np.arange(labels)
    true, named = (weights @ (each[:, None] == every) for each in (truth, predicted))
    right = weights @ ((truth == predicted)[:, None] & (truth[:, None] == every))
    if name == "macro_f1":
        either = true + named
        return _mean_where(2 * right / np.maximum(either, 1), either > 0)
    return _mean_where(right / np.maximum(true, 1), true > 0)


def _mean_where(values: Floats, counts: Floats) -> Floats:
    means: Floats = (values * counts).sum(axis=1) / np.maximum(counts.sum(axis=1), 1)
    return means


def _of_cells(figure: Callable[[Floats], float], truth: Indices, found: Predicted, weights: Floats) -> Floats:
    labels = found[0].shape[1]
    cells = weights @ ((truth * labels + found[1])[:, None] == np.arange(labels * labels))
    return np.array([figure(each.reshape(labels, labels)) for each in cells])


def _each(weights: Floats, figure: Callable[[Indices], float]) -> Floats:
    rows = np.arange(weights.shape[1])
    return np.array([figure(np.repeat(rows, each.astype(np.intp))) for each in weights])


def _area(area: Callable[[Flags, Floats], float], truth: Indices, probabilities: Floats) -> float:
    labels = probabilities.shape[1]
    if len(np.unique(truth)) < labels:
        return float("nan")
    ranked = [1] if labels == 2 else range(labels)
    return float(np.mean([area(truth == label, probabilities[:, label]) for label in ranked]))


def _mean_precision(truth: Indices, probabilities: Floats) -> float:
    ranked = [label for label in range(truth.shape[1]) if truth[:, label].any()]
    if not ranked:
        return float("nan")
    return float(np.mean([average_precision(truth[:, label] == 1, probabilities[:, label]) for label in ranked]))
