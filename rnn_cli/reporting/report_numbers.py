"""What a report shows of a model of numbers, gathered from its folder and its predictions. Draws and writes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnn_cli.bundle.model_folder import Bundle
from rnn_cli.data.rows import short_place
from rnn_cli.evaluation.evaluate import names_of_lengths
from rnn_cli.evaluation.evaluate_numbers import EvaluationOfAny, NumberEvaluation
from rnn_cli.evaluation.intervals import Interval, wilson_interval
from rnn_cli.evaluation.numbers import NumberMetrics, NumberSlice, measure_numbers, slices_by_number, slices_of_numbers
from rnn_cli.evaluation.wording_numbers import in_unit
from rnn_cli.reporting.report import (
    CHARACTERS_EXPLAINED,
    FEWEST_PARTS,
    MISTAKES_SHOWN,
    PARTS_EXPLAINED,
    TOKENS_EXPLAINED,
    AnyReport,
    Report,
    WrongPrediction,
    about_model,
    gather_report,
)
from rnn_cli.scoring.conformal import Conformal
from rnn_cli.scoring.explain import explain_texts
from rnn_cli.scoring.ngram_weights import NgramWeight, ngram_weights
from rnn_cli.scoring.prediction import shown_number
from rnn_cli.scoring.predictor import Predictor

COVERAGES = (0.5, 0.8, 0.9, 0.95)
"""The coverages whose ranges are tried on the rows."""

NGRAMS_SHOWN = 15
"""How many n-grams are shown that raise the number most, and as many that lower it."""


@dataclass(frozen=True)
class HeldRange:
    """How wide ranges of a stated coverage are, to each side, and which share of the rows they hold."""

    coverage: float
    half_width: float
    held: float
    interval: Interval


@dataclass(frozen=True, kw_only=True)
class NumberReport(AnyReport):
    """All that a report shows of a model of numbers and its predictions for some labelled rows.

    `by_length` are slices by the texts' length, `by_number` by the true number, in its order. `ngrams` are those of the
    n-gram part, the one that raises the number most first. `mistakes` are the rows that are farthest off.
    """

    evaluation: NumberEvaluation
    by_length: Sequence[NumberSlice]
    by_number: Sequence[NumberSlice]
    ranges: Sequence[HeldRange]
    ngrams: Sequence[NgramWeight]

    @property
    def models(self) -> Mapping[str, NumberMetrics]:
        """The metrics of the network, of the linear baseline and of always the median, those that are known."""
        found = dict(super().models)
        if self.evaluation.median is not None:
            always = np.full(len(self.evaluation.truth), self.evaluation.median.median)
            found["always the median"] = measure_numbers(self.evaluation.truth, always)
        return found

    @property
    def raising(self) -> Sequence[NgramWeight]:
        """The n-grams that raise the number most."""
        return [each for each in self.ngrams[:NGRAMS_SHOWN] if each.weight > 0]

    @property
    def lowering(self) -> Sequence[NgramWeight]:
        """The n-grams that lower it most."""
        return [each for each in reversed(self.ngrams[-NGRAMS_SHOWN:]) if each.weight < 0]


def gather_number_report(
    opened: Bundle, predictor: Predictor, evaluation: NumberEvaluation, side: str | None
) -> NumberReport:
    """Gather a report on a model and its predictions; raises `BundleError` where its folder is damaged."""
    truth, predicted = evaluation.truth, evaluation.predicted
    return NumberReport(
        **about_model(opened, predictor),
        side=side,
        evaluation=evaluation,
        mistakes=farthest_off(predictor, evaluation),
        by_length=slices_of_numbers(truth, predicted, names_of_lengths(evaluation.reading.lengths)),
        by_number=slices_by_number(truth, predicted),
        ranges=_ranges(opened, evaluation),
        ngrams=ngram_weights(predictor, evaluation.dataset.texts),
    )


def gather_report_of_any(
    opened: Bundle, predictor: Predictor, evaluation: EvaluationOfAny, side: str | None
) -> Report | NumberReport:
    """Gather a report on a model of any kind; raises `BundleError` where its folder is damaged."""
    if isinstance(evaluation, NumberEvaluation):
        return gather_number_report(opened, predictor, evaluation, side)
    return gather_report(opened, predictor, evaluation, side)


def _ranges(opened: Bundle, evaluation: NumberEvaluation) -> list[HeldRange]:
    """The ranges that the model can vouch for, on the rows of an evaluation."""
    kept = Conformal.of_manifest(opened.manifest.data)
    if kept is None:
        return []
    found, errors = list[HeldRange](), np.abs(evaluation.predicted - evaluation.truth)
    for coverage in (each for each in COVERAGES if each <= kept.most):
        half = kept.farthest(coverage)
        held = int((errors <= half).sum())
        found.append(HeldRange(coverage, half, held / len(errors), wilson_interval(held, len(errors))))
    return found


def farthest_off(
    predictor: Predictor, evaluation: NumberEvaluation, most: int = MISTAKES_SHOWN
) -> tuple[WrongPrediction, ...]:
    """At most `most` rows whose predictions are off, the farthest first; parts say what raises the number."""
    rows, off, spread = evaluation.dataset, evaluation.predicted - evaluation.truth, evaluation.metrics.spread
    order = np.argsort(-np.abs(off), kind="stable")[:most]
    chosen = [row for row in order.tolist() if off[row]]
    short = [row for row in chosen if len(rows.texts[row]) <= CHARACTERS_EXPLAINED]
    texts = [rows.texts[row] for row in short]
    tokens = sum(map(len, predictor.tokenizer.encode_all(texts)))
    most_parts = min(PARTS_EXPLAINED, max(FEWEST_PARTS, TOKENS_EXPLAINED // max(tokens, 1)))
    of_others = evaluation.folds is not None  # a fold's prediction is not this model's
    explained = [()] * len(short) if of_others else explain_texts(predictor, texts, most_parts=most_parts)
    parts = dict(zip(short, explained, strict=True))
    return tuple(
        WrongPrediction(
            text=rows.texts[row],
            line=rows.lines[row],
            label=rows.labels[row],
            prediction=shown_number(float(evaluation.predicted[row]), spread),
            probability=None,
            parts=parts.get(row, ()),
            place="" if rows.files is None else short_place(rows.file_of(row), rows.lines[row]),
            off=f"{in_unit(abs(float(off[row])), spread * 10)} too {'high' if off[row] > 0 else 'low'}",
        )
        for row in chosen
    )
