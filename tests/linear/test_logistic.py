"""Logistic regressions end at scikit-learn's optimum, on any number of cores, and stop at once when interrupted."""

import signal
import threading
from itertools import count
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression

from rnn_cli.linear import logistic
from rnn_cli.linear.logistic import SparseRows, fit_logistic, fit_path, fit_weights, on_all_cores

LABELS, ROWS, FEATURES = 11, 600, 40


def rows(seed: int = 1) -> tuple[Any, np.ndarray]:
    """Features of which each label has some of its own."""
    chance = np.random.default_rng(seed)
    classes = chance.integers(0, LABELS, ROWS)
    dense = (chance.random((ROWS, FEATURES)) < 0.1) * chance.random((ROWS, FEATURES))
    dense[np.arange(ROWS), classes] += chance.random(ROWS)
    return sparse.csr_matrix(dense), classes


def exact(matrix: Any, classes: np.ndarray, weights: np.ndarray, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn's weights `[features, width]` and bias."""
    peer = LogisticRegression(C=strength, tol=1e-10, max_iter=10_000).fit(matrix, classes, sample_weight=weights)
    return peer.coef_.T, peer.intercept_


def loss(matrix: Any, classes: np.ndarray, weights: np.ndarray, strength: float, found: tuple[Any, Any]) -> float:
    logits = matrix @ found[0] + found[1]
    if logits.shape[1] == 1:
        logits = np.hstack([np.zeros_like(logits), logits])
    losses = -log_softmax(logits, axis=1)[np.arange(len(classes)), classes]
    return float((found[0] ** 2).sum() / 2 + strength * (weights * losses).sum())


@pytest.mark.parametrize("labels", [2, 3, 8])
@pytest.mark.parametrize("strength", [0.3, 3.0, 100.0])
def test_it_is_at_the_minimum_that_scikit_learn_finds(labels: int, strength: float) -> None:
    matrix, classes = rows()
    classes = classes % labels
    weights = np.where(classes == 1, 2.5, 1.0)
    model = fit_logistic(matrix, classes, labels, strength, weights)
    peer = exact(matrix, classes, weights, strength)
    ours, theirs = (loss(matrix, classes, weights, strength, each) for each in ((model.weights, model.bias), peer))
    assert theirs <= ours * (1 + 1e-9) and ours <= theirs * (1 + 1e-4)
    truth = LogisticRegression(C=strength, tol=1e-10, max_iter=10_000).fit(matrix, classes, sample_weight=weights)
    np.testing.assert_allclose(model.probabilities(matrix), truth.predict_proba(matrix), atol=0.02)


@pytest.mark.parametrize("labels", [2, 3])
def test_features_of_one_row_and_scales_change_nothing(labels: int) -> None:
    """What one row alone has is one number inside, and has its own weight outside."""
    matrix, classes = rows()
    classes = classes % labels
    chance = np.random.default_rng(5)
    own = sparse.csr_matrix(
        (chance.random(2 * ROWS), (np.repeat(np.arange(ROWS), 2), np.arange(2 * ROWS))), (ROWS, 2 * ROWS)
    )
    wide = sparse.hstack([own, matrix]).tocsr()
    scales = chance.normal(size=(wide.shape[1], 1 if labels == 2 else labels))
    scales[3] = 0
    found = fit_weights(SparseRows(wide, all_cores=True), classes, labels, np.ones(ROWS), 3.0, scales=scales)
    assert (found[0][3] == 0).all()
    if labels == 2:
        scaled = (wide @ sparse.diags(scales[:, 0])).tocsr()
        peer = exact(scaled, classes, np.ones(ROWS), 3.0)
        np.testing.assert_allclose(found[0], scales * peer[0], atol=0.01)
    plain = fit_weights(SparseRows(wide, all_cores=False), classes, labels, np.ones(ROWS), 3.0)
    same = exact(wide, classes, np.ones(ROWS), 3.0)
    np.testing.assert_allclose(
        plain[0], same[0] - (0 if labels == 2 else same[0].mean(axis=1, keepdims=True)), atol=0.01
    )


def test_each_label_is_at_the_optimum_of_its_own_regression() -> None:
    matrix, classes = rows()
    weights = np.where(classes == 3, 2.5, 1.0)
    done = count()
    (model,) = fit_path(matrix, classes, LABELS, (3.0,), weights, on_fit=lambda: next(done))
    for label in range(LABELS):
        wanted, bias = exact(matrix, classes == label, weights, 3.0)
        np.testing.assert_allclose(model.weights[:, label], wanted[:, 0], atol=0.02)
        assert model.bias[label] == pytest.approx(bias[0], abs=0.02)
    assert next(done) == LABELS


@pytest.mark.parametrize("labels", [3, LABELS])
def test_going_on_from_another_strength_ends_at_the_same_optimum(labels: int) -> None:
    matrix, classes = rows()
    classes = classes % labels
    _, model = fit_path(matrix, classes, labels, (1.0, 10.0))
    cold = fit_logistic(matrix, classes, labels, 10.0)
    np.testing.assert_allclose(model.weights, cold.weights, atol=0.06)


def test_a_rare_label_is_fitted_as_exactly_as_a_frequent_one() -> None:
    matrix, _ = rows()
    many = sparse.vstack([matrix] * 20).tocsr()
    positive = np.zeros(20 * ROWS, np.intp)
    positive[[5, 205, 405]] = 1
    found = fit_logistic(many, positive, 2, 30.0)
    wanted, _ = exact(many, positive, np.ones(20 * ROWS), 30.0)
    assert np.abs(wanted).max() > 1
    np.testing.assert_allclose(found.weights, wanted, atol=0.02 * np.abs(wanted).max())


@pytest.mark.parametrize("labels", [3, LABELS])
@pytest.mark.parametrize("number", [1, 3])
def test_the_number_of_cores_changes_no_byte(labels: int, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    matrix, classes = rows()
    classes = classes % labels
    wanted = fit_logistic(matrix, classes, labels, 3.0).weights
    monkeypatch.setattr(logistic, "cores", lambda: number)
    assert fit_logistic(matrix, classes, labels, 3.0).weights.tobytes() == wanted.tobytes()


@pytest.mark.parametrize("labels", [3, LABELS + 2])
def test_a_label_without_a_row_is_never_predicted(labels: int) -> None:
    matrix, classes = rows()
    if labels == 3:
        classes = 2 * (classes % 2)
    model = fit_logistic(matrix, classes, labels, 3.0)
    found = model.probabilities(matrix)
    absent = np.setdiff1d(np.arange(labels), classes)
    assert len(absent) and (found[:, absent] == 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert (found.argmax(axis=1) == classes).mean() > 0.6


def test_what_goes_wrong_in_a_thread_is_raised() -> None:
    def work(item: int) -> int:
        if item == 3:
            raise MemoryError
        return item

    with pytest.raises(MemoryError):
        list(on_all_cores(work, range(9)))


def test_an_interrupt_is_heard_while_every_core_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logistic, "cores", lambda: 2)
    go_on, begun = threading.Event(), []

    def work(item: int) -> int:
        begun.append(item)
        if item == 1:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        go_on.wait(60)  # a fit that takes its time
        return item

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        list(on_all_cores(work, range(50)))
    assert not go_on.is_set() and threading.active_count() > before, "it did not wait for the fits under way"
    go_on.set()
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and thread.daemon:
            thread.join(10)
    assert sorted(begun) == [0, 1], "no further fit was begun"
