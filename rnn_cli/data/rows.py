"""A set of labelled texts. Knows nothing of files, formats or splits."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain


@dataclass(frozen=True)
class Dataset:
    """Labelled texts in memory, in file order; the three lists have the same length."""

    name: str
    """The name for messages: a path, a built-in set's name, or a URL without its secret parts."""
    texts: list[str]
    labels: list[str]
    lines: list[int]
    path: str | None = None
    """The path to read the file again."""
    reading: Mapping[str, object] = field(default_factory=dict)
    """Keys of a data config that say how the file is written, as far as that was found out and is not usual."""
    notes: tuple[str, ...] = ()
    """The same in words."""

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.texts)

    def select(self, indices: Iterable[int]) -> "Dataset":
        """The rows at these indices, in the order given."""
        chosen = list(indices)
        return Dataset(
            name=self.name,
            texts=[self.texts[index] for index in chosen],
            labels=[self.labels[index] for index in chosen],
            lines=[self.lines[index] for index in chosen],
            path=self.path,
            reading=self.reading,
            notes=self.notes,
        )

    def fingerprint(self) -> str:
        """SHA-256, in hex, of all (text, label) pairs in order, whatever the file and its format."""
        return fingerprint_of(chain.from_iterable(zip(self.texts, self.labels, strict=True)))


def fingerprint_of(texts: Iterable[str]) -> str:
    """SHA-256, in hex, of texts in order."""
    digest = hashlib.sha256()
    for text in texts:
        # The length comes first, so that ("ab", "c") and ("a", "bc") differ.
        encoded = text.encode("utf-8")
        digest.update(len(encoded).to_bytes(8, "little"))
        digest.update(encoded)
    return digest.hexdigest()
