"""The manifest: what a bundle is, and the proof that its files are the ones that were written."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from rnn_cli.bundle.signed import check_proof, number, sign, texts, unsign
from rnn_cli.errors import BundleError

FORMAT_VERSION = 1
FURTHER = "further_training_of"
"""In a manifest's `data`, what tells of the model that further training began with."""

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
    if data.get(PRECISION, "int8") != "int8":
        raise ValueError(PRECISION)
    return dict(data)
