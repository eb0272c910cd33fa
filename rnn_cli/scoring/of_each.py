"""A text that may have several labels, or none: the probability of each label by itself, and which are predicted.

Loads numpy only.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rnn_cli.arrays import Floats, Floats32, Indices
from rnn_cli.scoring.calibration import Calibration
from rnn_cli.scoring.decision import Decision

_TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True)
class CalibrationOfEach(Calibration):
    """The calibration of each label by itself: a scale, 1 over the label's temperature, and a bias.

    Source: Platt (1999), Probabilistic outputs for support vector machines.
    """

    def logits(self, logits: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:  # type: ignore[override]
        """The calibrated logits of a network's logits, `[texts, labels]`."""
        tempered = logits / self.temperature
        if not self.scales:
            return np.asarray(tempered, logits.dtype)
        return np.asarray(tempered * np.array(self.scales) + np.array(self.biases), logits.dtype)

    def probabilities(self, logits: Floats | Floats32) -> npt.NDArray[np.float64]:
        """The probability of each label, `[texts, labels]`, of calibrated logits; rows do not sum to 1."""
        return sigmoid(logits.astype(np.float64))

    def of(self, probabilities: Floats) -> Floats:
        """The calibrated probabilities of a network's probabilities, `[texts, labels]`."""
        return self.probabilities(self.logits(odds_of(probabilities)))

    def undone(self, probabilities: Floats) -> Floats:
        """The network's probabilities that `of` makes these of, `[texts, labels]`."""
        logits = odds_of(probabilities)
        if self.scales:
            logits = (logits - np.array(self.biases)) / np.array(self.scales)
        return sigmoid(logits * self.temperature)


@dataclass(frozen=True)
class DecisionOfEach(Decision):
    """Each label is predicted from its own threshold on; of these at most the `most` most probable, 0 for all.

    Without `thresholds`, each is 0.5. No prediction is unsure.
    """

    thresholds: tuple[float, ...] = ()
    most: int = 0

    def choose(self, probabilities: Floats) -> Indices:
        """Which labels are predicted, 1 or 0 each: `[rows, labels]`, from probabilities `[rows, labels]`."""
        chosen = probabilities >= (np.array(self.thresholds) if self.thresholds else 0.5)
        if 0 < self.most < probabilities.shape[1]:
            # Of equal probabilities, the first label goes first.
            order = np.argsort(-np.where(chosen, probabilities, -1.0), axis=1, kind="stable")
            kept = np.zeros_like(chosen)
            np.put_along_axis(kept, order[:, : self.most], True, axis=1)
            chosen &= kept
        return chosen.astype(np.intp)

    def margins(self, probabilities: Floats) -> Floats:
        """How far each row is from another prediction, `[rows]`, in log-odds: the nearest label from its threshold."""
        thresholds = np.array(self.thresholds) if self.thresholds else np.full(probabilities.shape[1], 0.5)
        return np.asarray(np.abs(odds_of(probabilities) - odds_of(thresholds)).min(axis=1))

    def among(self, kept: list[int]) -> "DecisionOfEach":
        """The same for some of the labels, by their indices."""
        thresholds = tuple(self.thresholds[index] for index in kept) if self.thresholds else ()
        return DecisionOfEach(thresholds=thresholds, most=self.most)


def ranked(chosen: npt.NDArray[np.integer], probabilities: Floats) -> list[int]:
    """The indices of the labels chosen for one text, `[labels]`, the most probable first."""
    return [place for place in np.argsort(-probabilities, kind="stable").tolist() if chosen[place]]


def sigmoid(logits: Floats) -> npt.NDArray[np.float64]:
    """The probabilities of logits."""
    small = np.exp(-np.abs(logits))
    return np.asarray(np.where(logits >= 0, 1 / (1 + small), small / (1 + small)))


def odds_of(probabilities: Floats) -> Floats:
    """The log-odds of probabilities; finite."""
    return np.log(np.maximum(probabilities, _TINY)) - np.log(np.maximum(1 - probabilities, _TINY))
