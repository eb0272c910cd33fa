"""The texts to label: read from a file, with copies joined, so that each is asked once.

Of very many texts a random sample, the pool, is what the model chooses from and what figures are about; words are
looked up in all of them.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rnn_cli.arrays import Floats, Indices
from rnn_cli.config.schema import DataConfig
from rnn_cli.copies.near import near_copies
from rnn_cli.copies.words import cleaned
from rnn_cli.data.reading.remote import STANDARD_INPUT, is_remote
from rnn_cli.data.rows import fingerprint_of
from rnn_cli.data.source import is_builtin, iterate_texts, need_source
from rnn_cli.errors import DataError, UsageError
from rnn_cli.labelling.text_index import IndexedPool, load_index, write_index

MOST_POOL = 20_000
"""So many texts a base reads, in some 10 seconds on two cores, and a model scores after each answer."""

INDEXED = 200_000
"""From so many rows on, which take some ten seconds to read, an index is kept beside the file."""

POOL_SEED = 1
"""Of the sample, and of the order in which texts are asked by chance: the same each time a session goes on."""


@dataclass(frozen=True)
class TextPool:
    """The rows of a file. `copy_of[row]` is the first row with the same words, `pool` are the
    rows that are asked.

    A row of the pool stands for itself and for its copies and near copies among those sampled: `weights` are how many
    rows that are, `[pool]`. Empty texts are in no pool.
    """

    source: str
    rows: Sequence[str]
    fingerprint: str
    copy_of: Indices
    pool: Indices
    near: dict[int, int]
    """The row of the pool that a near copy of it is asked for."""
    weights: Floats
    new_index: Path | None = None
    """The index that was written now, so that the next reading is short."""

    def stands_for(self, row: int) -> int:
        """The row that is asked in place of this one."""
        first = int(self.copy_of[row])
        return self.near.get(first, first)

    def copies(self, row: int) -> int:
        """How many rows have the same words, itself included."""
        return int((self.copy_of == self.copy_of[row]).sum())


def read_pool(source: str, config: DataConfig, most: int = MOST_POOL, indexed: int = INDEXED) -> TextPool:
    """The texts of a file or a built-in set, read as the config says. Raises `DataError` and `UsageError`.

    Of a file with `indexed` rows or more an index is written beside it, and read the next time.
    """
    if source == STANDARD_INPUT or is_remote(source):
        raise UsageError(
            "is no file here, and labelling takes more than one sitting", where=source, hint="save it first"
        )
    need_source(source)
    is_file = not is_builtin(source) and os.path.isfile(source)
    if is_file and (known := load_index(source, config, most)) is not None:
        weights = _weights(known.copy_of, known.near)[known.pool]
        return TextPool(source, known.rows, known.fingerprint, known.copy_of, known.pool, known.near, weights)
    rows = list(iterate_texts(source, config))
    joined = join_copies(source, rows, most)
    if is_file and len(rows) >= indexed:
        found = IndexedPool(rows, joined.fingerprint, joined.copy_of, joined.pool, joined.near)
        joined = replace(joined, new_index=write_index(source, config, most, found))
    if len(joined.pool) < 2:
        raise DataError("has fewer than two different texts", where=source, hint="add texts")
    return joined


def join_copies(source: str, rows: Sequence[str], most: int = MOST_POOL) -> TextPool:
    """These rows with copies joined."""
    firsts: dict[str, int] = {}
    copy_of = np.fromiter((firsts.setdefault(cleaned(text), row) for row, text in enumerate(rows)), np.intp, len(rows))
    different = np.array([row for words, row in firsts.items() if words], np.intp)
    if len(different) > most:
        different = np.sort(np.random.default_rng(POOL_SEED).choice(different, most, replace=False))
    near: dict[int, int] = {}
    for group in near_copies([rows[row] for row in different]):
        first, *others = (int(different[each]) for each in group)
        near |= dict.fromkeys(others, first)
    pool = np.array([row for row in different.tolist() if row not in near], np.intp)
    return TextPool(source, rows, fingerprint_of(rows), copy_of, pool, near, _weights(copy_of, near)[pool])


def _weights(copy_of: Indices, near: Mapping[int, int]) -> Floats:
    """How many rows each row stands for, its copies and near copies counted, `[rows]`."""
    times = np.bincount(copy_of, minlength=len(copy_of)).astype(np.float64)
    for other, first in near.items():
        times[first] += times[other]
    return times
