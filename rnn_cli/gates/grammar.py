"""What a gate says, read from one line: a figure, at least or at most which value, and whether its interval counts.

    accuracy >= 0.9 (lower bound)
    f1[refund] >= 80 %
    behaviour.negated_praise >= 0.9
    latency <= 5 ms
    not worse than runs/old by more than 0.01 in macro_f1 (paired)

Knows nothing of models, nor of files.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from rnn_cli.errors import few_of

Unit = Literal["share", "nats", "labels", "number", "rows", "seconds", "bytes"]
Bound = Literal["lower", "upper"]


@dataclass(frozen=True)
class Figure:
    """What can be demanded: whether more of it is better, and in what it is counted."""

    more_is_better: bool
    unit: Unit = "share"


OF_MODEL = {
    **dict.fromkeys(("accuracy", "balanced_accuracy", "macro_f1", "roc_auc", "pr_auc"), Figure(True)),
    **dict.fromkeys(("micro_f1", "weighted_f1", "samples_f1", "exact_match", "ranking_precision", "map"), Figure(True)),
    **dict.fromkeys(("quadratic_kappa", "spearman", "within_one"), Figure(True)),
    **dict.fromkeys(("brier", "ece", "hamming_loss"), Figure(False)),
    "mean_absolute_error": Figure(False, "labels"),
    "median_absolute_error": Figure(False, "number"),
    "root_mean_squared_error": Figure(False, "number"),
    "r2": Figure(True),
    "log_loss": Figure(False, "nats"),
    "rows": Figure(True, "rows"),
}
"""Figures of all rows; which of them a model has depends on its kind of labels."""

SHORT_FOR = {"mae": "mean_absolute_error", "rmse": "root_mean_squared_error"}
"""Short names of figures."""

OF_LABEL = dict.fromkeys(("precision", "recall", "f1"), Figure(True))
"""Figures of one label, in brackets behind them."""

OF_WORK = {
    "latency": Figure(False, "seconds"),
    "latency_p95": Figure(False, "seconds"),
    "size": Figure(False, "bytes"),
}
"""Figures that need no labels."""

BEHAVIOUR = "behaviour"
"""The share of the texts of behaviour tests that do as expected."""

UNITS_OF: Mapping[Unit, Mapping[str, float]] = {
    "share": {"": 1.0, "%": 0.01},
    "nats": {"": 1.0},
    "labels": {"": 1.0},
    "number": {"": 1.0},
    "rows": {"": 1.0},
    "seconds": {"ms": 1e-3, "s": 1.0},
    "bytes": {"KB": 1e3, "MB": 1e6, "GB": 1e9},
}


class GateMistake(ValueError):
    """A line is no gate: `what` is wrong with it, `at` which character, from 0."""

    def __init__(self, what: str, at: int) -> None:
        super().__init__(what)
        self.what, self.at = what, at


@dataclass(frozen=True)
class Threshold:
    """A figure that must be at least, or at most, `value` (in seconds, bytes or a share).

    `of` is the label or the behaviour test that the figure is of, "" for none. With `bound`, that end of the figure's
    95 % interval must be so.
    """

    figure: str
    of: str
    value: float
    bound: Bound | None = None

    @property
    def kind(self) -> Figure:
        """What the figure is."""
        if self.figure == BEHAVIOUR:
            return Figure(True)
        return (OF_MODEL | OF_LABEL | OF_WORK)[self.figure]


@dataclass(frozen=True)
class NotWorse:
    """On the same rows, the model's `figure` may be at most `value` worse than that of the model `than`.

    "" is the usual figure of a comparison; then `value` may be more than 1, as of numbers. If `paired`, the 95 %
    interval of the difference must say so, too.
    """

    than: str
    value: float
    figure: str = ""
    paired: bool = False


Gate = Threshold | NotWorse

_NAME = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)")
_NUMBER = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*(%|(?!in\b)[A-Za-zµ]*)")
_COMPARED = re.compile(r"\s*(>=|<=|≥|≤|=>|=<|==|=|>|<)")
_NOT_WORSE = re.compile(r"\s*not\s+worse\s+than\s+(?P<than>\S(?:.*\S)?)\s+by\s+more\s+than\b")
_IN = re.compile(r"\s*in\s+([A-Za-z_][A-Za-z0-9_]*)")
_END = re.compile(r"\s*(?:\(([^()]*)\))?\s*$")


def parse_gate(line: str) -> Gate:
    """The gate that a line says. Raises `GateMistake`."""
    if re.match(r"\s*not\b", line):
        return _not_worse(line)
    figure, of, at = _figure(line)
    gate = Threshold(figure, of, 0.0)
    compared = _COMPARED.match(line, at)
    wanted = ">=" if gate.kind.more_is_better else "<="
    if compared is None:
        raise GateMistake(f"expected {wanted} and a number behind {line[:at].strip()}", _next(line, at))
    given = {"≥": ">=", "≤": "<="}.get(compared[1], compared[1])
    if given not in (">=", "<="):
        raise GateMistake(f"no such comparison: {compared[1]}; write {wanted}", compared.start(1))
    if given != wanted:
        better = "higher" if gate.kind.more_is_better else "lower"
        raise GateMistake(f"{figure} is better where it is {better}; write {wanted}", compared.start(1))
    value, at = _number(line, compared.end(), gate.kind.unit)
    end = "lower" if gate.kind.more_is_better else "upper"
    has_interval = gate.kind.unit not in ("rows", "bytes") and figure != "map"
    asked = _bracket(line, at, f"{end} bound" if has_interval else None, figure)
    return Threshold(figure, of, value, ("lower" if end == "lower" else "upper") if asked else None)


def _figure(line: str) -> tuple[str, str, int]:
    """The figure that a line begins with, what it is of, and where the line goes on."""
    found = _NAME.match(line)
    known = [*OF_MODEL, *(f"{name}[LABEL]" for name in OF_LABEL), *OF_WORK, BEHAVIOUR, f"{BEHAVIOUR}.TEST"]
    if found is None:
        raise GateMistake(f"expected a figure ({', '.join(known)}) or: not worse than RUN by more than 0.01", 0)
    name, at = SHORT_FOR.get(found[1], found[1]), found.end()
    if name == BEHAVIOUR:
        return name, *_of_behaviour(line, at)
    if name in OF_LABEL:
        return name, *_of_label(line, at, name)
    if name not in OF_MODEL | OF_WORK:
        near = get_close_matches(name.lower(), [*OF_MODEL, *OF_LABEL, *OF_WORK, BEHAVIOUR, "not"], 1)
        guess = f"did you mean {near[0]}? " if near else ""
        raise GateMistake(f"no such figure: {name}; {guess}there are {', '.join(known)}", found.start(1))
    if line[at : at + 1] == "[":
        raise GateMistake(f"{name} is of all rows, not of one label; of a label are {', '.join(OF_LABEL)}", at)
    return name, "", at


def _of_label(line: str, at: int, name: str) -> tuple[str, int]:
    """The label in brackets, which may hold brackets itself: the last one before the comparison ends it."""
    ends = list(re.finditer(r"\]\s*(?=[<>=≥≤]|$)", line[at:]))
    compared = ends[-1] if ends else None
    if line[at : at + 1] != "[" or compared is None:
        hint = "macro_f1 is that of all labels" if name == "f1" else "balanced_accuracy is the mean recall"
        raise GateMistake(f"{name} is of one label; write {name}[LABEL] ({hint})", at)
    label = line[at + 1 : at + compared.start()].strip()
    if not label:
        raise GateMistake(f"expected a label in the brackets of {name}", at + 1)
    return label, at + compared.end()


def _of_behaviour(line: str, at: int) -> tuple[str, int]:
    """The behaviour test behind the dot, whose name may hold spaces; "" for all tests."""
    if line[at : at + 1] != ".":
        return "", at
    end = re.compile(r"[^<>=≥≤]*").match(line, at + 1)
    name = end[0].strip() if end else ""
    if not end or not name:
        raise GateMistake(f"expected the name of a test behind {BEHAVIOUR}. (rnn inspect behaviour shows them)", at + 1)
    return name, end.end()


def _number(line: str, at: int, unit: Unit) -> tuple[float, int]:
    """A number and its unit, as a share, seconds or bytes, and where the line goes on."""
    found, units = _NUMBER.match(line, at), UNITS_OF[unit]
    if found is None:
        raise GateMistake("expected a number", _next(line, at))
    if found[2] not in units:
        named = few_of([each for each in units if each])
        what = f"expected a number in {named}" if "" not in units else f"no such unit here: {found[2]}"
        more = f"; a share is written as 0.9 or {'90 %'}" if unit == "share" else ""
        raise GateMistake(what + more, found.start(2) if found[2] else found.end(1))
    value = float(found[1]) * units[found[2]]
    if unit == "share" and value > 1:
        hint = f"{float(found[1]):g} %, or " if float(found[1]) <= 100 and not found[2] else ""
        what = f"{line[found.start(1) : found.end()]} is more than all; write {hint}a share from 0 to 1"
        raise GateMistake(what, found.start(1))
    return value, found.end()


def _bracket(line: str, at: int, allowed: str | None, figure: str) -> bool:
    """Whether the line ends in a bracket with the words allowed; nothing else may follow."""
    end = _END.match(line, at)
    if end is None:
        rest = line[at:].strip()
        hint = f"; the number may be followed by ({allowed})" if allowed else ""
        raise GateMistake(f"did not expect {rest[:30]!r}{hint}", _next(line, at))
    if end[1] is None:
        return False
    if allowed is None:
        raise GateMistake(f"{figure} has no interval; leave ({end[1]}) out", end.start(1))
    if " ".join(end[1].split()) != allowed:
        why = "" if allowed == "paired" else f", the worse end of the interval of {figure}"
        raise GateMistake(f"expected ({allowed}){why}, got ({end[1]})", end.start(1))
    return True


def _not_worse(line: str) -> NotWorse:
    found = _NOT_WORSE.match(line)
    if found is None:
        at = len(line) - len(line.lstrip())
        raise GateMistake("expected: not worse than RUN by more than 0.01, and (paired) where that shall be sure", at)
    number = _NUMBER.match(line, found.end())
    named = None if number is None else _IN.match(line, number.end())
    # The number's unit is that of the figure behind it.
    figure = "" if named is None else SHORT_FOR.get(named[1], named[1])
    if figure in COMPARABLE:
        unit = OF_MODEL[figure].unit
    else:  # without a figure it is a share, or for a model of numbers a number
        unit = "share" if figure or number is None or number[2] else "number"
    value, at = _number(line, found.end(), unit)
    if named:
        at = named.end()
        if figure not in COMPARABLE:
            near = get_close_matches(figure, COMPARABLE, 1)
            guess = f"did you mean {near[0]}? " if near else ""
            what = f"models are not compared in {figure}; {guess}they are in {', '.join(COMPARABLE)}"
            raise GateMistake(what, named.start(1))
    return NotWorse(found["than"], value, figure, _bracket(line, at, "paired", "the difference"))


COMPARABLE = (
    *("accuracy", "mean_absolute_error", "macro_f1"),
    *("micro_f1", "samples_f1", "exact_match", "ranking_precision"),
)
"""Figures that two models are compared in: the first of one label a text, the second of numbers and where labels are
ordered, the third of one label and of several, the others of several."""


def _next(line: str, at: int) -> int:
    """The next character that is no space."""
    return at + len(line[at:]) - len(line[at:].lstrip())


def matching_tests(name: str, names: Sequence[str]) -> list[str]:
    """The behaviour tests that a gate names: the one of this name, else those whose names hold it, "" for all.

    Case does not count, and `_` and `-` are spaces.
    """
    plain = {each: _plain(each) for each in names}
    wanted = _plain(name)
    return [each for each in names if plain[each] == wanted] or [each for each in names if wanted in plain[each]]


def no_such_test(name: str, names: Sequence[str]) -> str:
    """The message for a test that is none of these."""
    near = get_close_matches(_plain(name), list(map(_plain, names)), 1)
    return f"no such test: {name}; " + (f"did you mean {near[0]}? " if near else "") + f"there are {few_of(names)}"


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name).strip().casefold()


def written_value(value: float, unit: Unit) -> str:
    """A value as people read it."""
    if unit == "seconds":
        return f"{value:.2f} s" if value >= 1 else f"{value * 1e3:.2f} ms"
    if unit == "bytes":
        return f"{value / 1e6:,.1f} MB" if value >= 1e5 else f"{value / 1e3:,.1f} KB"
    if unit == "number":
        return f"{float(f'{value:.4g}'):,.12g}"
    return f"{value:,.0f}" if unit == "rows" else f"{value:.3f}"
