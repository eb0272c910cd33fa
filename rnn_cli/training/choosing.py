"""Chooses between a network and the linear model of the same n-grams (`model.kind: auto`), by folds or validation rows.

The network is made where it is right more often; else the linear model, which is smaller, faster and easier to
understand.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from rnn_cli.arrays import Floats, Indices
from rnn_cli.evaluation.folds import Figures, compared_by_folds
from rnn_cli.evaluation.intervals import Interval
from rnn_cli.evaluation.ordered import OrderedComparison
from rnn_cli.evaluation.several import compare_several
from rnn_cli.evaluation.wording import EVERY
from rnn_cli.evaluation.wording_folds import FOLD_FIGURES, side_rows
from rnn_cli.training.folds import FoldResults, Keeps, Learned, evaluate_learned, figures_in, predict_folds
from rnn_cli.training.linear_run import learn_linear
from rnn_cli.training.listener import Listener, SilentListener
from rnn_cli.training.pooling import compared_in, figures_of_folds, pooled_of
from rnn_cli.training.prepare import Prepared

_OFF = "mean_absolute_error"

CHOICE = "model_kind"
"""The key of a run's metrics that tells of the choice."""


@dataclass(frozen=True)
class Choice:
    """What is made, and why: the figures on the rows of `side`, and by how much the network exceeds the linear model.

    `metric` is the accuracy, of several labels a text the micro F1, of ordered labels the mean absolute error; the
    interval is None on too few rows.
    """

    kind: Literal["network", "linear"]
    side: str
    rows: int
    metric: str
    network: float
    linear: float
    interval: Interval | None

    def to_dict(self) -> dict[str, Any]:
        """The choice as plain values."""
        return asdict(self)

    def in_words(self) -> str:
        """The choice in one line."""
        name, written = FOLD_FIGURES[self.metric]
        times, digits = (1, ".3f") if self.metric == _OFF else (100, ".1f")
        gain = f"{times * (self.network - self.linear):+{digits}}{'' if self.metric == _OFF else ' points'}"
        if self.interval is not None:
            low, high = (times * end for end in self.interval)
            gain += f", {EVERY} {low:+{digits}} to {high:+{digits}}"
        made = "the network" if self.kind == "network" else "no better, so the linear model"
        return (
            f"model.kind auto, by {self.rows:,} {side_rows(self.side)}: {name} of the network {written(self.network)}, "
            f"of the linear model {written(self.linear)} ({gain}): {made} is made"
        )


def choose_by_folds(
    run: Prepared, network: FoldResults, keep: Keeps | None, listener: Listener
) -> tuple[Choice, FoldResults]:
    """Predict the same folds by linear models, and choose; also returns the folds of what is made."""
    found = predict_folds(run, learn_linear, keep, listener, of="linear model")
    assert found is not None
    parts = [replace(mine, baseline=theirs.baseline) for mine, theirs in zip(found.parts, network.parts, strict=True)]
    linear = FoldResults(found.dealt, tuple(parts))
    (ours, truth), (theirs, _) = (pooled_of(run, each) for each in (network, linear))
    figures, others = (figures_of_folds(run, each) for each in (network, linear))
    choice = _chosen(run, "folds", truth, ours.network, theirs.network, figures, others)
    listener.note(choice.in_words())
    return choice, network if choice.kind == "network" else linear


def choose_by_validation(run: Prepared, network: bytes, linear: bytes, listener: Listener) -> Choice:
    """Choose by the validation rows, on which both were tuned alike; `network` and `linear` are their graphs."""
    heard, rows = SilentListener(), run.splits.validation
    found: list[Any] = [evaluate_learned(Learned(graph, run, 1), rows, heard) for graph in (network, linear)]
    first, second = ((each.scores.probabilities, each.predicted) for each in found)
    choice = _chosen(run, "validation", found[0].truth, first, second)
    listener.note(choice.in_words())
    return choice


def _chosen(
    run: Prepared,
    side: str,
    truth: Indices,
    network: tuple[Floats, Indices],
    linear: tuple[Floats, Indices],
    figures: Figures | None = None,
    others: Figures | None = None,
) -> Choice:
    several = truth.ndim == 2
    metric = "micro_f1" if several else _OFF if run.config.data.ordered else "accuracy"
    values: Mapping[str, float]
    values = {name: figures_in(run, truth, pair)[metric] for name, pair in (("network", network), ("linear", linear))}
    gains = figures.less(others) if figures is not None and others is not None else None
    if figures is not None and others is not None:
        values = {"network": figures.stated(metric), "linear": others.stated(metric)}
    interval: Interval | None
    if several:
        of_each = compare_several(truth, network, linear)
        interval = (of_each if gains is None else compared_by_folds(of_each, gains)).intervals[metric]
    else:
        compared = compared_in(run, truth, network[1], linear[1])
        compared = compared if gains is None else compared_by_folds(compared, gains)
        interval = compared.error_interval if isinstance(compared, OrderedComparison) else compared.interval
    better = values["network"] - values["linear"]
    kind: Literal["network", "linear"] = "network" if (-better if metric == _OFF else better) > 0 else "linear"
    return Choice(kind, side, len(truth), metric, values["network"], values["linear"], interval)


def made(run: Prepared, kind: Literal["network", "linear"]) -> Prepared:
    """The run whose config says what is made."""
    model = run.config.model.model_copy(update={"kind": kind})
    return replace(run, config=run.config.model_copy(update={"model": model}))
