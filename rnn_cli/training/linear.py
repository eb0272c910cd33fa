"""A linear model over n-grams, fitted before the network that it is averaged with. Takes no TensorFlow.

Each n-gram counts as much as it tells the labels apart in the training rows (its naive Bayes log-count ratio), and a
logistic regression finds the weights from there: Wang and Manning 2012, Baselines and bigrams: simple, good sentiment
and topic classification.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import log_softmax

from rnn_cli.config import ModelConfig
from rnn_cli.network.ngrams import ngram_counts
from rnn_cli.training.batches import Encoded

STRENGTHS = (2.0, 8.0, 32.0)
"""Inverse strengths of the penalty on the weights' squares that are tried, each from where the last one ended."""

MOST_STEPS = 200
PAST_STEPS = 5
"""Steps of L-BFGS, and how many of the last it remembers: each costs two copies of all weights."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LinearModel:
    """Weights of n-grams `[vocab_size + ngram_buckets, width]` and of none at all `[width]`; the logits' width is 1 for
    two classes, else a class. `strength` is the one of `STRENGTHS` with the least validation loss, `val_accuracy` the
    share of validation rows it answers rightly."""

    table: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    strength: float
    val_accuracy: float


def fit_linear(
    config: ModelConfig, train: Encoded, validation: Encoded, *, vocab_size: int, classes: int
) -> LinearModel:
    """Fit to training rows, as their weights in the loss say; the validation rows choose the strength."""
    seen, held_out = (_counts(config, each.sequences, vocab_size) for each in (train, validation))
    met = np.unique(seen.indices)
    problem = _Problem(seen[:, met], train, classes)
    start, least = problem.start(), np.inf
    for place, strength in enumerate(STRENGTHS):
        start = problem.solve(start, strength)
        weights, bias = problem.weights(start)
        logits = held_out[:, met] @ weights + bias
        loss, accuracy = _measure(logits, validation.classes)
        if place and not loss < least:  # the first will do, whatever class weights have made of its loss
            break
        least = loss
        table = np.zeros((seen.shape[1], weights.shape[1]), np.float32)
        table[met] = weights
        best = LinearModel(table, bias.astype(np.float32), strength, accuracy)
    return best


def _counts(config: ModelConfig, sequences: Sequence[Sequence[int]], vocab_size: int) -> sparse.csr_matrix:
    return ngram_counts(sequences, longest=config.ngrams, vocab_size=vocab_size, buckets=config.ngram_buckets)


class _Problem:
    """The loss of the training rows as a function of all weights, in one row of numbers as SciPy wants them."""

    def __init__(self, counts: sparse.csr_matrix, train: Encoded, classes: int) -> None:
        self.counts, self.turned = counts, counts.T.tocsr()
        self.width = 1 if classes == 2 else classes
        self.truth = np.eye(classes)[train.classes]
        self.importance = train.weights.astype(np.float64)[:, None]
        self.ratios = self._log_count_ratios()

    def _log_count_ratios(self) -> Floats:
        there = (self.counts > 0).astype(np.float64).T.tocsr()
        ours = 1 + there @ self.truth[:, -self.width :]
        others = 1 + there @ (1 - self.truth[:, -self.width :])
        ratios: Floats = np.log(ours / ours.sum(axis=0)) - np.log(others / others.sum(axis=0))
        return ratios

    def start(self) -> Floats:
        return np.zeros((self.counts.shape[1] + 1) * self.width)

    def weights(self, numbers: Floats) -> tuple[Floats, Floats]:
        """The n-grams' weights `[rows, width]` and the bias `[width]`."""
        shaped = numbers.reshape(-1, self.width)
        return self.ratios * shaped[:-1], shaped[-1]

    def solve(self, start: Floats, strength: float) -> Floats:
        options = {"maxiter": MOST_STEPS, "maxcor": PAST_STEPS, "ftol": 1e-7}
        found = minimize(self._loss, start, (strength,), "L-BFGS-B", jac=True, options=options)
        numbers: Floats = found.x
        return numbers

    def _loss(self, numbers: Floats, strength: float) -> tuple[float, Floats]:
        weights, bias = self.weights(numbers)
        logs = _log_probabilities(self.counts @ weights + bias)
        loss = -(self.importance * self.truth * logs).sum()
        wrong = (self.importance * (np.exp(logs) - self.truth))[:, -self.width :]
        free = numbers.copy()
        free[-self.width :] = 0  # the bias goes unpunished
        gradient = np.vstack([self.ratios * (self.turned @ wrong), wrong.sum(axis=0)]).ravel()
        return loss + free @ free / (2 * strength), gradient + free / strength


def _log_probabilities(logits: Floats) -> Floats:
    if logits.shape[1] == 1:
        logits = np.hstack([np.zeros_like(logits), logits])
    logs: Floats = log_softmax(logits, axis=1)
    return logs


def _measure(logits: Floats, truth: npt.NDArray[np.intp]) -> tuple[float, float]:
    logs = _log_probabilities(logits)
    return float(-logs[np.arange(len(truth)), truth].mean()), float((logs.argmax(axis=1) == truth).mean())
