"""Labels fitted one by one: each to its own optimum, on any number of cores, and given up at once when told to stop."""

import signal
import threading
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from rnn_cli.linear import logistic
from rnn_cli.linear.logistic import fit_label, fit_logistic, fit_one_vs_rest, on_all_cores

LABELS, ROWS, FEATURES = 11, 600, 40


def rows(seed: int = 1) -> tuple[Any, np.ndarray]:
    """Features of which each label has some of its own."""
    chance = np.random.default_rng(seed)
    classes = chance.integers(0, LABELS, ROWS)
    dense = (chance.random((ROWS, FEATURES)) < 0.1) * chance.random((ROWS, FEATURES))
    dense[np.arange(ROWS), classes] += chance.random(ROWS)
    return sparse.csr_matrix(dense), classes


def exact(matrix: Any, positive: np.ndarray, weights: np.ndarray, strength: float) -> np.ndarray:
    peer = LogisticRegression(C=strength, tol=1e-10, max_iter=10_000).fit(matrix, positive, sample_weight=weights)
    return np.append(peer.coef_[0], peer.intercept_[0])


def test_each_label_is_at_the_optimum_of_its_own_regression() -> None:
    matrix, classes = rows()
    weights = np.where(classes == 3, 2.5, 1.0)
    done: list[int] = []
    model = fit_one_vs_rest(matrix, classes, LABELS, 3.0, weights, on_fit=done.append)
    for label in range(LABELS):
        np.testing.assert_allclose(model.weights[label], exact(matrix, classes == label, weights, 3.0), atol=0.01)
    assert done == list(range(1, LABELS + 1))


def test_going_on_from_another_strength_ends_at_the_same_optimum() -> None:
    matrix, classes = rows()
    start = fit_one_vs_rest(matrix, classes, LABELS, 1.0)
    model = fit_one_vs_rest(matrix, classes, LABELS, 10.0, start=start)
    np.testing.assert_allclose(model.weights[2], exact(matrix, classes == 2, np.ones(ROWS), 10.0), atol=0.03)


def test_a_rare_label_is_fitted_as_exactly_as_a_frequent_one() -> None:
    matrix, _ = rows()
    many = sparse.vstack([matrix] * 20).tocsr()
    positive = np.zeros(20 * ROWS, np.bool_)
    positive[[5, 205, 405]] = True
    found = fit_label(many, positive, np.ones(20 * ROWS), 30.0)
    assert found is not None
    wanted = exact(many, positive, np.ones(20 * ROWS), 30.0)
    assert np.abs(wanted[:-1]).max() > 1
    np.testing.assert_allclose(found, wanted, atol=0.02 * np.abs(wanted).max())


@pytest.mark.parametrize("cores", [1, 3])
def test_the_number_of_cores_changes_no_byte(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    matrix, classes = rows()
    wanted = fit_one_vs_rest(matrix, classes, LABELS, 3.0).weights
    monkeypatch.setattr(logistic, "cores", lambda: cores)
    assert fit_one_vs_rest(matrix, classes, LABELS, 3.0).weights.tobytes() == wanted.tobytes()


def test_a_label_without_a_row_is_never_answered() -> None:
    matrix, classes = rows()
    model = fit_one_vs_rest(matrix, classes, LABELS + 2, 3.0)
    found = model.probabilities(matrix)
    assert (found[:, LABELS:] == 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert (found.argmax(axis=1) == classes).mean() > 0.6


@pytest.mark.parametrize("labels", [3, 11])
def test_both_ways_to_fit_start_count_and_leave_out_labels_alike(labels: int) -> None:
    matrix, classes = rows()
    few = np.flatnonzero(classes < labels - 1)
    done: list[int] = []
    start = fit_logistic(matrix[few], classes[few], labels, 1.0, np.ones(len(few)), on_fit=done.append)
    assert done == ([1] if labels == 3 else list(range(1, labels + 1)))
    warm = fit_logistic(matrix[few], classes[few], labels, 10.0, start=start).probabilities(matrix[few])
    cold = fit_logistic(matrix[few], classes[few], labels, 10.0).probabilities(matrix[few])
    np.testing.assert_allclose(warm, cold, atol=0.01)
    assert not np.allclose(warm, start.probabilities(matrix[few]), atol=0.01), "the start stays what it was"
    assert (warm[:, labels - 1] == 0).all()
    np.testing.assert_allclose(warm.sum(axis=1), 1)


def test_rows_of_one_label_have_nothing_to_tell() -> None:
    matrix, _ = rows()
    assert fit_label(matrix, np.ones(ROWS, np.bool_), np.ones(ROWS), 1.0) is None


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
