"""Figures and comparisons in words: what each is called, how it is written, what a comparison comes to.

Loads nothing, so that whoever shows figures can use it.
"""

from collections.abc import Callable, Mapping, Sequence
from math import exp, log, log1p
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # loading them loads numpy
    from rnn_cli.evaluation.compare import BaselineComparison, ComparedModel
    from rnn_cli.evaluation.evaluate import Slice
    from rnn_cli.evaluation.metrics import Metrics, SelectiveMetrics
    from rnn_cli.scoring.decision import Decision

SURE = 0.05
"""The p-value from which on a difference is called chance."""

METRICS_SHOWN: Mapping[str, tuple[str, Callable[[float], str]]] = {
    "accuracy": ("accuracy", lambda value: f"{value:.1%}"),
    "balanced_accuracy": ("balanced accuracy", lambda value: f"{value:.1%}"),
    "macro_f1": ("macro F1", lambda value: f"{value:.3f}"),
    "roc_auc": ("ROC AUC", lambda value: f"{value:.3f}"),
    "pr_auc": ("PR AUC", lambda value: f"{value:.3f}"),
    "log_loss": ("log loss", lambda value: f"{value:.3f}"),
    "brier": ("Brier score", lambda value: f"{value:.3f}"),
    "ece": ("calibration error", lambda value: f"{value:.3f}"),
}
"""A figure's field → what it is called, and how it is written."""


LOSSES = ("log_loss", "brier")
"""Figures that tell too little of how they vary where no answer is wrong."""

EVERY = "95% interval"
"""The head of each column of intervals."""


def value(metrics: "Metrics | ComparedModel", field: str, written: Callable[[float], str]) -> str:
    """A figure by its field, or a dash where it is undefined."""
    found: float | None = getattr(metrics, field)
    return "-" if found is None else written(found)


def span(interval: tuple[float, float] | None, written: Callable[[float], str]) -> str:
    """An interval's two ends; nothing where there is none."""
    return "" if interval is None else " to ".join(map(written, interval))


def bounds(of: "Metrics | ComparedModel | Slice", field: str, written: Callable[[float], str]) -> str:
    """The two ends of a figure's interval, or why it has none; nothing where there is no figure, or an old one."""
    intervals: Mapping[str, tuple[float, float] | None] = (
        of.intervals if hasattr(of, "intervals") else {field: getattr(of, f"{field}_interval")}
    )
    if field not in intervals or getattr(of, field) is None:
        return ""
    reason = "no mistakes" if field in LOSSES and of.accuracy == 1 else "too few rows"
    return span(intervals[field], written) or reason


def confusions(metrics: "Metrics", most: int) -> list[tuple[int, str, str]]:
    """The most frequent kinds of wrong answers: how many rows, their true label, the label answered."""
    wrong = [
        (count, truth, answer)
        for truth, counts in zip(metrics.labels, metrics.confusion, strict=True)
        for answer, count in zip(metrics.labels, counts, strict=True)
        if count and truth != answer
    ]
    return sorted(wrong, key=lambda each: -each[0])[:most]


def decision_in_words(decision: "Decision", labels: Sequence[str]) -> str:
    """From which probability on which label is answered, and below which the answer is unsure."""
    parts = []
    if len(labels) == 2:
        parts.append(f"{labels[1]} is answered from a probability of {decision.threshold:.4g} on")
    if decision.unsure_below and len(labels) == 2:
        low, high = (_logistic(_logit(decision.threshold) + side * decision.unsure_below) for side in (-1, 1))
        parts.append(f"between {low:.4g} and {high:.4g} the answer is unsure")
    elif decision.unsure_below:
        times = exp(decision.unsure_below)
        parts.append(f"an answer not {times:.3g} times as probable as the next is unsure")
    return "; ".join(parts) or "the most probable label is answered"


def found_in_words(metrics: "Metrics", rows: str = "rows") -> str:
    """The positive label's precision and recall, for one who need not know the words; of two labels only.

    `rows` may say which rows were answered.
    """
    label = metrics.labels[1]
    found = metrics.per_class[label]
    return (
        f"Of the answers {label}, {found.precision:.1%} are right (precision); of the {rows} that are {label}, "
        f"{found.recall:.1%} are found (recall)."
    )


def selective_in_words(sure: "SelectiveMetrics", rows: str = "rows") -> str:
    """How many answers are sure, and how many of these are right; `rows` may say which rows were answered."""
    told = f"Sure of {sure.rows:,} {rows} ({sure.coverage:.1%})"
    if sure.accuracy is None:
        return told + "."
    between = span(sure.accuracy_interval, METRICS_SHOWN["accuracy"][1])
    return f"{told}; of these answers {sure.accuracy:.1%} are right (95% interval {between})."


def _logit(share: float) -> float:
    return log(share) - log1p(-share)


def _logistic(value: float) -> float:
    return 1 / (1 + exp(-value))


def verdict(side: str, against: "BaselineComparison") -> str:
    """Whether the network is worth its time, for one who need not know the test."""
    found = against.comparison
    other = "a linear model of the new rows alone" if against.knew_more else "the linear baseline"
    chose = ", which chose the epoch and the linear model's C," if side == "validation" else ""
    rows = f"the {found.rows:,} {side} rows{chose}"
    if found.only_first_right == found.only_second_right == 0:
        return f"On {rows} the network and {other} are right and wrong alike."
    low, high = (100 * end for end in found.interval)
    if found.difference < 0:
        low, high = -high, -low
    sure = f"(95% interval {low:.1f} to {high:.1f}; McNemar {_p(found.p_value)})"
    points = f"{abs(100 * found.difference):.1f} points"
    if found.difference == 0:
        return f"On {rows} the network is right as often as {other} {sure}."
    if found.p_value >= SURE:
        seems = f"{points} {'more' if found.difference > 0 else 'less'} often than"
        return f"On {rows} the network is right {seems} {other}, which may well be chance {sure}."
    if found.difference > 0:
        return f"On {rows} the network is right {points} more often than {other} {sure}."
    advice = "use a linear model for these texts, or try another recipe"
    return f"On {rows} the network is right {points} less often than {other} {sure}: {advice}."


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.2g}" if value < 0.1 else f"p = {value:.2f}"
