"""Gradients by their distance from a text's end: the figures, without the network that gave them."""

from dataclasses import dataclass

import numpy as np

from rnn_cli.arrays import Floats
from rnn_cli.config.schema import Config

MARKS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000)
"""The distances worth a row of a table."""


@dataclass(frozen=True)
class Decay:
    """What is left of one cell's gradient, by distance: `[distances]`, 1 at distance 0.

    0 is less, and infinity more, than a 32-bit number can hold. `trained` is None where nothing was trained.
    """

    cell: str
    untrained: Floats
    trained: Floats | None

    @property
    def last(self) -> Floats:
        """The figures of the network as it was in the end."""
        return self.untrained if self.trained is None else self.trained


@dataclass(frozen=True)
class Lesson:
    """Every cell's `Decay`, and what it was measured on.

    `texts` training texts of at least `tokens` tokens each (`unit` says what a token is), of the data called `source`;
    networks of `units` units, their first recurrent weights multiplied by `scale`, trained for `steps` batches.
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
        """The distances for a table, the greatest there is among them."""
        return sorted({*(mark for mark in MARKS if mark < self.tokens), self.tokens - 1})

    def to_dict(self) -> dict[str, object]:
        """Everything as plain values; None stands for more than a number can hold."""
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
    """Norms `[texts, distances]`, zeros and infinities among them, to their geometric mean, relative to distance 0.

    The mean is geometric since norms shrink or grow by factors: it is the typical text's, not the loudest one's.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        logs = np.log(norms).mean(axis=0)
        curve: Floats = np.exp(logs - logs[0])
    return np.where(np.isnan(curve), np.inf, curve)


def _plain(curve: Floats) -> list[float | None]:
    return [float(f"{value:.6g}") if np.isfinite(value) else None for value in curve]


def shortened(config: Config, tokens: int) -> Config:
    """The config with texts of at most `tokens` tokens, as the measurement takes time by the token, and no baseline."""
    tokenizer = config.tokenizer.model_copy(update={"max_length": min(tokens, config.tokenizer.max_length)})
    training = config.training.model_copy(update={"baseline": False})
    return config.model_copy(update={"tokenizer": tokenizer, "training": training})
