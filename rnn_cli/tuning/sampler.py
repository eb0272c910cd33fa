"""Which settings to try next, by Optuna's tree-structured Parzen estimator, asked and told.

A search that goes on asks and tells again what its journal holds: the same seed then chooses what it would have chosen.

Source: Watanabe (2023), Tree-structured Parzen estimator; Li et al. (2020), A system for massively parallel
hyperparameter tuning (successive halving as trials come).
"""

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol

import numpy as np
import optuna
from optuna.trial import Trial, TrialState

from rnn_cli.tuning.goals import Goal
from rnn_cli.tuning.journal import TrialRecord
from rnn_cli.tuning.space import Choices, Range, Space, choice_as_text, shortest

STARTING = 9
"""So many trials are chosen in other ways before the estimator knows enough: each third of them by chance, the others
near the best so far, as the config to begin with is one that was found good on other rows."""

MUTATED = 0.25
"""The share of dimensions that change near the best."""

KEEPING = 3
"""Of the trials that reach a rung, one in so many goes on."""

MOST_DRAWS = 20
"""So often others are drawn where the settings drawn have been tried."""

LACKING = 3
"""After so many networks in a row that the time left has no room for, linear models are tried in it."""

KIND = "model.kind"
"""The key near which nothing is: a trial near a network is one."""

TOLD_STATES = {
    "complete": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "infeasible": TrialState.PRUNED,
    "failed": TrialState.FAIL,
    "cut": TrialState.FAIL,
    "skipped": TrialState.FAIL,
}
"""What the estimator is told of a trial: from those that failed, or had no time, it learns nothing."""

optuna.logging.set_verbosity(optuna.logging.WARNING)


@dataclass
class Sampler:
    """Chooses settings of a space, and stops trials that promise less than others did at the same step."""

    space: Space
    goal: Goal
    seed: int
    study: optuna.Study = field(init=False)

    def __post_init__(self) -> None:
        """Make the study."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # group
            tree = optuna.samplers.TPESampler(
                n_startup_trials=1, seed=self.seed, multivariate=True, group=True, constant_liar=False
            )
        halving = optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=KEEPING)
        self.study = optuna.create_study(sampler=tree, pruner=halving)

    def ask_next(self, ended: Sequence[TrialRecord]) -> "Asked":
        """The settings of the next trial, after those that have ended."""
        chosen = sum(each.params is not None and not each.name for each in ended)
        lacks_time = self._lacks_time(ended)
        parent = self._parent(ended, "linear" if lacks_time else "network")
        if chosen >= STARTING and not lacks_time:
            return self.ask()
        if not lacks_time:
            parent = {} if parent is None or chosen % 3 == 2 else parent
        parent = {KIND: "linear"} if parent is None else parent
        chance = np.random.default_rng([self.seed, len(ended)])
        known = [each.params for each in ended]
        for _ in range(MOST_DRAWS):
            params = self._near(parent, chance)
            if params not in known:
                break
        return self.ask(params)

    def _lacks_time(self, ended: Sequence[TrialRecord]) -> bool:
        """Whether linear models are the next, as the last networks did not fit into the time left.

        Now and then a network is tried all the same: a search that goes on may have more time.
        """
        kinds = next((each.values for each in self.space.dimensions if each.key == KIND), None)
        if kinds is None or not kinds.holds("linear") or len(ended) % (LACKING + 1) == 0:
            return False
        networks = (each for each in reversed(ended) if each.settings.get(KIND, "network") == "network")
        return len(last := list(islice(networks, LACKING))) == LACKING and all(each.lacked_time for each in last)

    def _parent(self, ended: Sequence[TrialRecord], kind: str) -> dict[str, Any] | None:
        """The parameters of the best trial so far, of this kind if there is one."""
        known = [each for each in ended if each.is_measured and each.params is not None]
        of_kind = [each for each in known if each.settings.get(KIND, "network") == kind]
        some = of_kind if of_kind or kind == "linear" else known
        best = min(some, key=lambda each: self.goal.cost_of(each.value or 0.0, each.figures), default=None)
        return None if best is None or best.params is None else dict(best.params)

    def _near(self, parent: dict[str, Any], chance: np.random.Generator) -> dict[str, Any]:
        """Parameters near others: some dimensions have other values; without others, all are by chance."""
        params: dict[str, Any] = {}

        def suggest(name: str, values: Choices | Range) -> Any:
            keeps = name in parent and values.holds(parent[name]) and (name == KIND or chance.random() >= MUTATED)
            params[name] = found = parent[name] if keeps else values.draw(chance)
            return found

        self.space.choose(suggest)
        return params

    def ask(self, fixed: dict[str, Any] | None = None) -> "Asked":
        """The settings of a trial that the estimator chooses; with `fixed`, parameters by dimension, those."""
        if fixed is not None:
            self.study.enqueue_trial({name: self._stored(name, value) for name, value in fixed.items()})
        trial = self.study.ask()
        params: dict[str, Any] = {}

        def suggest(name: str, values: Choices | Range) -> Any:
            params[name] = found = _suggested(trial, name, values)
            return found

        settings = self.space.choose(suggest)
        return Asked(settings, params, trial)

    def tell(self, asked: "Asked", record: TrialRecord) -> None:
        """Tell how a trial that was asked for ended. What it promised has been told before."""
        asked.limit(record)
        state = TOLD_STATES[record.state]
        value = None if record.value is None else self.goal.cost_of(record.value, record.figures)
        self.study.tell(asked.trial, value if state == TrialState.COMPLETE else None, state=state)

    def replay(self, records: Sequence[TrialRecord]) -> bool:
        """Ask and tell what an earlier process did; whether the same was chosen again."""
        same = True
        under_way: list[tuple[TrialRecord, Asked]] = []
        for number, record in enumerate(records):
            known = number if record.asked_after is None else record.asked_after
            while under_way and under_way[0][0].number < known:
                self.tell_all(*under_way.pop(0))
            if record.params is None:
                continue
            before = [*records[:known], *map(unended, records[known:number])]
            asked = self.ask(dict(record.params)) if record.name else self.ask_next(before)
            same &= asked.params == record.params
            under_way.append((record, asked))
        for each in under_way:
            self.tell_all(*each)
        return same

    def tell_all(self, record: TrialRecord, asked: "Asked") -> None:
        """Tell what a trial that ran elsewhere, or earlier, promised step by step, and how it ended."""
        for step, promise in record.promises:
            asked.is_hopeless(promise, step)
        self.tell(asked, record)

    def _stored(self, name: str, value: Any) -> Any:
        values = next(each.values for each in self.space.dimensions if each.called == name)
        return choice_as_text(value) if isinstance(values, Choices) else value


class ChosenTrial(Protocol):
    """A trial that was chosen, whether it has ended or not."""

    @property
    def number(self) -> int:
        """From 0 on."""

    @property
    def name(self) -> str:
        """Empty for a trial that the sampler chose."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """By key of a config."""

    @property
    def params(self) -> Mapping[str, Any] | None:
        """By dimension."""


def unended(chosen: ChosenTrial) -> TrialRecord:
    """A trial as the sampler sees it while it is under way."""
    return TrialRecord(chosen.number, "failed", chosen.name, chosen.settings, chosen.params)


def _suggested(trial: Trial, name: str, values: Choices | Range) -> Any:
    if isinstance(values, Choices):
        return json.loads(trial.suggest_categorical(name, [choice_as_text(each) for each in values.values]))
    if values.is_whole:
        return trial.suggest_int(name, int(values.low), int(values.high), step=int(values.step or 1), log=values.log)
    return shortest(trial.suggest_float(name, values.low, values.high, step=values.step, log=values.log))


@dataclass(frozen=True)
class Asked:
    """A trial that was asked for: `settings` by key of a config, `params` by dimension."""

    settings: dict[str, Any]
    params: dict[str, Any]
    trial: Trial

    def is_hopeless(self, promise: float, step: int) -> bool:
        """Tell what the trial promises after a step, of which less is better; whether it shall stop."""
        self.trial.report(promise, step)
        return bool(self.trial.should_prune())

    def limit(self, record: TrialRecord) -> None:
        """Tell by how much the trial breaks limits, as a share; the estimator avoids such settings."""
        for name, excess in record.excess.items():
            self.trial.set_constraint(name, excess)
