"""Writing a bundle under a temporary name, which is renamed when the bundle is whole.

A reader sees the old bundle or the new one, never a mix; a failure leaves the old one.
"""

import glob
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from rnn_cli import system
from rnn_cli.bundle.model_folder import LATEST, MANIFEST, RUNS, SEARCH_ENDING, UNFINISHED, Bundle, Manifest, proof
from rnn_cli.bundle.targets import check_bundle


@dataclass(frozen=True)
class Draft:
    """A bundle that is written in `folder` and moves to `target` when it is finished.

    With `numbered`, `target` is one of `runs/NAME-1`, `-2`, ..., and the next free one will do as well; with
    `becomes_latest`, `runs/latest` points to it then.
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
        """The path of a file of the bundle, to be written in the block; raises `WriteError` if the disk refuses."""
        with system.as_write_error(self.folder / name):
            yield self.folder / name

    def preview(self, manifest: Manifest) -> Bundle:
        """The bundle with the files written so far."""
        files = {file.name: proof(file) for file in sorted(self.folder.iterdir())}
        return Bundle(self.folder, replace(manifest, files=files))

    def finish(self, manifest: Manifest) -> Bundle:
        """Write the manifest last, sync everything to the disk, and give the folder its name."""
        with system.as_write_error(self.target):
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
        check_bundle(target, force=self.force)  # another process may have written there during the run
        if target.exists():
            system.exchange(self.folder, target)
        else:
            system.claim(self.folder, target)
        return target


def next_free(name: str) -> Path:
    """The next of `runs/NAME-1`, `-2`, ... that is free of finished and unfinished runs, and of searches."""
    runs = RUNS.glob(f"{glob.escape(name)}-*")
    tails = [run.name.removesuffix(UNFINISHED).removesuffix(SEARCH_ENDING)[len(name) + 1 :] for run in runs]
    return RUNS / f"{name}-{max((int(tail) for tail in tails if tail.isdecimal()), default=0) + 1}"


def is_latest(path: Path) -> bool:
    """Whether `runs/latest` points to this bundle."""
    return LATEST.resolve() == path.resolve()


def point_latest_to(path: Path) -> None:
    """Make `runs/latest` point to a bundle; if that fails, `is_latest` is false."""
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
        link.unlink(missing_ok=True)  # left by an interrupt before the rename
