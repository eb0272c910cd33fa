"""A trained model's folder: its files' names, and how they are written, verified and read.

A bundle is written under a temporary name and renamed when it is whole, so a reader sees an old one or a new one,
never half of one. What is read is checked first: the manifest against its own checksum, every other file against the
size and sha256 in the manifest. Knows nothing of what the files mean to the other rooms.
"""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from rnn_cli.errors import BundleError

FORMAT_VERSION = 1

MANIFEST = "manifest.json"
CONFIG = "config.yaml"
TOKENIZER = "tokenizer.json"
ONNX_MODEL = "model.onnx"
KERAS_MODEL = "model.keras"
METRICS = "metrics.json"
HISTORY = "history.csv"
PREDICTIONS = "predictions.csv"

RUNS = Path("runs")
LATEST = RUNS / "latest"


@dataclass(frozen=True)
class Manifest:
    """What a bundle is, and the proof that its files are the ones that were written.

    `labels` stand in the order of the network's classes; of two, the second is the positive one. `threshold` is the
    probability from which the positive label is answered (two labels only). `temperature` divides the logits. `data`
    holds the fingerprint of the labelled rows and how many each split has. `files` maps a name to its size in bytes
    and its sha256 in hex.
    """

    labels: tuple[str, ...]
    threshold: float
    temperature: float
    data: Mapping[str, Any]
    versions: Mapping[str, str]
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    format_version: int = FORMAT_VERSION

    @property
    def task(self) -> str:
        """`binary` (two labels, one sigmoid) or `multiclass` (a softmax over all)."""
        return "binary" if len(self.labels) == 2 else "multiclass"

    def to_json(self) -> str:
        """The manifest as JSON text, with the checksum of all the rest of it."""
        content = {**asdict(self), "task": self.task}
        return json.dumps({**content, "checksum": _checksum(content)}, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str, *, where: str) -> "Manifest":
        """Read and check a manifest; raises `BundleError` if it is damaged or from a newer release."""
        damaged = BundleError("damaged, its checksum differs", where=where, mend="train again or restore a copy")
        try:
            content = json.loads(text)
            checksum = content.pop("checksum")
            version = content["format_version"]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise damaged from None
        if isinstance(version, int) and version > FORMAT_VERSION:
            raise BundleError(
                f"written by a newer rnn (bundle format {version}, this one reads up to {FORMAT_VERSION})",
                where=where,
                mend="upgrade rnn-cli",
            )
        if checksum != _checksum(content):
            raise damaged
        try:
            return cls._checked(content)
        except (KeyError, TypeError, ValueError):
            raise BundleError("not a manifest this rnn understands", where=where) from None

    @classmethod
    def _checked(cls, content: Mapping[str, Any]) -> "Manifest":
        labels = content["labels"]
        if not (isinstance(labels, list) and len(labels) >= 2 and all(isinstance(name, str) for name in labels)):
            raise TypeError("labels")
        threshold, temperature = float(content["threshold"]), float(content["temperature"])
        if not (0 <= threshold <= 1 and 0 < temperature < float("inf")):
            raise ValueError("threshold, temperature")
        for name, proof in content["files"].items():
            if Path(name).name != name or not isinstance(proof["size"], int) or not isinstance(proof["sha256"], str):
                raise ValueError("files")
        return cls(
            labels=tuple(labels),
            threshold=threshold,
            temperature=temperature,
            data=dict(content["data"]),
            versions=dict(content["versions"]),
            files=content["files"],
            format_version=content["format_version"],
        )


@dataclass(frozen=True)
class Bundle:
    """An open bundle: its folder and its manifest. Files are verified as they are read."""

    path: Path
    manifest: Manifest

    @classmethod
    def open(cls, path: Path) -> "Bundle":
        """Open a folder written by `rnn train`, with every file there and of the right size, or raise `BundleError`."""
        manifest_file = path / MANIFEST
        if not path.is_dir():
            raise BundleError(
                "is a file, not a model's folder" if path.exists() else "no such folder",
                where=str(path),
                mend="name the folder of a trained model",
            )
        try:
            text = manifest_file.read_bytes().decode("utf-8")
        except FileNotFoundError:
            raise BundleError(
                f"not a trained model: it has no {MANIFEST}", where=str(path), mend="name a folder rnn train wrote"
            ) from None
        except UnicodeDecodeError:
            text = ""  # answered as any other damage
        except OSError as error:
            raise BundleError(_reason(error), where=str(manifest_file)) from None
        bundle = cls(path, Manifest.from_json(text, where=str(manifest_file)))
        for name, proof in bundle.manifest.files.items():
            bundle._check_size(name, proof["size"])
        return bundle

    def read(self, name: str) -> bytes:
        """A file's verified bytes; raises `BundleError` if one bit differs from what was written."""
        proof = self.manifest.files.get(name)
        if proof is None:
            raise BundleError(f"the manifest names no {name}", where=str(self.path))
        file = self.path / name
        try:
            content = file.read_bytes()
        except OSError as error:
            raise BundleError(_reason(error), where=str(file)) from None
        if len(content) != proof["size"] or hashlib.sha256(content).hexdigest() != proof["sha256"]:
            raise BundleError(
                "checksum differs from the one written", where=str(file), mend="train again or restore a copy"
            )
        return content

    def _check_size(self, name: str, size: int) -> None:
        file = self.path / name
        try:
            found = file.stat().st_size
        except OSError as error:
            raise BundleError(_reason(error), where=str(file), mend="train again or restore a copy") from None
        if found != size:
            raise BundleError(
                f"{found} bytes, written with {size}", where=str(file), mend="train again or restore a copy"
            )


def locate(model: str | None) -> Path:
    """The bundle to use: the one named, else the environment's RNN_MODEL, else the newest finished run."""
    named = model or os.environ.get("RNN_MODEL")
    if named:
        return Path(named)
    if not LATEST.exists():
        raise BundleError(f"no trained model in {RUNS}/", mend="train one with rnn train, or name it with --model DIR")
    return LATEST


def check_target(out: Path | None, *, force: bool) -> None:
    """Refuse, before any work is done, to write a bundle where something else stands."""
    if out is None or not (out.exists() or out.is_symlink()):
        return
    if not (out / MANIFEST).is_file():
        raise BundleError("exists and is not a trained model", where=str(out), mend="choose another --out")
    if not force:
        raise BundleError("exists", where=str(out), mend="use --force to replace it, or another --out")


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
    hidden = parent / f".{name if out is None else out.name}.{os.getpid()}.part"
    with _told(parent):
        parent.mkdir(parents=True, exist_ok=True)
        hidden.mkdir()
    try:
        yield Draft(hidden, out, name)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


@dataclass(frozen=True)
class Draft:
    """A bundle being written."""

    folder: Path
    out: Path | None
    name: str

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
            _point_latest_to(final)
        return Bundle(final, manifest)

    def _take_name(self) -> Path:
        if self.out is None:
            return _rename_to_next_free(self.folder, self.name)
        if self.out.exists():
            _replace_folder(self.folder, self.out)
        else:
            self.folder.rename(self.out)
        return self.out


@contextmanager
def _told(place: Path) -> Iterator[None]:
    # What the disk refuses is the user's to mend: a full one, a folder that is read-only.
    try:
        yield
    except OSError as error:
        raise BundleError(
            f"cannot be written ({_reason(error)})", where=str(place), mend="make room there or choose another --out"
        ) from error


def _rename_to_next_free(folder: Path, name: str) -> Path:
    taken = [int(tail) for run in RUNS.glob(f"{name}-*") if (tail := run.name[len(name) + 1 :]).isdecimal()]
    number = max(taken, default=0) + 1
    while True:
        final = RUNS / f"{name}-{number}"
        try:
            # mkdir claims the name among runs that end at the same time; rename replaces an empty folder atomically.
            final.mkdir()
        except FileExistsError:
            number += 1
            continue
        folder.rename(final)
        return final


def _point_latest_to(final: Path) -> None:
    RUNS.mkdir(exist_ok=True)
    link = RUNS / f".latest.{os.getpid()}.part"
    with suppress(FileNotFoundError):
        link.unlink()
    link.symlink_to(os.path.relpath(final, RUNS), target_is_directory=True)
    os.replace(link, LATEST)


def _replace_folder(new: Path, old: Path) -> None:
    # Two renames: a folder that is not empty can't be replaced in one. If the second fails, the first is undone.
    aside = old.with_name(f".{old.name}.{os.getpid()}.old")
    old.rename(aside)
    try:
        new.rename(old)
    except BaseException:
        aside.rename(old)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _proof(file: Path) -> dict[str, Any]:
    with file.open("rb") as stream:
        return {"size": file.stat().st_size, "sha256": hashlib.file_digest(stream, "sha256").hexdigest()}


def _checksum(content: Mapping[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def _fsync(path: Path) -> None:
    if sys.platform == "win32" and path.is_dir():
        return  # Windows opens no folders
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
