"""What is said of a text: its prediction, and the parts that speak for and against it. Loads the standard library only,
so that a client of a server needs no more."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

NONE = "none"
"""What is said of a text with none of the labels, where it may have several."""

JOINS = ("|", ";", "#", "/", "+", "~")
"""What joins the labels of a row in a table: the first that is in no label."""


def shown_number(number: float, spread: float) -> str:
    """A number for people, with the digits that tell a hundredth of `spread`: 7.31 where numbers spread by 3.4."""
    digits = min(max(2 - math.floor(math.log10(spread)), 0), 12) if spread > 0 else 2
    return f"{round(number, digits) + 0.0:.{digits}f}"


def exact_number(number: float) -> float:
    """A number with nine digits, more than a network computes."""
    return float(f"{number:.9g}")


def joining(labels: Sequence[str]) -> str | None:
    """What joins labels in a table; None where each of `JOINS` is in one, so that they are written as JSON."""
    return next((sign for sign in JOINS if not any(sign in label for label in labels)), None)


@dataclass(frozen=True, slots=True)
class Prediction:
    """The prediction for one text.

    `probability` is that of `label`; `probabilities` are in the order of the bundle's labels and sum to 1. `unsure`
    says that the model abstains, as another label is too close; `label` is what it would predict. `no_known_words` says
    that the model has seen no token of the text, so the prediction is that for an unknown word. `label_set` are the
    labels of which the true one is as often as was asked for; none where no coverage was.
    """

    label: str
    probability: float
    probabilities: tuple[float, ...]
    no_known_words: bool
    unsure: bool = False
    label_set: tuple[str, ...] = field(default=(), kw_only=True, repr=False)


@dataclass(frozen=True, slots=True)
class LabelsPrediction(Prediction):
    """The prediction for one text of a model of several labels.

    `labels` are those predicted, the most probable first, with `label_probabilities`; there may be none. `label` names
    them for people, as "anger, joy" or "none", and `probability` is that of the first; of none, that no label is as
    probable as the most probable one. `probabilities` do not sum to 1.
    """

    labels: tuple[str, ...] = ()
    label_probabilities: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderedPrediction(Prediction):
    """The prediction for one text of a model of ordered labels.

    `expected` is the mean of the labels' values by their probabilities: of numbers, as 3.8 stars; of words, of their
    places from 1 on.
    """

    expected: float = 0.0


@dataclass(frozen=True, slots=True)
class NumberPrediction(Prediction):
    """The prediction for one text of a model of numbers.

    `number` is what is predicted, and `low` and `high` are the ends of the range that holds the true one as often as
    was asked for; None where no coverage was. `label` is the number as people read it. It has no probability (NaN), and
    there are no `probabilities`.
    """

    number: float = 0.0
    low: float | None = None
    high: float | None = None


def explained_label(prediction: Prediction, labels: Sequence[str]) -> str:
    """The label that an explanation of a prediction is about: the predicted one, of several the most probable.

    `labels` are the model's, in its order.
    """
    if not isinstance(prediction, LabelsPrediction):
        return prediction.label
    return labels[max(range(len(labels)), key=lambda place: prediction.probabilities[place])]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a text, text[start:end], and its effect on the prediction.

    `weight` is how much the predicted label's log-odds fall when the part is left out (natural logarithm, after
    calibration): above 0 it speaks for the label, below 0 against it. For more than two labels the odds are those of
    the label against all others together. For ordered labels it is how much the expected value falls: above 0 the part
    raises it. For numbers it is how much the number falls, in its unit.
    """

    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class ColumnPart:
    """Another column of a row, its value, and its effect on the prediction: a weight as that of a `Part`.

    `value` is None where it is missing. The weight is how much the log-odds fall when the value is missing.
    """

    column: str
    value: str | None
    weight: float
