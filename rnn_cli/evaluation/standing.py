"""How a model stands: beside always the same prediction, beside the goal it was asked for, and beside its training."""

from dataclasses import asdict, dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from rnn_cli.config.schema import AT_LEAST, DecisionConfig
from rnn_cli.data.rows import most_frequent
from rnn_cli.evaluation.compare import Comparison, compare_predictions
from rnn_cli.evaluation.decide import Careful
from rnn_cli.evaluation.intervals import Interval, wilson_interval
from rnn_cli.evaluation.metrics import Metrics

if TYPE_CHECKING:
    from rnn_cli.evaluation.evaluate import Evaluation


@dataclass(frozen=True)
class AgainstMostFrequent:
    """The network (the first) compared with always predicting `label` (the second), whose accuracy this is."""

    label: str
    accuracy: float
    comparison: Comparison


def against_most_frequent(found: "Evaluation", label: str | None) -> AgainstMostFrequent:
    """Compare a model with always predicting a label: the training rows' most frequent one.

    Where an earlier release did not keep it, it is that of the rows measured, which is harder to beat.
    """
    if label not in found.metrics.labels:
        label = most_frequent(found.dataset.labels)
    always = np.full(len(found.truth), found.metrics.labels.index(label), np.intp)
    comparison = compare_predictions(found.truth, found.predicted, always, len(found.metrics.labels))
    return AgainstMostFrequent(label, float((found.truth == always).mean()), comparison)


@dataclass(frozen=True)
class GoalOutcome:
    """What a precision or recall that was asked for came to on the rows measured.

    `reached` is None where the figure does not exist there. `careful` is the threshold whose whole interval reaches the
    goal on the validation rows; None where there is none.
    """

    goal: str
    metric: str
    asked: float
    reached: float | None
    interval: Interval | None
    careful: Careful | None


def goal_outcome(config: DecisionConfig, metrics: Metrics, careful: Careful | None) -> GoalOutcome | None:
    """The outcome of the config's goal on some rows; None where it sets no minimum."""
    asked = AT_LEAST.fullmatch(config.goal) if isinstance(config.goal, str) else None
    if asked is None or len(metrics.labels) != 2:
        return None
    of, name = metrics.per_class[metrics.labels[1]], asked["metric"]
    reached, interval = getattr(of, name), getattr(of, f"{name}_interval")
    return GoalOutcome(str(config.goal), name, float(asked["share"]), reached, interval, careful)


@dataclass(frozen=True)
class SinceTraining:
    """The accuracy on other rows beside that on the run's own `side` (`folds`, `test` or `validation`) of `rows` rows.

    `difference` is the accuracy now minus the accuracy `then`, with its 95 % interval.
    """

    side: str
    rows: int
    then: float
    difference: float
    interval: Interval


def since_training(now: Metrics, then: Metrics, side: str) -> SinceTraining:
    """Compare the accuracies on other rows and on a run's own."""
    rights = [round(each.accuracy * each.rows) for each in (now, then)]
    interval = independent_interval(rights[0], now.rows, rights[1], then.rows)
    return SinceTraining(side, then.rows, then.accuracy, now.accuracy - then.accuracy, interval)


def independent_interval(first_right: int, first_rows: int, second_right: int, second_rows: int) -> Interval:
    """The 95 % interval of the difference of two accuracies on different rows.

    Source: Newcombe (1998), Interval estimation for the difference between independent proportions: comparison of
    eleven methods (method 10, of both shares' score intervals).
    """
    first, second = first_right / first_rows, second_right / second_rows
    (low, high), (low_2, high_2) = (
        wilson_interval(first_right, first_rows),
        wilson_interval(second_right, second_rows),
    )
    difference = first - second
    below = sqrt((first - low) ** 2 + (high_2 - second) ** 2)
    above = sqrt((high - first) ** 2 + (second - low_2) ** 2)
    return max(-1.0, difference - below), min(1.0, difference + above)


def with_standing(
    found: "Evaluation", usual_label: str | None, config: DecisionConfig, careful: Careful | None
) -> "Evaluation":
    """An evaluation with what always the same prediction would reach, and what the goal came to."""
    return replace(
        found,
        most_frequent=against_most_frequent(found, usual_label),
        goal=goal_outcome(config, found.metrics, careful),
    )


def as_plain(found: "Evaluation") -> dict[str, Any]:
    """How an evaluation stands, as plain values."""
    parts = {"most_frequent": found.most_frequent, "goal": found.goal, "since_training": found.since_training}
    plain: dict[str, Any] = {name: asdict(part) for name, part in parts.items() if part is not None}
    return plain | ({"transductive": True} if found.transductive else {})
