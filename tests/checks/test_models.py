"""What is made with the linear model: suspects, the learning curve; and the features they share."""

import random

import numpy as np
import pytest

from rnn_cli.checks.label_errors import confident, find_suspects, judged_rows
from rnn_cli.checks.learning_curve import EXPONENTS, fit_power_law, law_at, learning_curve
from rnn_cli.checks.rows import WHOLE, CheckedRows
from rnn_cli.copies.words import learn_words, split_words
from rnn_cli.data.rows import Dataset
from rnn_cli.linear.tfidf import count_features

WORDS = {"good": "warm funny lovely bright".split(), "bad": "dull tedious bland clumsy".split()}
FILLER = [f"w{number}" for number in range(60)]


def reviews(rows: int, wrong: int = 0) -> tuple[CheckedRows, set[int]]:
    chance = random.Random(7)
    labels = [("good", "bad")[row % 2] for row in range(rows)]
    texts = [" ".join(chance.choices(FILLER, k=8) + chance.choices(WORDS[label], k=3)) for label in labels]
    changed = set(chance.sample(range(rows), wrong))
    given = [("good" if label == "bad" else "bad") if row in changed else label for row, label in enumerate(labels)]
    return CheckedRows({WHOLE: Dataset("rows.csv", texts, given, list(range(rows)))}), changed


def features(rows: CheckedRows) -> tuple[list[int], object]:
    words, _ = learn_words(rows.texts, split_words)
    judged = judged_rows(rows, words)
    return judged, count_features(words.take(judged), len(set(rows.labels)))


def test_the_changed_labels_are_the_suspects() -> None:
    rows, changed = reviews(400, wrong=20)
    suspects = find_suspects(rows, *features(rows))
    found = {each.row for each in suspects}
    assert found <= changed and len(found) >= 15
    assert all(each.suggested != rows.labels[each.row] for each in suspects)
    own = [each.given_probability for each in suspects]
    assert own == sorted(own)


def test_the_changed_ones_of_many_labels_are_the_suspects() -> None:
    chance = random.Random(5)
    labels = [f"label{row % 12}" for row in range(600)]
    texts = [
        " ".join([*chance.choices(FILLER, k=5), *chance.choices([f"{each}a", f"{each}b"], k=2)]) for each in labels
    ]
    changed = set(chance.sample(range(600), 15))
    given = [f"label{(row + 1) % 12}" if row in changed else label for row, label in enumerate(labels)]
    rows = CheckedRows({WHOLE: Dataset("rows.csv", texts, given, list(range(600)))})
    found = {each.row: each.suggested for each in find_suspects(rows, *features(rows))}
    assert set(found) <= changed and len(found) >= 10
    assert all(suggested == labels[row] for row, suggested in found.items())


def test_a_model_that_only_guesses_accuses_no_one() -> None:
    chance = random.Random(3)
    texts = [" ".join(chance.choices(FILLER, k=8)) for _ in range(300)]
    rows = CheckedRows({WHOLE: Dataset("rows.csv", texts, ["good", "bad"] * 150, list(range(300)))})
    assert find_suspects(rows, *features(rows)) == ()


def test_too_few_rows_and_rare_labels_are_not_judged() -> None:
    few, _ = reviews(90)
    assert judged_rows(few, learn_words(few.texts, split_words)[0]) == []
    rows, _ = reviews(400)
    rows.labels[5] = "rare"
    judged = judged_rows(rows, learn_words(rows.texts, split_words)[0])
    assert 5 not in judged and len(judged) == 399


def test_confidence_is_relative_to_the_label() -> None:
    # Label 1 is seldom sure (its mean is 0.4): a probability of 0.45 is confident there, and not of label 0.
    probabilities = np.array([[0.9, 0.1], [0.55, 0.45], [0.7, 0.3], [0.5, 0.5]])
    assert confident(probabilities, np.array([0, 0, 1, 1])).tolist() == [0, 1, 1, 1]


def test_features_count_words_and_pairs_within_a_text() -> None:
    counts = count_features(learn_words(["a b a b", "a b", "b c", "c d"], split_words)[0], 2).toarray()
    # a, b, c stand in two texts each, and so does the pair "a b"; "b c" does not cross from one text into the next.
    assert sorted(map(tuple, counts.T.tolist())) == sorted([(2, 1, 0, 0), (2, 1, 1, 0), (0, 0, 1, 1), (2, 1, 0, 0)])


def test_words_of_scripts_without_spaces_are_characters() -> None:
    assert split_words("Ich bin 日本人 in Tokyo") == ["ich", "bin", "日", "本", "人", "in", "tokyo"]


def test_a_power_law_is_found_again() -> None:
    sizes = np.array([100, 200, 400, 800, 1600, 3200])
    errors = 0.1 + 2 * sizes**-0.5
    law = fit_power_law(sizes, errors[None], EXPONENTS["floor"])
    assert law_at(law, 6400) == pytest.approx(0.1 + 2 * 6400**-0.5, abs=1e-3)


def test_errors_that_do_not_fall_promise_nothing() -> None:
    law = fit_power_law(np.array([100, 200, 400]), np.array([[0.2, 0.2, 0.21]]), EXPONENTS["none"])
    assert law_at(law, 400) - law_at(law, 800) == pytest.approx(0)


def test_the_curve_rises_and_its_range_holds_the_gain() -> None:
    chance = random.Random(4)
    words = {label: [f"{label}{number}" for number in range(300)] for label in ("good", "bad")}
    labels = [("good", "bad")[row % 2] for row in range(2000)]
    texts = [" ".join(chance.choices(FILLER, k=8) + chance.choices(words[label], k=1)) for label in labels]
    rows = CheckedRows({WHOLE: Dataset("rows.csv", texts, labels, list(range(2000)))})
    curve = learning_curve(rows, *features(rows))
    assert curve is not None
    assert curve.sizes[-1] == 1600 and list(curve.sizes) == sorted(curve.sizes)
    assert curve.accuracies[-1] > curve.accuracies[0] + 0.05
    assert curve.gain_range[0] <= curve.gain <= curve.gain_range[1]
    assert learning_curve(rows, *features(rows)) == curve


def test_a_curve_needs_three_sizes() -> None:
    rows, _ = reviews(200)
    assert learning_curve(rows, *features(rows)) is None
