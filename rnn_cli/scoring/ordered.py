"""Ordered labels, such as ratings: from the log-odds that a text is above each label to the labels' probabilities.

The network gives a log-odds for each label but the last. Sorted, as a text that is above a label is above those before
it, their differences are the labels' probabilities. Loads numpy only.

Source: Frank and Hall (2001), A simple approach to ordinal classification (a decision a threshold); Chernozhukov,
Fernández-Val and Galichon (2010), Quantile and probability curves without crossing (sorting, which cannot be worse).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
import numpy.typing as npt

from rnn_cli.arrays import Floats, Indices
from rnn_cli.scoring.calibration import Calibration, to_probabilities
from rnn_cli.scoring.decision import Decision

_LEAST = -36.0
"""The least logarithm of a probability, about that of a 64-bit float's rounding: of two equal log-odds it is finite."""

_TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True)
class CalibrationOfOrdered(Calibration):
    """The temperature divides the log-odds that a text is above each label.

    Where there is a `matrix`, `[labels - 1, labels]` row by row, the sorted log-odds times it, and a bias for each
    label, are the labels' logits: it makes up for that each step between two labels was learned by itself.

    Source: Guo, Pleiss, Sun and Weinberger (2017), On calibration of modern neural networks (matrix scaling).
    """

    matrix: tuple[float, ...] = ()

    def logits(self, logits: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:  # type: ignore[override]
        """The labels' logits, `[texts, labels]`, of a network's logits, `[texts, labels - 1]`.

        A softmax gives the probabilities.
        """
        return np.asarray(self._of_odds(logits.astype(np.float64)), logits.dtype)

    def _of_odds(self, above: Floats) -> Floats:
        tempered = above / self.temperature
        if not self.matrix:
            return log_probabilities(tempered)
        return np.asarray(falling(tempered) @ self._mixing() + np.array(self.biases))

    def _mixing(self) -> Floats:
        labels = len(self.biases)
        return np.array(self.matrix).reshape(labels - 1, labels)

    def of(self, probabilities: Floats) -> Floats:
        """The calibrated probabilities of a network's probabilities, `[texts, labels]`."""
        return to_probabilities(self._of_odds(odds_above(probabilities)))

    def undone(self, probabilities: Floats) -> Floats:
        """The network's probabilities that `of` makes these of, `[texts, labels]`."""
        above = odds_above(probabilities)
        if self.matrix:
            # The logits are known but for a number that is the same for all labels of a text.
            wanted = np.log(np.maximum(probabilities, _TINY)) - np.array(self.biases)
            every = np.vstack([self._mixing(), np.ones(len(self.biases))])
            above = np.linalg.lstsq(every.T, wanted.T, rcond=None)[0].T[:, :-1]
        return to_probabilities(log_probabilities(above * self.temperature))


@dataclass(frozen=True)
class DecisionOfOrdered(Decision):
    """Which label is predicted, by `choice`: the one with the least expected cost.

    Of the `median` that is the distance from the true label, of the `mode` 1 for every wrong label, and of `balanced`
    1 and the distance, as a share of that between the first and the last label. A prediction whose margin is below
    `unsure_below` is unsure.
    """

    choice: str = "balanced"

    def choose(self, probabilities: Floats) -> npt.NDArray[np.intp]:
        """The index of each predicted label, `[rows]`, from probabilities `[rows, labels]`."""
        if self.choice == "median":
            return np.asarray((np.cumsum(probabilities, axis=1)[:, :-1] < 0.5).sum(axis=1), np.intp)
        if self.choice == "mode":
            return np.asarray(np.argmax(probabilities, axis=1), np.intp)
        places = np.arange(probabilities.shape[1])
        far = np.abs(places[:, None] - places)
        return np.asarray(np.argmin(probabilities @ (far / max(far.max(), 1) + (far > 0)), axis=1), np.intp)

    def margins(self, probabilities: Floats) -> Floats:
        """How far each row is from another prediction, `[rows]`, in log-odds.

        For the median: of being above the label next to it from 0; else between the two most probable labels.
        """
        if self.choice == "median":
            return np.asarray(np.abs(odds_above(probabilities)).min(axis=1))
        best = np.partition(np.log(np.maximum(probabilities, _TINY)), -2, axis=1)[:, -2:]
        return np.asarray(best[:, 1] - best[:, 0])


def falling(above: Floats) -> Floats:
    """Log-odds of being above each label, `[rows, labels - 1]`, sorted: who is above a label is above those before."""
    return np.asarray(-np.sort(-above, axis=1))


def log_probabilities(above: Floats) -> Floats:
    """The logarithms of the probabilities, `[rows, labels]`, by the log-odds of being above each but the last label.

    They are sorted first. Each probability is a difference of two sigmoids, here without what rounding would cancel.
    """
    ordered = falling(above)
    beyond = np.full((len(ordered), 1), np.inf)
    before, after = np.hstack([beyond, ordered]), np.hstack([ordered, -beyond])
    # sigmoid(a) - sigmoid(b) = sigmoid(a) * sigmoid(-b) * (1 - exp(b - a))
    gaps = np.minimum(after - before, 0.0)
    with np.errstate(divide="ignore"):
        logs = -np.logaddexp(0.0, -before) - np.logaddexp(0.0, after) + np.log(-np.expm1(gaps))
    return np.asarray(np.maximum(logs, _LEAST))


def odds_above(probabilities: Floats) -> Floats:
    """The log-odds of being above each label but the last, `[rows, labels - 1]`; finite."""
    upto = np.cumsum(probabilities, axis=1)[:, :-1]
    above = np.cumsum(probabilities[:, ::-1], axis=1)[:, -2::-1]
    return np.asarray(np.log(np.maximum(above, _TINY)) - np.log(np.maximum(upto, _TINY)))


def flags_above(classes: Indices, labels: int) -> Indices:
    """Whether each row's label is above each but the last: 1 or 0, `[rows, labels - 1]`."""
    return np.asarray(classes[:, None] > np.arange(labels - 1), np.intp)


def values_of(labels: Sequence[str]) -> Floats:
    """What the labels count as, `[labels]`: their numbers where all are numbers in rising order, else 1, 2, 3, ..."""
    numbers = list(map(number_of, labels))
    if None not in numbers:
        values = np.array(numbers, np.float64)
        if (np.diff(values) > 0).all():
            return values
    return np.arange(1.0, len(labels) + 1)


def number_of(label: str) -> float | None:
    """The label's number; None where it is none."""
    try:
        number = float(label)
    except ValueError:
        return None
    return number if isfinite(number) else None


def expected_values(labels: Sequence[str], probabilities: Floats) -> Floats:
    """The mean of the labels' values by their probabilities, `[rows]`, of `[rows, labels]`."""
    return np.asarray(probabilities @ values_of(labels))
