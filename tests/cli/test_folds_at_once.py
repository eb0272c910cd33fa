"""Folds of networks that processes learn at once, also killed: no process is left, and the end is the same."""

import signal
import time
from pathlib import Path
from typing import Any

import pytest

from rnn_cli.bundle.model_folder import Bundle
from rnn_cli.forks import CAN_FORK
from tests.warm import forked

from .conftest import tiny_overrides
from .test_resume import SMALL

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="workers are forks")


def working_in(folder: Path) -> list[str]:
    """The processes that stand in a folder and have not ended; gives them some seconds to do so."""
    for _ in range(100):
        found = [each.parent.name for each in Path("/proc").glob("[0-9]*/cwd") if stands_in(each, folder)]
        if not found:
            break
        time.sleep(0.1)
    return found


def stands_in(link: Path, folder: Path) -> bool:
    try:
        return link.readlink() == folder
    except OSError:  # it has ended, or is another user's
        return False


def test_killed_and_gone_on_with_they_find_what_they_find_one_by_one(labelled_file: Path, tmp_path: Path) -> None:
    words = [
        "train",
        "quick",
        *tiny_overrides(SMALL, data__source=labelled_file, training__epochs=1),
        "--folds",
        "2",
        "--no-baseline",
        "--out",
        "m",
    ]
    alone, home = tmp_path / "alone", tmp_path / "home"
    alone.mkdir()
    home.mkdir()
    one, two = ({"rnn_cli.system._share": count, "rnn_cli.training.at_once.FEWEST_AT_ONCE": 80} for count in (1, 2))
    patient: dict[str, Any] = {"seconds": 500}
    unbroken = forked(*words, home=alone, settings=one, **patient)
    assert unbroken.code == 0 and "at once" not in unbroken.err
    run = forked(*words, home=home, settings=two, path="part-0002", signals=[signal.SIGKILL], **patient)
    assert run.code == -signal.SIGKILL and "2 folds are learned at once, on 2 cores" in run.err
    assert not working_in(home)
    assert [*home.glob("m.unfinished/checkpoint-*")]
    run = forked("train", "--resume", "m", home=home, settings=two, **patient)
    assert run.code == 0, run.err
    first, second = Bundle.open(alone / "m"), Bundle.open(home / "m")
    for name in ("model.onnx", "predictions.csv", "metrics.json", "report.html", "README.md"):
        assert first.read(name) == second.read(name), name
