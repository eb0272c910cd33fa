"""Other columns of a request's texts, for a model that reads them: an object a text, checked before it is scored."""

from typing import Any

from rnn_cli.columns import LARGEST_NUMBER, ExtraValues, cell_number
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.serving.bodies import check_text, escaped
from rnn_cli.serving.problems import Problem
from rnn_cli.serving.settings import Limits


def checked_columns(body: dict[str, Any], predictor: Predictor, rows: int, limits: Limits) -> ExtraValues:
    """The values of a request's `columns`, by name: an object for its `text`, or one for each of its `texts`.

    What is not given is missing. Raises `Problem` that points to what is wrong.
    """
    names = predictor.columns
    if "columns" not in body:
        return {}
    if not names:
        raise Problem(422, "the model reads no other columns", "/columns")
    given, is_one = body["columns"], "text" in body
    objects = [given] if is_one else given
    if not isinstance(objects, list) or len(objects) != rows:
        raise Problem(422, f"expected a list of {rows:,} objects, one for each text", "/columns")
    kinds = (
        {} if predictor.extra_columns is None else {each.name: each.kind for each in predictor.extra_columns.columns}
    )
    for index, each in enumerate(objects):
        at = "/columns" if is_one else f"/columns/{index}"
        if not isinstance(each, dict):
            raise Problem(422, "expected an object of columns and their values", at)
        for name, value in each.items():
            if name not in names:
                what = f"the model reads no such column; it reads {', '.join(names)}"
                raise Problem(422, what, f"{at}/{escaped(name)}")
            _check_value(value, kinds[name], limits, f"{at}/{escaped(name)}")
    return {name: [each.get(name) for each in objects] for name in names}


def _check_value(value: object, kind: str, limits: Limits, pointer: str) -> None:
    if isinstance(value, str):
        check_text(value, limits, pointer)
    elif isinstance(value, int | float) and abs(value) > LARGEST_NUMBER:
        raise Problem(422, "the number is too large", pointer)
    elif value is not None and not isinstance(value, int | float | bool):
        raise Problem(422, "expected a text, a number, true, false or null", pointer)
    if kind == "number":
        try:
            cell_number(value)
        except ValueError:
            raise Problem(422, "expected a number, as the model's column has, or null", pointer) from None


def missing_columns(values: ExtraValues, predictor: Predictor) -> list[str]:
    """The columns that the model reads and that a request gives no text a value of."""
    return [name for name in predictor.columns if all(value is None for value in values.get(name, ()))]
