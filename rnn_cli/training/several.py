"""What a run of several labels a text does its own way: the weights of its parts, and its end.

Takes no TensorFlow.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from rnn_cli.arrays import Floats, Indices
from rnn_cli.evaluation.evaluate_several import evaluate_several, stored_decision
from rnn_cli.evaluation.several import log_losses_of_each
from rnn_cli.scoring.of_each import DecisionOfEach, sigmoid
from rnn_cli.training.baseline_of_each import BaselineOfEach
from rnn_cli.training.listener import Listener

if TYPE_CHECKING:
    from rnn_cli.scoring.predictor import Predictor
    from rnn_cli.training.measured import Measured
    from rnn_cli.training.prepare import Prepared

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

    with threadpool_limits(1):  # several threads differ in the last digits
        found = minimize(loss, prior, jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(parts)).x
    return np.asarray(found)


def measure_run_of_several(run: "Prepared", plain: "Predictor", graph: bytes, listener: Listener) -> "Measured":
    """Calibrate and choose thresholds on the validation rows, try 8 bits, and measure, the test rows once and last."""
    from rnn_cli.evaluation.evaluate import kept_columns
    from rnn_cli.scoring.predictor import INT8_METRICS
    from rnn_cli.training.deciding import calibrated_and_decided_of_each
    from rnn_cli.training.int8 import try_int8
    from rnn_cli.training.measured import Measured

    rows = run.splits.validation
    predictor, calibration = calibrated_and_decided_of_each(plain, run, listener)
    decision = predictor.decision
    assert isinstance(decision, DecisionOfEach)
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
    tables = {
        name: side.to_frame()
        .filter(items=("text", "label", "prediction"))
        .assign(**dict[str, Any](kept_columns(predictor, side.dataset)))
        for name, side in sides.items()
    }
    if isinstance(run.baseline, BaselineOfEach):
        linear, knew_more = run.baseline, run.origin is not None
        against = {name: linear.against(name, side, knew_more) for name, side in sides.items()}
        metrics["baseline"] = linear.to_dict(against)
        sides = {name: replace(side, baseline=against[name]) for name, side in sides.items()}
        tables = {name: table.assign(**linear.columns(name, run.labels)) for name, table in tables.items()}
    stored = {**asdict(calibration), **stored_decision(decision)}
    return Measured(predictor, stored, sides, metrics, tables, int8)
