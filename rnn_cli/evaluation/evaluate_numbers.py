"""A predictor of numbers, measured on labelled texts."""

from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from rnn_cli.arrays import Floats
from rnn_cli.bundle.model_folder import Bundle
from rnn_cli.data.numbers import numbers_of
from rnn_cli.data.rows import Dataset
from rnn_cli.evaluation.compare import DETAILS, baseline_kept_of, metrics_kept_of, reading_metrics
from rnn_cli.evaluation.evaluate import Evaluation, NamesOfSlices, TokenCounts, encode_counted, made_of, models_of
from rnn_cli.evaluation.evaluate_several import SeveralEvaluation
from rnn_cli.evaluation.numbers import (
    AgainstMedian,
    NumberComparison,
    NumberMetrics,
    NumberSlice,
    measure_numbers,
    slices_of_numbers,
)
from rnn_cli.evaluation.seen import SeenRows
from rnn_cli.evaluation.wording_numbers import numbers_table
from rnn_cli.scoring.predictor import OnScored, Predictor, Scores
from rnn_cli.scoring.unknown import UnknownTokens
from rnn_cli.text.plain import html_table

if TYPE_CHECKING:
    import pandas

    from rnn_cli.evaluation.folds import CrossValidation

MEDIAN = "median"
"""In a run's metrics: the median of the training rows' numbers."""


@dataclass(frozen=True)
class NumberBaseline:
    """The linear baseline's metrics on some rows, and the network (the first) compared with it (the second).

    `knew_more` says that the network was trained on other rows before, which the baseline has not seen; `by_folds` that
    the test and its interval are those of a cross-validation's folds.
    """

    metrics: NumberMetrics
    comparison: NumberComparison
    knew_more: bool
    by_folds: bool = False


@dataclass(frozen=True, repr=False)
class NumberEvaluation:
    """A model's numbers for labelled texts, and how far they are off.

    `reading` counts what was read of the texts. `baseline` is the linear model on the same rows, if the run saved it;
    `baseline_left_out` says that it is omitted because the model now computes differently. `median` compares with
    always predicting the training rows' median. `slices` are the metrics by the column `by`, if asked for. `seen` says
    which of the rows given the model learned from; None for its own test and validation rows. `made` says in words what
    the model is. `warnings` deserve a second look. `model` is the model's folder.
    """

    dataset: Dataset
    scores: Scores
    metrics: NumberMetrics
    reading: TokenCounts
    baseline: NumberBaseline | None = None
    baseline_left_out: bool = False
    median: AgainstMedian | None = None
    by: str | None = None
    slices: tuple[NumberSlice, ...] = ()
    seen: SeenRows | None = None
    folds: "CrossValidation | None" = None
    made: str = "network"
    warnings: tuple[str, ...] = ()
    model: Path | None = None

    @cached_property
    def truth(self) -> Floats:
        """The true numbers, `[rows]`."""
        return numbers_of(self.dataset)

    @property
    def predicted(self) -> Floats:
        """The predicted numbers, `[rows]`."""
        return self.scores.probabilities[:, 0]

    def to_dict(self) -> dict[str, Any]:
        """The metrics as plain values."""
        plain = self.metrics.to_dict()
        if self.median is not None:
            plain["median"] = asdict(self.median)
        if self.baseline is not None:
            compared = self.baseline.comparison.to_dict()
            plain |= {"baseline": self.baseline.metrics.to_dict(), "comparison": compared}
        if self.by is not None:
            plain |= {"by": self.by, "slices": [asdict(each) for each in self.slices]}
        if self.seen is not None:
            plain["seen"] = self.seen.to_dict()
        if self.folds is not None:
            plain[DETAILS] = asdict(self.folds)
        return plain

    def to_frame(self) -> "pandas.DataFrame":
        """A table of pandas with one row a text: line, text, label (the true number as written) and prediction."""
        import pandas

        rows = self.dataset
        files = {} if rows.files is None else {"file": rows.files}
        columns = {"line": rows.lines, "text": rows.texts, "label": rows.labels, "prediction": self.predicted}
        return pandas.DataFrame({**files, **columns})

    def __repr__(self) -> str:
        """The rows and the main metrics."""
        found = self.metrics
        explained = "" if found.r2 is None else f", R² {found.r2:.3f}"
        error = f"mean absolute error {found.mean_absolute_error:.4g}"
        return f"NumberEvaluation({self.dataset.name}, {found.rows:,} rows: {error}{explained})"

    def _repr_html_(self) -> str:
        """The metrics with their intervals as a table, for a notebook."""
        return html_table(*numbers_table(self.dataset.name, models_of(self)))


EvaluationOfAny = Evaluation | SeveralEvaluation | NumberEvaluation
"""A model measured, of any kind of labels."""


def evaluate_numbers(predictor: Predictor, dataset: Dataset, on_scored: OnScored | None = None) -> NumberEvaluation:
    """Score labelled texts and measure the numbers; raises `DataError` for a label that is no number."""
    truth = numbers_of(dataset)
    encoded, reading = encode_counted(predictor.tokenizer, dataset.texts)
    tokens = UnknownTokens(reading.read, reading.unknown)
    scores = replace(predictor.score_encoded(encoded, on_scored), tokens=tokens)
    metrics = measure_numbers(truth, scores.probabilities[:, 0])
    return NumberEvaluation(dataset, scores, metrics, reading, made=made_of(predictor))


def against_median(evaluation: NumberEvaluation, median: float | None) -> NumberEvaluation:
    """The same beside always predicting the training rows' median, if it is known."""
    if median is None:
        return evaluation
    return replace(evaluation, median=AgainstMedian.of(evaluation.truth, evaluation.predicted, median))


def sliced_numbers(evaluation: NumberEvaluation, found: tuple[str, NamesOfSlices] | None) -> NumberEvaluation:
    """The same with slices, as `slice_names` found them."""
    if found is None:
        return evaluation
    by, names = found
    slices = slices_of_numbers(evaluation.truth, evaluation.predicted, names(evaluation.reading.lengths))
    return replace(evaluation, by=by, slices=tuple(slices))


def kept_median(opened: Bundle) -> float | None:
    """The median of a run's training rows; None of an export. Raises `BundleError`."""
    with reading_metrics(opened) as kept:
        return float(kept[MEDIAN]) if MEDIAN in kept else None


def kept_metrics_of_numbers(opened: Bundle, side: str) -> NumberMetrics | None:
    """A run's metrics on its `validation` or `test` rows; None where it had no such rows. Raises `BundleError`."""
    return metrics_kept_of(opened, side, NumberMetrics.from_dict)


def kept_baseline_of_numbers(opened: Bundle, side: str) -> NumberBaseline | None:
    """A run's baseline on its `validation` or `test` rows; None where it fitted none. Raises `BundleError`."""
    found = baseline_kept_of(opened, side, NumberMetrics.from_dict, TypeAdapter(NumberComparison).validate_python)
    return None if found is None else NumberBaseline(*found)
