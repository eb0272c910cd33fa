"""The linear baseline: that it is a strong one, on all kinds of texts, and the same each time."""

import random
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rnn_cli.arrays import label_indices
from rnn_cli.config.schema import Config
from rnn_cli.data.rows import Dataset
from rnn_cli.data.splits import Splits, load_splits
from rnn_cli.evaluation.metrics import measure
from rnn_cli.linear import tfidf
from rnn_cli.training import baseline as baseline_module
from rnn_cli.training.baseline import Baseline, fit_baseline
from rnn_cli.training.encoding import order_labels
from rnn_cli.training.prepare import Known, prepare

SEED = 3


def dataset(rows: list[tuple[str, str]]) -> Dataset:
    return Dataset("rows", [text for text, _ in rows], [label for _, label in rows], list(range(2, len(rows) + 2)))


def splits(rows: list[tuple[str, str]], test: bool = True) -> Splits:
    """Three fifths to train, a fifth each to validate and test."""
    fifth = len(rows) // 5
    sides = rows[: 3 * fifth], rows[3 * fifth : 4 * fifth], rows[4 * fifth :] if test else []
    return Splits(*map(dataset, sides), warnings=(), fingerprint="")


def fit(rows: Splits, listener: Any, **training: Any) -> Baseline | None:
    config = Config.model_validate({"training": training})
    return fit_baseline(rows, order_labels(rows.train.labels, None), config, listener)


def fitted(rows: Splits, listener: Any, **training: Any) -> Baseline:
    found = fit(rows, listener, **training)
    assert found is not None
    return found


def accuracy(found: Baseline, rows: Splits, side: str = "test") -> float:
    labels = order_labels(rows.train.labels, None)
    return float((found.sides[side][1] == label_indices(labels, rows.held_out[side].labels)).mean())


def told_by(signs: dict[str, str], filler: str, rows: int, between: str = " ") -> list[tuple[str, str]]:
    """Texts of which one sign in ten tells the label."""
    chance, labels = random.Random(SEED), list(signs)
    made = []
    for row in range(rows):
        label = labels[row % len(labels)]
        text = [*chance.choices(filler.split(), k=9), chance.choice(signs[label].split())]
        chance.shuffle(text)
        made.append((between.join(text), label))
    return made


ENGLISH = told_by({"good": "warm funny", "bad": "dull noisy"}, "the film plot actors music scene story it was a", 200)


def test_it_learns_what_words_tell(listener: Any) -> None:
    rows = splits(ENGLISH)
    found = fitted(rows, listener)
    assert accuracy(found, rows) > 0.95
    assert found.model == "logistic regression, TF-IDF of words and word pairs"
    assert listener.notes[0] == "fitting the linear baseline"
    assert listener.notes[1].startswith("linear baseline: validation ")
    assert not listener.warnings


def test_word_pairs_tell_what_no_word_does(listener: Any) -> None:
    pairs = [("not good", "bad"), ("not bad", "good"), ("very bad", "bad"), ("very good", "good")]
    chance = random.Random(SEED)
    rows = [(f"{chance.choice(['the film', 'a play'])} is {pairs[n % 4][0]}", pairs[n % 4][1]) for n in range(80)]
    dealt = splits(rows)
    assert accuracy(fitted(dealt, listener), dealt) == 1.0


def test_its_metrics_and_columns_are_those_of_its_predictions_for_the_rows(listener: Any) -> None:
    rows = splits(ENGLISH)
    found = fitted(rows, listener)
    labels = ("bad", "good")
    assert list(found.sides) == ["validation", "test"]
    for name, given in (("validation", rows.validation), ("test", rows.test)):
        probabilities, predicted = found.sides[name]
        truth = label_indices(labels, given.labels)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1)
        np.testing.assert_array_equal(predicted, probabilities[:, 1] >= 0.5)
        metrics = measure(labels, truth, probabilities, predicted)
        network: Any = SimpleNamespace(metrics=metrics, truth=truth, predicted=1 - predicted, made="network")
        against = found.against(name, network, knew_more=True)
        assert against.metrics == metrics and against.knew_more
        assert against.comparison.difference == pytest.approx(1 - 2 * metrics.accuracy)
        table = found.columns(name, labels)
        assert table["baseline_prediction"] == [labels[each] for each in predicted]
        np.testing.assert_array_equal(table["baseline_probability"], probabilities.max(axis=1))


def test_it_beats_chance_on_the_reviews_that_come_along(listener: Any) -> None:
    # They are few and of all kinds of things, so that little can be learned from them.
    data: dict[str, Any] = {"source": "sample", "test": 0.3}
    right = rows = 0.0
    for seed in range(1, 9):
        given = load_splits(Config.model_validate({"data": {**data, "split_seed": seed}}).data)
        right += accuracy(fitted(given, listener), given) * len(given.test)
        rows += len(given.test)
    assert right / rows > 0.53


def test_twice_the_same(listener: Any) -> None:
    one, two = (fitted(splits(ENGLISH), listener) for _ in range(2))
    assert one.C == two.C
    for name in one.sides:
        np.testing.assert_array_equal(one.sides[name][0], two.sides[name][0])


def test_the_chosen_strength_is_the_best_on_validation_and_converged(
    listener: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(SEED)
    noisy = [(text, chance.choice(["good", "bad"]) if chance.random() < 0.4 else label) for text, label in ENGLISH]
    rows = splits(noisy)
    chosen = fitted(rows, listener)
    alone = {}
    for strength in baseline_module.BASELINE_STRENGTHS:
        monkeypatch.setattr(baseline_module, "BASELINE_STRENGTHS", (strength,))
        alone[strength] = fitted(rows, listener)
    best = max(accuracy(each, rows, "validation") for each in alone.values())
    assert accuracy(chosen, rows, "validation") == best
    # From the weights of the one before or from nothing: the same model, so each fit went to its end.
    np.testing.assert_allclose(chosen.sides["test"][0], alone[chosen.C].sides["test"][0], atol=0.01)


def test_three_labels(listener: Any) -> None:
    signs = {"good": "warm funny", "bad": "dull noisy", "so-so": "usual plain"}
    rows = splits(told_by(signs, "the film plot actors music scene story it", 300))
    found = fitted(rows, listener)
    probabilities, predicted = found.sides["test"]
    assert probabilities.shape == (60, 3)
    np.testing.assert_array_equal(predicted, probabilities.argmax(axis=1))
    assert accuracy(found, rows) > 0.9


def test_without_test_rows_there_is_no_such_side(listener: Any) -> None:
    assert list(fitted(splits(ENGLISH, test=False), listener).sides) == ["validation"]


@pytest.mark.parametrize(
    ("signs", "filler", "between", "features"),
    [
        ({"good": "好 喜", "bad": "差 烦"}, "电 影 故 事 演 员 音 乐 剧 情 的 是 一 个 这", "", "words and word pairs"),
        ({"helix": "K E", "sheet": "V I"}, "A C D F G H L M N P", " ", "words and word pairs"),
        ({"helix": "k e", "sheet": "v i"}, "a c d f g h l m n p", "", "up to three characters"),  # each word is new
        ({"up": "+ *", "down": "- /"}, "= : ; , .", "", "up to three characters"),  # no letter at all
    ],
    ids=["Chinese", "single letters", "one long word", "marks"],
)
def test_texts_without_words_are_counted_by_characters(
    signs: dict[str, str], filler: str, between: str, features: str, listener: Any
) -> None:
    rows = splits(told_by(signs, filler, 300, between))
    found = fitted(rows, listener)
    assert found.model == f"logistic regression, TF-IDF of {features}"
    assert accuracy(found, rows) > 0.9


def test_class_weights_move_its_answers(listener: Any) -> None:
    def share_of_good(weight: float) -> float:
        found = fitted(splits(ENGLISH), listener, class_weight={"good": weight})
        return float(found.sides["test"][0][:, 1].mean())

    assert share_of_good(20.0) > share_of_good(0.05) + 0.1


def test_one_label_to_train_on_is_told(listener: Any) -> None:
    rows = splits(ENGLISH)
    of_one = rows.train.select([row for row, label in enumerate(rows.train.labels) if label == "good"])
    alone = Splits(of_one, rows.validation, rows.test, (), "")
    assert fit_baseline(alone, ("bad", "good"), Config(), listener) is None
    assert listener.notes == ["no linear baseline: all training rows have the same label"]


def test_a_label_without_a_training_row_has_no_probability(listener: Any) -> None:
    rows = splits(ENGLISH)
    found = fit_baseline(rows, ("awful", "bad", "good"), Config(), listener)
    assert found is not None
    probabilities, predicted = found.sides["test"]
    assert (probabilities[:, 0] == 0).all()
    assert (predicted == label_indices(("awful", "bad", "good"), rows.test.labels)).mean() > 0.95


def test_many_texts_are_too_much_for_the_memory_and_some_are_taken(
    listener: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = replace(tfidf.WORD_PAIRS, most_characters=3_000)
    monkeypatch.setattr(tfidf, "WORD_PAIRS", few)
    rows = splits(ENGLISH)
    found = fitted(rows, listener)
    assert 40 < found.rows < 80
    assert f"C={found.C:g}, on {found.rows} training rows by chance" in listener.notes[-1]
    assert accuracy(found, rows) > 0.8


def test_a_config_without_it_has_none(labelled_file: Path, tiny: dict[str, dict[str, Any]], listener: Any) -> None:
    content = {**tiny, "data": {"source": str(labelled_file)}}
    prepared = prepare(Config.model_validate(content), listener)
    assert prepared.baseline is not None
    without = Config.model_validate({**content, "training": {**tiny["training"], "baseline": False}})
    listener.notes.clear()
    known = Known(prepared.tokenizer, prepared.labels, prepared.splits.fingerprint)
    assert prepare(without, listener, known).baseline is None
    assert not [note for note in listener.notes if "baseline" in note]


def test_many_labels_are_fitted_one_by_one_and_told(listener: Any) -> None:
    signs = {f"label{place:02}": f"sign{place}a sign{place}b" for place in range(12)}
    rows = splits(told_by(signs, "the film plot actors music scene story it", 480))
    labels = (*order_labels(rows.train.labels, None), "never")
    found = fit_baseline(rows, labels, Config(), listener)
    assert found is not None
    probabilities, _ = found.sides["test"]
    assert accuracy(found, rows) > 0.9
    assert (probabilities[:, 12] == 0).all(), "a label without a training row"
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    done = [done for _, done, _ in listener.fits]
    assert done == list(range(6 * 12 + 1)) and {each[0] for each in listener.fits} == {"linear baseline: fits"}
    again = fit_baseline(rows, labels, Config(), listener)
    assert again is not None
    np.testing.assert_array_equal(again.sides["test"][0], probabilities)
