"""What a search wants: a figure of the rows that choose, by its name, and whether more of it is better."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from math import inf

import numpy as np

from rnn_cli.arrays import Floats, Indices
from rnn_cli.bundle.history import EpochMetrics
from rnn_cli.errors import UsageError
from rnn_cli.evaluation.metrics import measure
from rnn_cli.evaluation.ordered import measure_ordered
from rnn_cli.evaluation.several import measure_several
from rnn_cli.gates.grammar import OF_MODEL
from rnn_cli.kinds import LabelsKind

GOALS_OF_ONE = ("log_loss", "accuracy", "macro_f1", "balanced_accuracy", "brier", "roc_auc", "pr_auc")
GOALS_OF_ORDERED = (*GOALS_OF_ONE, "mean_absolute_error", "quadratic_kappa", "within_one", "spearman")
GOALS_OF_SEVERAL = (
    "log_loss",
    "micro_f1",
    "macro_f1",
    "weighted_f1",
    "samples_f1",
    "exact_match",
    "hamming_loss",
    "map",
)

GOALS: dict[LabelsKind, tuple[str, ...]] = {
    "single": GOALS_OF_ONE,
    "ordered": GOALS_OF_ORDERED,
    "several": GOALS_OF_SEVERAL,
}
"""The goals that each kind of labels has, the usual one first."""


@dataclass(frozen=True)
class Goal:
    """A figure to be found best, of labels of a kind."""

    name: str
    kind: LabelsKind
    labels: tuple[str, ...] = ()

    @property
    def more_is_better(self) -> bool:
        """Whether a higher figure is better."""
        return OF_MODEL[self.name].more_is_better

    def better(self, one: float, other: float) -> bool:
        """Whether a figure is better than another."""
        return one > other if self.more_is_better else one < other

    def cost(self, value: float) -> float:
        """A figure as a number of which less is better."""
        return -value if self.more_is_better else value

    @property
    def chooser(self) -> "Goal":
        """The goal that trials are ranked by: itself, but for accuracy the log loss.

        Of few hundred rows accuracy is mostly chance: it sees one bit of each row, the log loss how sure a model was.
        """
        return Goal("log_loss", self.kind, self.labels) if self.name == "accuracy" else self

    def cost_of(self, value: float, figures: Mapping[str, float]) -> float:
        """What a trial with this figure is ranked by, the less the better; `figures` are its others, by name."""
        chooser = self.chooser
        return chooser.cost(value if chooser is self else figures.get(chooser.name, inf))

    def of(self, truth: Indices, probabilities: Floats, predicted: Indices) -> float:
        """The figure on some rows: truth and predictions are `[rows]`, or `[rows, labels]` of several labels a text.

        Raises `UsageError` where the rows do not tell it, as a label has none.
        """
        work = {"single": measure, "ordered": measure_ordered, "several": measure_several}[self.kind]
        value = getattr(work(self.labels, truth, probabilities, predicted), self.name)
        if value is None or not np.isfinite(value):
            what = f"{self.name} cannot be told on {len(truth):,} rows: a label has none"
            raise UsageError(what, where="goal", hint="add rows, or search for log_loss")
        return float(value)

    def of_epoch(self, metrics: EpochMetrics) -> float:
        """What an epoch promises, of which less is better: its validation loss, or its share of wrong rows."""
        by_loss = self.chooser.name in ("log_loss", "brier") or self.kind != "single"
        return metrics.val_loss if by_loss else 1 - metrics.val_accuracy


def goal_of(name: str | None, kind: LabelsKind, labels: tuple[str, ...]) -> Goal:
    """The goal of a name, or the usual one of the kind of labels. Raises `UsageError`."""
    known = GOALS[kind]
    if name is None:
        return Goal(known[0], kind, labels)
    if name not in known:
        near = get_close_matches(name, known, 1)
        guess = f"did you mean {near[0]}? " if near else ""
        of = {"single": "one label a text", "ordered": "ordered labels", "several": "several labels a text"}[kind]
        raise UsageError(f"no such goal of {of}: {name}", where="goal", hint=f"{guess}there are {', '.join(known)}")
    return Goal(name, kind, labels)
