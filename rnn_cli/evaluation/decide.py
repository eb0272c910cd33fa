"""The decision chosen on validation rows: a threshold that reaches a goal, and a margin below which it is unsure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnn_cli.arrays import Flags, Floats, Indices
from rnn_cli.config.schema import AT_LEAST, CostGoal, DecisionConfig
from rnn_cli.errors import ConfigError, ConfigMistake, few_of
from rnn_cli.evaluation.intervals import Interval, wilson_interval
from rnn_cli.evaluation.scores import f1_scores
from rnn_cli.scoring.decision import UNSURE, Decision
from rnn_cli.scoring.ordered import DecisionOfOrdered


@dataclass(frozen=True)
class Careful:
    """A threshold that reaches a precision or recall with its whole 95 % interval, on the rows that it was chosen on.

    `reached` is that metric, with its interval; of such thresholds this is the best one for the `other` metric.
    """

    threshold: float
    reached: float
    interval: Interval
    other: float


@dataclass(frozen=True)
class Chosen:
    """The decision, and in words each goal that no decision reaches, with how close the chosen one comes.

    `careful` is for a goal that sets a minimum: None where no threshold reaches it so surely, and for other goals.
    """

    decision: Decision
    shortfalls: tuple[str, ...]
    careful: Careful | None = None


def decide(config: DecisionConfig, truth: Indices, probabilities: Floats, *, ordered: bool = False) -> Chosen:
    """The decision that serves the config best on validation rows; `ordered` is of labels that have an order.

    `truth` holds indices of labels, `[rows]`; `probabilities` is `[rows, labels]`.
    """
    threshold, short, careful = config.threshold or 0.5, None, None
    if config.goal is not None:
        threshold, short, careful = best_threshold(config.goal, truth, probabilities)
    decision = DecisionOfOrdered(choice=config.choice or "balanced") if ordered else Decision(threshold)
    shortfalls = [short]
    if config.abstain:
        margins = np.sort(decision.margins(probabilities))
        decision = replace(decision, unsure_below=float(margins[int(config.abstain * len(margins))]))
    if config.abstain_error is not None:
        right = decision.choose(probabilities) == truth
        unsure_below, short = _margin_of_error(config.abstain_error, decision.margins(probabilities), right)
        decision = replace(decision, unsure_below=unsure_below)
        shortfalls.append(short)
    return Chosen(decision, tuple(short for short in shortfalls if short), careful)


def check_decision(config: DecisionConfig, labels: Sequence[str], *, several: bool = False) -> None:
    """Raise `ConfigError` for each key of the config that does not fit these labels."""
    if several:
        return  # each label has a threshold
    wrong = [
        ConfigMistake(f"is for two labels, but there are {len(labels)} ({few_of(labels)})", f"decision.{key}")
        for key in ("goal", "threshold")
        if len(labels) != 2 and getattr(config, key) is not None
    ]
    wrong += [
        ConfigMistake(f"a label is already called {UNSURE!r}; rename it", f"decision.{key}")
        for key in ("abstain", "abstain_error")
        if UNSURE in labels and getattr(config, key) is not None
    ]
    if wrong:
        raise ConfigError(wrong)


@dataclass(frozen=True)
class _Counts:
    """Rows of two labels by true and predicted label at each of some thresholds, `[thresholds]`."""

    thresholds: Floats
    true_positive: Floats
    false_positive: Floats
    false_negative: Floats
    true_negative: Floats

    @property
    def precision(self) -> Floats:
        return _ratio(self.true_positive, self.true_positive + self.false_positive)

    @property
    def recall(self) -> Floats:
        return _ratio(self.true_positive, self.true_positive + self.false_negative)

    @property
    def specificity(self) -> Floats:
        return _ratio(self.true_negative, self.true_negative + self.false_positive)


_MERITS: Mapping[str, Callable[[_Counts], Floats]] = {
    "accuracy": lambda at: at.true_positive + at.true_negative,
    "f1": lambda at: f1_scores(at.true_positive, 2 * at.true_positive + at.false_positive + at.false_negative),
    "balanced_accuracy": lambda at: (at.recall + at.specificity) / 2,
}


def best_threshold(
    goal: str | CostGoal, truth: Indices, probabilities: Floats
) -> tuple[float, str | None, Careful | None]:
    """The threshold that serves the goal best, and in words by how much it misses a precision or recall asked for.

    Also returns the threshold that reaches such a minimum with its whole interval. Of equally good thresholds, the
    nearest to 0.5; two labels only.
    """
    at = _counts(truth, probabilities[:, 1])
    short, careful = None, None
    if isinstance(goal, CostGoal):
        merits = [-(goal.cost.false_positive * at.false_positive + goal.cost.false_negative * at.false_negative)]
    elif asked := AT_LEAST.fullmatch(goal):
        metric, other = (at.precision, at.recall) if asked["metric"] == "precision" else (at.recall, at.precision)
        reached = metric >= float(asked["share"])
        careful = _careful(at, asked["metric"], float(asked["share"]))
        # Where no threshold reaches it, the nearest counts; among those that do, the other metric.
        merits = [reached.astype(np.float64), np.where(reached, other, metric), np.where(reached, metric, other)]
        if not reached.any():
            short = f"no threshold reaches {goal} on the validation rows; the best is {metric.max():.3f}"
    else:
        merits = [_MERITS[goal](at)]
    best = np.lexsort([np.abs(at.thresholds - 0.5), *(-merit for merit in reversed(merits))])[0]
    return float(at.thresholds[best]), short, careful


def _careful(at: _Counts, metric: str, share: float) -> Careful | None:
    """The best threshold for the other metric of those whose interval lies at or above a share."""
    of = at.true_positive + (at.false_positive if metric == "precision" else at.false_negative)
    mine, other = (at.precision, at.recall) if metric == "precision" else (at.recall, at.precision)
    for index in np.lexsort([np.abs(at.thresholds - 0.5), -other]):
        if of[index] and mine[index] >= share:
            interval = wilson_interval(int(at.true_positive[index]), int(of[index]))
            if interval[0] >= share:
                return Careful(float(at.thresholds[index]), float(mine[index]), interval, float(other[index]))
    return None


def _counts(truth: Indices, probability: Floats) -> _Counts:
    """The counts at every threshold that separates two rows: halfway between neighbours, and beyond both ends."""
    order = np.argsort(probability, kind="stable")
    values, positive = probability[order], np.concatenate([[0], np.cumsum(truth[order] == 1)])
    cuts = np.concatenate([[0], np.flatnonzero(np.diff(values)) + 1, [len(values)]])  # rows below each threshold
    ends = np.concatenate([[0.0], values, [1.0]])
    middles = (ends[cuts] + ends[cuts + 1]) / 2
    missed = positive[cuts].astype(np.float64)
    return _Counts(
        # Halfway between neighbours in the last digit rounding may give the lower one, which would then be positive.
        thresholds=np.where(middles > ends[cuts], middles, ends[cuts + 1]),
        true_positive=positive[-1] - missed,
        false_positive=(len(values) - cuts) - (positive[-1] - missed),
        false_negative=missed,
        true_negative=cuts - missed,
    )


def _margin_of_error(most: float, margins: Floats, right: Flags) -> tuple[float, str | None]:
    """The least margin above which at most the share `most` of predictions is wrong; in words if there is none."""
    order = np.argsort(-margins, kind="stable")
    errors = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
    ends = np.append(np.flatnonzero(np.diff(margins[order])), len(order) - 1)  # equal margins stay together
    good = ends[errors[ends] <= most]
    if len(good) == 0:
        return 0.0, f"no margin keeps the error at {most:g} or less on the validation rows, so no prediction is unsure"
    last = good[-1]
    return (0.0 if last == len(order) - 1 else float(margins[order[last]])), None


def _ratio(part: Floats, whole: Floats) -> Floats:
    """0 where undefined."""
    return np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0)
