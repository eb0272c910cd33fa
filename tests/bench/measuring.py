"""What the benchmarks share: two ways of doing the same work, timed in turn, and their ratios."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence


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


def process(command: Sequence[str]) -> tuple[float, float, str]:
    """A whole process: wall-clock seconds, peak memory in MB, and what it printed. Fails if the command does."""
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert child.stdout is not None
    printed = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    elapsed = time.perf_counter() - start
    child.stdout.close()
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, f"{command} ended with {child.returncode}"
    return elapsed, usage.ru_maxrss / 1024, printed


def show(what: str, ours: Sequence[float], peer: Sequence[float], unit: str, *, more_is_better: bool = False) -> None:
    """One line: both medians and how many times better ours is, as the median of the rounds' ratios."""
    ratios = [a / b if more_is_better else b / a for a, b in zip(ours, peer, strict=True)]
    print(
        f"{what:<28} ours {statistics.median(ours):9.2f} {unit}   peer {statistics.median(peer):9.2f} {unit}   "
        f"{statistics.median(ratios):5.1f} times better ({min(ratios):.1f} to {max(ratios):.1f})"
    )
