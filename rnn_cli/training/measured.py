"""What the end of a run found out: how the network decides, and how good it is on the rows kept aside."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnn_cli.evaluation.evaluate_numbers import EvaluationOfAny
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.training.int8 import Int8

if TYPE_CHECKING:  # loading it takes a moment
    import pandas


@dataclass(frozen=True)
class Measured:
    """The calibrated predictor that decides, and its measures.

    `stored` are the fields of the manifest that hold calibration and decision; `sides` are the evaluations of
    `validation` and, if there are such rows, `test`, with the baseline; `metrics` is the content of metrics.json, and
    `tables` the rows with their predictions by side.
    """

    predictor: Predictor
    stored: Mapping[str, Any]
    sides: Mapping[str, EvaluationOfAny]
    metrics: Mapping[str, Any]
    tables: "Mapping[str, pandas.DataFrame]"
    int8: Int8
