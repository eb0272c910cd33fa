"""From probabilities to an answer: which label, and whether the model is sure enough of it. Knows numpy only."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rnn_cli.arrays import Floats

UNSURE = "unsure"
"""What stands in the place of a label where a model abstains."""


TINY = float(np.finfo(np.float64).tiny)
"""The least probability a logarithm is taken of, so that margins are finite."""


@dataclass(frozen=True)
class Decision:
    """How probabilities are decided.

    `threshold` is the probability from which the second of two labels is answered; more labels have none, and the most
    probable one is answered. An answer whose margin is below `unsure_below` is unsure; 0 leaves none unsure.
    """

    threshold: float = 0.5
    unsure_below: float = 0.0

    def choose(self, probabilities: Floats) -> npt.NDArray[np.intp]:
        """The index of the label answered, `[rows]`, from `[rows, labels]`."""
        if probabilities.shape[1] == 2:
            return (probabilities[:, 1] >= self.threshold).astype(np.intp)
        return np.asarray(np.argmax(probabilities, axis=1), np.intp)

    def margins(self, probabilities: Floats) -> Floats:
        """How far each row is from being answered otherwise, `[rows]`, in log-odds.

        For two labels that is the distance to the threshold, for more that of the two most probable labels.
        """
        logs = np.log(np.maximum(probabilities, TINY))
        if probabilities.shape[1] == 2:
            threshold = np.log(max(self.threshold, TINY)) - np.log(max(1 - self.threshold, TINY))
            return np.asarray(np.abs(logs[:, 1] - logs[:, 0] - threshold))
        best = np.partition(logs, -2, axis=1)[:, -2:]
        return np.asarray(best[:, 1] - best[:, 0])

    def unsure(self, probabilities: Floats) -> npt.NDArray[np.bool_]:
        """Whether each row's answer is unsure, `[rows]`."""
        if not self.unsure_below:
            return np.zeros(len(probabilities), np.bool_)
        return np.asarray(self.margins(probabilities) < self.unsure_below)
