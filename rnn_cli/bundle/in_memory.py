"""A bundle held in memory, its files' bytes beside its manifest: what a program keeps, pickles and writes again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rnn_cli import system
from rnn_cli.bundle.model_folder import MANIFEST, Bundle, Manifest, is_proven
from rnn_cli.bundle.targets import check_bundle
from rnn_cli.errors import BundleError

PLACE = Path("(memory)")
"""What messages call its folder."""


@dataclass(frozen=True)
class BundleInMemory(Bundle):
    """A bundle without a folder. It is verified whole when it is made, so also when it is unpickled or copied."""

    contents: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def of(cls, opened: Bundle) -> "BundleInMemory":
        """All of a bundle's files, verified; raises `BundleError` as `Bundle.read` does."""
        manifest = opened.manifest
        return cls(PLACE, manifest, {name: opened.read(name) for name in manifest.files})

    @classmethod
    def from_bytes(cls, manifest: str, contents: Mapping[str, bytes]) -> "BundleInMemory":
        """A bundle of its manifest's text and its files' bytes; raises `BundleError` where one bit differs."""
        checked = Manifest.from_json(manifest, where=str(PLACE / MANIFEST))
        for name, proof in checked.files.items():
            if name not in contents:
                raise BundleError("is missing", where=str(PLACE / name), hint="train again or restore a copy")
            if not is_proven(contents[name], proof):
                what = "checksum differs from the one written"
                raise BundleError(what, where=str(PLACE / name), hint="train again or restore a copy")
        return cls(PLACE, checked, {name: contents[name] for name in checked.files})

    def __reduce__(self) -> tuple[Any, ...]:
        """Plain text and bytes, verified when they are read again; nothing in them is ever run."""
        return BundleInMemory.from_bytes, (self.manifest.to_json(), dict(self.contents))

    def read(self, name: str) -> bytes:
        """A file's verified bytes; raises `BundleError` if it has none."""
        self._proof(name)
        return self.contents[name]

    def verify(self, name: str) -> Path:
        """Raises `BundleError`: no file of it can be read where it stands."""
        self._proof(name)
        raise BundleError("is in memory, and this needs its files", where=str(self.path / name), hint="save it first")

    def write(self, out: Path, *, force: bool = False) -> Bundle:
        """Write it as a folder, whole or not at all; with `force` a model that stands there is replaced.

        Raises `BundleError` where anything else stands, and `WriteError`.
        """

        def check() -> None:
            check_bundle(out, force=force, name="path")

        check()
        with system.as_write_error(out, name="path"), system.whole_folder(out.resolve(), check) as folder:
            for name, content in self.contents.items():
                system.write(folder / name, content)
            system.write(folder / MANIFEST, self.manifest.to_json())
        return Bundle.open(out)
