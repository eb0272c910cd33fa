"""The runs in a folder: the results of finished runs, the progress of unfinished ones, and removing them.

Reads and verifies only small files. Lists what is damaged or no model as such, without raising.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from rnn_cli import system
from rnn_cli.bundle.checkpoints import (
    CHECKPOINT_VERSION,
    FAILED_FILE,
    LOCK_FILE,
    MAX_REASON_BYTES,
    checkpoints,
    finished_parts,
    is_foreign,
)
from rnn_cli.bundle.model_folder import (
    CONFIG,
    FURTHER,
    LARGEST,
    LATEST,
    MANIFEST,
    MAX_RUN_SECONDS,
    METRICS,
    RUN,
    RUNS,
    SEARCH_ENDING,
    UNFINISHED,
    Bundle,
    Manifest,
    checked_number,
    read_signed,
)
from rnn_cli.bundle.targets import CACHE, RUNTIME
from rnn_cli.bundle.writer import is_latest, point_latest_to
from rnn_cli.config.load import stored_config
from rnn_cli.config.schema import Config, source_name
from rnn_cli.errors import BundleError, Error, Setting

RunState = Literal["finished", "unfinished", "damaged", "foreign"]

DAMAGE = (ArithmeticError, AttributeError, KeyError, OSError, RecursionError, Error, TypeError, ValueError)
"""The errors that reading a folder with arbitrary content can raise."""

Share = tuple[float, tuple[float, float] | None]
"""A figure, and its 95% interval if there is one."""


@dataclass(frozen=True)
class ListedRun:
    """A folder among the runs.

    `status` says how far an unfinished run is, or what is wrong with a damaged or foreign folder. `is_latest` marks the
    run that commands use where none is named. `data` names the rows, `rows` counts those of each split; `accuracy` is
    the network's on the test rows, `baseline` the linear model's; of a run that was measured by so many `folds` on all
    rows. Of numbers there are the mean absolute `error`, that of the linear model, `baseline_error`, and R², `r2`.
    `seconds` is the whole run's time; `size` is in bytes. `changed` is when the run was finished or last saved, in
    seconds since the epoch. What is unknown is None.
    """

    path: Path
    state: RunState
    changed: float
    size: int
    status: str = ""
    is_latest: bool = False
    recipe: str | None = None
    data: str | None = None
    rows: Mapping[str, int] = field(default_factory=dict)
    folds: int | None = None
    accuracy: Share | None = None
    baseline: Share | None = None
    error: Share | None = None
    baseline_error: Share | None = None
    r2: Share | None = None
    seconds: float | None = None

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name

    def to_dict(self) -> dict[str, Any]:
        """The run as plain values."""
        shares = {"accuracy": self.accuracy, "baseline_accuracy": self.baseline}
        if self.error is not None:
            of_numbers = (self.error, self.baseline_error, self.r2)
            shares |= dict(zip(("mean_absolute_error", "baseline_mean_absolute_error", "r2"), of_numbers, strict=True))
        metrics: dict[str, Any] = {}
        for name, share in shares.items():
            value, interval = share or (None, None)
            metrics |= {name: value, f"{name}_interval": list(interval) if interval else None}
        return {
            "name": self.name,
            "path": str(self.path),
            "state": self.state,
            "status": self.status or None,
            "latest": self.is_latest,
            "recipe": self.recipe,
            "data": self.data,
            "rows": dict(self.rows) or None,
            "folds": self.folds,
            **metrics,
            "seconds": self.seconds,
            "bytes": self.size,
            "changed": datetime.fromtimestamp(self.changed, UTC).isoformat(timespec="seconds"),
        }


def find_runs(folder: Path) -> list[ListedRun]:
    """The runs in a folder, in no order: all its visible folders. Raises `BundleError` if it is not a folder."""
    try:
        found = [Path(folder, each.name) for each in os.scandir(folder) if _may_be_run(each)]
    except OSError as error:
        raise BundleError(system.reason(error), where=str(folder), hint="name the folder that holds runs") from None
    runs = [_read(path) for path in found]
    if LATEST.exists() or folder.resolve() != RUNS.resolve():
        return runs
    newest = _newest(runs)  # commands use it then
    return [replace(run, is_latest=run is newest) for run in runs]


def newest_run(folder: Path) -> Path | None:
    """The newest finished run in a folder, if it holds one. Raises `BundleError` as `find_runs` does."""
    newest = _newest(find_runs(folder))
    return None if newest is None else newest.path


def _newest(runs: Sequence[ListedRun]) -> ListedRun | None:
    finished = [run for run in runs if run.state == "finished" and not run.path.is_symlink()]
    return max(finished, key=lambda run: (run.changed, run.name), default=None)


def _may_be_run(found: "os.DirEntry[str]") -> bool:
    is_latest_link = found.name == LATEST.name and found.is_symlink()
    is_other = found.name.startswith(".") or found.name.endswith(SEARCH_ENDING)
    return not is_latest_link and not is_other and found.is_dir()


def _read(path: Path) -> ListedRun:
    run = ListedRun(path, "finished", _changed(path), _size(path))
    try:
        if path.name.endswith(UNFINISHED):
            return _read_unfinished(replace(run, state="unfinished"))
        if not os.path.lexists(path / MANIFEST):
            return replace(run, state="foreign", status="not a trained model")
        return _read_finished(run, Bundle.open(path))
    except DAMAGE as error:
        return replace(run, state="damaged", status=_in_words(error, path))


def _in_words(error: Exception, path: Path) -> str:
    if not isinstance(error, Error):
        return system.reason(error) if isinstance(error, OSError) else "its files make no sense"
    name = Path(error.where or path).name
    what = error.what.removeprefix("damaged, ")
    return what if name == path.name else f"{name}: {what}"


def _read_finished(run: ListedRun, opened: Bundle) -> ListedRun:
    data = opened.manifest.data
    trained = data.get(RUN, {})
    run = replace(
        run,
        is_latest=is_latest(run.path),
        recipe=trained.get("recipe") or (f"from {Path(data[FURTHER]['model']).name}" if FURTHER in data else None),
        rows={name: data["rows"][name] for name in ("train", "validation", "test")},
        seconds=trained.get("seconds"),
        changed=_time(trained.get("finished")) or run.changed,
    )
    if CONFIG in opened.manifest.files:
        with suppress(BundleError):  # from another release, say: scoring does not need it, either
            run = replace(run, data=_source(stored_config(opened.read(CONFIG), CONFIG)))
    if METRICS not in opened.manifest.files:
        return run  # an export
    metrics = json.loads(opened.read(METRICS))
    run, baseline = replace(run, folds=_folds(metrics)), metrics.get("baseline", {})
    if opened.manifest.number:
        error, other = (_figure(found, "mean_absolute_error") for found in (metrics, baseline))
        return replace(run, error=error, baseline_error=other, r2=_figure(metrics, "r2"))
    return replace(run, accuracy=_accuracy(metrics), baseline=_accuracy(baseline))


def _folds(metrics: Mapping[str, Any]) -> int | None:
    by_folds = metrics.get("folds")
    return None if by_folds is None else int(checked_number(by_folds["cross_validation"]["folds"], 2, 1e6))


def _accuracy(metrics: Mapping[str, Any]) -> Share | None:
    return _figure(metrics, "accuracy", 0, 1)  # of several labels a text there is none


def _figure(metrics: Mapping[str, Any], name: str, least: float = -LARGEST, most: float = LARGEST) -> Share | None:
    """A figure of the test rows, or of the folds, with its interval; None where there is none."""
    test = metrics.get("test") or metrics.get("folds")
    if test is None or test.get(name) is None:
        return None
    interval = test.get("intervals", {}).get(name)
    low, high = interval or (least, most)
    bounds = (checked_number(low, least, most), checked_number(high, least, most))
    return checked_number(test[name], least, most), bounds if interval else None


def _time(written: object) -> float | None:
    return None if written is None else datetime.fromisoformat(str(written)).timestamp()


def _source(config: Config) -> str:
    """The name of the rows: a built-in set, or a file without its folders; a URL's query may be secret."""
    if config.data.sources is not None:
        return f"{len(config.data.sources)} sources"
    return "standard input" if config.data.source == "-" else source_name(config.data.source)


def _read_unfinished(run: ListedRun) -> ListedRun:
    under_way = system.is_held(run.path / LOCK_FILE)
    progress, damage = "before anything was saved", None
    for checkpoint in reversed(checkpoints(run.path)):
        try:
            run, progress = _progress(run, checkpoint)
            damage = None
            break
        except DAMAGE as error:
            damage = damage or error
    if damage is not None:
        raise damage
    if under_way:
        return replace(run, status=f"under way {progress}")
    if os.path.lexists(run.path / FAILED_FILE):
        why = system.read_plain(run.path / FAILED_FILE, MAX_REASON_BYTES).decode("utf-8", "replace")
        return replace(run, status=f"failed {progress}: {why}")
    return replace(run, status=f"stopped {progress}")


def _progress(run: ListedRun, checkpoint: Path) -> tuple[ListedRun, str]:
    """The run with what a checkpoint's manifest says, and its progress in words; reads no arrays, which are large."""
    state = read_signed(checkpoint, CHECKPOINT_VERSION)["state"]
    config = stored_config(state["config"].encode("utf-8"), CONFIG)
    epoch, epochs = len(state["standing"]["history"]) + 1, config.training.epochs
    batches = int(checked_number(state["standing"]["epoch"]["batches"], 0, 1e15))
    done = f", {batches:,} batches done" if batches else ""
    progress = f"in epoch {epoch} of {epochs}{done}" if epoch <= epochs else "after all epochs"
    folds = (config.training.folds or 0) * config.training.fold_repeats
    if (finished := len([each for each in finished_parts(run.path) if each.suffix != ".part"])) < folds:
        progress = f"after {finished:,} of {folds:,} folds"
    recipe, seconds = state.get("recipe"), state.get("seconds")
    return replace(
        run,
        recipe=recipe if isinstance(recipe, str) else None,
        data=_source(config),
        seconds=None if seconds is None else checked_number(seconds, 0, MAX_RUN_SECONDS),
        changed=_changed(checkpoint),
    ), progress


def _changed(path: Path) -> float:
    for file in (path / MANIFEST, path):
        with suppress(OSError):
            return file.lstat().st_mtime
    return 0.0


def _size(path: Path) -> int:
    size = 0
    for folder, _, files in os.walk(path):
        for name in files:
            with suppress(OSError):  # a checkpoint may just have been deleted
                size += os.lstat(os.path.join(folder, name)).st_size
    return size


REMOVED = ".removed"
"""The ending of the hidden folder in which a run is deleted."""


@dataclass(frozen=True)
class RemovedRun:
    """A run that was removed, its size in bytes, and whether it was the latest."""

    path: Path
    size: int
    was_latest: bool


def remove_runs(names: Sequence[str], *, force: bool) -> tuple[list[RemovedRun], Path | None]:
    """Delete runs of `runs/` by name; returns what was removed, and the run that is now the latest, if it changed.

    Checks all names first. Each run loses its name before it is deleted, so that no part of it is taken for a run.
    Raises `BundleError` for what is no run or in use, and for the latest run without `force`.
    """
    paths = list(dict.fromkeys(_path_of(name) for name in names))
    with ExitStack() as held:
        for path in paths:
            _refuse_foreign(path)
            if path.name.endswith(UNFINISHED):
                taken = BundleError("is being trained now", where=str(path), hint="stop that first (Ctrl-C)")
                held.enter_context(system.locked(path / LOCK_FILE, taken))
        latest = [path for path in paths if is_latest(path)]
        if latest and not force:
            raise BundleError(
                "is the latest run", where=str(latest[0]), hint=Setting("force", "True", "add {} to remove it anyway")
            )
        sizes = [_size(path) for path in paths]
        for left in RUNS.glob(f".*{REMOVED}"):  # by a process that was killed while deleting
            system.remove(left)
        _discard(paths, then=_point_to_newest if latest else lambda: None)
    now = LATEST.resolve() if latest and LATEST.exists() else None
    removed = [RemovedRun(path, size, path in latest) for path, size in zip(paths, sizes, strict=True)]
    return removed, now and RUNS / now.name


def _path_of(name: str) -> Path:
    """The path of a run, given by its name or its path."""
    path = Path(name)
    if path.name in ("", "..") or (path.parent != Path() and path.parent.resolve() != RUNS.resolve()):
        raise BundleError(f"is not in {RUNS}/", where=name or '""', hint="name a run as rnn runs lists it")
    path = RUNS / path.name
    if path.is_symlink():
        raise BundleError(f"is a link to {os.readlink(path)}", where=str(path), hint="name the run itself")
    if not path.exists():
        raise BundleError("no such run", where=str(path), hint="rnn runs lists them")
    if not path.is_dir():
        raise BundleError("is a file, not a run", where=str(path), hint="name a run as rnn runs lists it")
    return path


def _refuse_foreign(path: Path) -> None:
    """Raise `BundleError` for a folder that is not a run of rnn, or holds other files."""
    if path.name.endswith(UNFINISHED):
        foreign = sorted(file.name for file in path.iterdir() if is_foreign(file))
    else:
        try:
            known = {MANIFEST, *Manifest.read(path).files}
        except BundleError as error:
            what = f"is not a trained model ({error.what})"
            raise BundleError(what, where=str(path), hint="delete it by hand if it is not needed") from None
        foreign = sorted(file.name for file in path.iterdir() if not _is_own(file, known))
    if foreign:
        what = f"holds {foreign[0]}, which is no part of the run"
        raise BundleError(what, where=str(path), hint="move it, or delete the folder by hand")


def _is_own(file: Path, known: set[str]) -> bool:
    if file.is_dir() and not file.is_symlink():
        return file.name in (CACHE, RUNTIME)  # an export's
    return file.name in known


def _discard(paths: Sequence[Path], then: Callable[[], None]) -> None:
    hidden: list[Path] = []
    try:
        for path in paths:
            hidden.append(system.hide(path, REMOVED))
    except OSError as error:
        hint = "check the permissions of its folder"
        raise BundleError(f"cannot be removed ({system.reason(error)})", where=str(path), hint=hint) from None
    finally:
        then()
        for each in hidden:
            system.remove(each)
    if left := [each for each in hidden if each.exists()]:
        hint = "delete it by hand; it no longer has the run's name"
        raise BundleError("cannot be deleted completely", where=str(left[0]), hint=hint)


def _point_to_newest() -> None:
    """Make `runs/latest` point to the newest whole run; delete it if there is none."""
    newest = newest_run(RUNS)
    if newest is None:
        LATEST.unlink(missing_ok=True)
    else:
        point_latest_to(newest)
