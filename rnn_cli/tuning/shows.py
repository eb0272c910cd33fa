"""A search told in lines, one a trial, to whoever listens."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from rnn_cli.bundle.history import EpochMetrics
from rnn_cli.training.listener import Listener, SilentListener
from rnn_cli.tuning.goals import Goal
from rnn_cli.tuning.journal import TrialRecord
from rnn_cli.tuning.space import settings_in_words

SHARE_GOALS = ("accuracy", "macro_f1", "balanced_accuracy", "micro_f1", "weighted_f1", "samples_f1", "exact_match")
"""Goals that are shown as percentages."""


def written_goal(name: str, value: float) -> str:
    """A goal's figure as people read it."""
    return f"{value:.1%}" if name in SHARE_GOALS else f"{value:.4f}"


def time_in_words(seconds: float) -> str:
    """A short duration: 8s, 3:05."""
    whole = max(round(seconds), 0)
    return f"{whole}s" if whole < 100 else f"{whole // 60}:{whole % 60:02}"


class ToldInLines(SilentListener):
    """Tells of a search in notes, and passes on the steps of its work."""

    def __init__(self, to: Listener) -> None:
        self.to = to
        self.note, self.warn, self.doing, self.progress = to.note, to.warn, to.doing, to.progress  # type: ignore[method-assign]
        self.goal: Goal | None = None
        self.settings: Mapping[str, Any] = {}

    def searching(self, goal: Goal, left: float, trials: int | None) -> None:
        """Say what is searched, and for how long."""
        self.goal = goal
        most = [f"{trials} trials"] if trials is not None else []
        time = [f"{time_in_words(left)} minutes" if left >= 100 else time_in_words(left)] if isfinite(left) else []
        better = "highest" if goal.more_is_better else "least"
        self.note(f"searching for the {better} {goal.name}: {' or '.join(most + time)}")

    def trial_known(self, record: TrialRecord, apart: Mapping[str, Any], *, best: bool) -> None:
        """Say nothing of it again."""

    def trial_starts(self, number: int, name: str, settings: Mapping[str, Any], left: float) -> None:
        """Remember its settings."""
        self.settings = settings
        self.doing(f"trial {number}")

    def trial_done(self, record: TrialRecord, apart: Mapping[str, Any], *, best: bool) -> None:
        """Say how it ended."""
        self.note(trial_line(record, self.goal.name if self.goal else "", apart, best=best))

    def epoch_done(self, metrics: EpochMetrics, *, best: bool) -> None:
        """Say nothing of each of many epochs."""


def trial_line(record: TrialRecord, goal: str, apart: Mapping[str, Any], *, best: bool) -> str:
    """A trial in a line: its number, its figure or why there is none, its time and the settings that set it apart."""
    value = written_goal(goal, record.value) if record.value is not None else ""
    ended = "" if record.state == "complete" else record.state
    found = " ".join(filter(None, (value, ended))) + (" best" if best else "")
    why = f" ({record.reason})" if record.reason else ""
    what = record.name or settings_in_words(apart) or "the same as the config"
    return f"trial {record.number}: {found}{why}, {time_in_words(record.seconds)}: {what}"
