"""The order of work of `rnn check-model`: what the gates need is read and measured, and nothing else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from rnn_cli.data.rows import Dataset
from rnn_cli.evaluation.seen import SeenRows, without_seen
from rnn_cli.gates import judge
from rnn_cli.gates.gates_file import Gates
from rnn_cli.gates.outcomes import GateReport, GoldenOutcome
from rnn_cli.scoring.predictor import OnScored, Predictor

Say = Callable[[str], None]


@dataclass(frozen=True)
class Task:
    """A model, its gates, and how to get at what they need.

    `read_rows` gives the rows that the model did not learn from, and how many it did; `read_golden` those of a golden
    set. `rows_are_named` says that rows were given, which are measured in any case.
    """

    predictor: Predictor
    gates: Gates
    read_rows: Callable[[], tuple[Dataset, SeenRows | None]]
    read_golden: Callable[[str], Dataset]
    open_other: Callable[[str], Predictor]
    include_seen: bool
    rows_are_named: bool


def check_gates(task: Task, doing: Say, note: Say, progress: Callable[[str, int, int], None]) -> GateReport:
    """Measure all that the gates are about, and judge them. Raises as `rnn_cli.check_model` does."""
    predictor, gates = task.predictor, task.gates
    suite = judge.check_fit(gates, predictor)
    others = {name: task.open_other(name) for name in judge.rivals(gates)}  # a wrong name shows before any work
    rows: Dataset | None = None
    seen: SeenRows | None = None
    evaluation: judge.AnyEvaluation | None = None
    golden, texts = _golden(task, doing)
    if judge.needs_rows(gates) or task.rows_are_named or (judge.needs_texts(gates) and not texts):
        rows, seen = task.read_rows()
        evaluation, texts = judge.measure_rows(predictor, rows, _told(progress, "scoring rows")), rows.texts
    found = judge.Found(
        evaluation,
        {} if evaluation is None else _against(task, evaluation, others, doing, note),
        judge.measure_tests(gates, suite, predictor, _told(progress, "texts of behaviour tests")) if suite else None,
        size=judge.size_of_model(predictor),
    )
    if judge.needs_texts(gates):
        doing("measuring latency")
        found = judge.with_times(found, judge.time_each(predictor, texts))
    return GateReport(
        predictor.bundle.path,
        rows.name if rows is not None and task.rows_are_named else None,
        None if rows is None else len(rows),
        judge.judge(gates, found),
        golden,
        seen,
        tokens=None if evaluation is None else evaluation.scores.tokens,
    )


def _told(progress: Callable[[str, int, int], None], what: str) -> OnScored:
    return partial(progress, what)


def _golden(task: Task, doing: Say) -> tuple[GoldenOutcome | None, list[str]]:
    """What the golden set came to, and its texts."""
    if task.gates.golden is None:
        return None, []
    doing("predicting the golden set")
    rows = task.read_golden(task.gates.golden)
    return judge.check_golden(task.predictor, rows, task.gates.golden), rows.texts


def _against(
    task: Task, ours: judge.AnyEvaluation, others: Mapping[str, Predictor], doing: Say, note: Say
) -> dict[str, judge.AnyComparison]:
    """How the model compares with each of the others, on rows that neither learned from."""
    found = {}
    for name, other in others.items():
        doing(f"comparing with {name}")
        common, _ = without_seen([other.bundle], ours.dataset, include=task.include_seen)
        if left_out := len(ours.dataset) - len(common):
            note(f"rows that {name} learned from, left out of the comparison: {left_out:,}")
        same = ours if not left_out else judge.measure_rows(task.predictor, common)
        found[name] = judge.compared(same, other, name)
    return found
