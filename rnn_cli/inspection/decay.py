"""Gradients by their distance from a text's end, as plain numbers."""

from dataclasses import dataclass

import numpy as np

from rnn_cli.arrays import Floats
from rnn_cli.config.schema import Config

DISTANCES_SHOWN = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000)
"""The distances with a row in a table."""


@dataclass(frozen=True)
class Decay:
    """The remaining share of one cell's gradient by distance: `[distances]`, 1 at distance 0.

    0 is less, and infinity more, than a 32-bit number can hold. `trained` is None without training.
    """

    cell: str
    untrained: Floats
    trained: Floats | None

    @property
    def last(self) -> Floats:
        """The shares of the final network."""
        return self.untrained if self.trained is None else self.trained


@dataclass(frozen=True)
class Lesson:
    """Every cell's `Decay`, and how it was measured.

    Measured on `texts` training texts of `source` with at least `tokens` tokens each (`unit` names a token), with
    networks of `units` units whose first recurrent weights are multiplied by `scale`, trained for `steps` batches.
    """

    source: str
    unit: str
    texts: int
    tokens: int
    units: int
    scale: float
    steps: int
    decays: tuple[Decay, ...]

    @property
    def marks(self) -> list[int]:
        """The distances for a table, including the greatest."""
        return sorted({*(mark for mark in DISTANCES_SHOWN if mark < self.tokens), self.tokens - 1})

    def to_dict(self) -> dict[str, object]:
        """Everything as plain values; None means more than a number can hold."""
        return {
            "source": self.source,
            "unit": self.unit,
            "texts": self.texts,
            "tokens": self.tokens,
            "units": self.units,
            "scale": self.scale,
            "steps": self.steps,
            "distance": list(range(self.tokens)),
            "left": {
                each.cell: {"untrained": _plain(each.untrained)}
                | ({} if each.trained is None else {"trained": _plain(each.trained)})
                for each in self.decays
            },
        }


def left(norms: Floats) -> Floats:
    """The geometric mean over texts of norms `[texts, distances]`, relative to distance 0: `[distances]`.

    Norms may be 0 or infinite. They shrink or grow by factors, so the geometric mean is that of a typical text.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        logs = np.log(norms).mean(axis=0)
        curve: Floats = np.exp(logs - logs[0])
    return np.where(np.isnan(curve), np.inf, curve)


def _plain(curve: Floats) -> list[float | None]:
    return [float(f"{value:.6g}") if np.isfinite(value) else None for value in curve]


def with_shorter_texts(config: Config, tokens: int) -> Config:
    """The config with at most `tokens` tokens a text, as each token takes time, and without a baseline."""
    tokenizer = config.tokenizer.model_copy(update={"max_length": min(tokens, config.tokenizer.max_length)})
    training = config.training.model_copy(update={"baseline": False})
    return config.model_copy(update={"tokenizer": tokenizer, "training": training})
