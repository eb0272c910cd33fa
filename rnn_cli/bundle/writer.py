"""Writing a bundle: under a temporary name, renamed when it is whole.

A reader sees an old bundle or a new one, never half of one, and a failure leaves the old one.
"""

import ctypes
import hashlib
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from rnn_cli.bundle.layout import LATEST, MANIFEST, RUNS, reason
from rnn_cli.bundle.manifest import Manifest
from rnn_cli.bundle.reader import Bundle
from rnn_cli.errors import BundleError


def check_target(out: Path | None, *, force: bool) -> None:
    """Refuse, before any work is done, to write a bundle where something else stands.

    With `force` a bundle may be replaced, but only one that is whole in name and holds nothing but its own files.
    """
    if out is None or not (out.exists() or out.is_symlink()):
        return
    if out.resolve() == RUNS.resolve():
        raise BundleError("is the folder that holds the runs", where=str(out), mend=f"use --out {RUNS}/NAME")
    try:
        manifest = Manifest.from_json((out / MANIFEST).read_text(encoding="utf-8"), where=str(out / MANIFEST))
    except (OSError, UnicodeDecodeError, BundleError):
        raise BundleError("exists and is not a trained model", where=str(out), mend="choose another --out") from None
    if not force:
        raise BundleError("exists", where=str(out), mend="use --force to replace it, or another --out")
    if foreign := sorted({file.name for file in out.iterdir()} - {MANIFEST, *manifest.files}):
        raise BundleError(
            f"holds {foreign[0]}, which is no part of the model",
            where=str(out),
            mend="move it, or use another --out",
        )


@contextmanager
def writing(out: Path | None, *, name: str, force: bool) -> Iterator["Draft"]:
    """A temporary folder that becomes a bundle when `Draft.finish` is called, and vanishes if it is not.

    The bundle stands at `out`, or else at the next free `runs/NAME-1`, `runs/NAME-2`, ...; `runs/latest` then
    points to it. That a folder can be written there is tried at once, before the long work inside the block.
    """
    check_target(out, force=force)
    if out is not None and out.is_symlink():
        out = out.resolve()
    parent = RUNS if out is None else out.parent
    is_new = not parent.exists()
    with _told(parent):
        parent.mkdir(parents=True, exist_ok=True)
        hidden = Path(mkdtemp(prefix=f".{name if out is None else out.name}.", suffix=".part", dir=parent))
        hidden.chmod(0o777 & ~_umask())  # mkdtemp's is for this user alone
    try:
        yield Draft(hidden, out, name, force)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
        if is_new:
            with suppress(OSError):  # it holds the bundle now
                parent.rmdir()


@dataclass(frozen=True)
class Draft:
    """A bundle being written."""

    folder: Path
    out: Path | None
    name: str
    force: bool

    def write(self, name: str, content: str | bytes) -> None:
        """Write one file of the bundle."""
        with _told(self.folder / name):
            (self.folder / name).write_bytes(content.encode("utf-8") if isinstance(content, str) else content)

    def preview(self, manifest: Manifest) -> Bundle:
        """The bundle as far as it is written."""
        files = {file.name: _proof(file) for file in sorted(self.folder.iterdir())}
        return Bundle(self.folder, replace(manifest, files=files))

    def finish(self, manifest: Manifest) -> Bundle:
        """Write the manifest last, put everything on the disk, and give the folder its name."""
        with _told(self.out or RUNS):
            manifest = self.preview(manifest).manifest
            self.write(MANIFEST, manifest.to_json())
            for file in self.folder.iterdir():
                _fsync(file)
            _fsync(self.folder)
            final = self._take_name()
            _fsync(final.parent)
        with suppress(OSError):  # the bundle stands; `is_latest` tells that the link does not point to it
            _point_latest_to(final)
        return Bundle(final, manifest)

    def _take_name(self) -> Path:
        if self.out is None:
            return _rename_to_next_free(self.folder, self.name)
        check_target(self.out, force=self.force)  # it may have come while the run went on
        if self.out.exists():
            _exchange(self.folder, self.out)
        else:
            _claim(self.folder, self.out)
        return self.out


def is_latest(path: Path) -> bool:
    """Whether `runs/latest` points to this bundle."""
    return LATEST.resolve() == path.resolve()


@contextmanager
def _told(place: Path) -> Iterator[None]:
    # What the disk refuses is the user's to mend: a full one, a folder that is read-only.
    try:
        yield
    except OSError as error:
        raise BundleError(
            f"cannot be written ({reason(error)})",
            where=str(place),
            mend="make room there or choose another --out",
        ) from error


def _rename_to_next_free(folder: Path, name: str) -> Path:
    taken = [int(tail) for run in RUNS.glob(f"{name}-*") if (tail := run.name[len(name) + 1 :]).isdecimal()]
    number = max(taken, default=0) + 1
    while True:
        final = RUNS / f"{name}-{number}"
        try:
            _claim(folder, final)
        except FileExistsError:
            number += 1
            continue
        return final


def _claim(folder: Path, final: Path) -> None:
    # mkdir fails where anything stands; rename then replaces an empty folder in one step.
    final.mkdir()
    try:
        folder.rename(final)
    except OSError:
        final.rmdir()
        raise


def _exchange(new: Path, old: Path) -> None:
    """Swap two folders: in one step where the system can, else in three renames that are undone if one fails."""
    if sys.platform == "linux" and _renameat2(new, old):
        return
    aside = new.with_suffix(".old")
    old.rename(aside)
    try:
        new.rename(old)
    except BaseException:
        aside.rename(old)
        raise
    aside.rename(new)


def _renameat2(new: Path, old: Path) -> bool:
    """Linux's atomic exchange (renameat2(2)); answers whether the file system could."""
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    call = getattr(ctypes.CDLL(None), "renameat2", None)
    return call is not None and call(here, os.fsencode(new), here, os.fsencode(old), exchange) == 0


def _point_latest_to(final: Path) -> None:
    RUNS.mkdir(exist_ok=True)
    link = RUNS / f".latest.{os.getpid()}.part"
    with suppress(FileNotFoundError):
        link.unlink()
    link.symlink_to(os.path.relpath(final.resolve(), RUNS.resolve()), target_is_directory=True)
    try:
        os.replace(link, LATEST)
    except OSError:
        link.unlink()
        raise


def _umask() -> int:
    mask = os.umask(0)  # it can only be read by setting it
    os.umask(mask)
    return mask


def _proof(file: Path) -> dict[str, Any]:
    with file.open("rb") as stream:
        return {"size": file.stat().st_size, "sha256": hashlib.file_digest(stream, "sha256").hexdigest()}


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
