"""How good a model is, printed: what a run came to, and an evaluation."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from rnn_cli.bundle.locate import shown_model
from rnn_cli.cli.layout import fits, paragraph, show_table, table
from rnn_cli.errors import quoted
from rnn_cli.evaluation.wording import (
    EVERY,
    bounds_of_label,
    calibration_in_words,
    confusions,
    decision_in_words,
    metrics_table,
    of_label,
    seen_in_words,
    standing_in_words,
)
from rnn_cli.evaluation.wording_folds import folds_table
from rnn_cli.evaluation.wording_numbers import slice_fields
from rnn_cli.scoring.decision import Decision
from rnn_cli.text.plain import one_line

if TYPE_CHECKING:
    from rnn_cli.evaluation.evaluate import Evaluation
    from rnn_cli.evaluation.folds import CrossValidation
    from rnn_cli.evaluation.metrics import ClassMetrics, MainMetrics, Metrics
    from rnn_cli.evaluation.numbers import NumberSlice
    from rnn_cli.training.trained import Run


CONFUSIONS = 10
"""Of a confusion matrix too wide for the terminal, how many of its largest counts are named."""

_MOST_LABELS, WORST_LABELS = 40, 20
"""Labels up to which each has a line and the confusion matrix is tried; of more, the worst that have a line."""

SLICES = 20
"""How many slices are shown, the worst."""


def show_trained(run: "Run", *, named: bool) -> None:
    """What a run came to, where it is and what to type next; `named` is whether --out said where it is."""
    from rnn_cli.evaluation import wording_several as of_several
    from rnn_cli.evaluation.evaluate_numbers import NumberEvaluation
    from rnn_cli.evaluation.evaluate_several import SeveralEvaluation
    from rnn_cli.evaluation.wording_numbers import number_standing_in_words

    show_table(table(*run.table()))
    side, last = list(run.sides.items())[-1]
    if run.test or run.folds:
        click.echo("rnn evaluate shows the intervals of all of these, and more.")
    else:
        click.echo("No test rows were kept (data.test: 0).")
    if isinstance(last, NumberEvaluation):
        standing = number_standing_in_words(last, side, sum(run.bundle.manifest.data["rows"].values()))
    elif isinstance(last, SeveralEvaluation):
        standing = of_several.several_standing_in_words(last, side, sum(run.bundle.manifest.data["rows"].values()))
    else:
        if last.by is not None:
            show_slices(f"{last.by} ({side})", last.slices)
        standing = standing_in_words(last, side, sum(run.bundle.manifest.data["rows"].values()))
    click.echo()
    for line in standing:
        click.echo(paragraph(line, indent=""))
    from rnn_cli.evaluation.evaluate import run_config

    path = run.path
    how = f"weights of epoch {run.best_epoch}, the best of {len(run.history)}"
    made = run_config(run.bundle).model
    if made.base is not None:
        how = f"built on {one_line(made.base)}"
    elif made.kind == "linear":
        how = "a linear model"
    click.echo(f"\nModel  {one_line(str(path))}  ({how})")
    if run.report_path:
        click.echo(f"Report {one_line(str(run.report_path))}")
    # Without --model the last one trained is used, unless the environment says otherwise.
    model = f" --model {quoted(path)}" if named or "RNN_MODEL" in os.environ else ""
    click.echo("Next   " + click.style(f'rnn predict{model} "A sentence of your own."', bold=True))
    click.echo(f"       rnn evaluate{model}" + ("" if run.test or run.folds else " --data FILE"))


def show_evaluation(evaluation: "Evaluation", rows: str) -> None:
    """Every metric with its interval, metrics by label, and the confusion matrix; `rows` names the rows."""
    from rnn_cli.evaluation.evaluate import models_of

    metrics = evaluation.metrics
    if evaluation.model is not None:
        click.echo(f"Model  {one_line(shown_model(evaluation.model, from_here=True))}\n")
    if evaluation.decision != Decision():
        click.echo(paragraph(f"Decided: {decision_in_words(evaluation.decision, metrics.labels)}.", indent="") + "\n")
    if evaluation.seen is not None:
        click.echo(paragraph(seen_in_words(evaluation.seen), indent="") + "\n")
    show_table(table(*metrics_table(rows, models_of(evaluation))))
    if calibration := calibration_in_words(metrics):
        click.echo(paragraph(calibration, indent=""))
    click.echo()
    for line in standing_in_words(evaluation, None if evaluation.seen is not None else rows):
        click.echo(paragraph(line, indent="") + "\n")
    if evaluation.folds is not None:
        show_folds(evaluation.folds)
    _show_by_label(metrics.per_class)
    click.echo()
    _show_confusion(metrics)
    if unknown := int((~evaluation.scores.known).sum()):
        click.echo(f"\nRows without one word the model knows: {unknown:,}")


def show_folds(found: "CrossValidation") -> None:
    """The figures of each fold."""
    show_table(table(*folds_table(found)))
    click.echo()


def show_slices(by: str, slices: "Sequence[MainMetrics] | Sequence[NumberSlice]") -> None:
    """The metrics of groups of rows, those of one value in the column `by`."""
    fields = slice_fields(slices)

    def shown(with_intervals: Sequence[str]) -> list[str]:
        head, rows = [by, "rows"], [[each.name, f"{each.rows:,}"] for each in slices[:SLICES]]
        for field, (name, value, bounds) in fields.items():
            head += (name, EVERY) if field in with_intervals else (name,)
            for row, each in zip(rows, slices, strict=False):
                row.append(value(each, field))
                if field in with_intervals:
                    row.append(bounds(each, field))
        return table(head, rows)

    click.echo()
    if not show_table(shown([*fields]), shown([*fields][:1])):
        click.echo("A wider terminal shows each figure's interval, as do --report and --json.")
    if (left := len(slices) - SLICES) > 0:
        click.echo(f"The {SLICES} worst; rnn evaluate --json has the other {left:,} too.")


def _show_by_label(per_class: "Mapping[str, ClassMetrics]") -> None:
    if len(per_class) <= _MOST_LABELS:
        show_table(_by_label(per_class))
        return
    # A label without a row was not put to the test.
    tried = sorted((row.f1 or 0, label) for label, row in per_class.items() if row.support)
    show_table(_by_label({label: per_class[label] for _, label in tried[:WORST_LABELS]}))
    click.echo(f"The {WORST_LABELS} labels of the least F1; rnn evaluate --json has all {len(per_class):,}.")


def _show_confusion(metrics: "Metrics") -> None:
    if len(metrics.labels) <= _MOST_LABELS:
        matrix = table(
            ("true \\ predicted", *metrics.labels),
            [
                (label, *(f"{count:,}" for count in counts))
                for label, counts in zip(metrics.labels, metrics.confusion, strict=True)
            ],
        )
        if fits(matrix):
            show_table(matrix)
            return
    most = confusions(metrics, CONFUSIONS)
    show_table(
        table(("true", "predicted", "rows"), [(truth, answer, f"{count:,}") for count, truth, answer in most], names=2)
    )
    click.echo("The most frequent confusions; rnn evaluate --json has the whole matrix.")


def _by_label(per_class: Mapping[str, "ClassMetrics"]) -> list[str]:
    """Figures by label, with all intervals where the terminal is wide enough, else with that of F1."""

    def each(name: str, row: "ClassMetrics") -> tuple[str, str]:
        return of_label(row, name), bounds_of_label(row, name)

    wide = table(
        ("label", "precision", EVERY, "recall", EVERY, "F1", EVERY, "rows"),
        [
            (label, *each("precision", row), *each("recall", row), *each("f1", row), f"{row.support:,}")
            for label, row in per_class.items()
        ],
    )
    if fits(wide):
        return wide
    return table(
        ("label", "precision", "recall", "F1", EVERY, "rows"),
        [
            (label, of_label(row, "precision"), of_label(row, "recall"), *each("f1", row), f"{row.support:,}")
            for label, row in per_class.items()
        ],
    )
