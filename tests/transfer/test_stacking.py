"""The parts that are fitted on a base, and the weights of their mixture."""

import numpy as np
import pytest
from scipy import sparse

from rnn_cli.transfer import stacking
from rnn_cli.transfer.stacking import KnownRows, fit_stack, mixed


def rows(count: int = 120, classes: int = 3, *, told: bool = True) -> tuple[KnownRows, list[str]]:
    """Rows of which a feature tells the class, or none does; the n-grams tell nothing."""
    chance = np.random.default_rng(1)
    truth = np.arange(count) % classes
    features = chance.normal(size=(count, 6))
    if told:
        features[np.arange(count), truth] += 3
    counts = sparse.csr_matrix(np.eye(10)[chance.integers(0, 10, count)])
    return KnownRows(features, counts, truth, np.ones(count)), [f"text {number}" for number in range(count)]


def test_a_part_that_tells_the_class_has_the_weight() -> None:
    known, texts = rows()
    fitted = fit_stack(known, texts, ["a", "b", "c"], None)
    assert fitted.weights[stacking.NETWORK_PART] > fitted.weights[stacking.NGRAM_PART] >= 0
    assert fitted.trial is not None
    assert fitted.trial.rows == 120
    assert fitted.trial.accuracy > 0.85 and fitted.trial.ngram_accuracy < 0.5
    assert fitted.trial.pays
    assert fitted.head.measured(known)[1] > 0.85


def test_a_base_that_tells_nothing_does_not_pay() -> None:
    known, texts = rows(told=False)
    trial = fit_stack(known, texts, ["a", "b", "c"], None).trial
    assert trial is not None and not trial.pays


def test_the_trial_predicts_rows_it_has_not_seen() -> None:
    """Without a rule, a model that had seen the rows would be right about more than a third of them."""
    known, texts = rows(count=300, told=False)
    alone = KnownRows(np.random.default_rng(2).normal(size=(300, 200)), known.counts, known.classes, known.weights)
    trial = fit_stack(alone, texts, ["a", "b", "c"], None).trial
    assert trial is not None and trial.accuracy < 0.45


def test_equal_texts_are_in_one_fold() -> None:
    folds = stacking._folds(["same"] * 10 + [f"text {number}" for number in range(40)], ["a", "b"] * 25)
    assert sorted(np.concatenate(folds).tolist()) == list(range(50))
    assert sum(bool(set(range(10)) & set(fold.tolist())) for fold in folds) == 1


def test_without_rows_the_prior_stands() -> None:
    prior = np.array([1.0, 0.0])
    weights, bias = mixed([np.empty((0, 3)), np.empty((0, 3))], np.empty(0, np.intp), np.empty(0), prior)
    np.testing.assert_allclose(weights, prior)
    np.testing.assert_allclose(bias, 0)


def test_no_weight_is_negative() -> None:
    truth = np.arange(90) % 3
    right = np.eye(3)[truth]
    weights, _ = mixed([right, -right], truth, np.ones(90), np.array([0.5, 0.5]))
    assert weights[0] > 1 and weights[1] == 0


def test_rows_count_by_their_weight() -> None:
    truth = np.array([0, 1] * 40)
    one, other = np.eye(2)[truth], np.eye(2)[1 - truth]
    says = np.where(np.arange(80)[:, None] < 40, one, other)  # right on the first half, wrong on the second
    halves = np.repeat([1.0, 0.01], 40)
    first, second = (mixed([says], truth, each, np.array([0.5]))[0][0] for each in (halves, halves[::-1]))
    assert first > 1 > second


def test_few_rows_are_not_cross_validated() -> None:
    known, texts = rows(count=12)
    answer = np.zeros((6, 3))
    answer[:3] = np.eye(3)
    fitted = fit_stack(known, texts, ["a", "b", "c"], answer)
    assert fitted.trial is None
    assert fitted.weights == {stacking.OWN_PART: 1.0, stacking.NETWORK_PART: 0.0, stacking.NGRAM_PART: 0.0}


@pytest.mark.parametrize("classes", [2, 3, 12])
def test_any_number_of_labels(classes: int) -> None:
    chance = np.random.default_rng(4)
    truth = np.arange(240) % classes
    features = np.hstack([3 * np.eye(classes)[truth], chance.normal(size=(240, 4))])
    known = KnownRows(features, sparse.csr_matrix(np.eye(10)[truth % 10]), truth, np.ones(240))
    fitted = fit_stack(known, [f"t{number}" for number in range(240)], [str(each) for each in range(classes)], None)
    assert fitted.head.measured(known)[1] > 0.95


def test_a_label_with_one_row_is_rare_not_impossible() -> None:
    known, texts = rows(count=100, classes=2)
    truth = known.classes.copy()
    truth[0] = 2
    fitted = fit_stack(KnownRows(known.features, known.counts, truth, known.weights), texts, ["a", "b", "c"], None)
    assert np.isfinite(fitted.head.logits(known, np.arange(100))).all()


def test_it_is_the_same_again() -> None:
    known, texts = rows()
    one, other = (fit_stack(known, texts, ["a", "b", "c"], None) for _ in range(2))
    assert one.weights == other.weights
    np.testing.assert_array_equal(one.head.table, other.head.table)


def test_texts_of_one_pattern_are_cross_validated() -> None:
    known, _ = rows(60)
    pattern = "please send the invoice of the customer in the shop near the town hall to the office number {}"
    trial = fit_stack(known, [pattern.format(number) for number in range(60)], ["a", "b", "c"], None).trial
    assert trial is not None and trial.folds == stacking.MANY_FOLDS


def test_equal_texts_alone_are_not_cross_validated() -> None:
    known, _ = rows(60)
    assert fit_stack(known, ["the same"] * 60, ["a", "b", "c"], None).trial is None
