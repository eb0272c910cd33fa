"""A linear model over n-grams, fitted before the network that it is averaged with. Takes no TensorFlow.

Scales each n-gram by the root of its naive Bayes log-count ratio in the training rows and by its rarity, and fits a
logistic regression to the scaled counts: a handful of labels together, more one by one.

Source: Wang and Manning (2012), Baselines and bigrams: simple, good sentiment and topic classification.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
from scipy import sparse
from scipy.special import log_softmax, softmax
from sklearn.linear_model import Ridge
from threadpoolctl import threadpool_limits

from rnn_cli.arrays import Flags, Floats, Floats32, Indices
from rnn_cli.config.schema import ModelConfig
from rnn_cli.linear.logistic import HANDFUL, SparseRows, fit_each_label, fit_weights, of_all_classes, on_all_cores
from rnn_cli.linear.ngrams import log_count_ratios, ngram_counts, ratios_of_each, telling_scales
from rnn_cli.linear.pieces import PIECES_SHARE, pieces_of_words
from rnn_cli.training.calibration import fit_temperature
from rnn_cli.training.encoding import Encoded

NGRAM_STRENGTHS = (0.05, 0.15, 0.5, 1.5, 5.0, 15.0)
"""The values of C that are tried, each started from the weights of the one before."""

SAMPLED_LABELS = 40
"""How many of many labels choose the strength; more would choose the same one."""

SAMPLE_SEED = 1

LESSON_PENALTIES = (1.0, 0.3, 0.1)
"""The penalties of a weight's square that are tried where n-grams learn from a teacher."""

CHOOSING_EACH = 10
"""Each tenth text chooses the penalty."""

MOST_ITERATIONS, LESSON_TOLERANCE = 60, 1e-3
"""Of conjugate gradients: more of them fit the lessons no better on other texts."""

OnProgress = Callable[[str, int, int], None]
"""Called with the unit, the number done and the total, as `Listener.progress`."""


@dataclass(frozen=True)
class LinearModel:
    """Weights of the n-grams `[vocab_size + ngram_buckets, width]` and the bias `[width]`; the width is 1 for two
    classes of which a row has one, else the number of classes. `strength` is the one of `NGRAM_STRENGTHS` with the
    least validation loss, or of `LESSON_PENALTIES`; `val_accuracy` its accuracy on the validation rows. `columns` are
    the weights of other columns, `[columns, width]`, where the rows have any; `taught` says that it learned from a
    teacher's lessons."""

    table: Floats32
    bias: Floats32
    strength: float
    val_accuracy: float
    columns: Floats32 | None = None
    taught: bool = False

    def strength_in_words(self) -> str:
        """The strength and what it is: "C=5"."""
        return f"penalty={self.strength:g}, by the teacher" if self.taught else f"C={self.strength:g}"


def fit_linear(
    config: ModelConfig,
    train: Encoded,
    validation: Encoded,
    *,
    vocab_size: int,
    classes: int,
    on_progress: OnProgress,
    words: Sequence[str] = (),
) -> LinearModel:
    """Fit to the training rows with their weights in the loss; the validation rows choose the strength.

    To a teacher's lessons, where there are any, it is fitted by least squares, and each tenth text chooses. `words`,
    the vocabulary, is for `char_ngrams`: the weights of pieces are added to those of the words that hold them.
    """
    seen, held_out = (counts_of_ngrams(config, each.sequences, vocab_size) for each in (train, validation))
    if train.lessons is not None:
        return _fit_to_lessons(seen, held_out, train, validation, on_progress)
    used = np.flatnonzero(np.bincount(seen.indices, minlength=seen.shape[1]))
    beside = 0 if train.columns is None else train.columns.shape[1]
    pieces = pieces_of_words(words, config.char_ngrams) if config.char_ngrams else sparse.csr_matrix((vocab_size, 0))
    ours, theirs = (
        _joined(counts[:, used], counts[:, :vocab_size] @ pieces, rows)
        for counts, rows in ((seen, train), (held_out, validation))
    )
    problem = _Problem(ours, theirs, train, validation, on_progress, beside, pieces.shape[1])
    solve = problem.together if classes <= HANDFUL else problem.one_by_one
    weights, bias, strength, accuracy = solve(classes) if train.classes.ndim == 1 else problem.of_each()
    table = np.zeros((seen.shape[1], weights.shape[1]), np.float32)
    table[used] = weights[: len(used)]
    of_pieces, of_columns = np.split(weights[len(used) :], [pieces.shape[1]])
    if len(of_pieces):
        table[:vocab_size] += pieces @ of_pieces
    columns = of_columns.astype(np.float32) if beside else None
    return LinearModel(table, bias.astype(np.float32), strength, accuracy, columns)


def _joined(counts: sparse.csr_matrix, pieces: sparse.csr_matrix, rows: Encoded) -> sparse.csr_matrix:
    """The counts of n-grams, followed by those of pieces of words and by the numbers of the rows' other columns."""
    more = [] if rows.columns is None else [sparse.csr_matrix(rows.columns.astype(np.float64))]
    parts = [counts, *([pieces] if pieces.shape[1] else []), *more]
    return counts if len(parts) == 1 else sparse.hstack(parts, format="csr")


def _fit_to_lessons(
    counts: sparse.csr_matrix,
    held_out: sparse.csr_matrix,
    train: Encoded,
    validation: Encoded,
    on_progress: OnProgress,
) -> LinearModel:
    """Fit each label's log-odds by ridge regression on n-grams scaled by the root of their naive Bayes ratios.

    Of two labels, those of the second against the first.
    """
    assert train.lessons is not None
    lessons = train.lessons
    probable = softmax(lessons, axis=1)
    if lessons.shape[1] == 2:
        lessons, probable = lessons[:, 1:] - lessons[:, :1], probable[:, 1:]
    used = np.flatnonzero(np.bincount(counts.indices, minlength=counts.shape[1]) > 1)
    counts = counts[:, used].astype(np.float32)
    checks, every = np.arange(len(lessons)) % CHOOSING_EACH == 0, np.ones(len(lessons), np.bool_)
    width, best = lessons.shape[1], list[float]()
    table, bias = np.zeros((held_out.shape[1], width), np.float32), np.zeros(width, np.float32)
    choosing = min(width, HANDFUL)
    total, done = width + choosing * len(LESSON_PENALTIES), count()

    def fit(label: int, scales: Floats32, penalty: float, rows: Flags) -> tuple[Floats32, float]:
        on_progress("fits", next(done), total)
        scaled = counts if rows is every else counts[rows]
        scaled = sparse.csr_matrix((scaled.data * scales[scaled.indices], scaled.indices, scaled.indptr), scaled.shape)
        ridge = Ridge(penalty, solver="sparse_cg", max_iter=MOST_ITERATIONS, tol=LESSON_TOLERANCE)
        ridge.fit(scaled, lessons[rows, label])
        return scales * ridge.coef_, float(ridge.intercept_)

    with threadpool_limits(1):  # several threads differ in the last digits
        for label in range(width):
            ratios = ratios_of_each(counts, probable[:, label : label + 1])[:, 0]
            scales = np.sqrt(np.abs(ratios)).astype(np.float32)
            if label < choosing:  # more labels would choose the same
                tried = []
                for penalty in LESSON_PENALTIES:
                    weights, added = fit(label, scales, penalty, ~checks)
                    off = counts[checks] @ weights + added - lessons[checks, label]
                    tried.append((float(np.mean(off**2)), penalty))
                best.append(min(tried)[1])
            penalty = best[label] if label < choosing else float(np.median(best))
            weights, bias[label] = fit(label, scales, penalty, every)
            table[used, label] = weights
    on_progress("fits", total, total)
    accuracy = _loss_and_accuracy(held_out @ table.astype(np.float64) + bias, validation.classes)[1]
    return LinearModel(table, bias, float(np.median(best)), accuracy, taught=True)


_Solution = tuple[Floats, Floats, float, float]
"""Weights `[n-grams, width]`, bias `[width]`, the strength and the validation accuracy."""


@dataclass(frozen=True)
class _Problem:
    """Counts of the n-grams in training, sparse `[rows, n-grams]`, and what they are to tell."""

    counts: sparse.csr_matrix
    held_out: sparse.csr_matrix
    train: Encoded
    validation: Encoded
    on_progress: OnProgress
    beside: int = 0
    """How many of the last columns are no n-grams but numbers of other columns, which count as they are."""
    pieces: int = 0
    """How many columns before those are counts of pieces of words."""

    def _scales(self, ratios: Callable[[sparse.csr_matrix], Floats]) -> Floats:
        counts = self.counts[:, : self.counts.shape[1] - self.beside] if self.beside else self.counts
        if not self.pieces:
            scales = telling_scales(counts, ratios(counts))
        else:
            sides = counts[:, : -self.pieces], counts[:, -self.pieces :]
            found, of_pieces = (telling_scales(side, ratios(side)) for side in sides)
            scales = np.vstack([found, PIECES_SHARE * of_pieces])
        return np.vstack([scales, np.ones((self.beside, scales.shape[1]))]) if self.beside else scales

    def together(self, classes: int) -> _Solution:
        """One fit of all labels that have rows."""
        known = np.unique(self.train.classes)
        truth = np.searchsorted(known, self.train.classes)
        self.on_progress("fits", 0, len(NGRAM_STRENGTHS))
        path = self._path(SparseRows(self.counts, all_cores=True), truth, len(known), NGRAM_STRENGTHS)
        best, least = None, np.inf
        for done, strength in enumerate(NGRAM_STRENGTHS, start=1):
            with threadpool_limits(1):  # several threads differ in the last digits
                weights, bias = next(path)
            weights, bias = of_all_classes(weights, bias, known, classes, len(truth))
            self.on_progress("fits", done, len(NGRAM_STRENGTHS))
            loss, accuracy = _loss_and_accuracy(self.held_out @ weights + bias, self.validation.classes)
            if best is not None and not loss < least:  # the first may have an infinite loss, by class weights
                break
            best, least = (weights, bias, strength, accuracy), loss
        assert best is not None
        return best

    def one_by_one(self, classes: int) -> _Solution:
        """A fit of each label against the rest.

        A sample of labels chooses the strength on its validation rows. One temperature, fitted to the validation rows,
        then calibrates the softmax of all labels' log-odds.
        """
        rows = SparseRows(self.counts, all_cores=False)
        present = np.unique(self.train.classes)
        sampled = np.sort(np.random.default_rng(SAMPLE_SEED).permutation(present)[:SAMPLED_LABELS]).tolist()
        steps, total = count(1), len(sampled) + len(present)

        def path(label: int, strengths: Sequence[float]) -> list[tuple[Floats, Floats]]:
            truth = (self.train.classes == label).astype(np.intp)
            return list(self._path(rows, truth, min(len(present), 2), strengths))

        held = np.flatnonzero(np.isin(self.validation.classes, sampled))
        tried = np.zeros((len(NGRAM_STRENGTHS), len(held), len(sampled)))
        for label, found in on_all_cores(lambda label: path(label, NGRAM_STRENGTHS), sampled):
            for index, (weights, bias) in enumerate(found):
                tried[index, :, sampled.index(label)] = (self.held_out[held] @ weights + bias)[:, 0]
            self.on_progress("labels", next(steps), total)
        truth = np.searchsorted(sampled, self.validation.classes[held])
        strength = NGRAM_STRENGTHS[int(np.argmin([calibrated_loss(each, truth)[1] for each in tried]))]
        solved = dict[int, tuple[Floats, Floats]]()
        for label, (solution,) in on_all_cores(lambda label: path(label, (strength,)), present.tolist()):
            solved[label] = solution
            self.on_progress("labels", next(steps), total)
        weights, bias = (np.hstack([solved[label][place] for label in present.tolist()]) for place in (0, 1))
        weights, bias = of_all_classes(weights, bias, present, classes, len(self.train.classes))
        logits = self.held_out @ weights + bias
        temperature, _ = calibrated_loss(logits, self.validation.classes)
        accuracy = _loss_and_accuracy(logits, self.validation.classes)[1]
        return weights / temperature, bias / temperature, strength, accuracy

    def of_each(self) -> _Solution:
        """A fit of each of several labels that a row may have; the strength is that of the least loss of all."""
        truth, held_out = self.train.classes, self.validation.classes
        steps, total = count(1), truth.shape[1] * len(NGRAM_STRENGTHS)

        def done() -> None:
            self.on_progress("labels", next(steps), total)

        scales = self._scales(lambda counts: ratios_of_each(counts, truth))
        row_weights = self.train.weights.astype(np.float64)
        best, least = None, np.inf
        for strength, (weights, bias) in zip(
            NGRAM_STRENGTHS, fit_each_label(self.counts, truth, NGRAM_STRENGTHS, row_weights, done, scales), strict=True
        ):
            logits = self.held_out @ weights + bias
            loss = float((np.logaddexp(0, logits) - held_out * logits).sum())
            if best is not None and not loss < least:
                break
            right = float(((logits >= 0) == held_out).all(axis=1).mean())
            best, least = (weights, bias, strength, right), loss
        assert best is not None
        return best

    def _path(
        self, rows: SparseRows, truth: Indices, classes: int, strengths: Sequence[float]
    ) -> Iterator[tuple[Floats, Floats]]:
        """The weights and the bias with each strength, each fit started from the one before."""
        found: tuple[Floats, Floats] | None = None
        row_weights = self.train.weights.astype(np.float64)
        scales = self._scales(lambda counts: log_count_ratios(counts, np.eye(classes)[truth]))
        for strength in strengths:
            if classes == 1:  # nothing to tell apart
                found = np.zeros((self.counts.shape[1], 1)), np.zeros(1)
            else:
                found = fit_weights(rows, truth, classes, row_weights, strength, scales=scales, start=found)
            yield found


def counts_of_ngrams(config: ModelConfig, sequences: Sequence[Sequence[int]], vocab_size: int) -> sparse.csr_matrix:
    """The counts that the n-gram part of a config's network multiplies its weights by, `[texts, n-grams]`."""
    return ngram_counts(sequences, longest=config.ngrams, vocab_size=vocab_size, buckets=config.ngram_buckets)


def _log_probabilities(logits: Floats) -> Floats:
    if logits.shape[1] == 1:
        logits = np.hstack([np.zeros_like(logits), logits])
    logs: Floats = log_softmax(logits, axis=1)
    return logs


def _loss_and_accuracy(logits: Floats, truth: Indices) -> tuple[float, float]:
    logs = _log_probabilities(logits)
    return float(-logs[np.arange(len(truth)), truth].mean()), float((logs.argmax(axis=1) == truth).mean())


def calibrated_loss(logits: Floats, truth: Indices) -> tuple[float, float]:
    """The temperature that suits logits `[rows, classes]` best, and the mean log loss with it, 0 of no rows."""
    temperature = fit_temperature(truth, softmax(logits, axis=1))
    return temperature, _loss_and_accuracy(logits / temperature, truth)[0] if len(truth) else 0.0
