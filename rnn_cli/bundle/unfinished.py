"""A run under way: its checkpoints, in a folder beside the bundle that it will become.

`DIR.unfinished` is never mistaken for a bundle and never touches one, so an old model at DIR stays in use until the
new one is whole. A checkpoint is written under a temporary name, its manifest last, and renamed when it is on the
disk; the newest two are kept. Knows nothing of what a checkpoint's files mean.
"""

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from rnn_cli.bundle import disk
from rnn_cli.bundle.layout import MANIFEST, RUNS, UNFINISHED, reason
from rnn_cli.bundle.signed import is_proven, proof, sign, unsign
from rnn_cli.bundle.writer import Draft, check_target, next_free
from rnn_cli.errors import BundleError

CHECKPOINT_VERSION = 1
KEPT = 2
CHECKPOINT = "checkpoint-"
PART, LOCK, DRAFT, ASIDE = "checkpoint.part", "lock", "bundle.part", "bundle.old"


@dataclass(frozen=True)
class Checkpoint:
    """A whole checkpoint: where a run stood (as JSON has it) and its files' verified bytes.

    `place` holds what the run's `Unfinished` was begun with.
    """

    path: Path
    place: Mapping[str, bool]
    state: Mapping[str, Any]
    files: Mapping[str, bytes]

    @classmethod
    def open(cls, path: Path) -> "Checkpoint":
        """Read and verify a checkpoint; raises `BundleError` if anything in it differs from what was written."""
        where = str(path / MANIFEST)
        try:
            text = (path / MANIFEST).read_text(encoding="utf-8")
            content = unsign(text, where=where, newest=CHECKPOINT_VERSION)
            proofs = content["files"]
            files = {name: (path / Path(name).name).read_bytes() for name in proofs}
            checkpoint = cls(path, content["place"], content["state"], files)
        except (OSError, UnicodeDecodeError) as error:
            told = reason(error) if isinstance(error, OSError) else "damaged"
            raise BundleError(told, where=where) from None
        except (KeyError, TypeError, AttributeError):
            raise BundleError("not a checkpoint this rnn understands", where=where) from None
        for name, file in files.items():
            if not is_proven(file, by=proofs[name]):
                raise BundleError("checksum differs from the one written", where=str(path / name))
        return checkpoint


@dataclass(frozen=True)
class Unfinished:
    """A run under way, held by this process alone. `target`, `force` and `numbered` are its `Draft`'s."""

    path: Path
    target: Path
    force: bool
    numbered: bool

    def save(self, state: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
        """Write a checkpoint; until it is whole the earlier ones stay as they are."""
        earlier = _checkpoints(self.path)
        number = _number(earlier[-1]) + 1 if earlier else 1
        part = self.path / PART
        with disk.told(self.path):
            try:
                disk.remove(part)
                part.mkdir()
                for name, file in files.items():
                    disk.write(part / name, file)
                proofs = {name: proof(part / name) for name in files}
                place = {"force": self.force, "numbered": self.numbered}
                content = {"format_version": CHECKPOINT_VERSION, "place": place, "state": state, "files": proofs}
                disk.write(part / MANIFEST, sign(content))
                disk.fsync(part)
                part.rename(self.path / f"{CHECKPOINT}{number:06}")
                disk.fsync(self.path)
            finally:
                disk.remove(part)
        for old in earlier[: -(KEPT - 1)]:
            _drop(old)

    @contextmanager
    def draft(self) -> Iterator[Draft]:
        """The bundle's folder while it is written; it vanishes if it is not finished."""
        folder = self.path / DRAFT
        disk.remove(folder)
        with disk.told(folder):
            folder.mkdir()
        try:
            yield Draft(folder, self.target, self.force, self.numbered)
        finally:
            disk.remove(folder)

    @property
    def can_go_on(self) -> bool:
        """Whether there is a checkpoint to go on from."""
        return bool(_checkpoints(self.path))

    def remove(self) -> None:
        """Delete all that belongs to the run: the bundle stands. Cut short, it leaves a whole checkpoint or none."""
        for checkpoint in _checkpoints(self.path):
            _drop(checkpoint)
        disk.remove(self.path / ASIDE)
        _clear(self.path)


def unfinished_path(target: Path) -> Path:
    """Where the run stands that will become the bundle `target`."""
    target = _real(target)
    return target.with_name(target.name + UNFINISHED)


def _real(path: Path) -> Path:
    """The folder itself, where the path is a link to it or does not name it (`.`)."""
    return path.resolve() if path.is_symlink() or path.name in ("", "..") else path


def check_begin(out: Path | None, *, force: bool) -> None:
    """Refuse, before any work is done, to begin a run where a bundle, another run or anything else stands.

    With `force` a bundle may be replaced and an unfinished run be begun anew.
    """
    check_target(out, force=force)
    if out is None:
        return
    path = unfinished_path(out)
    if not path.exists():
        return
    if not path.is_dir() or any(_is_foreign(file) for file in path.iterdir()):
        raise BundleError("exists and is not an unfinished run", where=str(path), mend="choose another --out")
    if _checkpoints(path) and not force:
        raise BundleError(
            "an unfinished run",
            where=str(path),
            mend=f"go on with rnn train --resume {path}, or add --force",
        )


@contextmanager
def beginning(out: Path | None, *, name: str, force: bool) -> Iterator[Unfinished]:
    """A run whose bundle will stand at `out`, or else at the next free `runs/NAME-1`, `runs/NAME-2`, ...

    Its folder is made at once, which tries whether one can be written there. It stays when the block is left before
    the bundle stands, if it holds a checkpoint.
    """
    check_begin(out, force=force)
    parent = RUNS if out is None else unfinished_path(out).parent
    is_new = not parent.exists()
    try:
        with disk.told(parent):
            parent.mkdir(parents=True, exist_ok=True)
            path = _next_folder(name) if out is None else unfinished_path(out)
            path.mkdir(exist_ok=True)
        try:
            with disk.told(parent):
                disk.fsync(parent)
            with _held(path):
                for old in _checkpoints(path):  # begun anew by force, or left without a whole one
                    _drop(old)
                yield Unfinished(path, _target(path), force, numbered=out is None)
        finally:
            disk.remove_if_empty(path)
    finally:
        if is_new:
            disk.remove_if_empty(parent)  # unless it holds something now


@contextmanager
def reopened(path: Path, warn: Callable[[str], None]) -> Iterator[tuple[Unfinished, Checkpoint]]:
    """A run that was left before its end, and its newest whole checkpoint; `warn` hears of damaged ones.

    `path` is the run's folder, from `locate_unfinished`.
    """
    if not _checkpoints(path):
        raise BundleError("holds no checkpoint", where=str(path), mend="name the folder of a run that was stopped")
    with _held(path):
        checkpoint = _newest(path, warn)
        for damaged in _checkpoints(path)[_checkpoints(path).index(checkpoint.path) + 1 :]:
            _drop(damaged)
        yield Unfinished(path, _target(path), **checkpoint.place), checkpoint


def locate_unfinished(named: Path | None) -> Path:
    """The folder of the run to go on with: the one named (or its bundle-to-be), else the one last saved in `runs/`."""
    if named is None:
        saved = [(run[-1].stat().st_mtime, path) for path in RUNS.glob(f"*{UNFINISHED}") if (run := _checkpoints(path))]
        if not saved:
            raise BundleError(f"no unfinished run in {RUNS}/", mend="name one with --resume DIR")
        return max(saved)[1]
    path = real if (real := _real(named)).name.endswith(UNFINISHED) else unfinished_path(named)
    if _checkpoints(path):
        return path
    if (named / MANIFEST).exists():
        raise BundleError(
            "a finished model", where=str(named), mend=f"rnn train --from {named} trains it further on new rows"
        )
    if path.is_dir():
        return path
    raise BundleError("no such unfinished run", where=str(named), mend=f"name a folder that ends in {UNFINISHED}")


def _newest(path: Path, warn: Callable[[str], None]) -> Checkpoint:
    damage: BundleError | None = None
    for checkpoint in reversed(_checkpoints(path)):
        if damage:
            warn(f"{damage.where}: {damage.what}; the checkpoint before it is taken")
        try:
            return Checkpoint.open(checkpoint)
        except BundleError as error:
            damage = error
    raise BundleError(
        f"holds no whole checkpoint: {damage.what if damage else 'it is empty'}",
        where=str(path),
        mend=(damage and damage.mend) or "delete it and train anew",
    )


def _checkpoints(path: Path) -> list[Path]:
    """The checkpoints' folders, the oldest first."""
    return sorted(filter(_is_checkpoint, path.glob(f"{CHECKPOINT}*")), key=_number)


def _number(checkpoint: Path) -> int:
    return int(checkpoint.name.removeprefix(CHECKPOINT))


def _is_foreign(file: Path) -> bool:
    return file.name not in (PART, LOCK, DRAFT) and not _is_checkpoint(file)


def _is_checkpoint(file: Path) -> bool:
    return file.name.startswith(CHECKPOINT) and file.name.removeprefix(CHECKPOINT).isdecimal()


def _drop(checkpoint: Path) -> None:
    """Delete a checkpoint: it loses its name first, so that none is ever half there."""
    part = checkpoint.with_name(PART)
    disk.remove(part)
    with suppress(OSError):
        checkpoint.rename(part)
    disk.remove(part)


def _clear(path: Path) -> None:
    """Delete a run's folder that holds no checkpoint any more; what is none of the run's stays, and the folder too."""
    disk.remove(path / PART)
    disk.remove(path / DRAFT)
    with suppress(OSError):
        (path / LOCK).unlink()
    disk.remove_if_empty(path)


def _target(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(UNFINISHED))


def _next_folder(name: str) -> Path:
    while True:
        path = unfinished_path(next_free(name))
        with suppress(FileExistsError):  # another run was quicker
            path.mkdir()
            return path


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Only one process works in the folder; it goes when the block is left without a checkpoint in it."""
    with disk.told(path):
        lock = (path / LOCK).open("w")
    with lock:
        taken = BundleError("another process is training it", where=str(path))
        with disk.told(path):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the system lets go of it when the process dies
            except BlockingIOError:
                raise taken from None
        if not _is_lock_of(path, lock):  # it was removed between our opening and our locking it
            raise taken
        try:
            yield
        finally:
            if not _checkpoints(path) and _is_lock_of(path, lock):
                _clear(path)


def _is_lock_of(path: Path, lock: IO[str]) -> bool:
    try:
        return os.path.samestat(os.fstat(lock.fileno()), (path / LOCK).stat())
    except FileNotFoundError:
        return False
