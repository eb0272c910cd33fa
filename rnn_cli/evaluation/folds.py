"""What a cross-validation found: the figure of all rows, each predicted by a model that had not seen it, and of folds.

Takes no TensorFlow; the models are trained elsewhere.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from pydantic import TypeAdapter

from rnn_cli.arrays import Floats, Indices
from rnn_cli.bundle.locate import shown_model
from rnn_cli.bundle.model_folder import LARGEST, NEAR_TOGETHER, PREDICTIONS, Bundle
from rnn_cli.data.numbers import numbers_of
from rnn_cli.data.reading.readers import read_columns
from rnn_cli.data.rows import Dataset
from rnn_cli.errors import BundleError
from rnn_cli.evaluation.compare import (
    BY_FOLDS,
    DETAILS,
    MAX_SAVED_TEXT_BYTES,
    ComparedModels,
    Comparison,
    holm,
    is_measured_by_folds,
    kept_baseline,
    kept_metrics,
    reading_metrics,
)
from rnn_cli.evaluation.corrected import corrected_interval, corrected_p, joined
from rnn_cli.evaluation.evaluate import Evaluation, encode_counted, kept_splits, made_of, run_config, true_labels
from rnn_cli.evaluation.evaluate_numbers import (
    EvaluationOfAny,
    NumberEvaluation,
    against_median,
    kept_baseline_of_numbers,
    kept_median,
    kept_metrics_of_numbers,
)
from rnn_cli.evaluation.evaluate_several import (
    SeveralEvaluation,
    kept_baseline_of_each,
    kept_metrics_of_each,
    true_flags,
)
from rnn_cli.evaluation.intervals import Interval
from rnn_cli.evaluation.metrics import Metrics
from rnn_cli.evaluation.numbers import NumberComparison, NumberMetrics
from rnn_cli.evaluation.ordered import OrderedComparison, absolute_errors
from rnn_cli.evaluation.scores import confusion_of, log_losses, macro_f1
from rnn_cli.evaluation.several import SeveralComparison, SeveralMetrics, main_figures
from rnn_cli.scoring.of_each import DecisionOfEach
from rnn_cli.scoring.predictor import Predictor, Scores
from rnn_cli.scoring.unknown import UnknownTokens

PROBABILITIES = "probabilities"
"""The column of a run's predictions with the probability of each label, as a JSON list, of rows predicted by folds."""

RESTATED = ("accuracy", "micro_f1", "macro_f1", "log_loss", "mean_absolute_error")
"""The metrics whose intervals follow from those of the folds; some are of one label a text, some of several, one of
ordered labels."""


AT_MOST_1 = frozenset({"accuracy", "micro_f1", "macro_f1"})
"""Those of them that are at most 1."""


@dataclass(frozen=True)
class FoldFigures:
    """The figures of the models that learned from `trained` rows (to choose the epoch included) on `rows` others.

    `network` and `baseline` hold the metrics of `RESTATED` by name; `baseline` is None where none was fitted.
    """

    repeat: int
    fold: int
    trained: int
    rows: int
    network: Mapping[str, float]
    baseline: Mapping[str, float] | None


@dataclass(frozen=True)
class CrossValidation:
    """How the rows were measured: dealt into `folds` folds, `repeats` times.

    `teaching` are the indices of rows that no fold held out, as no other has their label. `unknown` are those of rows
    without a known token, among the rows measured; `tokens` were read of these, `unknown_tokens` of them unknown.
    `is_final` says that the model at hand has learned from all rows since.
    """

    folds: int
    repeats: int
    teaching: tuple[int, ...]
    each: tuple[FoldFigures, ...]
    unknown: tuple[int, ...]
    tokens: int
    unknown_tokens: int
    is_final: bool = True


def figures_of(
    truth: Any, probabilities: Floats, predicted: Indices, order: Sequence[str] | None = None
) -> dict[str, float]:
    """The metrics of `RESTATED` on some rows, whose truth is as `true_classes` has it, and predictions are so, too.

    `order` are the labels, where they are ordered. Of numbers, which stand in place of probabilities, `predicted` does
    not count.
    """
    if truth.dtype.kind == "f":
        return {"mean_absolute_error": float(np.abs(probabilities[:, 0] - truth).mean())}
    if truth.ndim == 2:
        found = main_figures(truth, probabilities, predicted)
        return {name: found[name] for name in RESTATED if name in found}
    off = {} if order is None else {"mean_absolute_error": float(absolute_errors(order, truth, predicted).mean())}
    return {
        "accuracy": float((truth == predicted).mean()),
        "macro_f1": macro_f1(confusion_of(truth, predicted, probabilities.shape[1])),
        "log_loss": float(log_losses(truth, probabilities).mean()),
        **off,
    }


def true_classes(rows: Dataset, labels: Sequence[str]) -> Any:
    """The rows' labels as `Indices` `[rows]`, or as flags `[rows, labels]` where a row may have several.

    Numbers are `Floats`, `[rows]`.
    """
    if rows.number:
        return numbers_of(rows)
    return true_flags(rows, labels) if rows.several else true_labels(rows, labels)


@dataclass(frozen=True)
class Figures:
    """The metrics of `RESTATED` by name, of a model or of how two differ: `pooled` of all rows, once a repeat, and
    `of_folds` of each fold's; `folds` is into how many the rows were dealt."""

    pooled: Sequence[Mapping[str, float]]
    of_folds: Sequence[Mapping[str, float]]
    folds: int

    def less(self, other: "Figures") -> "Figures":
        """By how much the figures exceed another model's."""
        pooled, of_folds = (
            [{name: one[name] - two[name] for name in one} for one, two in zip(ours, theirs, strict=True)]
            for ours, theirs in ((self.pooled, other.pooled), (self.of_folds, other.of_folds))
        )
        return Figures(pooled, of_folds, self.folds)

    def stated(self, name: str) -> float:
        """The figure of all rows, the mean of all repeats."""
        return float(np.mean([figures[name] for figures in self.pooled]))

    def interval(self, name: str) -> Interval:
        """The corrected interval of the stated figure."""
        return corrected_interval([figures[name] for figures in self.of_folds], self.folds, self.stated(name))

    def p_value(self, name: str) -> float:
        """That of the corrected test whether a difference is 0; 0 where all folds have the same."""
        return corrected_p([figures[name] for figures in self.of_folds], self.folds) or 0.0


_Metrics = TypeVar("_Metrics", Metrics, SeveralMetrics, NumberMetrics)


def restated(metrics: _Metrics, found: Figures) -> _Metrics:
    """The metrics of all rows with the folds' intervals, never narrower than those of the rows alone.

    These know nothing of how models of other training rows differ; those rest on few folds, which may agree by chance.
    """
    intervals = dict(metrics.intervals)
    values: dict[str, Any] = {name: found.stated(name) for name in found.pooled[0]}
    for name in values:
        most = 1.0 if name in AT_MOST_1 else np.inf
        intervals[name] = joined(intervals.get(name), found.interval(name), 0.0, most)
    return replace(metrics, **values, intervals=intervals)


AnyFound = TypeVar("AnyFound", bound=Comparison | SeveralComparison | NumberComparison)


def compared_by_folds(found: AnyFound, gains: Figures) -> AnyFound:
    """A comparison on all rows with the corrected interval and test of the folds' differences.

    Both are at least as cautious as those of the rows alone.
    """
    if isinstance(found, SeveralComparison):
        return replace(found, **_of_several(found, gains))
    return replace(found, **(_of_labels(found, gains) if isinstance(found, Comparison) else _of_errors(found, gains)))


def _of_labels(found: Comparison, gains: Figures) -> dict[str, Any]:
    return {
        **(_of_errors(found, gains) if isinstance(found, OrderedComparison) else {}),
        "difference": gains.stated("accuracy"),
        "interval": joined(found.interval, gains.interval("accuracy"), -1.0, 1.0),
        "macro_f1_difference": gains.stated("macro_f1"),
        "macro_f1_interval": joined(found.macro_f1_interval, gains.interval("macro_f1"), -1.0, 1.0),
        "p_value": max(found.p_value, gains.p_value("accuracy")),
    }


def _of_errors(found: OrderedComparison | NumberComparison, gains: Figures) -> dict[str, Any]:
    name = "mean_absolute_error"
    return {
        "error_difference": gains.stated(name),
        "error_interval": joined(found.error_interval, gains.interval(name), -np.inf, np.inf),
        "error_p_value": max(found.error_p_value, gains.p_value(name)),
    }


def _of_several(found: SeveralComparison, gains: Figures) -> dict[str, Any]:
    differences, intervals, p_values = dict(found.differences), dict(found.intervals), dict(found.p_values)
    for name in ("micro_f1", "macro_f1"):
        differences[name] = gains.stated(name)
        intervals[name] = joined(intervals[name], gains.interval(name), -1.0, 1.0)
        p_values[name] = max(p_values[name] or 0.0, gains.p_value(name))
    return {"differences": differences, "intervals": intervals, "p_values": p_values}


def judged_side(opened: Bundle) -> str:
    """The side of a run that says how good it is: its folds, else its test rows, else its validation rows.

    Raises `BundleError`.
    """
    if is_measured_by_folds(opened):
        return BY_FOLDS
    return "test" if opened.manifest.data["rows"]["test"] else "validation"


def kept_cross_validation(opened: Bundle) -> CrossValidation:
    """How a run was measured by folds. Raises `BundleError`."""
    with reading_metrics(opened) as kept:
        return TypeAdapter(CrossValidation).validate_python(kept[BY_FOLDS][DETAILS])


def gains_by_folds(ours: Bundle, theirs: Bundle) -> Figures | None:
    """By how much a run's figures exceed another's, of all rows and of each fold.

    None unless folds measured both, and the same rows were dealt into them alike. Raises `BundleError`.
    """
    if not (is_measured_by_folds(ours) and is_measured_by_folds(theirs)):
        return None
    one, two = kept_cross_validation(ours), kept_cross_validation(theirs)
    if _dealing(ours, one) != _dealing(theirs, two):
        return None
    of_folds = [[each.network for each in found.each] for found in (one, two)]
    pooled = list[Mapping[str, float]]()
    for opened in (ours, theirs):
        with reading_metrics(opened) as kept:
            pooled.append({name: float(kept[BY_FOLDS][name]) for name in of_folds[0][0] if name in kept[BY_FOLDS]})
    names = [name for name in pooled[0] if name in pooled[1] and all(name in figures for figures in of_folds[1])]
    ours_of, theirs_of = (
        Figures(
            [{name: all_rows[name] for name in names}],
            [{name: each[name] for name in names} for each in folds],
            one.folds,
        )
        for all_rows, folds in zip(pooled, of_folds, strict=True)
    )
    return ours_of.less(theirs_of)


AnyModels = TypeVar("AnyModels", bound=ComparedModels)


def models_compared_by_folds(found: AnyModels, runs: Sequence[Bundle]) -> AnyModels:
    """Runs that were compared on the rows that their folds predicted, with the folds' intervals and tests.

    Unchanged unless all of `runs`, in the order of the models, were dealt into folds alike. Raises `BundleError`.
    """
    gains = [gains_by_folds(each, runs[0]) for each in runs[1:]]
    if not all(gains):
        return found
    against = [
        compared_by_folds(model.against_first, gain)
        for model, gain in zip(found.models[1:], gains, strict=True)
        if gain is not None
    ]
    corrected = holm([main_p_value(each) for each in against])
    models = []
    for model, opened, gain, p in zip(found.models, runs, (None, *against), (None, *corrected), strict=True):
        figures, intervals = _kept_figures(opened)
        values = model.metrics if hasattr(model, "metrics") else vars(model)  # of several labels a text, or of one
        shown = {name: value for name, value in figures.items() if values.get(name) is not None}
        own: dict[str, Any] = {"metrics": {**values, **shown}} if hasattr(model, "metrics") else dict(shown)
        if hasattr(model, "intervals"):
            own["intervals"] = {**model.intervals, **{name: intervals[name] for name in shown}}
        else:
            of_ends = {f"{name}_interval": ends for name, ends in intervals.items()}
            own |= {name: ends for name, ends in of_ends.items() if getattr(model, name, None) is not None}
        models.append(replace(model, **own, against_first=gain, p_corrected=p))
    return replace(found, models=tuple(models))


def main_p_value(found: Comparison | SeveralComparison | NumberComparison) -> float:
    """The p-value by which models are told apart: of the errors where labels have an order or are numbers, of several
    labels' micro F1."""
    if isinstance(found, SeveralComparison):
        return found.p_values["micro_f1"] or 1.0
    return found.error_p_value if isinstance(found, OrderedComparison | NumberComparison) else found.p_value


def _kept_figures(opened: Bundle) -> tuple[dict[str, float], dict[str, Interval]]:
    """A run's figures by folds whose intervals are those of the folds, and these. Raises `BundleError`."""
    with reading_metrics(opened) as kept:
        side = kept[BY_FOLDS]
        names = [name for name in RESTATED if name in side and side["intervals"].get(name) is not None]
        intervals = {name: (float(low), float(high)) for name in names for low, high in [side["intervals"][name]]}
        return {name: float(side[name]) for name in names}, intervals


def _dealing(opened: Bundle, found: CrossValidation) -> tuple[object, ...]:
    """What the folds of a run follow from, and how large they are."""
    data, kept = run_config(opened).data, opened.manifest.data
    sizes = [(each.repeat, each.fold, each.rows) for each in found.each]
    rows = kept["fingerprint"], kept.get(NEAR_TOGETHER), found.teaching
    return *rows, data.split_seed, data.group_column, found.folds, found.repeats, sizes


def measured_rows(source: Dataset, teaching: Iterable[int]) -> Dataset:
    """The rows that folds held out, all but those that only teach."""
    left_out = set(teaching)
    return source.select(row for row in range(len(source)) if row not in left_out)


def kept_evaluation(opened: Bundle, predictor: Predictor) -> EvaluationOfAny:
    """What a run found by folds: its rows, read again, with the predictions and figures that it kept.

    Raises `DataError` if the rows have changed or cannot be read again, and `BundleError`.
    """
    found = kept_cross_validation(opened)
    splits = kept_splits(opened)
    assert splits.source is not None
    rows = measured_rows(splits.source, found.teaching)
    predictions, probabilities = _kept_predictions(opened, len(rows), predictor)
    reading = replace(
        encode_counted(predictor.tokenizer, rows.texts)[1], read=found.tokens, unknown=found.unknown_tokens
    )
    known = np.ones(len(rows), np.bool_)
    known[list(found.unknown)] = False
    scores = Scores(probabilities, known, UnknownTokens(found.tokens, found.unknown_tokens))
    if predictor.number:
        of_numbers, base_of_numbers = (
            kept_metrics_of_numbers(opened, BY_FOLDS),
            kept_baseline_of_numbers(opened, BY_FOLDS),
        )
        assert of_numbers is not None
        evaluation = NumberEvaluation(
            rows,
            scores,
            of_numbers,
            reading,
            base_of_numbers and replace(base_of_numbers, by_folds=True),
            folds=found,
            made=made_of(predictor),
        )
        return against_median(evaluation, kept_median(opened))
    if predictor.several:
        of_each, decision = kept_metrics_of_each(opened, BY_FOLDS), predictor.decision
        assert of_each is not None and isinstance(decision, DecisionOfEach)
        predicted = true_classes(replace(rows, labels=predictions), predictor.labels)
        base, made = kept_baseline_of_each(opened, BY_FOLDS), made_of(predictor)
        of_folds = base and replace(base, by_folds=True)
        return SeveralEvaluation(rows, scores, decision, predicted, of_each, reading, of_folds, folds=found, made=made)
    metrics = kept_metrics(opened, BY_FOLDS)
    assert metrics is not None
    predicted = true_classes(replace(rows, labels=predictions), predictor.labels)
    baseline = kept_baseline(opened, BY_FOLDS)
    return Evaluation(
        rows,
        scores,
        predictor.decision,
        predicted,
        metrics,
        reading,
        baseline and replace(baseline, by_folds=True, of=made_of(predictor)),
        folds=found,
        made=made_of(predictor),
    )


def _kept_predictions(opened: Bundle, rows: int, predictor: Predictor) -> tuple[list[str], Floats]:
    """The predictions and probabilities, `[rows, labels]`, of the rows that folds held out. Raises `BundleError`.

    Numbers stand in place of probabilities, `[rows, 1]`.
    """
    labels, least, most = (1, -LARGEST, LARGEST) if predictor.number else (len(predictor.labels), 0, 1)
    if PREDICTIONS not in opened.manifest.files:
        raise BundleError("keeps no predictions of its own rows", where=shown_model(opened.path))
    path = str(opened.verify(PREDICTIONS))
    columns = "prediction", PROBABILITIES, "split"
    found = read_columns(path, lambda _: columns, max_field_bytes=MAX_SAVED_TEXT_BYTES)
    predictions, probabilities = list[str](), list[Any]()
    try:
        for _, (prediction, written, split) in found:
            if split == BY_FOLDS:
                predictions.append(prediction or "")
                probabilities.append(json.loads(written or ""))
        array = np.array(probabilities, np.float64)
        if array.shape != (rows, labels) or not (np.isfinite(array) & (array >= least) & (array <= most)).all():
            raise ValueError("its probabilities do not fit its rows")
    except (RecursionError, TypeError, ValueError) as error:
        raise BundleError(f"predictions this rnn does not understand ({error})", where=path) from None
    return predictions, array
