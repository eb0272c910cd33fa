"""How a model stands: beside always the same prediction, its goal, and its training; and whether rows are too few."""

import re
from dataclasses import replace

import numpy as np
import pytest

from rnn_cli.config.schema import DecisionConfig
from rnn_cli.data.rows import Dataset
from rnn_cli.evaluation.decide import decide
from rnn_cli.evaluation.evaluate import Evaluation, TokenCounts
from rnn_cli.evaluation.intervals import wilson_interval
from rnn_cli.evaluation.metrics import Metrics, measure
from rnn_cli.evaluation.standing import (
    against_most_frequent,
    goal_outcome,
    independent_interval,
    since_training,
)
from rnn_cli.evaluation.wording import (
    few_rows_in_words,
    found_in_words,
    goal_in_words,
    most_frequent_in_words,
    since_in_words,
)
from rnn_cli.scoring.decision import Decision
from rnn_cli.scoring.predictor import Scores

LABELS = ("bad", "good")


def drawn(rows: int, seed: int, lift: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Truth and calibrated probabilities of two labels."""
    chance = np.random.default_rng(seed)
    positive = 1 / (1 + np.exp(-lift * chance.normal(size=rows) * 2))
    return (chance.random(rows) < positive).astype(np.intp), np.column_stack([1 - positive, positive])


def right_in(right: int, rows: int) -> Metrics:
    truth = np.arange(rows) % 2
    predicted = np.where(np.arange(rows) < right, truth, 1 - truth)
    return measure(LABELS, truth, np.eye(2)[predicted] * 0.8 + 0.1, predicted)


def evaluation(truth: np.ndarray, predicted: np.ndarray) -> Evaluation:
    probabilities = np.eye(2)[predicted] * 0.8 + 0.1
    rows = Dataset("rows", ["x"] * len(truth), [LABELS[index] for index in truth], list(range(len(truth))))
    scores = Scores(probabilities, np.ones(len(truth), bool))
    reading = TokenCounts(len(truth), 1, 1, 0, 0, np.ones(len(truth), np.intp))
    return Evaluation(rows, scores, Decision(), predicted, measure(LABELS, truth, probabilities, predicted), reading)


def test_a_goal_that_was_missed_is_said_with_what_would_reach_it() -> None:
    config = DecisionConfig(goal="precision >= 0.9")
    truth, probabilities = drawn(2_000, 1)
    chosen = decide(config, truth, probabilities)
    careful = chosen.careful
    assert careful is not None and careful.threshold > chosen.decision.threshold and careful.interval[0] >= 0.9
    predicted = probabilities[:, 1] >= careful.threshold
    assert careful.reached == truth[predicted].mean() and careful.other == predicted[truth == 1].mean()
    assert careful.interval == wilson_interval(int(truth[predicted].sum()), int(predicted.sum()))

    test = measure(LABELS, np.array([1] * 40 + [0] * 20), np.full((60, 2), 0.5), np.array([1] * 60))
    outcome = goal_outcome(config, test, careful)
    assert outcome is not None
    said = goal_in_words(outcome, "test rows")
    assert said.startswith(
        "The goal precision >= 0.9 is not reached on the test rows: 66.7% (95% interval 54.1% to 77.3%)."
    )
    assert f"On the validation rows decision.threshold: {careful.threshold:.4g} reaches it with its whole" in said
    assert "No threshold reaches it with its whole interval" in goal_in_words(replace(outcome, careful=None))


def test_a_goal_that_was_reached_or_missed_by_chance_is_said_to_be() -> None:
    config = DecisionConfig(goal="recall >= 0.9")
    for right, said in ((99, "is reached"), (92, "though other rows may miss it"), (88, "that may be chance")):
        test = measure(LABELS, np.ones(100, np.intp), np.full((100, 2), 0.5), (np.arange(100) < right).astype(np.intp))
        outcome = goal_outcome(config, test, None)
        assert outcome is not None and said in goal_in_words(outcome)
    none = measure(LABELS, np.zeros(9, np.intp), np.full((9, 2), 0.5), np.zeros(9, np.intp))
    outcome = goal_outcome(config, none, None)
    assert outcome is not None and "cannot be judged: there is no recall" in goal_in_words(outcome)
    assert goal_outcome(DecisionConfig(goal="f1"), none, None) is goal_outcome(DecisionConfig(), none, None) is None


def test_no_threshold_is_careful_on_few_rows() -> None:
    truth, probabilities = drawn(30, 2)
    assert decide(DecisionConfig(goal="precision >= 0.95"), truth, probabilities).careful is None
    assert decide(DecisionConfig(goal="f1"), truth, probabilities).careful is None


def test_what_a_chosen_threshold_reaches_has_intervals() -> None:
    said = found_in_words(right_in(80, 100), "test rows")
    assert "80.0% (95% interval 67.0% to 88.8%) are right (precision)" in said and "are found (recall)" in said


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (5, "the network is right 25.0 points more often (95% interval "),
        (28, "which may well be chance (95% interval "),
        (70, "points less often"),
    ],
)
def test_the_network_is_compared_with_always_the_same(wrong: int, said: str) -> None:
    truth = (np.arange(100) >= 70).astype(np.intp)
    order = np.random.default_rng(1).permutation(100)
    predicted = np.where(np.isin(np.arange(100), order[:wrong]), 1 - truth, truth)
    found = against_most_frequent(evaluation(truth, predicted), "bad")
    assert (found.label, found.accuracy) == ("bad", 0.7)
    assert found.comparison.difference == pytest.approx(0.3 - wrong / 100)
    text = most_frequent_in_words("test", found)
    if wrong == 5:
        assert text.startswith("Always predicting bad would be right in 70.0% of the 100 test rows; ")
    assert said in text


def test_one_that_has_learned_nothing_is_said_to_be_alike() -> None:
    truth = (np.arange(100) >= 70).astype(np.intp)
    found = against_most_frequent(evaluation(truth, np.zeros(100, np.intp)), None)
    assert found.label == "bad" and "makes the same mistakes" in most_frequent_in_words("test", found)


@pytest.mark.parametrize(
    ("now", "then", "said"),
    [
        ((700, 1000), (900, 1000), "no longer as good"),
        ((17, 20), (900, 1000), "no difference beyond chance"),
        ((950, 1000), (800, 1000), "points more (95% interval "),
    ],
)
def test_other_rows_beside_those_of_training(now: tuple[int, int], then: tuple[int, int], said: str) -> None:
    one, two = right_in(*now), right_in(*then)
    found = since_training(one, two, "test")
    text = since_in_words(one, found)
    assert said in text and f"{two.accuracy:.1%} on the {then[1]:,} test rows" in text and "\n" not in text


def test_the_interval_of_two_independent_shares_is_newcombes() -> None:
    # Newcombe (1998), table II: 56/70 and 48/80.
    assert independent_interval(56, 70, 48, 80) == (pytest.approx(0.0524, abs=1e-4), pytest.approx(0.3339, abs=1e-4))


def test_few_rows_are_said_to_be_few() -> None:
    assert few_rows_in_words(right_in(900, 1000), 10_000) is few_rows_in_words(right_in(900, 1000)) is None
    said = few_rows_in_words(right_in(80, 100), 500)
    assert said and said.startswith("500 labelled rows are few, and one split of them says little: the accuracy's")
    assert "15.5 points wide" in said
    few = few_rows_in_words(right_in(16, 20))
    assert few and few.startswith("On so few rows (20) a figure says little")


@pytest.mark.parametrize("wrong", range(15, 60, 3))
def test_the_interval_is_of_the_number_beside_it_in_both_directions(wrong: int) -> None:
    truth = (np.arange(100) >= 70).astype(np.intp)
    order = np.random.default_rng(1).permutation(100)
    predicted = np.where(np.isin(np.arange(100), order[:wrong]), 1 - truth, truth)
    against = against_most_frequent(evaluation(truth, predicted), "bad")
    found = against.comparison
    text = most_frequent_in_words("test", against)
    if found.difference == 0:
        assert "right as often" in text
        return
    said = re.search(r"right (\S+) points (more|less) often.*\(95% interval (\S+) to (\S+?)[;)]", text)
    assert said is not None, text
    points, low, high = (float(said[group]) for group in (1, 3, 4))
    assert said[2] == ("more" if wrong < 30 else "less") and low < points < high
    sign = 1 if wrong < 30 else -1
    assert sorted(100 * sign * end for end in found.interval) == pytest.approx([low, high], abs=0.051)
    assert "-0.0" not in text
