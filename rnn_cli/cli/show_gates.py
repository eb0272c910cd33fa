"""What gates came to, printed."""

import click

from rnn_cli.bundle.locate import shown_model
from rnn_cli.cli.layout import NAME_CELLS, cut_to, paragraph, show_table, table
from rnn_cli.evaluation.wording import seen_in_words
from rnn_cli.gates.outcomes import GateReport, GoldenOutcome
from rnn_cli.gates.written import golden_in_words
from rnn_cli.text.plain import one_line

MISMATCHES = 20
"""Texts of a golden set that are listed; --json, --junit and Python have all."""


def show_gates(report: GateReport) -> None:
    """A line a gate, why some fail, and the golden set's mismatches."""
    click.echo(f"Model  {one_line(shown_model(report.model, from_here=True))}")
    if report.rows is not None:
        click.echo(f"Rows   {report.rows:,} {one_line(report.of)}")
    click.echo()
    if report.seen is not None:
        click.echo(paragraph(seen_in_words(report.seen), indent="") + "\n")
    head, rows = report.table()
    last = [[row[-1], *row[:-1]] for row in rows]
    wide = table(("", *head[:-1]), last, names=2)
    show_table(wide, table(("", *head[:-2]), [row[:-1] for row in last], names=2))
    for each in report.outcomes:
        if each.reason:
            click.echo(paragraph(f"{cut_to(each.title, NAME_CELLS)}: {one_line(each.reason)}.", indent=""))
    if report.golden is not None:
        _show_golden(report.golden)


def _show_golden(golden: GoldenOutcome) -> None:
    if golden.learned:
        click.echo(paragraph(f"The model learned from {golden.learned:,} of the golden texts.", indent=""))
    if golden.passed:
        return
    click.echo("\n" + paragraph(f"{one_line(golden_in_words(golden))}:", indent=""))
    for each in golden.mismatches[:MISMATCHES]:
        place, text = one_line(each.where), one_line(each.text)
        labels = f"{one_line(each.wanted)} expected, {one_line(each.predicted)}"
        labels += "" if each.probability is None else f" {each.probability:.0%}"
        click.echo(paragraph(f"{place}: {labels}: {cut_to(text, 200)}"))
    if len(golden.mismatches) > MISMATCHES:
        click.echo(f"    and {len(golden.mismatches) - MISMATCHES:,} more; --json has all")
