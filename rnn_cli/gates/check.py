"""The order of work of `rnn check-model`: what the gates need is read and measured, and nothing else."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from rnn_cli.data.rows import Dataset
from rnn_cli.evaluation.compare import is_measured_by_folds
from rnn_cli.evaluation.folds import kept_evaluation
from rnn_cli.evaluation.seen import SeenRows
from rnn_cli.gates import judge
from rnn_cli.gates.gates_file import Gates
from rnn_cli.gates.outcomes import GateReport, GoldenOutcome
from rnn_cli.gates.rivals import Rival, compared, kept_of_same_rows, open_rivals, shared_rows
from rnn_cli.scoring.predictor import OnScored, Predictor

Say = Callable[[str], None]


@dataclass(frozen=True)
class Task:
    """A model, its gates, and how to get at what they need.

    `read_rows` gives the rows that the model did not learn from, and how many it did; `read_texts` texts of the run's
    own, to measure speed on; `read_golden` the rows of a golden set. `rows_are_named` says that rows were given, which
    are measured in any case.
    """

    predictor: Predictor
    gates: Gates
    read_rows: Callable[[], tuple[Dataset, SeenRows | None]]
    read_texts: Callable[[], list[str]]
    read_golden: Callable[[str], Dataset]
    open_other: Callable[[str], Predictor]
    include_seen: bool
    rows_are_named: bool


def check_gates(task: Task, doing: Say, note: Say, progress: Callable[[str, int, int], None]) -> GateReport:
    """Measure all that the gates are about, and judge them. Raises as `rnn_cli.check_model` does."""
    predictor, gates = task.predictor, task.gates
    suite = judge.check_fit(gates, predictor)
    others = open_rivals(gates, predictor, task.open_other)  # a wrong name shows before any work
    evaluation: judge.AnyEvaluation | None = None
    seen: SeenRows | None = None
    against: dict[str, judge.AnyComparison] = {}
    golden, texts = _golden(task, doing)
    if judge.needs_rows(gates) or task.rows_are_named:
        evaluation, seen, against = _measure(task, others, doing, note, progress)
        texts = evaluation.dataset.texts
    elif judge.needs_texts(gates) and not texts:
        texts = task.read_texts()
    found = judge.Found(
        evaluation,
        against,
        judge.measure_tests(gates, suite, predictor, _told(progress, "texts of behaviour tests")) if suite else None,
        size=judge.size_of_model(predictor),
    )
    if judge.needs_texts(gates):
        doing("measuring latency")
        found = judge.with_times(found, judge.time_each(predictor, texts))
    return GateReport(
        predictor.bundle.path,
        evaluation.dataset.name if evaluation is not None and task.rows_are_named else None,
        None if evaluation is None else len(evaluation.dataset),
        judge.judge(gates, found),
        golden,
        seen,
        tokens=None if evaluation is None else evaluation.scores.tokens,
        by_folds=evaluation is not None and evaluation.folds is not None,
    )


def _told(progress: Callable[[str, int, int], None], what: str) -> OnScored:
    return partial(progress, what)


def _golden(task: Task, doing: Say) -> tuple[GoldenOutcome | None, list[str]]:
    """What the golden set came to, and its texts."""
    if task.gates.golden is None:
        return None, []
    doing("predicting the golden set")
    rows = task.read_golden(task.gates.golden)
    return judge.check_golden(task.predictor, rows, task.gates.golden, task.gates.within), rows.texts


def _measure(
    task: Task, others: Sequence[Rival], doing: Say, note: Say, progress: Callable[[str, int, int], None]
) -> tuple[judge.AnyEvaluation, SeenRows | None, dict[str, judge.AnyComparison]]:
    """The model measured, and compared with each of the others on rows that neither learned from.

    A run that was measured by folds, whose model has learned from all its rows, is judged by what the folds predicted,
    and compared with what another's folds predicted of the same rows.
    """
    predictor, seen = task.predictor, None
    kept: judge.AnyEvaluation | None = None
    if not task.rows_are_named and is_measured_by_folds(predictor.bundle):
        doing("reading the rows")
        kept = kept_evaluation(predictor.bundle, predictor)
        rows = kept.dataset
    else:
        rows, seen = task.read_rows()
    asked = {"include_seen": task.include_seen, "rows_are_named": task.rows_are_named}
    by_folds = [kept and kept_of_same_rows(other, kept) for other in others]
    shared = [  # what cannot be compared shows before any work
        shared_rows(other, rows, **asked) if theirs is None else np.ones(len(rows), np.bool_)
        for other, theirs in zip(others, by_folds, strict=True)
    ]
    ours = kept or judge.measure_rows(predictor, rows, _told(progress, "scoring rows"))
    found = {}
    for other, common, theirs in zip(others, shared, by_folds, strict=True):
        doing(f"comparing with {other.name}")
        if left_out := int((~common).sum()):
            note(f"rows that {other.name} learned from, left out of the comparison: {left_out:,}")
        found[other.name] = compared(ours, other, common, predictor, theirs)
    return ours, seen, found
