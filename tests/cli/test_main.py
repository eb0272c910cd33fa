"""The group itself: help, version, messages and exit codes that all commands share."""

import gzip
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from rnn_cli import __version__
from rnn_cli.cli.main import cli
from rnn_cli.config.load import load_config, names_data, parse_override
from rnn_cli.labelling.session import begin_session

from .conftest import COMMAND, Rnn

REPOSITORY = Path(__file__).parents[2]

TRAINING = ("rnn train", "rnn tune", "rnn inspect gradients")
"""The commands whose examples take too long to run here."""

SITTING = re.compile(r"rnn label (?!(status|review|export|agree) )")
"""Needs a terminal: test_label.py runs the examples of these."""

SERVING = "rnn serve"
"""Runs until it is ended: tests/serving/test_connections.py runs its examples."""


def commands(group: click.Group = cli, path: str = "rnn") -> Iterator[tuple[str, click.Command]]:
    yield path, group
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def examples() -> list[str]:
    lines = [line.strip() for _, command in commands() for line in (command.epilog or "").splitlines()]
    # Two or more spaces set an explanation apart.
    return sorted({line.partition("   ")[0] for line in lines if line.startswith(("rnn ", "cat "))})


def write_logs(home: Path) -> None:
    """The first texts of reviews.csv, labelled by two people and by somebody without a name."""
    for by in (None, "ann", "bob"):
        with begin_session(str(home / "reviews.csv"), ["bad", "good"], by=by, base=None) as session:
            for row in range(60 if by is None else 6):  # so many can be reviewed
                session.label("good" if row % 2 else "bad")


def test_version(rnn: Rnn) -> None:
    assert rnn("--version") == (0, f"rnn {__version__}\n", "")


def test_help_lists_the_commands_in_the_order_of_use(rnn: Rnn) -> None:
    shown = rnn("--help").out
    places = [
        shown.index(f"\n  {name} ") for name in ("data", "init", "train", "evaluate", "predict", "inspect", "config")
    ]
    assert places == sorted(places)


@pytest.mark.parametrize(("path", "command"), list(commands()), ids=[path for path, _ in commands()])
def test_every_help_ends_with_examples_and_fits_a_screen(
    path: str, command: click.Command, rnn: Rnn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    code, out, err = rnn(*path.split()[1:], "--help")
    assert (code, err) == (0, "")
    assert all(len(line) <= 80 for line in out.splitlines())
    assert len(out.splitlines()) <= 40  # a screen
    assert "..." not in out.partition("Commands:")[2].partition("Example")[0], "a summary is cut"
    if not isinstance(command, click.Group) or command is cli:
        assert "Example" in out


def test_there_are_examples_of_every_command() -> None:
    assert {example.split()[1] for example in examples() if example.startswith("rnn ")} == set(cli.commands)


@pytest.mark.parametrize("example", [each for each in examples() if each.startswith(TRAINING)])
def test_every_example_that_trains_is_understood(example: str, home: Path) -> None:
    shutil.copytree(REPOSITORY / "configs", home / "configs")
    path = next(path for path in TRAINING if example.startswith(path))
    given = dict(commands())[path].make_context(path, shlex.split(example.removeprefix(path))).params
    config = given["config"] if given["config"] is None or not names_data(given["config"]) else None
    if config == "config.yaml":
        config = "quick"  # one that rnn init writes
    load_config(config, [*map(parse_override, given["settings"])])


@pytest.mark.parametrize(
    "example",
    [
        each
        for each in examples()
        if not each.startswith((*TRAINING, SERVING)) and "--folds" not in each and not SITTING.match(each)
    ],
)
def test_every_other_example_runs(example: str, home: Path, newest: Path, labelled_file: Path) -> None:
    header, *rows = labelled_file.read_text().splitlines()
    (home / "new_reviews.csv").write_text("\n".join([f"{header},country", *(f"{row},de" for row in rows)]) + "\n")
    for number in (2, 3):
        shutil.copytree(newest, home / "runs" / f"quick-{number}")
    (home / "runs" / "quick-3.unfinished").mkdir()
    (home / "models").mkdir()
    shutil.copy(newest / "predictions.csv", home / "another_program.csv")
    (home / "reviews.csv").write_bytes(labelled_file.read_bytes())
    (home / "tickets.csv").write_bytes(labelled_file.read_bytes().replace(b"label", b"team", 1))
    (home / "gates.yaml").write_text("- accuracy >= 0.1\n")
    (home / "mine.yaml").write_text("data: {source: reviews.csv}\n")
    (home / "cases.yaml").write_text("tests: [{name: loud, kind: same, change: upper, templates: [a warm film]}]")
    (home / "other.csv").write_text("review,label\nwarm,good\ndull,bad\n")
    (home / "sentences.txt").write_text("a warm film\na dull film\n")
    (home / "texts.csv").write_text("text\na warm film\na dull film\n")
    if example.startswith("rnn label"):
        (home / "reviews.csv").write_text("\n".join(["text", *(row.rpartition(",")[0] for row in rows)]) + "\n")
        write_logs(home)
    (home / "logs").mkdir()
    (home / "logs" / "monday.jsonl.gz").write_bytes(gzip.compress(b'{"text": "a warm film"}\n'))
    (home / "rnn").write_text(f'#!/bin/sh\nexec {shlex.join(COMMAND)} "$@"\n')
    (home / "rnn").chmod(0o755)
    environment = os.environ | {"PATH": f"{home}:{os.environ['PATH']}"}
    ended = subprocess.run(["sh", "-c", example], capture_output=True, env=environment, timeout=60)
    expected = r"Warning: |linear model of |[\d,]+ rows? scored|[\d,]+ rows, \d+ labels: |.* so far$|.* left$"
    told = [line for line in ended.stderr.decode().splitlines() if not re.match(expected, line)]
    assert (ended.returncode, told) == (0, [])
    assert ended.stdout or ">" in example or "--output" in example


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["trian"], "Error: No such command 'trian'"),
        (["predict", "--modle", "x", "text"], "Error: No such option '--modle'"),
        (["predict", "--format", "xml", "text"], "'xml' is not one of 'human', 'jsonl', 'csv', 'tsv', 'plain'"),
        (["train", "a.yaml", "b.csv", "c.csv"], "Got unexpected extra argument"),
        (["evaluate", "new.csv"], "extra argument (new.csv); did you mean --data new.csv? (see rnn evaluate --help)"),
        (["runs", "--sort", "age"], "'minutes' (see rnn runs --help)"),
        (["evaluate", "--model"], "Option '--model' requires an argument"),
    ],
)
def test_wrong_usage_is_one_line_that_names_the_help(words: list[str], told: str, rnn: Rnn) -> None:
    code, out, err = rnn(*words)
    assert (code, out) == (2, "")
    assert told in err and "--help)" in err and err.count("\n") == 1


def test_no_command_shows_the_help_on_stderr(rnn: Rnn) -> None:
    code, out, err = rnn()
    assert (code, out) == (2, "")
    assert err.startswith("Usage: rnn")


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (PermissionError(13, "Permission denied", "x/y"), 1, "Error: x/y: permission denied\n"),
        (OSError(28, "No space left on device"), 1, "Error: standard input or output: no space left on device\n"),
        (MemoryError(), 1, "Error: out of memory; use shorter texts, smaller batches or a smaller network\n"),
        (BrokenPipeError(32, "Broken pipe"), 141, ""),
        (
            ZeroDivisionError("a\nb"),
            1,
            "Error: ZeroDivisionError: a b; this is a fault of rnn: "
            "run it again as rnn --debug ... and report what it shows\n",
        ),
    ],
)
def test_whatever_goes_wrong_is_one_line_and_a_code(
    error: BaseException, code: int, told: str, rnn: Rnn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(model: str | None, note: object = None) -> Path:
        raise error

    monkeypatch.setattr("rnn_cli.bundle.locate.locate", fail)
    assert rnn("predict", "text") == (code, "", told)


def test_debug_shows_where_and_keeps_the_code(rnn: Rnn) -> None:
    code, out, err = rnn("--debug", "predict", "--model", "nowhere", "text")
    assert (code, out) == (2, "")
    assert "Traceback" in err
    assert err.endswith("Error: nowhere: no such folder; name the folder of a trained model\n")


def test_debug_as_a_text_is_a_text(rnn: Rnn) -> None:
    assert "Traceback" not in rnn("predict", "--model", "nowhere", "--", "--debug").err


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_are_no_fault(closed: str, newest: Path) -> None:
    command = f"{shlex.join([*COMMAND, 'predict', 'a warm film'])} {closed}"
    ended = subprocess.run(["sh", "-c", command], capture_output=True, timeout=60)
    assert ended.returncode == 0
    assert ended.stderr == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
def test_a_full_disk_is_told_once(newest: Path) -> None:
    with open("/dev/full", "wb") as full:
        ended = subprocess.run([*COMMAND, "predict", "a"], stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert ended.returncode == 1
    assert ended.stderr == b"Error: standard output: no space left on device\n"


def test_the_output_is_utf_8_whatever_the_locale(process: Rnn, newest: Path) -> None:
    environment = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONIOENCODING": "latin-1"}
    ended = process("predict", "--format", "jsonl", stdin="warm 🎬 film\n".encode(), **environment)
    assert (ended.code, ended.err) == (0, "")
    assert "warm 🎬 film" in ended.out


def test_shells_can_complete(process: Rnn) -> None:
    assert "rnn" in process(_RNN_COMPLETE="bash_source").out


def test_what_a_disk_takes_only_in_part_is_told_with_unbuffered_streams_too(tmp_path: Path) -> None:
    # Of `rnn config keys`, which is longer, the file takes 1,000 bytes.
    limited = "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    limited += "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, 1_000)); "
    line = [sys.executable, "-B", "-c", limited + COMMAND[-1], "config", "keys"]
    with (tmp_path / "keys.txt").open("wb") as out:
        ended = subprocess.run(
            line, stdout=out, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"}
        )
    assert ended.returncode == 1
    assert ended.stderr == "Error: standard output: file too large\n"
    assert (tmp_path / "keys.txt").stat().st_size == 1_000
