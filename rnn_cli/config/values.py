"""What values a key of a config may have."""

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

PLAIN_NUMBER = re.compile(r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
"""A number that every reader takes for the same one: without leading zeros, which make it octal for YAML 1.1."""


class WrittenInt(int):
    """A whole number that remembers how it was written."""

    written = ""


class WrittenFloat(float):
    """A number that remembers how it was written."""

    written = ""


def as_number(value: object) -> object:
    """Refuse what is no number, or one that readers of YAML disagree about."""
    # Pydantic would take true for 1, and the text 1_000 for 1000.
    is_plain = PLAIN_NUMBER.fullmatch(value) is not None if isinstance(value, str) else not has_leading_zeros(value)
    if isinstance(value, bool) or not is_plain:
        raise PydanticCustomError("no_number", "no number")
    return value


def has_leading_zeros(value: object) -> bool:
    """Whether a number was written as 010 is."""
    return re.match(r"[-+]?0[0-9]", getattr(value, "written", "")) is not None


def _countable(value: object) -> object:
    value = as_number(value)
    if isinstance(value, int | float) and value >= 2**31:
        raise ValueError(f"at most {2**31 - 1:,}")
    return value


def _label(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError(f"YAML reads this as {str(value).lower()}; quote it if it is a label")
    # Labels are text everywhere. One that is written 010 is the label "010" of the file; a number that was never
    # written is spelled as a file's typed values are: 1.0 is the label "1".
    if isinstance(value, WrittenInt | WrittenFloat):
        return value.written
    value = int(value) if isinstance(value, float) and value.is_integer() else value
    return str(value) if isinstance(value, int | float) else value


def share_or_file(value: object) -> object:
    """A number, if it is one, else the name of a file."""
    if isinstance(value, str):
        return float(value) if PLAIN_NUMBER.fullmatch(value) else value
    return as_number(value)


# The bounds stand before the validator, which runs first all the same: only so do they reach the JSON schema.
Count = Annotated[int, Field(ge=1), BeforeValidator(_countable)]
VocabSize = Annotated[int, Field(ge=3), BeforeValidator(_countable)]
Seed = Annotated[int, Field(ge=0, lt=2**32), BeforeValidator(as_number)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False), BeforeValidator(as_number)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False), BeforeValidator(as_number)]
Rate = Annotated[float, Field(ge=0, lt=1), BeforeValidator(as_number)]
Source = Annotated[str, Field(min_length=1)]
Label = Annotated[str, BeforeValidator(_label)]


class Section(BaseModel):
    """What all sections share: unknown keys are mistakes, values never change, docstrings describe keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
