"""`rnn tune`."""

import re
from pathlib import Path

import click

from rnn_cli.cli.common import check_full
from rnn_cli.cli.options import labelled_options, overrides_of, set_option, splitting_options
from rnn_cli.errors import UsageError
from rnn_cli.text.plain import one_line

SIZE_UNITS = {"": 1, "B": 1, "KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}
TIME_UNITS = {"MS": 1e-3, "S": 1.0}


@click.command(
    epilog="""\b
Examples:
  rnn tune reviews.csv
  rnn tune reviews.csv --minutes 60 --goal accuracy
  rnn tune config.yaml --trials 30 --max-bytes 5MB --max-latency 2ms
  rnn tune --resume
"""
)
@click.argument("config", required=False, metavar="[CONFIG|FILE]")
@set_option("Override a key of the config; may be repeated.")
@labelled_options
@splitting_options
@click.option("--minutes", type=float, metavar="N", help="How long it may take in all  [default: 20]")
@click.option("--trials", type=int, metavar="N", help="How many configs to try at most.")
@click.option("--goal", metavar="NAME", help="What is to be best: log_loss (default), accuracy, macro_f1, ....")
@click.option("--max-bytes", metavar="SIZE", help="The largest graph and tokenizer, as 5MB.")
@click.option("--max-latency", metavar="TIME", help="The longest time for a short sentence here, as 1ms.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Seed of what is tried.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="The model's folder  [default: new in runs/]"
)
@click.option("--force", is_flag=True, help="Replace the model and the search in --out.")
@click.option("--distil", is_flag=True, help="End with a network that learns from the best models.")
@click.option("--jobs", type=int, metavar="N", help="Trials at once, which share the cores  [default: 1]")
@click.option(
    "--engine", type=click.Choice(("local", "ray")), default="local", help="local (default), or ray: a cluster."
)
@click.option("--ray-address", metavar="ADDRESS", help="A running Ray cluster  [default: start one here]")
@click.option(
    "--resume",
    is_flag=False,
    flag_value="",
    metavar="[DIR]",
    help="Go on with a search  [default: the last one]",
)
def tune(
    config: str | None,
    settings: tuple[str, ...],
    minutes: float | None,
    trials: int | None,
    goal: str | None,
    max_bytes: str | None,
    max_latency: str | None,
    seed: int,
    out: Path | None,
    force: bool,
    jobs: int | None,
    distil: bool,
    engine: str,
    ray_address: str | None,
    resume: str | None,
    **columns: str | bool | None,
) -> None:
    """Find the best config that a given time allows, and train it.

    CONFIG or FILE is what rnn train takes. The linear model is tried first, then the config, then others. Folds of few
    rows choose, else the validation rows; the test rows measure the best model, once. DIR.tune keeps the search:
    best.yaml, which rnn train repeats, and tune.html. More: docs/tuning.md.
    """
    check_full()
    overrides = overrides_of(settings, **columns)
    limits = _amount(max_bytes, "--max-bytes", SIZE_UNITS), _amount(max_latency, "--max-latency", TIME_UNITS)
    from rnn_cli import api
    from rnn_cli.cli.show_tuning import showing_search

    with showing_search() as shows:
        found = api.tune(
            config,
            minutes=minutes,
            trials=trials,
            goal=goal,
            max_bytes=None if limits[0] is None else int(limits[0]),
            max_seconds=limits[1],
            seed=seed,
            out=out,
            force=force,
            jobs=jobs,
            distil=distil,
            engine="ray" if engine == "ray" else "local",
            ray_address=ray_address,
            resume=False if resume is None else resume or True,
            progress=shows,
            overrides=overrides,
        )

    from rnn_cli.cli.layout import paragraph
    from rnn_cli.cli.show_metrics import show_trained

    show_trained(found.run, named=out is not None)
    click.echo()
    for line in found.in_lines():
        click.echo(paragraph(line, indent=""))
    click.echo(f"\nConfig {one_line(str(found.best_config))}\nSearch {one_line(str(found.page))}")


def _amount(text: str | None, option: str, units: dict[str, float] | dict[str, int]) -> float | None:
    """A number with a unit. Raises `UsageError`."""
    if text is None:
        return None
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*([A-Za-z]*)\s*", text)
    unit = None if found is None else units.get(found[2].upper())
    if found is None or unit is None or float(found[1]) <= 0:
        example = "5MB" if "B" in units else "1ms"
        raise UsageError(f"expected a number above 0 with a unit, got {text!r}", where=option, hint=f"as {example}")
    return float(found[1]) * unit
