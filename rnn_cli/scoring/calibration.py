"""From a network's logits to calibrated probabilities: the one place where that is done. Loads numpy only."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from rnn_cli.arrays import Floats, Floats32

_Array = TypeVar("_Array", Floats, Floats32)

_TINY = float(np.finfo(np.float64).tiny)
"""The smallest probability whose logarithm is taken."""

UNDOING_STEPS = 60
"""Newton's steps, at most, to undo a scaling; a few are enough."""


@dataclass(frozen=True)
class Calibration:
    """How logits are changed, so that probabilities mean what they say.

    They are divided by `temperature`. Vector scaling, if there is any, then multiplies what comes out by a scale for
    each label, above 0, and adds a bias for each label; of two labels the network has one logit, so that there is one
    scale and one bias. For more than two, what it scales are logarithms of probabilities, as logits that differ by
    the same number for all labels must give the same probabilities.

    Source: Guo, Pleiss, Sun and Weinberger (2017), On calibration of modern neural networks (temperature and vector
    scaling); Platt (1999), Probabilistic outputs for support vector machines (two labels); Kull et al. (2019), Beyond
    temperature scaling: obtaining well-calibrated multiclass probabilities with Dirichlet calibration (logarithms).
    """

    temperature: float = 1.0
    scales: tuple[float, ...] = ()
    biases: tuple[float, ...] = ()

    def logits(self, logits: _Array) -> _Array:
        """The calibrated logits of a network's logits, `[texts, outputs]`: a softmax (a sigmoid) takes them further."""
        tempered: _Array = logits / self.temperature
        if not self.scales:
            return tempered
        wide = tempered.astype(np.float64)
        return np.asarray(_normal(wide) * np.array(self.scales) + np.array(self.biases), logits.dtype)

    def of(self, probabilities: Floats) -> Floats:
        """The calibrated probabilities of a network's probabilities, `[texts, labels]`."""
        return to_probabilities(self.logits(to_logits(probabilities)))

    def probabilities(self, logits: Floats | Floats32) -> npt.NDArray[np.float64]:
        """The probabilities `[texts, labels]` of calibrated logits."""
        return to_probabilities(logits)

    def undone(self, probabilities: Floats) -> Floats:
        """The network's probabilities that `of` makes these of, `[texts, labels]`."""
        logits = to_logits(probabilities)
        if self.scales:
            scales, shifted = np.array(self.scales), logits - np.array(self.biases)
            # Of more than two labels, the sum of all that is exponentiated before the scaling was 1.
            off = np.zeros((len(logits), 1))
            for _ in range(UNDOING_STEPS if logits.shape[1] > 1 else 0):
                before = (shifted + off) / scales
                most = before.max(axis=1, keepdims=True)
                raised = np.exp(before - most)
                total = raised.sum(axis=1, keepdims=True)
                step = (most + np.log(total)) / ((raised / scales).sum(axis=1, keepdims=True) / total)
                off -= step
                if np.abs(step).max() < 1e-12:
                    break
            logits = (shifted + off) / scales
        return to_probabilities(logits * self.temperature)


def to_probabilities(logits: Floats | Floats32) -> npt.NDArray[np.float64]:
    """The softmax of logits `[texts, outputs]`, beside a zero where there is one output; in 64 bits, rows sum to 1."""
    wide = logits.astype(np.float64)
    if wide.shape[1] == 1:
        wide = np.hstack([np.zeros_like(wide), wide])  # a sigmoid is a softmax beside a zero
    wide = np.exp(wide - wide.max(axis=1, keepdims=True))
    probabilities: npt.NDArray[np.float64] = wide / wide.sum(axis=1, keepdims=True)
    return probabilities


def to_logits(probabilities: Floats) -> Floats:
    """Logits `[texts, outputs]` of which `to_probabilities` makes these probabilities, `[texts, labels]`."""
    logs: Floats = np.log(np.maximum(probabilities, _TINY))
    return logs[:, 1:] - logs[:, :1] if logs.shape[1] == 2 else logs


def _normal(logits: Floats) -> Floats:
    """Logarithms of probabilities; a single logit, which is a difference of two, as it is."""
    if logits.shape[1] == 1:
        return logits
    off = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(off - np.log(np.exp(off).sum(axis=1, keepdims=True)))
