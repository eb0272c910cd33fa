"""A run's checkpoints: each a folder that is written under another name, its manifest last, and verified when read.

Knows nothing of what a checkpoint's files mean, nor who may write one when.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnn_cli.bundle import disk
from rnn_cli.bundle.layout import LARGEST, MANIFEST, MOST_BYTES
from rnn_cli.bundle.plain import read_plain
from rnn_cli.bundle.signed import check_proof, is_proven, proof, sign, unsign
from rnn_cli.errors import BundleError

CHECKPOINT_VERSION = 1
CHECKPOINT = "checkpoint-"
PART = "checkpoint.part"
PLACE = {"force", "numbered"}

LARGEST_ARRAYS = 4 * LARGEST
"""Bytes of a file of arrays, at most: an optimizer keeps two or three numbers for each of a network's."""


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
        if path.is_symlink():
            raise BundleError("is a link, not a folder", where=str(path))
        try:
            text = read_plain(path / MANIFEST, MOST_BYTES[MANIFEST]).decode("utf-8", "replace")
            content = unsign(text, where=where, newest=CHECKPOINT_VERSION)
            proofs = content["files"]
            for name, proven in proofs.items():
                check_proof(name, proven)
            place, state = content["place"], dict(content["state"])
            if set(place) != PLACE or not all(type(value) is bool for value in place.values()):
                raise ValueError("place")
            files = {name: read_plain(path / name, LARGEST_ARRAYS) for name in proofs}
            checkpoint = cls(path, place, state, files)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise BundleError("not a checkpoint this rnn understands", where=where) from None
        for name, file in files.items():
            if not is_proven(file, by=proofs[name]):
                raise BundleError("checksum differs from the one written", where=str(path / name))
        return checkpoint


def write(path: Path, place: Mapping[str, bool], state: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    """Write a run's next checkpoint; raises `OSError`, and then there is none."""
    earlier = checkpoints(path)
    number = _number(earlier[-1]) + 1 if earlier else 1
    part = path / PART
    try:
        disk.remove(part)
        part.mkdir()
        for name, file in files.items():
            disk.write(part / name, file)
        proofs = {name: proof(part / name) for name in files}
        content = {"format_version": CHECKPOINT_VERSION, "place": place, "state": state, "files": proofs}
        disk.write(part / MANIFEST, sign(content))
        disk.fsync(part)
        part.rename(path / f"{CHECKPOINT}{number:06}")
        disk.fsync(path)
    finally:
        disk.remove(part)


def newest_checkpoint(path: Path, warn: Callable[[str], None]) -> Checkpoint:
    """A run's newest whole checkpoint; `warn` hears of damaged ones. Raises `BundleError` if there is none."""
    damage: BundleError | None = None
    if not path.is_dir():
        raise BundleError("no such folder", where=str(path), mend="name the folder of a run that was stopped")
    for checkpoint in reversed(checkpoints(path)):
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


def checkpoints(path: Path) -> list[Path]:
    """The checkpoints' folders, the oldest first."""
    return sorted(filter(is_checkpoint, path.glob(f"{CHECKPOINT}*")), key=_number)


def is_checkpoint(file: Path) -> bool:
    """Whether it has a checkpoint's name."""
    return file.name.startswith(CHECKPOINT) and file.name.removeprefix(CHECKPOINT).isdecimal()


def drop(checkpoint: Path) -> None:
    """Delete a checkpoint: it loses its name first, so that none is ever half there."""
    part = checkpoint.with_name(PART)
    disk.remove(part)
    with suppress(OSError):
        checkpoint.rename(part)
    disk.remove(part)


def _number(checkpoint: Path) -> int:
    return int(checkpoint.name.removeprefix(CHECKPOINT))
