"""A model that an earlier release wrote loads for ever, and gives the same numbers.

`data/bundles/release-0.1.0.zip` holds such a model, the 240 made-up rows it learned from, and what that release itself
printed for five texts and for the rows.
"""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Rnn

KEPT = Path(__file__).parents[1] / "data" / "bundles" / "release-0.1.0.zip"


@pytest.fixture
def release(tmp_path: Path) -> Path:
    with zipfile.ZipFile(KEPT) as archive:
        archive.extractall(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("precision", "expected"), [("fp32", "expected.jsonl"), ("int8", "expected.int8.jsonl")])
def test_predictions_are_those_of_the_release(release: Path, rnn: Rnn, precision: str, expected: str) -> None:
    told = rnn(
        *("predict", "--model", str(release / "model"), "--format", "jsonl", "--proba", "--precision", precision),
        stdin=(release / "texts.txt").read_bytes(),
    )
    assert told.code == 0
    now, then = told.out.splitlines(), (release / expected).read_text("utf-8").splitlines()
    assert len(now) == len(then) == 5
    for line, before in zip(now, then, strict=True):
        _same(json.loads(line), json.loads(before))


def test_evaluation_is_that_of_the_release(release: Path, rnn: Rnn) -> None:
    told = rnn("evaluate", "--model", str(release / "model"), "--data", str(release / "rows.csv"), "--json")
    assert told.code == 0
    _same(json.loads(told.out), json.loads((release / "expected.evaluation.json").read_text("utf-8")))


def _same(now: Any, then: Any) -> None:
    """Equal, numbers to 1e-5; more keys than then are fine."""
    if isinstance(then, dict):
        for key, value in then.items():
            _same(now[key], value)
    elif isinstance(then, list):
        assert len(now) == len(then)
        for each, before in zip(now, then, strict=True):
            _same(each, before)
    elif isinstance(then, float):
        assert now == pytest.approx(then, abs=1e-5)
    else:
        assert now == then
