"""An index of very many texts, beside their file: the texts themselves, and which of them are copies.

It is made where reading takes long, so that the next sitting starts soon and keeps its memory flat: the texts are
mapped from the disk, not read. It is made anew where the file, or how it is read, has changed. It may be deleted at any
time.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np
import pyarrow as pa

from rnn_cli import system
from rnn_cli.arrays import Indices
from rnn_cli.config.schema import DataConfig
from rnn_cli.data.source import reading_keys
from rnn_cli.errors import WriteError

INDEX_FORMAT = 1

INDEX_KEY = b"rnn.labels.index"
"""Under this key the file's metadata says what it is made of."""

BATCH = 10_000
"""So many texts are made into strings at a time."""


class MappedTexts(Sequence[str]):
    """Texts in a column of a mapped file."""

    def __init__(self, column: Any) -> None:
        self._column = column

    def __len__(self) -> int:
        """How many there are."""
        return len(self._column)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        """One of them, or some."""
        if isinstance(at, slice):
            return [self[each] for each in range(*at.indices(len(self)))]
        return str(self._column[int(at)].as_py())

    def __iter__(self) -> Iterator[str]:
        """All of them, in order."""
        for start in range(0, len(self), BATCH):
            yield from self._column.slice(start, BATCH).to_pylist()


@dataclass(frozen=True)
class IndexedPool:
    """What an index holds: the parts of a `TextPool` that are long to find."""

    rows: Sequence[str]
    fingerprint: str
    copy_of: Indices
    pool: Indices
    near: dict[int, int]


def index_path(source: str) -> Path:
    """The index of a file of texts."""
    return Path(f"{source}.labels.index")


def index_digest(source: str, config: DataConfig, most: int) -> str:
    """What an index is made of, as a digest: the file's bytes, how it is read, and how many texts a pool has."""
    with open(source, "rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update(repr((INDEX_FORMAT, most, sorted(reading_keys(source, config).items()))).encode())
    return digest.hexdigest()


def load_index(source: str, config: DataConfig, most: int) -> IndexedPool | None:
    """The index of a file; None where there is none that fits it."""
    try:
        table = pa.ipc.open_file(pa.memory_map(str(index_path(source)))).read_all()
        about = json.loads(table.schema.metadata[INDEX_KEY])
        if about["of"] != index_digest(source, config, most):
            return None
        near = {int(other): int(first) for other, first in about["near"]}
        copy_of = table["copy_of"].to_numpy().astype(np.intp)
        return IndexedPool(
            MappedTexts(table["text"].combine_chunks()),
            str(about["fingerprint"]),
            copy_of,
            np.array(about["pool"], np.intp),
            near,
        )
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError):
        return None


def write_index(source: str, config: DataConfig, most: int, found: IndexedPool) -> Path | None:
    """Write the index of a file whole, and return where; None where the disk refuses, as it can be done without."""
    about = {
        "of": index_digest(source, config, most),
        "fingerprint": found.fingerprint,
        "pool": found.pool.tolist(),
        "near": list(found.near.items()),
    }
    schema = pa.schema([("text", pa.large_string()), ("copy_of", pa.int64())], {INDEX_KEY: json.dumps(about).encode()})
    out = index_path(source)
    with suppress(WriteError), system.as_write_error(out), system.whole_file(out) as hidden:
        with pa.OSFile(str(hidden), "wb") as file, pa.ipc.new_file(file, schema) as writer:
            for start in range(0, len(found.rows), BATCH):
                texts = pa.array(found.rows[start : start + BATCH], pa.large_string())
                copies = pa.array(found.copy_of[start : start + BATCH], pa.int64())
                writer.write_batch(pa.record_batch([texts, copies], schema=schema))
        return out
    return None
