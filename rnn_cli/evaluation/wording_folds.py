"""A cross-validation in words, for the terminal, the report and the model card. Loads no library."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # loading it loads numpy
    from rnn_cli.evaluation.folds import CrossValidation

SIDE_WORDS: Mapping[str, str] = {"folds": "out-of-fold"}
"""What rows are called whose side has another name in files."""

FOLD_FIGURES: Mapping[str, tuple[str, Callable[[float], str]]] = {
    "mean_absolute_error": ("MAE", lambda value: f"{value:.3f}"),
    "accuracy": ("accuracy", lambda value: f"{value:.1%}"),
    "micro_f1": ("micro F1", lambda value: f"{value:.3f}"),
    "macro_f1": ("macro F1", lambda value: f"{value:.3f}"),
    "log_loss": ("log loss", lambda value: f"{value:.3f}"),
}
"""A figure of a fold → its name, and how its value is written."""


def side_rows(side: str | None) -> str:
    """How rows are called: "test rows"; "rows" where they are not the run's own."""
    return f"{SIDE_WORDS.get(side, side)} rows" if side else "rows"


def dealt_in_words(found: "CrossValidation") -> str:
    """How the rows were dealt."""
    times = f", dealt {found.repeats:,} times" if found.repeats > 1 else ""
    return f"{found.folds}-fold cross-validation{times}"


def folds_in_words(found: "CrossValidation", rows: int) -> str:
    """What the figures of `rows` rows are estimates of, and how much they differ between folds."""
    all_rows = rows + len(found.teaching)
    field = next(name for name in FOLD_FIGURES if name in found.each[0].network)
    name, written = FOLD_FIGURES[field]
    values = [each.network[field] for each in found.each]
    left = f" {len(found.teaching):,} are in no fold, as no other has their label." if found.teaching else ""
    return (
        f"Estimated by {dealt_in_words(found)}: each of the {rows:,} rows was predicted by a model that had not seen "
        f"it, and the {name} of the folds is {written(min(values))} to {written(max(values))}.{left} "
        + (f"The model itself has learned from all {all_rows:,} rows." if found.is_final else "No model was kept.")
    )


def folds_table(found: "CrossValidation") -> tuple[Sequence[str], list[Sequence[str]]]:
    """A head and rows: the figures of each fold, the network's and the linear baseline's."""
    fields = [name for name in FOLD_FIGURES if name in found.each[0].network]
    if {"mean_absolute_error", "macro_f1"} <= {*fields}:
        fields.remove("macro_f1")  # the table would not fit a terminal
    has_linear = all(each.baseline is not None for each in found.each)
    head = ["fold", "learned from", "rows"]
    for field in fields:
        head += [FOLD_FIGURES[field][0], "linear"] if has_linear else [FOLD_FIGURES[field][0]]
    rows = list[Sequence[str]]()
    for each in found.each:
        number = f"{each.repeat}.{each.fold}" if found.repeats > 1 else str(each.fold)
        cells = [number, f"{each.trained:,}", f"{each.rows:,}"]
        for field in fields:
            written = FOLD_FIGURES[field][1]
            cells.append(written(each.network[field]))
            if has_linear and each.baseline is not None:
                cells.append(written(each.baseline[field]))
        rows.append(cells)
    return head, rows
