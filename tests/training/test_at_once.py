"""Folds that are learned at once: as many as fit, nothing else found than one by one, and no process left over."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from rnn_cli import system
from rnn_cli.bundle.model_folder import METRICS, ONNX_MODEL, PREDICTIONS
from rnn_cli.config.schema import Config
from rnn_cli.errors import DataError
from rnn_cli.forks import CAN_FORK, WorkerLost
from rnn_cli.training import at_once, linear_run
from rnn_cli.training import run as run_module
from rnn_cli.training.at_once import MEMORY_EACH, count_at_once
from rnn_cli.training.linear_run import train_linear
from rnn_cli.training.prepare import Prepared, prepare
from rnn_cli.training.run import train_prepared
from rnn_cli.training.trained import Run
from tests.children import children
from tests.conftest import TINY, Silent

pytestmark = [
    pytest.mark.usefixtures("without_report", "in_a_folder_of_its_own"),
    pytest.mark.skipif(not CAN_FORK, reason="workers are forks"),
]


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at_once, "cores", lambda: 2)
    monkeypatch.setattr(at_once, "free_memory", lambda: None)
    monkeypatch.setattr(at_once, "FEWEST_AT_ONCE", 80)


def configured(source: Path, kind: str = "linear") -> Config:
    training = TINY["training"] | {"epochs": 1, "folds": 3}
    model = TINY["model"] | {"kind": kind, "ngrams": 2}
    data = {"source": str(source), "validation": 0.2}
    return Config.model_validate(TINY | {"data": data, "training": training, "model": model})


def trained(source: Path, listener: Any, out: str = "m") -> Run:
    prepared = prepare(configured(source), listener)
    return train_linear(prepared, out=Path(out), name="t", force=False, listener=listener)


@pytest.mark.parametrize(
    ("folds", "cores", "memory", "count"),
    [
        (5, 1, None, 1),
        (5, 2, None, 2),
        (5, 4, None, 3),  # two rounds, as four at once would need
        (5, 16, None, 5),
        (10, 4, None, 4),
        (1, 4, None, 1),
        (0, 4, None, 1),
        (5, 16, 2 * MEMORY_EACH, 2),
        (5, 16, 2 * MEMORY_EACH - 1, 1),
    ],
)
def test_as_many_as_cores_and_memory_allow(
    folds: int, cores: int, memory: int | None, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at_once, "cores", lambda: cores)
    monkeypatch.setattr(at_once, "free_memory", lambda: memory)
    assert count_at_once(folds, 80) == count
    assert count_at_once(folds, 79) == 1


def test_memory_is_what_the_machine_has_or_a_container_allows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    most, used, machine = (tmp_path / name for name in ("max", "current", "meminfo"))
    machine.write_text("MemTotal: 9000 kB\nMemFree: 10 kB\nMemAvailable:    4000 kB\n")
    monkeypatch.setattr(system, "MEMORY", machine)
    monkeypatch.setattr(system, "CGROUPS", ((most, used),))
    assert system.free_memory() == 4000 << 10
    used.write_text("1000\n")
    most.write_text("max\n")
    assert system.free_memory() == 4000 << 10
    most.write_text("3000\n")
    assert system.free_memory() == 2000
    monkeypatch.setattr(system, "MEMORY", tmp_path / "none")
    monkeypatch.setattr(system, "CGROUPS", ())
    assert system.free_memory() is None


class Heard(Silent):
    """Also what is being done."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[str] = []

    def doing(self, what: str) -> None:
        self.steps.append(what)


def test_at_once_they_find_what_they_find_one_by_one(labelled_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, heard, alone = children(), Heard(), Heard()
    first = trained(labelled_file, heard)
    assert "2 folds are learned at once, on 2 cores" in heard.notes
    assert [step for step in heard.steps if step.startswith("fold 3 of 3: ")]
    assert children() == before
    monkeypatch.setattr(at_once, "cores", lambda: 1)
    second = trained(labelled_file, alone, "n")
    for name in (ONNX_MODEL, PREDICTIONS, METRICS):
        assert first.bundle.read(name) == second.bundle.read(name), name
    assert [each for each in heard.notes if "had not seen" in each] == [
        each for each in alone.notes if "had not seen" in each
    ]


def test_what_a_fold_raises_ends_the_run(labelled_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, listener = children(), Silent()

    def learn(run: Prepared, heard: Any) -> Any:
        raise DataError("no such luck", where="rows.csv", hint="try again")

    monkeypatch.setattr(linear_run, "learn_linear", learn)
    with pytest.raises(DataError) as error:
        trained(labelled_file, listener)
    assert (str(error.value), error.value.exit_code) == ("rows.csv: no such luck; try again", 2)
    assert children() == before


def test_an_interrupt_ends_all(labelled_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, listener = children(), Silent()

    def interrupt(note: str) -> None:
        if "had not seen" in note:
            assert len(children()) > len(before)
            raise KeyboardInterrupt

    monkeypatch.setattr(listener, "note", interrupt)
    with pytest.raises(KeyboardInterrupt):
        trained(labelled_file, listener)
    assert children() == before


def test_a_killed_process_ends_the_run_which_can_go_on(labelled_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, listener, here = children(), Silent(), os.getpid()

    def learn(run: Prepared, heard: Any) -> Any:
        assert os.getpid() != here
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(run_module, "_is_unused", lambda: True)  # as no fold comes to it
    monkeypatch.setattr(run_module, "learn_fold", learn)
    prepared = prepare(configured(labelled_file, "network"), listener)
    with pytest.raises(WorkerLost, match="a process that learns a fold was killed") as error:
        train_prepared(prepared, out=Path("m"), name="t", force=False, listener=listener)
    assert "rnn train --resume m.unfinished" in error.value.__notes__[-1]
    assert children() == before


def test_tensorflow_that_has_computed_is_not_copied(labelled_file: Path, listener: Silent) -> None:
    prepared = prepare(configured(labelled_file, "network"), listener)
    run_module.begin_learning(prepared, listener)
    with run_module.network_folds_at_once(prepared, None, listener) as ahead:
        assert ahead is None
