"""`rnn evaluate`."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from rnn_cli.errors import ConfigError, UsageError
from rnn_cli.text.plain import one_line

if TYPE_CHECKING:  # loading them loads ONNX Runtime, or numpy
    from rnn_cli.bundle.model_folder import Bundle
    from rnn_cli.evaluation.compare import BaselineComparison
    from rnn_cli.evaluation.evaluate import Evaluation, Slice
    from rnn_cli.scoring.predictor import Predictor

Asked = Mapping[str, float | str]
"""Options that say how to decide, by their names, which are those of a config's `decision`."""


@click.command(
    epilog="""\b
Examples:
  rnn evaluate
  rnn evaluate --model runs/quick-1 --data new_reviews.csv
  rnn evaluate --data other.csv --set data.text_column=review
  rnn evaluate --precision int8
  rnn evaluate --threshold 0.7
  rnn evaluate --goal "precision >= 0.95"
  rnn evaluate --goal "{cost: {false_positive: 1, false_negative: 5}}"
  rnn evaluate --abstain 0.1
  rnn evaluate --abstain-error 0.02
  rnn evaluate --by length
  rnn evaluate --data new_reviews.csv --by country
  rnn evaluate --report report.html --plots charts
  rnn evaluate --json
"""
)
@click.option("--model", metavar="DIR", help="The trained model  [default: $RNN_MODEL, else the newest run]")
@click.option(
    "--data",
    "source",
    metavar="FILE",
    help="Labelled texts instead of the test rows: a path, a URL, - for the standard input, or a built-in set.",
)
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override a data key of the run's config for --data, as data.text_column=review.",
)
@click.option(
    "--precision",
    type=click.Choice(["fp32", "int8"]),
    default="fp32",
    help="Measure the network as rnn predict --precision has it compute  [default: fp32]",
)
@click.option("--threshold", type=float, metavar="P", help="Try another threshold: of two labels, the positive one's.")
@click.option(
    "--goal", metavar="GOAL", help="Try the threshold that serves a decision.goal best on the validation rows."
)
@click.option("--abstain", type=float, metavar="SHARE", help="Try abstaining from this share of the answers.")
@click.option(
    "--abstain-error", type=float, metavar="SHARE", help="Try abstaining until at most this share of the rest is wrong."
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
    precision: Literal["fp32", "int8"],
    threshold: float | None,
    goal: str | None,
    abstain: float | None,
    abstain_error: float | None,
    by: str | None,
    report: Path | None,
    plots: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Measure a trained model on labelled texts.

    Without --data these are the test rows that its training kept aside, beside what the linear baseline made of them;
    they are refused if the data has changed.

    --threshold, --goal, --abstain and --abstain-error say how to decide this time; the model stays as it is. To keep
    what they show, train with decision.threshold, decision.goal, decision.abstain or decision.abstain_error.
    """
    from rnn_cli.bundle.model_folder import Bundle, locate

    if source is None and overrides:
        raise UsageError("--set tells how to read --data, which is not given", hint="add --data FILE")
    asked = _asked(threshold=threshold, goal=goal, abstain=abstain, abstain_error=abstain_error)
    _check_targets(report, plots, force)
    opened = Bundle.open(locate(model))

    from rnn_cli.evaluation.compare import kept_against
    from rnn_cli.evaluation.evaluate import evaluate as work
    from rnn_cli.evaluation.evaluate import kept_test_rows, labelled_rows, run_config, slicer
    from rnn_cli.scoring.parts import check_config
    from rnn_cli.scoring.predictor import Predictor

    predictor = Predictor(opened, precision=precision)
    check_config(opened, run_config(opened), predictor.tokenizer, predictor.architecture)
    predictor = _deciding(opened, predictor, asked)
    rows = kept_test_rows(opened) if source is None else labelled_rows(opened, source, overrides)
    sliced = slicer(opened, rows, by, overrides) if by is not None else None
    evaluation = work(predictor, rows)
    slices = sliced(evaluation) if sliced else []
    # The baseline itself is not kept, only what it answered when the run ended, as it decided then.
    kept = kept_against(opened, "test") if source is None else None
    against = None if asked or precision != "fp32" else kept
    if report is not None or plots is not None:
        from rnn_cli.reporting.html import save
        from rnn_cli.reporting.report import gather

        side = "test" if source is None else None
        gathered = gather(opened, predictor, evaluation, side, against, by=by, parts=slices)
        save(gathered, out=report, plots=plots, force=force)
    if as_json:
        _print_json(evaluation, against, by, slices)
    else:
        from rnn_cli.cli.show_metrics import show_evaluation, show_slices

        show_evaluation(evaluation, opened.path, "test" if source is None else Path(rows.name).name, against)
        if kept is not None and against is None:
            click.echo(
                "\nThe linear baseline is left out: it was compared with the network as trained, and as that decides."
            )
        if by is not None:
            show_slices(by, slices)
        written = {"Report": report, "Charts": plots}
        for index, (what, where) in enumerate(each for each in written.items() if each[1] is not None):
            click.echo(("" if index else "\n") + f"{what} {one_line(str(where))}")


def _asked(**options: float | str | None) -> Asked:
    """How to decide this time, as far as it was said."""
    if options["threshold"] is not None and options["goal"] is not None:
        raise UsageError("--goal chooses the threshold, which --threshold gives", hint="leave one out")
    if options["abstain"] is not None and options["abstain_error"] is not None:
        raise UsageError("--abstain-error chooses the share that --abstain gives", hint="leave one out")
    return {name: value for name, value in options.items() if value is not None}


def _deciding(opened: "Bundle", predictor: "Predictor", asked: Asked) -> "Predictor":
    """The predictor, deciding as was asked; wishes that can't be met are told."""
    if not asked:
        return predictor
    from rnn_cli.evaluation.evaluate import decided_anew

    try:
        predictor, shortfalls = decided_anew(opened, predictor, asked)
    except ConfigError as error:
        raise ConfigError([_of_option(mistake, asked) for mistake in error.mistakes]) from None
    for shortfall in shortfalls:
        click.echo(f"Warning: {one_line(shortfall)}", err=True)
    return predictor


def _of_option(mistake: str, asked: Asked) -> str:
    """What is wrong with an option, in place of what would be wrong with a config's key."""
    for name, value in asked.items():
        option = "--" + name.replace("_", "-")
        mistake = mistake.replace(f"--set decision.{name}={value}: decision.{name}", f"{option} {value}")
        mistake = mistake.replace(f"decision.{name}:", f"{option}:")
    return mistake


def _print_json(
    evaluation: "Evaluation", against: "BaselineComparison | None", by: str | None, slices: "list[Slice]"
) -> None:
    from rnn_cli.cli.layout import to_json

    told = evaluation.to_dict()
    if against is not None:
        told |= {"baseline": against.metrics.to_dict(), "comparison": against.comparison.to_dict()}
    if by is not None:
        told |= {"by": by, "slices": [each.to_dict() for each in slices]}
    click.echo(to_json(told, indent=2))


def _check_targets(report: Path | None, plots: Path | None, force: bool) -> None:
    """Refuse, before any work is done, what --report and --plots may not replace."""
    from rnn_cli.bundle.targets import check_plots, check_report

    if report is not None:
        check_report(report, force=force)
    if plots is not None:
        check_plots(plots, force=force)
    if force and report is None and plots is None:
        raise UsageError("--force is for --report and --plots, which are not given", hint="add one of them")
