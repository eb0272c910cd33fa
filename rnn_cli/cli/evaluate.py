"""`rnn evaluate`."""

from pathlib import Path

import click

from rnn_cli.errors import UsageError


@click.command(
    epilog="""\b
Examples:
  rnn evaluate
  rnn evaluate --model runs/quick-1 --data new_reviews.csv
  rnn evaluate --data other.csv --set data.text_column=review
  rnn evaluate --by length
  rnn evaluate --data new_reviews.csv --by country
  rnn evaluate --report report.html --plots charts
  rnn evaluate --json
"""
)
@click.option("--model", metavar="DIR", help="The trained model  [default: $RNN_MODEL, else the newest run]")
@click.option("--data", "source", metavar="FILE", help="Labelled texts (or a built-in set) instead of the test rows.")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override a data key of the run's config for --data, as data.text_column=review.",
)
@click.option(
    "--by", metavar="COLUMN", help="Measure the rows of each value of a column apart, or of each length: --by length."
)
@click.option(
    "--report", type=click.Path(path_type=Path), metavar="FILE.html", help="Write all of it as a page for a browser."
)
@click.option("--plots", type=click.Path(path_type=Path), metavar="DIR", help="Write its charts as PNG and SVG files.")
@click.option("--force", is_flag=True, help="Replace what an earlier call wrote to --report and --plots.")
@click.option("--json", "as_json", is_flag=True, help="Print every figure as JSON.")
def evaluate(
    model: str | None,
    source: str | None,
    overrides: tuple[str, ...],
    by: str | None,
    report: Path | None,
    plots: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Measure a trained model on labelled texts.

    Without --data these are the test rows that its training kept aside, beside what the linear baseline made of them;
    they are refused if the data has changed.
    """
    from rnn_cli import bundle
    from rnn_cli.bundle import Bundle

    if source is None and overrides:
        raise UsageError("--set tells how to read --data, which is not given", mend="add --data FILE")
    _check_targets(report, plots, force)
    opened = Bundle.open(bundle.locate(model))

    from rnn_cli.evaluation.against import kept_against
    from rnn_cli.evaluation.evaluate import evaluate as work
    from rnn_cli.evaluation.evaluate import kept_test_rows, labelled_rows, slicer
    from rnn_cli.scoring.predictor import Predictor

    predictor = Predictor(opened)
    rows = kept_test_rows(opened) if source is None else labelled_rows(opened, source, overrides)
    sliced = slicer(opened, predictor, rows, by, overrides) if by is not None else None
    evaluation = work(predictor, rows)
    slices = sliced(evaluation) if sliced else []
    against = kept_against(opened, "test") if source is None else None  # the baseline itself is not kept
    if report is not None or plots is not None:
        from rnn_cli.reporting.content import gather
        from rnn_cli.reporting.save import save

        gathered = gather(opened, predictor, evaluation, "test" if source is None else None, against)
        save(gathered, out=report, plots=plots, force=force)
    if as_json:
        import json

        told = evaluation.figures.to_dict()
        if against is not None:
            told |= {"baseline": against.figures.to_dict(), "comparison": against.comparison.to_dict()}
        if by is not None:
            told |= {"by": by, "slices": [each.to_dict() for each in slices]}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        from rnn_cli.cli.figures import show_evaluation, show_slices

        show_evaluation(evaluation, opened.path, "test" if source is None else Path(source).name, against)
        if by is not None:
            show_slices(by, slices)
        written = {"Report": report, "Charts": plots}
        for place, (what, where) in enumerate(each for each in written.items() if each[1] is not None):
            click.echo(("" if place else "\n") + f"{what} {where}")


def _check_targets(report: Path | None, plots: Path | None, force: bool) -> None:
    """Refuse, before any work is done, what --report and --plots may not replace."""
    from rnn_cli.reporting.targets import check_plots, check_report

    if report is not None:
        check_report(report, force=force)
    if plots is not None:
        check_plots(plots, force=force)
    if force and report is None and plots is None:
        raise UsageError("--force is for --report and --plots, which are not given", mend="add one of them")
