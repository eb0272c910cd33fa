import numpy as np
import pytest

from rnn_cli.scoring.decision import Decision


def two(positive: list[float]) -> np.ndarray:
    return np.column_stack([1 - np.array(positive), positive])


def test_of_two_labels_the_threshold_decides() -> None:
    assert Decision(0.7).choose(two([0.5, 0.69, 0.7, 0.9])).tolist() == [0, 0, 1, 1]


def test_of_more_labels_the_most_probable_is_answered() -> None:
    assert Decision().choose(np.array([[0.2, 0.5, 0.3], [0.4, 0.3, 0.3]])).tolist() == [1, 0]


def test_a_margin_is_the_distance_to_another_answer_in_log_odds() -> None:
    margins = Decision(0.8).margins(two([0.8, 0.5, 0.9]))
    assert margins == pytest.approx([0, np.log(4), np.log(9) - np.log(4)])
    three = Decision().margins(np.array([[0.2, 0.5, 0.3], [0.4, 0.2, 0.4]]))
    assert three == pytest.approx([np.log(5 / 3), 0])


def test_margins_are_finite_where_a_probability_is_nought() -> None:
    assert np.isfinite(Decision(1.0).margins(two([0.0, 1.0]))).all()


def test_what_is_nearer_than_the_margin_is_unsure() -> None:
    found = two([0.1, 0.4, 0.5, 0.6, 0.9])
    assert Decision(0.5, unsure_below=1.0).unsure(found).tolist() == [False, True, True, True, False]
    assert not Decision(0.5).unsure(found).any()
