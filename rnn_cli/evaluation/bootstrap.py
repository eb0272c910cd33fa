"""The bootstrap: what figures would come to on other rows like these, found by drawing from these with replacement.

Knows nothing of how the probabilities came about. What it is not good for: on a few rows a label its intervals are
too narrow (a label's only row is drawn every time), and where nothing is wrong there is nothing to vary, so that an
interval without width does not say that the figure is certain. Intervals of shares (accuracy, each label's precision,
recall and F1) are therefore Wilson's, not these.

Source: Efron and Tibshirani (1993), An introduction to the bootstrap, chapter 13 (percentile intervals); Davison and
Hinkley (1997), Bootstrap methods and their application, section 3.2 (stratified resampling).
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from rnn_cli.evaluation.losses import Numbers, Rows, brier_scores, calibration_gaps, log_losses

SEED = 1

MOST_RESAMPLES, FEWEST_RESAMPLES = 1_000, 200

MOST_WORK = 4_000_000_000
"""Rows times labels times resamples, about: more are resampled less often."""

ROUND = 4_000_000
"""Rows times resamples that are drawn at once, which bounds the memory."""

COUNTED = 30_000
"""Rows times resamples that are counted at once: so few stay in the processor's cache."""

Interval = tuple[float, float]
Weights = npt.NDArray[np.float32]
"""How often each row was drawn, `[rows, resamples]`."""
Resampled = dict[str, npt.NDArray[np.floating]]
"""A figure's name → its value in each resample."""


def bootstrap_intervals(truth: Rows, probabilities: Numbers, answers: Rows) -> dict[str, Interval | None]:
    """The 95 % intervals of balanced accuracy, macro F1, ROC AUC, PR AUC, log loss, Brier score and ECE, by field name.

    `truth` and `answers` are indices into the labels, `[rows]`; `probabilities` is `[rows, labels]`. Each resample
    has as many rows of each true label as there are. None where the figure is undefined: `roc_auc` and `pr_auc` if a
    label has no row. The same rows in the same order give the same intervals.

    The ends are the resamples' quantiles; those of the ECE are first moved by the mean difference to the figure
    itself, for each resample adds noise to the bins, which an absolute value turns into a larger error.
    """
    order = np.argsort(truth, kind="stable")
    truth, probabilities, answers = truth[order], probabilities[order], answers[order]
    counts = np.bincount(truth, minlength=probabilities.shape[1])
    measures = [
        _of_answers(truth, answers, counts),
        _of_losses(log_losses(truth, probabilities)),
        _of_probabilities(truth, probabilities, answers),
    ]
    if counts.all():
        measures.append(_of_ranks(truth, probabilities))
    drawn = _drawn(counts, measures)
    bins, gaps = calibration_gaps(truth, probabilities, answers)
    noise = drawn["ece"].mean() - np.abs(np.bincount(bins, gaps)).sum() / len(truth)
    drawn["ece"] = np.maximum(0, drawn["ece"] - noise)
    return {"roc_auc": None, "pr_auc": None} | {name: _interval(values) for name, values in drawn.items()}


def answer_intervals(truth: Rows, answers: Rows, losses: Numbers | None, labels: int) -> dict[str, Interval]:
    """The 95 % intervals that `bootstrap_intervals` finds of macro F1 over all `labels` labels, and of log loss.

    `truth` and `answers` are indices into the labels, `[rows]`; `losses` are the rows' own, None where unknown, as is
    then the interval of their mean.
    """
    order = np.argsort(truth, kind="stable")
    truth, answers = truth[order], answers[order]
    counts = np.bincount(truth, minlength=labels)
    measures = [_of_answers(truth, answers, counts)]
    if losses is not None:
        measures.append(_of_losses(losses[order]))
    drawn = _drawn(counts, measures)
    return {name: _interval(drawn[name]) for name in ("macro_f1", "log_loss") if name in drawn}


def _drawn(counts: Rows, measures: Sequence[Callable[[Weights], Resampled]]) -> Resampled:
    """What is measured in all resamples of rows sorted by their true label, of which there are `counts`."""
    parts: dict[str, list[npt.NDArray[np.floating]]] = {}
    for weights in _resamples(counts):
        for measure in measures:
            for name, values in measure(weights).items():
                parts.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in parts.items()}


def _interval(drawn: npt.NDArray[np.floating]) -> Interval:
    low, high = np.quantile(drawn, [0.025, 0.975]).tolist()
    return low, high


def _resamples(counts: Rows) -> Iterator[Weights]:
    """Rounds of resamples of rows that are sorted by their true label, of which there are `counts`, `[labels]`."""
    rows = int(counts.sum())
    left = min(MOST_RESAMPLES, max(FEWEST_RESAMPLES, MOST_WORK // (rows * len(counts))))
    starts = counts.cumsum() - counts
    chance = np.random.default_rng(SEED)
    while left:
        size = min(left, max(1, ROUND // rows))
        left -= size
        drawn = np.empty((size, rows), np.intp)
        for start, count in zip(starts, counts, strict=True):
            drawn[:, start : start + count] = chance.integers(start, start + count, (size, count)) if count else 0
        times = np.empty((size, rows), np.float32)
        few = max(1, COUNTED // rows)
        for first in range(0, size, few):
            part = drawn[first : first + few]
            part += rows * np.arange(len(part))[:, None]
            times[first : first + few] = np.bincount(part.ravel(), minlength=part.size).reshape(part.shape)
        yield times.T  # a resample's rows stay side by side, which sums are quickest over


def grouped_sums(groups: Rows, values: npt.ArrayLike, count: int) -> Callable[[Weights], Weights]:
    """What sums `values`, `[rows]`, as often as rows were drawn, over each of `count` groups; one below 0 is none."""
    rows = np.argsort(groups, kind="stable")[np.count_nonzero(groups < 0) :]
    present, starts = np.unique(groups[rows], return_index=True)
    times = np.asarray(values, np.float32)

    def sums(weights: Weights) -> Weights:
        found = np.zeros((count, weights.shape[1]), np.float32)
        if len(rows):
            drawn = np.take(weights.T, rows, axis=1)
            found[present] = np.add.reduceat(drawn * times[rows] if times.ndim else drawn, starts, axis=1).T
        return found

    return sums


def _of_answers(truth: Rows, answers: Rows, counts: Rows) -> Callable[[Weights], Resampled]:
    labels, known = len(counts), counts > 0
    right_rows = grouped_sums(np.where(truth == answers, truth, -1), 1, labels)
    answered_rows = grouped_sums(answers, 1, labels)

    def measure(weights: Weights) -> Resampled:
        right, both = right_rows(weights), answered_rows(weights) + counts[:, None].astype(np.float32)
        f1 = np.divide(2 * right, both, out=np.zeros_like(right), where=both > 0)  # 0 where undefined, as measured
        recall = right[known] / counts[known, None]
        return {"balanced_accuracy": recall.mean(axis=0), "macro_f1": f1.mean(axis=0)}

    return measure


def _of_losses(losses: Numbers) -> Callable[[Weights], Resampled]:
    log_loss = losses.astype(np.float32)
    return lambda weights: {"log_loss": log_loss @ weights / len(log_loss)}


def _of_probabilities(truth: Rows, probabilities: Numbers, answers: Rows) -> Callable[[Weights], Resampled]:
    brier = brier_scores(truth, probabilities).astype(np.float32)
    bins, gaps = calibration_gaps(truth, probabilities, answers)
    gap_rows = grouped_sums(bins, gaps, bins.max() + 1)
    rows = len(truth)

    def measure(weights: Weights) -> Resampled:
        ece = np.abs(gap_rows(weights)).sum(axis=0) / rows
        return {"brier": brier @ weights / rows, "ece": ece}

    return measure


def _of_ranks(truth: Rows, probabilities: Numbers) -> Callable[[Weights], Resampled]:
    labels = probabilities.shape[1]
    ranked = [1] if labels == 2 else range(labels)
    rankings = [_ranking(truth == label, probabilities[:, label]) for label in ranked]

    def measure(weights: Weights) -> Resampled:
        roc, pr = np.mean([ranking(weights) for ranking in rankings], axis=0)
        return {"roc_auc": roc, "pr_auc": pr}

    return measure


def _ranking(positive: npt.NDArray[np.bool_], scores: Numbers) -> Callable[[Weights], tuple[Weights, Weights]]:
    """Measures the areas under one label's ROC and precision-recall curve, `[resamples]`.

    Only the positive rows' scores matter as thresholds, so the other rows are counted between them: place 2i + 1 is
    at the i-th of them, 2i just below it.
    """
    thresholds, at = np.unique(scores[positive], return_inverse=True)
    steps = len(thresholds)
    groups = np.full(len(scores), -1)
    groups[positive] = at
    positives_at = grouped_sums(groups, 1, steps)
    others = scores[~positive]
    groups[positive] = -1
    groups[~positive] = np.searchsorted(thresholds, others, "left") + np.searchsorted(thresholds, others, "right")
    others_at = grouped_sums(groups, 1, 2 * steps + 1)
    positives, others_in_all = np.float32(positive.sum()), np.float32((~positive).sum())

    def measure(weights: Weights) -> tuple[Weights, Weights]:
        here = positives_at(weights)
        counted = others_at(weights)
        np.cumsum(counted, axis=0, out=counted)
        below, up_to = counted[0:-1:2], counted[1::2]
        roc = (here * (below + up_to)).sum(axis=0) / (2 * positives * others_in_all)
        above = here[::-1].cumsum(axis=0)[::-1]
        precision = above / np.maximum(above + others_in_all - below, 1)
        return roc, (here * precision).sum(axis=0) / positives

    return measure
