"""The linear model that a network of several labels a text is compared with: one for each label, against the rest.

Takes no TensorFlow.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from rnn_cli.arrays import Floats, Indices, label_flags
from rnn_cli.columns import ExtraColumns
from rnn_cli.config.schema import Config
from rnn_cli.data.splits import Splits
from rnn_cli.evaluation.decide_each import decide_each
from rnn_cli.evaluation.several import compare_several, log_losses_of_each, measure_several
from rnn_cli.scoring.of_each import sigmoid
from rnn_cli.training.calibration_each import fit_calibration_of_each
from rnn_cli.training.encoding import positive_weights, with_columns
from rnn_cli.training.listener import Listener

if TYPE_CHECKING:  # loading them loads ONNX Runtime
    from rnn_cli.evaluation.evaluate_several import SeveralBaseline, SeveralEvaluation

STRENGTHS = (1.0, 3.0, 10.0)
"""The values of C, the inverse of the penalty's strength, that are tried."""


@dataclass(frozen=True)
class BaselineOfEach:
    """A fitted linear model of each label against the rest, represented by its predictions.

    `model` names it, `C` is one of `STRENGTHS`, `features` and `rows` are the size of its training matrix; `seconds`
    cover counting and all fits. `sides` holds the probabilities and predictions, both `[rows, labels]`, of `validation`
    and, if there are such rows, `test`.
    """

    model: str
    C: float
    features: int
    rows: int
    seconds: float
    sides: Mapping[str, tuple[Floats, Indices]]

    def against(self, side: str, network: "SeveralEvaluation", knew_more: bool) -> "SeveralBaseline":
        """Compare the network with it on the rows of one side; `knew_more` as in `SeveralBaseline`."""
        from rnn_cli.evaluation.evaluate_several import SeveralBaseline

        truth, mine = network.truth, self.sides[side]
        metrics = measure_several(network.metrics.labels, truth, *mine)
        compared = compare_several(truth, (network.scores.probabilities, network.predicted), mine)
        return SeveralBaseline(metrics, compared, knew_more)

    def columns(self, side: str, labels: Sequence[str]) -> dict[str, Any]:
        """Columns for a table of one side's rows: the predicted labels."""
        from rnn_cli.evaluation.evaluate_several import predicted_sets

        return {"baseline_prediction": predicted_sets(labels, self.sides[side][1])}

    def to_dict(self, against: "Mapping[str, SeveralBaseline]") -> dict[str, Any]:
        """The `baseline` part of `metrics.json`. It has no seconds, so that a repeated run writes the same file."""
        return {
            "model": self.model,
            "C": self.C,
            "features": self.features,
            "rows": self.rows,
            **{name: each.metrics.to_dict() for name, each in against.items()},
            "comparison": {name: each.comparison.to_dict() for name, each in against.items()},
        }

    def summary(self) -> str:
        """How it was fitted, in one line."""
        return f"{self.model.partition(', ')[2]}, a model a label, C={self.C:g}; {self.seconds:.0f}s"


def fit_baseline_of_each(
    splits: Splits, labels: Sequence[str], config: Config, listener: Listener, columns: ExtraColumns | None = None
) -> BaselineOfEach:
    """Fit a model of each label to the training rows with the run's class weights.

    The validation rows choose the calibration, the thresholds and C: that of the least log loss of all labels. Other
    columns are further features.
    """
    # Imported here: a mistake in the data must not wait until scikit-learn is loaded.
    from rnn_cli.linear.logistic import fit_each_label
    from rnn_cli.linear.tfidf import fit_features

    listener.note("fitting the linear baseline, a model for each label")
    started = time.perf_counter()
    listener.doing("linear baseline: counting words")
    features = fit_features(splits.train.texts, splits.validation.texts, outputs=len(labels))
    rows = splits.train.select(features.rows.tolist())
    held_out = {name: with_columns(features.of(side.texts), columns, side) for name, side in splits.held_out.items()}
    matrix = with_columns(features.matrix, columns, rows)
    truth, held_truth = (label_flags(labels, side.label_sets) for side in (rows, splits.validation))
    steps, total = count(1), len(labels) * len(STRENGTHS)

    def done() -> None:
        listener.progress("linear baseline: fits", next(steps), total)

    positive = positive_weights(rows, labels, config.training).astype(np.float64)
    weights = np.array(rows.weights or [1.0] * len(rows))[:, None] * np.where(truth == 1, positive, 1.0)
    least = np.inf
    for strength, fitted in zip(STRENGTHS, fit_each_label(matrix, truth, STRENGTHS, weights, done), strict=True):
        found = sigmoid(held_out["validation"] @ fitted[0] + fitted[1])
        loss = float(log_losses_of_each(held_truth, found).mean())
        if loss < least:
            least, chosen, chosen_strength, validation = loss, fitted, strength, found
    listener.doing("linear baseline: measuring it")
    calibration = fit_calibration_of_each(held_truth, validation)
    decision, _ = decide_each(config.decision, held_truth, calibration.of(validation))
    scored = {name: calibration.of(sigmoid(each @ chosen[0] + chosen[1])) for name, each in held_out.items()}
    baseline = BaselineOfEach(
        model=f"logistic regression, TF-IDF of {features.kind.name}{' beside other columns' * (columns is not None)}",
        C=chosen_strength,
        features=matrix.shape[1],
        rows=len(features.rows),
        seconds=time.perf_counter() - started,
        sides={name: (each, decision.choose(each)) for name, each in scored.items()},
    )
    listener.note(f"linear baseline: {baseline.summary()}")
    return baseline
