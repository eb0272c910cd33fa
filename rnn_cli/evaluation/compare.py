"""Two classifiers' answers to the same rows held against each other.

Answers are read from a run or a file; how they came about is not known here.
"""

import json
import os
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import TypeAdapter

from rnn_cli.arrays import Floats, Indices, label_indices
from rnn_cli.bundle.model_folder import FURTHER, METRICS, PREDICTIONS, Bundle
from rnn_cli.data.reading.readers import read_columns
from rnn_cli.data.reading.table import nearest_name, quoted_names
from rnn_cli.errors import BundleError, DataError
from rnn_cli.evaluation.intervals import (
    NORMAL_95,
    Interval,
    losses_interval,
    macro_f1_gain_interval,
    macro_f1_interval,
    wilson_interval,
)
from rnn_cli.evaluation.metrics import Metrics, confusion_of, macro_f1
from rnn_cli.evaluation.scores import TINY
from rnn_cli.evaluation.wording import EVERY
from rnn_cli.text.plain import apart, html_table

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Comparison:
    """How much better the first of two classifiers is than the second on the same rows; negative where it is worse.

    `difference` is that of the accuracies, `macro_f1_difference` that of the macro F1, each with its 95 % interval (of
    the latter None where there are too few rows); all as shares, 0.01 being a point. `only_first_right` and
    `only_second_right` count the rows that one of them alone answered right; `p_value` is how often chance would part
    those rows at least as unevenly if both were as good.
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

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Comparison":
        """What `to_dict` answered; raises `KeyError`, `TypeError` or `ValueError` for anything else."""
        (low, high), of_f1 = content["interval"], content["macro_f1_interval"]
        if of_f1 is not None:
            low_f1, high_f1 = of_f1
            of_f1 = low_f1, high_f1
        return cls(**{**content, "interval": (low, high), "macro_f1_interval": of_f1})


def compare(truth: Indices, first: Indices, second: Indices, labels: int) -> Comparison:
    """Hold two classifiers' answers against the truth and each other.

    All three are indices into `labels` labels, `[rows]`; at least one row.
    """
    # Rows of one truth and one pair of answers are alike, so it is enough to know how many there are of each kind.
    kinds, counts = np.unique(np.column_stack([truth, first, second]), axis=0, return_counts=True)
    gain = macro_f1(truth, first, labels) - macro_f1(truth, second, labels)
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
    # so many of them even one that began at 2 ** 1000 is 0.
    heads = np.arange(middle, max(0, middle - int(sqrt(720 * (coins + 1))) - 2), -1.0)
    chances = np.cumprod(np.concatenate([[2.0**1000], heads / (coins + 1 - heads)]))
    total = 2 * chances.sum() - (chances[0] if coins % 2 == 0 else 0)
    return float(2 * chances[middle - fewer :].sum() / total)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values of several tests, corrected so that at 0.05 chance rejects any of them in 5 % of all cases at most.

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


BESIDE = ("decision", "sure")
"""What stands with the figures of a run's side but is none of them."""


@dataclass(frozen=True)
class BaselineComparison:
    """The linear baseline's figures on some rows, and the network (the first) compared with it (the second).

    `knew_more` says that the network had learned from other rows before, which the baseline has not seen.
    """

    metrics: Metrics
    comparison: Comparison
    knew_more: bool


def kept_against(opened: Bundle, side: str) -> BaselineComparison | None:
    """What a run found on its `validation` or `test` rows; None where it fitted no baseline. Raises `BundleError`."""
    with _metrics_of(opened) as kept:
        baseline = kept.get("baseline")
        if baseline is None:
            return None
        comparison, metrics = Comparison.from_dict(baseline["comparison"][side]), _typed(baseline[side])
        # It has the right names by now; here, each gets its type, or is refused.
        comparison = TypeAdapter(Comparison).validate_python(comparison.to_dict())
        return BaselineComparison(metrics, comparison, FURTHER in opened.manifest.data)


def stored_metrics(opened: Bundle, side: str) -> Metrics | None:
    """How good a run was on its `validation` or `test` rows; None where it had none. Raises `BundleError`."""
    with _metrics_of(opened) as kept:
        content = kept.get(side)
        return None if content is None else _typed({name: content[name] for name in content if name not in BESIDE})


@contextmanager
def _metrics_of(opened: Bundle) -> Iterator[dict[str, Any]]:
    """What a run wrote of its figures; whatever is wrong with what is read of it is a `BundleError`."""
    try:
        yield json.loads(opened.read(METRICS))
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        where, reason = str(opened.path / METRICS), str(error).replace("\n", " ")[:200]
        raise BundleError(f"not figures this rnn understands ({reason})", where=where) from None


def _typed(content: Mapping[str, Any]) -> Metrics:
    return TypeAdapter(Metrics).validate_python(Metrics.from_dict(content).to_dict())


NEEDED = ("label", "prediction")
KEYS = ("id", "text")
COLUMNS = (*KEYS, *NEEDED, "probability", "split")

LONGEST = 2**31 - 1
"""Bytes of a text in a run's own predictions: whatever the run could read."""

Column = list[str]


@dataclass(frozen=True)
class PredictedRows:
    """What a model, called `name`, answered to labelled rows; all lists are of one length.

    `keys` are columns by which a row can be told from others, by name: `id`, `text` or both. `log_losses` are minus
    the logarithm of the true label's probability, `[rows]`; None where it is not known.
    """

    name: str
    keys: Mapping[str, Column]
    labels: Column
    predictions: Column
    log_losses: Floats | None


def read_predictions(name: str, split: str) -> PredictedRows:
    """The answers of the run in the folder `name` to its rows of a split, `test` or `validation`; or of a file.

    A file (CSV, TSV, JSONL or Parquet) has columns `label`, `prediction`, and `text` or `id` or both; `probability`,
    if it has one, is the prediction's, and tells the true label's where there are two labels; of a file with a column
    `split` the rows of that split are read, else all. Raises `BundleError` or `DataError`.
    """
    if not Path(name).is_dir():
        if not os.path.exists(name):
            raise DataError("no such run's folder, and no such file of predictions", where=name)
        return _read(name, name, split)
    opened = Bundle.open(Path(name))
    return _read(name, str(opened.verify(PREDICTIONS)), split, max_field_bytes=LONGEST)


def _read(name: str, path: str, split: str, **how: int) -> PredictedRows:
    lines, columns = _columns(path, **how)
    if "split" in columns:
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
            losses = -np.log(np.clip(np.where(right, probabilities, 1 - probabilities), TINY, 1 - TINY))
    return PredictedRows(name, {key: columns[key] for key in KEYS if key in columns}, labels, predictions, losses)


def _columns(path: str, **how: int) -> tuple[list[int], dict[str, Column]]:
    """The lines of a file's records, and its columns that matter here."""
    names: list[str] = []

    def choose(found: Sequence[str]) -> Sequence[str]:
        for needed in (*NEEDED, *(() if set(KEYS) & set(found) else ("text",))):
            if needed not in found:
                meant = nearest_name(needed, found)
                hint = f"rename {meant!r}" if meant else "label, prediction, and text or id, must be there"
                raise DataError(f"no column {needed!r} (columns: {quoted_names(found)})", where=path, hint=hint)
        names.extend(name for name in COLUMNS if name in found)
        return names

    lines: list[int] = []
    columns: list[Column] = []
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


def _probabilities(values: Column, path: str, lines: Sequence[int]) -> Floats:
    probabilities = np.empty(len(values))
    for index, value in enumerate(values):
        try:
            probabilities[index] = float(value)
        except ValueError:
            probabilities[index] = np.nan
        if not 0 <= probabilities[index] <= 1:
            what = f"{value[:40]!r} is no probability"
            raise DataError(what, where=f"{path}:{lines[index]}", hint="give numbers from 0 to 1, or drop the column")
    return probabilities


Key = tuple[str, ...]


@dataclass(frozen=True)
class ComparedModel:
    """A model's figures; `macro_f1` is the mean over all labels that occur, `log_loss` None where it is not known.

    The 95 % intervals are those of the module `intervals`, None where the rows tell too little for one.
    `against_first` is None for the first model; for another it tells how much better than the first it is, and
    `p_corrected` is its p-value corrected for the number of models compared with the first (Holm's).
    """

    name: str
    accuracy: float
    accuracy_interval: Interval
    macro_f1: float
    macro_f1_interval: Interval | None
    log_loss: float | None
    log_loss_interval: Interval | None
    against_first: Comparison | None
    p_corrected: float | None


@dataclass(frozen=True)
class ModelComparison:
    """Models measured on the same rows, in the order given."""

    rows: int
    models: tuple[ComparedModel, ...]

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain values."""
        return asdict(self)

    def to_frame(self) -> "pandas.DataFrame":
        """A row a model as a table of pandas: its metrics, and how it differs from the first."""
        import pandas

        return pandas.json_normalize([asdict(model) for model in self.models]).set_index("name")

    def _repr_html_(self) -> str:
        """The models' metrics as a table, for a notebook."""
        rows = []
        for model in self.models:
            other = model.against_first
            gain = f"{other.difference:+.1%} ({other.interval[0]:+.1%} to {other.interval[1]:+.1%})" if other else ""
            p = "" if model.p_corrected is None else f"{model.p_corrected:.3g}"
            rows.append((model.name, f"{model.accuracy:.1%}", f"{model.macro_f1:.3f}", gain, p))
        return html_table((f"{self.rows:,} rows", "accuracy", "macro F1", f"against the first ({EVERY})", "p"), rows)


def compare_models(every: Sequence[PredictedRows]) -> ModelComparison:
    """Measure two or more models, and compare each with the first. Raises DataError if their rows are not the same.

    Rows are the same if their labels are, and their texts and ids as far as all have these; their order is free.
    """
    common = [key for key in every[0].keys if all(key in predicted.keys for predicted in every)]
    if not common:
        lacking = next(predicted for predicted in every if not set(predicted.keys) & set(every[0].keys))
        raise DataError(f"has no column by which {every[0].name} tells its rows", where=lacking.name, hint="add texts")
    first_keys = _keys(every[0], common)
    orders = [np.arange(len(first_keys)), *(_order(every[0], predicted, first_keys, common) for predicted in every[1:])]
    labels = sorted({label for predicted in every for label in (*predicted.labels, *predicted.predictions)})
    for predicted in every:
        _refuse_foreign(predicted)
    truth = label_indices(labels, every[0].labels)
    given = [
        label_indices(labels, predicted.predictions)[order] for predicted, order in zip(every, orders, strict=True)
    ]
    found = [compare(truth, other, given[0], len(labels)) for other in given[1:]]
    corrected = holm([comparison.p_value for comparison in found])
    models = (
        _compared_model(predicted, truth, each, order, len(labels), comparison, p)
        for predicted, each, order, comparison, p in zip(
            every, given, orders, (None, *found), (None, *corrected), strict=True
        )
    )
    return ModelComparison(len(truth), tuple(models))


def _refuse_foreign(predicted: PredictedRows) -> None:
    """Another spelling of the labels would make every answer wrong."""
    if not set(predicted.predictions) & set(predicted.labels):
        raise DataError(
            f"answers {quoted_names(sorted(set(predicted.predictions))[:3])}, which no row's label is",
            where=predicted.name,
            hint=f"spell its predictions as its labels: {quoted_names(sorted(set(predicted.labels))[:5])}",
        )


def _compared_model(
    predicted: PredictedRows,
    truth: Indices,
    given: Indices,
    order: Indices,
    labels: int,
    against: Comparison | None,
    p: float | None,
) -> ComparedModel:
    """The figures of a model whose answers, in the first's order of rows, are `given`; its own `order` leads there."""
    right = int((truth == given).sum())
    losses = None if predicted.log_losses is None else predicted.log_losses[order]
    return ComparedModel(
        name=predicted.name,
        accuracy=right / len(truth),
        accuracy_interval=wilson_interval(right, len(truth)),
        macro_f1=macro_f1(truth, given, labels),
        macro_f1_interval=macro_f1_interval(confusion_of(truth, given, labels)),
        log_loss=None if losses is None else float(losses.mean()),
        log_loss_interval=None if losses is None else losses_interval(losses, len(truth) - right),
        against_first=against,
        p_corrected=p,
    )


def _keys(predicted: PredictedRows, common: Sequence[str]) -> list[Key]:
    return list(zip(*(predicted.keys[key] for key in common), predicted.labels, strict=True))


def _order(first: PredictedRows, other: PredictedRows, first_keys: Sequence[Key], common: Sequence[str]) -> Indices:
    """Where the first's rows stand among the other's; equal rows are taken in their order."""
    other_keys = _keys(other, common)
    only_first, only_other = Counter(first_keys) - Counter(other_keys), Counter(other_keys) - Counter(first_keys)
    if only_first or only_other:
        raise _different(first, other, only_first, only_other)
    where: defaultdict[Key, deque[int]] = defaultdict(deque)
    for index, key in enumerate(other_keys):
        where[key].append(index)
    return np.array([where[key].popleft() for key in first_keys], np.intp)


def _different(
    first: PredictedRows, other: PredictedRows, only_first: Counter[Key], only_other: Counter[Key]
) -> DataError:
    told = [
        f"{only.total():,} {'is' if only.total() == 1 else 'are'} in {predicted.name} only ({_some(only)})"
        for predicted, only in ((first, only_first), (other, only_other))
        if only
    ]
    relabelled = len({key[:-1] for key in only_first} & {key[:-1] for key in only_other})
    if relabelled:
        told.append(f"{relabelled:,} of them have other labels there")
    return DataError(
        f"not the same rows as {first.name}: {', '.join(told)}",
        where=other.name,
        hint="runs keep the same rows apart only with the same data and data.split_seed; "
        "rnn compare --data FILE scores them all on the same labelled rows",
    )


def _some(only: Counter[Key], most: int = 2) -> str:
    texts = [key[-2] for key in list(only)[:most]]  # the text, or else the id
    forms = apart(texts, 33, lambda text, cells: text if len(text) <= cells else text[: cells - 3] + "...")
    return ", ".join(repr(forms[text]) for text in texts) + (", ..." if len(only) > most else "")
