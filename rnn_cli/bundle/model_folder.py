"""Reading a model's folder: the names of its files, and the manifest, which proves that they are unchanged."""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rnn_cli.errors import BundleError, Setting, quoted
from rnn_cli.kinds import LEAST_ORDERED, LabelsKind, outputs_of
from rnn_cli.system import open_for_reading, read_plain, reason, size_of

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
"""A file's name, as rnn gives it: no path, and no character with a meaning to a terminal or a file system."""

RESTORE = "train again or restore a copy"
"""The hint for damaged files."""

MAX_DEPTH = 32
"""The deepest nesting of signed content; copying takes one call a level."""


def sign(content: Mapping[str, Any]) -> str:
    """The content as JSON text with its checksum."""
    text = json.dumps({**content, "checksum": checksum(content)}, indent=2, ensure_ascii=False) + "\n"
    # A path may hold bytes that are not text: UTF-8 cannot encode them, JSON escapes can.
    return re.sub("[\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", text)


def unsign(text: str, *, where: str, newest: int, hint: str | Setting = RESTORE) -> dict[str, Any]:
    """The content of signed text with a `format_version` up to `newest`.

    Raises `BundleError` if it is damaged, with this `hint`, or from a newer release.
    """
    damaged = BundleError("damaged, its checksum differs", where=where, hint=hint)
    try:
        content: dict[str, Any] = json.loads(text, parse_constant=_refuse_constant)
        found = content.pop("checksum")
        version = content["format_version"]
        is_whole = found == checksum(content) and not _is_deep(content, MAX_DEPTH)
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


def read_signed(folder: Path, newest: int) -> dict[str, Any]:
    """The content of a folder's signed manifest; raises `BundleError` as `unsign` does, and if it cannot be read."""
    text = read_plain(folder / MANIFEST, MOST_BYTES[MANIFEST]).decode("utf-8", "replace")  # damage fails the checksum
    return unsign(text, where=str(folder / MANIFEST), newest=newest)


def _is_deep(value: object, left: int) -> bool:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return left == 0 or any(_is_deep(child, left - 1) for child in children)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def checksum(content: Mapping[str, Any]) -> str:
    """The sha256 of JSON content, independent of the order of its keys."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def proof(file: Path) -> dict[str, Any]:
    """A file's size in bytes and its sha256 in hex."""
    with file.open("rb") as stream:
        return {"size": file.stat().st_size, "sha256": hashlib.file_digest(stream, "sha256").hexdigest()}


def check_proof(name: str, proof: Mapping[str, Any]) -> None:
    """Raise `ValueError` or `TypeError` unless this is the name of a file in a folder with its proof."""
    if not NAME.fullmatch(name):
        raise ValueError("not a file of rnn")
    if type(proof["size"]) is not int or proof["size"] < 0 or type(proof["sha256"]) is not str:
        raise TypeError("not a proof")


def checked_number(value: object, least: float, most: float) -> float:
    """A number of signed content; raises `TypeError` or `ValueError` unless it is a number within these bounds."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("not a number")
    if not least <= value <= most:  # NaN fails, too
        raise ValueError("out of range")
    return float(value)


def texts(values: object) -> list[str]:
    """A list of texts of signed content; raises `TypeError` if it is anything else."""
    if not (isinstance(values, list) and all(isinstance(each, str) for each in values)):
        raise TypeError("not a list of texts")
    return values


def is_proven(content: bytes, by: Mapping[str, Any]) -> bool:
    """Whether these are the bytes that the proof was made from."""
    return bool(len(content) == by["size"] and hashlib.sha256(content).hexdigest() == by["sha256"])


FORMAT_VERSION, SCALED_FORMAT, SEVERAL_FORMAT, ORDERED_FORMAT, NUMBER_FORMAT, NEWEST_FORMAT = 1, 2, 3, 4, 5, 6
"""The format of a manifest that all releases read; of one with vector scaling; of one of several labels a text; of one
of ordered labels; of one of numbers; and of one whose model reads other columns beside the text, whatever its
labels."""

ORDERED_CHOICES = ("balanced", "median", "mode")
"""What a model of ordered labels predicts: `rnn_cli.scoring.ordered` says more."""

FURTHER = "further_training_of"
"""In a manifest's `data`: the model that further training started from."""

RUN = "run"
"""In a manifest's `data`: the run's `recipe` (its config's name; none in further training), how many `seconds` it took
in all, and when it `finished`. Earlier releases did not write it."""

NEAR_TOGETHER = "near_copies_together"
"""In a manifest's `data`: whether the split kept near copies on one side. Earlier releases did not."""

MAX_RUN_SECONDS = 1e12
"""More seconds than any run takes."""

CONFORMAL, MOST_SCORES = "conformal", 1_000
"""In a manifest's `data`: scores of the validation rows, of many a sample of so many, and how many rows there are; for
sets of labels of a stated coverage (`rnn_cli.scoring.conformal`). Earlier releases did not write it."""

PRECISION = "precision"
"""In a manifest's `data`: `int8` if the only graph of an exported model computes in 8 bits."""

TEMPERATURES = 1e-3, 1e3
"""The least and the largest temperature of a manifest, and scale; fitted ones are well within."""

MOST_BIAS = 1e3
"""The largest bias of a manifest, above or below 0."""

MAX_UNSURE = 1e4
"""The largest `unsure_below`: more than any margin of 64-bit probabilities."""


@dataclass(frozen=True)
class Manifest:
    """What a bundle is, and the proof that its files are unchanged.

    `labels` are in the order of the network's classes; of two, the second is the positive one. `threshold` is the
    probability from which the positive label is predicted (two labels only). A prediction with a margin below
    `unsure_below`, in log-odds, is unsure; with 0 none is. `temperature` divides the logits; `scales` and
    `biases`, of each output or none, are those of vector scaling. `data` holds the fingerprint of the labelled rows and
    their number in each split. `files` maps a name to its size in bytes and its sha256 in hex.

    With `several`, a text has any number of the labels: the network has an output for each, whose logit a scale
    multiplies and a bias is added to; `thresholds` are the probabilities from which each is predicted, and of these at
    most the `most` most probable, 0 for all.

    With `ordered`, the labels stand in their order and the network has an output for each but the last: the log-odds
    that a text is above it. `matrix` and `biases`, if there are any, make the labels' logits of these. `choice` is one
    of `ORDERED_CHOICES`.

    With `number`, there are no labels: a text's number is `center` plus `scale` times the network's one output.
    """

    labels: tuple[str, ...]
    threshold: float
    temperature: float
    data: Mapping[str, Any]
    versions: Mapping[str, str]
    unsure_below: float = 0.0
    scales: tuple[float, ...] = ()
    biases: tuple[float, ...] = ()
    several: bool = False
    thresholds: tuple[float, ...] = ()
    most: int = 0
    ordered: bool = False
    choice: str = ""
    matrix: tuple[float, ...] = ()
    number: bool = False
    center: float = 0.0
    scale: float = 1.0
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    format_version: int = FORMAT_VERSION

    def __post_init__(self) -> None:
        """Give it the format that its content needs, so that a release that would ignore some of it refuses it."""
        if self.scales or self.kind != "single":
            needed = {
                "single": SCALED_FORMAT,
                "several": SEVERAL_FORMAT,
                "ordered": ORDERED_FORMAT,
                "number": NUMBER_FORMAT,
            }
            object.__setattr__(self, "format_version", needed[self.kind])
        if COLUMNS_FILE in self.files:
            object.__setattr__(self, "format_version", NEWEST_FORMAT)

    @property
    def kind(self) -> LabelsKind:
        """Which kind of labels its texts have."""
        if self.number:
            return "number"
        return "several" if self.several else "ordered" if self.ordered else "single"

    @property
    def task(self) -> str:
        """`binary` (two labels, one sigmoid), `multiclass` (a softmax over all), `multilabel` (a sigmoid each),
        `ordinal` (a sigmoid for each step between two labels) or `regression` (a number)."""
        if self.kind != "single":
            return {"several": "multilabel", "ordered": "ordinal", "number": "regression"}[self.kind]
        return "binary" if len(self.labels) == 2 else "multiclass"

    @property
    def outputs(self) -> int:
        """The number of the network's logits."""
        return outputs_of(self.kind, len(self.labels)).width

    def to_json(self) -> str:
        """The manifest as JSON text with its checksum."""
        content = {**asdict(self), "task": self.task}
        if not self.scales:  # as earlier releases wrote it, so that its fingerprint stays
            del content["scales"]
        if not (self.scales or self.matrix):
            del content["biases"]
        if not self.several:
            del content["several"], content["thresholds"], content["most"]
        if not self.ordered:
            del content["ordered"], content["choice"], content["matrix"]
        if not self.number:
            del content["number"], content["center"], content["scale"]
        return sign(content)

    @classmethod
    def from_json(cls, text: str, *, where: str) -> "Manifest":
        """Read and check a manifest; raises `BundleError` if it is damaged or from a newer release."""
        return cls._checked(unsign(text, where=where, newest=NEWEST_FORMAT), where)

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Read and check a folder's manifest; raises `BundleError` as `from_json` does, and if it cannot be read."""
        return cls._checked(read_signed(folder, NEWEST_FORMAT), str(folder / MANIFEST))

    @classmethod
    def _checked(cls, content: Mapping[str, Any], where: str) -> "Manifest":
        try:
            if type(content["format_version"]) is not int or content["format_version"] < 1:
                raise ValueError("format_version")
            for name, proof in content["files"].items():
                check_proof(name, proof)
            return cls(
                labels=() if _is_of_numbers(content) else checked_labels(content["labels"]),
                threshold=checked_number(content["threshold"], 0, 1),
                temperature=checked_number(content["temperature"], *TEMPERATURES),
                data=_checked_data(content["data"], most_score=LARGEST if content.get("number") else 1.0),
                versions=dict(zip(content["versions"], texts(list(content["versions"].values())), strict=True)),
                unsure_below=checked_number(content.get("unsure_below", 0.0), 0, MAX_UNSURE),
                **_checked_scaling(content),
                **_checked_several(content),
                **_checked_ordered(content),
                **_checked_number(content),
                files=content["files"],
                format_version=content["format_version"],
            )
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError):
            raise BundleError("not a manifest this rnn understands", where=where) from None


def _checked_scaling(content: Mapping[str, Any]) -> dict[str, Any]:
    """The scales and biases, as many as the network has outputs, or none; raises `TypeError` or `ValueError`."""
    found = {
        "scales": tuple(checked_number(each, *TEMPERATURES) for each in content.get("scales", ())),
        "biases": tuple(checked_number(each, -MOST_BIAS, MOST_BIAS) for each in content.get("biases", ())),
    }
    outputs = outputs_of("several" if content.get("several") else "single", len(content["labels"])).width
    if {len(each) for each in found.values()} not in (
        {0},
        {0 if content.get("number") else outputs},
    ) and not content.get("ordered"):
        raise ValueError("scales and biases")
    return found


def _checked_several(content: Mapping[str, Any]) -> dict[str, Any]:
    """What a manifest of several labels a text has; nothing of another. Raises `TypeError` or `ValueError`."""
    if not content.get("several", False):
        if content.get("thresholds") or content.get("most"):
            raise ValueError("thresholds")
        return {}
    thresholds = tuple(checked_number(each, 0, 1) for each in content["thresholds"])
    labels, most = len(content["labels"]), content["most"]
    if content["several"] is not True or len(thresholds) not in (0, labels) or type(most) is not int or most < 0:
        raise ValueError("several")
    return {"several": True, "thresholds": thresholds, "most": most}


def _checked_ordered(content: Mapping[str, Any]) -> dict[str, Any]:
    """What a manifest of ordered labels has; nothing of another. Raises `TypeError` or `ValueError`."""
    if not content.get("ordered", False):
        if content.get("choice") or content.get("matrix"):
            raise ValueError("choice")
        return {}
    if content["ordered"] is not True or content["choice"] not in ORDERED_CHOICES or content.get("several"):
        raise ValueError("ordered")
    matrix, labels = (
        tuple(checked_number(each, -MOST_BIAS, MOST_BIAS) for each in content["matrix"]),
        len(content["labels"]),
    )
    sizes = len(matrix), len(content.get("biases", ())), len(content.get("scales", ()))
    if labels < LEAST_ORDERED or sizes not in ((0, 0, 0), (labels * (labels - 1), labels, 0)):
        raise ValueError("labels")
    return {"ordered": True, "choice": content["choice"], "matrix": matrix}


LARGEST = 1e300
"""The largest number that a model of numbers may hold."""


def _is_of_numbers(content: Mapping[str, Any]) -> bool:
    """Whether a manifest is one of numbers, which has no labels; raises `TypeError` or `ValueError`."""
    found = content.get("number", False)
    if type(found) is not bool or (found and (content["labels"] or content.get("several") or content.get("ordered"))):
        raise ValueError("number")
    return found


def _checked_number(content: Mapping[str, Any]) -> dict[str, Any]:
    """What a manifest of numbers has; nothing of another. Raises `TypeError` or `ValueError`."""
    if not _is_of_numbers(content):
        return {}
    center = checked_number(content["center"], -LARGEST, LARGEST)
    return {"number": True, "center": center, "scale": checked_number(content["scale"], 1 / LARGEST, LARGEST)}


def checked_labels(labels: object) -> tuple[str, ...]:
    """A model's labels; raises `TypeError` or `ValueError` unless they are at least two different, non-empty texts."""
    named = tuple(texts(labels))
    "".join(named).encode("utf-8")  # raises for half of a surrogate pair, which could not be shown
    if not 2 <= len(named) == len(set(named)) or "" in named:
        raise ValueError("labels")
    return named


def _checked_data(data: Mapping[str, Any], most_score: float) -> dict[str, Any]:
    """The data, with the right types where rnn reads it again; a manifest may hold more."""
    texts([data["fingerprint"], data.get("unlabelled", {}).get("fingerprint", "")])
    texts([data.get(FURTHER, {}).get("model", "")])
    for side in ("train", "validation", "test"):
        if type(data["rows"][side]) is not int or data["rows"][side] < 0:
            raise ValueError("rows")
    run = data.get(RUN, {})
    texts([run.get("recipe") or "", run.get("finished", "")])
    checked_number(run.get("seconds") or 0.0, 0, MAX_RUN_SECONDS)
    if type(data.get(NEAR_TOGETHER, False)) is not bool:
        raise TypeError(NEAR_TOGETHER)
    if CONFORMAL in data:
        rows, scores = (
            data[CONFORMAL]["rows"],
            [checked_number(each, -1, most_score) for each in data[CONFORMAL]["scores"]],
        )
        if type(rows) is not int or len(scores) != min(rows, MOST_SCORES) or not scores or scores != sorted(scores):
            raise ValueError(CONFORMAL)
    if data.get(PRECISION, "int8") != "int8":
        raise ValueError(PRECISION)
    return dict(data)


MANIFEST = "manifest.json"
CONFIG = "config.yaml"
TOKENIZER = "tokenizer.json"
ONNX_MODEL = "model.onnx"
INT8_MODEL = "model.int8.onnx"
KERAS_MODEL = "model.keras"
COLUMNS_FILE = "columns.json"
"""The other columns that the model reads beside a text, and how their values become numbers; few models have any."""
METRICS = "metrics.json"
HISTORY = "history.csv"
PREDICTIONS = "predictions.csv"
LEARNED = "learned.bin"
"""Hashes of the texts that the model learned from. Earlier releases did not write it."""
SUMMARY = "summary.bin"
"""Counts and sums of the texts that the model was trained and measured on. Earlier releases did not write it."""
REPORT = "report.html"
CARD = "README.md"
SCRIPT = "predict.py"
"""The script that predicts in an exported model's folder, without rnn."""

MOST_BYTES = {
    MANIFEST: 4 << 20,
    CONFIG: 256 << 10,
    TOKENIZER: 32 << 20,
    METRICS: 32 << 20,
    SUMMARY: 2 << 20,
    COLUMNS_FILE: 4 << 20,
}
"""The largest size of files that are parsed, by name: their values take many times as much memory."""

MAX_FILE_BYTES = 2 << 30
"""The largest size of any other file: no ONNX file can be larger."""

UNFINISHED = ".unfinished"
"""The ending of a bundle's name while its run is under way."""

SEARCH_ENDING = ".tune"
"""The ending of the folder beside a bundle that keeps the search which found its config."""

RUNS = Path("runs")
LATEST = RUNS / "latest"


@dataclass(frozen=True)
class Bundle:
    """An open bundle: its folder and its manifest. Files are verified as they are read."""

    path: Path
    manifest: Manifest

    @classmethod
    def open(cls, path: Path) -> "Bundle":
        """Open a folder that `rnn train` wrote; raises `BundleError` if a file is missing or has another size."""
        if not path.is_dir():
            gone = f"points to {os.readlink(path)}, which is gone" if path.is_symlink() else "no such folder"
            raise BundleError(
                "is a file, not a model's folder" if path.exists() else gone,
                where=str(path),
                hint="name the folder of a trained model",
            )
        if not os.path.lexists(path / MANIFEST):
            raise BundleError(
                f"not a trained model: it has no {MANIFEST}",
                where=str(path),
                hint=f"finish it with rnn train --resume {quoted(path)}"
                if path.name.endswith(UNFINISHED)
                else "name a folder rnn train wrote",
            )
        bundle = cls(path, Manifest.read(path))
        for name, proof in bundle.manifest.files.items():
            bundle._check_size(name, proof["size"])
        return bundle

    def fingerprint(self) -> str:
        """The manifest's sha256 in hex, equal for equal bundles: the manifest holds every file's sha256."""
        return hashlib.sha256(self.manifest.to_json().encode("utf-8")).hexdigest()

    def read(self, name: str) -> bytes:
        """A file's verified bytes; raises `BundleError` if one bit has changed, or if the bundle has no such file."""
        proof, file = self._proof(name), self.path / name
        content = read_plain(file, MOST_BYTES.get(name, MAX_FILE_BYTES))
        if not is_proven(content, proof):
            raise _differs(file)
        return content

    def verify(self, name: str) -> Path:
        """The path of a file of any size, with its bytes verified; raises `BundleError` as `read` does."""
        proof, file = self._proof(name), self.path / name
        with open_for_reading(file) as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
        if found != proof["sha256"]:
            raise _differs(file)
        return file

    def _proof(self, name: str) -> Mapping[str, Any]:
        proof = self.manifest.files.get(name)
        if proof is None:
            raise BundleError(
                f"has no {name}", where=str(self.path), hint="an export lacks some files: name a folder rnn train wrote"
            )
        return proof

    def _check_size(self, name: str, size: int) -> None:
        file = self.path / name
        try:
            found = size_of(file)
        except OSError as error:
            raise BundleError(reason(error), where=str(file), hint=RESTORE) from None
        if found != size:
            raise BundleError(f"{found} bytes, written with {size}", where=str(file), hint=RESTORE)


def _differs(file: Path) -> BundleError:
    return BundleError("checksum differs from the one written", where=str(file), hint=RESTORE)
