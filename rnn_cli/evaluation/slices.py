"""How good predictions are on parts of the rows: where a model is weak. Knows nothing of files or terminals."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rnn_cli.evaluation.bootstrap import Interval, answer_intervals
from rnn_cli.evaluation.losses import Numbers, Rows, log_losses
from rnn_cli.evaluation.metrics import macro_f1, wilson_interval

FEWEST = 20
"""Rows from which on a slice is measured alone."""

BANDS = 5
"""Into how many bands of about equally many rows numbers are cut."""

MANY = 20
"""A column of more different numbers than this is cut into bands."""


@dataclass(frozen=True)
class Slice:
    """Some of the rows and how good the answers to them are.

    `macro_f1` is the mean over the labels that occur among them, true or answered. The 95 % intervals are Wilson's of
    the accuracy, the bootstrap's of the others, None for a slice of under `FEWEST` rows, of which those would be too
    narrow. They are of this slice alone: of twenty slices, one is expected to lie off by chance.
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

    All are `[rows]`, the probabilities `[rows, labels]`. A column of more than `MANY` different numbers is cut into
    bands; what is missing is a value too.
    """
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for row, name in enumerate(_names(values)):
        groups[name].append(row)
    few = [rows for rows in groups.values() if len(rows) < FEWEST]
    if len(few) > 1:
        groups = defaultdict(list, {name: rows for name, rows in groups.items() if len(rows) >= FEWEST})
    slices = sorted(_slices(truth, probabilities, answers, groups), key=_rank)
    if len(few) > 1:
        rest = {f"({len(few):,} values under {FEWEST} rows)": sorted(row for rows in few for row in rows)}
        slices += _slices(truth, probabilities, answers, rest)
    return slices


def by_length(truth: Rows, probabilities: Numbers, answers: Rows, lengths: Rows) -> list[Slice]:
    """A slice for each of up to `BANDS` bands of lengths in tokens, worst accuracy first; all are `[rows]`."""
    return by_values(truth, probabilities, answers, _bands(lengths.astype(np.float64), " tokens"))


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
        intervals = answer_intervals(true, answered, losses[rows], len(occurring)) if enough else {}
        yield Slice(
            name=name,
            rows=len(rows),
            accuracy=right / len(rows),
            accuracy_interval=wilson_interval(right, len(rows)),
            macro_f1=macro_f1(true, answered, len(occurring)),
            macro_f1_interval=intervals.get("macro_f1"),
            log_loss=float(losses[rows].mean()),
            log_loss_interval=intervals.get("log_loss"),
        )


def _names(values: Sequence[str | None]) -> list[str]:
    """The name of each value's slice."""
    present = [value for value in values if value and value.strip()]
    numbers = _numbers(present)
    found = iter(_bands(numbers, "") if len(set(numbers)) > MANY else present)
    return [next(found) if value and value.strip() else "(none)" for value in values]


def _numbers(values: Sequence[str]) -> Numbers:
    """The values as numbers; empty unless all are."""
    try:
        numbers = np.array([float(value) for value in values])
    except ValueError:
        return np.empty(0)
    return numbers if np.isfinite(numbers).all() else np.empty(0)


def _short(number: float) -> str:
    return f"{number:.0f}" if number.is_integer() else f"{number:.4g}"


def _bands(numbers: Numbers, unit: str) -> list[str]:
    """The name of each number's band, equal numbers in one; fewer than `BANDS` where there are few rows."""
    count = max(1, min(BANDS, len(numbers) // FEWEST))
    edges = np.quantile(numbers, np.arange(1, count) / count)
    places: npt.NDArray[np.intp] = np.searchsorted(edges, numbers, side="left")
    names = {}
    for place in set(places.tolist()):
        low, high = (_short(end) for end in (numbers[places == place].min(), numbers[places == place].max()))
        names[place] = (low if low == high else f"{low} to {high}") + unit
    return [names[place] for place in places.tolist()]
