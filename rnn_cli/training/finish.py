"""The end of a run, whatever has learned: calibration, decision, measures, and the bundle. Takes no TensorFlow."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from rnn_cli.bundle.history import EpochMetrics, history_to_csv
from rnn_cli.bundle.model_folder import (
    CARD,
    COLUMNS_FILE,
    CONFIG,
    CONFORMAL,
    FURTHER,
    HISTORY,
    INT8_MODEL,
    LEARNED,
    METRICS,
    NEAR_TOGETHER,
    ONNX_MODEL,
    PREDICTIONS,
    REPORT,
    RUN,
    SUMMARY,
    TOKENIZER,
    Bundle,
    Manifest,
)
from rnn_cli.bundle.writer import Draft
from rnn_cli.config.load import to_yaml
from rnn_cli.copies.learned import LearnedTexts
from rnn_cli.data.rows import most_frequent
from rnn_cli.evaluation.compare import BY_FOLDS, CAREFUL, MOST_FREQUENT
from rnn_cli.evaluation.evaluate import Evaluation, by_source, evaluate_predictor, kept_columns
from rnn_cli.evaluation.evaluate_numbers import EvaluationOfAny, NumberEvaluation
from rnn_cli.evaluation.importance import column_importance, importance_to_dict
from rnn_cli.evaluation.scores import before_and_after
from rnn_cli.evaluation.standing import with_standing
from rnn_cli.monitoring.summary import summarize
from rnn_cli.scoring.conformal import Conformal
from rnn_cli.scoring.extra import extra_columns_file
from rnn_cli.scoring.predictor import INT8_METRICS, Predictor
from rnn_cli.scoring.unknown import UNKNOWN_TOKENS
from rnn_cli.training.baseline import Baseline
from rnn_cli.training.checkpointing import versions
from rnn_cli.training.deciding import calibrated_and_decided, undecided_manifest
from rnn_cli.training.folds import FoldResults
from rnn_cli.training.int8 import try_int8
from rnn_cli.training.listener import Listener
from rnn_cli.training.measured import Measured
from rnn_cli.training.numbers import measure_run_of_numbers
from rnn_cli.training.pooling import with_folds
from rnn_cli.training.prepare import Prepared
from rnn_cli.training.several import measure_run_of_several
from rnn_cli.training.trained import Run


def documents(
    opened: Bundle,
    predictor: Predictor,
    run: Prepared,
    sides: Mapping[str, EvaluationOfAny],
    listener: Listener,
) -> dict[str, str]:
    """Report and model card, by file name, of the last of `sides`: `validation` and, if there are such rows, `test`.

    A failure to make them is a warning; the run goes on without them.
    """
    name = list(sides)[-1]
    side = sides[name]
    splits = run.splits
    rows = {"train": splits.train, **splits.held_out}
    try:
        from rnn_cli.reporting.html import model_card, page
        from rnn_cli.reporting.report_numbers import gather_report_of_any

        report = gather_report_of_any(opened, predictor, side, name)
        return {
            REPORT: page(report),
            CARD: model_card(report, {side: each for side, each in rows.items() if len(each)}),
        }
    except Exception as error:
        listener.warn(f"no {REPORT} and no {CARD}: {type(error).__name__}: {error}")
        return {}


def _prediction_columns(evaluation: Evaluation) -> pd.DataFrame:
    """The columns of an evaluation's rows that a bundle keeps."""
    table = evaluation.to_frame().filter(items=("text", "label", "probability", "prediction", "unsure"))
    return table.replace({"unsure": {True: "true", False: "false"}})


def to_csv(table: pd.DataFrame) -> str:
    """The table as CSV, all texts quoted."""
    # Before Python 3.13 a lone CR in a text without quotes would end the row.
    return table.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)


def unfinished_manifest(run: Prepared) -> Manifest:
    """The manifest before calibration and decision, with what is known of the rows."""
    splits = run.splits
    data = {
        "fingerprint": splits.fingerprint,
        NEAR_TOGETHER: splits.near,
        "rows": {"train": len(splits.train), "validation": len(splits.validation), "test": len(splits.test)},
        **({"unlabelled": run.unlabelled.to_dict()} if run.unlabelled.texts else {}),
        **({FURTHER: dict(run.origin)} if run.origin else {}),
    }
    return undecided_manifest(run, data=data, versions=versions())


def finish(
    draft: Draft,
    run: Prepared,
    graph: bytes,
    history: Sequence[EpochMetrics],
    best: EpochMetrics,
    listener: Listener,
    *,
    documented: bool = True,
    folds: FoldResults | None = None,
    more: Mapping[str, Any] | None = None,
) -> Run:
    """Calibrate, decide, measure and write the bundle of an ONNX graph that has learned from the run's rows.

    `folds` holds what a cross-validation found, if the run had one; `more` is added to its metrics.
    """
    draft.write(CONFIG, to_yaml(run.config))
    draft.write(TOKENIZER, run.tokenizer.to_json())
    draft.write(ONNX_MODEL, graph)
    if run.columns is not None:
        draft.write(COLUMNS_FILE, extra_columns_file(run.columns))
    draft.write(HISTORY, history_to_csv(history))
    texts = chain(run.splits.train.texts, run.splits.validation.texts, run.taught_texts if run.to_learn else ())
    draft.write(LEARNED, LearnedTexts.of(texts, run.learned).to_bytes())
    manifest = unfinished_manifest(run)
    listener.doing("scoring the validation rows")
    measures = {"several": measure_run_of_several, "number": measure_run_of_numbers}
    measure = measures.get(run.config.data.labels, _measure)
    measured = measure(run, Predictor(draft.preview(manifest)), graph, listener)
    held_out = measured.sides
    kept = held_out["validation"]
    facts: dict[str, Any] = {UNKNOWN_TOKENS: kept.scores.tokens.to_dict()}
    facts[CONFORMAL] = _conformal(kept, manifest).to_dict()
    if folds is not None:
        measured = with_folds(measured, run, folds)
    sides, int8 = measured.sides, measured.int8
    manifest = replace(manifest, **measured.stored, data={**manifest.data, **facts})
    if int8.graph is not None:
        draft.write(INT8_MODEL, int8.graph)
    more = {**(more or {}), **_worth_of_columns(measured.predictor, held_out, listener)}
    draft.write(METRICS, json.dumps({**measured.metrics, **more}, indent=2, ensure_ascii=False) + "\n")
    tables = [table.assign(split=name) for name, table in measured.tables.items()]
    draft.write(PREDICTIONS, to_csv(pd.concat(tables)))
    if documented:
        listener.doing("summarizing the texts")
        aside = [text for side in held_out.values() for text in side.dataset.texts]
        known = np.concatenate([side.scores.probabilities for side in held_out.values()])
        train = run.splits.train
        summary = summarize(measured.predictor, train.texts, aside, known, train.further)
        if summary is not None:
            draft.write(SUMMARY, summary.to_bytes())
        listener.doing("writing the report")
        for name, content in documents(draft.preview(manifest), measured.predictor, run, sides, listener).items():
            draft.write(name, content)
    manifest = replace(manifest, data={**manifest.data, RUN: _run_facts(run)})
    return Run(draft.finish(manifest), sides["validation"], sides.get("test"), best.epoch, folds=sides.get(BY_FOLDS))


def _conformal(kept: EvaluationOfAny, manifest: Manifest) -> Conformal:
    """What the validation rows say of sets of labels, or of ranges of numbers, of a stated coverage."""
    if isinstance(kept, NumberEvaluation):
        return Conformal.of_numbers(np.abs(kept.predicted - kept.truth))
    return Conformal.of_rows(kept.truth, kept.scores.probabilities, manifest.kind)


def _measure(run: Prepared, plain: Predictor, graph: bytes, listener: Listener) -> Measured:
    """Calibrate and decide on the validation rows, try 8 bits, and measure; the test rows once, at the end."""
    predictor, fitted, chosen = calibrated_and_decided(plain, run, listener)
    listener.doing("trying the network in 8 bits")
    validation = by_source(evaluate_predictor(predictor, run.splits.validation))
    int8 = try_int8(graph, run.config.model, predictor, validation)
    listener.note(int8.summary())
    listener.doing("measuring on the test rows")
    test = by_source(evaluate_predictor(predictor, run.splits.test)) if len(run.splits.test) else None
    usual_label = most_frequent(run.splits.train.labels)
    sides = {
        name: replace(
            with_standing(side, usual_label, run.config.decision, chosen.careful),
            transductive=run.config.data.transductive and run.to_learn is not None,
        )
        for name, side in ({"validation": validation} | ({"test": test} if test else {})).items()
    }
    metrics: dict[str, Any] = {name: side.to_dict() for name, side in sides.items()}
    metrics["calibration"] = fitted.to_dict() | {
        name: before_and_after(side.truth, side.scores.probabilities, side.predicted, predictor.calibration)
        for name, side in sides.items()
    }
    metrics[INT8_METRICS] = int8.to_dict()
    metrics[MOST_FREQUENT] = usual_label
    if chosen.careful is not None:
        metrics[CAREFUL] = asdict(chosen.careful)
    tables = {
        name: _prediction_columns(side).assign(**dict[str, Any](kept_columns(predictor, side.dataset)))
        for name, side in sides.items()
    }
    if isinstance(run.baseline, Baseline):
        knew_more = run.origin is not None
        against = {name: run.baseline.against(name, side, knew_more) for name, side in sides.items()}
        metrics["baseline"] = run.baseline.to_dict(against)
        sides = {name: replace(side, baseline=against[name]) for name, side in sides.items()}
        tables = {name: table.assign(**run.baseline.columns(name, run.labels)) for name, table in tables.items()}
    stored = {**asdict(predictor.calibration), **asdict(predictor.decision)}
    return Measured(predictor, stored, sides, metrics, tables, int8)


def _worth_of_columns(predictor: Predictor, sides: Mapping[str, EvaluationOfAny], listener: Listener) -> dict[str, Any]:
    """The part of the metrics that says what other columns are worth; says it of the last side, too."""
    if predictor.extra_columns is None:
        return {}
    listener.doing("shuffling the other columns")
    found = {
        name: column_importance(predictor, side)
        for name, side in sides.items()
        if not isinstance(side, NumberEvaluation)  # numbers are learned from texts alone
    }
    side = list(found)[-1]
    for each in found[side]:
        listener.note(each.in_words(side))
    return importance_to_dict(found)


def _run_facts(run: Prepared) -> dict[str, Any]:
    """The manifest's entry for a run that ends now."""
    seconds = run.spent()
    return {
        "recipe": run.recipe,
        "seconds": None if seconds is None else round(seconds, 1),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }
