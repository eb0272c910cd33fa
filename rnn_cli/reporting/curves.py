"""The numbers behind the charts, thinned so that a chart of a million rows is as small as one of a thousand.

Knows nothing of drawing.
"""

from dataclasses import dataclass

import numpy as np

from rnn_cli.arrays import Flags, Floats, Indices
from rnn_cli.evaluation.intervals import wilson_interval
from rnn_cli.evaluation.scores import average_precision, calibration_gaps, precision_recall_curve, roc_auc, roc_curve

POINTS = 300
"""Points of a curve, at most."""

SCORE_BINS = 40


@dataclass(frozen=True)
class Curve:
    """Points of a curve, in order, `[points]` each, and the area below all of it."""

    x: Floats
    y: Floats
    area: float


@dataclass(frozen=True)
class Reliability:
    """How often answers are right, by how sure they are: `sure` and `right` are means over a bin's rows, `[bins]`.

    `low` and `high` are the ends of the 95 % interval of `right`; `error` is the expected calibration error.
    """

    sure: Floats
    right: Floats
    low: Floats
    high: Floats
    error: float


def roc(positive: Flags, scores: Floats) -> Curve:
    """False positive rate and true positive rate at all thresholds; there are rows of both kinds."""
    return Curve(*_thinned(*roc_curve(positive, scores)), area=roc_auc(positive, scores))


def precision_recall(positive: Flags, scores: Floats) -> Curve:
    """Recall and precision at all thresholds, and the average precision; there are rows of both kinds."""
    precision, recall = precision_recall_curve(positive, scores)
    return Curve(*_thinned(recall, precision), area=average_precision(positive, scores))


def reliability(truth: Indices, probabilities: Floats, predicted: Indices) -> Reliability:
    """The bins of the expected calibration error; `probabilities` is `[rows, labels]`, the others are indices."""
    bins, gaps = calibration_gaps(truth, probabilities, predicted)
    rows = np.bincount(bins)
    filled = rows > 0
    sure = np.bincount(bins, probabilities[np.arange(len(predicted)), predicted])[filled]
    right = np.bincount(bins, truth == predicted)[filled]
    rows = rows[filled]
    ends = np.array([wilson_interval(int(each), int(of)) for each, of in zip(right, rows, strict=True)])
    error = float(np.abs(np.bincount(bins, gaps)).sum() / len(truth))
    return Reliability(sure / rows, right / rows, ends[:, 0], ends[:, 1], error)


def shares(scores: Floats) -> tuple[Floats, Floats]:
    """A histogram from 0 to 1: the share of the scores in each bin, `[bins]`, and the bins' edges, `[bins + 1]`."""
    counts, edges = np.histogram(scores, SCORE_BINS, (0.0, 1.0))
    return counts / max(len(scores), 1), edges


def _thinned(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """At most `POINTS` points of a curve, about equally far from each other along it; the ends stay."""
    if len(x) <= POINTS:
        return x, y
    way = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
    kept = np.searchsorted(way, np.linspace(0, way[-1], POINTS - 1))
    kept = np.unique(np.concatenate([kept, [0, len(x) - 1]]).clip(max=len(x) - 1))
    return x[kept], y[kept]
