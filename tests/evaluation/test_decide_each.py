"""A threshold for each label, chosen on validation rows; rare labels lean on all of them."""

import numpy as np
import pytest

from rnn_cli.config.schema import DecisionConfig
from rnn_cli.evaluation.decide_each import decide_each, shared_threshold
from rnn_cli.scoring.of_each import DecisionOfEach


def f1(truth, predicted):
    return 2 * (truth & predicted).sum() / max((truth + predicted).sum(), 1)


@pytest.fixture
def rows():
    """4,000 rows of three labels whose probabilities are right, and too low for the last one."""
    chance = np.random.default_rng(4)
    probabilities = chance.beta(0.4, 1.6, (4_000, 3))
    truth = (chance.random(probabilities.shape) < probabilities).astype(np.intp)
    probabilities[:, 2] /= 3
    return truth, probabilities


def test_each_label_has_the_threshold_of_its_best_f1(rows):
    truth, probabilities = rows
    decision, shortfalls = decide_each(DecisionConfig(), truth, probabilities)
    predicted = decision.choose(probabilities)
    assert shortfalls == ()
    assert decision.thresholds[2] < 0.15 < decision.thresholds[0]
    for label in range(3):
        best = max(f1(truth[:, label], probabilities[:, label] >= t) for t in np.linspace(0.005, 0.9, 200))
        assert f1(truth[:, label], predicted[:, label]) > best - 0.01


def test_a_rare_label_leans_on_all_labels_and_one_without_rows_has_their_threshold(rows):
    truth, probabilities = (each[:300].copy() for each in rows)
    truth[:, 0], truth[:, 1] = 0, 0
    truth[np.argmax(probabilities[:, 1]), 1] = 1  # its own best threshold is just below its one row
    shared = shared_threshold(truth, probabilities)
    decision, _ = decide_each(DecisionConfig(), truth, probabilities)
    assert decision.thresholds[0] == pytest.approx(shared)
    own = probabilities[:, 1].max()
    assert shared < decision.thresholds[1] < own
    assert abs(decision.thresholds[1] - shared) < abs(own - shared) / 2


def test_a_precision_that_is_asked_for_is_reached_by_each_label(rows):
    truth, probabilities = rows
    decision, shortfalls = decide_each(DecisionConfig(goal="precision >= 0.7"), truth, probabilities)
    predicted = decision.choose(probabilities)
    assert shortfalls == ()
    for label in range(3):
        assert truth[:, label][predicted[:, label] == 1].mean() >= 0.7


def test_what_no_threshold_reaches_is_said():
    truth, probabilities = np.array([[1, 0], [0, 1]] * 40), np.full((80, 2), 0.5)
    _, shortfalls = decide_each(DecisionConfig(goal="precision >= 0.9"), truth, probabilities)
    assert shortfalls == ("no threshold reaches precision >= 0.9 on the validation rows for 2 labels",)


def test_a_threshold_that_is_given_is_that_of_all_labels(rows):
    decision, _ = decide_each(DecisionConfig(threshold=0.3, most_labels=2), *rows)
    assert decision == DecisionOfEach(thresholds=(0.3,) * 3, most=2)
