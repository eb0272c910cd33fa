"""Another model that a gate holds the model against: whether the two can be compared, and how they do on the same rows.

What is wrong with the other model is told with the gate that names it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rnn_cli.arrays import Flags
from rnn_cli.bundle.learned import learned_texts
from rnn_cli.data.rows import Dataset
from rnn_cli.errors import ConfigError, ConfigMistake, DataError, Setting, few_of
from rnn_cli.evaluation.compare import compare_models, is_measured_by_folds
from rnn_cli.evaluation.compare_ordered import compare_models_of_ordered, order_of
from rnn_cli.evaluation.compare_several import compare_models_of_several, several_predictions_of
from rnn_cli.evaluation.evaluate import Evaluation, predictions_of
from rnn_cli.evaluation.evaluate_numbers import NumberEvaluation
from rnn_cli.evaluation.evaluate_several import SeveralEvaluation
from rnn_cli.evaluation.folds import (
    compared_by_folds,
    gains_by_folds,
    kept_evaluation,
    numbers_compared_by_folds,
    several_compared_by_folds,
)
from rnn_cli.evaluation.numbers import compare_numbers
from rnn_cli.evaluation.ordered import OrderedMetrics
from rnn_cli.gates.gates_file import Gates, NamedGate
from rnn_cli.gates.grammar import NotWorse
from rnn_cli.gates.judge import AnyComparison, AnyEvaluation, measure_rows
from rnn_cli.scoring.predictor import Predictor


@dataclass(frozen=True)
class Rival:
    """Another model, called `name` by `gate`, the first gate that is about it."""

    name: str
    gate: NamedGate
    predictor: Predictor


def open_rivals(gates: Gates, predictor: Predictor, open_other: Callable[[str], Predictor]) -> list[Rival]:
    """The models that the gates compare with, each once.

    Raises `ConfigError` for those of another kind than the model, or of another order of labels.
    """
    first: dict[str, NamedGate] = {}
    for each in gates.gates:
        if isinstance(each.gate, NotWorse):
            first.setdefault(each.gate.than, each)
    found = [Rival(name, gate, open_other(name)) for name, gate in first.items()]
    wrong = [(each.gate, what) for each in found if (what := _unlike(predictor, each)) is not None]
    if wrong:
        raise ConfigError([ConfigMistake(f"{gate.line}: {what}", where=gate.where) for gate, what in wrong])
    return found


def _unlike(predictor: Predictor, rival: Rival) -> str | None:
    """What keeps two models from being compared on any rows; None if nothing does."""
    name, other = rival.name, rival.predictor
    if other.number != predictor.number:
        theirs, ours = ("numbers", "labels") if other.number else ("labels", "numbers")
        return f"{name} predicts {theirs}, and the model {ours}; compare models of the same kind"
    if other.several != predictor.several:
        one, several = "one label", "several labels"
        theirs, ours = (several, one) if other.several else (one, several)
        return f"the texts of {name} have {theirs} each, those of the model {ours}; compare models of the same kind"
    if not predictor.ordered:
        return None
    has = f"({few_of(other.labels)}; the model: {few_of(predictor.labels)})"
    common = [label for label in predictor.labels if label in other.labels]
    if other.ordered and common != [label for label in other.labels if label in predictor.labels]:
        return f"{name} has its labels in another order {has}; compare models of the same labels in the same order"
    if len(common) < len(other.labels) and not (other.ordered and len(common) == len(predictor.labels)):
        return f"{name} has other labels {has}; compare models of the same labels"
    return None


def shared_rows(rival: Rival, rows: Dataset, *, include_seen: bool, rows_are_named: bool) -> Flags:
    """Which rows the other model can be measured on, `[rows]`: those that it did not learn from, or all of them.

    Raises `DataError` where none is left, and where it does not know the label of one.
    """
    name, gate = rival.name, rival.gate
    learned = None if include_seen else learned_texts(rival.predictor.bundle)
    shared = np.ones(len(rows), np.bool_) if learned is None else ~learned.knows(rows.texts)
    if not shared.any():
        all_rows = "the only row" if len(rows) == 1 else f"all {len(rows):,} rows"
        what = f"{name} was trained on {all_rows}, so they cannot say which model is better"
        other = Setting("data", "FILE", "name other labelled rows with {}")
        anyway = Setting("include_seen", "True", "name other rows, or measure on these all the same with {}")
        raise DataError(f"{gate.line}: {what}", where=gate.where, hint=anyway if rows_are_named else other)
    if rival.predictor.number:
        return shared
    found = rows.select(np.flatnonzero(shared).tolist()).label_counts()
    unknown = sorted(set(found) - set(rival.predictor.labels))
    if unknown:
        what = f"{name} has no label {few_of(unknown)}, which rows have; it has {few_of(rival.predictor.labels)}"
        raise DataError(f"{gate.line}: {what}", where=gate.where, hint="compare models of the same labels")
    return shared


def kept_of_same_rows(rival: Rival, ours: AnyEvaluation) -> AnyEvaluation | None:
    """What another run's folds predicted of the rows that the model's own folds predicted.

    None if it has no folds, or they are of other rows. Raises `BundleError`.
    """
    if not is_measured_by_folds(rival.predictor.bundle):
        return None
    try:
        theirs = kept_evaluation(rival.predictor.bundle, rival.predictor)
    except DataError:  # its rows are gone or have changed
        return None
    one, two = ours.dataset, theirs.dataset
    return theirs if (one.texts, one.labels) == (two.texts, two.labels) else None


def compared(
    ours: AnyEvaluation, rival: Rival, shared: Flags, predictor: Predictor, kept: AnyEvaluation | None
) -> AnyComparison:
    """The model (the first) compared with another (the second) on the `shared` rows of its evaluation, `[rows]`.

    `kept` is what the other's folds predicted of all of them, if they did; then the interval is that of the folds.
    """
    chosen: Sequence[int] = np.flatnonzero(shared).tolist()
    theirs = kept or measure_rows(rival.predictor, ours.dataset.select(chosen))
    gains = gains_by_folds(predictor.bundle, rival.predictor.bundle) if kept else None
    found: AnyComparison | None
    if isinstance(ours, SeveralEvaluation) and isinstance(theirs, SeveralEvaluation):
        mine = several_predictions_of("the model", ours).select(chosen)
        found = compare_models_of_several([several_predictions_of(rival.name, theirs), mine]).models[1].against_first
        assert found is not None
        return found if gains is None else several_compared_by_folds(found, gains)
    if isinstance(ours, NumberEvaluation) and isinstance(theirs, NumberEvaluation):
        of_numbers = compare_numbers(theirs.truth, ours.predicted[shared], theirs.predicted)
        return of_numbers if gains is None else numbers_compared_by_folds(of_numbers, gains)
    assert isinstance(ours, Evaluation) and isinstance(theirs, Evaluation)
    every = [predictions_of(rival.name, theirs), predictions_of("the model", ours).select(chosen)]
    order = order_of(every) if isinstance(ours.metrics, OrderedMetrics) else None
    both = compare_models(every) if order is None else compare_models_of_ordered(every, order)
    found = both.models[1].against_first
    assert found is not None
    return found if gains is None else compared_by_folds(found, gains)
