"""How labelled files are read is said in plain words, by every command that reads some."""

import json
import re
from pathlib import Path

import pytest

import rnn_cli
from rnn_cli.cli.options import COLUMNS, option_of, shell_hint
from rnn_cli.config.load import load_config
from rnn_cli.errors import Setting

from .conftest import Rnn, tiny_overrides

HOW = ["--text-column", "what", "--label-column", "0", "--delimiter", ";"]


@pytest.fixture
def odd(labelled_file: Path, home: Path) -> str:
    """The labelled file with other names for its columns, a number among them, and another delimiter."""
    _, *rows = labelled_file.read_text().splitlines()
    pairs = [row.rsplit(",", 1) for row in rows]
    lines = ["what;0", *(f"{text.replace(';', ' ')};{label}" for text, label in pairs)]
    (home / "odd.csv").write_text("\n".join(lines) + "\n")
    return "odd.csv"


@pytest.mark.parametrize(
    "words",
    [
        ["data", "check", "odd.csv", "--json"],
        ["init", "odd.csv", "--force"],
        ["evaluate", "--data", "odd.csv", "--json"],
        ["compare", "runs/latest", "runs/latest", "--data", "odd.csv", "--json"],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_each_command_reads_by_the_same_options(words: list[str], odd: str, newest: Path, rnn: Rnn) -> None:
    code, _, err = rnn(*words, *HOW)
    assert code == 0, err
    for option in (*map(option_of, set(COLUMNS) - {"header"}), "--no-header"):
        assert option in rnn(*words[: 2 if words[0] == "data" else 1], "--help").out
    code, out, err = rnn(*words)
    if words[0] == "data":  # which reads on, and tells it among what it finds
        columns = next(each for each in json.loads(out)["findings"] if each["name"] == "columns")
        assert code == 0 and columns["hint"] == "use text_column=what label_column=0"
        assert "→ use --text-column what --label-column 0\n" in rnn(*(each for each in words if each != "--json")).out
    else:
        assert code == 2 and "use --text-column what --label-column 0" in err and "--set" not in err


def test_a_file_is_trained_on_with_the_config_that_init_writes(
    odd: str, rnn: Rnn, home: Path, tiny: dict[str, dict[str, object]]
) -> None:
    code, _, err = rnn("train", odd, *HOW, *tiny_overrides(tiny))
    assert code == 0 and "no config is given for odd.csv, so this is the one rnn init writes" in err
    assert json.loads((home / "runs/odd-1/manifest.json").read_text())["data"]["run"]["recipe"] == "quick"
    config = load_config(str(home / "runs" / "latest" / "config.yaml"))
    assert (config.data.text_column, config.data.label_column, config.data.delimiter) == ("what", "0", ";")
    assert Path(config.data.source).name == "odd.csv" and (home / "runs" / "odd-1").is_dir()


def test_an_option_and_a_setting_of_one_key_are_refused(odd: str, rnn: Rnn) -> None:
    code, _, err = rnn("data", "check", odd, "--text-column", "what", "--set", "data.text_column=what")
    assert (code, err) == (2, "Error: --set data.text_column=what: --text-column says it, too; leave one out\n")


def test_what_is_wrong_with_an_option_names_the_option(odd: str, rnn: Rnn) -> None:
    code, _, err = rnn("data", "check", odd, "--delimiter", "ab")
    assert (code, err) == (2, 'Error: --delimiter ab: expected one character or null, got "ab"\n')


@pytest.mark.parametrize(
    "words",
    [
        ["evaluate", "--labels", "good"],
        ["evaluate", "--include-seen"],
        ["evaluate", "--no-header"],
        ["compare", "runs/latest", "runs/latest", "--labels", "good"],
    ],
    ids=" ".join,
)
def test_what_is_about_data_asks_for_it_by_its_option(words: list[str], newest: Path, rnn: Rnn) -> None:
    code, out, err = rnn(*words)
    option = next(word for word in words if word.startswith("--")).replace("--no-", "--")
    assert (code, out) == (2, "")
    assert err.startswith(f"Error: {option} ") and err.endswith("; add --data FILE\n")


def test_a_setting_is_named_as_the_caller_writes_it() -> None:
    both = Setting("resume", "True", "go on with {}", more=(Setting("force", "True", ", or start again with {}"),))
    assert (str(both), shell_hint(both)) == (
        "go on with resume=True, or start again with force=True",
        "go on with --resume, or start again with --force",
    )
    name = Setting("ray_address", text="check {}")
    assert (str(name), shell_hint(name)) == ("check ray_address", "check --ray-address")
    key = Setting("training.class_weight", "balanced", "try {}")
    assert (str(key), shell_hint(key)) == (
        "try class_weight=balanced",
        "try --set training.class_weight=balanced",
    )


def test_python_s_errors_name_no_options() -> None:
    """A hint with an option that has a counterpart in Python is a `Setting`, which each side words."""
    shared = ("force", "out", "output", "data", "model", "threads", "precision", "format", "rejects", "report", "plots")
    hint = re.compile(rf"hint ?=.*--({'|'.join(shared)})\b")
    inner = [
        file for file in Path(rnn_cli.__file__).parent.rglob("*.py") if file.parent.name not in ("cli", "inspection")
    ]
    lines = [(file.name, line) for file in inner for line in file.read_text(encoding="utf-8").splitlines()]
    assert not [each for each in lines if hint.search(each[1]) and "rnn export" not in each[1]]
