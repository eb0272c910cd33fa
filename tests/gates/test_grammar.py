"""Lines of gates: what they mean, and where a mistake stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_cli.evaluation.metrics import Metrics
from rnn_cli.evaluation.numbers import NumberMetrics
from rnn_cli.evaluation.ordered import OrderedMetrics
from rnn_cli.evaluation.several import COMPARED, SeveralMetrics
from rnn_cli.gates.grammar import (
    COMPARABLE,
    OF_MODEL,
    GateMistake,
    NotWorse,
    Threshold,
    matching_tests,
    parse_gate,
    written_value,
)
from rnn_cli.gates.judge import OF_ONE, SEVERAL_COMPARED


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("accuracy >= 0.9", Threshold("accuracy", "", 0.9)),
        ("  accuracy>=90%  ", Threshold("accuracy", "", 0.9)),
        ("accuracy ≥ .9 ( lower  bound )", Threshold("accuracy", "", 0.9, "lower")),
        ("log_loss <= 1.5 (upper bound)", Threshold("log_loss", "", 1.5, "upper")),
        ("f1[refund] >= 0.8", Threshold("f1", "refund", 0.8)),
        ("recall[a [b] >= c] >= 1", Threshold("recall", "a [b] >= c", 1.0)),
        ("precision[не то] >= 0", Threshold("precision", "не то", 0.0)),
        ("behaviour >= 0.5", Threshold("behaviour", "", 0.5)),
        ("behaviour.negated praise >= 0.9 (lower bound)", Threshold("behaviour", "negated praise", 0.9, "lower")),
        ("latency <= 5 ms", Threshold("latency", "", 0.005)),
        ("latency_p95 <= 1s (upper bound)", Threshold("latency_p95", "", 1.0, "upper")),
        ("size <= 20 MB", Threshold("size", "", 20e6)),
        ("rows >= 500", Threshold("rows", "", 500.0)),
        ("not worse than runs/old by more than 0.01 (paired)", NotWorse("runs/old", 0.01, "", True)),
        ("not worse than my old model by more than 1 %", NotWorse("my old model", 0.01)),
        ("not worse than x by more than 1.5 in mean_absolute_error", NotWorse("x", 1.5, "mean_absolute_error")),
        ("not worse than x by more than 0 in macro_f1 (paired)", NotWorse("x", 0.0, "macro_f1", True)),
    ],
)
def test_a_line_means_what_it_says(line: str, meant: Threshold | NotWorse) -> None:
    found = parse_gate(line)
    assert type(found) is type(meant)
    assert found.value == pytest.approx(meant.value)
    assert {**vars(found), "value": 0} == {**vars(meant), "value": 0}


@pytest.mark.parametrize(
    ("line", "at", "what"),
    [
        ("acuracy >= 0.9", 0, "did you mean accuracy?"),
        ("Accuracy >= 0.9", 0, "did you mean accuracy?"),
        ("speed <= 5 ms", 0, "there are accuracy, balanced_accuracy"),
        ("", 0, "expected a figure"),
        ("accuracy <= 0.9", 9, "write >="),
        ("latency >= 5 ms", 8, "write <="),
        ("accuracy = 0.9", 9, "no such comparison: =; write >="),
        ("accuracy 0.9", 9, "expected >= and a number behind accuracy"),
        ("accuracy >= high", 12, "expected a number"),
        ("accuracy >= 90", 12, "90 is more than all; write 90 %, or a share from 0 to 1"),
        ("accuracy >= 190 %", 12, "190 % is more than all; write a share from 0 to 1"),
        ("accuracy >= 0.9 points", 16, "no such unit here: points"),
        ("accuracy >= -0.1", 12, "expected a number"),
        ("accuracy[x] >= 0.9", 8, "of a label are precision, recall, f1"),
        ("f1 >= 0.9", 2, "write f1[LABEL]"),
        ("f1[] >= 0.9", 3, "expected a label"),
        ("f1[x >= 0.9", 2, "write f1[LABEL]"),
        ("behaviour. >= 0.9", 10, "expected the name of a test"),
        ("latency <= 5", 12, "expected a number in ms, s"),
        ("size <= 5 ms", 10, "expected a number in KB, MB, GB"),
        ("size <= 5 MB (upper bound)", 14, "size has no interval"),
        ("accuracy >= 0.9 (upper bound)", 17, "expected (lower bound)"),
        ("accuracy >= 0.9 (lower bound) and more", 16, "did not expect"),
        ("not worse than x", 0, "expected: not worse than RUN by more than 0.01"),
        ("not worse than x by more than 0.01 in acuracy", 38, "did you mean accuracy?"),
        ("not worse than x by more than 0.01 in f1", 38, "models are not compared in f1"),
        ("not worse than x by more than 5 % in mean_absolute_error", 32, "no such unit here: %"),
        ("not worse than x by more than 1.5 in accuracy", 30, "1.5 is more than all"),
        ("not worse than x by more than 0.01 (pair)", 36, "expected (paired), got (pair)"),
    ],
)
def test_a_mistake_is_told_at_its_place(line: str, at: int, what: str) -> None:
    with pytest.raises(GateMistake) as caught:
        parse_gate(line)
    assert what in caught.value.what
    assert caught.value.at == at


@given(st.text(max_size=60) | st.from_regex(r"(accuracy|f1\[a\]|latency|not worse than a by more than) ?[<>=(]* ?.*"))
def test_any_line_is_a_gate_or_a_mistake_within_it(line: str) -> None:
    try:
        found = parse_gate(line)
    except GateMistake as mistake:
        assert 0 <= mistake.at <= len(line)
        assert mistake.what
    else:
        assert found.value >= 0


def test_every_figure_is_one_that_some_model_has() -> None:
    kinds = (Metrics, OrderedMetrics, SeveralMetrics, NumberMetrics)
    fields = {name for kind in kinds for name in kind.__dataclass_fields__}
    assert set(OF_MODEL) <= fields
    assert set(COMPARABLE) == {*OF_ONE, *SEVERAL_COMPARED}
    assert set(SEVERAL_COMPARED) == set(COMPARED)


def test_a_test_is_found_by_its_name_or_by_a_part_of_several() -> None:
    names = ["negated praise", "negated blame", "praise"]
    assert matching_tests("Negated_Praise", names) == ["negated praise"]
    assert matching_tests("praise", names) == ["praise"]  # its own name goes before parts of others
    assert matching_tests("negated", names) == names[:2]
    assert matching_tests("", names) == names
    assert matching_tests("typos", names) == []


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [(0.0042, "seconds", "4.20 ms"), (2, "seconds", "2.00 s"), (20e6, "bytes", "20.0 MB"), (1234, "bytes", "1.2 KB")],
)
def test_values_are_written_for_people(value: float, unit: str, written: str) -> None:
    assert written_value(value, unit) == written  # type: ignore[arg-type]


def test_numbers_have_short_names_and_differences_of_any_size() -> None:
    assert parse_gate("mae <= 9 (upper bound)") == Threshold("mean_absolute_error", "", 9.0, "upper")
    assert parse_gate("rmse <= 1.5") == Threshold("root_mean_squared_error", "", 1.5)
    assert parse_gate("r2 >= 80 %") == Threshold("r2", "", 0.8)
    assert parse_gate("not worse than x by more than 5 (paired)") == NotWorse("x", 5.0, "", True)
    assert parse_gate("not worse than x by more than 5 in mae") == NotWorse("x", 5.0, "mean_absolute_error")
    assert [written_value(each, "number") for each in (8.8041, 9.0, 0.000123456, 1234567.0)] == [
        *("8.804", "9", "0.0001235", "1,235,000")
    ]
