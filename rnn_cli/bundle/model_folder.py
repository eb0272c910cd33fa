"""A model's folder as it is read: its files' names, the manifest, and the proof that they are as they were written."""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rnn_cli.errors import BundleError, quoted
from rnn_cli.system import read_plain, reading, reason, size_of

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
"""A file's name, as rnn gives them: no path, and nothing that a terminal or a file system takes for more."""

DEEPEST = 32
"""How deep signed content is nested, at most; some of it is copied, a call a level."""


def sign(content: Mapping[str, Any]) -> str:
    """The content as JSON text, with the checksum of all of it."""
    text = json.dumps({**content, "checksum": checksum(content)}, indent=2, ensure_ascii=False) + "\n"
    # Of a path's bytes that are no text; UTF-8 has no place for them, JSON has escapes.
    return re.sub("[\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", text)


def unsign(text: str, *, where: str, newest: int, hint: str = "train again or restore a copy") -> dict[str, Any]:
    """The content of signed text of a `format_version` up to `newest`.

    Raises `BundleError` if it is damaged, with this `mend`, or from a newer release.
    """
    damaged = BundleError("damaged, its checksum differs", where=where, hint=hint)
    try:
        content: dict[str, Any] = json.loads(text, parse_constant=_no_number)
        found = content.pop("checksum")
        version = content["format_version"]
        is_whole = found == checksum(content) and not _is_deep(content, DEEPEST)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise damaged from None
    if isinstance(version, int) and version > newest:
        raise BundleError(
            f"written by a newer rnn (format {version}, this one reads up to {newest})",
            where=where,
            hint="upgrade rnn-cli",
        )
    if not is_whole:
        raise damaged
    return content


def _is_deep(value: object, left: int) -> bool:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return left == 0 or any(_is_deep(child, left - 1) for child in children)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def checksum(content: Mapping[str, Any]) -> str:
    """The sha256 of JSON content, whatever the order of its keys."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def proof(file: Path) -> dict[str, Any]:
    """A file's size in bytes and its sha256 in hex."""
    with file.open("rb") as stream:
        return {"size": file.stat().st_size, "sha256": hashlib.file_digest(stream, "sha256").hexdigest()}


def check_proof(name: str, proof: Mapping[str, Any]) -> None:
    """Raises `ValueError` or `TypeError` unless this is the name of a file in a folder, and a proof of it."""
    if not NAME.fullmatch(name):
        raise ValueError("not a name of rnn's")
    if type(proof["size"]) is not int or proof["size"] < 0 or type(proof["sha256"]) is not str:
        raise TypeError("no proof")


def number(value: object, least: float, most: float) -> float:
    """A number of signed content; raises `TypeError` or `ValueError` unless it is one within these bounds."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("no number")
    if not least <= value <= most:  # nor is anything that is not a number
        raise ValueError("out of range")
    return float(value)


def texts(values: object) -> list[str]:
    """A list of texts of signed content; raises `TypeError` if it is anything else."""
    if not (isinstance(values, list) and all(isinstance(each, str) for each in values)):
        raise TypeError("no list of texts")
    return values


def is_proven(content: bytes, by: Mapping[str, Any]) -> bool:
    """Whether these are the bytes the proof was made of."""
    return bool(len(content) == by["size"] and hashlib.sha256(content).hexdigest() == by["sha256"])


FORMAT_VERSION = 1
FURTHER = "further_training_of"
"""In a manifest's `data`, what tells of the model that further training began with."""

RUN = "run"
"""In a manifest's `data`, what tells of the run: `recipe`, its config's name (none in further training), how many
`seconds` it took as a whole, and when it `finished`. Earlier releases told none of it."""

LONGEST = 1e12
"""Seconds that no run takes."""

PRECISION = "precision"
"""In a manifest's `data`, that the graph of an exported model, which has no other, computes in 8 bits: `int8`."""

TEMPERATURES = 1e-3, 1e3
"""The least and the largest that a manifest may have; those that are fitted are well within."""

MOST_UNSURE = 1e4
"""The largest margin below which answers may be unsure: more than any margin of 64-bit probabilities."""


@dataclass(frozen=True)
class Manifest:
    """What a bundle is, and the proof that its files are the ones that were written.

    `labels` stand in the order of the network's classes; of two, the second is the positive one. `threshold` is the
    probability from which the positive label is answered (two labels only). An answer nearer to another one than
    `unsure_below`, in log-odds, is unsure; 0 leaves none unsure. `temperature` divides the logits. `data` holds the
    fingerprint of the labelled rows and how many each split has. `files` maps a name to its size in bytes and its
    sha256 in hex.
    """

    labels: tuple[str, ...]
    threshold: float
    temperature: float
    data: Mapping[str, Any]
    versions: Mapping[str, str]
    unsure_below: float = 0.0
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    format_version: int = FORMAT_VERSION

    @property
    def task(self) -> str:
        """`binary` (two labels, one sigmoid) or `multiclass` (a softmax over all)."""
        return "binary" if len(self.labels) == 2 else "multiclass"

    def to_json(self) -> str:
        """The manifest as JSON text, with the checksum of all the rest of it."""
        return sign({**asdict(self), "task": self.task})

    @classmethod
    def from_json(cls, text: str, *, where: str) -> "Manifest":
        """Read and check a manifest; raises `BundleError` if it is damaged or from a newer release."""
        content = unsign(text, where=where, newest=FORMAT_VERSION)
        try:
            return cls._checked(content)
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError):
            raise BundleError("not a manifest this rnn understands", where=where) from None

    @classmethod
    def _checked(cls, content: Mapping[str, Any]) -> "Manifest":
        labels, files = checked_labels(content["labels"]), content["files"]
        if type(content["format_version"]) is not int or content["format_version"] < 1:
            raise ValueError("format_version")
        for name, proof in files.items():
            check_proof(name, proof)
        return cls(
            labels=labels,
            threshold=number(content["threshold"], 0, 1),
            temperature=number(content["temperature"], *TEMPERATURES),
            data=_checked_data(content["data"]),
            versions=dict(zip(content["versions"], texts(list(content["versions"].values())), strict=True)),
            unsure_below=number(content.get("unsure_below", 0.0), 0, MOST_UNSURE),
            files=files,
            format_version=content["format_version"],
        )


def checked_labels(labels: object) -> tuple[str, ...]:
    """A model's labels; raises `TypeError` or `ValueError` unless they are two or more different texts, none empty."""
    named = tuple(texts(labels))
    "".join(named).encode("utf-8")  # half of a surrogate pair could not be shown
    if not 2 <= len(named) == len(set(named)) or "" in named:
        raise ValueError("labels")
    return named


def _checked_data(data: Mapping[str, Any]) -> dict[str, Any]:
    """What is read of it again must be of the right type; a manifest may tell more."""
    texts([data["fingerprint"], data.get("unlabelled", {}).get("fingerprint", "")])
    texts([data.get(FURTHER, {}).get("model", "")])
    for side in ("train", "validation", "test"):
        if type(data["rows"][side]) is not int or data["rows"][side] < 0:
            raise ValueError("rows")
    run = data.get(RUN, {})
    texts([run.get("recipe") or "", run.get("finished", "")])
    number(run.get("seconds") or 0.0, 0, LONGEST)
    if data.get(PRECISION, "int8") != "int8":
        raise ValueError(PRECISION)
    return dict(data)


MANIFEST = "manifest.json"
CONFIG = "config.yaml"
TOKENIZER = "tokenizer.json"
ONNX_MODEL = "model.onnx"
INT8_MODEL = "model.int8.onnx"
KERAS_MODEL = "model.keras"
METRICS = "metrics.json"
HISTORY = "history.csv"
PREDICTIONS = "predictions.csv"
REPORT = "report.html"
CARD = "README.md"
SCRIPT = "predict.py"
"""What an exported model's folder answers with, without rnn."""

MOST_BYTES = {MANIFEST: 4 << 20, CONFIG: 256 << 10, TOKENIZER: 32 << 20, METRICS: 32 << 20}
"""How large a file may be, by its name, that is made values of, which take many times as much."""

LARGEST = 2 << 30
"""How large any other may be: no ONNX file can be larger."""

UNFINISHED = ".unfinished"
"""What follows a bundle's name while its run is under way."""

RUNS = Path("runs")
LATEST = RUNS / "latest"


def locate(model: str | None) -> Path:
    """The bundle to use: the one named, else the environment's RNN_MODEL, else the newest finished run."""
    if model is not None:
        return Path(model)
    if named := os.environ.get("RNN_MODEL"):
        if not Path(named).is_dir():
            raise BundleError("no such folder", where=f"RNN_MODEL={named}", hint="correct or unset the variable")
        return Path(named)
    if LATEST.is_symlink() and not LATEST.exists():
        raise BundleError(
            f"points to {os.readlink(LATEST)}, which is gone", where=str(LATEST), hint="name a model with --model DIR"
        )
    if not LATEST.exists():
        raise BundleError(f"no trained model in {RUNS}/", hint="train one with rnn train, or name it with --model DIR")
    return LATEST


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
                hint="name the folder of a trained model",
            )
        if not os.path.lexists(manifest_file):
            raise BundleError(
                f"not a trained model: it has no {MANIFEST}",
                where=str(path),
                hint=f"finish it with rnn train --resume {quoted(path)}"
                if path.name.endswith(UNFINISHED)
                else "name a folder rnn train wrote",
            )
        manifest = read_plain(manifest_file, MOST_BYTES[MANIFEST]).decode("utf-8", "replace")  # as any other damage
        bundle = cls(path, Manifest.from_json(manifest, where=str(manifest_file)))
        for name, proof in bundle.manifest.files.items():
            bundle._check_size(name, proof["size"])
        return bundle

    def fingerprint(self) -> str:
        """SHA-256, in hex, of the manifest, which holds that of every file: equal bundles have equal ones."""
        return hashlib.sha256(self.manifest.to_json().encode("utf-8")).hexdigest()

    def read(self, name: str) -> bytes:
        """A file's verified bytes; raises `BundleError` if one bit differs from what was written, or it has none."""
        proof, file = self._proof(name), self.path / name
        content = read_plain(file, MOST_BYTES.get(name, LARGEST))
        if not is_proven(content, proof):
            raise _differs(file)
        return content

    def verify(self, name: str) -> Path:
        """Where a file is whose bytes are as they were written, however many; raises `BundleError` as `read` does."""
        proof, file = self._proof(name), self.path / name
        with reading(file) as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
        if found != proof["sha256"]:
            raise _differs(file)
        return file

    def _proof(self, name: str) -> Mapping[str, Any]:
        proof = self.manifest.files.get(name)
        if proof is None:
            raise BundleError(
                f"has no {name}", where=str(self.path), hint="an export has not all: name a folder rnn train wrote"
            )
        return proof

    def _check_size(self, name: str, size: int) -> None:
        file = self.path / name
        try:
            found = size_of(file)
        except OSError as error:
            raise BundleError(reason(error), where=str(file), hint="train again or restore a copy") from None
        if found != size:
            raise BundleError(
                f"{found} bytes, written with {size}", where=str(file), hint="train again or restore a copy"
            )


def _differs(file: Path) -> BundleError:
    return BundleError("checksum differs from the one written", where=str(file), hint="train again or restore a copy")
