"""Metrics of several labels a text in words, for the terminal, the report and the model card. Loads no library."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rnn_cli.evaluation.wording import EVERY, FEW_LABELLED, FEW_MEASURED, SURE, span
from rnn_cli.evaluation.wording_folds import folds_in_words, side_rows

if TYPE_CHECKING:  # loading them loads numpy
    from rnn_cli.evaluation.evaluate_several import SeveralBaseline, SeveralEvaluation
    from rnn_cli.evaluation.several import SeveralMetrics
    from rnn_cli.scoring.of_each import DecisionOfEach


def _percent(value: float) -> str:
    return f"{value:.1%}"


def _three(value: float) -> str:
    return f"{value:.3f}"


SEVERAL_SHOWN: Mapping[str, tuple[str, Callable[[float], str]]] = {
    "micro_f1": ("micro F1", _three),
    "macro_f1": ("macro F1", _three),
    "weighted_f1": ("weighted F1", _three),
    "samples_f1": ("samples F1", _three),
    "exact_match": ("exact match", _percent),
    "hamming_loss": ("Hamming loss", lambda value: f"{value:.4f}"),
    "ranking_precision": ("ranking precision", _three),
    "log_loss": ("log loss", _three),
}
"""A metric's field → its name, and how its value is written."""

SEVERAL_MAIN = ("micro_f1", "macro_f1", "samples_f1", "exact_match", "ranking_precision", "log_loss")
"""Metrics that the table of a run shows."""


def several_table(name: str, models: Mapping[str, "SeveralMetrics"]) -> tuple[Sequence[str], list[Sequence[str]]]:
    """A head and rows: every metric of the models with its interval; `name` is that of the rows measured."""
    rows: list[Sequence[str]] = [("rows", *(cell for each in models.values() for cell in (f"{each.rows:,}", "")))]
    for field, (called, written) in SEVERAL_SHOWN.items():
        cells = (
            (several_value(each, field, written), several_bounds(each, field, written)) for each in models.values()
        )
        rows.append((called, *(cell for pair in cells for cell in pair)))
    return (name, *(cell for model in models for cell in (model, EVERY))), rows


def several_value(metrics: "SeveralMetrics", field: str, written: Callable[[float], str]) -> str:
    """A metric by its field."""
    return written(getattr(metrics, field))


def several_bounds(metrics: "SeveralMetrics", field: str, written: Callable[[float], str]) -> str:
    """The two ends of a metric's interval, or why there is none."""
    reason = "no mistakes" if metrics.exact_match == 1 else "too few rows"
    return span(metrics.intervals.get(field), written) or reason


def several_decision_in_words(decision: "DecisionOfEach", labels: Sequence[str]) -> str:
    """From which probabilities on labels are predicted."""
    thresholds = decision.thresholds or (0.5,) * len(labels)
    if len(set(thresholds)) == 1:
        words = f"each label is predicted from a probability of {thresholds[0]:.4g} on"
    else:
        words = f"each label is predicted from its own threshold on, {min(thresholds):.2f} to {max(thresholds):.2f}"
    most = f"; at most {decision.most} a text" if decision.most else ""
    return f"{words}{most}; a text that reaches none has none of the labels"


def several_verdict(side: str, against: "SeveralBaseline") -> str:
    """Whether the network is better than the linear model on the same rows."""
    parts = []
    for field in ("micro_f1", "macro_f1"):
        gain, interval, p = (
            getattr(against.comparison, name)[field] for name in ("differences", "intervals", "p_values")
        )
        name = SEVERAL_SHOWN[field][0]
        if interval is None:
            parts.append(f"{name} {gain:+.3f} (too few rows for an interval)")
            continue
        chance = ", which may be chance" if p >= SURE else ""
        parts.append(f"{name} {gain:+.3f} ({EVERY} {interval[0]:+.3f} to {interval[1]:+.3f}{chance})")
    more = " The network was trained on other rows before, which the baseline has not seen." * against.knew_more
    return (
        f"Against the linear baseline on the {against.comparison.rows:,} {side_rows(side)}: {', '.join(parts)}.{more}"
    )


def none_in_words(metrics: "SeveralMetrics") -> str:
    """How many labels rows have and get, and how many have none."""
    return (
        f"{metrics.labels_per_row:.2f} labels a row, {metrics.predicted_per_row:.2f} predicted; "
        f"{metrics.none:,} rows have none, {metrics.predicted_none:,} are predicted as none."
    )


def several_standing_in_words(
    evaluation: "SeveralEvaluation", side: str | None, all_rows: int | None = None, *, with_baseline: bool = True
) -> Iterator[str]:
    """How the network stands, in sentences.

    `side` names the run's own rows, None for others; `all_rows` are the labelled rows of the whole run, where they are
    its own.
    """
    metrics = evaluation.metrics
    if evaluation.folds is not None:
        all_rows = None  # many splits say more than one
        yield folds_in_words(evaluation.folds, metrics.rows)
    yield none_in_words(metrics)
    if evaluation.baseline is not None and side and with_baseline:
        yield several_verdict(side, evaluation.baseline)
    few = f"{all_rows:,} labelled rows are few, and one split of them" if all_rows and all_rows < FEW_LABELLED else None
    if few is None and metrics.rows < FEW_MEASURED:
        few = f"On so few rows ({metrics.rows:,}) a figure"
    if few is not None:
        written = SEVERAL_SHOWN["micro_f1"][1]
        yield f"{few} says little: the {EVERY} of the micro F1 is {several_bounds(metrics, 'micro_f1', written)}."
