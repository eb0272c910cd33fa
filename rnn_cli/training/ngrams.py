"""A linear model over n-grams, fitted before the network that it is averaged with. Takes no TensorFlow.

Scales each n-gram by its naive Bayes log-count ratio in the training rows and fits a logistic regression to the scaled
counts: a handful of labels together, more one by one.

Source: Wang and Manning (2012), Baselines and bigrams: simple, good sentiment and topic classification.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from threadpoolctl import threadpool_limits

from rnn_cli.arrays import Floats, Floats32, Indices
from rnn_cli.config.schema import ModelConfig
from rnn_cli.linear.logistic import HANDFUL, fit_label, on_all_cores
from rnn_cli.training.encoding import Encoded
from rnn_cli.training.temperature import fit_temperature

NGRAM_STRENGTHS = (2.0, 8.0, 32.0)
"""The values of C that are tried, each started from the weights of the one before."""

SAMPLED_LABELS = 40
"""How many of many labels choose the strength; more would choose the same one."""

SAMPLE_SEED = 1

MOST_STEPS = 200
PAST_STEPS = 5
"""Maximum steps of L-BFGS, and how many of them it remembers: each costs two copies of all weights."""

OnProgress = Callable[[str, int, int], None]
"""Called with the unit, the number done and the total, as `Listener.progress`."""


@dataclass(frozen=True)
class LinearModel:
    """Weights of the n-grams `[vocab_size + ngram_buckets, width]` and the bias `[width]`; the width is 1 for two
    classes, else the number of classes. `strength` is the one of `NGRAM_STRENGTHS` with the least validation loss,
    `val_accuracy` its accuracy on the validation rows."""

    table: Floats32
    bias: Floats32
    strength: float
    val_accuracy: float


def fit_linear(
    config: ModelConfig, train: Encoded, validation: Encoded, *, vocab_size: int, classes: int, on_progress: OnProgress
) -> LinearModel:
    """Fit to the training rows with their weights in the loss; the validation rows choose the strength."""
    seen, held_out = (_counts(config, each.sequences, vocab_size) for each in (train, validation))
    if classes > HANDFUL:
        return _fit_each(seen, held_out, train, validation, classes, on_progress)
    used = np.unique(seen.indices)
    problem = _Problem(seen[:, used], train, classes)
    start, least = problem.start(), np.inf
    steps = count(1)
    for index, strength in enumerate(NGRAM_STRENGTHS):
        start = problem.solve(
            start, strength, lambda: on_progress("steps, at most", next(steps), MOST_STEPS * len(NGRAM_STRENGTHS))
        )
        weights, bias = problem.weights(start)
        logits = held_out[:, used] @ weights + bias
        loss, accuracy = _loss_and_accuracy(logits, validation.classes)
        if index and not loss < least:  # the first is always taken, as class weights may make its loss infinite
            break
        least = loss
        table = np.zeros((seen.shape[1], weights.shape[1]), np.float32)
        table[used] = weights
        best = LinearModel(table, bias.astype(np.float32), strength, accuracy)
    return best


def _fit_each(
    seen: sparse.csr_matrix,
    held_out: sparse.csr_matrix,
    train: Encoded,
    validation: Encoded,
    classes: int,
    on_progress: OnProgress,
) -> LinearModel:
    """Fit each label against the rest; besides the table, each core holds one label's copy of the counts.

    A sample of labels chooses the strength on its validation rows. One temperature, fitted to the validation rows, then
    calibrates the softmax of all labels' log-odds.
    """
    used = np.unique(seen.indices)
    problem = _OneVsRest(seen[:, used], held_out[:, used], train)
    present = np.unique(train.classes)
    sampled = np.sort(np.random.default_rng(SAMPLE_SEED).permutation(present)[:SAMPLED_LABELS]).tolist()
    steps = count(1)
    total = len(sampled) + classes

    rows = np.flatnonzero(np.isin(validation.classes, sampled))
    paths = np.zeros((len(NGRAM_STRENGTHS), len(rows), len(sampled)))
    for label, logits in on_all_cores(problem.path, sampled):
        paths[:, :, sampled.index(label)] = logits[:, rows]
        on_progress("labels", next(steps), total)
    truth = np.searchsorted(sampled, validation.classes[rows])
    strength = NGRAM_STRENGTHS[int(np.argmin([_tempered(each, truth)[1] for each in paths]))]
    table = np.zeros((seen.shape[1], classes), np.float32)
    bias, logits = np.zeros(classes, np.float32), np.zeros((len(validation.classes), classes))
    for label, (weights, its_bias) in on_all_cores(lambda label: problem.solve(label, strength), range(classes)):
        table[used, label], bias[label] = weights, its_bias
        logits[:, label] = problem.held_out @ weights + its_bias
        on_progress("labels", next(steps), total)
    temperature, _ = _tempered(logits, validation.classes)
    table /= np.float32(temperature)
    bias /= np.float32(temperature)
    accuracy = _loss_and_accuracy(logits, validation.classes)[1]
    return LinearModel(table, bias, strength, accuracy)


class _OneVsRest:
    """The fits of single labels. `counts` and `held_out` are sparse, `[rows, n-grams]`, of the n-grams in training."""

    def __init__(self, counts: sparse.csr_matrix, held_out: sparse.csr_matrix, train: Encoded) -> None:
        self.counts, self.held_out = counts, held_out
        self.classes = train.classes
        self.row_weights = train.weights.astype(np.float64)
        self.rows_with = np.bincount(counts.indices, minlength=counts.shape[1])

    def solve(self, label: int, strength: float) -> tuple[Floats, float]:
        """The n-grams' weights and the bias."""
        ratios, scaled = self._scaled(label)
        return self._weights(ratios, self._fit(scaled, label, strength, None))

    def path(self, label: int) -> Floats:
        """The log-odds of the held-out rows at each of `NGRAM_STRENGTHS`, `[strengths, rows]`."""
        ratios, scaled = self._scaled(label)
        found, logits = None, []
        for strength in NGRAM_STRENGTHS:
            found = self._fit(scaled, label, strength, found)
            weights, bias = self._weights(ratios, found)
            logits.append(self.held_out @ weights + bias)
        return np.array(logits)

    def _fit(self, scaled: sparse.csr_matrix, label: int, strength: float, start: Floats | None) -> Floats | None:
        return fit_label(scaled, self.classes == label, self.row_weights, strength, start)

    def _weights(self, ratios: Floats, found: Floats | None) -> tuple[Floats, float]:
        if found is None:  # it has no row: take its log-odds with half a row
            return np.zeros(len(ratios)), -float(np.log(2 * len(self.classes)))
        return ratios * found[:-1], float(found[-1])

    def _scaled(self, label: int) -> tuple[Floats, sparse.csr_matrix]:
        """The label's log-count ratios, and the counts multiplied by them."""
        of_label = self.counts[np.flatnonzero(self.classes == label)]
        here = np.bincount(of_label.indices, minlength=len(self.rows_with))
        ours, others = 1.0 + here, 1.0 + self.rows_with - here
        ratios: Floats = np.log(ours / ours.sum()) - np.log(others / others.sum())
        parts = (self.counts.data * ratios[self.counts.indices], self.counts.indices, self.counts.indptr)
        return ratios, sparse.csr_matrix(parts, self.counts.shape)


def _counts(config: ModelConfig, sequences: Sequence[Sequence[int]], vocab_size: int) -> sparse.csr_matrix:
    return ngram_counts(sequences, longest=config.ngrams, vocab_size=vocab_size, buckets=config.ngram_buckets)


def ngram_counts(
    sequences: Iterable[Sequence[int]], *, longest: int, vocab_size: int, buckets: int
) -> sparse.csr_matrix:
    """How often each text holds each n-gram, over the root of its number of n-grams: `[texts, table's rows]`, float64.

    Times a table of weights, it gives what the network's n-gram part adds up.
    """
    columns, values, ends = [], [], [0]
    for ids in sequences:
        rows = ngram_rows(ids, longest=longest, vocab_size=vocab_size, buckets=buckets)
        used, counts = np.unique(rows, return_counts=True)
        columns.append(used)
        values.append(counts / np.sqrt(len(rows)))
        ends.append(ends[-1] + len(used))
    shape = (len(ends) - 1, vocab_size + buckets)
    return sparse.csr_matrix((np.concatenate(values), np.concatenate(columns), ends), shape)


def ngram_rows(ids: Sequence[int], *, longest: int, vocab_size: int, buckets: int) -> npt.NDArray[np.int64]:
    """The table's row for each run of 1 to `longest` tokens of a text, shorter runs first."""
    tokens = np.asarray(ids, np.int64)
    bucket, rows = tokens, [tokens]
    for length in range(2, min(longest, len(tokens)) + 1):
        bucket = (bucket[:-1] * vocab_size + tokens[length - 1 :]) % buckets
        rows.append(bucket + vocab_size)
    return np.concatenate(rows)


class _Problem:
    """The loss of the training rows as a function of all weights, a flat array as SciPy needs it."""

    def __init__(self, counts: sparse.csr_matrix, train: Encoded, classes: int) -> None:
        self.counts, self.turned = counts, counts.T.tocsr()
        self.width = 1 if classes == 2 else classes
        self.truth = np.eye(classes)[train.classes]
        self.row_weights = train.weights.astype(np.float64)[:, None]
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

    def solve(self, start: Floats, strength: float, on_progress: Callable[[], None]) -> Floats:
        options = {"maxiter": MOST_STEPS, "maxcor": PAST_STEPS, "ftol": 1e-7}
        # One thread: several differ in the last digits, and wait for each other on a busy machine (ten times as long).
        with threadpool_limits(1):
            found = minimize(
                self._loss, start, (strength,), "L-BFGS-B", jac=True, options=options, callback=lambda _: on_progress()
            )
        numbers: Floats = found.x
        return numbers

    def _loss(self, numbers: Floats, strength: float) -> tuple[float, Floats]:
        weights, bias = self.weights(numbers)
        logs = _log_probabilities(self.counts @ weights + bias)
        loss = -(self.row_weights * self.truth * logs).sum()
        wrong = (self.row_weights * (np.exp(logs) - self.truth))[:, -self.width :]
        free = numbers.copy()
        free[-self.width :] = 0  # the bias carries no penalty
        gradient = np.vstack([self.ratios * (self.turned @ wrong), wrong.sum(axis=0)]).ravel()
        return loss + free @ free / (2 * strength), gradient + free / strength


def _log_probabilities(logits: Floats) -> Floats:
    if logits.shape[1] == 1:
        logits = np.hstack([np.zeros_like(logits), logits])
    logs: Floats = log_softmax(logits, axis=1)
    return logs


def _loss_and_accuracy(logits: Floats, truth: Indices) -> tuple[float, float]:
    logs = _log_probabilities(logits)
    return float(-logs[np.arange(len(truth)), truth].mean()), float((logs.argmax(axis=1) == truth).mean())


def _tempered(logits: Floats, truth: Indices) -> tuple[float, float]:
    """The fitted temperature of the logits, and the loss with it."""
    temperature = fit_temperature(truth, softmax(logits, axis=1))
    return temperature, _loss_and_accuracy(logits / temperature, truth)[0] if len(truth) else 0.0
