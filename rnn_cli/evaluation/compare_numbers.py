"""Two or more models of numbers, compared by how far their predictions for the same rows are off."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from rnn_cli.arrays import Floats
from rnn_cli.data.numbers import number_in
from rnn_cli.errors import DataError
from rnn_cli.evaluation.compare import ComparedModels, LabelledPredictions, holm, matching_rows
from rnn_cli.evaluation.numbers import NumberComparison, NumberMetrics, compare_numbers, measure_numbers
from rnn_cli.evaluation.wording import EVERY, span
from rnn_cli.evaluation.wording_numbers import in_unit, number_value
from rnn_cli.text.plain import html_table

if TYPE_CHECKING:
    from rnn_cli.evaluation.evaluate_numbers import NumberEvaluation


@dataclass(frozen=True, kw_only=True)
class ComparedNumbers(NumberMetrics):
    """A model's metrics, and how it differs from the first model.

    `against_first` is None for the first model; `p_corrected` is its p-value corrected for the number of models
    compared with the first (Holm's).
    """

    name: str
    against_first: NumberComparison | None
    p_corrected: float | None


@dataclass(frozen=True, repr=False)
class NumberModelComparison(ComparedModels):
    """Models of numbers."""

    models: tuple[ComparedNumbers, ...]

    def _repr_html_(self) -> str:
        """The models' metrics as a table, for a notebook."""
        rows = []
        for model in self.models:
            other, gain = model.against_first, ""
            if other is not None:
                unit = partial(in_unit, spread=model.spread)
                gain = f"{unit(other.error_difference)} ({span(other.error_interval, unit)})"
            p = "" if model.p_corrected is None else f"{model.p_corrected:.3g}"
            rows.append((model.name, *(number_value(model, name) for name in ("mean_absolute_error", "r2")), gain, p))
        head = (f"{self.rows:,} rows", "mean absolute error", "R²", f"against the first ({EVERY})", "p")
        return html_table(head, rows)


def number_predictions_of(name: str, evaluation: "NumberEvaluation") -> LabelledPredictions:
    """The numbers of the model called `name` for all rows of an evaluation, identified by their places."""
    rows = evaluation.dataset
    return LabelledPredictions(
        name=name,
        keys={"id": [rows.where(row) for row in range(len(rows))], "text": rows.texts},
        labels=rows.labels,
        predictions=[repr(each) for each in evaluation.predicted.tolist()],
        log_losses=None,
        number=True,
    )


def are_numbers(every: Sequence[LabelledPredictions]) -> bool:
    """Whether numbers are predicted: by one of the models, or in files where all are numbers, some with decimals."""
    if any(each.number for each in every):
        return True
    found = [number_in(value) for each in every for value in {*each.labels, *each.predictions}]
    return all(each is not None for each in found) and any(each != int(each) for each in found if each is not None)


def compare_models_of_numbers(every: Sequence[LabelledPredictions]) -> NumberModelComparison:
    """Measure two or more models, and compare each with the first.

    Raises `DataError` if their rows differ, or one predicts what is no number.
    """
    orders = matching_rows(every)
    truth = _numbers(every[0].labels, every[0].name, "label")
    given = [_numbers(each.predictions, each.name, "predict")[order] for each, order in zip(every, orders, strict=True)]
    compared = [compare_numbers(truth, each, given[0]) for each in given[1:]]
    corrected = holm([each.error_p_value for each in compared])
    models = []
    for predicted, found, against, p in zip(every, given, (None, *compared), (None, *corrected), strict=True):
        metrics = asdict(measure_numbers(truth, found))
        models.append(ComparedNumbers(**metrics, name=predicted.name, against_first=against, p_corrected=p))
    return NumberModelComparison(len(truth), tuple(models))


def _numbers(values: Sequence[str], name: str, verb: str) -> Floats:
    found = [number_in(value) for value in values]
    if None in found:
        what = f"{verb}s {values[found.index(None)][:40]!r}, which is no number, and another predicts numbers"
        raise DataError(what, where=name, hint="compare models of the same kind")
    return np.array(found, np.float64)
