"""Metrics of predicted numbers in words, for the terminal. Loads no library."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rnn_cli.evaluation.wording import (
    CORRECTED_TEST,
    EVERY,
    FEW_LABELLED,
    FEW_MEASURED,
    METRICS_SHOWN,
    SURE,
    bounds,
    chance_in_words,
    span,
)
from rnn_cli.evaluation.wording_folds import folds_in_words, side_rows
from rnn_cli.scoring.prediction import shown_number

if TYPE_CHECKING:  # loading them loads numpy
    from rnn_cli.evaluation.evaluate_numbers import NumberBaseline, NumberEvaluation
    from rnn_cli.evaluation.metrics import MainMetrics
    from rnn_cli.evaluation.numbers import AgainstMedian, NumberComparison, NumberMetrics, NumberSlice

NUMBERS_SHOWN: Mapping[str, str] = {
    "mean_absolute_error": "mean absolute error",
    "median_absolute_error": "median absolute error",
    "root_mean_squared_error": "root mean squared error",
    "r2": "R²",
    "spearman": "Spearman",
    "mean_error": "mean error",
}
"""A metric's field → its name."""

WITHOUT_UNIT = ("r2", "spearman")
"""Metrics that are not in the numbers' unit."""


def number_value(metrics: "NumberMetrics", field: str) -> str:
    """A metric by its field, or a dash where it does not exist."""
    value: float | None = getattr(metrics, field)
    return "–" if value is None else _written(metrics, field, value)


def number_bounds(metrics: "NumberMetrics", field: str) -> str:
    """The two ends of a metric's interval, or why there is none."""
    if getattr(metrics, field) is None:
        return "all are equal"
    reason = "no mistakes" if metrics.mean_absolute_error == 0 else "too few rows"
    return span(metrics.intervals.get(field), lambda value: _written(metrics, field, value)) or reason


def in_unit(value: float, spread: float) -> str:
    """An error in the numbers' unit, with digits that tell a thousandth of their spread."""
    return shown_number(value, spread / 10)


def _written(metrics: "NumberMetrics", field: str, value: float) -> str:
    return f"{value:.3f}" if field in WITHOUT_UNIT else in_unit(value, metrics.spread)


def numbers_table(name: str, models: Mapping[str, "NumberMetrics"]) -> tuple[Sequence[str], list[Sequence[str]]]:
    """A head and rows: every metric of the models with its interval; `name` is that of the rows measured."""
    rows: list[Sequence[str]] = [("rows", *(cell for each in models.values() for cell in (f"{each.rows:,}", "")))]
    for field, called in NUMBERS_SHOWN.items():
        cells = ((number_value(each, field), number_bounds(each, field)) for each in models.values())
        rows.append((called, *(cell for pair in cells for cell in pair)))
    return (name, *(cell for model in models for cell in (model, EVERY))), rows


def nearer_in_words(found: "NumberComparison", spread: float, other: str, test: str = "") -> str:
    """How much less, or more, the first is off than `other`, and whether that may be chance."""
    worse, difference = found.error_difference > 0, abs(found.error_difference)
    more = f"{in_unit(difference, spread)} {'more' if worse else 'less'} off than {other}"
    if found.error_interval is None:
        return f"{more} (too few rows for an interval)"
    low, high = found.error_interval if worse else (-found.error_interval[1], -found.error_interval[0])
    ends = f"{EVERY} {in_unit(low, spread)} to {in_unit(high, spread)}; {test}{chance_in_words(found.error_p_value)}"
    chance = ", which may well be chance" if found.error_p_value >= SURE else ""
    return f"{more}{chance} ({ends})"


SliceFigure = tuple[str, Callable[[Any, str], str], Callable[[Any, str], str]]
"""A figure's name, and from slice and field to its value and to its interval's ends."""


def slice_fields(slices: "Sequence[MainMetrics] | Sequence[NumberSlice]") -> dict[str, SliceFigure]:
    """The figures that are shown of slices, by field."""
    if slices and hasattr(slices[0], "mean_error"):
        fields = ("mean_absolute_error", "median_absolute_error", "mean_error")
        return {field: (NUMBERS_SHOWN[field], number_value, number_bounds) for field in fields}

    def of_label(field: str) -> SliceFigure:
        name, written = METRICS_SHOWN[field]
        return name, lambda each, _: written(getattr(each, field)), lambda each, _: bounds(each, field, written)

    return {field: of_label(field) for field in ("accuracy", "macro_f1", "log_loss")}


def number_verdict(side: str, against: "NumberBaseline", spread: float, made: str = "network") -> str:
    """Whether the network is nearer than the linear model on the same rows."""
    found = against.comparison
    other = "a linear model of the new rows alone" if against.knew_more else "the linear baseline"
    chose = ", which chose the epoch and the linear model's penalty," if side == "validation" else ""
    told = nearer_in_words(found, spread, other, f"{CORRECTED_TEST} " if against.by_folds else "")
    surely_worse = found.error_difference > 0 and found.error_p_value < SURE
    advice = ": try another recipe" * surely_worse
    return f"On the {found.rows:,} {side_rows(side)}{chose} the {made} is on average {told}{advice}."


def median_in_words(side: str, against: "AgainstMedian", spread: float, made: str = "network") -> str:
    """Whether the network is nearer than always the same number."""
    found = against.comparison
    always = f"Always predicting {shown_number(against.median, spread)}, the median, would be off by"
    rows = f"on the {found.rows:,} {side_rows(side)}"
    told = nearer_in_words(found, spread, "that")
    needed = ", so it may have learned nothing" if found.error_p_value >= SURE or found.error_difference > 0 else ""
    return f"{always} {in_unit(against.mean_absolute_error, spread)} {rows}; the {made} is on average {told}{needed}."


def number_standing_in_words(
    evaluation: "NumberEvaluation", side: str | None, all_rows: int | None = None, *, with_baseline: bool = True
) -> Iterator[str]:
    """How the network stands, in sentences; arguments as of `standing_in_words`."""
    metrics = evaluation.metrics
    spread = metrics.spread
    if evaluation.folds is not None:
        all_rows = None  # many splits say more than one
        yield folds_in_words(evaluation.folds, metrics.rows)
    if evaluation.median is not None:
        yield median_in_words(side or "", evaluation.median, spread, evaluation.made)
    if evaluation.baseline is not None and side and with_baseline:
        yield number_verdict(side, evaluation.baseline, spread, evaluation.made)
    few = f"{all_rows:,} labelled rows are few, and one split of them" if all_rows and all_rows < FEW_LABELLED else None
    if few is None and metrics.rows < FEW_MEASURED:
        few = f"On so few rows ({metrics.rows:,}) a figure"
    if few is not None:
        ends = number_bounds(metrics, "mean_absolute_error")
        yield f"{few} says little: the {EVERY} of the mean absolute error is {ends}."
