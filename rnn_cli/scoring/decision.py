"""From probabilities to a prediction: which label, and whether the model is sure enough of it. Loads numpy only."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rnn_cli.arrays import Floats

UNSURE = "unsure"
"""Written instead of a label where a model abstains."""


_TINY = float(np.finfo(np.float64).tiny)
"""The smallest probability whose logarithm is taken, so that margins are finite."""


@dataclass(frozen=True)
class Decision:
    """How probabilities become predictions.

    Of two labels, the second is predicted from the probability `threshold` on; of more, the most probable one. A
    prediction whose margin is below `unsure_below` is unsure; with 0 none is.
    """

    threshold: float = 0.5
    unsure_below: float = 0.0

    def choose(self, probabilities: Floats) -> npt.NDArray[np.intp]:
        """The index of each predicted label, `[rows]`, from probabilities `[rows, labels]`."""
        if probabilities.shape[1] == 2:
            return (probabilities[:, 1] >= self.threshold).astype(np.intp)
        return np.asarray(np.argmax(probabilities, axis=1), np.intp)

    def margins(self, probabilities: Floats) -> Floats:
        """How far each row is from another prediction, `[rows]`, in log-odds.

        For two labels: the distance to the threshold; for more: between the two most probable labels.
        """
        logs = np.log(np.maximum(probabilities, _TINY))
        if probabilities.shape[1] == 2:
            threshold = np.log(max(self.threshold, _TINY)) - np.log(max(1 - self.threshold, _TINY))
            return np.asarray(np.abs(logs[:, 1] - logs[:, 0] - threshold))
        best = np.partition(logs, -2, axis=1)[:, -2:]
        return np.asarray(best[:, 1] - best[:, 0])

    def unsure(self, probabilities: Floats) -> npt.NDArray[np.bool_]:
        """Whether each row's prediction is unsure, `[rows]`."""
        if not self.unsure_below:
            return np.zeros(len(probabilities), np.bool_)
        return np.asarray(self.margins(probabilities) < self.unsure_below)
