"""Writing a bundle: under a temporary name, renamed when it is whole.

A reader sees an old bundle or a new one, never half of one, and a failure leaves the old one.
"""

import glob
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from rnn_cli import system
from rnn_cli.bundle.model_folder import LATEST, MANIFEST, MOST_BYTES, RUNS, UNFINISHED, Bundle, Manifest, proof
from rnn_cli.errors import BundleError
from rnn_cli.system import read_plain


def check_target(
    out: Path | None, *, force: bool, option: str = "--out", besides: Collection[str] = frozenset()
) -> None:
    """Refuse, before any work is done, to write a bundle where something else stands.

    With `force` a bundle may be replaced, but only one that is whole in name and holds nothing but its own files and
    what is named `besides`. `option` is what names the place on the command line.
    """
    if out is None or not (out.exists() or out.is_symlink()):
        return
    if out.resolve() == RUNS.resolve():
        raise BundleError("is the folder that holds the runs", where=str(out), hint=f"use {option} {RUNS}/NAME")
    try:
        text = read_plain(out / MANIFEST, MOST_BYTES[MANIFEST]).decode("utf-8", "replace")
        manifest = Manifest.from_json(text, where=str(out / MANIFEST))
    except BundleError:
        raise BundleError(
            "exists and is not a trained model", where=str(out), hint=f"choose another {option}"
        ) from None
    if not force:
        raise BundleError("exists", where=str(out), hint=f"use --force to replace it, or another {option}")
    if foreign := sorted({file.name for file in out.iterdir()} - {MANIFEST, *manifest.files, *besides}):
        raise BundleError(
            f"holds {foreign[0]}, which is no part of the model",
            where=str(out),
            hint=f"move it, or use another {option}",
        )


@dataclass(frozen=True)
class Draft:
    """A bundle being written in `folder`; finished, it stands at `target`.

    `numbered` says that `target` is one of `runs/NAME-1`, `-2`, ..., and that the next free one will do as well;
    `becomes_latest` that `runs/latest` points to it then.
    """

    folder: Path
    target: Path
    force: bool
    numbered: bool
    becomes_latest: bool = True

    def write(self, name: str, content: str | bytes) -> None:
        """Write one file of the bundle."""
        with self.writing(name) as file:
            system.write(file, content)

    @contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        """Where a file of the bundle is to be written; what the disk refuses meanwhile is told as a `WriteError`."""
        with system.told(self.folder / name):
            yield self.folder / name

    def preview(self, manifest: Manifest) -> Bundle:
        """The bundle as far as it is written."""
        files = {file.name: proof(file) for file in sorted(self.folder.iterdir())}
        return Bundle(self.folder, replace(manifest, files=files))

    def finish(self, manifest: Manifest) -> Bundle:
        """Write the manifest last, put everything on the disk, and give the folder its name."""
        with system.told(self.target):
            manifest = self.preview(manifest).manifest
            self.write(MANIFEST, manifest.to_json())
            for name in manifest.files:
                system.fsync(self.folder / name)
            system.fsync(self.folder)
            final = self._take_name()
            system.fsync(final.parent)
        if self.becomes_latest:
            point_latest_to(final)
        return Bundle(final, manifest)

    def _take_name(self) -> Path:
        target = self.target
        while self.numbered:
            try:
                system.claim(self.folder, target)
            except FileExistsError:
                target = next_free(target.name.rpartition("-")[0])
                continue
            return target
        check_target(target, force=self.force)  # it may have come while the run went on
        if target.exists():
            system.exchange(self.folder, target)
        else:
            system.claim(self.folder, target)
        return target


def next_free(name: str) -> Path:
    """The next of `runs/NAME-1`, `-2`, ... that neither a run nor an unfinished one has taken."""
    tails = [run.name.removesuffix(UNFINISHED)[len(name) + 1 :] for run in RUNS.glob(f"{glob.escape(name)}-*")]
    return RUNS / f"{name}-{max((int(tail) for tail in tails if tail.isdecimal()), default=0) + 1}"


def is_latest(path: Path) -> bool:
    """Whether `runs/latest` points to this bundle."""
    return LATEST.resolve() == path.resolve()


def point_latest_to(path: Path) -> None:
    """Make `runs/latest` point to a bundle that stands; where that fails `is_latest` tells."""
    with suppress(OSError):
        _point_latest_to(path)


def _point_latest_to(final: Path) -> None:
    RUNS.mkdir(exist_ok=True)
    link = RUNS / f".latest.{os.getpid()}.part"
    link.unlink(missing_ok=True)
    try:
        link.symlink_to(os.path.relpath(final.resolve(), RUNS.resolve()), target_is_directory=True)
        os.replace(link, LATEST)
    finally:
        link.unlink(missing_ok=True)  # an interrupt may come before it has the name, or after
