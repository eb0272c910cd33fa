"""How two configs differ, key by key."""

from rnn_cli.config.load import load_config, parse_override
from rnn_cli.config.schema import Config


def changed(*settings: str) -> Config:
    return load_config("quick", [parse_override(each) for each in settings])


def test_equal_configs_differ_in_nothing() -> None:
    assert changed().differences(changed()) == {}


def test_a_key_within_a_section_within_a_section_is_named() -> None:
    one, other = changed("training.early_stopping.patience=7"), changed("training.early_stopping.patience=3")
    assert one.differences(other) == {"training.early_stopping.patience": (7, 3)}


def test_a_section_that_one_config_lacks_differs_as_a_whole() -> None:
    with_it, without = changed("training.early_stopping={patience: 7}"), changed("training.early_stopping=null")
    assert without.differences(with_it) == {"training.early_stopping": (None, {"patience": 7, "monitor": "loss"})}


def test_values_under_names_of_ones_own_differ_as_a_whole_unless_the_names_agree() -> None:
    one, other = changed("training.class_weight={a: 2}"), changed("training.class_weight={b: 3}")
    assert one.differences(other) == {"training.class_weight": ({"a": 2.0}, {"b": 3.0})}
    same = changed("training.class_weight={a: 3}")
    assert one.differences(same) == {"training.class_weight.a": (2.0, 3.0)}
