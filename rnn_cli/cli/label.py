"""`rnn label`."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rnn_cli.cli.options import as_overrides, option_of, reading_option
from rnn_cli.errors import UsageError, quoted

if TYPE_CHECKING:
    from rnn_cli.config.schema import DataConfig
    from rnn_cli.kinds import LabelsKind
    from rnn_cli.labelling.texts import TextPool

READING = ("text_column", "delimiter", "sheet", "quoting", "header", "encoding")

LABEL_COLUMN = "label"


class OrFile(click.Group):
    """A group whose first command is meant where a file is named instead of one."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the first command before what names none."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [next(iter(self.commands)), *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands' names, as they were added."""
        return list(self.commands)


def reading_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How to read a file of texts."""
    for name in reversed(READING):
        command = reading_option(name)(command)
    return command


def source_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The file of texts, how to read it, and who labels."""
    command = reading_options(command)
    command = click.option("--as", "by", metavar="NAME", help="Who labels: each person has a log.")(command)
    return click.argument("source", metavar="FILE")(command)


def base_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The model that the one in the loop begins with."""
    about = "The model that reads the texts, or none  [default: general]"
    return click.option("--base", metavar="DIR", help=about)(command)


def out_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Where the labelled rows are written."""
    about = "The name of the column of labels  [default: label]"
    command = click.option("--label-column", default=LABEL_COLUMN, metavar="NAME", help=about)(command)
    return click.option("--force", is_flag=True, help="Replace an earlier --out.")(command)


@click.group(
    cls=OrFile,
    epilog="""\b
Examples:
  rnn label reviews.csv --labels positive,negative
  rnn label reviews.csv
  rnn label status reviews.csv
  rnn label review reviews.csv
  rnn label export reviews.csv --out labelled.csv
""",
)
def label() -> None:
    """Label texts, one key each: rnn label FILE.

    Asks for the most useful texts first; a model learns as you label. More: docs/labelling.md.
    """


@label.command(
    epilog="""\b
Examples:
  rnn label reviews.csv --labels positive,negative
  rnn label reviews.csv --out labelled.csv
  rnn label mails.csv --labels refund,praise --several
  rnn label mails.csv --labels refund,other --hint 'refund: money back'
  rnn label reviews.csv --page
"""
)
@source_options
@click.option("--labels", metavar="NAMES", help="The labels, as positive,negative; once is enough.")
@click.option("--several", is_flag=True, help="A text may have several of the labels, or none.")
@click.option("--ordered", is_flag=True, help="The labels have an order: name them from the lowest on.")
@click.option(
    "--hint", "hints", multiple=True, metavar="TEXT", help="'LABEL: words': show such texts early; repeatable."
)
@click.option("--after", metavar="NAME", help="Ask first what this person has labelled; '' is the log without a name.")
@click.option("--show-guess", is_flag=True, help="Show what the model thinks before you answer.")
@base_option
@click.option("--page", is_flag=True, help="Label on a page in the browser; its address opens once.")
@click.option("--no-open", is_flag=True, help="With --page, only print the address.")
@click.option("--port", type=click.IntRange(1, 65535), metavar="N", help="Its port  [default: 8765, or any]")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the labelled rows at the end.")
@out_options
def start(
    source: str,
    labels: str | None,
    several: bool,
    ordered: bool,
    hints: tuple[str, ...],
    after: str | None,
    show_guess: bool,
    base: str | None,
    page: bool,
    no_open: bool,
    port: int | None,
    out: Path | None,
    label_column: str,
    force: bool,
    by: str | None,
    **columns: Any,
) -> None:
    """Label texts, or go on: rnn label FILE.

    FILE is CSV, TSV, JSONL, Parquet, .xlsx, a .txt file of lines, a folder of texts or a built-in set; it stays as it
    is. Each answer is saved in FILE.labels.jsonl before the next text is shown, so nothing is lost. Copies are asked
    once. Keys are shown; the model's guess is hidden unless you ask for it.
    """
    from rnn_cli.cli import keys

    if page:
        from rnn_cli.labelling_page.serve import open_browser, serve_sitting
    elif no_open or port is not None:
        raise UsageError(f"{'--no-open' if no_open else '--port'} is for --page, which is not given", hint="add --page")
    elif not keys.is_terminal():
        hint = f"run it in a terminal or with --page; rnn label status {quoted(Path(source))} says how far it is"
        raise UsageError(
            "texts are labelled in a terminal, and the standard input or output is not a terminal", hint=hint
        )
    kind = _kind(several, ordered)
    if force and out is None:
        raise UsageError("--force is for --out, which is not given", hint="add --out FILE")

    from rnn_cli.cli.show_labelling import show_end
    from rnn_cli.cli.sitting import sit
    from rnn_cli.labelling.session import begin_session
    from rnn_cli.progress import listening

    config = _config(columns)
    plan = None if out is None else _planned(out, source, config, label_column, force)
    named = [each for each in (labels or "").split(",") if each.strip()]
    with ExitStack() as held:
        with listening() as listener:

            def on_read(done: int, total: int) -> None:
                listener.progress("the model reads the texts: texts", done, total)

            listener.doing("reading the texts")
            base_name = _base(base)
            begun = begin_session(
                source,
                named,
                config=config,
                by=by,
                hints=hints,
                after=after,
                base=base_name,
                kind=kind,
                on_read=on_read,
            )
            session = held.enter_context(begun)
        _tell_index(session.texts)
        session.is_guess_shown = show_guess
        if page:

            def say_where(address: str) -> None:
                click.echo(f"page    {address}")
                if no_open or not open_browser(address):
                    click.echo("        open it in a browser on this machine; it opens once")
                click.echo("        Ctrl-C ends, and all is kept")

            serve_sitting(session, None if out is None else str(out), port, say_where)
        else:
            sit(session)
        written = plan.write(session.texts, session.log.answers.labelled) if plan is not None else 0
        show_end(session, out, written, _typed(columns, by, label_column), base_name)


@label.command(epilog="\b\nExample:\n  rnn label status reviews.csv")
@click.argument("source", metavar="FILE")
@click.option("--as", "by", metavar="NAME", help="Who labels: each person has a log.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(source: str, by: str | None, as_json: bool) -> None:
    """Show how far the labelling of a file is."""
    from rnn_cli.cli.show_labelling import show_status
    from rnn_cli.labelling.answers import log_of, read_log

    log = log_of(source, by)
    show_status(log, *read_log(log), as_json=as_json)


@label.command(
    epilog="""\b
Examples:
  rnn label review reviews.csv
  rnn label review reviews.csv --json
"""
)
@source_options
@base_option
@click.option("--json", "as_json", is_flag=True, help="Print the labels as JSON, and ask nothing.")
def review(source: str, by: str | None, base: str | None, as_json: bool, **columns: Any) -> None:
    """Look again at labels that are likely wrong.

    Each text is judged by a model that has not seen its label. One after the other is shown, the least probable label
    first, to keep or to change; what was kept is not asked again. In a pipe they are listed.
    """
    from rnn_cli.cli import keys
    from rnn_cli.cli.reviewing import NONE_DOUBTED, look_again, show_doubts
    from rnn_cli.labelling.answers import log_of, read_log
    from rnn_cli.labelling.review import doubts_of
    from rnn_cli.labelling.session import begin_session
    from rnn_cli.progress import listening

    config, is_asked = _config(columns), keys.is_terminal() and not as_json
    with ExitStack() as held:
        with listening() as listener:

            def on_read(done: int, total: int) -> None:
                listener.progress("the model reads the texts: texts", done, total)

            listener.doing("judging the labels")
            if is_asked:
                read_log(log_of(source, by))  # says so where nothing is labelled
                session = held.enter_context(
                    begin_session(source, config=config, by=by, base=_base(base), on_read=on_read)
                )
                doubts, texts = session.doubts(), session.texts
            else:
                texts, doubts = doubts_of(source, config=config, by=by, base=_base(base), on_read=on_read)
        _tell_index(texts)
        if not is_asked:
            show_doubts(doubts, texts.rows, as_json=as_json)
            return
        if not doubts:
            click.echo(NONE_DOUBTED)
            return
        decided = look_again(session, doubts)
        click.echo(f"{decided['kept']:,} labels kept, {decided['changed']:,} changed → {session.log.path}")


@label.command("export", epilog="\b\nExample:\n  rnn label export reviews.csv --out labelled.csv")
@source_options
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="FILE", help=".csv, .tsv or .jsonl.")
@out_options
def export_(source: str, by: str | None, out: Path, label_column: str, force: bool, **columns: Any) -> None:
    """Write the labelled rows of a file.

    They have all its columns, in its order. Rows of the same words have the same label.
    """
    from rnn_cli.bundle.locate import GENERAL
    from rnn_cli.cli.show_labelling import show_training, train_commands
    from rnn_cli.labelling.answers import log_of, read_log
    from rnn_cli.labelling.texts import read_pool
    from rnn_cli.labelling.vectors import base_for

    config = _config(columns)
    plan = _planned(out, source, config, label_column, force)
    log = log_of(source, by)
    head, answers = read_log(log)
    texts = read_pool(source, config)
    _tell_index(texts)
    head.check(len(texts.rows), texts.fingerprint, log)
    written = plan.write(texts, answers.labelled)
    click.echo(f"{written:,} rows with labels → {out}")
    reader = base_for([texts.rows[row] for row in texts.pool], GENERAL)
    base, options = GENERAL if reader is not None else None, _typed(columns, None, label_column)
    show_training(train_commands(quoted(out), quoted(Path(source)), options, base, answers, len(texts.rows)))


@label.command(
    epilog="""\b
Examples:
  rnn label reviews.csv --labels positive,negative --as bob --after ann
  rnn label agree reviews.csv --as ann --as bob
"""
)
@click.argument("source", metavar="FILE")
@click.option("--as", "people", multiple=True, metavar="NAME", help="Twice; once: NAME and the log without a name.")
@click.option(
    "--examples", type=click.IntRange(0), default=10, metavar="N", help="Differing texts shown  [default: 10]"
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@reading_options
def agree(source: str, people: tuple[str, ...], examples: int, as_json: bool, **columns: Any) -> None:
    """Show how far two people agree.

    That is Cohen's kappa, Krippendorff's alpha, and where they differ. Compared are the texts that both have labelled.
    """
    if not 1 <= len(people) <= 2:
        raise UsageError("two people are compared", where="--as", hint="name each: --as ann --as bob")

    from rnn_cli.cli.show_labelling import show_agreement
    from rnn_cli.labelling.agreement import compare_people
    from rnn_cli.labelling.answers import log_of, read_log
    from rnn_cli.labelling.texts import read_pool

    texts, named = read_pool(source, _config(columns)), [*people, None][:2]
    _tell_index(texts)
    logs = []
    for name in named:
        head, answers = read_log(log := log_of(source, name))
        head.check(len(texts.rows), texts.fingerprint, log)
        logs.append(answers)
    one, other = logs
    if one.kind != other.kind:
        what = f"one log is of {one.kind} labels, the other of {other.kind} ones"
        raise UsageError(what, where=source, hint="only logs of one kind can be compared")
    found = compare_people(one.labelled, other.labelled, one.kind, one.labels)
    shown = [name or "without a name" for name in named]
    show_agreement(found, shown, texts.rows, one.kind, examples=examples, as_json=as_json)


def _kind(several: bool, ordered: bool) -> "LabelsKind | None":
    if several and ordered:
        raise UsageError("--several and --ordered cannot go together", hint="leave one of them out")
    return "several" if several else "ordered" if ordered else None


def _base(named: str | None) -> str | None:
    return {None: "general", "none": None}.get(named, named)


def _config(columns: dict[str, Any]) -> "DataConfig":
    from rnn_cli.config.load import parse_config

    return parse_config("", "(options)", as_overrides("data", columns)).data


def _tell_index(texts: "TextPool") -> None:
    from rnn_cli.messages import tell

    if texts.new_index is not None:
        tell(f"index of {len(texts.rows):,} texts → {texts.new_index}: the next start is short; it may be deleted")


def _planned(out: Path, source: str, config: "DataConfig", label_column: str, force: bool) -> Any:
    from rnn_cli.labelling.labelled_file import LabelledOutput
    from rnn_cli.outputs import check_file

    check_file(out, force=force, inputs=[source])
    return LabelledOutput.plan(out, source, config, label_column)


def _typed(columns: Mapping[str, Any], by: str | None = None, label_column: str = LABEL_COLUMN) -> dict[str, str]:
    """The options that were given, and their values as they are typed; a flag has none."""
    given = {"by": by, "label_column": None if label_column == LABEL_COLUMN else label_column, **columns}
    names = {"by": "--as"}
    return {
        names.get(name) or ("--no-header" if value is False else option_of(name)): ""
        if isinstance(value, bool)
        else quoted(str(value))
        for name, value in given.items()
        if value is not None
    }
