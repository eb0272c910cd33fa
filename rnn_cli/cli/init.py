"""`rnn init`."""

from pathlib import Path

import click

from rnn_cli.cli.common import check_full
from rnn_cli.cli.options import labelled_options, overrides_of, set_option, splitting_options, unlabelled_option
from rnn_cli.errors import UsageError, quoted
from rnn_cli.formats import DATA_FILE
from rnn_cli.text.plain import one_line


@click.command(
    epilog="""\b
Examples:
  rnn init reviews.csv
  rnn init tickets.csv --label-column team
  rnn init reviews.csv --out reviews.yaml --force
  cat reviews.csv | rnn init - --set data.format=csv
"""
)
@click.argument("file", metavar="FILE")
@set_option("Another key of data, as data.test=test.csv.")
@labelled_options
@splitting_options
@unlabelled_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default="config.yaml",
    show_default=True,
    metavar="CONFIG",
    help="The config to write.",
)
@click.option("--force", is_flag=True, help="Replace the config that is there.")
def init(
    file: str, settings: tuple[str, ...], out: Path, force: bool, unlabelled: str | None, **columns: str | bool | None
) -> None:
    """Write a config that suits a file of labelled texts.

    It names the columns, starts from the recipe for texts of this number and length, and says what it chose and why.
    FILE may also be a folder, a built-in set, a URL, or - for the standard input. Nothing is trained: rnn train CONFIG
    does that.
    """
    check_full()  # what it writes is of no use without
    from rnn_cli.cli.layout import paragraph
    from rnn_cli.config.load import refuse_others
    from rnn_cli.data.reading.remote import STANDARD_INPUT, shown

    overrides = overrides_of(settings, unlabelled=unlabelled, **columns)
    refuse_others(overrides, ["data"], "use a key of data, and edit the config")
    if DATA_FILE.search(out.name.lower()):
        raise UsageError("is the name of a data file", where=str(out), hint="use --out config.yaml")

    from rnn_cli.checks.findings import write_text
    from rnn_cli.outputs import check_file
    from rnn_cli.progress import Notes

    check_file(out, force=force, inputs=[file])

    from rnn_cli.checks.suggest_config import commented_yaml, propose

    proposal = propose(file, overrides)

    from rnn_cli.training.listener import SilentListener
    from rnn_cli.training.prepare import prepare

    training = proposal.config.training.model_copy(update={"baseline": False})
    # Training would refuse it, too.
    prepare(proposal.config.model_copy(update={"training": training}), SilentListener(), source=proposal.dataset)
    write_text(commented_yaml(proposal), out)
    for warning in proposal.dataset.warnings:
        Notes().warn(warning)
    for line in (*proposal.dataset.notes, *proposal.found):
        click.echo(paragraph(one_line(line), indent=""))
    click.echo(f"\nConfig  {one_line(str(out))}")
    rows = " < FILE" if file == STANDARD_INPUT else ""  # they must be piped in again
    click.echo("Next    " + click.style(f"rnn train {quoted(out)}{rows}", bold=True))
    click.echo(f"        rnn data check {quoted(out)}{rows}")
    if shown(file) != file and not rows:
        Notes().warn(f"{one_line(str(out))} holds the whole URL, and what is secret in it")
