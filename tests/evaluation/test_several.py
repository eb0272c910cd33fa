"""Metrics of several labels a text equal scikit-learn's; their intervals and comparisons mean what they say."""

import numpy as np
import pytest
from sklearn import metrics as theirs

from rnn_cli.evaluation.several import (
    compare_several,
    log_losses_of_each,
    measure_several,
    ranking_precisions,
)


def drawn(rows: int, labels: int, seed: int, skill: float = 1.0):
    """Truth, probabilities and predictions of some rows, of which some have no label and some get none."""
    chance = np.random.default_rng(seed)
    rates = chance.uniform(0.05, 0.4, labels)
    truth = (chance.random((rows, labels)) < rates).astype(np.intp)
    logits = skill * (2 * truth - 1) + chance.normal(size=truth.shape) - 1
    probabilities = 1 / (1 + np.exp(-logits))
    return truth, np.round(probabilities, 2), (probabilities > 0.4).astype(np.intp)  # rounded: some are equal


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("labels", [2, 5, 28])
def test_equal_to_scikit_learn(labels: int, seed: int):
    truth, probabilities, predicted = drawn(60, labels, seed)
    truth[:, -1] = predicted[:, -1] = 0 if seed % 2 else truth[:, -1]  # a label that does not occur
    names = [f"label {index}" for index in range(labels)]
    found = measure_several(names, truth, probabilities, predicted)
    expected = {
        "micro_f1": theirs.f1_score(truth, predicted, average="micro"),
        "macro_f1": theirs.f1_score(truth, predicted, average="macro", zero_division=np.nan),
        "weighted_f1": theirs.f1_score(truth, predicted, average="weighted", zero_division=0),
        "samples_f1": theirs.f1_score(truth, predicted, average="samples", zero_division=1),
        "exact_match": theirs.accuracy_score(truth, predicted),
        "hamming_loss": theirs.hamming_loss(truth, predicted),
        "ranking_precision": theirs.label_ranking_average_precision_score(truth, probabilities),
    }
    for name, value in expected.items():
        assert getattr(found, name) == pytest.approx(value, abs=1e-12), name
    each = [
        theirs.log_loss(truth[:, label], probabilities[:, label].clip(1e-15, 1 - 1e-15), labels=[0, 1])
        for label in range(labels)
    ]
    assert found.log_loss == pytest.approx(sum(each), abs=1e-9)
    for index, name in enumerate(names):
        of = found.per_class[name]
        precision, recall, f1, support = theirs.precision_recall_fscore_support(
            truth[:, index], predicted[:, index], average="binary", zero_division=np.nan
        )
        for ours, other in ((of.precision, precision), (of.recall, recall), (of.f1, f1)):
            assert (ours is None and np.isnan(other)) or ours == pytest.approx(other, abs=1e-12)
        assert of.support == truth[:, index].sum()


def test_rows_of_no_and_of_all_labels_rank_perfectly_as_in_scikit_learn():
    truth = np.array([[0, 0, 0], [1, 1, 1], [1, 0, 1], [0, 1, 0]])
    probabilities = np.array([[0.2, 0.3, 0.4], [0.1, 0.1, 0.9], [0.5, 0.5, 0.1], [0.3, 0.2, 0.3]])
    found = ranking_precisions(truth, probabilities)
    assert found[:2].tolist() == [1, 1]
    for row in (2, 3):
        expected = theirs.label_ranking_average_precision_score(truth[row : row + 1], probabilities[row : row + 1])
        assert found[row] == pytest.approx(expected, abs=1e-12)


def test_none_of_them_is_right_where_it_is():
    truth, predicted = np.zeros((30, 3), np.intp), np.zeros((30, 3), np.intp)
    truth[:10, 0] = predicted[:10, 0] = 1
    found = measure_several(["a", "b", "c"], truth, np.full((30, 3), 0.1), predicted)
    assert found.samples_f1 == found.exact_match == 1
    assert (found.none, found.predicted_none) == (20, 20)


def test_what_comes_together_and_what_is_mistaken():
    truth = np.array([[1, 1, 0]] * 6 + [[1, 0, 0]] * 4)
    predicted = np.array([[1, 1, 0]] * 5 + [[1, 0, 1]] * 5)
    found = measure_several(["a", "b", "c"], truth, predicted.astype(float), predicted)
    first = found.together[0]
    assert (first.first, first.second, first.rows, first.predicted) == ("a", "b", 6, 5)
    assert first.by_chance == pytest.approx(6.0)
    assert [(each.missed, each.instead, each.rows) for each in found.mistaken] == [("b", "c", 1)]


def test_intervals_hold_the_estimate_and_are_the_same_again():
    truth, probabilities, predicted = drawn(200, 6, 3)
    found = measure_several(list("abcdef"), truth, probabilities, predicted)
    again = measure_several(list("abcdef"), truth, probabilities, predicted)
    assert found == again
    for name in ("micro_f1", "macro_f1", "weighted_f1", "samples_f1", "exact_match", "hamming_loss", "log_loss"):
        low, high = found.intervals[name]
        assert low < getattr(found, name) < high, name


def test_an_interval_is_never_empty():
    truth, _, _ = drawn(100, 4, 1)
    found = measure_several(list("abcd"), truth, truth.astype(float), truth)
    assert found.micro_f1 == 1
    low, high = found.intervals["micro_f1"]
    assert low < 0.99 and high == 1
    alike = compare_several(truth, (truth.astype(float), truth), (truth.astype(float), truth))
    low, high = alike.intervals["micro_f1"]
    assert low < 0 < high and alike.p_values["micro_f1"] == 1


def test_too_few_rows_have_no_intervals():
    truth, probabilities, predicted = drawn(10, 3, 1)
    found = measure_several(list("abc"), truth, probabilities, predicted)
    assert set(found.intervals.values()) == {None}


def test_intervals_hold_their_coverage():
    """Samples of 300 rows of one source: about 95 in 100 intervals hold the value of all rows."""
    truth, probabilities, predicted = drawn(40_000, 5, 11)
    names = list("abcde")
    fields = ("micro_f1", "macro_f1", "samples_f1", "hamming_loss", "ranking_precision")
    true = measure_several(names, truth, probabilities, predicted)
    held = dict.fromkeys(fields, 0)
    tries = 130
    for start in range(0, 300 * tries, 300):
        rows = slice(start, start + 300)
        found = measure_several(names, truth[rows], probabilities[rows], predicted[rows])
        for name in fields:
            low, high = found.intervals[name]
            held[name] += low <= getattr(true, name) <= high
    for name, count in held.items():
        assert 0.88 <= count / tries <= 0.995, (name, count / tries)


def test_a_better_model_is_told_apart_and_a_copy_is_not():
    truth, probabilities, predicted = drawn(600, 6, 5, skill=1.5)
    _, weak, of_weak = drawn(600, 6, 5, skill=0.7)
    better = compare_several(truth, (probabilities, predicted), (weak, of_weak))
    worse = compare_several(truth, (weak, of_weak), (probabilities, predicted))
    for name in ("micro_f1", "macro_f1"):
        low, _ = better.intervals[name]
        assert low > 0 and better.p_values[name] < 0.01
        assert worse.differences[name] == pytest.approx(-better.differences[name])


def test_log_losses_are_those_of_all_decisions():
    truth, probabilities = np.array([[1, 0]]), np.array([[0.8, 0.4]])
    assert log_losses_of_each(truth, probabilities)[0] == pytest.approx(-np.log(0.8) - np.log(0.6))
