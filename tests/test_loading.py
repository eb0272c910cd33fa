"""YAML and overrides to a Config: what wins, what is refused, and how every mistake is told."""

import errno
import json
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from rnn_cli.config import load
from rnn_cli.config.describe import key_table
from rnn_cli.config.load import load_config, parse_override, recipes, to_yaml
from rnn_cli.config.schema import Config, Cost, CostGoal, DecisionConfig, EarlyStopping, TeacherConfig
from rnn_cli.errors import ConfigError


def parse_config(text: str, where: str, overrides: Sequence[str] = ()) -> Config:
    return load.parse_config(text, where, [*map(parse_override, overrides)])


def mistakes(text: str, *overrides: str) -> list[str]:
    """The mistakes of a config, without the place where they all stand in the file."""
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "f.yaml", overrides)
    assert str(caught.value) == "\n".join([str(each) for each in caught.value.mistakes])
    return [mistake.removeprefix("f.yaml: ") for mistake in [str(each) for each in caught.value.mistakes]]


# ---- recipes and sources


def test_recipes_are_found() -> None:
    assert "default" in recipes()


@pytest.mark.parametrize("name", recipes())
def test_each_recipe_loads(name: str) -> None:
    assert isinstance(load_config(name), Config)


def test_without_a_source_it_is_the_default_recipe() -> None:
    assert load_config(None) == load_config("default")


def test_a_file_may_have_any_name_and_goes_before_a_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("default").mkdir()
    assert load_config("default") == load_config(None)  # a folder is no config
    Path("default").rmdir()
    Path("default").write_text("training: {epochs: 77}")
    assert load_config("default").training.epochs == 77


def test_an_unknown_name_lists_the_recipes() -> None:
    with pytest.raises(
        ConfigError, match=r"^defalt: no such file or recipe; did you mean default\? recipes: .*default"
    ):
        load_config("defalt")
    with pytest.raises(ConfigError, match="no such file or recipe"):
        load_config("x" * 5000)
    with pytest.raises(ConfigError, match="no such file or recipe"):
        load_config("")


def test_sources_that_are_no_text(tmp_path: Path) -> None:
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("# one\ndata: {text_column: é}".encode("latin-1"))
    large = tmp_path / "large.yaml"
    large.write_bytes(b"#" * 1_000_001)
    for source, what in (
        (tmp_path, "is a directory"),
        (latin, "latin.yaml:2: not UTF-8 (byte 0xe9)"),
        (large, "larger than 1,000,000 bytes"),
    ):
        with pytest.raises(ConfigError) as caught:
            load_config(str(source))
        assert what in str(caught.value) and str(caught.value).startswith(str(source))


def test_an_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    file = tmp_path / "locked.yaml"
    file.touch()
    monkeypatch.setattr(Path, "open", refused)  # and not chmod: root may read everything
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(str(file))


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    file = tmp_path / "bom.yaml"
    file.write_bytes(b"\xef\xbb\xbftraining: {epochs: 3}")
    assert load_config(str(file)).training.epochs == 3


# ---- what wins


@pytest.mark.parametrize("text", ["", "# nothing\n", "training:\n", "data:\nmodel:\n", "{}"])
def test_nothing_given_is_all_defaults(text: str) -> None:
    assert parse_config(text, "f.yaml") == Config()


def test_overrides_go_over_the_file_and_later_ones_over_earlier() -> None:
    config = parse_config(
        "training: {epochs: 3, batch_size: 8}\nmodel: {units: [5]}",
        "f.yaml",
        ["training.epochs=4", "training.epochs=6", "model.units=[32, 32]", " data.split_seed = 9"],
    )
    assert (config.training.epochs, config.training.batch_size) == (6, 8)
    assert config.model.units == [32, 32]
    assert config.data.split_seed == 9


def test_an_override_makes_the_sections_it_needs() -> None:
    config = parse_config("training: {early_stopping: null}", "f.yaml", ["training.early_stopping.patience=7"])
    assert config.training.early_stopping == EarlyStopping(patience=7)
    assert parse_config("", "f.yaml", ["training.early_stopping="]).training.early_stopping is None


def test_an_override_replaces_a_whole_value() -> None:
    config = parse_config("training: {class_weight: {a: 2}}", "f.yaml", ["training.class_weight={b: 3}"])
    assert config.training.class_weight == {"b": 3.0}


@pytest.mark.parametrize("sign", [",", ";", "|", ":", "\t", "-", "#"])
def test_a_single_sign_is_itself(sign: str) -> None:
    assert parse_config("", "f.yaml", [f"data.delimiter={sign}"]).data.delimiter == sign


@pytest.mark.parametrize("written", ["1e-5", "1E-5", "1.0e-5", "0.00001", "'1e-5'"])
def test_numbers_however_written(written: str) -> None:
    assert parse_config(f"training: {{learning_rate: {written}}}", "f.yaml").training.learning_rate == 1e-5
    assert parse_config("", "f.yaml", [f"data.validation={written}"]).data.validation == 1e-5


@pytest.mark.parametrize(
    ("written", "value"),
    [("0o10", 8), ("0x1F", 31), ("+1", 1), ("7.", 7), ("1e5", 100_000), ("'12'", 12), ("1.5e+1", 15)],
)
def test_a_number_is_the_core_schema_s(written: str, value: int) -> None:
    assert parse_config(f"training: {{epochs: {written}}}", "f.yaml").training.epochs == value
    assert parse_config("", "f.yaml", [f"training.epochs={written}"]).training.epochs == value


@pytest.mark.parametrize("written", [".5", "0.5", "5e-1", "+.5", "'.5'"])
def test_a_share_is_the_core_schema_s(written: str) -> None:
    assert parse_config(f"model: {{dropout: {written}}}\ndata: {{test: {written}}}", "f.yaml").data.test == 0.5


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("010", "got 010; write 10"),
        ("-007", "got -007; write -7"),
        ("1_000", 'got "1_000"; write 1000'),
        ("'010'", 'got "010"; write 10'),
        ("1:30", 'got "1:30"'),
        ("0b1", 'got "0b1"'),
        ("2020-01-01", 'got "2020-01-01"'),
        ("on", 'got "on"'),
        ("True", "got true"),
        ("~", "got null"),
        ("Null", "got null"),
        (".NaN", "got .NaN"),
        ("'\u0663'", 'got "\u0663"'),  # a digit of another script, which int() would take
    ],
)
def test_what_is_another_number_for_some_reader_is_refused_as_it_stands(written: str, told: str) -> None:
    [mistake] = mistakes(f"training: {{epochs: {written}}}")
    assert mistake == f"training.epochs: expected a whole number (at least 1), {told}"
    [mistake] = mistakes("", f"model.units=[{written}]")
    assert mistake.endswith(f"model.units.0: expected a whole number (at least 1), {told}")


PLAIN = "yes No on OFF y 010 1:30 1_000 2020-01-01 0b1 0o10 0x1F .5 1. 1.0 1e5 1e-5 +1 .inf .NaN = <<".split()


@pytest.mark.parametrize("label", PLAIN)
def test_a_label_is_what_is_seen(label: str) -> None:
    config = parse_config(f"data: {{positive_label: {label}}}\ntraining: {{class_weight: {{{label}: 2}}}}", "f.yaml")
    assert (config.data.positive_label, config.training.class_weight) == (label, {label: 2})
    config = parse_config("", "f.yaml", [f"data.positive_label={label}", f"training.class_weight={{{label}: 2}}"])
    assert (config.data.positive_label, config.training.class_weight) == (label, {label: 2})


@pytest.mark.parametrize("label", ["true", "FALSE", "null", "~", "010", "10", "1", "01"])
def test_a_label_is_a_key_as_it_is_written(label: str) -> None:
    found = parse_config(f"training: {{class_weight: {{{label}: 2, 'x': 1}}}}", "f.yaml").training.class_weight
    assert found == {label: 2, "x": 1}


@pytest.mark.parametrize("name", PLAIN)
def test_a_column_is_what_is_seen_or_refused_as_it_stands(name: str) -> None:
    try:
        config = parse_config(f"data: {{text_column: {name}}}", "f.yaml")
    except ConfigError as error:
        assert str(error) == f"f.yaml: data.text_column: expected text or null, got {name}; quote it"
        config = parse_config(f"data: {{text_column: '{name}'}}", "f.yaml")
    assert config.data.text_column == name


@pytest.mark.parametrize("written", ["yes", "on", "true", "TRUE"])
def test_what_is_yes_or_no_is_that(written: str) -> None:
    assert parse_config(f"data: {{strip_nul: {written}}}", "f.yaml").data.strip_nul
    assert parse_config("", "f.yaml", ["model.bidirectional=no"]).model.bidirectional is False


@pytest.mark.parametrize(
    ("written", "column"),
    [
        ("0", "0"),
        ('"0"', "0"),
        ("'0'", "0"),
        ("text ", "text "),
        ("#note", "#note"),
        ("*a: [b", "*a: [b"),
        ("true", "true"),
        ("null", None),
        ("~", None),
        ("", None),
    ],
)
def test_a_text_in_an_override_is_taken_as_typed(written: str, column: str | None) -> None:
    assert load_config(None, [parse_override(f"data.label_column={written}")]).data.label_column == column


# ---- mistakes


def test_all_mistakes_are_told_together_in_order() -> None:
    text = "model: {units: [1, x]}\ntraining: {epochs: 0}\nmodels: 1"
    assert mistakes(text, "epochs", "data.test=true", "training.seed=[1") == [
        "--set epochs: expected KEY=VALUE, such as training.epochs=2",
        "--set training.seed=[1: expected ',' or ']', but got '<stream end>'",
        "--set data.test=true: data.test: expected a number (at least 0 and below 1) or text, got true",
        'model.units.1: expected a whole number (at least 1), got "x"',
        "training.epochs: expected a whole number (at least 1), got 0",
        "models: no such key; did you mean model?",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("training: {epochs: 1.5}", "training.epochs: expected a whole number (at least 1), got 1.5"),
        ("training: {epochs: }", "training.epochs: expected a whole number (at least 1), got null"),
        ("training: {epochs: yes}", 'training.epochs: expected a whole number (at least 1), got "yes"'),
        ("training: {epochs: true}", "training.epochs: expected a whole number (at least 1), got true"),
        ("data: {positive_label: TRUE}", "data.positive_label: YAML reads this as true; quote it if it is a label"),
        ("training: {learning_rate: .inf}", "training.learning_rate: expected a number (above 0), got .inf"),
        ("training: {learning_rate: 1e999}", "training.learning_rate: expected a number (above 0), got 1e999"),
        ("model: {dropout: 1}", "model.dropout: expected a number (at least 0 and below 1), got 1"),
        ("model: {pooling: min}", 'model.pooling: expected one of last, max, mean, max_mean, got "min"'),
        ("model: {bidirectional: maybe}", 'model.bidirectional: expected true or false, got "maybe"'),
        ("model: {units: 3}", "model.units: expected a list, each a whole number (at least 1), not empty, got 3"),
        ("model: {units: []}", "model.units: expected a list, each a whole number (at least 1), not empty, got []"),
        ("model: 5", "model: expected keys of its own (kind, base, "),
        ("data: {delimiter: ab}", 'data.delimiter: expected one character or null, got "ab"'),
        ("data: {validation: 1.5}", "data.validation: expected a number (above 0 and below 1) or text, got 1.5"),
        ("data: {validation: 1e2}", "data.validation: expected a number (above 0 and below 1) or text, got "),
        ("data: {test: false}", "data.test: expected a number (at least 0 and below 1) or text, got false"),
        ("training: {class_weight: {a: -1}}", "training.class_weight.a: expected a number (above 0), got -1"),
        ("training: {class_weight: {a: no}}", 'training.class_weight.a: expected a number (above 0), got "no"'),
        ("training: {class_weight: none}", "training.class_weight: expected balanced, {name: value}, each a number"),
        ("training: {early_stopping: 3}", "training.early_stopping: expected keys of its own (patience, monitor) or"),
        ("data: {validation: 0.5, test: 0.5}", "data: validation and test take all rows; leave some for training"),
        ("tokenizer: {level: char, punctuation: keep}", "tokenizer: punctuation: keep needs level: word; level: char "),
        ("tokenizer: {punctuation: all}", 'tokenizer.punctuation: expected one of drop, keep, got "all"'),
        ("model: {input: one_hot, embeddings: a}", "model: embeddings needs input: embedding"),
        ("model: {input: one_hot, embeddings: own}", "model: embeddings needs input: embedding"),
        ("model: {input: one_hot}\ntokenizer: {vocab_size: 999999}", "model.input: one_hot needs 47.7 GiB a batch"),
        ("training: {optimiser: adam}", "training.optimiser: no such key; did you mean training.optimizer?"),
        ("epochs: 3", "epochs: no such key; did you mean training.epochs?"),
        ("tokenizer: {epochs: 3}", "tokenizer.epochs: no such key; did you mean training.epochs?"),
        ("tokenizer: {patience: 3}", "tokenizer.patience: no such key; did you mean training.early_stopping.patience?"),
        ("training.epochs: 3", "training.epochs: no such key; write training: {epochs: ...}"),
        ("zzzz: 3", "zzzz: no such key; the keys here are data, tokenizer, model, training"),
        ("<<: {epochs: 3}", "<<: no such key"),
        ('"a\\nb": 3', '"a\\nb": no such key'),
        ("1: 3", "1: no such key"),
        ("- 1", "expected sections (data, tokenizer, model, training, decision), got [1]"),
        ("text", 'expected sections (data, tokenizer, model, training, decision), got "text"'),
    ],
)
def test_a_mistake_in_words(text: str, expected: str) -> None:
    [mistake] = mistakes(text)
    assert mistake.startswith(expected)
    assert "\n" not in mistake


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("data:\n  source: a\n  source: b", 'f.yaml:3:3: the key "source" appears twice, first in line 2'),
        ("data: &a {}\nmodel: *a", "f.yaml:1:7: anchors and aliases"),
        ("data: *a", "f.yaml:1:7: anchors and aliases"),
        ("data: !!python/object/apply:os.getcwd []", "f.yaml:1:7: tags"),
        ("data: !!int x", "f.yaml:1:7: tags"),
        ("data: {a", "f.yaml:1:9: expected ',' or '}'"),
        ("data:\n\tsource: a", "f.yaml:2:1: found character '\\t'"),
        ("data: 1\n---\ndata: 2", "f.yaml:2:1: expected a single document in the stream, but found another"),
        ("data: \n\x00", "f.yaml:2:1: the character '\\x00' is not allowed"),
        ("? [1]\n: 2", "f.yaml:1:3: a key must be a plain word"),
        ("data: " + "9" * 5000, "f.yaml:1:7: a number that cannot be read"),
        ("[" * 5000, "nested too deeply"),
    ],
)
def test_what_is_no_plain_yaml(text: str, expected: str) -> None:
    [mistake] = mistakes(text)
    assert mistake.startswith(expected)


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (
            ["training.epochs=x"],
            '--set training.epochs=x: training.epochs: expected a whole number (at least 1), got "x"',
        ),
        (["training.epochs=2", "training.epochs=0"], "--set training.epochs=0: training.epochs: expected a whole"),
        (["model.units=[1,x]"], "--set model.units=[1,x]: model.units.1: expected a whole number"),
        (["model={cells: gru}"], "--set model={cells: gru}: model.cells: no such key; did you mean model.cell?"),
        (["epochs=3"], "--set epochs=3: epochs: no such key; did you mean training.epochs?"),
        (["model.units.0=3"], "--set model.units.0=3: model.units is [7], which has no keys; set it as a whole"),
        (["model.dense_units.0=3"], "--set model.dense_units.0=3: model.dense_units: expected a list"),
        (["data.test=0.6"], "f.yaml with --set data.test=0.6: data: validation and test take all rows"),
        (["=3"], "--set =3: expected KEY=VALUE"),
        (["model..cell=gru"], "--set model..cell=gru: expected KEY=VALUE"),
        (["data.unlabelled=*a"], "--set data.unlabelled=*a: anchors and aliases"),
    ],
)
def test_a_mistake_in_an_override_names_it(overrides: list[str], expected: str) -> None:
    [mistake] = mistakes("model: {units: [7]}\ndata: {validation: 0.5}", *overrides)
    assert mistake.startswith(expected)


def test_a_mistake_that_an_override_mends_is_none() -> None:
    assert parse_config("training: {epochs: x}", "f.yaml", ["training.epochs=2"]).training.epochs == 2


YAMLISH = st.text(st.sampled_from("data: model\n-[]{}#&*!|>'\"%@`?,=<~0123456789.eE+_\t\x00é\ud7ff"), max_size=60)


@given(text=YAMLISH | st.text(), override=YAMLISH)
def test_any_text_is_a_config_or_mistakes(text: str, override: str) -> None:
    try:
        parse_config(text, "f.yaml", [override])
    except ConfigError as error:
        assert error.mistakes and all(mistake.what.strip() for mistake in error.mistakes)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 300) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from([key.name for key in key_table()]), VALUES, max_size=4))
def test_any_values_make_a_config_or_mistakes_of_these_keys(values: dict[str, object]) -> None:
    overrides = [f"{key}={yaml.safe_dump(value, default_flow_style=True)}" for key, value in values.items()]
    try:
        config = parse_config("", "f.yaml", overrides)
    except ConfigError as error:
        assert error.mistakes
    else:
        assert parse_config(to_yaml(config), "f.yaml") == config


# ---- out again


TAUGHT = ("data.unlabelled=more.txt", "model.ngrams=2")
"""What a teacher needs."""


def test_to_yaml_keeps_the_declared_order_and_reads_back_equal() -> None:
    config = parse_config(
        "{training: {class_weight: {'no': 2, '1': 3}, learning_rate: 1e-5}, decision: {goal: {cost: {}}}}",
        "f.yaml",
        ["data.source='null'", *TAUGHT, "training.teacher={}"],
    )
    written = to_yaml(config)
    assert parse_config(written, "g.yaml") == config
    left_out = "data.extra_columns"  # while there are none
    names = [key.name.rpartition(".")[2] for key in key_table() if key.name != left_out]
    lines = [line.split(":")[0].strip() for line in written.splitlines()]
    assert [line for line in lines if line in names] == names
    assert "units: [64, 64]" in written and "&" not in written


ODD = [
    "yes",
    "010",
    "1:30",
    "1_000",
    "2020-01-01",
    "~",
    "",
    " x",
    "x ",
    "1e5",
    "0o7",
    "y",
    "N",
    "true",
    "NULL",
    "=",
    "<<",
]
ODD += [
    "#",
    "a: b",
    "- a",
    "!a",
    "&a",
    "*a",
    "a #b",
    ".5",
    "0x1F",
    ".inf",
    "'",
    '"',
    "\n",
    "a\tb",
    "\x85",
    "\u2028",
    "x" * 200,
]
TEXTS = st.sampled_from(ODD) | st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)


@given(TEXTS, st.dictionaries(TEXTS, st.floats(1e-9, 1e9) | st.integers(1, 9), max_size=3), st.lists(TEXTS, max_size=2))
@example("yes", dict.fromkeys(ODD, 1.0), ODD)
def test_what_is_written_reads_back_the_same_by_every_reader(text: str, weights: Any, texts: list[str]) -> None:
    config = Config.model_validate(
        {
            "data": {"positive_label": text, "text_column": text, "unlabelled": [each or "x" for each in texts]},
            "training": {"class_weight": weights},
        }
    )
    for width in (110, math.inf):
        written = to_yaml(config, width)
        assert parse_config(written, "f.yaml") == config
        expected = config.to_dict()
        del expected["data"]["extra_columns"]  # left out while there are none
        assert yaml.safe_load(written) == expected
        assert YAML(typ="safe", pure=True).load(written) == expected


def test_the_key_table_holds_every_key_with_its_meaning() -> None:
    table = {key.name: key for key in key_table()}
    dumped = Config().to_dict()
    leaves = {f"{section}.{name}" for section, values in dumped.items() for name in values}
    nested = {f"training.early_stopping.{name}" for name in dumped["training"]["early_stopping"]}
    nested |= {f"training.teacher.{name}" for name in TeacherConfig.model_fields}
    of_the_goal = {f"decision.goal.{name}" for name in ("cost", "cost.false_positive", "cost.false_negative")}
    assert set(table) == leaves | nested | of_the_goal
    assert all(key.description.endswith(".") for key in table.values())
    assert table["model.units"][1:3] == ("a list, each a whole number (at least 1), not empty", "[64, 64]")
    assert table["tokenizer.level"][1:3] == ("one of word, char, sentence, subword", "word")
    assert table["training.clip_norm"][1:3] == ("a number (above 0) or null", "null")


@pytest.mark.parametrize("key", key_table(), ids=lambda key: key.name)
def test_each_default_in_the_table_is_that_keys_default(key: tuple[str, ...]) -> None:
    goal = CostGoal() if key[0].startswith("decision.goal.") else None
    needed = [*TAUGHT, "training.teacher={}"] if key[0].startswith("training.teacher.") else []
    without = parse_config("", "f.yaml", needed) if needed else Config(decision=DecisionConfig(goal=goal))
    assert parse_config("", "f.yaml", [*needed[:2], f"{key[0]}={key[2]}"]) == without


@pytest.mark.parametrize(
    ("goal", "expected"),
    [
        ("precision", "expected accuracy, f1, balanced_accuracy, precision >= 0.95, recall >= 0.9 (or other shares)"),
        ("precision >= 95", "expected accuracy, f1, balanced_accuracy, precision >= 0.95"),
        ("precision >= 1.5", "expected accuracy, f1"),
        ("5", "expected text, keys of its own (cost) or null, got 5"),
        ("{costs: {}}", "no such key; did you mean"),
        ("{cost: {false_positive: -1}}", "expected a number (at least 0), got -1"),
    ],
)
def test_a_goal_that_is_none(goal: str, expected: str) -> None:
    [mistake] = mistakes(f"decision: {{goal: {goal}}}")
    assert expected in mistake


@pytest.mark.parametrize(
    "goal",
    ["accuracy", "f1", "balanced_accuracy", "precision >= 0.95", "recall>=.9", "precision >= 1", "recall >= 1.0"],
)
def test_a_goal(goal: str) -> None:
    assert parse_config(f"decision: {{goal: {goal}}}", "f.yaml").decision.goal == goal


@pytest.mark.parametrize(
    ("decision", "expected"),
    [
        ("{goal: f1, threshold: 0.4}", "goal and threshold exclude each other"),
        ("{abstain: 0.1, abstain_error: 0.1}", "abstain and abstain_error exclude each other"),
        ("{threshold: 0}", "expected a number (above 0 and below 1) or null, got 0"),
    ],
)
def test_decisions_that_exclude_each_other(decision: str, expected: str) -> None:
    [mistake] = mistakes(f"decision: {decision}")
    assert expected in mistake


def test_a_cost_may_be_overridden_alone() -> None:
    found = parse_config("", "f.yaml", ["decision.goal.cost.false_negative=5"]).decision.goal
    assert found == CostGoal(cost=Cost(false_positive=1, false_negative=5))


def test_loading_imports_nothing_heavy() -> None:
    code = (
        "import sys, rnn_cli.config.load; print(sorted({'numpy', 'pandas', 'tensorflow', 'click'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_schema_is_json_schema_and_describes_every_key() -> None:
    """Pydantic writes bounds under names of its own when a validator stands in their way."""
    schema = Config.model_json_schema()
    written = json.dumps(schema)
    assert not any(f'"{name}":' in written for name in ("ge", "gt", "le", "lt"))
    assert schema["$defs"]["TrainingConfig"]["properties"]["epochs"]["minimum"] == 1
    for definition in (schema, *schema["$defs"].values()):
        for name, key in definition["properties"].items():
            definition_of = schema["$defs"].get(key.get("$ref", "").rpartition("/")[2], {})
            assert key.get("description") or definition_of.get("description"), name


def test_data_given_for_a_config_is_recognised() -> None:
    for name in ("tickets.csv", "a/b.JSONL.gz"):
        with pytest.raises(
            ConfigError, match=rf"^{name}: is data, not a config; use rnn train {name}, or name a config before it$"
        ):
            load_config(name)


def test_odd_characters_survive_a_resolved_config() -> None:
    config = Config.model_validate({"tokenizer": {"filters": "a\x85\u2028\ufeff \t\r\n'\"\u00e9"}})
    assert parse_config(to_yaml(config), "config.yaml") == config


def test_labels_are_spelled_as_in_data() -> None:
    assert Config.model_validate({"data": {"positive_label": 1.0}}).data.positive_label == "1"
    assert Config.model_validate({"training": {"class_weight": {1: 2}}}).training.class_weight == {"1": 2}


def test_numbers_beyond_any_use_are_refused() -> None:
    with pytest.raises(ConfigError, match="tokenizer.vocab_size: at most 2,147,483,647"):
        load_config(None, [parse_override("tokenizer.vocab_size=10000000000")])
