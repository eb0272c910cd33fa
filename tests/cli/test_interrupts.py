"""An interrupt just after any step on the disk: the code of an interrupt, an old or a new whole file, nothing half."""

import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rnn_cli import system
from rnn_cli.bundle.model_folder import Bundle
from rnn_cli.cli import main
from rnn_cli.cli.main import INTERRUPTED, TERMINATED, Terminated
from rnn_cli.errors import DataError
from tests.conftest import every_step

from .conftest import Rnn, files_below, tiny_overrides

STEPS = ("rename", "replace", "mkdir", "unlink", "rmdir", "symlink", "close")
"""What of `os` is interrupted once it has done its work."""


@contextmanager
def interrupted(at: int, error: type[BaseException], steps: tuple[str, ...] = STEPS) -> Iterator[Callable[[], int]]:
    """Raises an error after step number `at`; gives what counts the steps."""
    count = 0

    def interrupting(real: Any) -> Any:
        def call(*arguments: Any, **keywords: Any) -> Any:
            nonlocal count
            done = real(*arguments, **keywords)
            count += 1
            if count == at:
                raise error
            return done

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in steps:
            patch.setattr(os, name, interrupting(getattr(os, name)))
        patch.setattr(system, "_renameat2", interrupting(system._renameat2))
        yield lambda: count


def ends(rnn: Rnn, words: list[str], stride: int, steps: tuple[str, ...] = STEPS) -> Iterator[None]:
    """Runs a command with an interrupt after its steps, and holds how it ends."""
    with interrupted(0, KeyboardInterrupt, steps) as count:
        assert rnn(*words).code == 0
    assert count()
    for at in range(1, count() + 1, stride):
        error, *told = ((KeyboardInterrupt, INTERRUPTED, "interrupted"), (Terminated, TERMINATED, "terminated"))[at % 2]
        with interrupted(at, error, steps):
            code, _, err = rnn(*words)
        assert [code, err.splitlines()[-1]] == told, err
        yield


COMMANDS = {
    "config.yaml": ["init", "reviews.csv", "--force"],
    "found.csv": ["data", "check", "reviews.csv", "--out", "found.csv", "--force"],
    "vectors": ["inspect", "embedding", "--model", "model", "--out", "vectors", "--force"],
    "classifier": ["export", "--model", "model", "--to", "classifier", "--force"],
    "out.csv": ["score", "--model", "model", "reviews.csv", "--prefix", "p_", "--output", "out.csv", "--force"],
    "out.csv.gz": ["score", "--model", "model", "reviews.csv", "--prefix", "p_", "--output", "out.csv.gz", "--force"],
    "parts": ["score", "--model", "model", "reviews.csv", "--prefix", "p_", "--output", "parts/", "--force"],
}


@every_step
@pytest.mark.parametrize("written", COMMANDS)
def test_after_each_step_it_ends_as_interrupted(
    written: str, stride: int, rnn: Rnn, home: Path, trained: Path, labelled_file: Path
) -> None:
    shutil.copytree(trained, home / "model")
    (home / "reviews.csv").write_bytes(labelled_file.read_bytes())
    words = COMMANDS[written]
    words += ["--prefix", "p_"] if words[0] == "predict" else []
    assert rnn(*words).code == 0
    whole = files_below(home).keys()
    for _ in ends(rnn, words, stride):
        if written != "parts":  # a folder of answers is cleared before new ones come
            assert files_below(home).keys() >= whole, "the earlier ones stand, or the new ones"
    assert rnn(*words).code == 0


@every_step
def test_after_each_new_name_training_ends_as_interrupted(
    stride: int, rnn: Rnn, home: Path, labelled_file: Path, tiny: dict[str, dict[str, object]]
) -> None:
    settings = tiny_overrides(tiny, data__source=labelled_file, training__epochs=1)
    words = ["train", "quick", "--out", "model", "--force", "--no-baseline", *settings]
    for _ in ends(rnn, words, stride, ("rename", "replace", "symlink")):
        Bundle.open(home / "model")  # the earlier one, or the new one
        assert not list(home.rglob("runs/.latest*"))


@pytest.mark.parametrize("at", range(1, 4))
def test_where_folders_cannot_be_swapped_an_interrupt_leaves_one(
    at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new, old = tmp_path / "new", tmp_path / "old"
    for folder in (new, old):
        folder.mkdir()
        (folder / "name").write_text(folder.name)
    monkeypatch.setattr(sys, "platform", "other")
    with interrupted(at, KeyboardInterrupt, ("rename",)), pytest.raises(KeyboardInterrupt):
        system.exchange(new, old)
    assert (old / "name").read_text() == ("old" if at == 1 else "new")


class Closing:
    """Is interrupted while Python clears it away."""

    def __del__(self) -> None:
        raise KeyboardInterrupt


def test_an_interrupt_that_python_drops_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "unraisablehook", main._again)
    with pytest.raises(KeyboardInterrupt):
        Closing()
        threading.Event().wait(30)


def test_an_error_in_an_interrupt_s_wake_is_the_interrupt(rnn: Rnn, monkeypatch: pytest.MonkeyPatch) -> None:
    def locate(model: str | None, note: object = None) -> Path:
        try:
            raise Terminated
        finally:
            raise DataError("a stream could not be closed")  # noqa: B012

    monkeypatch.setattr("rnn_cli.bundle.locate.locate", locate)
    assert rnn("predict", "a") == (TERMINATED, "", "terminated\n")
