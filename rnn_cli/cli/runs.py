"""`rnn runs`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rnn_cli.text.plain import one_line

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

ORDERS = ("name", "accuracy", "date", "size", "minutes")


class Listing(click.Group):
    """A group that lists runs where no command of its own is named: `rnn runs`, `rnn runs DIR --json`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command in that is meant."""
        is_named = args and args[0] in (*self.commands, *ctx.help_option_names)
        return super().parse_args(ctx, args if is_named or (ctx.resilient_parsing and not args) else ["list", *args])

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Show the options of the listing, which need not be named, and the other commands."""
        self.commands["list"].format_options(ctx, formatter)
        self.format_commands(ctx, formatter)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem[str]]":
        """Complete the options of the listing, too."""
        with self.commands["list"].make_context("list", [], parent=ctx, resilient_parsing=True) as listing:
            options = self.commands["list"].shell_complete(listing, incomplete)
        named = {each.value for each in options}
        return [*options, *(each for each in super().shell_complete(ctx, incomplete) if each.value not in named)]


@click.group(
    cls=Listing,
    subcommand_metavar="[DIR] | rm NAME...",
    epilog="""\b
Examples:
  rnn runs
  rnn runs --sort accuracy
  rnn runs models --json
  rnn runs rm quick-2 quick-3.unfinished
""",
)
def runs() -> None:
    """List the trained models and unfinished runs.

    It lists runs/, or DIR. The accuracies are on the test rows, the network's and the linear baseline's; * marks the
    latest run, which other commands use. A model of numbers has its mean absolute error instead. Minutes are those of
    the whole run. A dash stands for what is not known, as of a run of an older release.
    """


@runs.command("list", hidden=True, epilog="\b\nExamples:\n  rnn runs list\n  rnn runs list --sort name")
@click.argument("folder", required=False, metavar="[DIR]", type=click.Path(path_type=Path))
@click.option("--sort", type=click.Choice(ORDERS), default="date", show_default=True, help="Best, newest, most first.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def list_(folder: Path | None, sort: str, as_json: bool) -> None:
    """List runs."""
    from rnn_cli.bundle.model_folder import LATEST, RUNS
    from rnn_cli.bundle.runs import find_runs
    from rnn_cli.cli.show_runs import in_order, show_runs

    index = folder or RUNS
    # Who has not trained yet has made no mistake.
    found = in_order(find_runs(index), sort) if folder is not None or RUNS.exists() else []
    if as_json:
        from rnn_cli.cli.layout import to_json

        click.echo(to_json([run.to_dict() for run in found], indent=2))
    elif found:
        show_runs(found)
    else:
        click.echo(f"No runs in {one_line(str(index))}/; rnn train makes one.")
    if not as_json and folder is None and LATEST.is_symlink():
        if not LATEST.exists():
            gone = f"{LATEST} points to {one_line(os.readlink(LATEST))}, which is gone"
            click.echo(gone + ("; commands use * now" if any(run.is_latest for run in found) else ""))
        elif LATEST.resolve().parent != RUNS.resolve():
            elsewhere = one_line(os.path.relpath(LATEST.resolve()))
            click.echo(f"Commands use the latest run, which is elsewhere: {elsewhere}")


@runs.command(epilog="\b\nExamples:\n  rnn runs rm quick-2 quick-3.unfinished\n  rnn runs rm --force quick-3")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--force", is_flag=True, help="Remove the latest run, too; the newest of the others is the latest then.")
def rm(names: tuple[str, ...], force: bool) -> None:
    """Delete runs of runs/, finished or not.

    All are checked before one is deleted. A run that is being trained is refused, and so is a folder that holds
    anything else.
    """
    from rnn_cli.bundle.model_folder import LATEST
    from rnn_cli.bundle.runs import remove_runs

    removed, latest = remove_runs(names, force=force)
    for run in removed:
        click.echo(f"Removed  {one_line(str(run.path))}  ({run.size / 1e6:,.1f} MB)")
    if latest is not None:
        click.echo(f"Latest   {one_line(str(latest))}")
    elif any(run.was_latest for run in removed):
        click.echo(f"Latest   none: {LATEST} is gone, too")
