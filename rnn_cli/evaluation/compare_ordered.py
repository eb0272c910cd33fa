"""Two or more models of ordered labels, compared by how far their predictions for the same rows are off."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnn_cli.arrays import label_indices
from rnn_cli.data.reading.table import quoted_names
from rnn_cli.errors import DataError
from rnn_cli.evaluation.compare import (
    ComparedModel,
    ComparedModels,
    LabelledPredictions,
    holm,
    matching_rows,
    refuse_other_spelling,
)
from rnn_cli.evaluation.intervals import Interval, losses_interval
from rnn_cli.evaluation.ordered import OrderedComparison, absolute_errors, compare_ordered, quadratic_kappa
from rnn_cli.evaluation.scores import confusion_of
from rnn_cli.evaluation.wording import EVERY
from rnn_cli.text.plain import html_table


@dataclass(frozen=True, kw_only=True)
class ComparedOrdered(ComparedModel):
    """A model's main metrics, how far it is off, and how it differs from the first model.

    `p_corrected` is the p-value of the mean absolute error, corrected for the number of models compared with the first
    (Holm's).
    """

    mean_absolute_error: float
    mean_absolute_error_interval: Interval | None
    quadratic_kappa: float | None
    against_first: OrderedComparison | None


@dataclass(frozen=True, repr=False)
class OrderedModelComparison(ComparedModels):
    """Models of ordered labels."""

    models: tuple[ComparedOrdered, ...]

    def _repr_html_(self) -> str:
        """The models' metrics as a table, for a notebook."""
        rows = []
        for model in self.models:
            other, gain = model.against_first, ""
            if other is not None:
                low, high = other.error_interval
                gain = f"{other.error_difference:+.3f} ({low:+.3f} to {high:+.3f})"
            p = "" if model.p_corrected is None else f"{model.p_corrected:.3g}"
            rows.append((model.name, f"{model.mean_absolute_error:.3f}", f"{model.accuracy:.1%}", gain, p))
        head = (f"{self.rows:,} rows", "mean absolute error", "accuracy", f"against the first ({EVERY})", "p")
        return html_table(head, rows)


def order_of(every: Sequence[LabelledPredictions]) -> tuple[str, ...] | None:
    """The order of the labels that the models have, or one of them; None where no model has ordered labels.

    Raises `DataError` where two orders differ, or one lacks a label of the rows or predictions.
    """
    orders = [(each.name, each.order) for each in every if each.order is not None]
    if not orders:
        return None
    first, order = max(orders, key=lambda each: len(each[1]))
    for name, other in orders:
        if [label for label in order if label in other] != list(other):
            hint = "compare models of the same labels in the same order"
            raise DataError(f"orders its labels otherwise than {first}", where=name, hint=hint)
    for each in every:
        if others := sorted({*each.labels, *each.predictions} - set(order)):
            what = f"has the label {others[0]!r}, which is none of {first}'s ({quoted_names(order)})"
            raise DataError(what, where=each.name, hint="compare models of the same labels")
    return order


def compare_models_of_ordered(every: Sequence[LabelledPredictions], labels: Sequence[str]) -> OrderedModelComparison:
    """Measure two or more models, and compare each with the first; `labels` are in their order.

    Raises `DataError` if their rows differ.
    """
    orders = matching_rows(every)
    for each in every:
        refuse_other_spelling(each)
    truth = label_indices(labels, every[0].labels)
    given = [label_indices(labels, each.predictions)[order] for each, order in zip(every, orders, strict=True)]
    compared = [compare_ordered(labels, truth, each, given[0]) for each in given[1:]]
    corrected = holm([each.error_p_value for each in compared])
    models = []
    for predicted, order, found, against, p in zip(
        every, orders, given, (None, *compared), (None, *corrected), strict=True
    ):
        losses = None if predicted.log_losses is None else predicted.log_losses[order]
        errors, confusion = absolute_errors(labels, truth, found), confusion_of(truth, found, len(labels))
        kappa = quadratic_kappa(confusion)
        models.append(
            ComparedOrdered.of(
                predicted.name,
                confusion,
                losses,
                against_first=against,
                p_corrected=p,
                mean_absolute_error=float(errors.mean()),
                mean_absolute_error_interval=losses_interval(errors, int((errors > 0).sum())),
                quadratic_kappa=None if np.isnan(kappa) else kappa,
            )
        )
    return OrderedModelComparison(len(truth), tuple(models))
