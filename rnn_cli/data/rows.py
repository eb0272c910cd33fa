"""What the rest of the house gets from a file: a whole set of labelled texts.

Knows nothing of files, formats or splits.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Dataset:
    """Labelled texts in memory, in file order; the three lists are of one length."""

    name: str
    """What messages call it: a path, a built-in set's name, a URL without what is secret in it."""
    texts: list[str]
    labels: list[str]
    lines: list[int]
    path: str | None = None
    """Where the file can be read again."""

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.texts)

    def select(self, indices: Iterable[int]) -> "Dataset":
        """The rows at these places, in the order given."""
        chosen = list(indices)
        return Dataset(
            name=self.name,
            texts=[self.texts[index] for index in chosen],
            labels=[self.labels[index] for index in chosen],
            lines=[self.lines[index] for index in chosen],
            path=self.path,
        )

    def fingerprint(self) -> str:
        """SHA-256, in hex, of all (text, label) pairs in order; the same in every place and every format."""
        digest = hashlib.sha256()
        for pair in zip(self.texts, self.labels, strict=True):
            for field in pair:
                # The length goes first, so that ("ab", "c") and ("a", "bc") differ.
                encoded = field.encode("utf-8")
                digest.update(len(encoded).to_bytes(8, "little"))
                digest.update(encoded)
        return digest.hexdigest()
