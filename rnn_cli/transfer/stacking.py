"""New labels on what a base tells of texts: linear models, mixed with weights that cross-validation chooses.

Everything is linear in what the base computes, so that the whole folds into the last layers of a network like the
base's. Takes no TensorFlow.

Source: Wolpert (1992), Stacked generalization; Breiman (1996), Stacked regressions (weights that are not negative);
Wang and Manning (2012), Baselines and bigrams (the n-gram part).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from threadpoolctl import threadpool_limits

from rnn_cli.arrays import Floats, Floats32, Indices
from rnn_cli.config.schema import ModelConfig
from rnn_cli.data.splits import stratify
from rnn_cli.data.together import units_of
from rnn_cli.linear.logistic import fit_path, of_all_classes
from rnn_cli.linear.ngrams import log_count_ratios, ngram_counts
from rnn_cli.transfer.base import Base
from rnn_cli.transfer.features import of_all_labels

OWN_PART, NETWORK_PART, NGRAM_PART = "its own answer", "its network", "n-grams"
"""The parts: what the base itself says of labels that it knows; a regression on what its network computes; one on the
counts of n-grams, without the base."""

NETWORK_PART_STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
NGRAM_PART_STRENGTHS = (0.5, 2.0, 8.0, 32.0)
"""The values of C that cross-validation tries."""

ROWS_IN_MANY_FOLDS, MANY_FOLDS, USUAL_FOLDS = 250, 10, 5
ROWS_IN_USUAL_FOLDS, FEW_FOLDS = 10_000, 2
"""Up to so many rows are divided into more folds, as each row counts; more rows into fewer, as each fold takes time."""

LEAST_ROWS = 20
"""Fewer rows are not cross-validated."""

WEIGHT_PENALTY, BIAS_PENALTY = 4.0, 10.0
"""What a weight's and a bias's squared distance from their prior costs, in nats over all rows. The prior is the base's
own answer where it has one. Chosen on half of the set `rotten_tomatoes` with 60 to 2,000 labels."""

FLOOR = 1e-2
"""Added to the standard deviation of a feature that hardly varies."""

OnFold = Callable[[str, int, int], None]


@dataclass(frozen=True)
class KnownRows:
    """What is learned from: what a base computes of texts, `[rows, features]`, their n-gram counts `[rows, n-grams]`,
    classes `[rows]` and weights in the loss `[rows]`."""

    features: Floats
    counts: sparse.csr_matrix
    classes: Indices
    weights: Floats

    @classmethod
    def of(
        cls,
        base: Base,
        sequences: Sequence[Sequence[int]],
        classes: Indices,
        weights: Floats32,
        config: ModelConfig,
        on_read: Callable[[int, int], None] = lambda *_: None,
    ) -> "KnownRows":
        """Those of encoded texts, for a network of this config on the base; `on_read` as in `Base.features`."""
        size = base.tokenizer.vocab_size
        counts = ngram_counts(sequences, longest=config.ngrams, vocab_size=size, buckets=config.ngram_buckets)
        return cls(base.features(sequences, counts, on_read), counts, classes, weights.astype(np.float64))


@dataclass(frozen=True)
class LinearHead:
    """Logits that are linear in the features, `kernel` `[features, classes]`, and in the columns `used` of the counts,
    `table` `[used, classes]`, with a bias `[classes]`. They sum to zero over the classes."""

    kernel: Floats
    used: Indices
    table: Floats
    bias: Floats

    @classmethod
    def of(cls, kernel: Floats, used: Indices, table: Floats, bias: Floats) -> "LinearHead":
        """The head of these weights, centred."""
        return cls(_centred(kernel), used, _centred(table), bias - bias.mean())

    def logits(self, rows: KnownRows, which: Indices) -> Floats:
        """The logits of some rows, `[which, classes]`."""
        found: Floats = rows.features[which] @ self.kernel + rows.counts[which][:, self.used] @ self.table + self.bias
        return found

    def measured(self, rows: KnownRows) -> tuple[float, float]:
        """The mean log loss of all rows, without their weights, and the share that is right."""
        logits = self.logits(rows, np.arange(len(rows.classes)))
        return float(_losses(logits, rows.classes).mean()), float((logits.argmax(axis=1) == rows.classes).mean())


@dataclass(frozen=True)
class Trial:
    """What cross-validation found on so many `rows`, each predicted by models that had not seen it.

    `accuracy` is the share that is right with the base, `ngram_accuracy` with n-grams alone; `error` is the standard
    error of their difference.
    """

    rows: int
    folds: int
    accuracy: float
    ngram_accuracy: float
    error: float

    def in_words(self, base: str) -> str:
        """The two shares, in words."""
        return (
            f"cross-validated on {self.rows:,} rows in {self.folds} parts: {self.accuracy:.1%} right on the base "
            f"{base}, {self.ngram_accuracy:.1%} by n-grams alone"
        )

    @property
    def pays(self) -> bool:
        """Whether the base is right more often, beyond chance."""
        return self.accuracy - self.ngram_accuracy > 2 * self.error


@dataclass(frozen=True)
class Stacked:
    """A fitted head, the weight of each part in it, and its trial; None where rows are too few for one.

    `held_out` holds the trial's logits of each row, `[rows, classes]`, by models that had not seen it.
    """

    head: LinearHead
    weights: Mapping[str, float]
    trial: Trial | None
    held_out: Floats | None

    def in_words(self, base: str) -> str:
        """What was found, in one line."""
        return f"{'' if self.trial is None else f'{self.trial.in_words(base)}; '}weights: {self.weights_in_words()}"

    def weights_in_words(self) -> str:
        """The weight of each part."""
        return ", ".join(f"{name} {weight:.2f}" for name, weight in self.weights.items())


def fit_stack(
    rows: KnownRows,
    texts: Sequence[str],
    labels: Sequence[str],
    answer: Floats | None,
    on_progress: OnFold = lambda *_: None,
    groups: Sequence[str | None] | None = None,
    features: str = NETWORK_PART,
) -> Stacked:
    """Fit `labels` on the rows, of whose texts equal and nearly equal ones share a fold.

    `answer` is the base's own, `[features, classes]`, None where it has none. Rows of a group share a fold, too.
    `features` names the part that is fitted to the features.
    """
    problem, classes = _Problem(rows, len(labels)), len(labels)
    own = (
        None
        if answer is None
        else LinearHead.of(answer, np.empty(0, np.intp), np.empty((0, classes)), np.zeros(classes))
    )
    names = (features, NGRAM_PART) if own is None else (OWN_PART, features, NGRAM_PART)
    prior = np.array([0.5, 0.5] if own is None else [1.0, 0, 0])
    everything = np.arange(len(texts))
    folds = _folds(texts, [labels[each] for each in rows.classes], groups) if len(texts) >= LEAST_ROWS else []
    if len(folds) < 2:
        weights, bias, trial, held_out = prior, np.zeros(classes), None, None
        strengths = [1.0, 2.0]
    else:
        parts, strengths = [] if own is None else [own.logits(rows, everything)], []
        for name, part, tried in (
            (features, problem.network, NETWORK_PART_STRENGTHS),
            (NGRAM_PART, problem.ngrams, NGRAM_PART_STRENGTHS),
        ):
            progress = partial(on_progress, f"cross-validating {name}: folds")
            logits, strength = problem.held_out(part, tried, folds, progress)
            parts.append(logits)
            strengths.append(strength)
        weights, bias = mixed(parts, rows.classes, rows.weights, prior)
        trial, held_out = _trial(parts, rows, prior, folds)
    heads = [] if own is None else [own]
    heads += [*problem.network(everything, strengths[:1]), *problem.ngrams(everything, strengths[1:])]
    by_part = dict(zip(names, map(float, weights), strict=True))
    return Stacked(_together(heads, weights, bias), by_part, trial, held_out)


def mixed(
    parts: Sequence[Floats], classes: Indices, weights: Floats, prior: Floats, *, biased: bool = True
) -> tuple[Floats, Floats]:
    """The weight of each part's logits `[rows, classes]`, none negative, and a bias `[classes]`, zero unless `biased`.

    They minimize the weighted log loss of the rows and what their distance from `prior`, and from no bias, costs.
    """
    stacked = np.stack([_centred(part) for part in parts])
    count, truth = len(parts), np.eye(stacked.shape[2])[classes]

    def loss(at: Floats) -> tuple[float, Floats]:
        logits = np.tensordot(at[:count], stacked, 1) + at[count:]
        away = np.concatenate([WEIGHT_PENALTY * (at[:count] - prior), BIAS_PENALTY * at[count:]])
        value = -(weights[:, None] * truth * log_softmax(logits, axis=1)).sum()
        value += away[:count] @ (at[:count] - prior) + away[count:] @ at[count:]
        residuals = weights[:, None] * (softmax(logits, axis=1) - truth)
        slope = np.concatenate([np.tensordot(stacked, residuals, 2), residuals.sum(axis=0)]) + 2 * away
        return float(value), slope

    start = np.concatenate([prior, np.zeros(stacked.shape[2])])
    free = (None, None) if biased else (0, 0)
    with threadpool_limits(1):  # several threads differ in the last digits
        bounds = [(0, None)] * count + [free] * stacked.shape[2]
        found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return found[:count], found[count:]


class _Problem:
    """The fits of the parts to some of the rows."""

    def __init__(self, rows: KnownRows, classes: int) -> None:
        self.rows, self.classes = rows, classes
        # No label has a say in them, so that all rows may.
        self.mean = rows.features.mean(axis=0)
        self.spread = (rows.features.std(axis=0) + FLOOR) * np.sqrt(rows.features.shape[1])
        self.scaled = sparse.csr_matrix((rows.features - self.mean) / self.spread)

    def network(self, which: Indices, strengths: Sequence[float]) -> list[LinearHead]:
        """A regression on what the base computes, with each strength."""
        return [
            LinearHead.of(
                kernel := weights / self.spread[:, None],
                np.empty(0, np.intp),
                np.empty((0, self.classes)),
                bias - self.mean @ kernel,
            )
            for weights, bias in self._path(self.scaled[which], which, strengths, naive_bayes=False)
        ]

    def ngrams(self, which: Indices, strengths: Sequence[float]) -> list[LinearHead]:
        """A regression on n-grams that naive Bayes has weighed, with each strength."""
        counts, features = self.rows.counts[which], self.rows.features.shape[1]
        used = np.flatnonzero(np.bincount(counts.indices, minlength=counts.shape[1]))
        found = self._path(counts[:, used], which, strengths, naive_bayes=True)
        return [LinearHead.of(np.zeros((features, self.classes)), used, weights, bias) for weights, bias in found]

    def held_out(
        self,
        part: Callable[[Indices, Sequence[float]], list[LinearHead]],
        strengths: Sequence[float],
        folds: Sequence[Indices],
        on_fold: Callable[[int, int], None],
    ) -> tuple[Floats, float]:
        """A part's logits of each row, fitted to the other folds, and the strength, that of the least log loss."""
        rows, everything = self.rows, np.arange(len(self.rows.classes))
        found = np.zeros((len(strengths), len(everything), self.classes))
        for done, fold in enumerate(folds):
            on_fold(done, len(folds))
            for logits, head in zip(found, part(np.setdiff1d(everything, fold), strengths), strict=True):
                logits[fold] = head.logits(rows, fold)
        best = int(np.argmin([rows.weights @ _losses(logits, rows.classes) for logits in found]))
        return found[best], strengths[best]

    def _path(
        self, matrix: sparse.csr_matrix, which: Indices, strengths: Sequence[float], *, naive_bayes: bool
    ) -> Iterator[tuple[Floats, Floats]]:
        """Weights `[features, classes]` and bias for each strength; a class without a row is as rare as half a row."""
        known, truth = np.unique(self.rows.classes[which], return_inverse=True)
        found: Iterable[tuple[Floats, Floats]]
        if len(known) == 1:  # nothing to tell apart
            found = [(np.zeros((matrix.shape[1], 1)), np.zeros(1))] * len(strengths)
        else:
            scales = log_count_ratios(matrix, np.eye(len(known))[truth]) if naive_bayes else None
            models = fit_path(matrix, truth, len(known), strengths, self.rows.weights[which], scales=scales)
            found = ((model.weights, model.bias) for model in models)
        for fitted in found:
            weights, bias = of_all_classes(*fitted, known, self.classes, len(which))
            yield of_all_labels(weights), of_all_labels(bias[None])[0]


def _folds(texts: Sequence[str], labels: Sequence[str], groups: Sequence[str | None] | None = None) -> list[Indices]:
    """The rows of each fold that has any; fewer than two where nearly all texts are equal."""
    number = MANY_FOLDS if len(texts) <= ROWS_IN_MANY_FOLDS else USUAL_FOLDS
    number = number if len(texts) <= ROWS_IN_USUAL_FOLDS else FEW_FOLDS
    # A near copy in another fold would be known by heart. But texts made of one pattern are all copies of each other.
    for near in (True, False):
        units = units_of(texts, groups, near=near).rows
        dealt = stratify(texts, labels, [1 / number] * (number - 1), 1, units)
        if max(map(len, dealt)) <= len(texts) / 2:
            break
    return [np.array(fold, np.intp) for fold in dealt if fold]


def _together(heads: Sequence[LinearHead], weights: Floats, bias: Floats) -> LinearHead:
    """The weighted sum of heads, of which only the last one counts n-grams."""
    kernel = np.tensordot(weights, np.stack([head.kernel for head in heads]), 1)
    biases = np.tensordot(weights, np.stack([head.bias for head in heads]), 1)
    return LinearHead.of(kernel, heads[-1].used, weights[-1] * heads[-1].table, biases + bias)


def _trial(parts: Sequence[Floats], rows: KnownRows, prior: Floats, folds: Sequence[Indices]) -> tuple[Trial, Floats]:
    """The mixture against n-grams alone, and its logits; a fold's weights are chosen on the others."""
    with_base, without = np.zeros_like(parts[0]), np.zeros_like(parts[0])
    for fold in folds:
        others = np.setdiff1d(np.arange(len(rows.classes)), fold)
        for chosen, logits, start in ((parts, with_base, prior), (parts[-1:], without, np.ones(1))):
            weights, bias = mixed([part[others] for part in chosen], rows.classes[others], rows.weights[others], start)
            logits[fold] = np.tensordot(weights, np.stack([_centred(part[fold]) for part in chosen]), 1) + bias
    right, without_base = (logits.argmax(axis=1) == rows.classes for logits in (with_base, without))
    error = np.std(right.astype(float) - without_base, ddof=1) / np.sqrt(len(right))
    found = Trial(len(right), len(folds), float(right.mean()), float(without_base.mean()), float(error))
    return found, with_base


def _losses(logits: Floats, classes: Indices) -> Floats:
    found: Floats = -log_softmax(logits, axis=1)[np.arange(len(classes)), classes]
    return found


def _centred(logits: Floats) -> Floats:
    found: Floats = logits - logits.mean(axis=1, keepdims=True)
    return found
