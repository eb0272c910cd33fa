"""The order of work of a search: trials until the time or their number is over, then the winner's model.

The rows that choose are those that folds predict, or the validation rows (`halving`). The test rows are put aside
before the first trial; the winner alone is measured on them, when its model is written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from math import inf
from typing import Any, Protocol

from rnn_cli import system
from rnn_cli.arrays import Indices
from rnn_cli.bundle.model_folder import LATEST
from rnn_cli.bundle.writer import Draft, is_latest
from rnn_cli.config.load import parse_config, to_yaml
from rnn_cli.config.schema import Config, DataConfig
from rnn_cli.data.rows import Dataset
from rnn_cli.data.splits import Splits, share_of
from rnn_cli.data.unlabelled import Unlabelled
from rnn_cli.errors import BundleError, ConfigError, DataError, Error
from rnn_cli.evaluation.folds import true_classes
from rnn_cli.gates.grammar import written_value
from rnn_cli.training.listener import Listener, SilentListener
from rnn_cli.training.pooling import pooled_of
from rnn_cli.training.prepare import Prepared, prepare, read_rows
from rnn_cli.training.shared import Cache
from rnn_cli.training.teacher import taught
from rnn_cli.training.trained import Run
from rnn_cli.training.trial import TrialModel, kept_folds, with_baselines_of, without_test_rows, write_trial
from rnn_cli.tuning.budget import Budget, Costs, OutOfTime, TrialWork
from rnn_cli.tuning.distilling import taught_by
from rnn_cli.tuning.goals import Goal, goal_of
from rnn_cli.tuning.halving import FIRST_SHARE, Halving, in_folds
from rnn_cli.tuning.journal import Journal, TrialRecord
from rnn_cli.tuning.place import Place
from rnn_cli.tuning.sampler import Asked, Sampler, unended
from rnn_cli.tuning.space import Space, changed, value_in
from rnn_cli.tuning.trials import (
    Hopeless,
    ServedLimits,
    TrialFolder,
    TrialListener,
    learn_model,
    learn_share,
    least_bytes,
    seconds_of_short,
)

KEPT_MODELS = 3
"""So many of the best trials keep their models, and the present config does."""

MOST_SKIPPED = 12
"""After so many trials in a row that would not fit into the time left, none is looked for any more."""

PAGE_SECONDS, ENDING_FACTOR = 6.0, 2.0
"""How long the page takes, about, and how many times longer than the model that was kept the winner's takes, which is
measured on the test rows, too."""

DISTILLING_FACTOR = 1.3
"""How many times longer than the network whose config it has a distilled one may take: its teachers read all rows."""

LINEAR, PRESENT, WITH_PIECES, DISTILLED = (
    "linear model",
    "present config",
    "config with pieces of words",
    "distilled from the best",
)
"""The names of trials that are not chosen by the sampler."""


@dataclass(frozen=True)
class TrialJob:
    """A trial to run: what was chosen for it when `asked_after` trials had ended."""

    number: int
    name: str
    settings: dict[str, Any]
    params: dict[str, Any] | None
    asked_after: int


@dataclass(frozen=True)
class TrialResult:
    """A trial that ran in another process, and how many seconds it took to write its model, 0 where none was."""

    record: TrialRecord
    keeping: float = 0.0


class RunsTrials(Protocol):
    """Runs several trials at once, in other processes or on other machines."""

    @property
    def width(self) -> int:
        """How many."""

    def run(self, jobs: Sequence[TrialJob], ended: Sequence[TrialRecord], left: float | None) -> list[TrialResult]:
        """Run up to so many trials, and wait for all."""


class Shows(Listener, Protocol):
    """Shows a search: what it says, and its trials."""

    def searching(self, goal: Goal, left: float, trials: int | None) -> None:
        """The search begins, or goes on; `left` are the seconds for trials, infinite where no time is set."""

    def trial_known(self, record: TrialRecord, apart: Mapping[str, Any], *, best: bool) -> None:
        """A trial ended before the search was stopped; arguments as those of `trial_done`."""

    def trial_starts(self, number: int, name: str, settings: Mapping[str, Any], left: float) -> None:
        """A trial begins."""

    def trial_done(self, record: TrialRecord, apart: Mapping[str, Any], *, best: bool) -> None:
        """A trial ended; `apart` are its settings that the config has not, `best` whether it is the best."""


@dataclass(frozen=True)
class Plan:
    """What is searched: a config to begin with, the space around it, the goal, the limits and the seed.

    `fixed` are the trials before the sampler chooses: names and settings. `name` is that of the run's folder.
    """

    config: Config
    space: Space
    goal: Goal
    limits: ServedLimits
    seed: int
    fixed: tuple[tuple[str, Mapping[str, Any]], ...]
    minutes: float | None
    trials: int | None
    name: str
    jobs: int | None = None
    """How many trials run at once, None for one after the other; it changes which are chosen."""
    distil: bool = False
    """Whether a last trial learns from the best ones."""
    halving: Halving = "epochs"

    def to_head(self) -> dict[str, Any]:
        """The plan as a journal's head has it."""
        return {
            "config": to_yaml(self.config),
            "space": self.space.to_list(),
            "goal": self.goal.name,
            "limits": asdict(self.limits),
            "seed": self.seed,
            "fixed": [list(each) for each in self.fixed],
            "minutes": self.minutes,
            "trials": self.trials,
            "name": self.name,
            "jobs": self.jobs,
            "distil": self.distil,
            "halving": self.halving,
        }

    @classmethod
    def from_head(cls, head: Mapping[str, Any], labels: tuple[str, ...], where: str) -> "Plan":
        """The plan in a journal's head. Raises `BundleError`."""
        try:
            config = parse_config(head["config"], where)
            return cls(
                config,
                Space.from_list(head["space"]),
                goal_of(head["goal"], config.data.labels, labels),
                ServedLimits(**head["limits"]),
                head["seed"],
                tuple((name, settings) for name, settings in head["fixed"]),
                head["minutes"],
                head["trials"],
                head["name"],
                head.get("jobs"),
                head.get("distil", False),
                head.get("halving", "epochs" if config.training.folds is None else "folds"),
            )
        except (ConfigError, KeyError, TypeError, ValueError):
            raise BundleError("not a search this rnn understands", where=where, hint="begin a new one") from None


@dataclass(frozen=True)
class SearchedRows:
    """All rows of a search, split as its config says, and its texts without labels."""

    splits: Splits
    unlabelled: Unlabelled
    data: DataConfig

    @classmethod
    def read(cls, config: Config, source: Dataset | None) -> "SearchedRows":
        """Read and split the rows. Raises `DataError`."""
        return cls(*read_rows(config.data, source), config.data)

    @cached_property
    def to_choose(self) -> tuple[Splits, Unlabelled]:
        """The same without the test rows."""
        test, source = self.splits.test, self.splits.source
        if source is not None and not isinstance(self.data.test, str):
            held = set(test.texts)  # equal texts are on one side
            source = source.select(row for row, text in enumerate(source.texts) if text not in held)
        return replace(self.splits, test=test.select([]), source=source), self.unlabelled

    @cached_property
    def first_share(self) -> tuple[Splits, Unlabelled]:
        """A share of the training rows, and the validation rows."""
        splits, unlabelled = self.to_choose
        return replace(splits, train=share_of(splits.train, FIRST_SHARE, self.data.split_seed), source=None), unlabelled

    def identity(self) -> list[str | None]:
        """What tells whether other rows are the same."""
        return [self.splits.fingerprint, self.unlabelled.fingerprint]


@dataclass
class Search:
    """A search under way in its folder."""

    plan: Plan
    place: Place
    journal: Journal
    rows: SearchedRows
    listener: Shows
    budget: Budget
    sampler: Sampler = field(init=False)
    costs: Costs = field(default_factory=Costs)
    cache: Cache = field(default_factory=Cache)
    share_cache: Cache = field(default_factory=Cache)
    """What trials share of the rows that they learn from first."""
    force: bool = False
    """Whether a model that stands where the winner's will be is replaced."""
    skipped: int = 0
    keeping: float = 0.0
    """The seconds that it took to write a model that was kept, the last time."""
    told_rows: bool = False
    at_once: RunsTrials | None = None
    """What runs several trials at once; without it they run in this process, one after the other."""

    def __post_init__(self) -> None:
        """Make the sampler, and learn what the trials so far have cost."""
        self.sampler = Sampler(self.plan.space, self.plan.goal, self.plan.seed)
        for record in self.journal.ended:
            self._learn_cost(record)
        self._learn_ending()

    # The trials

    def replay(self) -> None:
        """Let the sampler choose again what it chose before the search was stopped."""
        if self.journal.ended and not self.sampler.replay(self.journal.ended):
            self.listener.warn("other versions of its libraries choose other trials; those that ended still count")

    def run_trials(self) -> None:
        """Run trials until the time or their number is over."""
        self.listener.searching(self.plan.goal, self.budget.left(), self.plan.trials)
        for each in self.journal.ended:
            self.listener.trial_known(each, self._apart(each), best=each is self.best())
        while not self._is_over():
            chosen = self._next()
            at_once = self.at_once
            if at_once is None or chosen[0][0].number == 0:  # the first one is there as soon as can be
                self._begins(chosen[0][0])
                records = [self.run_trial(*chosen[0])]
            else:
                for job, _ in chosen:
                    self._begins(job)
                left = None if self.budget.seconds is None else self.budget.left()
                found = at_once.run([job for job, _ in chosen], self.journal.ended, left)
                self.keeping = max([self.keeping, *(each.keeping for each in found)])
                records = [each.record for each in found]
            for (_, asked), record in zip(chosen, records, strict=True):
                self._ended(record, asked)
        if self.plan.distil and (student := self._student()) is not None:
            number = len(self.journal.ended)
            job = TrialJob(number, DISTILLED, dict(student.settings), None, number)
            self._begins(job)
            self.budget.ending -= self._reserved()
            self._ended(self.run_trial(job, None), None)

    def _taught_by_labels(self) -> list[TrialRecord]:
        """The measured trials that learned from the labels themselves, the best first."""
        return [each for each in sorted(self.measured(), key=self.rank) if each.name != DISTILLED]

    def _teachers(self) -> list[TrialRecord]:
        """The best trials, whose models are kept."""
        return [each for each in self._taught_by_labels()[:KEPT_MODELS] if self.place.trial(each.number).has_model]

    def _student(self) -> TrialRecord | None:
        """The trial whose config the distilled network has: the best network; None where nothing is new to distil."""
        last = self.journal.ended[-1] if self.journal.ended else None
        networks = [each for each in self._taught_by_labels() if each.work.get("epochs")]
        if not networks or len(self._teachers()) < 2 or (last is not None and last.name == DISTILLED):
            return None
        return networks[0]

    def _reserved(self) -> float:
        """The seconds that are kept for the distilled network."""
        student = self._student() if self.plan.distil else None
        return 0.0 if student is None else DISTILLING_FACTOR * student.seconds

    def _begins(self, job: TrialJob) -> None:
        self.journal.begins(job.number, job.name, job.settings, self.budget.spent())
        self.listener.trial_starts(job.number, job.name, job.settings, self.budget.left())

    def _ended(self, record: TrialRecord, asked: Asked | None) -> None:
        """Log a trial's end, and learn from it."""
        if asked is not None:
            if self.at_once is None or record.number == 0:
                self.sampler.tell(asked, record)
            else:
                self.sampler.tell_all(record, asked)
        best = self.best()
        self.journal.ends(record, self.budget.spent())
        self._learn_cost(record)
        self._learn_ending()
        is_best = record.is_measured and (best is None or self._is_better(record, best))
        self._drop_models()
        self.listener.trial_done(record, self._apart(record), best=is_best)
        self.skipped = self.skipped + 1 if record.state in ("skipped", "cut") else 0

    def _apart(self, record: TrialRecord) -> dict[str, Any]:
        """The settings of a trial that the config has not."""
        return {key: each for key, each in record.settings.items() if value_in(self.plan.config, key) != each}

    def learn_of(self, record: TrialRecord) -> None:
        """Learn of a trial that ended elsewhere."""
        if record.params is not None:
            self.sampler.tell_all(record, self.sampler.ask(dict(record.params)))
        self.journal.ended.append(record)
        self._learn_cost(record)

    def asked_again(self, job: TrialJob) -> Asked | None:
        """A trial that was chosen elsewhere, as the sampler of this process knows it."""
        return None if job.params is None else self.sampler.ask(dict(job.params))

    def _ran(self) -> int:
        """How many trials count towards the number that was asked for."""
        return sum(each.state != "skipped" and each.name != DISTILLED for each in self.journal.ended)

    def _is_over(self) -> bool:
        if self.plan.trials is not None and self._ran() >= self.plan.trials:
            return True
        return len(self.journal.ended) > 0 and (self.budget.left() <= 0 or self.skipped >= MOST_SKIPPED)

    def _next(self) -> list[tuple[TrialJob, Asked | None]]:
        """The next trials, as many as are run at once."""
        ended = self.journal.ended
        known = len(ended)
        width = 1 if self.at_once is None or not known else self.at_once.width
        if self.plan.trials is not None:
            width = min(width, self.plan.trials - self._ran())
        chosen: list[tuple[TrialJob, Asked | None]] = []
        for number in range(known, known + width):
            name, asked, settings = self._chosen(number, [*ended, *(unended(job) for job, _ in chosen)])
            chosen.append((TrialJob(number, name, settings, None if asked is None else asked.params, known), asked))
        return chosen

    def _chosen(self, number: int, before: Sequence[TrialRecord]) -> tuple[str, Asked | None, dict[str, Any]]:
        if number >= len(self.plan.fixed):
            asked = self.sampler.ask_next(before)
            return "", asked, asked.settings
        name, settings = self.plan.fixed[number]
        given = dict(settings)
        params = self.plan.space.named({**self.plan.space.of_config(changed(self.plan.config, given, name)), **given})
        return name, None if params is None else self.sampler.ask(params), given

    def run_trial(self, job: TrialJob, asked: Asked | None) -> TrialRecord:
        """Run a trial in this process."""
        number, began = job.number, self.budget.clock()
        folder = self.place.trial(number)
        folder.begin()
        called = f"trial {number}"
        # The first one is there whatever the time is: without it there would be no model.
        budget = Budget(None, clock=self.budget.clock) if number == 0 else self.budget

        def is_hopeless(promise: float, step: int) -> bool:
            # The config to begin with is measured whole: the winner is held against it.
            return asked is not None and asked.is_hopeless(promise, step) and job.name != PRESENT

        heard = TrialListener(self.listener, called, budget, self.plan.goal, is_hopeless)
        known = None if job.asked_after == number else job.asked_after
        record = TrialRecord(number, "failed", job.name, job.settings, job.params, asked_after=known)
        try:
            record = self._measured(record, folder, heard)
        except Hopeless:
            record = replace(record, state="pruned", reason=f"after {heard.reached}: others promised more")
        except OutOfTime as error:
            record = replace(record, state="cut", reason=str(error) or "the time was over")
        except (Error, MemoryError, ArithmeticError) as error:
            if number == 0:
                raise
            record = replace(record, state="failed", reason=str(error).partition("\n")[0] or type(error).__name__)
        record = replace(
            record,
            work=heard.work,
            promises=tuple(heard.promises),
            epochs=tuple(round(each, 3) for each in heard.seconds),
            seconds=round(self.budget.clock() - began, 3),
        )
        folder.keep_facts({**asdict(record), "warnings": heard.warnings})
        return record

    def _measured(self, record: TrialRecord, folder: TrialFolder, heard: TrialListener) -> TrialRecord:
        """Train, measure and keep the model of a trial, unless it breaks a limit or would take too long."""
        is_distilled = record.name == DISTILLED
        if not is_distilled and (twin := self._twin(record)) is not None:
            return replace(record, state="skipped", reason=f"the same as trial {twin}")
        folder.keep_config(changed(self.plan.config, record.settings, f"trial {record.number}"))
        run = self._prepared(record, heard if self.told_rows else self.listener)
        if not self.told_rows and (kept := len(self.rows.splits.test)):
            self.listener.note(f"{kept:,} test rows are put aside: the best model alone is measured on them")
        self.told_rows = True
        limits, size = self.plan.limits, least_bytes(run)
        if any(each > 0 for each in limits.excess(size, None).values()):
            excess = limits.excess(size, None)
            reason = f"{written_value(size, 'bytes')} in all: not trained"
            return replace(record, state="infeasible", size=size, excess=excess, reason=reason)
        taught_of = ""
        if is_distilled:
            teachers = self._teachers()
            run = taught_by(run, [self.place.trial(each.number).opened() for each in teachers])
            taught_of = f"trials {', '.join(str(each.number) for each in teachers)} taught it"
        measured = self._as_measured(run)
        share = self._first_share(run) if record.params is not None else None
        work = TrialWork.of(measured, 0.0 if share is None else FIRST_SHARE)
        heard.work = asdict(work)
        expected = self.costs.expected(work)
        if record.number > 1 and expected is not None and not self.budget.fits(expected):
            return replace(record, state="skipped", reason=f"would take about {expected:.0f}s")
        if share is not None:
            learn_share(share, FIRST_SHARE, self.plan.goal, heard)
        model = learn_model(measured, folder, heard)
        evaluation = model.evaluate()
        if measured is not run:
            model = replace(model, run=run, folds=None)
        probabilities, predicted = evaluation.scores.probabilities, evaluation.predicted
        value = self.plan.goal.of(evaluation.truth, probabilities, predicted)
        folder.keep_predictions(probabilities, predicted)
        size = model.served_bytes()
        latency = seconds_of_short(model, run.splits.validation.texts) if limits.latency is not None else None
        excess = limits.excess(size, latency)
        broken = [name for name, share in excess.items() if share > 0]
        record = replace(
            record,
            state="infeasible" if broken else "complete",
            value=value,
            interval=evaluation.metrics.intervals.get(self.plan.goal.name),
            size=size,
            latency=latency,
            excess=excess,
            figures=_figures(evaluation.metrics),
            reason=f"breaks the limit of {' and '.join(broken)}" if broken else taught_of,
        )
        if not broken:
            self._keep(record, folder, model)
        return record

    def _as_measured(self, run: Prepared) -> Prepared:
        """A trial's run as it is measured: by folds, where those are not the config's own but the search's."""
        is_folded = self.plan.halving == "folds" and run.config.training.folds is None
        return in_folds(run) if is_folded else run

    def _first_share(self, run: Prepared) -> Prepared | None:
        """The run of a network by the rows that it learns from first, None where it learns from all at once."""
        config = run.config
        is_own_network = config.model.kind != "linear" and config.model.base is None
        if self.plan.halving != "rows" or not is_own_network or config.training.teacher is not None:
            return None
        try:
            share = prepare(config, SilentListener(), ready=self.rows.first_share, shared=self.share_cache)
        except DataError:  # a rare label is lost
            return None
        return share if share.labels == run.labels else None

    def truth(self, record: TrialRecord) -> Indices:
        """The labels of the rows that choose, as `true_classes` has them."""
        run = self._as_measured(self._prepared(record, SilentListener()))
        folds = kept_folds(run, self.place.trial(record.number), SilentListener())
        truth: Indices = true_classes(run.splits.validation, run.labels) if folds is None else pooled_of(run, folds)[1]
        return truth

    def _twin(self, record: TrialRecord) -> int | None:
        """An earlier trial of the same config, if there is one that was not skipped."""
        config = changed(self.plan.config, record.settings, f"trial {record.number}")
        for each in self.journal.ended:
            ran = each.state not in ("skipped", "cut", "failed")
            if ran and changed(self.plan.config, each.settings, f"trial {each.number}") == config:
                return each.number
        return None

    def _prepared(self, record: TrialRecord, listener: Listener) -> Prepared:
        """The run of a trial's config, which knows no test rows."""
        config = changed(self.plan.config, record.settings, f"trial {record.number}")
        if record.number > 0:  # the linear baseline is the same for all
            training = config.training.model_copy(update={"baseline": False})
            config = config.model_copy(update={"training": training})
        return prepare(config, listener, ready=self.rows.to_choose, shared=self.cache)

    def _keep(self, record: TrialRecord, folder: TrialFolder, model: TrialModel) -> None:
        """Keep the model if it is among the best, and write the config of the best."""
        ranked = sorted([*self.measured(), record], key=self.rank)
        if record in ranked[:KEPT_MODELS] or record.name == PRESENT:
            began = self.budget.clock()
            folder.keep_model(model, SilentListener(), documented=record.number == 0)
            self.keeping = self.budget.clock() - began
            self._learn_ending()

    def _drop_models(self) -> None:
        """Delete the models that are not among the best any more."""
        for each in sorted(self.measured(), key=self.rank)[KEPT_MODELS:]:
            if each.name != PRESENT and (folder := self.place.trial(each.number)).has_model:
                folder.drop_model()

    def _learn_ending(self) -> None:
        """Expect the end to take as long as the first trial, which it does again, and as keeping the best did."""
        first = self.journal.ended[0].seconds if self.journal.ended else 0.0
        self.budget.ending = PAGE_SECONDS + first + ENDING_FACTOR * self.keeping + self._reserved()

    def _learn_cost(self, record: TrialRecord) -> None:
        if record.work:
            ended = record.state in ("complete", "infeasible")
            self.costs.add(TrialWork.from_dict(record.work), record.epochs, record.seconds, ended=ended)

    # What they found

    def measured(self) -> list[TrialRecord]:
        """The trials that may win."""
        return [each for each in self.journal.ended if each.is_measured]

    def best(self) -> TrialRecord | None:
        """The best trial so far; of equal ones the first."""
        return min(self.measured(), key=self.rank, default=None)

    def rank(self, record: TrialRecord) -> tuple[float, int]:
        """What trials are ordered by: the better first, of equal ones the earlier."""
        return (inf if record.value is None else self.plan.goal.cost_of(record.value, record.figures), record.number)

    def _is_better(self, one: TrialRecord, other: TrialRecord) -> bool:
        return self.rank(one) < self.rank(other)

    # The end

    def prepared_whole(self, record: TrialRecord) -> Prepared:
        """The run of a trial's config with all rows, the test rows included."""
        config = changed(self.plan.config, record.settings, f"trial {record.number}")
        run = prepare(config, SilentListener(), ready=(self.rows.splits, self.rows.unlabelled), shared=self.cache)
        run = taught(run, SilentListener())
        return replace(run, recipe="tune", seconds=self.budget.before, began=self.budget.began)

    def write_winner(self, record: TrialRecord, more: Mapping[str, Any]) -> Run:
        """Write the model of the winner, measured on the test rows; `more` is added to its metrics."""
        folder = self.place.trial(record.number)
        self.listener.doing("writing the best model")
        run = self.prepared_whole(record)
        folds = kept_folds(run, folder, SilentListener())
        if folds is not None and record.number > 0 and run.config.training.baseline:
            first = kept_folds(run, self.place.trial(0), SilentListener())
            assert first is not None
            folds = with_baselines_of(folds, first)
        model = self._model_of(record, folder, run)
        model = replace(model, run=run, folds=folds)
        parts = self.place.folder / "model.part"
        with system.as_write_error(parts):
            system.remove(parts)
            parts.mkdir()
        again = self.journal.finished_at is not None
        draft = Draft(parts, self.place.target, force=self.force or again, numbered=self.place.numbered)
        trained = write_trial(draft, model, self.listener, documented=True, more=more)
        self.journal.finished(str(trained.path), self.budget.spent())
        if not is_latest(trained.path):
            self.listener.warn(f"{LATEST} could not be pointed to {trained.path}")
        return trained

    def _model_of(self, record: TrialRecord, folder: TrialFolder, run: Prepared) -> TrialModel:
        """The kept model of a trial; where it is damaged, it is trained again."""
        try:
            return TrialModel.kept_in(folder.opened(), run)
        except BundleError as error:
            if record.name == DISTILLED:
                raise
            self.listener.warn(f"{error.where}: {error.what}; it is trained again")
            heard = TrialListener(self.listener, "the best", Budget(None), self.plan.goal, lambda *_: False)
            return learn_model(without_test_rows(run), folder, heard)


def _figures(metrics: Any) -> dict[str, float]:
    """The main figures of a trial, by name."""
    names = ("accuracy", "micro_f1", "macro_f1", "mean_absolute_error", "log_loss")
    return {name: float(value) for name in names if (value := getattr(metrics, name, None)) is not None}
