"""A set of labelled texts. Knows nothing of files, formats or splits."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain

from rnn_cli.data.label_sets import names_of


@dataclass(frozen=True)
class Dataset:
    """Labelled texts in memory, in file order; all lists have the same length."""

    name: str
    """The name for messages: a path, a built-in set's name, or a URL without its secret parts."""
    texts: list[str]
    labels: list[str]
    lines: list[int]
    """The line of each row, 0 where a file is a text."""
    path: str | None = None
    """The path to read the file again."""
    further: Mapping[str, list[str | None]] = field(default_factory=dict)
    """Values of further columns, by name, where the rows cannot be read again."""
    files: list[str] | None = None
    """The file of each row, where they come from several."""
    warnings: tuple[str, ...] = ()
    """What a reader may not expect of the files."""
    reading: Mapping[str, object] = field(default_factory=dict)
    """Keys of a data config that say how the file is written, as far as that was found out and is not usual."""
    notes: tuple[str, ...] = ()
    """The same in words."""
    sources: list[str] | None = None
    """The name of each row's source, where there are several."""
    weights: list[float] | None = None
    """The weight of each row in the loss, where they differ."""
    several: bool = False
    """Whether a row has several labels, or none: `labels` then holds them as `rnn_cli.data.label_sets` writes them."""
    number: bool = False
    """Whether each label is a number, as `rnn_cli.data.numbers` reads it."""

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
            further={name: [values[index] for index in chosen] for name, values in self.further.items()},
            files=[self.files[index] for index in chosen] if self.files is not None else None,
            warnings=self.warnings,
            reading=self.reading,
            notes=self.notes,
            sources=[self.sources[index] for index in chosen] if self.sources is not None else None,
            weights=[self.weights[index] for index in chosen] if self.weights is not None else None,
            several=self.several,
            number=self.number,
        )

    @property
    def label_sets(self) -> list[tuple[str, ...]]:
        """The labels of each row, sorted."""
        return [names_of(label) if self.several else (label,) for label in self.labels]

    def label_counts(self) -> "Counter[str]":
        """How many rows have each label."""
        return Counter(chain.from_iterable(self.label_sets)) if self.several else Counter(self.labels)

    def file_of(self, row: int) -> str:
        """The file of a row, as messages name it."""
        return self.files[row] if self.files is not None else self.name

    def where(self, row: int) -> str:
        """How a message names a row: its file and its line; only the file, if that is its text."""
        return f"{self.file_of(row)}:{self.lines[row]}" if self.lines[row] else self.file_of(row)

    def fingerprint(self) -> str:
        """SHA-256, in hex, of all (text, label) pairs in order, whatever the file and its format."""
        return fingerprint_of(chain.from_iterable(zip(self.texts, self.labels, strict=True)))


def short_place(file: str, line: int) -> str:
    """How a table names a row: by its file's name and its line, or a text of its own with the folder of its label."""
    *_, folder, name = ["", *file.replace("\\", "/").split("/")]
    return f"{name}:{line}" if line else f"{folder}/{name}".removeprefix("/")


def most_frequent(labels: Iterable[str]) -> str:
    """The most frequent label; of several the first in sorted order, whatever the order of rows."""
    counts = Counter(labels)
    return min(counts, key=lambda label: (-counts[label], label))


def fingerprint_of(texts: Iterable[str]) -> str:
    """SHA-256, in hex, of texts in order."""
    digest = hashlib.sha256()
    for text in texts:
        # The length comes first, so that ("ab", "c") and ("a", "bc") differ.
        encoded = text.encode("utf-8")
        digest.update(len(encoded).to_bytes(8, "little"))
        digest.update(encoded)
    return digest.hexdigest()
