"""What a run of several labels a text does its own way: its baseline, the weights of its parts, its end.

Takes no TensorFlow.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from rnn_cli.arrays import Floats, Indices, label_flags
from rnn_cli.config.schema import Config
from rnn_cli.data.splits import Splits
from rnn_cli.evaluation.decide_each import decide_each
from rnn_cli.evaluation.evaluate_several import (
    SeveralBaseline,
    SeveralEvaluation,
    decided_each,
    evaluate_several,
    predicted_sets,
    stored_decision,
    true_flags,
)
from rnn_cli.evaluation.several import compare_several, log_losses_of_each, measure_several
from rnn_cli.evaluation.wording_several import several_decision_in_words
from rnn_cli.scoring.of_each import CalibrationOfEach, DecisionOfEach, sigmoid
from rnn_cli.training.calibration_each import fit_calibration_of_each
from rnn_cli.training.encoding import positive_weights
from rnn_cli.training.listener import Listener

if TYPE_CHECKING:
    from rnn_cli.scoring.predictor import Predictor
    from rnn_cli.training.measured import Measured
    from rnn_cli.training.prepare import Prepared

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

    def against(self, side: str, network: SeveralEvaluation, knew_more: bool) -> SeveralBaseline:
        """Compare the network with it on the rows of one side; `knew_more` as in `SeveralBaseline`."""
        truth, mine = network.truth, self.sides[side]
        metrics = measure_several(network.metrics.labels, truth, *mine)
        compared = compare_several(truth, (network.scores.probabilities, network.predicted), mine)
        return SeveralBaseline(metrics, compared, knew_more)

    def columns(self, side: str, labels: Sequence[str]) -> dict[str, Any]:
        """Columns for a table of one side's rows: the predicted labels."""
        return {"baseline_prediction": predicted_sets(labels, self.sides[side][1])}

    def to_dict(self, against: Mapping[str, SeveralBaseline]) -> dict[str, Any]:
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


def fit_baseline_of_each(splits: Splits, labels: Sequence[str], config: Config, listener: Listener) -> BaselineOfEach:
    """Fit a model of each label to the training rows with the run's class weights.

    The validation rows choose C, the calibration and the thresholds.

    The best C is that of the least log loss of all labels on the validation rows.
    """
    # Imported here: a mistake in the data must not wait until scikit-learn is loaded.
    from rnn_cli.linear.logistic import fit_each_label
    from rnn_cli.linear.tfidf import fit_features

    listener.note("fitting the linear baseline, a model for each label")
    started = time.perf_counter()
    listener.doing("linear baseline: counting words")
    features = fit_features(splits.train.texts, splits.validation.texts, outputs=len(labels))
    rows = splits.train.select(features.rows.tolist())
    held_out = {name: features.of(side.texts) for name, side in splits.held_out.items()}
    truth, held_truth = (label_flags(labels, side.label_sets) for side in (rows, splits.validation))
    steps, total = count(1), len(labels) * len(STRENGTHS)

    def done() -> None:
        listener.progress("linear baseline: fits", next(steps), total)

    positive = positive_weights(rows, labels, config.training).astype(np.float64)
    weights = np.array(rows.weights or [1.0] * len(rows))[:, None] * np.where(truth == 1, positive, 1.0)
    least = np.inf
    for strength, fitted in zip(
        STRENGTHS, fit_each_label(features.matrix, truth, STRENGTHS, weights, done), strict=True
    ):
        found = sigmoid(held_out["validation"] @ fitted[0] + fitted[1])
        loss = float(log_losses_of_each(held_truth, found).mean())
        if loss < least:
            least, chosen, chosen_strength, validation = loss, fitted, strength, found
    listener.doing("linear baseline: measuring it")
    calibration = fit_calibration_of_each(held_truth, validation)
    decision, _ = decide_each(config.decision, held_truth, calibration.of(validation))
    scored = {name: calibration.of(sigmoid(each @ chosen[0] + chosen[1])) for name, each in held_out.items()}
    baseline = BaselineOfEach(
        model=f"logistic regression, TF-IDF of {features.kind.name}",
        C=chosen_strength,
        features=features.matrix.shape[1],
        rows=len(features.rows),
        seconds=time.perf_counter() - started,
        sides={name: (each, decision.choose(each)) for name, each in scored.items()},
    )
    listener.note(f"linear baseline: {baseline.summary()}")
    return baseline


PENALTY = 1.0
"""What a part's weight costs by its distance from the average, squared: as much as a row's nat or two."""


def mixed_of_each(parts: Sequence[Floats], truth: Indices, weights: Floats, prior: Floats) -> Floats:
    """The weight of each part's logits `[rows, labels]`, none negative, that minimize the log loss of the rows.

    `truth` is 1 or 0 for each label; `weights` are the rows'. A penalty keeps the weights near `prior`.
    """
    from scipy.optimize import minimize

    stacked = np.stack(parts)

    def loss(at: Floats) -> tuple[float, Floats]:
        logits = np.tensordot(at, stacked, 1)
        off = weights[:, None] * (sigmoid(logits) - truth)
        value = float((weights[:, None] * (np.logaddexp(0, logits) - truth * logits)).sum())
        away = at - prior
        return value + PENALTY * float(away @ away), np.tensordot(stacked, off, 2) + 2 * PENALTY * away

    found = minimize(loss, prior, jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(parts)).x
    return np.asarray(found)


def measure_run_of_several(run: "Prepared", plain: "Predictor", graph: bytes, listener: Listener) -> "Measured":
    """Calibrate and choose thresholds on the validation rows, try 8 bits, and measure, the test rows once and last."""
    from rnn_cli.scoring.predictor import INT8_METRICS
    from rnn_cli.training.int8 import try_int8
    from rnn_cli.training.measured import Measured

    rows = run.splits.validation
    plain = plain.adjusted(calibration=CalibrationOfEach())
    calibration = fit_calibration_of_each(true_flags(rows, plain.labels), plain.score(rows.texts).probabilities)
    listener.note(f"calibrated each label on the validation rows: temperature of all {calibration.temperature:.2f}")
    predictor, shortfalls = decided_each(plain.adjusted(calibration=calibration), rows, run.config.decision)
    decision = predictor.decision
    assert isinstance(decision, DecisionOfEach)
    listener.note(f"decided on the validation rows: {several_decision_in_words(decision, run.labels)}")
    for shortfall in shortfalls:
        listener.warn(shortfall)
    listener.doing("trying the network in 8 bits")
    sides = {"validation": evaluate_several(predictor, rows)}
    int8 = try_int8(graph, run.config.model, predictor, sides["validation"])
    listener.note(int8.summary())
    listener.doing("measuring on the test rows")
    if len(run.splits.test):
        sides["test"] = evaluate_several(predictor, run.splits.test)
    metrics: dict[str, Any] = {name: side.to_dict() for name, side in sides.items()}
    metrics["calibration"] = asdict(calibration) | {
        name: {
            when: {"log_loss": float(log_losses_of_each(side.truth, each).mean())}
            for when, each in (
                ("before", calibration.undone(side.scores.probabilities)),
                ("after", side.scores.probabilities),
            )
        }
        for name, side in sides.items()
    }
    metrics[INT8_METRICS] = int8.to_dict()
    tables = {name: side.to_frame().filter(items=("text", "label", "prediction")) for name, side in sides.items()}
    if isinstance(run.baseline, BaselineOfEach):
        linear, knew_more = run.baseline, run.origin is not None
        against = {name: linear.against(name, side, knew_more) for name, side in sides.items()}
        metrics["baseline"] = linear.to_dict(against)
        sides = {name: replace(side, baseline=against[name]) for name, side in sides.items()}
        tables = {name: table.assign(**linear.columns(name, run.labels)) for name, table in tables.items()}
    stored = {**asdict(calibration), **stored_decision(decision)}
    return Measured(predictor, stored, sides, metrics, tables, int8)
