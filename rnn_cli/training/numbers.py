"""What a run of numbers does its own way: the weights of its parts, and its end. Takes no TensorFlow."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rnn_cli.arrays import Floats
from rnn_cli.data.numbers import numbers_of
from rnn_cli.evaluation.evaluate_numbers import MEDIAN, against_median, evaluate_numbers
from rnn_cli.training.baseline_of_numbers import BaselineOfNumbers
from rnn_cli.training.listener import Listener
from rnn_cli.training.several import PENALTY

if TYPE_CHECKING:
    from rnn_cli.scoring.predictor import Predictor
    from rnn_cli.training.measured import Measured
    from rnn_cli.training.prepare import Prepared


def mixed_of_numbers(parts: Sequence[Floats], truth: Floats, weights: Floats, prior: Floats) -> Floats:
    """The weight of each part's numbers, each `[rows]`, none negative, that minimize the squared error of the rows.

    `weights` are the rows'. A penalty keeps the weights of the parts near `prior`.
    """
    from scipy.optimize import nnls

    root = np.sqrt(weights)
    # Each row of the penalty is one more equation.
    rows = np.vstack([np.stack(parts, axis=1) * root[:, None], np.sqrt(PENALTY) * np.eye(len(parts))])
    found, _ = nnls(rows, np.concatenate([truth * root, np.sqrt(PENALTY) * prior]))
    return np.asarray(found)


def measure_run_of_numbers(run: "Prepared", plain: "Predictor", graph: bytes, listener: Listener) -> "Measured":
    """Try 8 bits, and measure, the test rows once and last."""
    from rnn_cli.scoring.predictor import INT8_METRICS
    from rnn_cli.training.int8 import try_int8
    from rnn_cli.training.measured import Measured

    listener.doing("trying the network in 8 bits")
    median = float(np.median(numbers_of(run.splits.train)))
    sides = {"validation": against_median(evaluate_numbers(plain, run.splits.validation), median)}
    int8 = try_int8(graph, run.config.model, plain, sides["validation"])
    listener.note(int8.summary())
    listener.doing("measuring on the test rows")
    if len(run.splits.test):
        sides["test"] = against_median(evaluate_numbers(plain, run.splits.test), median)
    metrics: dict[str, Any] = {name: side.metrics.to_dict() for name, side in sides.items()}
    metrics |= {MEDIAN: median, INT8_METRICS: int8.to_dict()}
    tables = {name: side.to_frame().filter(items=("text", "label", "prediction")) for name, side in sides.items()}
    if isinstance(run.baseline, BaselineOfNumbers):
        linear, knew_more = run.baseline, run.origin is not None
        against = {name: linear.against(name, side, knew_more) for name, side in sides.items()}
        metrics["baseline"] = linear.to_dict(against)
        sides = {name: replace(side, baseline=against[name]) for name, side in sides.items()}
        tables = {name: table.assign(**linear.columns(name)) for name, table in tables.items()}
    return Measured(plain, {}, sides, metrics, tables, int8)
