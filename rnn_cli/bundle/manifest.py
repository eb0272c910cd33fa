"""The manifest: what a bundle is, and the proof that its files are the ones that were written."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rnn_cli.bundle.signed import sign, unsign
from rnn_cli.errors import BundleError

FORMAT_VERSION = 1
FURTHER = "further_training_of"
"""In a manifest's `data`, what tells of the model that further training began with."""


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
        except (KeyError, TypeError, ValueError):
            raise BundleError("not a manifest this rnn understands", where=where) from None

    @classmethod
    def _checked(cls, content: Mapping[str, Any]) -> "Manifest":
        labels = content["labels"]
        if type(content["format_version"]) is not int:
            raise TypeError("format_version")
        if not (isinstance(labels, list) and all(isinstance(name, str) for name in labels)):
            raise TypeError("labels")
        if not 2 <= len(labels) == len(set(labels)):
            raise ValueError("labels")
        threshold, temperature = float(content["threshold"]), float(content["temperature"])
        if not (0 <= threshold <= 1 and 0 < temperature < float("inf")):
            raise ValueError("threshold, temperature")
        unsure_below = float(content.get("unsure_below", 0.0))
        if not 0 <= unsure_below < float("inf"):
            raise ValueError("unsure_below")
        for name, proof in content["files"].items():
            if name == ".." or Path(name).name != name:
                raise ValueError("files")
            if not (isinstance(proof["size"], int) and isinstance(proof["sha256"], str)):
                raise TypeError("files")
        return cls(
            labels=tuple(labels),
            threshold=threshold,
            temperature=temperature,
            data=dict(content["data"]),
            versions=dict(content["versions"]),
            unsure_below=unsure_below,
            files=content["files"],
            format_version=content["format_version"],
        )
