"""A run under way: its checkpoints, in a folder beside its future bundle.

`DIR.unfinished` is never taken for a bundle and never changes one, so an old model at DIR stays in use until the new
one is whole. The newest two checkpoints are kept.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnn_cli import system
from rnn_cli.bundle.model_folder import (
    MANIFEST,
    MAX_FILE_BYTES,
    RUNS,
    UNFINISHED,
    check_proof,
    is_proven,
    proof,
    read_signed,
    sign,
)
from rnn_cli.bundle.targets import check_bundle
from rnn_cli.bundle.writer import Draft, next_free
from rnn_cli.errors import BundleError, Setting, quoted
from rnn_cli.outputs import another
from rnn_cli.system import read_plain

CHECKPOINT_VERSION = 1
CHECKPOINT = "checkpoint-"
PART = "checkpoint.part"

MAX_ARRAYS_BYTES = 4 * MAX_FILE_BYTES
"""The largest file of arrays: an optimizer keeps two or three numbers for each weight of a network."""


@dataclass(frozen=True)
class Checkpoint:
    """A whole checkpoint: the state of the run as JSON values, and its files' verified bytes.

    `options` are `force` and `numbered` of the run's `Unfinished`.
    """

    path: Path
    options: Mapping[str, bool]
    state: Mapping[str, Any]
    files: Mapping[str, bytes]

    @classmethod
    def open(cls, path: Path) -> "Checkpoint":
        """Read and verify a checkpoint; raises `BundleError` if anything in it has changed."""
        where = str(path / MANIFEST)
        if path.is_symlink():
            raise BundleError("is a link, not a folder", where=str(path))
        try:
            content = read_signed(path, CHECKPOINT_VERSION)
            proofs = content["files"]
            for name, proven in proofs.items():
                check_proof(name, proven)
            options, state = content["place"], dict(content["state"])
            if set(options) != {"force", "numbered"} or not all(type(value) is bool for value in options.values()):
                raise ValueError("place")
            files = {name: read_plain(path / name, MAX_ARRAYS_BYTES) for name in proofs}
            checkpoint = cls(path, options, state, files)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise BundleError("not a checkpoint this rnn understands", where=where) from None
        for name, file in files.items():
            if not is_proven(file, by=proofs[name]):
                raise BundleError("checksum differs from the one written", where=str(path / name))
        return checkpoint


def write_checkpoint(
    path: Path, options: Mapping[str, bool], state: Mapping[str, Any], files: Mapping[str, bytes]
) -> None:
    """Write a run's next checkpoint, whole or not at all; raises `OSError`."""
    earlier = checkpoints(path)
    number = _number(earlier[-1]) + 1 if earlier else 1
    part = path / PART
    try:
        system.remove(part)
        part.mkdir()
        for name, file in files.items():
            system.write(part / name, file)
        proofs = {name: proof(part / name) for name in files}
        content = {"format_version": CHECKPOINT_VERSION, "place": options, "state": state, "files": proofs}
        system.write(part / MANIFEST, sign(content))
        system.fsync(part)
        part.rename(path / f"{CHECKPOINT}{number:06}")
        system.fsync(path)
    finally:
        system.remove(part)


def newest_checkpoint(path: Path, warn: Callable[[str], None]) -> Checkpoint:
    """A run's newest whole checkpoint; calls `warn` for damaged ones. Raises `BundleError` if there is none."""
    damage: BundleError | None = None
    if not path.is_dir():
        raise BundleError("no such folder", where=str(path), hint="name the folder of a run that was stopped")
    for checkpoint in reversed(checkpoints(path)):
        if damage:
            warn(f"{damage.where}: {damage.what}; uses the checkpoint before it")
        try:
            return Checkpoint.open(checkpoint)
        except BundleError as error:
            damage = error
    raise BundleError(
        f"holds no whole checkpoint: {damage.what if damage else 'it is empty'}",
        where=str(path),
        hint=(damage and damage.hint) or "delete it and train again",
    )


def checkpoints(path: Path) -> list[Path]:
    """The checkpoints' folders, the oldest first."""
    return sorted(filter(is_checkpoint, path.glob(f"{CHECKPOINT}*")), key=_number)


def is_checkpoint(file: Path) -> bool:
    """Whether a file has a checkpoint's name."""
    return file.name.startswith(CHECKPOINT) and file.name.removeprefix(CHECKPOINT).isdecimal()


def drop(checkpoint: Path) -> None:
    """Delete a checkpoint. It loses its name first, so that no part of it is ever taken for a checkpoint."""
    part = checkpoint.with_name(PART)
    system.remove(part)
    with suppress(OSError):
        checkpoint.rename(part)
    system.remove(part)


def _number(checkpoint: Path) -> int:
    return int(checkpoint.name.removeprefix(CHECKPOINT))


FINISHED = "part-"
"""How the files of finished parts begin."""

KEPT, MAX_REASON_BYTES = 2, 10_000
LOCK_FILE, FAILED_FILE, DRAFT, ASIDE = "lock", "failed", "bundle.part", "bundle.old"


@dataclass(frozen=True)
class Unfinished:
    """A run under way, locked by this process. `target`, `force` and `numbered` are those of its `Draft`."""

    path: Path
    target: Path
    force: bool
    numbered: bool

    def save(self, state: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
        """Write a checkpoint; the earlier ones stay until it is whole."""
        earlier = checkpoints(self.path)
        with system.as_write_error(self.path):
            write_checkpoint(self.path, {"force": self.force, "numbered": self.numbered}, state, files)
        for old in earlier[: -(KEPT - 1)]:
            drop(old)

    def begin(self, state: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
        """Write the first checkpoint, then delete those of an earlier run that `force` replaces."""
        earlier = checkpoints(self.path)
        self.save(state, files)
        with system.as_write_error(self.path):
            (self.path / FAILED_FILE).unlink(missing_ok=True)
        for old in (*earlier, *finished_parts(self.path)):
            drop(old) if is_checkpoint(old) else old.unlink(missing_ok=True)

    def keep_part(self, name: str, content: bytes) -> None:
        """Keep a finished part of the run, whole or not at all."""
        with system.as_write_error(self.path), system.whole_file(self.path / f"{FINISHED}{name}") as file:
            system.write(file, content)

    def kept_part(self, name: str) -> bytes | None:
        """A finished part of the run; None where there is none."""
        path = self.path / f"{FINISHED}{name}"
        return read_plain(path, MAX_ARRAYS_BYTES) if path.is_file() and not path.is_symlink() else None

    def give_up(self, why: str) -> None:
        """Record that resuming would fail as the run did; its checkpoints stay."""
        with system.as_write_error(self.path):
            (self.path / FAILED_FILE).unlink(missing_ok=True)  # never write through a link
            system.write(self.path / FAILED_FILE, why)

    @contextmanager
    def draft(self) -> Iterator[Draft]:
        """The bundle's folder while it is written; it is deleted unless it is finished."""
        folder = self.path / DRAFT
        system.remove(folder)
        with system.as_write_error(folder):
            folder.mkdir()
        try:
            yield Draft(folder, self.target, self.force, self.numbered)
        finally:
            system.remove(folder)

    @property
    def can_go_on(self) -> bool:
        """Whether there is a checkpoint to resume from."""
        return bool(checkpoints(self.path))

    def remove(self) -> None:
        """Delete the run's files when its bundle is written. If interrupted, it leaves whole checkpoints or none."""
        for checkpoint in checkpoints(self.path):
            drop(checkpoint)
        system.remove(self.path / ASIDE)
        _clear(self.path)


def unfinished_path(target: Path) -> Path:
    """The folder of the run that will become the bundle `target`."""
    target = _real(target)
    return target.with_name(target.name + UNFINISHED)


def _real(path: Path) -> Path:
    """The folder itself if the path is a link to it or does not name it (`.`)."""
    return path.resolve() if path.is_symlink() or path.name in ("", "..") else path


def check_begin(out: Path | None, *, force: bool) -> None:
    """Raise `BundleError`, before any work is done, if `out` or its unfinished run exists.

    `force` allows to replace a bundle and to begin an unfinished run again.
    """
    check_bundle(out, force=force)
    if out is None:
        return
    path = unfinished_path(out)
    if not path.exists():
        return
    if not path.is_dir() or any(is_foreign(file) for file in path.iterdir()):
        raise BundleError("exists and is not an unfinished run", where=str(path), hint=another("out"))
    if checkpoints(path) and not force:
        raise BundleError(
            "an unfinished run",
            where=str(path),
            hint=Setting("force", "True", f"go on with rnn train --resume {quoted(path)}, or begin again with {{}}"),
        )


@contextmanager
def beginning(out: Path | None, *, name: str, force: bool) -> Iterator[Unfinished]:
    """A run whose bundle will be at `out`, otherwise at the next free `runs/NAME-1`, `runs/NAME-2`, ...

    Its folder is made at once, which shows whether it can be written. If the block ends before the bundle is written,
    the folder stays if it holds a checkpoint.
    """
    check_begin(out, force=force)
    parent = RUNS if out is None else unfinished_path(out).parent
    is_new = not parent.exists()
    try:
        with system.as_write_error(parent):
            parent.mkdir(parents=True, exist_ok=True)
            path = _next_folder(name) if out is None else unfinished_path(out)
            path.mkdir(exist_ok=True)
        try:
            with system.as_write_error(parent):
                system.fsync(parent)
            with _held(path):
                yield Unfinished(path, _target(path), force, numbered=out is None)
        finally:
            system.remove_if_empty(path)
    finally:
        if is_new:
            system.remove_if_empty(parent)  # it may hold something by now


@contextmanager
def reopened(path: Path, warn: Callable[[str], None]) -> Iterator[tuple[Unfinished, Checkpoint]]:
    """An interrupted run and its newest whole checkpoint; calls `warn` for damaged ones.

    `path` is the run's folder, from `locate_unfinished`.
    """
    if not checkpoints(path):
        raise BundleError("holds no checkpoint", where=str(path), hint="name the folder of a run that was stopped")
    if os.path.lexists(path / FAILED_FILE):
        why = read_plain(path / FAILED_FILE, MAX_REASON_BYTES).decode("utf-8", "replace")
        hint = f"rnn train --from {quoted(path)} starts from its last checkpoint, with other settings (--set)"
        raise BundleError(f"would fail again: {why}", where=str(path), hint=hint)
    with _held(path):
        checkpoint = newest_checkpoint(path, warn)
        for damaged in checkpoints(path)[checkpoints(path).index(checkpoint.path) + 1 :]:
            drop(damaged)
        yield Unfinished(path, _target(path), **checkpoint.options), checkpoint


def locate_unfinished(named: Path | None) -> Path:
    """The folder of the run to resume: the one named (or its future bundle), otherwise the last saved in `runs/`."""
    if named is None:
        saved = [
            (run[-1].stat().st_mtime, path)
            for path in RUNS.glob(f"*{UNFINISHED}")
            if (run := checkpoints(path)) and not (path / FAILED_FILE).exists()
        ]
        if not saved:
            raise BundleError(f"no unfinished run in {RUNS}/", hint=Setting("resume", "DIR", "name one with {}"))
        return max(saved)[1]
    path = real if (real := _real(named)).name.endswith(UNFINISHED) else unfinished_path(named)
    if checkpoints(path):
        return path
    if (named / MANIFEST).exists():
        raise BundleError(
            "a finished model", where=str(named), hint=f"rnn train --from {quoted(named)} trains it further on new rows"
        )
    if path.is_dir():
        return path
    hint = f"name a folder that ends in {UNFINISHED}; write a CONFIG before --resume"
    raise BundleError("no such unfinished run", where=str(named), hint=hint)


def finished_parts(path: Path) -> list[Path]:
    """The files of a run's finished parts, and those of parts that were being written when it was stopped."""
    return sorted([*path.glob(f"{FINISHED}*"), *path.glob(f".{FINISHED}*")])


def is_foreign(file: Path) -> bool:
    """Whether a file does not belong to an unfinished run."""
    own = file.name in (PART, LOCK_FILE, FAILED_FILE, DRAFT) or is_checkpoint(file)
    return not own and not file.name.startswith((FINISHED, f".{FINISHED}"))


def _clear(path: Path) -> None:
    """Delete a run's folder without checkpoints; foreign files stay, and then the folder does, too."""
    system.remove(path / PART)
    system.remove(path / DRAFT)
    for file in (*finished_parts(path), path / FAILED_FILE, path / LOCK_FILE):
        with suppress(OSError):
            file.unlink()
    system.remove_if_empty(path)


def _target(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(UNFINISHED))


def _next_folder(name: str) -> Path:
    while True:
        path = unfinished_path(next_free(name))
        with suppress(FileExistsError):  # another run took the name
            path.mkdir()
            return path


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Lock the folder for this process; delete it after the block if it holds no checkpoint."""
    lock = system.locked(path / LOCK_FILE, BundleError("another process is training it", where=str(path)))
    with ExitStack() as stack:
        with system.as_write_error(path):
            is_there = stack.enter_context(lock)
        try:
            yield
        finally:
            if not checkpoints(path) and is_there():
                _clear(path)
