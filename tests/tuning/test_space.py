"""What is tried: the section `tune` of a config, its mistakes, and the space by default."""

from typing import Any

import numpy as np
import pytest

from rnn_cli.config.load import parse_config, recipes
from rnn_cli.config.schema import Config
from rnn_cli.errors import ConfigError
from rnn_cli.tuning.default_space import Facts, default_space
from rnn_cli.tuning.space import Choices, Range, Space, changed, parse_space

FACTS = Facts(rows=7_000, length=50, imbalance=1.0)


def short_text() -> Config:
    return parse_config(recipes()["short-text"].read_text(), "short-text")


def chosen(space: Space, seed: int) -> dict[str, Any]:
    chance = np.random.default_rng(seed)
    return space.choose(lambda _, values: values.draw(chance))


def test_a_condition_leaves_keys_out():
    given = {
        "model.kind": ["network", "linear"],
        "model.ngrams": [1, 2],
        "model.units": {"choices": [[32], [64]], "if": {"model.kind": "network"}},
    }
    space = parse_space(given, Config(), "a.yaml")
    for seed in range(20):
        settings = chosen(space, seed)
        assert ("model.units" in settings) == (settings["model.kind"] == "network")
    assert space.named({"model.kind": "linear", "model.ngrams": 2}) == {"model.kind": "linear", "model.ngrams": 2}
    assert space.named({"model.kind": "linear", "model.ngrams": 3}) is None


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("model.unit", [[1], [2]], "no such key; did you mean model.units?"),
        ("data.test", [0.1, 0.2], "must be the same for all trials"),
        ("training.folds", [2, 5], "must be the same for all trials"),
        ("model.units", [[32]], "at least two different values"),
        ("model.units", [[32], [32]], "at least two different values"),
        ("model.units", [[32], "many"], "a whole number"),
        ("model.dropout", {"low": 0.5, "high": 0.1}, "low must be below high"),
        ("model.dropout", {"low": 0.0, "high": 1.5}, "1.5"),
        ("training.learning_rate", {"low": 0, "high": 1, "log": True}, "low is above 0"),
        ("training.learning_rate", {"low": 0.1, "high": 1, "log": True, "step": 0.1}, "there is no step"),
        ("training.learning_rate", {"low": 0.1, "high": 1, "step": 2}, "step is a number above 0"),
        ("training.learning_rate", 0.1, "expected a list of choices"),
        ("training.learning_rate", {"min": 0.1, "max": 1}, "expected a list of choices"),
        ("model.dropout", {"low": 0.0, "high": 0.5, "if": {"model.kind": "network"}}, "must be tried, too"),
        ("model.dropout", {"low": 0.0, "high": 0.5, "if": {"model.cell": "rnn"}}, "is not among the values"),
    ],
)
def test_mistakes_are_named_with_their_keys(key: str, value: Any, told: str):
    given = {"model.cell": ["lstm", "gru"], key: value}
    with pytest.raises(ConfigError) as refused:
        parse_space(given, Config(), "a.yaml")
    (mistake,) = refused.value.mistakes
    assert told in mistake.what and (mistake.key, mistake.where) == (f"tune.{key}", "a.yaml")


@pytest.mark.parametrize("given", [None, [], {}, "all"])
def test_a_section_without_keys_is_no_space(given: object):
    with pytest.raises(ConfigError, match="expected keys with what to try"):
        parse_space(given, Config(), "a.yaml")


def test_training_does_not_read_the_section():
    assert parse_config("training: {epochs: 3}\ntune: {model.units: [[1], [2]]}", "a").training.epochs == 3


def test_a_range_draws_what_it_holds():
    chance = np.random.default_rng(1)
    for values in (Range(1, 9), Range(1, 9, step=2), Range(0.0, 0.6, step=0.1), Range(1e-4, 1e-1, log=True)):
        drawn = [values.draw(chance) for _ in range(200)]
        assert all(values.holds(each) for each in drawn)
        assert len({*drawn}) > 4
        assert all(isinstance(each, int) for each in drawn) == values.is_whole
    assert sorted({Range(1, 9, step=2).draw(chance) for _ in range(200)}) == [1, 3, 5, 7, 9]


@pytest.mark.parametrize("name", ["short-text", "default", "quick", "char", "accurate", "classic"])
def test_each_recipe_is_a_point_of_its_space_and_all_points_are_configs(name: str):
    config = parse_config(recipes()[name].read_text(), name)
    space = default_space(config, FACTS)
    assert space.named(space.of_config(config)) is not None
    for seed in range(25):
        settings = chosen(space, seed)
        assert changed(config, settings, "x").model.kind == settings["model.kind"]
        assert space.named(settings) is not None
    assert Space.from_list(space.to_list()) == space


def test_the_space_depends_on_the_rows():
    config = short_text()
    few, many, small, uneven = (
        {each.called: each.values for each in default_space(config, facts).dimensions}
        for facts in (
            Facts(300, 50, 1.0),
            FACTS,
            Facts(7_000, 50, 1.0, max_bytes=5_000_000),
            Facts(7_000, 200, 9.0),
        )
    )
    assert isinstance(few["model.units"], Choices) and [16] in few["model.units"].values
    assert isinstance(many["model.units"], Choices) and [128] in many["model.units"].values
    assert isinstance(small["model.ngram_buckets"], Choices) and 1 << 14 in small["model.ngram_buckets"].values
    assert "training.class_weight" in uneven and "training.class_weight" not in many
    assert "tokenizer.max_length" in uneven and "tokenizer.max_length" not in many


def test_a_base_is_tried_beside_a_network_of_its_own():
    space = default_space(short_text(), FACTS, base="general")
    for seed in range(30):
        settings = chosen(space, seed)
        assert ("model.units" in settings) == (settings["model.kind"] == "network" and settings["model.base"] is None)
        if settings["model.kind"] == "linear":
            assert "model.base" not in settings
