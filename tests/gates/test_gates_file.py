"""Files of gates: what they hold, and all their mistakes by line and column."""

import pytest

from rnn_cli.errors import ConfigError
from rnn_cli.gates.gates_file import load_gates, parse_gates
from rnn_cli.gates.grammar import Threshold


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_gates(text, "gates.yaml")
    return [str(each) for each in caught.value.mistakes]


def test_a_list_of_lines_will_do() -> None:
    found = parse_gates("- accuracy >= 0.9  # a remark\n- 'f1[a: b] >= 0.8'\n", "gates.yaml")
    assert [each.line for each in found.gates] == ["accuracy >= 0.9", "f1[a: b] >= 0.8"]
    assert (found.golden, found.behaviour, found.labels) == (None, None, {})


def test_names_a_golden_set_and_behaviour_tests() -> None:
    found = parse_gates(
        "golden: golden.csv\nbehaviour: cases.yaml\nlabels: {positive: good}\n"
        "gates:\n  - name: refunds are found\n    gate: recall[refund] >= 0.8\n",
        "gates.yaml",
    )
    assert (found.golden, found.behaviour, dict(found.labels)) == ("golden.csv", "cases.yaml", {"positive": "good"})
    (gate,) = found.gates
    assert (gate.name, gate.gate, gate.where) == (
        "refunds are found",
        Threshold("recall", "refund", 0.8),
        "gates.yaml:6",
    )


def test_a_golden_set_alone_is_enough_and_nothing_is_not() -> None:
    assert parse_gates("golden: golden.csv\n", "gates.yaml").gates == ()
    assert mistakes("[]") == ["gates.yaml: has no gate; write one, such as accuracy >= 0.9"]
    assert mistakes("") == [
        "gates.yaml: expected a list of gates, or the keys gates, golden, within, behaviour, labels, got null"
    ]


def test_all_mistakes_are_told_with_line_and_column() -> None:
    told = mistakes(
        "gatez: []\n"
        "golden: 5\n"
        "labels: [a]\n"
        "gates:\n"
        "  - acuracy >= 0.9\n"
        "  - 'accuracy <= 0.9'\n"
        "  - {name: x, gat: y}\n"
        "  - {name: x}\n"
        "  - 5\n"
        "  - name: fast\n"
        "    gate: latency <= 5\n"
    )
    heads = [each.partition(": ")[0] for each in told]
    assert heads == [
        "gates.yaml:1",
        "gates.yaml:5:5",
        "gates.yaml:6:15",
        "gates.yaml:7",
        "gates.yaml:8",
        "gates.yaml:9",
        "gates.yaml:11:23",
        "gates.yaml:2",
        "gates.yaml:3",
    ]
    assert "did you mean gates?" in told[0]
    assert "did you mean accuracy?" in told[1]


def test_two_gates_of_one_name_are_refused() -> None:
    (told,) = mistakes("- accuracy >= 0.9\n- accuracy  >= 0.9\n")
    assert told == "gates.yaml:2: the name 'accuracy >= 0.9' is that of gates.yaml:1, too"


def test_lines_from_a_program_are_numbered() -> None:
    assert [each.line for each in load_gates(["accuracy >= 0.9", "size <= 1 MB"]).gates] == [
        "accuracy >= 0.9",
        "size <= 1 MB",
    ]
    with pytest.raises(ConfigError, match="^gate 2: size <= 1: expected a number in KB, MB, GB$"):
        load_gates(["accuracy >= 0.9", "size <= 1"])


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match="none.yaml: cannot be read"):
        load_gates("none.yaml")
