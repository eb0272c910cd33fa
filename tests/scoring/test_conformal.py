"""Sets of labels that hold the true one as often as asked: by simulation, and at the ends."""

import json

import numpy as np
import pytest

from rnn_cli.bundle.model_folder import MOST_SCORES
from rnn_cli.errors import UsageError
from rnn_cli.scoring.conformal import Conformal, scores_of
from rnn_cli.scoring.predictor import Predictor


def rows(chance: np.random.Generator, count: int, labels: int = 5):
    """True labels, and probabilities of a model that is far too sure."""
    own = chance.dirichlet(np.full(labels, 0.8), count)
    truth = np.array([chance.choice(labels, p=each) for each in own])
    sure = own**3 + 1e-9
    return truth, sure / sure.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize(("count", "coverage"), [(40, 0.9), (99, 0.8), (400, 0.95), (3_000, 0.9)])
def test_coverage_is_what_was_asked_for(ordered: bool, count: int, coverage: float):
    """Over many sets of validation rows the mean coverage is at least the one asked for, and hardly more."""
    chance, held = np.random.default_rng(count), []
    for _ in range(30 if count > 1_000 else 150):
        truth, probabilities = rows(chance, count)
        kept = Conformal.of_rows(truth, probabilities, "ordered" if ordered else "single")
        later, others = rows(chance, 200)
        found = scores_of(others, "ordered" if ordered else "single") <= kept.farthest(coverage)
        held.append(found[np.arange(200), later].mean())
    error = np.std(held) / np.sqrt(len(held))
    assert coverage - 3 * error <= np.mean(held) <= coverage + 1 / (count + 1) + 0.001 + 3 * error


def rows_of_several(chance: np.random.Generator, count: int, labels: int = 6):
    """Which labels are true, dependent on one another, and probabilities of a model that is too sure."""
    odds = chance.normal(-1.5, 1.5, (count, labels)) + chance.normal(0, 1, (count, 1))
    truth = (chance.random((count, labels)) < 1 / (1 + np.exp(-odds))).astype(int)
    return truth, 1 / (1 + np.exp(-2.5 * odds - 0.5))


@pytest.mark.parametrize(("count", "coverage"), [(40, 0.9), (99, 0.8), (400, 0.95)])
def test_sets_of_several_labels_hold_all_that_are_true_as_often_as_asked(count: int, coverage: float):
    chance, held, sizes = np.random.default_rng(count), [], []
    for _ in range(150):
        kept = Conformal.of_rows(*rows_of_several(chance, count), "several")
        later, others = rows_of_several(chance, 200)
        found = kept.sets(others, coverage, np.zeros_like(later), "several")
        held.append((found >= later).all(axis=1).mean())
        sizes.append(found.sum(axis=1).mean())
    error = np.std(held) / np.sqrt(len(held))
    assert coverage - 3 * error <= np.mean(held) <= coverage + 1 / (count + 1) + 0.001 + 3 * error
    assert np.mean(sizes) < 5.5  # not all labels, which would hold the true ones always


def test_a_row_without_labels_is_in_every_set_and_what_is_predicted_is_in_it():
    kept = Conformal.of_rows(np.zeros((9, 2), int), np.full((9, 2), 0.3), "several")
    assert set(kept.scores) == {0.0}
    found = kept.sets(np.array([[0.3, 0.6]]), 0.5, np.array([[0, 1]]), "several")
    assert found.tolist() == [[False, True]]


def test_sets_of_ordered_labels_have_no_gaps():
    chance = np.random.default_rng(1)
    truth, probabilities = rows(chance, 300, 8)
    kept = Conformal.of_rows(truth, probabilities, "ordered")
    median = (np.cumsum(probabilities, axis=1)[:, :-1] < 0.5).sum(axis=1)
    found = kept.sets(probabilities, 0.8, median, "ordered").astype(int)
    assert (np.abs(np.diff(found, axis=1, prepend=0, append=0)).sum(axis=1) == 2).all()


def test_a_larger_coverage_has_larger_sets_and_the_prediction_is_in_each():
    truth, probabilities = rows(np.random.default_rng(2), 500)
    kept = Conformal.of_rows(truth, probabilities, "single")
    chosen = probabilities.argmax(axis=1)
    small, large = (kept.sets(probabilities, each, chosen, "single") for each in (0.1, 0.95))
    assert (small <= large).all() and small.sum() < large.sum()
    assert small[np.arange(500), chosen].all()


def test_so_many_rows_allow_so_much():
    truth, probabilities = rows(np.random.default_rng(3), 9)
    kept = Conformal.of_rows(truth, probabilities, "single")
    assert kept.farthest(0.9) == max(kept.scores)
    with pytest.raises(UsageError, match=r"9 validation rows .* 0\.95.* the most is 0\.9"):
        kept.farthest(0.95)
    for wrong in (0, 1, -0.5, float("nan")):
        with pytest.raises(UsageError, match="must be between 0 and 1"):
            kept.farthest(wrong)


@pytest.mark.parametrize("count", [1, 7, MOST_SCORES, MOST_SCORES + 1, 12_345])
def test_of_many_rows_a_sample_of_scores_is_kept_that_covers_no_less(count: int):
    truth, probabilities = rows(np.random.default_rng(count), count)
    kept = Conformal.of_rows(truth, probabilities, "single")
    every = np.sort(1 - probabilities[np.arange(count), truth])
    assert len(kept.scores) == min(count, MOST_SCORES) and kept.scores[-1] == every[-1]
    for coverage in (0.2, 0.5, 0.9, 0.99):
        rank = int(np.ceil(round((count + 1) * coverage, 9)))
        if rank <= count:
            assert every[rank - 1] <= kept.farthest(coverage) <= every[min(rank - 1 + count // MOST_SCORES, count - 1)]


def test_a_bundle_keeps_them(trained, trained_ordered, trained_several):
    for folder in (trained, trained_ordered, trained_several):
        model = Predictor.open(folder)
        kept = Conformal.of_manifest(model.bundle.manifest.data)
        assert kept is not None and kept.rows == model.bundle.manifest.data["rows"]["validation"]
        assert Conformal(**json.loads(json.dumps(kept.to_dict())) | {"scores": kept.scores}) == kept
        (found,) = model.predict_sets("a text", 0.9)
        assert set(model.named(model.predict_proba("a text"))[0]) <= set(found)
        assert model.predictions(model.score(["a text"]), 0.9)[0].label_set == found
    with pytest.raises(UsageError, match="of all labels, not of some"):
        Predictor.open(trained_ordered).among(["1", "2", "3"]).predict_sets("a text")
