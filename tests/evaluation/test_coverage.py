"""How often each interval that is printed holds the truth, in simulation: minutes long, by hand with -m slow."""

import sys
from collections import defaultdict
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnn_cli.evaluation.standing import independent_interval

TRIALS = 1_000
CHANCE = 0.02
"""Three standard errors of a coverage of 95 % in so many samples."""

WIDE = {"ece", "sure answers", "accuracy difference", "macro F1 difference"}
"""Held more often than they need to be: the calibration error's, as chance makes it too large; differences, as two
predictions more count in them; sure answers, of which nearly all are right."""


@pytest.fixture(scope="module")
def bench() -> Any:
    file = Path(__file__).parent.parent / "bench" / "interval_coverage.py"
    found_at = spec_from_file_location("bench_coverage", file)
    assert found_at and found_at.loader
    module = module_from_spec(found_at)
    sys.modules["bench_coverage"] = module
    found_at.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize("accuracy", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("shares", [(2, "equal"), (2, "rare"), (5, "equal"), (5, "rare")], ids=str)
def test_each_interval_holds_the_truth_as_often_as_it_says(
    bench: Any, shares: tuple[int, str], accuracy: float
) -> None:
    populations = bench.populations(bench.SHARES[shares], accuracy)
    outside: defaultdict[int, list[str]] = defaultdict(list)
    for rows in (20, 100, 1_000):
        for name, (given, held) in bench.simulate((rows, *shares, accuracy), populations, TRIALS).items():
            if given < 0.1:  # hardly ever shown, and too seldom to measure
                continue
            chance = CHANCE / np.sqrt(given)
            # With hardly a mistake in the rows there are few different intervals, and they hold more often.
            most = 0.97 if rows * (1 - accuracy) >= 50 and name not in WIDE else 1.0
            if not 0.93 - chance <= held <= most + chance:
                outside[rows].append(f"{name} {held:.1%} ({given:.0%})")
    assert not outside


@pytest.mark.slow
@pytest.mark.parametrize("rows", [(20, 20), (20, 1_000), (100, 1_000), (1_000, 1_000)])
@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.9, 0.9), (0.9, 0.85), (0.99, 0.97)])
def test_the_interval_of_a_difference_of_other_rows_does_so_too(
    rows: tuple[int, int], shares: tuple[float, float]
) -> None:
    chance, held, trials = np.random.default_rng(1), 0, 0
    for around in np.linspace(-0.02, 0.009, 8):
        true = [share + around for share in shares]
        first, second = (chance.binomial(count, share, 500) for count, share in zip(rows, true, strict=True))
        for one, two in zip(first.tolist(), second.tolist(), strict=True):
            low, high = independent_interval(one, rows[0], two, rows[1])
            held += low <= true[0] - true[1] <= high
            trials += 1
    assert 0.93 <= held / trials <= (0.97 if min(shares) * min(rows) < min(rows) - 10 else 1)
