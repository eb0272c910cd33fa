"""What gates came to: a table of outcomes, and each text of the golden set that got another label. Judges nothing."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rnn_cli.evaluation.intervals import Interval
from rnn_cli.evaluation.seen import SeenRows
from rnn_cli.evaluation.wording import DASH, EVERY, span
from rnn_cli.evaluation.wording_folds import side_rows
from rnn_cli.gates.grammar import Unit, written_value
from rnn_cli.scoring.unknown import UnknownTokens
from rnn_cli.text.plain import html_table


@dataclass(frozen=True)
class GateOutcome:
    """What one gate demanded and what was measured.

    `name` is the gate's own, or its line; `figure` and `demanded` are the line's two halves. `value` is in `unit`: a
    share, nats, labels, rows, seconds or bytes; None where the figure does not exist. `interval` is its 95 % interval,
    None where there is none. `reason` says why something is missing, or what the figure is made of.
    """

    name: str
    gate: str
    figure: str
    demanded: str
    value: float | None
    interval: Interval | None
    passed: bool
    unit: Unit = "share"
    reason: str = ""

    @property
    def measured(self) -> str:
        """The value as people read it."""
        return DASH if self.value is None else written_value(self.value, self.unit)

    @property
    def bounds(self) -> str:
        """The interval's two ends as people read them; nothing where there is none."""
        return span(self.interval, lambda end: written_value(end, self.unit))

    @property
    def title(self) -> str:
        """What a table calls the gate: its own name, or its figure."""
        return self.figure if self.name == self.gate else self.name

    @property
    def result(self) -> str:
        """`pass` or `FAIL`."""
        return "pass" if self.passed else "FAIL"


@dataclass(frozen=True)
class Mismatch:
    """A text of the golden set that got another label, or other labels, than it must; a number has no probability."""

    where: str
    text: str
    wanted: str
    predicted: str
    probability: float | None

    @property
    def sure(self) -> str:
        """The probability as people read it; nothing where there is none."""
        return "" if self.probability is None else f"{self.probability:.1%}"


@dataclass(frozen=True)
class GoldenOutcome:
    """The golden set: how many texts it has, and which got another label.

    `learned` counts those that the model learned from; None where that is not known. `within` is how far numbers may be
    off; None of labels.
    """

    file: str
    rows: int
    mismatches: tuple[Mismatch, ...]
    learned: int | None
    within: float | None = None

    @property
    def passed(self) -> bool:
        """Whether every text got its label."""
        return not self.mismatches


@dataclass(frozen=True)
class GateReport:
    """All gates of a model. `rows` are so many of the file `data`, else of the run's own test rows; None for none.

    `seen` says which of the rows given the model learned from. `warnings` deserve a second look. `tokens` counts those
    of the rows that the model does not know. `by_folds` says that the rows are those that a cross-validation predicted.
    """

    model: Path
    data: str | None
    rows: int | None
    outcomes: tuple[GateOutcome, ...]
    golden: GoldenOutcome | None = None
    seen: SeenRows | None = None
    warnings: tuple[str, ...] = ()
    tokens: UnknownTokens | None = None
    by_folds: bool = False

    @property
    def of(self) -> str:
        """What the rows are."""
        if self.by_folds:
            return f"{side_rows('folds')}, predicted by models that had not seen them"
        return "test rows that training kept aside" if self.data is None else f"rows of {self.data}"

    @property
    def passed(self) -> bool:
        """Whether every gate, and the golden set, passed."""
        return not self.failed

    @property
    def failed(self) -> tuple[str, ...]:
        """The names of what failed."""
        golden = [f"golden {self.golden.file}"] if self.golden is not None and not self.golden.passed else []
        return (*(each.name for each in self.outcomes if not each.passed), *golden)

    def table(self) -> tuple[Sequence[str], list[Sequence[str]]]:
        """A head and rows: each gate, what it demands, what was measured, its interval and the result."""
        rows: list[Sequence[str]] = [
            (each.title, each.demanded, each.measured, each.bounds, each.result) for each in self.outcomes
        ]
        if golden := self.golden:
            right = golden.rows - len(golden.mismatches)
            result = "pass" if golden.passed else "FAIL"
            demanded = "all right" if golden.within is None else f"all within {golden.within:g}"
            rows.append((f"golden {golden.file}", demanded, f"{right:,} of {golden.rows:,}", "", result))
        return ("gate", "demanded", "measured", EVERY, ""), rows

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        plain = {**asdict(self), "model": str(self.model), "passed": self.passed}
        plain["seen"] = None if self.seen is None else self.seen.to_dict()
        return plain

    def _repr_html_(self) -> str:
        return html_table(*self.table())
