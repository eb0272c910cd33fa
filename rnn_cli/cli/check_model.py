"""`rnn check-model`."""

from pathlib import Path

import click

from rnn_cli.cli.options import (
    include_seen_option,
    labelled_options,
    model_option,
    overrides_of,
    set_option,
)
from rnn_cli.errors import RunFailed, few_of
from rnn_cli.text.plain import one_line


@click.command(
    "check-model",
    epilog="""\b
Examples:
  rnn check-model --gate gates.yaml --data new_reviews.csv
  rnn check-model --model runs/quick-1 --gate gates.yaml --junit gates.xml
  rnn check-model --gate gates.yaml --markdown gates.md --force
""",
)
@model_option
@click.option("--gate", "gates", required=True, metavar="FILE", help="The gates, in YAML.")
@click.option("--data", "source", metavar="FILE", help="Labelled texts  [default: the run's test or out-of-fold rows]")
@set_option("Override a data key of the run's config for --data.")
@include_seen_option
@labelled_options
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE", help="Write JUnit XML.")
@click.option("--markdown", type=click.Path(path_type=Path), metavar="FILE", help="Write a Markdown table.")
@click.option("--force", is_flag=True, help="Replace an earlier --junit and --markdown.")
@click.option("--json", "as_json", is_flag=True, help="Print all outcomes as JSON.")
def check_model(
    model: str | None,
    gates: str,
    source: str | None,
    settings: tuple[str, ...],
    include_seen: bool,
    junit: Path | None,
    markdown: Path | None,
    force: bool,
    as_json: bool,
    **columns: str | bool | None,
) -> None:
    """Check a model against thresholds (gates), for a build server.

    A gate is a line such as `accuracy >= 0.9 (lower bound)`, `f1[refund] >= 0.8`, `behaviour.negation >= 0.9`,
    `latency <= 5 ms` or `not worse than runs/old by more than 0.01 (paired)`. More, and golden sets:
    docs/check-model.md.

    Ends with 0 if all pass, 1 if one fails, 2 if they cannot be checked.
    """
    overrides = overrides_of(settings, **columns)

    from rnn_cli import api
    from rnn_cli.progress import listening

    with listening() as listener:
        found = api.check_model(
            model,
            source,
            gates=gates,
            include_seen=include_seen,
            junit=junit,
            markdown=markdown,
            force=force,
            progress=listener,
            overrides=overrides,
        )
    if as_json:
        from rnn_cli.cli.layout import to_json

        click.echo(to_json(found.to_dict(), indent=2))
    else:
        from rnn_cli.cli.show_gates import show_gates

        show_gates(found)
        for what, where in (("JUnit", junit), ("Markdown", markdown)):
            if where is not None:
                click.echo(f"{what:<8}  {one_line(str(where))}")
    if not found.passed:
        failed = "1 gate fails" if len(found.failed) == 1 else f"{len(found.failed)} gates fail"
        raise RunFailed(f"{failed}: {few_of([*map(one_line, found.failed)])}")
