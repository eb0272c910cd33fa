"""A linear baseline once it is fitted: what it answered, what it is held against, and how a checkpoint keeps it.

Knows nothing of how it is fitted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rnn_cli.arrays import label_indices
from rnn_cli.data.rows import Dataset
from rnn_cli.data.splits import Splits
from rnn_cli.errors import BundleError
from rnn_cli.evaluation.compare import BaselineComparison, compare_predictions
from rnn_cli.evaluation.metrics import Metrics, measure

if TYPE_CHECKING:  # loading it loads ONNX Runtime
    from rnn_cli.evaluation.evaluate import Evaluation


@dataclass(frozen=True)
class KeptBaseline:
    """A linear baseline as a checkpoint keeps it: `numbers` are fields of `Baseline`, by their names.

    `sides` holds the probabilities `[rows, labels]` and the answers `[rows]` of each side, `validation` and `test`.
    """

    numbers: Mapping[str, Any]
    sides: Mapping[str, tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]]


@dataclass(frozen=True)
class ScoredSide:
    """The baseline's answers to the rows of one side and how good they are.

    `truth` and `answers` are indices into the run's labels, `[rows]`; `probabilities` is `[rows, labels]`.
    """

    truth: npt.NDArray[np.intp]
    probabilities: npt.NDArray[np.float64]
    predicted: npt.NDArray[np.intp]
    metrics: Metrics


@dataclass(frozen=True)
class Baseline:
    """A fitted linear model, known by what it answered: `sides` are `validation` and, if there are such rows, `test`.

    `model` names it in words, `C` is the chosen one of `STRENGTHS`, `features` and `rows` count what it was fitted on;
    `seconds` are those of all fits, counting the features included; `temperature` and `threshold` are what a bundle's
    manifest calls so.
    """

    model: str
    C: float
    features: int
    rows: int
    seconds: float
    temperature: float
    threshold: float
    sides: Mapping[str, ScoredSide]

    def against(self, name: str, network: "Evaluation", knew_more: bool) -> BaselineComparison:
        """The network held against it on the rows of one side; `knew_more` is `Against`'s."""
        side = self.sides[name]
        labels = side.probabilities.shape[1]
        return BaselineComparison(
            side.metrics, compare_predictions(side.truth, network.predicted, side.predicted, labels), knew_more
        )

    def columns(self, name: str) -> pd.DataFrame:
        """One row a text of one side: the prediction's probability and the prediction."""
        side = self.sides[name]
        return pd.DataFrame(
            {
                "baseline_probability": side.probabilities[np.arange(len(side.predicted)), side.predicted],
                "baseline_prediction": [side.metrics.labels[answer] for answer in side.predicted],
            }
        )

    def to_dict(self, against: Mapping[str, BaselineComparison]) -> dict[str, Any]:
        """What `metrics.json` tells of it. Not the seconds, so that a run repeated writes the same file."""
        return {
            "model": self.model,
            "C": self.C,
            "features": self.features,
            "rows": self.rows,
            "temperature": self.temperature,
            "threshold": self.threshold,
            **{name: each.metrics.to_dict() for name, each in against.items()},
            "comparison": {name: each.comparison.to_dict() for name, each in against.items()},
        }

    def kept(self) -> KeptBaseline:
        """What a checkpoint keeps of it."""
        numbers = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "sides"}
        return KeptBaseline(numbers, {name: (side.probabilities, side.predicted) for name, side in self.sides.items()})

    def in_words(self, rows: int) -> str:
        """What it came to, of so many training rows."""
        some = "" if self.rows == rows else f", on {self.rows:,} training rows by chance"
        return (
            f"validation {self.sides['validation'].metrics.accuracy:.1%} "
            f"({self.model.partition(', ')[2]}, C={self.C:g}{some}; {self.seconds:.0f}s)"
        )

    @classmethod
    def restored(cls, kept: KeptBaseline, splits: Splits, labels: Sequence[str]) -> "Baseline":
        """The same baseline of the same rows again; raises `BundleError` if they are others."""
        sides = {}
        for name, truth in true_indices(splits, labels).items():
            if name not in kept.sides or len(kept.sides[name][1]) != len(truth):
                raise BundleError("the checkpoint's linear baseline is of other rows")
            probabilities, predicted = kept.sides[name]
            sides[name] = ScoredSide(truth, probabilities, predicted, measure(labels, truth, probabilities, predicted))
        return cls(**kept.numbers, sides=sides)


def sides_of(splits: Splits) -> dict[str, Dataset]:
    """The rows that are answered, by their side's name: `validation` and, if there are such, `test`."""
    return {"validation": splits.validation} | ({"test": splits.test} if len(splits.test) else {})


def true_indices(splits: Splits, labels: Sequence[str]) -> dict[str, npt.NDArray[np.intp]]:
    """The true labels of each side's rows, as indices into `labels`."""
    return {name: label_indices(labels, side.labels) for name, side in sides_of(splits).items()}
