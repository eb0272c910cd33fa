"""A predictor held against labelled texts."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rnn_cli.arrays import Floats, Indices, label_indices
from rnn_cli.bundle.model_folder import CONFIG, PREDICTIONS, Bundle
from rnn_cli.config.load import Override, refuse_others, stored_config, with_overrides
from rnn_cli.config.schema import Config, DecisionConfig
from rnn_cli.data.reading.readers import read_columns
from rnn_cli.data.reading.remote import STANDARD_INPUT, shown
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
    load,
)
from rnn_cli.data.splits import load_splits
from rnn_cli.errors import BundleError, DataError, few_of
from rnn_cli.evaluation.compare import LONGEST, BaselineComparison, PredictedRows
from rnn_cli.evaluation.decide import decide, refuse_unsuitable
from rnn_cli.evaluation.intervals import Interval, losses_interval, macro_f1_interval, wilson_interval
from rnn_cli.evaluation.metrics import Metrics, SelectiveMetrics, confusion_of, macro_f1, measure
from rnn_cli.evaluation.ranges import group_names, range_names
from rnn_cli.evaluation.scores import log_losses
from rnn_cli.evaluation.wording import metrics_table
from rnn_cli.scoring.decision import Decision
from rnn_cli.scoring.predictor import Predictor, Scores, Told
from rnn_cli.text.plain import html_table
from rnn_cli.text.tokenizer import Tokenizer
from rnn_cli.text.tokenizer_json import UNKNOWN

if TYPE_CHECKING:
    import pandas

FEWEST = 20
"""Rows from which on a slice is measured alone."""

BANDS = 5
"""Into how many ranges of about equally many rows numbers are cut."""


@dataclass(frozen=True)
class Slice:
    """Some of the rows and how good the answers to them are.

    `macro_f1` is the mean over the labels that occur among them, true or answered. The 95 % intervals are those of the
    module `intervals`, None where the rows, or under `FEWEST` of them, tell too little for one. They are of this slice
    alone: of twenty slices, one is expected to lie off by chance.
    """

    name: str
    rows: int
    accuracy: float
    accuracy_interval: Interval
    macro_f1: float
    macro_f1_interval: Interval | None
    log_loss: float
    log_loss_interval: Interval | None

    def to_dict(self) -> dict[str, Any]:
        """The slice as plain values."""
        return asdict(self)


def by_values(truth: Indices, probabilities: Floats, predicted: Indices, values: Sequence[str | None]) -> list[Slice]:
    """A slice for each value, worst accuracy first; those of under `FEWEST` rows are one slice, which comes last.

    All are `[rows]`, the probabilities `[rows, labels]`. Many different numbers or times are cut into ranges, as
    `group_names` says; what is missing is a value too.
    """
    return _by_names(truth, probabilities, predicted, group_names(values, BANDS, FEWEST))


def by_length(truth: Indices, probabilities: Floats, predicted: Indices, lengths: Indices) -> list[Slice]:
    """A slice for each of up to `BANDS` ranges of lengths in tokens, worst accuracy first; all are `[rows]`."""
    return _by_names(truth, probabilities, predicted, range_names(lengths.tolist(), BANDS, FEWEST, "tokens"))


def _by_names(truth: Indices, probabilities: Floats, predicted: Indices, names: Sequence[str]) -> list[Slice]:
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for row, name in enumerate(names):
        groups[name].append(row)
    few = [rows for rows in groups.values() if len(rows) < FEWEST]
    if len(few) > 1:
        groups = defaultdict(list, {name: rows for name, rows in groups.items() if len(rows) >= FEWEST})
    slices = sorted(_slices(truth, probabilities, predicted, groups), key=_rank)
    if len(few) > 1:
        rest = {f"({len(few):,} values under {FEWEST} rows)": sorted(row for rows in few for row in rows)}
        slices += _slices(truth, probabilities, predicted, rest)
    return slices


def _rank(each: Slice) -> tuple[bool, float, int]:
    return each.rows < FEWEST, each.accuracy, -each.rows


def _slices(
    truth: Indices, probabilities: Floats, predicted: Indices, groups: Mapping[str, Sequence[int]]
) -> Iterator[Slice]:
    losses = log_losses(truth, probabilities)
    for name, members in groups.items():
        rows = np.asarray(members, np.intp)
        right = int((truth[rows] == predicted[rows]).sum())
        occurring, indices = np.unique(np.concatenate([truth[rows], predicted[rows]]), return_inverse=True)
        true, given = indices[: len(rows)], indices[len(rows) :]
        enough = len(rows) >= FEWEST
        confusion = confusion_of(true, given, len(occurring))
        yield Slice(
            name=name,
            rows=len(rows),
            accuracy=right / len(rows),
            accuracy_interval=wilson_interval(right, len(rows)),
            macro_f1=macro_f1(true, given, len(occurring)),
            macro_f1_interval=macro_f1_interval(confusion) if enough else None,
            log_loss=float(losses[rows].mean()),
            log_loss_interval=losses_interval(losses[rows], len(rows) - right) if enough else None,
        )


@dataclass(frozen=True)
class Reading:
    """Counts over `texts` texts, at least one.

    Of all `tokens` the model reads `read`, for a text longer than its `max_length` is cut, as `cut` texts were; of
    those it reads, `unknown` are not in its vocabulary. `lengths` are the whole texts' numbers of tokens, `[texts]`.
    """

    texts: int
    tokens: int
    read: int
    unknown: int
    cut: int
    lengths: npt.NDArray[np.intp]

    @property
    def unknown_share(self) -> float:
        """Of the tokens that are read."""
        return self.unknown / max(self.read, 1)

    @property
    def cut_share(self) -> float:
        """Of the texts."""
        return self.cut / self.texts


def read(tokenizer: Tokenizer, texts: Sequence[str]) -> tuple[list[list[int]], Reading]:
    """What `Tokenizer.encode_all` makes of texts, at least one, and the counts over them, both in one go."""
    encoded: list[list[int]] = []
    lengths = np.empty(len(texts), np.intp)
    for index, text in enumerate(texts):
        ids, lengths[index] = tokenizer.encode_counted(text)
        encoded.append(ids)
    seen = np.minimum(lengths, tokenizer.max_length)
    # A text without tokens is encoded as an unknown one, which stands nowhere in it.
    unknown = sum(ids.count(UNKNOWN) for ids in encoded) - int((lengths == 0).sum())
    cut = int((lengths > tokenizer.max_length).sum())
    return encoded, Reading(len(texts), int(lengths.sum()), int(seen.sum()), unknown, cut, lengths)


LENGTH = "length"
"""What slices by the texts' length, unless a column is called so."""


@dataclass(frozen=True)
class Evaluation:
    """What was answered to labelled texts, and how good that is.

    `predicted` are indices into the labels, `[rows]`, as `decision` chose them; those the model is unsure of are among
    them, and the metrics are of all. `reading` tells how much of the texts was read. `baseline` is the linear model on
    the same rows, where a run kept it; it is left out where the model decides otherwise now. `slices` are the rows'
    parts by the column `by`, where that was asked for. `warnings` are worth a second look.
    """

    dataset: Dataset
    scores: Scores
    decision: Decision
    predicted: npt.NDArray[np.intp]
    metrics: Metrics
    reading: Reading
    baseline: BaselineComparison | None = None
    baseline_left_out: bool = False
    by: str | None = None
    slices: tuple[Slice, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def truth(self) -> npt.NDArray[np.intp]:
        """The true labels as indices into the labels, `[rows]`."""
        return true_labels(self.dataset, self.metrics.labels)

    @property
    def sure(self) -> SelectiveMetrics | None:
        """The answers that are not unsure; None for a model that never is."""
        if not self.decision.unsure_below:
            return None
        kept = ~self.decision.unsure(self.scores.probabilities)
        return SelectiveMetrics.of(int((self.truth == self.predicted)[kept].sum()), int(kept.sum()), len(kept))

    def to_dict(self) -> dict[str, Any]:
        """The metrics as plain values, with the decision they follow from."""
        sure = self.sure
        plain = {
            **self.metrics.to_dict(),
            "decision": asdict(self.decision),
            **({} if sure is None else {"sure": asdict(sure)}),
        }
        if self.baseline is not None:
            baseline = self.baseline
            plain |= {"baseline": baseline.metrics.to_dict(), "comparison": baseline.comparison.to_dict()}
        if self.by is not None:
            plain |= {"by": self.by, "slices": [each.to_dict() for each in self.slices]}
        return plain

    def to_frame(self) -> "pandas.DataFrame":
        """The rows as a table of pandas: line, text, label, prediction, its probability and each label's, `p(LABEL)`.

        For a model that may be unsure also whether it is.
        """
        import pandas

        labels, probabilities = self.metrics.labels, self.scores.probabilities
        table = pandas.DataFrame(
            {
                "line": self.dataset.lines,
                "text": self.dataset.texts,
                "label": self.dataset.labels,
                "probability": probabilities[np.arange(len(self.predicted)), self.predicted],
                "prediction": [labels[index] for index in self.predicted],
            }
        )
        if self.decision.unsure_below:
            table["unsure"] = self.decision.unsure(probabilities)
        return table.assign(**{f"p({label})": probabilities[:, index] for index, label in enumerate(labels)})

    def _repr_html_(self) -> str:
        """The metrics with their intervals as a table, for a notebook."""
        models = {"network": self.metrics} | ({"linear": self.baseline.metrics} if self.baseline else {})
        return html_table(*metrics_table(self.dataset.name, models))


def evaluate(predictor: Predictor, dataset: Dataset, told: Told | None = None) -> Evaluation:
    """Score labelled texts and measure the answers; raises `DataError` for a label the model does not know.

    `told` hears how many of the texts are scored.
    """
    truth = true_labels(dataset, predictor.labels)
    encoded, reading = read(predictor.tokenizer, dataset.texts)
    scores, decision = predictor.score_encoded(encoded, told), predictor.decision
    predicted = decision.choose(scores.probabilities)
    metrics = measure(predictor.labels, truth, scores.probabilities, predicted)
    return Evaluation(dataset, scores, decision, predicted, metrics, reading)


def true_labels(dataset: Dataset, labels: Sequence[str]) -> npt.NDArray[np.intp]:
    """The rows' labels as indices into `labels`, `[rows]`; raises `DataError` for one that is not among them."""
    known = set(labels)
    for line, label in zip(dataset.lines, dataset.labels, strict=True):
        if label not in known:
            raise DataError(
                f"label {label!r} is none of the model's ({few_of(labels)})",
                where=f"{dataset.name}:{line}",
                hint="correct it, or train on data that has it",
            )
    return label_indices(labels, dataset.labels)


def predictions_of(name: str, evaluation: Evaluation) -> PredictedRows:
    """The answers of the model called `name` to all rows of an evaluation, which are told by their lines."""
    return PredictedRows(
        name=name,
        keys={"id": [str(line) for line in evaluation.dataset.lines], "text": evaluation.dataset.texts},
        labels=evaluation.dataset.labels,
        predictions=[evaluation.metrics.labels[answer] for answer in evaluation.predicted],
        log_losses=log_losses(evaluation.truth, evaluation.scores.probabilities),
    )


def kept_test_rows(opened: Bundle) -> Dataset:
    """The rows that a run kept for its test; raises `DataError` if its data is no longer the same."""
    if not opened.manifest.data["rows"]["test"]:  # known without the run's data, which may be gone
        raise DataError("the run kept no test rows (data.test: 0)", where=str(opened.path), hint="use --data FILE")
    config = run_config(opened)
    try:
        splits = load_splits(config.data)
    except DataError as error:
        again = {shown(STANDARD_INPUT): "pipe the same rows in again, or ", IN_MEMORY: ""}
        raise DataError(
            f"the rows the model was trained on cannot be read again ({error.what})",
            where=error.where,
            hint=again.get((error.where or "").partition(":")[0], "restore the file, or ")
            + "name other labelled rows with --data FILE",
        ) from None
    if splits.fingerprint != opened.manifest.data.get("fingerprint"):
        raise DataError(
            "the rows have changed since the model was trained, so its test rows can't be told from training rows",
            where=shown(config.data.source),
            hint="restore the file, or name labelled rows the model has not seen with --data FILE",
        )
    return splits.test


def labelled_rows(
    opened: Bundle, source: str | PathLike[str] | InMemory, overrides: Sequence[Override] = ()
) -> Dataset:
    """Labelled rows of a file, a built-in set or memory, read as the training rows were but for the overrides.

    These are of the keys that tell how to read, as `data.text_column`.
    """
    known = [f"data.{key}" for key in READING_KEYS]
    refuse_others(overrides, known, f"use one of {', '.join(known)}")
    config = run_config(opened, overrides).data
    return from_memory(source, config) if is_in_memory(source) else load(fspath(source), config)


def slicer(
    opened: Bundle, dataset: Dataset, by: str, source: InMemory | None = None, overrides: Sequence[Override] = ()
) -> Callable[[Evaluation], list[Slice]]:
    """What cuts an evaluation of the dataset into slices by a column of its file, or by length where it has none such.

    The lengths are those of the whole texts, in tokens. `source` is what the
    dataset was made of. Overrides are those of `labelled_rows`. Raises DataError for
    a column that there is not.
    """
    try:
        if source is not None and is_in_memory(source):
            values = column_in_memory(source, by)
        else:
            values = further_column(dataset, by, run_config(opened, overrides).data)
    except NoSuchColumn as error:
        if by != LENGTH:
            hint = f"{f'{error.hint} ' if error.hint else ''}--by {LENGTH} is always there"
            raise NoSuchColumn(error.what, where=error.where, hint=hint) from None
        return lambda found: by_length(found.truth, found.scores.probabilities, found.predicted, found.reading.lengths)
    return lambda found: by_values(found.truth, found.scores.probabilities, found.predicted, values)


def run_config(opened: Bundle, overrides: Sequence[Override] = ()) -> Config:
    """The config a run was trained by, with overrides; raises `ConfigError` for one that is wrong."""
    where = str(opened.path / CONFIG)
    return with_overrides(stored_config(opened.read(CONFIG), where), overrides, where)


COLUMNS = ("text", "label", "split")


def kept_validation_rows(opened: Bundle) -> Dataset:
    """The rows that chose a run's epoch, from its folder; raises `BundleError` if it is damaged."""
    path = str(opened.verify(PREDICTIONS))
    found = read_columns(path, lambda _: COLUMNS, max_field_bytes=LONGEST)
    rows = [(text or "", label or "", line) for line, (text, label, split) in found if split == "validation"]
    if not rows:
        raise BundleError("has no validation rows", where=path)
    texts, labels, lines = (list(column) for column in zip(*rows, strict=True))
    return Dataset(path, texts, labels, lines)


def decided_anew(opened: Bundle, predictor: Predictor, asked: Sequence[Override]) -> tuple[Predictor, tuple[str, ...]]:
    """The same network deciding by a run's config but for the keys of `decision` that are asked for.

    The run's own validation rows choose. With it, in words, which wishes no decision meets there. Raises `ConfigError`
    and `BundleError`.
    """
    excluded = {"goal": "threshold", "threshold": "goal", "abstain": "abstain_error", "abstain_error": "abstain"}
    keys = {each.path[-1] for each in asked}
    unset = [Override(f"decision.{excluded[key]}", None) for key in keys if excluded[key] not in keys]
    config = run_config(opened, [*unset, *asked])
    refuse_unsuitable(config.decision, predictor.labels)
    return decided(predictor, kept_validation_rows(opened), config.decision)


def decided(predictor: Predictor, validation: Dataset, config: DecisionConfig) -> tuple[Predictor, tuple[str, ...]]:
    """The same network deciding as serves the config best on the validation rows.

    With it, in words, which of the config's wishes no decision meets there.
    """
    truth = true_labels(validation, predictor.labels)
    chosen = decide(config, truth, predictor.score(validation.texts).probabilities)
    return predictor.adjusted(decision=chosen.decision), chosen.shortfalls
