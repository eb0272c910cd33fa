"""How far a fit is, told: a bar on a terminal, a line now and then elsewhere."""

import pytest
from rich.progress import Progress

from rnn_cli import progress
from rnn_cli.progress import Bars, Lines


def test_a_long_fit_has_a_line_every_ten_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seconds = iter([0, 4, 9, 11, 12, 20, 22, 23, 100, 101])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(seconds))
    lines = Lines()
    for done in range(1, 9):
        lines.progress("n-gram part: labels", 1000 + done, 2000)
    for done in (1, 2):
        lines.progress("linear baseline: labels", done, 3)
    assert capsys.readouterr().err.splitlines() == [
        "n-gram part: labels 1,004/2,000",
        "n-gram part: labels 1,007/2,000",
    ]


def test_a_fit_has_a_bar_that_goes_when_it_is_over_or_another_line_comes() -> None:
    with Progress(disable=True) as shown:
        bars = Bars(shown)
        bars.progress("n-gram part: labels", 5, 20)
        bars.progress("n-gram part: labels", 6, 20)
        (task,) = shown.tasks
        assert (task.description, task.completed, task.total) == ("n-gram part: labels", 6, 20)
        bars.progress("n-gram part: labels", 20, 20)
        assert not shown.tasks
        bars.progress("n-gram part: steps, at most", 1, 600)
        bars.note("n-gram part alone: validation 90.0%")
        assert not shown.tasks
        bars.progress("a", 1, 2)
        bars.progress("b", 1, 2)
        assert [task.description for task in shown.tasks] == ["b"]
