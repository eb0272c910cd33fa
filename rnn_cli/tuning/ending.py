"""The end of a search: its best trial's model, how sure it is that it is the best, `best.yaml` and the page."""

from dataclasses import dataclass, replace
from pathlib import Path

from rnn_cli.config.commented import with_comments
from rnn_cli.config.schema import Config
from rnn_cli.errors import quoted
from rnn_cli.system import as_write_error, whole_file, write
from rnn_cli.training.trained import Run
from rnn_cli.tuning.goals import Goal
from rnn_cli.tuning.journal import TrialRecord
from rnn_cli.tuning.page import counts_in_words, rows_that_choose, search_page
from rnn_cli.tuning.place import BEST_CONFIG, PAGE
from rnn_cli.tuning.search import DISTILLED, PRESENT, Search
from rnn_cli.tuning.shows import written_goal
from rnn_cli.tuning.space import changed
from rnn_cli.tuning.winner import WinnerStanding, standing_of
from rnn_cli.tuning.wording import goal_called, standing_in_lines


@dataclass(frozen=True)
class Tuned:
    """A finished search: the winner's `run`, its trial, all trials in their order, and the search's folder.

    `run` is measured on the test rows, which no trial has seen. `config` is that of the winner, `standing` how sure it
    is that it is the best, and what its figure is without the luck of the choice; `rows` names the rows that chose.
    """

    run: Run
    best: TrialRecord
    trials: tuple[TrialRecord, ...]
    folder: Path
    config: Config
    standing: WinnerStanding
    rows: str

    @property
    def best_config(self) -> Path:
        """The file `best.yaml`, which `rnn train` repeats."""
        return self.folder / BEST_CONFIG

    @property
    def page(self) -> Path:
        """The page about the search."""
        return self.folder / PAGE

    def __repr__(self) -> str:
        """The model's folder, the goal and how many trials there were."""
        figure = f"{self.standing.goal} {self.standing.chosen:.4g}"
        return f"Tuned({str(self.run.path)!r}, {figure}, {len(self.trials)} trials)"

    def in_lines(self) -> list[str]:
        """What the search found, in sentences."""
        return list(standing_in_lines(self.standing, self.rows, self.trials))


def finish_search(search: Search, best: TrialRecord) -> Tuned:
    """Write the winner's model, measured on the test rows, `best.yaml` and the page."""
    search.listener.doing("comparing the trials")
    standing = standing_of_search(search, best)
    present = next((each for each in search.measured() if each.name == PRESENT), None)
    if present is not None and not _pays(search, best, standing, present):
        best, standing = present, replace(standing, kept=present.number, kept_figure=present.value)
    run = search.write_winner(best, {SEARCHED: standing.to_dict()})
    config = changed(search.plan.config, best.settings, "the best")
    yaml = best_yaml(search, best, standing, run)
    _write(search.place.best, yaml)
    search.listener.doing("writing the page")
    page = search_page(search, best, standing, run, yaml, _repeating(search))
    _write(search.place.page, page)
    return Tuned(
        run, best, tuple(search.journal.ended), search.place.folder, config, standing, rows_that_choose(search)
    )


def _pays(search: Search, best: TrialRecord, standing: WinnerStanding, present: TrialRecord) -> bool:
    """Whether the best trial, corrected for having been chosen, is better than the config, which was not chosen."""
    assert present.value is not None
    if best is present:
        return True
    chooser = search.plan.goal.chooser
    if chooser is search.plan.goal:
        return chooser.better(standing.corrected, present.value)
    return chooser.better(standing_of_search(search, best, chooser).corrected, present.figures[chooser.name])


MAKES_THE_SAME = "rnn train with this file makes the same model, to the same bytes of weights on one machine."
LEARNED_FROM_BEST = "The model learned from the best trials; rnn train with this file learns from the labels alone."

SEARCHED = "search"
"""The key of a model's metrics that tells of the search which found its config."""


def standing_of_search(search: Search, best: TrialRecord, goal: Goal | None = None) -> WinnerStanding:
    """How the best trial stands among all that were measured, by the goal of the search or another."""
    found = {each.number: search.place.trial(each.number).predictions() for each in search.measured()}
    second = min((each for each in search.measured() if each is not best), key=search.rank, default=None)
    others = dict.fromkeys(
        [number for number, _ in enumerate(search.plan.fixed) if number in found]
        + ([second.number] if second is not None else [])
    )
    return standing_of(goal or search.plan.goal, search.truth(best), found, best.number, list(others))


def _repeating(search: Search) -> tuple[str, str]:
    """The commands that repeat a search and its best config, and how exactly they do, in a sentence."""
    plan, ended = search.plan, search.journal.ended
    trains = f"rnn train {quoted(search.place.best)}"
    if any(each.name == DISTILLED and each.is_measured for each in ended):
        what = "The model may have learned from the best trials; rnn train learns from the labels alone."
        return trains, f"{what} A search with the same --trials, --seed and --distil repeats it on one machine."
    if any(each.state in ("cut", "skipped") for each in ended):
        exactly = "This trains the best config again, to the same bytes of weights on one machine."
        return (
            trains,
            f"{exactly} Trials were cut or skipped for lack of time: what is searched depends on the machine.",
        )
    again = f"--trials {len(ended)} --seed {plan.seed} --goal {plan.goal.name}"
    what = f"The first command trains the best config again, rnn tune with {again}, halving by {plan.halving},"
    return f"{trains}\nrnn tune … {again}", f"{what} runs the same trials, each to the same bytes on one machine."


def _write(file: Path, content: str) -> None:
    with as_write_error(file), whole_file(file) as hidden:
        write(hidden, content)


def best_yaml(search: Search, best: TrialRecord, standing: WinnerStanding, run: Run) -> str:
    """The config of the best trial, with what was found in its head and what was tried behind its keys."""
    plan = search.plan
    config = changed(plan.config, best.settings, "the best")
    ended, name = search.journal.ended, goal_called(plan.goal.name)
    chosen, corrected, low, high = (
        written_goal(plan.goal.name, each) for each in (standing.chosen, standing.corrected, *standing.interval)
    )
    head = [
        f"Found by rnn tune: trial {best.number} of {len(ended):,} ({counts_in_words(ended)}), by {name}.",
        "",
        f"{'chose':<12} {chosen} on {standing.rows:,} {rows_that_choose(search)}, trial {standing.winner}",
        f"{'corrected':<12} {corrected} ({low} to {high}) is to be expected on other rows",
    ]
    if standing.kept_figure is not None:
        head.append(
            f"{'kept':<12} {written_goal(plan.goal.name, standing.kept_figure)}: the config, as others are no better"
        )
    if run.test is not None and (value := getattr(run.test.metrics, plan.goal.name)) is not None:
        head.append(
            f"{'test':<12} {written_goal(plan.goal.name, value)} on {run.test.metrics.rows:,} rows, looked at once"
        )
    head += ["", LEARNED_FROM_BEST if best.name == DISTILLED else MAKES_THE_SAME]
    tried = {each.key: f"of {each.values}" for each in plan.space.dimensions if each.counts(best.settings)}
    reasons = {key: tried[key] for key in best.settings if key in tried}
    return with_comments(config, head, reasons)
