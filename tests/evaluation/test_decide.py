from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_cli.config.schema import DecisionConfig
from rnn_cli.errors import ConfigError
from rnn_cli.evaluation.decide import check_decision, decide
from rnn_cli.scoring.decision import Decision

#                  0     1     2     3     4     5     6     7
POSITIVE = [0.10, 0.20, 0.35, 0.40, 0.60, 0.65, 0.80, 0.90]
TRUTH = [0, 0, 1, 0, 0, 1, 1, 1]


def chosen(truth: list[int], positive: list[float], **config: Any) -> tuple[Decision, tuple[str, ...]]:
    found = decide(DecisionConfig(**config), np.array(truth), two(positive))
    return found.decision, found.shortfalls


def two(positive: list[float]) -> np.ndarray:
    return np.column_stack([1 - np.array(positive), positive])


def answered(truth: list[int], positive: list[float], threshold: float) -> dict[str, float]:
    predicted = Decision(threshold).choose(two(positive))
    right, total = np.array(truth), predicted.sum()
    both = int(((predicted == 1) & (right == 1)).sum())
    return {
        "accuracy": float((predicted == right).mean()),
        "precision": both / total if total else 0.0,
        "recall": both / right.sum() if right.sum() else 0.0,
        "false_positive": int(total - both),
        "false_negative": int(right.sum() - both),
    }


def test_without_a_wish_it_is_a_half_and_never_unsure() -> None:
    assert chosen(TRUTH, POSITIVE) == (Decision(0.5, 0.0), ())


def test_a_threshold_given_is_taken() -> None:
    assert chosen(TRUTH, POSITIVE, threshold=0.3)[0] == Decision(0.3)


def test_accuracy() -> None:
    """Between 0.60 and 0.65 seven of eight are right, and nowhere more."""
    assert chosen(TRUTH, POSITIVE, goal="accuracy")[0].threshold == pytest.approx(0.625)


def test_of_equally_good_thresholds_it_is_the_nearest_to_a_half() -> None:
    assert chosen([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], goal="f1")[0].threshold == pytest.approx(0.5)
    assert chosen([0, 1], [0.9, 0.9], goal="accuracy")[0].threshold == pytest.approx(0.45)


def test_precision_is_reached_at_the_most_recall() -> None:
    """Above 0.60 all three are right; from 0.35 on, which finds all four, two of six are wrong."""
    assert chosen(TRUTH, POSITIVE, goal="precision >= 0.95")[0].threshold == pytest.approx(0.625)
    assert chosen(TRUTH, POSITIVE, goal="precision >= 0.65")[0].threshold == pytest.approx(0.275)


def test_recall_is_reached_at_the_most_precision() -> None:
    assert chosen(TRUTH, POSITIVE, goal="recall>=.75")[0].threshold == pytest.approx(0.625)
    assert chosen(TRUTH, POSITIVE, goal="recall >= 1")[0].threshold == pytest.approx(0.275)


def test_what_no_threshold_reaches_is_told_and_the_nearest_taken() -> None:
    found, shortfalls = chosen([1, 0, 1, 0], [0.2, 0.4, 0.6, 0.8], goal="precision >= 0.9")
    assert found.threshold < 0.2 or found.threshold > 0.4  # half of the answers right
    assert shortfalls == ("no threshold reaches precision >= 0.9 on the validation rows; the best is 0.500",)


def test_where_a_missed_one_costs_more_more_are_answered() -> None:
    dear = {"cost": {"false_positive": 1, "false_negative": 5}}
    assert chosen(TRUTH, POSITIVE, goal=dear)[0].threshold == pytest.approx(0.275)
    assert chosen(TRUTH, POSITIVE, goal={"cost": {"false_positive": 5}})[0].threshold == pytest.approx(0.625)


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(1, 19)), min_size=1, max_size=25),
    st.sampled_from(["accuracy", "cost", "precision >= 0.8", "recall >= 0.6"]),
)
def test_no_other_threshold_serves_better(rows: list[tuple[int, int]], goal: str) -> None:
    truth, positive = [each for each, _ in rows], [place / 20 for _, place in rows]
    config = {"cost": {"false_positive": 1, "false_negative": 3}} if goal == "cost" else goal
    found, shortfalls = chosen(truth, positive, goal=config)

    def merit(threshold: float) -> tuple[float, ...]:
        each = answered(truth, positive, threshold)
        if goal == "accuracy":
            return (each["accuracy"],)
        if goal == "cost":
            return (-each["false_positive"] - 3 * each["false_negative"],)
        figure, other = ("precision", "recall") if goal.startswith("precision") else ("recall", "precision")
        reached = each[figure] >= float(goal.split()[-1])
        return (reached, each[other] if reached else each[figure])

    assert merit(found.threshold) == pytest.approx(max(merit(place / 40) for place in range(1, 40)))
    assert bool(shortfalls) == (" " in goal and not merit(found.threshold)[0])


def test_at_most_the_share_asked_for_abstains() -> None:
    found, _ = chosen(TRUTH, POSITIVE, abstain=0.25)
    unsure = found.unsure(two(POSITIVE))
    assert unsure.tolist() == [False, False, False, True, True, False, False, False]
    assert not chosen(TRUTH, POSITIVE, abstain=0)[0].unsure_below


def test_equally_near_ones_abstain_together_or_not_at_all() -> None:
    found, _ = chosen([0, 1, 0, 1], [0.45, 0.45, 0.45, 0.9], abstain=0.5)
    assert not found.unsure(two([0.45, 0.9])).any()


def test_abstaining_begins_at_the_threshold_chosen() -> None:
    found, _ = chosen(TRUTH, POSITIVE, threshold=0.7, abstain=0.25)
    assert np.array(POSITIVE)[found.unsure(two(POSITIVE))].tolist() == [0.6, 0.65]


def test_so_many_abstain_that_the_rest_is_right_often_enough() -> None:
    found, shortfalls = chosen(TRUTH, POSITIVE, abstain_error=0.0)
    sure = ~found.unsure(two(POSITIVE))
    assert np.array(POSITIVE)[sure].tolist() == [0.1, 0.2, 0.8, 0.9]
    assert shortfalls == ()
    assert not chosen(TRUTH, POSITIVE, abstain_error=0.3)[0].unsure_below  # a quarter is wrong anyway


def test_an_error_that_cannot_be_kept_is_told() -> None:
    found, shortfalls = chosen([1, 0], [0.1, 0.9], abstain_error=0.1)
    assert not found.unsure_below
    assert "no margin keeps the error at 0.1 or less" in shortfalls[0]


def test_three_labels_can_abstain() -> None:
    probabilities = np.array([[0.4, 0.35, 0.25], [0.8, 0.1, 0.1], [0.1, 0.2, 0.7], [0.3, 0.3, 0.4]])
    found = decide(DecisionConfig(abstain=0.5), np.array([0, 0, 2, 2]), probabilities).decision
    assert found.unsure(probabilities).tolist() == [True, False, False, True]


def test_wishes_that_cannot_be_meant_are_refused() -> None:
    with pytest.raises(ConfigError, match="decision.goal: is for two labels, but there are 3"):
        check_decision(DecisionConfig(goal="f1"), ["a", "b", "c"])
    with pytest.raises(ConfigError, match="decision.abstain: a label is already called 'unsure'"):
        check_decision(DecisionConfig(abstain=0.1), ["sure", "unsure"])
    check_decision(DecisionConfig(abstain=0.1), ["a", "b", "c"])
