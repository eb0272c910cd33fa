"""What Tab completes, asked by a real bash; and that it is quick and all that it should be."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from rnn_cli.cli import completers
from rnn_cli.cli.completers import COMPLETERS, builtin_sets, complete_keys, complete_recipes
from rnn_cli.cli.main import cli
from rnn_cli.config import load
from rnn_cli.config.describe import key_table, schema_at
from rnn_cli.data.builtin import BUILTIN

from .conftest import COMMAND, Rnn

Complete = Callable[[str], list[str]]
needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")


@pytest.fixture
def complete(home: Path) -> Complete:
    """What bash would offer for the last word of a line, which it cuts at each = as its own reader does."""
    (home / "bin").mkdir()
    program = home / "bin" / "rnn"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(COMMAND)} "$@"\n')
    program.chmod(0o755)
    script = subprocess.run([program, "completion", "bash"], capture_output=True, text=True, check=True).stdout

    def ask(line: str) -> list[str]:
        words = [piece for word in line.split(" ") for piece in _cut(word)]
        asked = f"COMP_WORDS=({shlex.join(words)}); COMP_CWORD={len(words) - 1}"
        # Outside of a prompt bash has no compopt.
        called = f"compopt() {{ :; }}\n{script}\n{asked}; COMPREPLY=(); _rnn_completion rnn\n"
        called += 'printf "%s\\n" "${COMPREPLY[@]}"'
        environment = os.environ | {"PATH": f"{program.parent}:{os.environ['PATH']}"}
        ended = subprocess.run(["bash", "-c", called], capture_output=True, text=True, env=environment, timeout=60)
        assert (ended.returncode, ended.stderr) == (0, "")
        return ended.stdout.split()

    return ask


def _cut(word: str) -> list[str]:
    before, equals, after = word.partition("=")
    return [before, equals, *(_cut(after) if after else [])] if equals else [word]


@needs_bash
def test_bash_is_told_that_the_program_has_this_completion(rnn: Rnn) -> None:
    script = rnn("completion", "bash").out
    asked = f"{script}\ncomplete -p rnn"
    ended = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "complete -o nosort -F _rnn_completion rnn\n"
    assert completers.VARIABLE in script and "compopt -o nospace" in script


@needs_bash
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("rnn tr", ["train"]),
        ("rnn runs r", ["rm"]),
        ("rnn runs --s", ["--sort"]),
        ("rnn runs --sort acc", ["accuracy"]),
        ("rnn train --no", ["--no-baseline"]),
        ("rnn train --qui", ["--quiet"]),
        ("rnn train qu", ["quick"]),
        ("rnn train m", ["mine.yaml", "more/"]),
        ("rnn train more/", ["more/deep.csv", "more/deep.yml", "more/less/"]),
        ("rnn config show cla", ["classic"]),
        ("rnn train --set data.t", ["data.text_column=", "data.test=", "data.transductive=", "data.time_column="]),
        ("rnn train --set data.format=", ["csv", "tsv", "jsonl", "parquet", "xlsx"]),
        ("rnn train --set data.format=t", ["tsv"]),
        ("rnn train --set=data.format=t", ["tsv"]),
        ("rnn train --set training.epochs=2 --set model.bidirectional=", ["true", "false"]),
        ("rnn train quick --set data.source=ro", ["rotten_tomatoes", "rows.csv"]),
        ("rnn train quick --set data.test=ro", ["rows.csv"]),
        ("rnn train quick ro", ["rotten_tomatoes", "rows.csv"]),
        ("rnn train --set model.embeddings=o", ["own"]),
        ("rnn train --set training.epochs=", []),
        ("rnn evaluate --set training", []),
        ("rnn data check --set tokenizer.lev", ["tokenizer.level="]),
        ("rnn evaluate --data sa", ["sample"]),
        ("rnn data check ro", ["rotten_tomatoes", "rows.csv"]),
        ("rnn init ro", ["rotten_tomatoes", "rows.csv"]),
        ("rnn score ro", ["rows.csv"]),
        ("rnn predict --model ", ["runs/latest", "runs/quick-1"]),
        ("rnn evaluate --model mo", ["more/"]),
        ("rnn inspect neighbours --model runs/q", ["runs/quick-1"]),
        ("rnn inspect behaviour m", ["mine.yaml", "more/"]),
        ("rnn compare runs/quick-1 runs/q", ["runs/quick-1"]),
        ("rnn train --from ", ["runs/quick-1", "runs/quick-2.unfinished"]),
        ("rnn train --resume ", ["runs/quick-2.unfinished"]),
        ("rnn runs rm ", ["quick-1", "quick-2.unfinished"]),
        ("rnn runs rm quick-1 runs/quick-2", ["runs/quick-2.unfinished"]),
        ("rnn completion f", ["fish"]),
        ("rnn predict a", []),
    ],
)
def test_bash_offers(line: str, offered: list[str], complete: Complete, newest: Path, home: Path) -> None:
    for file in ("mine.yaml", "more/deep.yml", "more/deep.csv", "more/less/x", "rows.csv", "two words.yaml", "runs/x"):
        (home / file).parent.mkdir(parents=True, exist_ok=True)
        (home / file).touch()
    (home / "runs/quick-2.unfinished").mkdir()
    assert complete(line) == offered


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_whole_words(shell: str, rnn: Rnn, process: Rnn) -> None:
    script = rnn("completion", shell)
    assert (script.code, script.err) == (0, "") and "rnn" in script.out and completers.VARIABLE in script.out
    words = {"COMP_WORDS": "rnn train --set data.format=t", "COMP_CWORD": "3" if shell == "zsh" else "data.format=t"}
    found = process(_RNN_COMPLETE=f"{shell}_complete", **words)
    assert (found.code, found.err) == (0, "")
    assert "data.format=tsv" in found.out.replace(",", "\n").splitlines()


def test_another_shell_is_refused(rnn: Rnn) -> None:
    code, out, err = rnn("completion", "csh")
    assert (code, out, err.count("\n")) == (2, "", 1)


def test_help_says_how_to_install_it(rnn: Rnn) -> None:
    out = rnn("completion", "--help").out
    assert """echo 'eval "$(rnn completion bash)"' >> ~/.bashrc""" in out and len(out.splitlines()) < 30


def test_what_is_read_off_the_source_is_what_there_is() -> None:
    assert [key.name for key in complete_keys()] == [key.name for key in key_table()]
    assert builtin_sets() == list(BUILTIN)
    assert complete_recipes() == list(load.recipes())
    for key in complete_keys():
        schema = schema_at(key.name.split("."))
        options = schema.get("anyOf", [schema])
        values = [
            each for option in options for each in option.get("enum", [option["const"]] if "const" in option else [])
        ]
        values += ["true", "false"] * any(option.get("type") == "boolean" for option in options)
        assert list(key.values) == values, key.name


def commands(group: click.Group) -> Iterator[click.Command]:
    for command in group.commands.values():
        yield command
        yield from commands(command) if isinstance(command, click.Group) else ()


def test_each_argument_and_option_of_a_known_kind_is_completed() -> None:
    known = {"--model", "--set", "--from", "--resume", "--data", "--input"}
    for command in commands(cli):
        for param in command.params:
            if known & set(param.opts) or isinstance(param, click.Argument):
                completed = param.name in COMPLETERS or not isinstance(param.type, type(click.STRING))
                assert completed or param.name in {"text", "texts", "word"}, (command.name, param.name)


def test_completing_loads_nothing_but_click(newest: Path) -> None:
    program = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); " + COMMAND[-1]
    for line in (
        "rnn train --set data.f",
        "rnn train q",
        "rnn evaluate --data i",
        "rnn runs rm q",
        "rnn predict --model r",
    ):
        environment = {"_RNN_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
        ended = subprocess.run(
            [sys.executable, "-c", program], env=os.environ | environment, capture_output=True, text=True, timeout=60
        )
        assert ended.returncode == 0 and ended.stdout.strip()
        assert not set(ended.stderr.split()) & {
            "pydantic",
            "yaml",
            "numpy",
            "rich",
            "onnxruntime",
            "tensorflow",
            "asyncio",
        }
