"""`rnn train --resume`: processes that are killed, interrupted or out of room, and what they come to in the end."""

import json
import random
import re
import shlex
import shutil
import signal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from rnn_cli.bundle.model_folder import Bundle
from tests.warm import Run, forked

from .conftest import Ended, Rnn, files_below, tiny_overrides

SMALL = {
    "model": {
        "cell": "rnn",
        "bidirectional": False,
        "embedding_dim": 8,
        "units": [6],
        "dense_units": [],
        "dropout": 0.3,
    },
    "tokenizer": {"vocab_size": 60, "max_length": 12},
    "training": {"epochs": 3, "batch_size": 16, "learning_rate": 0.05, "early_stopping": None},
}


@pytest.fixture(autouse=True)
def charts_in_pages() -> None:
    """As users see them: a run that went on shows the epochs before, too."""


@pytest.fixture(scope="module")
def words(labelled_file: Path) -> list[str]:
    return ["train", "quick", *tiny_overrides(SMALL, data__source=labelled_file), "--out", "m"]


class Whole(NamedTuple):
    files: dict[str, bytes]
    run: Run


@pytest.fixture(scope="module")
def unbroken(words: list[str], tmp_path_factory: pytest.TempPathFactory) -> Whole:
    home = tmp_path_factory.mktemp("unbroken")
    run = forked(*words, home=home)
    assert run.code == 0, run.err
    return Whole(files_below(home / "m"), run)


def assert_it_ended_as(unbroken: Whole, home: Path, out: str = "m") -> None:
    opened = Bundle.open(home / out)
    for name in ("model.onnx", "predictions.csv", "metrics.json", "report.html", "README.md"):
        assert opened.read(name) == unbroken.files[name], name


def checkpoints(home: Path) -> list[str]:
    return sorted(path.name for path in home.glob("m.unfinished/checkpoint-*"))


# Killed


def phase(home: Path) -> str:
    """What a process that is gone was doing."""
    if (home / "m").exists():
        return "clearing away"
    if (home / "m.unfinished/bundle.part").exists():
        return "finishing"
    if (home / "m.unfinished/checkpoint.part").exists():
        return "saving"
    return "training" if checkpoints(home) else "starting"


def survive(kills: int, seed: int, words: list[str], unbroken: Whole, home: Path) -> set[str]:
    """Runs that are killed so often, at moments by chance, each gone on with to its end; the phases that were hit.

    Every other moment is a time, the others are calls that reach the disk, which are over in a small part of it.
    """
    chance, done, phases = random.Random(seed), 0, set()
    while done < kills:
        shutil.rmtree(home)
        home.mkdir()
        killed, run = True, None
        while run is None or run.code != 0:
            killed = done < kills and (run is None or chance.random() < 0.4)
            at: dict[str, Any] = {}
            if killed and done % 2:
                at = {"call": chance.randint(1, unbroken.run.calls), "signals": [signal.SIGKILL]}
            elif killed:
                at = {"seconds": chance.uniform(0.02, unbroken.run.seconds)}
            how = ["train", "--resume", "m"] if checkpoints(home) else words
            if not checkpoints(home) and (home / "m").exists():
                break  # all but the last of what is left of the run was cleared away
            run = forked(*how, home=home, **at)
            if run.code == -signal.SIGKILL:
                done += 1
                phases.add(phase(home))
                assert not run.out or phase(home) == "clearing away"
            else:
                assert run.code == 0, run.err
                assert "Warning: m.unfinished" not in run.err, "a checkpoint was damaged"
        assert_it_ended_as(unbroken, home)
        assert not checkpoints(home)
    return phases


def test_a_run_killed_at_any_moment_ends_as_if_it_had_not_been(
    words: list[str], unbroken: Whole, tmp_path: Path
) -> None:
    (tmp_path / "home").mkdir()
    phases: set[str] = set()
    for seed in range(3, 13):  # which moments five kills meet depends on the machine's speed, too
        phases |= survive(5, seed, words, unbroken, tmp_path / "home")
        if {"saving", "finishing"} <= phases:
            return
    raise AssertionError(f"only killed while {phases}")


@pytest.mark.slow
def test_200_kills(words: list[str], unbroken: Whole, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    phases = survive(200, 1, words, unbroken, tmp_path / "home")
    assert phases == {"starting", "training", "saving", "finishing", "clearing away"}


# Interrupted


WHILE = {"training": "checkpoint-000002", "finishing": "bundle.part/model.onnx"}


@pytest.mark.parametrize(
    ("number", "code", "path"),
    [
        pytest.param(signal.SIGINT, 130, WHILE["training"], id="SIGINT, training"),
        pytest.param(signal.SIGINT, 130, WHILE["finishing"], id="SIGINT, finishing"),
        pytest.param(signal.SIGTERM, 143, WHILE["training"], id="SIGTERM, training"),
        pytest.param(signal.SIGTERM, 143, WHILE["finishing"], id="SIGTERM, finishing", marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, 143, WHILE["training"], id="SIGHUP, training", marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, 143, WHILE["finishing"], id="SIGHUP, finishing"),
    ],
)
def test_the_command_an_interrupted_run_prints_goes_on_with_it(
    number: int, code: int, path: str, words: list[str], unbroken: Whole, home: Path
) -> None:
    words = [*words[:-1], "my models/m 1"]
    run = forked(*words, home=home, path=path, signals=[number])
    assert (run.code, run.out) == (code, "")
    *_, said, last = run.err.splitlines()
    assert last == ("interrupted" if code == 130 else "terminated")
    command = shlex.split(said.removeprefix("saved; go on with: "))
    assert command[:2] == ["rnn", "train"]
    assert not (home / "my models/m 1").exists()
    ended = forked(*command[1:], home=home)
    assert ended.code == 0 and "Model  my models/m 1" in ended.out
    assert_it_ended_as(unbroken, home, "my models/m 1")
    assert [path.name for path in (home / "my models").iterdir()] == ["m 1"]


def test_a_second_ctrl_c_acts_at_once(words: list[str], unbroken: Whole, home: Path) -> None:
    run = forked(*words, home=home, path="checkpoint-000002", signals=[signal.SIGINT, signal.SIGINT])
    assert (run.code, run.out) == (130, "")
    assert checkpoints(home) == ["checkpoint-000001"], "it did not wait until the second was saved"
    assert forked("train", "--resume", "m", home=home).code == 0
    assert_it_ended_as(unbroken, home)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_before_the_first_checkpoint_nothing_is_left(number: int, code: int, words: list[str], home: Path) -> None:
    run = forked(*words, home=home, path="m.unfinished/lock", signals=[number])
    assert (run.code, run.out) == (code, "")
    assert "go on with" not in run.err
    assert {path.name for path in home.iterdir()} == {"out.txt", "err.txt", "calls"}


# Out of room


@pytest.fixture(scope="module")
def nearly_done(words: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was stopped when all epochs were saved."""
    home = tmp_path_factory.mktemp("nearly")
    run = forked(*words, home=home, path="checkpoint-000004", signals=[signal.SIGINT])
    assert run.code == 130
    return home / "m.unfinished"


@pytest.mark.parametrize("file", ["config.yaml", "model.onnx", "model.keras", "predictions.csv"])
def test_a_disk_without_room_for_the_bundle(file: str, nearly_done: Path, unbroken: Whole, home: Path) -> None:
    shutil.copytree(nearly_done, home / "m.unfinished")
    before = files_below(home / "m.unfinished")
    run = forked("train", "--resume", "m", home=home, room=len(unbroken.files[file]) - 1)
    assert (run.code, run.out) == (2, "")
    *_, said, error = run.err.splitlines()
    assert said == "saved; go on with: rnn train --resume m.unfinished"
    assert re.fullmatch(
        r"Error: m.unfinished/bundle.part/\S+: cannot be written \(file too large\); make room .*", error
    )
    assert files_below(home / "m.unfinished") == before
    assert not (home / "m").exists()
    assert forked("train", "--resume", "m", home=home).code == 0
    assert_it_ended_as(unbroken, home)


def test_a_disk_without_room_for_a_checkpoint(words: list[str], home: Path) -> None:
    run = forked(*words, home=home, room=1000)
    assert (run.code, run.out) == (2, "")
    assert re.fullmatch(
        r"Error: m.unfinished/checkpoint.part/\S+: cannot be written \(file too large\); make room .*",
        run.err.splitlines()[-1],
    )
    assert {path.name for path in home.iterdir()} == {"out.txt", "err.txt", "calls"}


# What is told before anything is done


@pytest.fixture
def stopped(nearly_done: Path, home: Path) -> Path:
    shutil.copytree(nearly_done, home / "m.unfinished")
    return home / "m.unfinished"


def assert_refused(ended: Ended, error: str, home: Path, before: dict[str, bytes]) -> None:
    assert (ended.code, ended.out) == (2, "")
    assert re.fullmatch(error, ended.err), ended.err
    assert files_below(home) == before


def test_another_config_is_refused_and_the_same_goes_on(
    rnn: Rnn, words: list[str], stopped: Path, home: Path, unbroken: Whole
) -> None:
    before = files_below(home)
    error = "Error: training.epochs: 9 now, 3 when the run began; restore it, or start a new run\n"
    assert_refused(rnn("train", "--set", "training.epochs=9", "--resume", "m"), re.escape(error), home, before)
    several = rnn("train", "default", "--resume", "m")
    assert several.code == 2 and several.err.count("\n") == several.err.count(" when the run began; ") > 3
    same = words[:-2]
    ended = rnn(*same, "--resume", "m")
    assert ended.code == 0, ended.err
    assert_it_ended_as(unbroken, home)


def test_the_baseline_may_be_left_out_or_taken_up_on_the_way(
    rnn: Rnn, stopped: Path, home: Path, unbroken: Whole
) -> None:
    at_the_end = {"path": ".latest.", "signals": [signal.SIGKILL]}
    run = forked("train", "--resume", "m", "--no-baseline", home=home, **at_the_end)
    assert run.code == -signal.SIGKILL and "baseline" not in run.err
    opened = Bundle.open(home / "m")
    assert opened.read("model.onnx") == unbroken.files["model.onnx"]
    assert json.loads(opened.read("metrics.json")).keys() == {
        "validation",
        "test",
        "calibration",
        "int8",
        "most_frequent_label",
    }
    assert rnn("train", "--resume", "m").out == "Model  m  (was finished already)\n"


def test_interrupted_while_its_rows_are_prepared_it_goes_on_later(
    rnn: Rnn, stopped: Path, home: Path, unbroken: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rnn_cli.training import prepare

    before = files_below(stopped)
    with monkeypatch.context() as patch:
        patch.setattr(prepare, "_baseline", lambda *_: signal.raise_signal(signal.SIGINT))
        assert rnn("train", "--resume", "m").code == 130
    assert files_below(stopped) == before
    assert rnn("train", "--resume", "m").code == 0
    assert_it_ended_as(unbroken, home)


def test_a_changed_release_is_warned_of_only(
    rnn: Rnn, stopped: Path, home: Path, unbroken: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rnn_cli.training import checkpointing

    now = checkpointing.versions()
    monkeypatch.setattr(checkpointing, "versions", lambda: {**now, "keras": "99.1"})
    ended = rnn("train", "--resume", "m")
    assert ended.code == 0
    warning = (
        f"Warning: keras {now['keras']} became 99.1 since the run began; its numbers may differ in the last digits"
    )
    assert warning in ended.err.splitlines()
    assert_it_ended_as(unbroken, home)


def test_a_run_whose_model_stands_is_told_as_finished(rnn: Rnn, stopped: Path, home: Path, unbroken: Whole) -> None:
    run = forked("train", "--resume", "m", home=home, path=".latest.", signals=[signal.SIGKILL])
    assert run.code == -signal.SIGKILL
    assert checkpoints(home) and not (home / "runs/latest").exists()
    assert rnn("train", "--resume", "m") == (0, "Model  m  (was finished already)\n", "")
    assert (home / "runs/latest").resolve() == home / "m"
    assert not stopped.exists()
    assert_it_ended_as(unbroken, home)


def test_a_folder_that_is_no_run_is_told_and_left_alone(rnn: Rnn, home: Path) -> None:
    (home / "thesis.unfinished").mkdir()
    (home / "thesis.unfinished/chapter.txt").write_text("years of work")
    before = files_below(home)
    error = "Error: thesis.unfinished: holds no checkpoint; name the folder of a run that was stopped\n"
    assert_refused(rnn("train", "--resume", "thesis"), re.escape(error), home, before)


@pytest.mark.parametrize("option", [["--out", "n"], ["--force"], ["--from", "n"]])
def test_what_does_not_go_with_resume(option: list[str], rnn: Rnn, stopped: Path, home: Path) -> None:
    before = files_below(home)
    error = rf"Error: {option[0]} and --resume do not go together \(see rnn train --help\)\n"
    assert_refused(rnn("train", *option, "--resume", "m"), error, home, before)
