"""How good the model in the loop is, and how sure that is, from answers alone.

The accuracy comes from texts that were drawn by chance and never learned from; what the model itself chose is harder
than the rest, so only the agreement with its guesses is told of that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from rnn_cli.evaluation.intervals import wilson_interval
from rnn_cli.labelling.answers import Answer

LAST = 50
"""Answers that the agreement and the speed are about."""

MORE_ANSWERS = 50
"""So many answers ahead the accuracy is forecast."""


@dataclass(frozen=True)
class MeasuredShare:
    """A share of so many rows, and its 95 % interval."""

    share: float
    low: float
    high: float
    rows: int

    @classmethod
    def of(cls, right: Sequence[bool], weights: Sequence[float] | None = None) -> "MeasuredShare | None":
        """The share of the rows that are right; None without a row.

        Weights are how many rows each one stands for. The interval is that of as many rows of equal weight as tell as
        much (Kish 1965, Survey sampling).
        """
        if not len(right):
            return None
        each = np.ones(len(right)) if weights is None else np.asarray(weights, np.float64)
        share = float(each @ np.asarray(right, np.float64) / each.sum())
        alike = max(round(float(each.sum() ** 2 / (each @ each))), 1)
        low, high = wilson_interval(round(share * alike), alike)
        return cls(share, min(low, share), max(high, share), len(right))


def agreement(answers: Sequence[Answer]) -> MeasuredShare | None:
    """How often the last answers were what the model had thought, among those given before its guess could be read."""
    told = [each for each in answers if each.label is not None and each.guess is not None and not each.was_shown]
    return MeasuredShare.of([each.label == each.guess for each in told[-LAST:]])


def per_minute(answers: Sequence[Answer]) -> float | None:
    """Answers a minute at the usual pace of the last ones; a break in between changes nothing."""
    seconds = [each.seconds for each in answers[-LAST:] if each.seconds > 0]
    return 60 / median(seconds) if seconds else None
