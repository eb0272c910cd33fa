"""What a report shows, gathered from a model's folder and its predictions. Draws and writes nothing."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnn_cli.bundle.history import EpochMetrics, best_epoch, read_history
from rnn_cli.bundle.model_folder import CONFIG, METRICS, Bundle, Manifest
from rnn_cli.config.load import stored_config
from rnn_cli.config.schema import Config
from rnn_cli.data.rows import short_place
from rnn_cli.evaluation.evaluate import Evaluation, by_length
from rnn_cli.evaluation.evaluate_numbers import EvaluationOfAny, NumberEvaluation
from rnn_cli.evaluation.evaluate_several import SeveralEvaluation
from rnn_cli.evaluation.importance import ColumnImportance, kept_importance
from rnn_cli.evaluation.metrics import MainMetrics, ScalingTrial
from rnn_cli.evaluation.ordered import OrderedMetrics
from rnn_cli.evaluation.scores import confidences
from rnn_cli.evaluation.wording import seen_in_words
from rnn_cli.evaluation.wording_folds import dealt_in_words
from rnn_cli.scoring.explain import explain_columns, explain_texts
from rnn_cli.scoring.parts import check_config
from rnn_cli.scoring.prediction import NONE, ColumnPart, Part
from rnn_cli.scoring.predictor import Predictor

MISTAKES_SHOWN = 50

PARTS_EXPLAINED, FEWEST_PARTS = 40, 8
"""Parts that explain a text: each costs one more scoring of it."""

TOKENS_EXPLAINED = 2_000_000
"""About how many tokens are scored for all explanations together; longer texts have fewer parts."""

CHARACTERS_EXPLAINED = 20_000
"""A longer text is not explained: finding its tokens' positions would take longer than all else."""


@dataclass(frozen=True)
class WrongPrediction:
    """A text with a wrong prediction, the prediction's probability, and the text's line in its file.

    Of numbers there is no probability, and `off` says how far the prediction is off. `place` names the file, too, where
    the texts come from several. `parts` say what speaks for the prediction (weight above 0) and against it; there are
    none for a text too long to explain.
    """

    text: str
    line: int
    label: str
    prediction: str
    probability: float | None
    parts: tuple[Part, ...]
    place: str = ""
    columns: tuple[ColumnPart, ...] = ()
    """The row's other columns that the model reads, and what speaks for the prediction of them."""
    off: str = ""


def worst_predictions(
    predictor: Predictor, evaluation: Evaluation, most: int = MISTAKES_SHOWN
) -> tuple[WrongPrediction, ...]:
    """At most `most` wrong predictions, the most confident first."""
    predicted, rows = evaluation.predicted, evaluation.dataset
    confidence = confidences(evaluation.scores.probabilities, predicted)
    wrong = np.flatnonzero(predicted != evaluation.truth)
    chosen = wrong[np.argsort(-confidence[wrong], kind="stable")][:most].tolist()
    short = [row for row in chosen if len(rows.texts[row]) <= CHARACTERS_EXPLAINED]
    texts = [rows.texts[row] for row in short]
    tokens = sum(map(len, predictor.tokenizer.encode_all(texts)))
    most_parts = min(PARTS_EXPLAINED, max(FEWEST_PARTS, TOKENS_EXPLAINED // max(tokens, 1)))
    # A fold's prediction is not this model's.
    explained = (
        [()] * len(short)
        if evaluation.folds is not None
        else explain_texts(
            predictor, texts, predicted[short].tolist(), most_parts=most_parts, columns=rows.select(short).further
        )
    )
    parts = dict(zip(short, explained, strict=True))
    columns = _columns_of(predictor, evaluation, short, predicted[short].tolist())
    return tuple(
        WrongPrediction(
            text=rows.texts[row],
            line=rows.lines[row],
            label=rows.labels[row],
            prediction=predictor.labels[predicted[row]],
            probability=float(confidence[row]),
            parts=parts.get(row, ()),
            place="" if rows.files is None else short_place(rows.file_of(row), rows.lines[row]),
            columns=columns.get(row, ()),
        )
        for row in chosen
    )


def _columns_of(
    predictor: Predictor, evaluation: Evaluation | SeveralEvaluation, rows: Sequence[int], predicted: Sequence[int]
) -> dict[int, tuple[ColumnPart, ...]]:
    """What the other columns of rows do to their predictions, by row; a fold's prediction is not this model's."""
    if evaluation.folds is not None or not predictor.columns:
        return {}
    some = evaluation.dataset.select(rows)
    return dict(zip(rows, explain_columns(predictor, some.texts, some.further, predicted), strict=True))


def worst_of_several(
    predictor: Predictor, evaluation: SeveralEvaluation, most: int = MISTAKES_SHOWN
) -> tuple[WrongPrediction, ...]:
    """At most `most` rows with a label that is predicted and wrong, the most probable such label first.

    What is explained, and how probable it is, is of that label.
    """
    rows, labels = evaluation.dataset, evaluation.metrics.labels
    wrong = np.where(evaluation.predicted > evaluation.truth, evaluation.scores.probabilities, 0.0)
    surest = wrong.max(axis=1)
    chosen = [row for row in np.argsort(-surest, kind="stable")[:most].tolist() if surest[row] > 0]
    short = [row for row in chosen if len(rows.texts[row]) <= CHARACTERS_EXPLAINED]
    about = wrong.argmax(axis=1)
    texts = [rows.texts[row] for row in short]
    explained = (
        [()] * len(short)
        if evaluation.folds is not None  # a fold's prediction is not this model's
        else explain_texts(
            predictor,
            texts,
            about[short].tolist(),
            most_parts=PARTS_EXPLAINED,
            columns=rows.select(short).further,
        )
    )
    parts = dict(zip(short, explained, strict=True))
    columns = _columns_of(predictor, evaluation, short, about[short].tolist())
    return tuple(
        WrongPrediction(
            text=rows.texts[row],
            line=rows.lines[row],
            label=", ".join(rows.label_sets[row]) or NONE,
            prediction=labels[about[row]],
            probability=float(surest[row]),
            parts=parts.get(row, ()),
            place="" if rows.files is None else short_place(rows.file_of(row), rows.lines[row]),
            columns=columns.get(row, ()),
        )
        for row in chosen
    )


@dataclass(frozen=True, kw_only=True)
class AnyReport:
    """What a report shows of a model, whatever it predicts, and of its predictions for some labelled rows.

    `side` says which of the run's own rows they are, `test` or `validation`; None for others. `frequent` are the
    vocabulary's first tokens, which show its language.
    """

    manifest: Manifest
    config: Config
    config_text: str
    history: tuple[EpochMetrics, ...]
    best_epoch: int
    side: str | None
    evaluation: EvaluationOfAny
    mistakes: tuple[WrongPrediction, ...]
    frequent: tuple[str, ...]
    vocabulary: int
    columns: tuple[str, ...] = ()
    """The other columns that the model reads, in words."""
    worth: tuple[ColumnImportance, ...] = ()
    """What they are worth on the run's rows of `worth_side`."""
    worth_side: str = ""

    @property
    def labels(self) -> tuple[str, ...]:
        """In the order of the network's classes; of two, the second is the positive one. Of numbers there are none."""
        return self.manifest.labels

    @property
    def several(self) -> bool:
        """Whether a text may have several labels."""
        return isinstance(self.evaluation, SeveralEvaluation)

    @property
    def ordered(self) -> bool:
        """Whether the labels have an order."""
        return isinstance(self.evaluation.metrics, OrderedMetrics)

    @property
    def number(self) -> bool:
        """Whether each text has a number instead of a label."""
        return isinstance(self.evaluation, NumberEvaluation)

    @property
    def models(self) -> Mapping[str, Any]:
        """The metrics of the network and, if there is one, of the baseline, by name."""
        baseline = self.evaluation.baseline
        of_baseline = {} if baseline is None else {"linear baseline": baseline.metrics}
        return {self.evaluation.made: self.evaluation.metrics, **of_baseline}

    @property
    def network(self) -> str:
        """The network in a few words."""
        model = self.config.model
        if model.kind == "linear":
            return f"Linear model of up to {model.ngrams} tokens in a row"
        cell = {"lstm": "LSTM", "gru": "GRU", "rnn": "simple recurrent"}[model.cell]
        units = " and ".join(map(str, model.units))
        linear = f" beside a linear model of up to {model.ngrams} tokens in a row" if model.ngrams else ""
        return f"{'Bidirectional ' if model.bidirectional else ''}{cell} network of {units} units{linear}"

    @property
    def unit(self) -> str:
        """What a token is, in one word."""
        level = self.config.tokenizer.level
        return {"subword": "piece", "char": "character"}.get(level, level)

    @property
    def base(self) -> str:
        """The model that this one builds on, without its folders."""
        return Path(self.config.model.base or "").name

    @property
    def all_rows(self) -> int | None:
        """The labelled rows of the whole run, where its own were measured."""
        return sum(self.manifest.data["rows"].values()) if self.side else None

    @property
    def use_of_validation(self) -> str:
        """What training did with the validation rows; on a base there are no epochs to choose from."""
        model = self.config.model
        return "calibrated the model" if model.base or model.kind == "linear" else "chose the best epoch"

    @property
    def rows_in_words(self) -> str:
        """Which rows were measured."""
        if isinstance(self.evaluation, Evaluation) and self.evaluation.transductive and self.side:
            return f"{self.side} rows, whose texts a teacher read without their labels: others may go worse"
        if self.evaluation.folds is not None:
            dealt = dealt_in_words(self.evaluation.folds)
            return f"rows, each predicted by a model that had not seen it ({dealt}; the final model knows them all)"
        if self.side == "test":
            return "test rows, which training did not see"
        if self.side == "validation":
            return f"validation rows, which {self.use_of_validation}: on other rows it may do a little worse"
        seen = f". {seen_in_words(self.evaluation.seen).rstrip('.')}" if self.evaluation.seen else ""
        return f"labelled rows of {Path(self.evaluation.dataset.name).name}{seen}"


@dataclass(frozen=True, kw_only=True)
class Report(AnyReport):
    """All that a report shows of a model of labels and its predictions for some labelled rows.

    `is_scaling_known` says that the run tells of `scaling_trial`; earlier releases did not, and an export does not.
    `slices` are by the texts' length.
    """

    evaluation: Evaluation | SeveralEvaluation
    slices: Sequence[MainMetrics]
    is_scaling_known: bool = False
    scaling_trial: ScalingTrial | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """In the order of the network's classes; of two, the second is the positive one."""
        return self.evaluation.metrics.labels


def gather_report(
    opened: Bundle, predictor: Predictor, evaluation: Evaluation | SeveralEvaluation, side: str | None
) -> Report:
    """Gather a report on a model and its predictions; raises `BundleError` where its folder is damaged."""
    probabilities = evaluation.scores.probabilities
    slices: Sequence[MainMetrics] = ()
    if isinstance(evaluation, SeveralEvaluation):
        mistakes = worst_of_several(predictor, evaluation)
    else:
        slices = by_length(evaluation.truth, probabilities, evaluation.predicted, evaluation.reading.lengths)
        mistakes = worst_predictions(predictor, evaluation)
    is_known, trial = (False, None) if opened.manifest.several else _scaling_trial(opened)
    return Report(
        **about_model(opened, predictor),
        side=side,
        evaluation=evaluation,
        slices=slices,
        mistakes=mistakes,
        is_scaling_known=is_known,
        scaling_trial=trial,
    )


def about_model(opened: Bundle, predictor: Predictor) -> dict[str, Any]:
    """The fields of a report that are of the model, not of rows; raises `BundleError` where its folder is damaged."""
    stored = opened.read(CONFIG)
    config = stored_config(stored, str(opened.path / CONFIG))
    check_config(opened, config, predictor.tokenizer, predictor.architecture)
    history = read_history(opened)
    extra, (worth_side, worth) = predictor.extra_columns, kept_importance(opened)
    return {
        "manifest": opened.manifest,
        "config": config,
        "config_text": stored.decode("utf-8"),
        "history": history,
        "best_epoch": best_epoch(history, config.training).epoch,
        "frequent": predictor.tokenizer.vocab[2:17],
        "vocabulary": predictor.tokenizer.vocab_size,
        "columns": () if extra is None else tuple(each.in_words() for each in extra.columns),
        "worth": worth,
        "worth_side": worth_side,
    }


def _scaling_trial(opened: Bundle) -> tuple[bool, ScalingTrial | None]:
    """Whether a run tells of vector scaling, and its trial, if there was one."""
    if METRICS not in opened.manifest.files:
        return False, None
    try:
        found = json.loads(opened.read(METRICS))["calibration"]["vector_scaling"]
        return True, None if found is None else ScalingTrial.from_dict(found)
    except (KeyError, RecursionError, TypeError, ValueError):
        return False, None
