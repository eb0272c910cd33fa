"""Metrics and comparisons in words, for the terminal, the report and the model card. Loads no library."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import exp, log, log1p
from typing import TYPE_CHECKING, cast

from rnn_cli.evaluation.wording_folds import folds_in_words, side_rows

if TYPE_CHECKING:  # loading them loads numpy
    from rnn_cli.evaluation.compare import BaselineComparison
    from rnn_cli.evaluation.evaluate import Evaluation
    from rnn_cli.evaluation.intervals import Interval
    from rnn_cli.evaluation.metrics import ClassMetrics, MainMetrics, Metrics, ScalingTrial, SelectiveMetrics
    from rnn_cli.evaluation.ordered import OrderedComparison
    from rnn_cli.evaluation.seen import SeenRows
    from rnn_cli.evaluation.standing import AgainstMostFrequent, GoalOutcome, SinceTraining
    from rnn_cli.scoring.decision import Decision

SURE = 0.05
"""A difference with at least this p-value is called chance."""

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
"""A metric's field → its name, and how its value is written."""

ORDERED_SHOWN: Mapping[str, tuple[str, Callable[[float], str]]] = {
    "mean_absolute_error": ("mean absolute error", lambda value: f"{value:.3f}"),
    "quadratic_kappa": ("quadratic kappa", lambda value: f"{value:.3f}"),
    "spearman": ("Spearman", lambda value: f"{value:.3f}"),
    "accuracy": METRICS_SHOWN["accuracy"],
    "within_one": ("within one", METRICS_SHOWN["accuracy"][1]),
    **{name: METRICS_SHOWN[name] for name in ("macro_f1", "log_loss", "brier", "ece")},
}
"""The same of ordered labels, on which how far a prediction is off counts."""


def metrics_shown(metrics: object) -> Mapping[str, tuple[str, Callable[[float], str]]]:
    """The metrics that are shown of a model of one label a text."""
    return ORDERED_SHOWN if hasattr(metrics, "mean_absolute_error") else METRICS_SHOWN


DASH = "–"
"""Stands for a figure that does not exist."""

CORRECTED_TEST = "corrected t-test of the folds"

EVERY = "95% interval"
"""The head of each column of intervals."""


def value(metrics: "Metrics | MainMetrics", field: str, written: Callable[[float], str]) -> str:
    """A metric by its field, or a dash where it is undefined."""
    found: float | None = getattr(metrics, field)
    return DASH if found is None else written(found)


def span(interval: tuple[float, float] | None, written: Callable[[float], str]) -> str:
    """An interval's two ends; nothing where there is none."""
    return "" if interval is None else " to ".join(map(written, interval))


def bounds(of: "Metrics | MainMetrics", field: str, written: Callable[[float], str]) -> str:
    """The two ends of a metric's interval, or why there is none, or no metric.

    Nothing where an older release measured without an interval, or the metric is unknown.
    """
    intervals: Mapping[str, tuple[float, float] | None] = (
        of.intervals if hasattr(of, "intervals") else {field: getattr(of, f"{field}_interval")}
    )
    if field not in intervals:
        return ""
    if getattr(of, field) is None:
        return "a label has no row" if field in ("roc_auc", "pr_auc") else ""
    # Without a wrong prediction losses do not show how much they vary.
    losses = ("log_loss", "brier", "mean_absolute_error", "quadratic_kappa", "spearman")
    reason = "no mistakes" if field in losses and of.accuracy == 1 else "too few rows"
    return span(intervals[field], written) or reason


def metrics_table(name: str, models: Mapping[str, "Metrics"]) -> tuple[Sequence[str], list[Sequence[str]]]:
    """A head and rows: every metric of the models with its interval; `name` is that of the rows measured."""
    rows: list[Sequence[str]] = [("rows", *(cell for each in models.values() for cell in (f"{each.rows:,}", "")))]
    for field, (called, written) in metrics_shown(next(iter(models.values()))).items():
        cells = ((value(each, field, written), bounds(each, field, written)) for each in models.values())
        rows.append((called, *(cell for pair in cells for cell in pair)))
    return (name, *(cell for model in models for cell in (model, EVERY))), rows


def calibration_in_words(metrics: "Metrics") -> str | None:
    """The calibration error beside the one that chance alone gives; None where an older release measured."""
    if metrics.ece is None or metrics.ece_by_chance is None:
        return None
    found, chance = (METRICS_SHOWN["ece"][1](each) for each in (metrics.ece, metrics.ece_by_chance))
    return f"Calibration error {found}; a perfectly calibrated model would show {chance} by chance on as many rows."


def scaling_in_words(labels: Sequence[str], scales: Sequence[float], biases: Sequence[float]) -> str:
    """What vector scaling does with each label; of two, with the positive one."""
    named = labels[1:] if len(labels) == 2 else labels
    return ", ".join(f"{label} × {a:.3g} {b:+.3g}" for label, a, b in zip(named, scales, biases, strict=True))


def scaling_trial_in_words(trial: "ScalingTrial | None") -> str:
    """Whether vector scaling is better than the temperature alone, and by how much."""
    if trial is None:
        return "not tried: too few validation rows, or class weights that it would take back"
    low, high = trial.interval
    return (
        f"log loss {trial.log_loss_scaling:.4f} instead of {trial.log_loss_temperature:.4f}, cross-validated on "
        f"{trial.rows:,} rows: {'better' if trial.is_won else 'left out, as not surely better'} "
        f"({EVERY} of the gain {low:.4f} to {high:.4f})"
    )


def confusions(metrics: "Metrics", most: int) -> list[tuple[int, str, str]]:
    """The most frequent kinds of wrong predictions: how many rows, their true label, their prediction."""
    wrong = [
        (count, truth, predicted)
        for truth, counts in zip(metrics.labels, metrics.confusion, strict=True)
        for predicted, count in zip(metrics.labels, counts, strict=True)
        if count and truth != predicted
    ]
    return sorted(wrong, key=lambda each: -each[0])[:most]


def decision_in_words(decision: "Decision", labels: Sequence[str]) -> str:
    """From which probability on which label is predicted, and when the prediction is unsure."""
    parts, choice = [], getattr(decision, "choice", None)
    if choice == "median":
        parts.append("the median is predicted, the label with the least expected error")
    elif choice == "balanced":
        parts.append("the label with the least expected cost is predicted, between the most probable and the median")
    elif choice == "mode":
        parts.append("the most probable label is predicted")
    elif len(labels) == 2:
        parts.append(f"{labels[1]} is predicted from a probability of {decision.threshold:.4g} on")
    if decision.unsure_below and choice == "median":
        parts.append(f"a prediction that is within {decision.unsure_below:.3g} of another, in log-odds, is unsure")
    elif decision.unsure_below and len(labels) == 2:
        low, high = unsure_between(decision)
        parts.append(f"between {low:.4g} and {high:.4g} the prediction is unsure")
    elif decision.unsure_below:
        times = exp(decision.unsure_below)
        parts.append(f"a prediction less than {times:.3g} times as probable as the next is unsure")
    return "; ".join(parts) or "the most probable label is predicted"


def unsure_between(decision: "Decision") -> tuple[float, float]:
    """Between which probabilities of the positive label the prediction is unsure; for two labels."""
    threshold = min(max(decision.threshold, 1e-16), 1 - 1e-16)  # the odds of 0 and 1 are not finite
    logit = log(threshold) - log1p(-threshold)
    low, high = (1 / (1 + exp(-(logit + side * decision.unsure_below))) for side in (-1, 1))
    return low, high


def found_in_words(metrics: "Metrics", rows: str = "rows") -> str:
    """The positive label's precision and recall, explained; for two labels. `rows` names the rows measured."""
    label = metrics.labels[1]
    found = metrics.per_class[label]
    if found.precision is None:
        precision = f"{label} is never predicted, so there is no precision"
    else:
        of = _with_interval(found.precision, found.precision_interval)
        precision = f"Of the predictions {label}, {of} are right (precision)"
    if found.recall is None:
        return f"{precision}; none of the {rows} has the label {label}, so there is no recall."
    of = _with_interval(found.recall, found.recall_interval)
    return f"{precision}; of the {rows} with the label {label}, {of} are found (recall)."


def _with_interval(share: float, interval: tuple[float, float] | None) -> str:
    written = METRICS_SHOWN["accuracy"][1]
    return written(share) + (f" ({EVERY} {span(interval, written)})" if interval else "")


def goal_in_words(outcome: "GoalOutcome", rows: str = "rows") -> str:
    """Whether a precision or recall that was asked for is reached, and what would reach it."""
    goal = f"The goal {outcome.goal}"
    if outcome.reached is None or outcome.interval is None:
        return f"{goal} cannot be judged: there is no {outcome.metric} on these {rows}."
    came = _with_interval(outcome.reached, outcome.interval)
    low, high = outcome.interval
    if outcome.reached >= outcome.asked:
        sure = "" if low >= outcome.asked else ", though other rows may miss it"
        return f"{goal} is reached on the {rows}: {came}{sure}."
    short = f"{goal} is not reached on the {rows}: {came}" + ("; that may be chance." if high >= outcome.asked else ".")
    careful = outcome.careful
    if careful is None:
        reason = "it takes more of them, or a better model"
        return f"{short} No threshold reaches it with its whole interval on the validation rows: {reason}."
    other = "recall" if outcome.metric == "precision" else "precision"
    reached = f"{_with_interval(careful.reached, careful.interval)}, and a {other} of {careful.other:.1%}"
    how = f"decision.threshold: {careful.threshold:.4g} reaches it with its whole interval ({reached})"
    return f"{short} On the validation rows {how}."


FEW_LABELLED, FEW_MEASURED = 1_000, 100
"""With fewer labelled rows in all, one split says little; on fewer measured rows, a figure does."""


def few_rows_in_words(metrics: "Metrics", all_rows: int | None = None) -> str | None:
    """That rows are too few to say much; None where they are not. `all_rows` are those of the whole run, if known."""
    interval = metrics.intervals["accuracy"] or (0.0, 1.0)
    ends = span(interval, METRICS_SHOWN["accuracy"][1])
    wide = f"the accuracy's {EVERY} is {100 * (interval[1] - interval[0]):.1f} points wide ({ends})"
    if all_rows is not None and all_rows < FEW_LABELLED:
        return f"{all_rows:,} labelled rows are few, and one split of them says little: {wide}."
    if metrics.rows < FEW_MEASURED:
        return f"On so few rows ({metrics.rows:,}) a figure says little: {wide}."
    return None


def since_in_words(now: "Metrics", since: "SinceTraining") -> str:
    """Whether the accuracy on other rows is still that on the run's own."""
    low, high = (100 * end for end in since.interval)
    was = f"Accuracy is {now.accuracy:.1%} here and was {since.then:.1%} on the {since.rows:,} {side_rows(since.side)}"
    if low <= 0 <= high:
        return f"{was}: no difference beyond chance ({EVERY} {low:+.1f} to {high:+.1f} points)."
    points, ends = _points(since.difference, since.interval)
    worse = ", so it is no longer as good" if since.difference < 0 else ""
    return f"{was}: {points} ({EVERY} {ends}){worse}."


def _points(difference: float, interval: "Interval") -> tuple[str, str]:
    """How many points more or less, and the ends of that number's interval: "5.0 points less", "1.0 to 9.0"."""
    low, high = interval if difference >= 0 else (-interval[1], -interval[0])
    points = f"{abs(100 * difference):.1f} points {'less' if difference < 0 else 'more'}"
    return points, f"{_unsigned(low)} to {_unsigned(high)}"


def _unsigned(share: float) -> str:
    """In points; what is rounded to 0 has no sign."""
    return f"{round(100 * share, 1) + 0.0:.1f}"


def most_frequent_in_words(side: str, against: "AgainstMostFrequent", made: str = "network") -> str:
    """Whether the network is better than always the same prediction."""
    found = against.comparison
    rows = f"the {found.rows:,} {side_rows(side)}"
    always = f"Always predicting {against.label} would be right in {against.accuracy:.1%} of {rows}"
    if found.only_first_right == found.only_second_right == 0:
        return f"{always}, and the {made} makes the same mistakes."
    points, ends = _points(found.difference, found.interval)
    if found.p_value >= SURE:
        how = "as often" if found.difference == 0 else f"{points} often"
        chance = f"({EVERY} {ends}; McNemar {chance_in_words(found.p_value)})"
        return (
            f"{always}; the {made} is right {how}, which may well be chance {chance}, so it may have learned nothing."
        )
    advice = ": do not use it" if found.difference < 0 else ""
    return f"{always}; the {made} is right {points} often ({EVERY} {ends}){advice}."


TRANSDUCTIVE = "The teacher read these rows' texts, without their labels (data.transductive): others may go worse."


def standing_in_words(
    evaluation: "Evaluation", side: str | None, all_rows: int | None = None, *, with_baseline: bool = True
) -> Iterator[str]:
    """How the network stands, in sentences.

    `side` names the run's own rows, None for others; `all_rows` are the labelled rows of the whole run, where they are
    its own.
    """
    rows = side_rows(side)
    if evaluation.folds is not None:
        all_rows = None  # many splits say more than one
        yield folds_in_words(evaluation.folds, evaluation.metrics.rows)
    if evaluation.transductive:
        yield TRANSDUCTIVE
    if evaluation.since_training is not None:
        yield since_in_words(evaluation.metrics, evaluation.since_training)
    if evaluation.most_frequent is not None:
        yield most_frequent_in_words(side or "", evaluation.most_frequent, evaluation.made)
    if evaluation.baseline is not None and side and with_baseline:
        yield verdict(side, evaluation.baseline)
    if evaluation.goal is not None:
        yield goal_in_words(evaluation.goal, rows)
    if evaluation.decision.threshold != 0.5:
        yield found_in_words(evaluation.metrics, rows)
    if evaluation.sure:
        yield selective_in_words(evaluation.sure, rows)
    if few := few_rows_in_words(evaluation.metrics, all_rows):
        yield few


def of_label(found: "ClassMetrics", name: str) -> str:
    """A label's precision, recall or F1, or a dash where it does not exist."""
    value = getattr(found, name)
    return DASH if value is None else f"{value:.3f}"


def bounds_of_label(found: "ClassMetrics", name: str) -> str:
    """The two ends of its interval, or why there is no such figure."""
    if getattr(found, name) is None:
        return {"precision": "never predicted", "recall": "no rows", "f1": "no rows"}[name]
    return span(getattr(found, f"{name}_interval"), lambda value: f"{value:.3f}")


def selective_in_words(sure: "SelectiveMetrics", rows: str = "rows") -> str:
    """How many predictions are sure, and how many of these are right; `rows` names the rows measured."""
    share = f"Sure of {sure.rows:,} {rows} ({sure.coverage:.1%})"
    if sure.accuracy is None:
        return share + "."
    between = span(sure.accuracy_interval, METRICS_SHOWN["accuracy"][1])
    return f"{share}; {sure.accuracy:.1%} of these predictions are right (95% interval {between})."


def seen_in_words(found: "SeenRows") -> str:
    """How many of the rows the models learned from, and what that does to the figures."""
    who = "The model" if found.models == 1 else "The models"
    if found.seen is None:
        return (
            f"It is not known which of these rows {who.lower()} learned from, as its folder does not keep that "
            "(an export does not, nor did earlier releases): on such rows the figures are too good."
        )
    more = " That an earlier release trained it on others of them is not ruled out." if found.is_partly_unknown else ""
    if not found.seen:
        return f"{who} learned from none of these {found.rows:,} rows.{more}"
    learned = f"{who} learned from {found.seen:,} of these {found.rows:,} rows"
    if found.included:
        return f"{learned}, and they are included: the figures are too good.{more}"
    return f"{learned}: they are left out (--include-seen measures on all).{more}"


def verdict(side: str, against: "BaselineComparison") -> str:
    """Whether {name} is better than the baseline, explained for readers who do not know the test."""
    found, name = against.comparison, f"the {against.of}"
    other = "a linear model of the new rows alone" if against.knew_more else "the linear baseline"
    chose = ", which chose the epoch and the linear model's C," if side == "validation" else ""
    rows = f"the {found.rows:,} {side_rows(side)}{chose}"
    if found.only_first_right == found.only_second_right == 0 and not getattr(found, "error_difference", 0):
        return f"On {rows} {name} and {other} make the same mistakes."
    if hasattr(found, "error_difference"):
        return _ordered_verdict(cast("OrderedComparison", found), rows, name, other, by_folds=against.by_folds)
    points, ends = _points(found.difference, found.interval)
    test = CORRECTED_TEST if against.by_folds else "McNemar"
    sure = f"({EVERY} {ends}; {test} {chance_in_words(found.p_value)})"
    if found.difference == 0:
        return f"On {rows} {name} is right as often as {other} {sure}."
    if found.p_value >= SURE:
        return f"On {rows} {name} is right {points} often than {other}, which may well be chance {sure}."
    other_model = "use a linear model for these texts, or " * (against.of == "network")
    advice = f": {other_model}try another recipe" if found.difference < 0 else ""
    return f"On {rows} {name} is right {points} often than {other} {sure}{advice}."


def _ordered_verdict(found: "OrderedComparison", rows: str, name: str, other: str, *, by_folds: bool) -> str:
    """The same of ordered labels: by how far the predictions are off."""
    worse, difference = found.error_difference > 0, abs(found.error_difference)
    low, high = found.error_interval if worse else (-found.error_interval[1], -found.error_interval[0])
    more = f"{difference:.3f} {'more' if worse else 'less'} off than {other}"
    test = f"{CORRECTED_TEST} " if by_folds else ""
    sure = f"({EVERY} {low:.3f} to {high:.3f}; {test}{chance_in_words(found.error_p_value)})"
    if found.error_p_value >= SURE:
        return f"On {rows} {name} is on average {more}, which may well be chance {sure}."
    other_model = "use a linear model for these texts, or " * (name == "the network")
    advice = f": {other_model}try another recipe" if worse else ""
    return f"On {rows} {name} is on average {more} {sure}{advice}."


def chance_in_words(value: float) -> str:
    """A p-value."""
    return "p < 0.001" if value < 0.001 else f"p = {value:.2g}" if value < 0.1 else f"p = {value:.2f}"
