"""A whole search: a new one or one that goes on, to the winner's model, `best.yaml` and the page."""

import platform
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import optuna

from rnn_cli import __version__
from rnn_cli.batch.job import Engine
from rnn_cli.config.schema import Config
from rnn_cli.data.reading.remote import is_remote, shown
from rnn_cli.data.rows import Dataset
from rnn_cli.data.source import IN_MEMORY, InMemory, from_memory
from rnn_cli.errors import ConfigError, ConfigMistake, DataError, Note, RunFailed, Setting, UsageError, quoted
from rnn_cli.system import cores
from rnn_cli.text.splitting import splitter
from rnn_cli.training.encoding import labels_in_order, order_labels
from rnn_cli.tuning.budget import Budget, Clock
from rnn_cli.tuning.default_space import Facts, default_space, pieces_of
from rnn_cli.tuning.distilling import cannot_distil
from rnn_cli.tuning.ending import Tuned, finish_search
from rnn_cli.tuning.goals import goal_of
from rnn_cli.tuning.halving import Halving, check_halving, halving_in, halving_in_words, usual_halving
from rnn_cli.tuning.journal import Journal
from rnn_cli.tuning.place import beginning_search, reopening_search
from rnn_cli.tuning.search import LINEAR, PRESENT, WITH_PIECES, Plan, Search, SearchedRows, Shows
from rnn_cli.tuning.space import parse_space, value_in
from rnn_cli.tuning.trials import ServedLimits

USUAL_MINUTES = 20.0
LEAST_MINUTES = 1.0
"""Less is over before the libraries are loaded."""

LINEAR_NGRAMS = 2

MOST_JOBS = 256


@dataclass(frozen=True)
class Wanted:
    """What a user asks a search for; None is the usual.

    `space` is the section `tune` of the config `where`.
    """

    goal: str | None = None
    minutes: float | None = None
    trials: int | None = None
    max_bytes: int | None = None
    max_seconds: float | None = None
    seed: int = 1
    space: object = None
    where: str = "tune"
    jobs: int | None = None
    engine: Engine = "local"
    ray_address: str | None = None
    distil: bool = False

    def check(self) -> "Wanted":
        """Refuse what no search can serve. Raises `UsageError`."""
        if self.minutes is not None and not LEAST_MINUTES <= self.minutes < 1e6:
            raise UsageError(f"expected at least {LEAST_MINUTES:g}, got {self.minutes:g}", where="minutes")
        if self.trials is not None and self.trials < 2:
            what = f"expected at least 2, got {self.trials}"
            raise UsageError(what, where="trials", hint="the linear model is the first, the config the second")
        if self.jobs is not None and not 1 <= self.jobs <= MOST_JOBS:
            raise UsageError(f"expected 1 to {MOST_JOBS}, got {self.jobs}", where="jobs")
        if self.engine not in ("local", "ray"):
            raise UsageError(f"expected local or ray, got {self.engine!r}", where="engine")
        if self.ray_address is not None and self.engine != "ray":
            raise UsageError("is for the engine ray", where="ray_address", hint=Setting("engine", "ray", "add {}"))
        return self


def begin_tuning(
    config: Config,
    asked: Wanted,
    rows: Dataset | None,
    *,
    out: Path | None,
    name: str,
    force: bool,
    shows: Shows,
    first: Config | None = None,
    clock: Clock = monotonic,
    began: float | None = None,
) -> Tuned:
    """Search around a config; `first` is the config to begin with, where that builds on a base.

    Raises `ConfigError`, `DataError`, `UsageError`, `BundleError`, `WriteError`, and `RunFailed` where no trial keeps
    the limits.
    """
    asked.check()
    _refuse(config, asked)
    goal_of(asked.goal, config.data.labels, ())  # before the rows are split
    halving, space = halving_in(asked.space, asked.where)
    if halving is not None:
        check_halving(halving, config, asked.where, distil=asked.distil)
    asked = replace(asked, space=space)
    if asked.space is not None:
        parse_space(asked.space, config, asked.where)
    with beginning_search(out, name=name, force=force) as place:
        budget = _budget(asked.minutes, asked.trials, clock=clock, began=began)
        source = config.data.source
        if config.data.sources is None and is_remote(source) and shown(source) != source:
            shows.warn(f"{place.folder} holds the whole URL of the rows, and what is secret in it")
        shows.doing("reading the rows")
        read = SearchedRows.read(config, rows)
        plan = _plan(config, first, asked, read, name, halving)
        shows.note(halving_in_words(plan.halving, plan.config, read.splits, distil=plan.distil))
        search_versions = {"rnn-cli": __version__, "optuna": optuna.__version__, "python": platform.python_version()}
        more = {"rows": read.identity(), "versions": search_versions, "numbered": place.numbered}
        journal = Journal.begin(place.folder, {**plan.to_head(), **more})
        search = Search(plan, place, journal, read, shows, budget, force=force)
        with _at_once(search, asked):
            return _worked(search)


def resume_tuning(named: Path | None, data: InMemory | None, asked: Wanted, *, shows: Shows) -> Tuned:
    """Go on with a search that was stopped, or that shall have more time or trials. Raises as `begin_tuning`.

    Of what is asked only minutes, trials, jobs and the engine count.
    """
    minutes, trials = asked.check().minutes, asked.trials
    with reopening_search(named) as place:
        journal = Journal.open(place.folder)
        plan = Plan.from_head(journal.head, (), str(journal.path))
        shows.doing("reading the rows")
        read = SearchedRows.read(plan.config, None if data is None else from_memory(data, plan.config.data))
        if read.identity() != journal.head["rows"]:
            raise DataError(
                "the rows differ from those at the start of the search",
                where=read.splits.train.name,
                hint="restore them, or begin a new search",
            )
        plan = replace(plan, goal=replace(plan.goal, labels=_labels(plan.config, read)), jobs=asked.jobs or plan.jobs)
        place = replace(place, numbered=bool(journal.head["numbered"]) and journal.finished_at is None)
        if minutes is None and trials is None:
            minutes = None if plan.minutes is None else max(plan.minutes - journal.seconds / 60, 0.0)
        else:
            plan = replace(plan, trials=trials)
        budget = _budget(minutes, plan.trials, before=journal.seconds)
        search = Search(plan, place, journal, read, shows, budget)
        shows.note(f"going on with {place.folder}: {len(journal.ended):,} trials have ended")
        search.replay()
        with _at_once(search, asked):
            return _worked(search)


@contextmanager
def _at_once(search: Search, asked: Wanted) -> Iterator[None]:
    """Several trials run at once in the block, where that is asked."""
    jobs = search.plan.jobs
    if asked.engine == "local" and (jobs is None or jobs == 1):
        yield
        return
    from rnn_cli.tuning.several_at_once import SearchCopy, TrialProcesses

    copy = SearchCopy(search.plan, search.place, search.journal.head, search.rows)
    if asked.engine == "ray":
        from rnn_cli.tuning.on_ray import trials_on_ray

        search.listener.doing("starting Ray")
        with trials_on_ray(copy, asked.ray_address, jobs) as search.at_once:
            yield
        return
    assert jobs is not None
    if jobs > cores():
        search.listener.warn(f"{jobs} trials at once share {cores()} cores: that is slower than as many as there are")
    with closing(TrialProcesses(copy, jobs)) as search.at_once:
        yield


def _budget(
    minutes: float | None,
    trials: int | None,
    before: float = 0.0,
    clock: Clock = monotonic,
    began: float | None = None,
) -> Budget:
    usual = USUAL_MINUTES if trials is None and minutes is None else minutes
    return Budget(None if usual is None else 60 * usual, before, clock, began=clock() if began is None else began)


def _refuse(config: Config, asked: Wanted) -> None:
    """Raise `ConfigError` or `UsageError` for what no search can keep its promises with."""
    if config.data.number:
        what = "number has no goal that a search knows; train with rnn train"
        raise ConfigError([ConfigMistake(what, "data.labels")])
    if asked.distil and (why := cannot_distil(config)) is not None:
        raise UsageError(why, where="distil", hint="leave it out")
    if asked.max_seconds is not None and config.data.extra_columns is not None:
        what = "a sentence alone is timed, and the config has data.extra_columns, too"
        raise UsageError(what, where="max_seconds", hint="leave one of both out")
    if config.data.transductive:
        what = "lets a teacher read the texts of test rows, which a search must not look at; leave it out"
        raise ConfigError([ConfigMistake(what, "data.transductive")])


def _labels(config: Config, rows: SearchedRows) -> tuple[str, ...]:
    names = [*rows.splits.train.label_counts()]
    if config.data.ordered:
        return labels_in_order(names, config.data.order)
    return order_labels(names, config.data.positive_label)


def _plan(
    config: Config, first: Config | None, asked: Wanted, rows: SearchedRows, name: str, halving: Halving | None
) -> Plan:
    """What is searched, by what was asked and what the rows are."""
    labels = _labels(config, rows)
    goal = goal_of(asked.goal, config.data.labels, labels)
    if config.model.kind != "network":  # the linear model is a trial of its own
        config = config.model_copy(update={"model": config.model.model_copy(update={"kind": "network"})})
    base = None if first is None else first.model.base
    pieces: dict[str, Any] | None = None
    train = rows.splits.train
    lengths = _lengths(config, train)
    if asked.space is not None:
        space = parse_space(asked.space, config, asked.where)
    else:
        facts = _facts(lengths, train, asked.max_bytes)
        space, pieces = default_space(config, facts, base), pieces_of(config, facts)
    linear = _linear(config, asked.max_bytes, len(labels)) | (pieces or {})
    fixed: list[tuple[str, Mapping[str, Any]]] = [(LINEAR, linear)]
    if base is not None:
        fixed.append((PRESENT, {"model.base": base}))
        fixed.append(("network of its own", {}))
    else:
        fixed.append((PRESENT, {}))
    if pieces is not None and any(value_in(config, key) != value for key, value in pieces.items()):
        fixed.append((WITH_PIECES, pieces))
    limits = ServedLimits(asked.max_bytes, asked.max_seconds)
    minutes = USUAL_MINUTES if asked.minutes is None and asked.trials is None else asked.minutes
    if halving is None:
        tokens = len(train) * float(np.minimum(lengths, config.tokenizer.max_length).mean())
        seconds = None if minutes is None else 60 * minutes
        halving = usual_halving(config, train, tokens, seconds, distil=asked.distil)
    return Plan(
        config,
        space,
        goal,
        limits,
        asked.seed,
        tuple(fixed),
        minutes,
        asked.trials,
        name,
        asked.jobs,
        asked.distil,
        halving,
    )


def _linear(config: Config, max_bytes: int | None, labels: int) -> dict[str, Any]:
    """The linear model beside a config: of its n-grams, with as many buckets as a limit leaves room for."""
    settings: dict[str, Any] = {"model.kind": "linear"}
    if not config.model.ngrams:
        settings["model.ngrams"] = LINEAR_NGRAMS
    if max_bytes is not None:
        buckets = config.model.ngram_buckets
        while buckets > 1024 and 4 * buckets * (1 if labels == 2 else labels) > max_bytes / 2:
            buckets //= 2
        settings["model.ngram_buckets"] = buckets
    return settings


def _lengths(config: Config, train: Dataset) -> list[int]:
    """The tokens of some of the texts, by the config's own way of splitting."""
    tokenizer = config.tokenizer
    level = "word" if tokenizer.level == "subword" else tokenizer.level
    split = splitter(level, str.lower, tokenizer.punctuation, tokenizer.splitting)
    return [len(split(text)) for text in train.texts[:: max(1, len(train) // 2_000)]]


def _facts(lengths: list[int], train: Dataset, max_bytes: int | None) -> Facts:
    """What the default space depends on."""
    counts = train.label_counts()
    imbalance = max(counts.values()) / max(min(counts.values()), 1)
    return Facts(len(train), int(np.quantile(lengths, 0.95)), imbalance, max_bytes)


def _worked(search: Search) -> Tuned:
    """Run the trials, and write what was found."""
    folder = search.place.folder
    try:
        search.run_trials()
    except BaseException as error:
        if search.journal.ended:
            command = f"rnn tune --resume {quoted(folder)}"
            if search.plan.config.data.source == IN_MEMORY:
                command = f"rnn.tune(resume={str(folder)!r}, data=...) and the same rows"
            error.add_note(Note(f"saved; go on with: {command}"))
        raise
    best = search.best()
    if best is None:
        raise RunFailed(_no_winner(search), where=str(folder))
    return finish_search(search, best)


def _no_winner(search: Search) -> str:
    limits, ended = search.plan.limits, search.journal.ended
    sizes = [each.size for each in ended if each.size is not None]
    times = [each.latency for each in ended if each.latency is not None]
    found = []
    if limits.size is not None and sizes:
        found.append(f"the smallest model has {min(sizes):,} bytes")
    if limits.latency is not None and times:
        found.append(f"the fastest takes {1e3 * min(times):.2f} ms")
    return f"none of {len(ended):,} trials keeps the limits: {' and '.join(found) or 'none was trained'}"
