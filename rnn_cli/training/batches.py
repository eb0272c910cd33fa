"""Encoded texts, and the batches an epoch takes them in."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rnn_cli.text.padding import pad

POOL = 64
"""Batches whose texts are sorted by length together: enough for like lengths, few enough to stay shuffled."""


@dataclass(frozen=True)
class Encoded:
    """Texts as ids, with the class `[texts]` and the weight in the loss `[texts]` of each."""

    sequences: Sequence[Sequence[int]]
    classes: npt.NDArray[np.intp]
    weights: npt.NDArray[np.float32]

    def ids(self, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.int32]:
        """Some texts' ids, `[rows, longest]`, padded after the text with 0."""
        return pad([self.sequences[row] for row in rows])

    def lengths(self) -> npt.NDArray[np.intp]:
        """Ids of each text."""
        return np.fromiter(map(len, self.sequences), np.intp, len(self.sequences))


def epoch_steps(rows: int, batch_size: int) -> int:
    """How many batches an epoch over so many rows has; the last may be a smaller one."""
    return math.ceil(rows / batch_size)


def epoch_batches(
    lengths: npt.NDArray[np.intp], batch_size: int, *, seed: int, epoch: int
) -> list[npt.NDArray[np.intp]]:
    """The rows of each batch of one epoch: every row once, like lengths together, all by chance of (seed, epoch)."""
    chance = np.random.default_rng([seed, epoch])
    order = chance.permutation(len(lengths))
    pool = POOL * batch_size
    pools = [order[start : start + pool] for start in range(0, len(order), pool)]
    order = np.concatenate([rows[np.argsort(lengths[rows], kind="stable")] for rows in pools])
    batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    return [batches[index] for index in chance.permutation(len(batches))]
