"""What values a key of a config may have."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def no_boolean(value: object) -> object:
    """Refuse what YAML made a boolean of; raises `ValueError`."""
    # YAML 1.1 reads yes, no, on and off as booleans, and pydantic would take True for 1.
    if isinstance(value, bool):
        raise ValueError(f"YAML reads this as {str(value).lower()}; quote it if it is text, else give a number")
    return value


def _countable(value: object) -> object:
    value = no_boolean(value)
    if isinstance(value, int | float) and value >= 2**31:
        raise ValueError(f"at most {2**31 - 1:,}")
    return value


def _label(value: object) -> object:
    # Labels are text everywhere; a label written 1 in YAML is the label "1" of the file.
    value = no_boolean(value)
    # Spelled as a file's typed values are: 1.0 is the label "1".
    value = int(value) if isinstance(value, float) and value.is_integer() else value
    return str(value) if isinstance(value, int | float) else value


def share_or_file(value: object) -> object:
    """A number, if it is one, else the name of a file."""
    # YAML reads 1e-1 as text, and text would be a file's name here.
    value = no_boolean(value)
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


# The bounds stand before the validator, which runs first all the same: only so do they reach the JSON schema.
Count = Annotated[int, Field(ge=1), BeforeValidator(_countable)]
VocabSize = Annotated[int, Field(ge=3), BeforeValidator(_countable)]
Seed = Annotated[int, Field(ge=0, lt=2**32), BeforeValidator(no_boolean)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False), BeforeValidator(no_boolean)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False), BeforeValidator(no_boolean)]
Rate = Annotated[float, Field(ge=0, lt=1), BeforeValidator(no_boolean)]
Source = Annotated[str, Field(min_length=1)]
Label = Annotated[str, BeforeValidator(_label)]


class Section(BaseModel):
    """What all sections share: unknown keys are mistakes, values never change, docstrings describe keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
