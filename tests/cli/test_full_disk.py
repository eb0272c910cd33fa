"""A disk that refuses: one line that names the file, the earlier one stands, nothing is left behind."""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .conftest import Rnn, files_below, tiny_overrides

COMMANDS = {
    "config.yaml": ["init", "reviews.csv", "--force"],
    "found.csv": ["data", "check", "reviews.csv", "--out", "found.csv", "--force"],
    "r.html": ["evaluate", "--model", "model", "--data", "reviews.csv", "--report", "r.html", "--force"],
    "charts": ["evaluate", "--model", "model", "--data", "reviews.csv", "--plots", "charts", "--force"],
    "vectors": ["inspect", "embedding", "--model", "model", "--out", "vectors", "--force"],
    "classifier": ["export", "--model", "model", "--to", "classifier", "--force"],
}
"""What each command writes, of little use without an earlier one."""


@contextmanager
def no_room() -> Iterator[None]:
    """The system refuses every byte of a file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def refusing(call: str) -> Iterator[None]:
    """The system refuses this call of `os`."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, call, full)
        if call == "rename":
            patch.setattr("rnn_cli.system._renameat2", lambda new, old: False)
        yield


@pytest.fixture
def model(home: Path, trained: Path, labelled_file: Path) -> None:
    shutil.copytree(trained, home / "model")
    shutil.copy(labelled_file, home / "reviews.csv")


@pytest.mark.parametrize("written", COMMANDS)
def test_a_full_disk_is_told_by_the_file_and_the_earlier_one_stands(
    written: str, rnn: Rnn, home: Path, model: None
) -> None:
    assert rnn(*COMMANDS[written]).code == 0
    before = files_below(home)
    for fault in (no_room(), refusing("fsync"), refusing("rename" if (home / written).is_dir() else "replace")):
        with fault:
            code, out, err = rnn(*COMMANDS[written])
        *notes, last = err.splitlines()
        assert (code, out) == (2, "") and not any(note.startswith("Error") for note in notes)
        assert last.startswith(f"Error: {written}") and ": cannot be written (" in last, last
        assert files_below(home) == before
        assert not list(home.rglob("*.part"))


def test_a_checkpoint_that_finds_no_room_is_named(rnn: Rnn, home: Path, model: None, tiny: dict) -> None:  # type: ignore[type-arg]
    words = ["train", "quick", "--out", "new", "--no-baseline", *tiny_overrides(tiny, data__source="reviews.csv")]
    with no_room():
        code, _, err = rnn(*words)
    assert code == 2
    assert err.splitlines()[-1].startswith("Error: new.unfinished/checkpoint.part/")
    assert "cannot be written (file too large)" in err
    assert sorted(file.name for file in home.iterdir()) == ["model", "reviews.csv"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
def test_a_config_that_is_shown_to_a_full_disk() -> None:
    with open("/dev/full", "wb") as full:
        words = [sys.executable, "-m", "rnn_cli", "config", "show"]
        ended = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert (ended.returncode, ended.stderr) == (1, b"Error: standard output: no space left on device\n")
