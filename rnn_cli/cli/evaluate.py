"""`rnn evaluate`."""

from pathlib import Path
from typing import Literal

import click

from rnn_cli.cli.options import (
    as_overrides,
    as_value,
    include_seen_option,
    labelled_options,
    labels_option,
    model_option,
    named_as_options,
    overrides_of,
    refuse_without_data,
    set_option,
)
from rnn_cli.errors import UsageError
from rnn_cli.text.plain import one_line


@click.command(
    epilog="""\b
Examples:
  rnn evaluate
  rnn evaluate --model runs/quick-1 --data new_reviews.csv
  rnn evaluate --folds 5
  rnn evaluate --by length --report report.html --plots charts
"""
)
@model_option
@click.option(
    "--data",
    "source",
    metavar="FILE",
    help="Labelled texts: a file, folder, URL, - or built-in set.",
)
@set_option("Override a data key of the run's config for --data.")
@labels_option
@include_seen_option
@labelled_options
@click.option(
    "--precision",
    type=click.Choice(["fp32", "int8"]),
    default="fp32",
    metavar="NAME",
    help="fp32 (default), or int8, as rnn predict has it.",
)
@click.option("--threshold", type=float, metavar="P", help="Try this threshold for the positive one of two labels.")
@click.option("--goal", metavar="GOAL", help="Try the best threshold for it, as 'recall >= 0.9'.")
@click.option("--abstain", type=float, metavar="P", help="Try abstaining from this share of the texts.")
@click.option("--abstain-error", type=float, metavar="P", help="Abstain until at most this share of the rest is wrong.")
@click.option(
    "--choice",
    type=click.Choice(["balanced", "median", "mode"]),
    metavar="NAME",
    help="Of ordered labels predict the median or mode.",
)
@click.option("--by", metavar="COLUMN", help="Measure each value of a column apart, or each length.")
@click.option("--folds", type=click.IntRange(min=2), metavar="N", help="Measure the run's config by N folds.")
@click.option("--report", type=click.Path(path_type=Path), metavar="FILE", help="Write an HTML page with all of it.")
@click.option("--plots", type=click.Path(path_type=Path), metavar="DIR", help="Write its charts as PNG and SVG files.")
@click.option("--force", is_flag=True, help="Replace an earlier --report and --plots.")
@click.option("--json", "as_json", is_flag=True, help="Print all metrics as JSON.")
def evaluate(
    model: str | None,
    source: str | None,
    settings: tuple[str, ...],
    labels: list[str] | None,
    include_seen: bool,
    precision: Literal["fp32", "int8"],
    threshold: float | None,
    goal: str | None,
    abstain: float | None,
    abstain_error: float | None,
    choice: str | None,
    by: str | None,
    folds: int | None,
    report: Path | None,
    plots: Path | None,
    force: bool,
    as_json: bool,
    **columns: str | bool | None,
) -> None:
    """Measure a trained model on labelled texts.

    Without --data: the test rows that training kept aside, or those of its folds, and the linear baseline on
    them. Of --data, rows it learned from are left out and counted. --threshold, --goal, --abstain, --abstain-error
    and --choice decide otherwise this time, keys of decision for good. More: docs/guide.md.
    """
    overrides = overrides_of(settings, **columns)
    refuse_without_data(overrides, source, include_seen=include_seen, labels=labels)
    _refuse_alone(report, plots, force, threshold, goal, abstain, abstain_error)
    asked = {
        "threshold": threshold,
        "goal": as_value(goal, "--goal"),
        "abstain": abstain,
        "abstain_error": abstain_error,
        "choice": choice,
    }
    decision = as_overrides("decision", asked)

    from rnn_cli import api
    from rnn_cli.progress import listening

    with named_as_options(decision), listening() as listener:
        found = api.evaluate(
            model,
            source,
            by=by,
            labels=labels,
            include_seen=include_seen,
            folds=folds,
            precision=precision,
            report=report,
            plots=plots,
            force=force,
            progress=listener,
            overrides=[*overrides, *decision],
        )
    if as_json:
        from rnn_cli.cli.layout import to_json

        click.echo(to_json(found.to_dict(), indent=2))
        return

    from rnn_cli.cli.layout import paragraph
    from rnn_cli.cli.show_metrics import show_evaluation, show_slices
    from rnn_cli.cli.show_numbers import show_numbers
    from rnn_cli.evaluation.evaluate import Evaluation
    from rnn_cli.evaluation.evaluate_numbers import NumberEvaluation

    if source is not None:
        rows = Path(found.dataset.name).name
    else:
        rows = "test" if found.folds is None else "folds"
    if isinstance(found, Evaluation):
        show_evaluation(found, rows)
    elif isinstance(found, NumberEvaluation):
        show_numbers(found, rows)
    else:
        from rnn_cli.cli.show_several import show_several

        show_several(found, rows)
    if found.baseline_left_out:
        left_out = "The linear baseline is left out: it was measured with the decision of training, and is not kept."
        click.echo("\n" + paragraph(left_out, indent=""))
    if isinstance(found, Evaluation | NumberEvaluation) and found.by is not None:
        show_slices(found.by, found.slices)
    written = {"Report": report, "Charts": plots}
    for index, (what, where) in enumerate(each for each in written.items() if each[1] is not None):
        click.echo(("" if index else "\n") + f"{what} {one_line(str(where))}")


def _refuse_alone(
    report: Path | None,
    plots: Path | None,
    force: bool,
    threshold: float | None,
    goal: str | None,
    abstain: float | None,
    abstain_error: float | None,
) -> None:
    """Raise `UsageError` for options without what they are about, or at odds with each other."""
    if threshold is not None and goal is not None:
        raise UsageError("--goal chooses the threshold, which --threshold gives", hint="leave one out")
    if abstain is not None and abstain_error is not None:
        raise UsageError("--abstain-error chooses the share that --abstain gives", hint="leave one out")
    if force and report is None and plots is None:
        raise UsageError("--force is for --report and --plots, which are not given", hint="add one of them")
