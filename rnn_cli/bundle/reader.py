"""Opening a bundle: everything is checked before it is believed.

The manifest is held against its own checksum, every other file against the size and the sha256 in the manifest.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnn_cli.bundle.layout import LARGEST, MANIFEST, MOST_BYTES, UNFINISHED, reason
from rnn_cli.bundle.manifest import Manifest
from rnn_cli.bundle.plain import read_plain, reading, size_of
from rnn_cli.bundle.signed import is_proven
from rnn_cli.errors import BundleError, quoted


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
        if not os.path.lexists(manifest_file):
            raise BundleError(
                f"not a trained model: it has no {MANIFEST}",
                where=str(path),
                mend=f"finish it with rnn train --resume {quoted(path)}"
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
                f"has no {name}", where=str(self.path), mend="an export has not all: name a folder rnn train wrote"
            )
        return proof

    def _check_size(self, name: str, size: int) -> None:
        file = self.path / name
        try:
            found = size_of(file)
        except OSError as error:
            raise BundleError(reason(error), where=str(file), mend="train again or restore a copy") from None
        if found != size:
            raise BundleError(
                f"{found} bytes, written with {size}", where=str(file), mend="train again or restore a copy"
            )


def _differs(file: Path) -> BundleError:
    return BundleError("checksum differs from the one written", where=str(file), mend="train again or restore a copy")
