"""Gradients by their distance from a text's end, as plain numbers."""

from dataclasses import asdict, dataclass
from itertools import combinations

import numpy as np

from rnn_cli.arrays import Floats
from rnn_cli.config.schema import Config

DISTANCES_SHOWN = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000)
"""The distances with a row in a table."""

NEARBY = 20
"""The distance, at most, of which a sentence speaks first."""


BAND = (0.1, 0.9)
"""The quantiles between which a band lies: of all curves, one of each network and text."""


@dataclass(frozen=True)
class Spread:
    """The remaining share of the gradient by distance, of many networks and texts: `[distances]`, 1 at distance 0.

    `mean` is the geometric mean, as norms shrink or grow by factors; `low` and `high` are the ends of the band. 0 is
    less, and infinity more, than a 32-bit number can hold.
    """

    mean: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, norms: Floats) -> "Spread":
        """Of norms `[networks and texts, distances]`, each relative to its own at distance 0; may be 0 or infinite."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            logs = np.log(norms) - np.log(norms[:, :1])
            mean = np.exp(logs.mean(axis=0))
            # Nearest ranks: between minus infinity and a number there is none.
            low, high = np.exp(np.quantile(logs, BAND, axis=0, method="nearest"))
        return cls(*(np.where(np.isnan(curve), np.inf, curve) for curve in (mean, low, high)))


@dataclass(frozen=True)
class Decay:
    """What is left of one cell's gradient; `trained` is None without training."""

    cell: str
    untrained: Spread
    trained: Spread | None

    @property
    def last(self) -> Spread:
        """What is left in the final networks."""
        return self.untrained if self.trained is None else self.trained


@dataclass(frozen=True)
class CellComparison:
    """The cell `less` has the lower mean of two; `can_tell` says that the two bands are apart."""

    less: str
    more: str
    can_tell: bool


@dataclass(frozen=True)
class Lesson:
    """Every cell's `Decay`, and how it was measured.

    Measured on `texts` training texts of `source` with at least `tokens` tokens each (`unit` names a token), with
    `seeds` networks a cell, of `units` units, whose first recurrent weights are multiplied by `scale`, each trained for
    `steps` batches.
    """

    source: str
    unit: str
    texts: int
    tokens: int
    units: int
    seeds: int
    scale: float
    steps: int
    decays: tuple[Decay, ...]

    @property
    def marks(self) -> list[int]:
        """The distances for a table, including the greatest."""
        return sorted({*(mark for mark in DISTANCES_SHOWN if mark < self.tokens), self.tokens - 1})

    @property
    def far(self) -> int:
        """The farthest round distance, of which sentences speak."""
        return next((mark for mark in reversed(self.marks[:-1]) if mark > NEARBY), self.marks[-1])

    def compared(self) -> dict[str, list[CellComparison]]:
        """Every two cells at `far`, by stage: `untrained` and, if there was training, `trained`."""
        return {
            name: [
                CellComparison(less, more, bool(of[less].high[self.far] < of[more].low[self.far]))
                for less, more in combinations(sorted(of, key=lambda cell: float(of[cell].mean[self.far])), 2)
            ]
            for name, of in self._stages().items()
        }

    def _stages(self) -> dict[str, dict[str, Spread]]:
        """Each cell's spread, by stage."""
        found = {"untrained": {each.cell: each.untrained for each in self.decays}}
        trained = {each.cell: each.trained for each in self.decays if each.trained is not None}
        return found | ({"trained": trained} if trained else {})

    def to_dict(self) -> dict[str, object]:
        """Everything as plain values; None means more than a number can hold."""
        stages, cells = self._stages(), [each.cell for each in self.decays]
        return {
            "source": self.source,
            "unit": self.unit,
            "texts": self.texts,
            "tokens": self.tokens,
            "units": self.units,
            "seeds": self.seeds,
            "scale": self.scale,
            "steps": self.steps,
            "distance": list(range(self.tokens)),
            "left": {
                cell: {name: _plain(of[cell].mean) for name, of in stages.items() if cell in of} for cell in cells
            },
            "band": {
                cell: {
                    name: {"low": _plain(of[cell].low), "high": _plain(of[cell].high)}
                    for name, of in stages.items()
                    if cell in of
                }
                for cell in cells
            },
            "compared": {
                name: [{"distance": self.far, **asdict(each)} for each in pairs]
                for name, pairs in self.compared().items()
            },
        }


def _plain(curve: Floats) -> list[float | None]:
    return [float(f"{value:.6g}") if np.isfinite(value) else None for value in curve]


def with_shorter_texts(config: Config, tokens: int) -> Config:
    """The config with at most `tokens` tokens a text, as each token takes time, and without a baseline."""
    tokenizer = config.tokenizer.model_copy(update={"max_length": min(tokens, config.tokenizer.max_length)})
    training = config.training.model_copy(update={"baseline": False})
    return config.model_copy(update={"tokenizer": tokenizer, "training": training})
