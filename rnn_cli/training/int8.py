"""The network in 8 bits, stored only if it loses next to nothing on the validation rows."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rnn_cli.arrays import Floats, Indices
from rnn_cli.bundle.model_folder import INT8_MODEL
from rnn_cli.config.schema import ModelConfig
from rnn_cli.errors import BundleError
from rnn_cli.evaluation.evaluate import Evaluation
from rnn_cli.evaluation.evaluate_numbers import EvaluationOfAny, NumberEvaluation
from rnn_cli.network.quantize import no_int8, to_int8
from rnn_cli.scoring.predictor import Predictor

MOST_LOST = 0.002
"""The largest loss of accuracy: 0.2 points. With fewer than 500 validation rows, no row may be lost."""

MOST_MOVED = 0.02
"""The largest change of probabilities: the mean over the rows of each row's most changed label."""


@dataclass(frozen=True)
class Int8:
    """How a network in 8 bits does on the validation rows; `graph` is its file if it is stored.

    `metric` names what `accuracy` is: of several labels a text the micro F1. `accuracy_change` is its accuracy minus
    the accuracy in fp32; the other changes are of probabilities, of numbers in standard deviations. All are None where
    nothing was measured. `reason` says why it is not stored.
    """

    graph: bytes | None = None
    reason: str | None = None
    metric: str = "accuracy"
    accuracy: float | None = None
    accuracy_change: float | None = None
    mean_change: float | None = None
    largest_change: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The metrics as plain values."""
        metrics = asdict(self)
        return {"offered": metrics.pop("graph") is not None, **metrics}

    def summary(self) -> str:
        """The result in one line."""
        if self.reason is None and self.metric == OF_NUMBERS:
            return f"int8 graph: numbers move by {self.mean_change:.3f} standard deviations on average"
        if self.reason is not None or self.accuracy is None or self.accuracy_change is None:
            return f"no int8 graph: {self.reason}"
        return (
            f"int8 graph: {self.metric} {self.accuracy:.1%} (fp32 {self.accuracy - self.accuracy_change:.1%}), "
            f"probabilities move by {self.mean_change:.3f} on average"
        )


def try_int8(graph: bytes, config: ModelConfig, predictor: Predictor, validation: EvaluationOfAny) -> Int8:
    """Convert an ONNX graph to 8 bits and compare it with `predictor`'s evaluation of the validation rows."""
    if reason := no_int8(config):
        return Int8(reason=reason)
    small = to_int8(graph)
    try:
        rows = validation.dataset
        probabilities = predictor.running(small, INT8_MODEL).score(rows.texts, rows.further).probabilities
    except BundleError as error:  # this ONNX Runtime lacks the operator
        return Int8(reason=error.what)
    moved = np.abs(probabilities - validation.scores.probabilities).max(axis=1)
    if isinstance(validation, NumberEvaluation):
        return _of_numbers(small, moved / predictor.spread)
    metric, merit = ("accuracy", _accuracy) if isinstance(validation, Evaluation) else ("micro F1", _micro_f1)
    before = merit(validation.truth, validation.predicted)
    after = merit(validation.truth, predictor.decision.choose(probabilities))
    reason = None
    if before - after > MOST_LOST + 1e-9:  # 2 rows of 1,000 are not more than 0.2 points
        reason = f"its {metric} on the validation rows would be {after:.1%}, not {before:.1%}"
    elif moved.mean() > MOST_MOVED:
        reason = f"its probabilities on the validation rows would move by {moved.mean():.3f} on average"
    changes = after - before, float(moved.mean()), float(moved.max())
    return Int8(small if reason is None else None, reason, metric, after, *changes)


OF_NUMBERS = "number"


def _of_numbers(small: bytes, moved: Floats) -> Int8:
    """The same of numbers, by how many standard deviations each row's is moved, `[rows]`."""
    reason = None
    if moved.mean() > MOST_MOVED:
        reason = f"its numbers on the validation rows would move by {moved.mean():.3f} standard deviations on average"
    changes = float(moved.mean()), float(moved.max())
    return Int8(small if reason is None else None, reason, OF_NUMBERS, None, None, *changes)


def _accuracy(truth: Indices, predicted: Indices) -> float:
    return float((predicted == truth).mean())


def _micro_f1(truth: Indices, predicted: Indices) -> float:
    return float(2 * (truth & predicted).sum() / max((truth + predicted).sum(), 1))
