"""Encoded texts, and the batches an epoch takes them in."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rnn_cli.config.schema import TrainingConfig
from rnn_cli.errors import ConfigError, ConfigMistake, few_of
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


def order_labels(labels: Sequence[str], positive: str | None) -> tuple[str, ...]:
    """The network's classes: sorted, numbers by value; of two, the positive one last."""
    names = sorted(set(labels), key=_by_value)
    if positive is None:
        return tuple(names)
    if len(names) != 2:
        what = f"is for two labels, the data has {len(names)}; remove the key"
        raise ConfigError([ConfigMistake(what, "data.positive_label")])
    if positive not in names:
        what = f"{positive!r} is not in the data; use {' or '.join(names)}"
        raise ConfigError([ConfigMistake(what, "data.positive_label")])
    return tuple(sorted(names, key=lambda name: name == positive))


def label_weights(rows: Sequence[str], labels: Sequence[str], config: TrainingConfig) -> dict[str, float]:
    """Each label's weight in the loss. `balanced` gives every label the same sum of weights, 1 a row on average."""
    chosen = config.class_weight
    if chosen is None:
        return dict.fromkeys(labels, 1.0)
    if chosen == "balanced":
        counts = Counter(rows)
        return {label: len(rows) / (len(counts) * counts[label]) for label in labels if counts[label]}
    if unknown := sorted(set(chosen) - set(labels)):
        raise ConfigError(
            [
                ConfigMistake(f"not a label of the data ({few_of(labels)})", f"training.class_weight.{label}")
                for label in unknown
            ]
        )
    return {label: chosen.get(label, 1.0) for label in labels}


def _by_value(label: str) -> tuple[bool, float, str]:
    # A label may well be "nan" or "inf", which are floats but have no place among them.
    try:
        number = float(label)
    except ValueError:
        number = math.nan
    return (False, number, label) if math.isfinite(number) else (True, 0.0, label)
