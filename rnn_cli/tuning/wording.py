"""What a search found, in sentences."""

from collections.abc import Iterator, Sequence

from rnn_cli.evaluation.wording import EVERY
from rnn_cli.tuning.journal import TrialRecord
from rnn_cli.tuning.shows import SHARE_GOALS, written_goal
from rnn_cli.tuning.winner import Lead, WinnerStanding


def goal_called(name: str) -> str:
    """A goal's name in words: log loss."""
    return name.replace("_", " ").replace(" f1", " F1").replace("roc auc", "ROC AUC").replace("pr auc", "PR AUC")


def standing_in_lines(standing: WinnerStanding, side: str, records: Sequence[TrialRecord]) -> Iterator[str]:
    """The figure that chose, corrected for the choice, and the lead over other trials."""
    name, rows = goal_called(standing.goal), f"{standing.rows:,} {side}"
    low, high = (written_goal(standing.goal, end) for end in standing.interval)
    chosen, corrected = (written_goal(standing.goal, each) for each in (standing.chosen, standing.corrected))
    if standing.trials == 1:
        yield f"One trial was measured: its {name} is {chosen} on the {rows}, so there was nothing to choose from."
        return
    yield (
        f"The best of {standing.trials} trials has {name} {chosen} on the {rows} that chose it. Corrected for having "
        f"been chosen, {corrected} is to be expected on other rows ({EVERY} {low} to {high})."
    )
    if standing.kept is not None and standing.kept_figure is not None:
        figure = written_goal(standing.goal, standing.kept_figure)
        by = " by log loss, which is less a matter of chance," if standing.goal == "accuracy" else ""
        yield f"That is{by} no better than the config to begin with, which has {figure}, so the config is kept."
        return
    for lead in standing.leads:
        yield lead_in_words(lead, standing.goal, records)


def lead_in_words(lead: Lead, goal: str, records: Sequence[TrialRecord]) -> str:
    """By how much the winner is better than a trial, and whether that is beyond chance."""
    record = records[lead.over]
    called = f"trial {record.number}" + (f" ({record.name})" if record.name else "")
    low, high = (_difference(goal, end) for end in lead.interval)
    if goal == "accuracy" and lead.difference < 0:  # the log loss chose
        more = _difference(goal, -lead.difference)
        return (
            f"{called[:1].upper()}{called[1:]} has {more} more, but a worse log loss, which is less a matter of chance."
        )
    verdict = "beyond chance" if lead.beyond_chance else "within chance"
    return (
        f"It is better than {called} by {_difference(goal, lead.difference)} ({EVERY} {low} to {high}): {verdict}; in "
        f"{lead.share:.0%} of samples of the rows it is the better one."
    )


def _difference(goal: str, value: float) -> str:
    return f"{100 * value:.1f} points" if goal in SHARE_GOALS else f"{value:.4f}"
