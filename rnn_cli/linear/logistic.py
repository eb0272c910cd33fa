"""Logistic regressions of labels on sparse features: a handful of labels together, more of them one by one.

One softmax over hundreds of labels takes hours and a dozen copies of all weights. One label at a time takes minutes,
and a core holds the work of one label. On 60 labels of short texts it was also more accurate (66.8 % against 64.8 %).
Knows nothing of texts or files.

The loss is that of scikit-learn's `LogisticRegression`: half the squared weights plus C times the rows' weighted log
losses; the bias carries no penalty. Newton's method finds its minimum: each step solves for the direction by conjugate
gradients, which need the matrix only in products with vectors.

Source: Lin, Weng and Keerthi (2008), Trust region Newton method for large-scale logistic regression, Journal of Machine
Learning Research 9; Rifkin and Klautau (2004), In defense of one-vs-all classification, the same 5.
"""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from scipy import sparse
from scipy.special import expit, log_softmax, softmax
from threadpoolctl import threadpool_limits

from rnn_cli.arrays import Flags, Floats, Indices
from rnn_cli.system import cores

HANDFUL = 8
"""Up to this many labels share one softmax, which is as accurate there and about as quick."""

TOLERANCE = 1e-3
"""The last step is the first that can lower the loss by less than this share of it: what is left then is far less."""

DIRECTION_TOLERANCE = 0.1
"""By how much conjugate gradients reduce the residual of a step's direction."""

MOST_STEPS, MOST_PRODUCTS, MOST_HALVINGS = 100, 100, 40
"""Maximum steps of a fit, products with the Hessian for a step's direction, and halvings of a step."""

OnFit = Callable[[], None]
"""Called after each fit, or each step of one."""

Result = TypeVar("Result")


class SparseRows:
    """A sparse matrix `[rows, features]` laid out for many products with vectors, on one or all cores.

    Features that one row alone has need no column: at the minimum their weights are in proportion to their values, so
    those of a row are one number. In texts they are two thirds of all word pairs. The other columns are in order of
    frequency, so that the most used weights stay in the cache. Each number is a sum in one order, on any number of
    cores.
    """

    def __init__(self, matrix: sparse.csr_matrix, *, all_cores: bool) -> None:
        self.rows, self.features = matrix.shape
        often = np.bincount(matrix.indices, minlength=self.features)
        self.shared: Indices = np.argsort(-often, kind="stable")[: int((often > 1).sum())]
        rank = np.empty(self.features, matrix.indices.dtype)
        rank[self.shared] = np.arange(len(self.shared))
        alone = often[matrix.indices] == 1
        self.alone = _picked(matrix, alone, matrix.indices, self.features)
        shared = _picked(matrix, ~alone, rank[matrix.indices], len(self.shared))
        parts = cores() if all_cores else 1
        self._by_row, self._by_feature = _divided(shared, parts), _divided(shared.T.tocsr(), parts)
        self._threads = ThreadPoolExecutor(parts, "logistic") if parts > 1 else None

    def times(self, weights: Floats) -> Floats:
        """The product with weights of the shared features, `[shared, width]`: `[rows, width]`."""
        return self._product(self._by_row, weights)

    def turned_times(self, residuals: Floats) -> Floats:
        """The product of the transposed matrix with `[rows, width]`: `[shared, width]`."""
        return self._product(self._by_feature, residuals)

    def _product(self, parts: Sequence[sparse.csr_matrix], right: Floats) -> Floats:
        one = right.shape[1] == 1
        vectors = right[:, 0] if one else right  # SciPy is quicker with a flat vector
        run = map if self._threads is None else self._threads.map
        found = np.concatenate(list(run(lambda part: part @ vectors, parts)))
        return found[:, None] if one else found


def _picked(matrix: sparse.csr_matrix, which: Flags, columns: Indices, width: int) -> sparse.csr_matrix:
    """The entries `which`, with new columns."""
    ends = np.concatenate([[0], np.cumsum(which)])[matrix.indptr]
    return sparse.csr_matrix((matrix.data[which].astype(np.float64), columns[which], ends), (matrix.shape[0], width))


def _divided(matrix: sparse.csr_matrix, parts: int) -> list[sparse.csr_matrix]:
    """The matrix as parts of about as many entries, rows in order."""
    ends = np.searchsorted(matrix.indptr, np.linspace(0, matrix.nnz, parts + 1)[1:-1])
    bounds = [0, *ends.tolist(), matrix.shape[0]]
    return [matrix[start:end] for start, end in zip(bounds, bounds[1:], strict=False)]


@dataclass(frozen=True)
class Logistic:
    """Weights `[features, width]` and bias `[width]`, one of the labels `known`, of `labels` labels in all.

    The width is 1 for two labels fitted together: the log-odds of the second.
    """

    weights: Floats
    bias: Floats
    known: Indices
    labels: int

    def probabilities(self, matrix: Any) -> Floats:
        """Probabilities `[rows, labels]`, the softmax of the labels' log-odds; 0 for a label that had no row."""
        logits = matrix @ self.weights + self.bias
        if len(self.known) > self.weights.shape[1]:
            logits = np.hstack([np.zeros_like(logits), logits])
        found = np.zeros((matrix.shape[0], self.labels))
        found[:, self.known] = softmax(logits, axis=1)
        return found


def fit_logistic(
    matrix: Any, classes: Indices, labels: int, strength: float, weights: Floats | None = None
) -> Logistic:
    """Fit `labels` labels to sparse rows `[rows, features]` of these classes `[rows]`, at least two of them present.

    `strength` is C, the inverse of the penalty's strength. `weights` are the rows' weights in the loss.
    """
    return next(fit_path(matrix, classes, labels, (strength,), weights))


def fit_path(
    matrix: Any,
    classes: Indices,
    labels: int,
    strengths: Sequence[float],
    weights: Floats | None = None,
    on_fit: OnFit = lambda: None,
    scales: Floats | None = None,
) -> Iterator[Logistic]:
    """Fit as `fit_logistic` does with one strength after the other, each from the weights of the one before.

    `scales` multiply the features, as in `fit_weights`: `[features, width]` for the labels that have a row.
    """
    rows = SparseRows(matrix, all_cores=labels <= HANDFUL)
    known = np.unique(classes)
    of_row = np.ones(len(classes)) if weights is None else weights
    start: Sequence[tuple[Floats, Floats] | None] = [None] * len(known)
    truth = np.searchsorted(known, classes)
    for strength in strengths:
        if labels <= HANDFUL:
            with threadpool_limits(1):  # several threads differ in the last digits
                found, bias = fit_weights(rows, truth, len(known), of_row, strength, scales=scales, start=start[0])
            start = [(found, bias)]
            on_fit()
        else:
            alone = _fit_each(rows, truth, len(known), of_row, strength, start, on_fit, scales)
            start, (found, bias) = alone, _side_by_side(alone)
        yield Logistic(found, bias, known, labels)


def _fit_each(
    rows: SparseRows,
    truth: Indices,
    labels: int,
    weights: Floats,
    strength: float,
    start: Sequence[tuple[Floats, Floats] | None],
    on_fit: OnFit,
    scales: Floats | None,
) -> list[tuple[Floats, Floats]]:
    """Fit each label against the rest."""

    def work(label: int) -> tuple[Floats, Floats]:
        scale = None if scales is None else scales[:, label : label + 1]
        truth_of = (truth == label).astype(np.intp)
        return fit_weights(rows, truth_of, 2, weights, strength, scales=scale, start=start[label])

    return _of_each(work, labels, on_fit)


def _of_each(work: Callable[[int], tuple[Floats, Floats]], labels: int, on_fit: OnFit) -> list[tuple[Floats, Floats]]:
    """What `work` finds of each label, in order."""
    found: dict[int, tuple[Floats, Floats]] = {}
    for label, of_label in on_all_cores(work, range(labels)):
        found[label] = of_label
        on_fit()
    return [found[label] for label in range(labels)]


def _side_by_side(alone: Sequence[tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
    """The weights and biases of labels that were fitted one by one, as those of all."""
    return np.hstack([weights for weights, _ in alone]), np.hstack([bias for _, bias in alone])


def fit_each_label(
    matrix: Any,
    truth: Indices,
    strengths: Sequence[float],
    weights: Floats,
    on_fit: OnFit = lambda: None,
    scales: Floats | None = None,
) -> Iterator[tuple[Floats, Floats]]:
    """Fit each of several labels that a row may have, 1 or 0 in `truth` `[rows, labels]`, by itself.

    `weights` are the rows' in the loss of each label, `[rows, labels]`, or of all labels, `[rows]`.
    Yields weights `[features, labels]` and bias `[labels]`, the log-odds of each label, with one strength after the
    other, each from the weights of the one before. A label without a row, or with all, has the log-odds of half a row.
    """
    rows, labels = SparseRows(matrix, all_cores=False), truth.shape[1]
    counts, total = truth.sum(axis=0), truth.shape[0]
    constant = np.log((counts + 0.5) / (total - counts + 0.5))
    start: list[tuple[Floats, Floats] | None] = [None] * labels
    of_each = weights if weights.ndim == 2 else np.broadcast_to(weights[:, None], truth.shape)
    for strength in strengths:

        def work(label: int, strength: float = strength, start: Any = start) -> tuple[Floats, Floats]:
            if counts[label] in (0, total):
                return np.zeros((rows.features, 1)), constant[label : label + 1]
            scale = None if scales is None else scales[:, label : label + 1]
            own = np.ascontiguousarray(of_each[:, label])
            return fit_weights(rows, truth[:, label], 2, own, strength, scales=scale, start=start[label])

        alone = _of_each(work, labels, on_fit)
        start = [*alone]
        yield _side_by_side(alone)


def fit_weights(
    rows: SparseRows,
    classes: Indices,
    labels: int,
    weights: Floats,
    strength: float,
    *,
    scales: Floats | None = None,
    start: tuple[Floats, Floats] | None = None,
    on_step: OnFit = lambda: None,
) -> tuple[Floats, Floats]:
    """The weights `[features, width]` and the bias `[width]` that separate classes `[rows]`, each with a row.

    The width is 1 for two labels, else `labels`. `weights` are the rows' weights in the loss. `scales`, `[features,
    width]`, multiply the features; the weights returned are those of features that are not multiplied. `start` is an
    earlier result of the same rows and scales.
    """
    return _Fit(rows, classes, labels, weights, strength, scales).minimum(start, on_step)


@dataclass(frozen=True)
class _Point:
    """The weights of the shared features, of each row's own ones as one, and the bias; each is `[..., width]`."""

    shared: Floats
    own: Floats
    bias: Floats

    def plus(self, other: "_Point", times: float) -> "_Point":
        return _Point(self.shared + times * other.shared, self.own + times * other.own, self.bias + times * other.bias)

    def dot(self, other: "_Point") -> float:
        return self.penalized(other) + float(self.bias @ other.bias)

    def penalized(self, other: "_Point") -> float:
        """Their product without the bias, which carries no penalty."""
        return float(np.vdot(self.shared, other.shared)) + float(np.vdot(self.own, other.own))


class _Fit:
    """One loss and its minimum."""

    def __init__(
        self, rows: SparseRows, classes: Indices, labels: int, weights: Floats, strength: float, scales: Floats | None
    ) -> None:
        self.rows, self.strength, self.scales = rows, strength, scales
        self.truth = np.eye(labels)[classes][:, labels == 2 :]
        self.width = self.truth.shape[1]
        self.weights = weights.astype(np.float64)[:, None]
        self.shared_scales = None if scales is None else scales[rows.shared]
        squares = rows.alone.multiply(rows.alone)
        of_feature = np.ones((rows.features, self.width)) if scales is None else scales * scales
        self.own_values = np.sqrt(squares @ of_feature)

    def minimum(self, start: tuple[Floats, Floats] | None, on_step: OnFit) -> tuple[Floats, Floats]:
        at = self._begin(start)
        logits = self._logits(at)
        loss = self._loss(at.penalized(at), logits)
        for _ in range(MOST_STEPS):
            probabilities = self._probabilities(logits)
            gradient = self._turned(self.weights * (probabilities - self.truth), at)
            step, moved = self._direction(gradient, probabilities)
            slope = gradient.dot(step)
            if not slope < 0:
                break
            squares, both, of_step = at.penalized(at), at.penalized(step), step.penalized(step)
            times = 1.0
            for _ in range(MOST_HALVINGS):
                tried = self._loss(squares + 2 * times * both + times * times * of_step, logits + times * moved)
                if tried <= loss + 1e-4 * times * slope:
                    break
                times /= 2
            else:
                break
            at, logits, loss = at.plus(step, times), logits + times * moved, tried
            on_step()
            if -slope / 2 <= TOLERANCE * loss:
                break
        return self._unfolded(at)

    def _direction(self, gradient: _Point, probabilities: Floats) -> tuple[_Point, Floats]:
        """Newton's step, about, and what it adds to the logits."""
        curvature = self.weights * probabilities * (1 - probabilities)
        of_own = 1 + self.strength * curvature * self.own_values**2
        of_bias = self.strength * curvature.sum(axis=0) + 1e-12

        def eased(point: _Point) -> _Point:  # the preconditioner: the diagonal where it costs nothing
            return _Point(point.shared, point.own / of_own, point.bias / of_bias)

        zero = np.zeros_like
        step = _Point(zero(gradient.shared), zero(gradient.own), zero(gradient.bias))
        moved = zero(probabilities)
        left = step.plus(gradient, -1.0)
        towards = at = eased(left)
        product = first = left.dot(at)
        for _ in range(MOST_PRODUCTS):
            if product <= DIRECTION_TOLERANCE**2 * first:
                break
            logits = self._logits(towards)
            if self.width == 1:
                curved = curvature * logits
            else:
                mean = (probabilities * logits).sum(axis=1, keepdims=True)
                curved = self.weights * probabilities * (logits - mean)
            turned = self._turned(curved, towards)
            length = product / towards.dot(turned)
            step, moved, left = step.plus(towards, length), moved + length * logits, left.plus(turned, -length)
            at = eased(left)
            product, before = left.dot(at), product
            towards = at.plus(towards, product / before)
        return step, moved

    def _logits(self, point: _Point) -> Floats:
        shared = point.shared if self.shared_scales is None else self.shared_scales * point.shared
        logits: Floats = self.rows.times(shared) + self.own_values * point.own + point.bias
        return logits

    def _turned(self, residuals: Floats, penalty_of: _Point) -> _Point:
        """C times what `_logits` does, turned around, and what the penalty adds."""
        shared = self.rows.turned_times(residuals)
        if self.shared_scales is not None:
            shared *= self.shared_scales
        return _Point(
            penalty_of.shared + self.strength * shared,
            penalty_of.own + self.strength * self.own_values * residuals,
            self.strength * residuals.sum(axis=0),
        )

    def _loss(self, squares: float, logits: Floats) -> float:
        if self.width == 1:
            losses = np.logaddexp(0, logits) - self.truth * logits
        else:
            losses = -(self.truth * log_softmax(logits, axis=1)).sum(axis=1, keepdims=True)
        return squares / 2 + self.strength * float((self.weights * losses).sum())

    def _probabilities(self, logits: Floats) -> Floats:
        found: Floats = expit(logits) if self.width == 1 else softmax(logits, axis=1)
        return found

    def _begin(self, start: tuple[Floats, Floats] | None) -> _Point:
        if start is None:
            start = np.zeros((self.rows.features, self.width)), np.zeros(self.width)
        weights, bias = start
        if self.scales is not None:
            weights = np.divide(weights, self.scales, out=np.zeros_like(weights), where=self.scales != 0)
        folded = self.rows.alone @ (weights if self.scales is None else weights * self.scales)
        own = np.divide(folded, self.own_values, out=np.zeros_like(folded), where=self.own_values > 0)
        return _Point(weights[self.rows.shared], own, bias.astype(np.float64))

    def _unfolded(self, point: _Point) -> tuple[Floats, Floats]:
        own = np.divide(point.own, self.own_values, out=np.zeros_like(point.own), where=self.own_values > 0)
        weights: Floats = self.rows.alone.T @ own
        weights[self.rows.shared] = point.shared
        if self.scales is not None:  # once for what the features are, once for what their weights are multiplied by
            alone = np.ones(self.rows.features, np.bool_)
            alone[self.rows.shared] = False
            weights[alone] *= self.scales[alone]
            weights *= self.scales
        return weights, point.bias


def of_all_classes(weights: Floats, bias: Floats, known: Indices, classes: int, rows: int) -> tuple[Floats, Floats]:
    """Weights and bias of the `known` classes for all; one without a row has the log-odds of half a row of so many."""
    if len(known) == classes:
        return weights, bias
    rare = -np.log(2 * rows)
    if classes == 2:
        return weights, np.array([rare if known[0] == 0 else -rare])
    if len(known) == 2:
        weights, bias = np.hstack([np.zeros_like(weights), weights]), np.append(0, bias)
    every, all_bias = np.zeros((len(weights), classes)), np.full(classes, rare)
    every[:, known], all_bias[known] = weights, bias
    return every, all_bias


def on_all_cores(work: Callable[[int], Result], items: Sequence[int]) -> Iterator[tuple[int, Result]]:
    """Yield each item and the result of `work` on it, as they finish, from one thread per core.

    Ctrl-C interrupts the caller at once; the threads then end after their current item. Each thread computes on one
    core, so the number of cores changes no digit.
    """
    todo: queue.SimpleQueue[int] = queue.SimpleQueue()
    for item in items:
        todo.put(item)
    results: queue.SimpleQueue[tuple[int, Result | None, BaseException | None]] = queue.SimpleQueue()
    is_over = threading.Event()

    def run() -> None:
        while not is_over.is_set():
            try:
                item = todo.get_nowait()
            except queue.Empty:
                return
            try:
                results.put((item, work(item), None))
            except BaseException as error:
                results.put((item, None, error))

    try:
        with threadpool_limits(1):  # set here, not in the threads: it applies to the whole process
            for _ in range(min(cores(), len(items))):
                threading.Thread(target=run, daemon=True).start()
            for _ in items:
                item, result, error = results.get()
                if error is not None:
                    raise error
                yield item, result  # type: ignore[misc]  # there is a result where there is no error
    finally:
        is_over.set()
