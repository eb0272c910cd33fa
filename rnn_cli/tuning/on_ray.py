"""Trials of a search run as tasks of a Ray cluster: a task knows what has ended, and sends back its trial's folder.

A task whose node is lost is run again by Ray elsewhere, to the same end. Nodes need no disk in common. Loads Ray, which
`connection` does first.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rnn_cli import system
from rnn_cli.batch.connection import connected
from rnn_cli.errors import RunFailed
from rnn_cli.tuning.journal import TrialRecord
from rnn_cli.tuning.place import Place
from rnn_cli.tuning.search import TrialJob, TrialResult
from rnn_cli.tuning.several_at_once import SearchCopy, run_in_copy

import ray  # isort: skip  (as `connection` has loaded it)


@dataclass(frozen=True)
class _Sent:
    """What a task sends back: how its trial ended, and the files of its folder by name."""

    result: TrialResult
    files: dict[str, bytes]


class RayTrials:
    """Runs trials on the cluster that is `connected`."""

    def __init__(self, copy: SearchCopy, jobs: int | None) -> None:
        resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
        cores = int(resources.get("CPU", 1))
        self.width = jobs or max(cores, 1)
        self._place = copy.place
        self._copy = ray.put(copy)
        # A task has its share of the cores, so that no node has more trials than cores.
        self._task = ray.remote(num_cpus=max(cores // self.width, 1), max_retries=-1)(_run)

    def run(self, jobs: Sequence[TrialJob], ended: Sequence[TrialRecord], left: float | None) -> list[TrialResult]:
        """Run up to `width` trials, and wait for all. Raises `RunFailed` where the cluster is lost."""
        known: Any = ray.put(list(ended))
        try:
            found = ray.get([self._task.remote(self._copy, job, known, left, os.getcwd()) for job in jobs])
        except ray.exceptions.RayError as error:
            raise RunFailed(f"Ray gave up ({str(error).strip().splitlines()[-1]})") from error
        for job, sent in zip(jobs, found, strict=True):
            _write_files(self._place.trial(job.number).path, sent.files)
        return [sent.result for sent in found]


@contextmanager
def trials_on_ray(copy: SearchCopy, address: str | None, jobs: int | None) -> Iterator[RayTrials]:
    """Trials on the cluster at this address, or on one that is started here. Raises `UsageError`."""
    with connected(address, jobs):
        yield RayTrials(copy, jobs)


def _run(copy: SearchCopy, job: TrialJob, ended: Sequence[TrialRecord], left: float | None, here: str) -> _Sent:
    """Run a trial in a folder of this node; paths of the config begin `here`."""
    with suppress(OSError):
        os.chdir(here)
    with TemporaryDirectory(prefix="rnn-") as folder:
        place = Place(Path(folder), copy.place.target, copy.place.numbered)
        result = run_in_copy(replace(copy, place=place).opened(), job, ended, left)
        trial = place.trial(job.number).path
        files = {str(file.relative_to(trial)): file.read_bytes() for file in trial.rglob("*") if file.is_file()}
    return _Sent(result, files)


def _write_files(folder: Path, files: dict[str, bytes]) -> None:
    with system.as_write_error(folder):
        system.remove(folder)
        for name, content in files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            system.write(file, content)
