"""The other columns that a model reads beside a text: its file of them, and values as a program gives them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rnn_cli.bundle.model_folder import COLUMNS_FILE, Bundle
from rnn_cli.columns import ExtraColumns, ExtraValues
from rnn_cli.errors import BundleError, UsageError, few_of


def read_extra_columns(opened: Bundle) -> ExtraColumns:
    """A model's other columns. Raises `BundleError` if their file is damaged."""
    try:
        return ExtraColumns.from_dict(json.loads(opened.read(COLUMNS_FILE)))
    except (ArithmeticError, KeyError, RecursionError, TypeError, ValueError):
        raise BundleError("not columns this rnn understands", where=str(opened.path / COLUMNS_FILE)) from None


def width_of_columns(opened: Bundle) -> int:
    """How many numbers of other columns a model takes. Raises `BundleError`."""
    return read_extra_columns(opened).width if COLUMNS_FILE in opened.manifest.files else 0


def extra_columns_file(columns: ExtraColumns) -> str:
    """What `read_extra_columns` reads."""
    return json.dumps(columns.to_dict(), indent=2, ensure_ascii=False) + "\n"


def given_columns(columns: object, names: Sequence[str], rows: int) -> ExtraValues:
    """Values of columns for so many rows, as a program gives them: by name, a list or, for one row, a value.

    A pandas DataFrame holds them, too; other columns than the model's are passed over there. Raises `UsageError`.
    """
    if hasattr(columns, "columns") and hasattr(columns, "index"):
        table: Any = columns
        named: dict[str, object] = {str(name): table[name].tolist() for name in table.columns if str(name) in names}
    elif isinstance(columns, Mapping):
        named = dict(columns)
        if unknown := next((name for name in named if name not in names), None):
            what = f"the model reads no column {str(unknown)[:40]!r}"
            raise UsageError(what, where="columns", hint=f"it reads {few_of(names)}" if names else "leave it out")
    else:
        what = f"expected columns by name, got {type(columns).__name__}"
        raise UsageError(what, where="columns", hint="give a dict of lists, or a DataFrame")
    found: dict[str, list[object]] = {}
    for name, values in named.items():
        if hasattr(values, "tolist"):
            values = values.tolist()
        is_list = isinstance(values, Sequence) and not isinstance(values, str)
        listed = list(values) if is_list and isinstance(values, Sequence) else [values] * rows
        if len(listed) != rows:
            what = f"{len(listed):,} values of {name} for {rows:,} texts"
            raise UsageError(what, where="columns", hint="give one value per text")
        found[name] = listed
    return found


def columns_in_words(words: Sequence[str], names: Sequence[str]) -> tuple[list[str], dict[str, str], list[str]]:
    """The words of a command without --column NAME=VALUE at their beginning, the values, and the names without one.

    `names` are the columns that the model reads. Raises `UsageError`.
    """
    left, values = list(words), dict[str, str]()
    while left[:1] == ["--column"]:
        name, sign, value = "".join(left[1:2]).partition("=")
        if not sign:
            raise UsageError("expected NAME=VALUE", where="--column")
        if name not in names:
            hint = f"it reads {few_of(names)}" if names else "it reads the text alone"
            raise UsageError(f"the model reads no column {name[:40]!r}", where="--column", hint=hint)
        values[name], left = value, left[2:]
    return left, values, [name for name in names if name not in values]
