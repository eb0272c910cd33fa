"""`rnn train`: what it shows and leaves behind when it ends well, goes wrong or is interrupted."""

import json
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest

from .conftest import COMMAND, Rnn, files_below, on_a_terminal, tiny_overrides

Tiny = dict[str, dict[str, object]]


def test_a_run_ends_with_figures_the_model_and_commands_that_work(
    rnn: Rnn, home: Path, labelled_file: Path, tiny: Tiny
) -> None:
    words = tiny_overrides(tiny, data__source=labelled_file, training__epochs=2)
    code, out, err = rnn("train", "quick", *words)
    assert code == 0
    assert re.search(r"^ +validation +test$", out, re.MULTILINE)
    assert re.search(r"^accuracy +\d+\.\d% +\d+\.\d%$", out, re.MULTILINE)
    assert re.search(r"^Model  runs/quick-1  \(weights of epoch [12], the best of 2\)$", out, re.MULTILINE)
    assert "\x1b" not in out + err
    assert not [line for line in out.splitlines() if line != line.rstrip()]
    assert [line for line in err.splitlines() if not re.match(r"Warning: |\d", line)][:2] == [
        "loading TensorFlow",
        "epoch     loss  accuracy  val. loss  val. acc.  gradient  clipped   time",
    ]
    assert re.search(r"^2/2 +\d\.\d{4} +\d+\.\d% +\d\.\d{4} +\d+\.\d% +\d\S+ +0% +\d+s", err, re.MULTILINE)
    commands = [line[7:] for line in out.splitlines() if line[7:].startswith("rnn ")]
    assert commands == ['rnn predict "A sentence of your own."', "rnn evaluate"]
    assert [rnn(*shlex.split(command)[1:]).code for command in commands] == [0, 0]
    metrics = json.loads((home / "runs/latest/metrics.json").read_text())
    assert json.loads(rnn("evaluate", "--json").out) == metrics["test"]


def test_out_is_named_in_the_next_commands_and_is_the_newest_run(
    rnn: Rnn, home: Path, labelled_file: Path, tiny: Tiny
) -> None:
    words = tiny_overrides(tiny, data__source=labelled_file, training__epochs=1, data__test=0)
    code, out, _ = rnn("train", "quick", *words, "--out", "my models/reviews")
    assert code == 0
    commands = [line[7:] for line in out.splitlines() if line[7:].startswith("rnn ")]
    assert commands[0] == "rnn predict --model 'my models/reviews' \"A sentence of your own.\""
    assert commands[1] == "rnn evaluate --model 'my models/reviews' --data FILE"  # no rows were kept for a test
    assert rnn(*shlex.split(commands[0])[1:]).code == 0
    assert (home / "runs/latest").resolve() == home / "my models/reviews"

    before = files_below(home)
    code, out, err = rnn("train", "quick", *words, "--out", "my models/reviews")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "use --force" in err
    assert files_below(home) == before
    assert rnn("train", "quick", *words, "--out", "my models/reviews", "--force").code == 0


def test_a_folder_that_is_no_model_is_never_replaced(rnn: Rnn, home: Path) -> None:
    (home / "thesis").mkdir()
    (home / "thesis" / "chapter.txt").write_text("years of work")
    before = files_below(home)
    code, out, err = rnn("train", "quick", "--out", "thesis", "--force")
    assert (code, out) == (2, "")
    assert err == "Error: thesis: exists and is not a trained model; choose another --out\n"
    assert files_below(home) == before


def test_all_mistakes_of_a_config_are_told_a_line_each(rnn: Rnn, home: Path) -> None:
    (home / "my.yaml").write_text("training: {epohcs: 3, batch_size: 0}\nmodel: {cell: lstn}\n")
    code, out, err = rnn("train", "my.yaml", "--set", "model.dropout=2")
    assert (code, out) == (2, "")
    assert err.count("\n") == err.count("Error: ") == 4
    assert "my.yaml: training.epohcs: no such key; did you mean training.epochs?" in err
    assert files_below(home).keys() == {"my.yaml"}


def test_a_run_that_fails_says_why_and_where_its_last_state_is(
    rnn: Rnn, home: Path, labelled_file: Path, tiny: Tiny
) -> None:
    words = tiny_overrides(tiny, data__source=labelled_file, training__learning_rate=1e38, model__dense_units=[4])
    code, out, err = rnn("train", "quick", *words)
    assert (code, out) == (1, "")
    assert re.fullmatch(r"Error: the loss is (nan|inf) at epoch \d+, batch \d+; try a smaller .*", err.splitlines()[-1])
    command = "rnn train --from runs/quick-1.unfinished --set training.learning_rate=0.001"
    assert err.splitlines()[-2] == f"the last state before that is kept; {command} begins there"
    assert {Path(name).parts[1] for name in files_below(home)} == {"quick-1.unfinished"}


SAVED = "saved; go on with: rnn train --resume runs/quick-1.unfinished"


@pytest.fixture
def endless(labelled_file: Path, tiny: Tiny) -> list[str]:
    """A run of so many epochs that it does not end by itself."""
    return [*COMMAND, "train", "quick", *tiny_overrides(tiny, data__source=labelled_file, training__epochs=1_000_000)]


@pytest.mark.parametrize(
    ("sent", "after", "code", "told"),
    [
        (signal.SIGINT, "loading", 130, ["interrupted"]),
        (signal.SIGINT, "1/1000000", 130, [SAVED, "interrupted"]),
        (signal.SIGTERM, "1/1000000", 143, [SAVED, "terminated"]),
    ],
)
def test_an_interrupted_run_says_how_to_go_on_once_there_is_something_to_lose(
    sent: signal.Signals, after: str, code: int, told: list[str], endless: list[str], home: Path
) -> None:
    with subprocess.Popen(endless, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout and child.stderr
        while after not in child.stderr.readline():
            assert child.poll() is None
        time.sleep(0.3)
        child.send_signal(sent)
        started = time.monotonic()
        out, err = child.communicate(timeout=60)
    assert time.monotonic() - started < 5
    assert (child.returncode, out) == (code, "")
    assert [line for line in err.splitlines() if not re.match(r"\d+/1000000 ", line)] == told
    left = {Path(name).parts[1] for name in files_below(home)}
    assert left == ({"quick-1.unfinished"} if SAVED in told else set()) and not (home / "runs/latest").is_symlink()


def test_a_closed_stderr_ends_a_run_and_leaves_its_checkpoint(endless: list[str], home: Path) -> None:
    with subprocess.Popen(endless, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout and child.stderr
        while "1/1000000" not in child.stderr.readline():
            assert child.poll() is None
        child.stderr.close()
        assert child.wait(timeout=30) == 141
        assert child.stdout.read() == ""
    assert {Path(name).parts[1] for name in files_below(home)} == {"quick-1.unfinished"}


def test_a_terminal_shows_a_bar_and_stdout_stays_plain(home: Path, labelled_file: Path, tiny: Tiny) -> None:
    words = tiny_overrides(tiny, data__source=labelled_file, training__epochs=20)
    shown, (code, out, _) = on_a_terminal("train", "quick", *words, columns=80, streams=["stderr"])
    assert code == 0
    assert "\x1b" not in out and "Model  runs/quick-1" in out
    assert re.search(r"epoch \d+/20 ━*.* *\d+/6 loss \d\.\d{4}  accuracy \d+\.\d% [-0-9:]+ left", shown)
    assert re.search(r"[\r\n]20/20 ", shown)
    # Nothing of TensorFlow's own.
    assert re.match(r"\s*48 training, 16 validation, 16 test rows; .*\s+loading TensorFlow\s", shown, re.DOTALL)
    assert not re.search(r"cuda|oneDNN|WARNING|I0000|E0000", shown)


def test_a_mistake_in_the_data_is_told_before_tensorflow_loads(rnn: Rnn, home: Path) -> None:
    code, out, err = rnn("train", "quick", "--set", "data.source=nope.csv")
    assert (code, out) == (2, "")
    assert err.startswith("Error: nope.csv: no such file, and no built-in set of that name")
    assert err.count("\n") == 1
    assert not files_below(home)


def test_further_training_is_a_run_of_its_own(rnn: Rnn, newest: Path, labelled_file: Path) -> None:
    before = files_below(newest)
    words = ["train", "--from", "runs/quick-1", "--set", f"data.source={labelled_file}", "--set", "training.epochs=1"]
    code, out, err = rnn(*words)
    assert code == 0, err
    assert "Model  runs/quick-2  " in out
    assert files_below(newest) == before
    code, out, err = rnn(*words, "--set", "model.cell=gru")
    assert (code, out) == (2, "")
    assert err.startswith("Error: model.cell: 'gru' asked for, but runs/quick-1 has 'lstm'; ")
