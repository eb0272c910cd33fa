"""How long a search may take, and what a trial will cost: learned from the trials before it."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

import numpy as np
from scipy.optimize import nnls

from rnn_cli.config.schema import Config
from rnn_cli.training.encoding import epoch_steps
from rnn_cli.training.prepare import Prepared

Clock = Callable[[], float]

CAUTION = 1.15
"""A trial is begun if so many times what it is expected to take fits into the time left."""


class OutOfTime(Exception):
    """The time for trials is over."""


@dataclass
class Budget:
    """The time of a search: `seconds` from now on, None for as much as its trials need.

    `before` are the seconds of earlier processes. `ending` is how long the end takes: the winner's bundle and the page.
    """

    seconds: float | None
    before: float = 0.0
    clock: Clock = time.monotonic
    ending: float = 0.0
    began: float = field(default_factory=time.monotonic)
    """When it began, by the clock."""

    def spent(self) -> float:
        """Seconds that the search has taken, those of earlier processes included."""
        return self.before + self.clock() - self.began

    def left(self) -> float:
        """Seconds left for trials; infinite where no time is set."""
        return inf if self.seconds is None else self.seconds - (self.clock() - self.began) - self.ending

    def fits(self, seconds: float) -> bool:
        """Whether a trial that is expected to take so long may begin."""
        return self.left() >= CAUTION * seconds

    def check(self) -> None:
        """Raise `OutOfTime` where no time is left for trials."""
        if self.left() <= 0:
            raise OutOfTime


@dataclass(frozen=True)
class TrialWork:
    """What a trial has to do: how often it learns from as many rows as there are (folds, or a first share of the rows,
    included), so many epochs each of so many steps and multiplications in the recurrent layers."""

    trainings: float
    epochs: int
    steps: float
    products: float

    @classmethod
    def from_dict(cls, content: Mapping[str, float]) -> "TrialWork":
        """The work that a journal holds."""
        return cls(content["trainings"], int(content["epochs"]), content["steps"], content["products"])

    @classmethod
    def of(cls, run: Prepared, first_share: float = 0.0) -> "TrialWork":
        """The work of a network that a run trains, after a share of its rows; none for a linear model and on a base."""
        config, training = run.config, run.config.training
        # Each of the folds' models learns from the rows of all folds but one.
        trainings = 1.0 + ((training.folds or 1) - 1) * training.fold_repeats + first_share
        if config.model.kind == "linear" or config.model.base is not None:
            return cls(trainings, 0, 0.0, 0.0)
        rows = run.rows_to_learn
        tokens = float(rows.lengths().sum())
        return cls(
            trainings, training.epochs, epoch_steps(len(rows.classes), training.batch_size), tokens * _of(config)
        )


def _of(config: Config) -> float:
    """Multiplications for a token, forwards."""
    model = config.model
    gates = {"lstm": 4, "gru": 3, "rnn": 1}[model.cell]
    ways = 2 if model.bidirectional else 1
    width = config.tokenizer.vocab_size if model.input == "one_hot" else model.embedding_dim
    products = 0.0
    for units in model.units:
        products += ways * gates * units * (width + units)
        width = ways * units
    return products


@dataclass(frozen=True)
class Seen:
    """What a trial took: seconds of an epoch on average, and seconds besides its epochs, None where it did not end."""

    work: TrialWork
    of_epoch: float
    besides: float | None


@dataclass
class Costs:
    """What trials will take, by those that have ended."""

    seen: list[Seen] = field(default_factory=list)

    def add(self, work: TrialWork, epochs: Sequence[float], seconds: float, *, ended: bool = True) -> None:
        """Learn from a trial whose epochs of all rows took `epochs`, and `seconds` in all if it `ended` by itself."""
        if work.epochs == 0 or not epochs:
            return
        besides = max(seconds - work.trainings * sum(epochs), 0.0) if ended else None
        self.seen.append(Seen(work, float(np.mean(epochs)), besides))

    def expected(self, work: TrialWork) -> float | None:
        """The seconds that a trial will take, None where nothing like it has ended."""
        if work.epochs == 0 or not self.seen:
            return None
        features = np.array([[each.work.products / 1e9, each.work.steps, 1.0] for each in self.seen])
        seconds = np.array([each.of_epoch for each in self.seen])
        asked = np.array([work.products / 1e9, work.steps, 1.0])
        # With few trials, the one fit would explain all by one of the three; the ratio to the nearest is safer.
        weights, _ = nnls(features, seconds)
        by_fit = float(asked @ weights)
        ratios = [each.of_epoch * max(_ratio(work, each.work), 0.1) for each in self.seen]
        of_epoch = float(np.median(ratios)) if len(self.seen) < FEW_SEEN else by_fit
        besides = [each.besides for each in self.seen if each.besides is not None]
        return work.trainings * work.epochs * of_epoch + (float(np.median(besides)) if besides else 0.0)


FEW_SEEN = 5
"""With fewer trials, costs are scaled from each of them."""


def _ratio(work: TrialWork, other: TrialWork) -> float:
    """How much more an epoch has to do, half by products and half by steps."""
    return 0.5 * work.products / max(other.products, 1.0) + 0.5 * work.steps / max(other.steps, 1.0)
