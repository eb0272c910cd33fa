"""Two or more models of several labels a text, compared by their predictions for the same rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rnn_cli.arrays import label_flags
from rnn_cli.data.label_sets import names_of
from rnn_cli.evaluation.compare import ComparedModels, LabelledPredictions, holm, matching_rows
from rnn_cli.evaluation.evaluate_several import SeveralEvaluation, predicted_sets
from rnn_cli.evaluation.intervals import Interval
from rnn_cli.evaluation.several import COMPARED, SeveralComparison, compare_several, measure_several
from rnn_cli.evaluation.wording import EVERY, span
from rnn_cli.text.plain import html_table

OF_PREDICTIONS = tuple(name for name in COMPARED if name != "ranking_precision")
"""The metrics that follow from predictions alone, without probabilities."""


@dataclass(frozen=True)
class ComparedSeveral:
    """A model's metrics by name with their 95 % intervals, and how it differs from the first model.

    `against_first` is None for the first model; `p_corrected` is the p-value of the micro F1 corrected for the number
    of models compared with the first (Holm's).
    """

    name: str
    metrics: Mapping[str, float]
    intervals: Mapping[str, Interval | None]
    against_first: SeveralComparison | None
    p_corrected: float | None


@dataclass(frozen=True, repr=False)
class SeveralModelComparison(ComparedModels):
    """Models of several labels a text."""

    models: tuple[ComparedSeveral, ...]

    def _repr_html_(self) -> str:
        """The models' metrics as a table, for a notebook."""
        rows = []
        for model in self.models:
            other = model.against_first
            gain = ""
            if other is not None:
                ends = span(other.intervals["micro_f1"], lambda end: f"{end:+.3f}")
                gain = f"{other.differences['micro_f1']:+.3f} ({ends})"
            p = "" if model.p_corrected is None else f"{model.p_corrected:.3g}"
            rows.append((model.name, f"{model.metrics['micro_f1']:.3f}", f"{model.metrics['macro_f1']:.3f}", gain, p))
        head = (f"{self.rows:,} rows", "micro F1", "macro F1", f"against the first ({EVERY})", "p")
        return html_table(head, rows)


def several_predictions_of(name: str, evaluation: SeveralEvaluation) -> LabelledPredictions:
    """The predictions of the model called `name` for all rows of an evaluation, identified by their places."""
    rows = evaluation.dataset
    return LabelledPredictions(
        name=name,
        keys={"id": [rows.where(row) for row in range(len(rows))], "text": rows.texts},
        labels=rows.labels,
        predictions=predicted_sets(evaluation.metrics.labels, evaluation.predicted),
        log_losses=None,
    )


def compare_models_of_several(every: Sequence[LabelledPredictions]) -> SeveralModelComparison:
    """Measure two or more models, and compare each with the first. Raises `DataError` if their rows differ."""
    orders = matching_rows(every)
    sets = [[*map(names_of, each.labels), *map(names_of, each.predictions)] for each in every]
    labels = sorted({name for each in sets for names in each for name in names})
    truth = label_flags(labels, map(names_of, every[0].labels))
    found = [
        label_flags(labels, map(names_of, each.predictions))[order] for each, order in zip(every, orders, strict=True)
    ]
    given = [(predicted.astype(float), predicted) for predicted in found]
    compared = [compare_several(truth, each, given[0]) for each in given[1:]]
    corrected = holm([each.p_values["micro_f1"] or 1.0 for each in compared])
    models = []
    for predicted, each, against, p in zip(every, given, (None, *compared), (None, *corrected), strict=True):
        metrics = measure_several(labels, truth, *each)
        models.append(
            ComparedSeveral(
                predicted.name,
                {name: getattr(metrics, name) for name in OF_PREDICTIONS},
                {name: metrics.intervals[name] for name in OF_PREDICTIONS},
                against,
                p,
            )
        )
    return SeveralModelComparison(len(truth), tuple(models))
