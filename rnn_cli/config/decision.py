"""The section of a config that tells how probabilities become an answer."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from rnn_cli.config.values import NotNegative, Rate, Section, as_number

AT_LEAST = re.compile(r"(?P<figure>precision|recall) *>= *(?P<share>0?\.[0-9]+|[01]|1\.0+)")
"""What `decision.goal` may say of a figure of the positive label that must be reached."""


def _goal(value: object) -> object:
    if isinstance(value, str) and value not in ("accuracy", "f1", "balanced_accuracy"):
        if not AT_LEAST.fullmatch(value):
            raise ValueError(
                "expected accuracy, f1, balanced_accuracy, precision >= 0.95, recall >= 0.9 (or other shares) or "
                f"{{cost: {{false_positive: 1, false_negative: 5}}}}, got {value!r}"
            )
    return value


class Cost(Section):
    """What a mistake of each kind costs, in any unit."""

    false_positive: NotNegative = 1.0
    """Answering the positive label where it is not true."""
    false_negative: NotNegative = 1.0
    """Not answering it where it is true."""


class CostGoal(Section):
    """Mistakes are to cost as little as possible."""

    cost: Cost = Cost()
    """What mistakes cost; the threshold is the one of the least cost."""


class DecisionConfig(Section):
    """How probabilities become an answer; what serves best on the validation rows is stored in the model."""

    goal: Annotated[str | CostGoal | None, BeforeValidator(_goal)] = None
    """Of two labels, what the threshold is chosen for: accuracy, f1 or balanced_accuracy; `precision >= 0.95` or
    `recall >= 0.9` of the positive label, at the most of the other; or the least cost, {cost: {false_positive: 1,
    false_negative: 5}}."""
    threshold: Annotated[float, Field(gt=0, lt=1), BeforeValidator(as_number)] | None = None
    """Of two labels, the probability from which the positive one is answered; 0.5 when there is no goal either."""
    abstain: Rate | None = None
    """Answer "unsure" where the probabilities are nearest to another answer, for at most this share of the texts."""
    abstain_error: Rate | None = None
    """Answer "unsure" for so many texts that at most this share of the other answers is wrong."""

    @model_validator(mode="after")
    def _one_way_each(self) -> "DecisionConfig":
        if self.goal is not None and self.threshold is not None:
            raise ValueError("goal and threshold exclude each other; leave one out")
        if self.abstain is not None and self.abstain_error is not None:
            raise ValueError("abstain and abstain_error exclude each other; leave one out")
        return self
