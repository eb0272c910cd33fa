"""How good predictions are on parts of the rows: where a model is weak. Knows nothing of files or terminals."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rnn_cli.evaluation.intervals import Interval, losses_interval, macro_f1_interval, wilson_interval
from rnn_cli.evaluation.losses import Numbers, Rows, log_losses
from rnn_cli.evaluation.metrics import confusion_of, macro_f1
from rnn_cli.evaluation.ranges import group_names, range_names

FEWEST = 20
"""Rows from which on a slice is measured alone."""

BANDS = 5
"""Into how many ranges of about equally many rows numbers are cut."""


@dataclass(frozen=True)
class Slice:
    """Some of the rows and how good the answers to them are.

    `macro_f1` is the mean over the labels that occur among them, true or answered. The 95 % intervals are those of the
    module `intervals`, None where the rows, or under `FEWEST` of them, tell too little for one. They are of this slice
    alone: of twenty slices, one is expected to lie off by chance.
    """

    name: str
    rows: int
    accuracy: float
    accuracy_interval: Interval
    macro_f1: float
    macro_f1_interval: Interval | None
    log_loss: float
    log_loss_interval: Interval | None

    def to_dict(self) -> dict[str, Any]:
        """The slice as plain values."""
        return asdict(self)


def by_values(truth: Rows, probabilities: Numbers, answers: Rows, values: Sequence[str | None]) -> list[Slice]:
    """A slice for each value, worst accuracy first; those of under `FEWEST` rows are one slice, which comes last.

    All are `[rows]`, the probabilities `[rows, labels]`. Many different numbers or times are cut into ranges, as
    `group_names` says; what is missing is a value too.
    """
    return _by_names(truth, probabilities, answers, group_names(values, BANDS, FEWEST))


def by_length(truth: Rows, probabilities: Numbers, answers: Rows, lengths: Rows) -> list[Slice]:
    """A slice for each of up to `BANDS` ranges of lengths in tokens, worst accuracy first; all are `[rows]`."""
    return _by_names(truth, probabilities, answers, range_names(lengths.tolist(), BANDS, FEWEST, "tokens"))


def _by_names(truth: Rows, probabilities: Numbers, answers: Rows, names: Sequence[str]) -> list[Slice]:
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for row, name in enumerate(names):
        groups[name].append(row)
    few = [rows for rows in groups.values() if len(rows) < FEWEST]
    if len(few) > 1:
        groups = defaultdict(list, {name: rows for name, rows in groups.items() if len(rows) >= FEWEST})
    slices = sorted(_slices(truth, probabilities, answers, groups), key=_rank)
    if len(few) > 1:
        rest = {f"({len(few):,} values under {FEWEST} rows)": sorted(row for rows in few for row in rows)}
        slices += _slices(truth, probabilities, answers, rest)
    return slices


def _rank(each: Slice) -> tuple[bool, float, int]:
    return each.rows < FEWEST, each.accuracy, -each.rows


def _slices(truth: Rows, probabilities: Numbers, answers: Rows, groups: Mapping[str, Sequence[int]]) -> Iterator[Slice]:
    losses = log_losses(truth, probabilities)
    for name, members in groups.items():
        rows = np.asarray(members, np.intp)
        right = int((truth[rows] == answers[rows]).sum())
        occurring, places = np.unique(np.concatenate([truth[rows], answers[rows]]), return_inverse=True)
        true, answered = places[: len(rows)], places[len(rows) :]
        enough = len(rows) >= FEWEST
        confusion = confusion_of(true, answered, len(occurring))
        yield Slice(
            name=name,
            rows=len(rows),
            accuracy=right / len(rows),
            accuracy_interval=wilson_interval(right, len(rows)),
            macro_f1=macro_f1(true, answered, len(occurring)),
            macro_f1_interval=macro_f1_interval(confusion) if enough else None,
            log_loss=float(losses[rows].mean()),
            log_loss_interval=losses_interval(losses[rows], len(rows) - right) if enough else None,
        )
