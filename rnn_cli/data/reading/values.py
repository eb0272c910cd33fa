"""Values of formats that have types (JSONL, Parquet) become text and labels, by one rule for both.

Knows nothing of files or formats.
"""

import math

from rnn_cli.errors import DataError


def text_value(value: object, column: str, where: str) -> str:
    """A text as it stands; anything else raises DataError, which names its type."""
    if isinstance(value, str):
        return value
    raise DataError(f"{column!r} is {kind(value)}", where=where, mend="texts must be strings")


def label_value(value: object, column: str, where: str) -> str | None:
    """A label as text, or None where it is missing (null, or the NaN that pandas writes for it).

    1 and 1.0 are "1", 0.5 is "0.5", true is "true". Raises DataError for anything nested or infinite.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and not math.isinf(value):
        if math.isnan(value):
            return None
        return str(int(value)) if value.is_integer() else repr(value)
    what = "an infinite number" if isinstance(value, float) else kind(value)
    raise DataError(f"{column!r} is {what}", where=where, mend="labels must be strings, numbers or true and false")


def plain_value(value: object) -> str | None:
    """Anything as text, numbers as `label_value` writes them; None where it is missing."""
    if isinstance(value, float) and math.isinf(value):
        return str(value)
    return label_value(value, "", "") if value is None or isinstance(value, str | bool | int | float) else str(value)


def kind(value: object) -> str:
    """What a value is, in words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    names = {str: "a string", int: "a number", float: "a number", list: "a list", dict: "an object", bytes: "not UTF-8"}
    return names.get(type(value), type(value).__name__)
