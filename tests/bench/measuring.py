"""What the benchmarks share: two ways of doing the same work, timed in turn, and their ratios."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

LATEST = Path("runs/latest")


def trained(named: str | None, recipe: str = "quick") -> str:
    """The model to measure: the one named, else the newest run here, else one that is trained now, by a recipe."""
    if named is not None:
        return named
    if not LATEST.exists():
        print(f"no model named and none in {LATEST.parent}/: training {recipe}", flush=True)
        command = "from rnn_cli.cli.main import main; main()"
        subprocess.run([sys.executable, "-c", command, "train", recipe], stdout=subprocess.DEVNULL, check=True)
    return str(LATEST)


def in_turn(ours: Callable[[], float], peer: Callable[[], float], rounds: int) -> tuple[list[float], list[float]]:
    """Call the two alternately, so that a machine that slows down slows both; one unmeasured round first."""
    ours()
    peer()
    pairs = [(ours(), peer()) for _ in range(rounds)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock seconds of a call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def process(command: Sequence[str], stderr: IO[str] | int = subprocess.DEVNULL) -> tuple[float, float, str]:
    """A whole process: wall-clock seconds, peak memory in MB, and what it printed. Fails if the command does.

    The memory is never less than what this process itself has held (Linux counts it until the command is loaded).
    """
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True)
    assert child.stdout is not None
    printed = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    elapsed = time.perf_counter() - start
    child.stdout.close()
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, f"{command} ended with {child.returncode}"
    return elapsed, usage.ru_maxrss / 1024, printed


class Worker:
    """A process that says "ready", then answers a line with a line."""

    def __init__(self, command: Sequence[str]) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._line()

    def ask(self) -> str:
        """Its next answer."""
        assert self.process.stdin is not None
        self.process.stdin.write("again\n")
        self.process.stdin.flush()
        return self._line()

    def seconds(self) -> float:
        """Its next answer, a number of seconds."""
        return float(self.ask())

    def peak_megabytes(self) -> float:
        """The most memory it has held so far (Linux)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    def _line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the worker ended"
        return line.strip()

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


def show(what: str, ours: Sequence[float], peer: Sequence[float], unit: str, *, more_is_better: bool = False) -> None:
    """One line: both medians and how many times better ours is, as the median of the rounds' ratios."""
    ratios = [a / b if more_is_better else b / a for a, b in zip(ours, peer, strict=True)]
    print(
        f"{what:<28} ours {statistics.median(ours):9.2f} {unit}   peer {statistics.median(peer):9.2f} {unit}   "
        f"{statistics.median(ratios):5.1f} times better ({min(ratios):.1f} to {max(ratios):.1f})"
    )
