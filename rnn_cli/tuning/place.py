"""Where a search keeps what it does: `DIR.tune` beside its future model, which one process at a time holds."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rnn_cli import system
from rnn_cli.bundle.checkpoints import check_begin
from rnn_cli.bundle.model_folder import RUNS, SEARCH_ENDING
from rnn_cli.bundle.writer import next_free
from rnn_cli.errors import BundleError, Setting, quoted
from rnn_cli.tuning.journal import JOURNAL
from rnn_cli.tuning.trials import TrialFolder

BEST_CONFIG, PAGE, TRIALS, SEARCH_LOCK = "best.yaml", "tune.html", "trials", "lock"

OWN_FILES = (JOURNAL, BEST_CONFIG, PAGE, TRIALS, SEARCH_LOCK, "model.part")
"""All that a search's folder holds."""


@dataclass(frozen=True)
class Place:
    """A search's folder, and the folder of the model that it will write; `numbered` if any next number will do."""

    folder: Path
    target: Path
    numbered: bool

    def trial(self, number: int) -> TrialFolder:
        """The folder of a trial."""
        return TrialFolder(self.folder / TRIALS / f"{number:04}")

    @property
    def best(self) -> Path:
        """The config of the best trial."""
        return self.folder / BEST_CONFIG

    @property
    def page(self) -> Path:
        """The page about the search."""
        return self.folder / PAGE


def search_folder(target: Path) -> Path:
    """The folder of the search for a model's folder."""
    target = target.resolve() if target.is_symlink() or target.name in ("", "..") else target
    return target.with_name(target.name + SEARCH_ENDING)


def check_search(out: Path | None, *, force: bool) -> None:
    """Raise, before any work is done, if a model, a search or anything else stands where a search would write."""
    check_begin(out, force=force)
    if out is None:
        return
    folder = search_folder(out)
    if not folder.exists():
        return
    if not folder.is_dir() or any(file.name not in OWN_FILES for file in folder.iterdir()):
        raise BundleError(
            "exists and is not a search", where=str(folder), hint=Setting("out", text="choose another {}")
        )
    if not force:
        hint = Setting("force", "True", f"go on with rnn tune --resume {quoted(folder)}, or begin again with {{}}")
        raise BundleError("a search", where=str(folder), hint=hint)


@contextmanager
def beginning_search(out: Path | None, *, name: str, force: bool) -> Iterator[Place]:
    """A new search's folder, held by this process; it goes again if nothing was logged."""
    check_search(out, force=force)
    target = next_free(name) if out is None else out
    folder = search_folder(target)
    is_new = not folder.parent.exists()
    with system.as_write_error(folder):
        folder.mkdir(parents=True, exist_ok=True)
    place = Place(folder, target, numbered=out is None)
    try:
        with _held(folder):
            if force:
                for file in OWN_FILES:
                    if (folder / file).is_dir():
                        system.remove(folder / file)
                    elif file != SEARCH_LOCK:
                        (folder / file).unlink(missing_ok=True)
            yield place
    finally:
        if not (folder / JOURNAL).exists():
            (folder / SEARCH_LOCK).unlink(missing_ok=True)
            system.remove_if_empty(folder)
            if is_new:
                system.remove_if_empty(folder.parent)


@contextmanager
def reopening_search(named: Path | None) -> Iterator[Place]:
    """An earlier search's folder, held by this process; without a name the one in `runs/` that was logged last."""
    folder = _located(named)
    target = folder.with_name(folder.name.removesuffix(SEARCH_ENDING))
    with _held(folder):
        yield Place(folder, target, numbered=False)


def _located(named: Path | None) -> Path:
    if named is None:
        found = [(journal.stat().st_mtime, journal.parent) for journal in RUNS.glob(f"*{SEARCH_ENDING}/{JOURNAL}")]
        if not found:
            raise BundleError(f"no search in {RUNS}/", hint=Setting("resume", "DIR", "name one with {}"))
        return max(found)[1]
    folder = named if named.name.endswith(SEARCH_ENDING) else search_folder(named)
    if not (folder / JOURNAL).is_file():
        raise BundleError("holds no search", where=str(folder), hint=f"name a folder that ends in {SEARCH_ENDING}")
    return folder


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    lock = system.locked(folder / SEARCH_LOCK, BundleError("another process is searching there", where=str(folder)))
    with ExitStack() as stack:
        with system.as_write_error(folder):
            stack.enter_context(lock)
        yield
