"""A model held against its gates: each figure measured as `rnn evaluate` and `rnn inspect behaviour` measure it.

The golden set is predicted, speed and size are measured, and a gate that cannot be measured fails with the reason.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from math import ceil, floor, sqrt
from time import perf_counter

import numpy as np

from rnn_cli.bundle.learned import learned_texts
from rnn_cli.bundle.model_folder import TOKENIZER
from rnn_cli.data.numbers import numbers_of
from rnn_cli.data.rows import Dataset
from rnn_cli.errors import ConfigError, ConfigMistake, few_of
from rnn_cli.evaluation.compare import Comparison
from rnn_cli.evaluation.evaluate import Evaluation, evaluate_predictor, numbers_of_columns, true_labels
from rnn_cli.evaluation.evaluate_numbers import NumberEvaluation, evaluate_numbers
from rnn_cli.evaluation.evaluate_several import SeveralEvaluation, evaluate_several, predicted_sets, true_flags
from rnn_cli.evaluation.intervals import NORMAL_95, Interval, wilson_interval
from rnn_cli.evaluation.metrics import Metrics
from rnn_cli.evaluation.numbers import NumberComparison, NumberMetrics
from rnn_cli.evaluation.ordered import OrderedComparison, OrderedMetrics
from rnn_cli.evaluation.several import SeveralComparison, SeveralMetrics
from rnn_cli.gates.gates_file import Gates, NamedGate
from rnn_cli.gates.grammar import (
    BEHAVIOUR,
    OF_LABEL,
    OF_MODEL,
    OF_WORK,
    NotWorse,
    Threshold,
    Unit,
    matching_tests,
    no_such_test,
    written_value,
)
from rnn_cli.gates.outcomes import GateOutcome, GoldenOutcome, Mismatch
from rnn_cli.inspection.behaviour import Behaviour, measure_behaviour
from rnn_cli.inspection.cases import Suite, load_suite
from rnn_cli.scoring.prediction import shown_number
from rnn_cli.scoring.predictor import OnScored, Predictor, graph_file

AnyEvaluation = Evaluation | SeveralEvaluation | NumberEvaluation
AnyComparison = Comparison | SeveralComparison | NumberComparison

TIMED, WARMING = 200, 5
"""Texts that are predicted one by one to measure latency, and those before them whose time does not count."""

NO_INTERVAL = "there is no interval: too few rows, or for a loss no mistake"

MeasuredFigure = tuple[float | None, Interval | None, str]
"""A figure, its 95 % interval, and what is to be said of it: why there is none, or of what it is made."""


def measure_rows(predictor: Predictor, rows: Dataset, on_scored: OnScored | None = None) -> AnyEvaluation:
    """A model measured on labelled rows, of any kind."""
    if predictor.number:
        return evaluate_numbers(predictor, rows, on_scored)
    measure = evaluate_several if predictor.several else evaluate_predictor
    return measure(predictor, rows, on_scored)


def check_fit(gates: Gates, predictor: Predictor) -> Suite | None:
    """The suite of the behaviour tests that the gates name, if they name any.

    Raises `ConfigError` for gates that this kind of model cannot have, with all of them and their places.
    """
    has = {each.name for each in fields(_metrics_of(predictor))}
    suite = load_suite(gates.behaviour) if any(map(_is_behaviour, gates.gates)) else None
    found = [(each, what) for each in gates.gates if (what := _misfit(each, has, suite, predictor)) is not None]
    mistakes = [ConfigMistake(f"{each.line}: {what}", where=each.where) for each, what in found]
    if gates.within is not None and not predictor.number:
        mistakes.append(ConfigMistake("is how far numbers may be off, and the model predicts labels", "within"))
    if gates.golden is not None and gates.within is None and predictor.number:
        what = "the model predicts numbers: say how far those of the golden set may be off, as within: 5"
        mistakes.append(ConfigMistake(what, "within"))
    if mistakes:
        raise ConfigError(mistakes)
    return suite


def _metrics_of(predictor: Predictor) -> type[Metrics | SeveralMetrics | NumberMetrics]:
    if predictor.number:
        return NumberMetrics
    if predictor.several:
        return SeveralMetrics
    return OrderedMetrics if predictor.ordered else Metrics


def _is_behaviour(gate: NamedGate) -> bool:
    return isinstance(gate.gate, Threshold) and gate.gate.figure == BEHAVIOUR


def _misfit(named: NamedGate, has: set[str], suite: Suite | None, predictor: Predictor) -> str | None:
    """What keeps this model from having a gate's figure; None if nothing does."""
    one = "ordered labels" if predictor.ordered else "one label a text"
    kind = f"has {'several labels a text' if predictor.several else one}"
    kind = "predicts numbers" if predictor.number else kind
    gate = named.gate
    if isinstance(gate, NotWorse):
        figures = SEVERAL_COMPARED if predictor.several else [name for name in OF_ONE if name in has]
        if gate.figure and gate.figure not in figures:
            return f"the model {kind}, and such are compared in {', '.join(figures)}"
        if gate.value > 1 and not gate.figure and not predictor.number:
            return f"{gate.value:g} is more than all; write {gate.value:g} %, or a share from 0 to 1"
        return None
    if gate.figure == BEHAVIOUR:
        names = [each.name for each in suite.tests] if suite else []
        if predictor.several or predictor.number:
            return f"the model {kind}, and behaviour tests are of one label a text"
        return None if matching_tests(gate.of, names) else no_such_test(gate.of, names)
    if gate.figure in OF_LABEL and not predictor.number and gate.of not in predictor.labels:
        return f"the model has no label {gate.of!r}; it has {few_of(predictor.labels)}"
    if gate.figure not in {*has, *(() if predictor.number else OF_LABEL), *OF_WORK}:
        return f"the model {kind}, for which there is no such figure"
    return None


def _error_difference(found: Comparison) -> tuple[float, Interval | None]:
    assert isinstance(found, OrderedComparison)
    return found.error_difference, found.error_interval


OF_ONE: Mapping[str, Callable[[Comparison], tuple[float, Interval | None]]] = {
    "accuracy": lambda found: (found.difference, found.interval),
    "macro_f1": lambda found: (found.macro_f1_difference, found.macro_f1_interval),
    "mean_absolute_error": _error_difference,
}
"""How two models of one label a text are compared, the last of them only if their labels are ordered."""

SEVERAL_COMPARED = ("micro_f1", "macro_f1", "samples_f1", "exact_match", "ranking_precision")


def needs_rows(gates: Gates) -> bool:
    """Whether a gate is about labelled rows."""
    return any(isinstance(each.gate, NotWorse) or each.gate.figure not in {*OF_WORK, BEHAVIOUR} for each in gates.gates)


def needs_texts(gates: Gates) -> bool:
    """Whether a gate is about speed, for which any texts will do."""
    return any(isinstance(each.gate, Threshold) and each.gate.figure.startswith("latency") for each in gates.gates)


@dataclass(frozen=True)
class Found:
    """All that gates are judged by, as far as they need it.

    `against` holds, by the other model's name, how the model compares with it on rows that neither learned from.
    """

    evaluation: AnyEvaluation | None = None
    against: Mapping[str, AnyComparison] = field(default_factory=dict)
    behaviour: Behaviour | None = None
    seconds: Sequence[float] = ()
    size: int = 0


def with_times(found: Found, seconds: Sequence[float]) -> Found:
    """The same with the seconds that texts took one by one."""
    return replace(found, seconds=seconds)


def measure_tests(gates: Gates, suite: Suite, predictor: Predictor, on_scored: OnScored | None = None) -> Behaviour:
    """The behaviour tests that the gates name."""
    names = [each.name for each in suite.tests]
    wanted = {
        name
        for each in gates.gates
        if isinstance(each.gate, Threshold) and each.gate.figure == BEHAVIOUR
        for name in matching_tests(each.gate.of, names)
    }
    chosen = suite.model_copy(update={"tests": [each for each in suite.tests if each.name in wanted]})
    # Labels of the tests left out are no mistake; those of no test at all are.
    left_out = _expected(suite) - _expected(chosen)
    labels = {name: label for name, label in gates.labels.items() if name not in left_out}
    return measure_behaviour(predictor, chosen, labels=labels, on_scored=on_scored)


def _expected(suite: Suite) -> set[str]:
    """The labels that tests expect, by their names in the suite."""
    return {name for each in suite.tests for name in each.expect or ()}


def time_each(predictor: Predictor, texts: Sequence[str], clock: Callable[[], float] = perf_counter) -> list[float]:
    """The seconds that each of up to `TIMED` texts takes, predicted one by one; they are taken evenly."""
    chosen = [texts[index * len(texts) // TIMED] for index in range(TIMED)] if len(texts) > TIMED else list(texts)
    nothing = dict.fromkeys(predictor.columns)  # missing values take as long as others

    def predict(text: str) -> None:
        predictor.predict(text, columns=nothing or None)

    for text in chosen[:WARMING]:
        predict(text)
    seconds = []
    for text in chosen:
        start = clock()
        predict(text)
        seconds.append(clock() - start)
    return seconds


def size_of_model(predictor: Predictor) -> int:
    """The bytes that scoring reads: the graph and the tokenizer."""
    files = predictor.bundle.manifest.files
    return sum(int(files[name]["size"]) for name in (TOKENIZER, graph_file(predictor.bundle, predictor.precision)))


def check_golden(predictor: Predictor, rows: Dataset, file: str, within: float | None = None) -> GoldenOutcome:
    """Predict each text of the golden set; raises `DataError` for a label that the model does not know.

    An unsure prediction counts as its label. A number may be off by as much as `within` says.
    """
    if predictor.number:
        return _golden_numbers(predictor, rows, file, within or 0.0)
    numbers_of_columns(predictor, rows)  # refuses rows without them
    scores = predictor.score(rows.texts, rows.further).probabilities
    chosen = predictor.decision.choose(scores)
    if predictor.several:
        true_flags(rows, predictor.labels)
        predicted, likeliest = predicted_sets(predictor.labels, chosen), scores.max(axis=1)
    else:
        true_labels(rows, predictor.labels)
        predicted = [predictor.labels[index] for index in chosen]
        likeliest = scores[np.arange(len(scores)), chosen]
    wrong = [
        Mismatch(rows.where(row), rows.texts[row], rows.labels[row], found, float(likeliest[row]))
        for row, found in enumerate(predicted)
        if found != rows.labels[row]
    ]
    return GoldenOutcome(file, len(rows), tuple(wrong), _learned(predictor, rows))


def _learned(predictor: Predictor, rows: Dataset) -> int | None:
    """From how many of the rows the model learned; None where that is not known."""
    learned = learned_texts(predictor.bundle)
    return None if learned is None else int(learned.knows(rows.texts).sum())


def _golden_numbers(predictor: Predictor, rows: Dataset, file: str, within: float) -> GoldenOutcome:
    truth, found = numbers_of(rows), predictor.score(rows.texts).probabilities[:, 0]
    far = np.flatnonzero(np.abs(found - truth) > within).tolist()
    wrong = [
        Mismatch(rows.where(row), rows.texts[row], rows.labels[row], shown_number(found[row], predictor.spread), None)
        for row in far
    ]
    return GoldenOutcome(file, len(rows), tuple(wrong), _learned(predictor, rows), within)


def judge(gates: Gates, found: Found) -> tuple[GateOutcome, ...]:
    """Each gate with what was measured, and whether it passes."""
    return tuple(
        _judge_rival(each, each.gate, found) if isinstance(each.gate, NotWorse) else _judge(each, each.gate, found)
        for each in gates.gates
    )


def _judge(named: NamedGate, gate: Threshold, found: Found) -> GateOutcome:
    value, interval, reason = _measured(gate, found)
    more, unit = gate.kind.more_is_better, gate.kind.unit
    if unit == "labels" and isinstance(found.evaluation, NumberEvaluation):
        unit = "number"
    counted = value
    if gate.bound is not None and value is not None:
        counted = None if interval is None else interval[0 if more else 1]
        reason = reason or ("" if counted is not None else NO_INTERVAL)
    passed = counted is not None and (counted >= gate.value if more else counted <= gate.value)
    side = "" if gate.bound is None else f" ({gate.bound} bound)"
    shown = f"{'>=' if more else '<='} {written_value(gate.value, unit)}{side}"
    if gate.figure == BEHAVIOUR:
        figure = f"{BEHAVIOUR}.{gate.of}" if gate.of else BEHAVIOUR
    else:
        figure = f"{gate.figure}[{gate.of}]" if gate.of else gate.figure
    return GateOutcome(named.name, named.line, figure, shown, value, interval, passed, unit, reason)


def _measured(gate: Threshold, found: Found) -> MeasuredFigure:
    """A gate's figure; None, with the reason, where it does not exist."""
    if gate.figure == BEHAVIOUR:
        return _share_of_tests(gate, found.behaviour)
    if gate.figure == "size":
        return float(found.size), None, ""
    if gate.figure in OF_WORK:
        return _quantile(found.seconds, 0.95 if gate.figure.endswith("p95") else 0.5)
    assert found.evaluation is not None
    metrics = found.evaluation.metrics
    if gate.figure in OF_LABEL and not isinstance(metrics, NumberMetrics):
        of = metrics.per_class[gate.of]
        value, interval = getattr(of, gate.figure), getattr(of, f"{gate.figure}_interval")
        why = "it is never predicted" if gate.figure == "precision" else "no row has this label"
        return value, interval, "" if value is not None else why
    value = getattr(metrics, gate.figure)
    why = "all true numbers are equal" if isinstance(metrics, NumberMetrics) else "a label has no row"
    return value, metrics.intervals.get(gate.figure), "" if value is not None else why


def _share_of_tests(gate: Threshold, behaviour: Behaviour | None) -> MeasuredFigure:
    """The share of texts of the tests that a gate names, all together, that do as expected."""
    assert behaviour is not None
    every = [each.name for each in behaviour.outcomes] + [each.name for each in behaviour.not_run]
    names = matching_tests(gate.of, every)
    tests = [each for each in behaviour.outcomes if each.name in names]
    not_run = [f"{each.name} was not run, as {each.reason}" for each in behaviour.not_run if each.name in names]
    if not tests:
        return None, None, "; ".join(not_run)
    texts, failed = sum(each.texts for each in tests), sum(each.failed for each in tests)
    worst = max(tests, key=lambda each: each.rate)
    notes = [f"the worst is {worst.name}, {worst.failed:,} of {worst.texts:,} fail"] if len(tests) > 1 else []
    return 1 - failed / texts, wilson_interval(texts - failed, texts), "; ".join([*notes, *not_run])


def _quantile(seconds: Sequence[float], share: float) -> MeasuredFigure:
    """A quantile of times with its 95 % interval from their order; None where there are too few.

    Source: Conover (1999), Practical nonparametric statistics, section 3.2.
    """
    order, count = sorted(seconds), len(seconds)
    half = NORMAL_95 * sqrt(count * share * (1 - share))
    low, high = floor(count * share - half), ceil(count * share + half)
    interval = (order[low], order[high]) if 0 <= low and high < count else None
    return order[min(int(count * share), count - 1)], interval, ""


def _judge_rival(named: NamedGate, gate: NotWorse, found: Found) -> GateOutcome:
    compared_with = found.against[gate.than]
    if isinstance(compared_with, SeveralComparison):
        figure = gate.figure or SEVERAL_COMPARED[0]
        difference, interval = compared_with.differences[figure], compared_with.intervals[figure]
    elif isinstance(compared_with, NumberComparison):
        figure = "mean_absolute_error"
        difference, interval = compared_with.error_difference, compared_with.error_interval
    else:
        figure = gate.figure or "accuracy"
        difference, interval = OF_ONE[figure](compared_with)
    kind = OF_MODEL[figure]
    unit: Unit = "number" if isinstance(compared_with, NumberComparison) else kind.unit
    counted: float | None = difference
    if gate.paired:
        counted = None if interval is None else interval[0 if kind.more_is_better else 1]
    sign = 1 if kind.more_is_better else -1  # less of an error is better
    passed = counted is not None and sign * counted >= -gate.value
    reason = NO_INTERVAL if counted is None else ""
    if counted is not None and not passed and sign * difference >= -gate.value:
        reason = f"on {compared_with.rows:,} rows it may be worse by up to {written_value(-sign * counted, unit)}"
    limit = written_value(-sign * gate.value, unit)
    shown = f"{'>=' if kind.more_is_better else '<='} {limit}{' (paired)' if gate.paired else ''}"
    title = f"{figure} minus {gate.than}"
    return GateOutcome(named.name, named.line, title, shown, difference, interval, passed, unit, reason)
