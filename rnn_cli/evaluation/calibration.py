"""Probabilities that mean what they say: how far off they are, and the temperature by which all logits are divided.

Knows nothing of how the probabilities came about.
"""

from math import erf, exp, pi, sqrt

import numpy as np

from rnn_cli.evaluation.intervals import NORMAL_95, Interval, least
from rnn_cli.evaluation.losses import Numbers, Rows, brier_scores, calibration_error, calibration_gaps, log_losses

FEWEST = 100
"""Rows from which on the calibration error has an interval: on fewer none holds it often enough."""


def before_and_after(
    truth: Rows, probabilities: Numbers, answers: Rows, temperature: float
) -> dict[str, dict[str, float]]:
    """Log loss, Brier score and ECE of the answers `[rows]`, without the temperature and with it.

    The probabilities, `[rows, labels]`, are those with it.
    """
    return {
        name: {
            "log_loss": float(log_losses(truth, each).mean()),
            "brier": float(brier_scores(truth, each).mean()),
            "ece": calibration_error(truth, each, answers),
        }
        for name, each in (("before", tempered(probabilities, 1 / temperature)), ("after", probabilities))
    }


def tempered(probabilities: Numbers, temperature: float) -> Numbers:
    """What probabilities `[rows, labels]` become when the logits they were made of are divided by `temperature`."""
    logs = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny)) / temperature
    raised = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def calibration_interval(truth: Rows, probabilities: Numbers, answers: Rows) -> Interval | None:
    """The interval of the expected calibration error, whose estimate is too large by chance alone, most on few rows.

    Holds the errors that would be found as they were, neither too large nor too small, if all bins were equally far
    off: what chance adds to a bin's gap makes its absolute value a folded normal one. The figure itself is never above.

    Source: Leone, Nelson and Nottingham (1961), The folded normal distribution; Bröcker (2012), Estimating reliability
    and resolution of probability forecasts through decomposition of the empirical score (the bias).
    """
    rows = len(truth)
    if rows < FEWEST:
        return None
    bins, gaps = calibration_gaps(truth, probabilities, answers)
    sure = probabilities[np.arange(rows), answers]
    held = np.bincount(bins)
    full = held > 0
    held = held[full]
    found = float(np.abs(np.bincount(bins, gaps)).sum() / rows)
    # A bin's answers may all be right, and yet others of it would not be.
    right = (np.bincount(bins, truth == answers)[full] + np.bincount(bins, sure)[full] / held) / (held + 1)
    variances = np.maximum(np.bincount(bins, sure * (1 - sure))[full], held * right * (1 - right))
    errors, shares = np.maximum(np.sqrt(variances), 1e-9) / rows, held / rows

    def expected(off: float, side: float) -> float:
        """The error that would be found if all bins were so far off, and chance at its 2.5 or 97.5 %."""
        ratios = off * shares / errors
        means = errors * [sqrt(2 / pi) * exp(-each * each / 2) + each * erf(each / sqrt(2)) for each in ratios]
        variance = ((off * shares) ** 2 + errors**2 - means**2).clip(0).sum()
        return float(means.sum() + side * NORMAL_95 * sqrt(variance))

    low, high = (least(lambda off, side=side: expected(off, side) >= found) for side in (1.0, -1.0))
    return low, max(high, found)
