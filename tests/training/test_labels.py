"""The order of labels and their weights."""

import os
import subprocess
import sys
from collections.abc import Sequence
from itertools import permutations

import pytest

from rnn_cli.config.schema import Config
from rnn_cli.errors import ConfigError
from rnn_cli.training.encoding import label_weights, order_labels

ODD = ["01", "1", "1.0", "001", "nan", "NaN", "inf", "-inf", "1e400", "10", "9", "b", "B", "é", ""]


def test_labels_in_order() -> None:
    assert order_labels(["yes", "no", "yes"], None) == ("no", "yes")
    assert order_labels(["10", "9", "9"], None) == ("9", "10")
    assert order_labels(["yes", "no"], "no") == ("yes", "no")
    assert order_labels(["yes", "no"], "yes") == ("no", "yes")
    assert order_labels(["b", "c", "a"], None) == ("a", "b", "c")
    with pytest.raises(ConfigError, match="data.positive_label: 'maybe' is not in the data; use no or yes"):
        order_labels(["yes", "no"], "maybe")
    with pytest.raises(ConfigError, match="data.positive_label: is for two labels, the data has 3"):
        order_labels(["a", "b", "c"], "a")


@pytest.mark.parametrize(
    "ordered",
    [
        ("9", "10"),
        ("-1", "0", "0.5", "2", "1e3"),
        ("001", "01", "1", "1.0", "2"),
        ("10", "nan"),
        ("10", "NaN", "inf", "nan"),
        ("5", "-inf", "1e400", "inf", "nan"),
        ("7", "", "B", "b"),
    ],
)
def test_numbers_go_by_value_before_all_else_by_spelling(ordered: tuple[str, ...]) -> None:
    for labels in permutations(ordered):
        assert order_labels(labels, None) == ordered


def test_the_order_is_the_same_in_every_process() -> None:
    code = f"from rnn_cli.training.encoding import order_labels; print(ascii(order_labels({ODD!r}, None)))"
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONUTF8": "1"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2", "3")
    }
    assert told == {ascii(order_labels(ODD, None)) + "\n"}


def weights(chosen: object, rows: Sequence[str] = ["a"] * 9 + ["b"] * 3) -> dict[str, float]:
    training = Config.model_validate({"training": {"class_weight": chosen}}).training
    return label_weights(rows, ("a", "b"), training)


def test_class_weights() -> None:
    assert weights(None) == {"a": 1, "b": 1}
    assert weights("balanced") == {"a": pytest.approx(12 / 18), "b": pytest.approx(2)}
    assert weights({"b": 5}) == {"a": 1, "b": 5}


def test_balanced_weights_are_one_a_row_on_average() -> None:
    rows = ["a"] * 7 + ["b"] * 4
    each = weights("balanced", rows)
    assert sum(each[label] for label in rows) == pytest.approx(len(rows))
    assert each["a"] * 7 == pytest.approx(each["b"] * 4)


def test_a_weight_for_no_label_of_the_data() -> None:
    with pytest.raises(ConfigError) as refused:
        weights({"d": 1, "a": 2, "c": 1})
    assert tuple(map(str, refused.value.mistakes)) == (
        "training.class_weight.c: not a label of the data (a, b)",
        "training.class_weight.d: not a label of the data (a, b)",
    )
