"""The predictions of all folds together: the stated figures of a run that was measured by cross-validation.

Takes no TensorFlow.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rnn_cli.arrays import Floats, Indices
from rnn_cli.data.numbers import numbers_of
from rnn_cli.data.rows import Dataset, most_frequent
from rnn_cli.evaluation.compare import BY_FOLDS, BaselineComparison, Comparison, compare_predictions
from rnn_cli.evaluation.evaluate import Evaluation, TokenCounts, encode_counted, made_of
from rnn_cli.evaluation.evaluate_numbers import EvaluationOfAny, NumberBaseline, NumberEvaluation, against_median
from rnn_cli.evaluation.evaluate_several import SeveralBaseline, SeveralEvaluation, predicted_sets
from rnn_cli.evaluation.folds import (
    PROBABILITIES,
    CrossValidation,
    Figures,
    FoldFigures,
    compared_by_folds,
    measured_rows,
    restated,
    true_classes,
)
from rnn_cli.evaluation.metrics import measure
from rnn_cli.evaluation.numbers import compare_numbers, measure_numbers
from rnn_cli.evaluation.ordered import compare_ordered, measure_ordered
from rnn_cli.evaluation.scores import confidences
from rnn_cli.evaluation.several import compare_several, measure_several
from rnn_cli.evaluation.standing import with_standing
from rnn_cli.scoring.of_each import DecisionOfEach
from rnn_cli.scoring.predictor import Predictor, Scores
from rnn_cli.scoring.unknown import UnknownTokens
from rnn_cli.training.folds import FoldPart, FoldResults, figures_in
from rnn_cli.training.measured import Measured
from rnn_cli.training.prepare import Prepared

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Pooled:
    """The predictions of one repeat's folds for all rows measured; shapes as in `FoldPart`."""

    network: tuple[Floats, Indices]
    baseline: tuple[Floats, Indices] | None
    known: Indices
    tokens: int
    unknown_tokens: int

    @classmethod
    def of(cls, places: Sequence[Indices], parts: Sequence[FoldPart]) -> "Pooled":
        """Put the parts at their rows' places."""
        order = np.argsort(np.concatenate(places), kind="stable")
        baselines = [part.baseline for part in parts if part.baseline is not None]

        def together(pairs: Sequence[tuple[Floats, Indices]]) -> tuple[Floats, Indices]:
            probabilities, predicted = zip(*pairs, strict=True)
            return np.concatenate(probabilities)[order], np.concatenate(predicted)[order]

        return cls(
            together([(part.probabilities, part.predicted) for part in parts]),
            together(baselines) if baselines else None,
            np.concatenate([part.known for part in parts])[order],
            sum(part.tokens for part in parts),
            sum(part.unknown_tokens for part in parts),
        )


def pooled_of(run: Prepared, found: FoldResults, repeat: int = 1) -> tuple[Pooled, Any]:
    """The predictions of a repeat's folds, and the truth of the rows, as `true_classes` has it."""
    pairs = [pair for pair in zip(found.dealt.folds, found.parts, strict=True) if pair[0].repeat == repeat]
    source = run.splits.source
    assert source is not None
    together = Pooled.of([np.array(fold.rows, np.intp) for fold, _ in pairs], [part for _, part in pairs])
    return together, true_classes(measured_rows(source, found.dealt.teaching), run.labels)


def figures_of_folds(run: Prepared, found: FoldResults, *, baseline: bool = False) -> Figures:
    """The figures of all rows and of each fold, of the folds' models or of their linear baselines."""
    training = run.config.training
    assert training.folds is not None
    pooled = []
    for repeat in range(1, training.fold_repeats + 1):
        together, truth = pooled_of(run, found, repeat)
        side = together.baseline if baseline else together.network
        assert side is not None
        pooled.append(figures_in(run, truth, side))
    each = [fold.baseline if baseline else fold.network for fold in _each_fold(run, found)]
    return Figures(pooled, [figures for figures in each if figures is not None], training.folds)


def _each_fold(run: Prepared, found: FoldResults) -> Iterator[FoldFigures]:
    for fold, part in zip(found.dealt.folds, found.parts, strict=True):
        truth = true_classes(fold.splits.test, run.labels)
        network = figures_in(run, truth, (part.probabilities, part.predicted))
        linear = None if part.baseline is None else figures_in(run, truth, part.baseline)
        yield FoldFigures(fold.repeat, fold.number, part.trained, len(fold.rows), network, linear)


def pooled(run: Prepared, predictor: Predictor, found: FoldResults, *, is_final: bool = True) -> EvaluationOfAny:
    """The evaluation of all rows by the folds' predictions.

    `predictor` is the final model; without `is_final` only one of the same config.

    Where the rows were dealt more than once, the first repeat's predictions are kept, and the stated figures are the
    means of all repeats.
    """
    training, source, labels = run.config.training, run.splits.source, run.labels
    assert training.folds is not None and source is not None
    first, truth = pooled_of(run, found)
    details = CrossValidation(
        training.folds,
        training.fold_repeats,
        found.dealt.teaching,
        tuple(_each_fold(run, found)),
        tuple(np.flatnonzero(first.known == 0).tolist()),
        first.tokens,
        first.unknown_tokens,
        is_final,
    )
    rows, figures = measured_rows(source, found.dealt.teaching), figures_of_folds(run, found)
    of_baseline = figures_of_folds(run, found, baseline=True) if first.baseline is not None else None
    reading = replace(
        encode_counted(predictor.tokenizer, rows.texts)[1], read=first.tokens, unknown=first.unknown_tokens
    )
    scores = Scores(first.network[0], first.known > 0, UnknownTokens(first.tokens, first.unknown_tokens))
    predicted, decision = first.network[1], predictor.decision
    if rows.number:
        return _pooled_numbers(run, predictor, truth, first, (figures, of_baseline), (rows, scores, reading, details))
    if rows.several:
        assert isinstance(decision, DecisionOfEach)
        metrics = restated(measure_several(labels, truth, *first.network), figures)
        against = None
        if first.baseline is not None and of_baseline is not None:
            compared = compare_several(truth, first.network, first.baseline)
            against = SeveralBaseline(
                restated(measure_several(labels, truth, *first.baseline), of_baseline),
                compared_by_folds(compared, figures.less(of_baseline)),
                run.origin is not None,
                by_folds=True,
            )
        made = made_of(predictor)
        return SeveralEvaluation(rows, scores, decision, predicted, metrics, reading, against, folds=details, made=made)
    baseline, measured = None, measure_ordered if run.config.data.ordered else measure
    if first.baseline is not None and of_baseline is not None:
        baseline = BaselineComparison(
            restated(measured(labels, truth, *first.baseline), of_baseline),
            compared_by_folds(compared_in(run, truth, predicted, first.baseline[1]), figures.less(of_baseline)),
            run.origin is not None,
            by_folds=True,
            of=made_of(predictor),
        )
    single = restated(measured(labels, truth, *first.network), figures)
    evaluation = Evaluation(
        rows, scores, decision, predicted, single, reading, baseline, folds=details, made=made_of(predictor)
    )
    return with_standing(evaluation, most_frequent(source.labels), run.config.decision, None)


def _pooled_numbers(
    run: Prepared,
    predictor: Predictor,
    truth: Floats,
    first: Pooled,
    figures: tuple[Figures, Figures | None],
    measured: tuple[Dataset, Scores, TokenCounts, CrossValidation],
) -> NumberEvaluation:
    """The same of numbers; `figures` are the network's and the baseline's."""
    (ours, linear), (rows, scores, reading, details) = figures, measured
    baseline = None
    if first.baseline is not None and linear is not None:
        mine, theirs = first.network[0][:, 0], first.baseline[0][:, 0]
        compared = compared_by_folds(compare_numbers(truth, mine, theirs), ours.less(linear))
        metrics = restated(measure_numbers(truth, theirs), linear)
        baseline = NumberBaseline(metrics, compared, run.origin is not None, by_folds=True)
    metrics = restated(measure_numbers(truth, first.network[0][:, 0]), ours)
    found = NumberEvaluation(rows, scores, metrics, reading, baseline, folds=details, made=made_of(predictor))
    return against_median(found, float(np.median(numbers_of(run.splits.train))))


def compared_in(run: Prepared, truth: Indices, first: Indices, second: Indices) -> Comparison:
    """Two models' predictions for some rows of a run, `[rows]`, one label each."""
    if run.config.data.ordered:
        return compare_ordered(run.labels, truth, first, second)
    return compare_predictions(truth, first, second, len(run.labels))


def with_folds(measured: Measured, run: Prepared, found: FoldResults) -> Measured:
    """What the end of a run found, with the folds' side, which is the one that is stated."""
    evaluation = pooled(run, measured.predictor, found)
    metrics: dict[str, Any] = dict(measured.metrics)
    baseline = evaluation.baseline
    metrics[BY_FOLDS] = replace(evaluation, baseline=None).to_dict()
    table = _table(evaluation)
    if baseline is not None and "baseline" in metrics:
        kept = dict(metrics["baseline"])
        kept["comparison"] = {**kept["comparison"], BY_FOLDS: baseline.comparison.to_dict()}
        metrics["baseline"] = {**kept, BY_FOLDS: baseline.metrics.to_dict()}
    return replace(
        measured,
        sides={**measured.sides, BY_FOLDS: evaluation},
        metrics=metrics,
        tables={**measured.tables, BY_FOLDS: table},
    )


def _table(evaluation: EvaluationOfAny) -> "pandas.DataFrame":
    """The rows with their predictions, as a bundle keeps them."""
    import pandas

    rows, probabilities = evaluation.dataset, evaluation.scores.probabilities
    columns: Mapping[str, Any] = {"text": rows.texts, "label": rows.labels}
    if isinstance(evaluation, NumberEvaluation):
        columns = {**columns, "prediction": evaluation.predicted}
    elif isinstance(evaluation, SeveralEvaluation):
        columns = {**columns, "prediction": predicted_sets(evaluation.metrics.labels, evaluation.predicted)}
    else:
        labels = evaluation.metrics.labels
        named = [labels[index] for index in evaluation.predicted]
        columns = {**columns, "probability": confidences(probabilities, evaluation.predicted), "prediction": named}
    return pandas.DataFrame({**columns, PROBABILITIES: [json.dumps(row) for row in probabilities.tolist()]})
