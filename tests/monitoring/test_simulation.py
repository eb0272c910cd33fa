"""Drift in simulation: a reduced form of tests/bench/drift.py."""

from collections.abc import Iterator
from tempfile import TemporaryDirectory

import pytest

from tests.bench.drift import Source, from_elsewhere, garbled, make_source, sample

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def source() -> Iterator[Source]:
    with TemporaryDirectory() as folder:
        yield make_source(folder)


def test_the_same_source_alarms_in_5_of_100_samples(source: Source) -> None:
    alarms = sum(sample(source, number).is_sure for number in range(120))
    assert alarms <= 13  # 6 and three standard errors


def test_other_texts_and_garbled_ones_are_seen(source: Source) -> None:
    for change in (from_elsewhere(0.2), garbled(0.3)):
        assert sum(sample(source, 10_000 + number, change).is_sure for number in range(20)) >= 18
