"""`rnn config` and `rnn data`."""

import json
from pathlib import Path

import pytest
import yaml

from rnn_cli.config.describe import key_table
from rnn_cli.config.load import load_config, parse_override

from .conftest import Rnn, on_a_terminal

LISTS = [["config", "list"], ["config", "keys"], ["data", "list"]]


def test_list_names_every_recipe(rnn: Rnn) -> None:
    code, out, err = rnn("config", "list")
    assert (code, err) == (0, "")
    assert {"default", "quick"} <= {line for line in out.splitlines() if not line.startswith(" ")}


def test_keys_tells_every_key_with_default_type_and_meaning(rnn: Rnn) -> None:
    lines = rnn("config", "keys").out.splitlines()
    assert [line.partition(": ")[0] for line in lines[::2]] == [key.name for key in key_table()]
    assert lines[lines.index("training.epochs: 5") + 1] == (
        "    A whole number (at least 1). The maximum number of passes over the training rows."
    )


def test_what_show_prints_is_a_config(rnn: Rnn, home: Path) -> None:
    code, out, err = rnn("config", "show", "quick", "--set", "training.epochs=2")
    assert (code, err) == (0, "")
    (home / "my.yaml").write_text(out)
    assert load_config("my.yaml") == load_config("quick", [*map(parse_override, ["training.epochs=2"])])
    assert rnn("config", "show", "my.yaml").out == out


def test_show_tells_all_mistakes_a_line_each(rnn: Rnn, home: Path) -> None:
    (home / "my.yaml").write_text("training: {epohcs: 3, batch_size: 0}\n")
    code, out, err = rnn("config", "show", "my.yaml", "--set", "model.cell=lstn")
    assert (code, out) == (2, "")
    assert err.count("\n") == 3
    assert all(line.startswith("Error: ") for line in err.splitlines())


def test_schema_is_json_and_knows_the_sections(rnn: Rnn) -> None:
    schema = json.loads(rnn("config", "schema").out)
    assert set(schema["properties"]) == set(yaml.safe_load(rnn("config", "show").out))


def test_data_list_names_every_set_and_its_licence(rnn: Rnn) -> None:
    from rnn_cli.data.builtin import BUILTIN

    out = rnn("data", "list").out
    for known in BUILTIN.values():
        assert f"{known.name}: {known.rows:,} rows; {', '.join(known.labels)}\n" in out
        assert known.description in out and known.licence in out


@pytest.mark.parametrize("words", LISTS)
def test_in_a_pipe_a_list_is_plain(words: list[str], rnn: Rnn) -> None:
    out = rnn(*words).out
    assert "\x1b" not in out
    assert not [line for line in out.splitlines() if line != line.rstrip()]


@pytest.mark.parametrize("words", LISTS)
def test_on_a_terminal_a_list_wraps_between_words(words: list[str]) -> None:
    shown, ended = on_a_terminal(*words, columns=80)
    assert ended.code == 0
    lines = shown.splitlines()
    assert len(lines) > 4 and all(len(line) <= 80 for line in lines)
