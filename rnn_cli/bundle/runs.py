"""The runs in a folder: what each one came to, how far an unfinished one is, and removing them.

Of a model only its small files are read, each verified. What is damaged or no model is told as such, never raised.
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
from rnn_cli.bundle.checkpoints import CHECKPOINT_VERSION, FAILED, LOCK, MOST_WORDS, checkpoints, is_foreign
from rnn_cli.bundle.model_folder import (
    CONFIG,
    FURTHER,
    LATEST,
    LONGEST,
    MANIFEST,
    METRICS,
    MOST_BYTES,
    RUN,
    RUNS,
    UNFINISHED,
    Bundle,
    Manifest,
    number,
    unsign,
)
from rnn_cli.bundle.targets import CACHE, RUNTIME
from rnn_cli.bundle.writer import is_latest, point_latest_to
from rnn_cli.config.load import stored_config
from rnn_cli.config.schema import Config
from rnn_cli.errors import BundleError, Error

State = Literal["finished", "unfinished", "damaged", "foreign"]

SPOILED = (ArithmeticError, AttributeError, KeyError, OSError, RecursionError, Error, TypeError, ValueError)
"""What reading a folder may raise that may hold anything."""

Share = tuple[float, tuple[float, float] | None]
"""An accuracy, and its 95% interval where it has one."""


@dataclass(frozen=True)
class ListedRun:
    """A folder among the runs.

    `told` says how far an unfinished run is, or what is wrong with a damaged or foreign folder. `data` names the rows,
    `rows` counts those of each split; `accuracy` is the network's on the test rows and `baseline` the linear model's.
    `seconds` were spent on the whole run; `size` is in bytes. Each is None where it is not known. `changed` is when it
    was finished or last saved, as a time of the system's clock.
    """

    path: Path
    state: State
    changed: float
    size: int
    told: str = ""
    is_latest: bool = False
    recipe: str | None = None
    data: str | None = None
    rows: Mapping[str, int] = field(default_factory=dict)
    accuracy: Share | None = None
    baseline: Share | None = None
    seconds: float | None = None

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values."""
        shares = {"accuracy": self.accuracy, "baseline_accuracy": self.baseline}
        metrics: dict[str, Any] = {}
        for name, share in shares.items():
            value, interval = share or (None, None)
            metrics |= {name: value, f"{name}_interval": list(interval) if interval else None}
        return {
            "name": self.name,
            "path": str(self.path),
            "state": self.state,
            "told": self.told or None,
            "latest": self.is_latest,
            "recipe": self.recipe,
            "data": self.data,
            "rows": dict(self.rows) or None,
            **metrics,
            "seconds": self.seconds,
            "bytes": self.size,
            "changed": datetime.fromtimestamp(self.changed, UTC).isoformat(timespec="seconds"),
        }


def find_runs(folder: Path) -> list[ListedRun]:
    """The runs in a folder, in no order: all its folders but the hidden ones. Raises `BundleError` if it is none."""
    try:
        found = [Path(folder, each.name) for each in os.scandir(folder) if _may_be_run(each)]
    except OSError as error:
        raise BundleError(system.reason(error), where=str(folder), hint="name the folder that holds runs") from None
    return [_read(path) for path in found]


def _may_be_run(found: "os.DirEntry[str]") -> bool:
    is_mark = found.name == LATEST.name and found.is_symlink()
    return not is_mark and not found.name.startswith(".") and found.is_dir()


def _read(path: Path) -> ListedRun:
    run = ListedRun(path, "finished", _changed(path), _size(path))
    try:
        if path.name.endswith(UNFINISHED):
            return _read_unfinished(replace(run, state="unfinished"))
        if not os.path.lexists(path / MANIFEST):
            return replace(run, state="foreign", told="not a trained model")
        return _read_finished(run, Bundle.open(path))
    except SPOILED as error:
        return replace(run, state="damaged", told=_in_words(error, path))


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
        with suppress(BundleError):  # another release's, say: whoever scores need not understand it, either
            run = replace(run, data=_source(stored_config(opened.read(CONFIG), CONFIG)))
    if METRICS not in opened.manifest.files:
        return run  # an export
    metrics = json.loads(opened.read(METRICS))
    return replace(run, accuracy=_accuracy(metrics), baseline=_accuracy(metrics.get("baseline", {})))


def _accuracy(metrics: Mapping[str, Any]) -> Share | None:
    test = metrics.get("test")
    if test is None:
        return None
    interval = test.get("intervals", {}).get("accuracy")
    low, high = interval or (0, 1)
    bounds = (number(low, 0, 1), number(high, 0, 1))
    return number(test["accuracy"], 0, 1), bounds if interval else None


def _time(written: object) -> float | None:
    return None if written is None else datetime.fromisoformat(str(written)).timestamp()


def _source(config: Config) -> str:
    """What the rows are called: a built-in set, or a file without its folders; a URL's query may be secret."""
    source = config.data.source.partition("?")[0] if "://" in config.data.source else config.data.source
    return "standard input" if source == "-" else source.rstrip("/").rpartition("/")[2]


def _read_unfinished(run: ListedRun) -> ListedRun:
    under_way = system.is_held(run.path / LOCK)
    index, damage = "before anything was saved", None
    for checkpoint in reversed(checkpoints(run.path)):
        try:
            run, index = _standing(run, checkpoint)
            damage = None
            break
        except SPOILED as error:
            damage = damage or error
    if damage is not None:
        raise damage
    if under_way:
        return replace(run, told=f"under way {index}")
    if os.path.lexists(run.path / FAILED):
        why = system.read_plain(run.path / FAILED, MOST_WORDS).decode("utf-8", "replace")
        return replace(run, told=f"failed {index}: {why}")
    return replace(run, told=f"stopped {index}")


def _standing(run: ListedRun, checkpoint: Path) -> tuple[ListedRun, str]:
    """What a checkpoint's manifest tells; its arrays, which are large, are not looked at."""
    text = system.read_plain(checkpoint / MANIFEST, MOST_BYTES[MANIFEST]).decode("utf-8", "replace")
    state = unsign(text, where=str(checkpoint / MANIFEST), newest=CHECKPOINT_VERSION)["state"]
    config = stored_config(state["config"].encode("utf-8"), CONFIG)
    epoch, batches = len(state["standing"]["history"]) + 1, int(number(state["standing"]["epoch"]["batches"], 0, 1e15))
    epochs = config.training.epochs
    done = f", {batches:,} batches done" if batches else ""
    index = f"in epoch {epoch} of {epochs}{done}" if epoch <= epochs else "after all epochs"
    recipe, seconds = state.get("recipe"), state.get("seconds")
    return replace(
        run,
        recipe=recipe if isinstance(recipe, str) else None,
        data=_source(config),
        seconds=None if seconds is None else number(seconds, 0, LONGEST),
        changed=_changed(checkpoint),
    ), index


def _changed(path: Path) -> float:
    for file in (path / MANIFEST, path):
        with suppress(OSError):
            return file.lstat().st_mtime
    return 0.0


def _size(path: Path) -> int:
    size = 0
    for folder, _, files in os.walk(path):
        for name in files:
            with suppress(OSError):  # a checkpoint may just have been let go
                size += os.lstat(os.path.join(folder, name)).st_size
    return size


REMOVED = ".removed"
"""How the hidden folder's name ends in which a run is deleted."""


@dataclass(frozen=True)
class Removed:
    """A run that is gone, how many bytes it had, and whether it was the latest."""

    path: Path
    size: int
    was_latest: bool


def remove_runs(names: Sequence[str], *, force: bool) -> tuple[list[Removed], Path | None]:
    """Delete runs of `runs/`, by their names; answers what is gone, and the run that is the latest now, if another.

    All are looked at before one is removed, and each loses its name before it is deleted: none is half there. Raises
    `BundleError` for what is no run, or in use, or the latest one unless by `force`.
    """
    paths = list(dict.fromkeys(_path_of(name) for name in names))
    with ExitStack() as held:
        for path in paths:
            _refuse_foreign(path)
            if path.name.endswith(UNFINISHED):
                taken = BundleError("is being trained now", where=str(path), hint="stop that first (Ctrl-C)")
                held.enter_context(system.locked(path / LOCK, taken))
        latest = [path for path in paths if is_latest(path)]
        if latest and not force:
            raise BundleError("is the latest run", where=str(latest[0]), hint="add --force to remove it all the same")
        sizes = [_size(path) for path in paths]
        for left in RUNS.glob(f".*{REMOVED}"):  # by a process that was killed while it deleted
            system.remove(left)
        _discard(paths, then=_point_to_newest if latest else lambda: None)
    now = LATEST.resolve() if latest and LATEST.exists() else None
    removed = [Removed(path, size, path in latest) for path, size in zip(paths, sizes, strict=True)]
    return removed, now and RUNS / now.name


def _path_of(name: str) -> Path:
    """Where a run of this name stands, which may also be given as a path to it."""
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
    """Raise `BundleError` for a folder that is no run of rnn's, or holds anything else."""
    if path.name.endswith(UNFINISHED):
        foreign = sorted(file.name for file in path.iterdir() if is_foreign(file))
    else:
        try:
            text = system.read_plain(path / MANIFEST, MOST_BYTES[MANIFEST]).decode("utf-8", "replace")
            known = {MANIFEST, *Manifest.from_json(text, where=str(path / MANIFEST)).files}
        except BundleError as error:
            what = f"is not a trained model ({error.what})"
            raise BundleError(what, where=str(path), hint="delete it by hand if nobody needs it") from None
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
        hint = "see who may write there"
        raise BundleError(f"cannot be removed ({system.reason(error)})", where=str(path), hint=hint) from None
    finally:
        then()
        for each in hidden:
            system.remove(each)
    if left := [each for each in hidden if each.exists()]:
        hint = "delete it by hand; the run has lost its name"
        raise BundleError("cannot be deleted as a whole", where=str(left[0]), hint=hint)


def _point_to_newest() -> None:
    """Let `runs/latest` point to the newest run that is whole, or be gone with the last."""
    whole = [run for run in find_runs(RUNS) if run.state == "finished" and not run.path.is_symlink()]
    if whole:
        point_latest_to(max(whole, key=lambda run: (run.changed, run.name)).path)
    else:
        LATEST.unlink(missing_ok=True)
