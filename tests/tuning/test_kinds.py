"""Goals by the kind of labels, and searches of each kind; few rows are measured by folds."""

from pathlib import Path

import pytest

from rnn_cli.errors import UsageError
from rnn_cli.tuning.goals import goal_of
from tests.tuning.conftest import search


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "kind", "told"),
    [
        ("acuracy", "single", "did you mean accuracy"),
        ("micro_f1", "single", "no such goal of one label a text"),
        ("accuracy", "several", "no such goal of several labels a text"),
        ("mean_absolute_error", "single", "no such goal"),
    ],
)
def test_a_goal_that_the_labels_do_not_have_is_refused(name: str, kind: str, told: str):
    with pytest.raises(UsageError, match=told):
        goal_of(name, kind, ("a", "b"))  # type: ignore[arg-type]


def test_several_labels(several_file: Path, home: Path):
    found = search(several_file, home / "out", trials=2, goal="macro_f1", sections={"data": {"labels": "several"}})
    best = max(found.trials, key=lambda each: each.value or 0)
    assert found.standing.chosen == pytest.approx(best.value) and found.run.test is not None
    assert found.run.validation is not None
    assert found.run.validation.metrics.macro_f1 == pytest.approx(found.best.value)


def test_ordered_labels(rated_file: Path, home: Path):
    more = {"data": {"labels": "ordered"}}
    found = search(rated_file, home / "out", trials=2, goal="mean_absolute_error", sections=more)
    assert found.standing.chosen == pytest.approx(min(each.value for each in found.trials if each.value is not None))


def test_few_rows_are_measured_by_folds(labelled_file: Path, home: Path):
    """The winner is chosen by what folds predict, and its run states that figure, with the linear baseline."""
    more = {"data": {"test": 0.0}, "training": {"folds": 3}}
    found = search(labelled_file, home / "out", trials=3, halving=None, sections=more)
    assert found.run.folds is not None and found.run.test is None
    assert found.run.folds.metrics.log_loss == pytest.approx(found.best.value)
    assert found.run.folds.baseline is not None
    assert found.rows == "rows predicted by folds" and found.standing.rows == found.run.folds.metrics.rows
