"""The order of work of each verb, for commands, notebooks and programs. Prints nothing unless asked, ends no process.

Keys of a config are named in Python by their last name, `epochs=3`, or whole: `**{"training.epochs": 3}`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial, wraps
from os import PathLike, fspath
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast
from warnings import warn

from rnn_cli.errors import ConfigError, ConfigMistake, DataError, Setting, UsageError, few_of, missing
from rnn_cli.formats import DELIMITER_NAMES

if TYPE_CHECKING:  # what each verb needs is loaded when it is called
    from typing import IO

    from rnn_cli.batch.job import Counts, Engine, OnBadRow
    from rnn_cli.checks.check import CheckReport
    from rnn_cli.config.load import Override
    from rnn_cli.config.schema import Config
    from rnn_cli.data.rows import Dataset
    from rnn_cli.data.source import InMemory
    from rnn_cli.evaluation.compare import LabelledPredictions, ModelComparison
    from rnn_cli.evaluation.compare_numbers import NumberModelComparison
    from rnn_cli.evaluation.compare_ordered import OrderedModelComparison
    from rnn_cli.evaluation.compare_several import SeveralModelComparison
    from rnn_cli.evaluation.evaluate import Evaluation
    from rnn_cli.evaluation.evaluate_numbers import EvaluationOfAny, NumberEvaluation
    from rnn_cli.evaluation.evaluate_several import SeveralEvaluation
    from rnn_cli.evaluation.seen import SeenRows
    from rnn_cli.formats import Format
    from rnn_cli.gates.outcomes import GateReport
    from rnn_cli.monitoring.compare import Drift
    from rnn_cli.scoring.predictor import Precision, Predictor
    from rnn_cli.scoring.unknown import UnknownTokens
    from rnn_cli.tracking.tracked import ToTracker, TrackerName
    from rnn_cli.training.listener import Listener
    from rnn_cli.training.trained import Run
    from rnn_cli.tuning.ending import Tuned

    ComparisonOfAny = ModelComparison | OrderedModelComparison | SeveralModelComparison | NumberModelComparison
    Path_ = str | PathLike[str]
    Data = Path_ | InMemory
    Model = Path_ | Run | Predictor


_Function = TypeVar("_Function", bound=Callable[..., Any])


def naming_extra(error: Exception) -> Exception:
    """The error as one that names the extra to install, where a whole library of one is missing; else itself."""
    if isinstance(error, ModuleNotFoundError) and error.name is not None:
        return missing(error.name) or error
    return error


def _naming_extras(verb: _Function) -> _Function:
    """The function, which raises `UsageError` with the extra to install where a whole library of one is missing."""

    @wraps(verb)
    def called(*positional: Any, **named: Any) -> Any:
        try:
            return verb(*positional, **named)
        except ModuleNotFoundError as error:
            found = naming_extra(error)
            if found is error:
                raise
            raise found from error

    return cast(_Function, called)


@_naming_extras
def load(
    path: "Path_ | None" = None,
    *,
    labels: Sequence[str] | None = None,
    threads: int | None = None,
    precision: "Precision" = "fp32",
) -> "Predictor":
    """A trained classifier, ready to predict: the folder `path`, else RNN_MODEL's, else the one trained last.

    The path "general" is the model of short English opinions that comes with the package; where there is no other, it
    is used, with a Python warning. With `labels`, some of its own, the model predicts only these. It uses at most
    `threads` cores, None for all. Loads no TensorFlow. Raises `BundleError` where there is no model, or one that is
    damaged.
    """
    if path is not None and not isinstance(path, str | PathLike):
        raise UsageError(f"expected a model's folder, got {type(path).__name__}")
    return open_model(path, warn, labels=labels, threads=threads, precision=precision)


@_naming_extras
def train(
    config: "Path_ | None" = None,
    data: "Data | None" = None,
    *,
    out: "Path_ | None" = None,
    force: bool = False,
    origin: "Path_ | None" = None,
    resume: "bool | Path_" = False,
    tracker: "TrackerName | None" = None,
    tracker_uri: str | None = None,
    progress: "bool | Listener" = False,
    overrides: "Sequence[Override]" = (),
    **settings: Any,
) -> "Run":
    """Train a classifier, measure it and write its bundle to `out`, else to the next free folder in runs/.

    `config` is a YAML file or a recipe's name; without it, the recipe "default", or for `data` what `rnn init` would
    write for these rows. `data` is a file, a URL, a built-in set's name, a pandas DataFrame, or texts and labels, and
    replaces `data.source`; it may also stand in the place of the config: `train("reviews.csv")`. `settings` and
    `overrides` change keys. `origin` is a model whose network is trained further. `resume` goes on with a run that was
    stopped: True is the last one in runs/, and rows that came from memory must be given again. With `force` a model in
    `out` is replaced. A `tracker` receives the run, in a folder here or at `tracker_uri` (docs/deploy.md).

    Ctrl-C leaves a run that can be resumed. Raises `ConfigError`, `DataError`, `BundleError`, `WriteError` or
    `RunFailed`; then nothing that stood is lost.
    """
    config, data = _config_or_data(config, data)
    changes = [*overrides, *named_overrides(settings)]
    if resume is not False and (out or force or origin):
        raise UsageError(f"{'out' if out else 'force' if force else 'origin'} and resume do not go together")
    with _heard(progress) as (heard, warnings), _tracked(tracker, tracker_uri, heard) as (listener, told):
        if resume is not False:
            run = _resume(None if resume is True else Path(resume), config, data, changes, listener)
        else:
            at = None if out is None else Path(out)
            run = _begin(config, data, at, force, None if origin is None else fspath(origin), changes, listener)
        if told is not None:
            told.finish(run)
    return replace(run, warnings=tuple(warnings))


@contextmanager
def _tracked(
    tracker: str | None, uri: str | None, listener: "Listener"
) -> "Iterator[tuple[Listener, ToTracker | None]]":
    """The listener of a run and what to tell its end to: None where no tracker is named."""
    if tracker is None and uri is None:
        yield listener, None
        return

    from rnn_cli.tracking.tracked import tracked

    with tracked(tracker, uri, listener) as found:
        yield found


@_naming_extras
def train_apart(
    config: "Path_ | None",
    data: "InMemory",
    folder: Path,
    *,
    progress: "bool | Listener" = False,
    overrides: "Sequence[Override]" = (),
) -> "Run":
    """Train as `train` does, for a program that keeps the bundle itself: it is written into the empty `folder`.

    Nothing is written elsewhere, and nothing is kept of a run that ends early.
    """
    with _heard(progress) as (listener, warnings):
        settings, rows, _, recipe = _config_of(config, data, overrides, listener)
        if settings.training.folds is not None:
            what = "a classifier that is kept in memory is cross-validated by its program (cross_val_score)"
            raise ConfigError([ConfigMistake(what, "training.folds")])

        from rnn_cli.training.prepare import prepare

        prepared = replace(prepare(settings, listener, None, rows), recipe=recipe)
        if settings.model.kind == "linear":
            from rnn_cli.training.linear_run import train_linear_into as work
        else:
            _load_tensorflow(listener)
            from rnn_cli.training.run import train_into as work

        run = work(prepared, folder, listener)
    return replace(run, warnings=tuple(warnings))


STARTING_SECONDS = 1.5
"""How long a process takes, about, before it calls a verb."""


@_naming_extras
def tune(
    config: "Path_ | None" = None,
    data: "Data | None" = None,
    *,
    minutes: float | None = None,
    trials: int | None = None,
    goal: str | None = None,
    max_bytes: int | None = None,
    max_seconds: float | None = None,
    seed: int = 1,
    out: "Path_ | None" = None,
    force: bool = False,
    resume: "bool | Path_" = False,
    jobs: int | None = None,
    engine: "Engine" = "local",
    ray_address: str | None = None,
    distil: bool = False,
    progress: "bool | Listener" = False,
    overrides: "Sequence[Override]" = (),
    **settings: Any,
) -> "Tuned":
    """Search for the config with the best `goal`, for so many minutes (20) or trials, and write the best model.

    `config` and `data` are as in `train`; the section `tune` of a YAML file says what is tried, else a space that suits
    the rows. A model's graph and tokenizer have at most `max_bytes`, and a short sentence takes at most `max_seconds`
    on this machine. Folds of few rows choose, else the validation rows, as `halving` in the section `tune` says; the
    test rows measure the winner alone. The search is kept in `OUT.tune`, with `best.yaml`, which `train` repeats, and a
    page. `resume` goes on with a search that was stopped, or gives it more minutes or trials: True is the last one in
    runs/. The same seed and number of trials give the same trials and the same model.

    `jobs` trials run at once, each in a process on its share of the cores; with the engine "ray" they are tasks of the
    cluster at `ray_address`, or of one that is started here. With `distil`, a last network learns from the best three
    models together, and is kept if it is better on the validation rows.

    Ctrl-C leaves a search that can be resumed. Raises `ConfigError`, `DataError`, `UsageError`, `BundleError`,
    `WriteError`, or `RunFailed` where no trial keeps the limits.
    """
    began = monotonic() - STARTING_SECONDS
    config, data = _config_or_data(config, data)
    changes = [*overrides, *named_overrides(settings)]
    from rnn_cli.tuning.shows import ToldInLines
    from rnn_cli.tuning.tune import Wanted, begin_tuning, resume_tuning

    with _heard(progress) as (listener, _):
        shows = progress if isinstance(progress, ToldInLines) else ToldInLines(listener)
        if resume is not False:
            from rnn_cli.data.source import is_in_memory

            named = data is not None and not is_in_memory(data)
            of_new = named, config is not None, changes, out, force, distil, goal, max_bytes, max_seconds, seed != 1
            if any(of_new):
                raise UsageError("a search goes on as it began", where="resume", hint="give minutes or trials alone")
            at = None if resume is True else Path(resume)
            more = Wanted(minutes=minutes, trials=trials, jobs=jobs, engine=engine, ray_address=ray_address)
            return resume_tuning(at, data, more, shows=shows)
        space: tuple[object, str] = (None, "")
        if config is not None or data is None:
            from rnn_cli.config.load import tune_section

            space = tune_section(None if config is None else fspath(config))
        wanted = Wanted(
            goal, minutes, trials, max_bytes, max_seconds, seed, *space, jobs, engine, ray_address, distil
        ).check()
        place = None if out is None else Path(out)
        from rnn_cli.tuning.place import check_search

        check_search(place, force=force)
        given, rows, name, _ = _config_of(config, data, changes, listener)
        own, first = given, None
        if given.model.base is not None:
            own, first = _network_beside(config, data, changes, given), given
        return begin_tuning(own, wanted, rows, out=place, name=name, force=force, shows=shows, first=first, began=began)


def _network_beside(
    config: "Path_ | None", data: "Data | None", changes: "Sequence[Override]", on_base: "Config"
) -> "Config":
    """A config of a network of its own for the rows of one that builds on a base."""
    from rnn_cli.training.listener import SilentListener

    if config is None and data is not None:
        return _config_of(None, data, changes, SilentListener(), may_build_on_base=False)[0]
    from rnn_cli.config.load import load_config, recipes

    own = load_config(str(recipes()["short-text"]))
    folds = {name: getattr(on_base.training, name) for name in ("folds", "fold_repeats")}
    training = own.training.model_copy(update=folds)
    return on_base.model_copy(update={"tokenizer": own.tokenizer, "model": own.model, "training": training})


def _begin(
    config: "Path_ | None",
    data: "Data | None",
    out: Path | None,
    force: bool,
    origin: str | None,
    changes: "Sequence[Override]",
    listener: "Listener",
) -> "Run":
    from rnn_cli.bundle.checkpoints import check_begin

    check_begin(out, force=force)  # before the rows are read, which may take long
    if origin is None:
        parent = None
        settings, rows, name, recipe = _config_of(config, data, changes, listener)
    else:
        from rnn_cli.bundle.locate import named_folder
        from rnn_cli.training.finetune import Origin

        parent = Origin.open(named_folder(origin), listener.warn)
        settings = parent.further(None if config is None else fspath(config), [*changes, *_source_of(data, changes)])
        rows, name, recipe = _rows_of(data, settings), _name_of(parent.path), None

    from rnn_cli.training.prepare import prepare

    prepared = replace(prepare(settings, listener, parent.known if parent else None, rows), recipe=recipe)
    if parent is not None:
        parent.compare(prepared, listener)
    if settings.model.kind == "linear":
        from rnn_cli.training.linear_run import train_linear

        return train_linear(prepared, out=out, name=name, force=force, listener=listener)
    _load_tensorflow(listener)
    from rnn_cli.training.run import train_prepared as work

    return work(prepared, out=out, name=name, force=force, listener=listener, origin=parent)


def _resume(
    named: Path | None,
    config: "Path_ | None",
    data: "Data | None",
    changes: "Sequence[Override]",
    listener: "Listener",
) -> "Run":
    from rnn_cli.bundle.checkpoints import locate_unfinished, reopened
    from rnn_cli.bundle.model_folder import Bundle
    from rnn_cli.bundle.writer import point_latest_to
    from rnn_cli.config.load import load_config, with_overrides
    from rnn_cli.training.checkpointing import SavedRun
    from rnn_cli.training.prepare import prepare
    from rnn_cli.training.trained import Run

    path = locate_unfinished(named)
    with reopened(path, listener.warn) as (place, checkpoint):
        saved = SavedRun.read(checkpoint)
        changes = [*changes, *_source_of(data, changes)]
        if config is None:
            settings = saved.config_to_resume(with_overrides(saved.config, changes, str(path)))
        else:
            settings = saved.config_to_resume(load_config(fspath(config), changes))
        if saved.is_finished(place):
            point_latest_to(place.target)  # it may have been stopped before that
            place.remove()
            return Run(Bundle.open(place.target))
        for change in saved.changed_versions():
            listener.warn(f"{change} since the run began; its numbers may differ in the last digits")
        prepared = prepare(settings, listener, saved.known, _rows_of(data, settings))
        listener.note(f"going on with {path}: {saved.reached}")
        _load_tensorflow(listener)
        from rnn_cli.training.run import resume as work

        return work(prepared, place, saved, listener)


def _load_tensorflow(listener: "Listener") -> None:
    """Load it and say so, before what needs it is imported."""
    from rnn_cli.training.listener import announce_tensorflow

    announce_tensorflow(listener)
    from rnn_cli.training import quiet  # noqa: F401  (without start-up messages)


def _config_or_data(config: Any, data: "Data | None") -> "tuple[Path_ | None, Data | None]":
    """The two of them; rows in the place of a config become the data."""
    from rnn_cli.config.load import names_data

    if config is None or isinstance(config, str | PathLike) and not names_data(fspath(config)):
        return config, data
    if data is not None:
        raise UsageError("expected one set of rows, got two", hint="give a config or a recipe first, then the rows")
    return None, config


def _config_of(
    config: "Path_ | None",
    data: "Data | None",
    changes: "Sequence[Override]",
    listener: "Listener",
    *,
    may_build_on_base: bool = True,
) -> "tuple[Config, Dataset | None, str, str]":
    """The config of a new run, its rows where they have been read, and the names of its folder and of its recipe."""
    from rnn_cli.config.load import load_config, with_overrides

    if config is not None or data is None:
        settings = load_config(None if config is None else fspath(config), [*changes, *_source_of(data, changes)])
        recipe = Path(config or "default").stem
        return settings, _rows_of(data, settings), recipe, recipe

    from rnn_cli.checks.suggest_config import propose
    from rnn_cli.data.reading.remote import shown
    from rnn_cli.data.source import IN_MEMORY, is_in_memory

    source = IN_MEMORY if is_in_memory(data) else fspath(data)
    reading = [each for each in changes if each.path[0] == "data"]
    # A network of the user's own choice builds on nothing.
    on_base = may_build_on_base and not any(each.path[0] in ("tokenizer", "model") for each in changes)
    rows = data if is_in_memory(data) else None
    may_fold = not any(each.key == "training.folds" for each in changes)
    is_linear = any((each.key, each.value) == ("model.kind", "linear") for each in changes)
    may_order = not any(each.key in ("training.teacher", "model.base") for each in changes)
    proposal = propose(
        source,
        reading,
        rows,
        may_build_on_base=on_base,
        may_fold=may_fold,
        is_linear=is_linear,
        may_order=may_order,
    )
    name = shown(source)
    listener.note(f"no config is given for {name}, so this is the one rnn init writes: recipe {proposal.recipe}")
    for line in proposal.found:
        listener.note(line)
    others = [each for each in changes if each.path[0] != "data"]
    settings = with_overrides(proposal.config, others, f"the config for {name}")
    stem = Path(name).name.partition(".")[0]
    return settings, proposal.dataset, stem if stem.isidentifier() else proposal.recipe, proposal.recipe


def _source_of(data: "Data | None", changes: "Sequence[Override]") -> "list[Override]":
    """The rows as an override. Raises `ConfigError` if one of the other `changes` names rows, too."""
    from rnn_cli.config.load import Override
    from rnn_cli.data.source import IN_MEMORY, is_in_memory

    if data is None:
        return []
    source = IN_MEMORY if is_in_memory(data) else fspath(data)
    if twice := [each.place for each in changes if each.key == "data.source"]:
        raise ConfigError([ConfigMistake(f"the source is already named: {source}", where=twice[0])])
    return [Override("data.source", source, source)]


def _rows_of(data: "Data | None", settings: "Config") -> "Dataset | None":
    """Rows that came from memory, as the config reads them; None where they are still to be read."""
    from rnn_cli.data.source import from_memory, is_in_memory

    return from_memory(data, settings.data) if data is not None and is_in_memory(data) else None


def _name_of(origin: Path) -> str:
    """The recipe's name in a model's folder's: quick-3 → quick."""
    from rnn_cli.bundle.model_folder import UNFINISHED

    name = origin.resolve().name.removesuffix(UNFINISHED)
    stem, dash, tail = name.rpartition("-")
    return stem if dash and tail.isdecimal() else name


@_naming_extras
def evaluate(
    model: "Model | None" = None,
    data: "Data | None" = None,
    *,
    by: str | None = None,
    labels: Sequence[str] | None = None,
    include_seen: bool = False,
    folds: int | None = None,
    precision: "Precision" = "fp32",
    report: "Path_ | None" = None,
    plots: "Path_ | None" = None,
    force: bool = False,
    progress: "bool | Listener" = False,
    overrides: "Sequence[Override]" = (),
    **settings: Any,
) -> "EvaluationOfAny":
    """Measure a trained model on labelled texts; without `data`, on the test rows that its training kept aside.

    Of a run that was measured by folds these are the rows that its folds predicted. With `folds`, the run's config is
    measured anew so, on all of its rows: each fold is predicted by a model of the others, which loads TensorFlow.

    `data` is what `train` takes. Of these, rows that the model learned from are left out and counted, but with
    `include_seen`. With `labels`, some of its own, the model predicts only these, and rows with others of its labels
    are left out and counted, too. `by` names a column whose values are measured apart, or "length". Settings tell how
    to read `data` (`text_column="review"`) and how to decide this time (`threshold=0.7`, `goal="precision >= 0.95"`,
    `abstain=0.1`, `abstain_error=0.02`); the model stays as it is. A page goes to `report`, charts to the folder
    `plots`; with `force` earlier ones are replaced. Loads no TensorFlow otherwise. Raises `BundleError`, `ConfigError`,
    `DataError` or `UsageError`.
    """
    from rnn_cli.bundle.targets import check_plots, check_report

    if report is not None:
        check_report(Path(report), force=force)
    if plots is not None:
        check_plots(Path(plots), force=force)
    changes = [*overrides, *named_overrides(settings)]
    asked = [each for each in changes if each.path[0] == "decision"]
    reading = [each for each in changes if each.path[0] != "decision"]
    _refuse_without_data(reading, data, include_seen=include_seen, labels=labels)

    from rnn_cli.evaluation.evaluate import run_config
    from rnn_cli.scoring.parts import check_config

    with _heard(progress) as (listener, warnings):
        listener.doing("opening the model")
        predictor = open_model(model, listener.note, labels=labels, precision=precision)
        opened = predictor.bundle
        check_config(opened, run_config(opened), predictor.tokenizer, predictor.architecture)
        request = _Asked(data, reading, asked, by, labels, include_seen)
        from rnn_cli.evaluation.compare import is_measured_by_folds

        side: str | None = "test" if data is None else None
        found: Any
        if folds is not None or (data is None and is_measured_by_folds(opened)):
            found, side = _evaluate_by_folds(predictor, request, folds, listener), "folds"
        else:
            works = {"several": _evaluate_several, "number": _evaluate_numbers}
            work = works.get(opened.manifest.kind, _evaluate_one)
            found = work(predictor, request, listener)
            _warn_of_unknown(found.scores.tokens, predictor, listener)
        found = replace(found, warnings=tuple(warnings), model=opened.path)
        if report is not None or plots is not None:
            listener.doing("writing the report")
            from rnn_cli.reporting.html import save_report
            from rnn_cli.reporting.report_numbers import gather_report_of_any

            gathered = gather_report_of_any(opened, predictor, found, side)
            page = None if report is None else Path(report)
            save_report(gathered, out=page, plots=None if plots is None else Path(plots), force=force)
    return cast("EvaluationOfAny", found)


@dataclass(frozen=True)
class _Asked:
    """What an evaluation is asked for: rows, how to read them, how to decide, and what to measure."""

    data: "Data | None"
    reading: "Sequence[Override]"
    decision: "Sequence[Override]"
    by: str | None
    labels: Sequence[str] | None
    include_seen: bool


def _rows_asked(predictor: "Predictor", asked: _Asked, listener: "Listener") -> "tuple[Dataset, SeenRows | None]":
    """The rows to measure, of `data` those that the model did not learn from; None for the run's own test rows."""
    from rnn_cli.evaluation.evaluate import kept_test_rows, labelled_rows
    from rnn_cli.evaluation.seen import without_seen

    opened = predictor.bundle
    listener.doing("reading the rows")
    if asked.data is None:  # training told of its own rows
        return kept_test_rows(opened), None
    rows = labelled_rows(opened, asked.data, asked.reading)
    _tell_of(listener, rows)
    rows = _with_labels(rows, [predictor], listener)
    return without_seen([opened], rows, include=asked.include_seen)


def _evaluate_one(predictor: "Predictor", asked: _Asked, listener: "Listener") -> "Evaluation":
    """Measure a model of one label a text."""
    from rnn_cli.evaluation.compare import kept_baseline, kept_choice, kept_metrics, kept_transductive
    from rnn_cli.evaluation.evaluate import decided_anew, evaluate_predictor, run_config, slicer
    from rnn_cli.evaluation.folds import judged_side
    from rnn_cli.evaluation.standing import since_training, with_standing

    opened, data = predictor.bundle, asked.data
    deciding, (most_frequent, careful) = run_config(opened).decision, kept_choice(opened)
    if asked.decision:
        predictor, deciding, chosen = decided_anew(opened, predictor, asked.decision)
        careful = chosen.careful
        for shortfall in chosen.shortfalls:
            listener.warn(shortfall)
    rows, seen = _rows_asked(predictor, asked, listener)
    sliced = slicer(opened, rows, asked.by, data, asked.reading)
    found = with_standing(
        evaluate_predictor(predictor, rows, partial(listener.progress, "scoring rows")),
        most_frequent,
        deciding,
        careful,
    )
    as_trained = not (asked.decision or asked.labels or predictor.precision != "fp32")
    if data is not None and as_trained and not (seen and seen.included and seen.seen):
        side = judged_side(opened)
        then = kept_metrics(opened, side)
        if then is not None:
            found = replace(found, since_training=since_training(found.metrics, then, side))
    # The baseline itself is not kept, only what it predicted when the run ended, as it decided then.
    baseline = kept_baseline(opened, "test") if data is None else None
    left_out = baseline is not None and not as_trained
    found = replace(sliced(found), baseline=None if left_out else baseline, baseline_left_out=left_out, seen=seen)
    return replace(found, transductive=data is None and kept_transductive(opened))


def _evaluate_by_folds(
    predictor: "Predictor", asked: _Asked, folds: int | None, listener: "Listener"
) -> "EvaluationOfAny":
    """What a run's folds found; with `folds`, by so many new ones, whose models learn as the run's did."""
    from rnn_cli.bundle.model_folder import FURTHER
    from rnn_cli.config.load import Override
    from rnn_cli.evaluation.compare import kept_choice
    from rnn_cli.evaluation.evaluate import Evaluation, run_config, slice_names, slicer
    from rnn_cli.evaluation.evaluate_numbers import NumberEvaluation, sliced_numbers
    from rnn_cli.evaluation.folds import kept_evaluation
    from rnn_cli.evaluation.standing import with_standing

    opened = predictor.bundle
    add = Setting("data", "FILE", "name labelled rows with {}")
    if asked.decision or predictor.precision != "fp32":
        what = "folds are measured as their models decide and compute; their predictions are kept, the models are not"
        raise UsageError(what, hint=add)
    if folds is None:
        listener.doing("reading the rows")
        found = kept_evaluation(opened, predictor)
    else:
        if asked.data is not None:
            raise UsageError("folds are of the run's own rows", hint=Setting("data", text="leave {} out"))
        config = run_config(opened)
        if FURTHER in opened.manifest.data and config.model.base is None:
            raise UsageError("it was trained further, so its config alone cannot repeat it", hint=add)
        changes = [Override("training.folds", folds)]
        found = _repeated_by_folds(predictor, run_config(opened, changes), listener)
    if isinstance(found, NumberEvaluation):
        return sliced_numbers(found, slice_names(opened, found.dataset, asked.by))
    if not isinstance(found, Evaluation):
        if asked.by is not None:
            raise UsageError("slices are of texts with one label each", hint=Setting("by", text="leave {} out"))
        return found
    found = slicer(opened, found.dataset, asked.by)(found)
    return with_standing(found, kept_choice(opened)[0], run_config(opened).decision, None)


def _repeated_by_folds(predictor: "Predictor", config: "Config", listener: "Listener") -> "EvaluationOfAny":
    """Measure a run's config by folds of its rows; no model is kept."""
    from rnn_cli.training.prepare import prepare

    prepared = prepare(config, listener)
    if prepared.labels != predictor.bundle.manifest.labels:
        raise DataError("the rows have other labels than the model", where=prepared.splits.train.name)
    if config.model.kind == "linear":
        from rnn_cli.training.linear_run import measure_linear_by_folds

        return measure_linear_by_folds(prepared, predictor, listener)
    _load_tensorflow(listener)
    from rnn_cli.training.run import measure_by_folds

    return measure_by_folds(prepared, predictor, listener)


def _evaluate_several(predictor: "Predictor", asked: _Asked, listener: "Listener") -> "SeveralEvaluation":
    """Measure a model of several labels a text."""
    from rnn_cli.evaluation.evaluate_several import decided_each_anew, evaluate_several, kept_baseline_of_each

    if asked.by is not None:
        raise UsageError("slices are of texts with one label each", hint=Setting("by", text="leave {} out"))
    opened = predictor.bundle
    if asked.decision:
        predictor, shortfalls = decided_each_anew(opened, predictor, asked.decision)
        for shortfall in shortfalls:
            listener.warn(shortfall)
    rows, seen = _rows_asked(predictor, asked, listener)
    found = evaluate_several(predictor, rows, partial(listener.progress, "scoring rows"))
    baseline = kept_baseline_of_each(opened, "test") if asked.data is None else None
    left_out = baseline is not None and bool(asked.decision or predictor.precision != "fp32")
    return replace(found, baseline=None if left_out else baseline, baseline_left_out=left_out, seen=seen)


def _evaluate_numbers(predictor: "Predictor", asked: _Asked, listener: "Listener") -> "NumberEvaluation":
    """Measure a model of numbers."""
    from rnn_cli.evaluation.evaluate import slice_names
    from rnn_cli.evaluation.evaluate_numbers import (
        against_median,
        evaluate_numbers,
        kept_baseline_of_numbers,
        kept_median,
        sliced_numbers,
    )

    if asked.decision:
        key = asked.decision[0].key
        raise UsageError(f"{key} decides on labels, and the model predicts numbers", hint="leave it out")
    opened = predictor.bundle
    rows, seen = _rows_asked(predictor, asked, listener)
    slices = slice_names(opened, rows, asked.by, asked.data, asked.reading)
    found = evaluate_numbers(predictor, rows, partial(listener.progress, "scoring rows"))
    found = sliced_numbers(found, slices)
    baseline = kept_baseline_of_numbers(opened, "test") if asked.data is None else None
    left_out = baseline is not None and predictor.precision != "fp32"
    found = replace(found, baseline=None if left_out else baseline, baseline_left_out=left_out, seen=seen)
    return against_median(found, kept_median(opened))


@_naming_extras
def compare(
    *models: "Model",
    data: "Data | None" = None,
    split: str = "test",
    labels: Sequence[str] | None = None,
    include_seen: bool = False,
    progress: "bool | Listener" = False,
    overrides: "Sequence[Override]" = (),
    **settings: Any,
) -> "ComparisonOfAny":
    """Say whether models really differ, on the same rows; each is compared with the first.

    A model is a trained one, whose predictions for its rows of `split` were kept, or a file of predictions. With
    `data`, which is what `train` takes, each model predicts anew; settings tell how to read it. With `labels` each
    predicts only these, and rows with others of its labels are left out and counted. Rows that one of the
    models learned from are left out and counted, but with `include_seen`. Raises `BundleError`, `ConfigError`,
    `DataError` or `UsageError`.
    """
    if len(models) < 2:
        raise UsageError("one model is not enough to compare", hint="name two or more")
    changes = [*overrides, *named_overrides(settings)]
    _refuse_without_data(changes, data, include_seen=include_seen, labels=labels)

    from rnn_cli.evaluation.compare import read_predictions

    names = [_name(model) for model in models]
    if data is None:
        return _by_folds(_compared([read_predictions(name, split) for name in names]), names, split)

    from rnn_cli.evaluation.compare_numbers import number_predictions_of
    from rnn_cli.evaluation.compare_several import several_predictions_of
    from rnn_cli.evaluation.evaluate import evaluate_predictor, labelled_rows, predictions_of
    from rnn_cli.evaluation.evaluate_numbers import evaluate_numbers
    from rnn_cli.evaluation.evaluate_several import evaluate_several
    from rnn_cli.evaluation.seen import without_seen

    with _heard(progress) as (listener, _):
        listener.doing("opening the models")  # all of them, before any is set to work
        predictors = [open_model(model, listener.note, labels=labels) for model in models]
        several, number = predictors[0].several, predictors[0].number
        if other := next((each for each in predictors if (each.several, each.number) != (several, number)), None):
            has = "a number" if other.number else "several labels" if other.several else "one label"
            what = f"each of its texts has {has}, those of the first model not"
            raise UsageError(what, where=str(other.bundle.path), hint="compare models of the same kind")
        listener.doing("reading the rows")
        beside = dict.fromkeys(name for each in predictors for name in each.columns)
        rows = labelled_rows(predictors[0].bundle, data, changes, beside)
        _tell_of(listener, rows)
        rows = _with_labels(rows, predictors, listener)
        rows, seen = without_seen([each.bundle for each in predictors], rows, include=include_seen)
        told = {name: partial(listener.progress, f"{name}: rows scored") for name in names}
        pairs = list(zip(names, predictors, strict=True))
        if several:
            found = [several_predictions_of(name, evaluate_several(each, rows, told[name])) for name, each in pairs]
        elif number:
            found = [number_predictions_of(name, evaluate_numbers(each, rows, told[name])) for name, each in pairs]
        else:
            found = [predictions_of(name, evaluate_predictor(each, rows, told[name])) for name, each in pairs]
    return replace(_compared(found), seen=seen)


def _by_folds(found: "ComparisonOfAny", names: Sequence[str], split: str) -> "ComparisonOfAny":
    """The comparison as it was made on test rows, or by folds where runs have these instead."""
    from rnn_cli.bundle.locate import named_folder
    from rnn_cli.bundle.model_folder import Bundle
    from rnn_cli.evaluation.compare import is_measured_by_folds

    folders = [named_folder(name) for name in names]
    if split != "test" or not all(folder.is_dir() for folder in folders):
        return found
    runs = [Bundle.open(folder) for folder in folders]
    if not all(map(is_measured_by_folds, runs)):
        return found
    from rnn_cli.evaluation.folds import models_compared_by_folds

    return models_compared_by_folds(found, runs)


def _compared(found: "Sequence[LabelledPredictions]") -> "ComparisonOfAny":
    """Models of one kind, compared; by how far they are off where they predict numbers, or labels have an order."""
    from rnn_cli.evaluation.compare import are_several, compare_models
    from rnn_cli.evaluation.compare_numbers import are_numbers, compare_models_of_numbers
    from rnn_cli.evaluation.compare_ordered import compare_models_of_ordered, order_of

    if are_several(found):
        from rnn_cli.evaluation.compare_several import compare_models_of_several

        return compare_models_of_several(found)
    if are_numbers(found):
        return compare_models_of_numbers(found)
    order = order_of(found)
    return compare_models(found) if order is None else compare_models_of_ordered(found, order)


@_naming_extras
def check_model(
    model: "Model | None" = None,
    data: "Data | None" = None,
    *,
    gates: "Path_ | Sequence[str]",
    include_seen: bool = False,
    junit: "Path_ | None" = None,
    markdown: "Path_ | None" = None,
    force: bool = False,
    progress: "bool | Listener" = False,
    overrides: "Sequence[Override]" = (),
    **settings: Any,
) -> "GateReport":
    """Hold a trained model against gates: `["accuracy >= 0.9 (lower bound)"]`, or a file of them (docs/check-model.md).

    `data` is what `train` takes; without it, figures are those of the test rows that training kept aside, or of the
    rows that a run's folds predicted. Rows that the model learned from, or a model that it is compared with, are left
    out and counted, but with `include_seen`. Settings tell how to read `data` and the golden set. Whether all gates
    pass is `passed`; the report goes to `junit` as XML and to `markdown`, too, with `force` over earlier ones. Loads no
    TensorFlow. Raises `BundleError`, `ConfigError`, `DataError` or `UsageError`; then nothing is written.
    """
    from rnn_cli.outputs import check_file

    given = [fspath(each) for each in (data, gates) if isinstance(each, str | PathLike)]
    for name, out in (("junit", junit), ("markdown", markdown)):
        if out is not None:
            check_file(Path(out), force=force, name=name, inputs=given)
    changes = [*overrides, *named_overrides(settings)]

    from rnn_cli.gates.gates_file import load_gates

    wanted = load_gates(gates)
    if wanted.golden is None:
        _refuse_without_data(changes, data, include_seen=include_seen, labels=None)

    from rnn_cli.evaluation.evaluate import kept_splits, labelled_rows
    from rnn_cli.gates.check import Task, check_gates
    from rnn_cli.gates.written import save

    with _heard(progress) as (listener, warnings):
        listener.doing("opening the model")
        predictor = open_model(model, listener.note)

        def read_golden(file: str) -> "Dataset":
            rows = labelled_rows(predictor.bundle, file, changes)
            _tell_of(listener, rows)
            return rows

        def read_texts() -> list[str]:
            listener.doing("reading the rows")
            splits = kept_splits(predictor.bundle)
            return splits.test.texts or splits.validation.texts

        asked = _Asked(data, [] if data is None else changes, (), None, None, include_seen)
        task = Task(
            predictor,
            wanted,
            partial(_rows_asked, predictor, asked, listener),
            read_texts,
            read_golden,
            partial(open_model, note=listener.note),
            include_seen,
            data is not None,
        )
        report = check_gates(task, listener.doing, listener.note, listener.progress)
        if report.tokens is not None:
            _warn_of_unknown(report.tokens, predictor, listener)
    report = replace(report, warnings=tuple(warnings))
    save(report, junit=None if junit is None else Path(junit), markdown=None if markdown is None else Path(markdown))
    return report


@_naming_extras
def drift(
    model: "Model | None" = None,
    data: "Data | Sequence[str] | None" = None,
    *,
    labelled: bool = False,
    progress: "bool | Listener" = False,
    overrides: "Sequence[Override]" = (),
    **settings: Any,
) -> "Drift":
    """Tell whether new texts are still such as a model was trained on: what differs beyond chance, and how.

    `data` is a file, a URL, a built-in set or a list of texts; with `labelled` it is what `train` takes, and the
    accuracy, or how far numbers are off, is compared, too. Settings tell how to read it. The tests, and what they hold:
    docs/drift.md. Loads no TensorFlow. Raises `BundleError` for a model without a summary of its texts, `ConfigError`,
    `DataError` or `UsageError`.
    """
    if data is None:
        raise UsageError("drift is of new texts, and none are given", hint=Setting("data", text="name a file of them"))
    changes = [*overrides, *named_overrides(settings)]

    from rnn_cli.bundle.learned import learned_texts
    from rnn_cli.evaluation.evaluate import labelled_rows, unlabelled_rows
    from rnn_cli.monitoring.compare import find_drift, kept_right
    from rnn_cli.monitoring.summary import kept_summary

    with _heard(progress) as (listener, warnings):
        listener.doing("opening the model")
        predictor = open_model(model, listener.note)
        opened = predictor.bundle
        then, (right, side) = kept_summary(opened), kept_right(opened) if labelled else (None, None)
        listener.doing("reading the rows")
        rows = (labelled_rows if labelled else unlabelled_rows)(opened, data, changes)
        _tell_of(listener, rows)
        known = learned_texts(opened)
        learned = None if known is None else known.knows(rows.texts)
        found = find_drift(predictor, then, rows, learned, right, partial(listener.progress, "scoring rows"))
    return replace(found, warnings=tuple(warnings), side=side)


@_naming_extras
def check(
    data: "Data",
    *,
    learning_curve: bool = False,
    sides: bool = False,
    out: "Path_ | None" = None,
    force: bool = False,
    progress: "bool | Listener" = False,
    overrides: "Sequence[Override]" = (),
    **settings: Any,
) -> "CheckReport":
    """Look for what is wrong with labelled texts: copies, contradicting and doubtful labels, damaged texts, and more.

    `data` is what `train` takes, looked at whole, or a config (a YAML file, a recipe), whose rows are split as training
    splits them; `sides` refuses what has no sides, so can have no leaks between them. Settings are of `data` and
    `tokenizer`. `learning_curve` also fits models to shares of the rows. All rows of all findings are written to `out`
    as CSV; with `force` over an earlier file. Raises `ConfigError`, `DataError` or `UsageError`.
    """
    from rnn_cli.checks.findings import write_csv
    from rnn_cli.outputs import check_file

    named = fspath(data) if isinstance(data, str | PathLike) else data
    if out is not None:
        check_file(Path(out), force=force, inputs=[named] if isinstance(named, str) else [])

    from rnn_cli.checks.check import check_rows as work
    from rnn_cli.checks.rows import WHOLE, gather_rows
    from rnn_cli.data.reading.remote import shown
    from rnn_cli.data.source import IN_MEMORY

    with _heard(progress) as (listener, _):
        listener.doing("reading the rows")
        config, rows = gather_rows(named, [*overrides, *named_overrides(settings)])
        if out is not None:
            check_file(Path(out), force=force, inputs=set(rows.file_of))  # a config's files are known only now
        if sides and WHOLE in rows.sides:
            hint = Setting("data.test", "FILE", "check a config, or name {}")
            raise UsageError("leakage is between sides, and a file is looked at whole", hint=hint)
        _tell_of(listener, *rows.sides.values())
        if learning_curve and (rows.several or rows.number):
            hint = Setting("learning_curve", text="leave {} out")
            raise UsageError("learning curves are of texts with one label each", hint=hint)
        name = shown(named) if isinstance(named, str) else IN_MEMORY
        report = work(name, config, rows, curve=learning_curve, note=listener.doing, progress=listener.progress)
    if out is not None:
        write_csv(report.table(), Path(out))
    return report


@_naming_extras
def score(
    inputs: "Path_ | Sequence[Path_]",
    output: "Path_ | IO[bytes]",
    *,
    model: "Model | None" = None,
    text_column: str | None = None,
    sheet: str | int | None = None,
    delimiter: str | None = None,
    quoting: "Literal['auto', 'csv', 'none'] | None" = None,
    header: bool | None = None,
    encoding: str | None = None,
    input_format: "Format | None" = None,
    strip_nul: bool = False,
    max_field_bytes: int | None = None,
    format: "Format | None" = None,
    labels: Sequence[str] | None = None,
    proba: bool = False,
    coverage: float | None = None,
    prefix: str = "",
    spreadsheet_safe: bool = False,
    on_bad_row: "OnBadRow" = "stop",
    rejects: "Path_ | None" = None,
    resume: bool = False,
    force: bool = False,
    precision: "Precision" = "fp32",
    threads: int | None = None,
    engine: "Engine" = "local",
    ray_address: str | None = None,
    progress: "bool | Listener" = False,
) -> "Counts":
    """Score the rows of files: every row is written, in order, with columns for its predicted label and probability.

    `inputs` are CSV, TSV, JSONL or Parquet files, also .gz or .zst, Excel workbooks, folders (of .txt files, too),
    patterns or URLs; "-" is the standard input. `output` is a file, a folder (a name that ends in "/", or a URL) or a
    binary stream; a file appears when it is whole. The options from `text_column` to `max_field_bytes` say how to read,
    those from `format` to `spreadsheet_safe` what to write. With `labels` the model predicts only these of its own;
    with a `coverage` each row has a set of labels that holds the true one that often. A row that cannot be read stops
    the job, is left out ("skip") or is kept without a prediction ("mark"); the latter two write it to `rejects`, by
    default OUTPUT.rejected.jsonl. With `resume` a job that was stopped goes on, with `force` an earlier output is
    replaced. The engine "ray" scores on a Ray cluster, into a folder.

    Returns how many rows were read, rejected, of unknown words, unsure, and learned from. Loads no TensorFlow. Raises
    `BundleError`, `DataError`, `UsageError` or `RunFailed`; then an earlier output is as it was.
    """
    delimiter = DELIMITER_NAMES.get(delimiter, delimiter) if delimiter else delimiter
    names = [fspath(each) for each in ([inputs] if isinstance(inputs, str | PathLike) else inputs)]
    if not names:
        raise UsageError("there are no files to score", hint="name at least one")
    place, stream = (fspath(output), None) if isinstance(output, str | PathLike) else (None, output)

    from rnn_cli.batch.job import Job, find_inputs
    from rnn_cli.batch.score import Target, check_options, check_places, output_format, write_scored
    from rnn_cli.data.reading.table import LABEL_NAMES

    target = Target(place, None if rejects is None else fspath(rejects), resume, force, engine, ray_address)
    check_options(target, names, on_bad_row)
    if input_format is None and delimiter is None and "-" in names:
        input_format = format  # a pipe has no name that could say it
    found = find_inputs(names, any_format=input_format is not None)
    check_places(target, names, found)
    of_input = input_format or ("csv" if delimiter else None)
    form, compression = output_format(target, format, of_input, found[0].path)
    with _listener(progress) as listener:
        listener.doing("opening the model")
        predictor = open_model(model, listener.note, labels=labels, threads=threads, precision=precision)
        predictor.check_coverage(coverage)
        if proba and predictor.number:
            hint = Setting("coverage", "0.9", "use {} for ranges")
            raise UsageError("probabilities are of labels, and the model predicts numbers", hint=hint)
        likely, label_column = columns_of(predictor)
        how: dict[str, Any] = {
            "text_column": text_column,
            "likely_text_column": likely,
            "format": input_format,
            "delimiter": delimiter,
            "quoting": quoting or "auto",
            "header": header,
            "encoding": encoding,
            "strip_nul": strip_nul,
        }
        if label_column not in (None, *LABEL_NAMES):
            # It tells rows with labels, of which those that were learned from are counted.
            how["label_column"] = label_column
        how |= beside_texts(predictor)
        if max_field_bytes is not None:
            how["max_field_bytes"] = max_field_bytes
        if sheet is not None:
            how["sheet"] = str(sheet)
        job = Job(tuple(found), form, how, compression, on_bad_row, prefix, proba, spreadsheet_safe, coverage)
        sizes = [each.size for each in found]
        listener.to_read(None if None in sizes else sum(size or 0 for size in sizes))
        counts = write_scored(job, predictor, target, stream, listener, threads)
        _warn_of_unknown(counts.tokens, predictor, listener)
        return counts


def _with_labels(rows: "Dataset", predictors: "Sequence[Predictor]", listener: "Listener") -> "Dataset":
    """The rows without those whose label is one of a model's own that it does not predict this time; says how many.

    Of several labels a text, only these labels are left out.
    """
    predicted = {label for each in predictors for label in each.labels}
    others = {label for each in predictors for label in each.bundle.manifest.labels} - predicted
    if rows.several:
        from rnn_cli.data.label_sets import written_labels

        sets = [written_labels(name for name in names if name not in others) for names in rows.label_sets]
        return replace(rows, labels=sets)
    kept = [row for row, label in enumerate(rows.labels) if label not in others]
    if not others or len(kept) == len(rows) or not kept:  # of none, its label is the message
        return rows
    listener.note(f"rows left out, with other labels than {few_of(sorted(predicted))}: {len(rows) - len(kept):,}")
    return rows.select(kept)


def _warn_of_unknown(tokens: "UnknownTokens", predictor: "Predictor", listener: "Listener") -> None:
    from rnn_cli.scoring.unknown import warning_of

    if unlike := warning_of(tokens, predictor.usual_unknown):
        listener.warn(unlike)


def columns_of(predictor: "Predictor") -> tuple[str | None, str | None]:
    """The columns of texts and of labels that the model was trained on, where its config names them."""
    from rnn_cli.bundle.model_folder import CONFIG

    bundle = predictor.bundle
    if CONFIG not in bundle.manifest.files:
        return None, None
    return columns_in(bundle.read(CONFIG), str(bundle.path / CONFIG))


def beside_texts(predictor: "Predictor") -> dict[str, Any]:
    """How a file is read for a model that reads other columns beside the text: fields of `ReadRequest`."""
    found = predictor.extra_columns
    if found is None:
        return {}
    return {"beside": found.names, "numbers": tuple(each.name for each in found.columns if each.kind == "number")}


def columns_in(config: bytes, where: str) -> tuple[str | None, str | None]:
    """The columns of texts and of labels that a model's config names. Raises `BundleError` for what is no config."""
    from rnn_cli.config.load import stored_config

    data = stored_config(config, where).data
    return data.text_column, data.label_column


def open_model(
    model: "Model | None",
    note: Callable[[str], None],
    *,
    labels: Sequence[str] | None = None,
    threads: int | None = None,
    precision: "Precision" = "fp32",
) -> "Predictor":
    """The predictor of a model in any form; `note` receives which one is used where none is named."""
    from rnn_cli.bundle.locate import locate
    from rnn_cli.scoring.predictor import Predictor

    if isinstance(model, Predictor):
        opened = model
    else:
        named = model if model is None or isinstance(model, str | PathLike) else model.path
        path = locate(None if named is None else fspath(named), note)
        opened = Predictor.open(path, threads=threads, precision=precision)
    return opened if labels is None else opened.among(labels)


def _name(model: "Model") -> str:
    if isinstance(model, str | PathLike):
        return fspath(model)
    return str(model.bundle.path)


def _refuse_without_data(
    overrides: "Sequence[Override]", data: "Data | None", *, include_seen: bool, labels: Sequence[str] | None
) -> None:
    if data is not None:
        return
    add = Setting("data", "FILE", "add {}; the run's own rows were measured as they are")
    if overrides:
        called = overrides[0].option or overrides[0].where or overrides[0].path[-1]
        raise UsageError(f"{called} tells how to read labelled rows, and none are given", hint=add)
    for name, is_given in (("include_seen", include_seen), ("labels", labels is not None)):
        if is_given:
            raise UsageError(f"{name} is about labelled rows, and none are given", hint=add)


def named_overrides(settings: Mapping[str, Any]) -> "list[Override]":
    """Settings by their keys' last names, or their whole ones. Raises `ConfigError` for one that is no key."""
    if not settings:
        return []
    from difflib import get_close_matches
    from textwrap import shorten

    from rnn_cli.config.describe import key_table
    from rnn_cli.config.load import Override

    names = [key.name for key in key_table()]
    whole = {name.rpartition(".")[2]: name for name in names} | {name: name for name in names}
    mistakes, found = [], []
    for key, value in settings.items():
        if key in whole:
            where = "" if key == whole[key] else f"{key}={shorten(repr(value), 60, placeholder='...')}"
            found.append(Override(whole[key], _plain(value), where))
            continue
        near = get_close_matches(key, whole, 1)
        what = f"no such key{f'; did you mean {near[0]}?' if near else ''}"
        mistakes.append(ConfigMistake(what, key))
    if mistakes:
        raise ConfigError(mistakes)
    return found


def _plain(value: Any) -> Any:
    """NumPy's numbers and paths as what YAML would have made of them."""
    if isinstance(value, PathLike):
        return fspath(value)
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return value.item() if hasattr(value, "item") else value


def _tell_of(listener: "Listener", *read: "Dataset") -> None:
    """Say once how files are written, where that is not the usual way, and warn of what a reader may not expect."""
    for note in dict.fromkeys(note for rows in read for note in rows.notes):
        listener.note(note)
    for warning in dict.fromkeys(warning for rows in read for warning in rows.warnings):
        listener.warn(warning)


@contextmanager
def _listener(progress: "bool | Listener") -> "Iterator[Listener]":
    """The listener asked for: one on stderr, the caller's own, or one that prints nothing."""
    if progress is True:
        from rnn_cli.progress import listening

        with listening() as listener:
            yield listener
    else:
        from rnn_cli.training.listener import SilentListener

        yield progress or SilentListener()


@contextmanager
def _heard(progress: "bool | Listener") -> "Iterator[tuple[Listener, list[str]]]":
    """The listener, and the warnings that have come so far."""
    from rnn_cli.training.listener import Recorder

    with _listener(progress) as listener:
        recorder = Recorder(listener)
        yield recorder, recorder.warnings
