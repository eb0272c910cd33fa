"""The manifest: what a bundle is, and the proof that its files are the ones that were written."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rnn_cli.errors import BundleError

FORMAT_VERSION = 1


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
        if type(content["format_version"]) is not int:
            raise TypeError("format_version")
        if not (isinstance(labels, list) and all(isinstance(name, str) for name in labels)):
            raise TypeError("labels")
        if not 2 <= len(labels) == len(set(labels)):
            raise ValueError("labels")
        threshold, temperature = float(content["threshold"]), float(content["temperature"])
        if not (0 <= threshold <= 1 and 0 < temperature < float("inf")):
            raise ValueError("threshold, temperature")
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
            files=content["files"],
            format_version=content["format_version"],
        )


def _checksum(content: Mapping[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()
