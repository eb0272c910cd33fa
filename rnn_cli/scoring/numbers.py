"""Numbers instead of labels: from a network's one output to the number. Loads numpy only."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rnn_cli.arrays import Floats, Floats32
from rnn_cli.scoring.calibration import Calibration


@dataclass(frozen=True)
class CalibrationOfNumbers(Calibration):
    """A number is `center` plus `scale` times the output. What other kinds call probabilities are here the numbers."""

    center: float = 0.0
    scale: float = 1.0

    def logits(self, logits: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:  # type: ignore[override]
        """The outputs as they are, `[texts, 1]`."""
        return logits

    def probabilities(self, logits: Floats | Floats32) -> npt.NDArray[np.float64]:
        """The numbers, `[texts, 1]`, of outputs."""
        return np.asarray(self.center + self.scale * logits.astype(np.float64))
