"""A predictor measured on labelled texts, as a whole and by slices."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rnn_cli.arrays import Floats, Floats32, Indices, label_indices
from rnn_cli.bundle.locate import shown_model
from rnn_cli.bundle.model_folder import COLUMNS_FILE, CONFIG, NEAR_TOGETHER, PREDICTIONS, Bundle
from rnn_cli.config.load import Override, refuse_others, stored_config, with_overrides
from rnn_cli.config.schema import Config, DataConfig, DecisionConfig
from rnn_cli.data.reading.readers import read_columns
from rnn_cli.data.reading.remote import STANDARD_INPUT, shown, shown_source
from rnn_cli.data.reading.table import READING_KEYS
from rnn_cli.data.rows import Dataset
from rnn_cli.data.source import (
    IN_MEMORY,
    InMemory,
    NoSuchColumn,
    column_in_memory,
    from_memory,
    further_column,
    is_in_memory,
    load_rows,
    load_texts,
)
from rnn_cli.data.splits import Splits, load_splits
from rnn_cli.errors import BundleError, DataError, Setting, UsageError, few_of
from rnn_cli.evaluation.compare import DETAILS, MAX_SAVED_TEXT_BYTES, BaselineComparison, LabelledPredictions
from rnn_cli.evaluation.decide import Chosen, check_decision, decide
from rnn_cli.evaluation.metrics import MainMetrics, Metrics, SelectiveMetrics, measure
from rnn_cli.evaluation.ordered import OrderedMetrics, measure_ordered
from rnn_cli.evaluation.ranges import group_names, range_names, rows_by_name
from rnn_cli.evaluation.scores import confidences, confusion_of, log_losses
from rnn_cli.evaluation.seen import SeenRows
from rnn_cli.evaluation.standing import AgainstMostFrequent, GoalOutcome, SinceTraining, as_plain
from rnn_cli.evaluation.wording import metrics_table
from rnn_cli.scoring.decision import Decision
from rnn_cli.scoring.extra import read_extra_columns
from rnn_cli.scoring.ordered import DecisionOfOrdered, expected_values
from rnn_cli.scoring.predictor import OnScored, Predictor, Scores
from rnn_cli.scoring.unknown import UnknownTokens
from rnn_cli.text.plain import html_table
from rnn_cli.text.tokenizer import Tokenizer
from rnn_cli.text.tokenizer_json import UNKNOWN

if TYPE_CHECKING:
    import pandas

    from rnn_cli.evaluation.evaluate_numbers import EvaluationOfAny
    from rnn_cli.evaluation.folds import CrossValidation

SLICE_ROWS = 20
"""A slice has at least this many rows; values of fewer rows are one slice together."""

SLICE_RANGES = 5
"""Into how many ranges of about equally many rows numbers are cut."""


def by_values(
    truth: Indices, probabilities: Floats, predicted: Indices, values: Sequence[str | None]
) -> list[MainMetrics]:
    """Measure the rows of each value, worst accuracy first; those of rare values are one slice, which comes last.

    All arguments are `[rows]`, the probabilities `[rows, labels]`. Many different numbers or times are cut into ranges,
    as `group_names` says; missing values are a slice, too. Each
    interval is of its slice alone: of twenty slices, one is expected to lie outside by chance.
    """
    return _by_names(truth, probabilities, predicted, group_names(values, SLICE_RANGES, SLICE_ROWS))


def by_length(truth: Indices, probabilities: Floats, predicted: Indices, lengths: Indices) -> list[MainMetrics]:
    """Measure up to `SLICE_RANGES` ranges of lengths in tokens, worst accuracy first; all arguments are `[rows]`."""
    return _by_names(truth, probabilities, predicted, names_of_lengths(lengths))


def names_of_lengths(lengths: Indices) -> list[str]:
    """The name of the range of each length in tokens, `[rows]`."""
    return range_names(lengths.tolist(), SLICE_RANGES, SLICE_ROWS, "tokens")


def _by_names(truth: Indices, probabilities: Floats, predicted: Indices, names: Sequence[str]) -> list[MainMetrics]:
    losses = log_losses(truth, probabilities)

    def measured(name: str, rows: Indices) -> MainMetrics:
        confusion = confusion_of(truth[rows], predicted[rows], probabilities.shape[1])
        return MainMetrics.of(name, confusion, losses[rows], intervals=len(rows) >= SLICE_ROWS)

    groups, few = rows_by_name(names, SLICE_ROWS)
    slices = [measured(name, rows) for name, rows in groups.items()]
    slices.sort(key=lambda each: (each.rows < SLICE_ROWS, each.accuracy, -each.rows))
    return slices + [measured(name, rows) for name, rows in few.items()]


@dataclass(frozen=True)
class TokenCounts:
    """Counts over `texts` texts, at least one.

    Of all `tokens` the model reads `read`: a text longer than its `max_length` is cut, as `cut` texts were. Of the
    tokens it reads, `unknown` are not in its vocabulary. `lengths` are the numbers of tokens before cutting, `[texts]`.
    """

    texts: int
    tokens: int
    read: int
    unknown: int
    cut: int
    lengths: Indices

    @property
    def unknown_share(self) -> float:
        """The share of unknown tokens among those that are read."""
        return self.unknown / max(self.read, 1)

    @property
    def cut_share(self) -> float:
        """The share of texts that are cut."""
        return self.cut / self.texts


def encode_counted(tokenizer: Tokenizer, texts: Sequence[str]) -> tuple[list[list[int]], TokenCounts]:
    """Encode at least one text as `Tokenizer.encode_all` does, and count tokens in the same pass."""
    encoded: list[list[int]] = []
    lengths = np.empty(len(texts), np.intp)
    for index, text in enumerate(texts):
        ids, lengths[index] = tokenizer.encode_counted(text)
        encoded.append(ids)
    seen = np.minimum(lengths, tokenizer.max_length)
    # A text without tokens is encoded as an unknown token that it does not hold.
    unknown = sum(ids.count(UNKNOWN) for ids in encoded) - int((lengths == 0).sum())
    cut = int((lengths > tokenizer.max_length).sum())
    return encoded, TokenCounts(len(texts), int(lengths.sum()), int(seen.sum()), unknown, cut, lengths)


@dataclass(frozen=True, repr=False)
class Evaluation:
    """A model's predictions for labelled texts, and how good they are.

    `predicted` are indices into the labels, `[rows]`, as `decision` chose them; unsure predictions are included, also
    in the metrics. `reading` counts what was read of the texts. `baseline` is the linear model on the same rows, if the
    run saved it; `baseline_left_out` says that it is omitted because the model now decides differently. `slices` are
    the metrics by the column `by`, if asked for. `seen` says which of the rows given the model learned from; None for
    its own test and validation rows. `most_frequent` compares with always predicting the training rows' most frequent
    label, `goal` says what a precision or recall that was asked for came to, and `since_training` compares the accuracy
    on other rows with that on the run's own. `transductive` says that a teacher read the rows' texts. `folds` tells of
    the cross-validation that predicted the rows, if one did. `made` says in words what the model is. `warnings` deserve
    a second look. `model` is the model's folder.
    """

    dataset: Dataset
    scores: Scores
    decision: Decision
    predicted: Indices
    metrics: Metrics
    reading: TokenCounts
    baseline: BaselineComparison | None = None
    baseline_left_out: bool = False
    by: str | None = None
    slices: tuple[MainMetrics, ...] = ()
    seen: SeenRows | None = None
    most_frequent: AgainstMostFrequent | None = None
    goal: GoalOutcome | None = None
    since_training: SinceTraining | None = None
    transductive: bool = False
    folds: "CrossValidation | None" = None
    made: str = "network"
    warnings: tuple[str, ...] = ()
    model: Path | None = None

    @cached_property
    def truth(self) -> Indices:
        """The true labels as indices into the labels, `[rows]`."""
        return true_labels(self.dataset, self.metrics.labels)

    @property
    def sure(self) -> SelectiveMetrics | None:
        """The metrics of the predictions that are not unsure; None for a model that never is."""
        if not self.decision.unsure_below:
            return None
        kept = ~self.decision.unsure(self.scores.probabilities)
        return SelectiveMetrics.of(int((self.truth == self.predicted)[kept].sum()), int(kept.sum()), len(kept))

    def to_dict(self) -> dict[str, Any]:
        """The metrics as plain values, with the decision behind them."""
        plain = {**self.metrics.to_dict(), "decision": asdict(self.decision), **as_plain(self)}
        if sure := self.sure:
            plain["sure"] = asdict(sure)
        if baseline := self.baseline:
            plain |= {"baseline": baseline.metrics.to_dict(), "comparison": baseline.comparison.to_dict()}
        if self.by is not None:
            plain |= {"by": self.by, "slices": [asdict(each) for each in self.slices]}
        if self.seen is not None:
            plain["seen"] = self.seen.to_dict()
        if self.folds is not None:
            plain[DETAILS] = asdict(self.folds)
        return plain

    def to_frame(self) -> "pandas.DataFrame":
        """A table of pandas with one row a text: line, text, label, prediction, probability, and `p(LABEL)` each.

        For a model that can be unsure there is a column `unsure`, too.
        """
        import pandas

        files = {} if self.dataset.files is None else {"file": self.dataset.files}
        labels, probabilities = self.metrics.labels, self.scores.probabilities
        table = pandas.DataFrame(
            {
                **files,
                "line": self.dataset.lines,
                "text": self.dataset.texts,
                "label": self.dataset.labels,
                "probability": confidences(probabilities, self.predicted),
                "prediction": [labels[index] for index in self.predicted],
            }
        )
        if self.decision.unsure_below:
            table["unsure"] = self.decision.unsure(probabilities)
        if isinstance(self.metrics, OrderedMetrics):
            table["expected"] = expected_values(labels, probabilities)
        columns = pandas.DataFrame(probabilities, columns=[f"p({label})" for label in labels])
        return pandas.concat([table, columns], axis=1)

    def __repr__(self) -> str:
        """The rows and the main metrics."""
        metrics = self.metrics
        return f"Evaluation({self.dataset.name}, {metrics.rows:,} rows: accuracy {metrics.accuracy:.1%}, " + (
            f"mean absolute error {metrics.mean_absolute_error:.3f})"
            if isinstance(metrics, OrderedMetrics)
            else f"macro F1 {metrics.macro_f1:.3f})"
        )

    def _repr_html_(self) -> str:
        """The metrics with their intervals as a table, for a notebook."""
        return html_table(*metrics_table(self.dataset.name, models_of(self)))


def evaluate_predictor(predictor: Predictor, dataset: Dataset, on_scored: OnScored | None = None) -> Evaluation:
    """Score labelled texts and measure the predictions; raises `DataError` for a label the model does not know.

    Calls `on_scored` with how many of the texts are scored.
    """
    truth = true_labels(dataset, predictor.labels)
    encoded, reading = encode_counted(predictor.tokenizer, dataset.texts)
    tokens, decision = UnknownTokens(reading.read, reading.unknown), predictor.decision
    columns = numbers_of_columns(predictor, dataset)
    scores = replace(predictor.score_encoded(encoded, on_scored, columns), tokens=tokens)
    predicted = decision.choose(scores.probabilities)
    measured = measure_ordered if predictor.ordered else measure
    metrics = measured(predictor.labels, truth, scores.probabilities, predicted)
    return Evaluation(dataset, scores, decision, predicted, metrics, reading, made=made_of(predictor))


def numbers_of_columns(predictor: Predictor, dataset: Dataset) -> Floats32 | None:
    """The numbers of the rows' other columns, `[rows, width]`; None for a model that reads none. Raises `DataError`."""
    for name in predictor.columns:
        if name not in dataset.further:
            what = f"the rows have no column {name!r}, which the model reads beside the text"
            raise DataError(what, where=dataset.name, hint="give rows of a file, or a table, that has it")
    return predictor.encoded_columns(dataset.further, len(dataset), dataset.where)


def made_of(predictor: Predictor) -> str:
    """What a model is, in words."""
    return "linear model" if predictor.architecture.is_linear else "network"


def models_of(evaluation: "EvaluationOfAny") -> dict[str, Any]:
    """The metrics of the model and, where there is one, of the baseline, by what a table calls them."""
    linear = evaluation.made != "network"
    models: dict[str, Any] = {"linear" if linear else "network": evaluation.metrics}
    if evaluation.baseline is not None:
        models["TF-IDF" if linear else "linear"] = evaluation.baseline.metrics
    return models


def true_labels(dataset: Dataset, labels: Sequence[str]) -> Indices:
    """The rows' labels as indices into `labels`, `[rows]`; raises `DataError` for a label that is not among them."""
    known = set(labels)
    for row, label in enumerate(dataset.labels):
        if label not in known:
            raise DataError(
                f"label {label!r} is none of the model's ({few_of(labels)})",
                where=dataset.where(row),
                hint="correct it, or train on data that has it",
            )
    return label_indices(labels, dataset.labels)


def predictions_of(name: str, evaluation: Evaluation) -> LabelledPredictions:
    """The predictions of the model called `name` for all rows of an evaluation, identified by their places."""
    rows = evaluation.dataset
    return LabelledPredictions(
        name=name,
        keys={"id": [rows.where(row) for row in range(len(rows))], "text": rows.texts},
        labels=evaluation.dataset.labels,
        predictions=[evaluation.metrics.labels[index] for index in evaluation.predicted],
        log_losses=log_losses(evaluation.truth, evaluation.scores.probabilities),
        order=evaluation.metrics.labels if isinstance(evaluation.metrics, OrderedMetrics) else None,
    )


def kept_test_rows(opened: Bundle) -> Dataset:
    """A run's test rows, read again from its data; raises `DataError` if there are none or the data has changed."""
    if not opened.manifest.data["rows"]["test"]:  # known without the run's data, which may be gone
        raise DataError(
            "the run kept no test rows (data.test: 0)", where=shown_model(opened.path), hint=Setting("data", "FILE")
        )
    return kept_splits(opened).test


def kept_splits(opened: Bundle) -> Splits:
    """A run's rows, read and split again; raises `DataError` if they cannot be read or have changed."""
    config = run_config(opened)
    try:
        splits = load_splits(config.data, near=opened.manifest.data.get(NEAR_TOGETHER, False))
    except DataError as error:
        again = {shown(STANDARD_INPUT): "pipe the same rows in again, or ", IN_MEMORY: ""}
        first = again.get((error.where or "").partition(":")[0], "restore the file, or ")
        raise DataError(
            f"the rows the model was trained on cannot be read again ({error.what})",
            where=error.where,
            hint=Setting("data", "FILE", f"{first}name other labelled rows with {{}}"),
        ) from None
    if splits.fingerprint != opened.manifest.data.get("fingerprint"):
        raise DataError(
            "the rows have changed since the model was trained, so those that measured it cannot be found among them",
            where=shown_source(config.data),
            hint=Setting("data", "FILE", "restore the file, or name labelled rows the model has not seen with {}"),
        )
    return splits


def labelled_rows(
    opened: Bundle,
    source: str | PathLike[str] | InMemory,
    overrides: Sequence[Override] = (),
    columns: Iterable[str] = (),
) -> Dataset:
    """Read labelled rows of a file, a built-in set or memory as the run read its training rows.

    Overrides change how: they are of keys such as `data.text_column`. `columns` are read beside the model's own.
    """
    config = _reading_of_new(opened, overrides)
    if columns := {**dict.fromkeys(columns, "auto"), **(config.extra_columns or {})}:
        config = config.model_copy(update={"extra_columns": columns})
    return from_memory(source, config) if is_in_memory(source) else load_rows(fspath(source), config)


def unlabelled_rows(
    opened: Bundle, source: str | PathLike[str] | Sequence[str], overrides: Sequence[Override] = ()
) -> Dataset:
    """Read rows of a file or a built-in set as `labelled_rows` does, without labels; or take texts from memory."""
    if isinstance(source, str | PathLike):
        return load_texts(fspath(source), _reading_of_new(opened, overrides))
    return from_memory((list(source), ["-"] * len(source)), DataConfig())


def _reading_of_new(opened: Bundle, overrides: Sequence[Override]) -> DataConfig:
    known = [f"data.{key}" for key in READING_KEYS]
    refuse_others(overrides, known, f"use one of {', '.join(known)}")
    # The new rows are not split, so they need not have the columns that the split follows.
    return _reading(opened, overrides).model_copy(update={"group_column": None, "time_column": None})


def slicer(
    opened: Bundle,
    dataset: Dataset,
    by: str | None,
    source: InMemory | None = None,
    overrides: Sequence[Override] = (),
) -> Callable[[Evaluation], Evaluation]:
    """A function that adds slices by a column of the dataset's file to its evaluation.

    Arguments, and what it raises, are as of `slice_names`.
    """
    found = slice_names(opened, dataset, by, source, overrides)
    return (lambda evaluation: evaluation) if found is None else partial(_with_slices, *found)


NamesOfSlices = Callable[[Indices], Sequence[str]]
"""From the lengths of texts in tokens to the name of each text's slice, `[rows]`."""


def slice_names(
    opened: Bundle,
    dataset: Dataset,
    by: str | None,
    source: InMemory | None = None,
    overrides: Sequence[Override] = (),
) -> tuple[str, NamesOfSlices] | None:
    """What rows are sliced by, and how; None where they are not.

    "length" slices by the texts' length in tokens, unless a column has this name; None by source, if there are several.
    `source` is what the dataset was made of, if it came from memory; overrides are those of `labelled_rows`. Raises
    `DataError` for a column that does not exist.
    """
    if by is None:
        return _source_names(dataset)
    try:
        if source is not None and is_in_memory(source):
            values = column_in_memory(source, dataset, by)
        else:
            values = further_column(dataset, by, _reading(opened, overrides))
    except NoSuchColumn as error:
        if by != "length":
            hint = f"{f'{error.hint} ' if error.hint else ''}--by length is always there"
            raise NoSuchColumn(error.what, where=error.where, hint=hint) from None
        return by, names_of_lengths
    return by, lambda _: group_names(values, SLICE_RANGES, SLICE_ROWS)


def by_source(evaluation: Evaluation) -> Evaluation:
    """The same with slices by source, where the rows come from several."""
    found = _source_names(evaluation.dataset)
    return evaluation if found is None else _with_slices(*found, evaluation)


def _source_names(dataset: Dataset) -> tuple[str, NamesOfSlices] | None:
    sources = dataset.sources
    return None if sources is None else ("source", lambda _: group_names(sources, SLICE_RANGES, SLICE_ROWS))


def _with_slices(by: str, names: NamesOfSlices, evaluation: Evaluation) -> Evaluation:
    measured = evaluation.truth, evaluation.scores.probabilities, evaluation.predicted
    return replace(evaluation, by=by, slices=tuple(_by_names(*measured, names(evaluation.reading.lengths))))


def _reading(opened: Bundle, overrides: Sequence[Override]) -> DataConfig:
    """How other rows than the run's own are read: as its source was, if it had only one."""
    return run_config(opened, [Override("data.sources", None), *overrides]).data


def run_config(opened: Bundle, overrides: Sequence[Override] = ()) -> Config:
    """The config a run was trained by, with overrides; raises `ConfigError` for a wrong one."""
    where = str(opened.path / CONFIG)
    return with_overrides(stored_config(opened.read(CONFIG), where), overrides, where)


def kept_validation_rows(opened: Bundle) -> Dataset:
    """The run's own validation rows, as it kept them. Raises `BundleError`."""
    if PREDICTIONS not in opened.manifest.files:
        what = "keeps no validation rows, which would choose how it decides"
        hint = "give a threshold, or name a folder that rnn train wrote"
        raise BundleError(what, where=shown_model(opened.path), hint=hint)
    path = str(opened.verify(PREDICTIONS))
    names = read_extra_columns(opened).names if COLUMNS_FILE in opened.manifest.files else ()
    kept = ("text", "label", *map(kept_column, names), "split")
    found = read_columns(path, lambda _: kept, max_field_bytes=MAX_SAVED_TEXT_BYTES)
    of_validation = ((line, *cells) for line, (*cells, split) in found if split == "validation")
    rows = [(text or "", label or "", line, *rest) for line, text, label, *rest in of_validation]
    if not rows:
        raise BundleError("has no validation rows", where=path)
    texts, labels, lines, *columns = (list(column) for column in zip(*rows, strict=True))
    further = dict(zip(names, columns, strict=True))
    return Dataset(path, texts, labels, lines, further=further, several=opened.manifest.several)


def kept_column(name: str) -> str:
    """What a run's table of predictions calls another column that the model reads."""
    return f"column({name})"


def kept_columns(predictor: Predictor, dataset: Dataset) -> dict[str, list[str | None]]:
    """The columns of a dataset that the model reads beside the text, as a run's table of predictions has them."""
    return {kept_column(name): dataset.further[name] for name in predictor.columns}


def decided_anew(
    opened: Bundle, predictor: Predictor, asked: Sequence[Override]
) -> tuple[Predictor, DecisionConfig, Chosen]:
    """The same network with a new decision: the run's config, changed in the keys of `decision` that are asked for.

    The run's own validation rows choose it, where there is something to choose. Also returns what was asked for and how
    it was chosen. Raises `ConfigError`, `UsageError` and `BundleError`.
    """
    config = config_decided_anew(opened, asked)
    of_two = [each.key for each in asked if each.path[-1] in ("goal", "threshold")]
    if of_two and len(predictor.labels) > 2:
        what = f"is for two labels, but the model has {len(predictor.labels)} ({few_of(predictor.labels)})"
        hint = Setting("labels", "NAME,NAME", "measure two of them with {}")
        raise UsageError(what, where=of_two[0], hint=hint)
    check_decision(config.decision, predictor.labels)
    if not config.decision.is_chosen:
        chosen = Chosen(Decision(config.decision.threshold or 0.5), ())
        if predictor.ordered:
            chosen = Chosen(DecisionOfOrdered(choice=config.decision.choice or "balanced"), ())
        return predictor.adjusted(decision=chosen.decision), config.decision, chosen
    changed, chosen = decided(predictor, kept_validation_rows(opened), config.decision)
    return changed, config.decision, chosen


def config_decided_anew(opened: Bundle, asked: Sequence[Override]) -> Config:
    """The run's config, changed in the keys of `decision` that are asked for, without those that they exclude."""
    excluded = {"goal": "threshold", "threshold": "goal", "abstain": "abstain_error", "abstain_error": "abstain"}
    keys = {each.path[-1] for each in asked} & set(excluded)
    unset = [Override(f"decision.{excluded[key]}", None) for key in keys if excluded[key] not in keys]
    return run_config(opened, [*unset, *asked])


def decided(predictor: Predictor, validation: Dataset, config: DecisionConfig) -> tuple[Predictor, Chosen]:
    """The same network with the decision that serves the config best on the validation rows, and how it was chosen."""
    truth = true_labels(validation, predictor.labels)
    probabilities = predictor.score(validation.texts, validation.further).probabilities
    chosen = decide(config, truth, probabilities, ordered=predictor.ordered)
    return predictor.adjusted(decision=chosen.decision), chosen
