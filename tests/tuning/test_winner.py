"""The figure that a choice is luck in: corrected, it is right on average where the figure that chose is not."""

import numpy as np
import pytest

from rnn_cli.evaluation.several import measure_several
from rnn_cli.tuning.goals import GOALS, Goal
from rnn_cli.tuning.journal import TrialRecord
from rnn_cli.tuning.samples import goal_on_samples
from rnn_cli.tuning.winner import standing_of
from rnn_cli.tuning.wording import lead_in_words

ACCURACY = Goal("accuracy", "single", ("a", "b"))


def guessed(chance: np.random.Generator, truth: np.ndarray, right: float) -> tuple[np.ndarray, np.ndarray]:
    """Predictions of two labels that are right with this probability."""
    predicted = np.where(chance.random(len(truth)) < right, truth, 1 - truth)
    sure = np.where(predicted == 1, 0.8, 0.2)
    return np.stack([1 - sure, sure], axis=1), predicted


def test_the_correction_takes_out_the_luck_of_choosing():
    """Thirty models that are right in 70 % of all rows: the best of them on 200 rows seems better."""
    chose, corrected = [], []
    for seed in range(12):
        chance = np.random.default_rng(seed)
        truth = chance.integers(2, size=200)
        found = {number: guessed(chance, truth, 0.7) for number in range(30)}
        best = max(found, key=lambda number: (found[number][1] == truth).mean())
        standing = standing_of(ACCURACY, truth, found, best, [])
        chose.append(standing.chosen)
        corrected.append(standing.corrected)
        assert standing.interval[0] < standing.corrected < standing.interval[1]
        assert sum(standing.wins.values()) == pytest.approx(1)
    assert np.mean(chose) > 0.75
    assert np.mean(corrected) == pytest.approx(0.7, abs=0.02)


def test_a_lead_is_beyond_chance_only_where_it_is():
    chance = np.random.default_rng(5)
    truth = chance.integers(2, size=1_000)
    good, equal, bad = (guessed(chance, truth, right) for right in (0.8, 0.8, 0.6))
    standing = standing_of(ACCURACY, truth, {0: good, 1: equal, 2: bad}, 0, [1, 2])
    same, clear = standing.leads
    assert clear.beyond_chance and clear.share == 1 and clear.difference == pytest.approx(0.2, abs=0.05)
    assert not same.beyond_chance


@pytest.mark.parametrize("kind", ["single", "ordered"])
def test_figures_of_samples_are_those_of_the_rows(kind: str):
    chance = np.random.default_rng(3)
    labels = ("1", "2", "3")
    truth = chance.integers(3, size=90)
    probabilities = chance.dirichlet([1, 1, 1], size=90)
    predicted = probabilities.argmax(axis=1)
    for name in GOALS[kind]:  # type: ignore[index]
        goal = Goal(name, kind, labels)  # type: ignore[arg-type]
        (found,) = goal_on_samples(goal, truth, (probabilities, predicted), np.ones((1, 90)))
        assert found == pytest.approx(goal.of(truth, probabilities, predicted)), name
        twice = np.full((1, 90), 2.0)  # each row twice: the same
        assert goal_on_samples(goal, truth, (probabilities, predicted), twice)[0] == pytest.approx(found), name


def test_figures_of_samples_of_several_labels():
    chance = np.random.default_rng(4)
    labels = ("a", "b", "c")
    truth = chance.integers(2, size=(80, 3))
    probabilities = chance.random((80, 3))
    predicted = (probabilities > 0.5).astype(int)
    whole = measure_several(labels, truth, probabilities, predicted)
    for name in GOALS["several"]:
        (found,) = goal_on_samples(Goal(name, "several", labels), truth, (probabilities, predicted), np.ones((1, 80)))
        assert found == pytest.approx(getattr(whole, name)), name


def test_accuracy_is_chosen_by_log_loss_and_the_sentence_says_so():
    """Of two models one is right once more, and far too sure where it is wrong."""
    chance = np.random.default_rng(6)
    truth = chance.integers(2, size=300)
    _, predicted = guessed(chance, truth, 0.7)
    lucky = predicted.copy()
    wrong = np.flatnonzero(predicted != truth)
    lucky[wrong[0]] = truth[wrong[0]]
    calm, sure = (
        (np.stack([1 - each, each], axis=1), classes)
        for each, classes in ((np.where(predicted, 0.7, 0.3), predicted), (np.where(lucky, 0.99, 0.01), lucky))
    )
    standing = standing_of(ACCURACY, truth, {0: calm, 1: sure}, 0, [1])
    assert standing.wins[0] == 1
    records = [TrialRecord(number, "complete", "", {}, None) for number in (0, 1)]
    assert ACCURACY.cost_of(0.7, {"log_loss": 0.6}) < ACCURACY.cost_of(0.8, {"log_loss": 0.7})
    (said,) = [lead_in_words(each, "accuracy", records) for each in standing.leads]
    assert said == "Trial 1 has 0.3 points more, but a worse log loss, which is less a matter of chance."
