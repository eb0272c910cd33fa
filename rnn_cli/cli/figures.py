"""How good a model is, printed: what a run came to, and an evaluation."""

import os
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rnn_cli.cli.layout import fits, paragraph, table

if TYPE_CHECKING:  # loading them loads TensorFlow, or scikit-learn
    from rnn_cli.evaluation.against import Against
    from rnn_cli.evaluation.evaluate import Evaluation
    from rnn_cli.evaluation.metrics import Figures
    from rnn_cli.training.run import TrainedRun

CONFUSIONS = 10
"""Of a confusion matrix too wide for the terminal, how many of its largest counts are told."""

SURE = 0.05
"""The p-value from which on a difference is called chance."""


def show_trained(run: "TrainedRun", *, named: bool) -> None:
    """What a run came to, where it is and what to type next; `named` is whether --out said where it is."""
    sides = {"validation": run.validation.figures} | ({"test": run.test.figures} if run.test else {})
    _show(_headline(sides, run.against))
    side = list(sides)[-1]
    if side in run.against:
        click.echo("\n" + paragraph(_verdict(side, run.against[side]), indent=""))
    path = run.bundle.path
    click.echo(f"\nModel  {path}  (weights of epoch {run.best.epoch}, the best of {len(run.history)})")
    # Without --model the newest run is used, unless the environment says otherwise.
    model = f" --model {shlex.quote(str(path))}" if named or "RNN_MODEL" in os.environ else ""
    click.echo("Next   " + click.style(f'rnn predict{model} "A sentence of your own."', bold=True))
    click.echo(f"       rnn evaluate{model}" + ("" if run.test else " --data FILE"))


def show_evaluation(evaluation: "Evaluation", path: Path, rows: str, against: "Against | None" = None) -> None:
    """Headline figures, figures by label, and the confusion matrix.

    `rows` says which rows they are of, `against` what the linear baseline made of the same ones.
    """
    figures = evaluation.figures
    click.echo(f"Model  {_short(path)}\n")
    _show(_headline({rows: figures}, {rows: against} if against else {}))
    click.echo()
    if against:
        click.echo(paragraph(_verdict(rows, against), indent="") + "\n")
    _show(
        table(
            ("label", "precision", "recall", "F1", "rows"),
            [
                (label, f"{row.precision:.3f}", f"{row.recall:.3f}", f"{row.f1:.3f}", f"{row.support:,}")
                for label, row in figures.per_class.items()
            ],
        )
    )
    click.echo()
    _show_confusion(figures)
    if unknown := int((~evaluation.scores.known).sum()):
        click.echo(f"\nRows without one word the model knows: {unknown:,}")


def _show_confusion(figures: "Figures") -> None:
    matrix = table(
        ("true \\ answered", *figures.labels),
        [
            (label, *(f"{count:,}" for count in counts))
            for label, counts in zip(figures.labels, figures.confusion, strict=True)
        ],
    )
    if fits(matrix):
        _show(matrix)
        return
    wrong = [
        (count, truth, answer)
        for truth, counts in zip(figures.labels, figures.confusion, strict=True)
        for answer, count in zip(figures.labels, counts, strict=True)
        if count and truth != answer
    ]
    most = sorted(wrong, key=lambda each: -each[0])[:CONFUSIONS]
    _show(
        table(("true", "answered", "rows"), [(truth, answer, f"{count:,}") for count, truth, answer in most], names=2)
    )
    click.echo("The most frequent confusions; rnn evaluate --json has the whole matrix.")


def _headline(sides: Mapping[str, "Figures"], against: Mapping[str, "Against"]) -> list[str]:
    cells: dict[str, Callable[[Figures], str]] = {
        "rows": lambda f: f"{f.rows:,}",
        "accuracy": lambda f: f"{f.accuracy:.1%}",
        "95% interval": lambda f: "{:.1%} to {:.1%}".format(*f.accuracy_interval),
        "macro F1": lambda f: f"{f.macro_f1:.3f}",
        "ROC AUC": lambda f: _or_dash(f.roc_auc),
        "PR AUC": lambda f: _or_dash(f.pr_auc),
        "log loss": lambda f: f"{f.log_loss:.3f}",
        "Brier score": lambda f: f"{f.brier:.3f}",
    }
    head: list[str] = [""]
    models = [""]
    columns: list[Figures] = []
    for side, figures in sides.items():
        pair = (figures, against[side].figures) if side in against else (figures,)
        head += (side, "")[: len(pair)]
        models += ("network", "linear")[: len(pair)]
        columns += pair
    rows = [(name, *map(cell, columns)) for name, cell in cells.items()]
    return table(head, [models, *rows] if against else rows)


def _verdict(side: str, against: "Against") -> str:
    """Whether the network is worth its time, for one who need not know the test."""
    found = against.comparison
    other = "a linear model of the new rows alone" if against.knew_more else "the linear baseline"
    chose = ", which chose the epoch and the linear model's C," if side == "validation" else ""
    rows = f"the {found.rows:,} {side} rows{chose}"
    if found.only_first_right == found.only_second_right == 0:
        return f"On {rows} the network and {other} are right and wrong alike."
    low, high = (100 * end for end in found.interval)
    if found.difference < 0:
        low, high = -high, -low
    sure = f"(95% interval {low:.1f} to {high:.1f}; McNemar {_p(found.p_value)})"
    points = f"{abs(100 * found.difference):.1f} points"
    if found.difference == 0:
        return f"On {rows} the network is right as often as {other} {sure}."
    if found.p_value >= SURE:
        seems = f"{points} {'more' if found.difference > 0 else 'less'} often than"
        return f"On {rows} the network is right {seems} {other}, which may well be chance {sure}."
    if found.difference > 0:
        return f"On {rows} the network is right {points} more often than {other} {sure}."
    advice = "use a linear model for these texts, or try another recipe"
    return f"On {rows} the network is right {points} less often than {other} {sure}: {advice}."


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.2g}" if value < 0.1 else f"p = {value:.2f}"


def _or_dash(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _show(lines: list[str]) -> None:
    click.secho(lines[0], bold=True)
    for line in lines[1:]:
        click.echo(line)


def _short(path: Path) -> Path:
    """The folder itself where the path is a link to it; as seen from here if it stands below."""
    real, here = path.resolve(), Path.cwd()
    return real.relative_to(here) if real.is_relative_to(here) else real
