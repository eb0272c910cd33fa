"""How good a model of several labels a text is, printed."""

from typing import TYPE_CHECKING

import click

from rnn_cli.bundle.locate import shown_model
from rnn_cli.cli.layout import fits, paragraph, show_table, table
from rnn_cli.cli.show_metrics import show_folds
from rnn_cli.evaluation.wording import EVERY, SURE, bounds_of_label, of_label, seen_in_words, span
from rnn_cli.evaluation.wording_several import (
    SEVERAL_SHOWN,
    several_decision_in_words,
    several_standing_in_words,
    several_table,
)
from rnn_cli.text.plain import one_line

if TYPE_CHECKING:
    from rnn_cli.evaluation.compare_several import ComparedSeveral, SeveralModelComparison
    from rnn_cli.evaluation.evaluate_several import SeveralEvaluation
    from rnn_cli.evaluation.several import SeveralMetrics

LABELS_SHOWN, PAIRS_SHOWN = 40, 10
"""How many labels have a line, the worst; and how many pairs of labels, the most frequent."""


def show_several(evaluation: "SeveralEvaluation", rows: str) -> None:
    """Every metric with its interval, metrics by label, and which labels come together and are confused."""
    from rnn_cli.evaluation.evaluate import models_of

    metrics = evaluation.metrics
    if evaluation.model is not None:
        click.echo(f"Model  {one_line(shown_model(evaluation.model, from_here=True))}\n")
    click.echo(
        paragraph(f"Decided: {several_decision_in_words(evaluation.decision, metrics.labels)}.", indent="") + "\n"
    )
    if evaluation.seen is not None:
        click.echo(paragraph(seen_in_words(evaluation.seen), indent="") + "\n")
    show_table(table(*several_table(rows, models_of(evaluation))))
    click.echo()
    for line in several_standing_in_words(evaluation, None if evaluation.seen is not None else rows):
        click.echo(paragraph(line, indent="") + "\n")
    if evaluation.folds is not None:
        show_folds(evaluation.folds)
    _show_by_label(evaluation)
    _show_pairs(metrics)
    if unknown := int((~evaluation.scores.known).sum()):
        click.echo(f"\nRows without one word the model knows: {unknown:,}")


def _show_by_label(evaluation: "SeveralEvaluation") -> None:
    found = evaluation.metrics.per_class
    thresholds = evaluation.decision.thresholds or (0.5,) * len(found)
    limit = dict(zip(found, (f"{each:.2f}" for each in thresholds), strict=True))
    tried = [label for label, row in found.items() if row.support] or list(found)
    if len(tried) > LABELS_SHOWN:
        tried = sorted(tried, key=lambda label: found[label].f1 or 0)[:LABELS_SHOWN]
    wide = table(
        ("label", "precision", EVERY, "recall", EVERY, "F1", EVERY, "from", "rows"),
        [
            (
                label,
                *(
                    cell
                    for name in ("precision", "recall", "f1")
                    for cell in (of_label(found[label], name), bounds_of_label(found[label], name))
                ),
                limit[label],
                f"{found[label].support:,}",
            )
            for label in tried
        ],
    )
    narrow = table(
        ("label", "precision", "recall", "F1", EVERY, "from", "rows"),
        [
            (
                label,
                *(of_label(found[label], name) for name in ("precision", "recall", "f1")),
                bounds_of_label(found[label], "f1"),
                limit[label],
                f"{found[label].support:,}",
            )
            for label in tried
        ],
    )
    show_table(wide if fits(wide) else narrow)
    if left := len(found) - len(tried):
        click.echo(f"Left out: {left:,} labels, without a row or of a higher F1; rnn evaluate --json has all.")


def _show_pairs(metrics: "SeveralMetrics") -> None:
    together = [pair for pair in metrics.together if pair.rows][:PAIRS_SHOWN]
    if together:
        click.echo()
        rows = [
            (each.first, each.second, f"{each.rows:,}", f"{each.predicted:,}", f"{each.by_chance:.1f}")
            for each in together
        ]
        show_table(table(("come together", "", "rows", "predicted", "by chance"), rows, names=2))
    if mistaken := metrics.mistaken[:PAIRS_SHOWN]:
        click.echo()
        lines = [(each.missed, each.instead, f"{each.rows:,}") for each in mistaken]
        show_table(table(("missed", "predicted instead", "rows"), lines, names=2))


def show_models_of_several(found: "SeveralModelComparison", rows: str) -> None:
    """The models' metrics with their intervals, and whether each really differs from the first."""
    if found.seen is not None:
        click.echo(paragraph(seen_in_words(found.seen), indent="") + "\n")
    fields = tuple(found.models[0].metrics)

    def metrics(with_intervals: tuple[str, ...]) -> list[str]:
        head, lines = [f"{found.rows:,} {rows}"], [[one_line(each.name)] for each in found.models]
        for field in fields:
            called, written = SEVERAL_SHOWN[field]
            head += (called, EVERY) if field in with_intervals else (called,)
            for line, each in zip(lines, found.models, strict=True):
                line.append(written(each.metrics[field]))
                if field in with_intervals:
                    line.append(span(each.intervals[field], written) or "too few rows")
        return table(head, lines)

    show_table(metrics(fields), metrics(fields[:1]))
    click.echo()
    for each in found.models[1:]:
        click.echo(paragraph(_verdict(found.models[0], each, rows, found.rows), indent=""))


def _verdict(first: "ComparedSeveral", other: "ComparedSeveral", rows: str, count: int) -> str:
    """Whether they really differ, by the micro F1."""
    against, p = other.against_first, other.p_corrected
    assert against is not None and p is not None
    parts = []
    for field in ("micro_f1", "macro_f1"):
        ends = span(against.intervals[field], lambda end: f"{end:+.3f}") or "too few rows for an interval"
        parts.append(f"{SEVERAL_SHOWN[field][0]} {against.differences[field]:+.3f} ({EVERY} {ends})")
    gain = ", ".join(parts)
    one, two = one_line(other.name), one_line(first.name)
    if p >= SURE:
        return f"{one} and {two} cannot be told apart on these {count:,} {rows}: {gain}."
    better = "better" if against.differences["micro_f1"] > 0 else "worse"
    return f"{one} is really {better} than {two}: {gain}."
