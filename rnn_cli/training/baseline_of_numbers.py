"""The linear model that a network of numbers is compared with: ridge regression on TF-IDF. Takes no TensorFlow."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rnn_cli.arrays import Floats
from rnn_cli.data.numbers import numbers_of
from rnn_cli.data.splits import Splits
from rnn_cli.evaluation.numbers import compare_numbers, measure_numbers
from rnn_cli.training.listener import Listener

if TYPE_CHECKING:  # loading them loads ONNX Runtime
    from rnn_cli.evaluation.evaluate_numbers import NumberBaseline, NumberEvaluation

RIDGE_PENALTIES = (10.0, 3.0, 1.0, 0.3, 0.1, 0.03)
"""The penalties of a weight's square that are tried."""


@dataclass(frozen=True)
class BaselineOfNumbers:
    """A fitted linear model of numbers, represented by its predictions.

    `model` names it, `penalty` is one of `RIDGE_PENALTIES`, `features` and `rows` are the size of its training matrix;
    `seconds` cover counting and all fits. `sides` holds the numbers, `[rows]`, twice, of `validation` and, if there are
    such rows, `test`.
    """

    model: str
    penalty: float
    features: int
    rows: int
    seconds: float
    sides: Mapping[str, tuple[Floats, Floats]]

    def against(self, side: str, network: "NumberEvaluation", knew_more: bool) -> "NumberBaseline":
        """Compare the network with it on the rows of one side; `knew_more` as in `NumberBaseline`."""
        from rnn_cli.evaluation.evaluate_numbers import NumberBaseline

        mine = self.sides[side][0]
        metrics = measure_numbers(network.truth, mine)
        return NumberBaseline(metrics, compare_numbers(network.truth, network.predicted, mine), knew_more)

    def columns(self, side: str) -> dict[str, Any]:
        """Columns for a table of one side's rows: the numbers."""
        return {"baseline_prediction": self.sides[side][0]}

    def to_dict(self, against: "Mapping[str, NumberBaseline]") -> dict[str, Any]:
        """The `baseline` part of `metrics.json`. It has no seconds, so that a repeated run writes the same file."""
        return {
            "model": self.model,
            "penalty": self.penalty,
            "features": self.features,
            "rows": self.rows,
            **{name: each.metrics.to_dict() for name, each in against.items()},
            "comparison": {name: each.comparison.to_dict() for name, each in against.items()},
        }

    def summary(self) -> str:
        """How it was fitted, in one line."""
        return f"{self.model}, penalty {self.penalty:g}; {self.seconds:.0f}s"


def fit_baseline_of_numbers(splits: Splits, listener: Listener) -> BaselineOfNumbers:
    """Fit to the training rows' numbers; the penalty is that of the least validation error."""
    # Imported here: a mistake in the data must not wait until scikit-learn is loaded.
    from sklearn.linear_model import Ridge
    from threadpoolctl import threadpool_limits

    from rnn_cli.linear.tfidf import fit_features

    listener.note("fitting the linear baseline")
    started = time.perf_counter()
    listener.doing("linear baseline: counting words")
    features = fit_features(splits.train.texts, splits.validation.texts, outputs=1)
    truth = numbers_of(splits.train)[features.rows]
    held_out = {name: features.of(side.texts) for name, side in splits.held_out.items()}
    wanted, least = numbers_of(splits.validation), np.inf
    center, scale = float(truth.mean()), float(truth.std()) or 1.0
    for step, penalty in enumerate(RIDGE_PENALTIES):
        listener.progress("linear baseline: fits", step, len(RIDGE_PENALTIES))
        with threadpool_limits(1):  # several threads differ in the last digits
            ridge = Ridge(penalty, solver="sparse_cg", max_iter=1_000, tol=1e-4)
            ridge.fit(features.matrix, (truth - center) / scale)
        error = float(np.abs(center + scale * ridge.predict(held_out["validation"]) - wanted).mean())
        if error < least:
            least, model, chosen = error, ridge, penalty
    listener.doing("linear baseline: measuring it")
    scored = {name: center + scale * model.predict(each).astype(np.float64) for name, each in held_out.items()}
    baseline = BaselineOfNumbers(
        model=f"ridge regression, TF-IDF of {features.kind.name}",
        penalty=chosen,
        features=features.matrix.shape[1],
        rows=len(features.rows),
        seconds=time.perf_counter() - started,
        sides={name: (each, each) for name, each in scored.items()},
    )
    listener.note(f"linear baseline: {baseline.summary()}")
    return baseline
