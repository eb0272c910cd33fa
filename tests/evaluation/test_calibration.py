import numpy as np
import pytest

from rnn_cli.evaluation.scores import before_and_after, tempered
from rnn_cli.training.temperature import HOTTEST, fit_temperature


def overconfident(rows: int, times: float, labels: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn by the probabilities of some logits, and the probabilities of logits so many times as large."""
    chance = np.random.default_rng(1)
    logits = chance.normal(size=(rows, labels))
    truth = np.array([chance.choice(labels, p=each) for each in soft(logits)])
    return truth, soft(times * logits)


def soft(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits)
    return raised / raised.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("labels", [2, 4])
@pytest.mark.parametrize("times", [0.4, 1.0, 3.0])
def test_the_temperature_undoes_what_made_answers_too_sure_or_not_sure_enough(times: float, labels: int) -> None:
    truth, probabilities = overconfident(4_000, times, labels)
    assert fit_temperature(truth, probabilities) == pytest.approx(times, rel=0.1)


def test_it_is_the_best_of_all_on_the_rows_it_was_fitted_on() -> None:
    truth, probabilities = overconfident(500, 2.5)
    best = fit_temperature(truth, probabilities)

    def loss(temperature: float) -> float:
        return float(-np.log(tempered(probabilities, temperature)[np.arange(500), truth]).mean())

    assert all(loss(best) <= loss(best * factor) + 1e-4 for factor in (0.9, 0.97, 1.03, 1.1))


def test_a_few_rows_that_are_all_right_do_not_make_it_certain_of_everything() -> None:
    truth, probabilities = np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.1, 0.9]])
    assert 0.3 < fit_temperature(truth, probabilities) < 1


def test_probabilities_of_nought_and_one_have_a_temperature_too() -> None:
    wrong = fit_temperature(np.array([0, 0, 1, 1]), np.array([[1.0, 0], [0, 1.0], [0, 1.0], [1.0, 0]]))
    assert wrong == pytest.approx(HOTTEST, rel=0.01)


def test_a_temperature_is_undone_by_its_inverse_and_changes_no_order() -> None:
    _, probabilities = overconfident(50, 1.0, labels=3)
    warm = tempered(probabilities, 1.7)
    assert tempered(warm, 1 / 1.7) == pytest.approx(probabilities)
    assert (warm.argsort(axis=1) == probabilities.argsort(axis=1)).all()


def test_before_is_without_the_temperature() -> None:
    truth, raw = overconfident(300, 3.0)
    found = before_and_after(truth, tempered(raw, 3.0), raw.argmax(axis=1), 3.0)
    assert found["before"]["log_loss"] == pytest.approx(-np.log(raw[np.arange(300), truth]).mean())
    assert all(found["after"][name] < found["before"][name] for name in ("log_loss", "brier", "ece"))
