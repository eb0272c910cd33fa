"""A search as a table on a terminal: what has ended, what was stopped and after what, and the best so far."""

import io

from rich.console import Console

from rnn_cli.cli.show_tuning import SearchTable
from rnn_cli.tuning.goals import Goal
from rnn_cli.tuning.journal import TrialRecord


def shown(*trials: TrialRecord, best: int, known: bool) -> str:
    """The table of 80 columns after these trials."""
    console = Console(file=io.StringIO(), width=80)
    table = SearchTable(console)
    table.searching(Goal("log_loss", "single", ("a", "b")), float("inf"), 6)
    for each in trials:
        tell = table.trial_known if known else table.trial_done
        tell(each, each.settings, best=each.number == best)
    console.print(table.render())
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


LINEAR = TrialRecord(0, "complete", "linear model", {}, None, value=0.5, seconds=3.0)
STOPPED = TrialRecord(
    1, "pruned", "", {"model.units": [64]}, {}, seconds=70.0, reason="after a third of the rows: others promised more"
)


def test_a_trial_that_was_stopped_says_after_what():
    *_, last = shown(LINEAR, STOPPED, best=0, known=False).rstrip().splitlines()
    assert last.split() == ["1", "pruned", "70s", *"after a third of the rows; units [64]".split()]


def test_a_search_that_goes_on_shows_what_ended_before():
    fresh, resumed = (shown(LINEAR, STOPPED, best=0, known=known) for known in (False, True))
    assert fresh == resumed and "best log loss 0.5000, trial 0; 2 of 6 trials" in resumed
