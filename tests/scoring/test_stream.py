"""Scoring without end: items come back in order with their answers, and Python is left as it was."""

import gc
import sys
from pathlib import Path

import numpy as np
import pytest

from rnn_cli.scoring import pool
from rnn_cli.scoring.pool import CONTAINERS, SWITCH_SECONDS, score_each
from rnn_cli.scoring.predictor import Predictor

ITEMS = [["warm film", "dull"], ["film"], ["a film " * n for n in range(1, 90)], ["", "dull film"]] * 3


def settings_of_python() -> tuple[float, tuple[int, int, int]]:
    return sys.getswitchinterval(), gc.get_threshold()


@pytest.fixture(params=["workers", "threads"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to score, where there are both."""
    if request.param == "threads":
        monkeypatch.setattr(pool, "CAN_FORK", False)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("threads", [1, 3, None])
def test_items_come_back_in_order_with_their_scores(threads: int | None, trained: Path) -> None:
    predictor = Predictor.open(trained, threads=threads)
    scored = list(score_each(predictor, iter(ITEMS), lambda item: item))
    assert [item for item, _ in scored] == ITEMS
    for item, scores in scored:
        alone = predictor.score(item)
        assert np.array_equal(scores.probabilities, alone.probabilities) and np.array_equal(scores.known, alone.known)


@pytest.mark.usefixtures("way")
def test_python_is_set_for_it_and_left_as_it_was(trained: Path) -> None:
    before = settings_of_python()
    scoring = score_each(Predictor.open(trained), iter(ITEMS), lambda item: item)
    next(scoring)
    interval, (containers, *_) = settings_of_python()
    assert interval == pytest.approx(SWITCH_SECONDS) and containers == CONTAINERS
    scoring.close()  # type: ignore[attr-defined]
    assert settings_of_python() == before


@pytest.mark.usefixtures("way")
def test_an_error_in_reading_leaves_python_as_it_was(trained: Path) -> None:
    before = settings_of_python()
    with pytest.raises(ZeroDivisionError):
        list(score_each(Predictor.open(trained), iter(ITEMS), lambda item: [str(1 // 0)]))
    assert settings_of_python() == before
