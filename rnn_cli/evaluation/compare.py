"""Two or more classifiers compared by their predictions for the same rows, read from a run or a file."""

import json
import os
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from pydantic import TypeAdapter

from rnn_cli.arrays import Floats, Indices, label_indices
from rnn_cli.bundle.locate import named_folder, shown_model
from rnn_cli.bundle.model_folder import FURTHER, METRICS, PREDICTIONS, Bundle
from rnn_cli.data.reading.readers import read_columns
from rnn_cli.data.reading.table import nearest_name, quoted_names
from rnn_cli.errors import BundleError, DataError, Setting
from rnn_cli.evaluation.decide import Careful
from rnn_cli.evaluation.intervals import NORMAL_95, Interval, macro_f1_gain_interval
from rnn_cli.evaluation.metrics import MainMetrics, Metrics
from rnn_cli.evaluation.scores import confusion_of, log_losses, macro_f1
from rnn_cli.evaluation.seen import SeenRows
from rnn_cli.evaluation.wording import EVERY
from rnn_cli.text.plain import apart, html_table

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Comparison:
    """How much better the first of two classifiers is than the second on the same rows; negative where it is worse.

    `difference` is that of the accuracies, `macro_f1_difference` that of the macro F1, each with its 95 % interval
    (None for macro F1 on too few rows); all are shares, 0.01 being a point. `only_first_right` and `only_second_right`
    count the rows that only one of them predicts right; `p_value` is how often chance splits those rows at least as
    unevenly if both are equally good.
    """

    rows: int
    difference: float
    interval: Interval
    macro_f1_difference: float
    macro_f1_interval: Interval | None
    only_first_right: int
    only_second_right: int
    p_value: float

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain values."""
        return asdict(self)


def compare_predictions(truth: Indices, first: Indices, second: Indices, labels: int) -> Comparison:
    """Compare two classifiers' predictions; all three are indices into `labels` labels, `[rows]`, at least one row."""
    # Rows with the same truth and the same pair of predictions are alike: it is enough to count each kind.
    kinds, counts = np.unique(np.column_stack([truth, first, second]), axis=0, return_counts=True)
    gain = macro_f1(confusion_of(truth, first, labels)) - macro_f1(confusion_of(truth, second, labels))
    only_first = int(((first == truth) & (second != truth)).sum())
    only_second = int(((first != truth) & (second == truth)).sum())
    return Comparison(
        rows=len(truth),
        difference=(only_first - only_second) / len(truth),
        interval=paired_interval(only_first, only_second, len(truth)),
        macro_f1_difference=gain,
        macro_f1_interval=macro_f1_gain_interval(kinds, counts, labels, gain),
        only_first_right=only_first,
        only_second_right=only_second,
        p_value=mcnemar(only_first, only_second),
    )


def mcnemar(only_first_right: int, only_second_right: int) -> float:
    """McNemar's exact test, two-sided: how often fair coins fall at least as unevenly.

    Its relative error is below 1e-12; it is 0 where no float is small enough (below about 1e-323).

    Source: McNemar (1947), Note on the sampling error of the difference between correlated proportions or percentages;
    Dietterich (1998), Approximate statistical tests for comparing supervised classification learning algorithms.
    """
    coins, fewer = only_first_right + only_second_right, min(only_first_right, only_second_right)
    middle = coins // 2
    if fewer >= middle:
        return 1.0
    # The chances of middle, middle - 1, ... heads, as multiples of the first: no factorial, so nothing is lost. After
    # this many even one that begins at 2 ** 1000 is 0.
    heads = np.arange(middle, max(0, middle - int(sqrt(720 * (coins + 1))) - 2), -1.0)
    chances = np.cumprod(np.concatenate([[2.0**1000], heads / (coins + 1 - heads)]))
    total = 2 * chances.sum() - (chances[0] if coins % 2 == 0 else 0)
    return float(2 * chances[middle - fewer :].sum() / total)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values of several tests, corrected: at 0.05, chance rejects any of them in at most 5 % of all cases.

    Source: Holm (1979), A simple sequentially rejective multiple test procedure.
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for index, test in enumerate(order):
        highest = corrected[test] = max(highest, min(1.0, (len(p_values) - index) * p_values[test]))
    return corrected


def paired_interval(only_first_right: int, only_second_right: int, rows: int) -> Interval:
    """The 95 % interval of the difference of two accuracies on the same rows.

    Source: Bonett and Price (2012), Adjusted Wald confidence interval for a difference of binomial proportions based
    on paired data; recommended for few rows, too, by Fagerland, Lydersen and Laake (2014), Recommended tests and
    confidence intervals for paired binomial proportions.
    """
    first, second = (only_first_right + 1) / (rows + 2), (only_second_right + 1) / (rows + 2)
    half = NORMAL_95 * sqrt((first + second - (first - second) ** 2) / (rows + 2))
    return max(-1.0, first - second - half), min(1.0, first - second + half)


@dataclass(frozen=True)
class BaselineComparison:
    """The linear baseline's metrics on some rows, and the network (the first) compared with it (the second).

    `knew_more` says that the network was trained on other rows before, which the baseline has not seen; `by_folds` that
    the test and its interval are those of a cross-validation's folds, `of` what is compared, where it is no network.
    """

    metrics: Metrics
    comparison: Comparison
    knew_more: bool
    by_folds: bool = False
    of: str = "network"


_Metrics = TypeVar("_Metrics")
_Comparison = TypeVar("_Comparison")


def kept_baseline(opened: Bundle, side: str) -> BaselineComparison | None:
    """A run's baseline on its `validation` or `test` rows; None where it fitted none. Raises `BundleError`."""
    from rnn_cli.evaluation.ordered import read_comparison, read_metrics

    found = baseline_kept_of(opened, side, read_metrics, read_comparison)
    return None if found is None else BaselineComparison(*found)


def kept_metrics(opened: Bundle, side: str) -> Metrics | None:
    """A run's metrics on its `validation` or `test` rows; None for an export, and where it had no such rows.

    Raises `BundleError`.
    """
    if METRICS not in opened.manifest.files:
        return None
    from rnn_cli.evaluation.ordered import read_metrics

    return metrics_kept_of(opened, side, read_metrics)


def metrics_kept_of(opened: Bundle, side: str, read: Callable[[Any], _Metrics]) -> _Metrics | None:
    """A run's metrics on the rows of a side, as `read` makes them of plain values; None where it had no such rows.

    Raises `BundleError`.
    """
    with reading_metrics(opened) as kept:
        return read(kept[side]) if kept.get(side) is not None else None


def baseline_kept_of(
    opened: Bundle, side: str, read: Callable[[Any], _Metrics], read_comparison: Callable[[Any], _Comparison]
) -> tuple[_Metrics, _Comparison, bool] | None:
    """A run's baseline on the rows of a side: its metrics, the comparison, and whether the run had known more.

    None where it fitted none. Raises `BundleError`.
    """
    with reading_metrics(opened) as kept:
        baseline = kept.get("baseline")
        if baseline is None:
            return None
        comparison = read_comparison(baseline["comparison"][side])
        return read(baseline[side]), comparison, FURTHER in opened.manifest.data


def kept_transductive(opened: Bundle) -> bool:
    """Whether a teacher read the texts of the run's own test rows. Raises `BundleError`."""
    if METRICS not in opened.manifest.files:
        return False
    with reading_metrics(opened) as kept:
        return bool(kept.get("test", {}).get("transductive", False))


def kept_choice(opened: Bundle) -> tuple[str | None, Careful | None]:
    """A run's most frequent training label, and the careful threshold for its goal; None where it kept none.

    An export has no metrics. Raises `BundleError`.
    """
    if METRICS not in opened.manifest.files:
        return None, None
    with reading_metrics(opened) as kept:
        careful = kept.get(CAREFUL)
        return (
            TypeAdapter(str | None).validate_python(kept.get(MOST_FREQUENT)),
            None if careful is None else TypeAdapter(Careful).validate_python(careful),
        )


@contextmanager
def reading_metrics(opened: Bundle) -> Iterator[dict[str, Any]]:
    """The content of a run's metrics file; turns every fault of what is read from it into a `BundleError`."""
    try:
        yield json.loads(opened.read(METRICS))
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        where, reason = str(opened.path / METRICS), str(error).replace("\n", " ")[:200]
        raise BundleError(f"metrics this rnn does not understand ({reason})", where=where) from None


BY_FOLDS = "folds"
"""The side of rows that were predicted by folds, in a run's metrics and predictions."""

DETAILS = "cross_validation"
"""The key of that side's metrics that holds the figures of each fold."""


def is_measured_by_folds(opened: Bundle) -> bool:
    """Whether a cross-validation measured a run. Raises `BundleError`."""
    if METRICS not in opened.manifest.files:
        return False
    with reading_metrics(opened) as kept:
        return kept.get(BY_FOLDS) is not None


def kept_side(runs: Sequence[str], split: str) -> str:
    """The side that is read where `split` of some runs is asked for: runs without test rows may have those of folds.

    Names that are no folder are passed over. Raises `BundleError`.
    """
    found = [Bundle.open(folder) for folder in map(named_folder, runs) if folder.is_dir()]
    return BY_FOLDS if split == "test" and any(map(is_measured_by_folds, found)) else split


MOST_FREQUENT, CAREFUL = "most_frequent_label", "careful_threshold"
"""Keys of a run's metrics; earlier releases did not write them."""

NEEDED = ("label", "prediction")
KEYS = ("id", "text")

MAX_SAVED_TEXT_BYTES = 2**31 - 1
"""Bytes of a text in a run's own predictions: any text that the run could read."""


@dataclass(frozen=True)
class LabelledPredictions:
    """The predictions of a model called `name` for labelled rows; all lists have one entry a row.

    `keys` are the columns that identify a row, by name: `id`, `text` or both. `log_losses` are minus the logarithm of
    the true label's probability, `[rows]`; None where it is unknown. `order` has a model's labels where these are
    ordered; `number` says that it predicts numbers.
    """

    name: str
    keys: Mapping[str, list[str]]
    labels: list[str]
    predictions: list[str]
    log_losses: Floats | None
    order: tuple[str, ...] | None = None
    number: bool = False

    def select(self, rows: Sequence[int]) -> "LabelledPredictions":
        """Those of some rows, by their indices."""
        keys = {name: [values[row] for row in rows] for name, values in self.keys.items()}
        labels, predictions = ([values[row] for row in rows] for values in (self.labels, self.predictions))
        losses = None if self.log_losses is None else self.log_losses[list(rows)]
        return replace(self, keys=keys, labels=labels, predictions=predictions, log_losses=losses)


def read_predictions(name: str, split: str) -> LabelledPredictions:
    """Read a run's predictions for its `test` or `validation` rows from its folder `name`; or those in a file.

    A run without test rows that was measured by folds has the rows of these instead. A file (CSV, TSV, JSONL or
    Parquet) has columns `label`, `prediction`, and `text` or `id` or both. A column `probability`, the prediction's,
    gives the true label's where there are two labels. If there is a column `split`, only the rows of that split are
    read. Raises `BundleError` or `DataError`.
    """
    folder = named_folder(name)
    if not folder.is_dir():
        if not os.path.exists(name):
            raise DataError("no such run's folder, and no such file of predictions", where=name)
        return _read(name, name, split)
    opened = Bundle.open(folder)
    if PREDICTIONS not in opened.manifest.files:
        hint = Setting("data", "FILE", "score labelled rows by it with {}")
        raise BundleError("keeps no predictions of its own rows", where=shown_model(folder), hint=hint)
    found = _read(name, str(opened.verify(PREDICTIONS)), split, max_field_bytes=MAX_SAVED_TEXT_BYTES)
    order = opened.manifest.labels if opened.manifest.ordered else None
    return replace(found, order=order, number=opened.manifest.number)


def _read(name: str, path: str, split: str, **how: int) -> LabelledPredictions:
    lines, columns = _columns(path, **how)
    if "split" in columns:
        found = set(columns["split"])
        split = BY_FOLDS if split == "test" and split not in found and BY_FOLDS in found else split
        kept = [index for index, value in enumerate(columns["split"]) if value == split]
        if not kept:
            hint = f"use --split with one of them: {quoted_names(sorted(set(columns['split'])))}"
            raise DataError(f"has no {split} rows", where=name, hint=hint)
        lines = [lines[index] for index in kept]
        columns = {column: [values[index] for index in kept] for column, values in columns.items()}
    labels, predictions = columns["label"], columns["prediction"]
    losses = None
    if "probability" in columns:
        probabilities = _probabilities(columns["probability"], path, lines)
        if len({*labels, *predictions}) == 2:
            right = np.array([label == prediction for label, prediction in zip(labels, predictions, strict=True)])
            true = np.where(right, probabilities, 1 - probabilities)
            losses = log_losses(np.zeros(len(true), np.intp), true[:, None])
    keys = {key: columns[key] for key in KEYS if key in columns}
    return LabelledPredictions(name, keys, labels, predictions, losses)


def _columns(path: str, **how: int) -> tuple[list[int], dict[str, list[str]]]:
    """The lines of a file's records, and those of its columns that are used."""
    names: list[str] = []

    def choose(found: Sequence[str]) -> Sequence[str]:
        for needed in (*NEEDED, *(() if set(KEYS) & set(found) else ("text",))):
            if needed not in found:
                meant = nearest_name(needed, found)
                hint = f"rename {meant!r}" if meant else "name columns label, prediction, and text or id"
                raise DataError(f"no column {needed!r} (columns: {quoted_names(found)})", where=path, hint=hint)
        names.extend(name for name in (*KEYS, *NEEDED, "probability", "split") if name in found)
        return names

    lines: list[int] = []
    columns: list[list[str]] = []
    for line, values in read_columns(path, choose, **how):
        if not lines:
            columns = [[] for _ in names]
        lines.append(line)
        for name, column, value in zip(names, columns, values, strict=True):
            if name in NEEDED and not value:
                raise DataError(f"no {name}", where=f"{path}:{line}", hint="complete or remove the row")
            column.append(value or "")
    if not lines:
        raise DataError("has no rows", where=path)
    return lines, dict(zip(names, columns, strict=True))


def _probabilities(values: list[str], path: str, lines: Sequence[int]) -> Floats:
    probabilities = np.empty(len(values))
    for index, value in enumerate(values):
        try:
            probabilities[index] = float(value)
        except ValueError:
            probabilities[index] = np.nan
        if not 0 <= probabilities[index] <= 1:
            what = f"{value[:40]!r} is not a probability"
            raise DataError(what, where=f"{path}:{lines[index]}", hint="give numbers from 0 to 1, or drop the column")
    return probabilities


@dataclass(frozen=True)
class ComparedModel(MainMetrics):
    """A model's main metrics, and how it differs from the first model.

    `against_first` is None for the first model; `p_corrected` is its p-value corrected for the number of models
    compared with the first (Holm's).
    """

    against_first: Comparison | None
    p_corrected: float | None


@dataclass(frozen=True)
class ComparedModels:
    """Models of one kind measured on the same rows, in the order given; each is a dataclass with a `name`.

    `seen` says which of the rows given the models learned from; None for a run's own and for files of predictions.
    """

    rows: int
    models: tuple[Any, ...]
    seen: SeenRows | None = None

    def __repr__(self) -> str:
        """The rows and the models' names."""
        return f"{type(self).__name__}({self.rows:,} rows: {', '.join(each.name for each in self.models)})"

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain values."""
        return asdict(self)

    def to_frame(self) -> "pandas.DataFrame":
        """A table of pandas with one row a model: its metrics, and how it differs from the first."""
        import pandas

        return pandas.json_normalize([asdict(model) for model in self.models]).set_index("name")


@dataclass(frozen=True, repr=False)
class ModelComparison(ComparedModels):
    """Models of one label a text."""

    models: tuple[ComparedModel, ...]

    def _repr_html_(self) -> str:
        """The models' metrics as a table, for a notebook."""
        rows = []
        for model in self.models:
            other = model.against_first
            gain = f"{other.difference:+.1%} ({other.interval[0]:+.1%} to {other.interval[1]:+.1%})" if other else ""
            p = "" if model.p_corrected is None else f"{model.p_corrected:.3g}"
            rows.append((model.name, f"{model.accuracy:.1%}", f"{model.macro_f1:.3f}", gain, p))
        return html_table((f"{self.rows:,} rows", "accuracy", "macro F1", f"against the first ({EVERY})", "p"), rows)


def compare_models(every: Sequence[LabelledPredictions]) -> ModelComparison:
    """Measure two or more models, and compare each with the first. Raises `DataError` if their rows differ.

    Rows are the same if their labels are, and their texts and ids where all models have them; their order may differ.
    """
    orders = matching_rows(every)
    labels = sorted({label for predicted in every for label in (*predicted.labels, *predicted.predictions)})
    for predicted in every:
        refuse_other_spelling(predicted)
    truth = label_indices(labels, every[0].labels)
    given = [
        label_indices(labels, predicted.predictions)[order] for predicted, order in zip(every, orders, strict=True)
    ]
    found = [compare_predictions(truth, other, given[0], len(labels)) for other in given[1:]]
    corrected = holm([comparison.p_value for comparison in found])
    models = []
    for predicted, order, each, comparison, p in zip(
        every, orders, given, (None, *found), (None, *corrected), strict=True
    ):
        losses = None if predicted.log_losses is None else predicted.log_losses[order]
        confusion = confusion_of(truth, each, len(labels))
        models.append(ComparedModel.of(predicted.name, confusion, losses, against_first=comparison, p_corrected=p))
    return ModelComparison(len(truth), tuple(models))


def are_several(every: Sequence[LabelledPredictions]) -> bool:
    """Whether labels and predictions are lists of labels. Raises `DataError` where only some models' are."""
    lists = [all(map(_is_list, {*each.labels, *each.predictions})) for each in every]
    if any(lists) and not all(lists):
        of_one, of_several = every[lists.index(False)].name, every[lists.index(True)].name
        what = f"has one label a row, and {of_several} has lists of labels"
        raise DataError(what, where=of_one, hint="compare models of the same kind")
    return all(lists)


def _is_list(label: str) -> bool:
    if not label.startswith("["):
        return False
    try:
        found = json.loads(label)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, list) and all(isinstance(name, str) for name in found)


def matching_rows(every: Sequence[LabelledPredictions]) -> list[Indices]:
    """For each model the index of each of the first one's rows among its own. Raises `DataError` if their rows differ.

    Rows are the same if their labels are, and their texts and ids where all models have them.
    """
    common = [key for key in every[0].keys if all(key in predicted.keys for predicted in every)]
    if not common:
        lacking = next(predicted for predicted in every if not set(predicted.keys) & set(every[0].keys))
        what = f"has no column that identifies its rows as those of {every[0].name}"
        raise DataError(what, where=lacking.name, hint="add texts")
    first_keys = _keys(every[0], common)
    return [np.arange(len(first_keys)), *(_order(every[0], predicted, first_keys, common) for predicted in every[1:])]


def refuse_other_spelling(predicted: LabelledPredictions) -> None:
    """Raise `DataError` where the predictions spell the labels differently, so that all would be wrong."""
    if not set(predicted.predictions) & set(predicted.labels):
        raise DataError(
            f"predicts {quoted_names(sorted(set(predicted.predictions))[:3])}, which is no row's label",
            where=predicted.name,
            hint=f"spell its predictions as its labels: {quoted_names(sorted(set(predicted.labels))[:5])}",
        )


def _keys(predicted: LabelledPredictions, common: Sequence[str]) -> list[tuple[str, ...]]:
    return list(zip(*(predicted.keys[key] for key in common), predicted.labels, strict=True))


def _order(
    first: LabelledPredictions,
    other: LabelledPredictions,
    first_keys: Sequence[tuple[str, ...]],
    common: Sequence[str],
) -> Indices:
    """The index of each of the first's rows among the other's; equal rows are taken in their order."""
    other_keys = _keys(other, common)
    only_first, only_other = Counter(first_keys) - Counter(other_keys), Counter(other_keys) - Counter(first_keys)
    if only_first or only_other:
        differences = [
            f"{only.total():,} {'is' if only.total() == 1 else 'are'} in {predicted.name} only ({_examples(only)})"
            for predicted, only in ((first, only_first), (other, only_other))
            if only
        ]
        relabelled = len({key[:-1] for key in only_first} & {key[:-1] for key in only_other})
        if relabelled:
            differences.append(f"{relabelled:,} of them have other labels there")
        raise DataError(
            f"not the same rows as {first.name}: {', '.join(differences)}",
            where=other.name,
            hint=Setting(
                "data",
                "FILE",
                "runs keep the same rows for their test only with the same data and data.split_seed; to score them all "
                "on the same labelled rows, use {}",
            ),
        )
    where: defaultdict[tuple[str, ...], deque[int]] = defaultdict(deque)
    for index, key in enumerate(other_keys):
        where[key].append(index)
    return np.array([where[key].popleft() for key in first_keys], np.intp)


def _examples(only: Counter[tuple[str, ...]], most: int = 2) -> str:
    texts = [key[-2] for key in list(only)[:most]]  # the text, or else the id
    forms = apart(texts, 33, lambda text, cells: text if len(text) <= cells else text[: cells - 3] + "...")
    return ", ".join(repr(forms[text]) for text in texts) + (", ..." if len(only) > most else "")
