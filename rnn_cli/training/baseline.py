"""The linear model that a network is compared with: TF-IDF and logistic regression on the very same rows.

It is meant to be hard to beat: on a few thousand texts it is often the better classifier. Takes no TensorFlow.

Source: Wang and Manning (2012), Baselines and bigrams: simple, good sentiment and topic classification;
Joachims (1998), Text categorization with support vector machines: learning with many relevant features.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from rnn_cli.arrays import Floats, Indices, label_indices
from rnn_cli.columns import ExtraColumns
from rnn_cli.config.schema import Config
from rnn_cli.data.rows import Dataset
from rnn_cli.data.splits import Splits
from rnn_cli.evaluation.compare import BaselineComparison, compare_predictions
from rnn_cli.evaluation.decide import decide
from rnn_cli.evaluation.metrics import measure
from rnn_cli.evaluation.ordered import OrderedMetrics, compare_ordered, measure_ordered
from rnn_cli.evaluation.scores import log_losses
from rnn_cli.scoring.decision import Decision
from rnn_cli.scoring.ordered import DecisionOfOrdered
from rnn_cli.training.encoding import label_weights, row_weights, with_columns
from rnn_cli.training.listener import Listener

if TYPE_CHECKING:  # loading them loads ONNX Runtime and scikit-learn
    from rnn_cli.evaluation.evaluate import Evaluation
    from rnn_cli.linear.logistic import Logistic

BASELINE_STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
"""The values of C, the inverse of the penalty's strength, that are tried."""


@dataclass(frozen=True)
class Baseline:
    """A fitted linear model, represented by its predictions.

    `model` names it, `C` is one of `BASELINE_STRENGTHS`, `features` and `rows` are the size of its training matrix;
    `seconds` cover counting and all fits; `temperature` and `threshold` mean what they mean in a bundle's manifest,
    `vector_scaling` says whether there was any on top.
    `sides` holds the probabilities `[rows, labels]` and the predicted labels' indices `[rows]` of `validation` and, if
    there are such rows, `test`.
    """

    model: str
    C: float
    features: int
    rows: int
    seconds: float
    temperature: float
    threshold: float
    vector_scaling: bool
    sides: Mapping[str, tuple[Floats, Indices]]

    def against(self, side: str, network: "Evaluation", knew_more: bool) -> BaselineComparison:
        """Compare the network with it on the rows of one side; `knew_more` as in `BaselineComparison`."""
        labels, truth = network.metrics.labels, network.truth
        probabilities, predicted = self.sides[side]
        if isinstance(network.metrics, OrderedMetrics):
            measured = measure_ordered(labels, truth, probabilities, predicted)
            compared = compare_ordered(labels, truth, network.predicted, predicted)
            return BaselineComparison(measured, compared, knew_more, of=network.made)
        metrics = measure(labels, truth, probabilities, predicted)
        return BaselineComparison(
            metrics, compare_predictions(truth, network.predicted, predicted, len(labels)), knew_more, of=network.made
        )

    def columns(self, side: str, labels: Sequence[str]) -> dict[str, Any]:
        """Columns for a table of one side's rows: the predicted label, and its probability."""
        probabilities, predicted = self.sides[side]
        return {
            "baseline_probability": probabilities[np.arange(len(predicted)), predicted],
            "baseline_prediction": [labels[index] for index in predicted],
        }

    def to_dict(self, against: Mapping[str, BaselineComparison]) -> dict[str, Any]:
        """The `baseline` part of `metrics.json`. It has no seconds, so that a repeated run writes the same file."""
        return {
            "model": self.model,
            "C": self.C,
            "features": self.features,
            "rows": self.rows,
            "temperature": self.temperature,
            "threshold": self.threshold,
            "vector_scaling": self.vector_scaling,
            **{name: each.metrics.to_dict() for name, each in against.items()},
            "comparison": {name: each.comparison.to_dict() for name, each in against.items()},
        }

    def summary(self, splits: Splits, labels: Sequence[str]) -> str:
        """Its validation accuracy and how it was fitted, in one line."""
        right = self.sides["validation"][1] == label_indices(labels, splits.validation.labels)
        sample = "" if self.rows == len(splits.train) else f", on {self.rows:,} training rows by chance"
        return (
            f"validation {right.mean():.1%} "
            f"({self.model.partition(', ')[2]}, C={self.C:g}{sample}; {self.seconds:.0f}s)"
        )


def fit_baseline(
    splits: Splits, labels: Sequence[str], config: Config, listener: Listener, columns: ExtraColumns | None = None
) -> Baseline | None:
    """Fit it on the training rows with the run's class weights; the validation rows choose C, calibration, threshold.

    The best C is the one of the highest validation accuracy, then of the least log loss. On ten splits of the set
    `rotten_tomatoes` this reached 76.8 % of the validation and 76.8 % of the test rows, the least log loss alone 76.3 %
    and 76.7 %. Other columns are further features. None, with a note, where all training rows have one label, as in
    further training.
    """
    # Imported here: a mistake in the data must not wait until scikit-learn is loaded.
    from rnn_cli.linear.tfidf import fit_features
    from rnn_cli.training.calibration import fit_calibration

    if len(set(splits.train.labels)) == 1:
        listener.note("no linear baseline: all training rows have the same label")
        return None
    listener.note("fitting the linear baseline")
    started = time.perf_counter()
    listener.doing("linear baseline: counting words")
    features = fit_features(splits.train.texts, splits.validation.texts, outputs=1 if len(labels) == 2 else len(labels))
    held_out = {name: with_columns(features.of(side.texts), columns, side) for name, side in splits.held_out.items()}
    rows = splits.train.select(features.rows.tolist())
    matrix = with_columns(features.matrix, columns, rows)
    truth = label_indices(labels, splits.validation.labels)
    best: tuple[float, float] | None = None
    for strength, model in _fits(matrix, rows, labels, config, listener):
        found = model.probabilities(held_out["validation"])
        merit = (_merit(truth, found, config), -float(log_losses(truth, found).mean()))
        if best is None or merit > best:
            best, chosen, chosen_strength, validation = merit, model, strength, found
    listener.doing("linear baseline: measuring it")
    calibration = fit_calibration(truth, validation, config, of_softmax=True).calibration
    decision = decide(config.decision, truth, calibration.of(validation), ordered=config.data.ordered).decision
    scored = {name: calibration.of(chosen.probabilities(each)) for name, each in held_out.items()}
    baseline = Baseline(
        model=f"logistic regression, TF-IDF of {features.kind.name}{' beside other columns' * (columns is not None)}",
        C=chosen_strength,
        features=matrix.shape[1],
        rows=len(features.rows),
        seconds=time.perf_counter() - started,
        temperature=calibration.temperature,
        threshold=decision.threshold,
        vector_scaling=bool(calibration.scales),
        sides={name: (each, decision.choose(each)) for name, each in scored.items()},
    )
    listener.note(f"linear baseline: {baseline.summary(splits, labels)}")
    return baseline


def _merit(truth: Indices, probabilities: Floats, config: Config) -> float:
    """How good a strength is: the accuracy; of ordered labels how few places a prediction is off."""
    if config.data.ordered and config.decision.choice == "median":
        return -float(np.abs(DecisionOfOrdered(choice="median").choose(probabilities) - truth).mean())
    return float((Decision().choose(probabilities) == truth).mean())


def _fits(
    matrix: Any, rows: Dataset, labels: Sequence[str], config: Config, listener: Listener
) -> "Iterator[tuple[float, Logistic]]":
    """A model for each of `BASELINE_STRENGTHS`, fitted from the weights of the one before."""
    from rnn_cli.linear.logistic import HANDFUL, fit_path

    of_label = label_weights(rows.labels, labels, config.training)
    weights = np.array(row_weights(rows, of_label))
    classes = label_indices(labels, rows.labels)
    fits_each = len(set(rows.labels)) if len(labels) > HANDFUL else 1
    done = count()

    def progress() -> None:
        listener.progress("linear baseline: fits", next(done), fits_each * len(BASELINE_STRENGTHS))

    progress()
    models = fit_path(matrix, classes, len(labels), BASELINE_STRENGTHS, weights, on_fit=progress)
    yield from zip(BASELINE_STRENGTHS, models, strict=True)
