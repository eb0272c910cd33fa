"""The n-gram part's fit: it finds what tells labels apart, obeys weights, and repeats itself."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from rnn_cli.config import ModelConfig
from rnn_cli.network.ngrams import ngram_counts
from rnn_cli.training.batches import Encoded
from rnn_cli.training.linear import STRENGTHS, LinearModel, Told, fit_linear

VOCAB, BUCKETS = 40, 5_000


def settings(longest: int) -> ModelConfig:
    return ModelConfig(ngrams=longest, ngram_buckets=BUCKETS)


def in_order(rows: int, seed: int) -> Encoded:
    """Texts whose class is whether 7 stands before 8 or after it: the words alone tell nothing."""
    chance = np.random.default_rng(seed)
    classes = chance.integers(0, 2, rows)
    filler = [chance.integers(10, VOCAB, 6).tolist() for _ in range(rows)]
    texts = [
        [*words[:3], *((7, 8) if label else (8, 7)), *words[3:]] for words, label in zip(filler, classes, strict=True)
    ]
    return Encoded(texts, classes.astype(np.intp), np.ones(rows, np.float32))


def by_word(rows: int, classes: int, seed: int, weights: np.ndarray | None = None) -> Encoded:
    """Texts in three of four of which a word tells the class."""
    chance = np.random.default_rng(seed)
    truth = chance.integers(0, classes, rows)
    told = np.where(chance.random(rows) < 0.75, truth, chance.integers(0, classes, rows))
    texts = [[int(2 + word), *chance.integers(10, VOCAB, 4).tolist()] for word in told]
    return Encoded(texts, truth.astype(np.intp), np.ones(rows, np.float32) if weights is None else weights)


def fitted(
    longest: int, train: Encoded, validation: Encoded, classes: int = 2, told: Told = lambda *_: None
) -> LinearModel:
    return fit_linear(settings(longest), train, validation, vocab_size=VOCAB, classes=classes, told=told)


def answers(model: LinearModel, rows: Encoded, longest: int) -> np.ndarray:
    counts = ngram_counts(rows.sequences, longest=longest, vocab_size=VOCAB, buckets=BUCKETS)
    logits = counts @ model.table + model.bias
    return (logits[:, 0] >= 0).astype(int) if logits.shape[1] == 1 else logits.argmax(axis=1)


def test_pairs_tell_what_words_cannot() -> None:
    train, validation = in_order(300, 1), in_order(200, 2)
    assert fitted(2, train, validation).val_accuracy > 0.95
    assert fitted(1, train, validation).val_accuracy < 0.65


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_it_answers_as_it_says(classes: int) -> None:
    train, validation = by_word(600, classes, 1), by_word(300, classes, 2)
    model = fitted(1, train, validation, classes)
    assert model.table.shape == (VOCAB + BUCKETS, 1 if classes == 2 else classes)
    assert model.strength in STRENGTHS
    right = (answers(model, validation, 1) == validation.classes).mean()
    assert right == pytest.approx(model.val_accuracy) and right > 0.7


def test_it_is_logistic_regression_on_weighed_counts() -> None:
    train, validation = by_word(400, 2, 1), by_word(200, 2, 2)
    model = fitted(2, train, validation)
    counts = ngram_counts(train.sequences, longest=2, vocab_size=VOCAB, buckets=BUCKETS).toarray()
    there = counts > 0
    met = there.any(axis=0)
    ours, others = (1 + there[train.classes == label][:, met].sum(axis=0) for label in (1, 0))
    ratios = np.log(ours / ours.sum()) - np.log(others / others.sum())
    peer = LogisticRegression(C=model.strength, tol=1e-8, max_iter=10_000).fit(counts[:, met] * ratios, train.classes)
    np.testing.assert_allclose(model.table[met, 0], ratios * peer.coef_[0], atol=0.02)
    assert model.bias[0] == pytest.approx(peer.intercept_[0], abs=0.02)


def test_weights_of_rows_move_the_answer() -> None:
    plain = by_word(400, 2, 1)
    heavy = Encoded(plain.sequences, plain.classes, np.where(plain.classes == 1, 9, 1).astype(np.float32))
    validation = by_word(300, 2, 2)
    often, seldom = (answers(fitted(1, rows, validation), validation, 1).mean() for rows in (heavy, plain))
    assert often > seldom + 0.1


def test_the_same_rows_give_the_same_bytes() -> None:
    one, other = (fitted(2, by_word(300, 3, 1), by_word(100, 3, 2), 3) for _ in range(2))
    assert one.table.tobytes() == other.table.tobytes() and one.bias.tobytes() == other.bias.tobytes()


def test_a_class_without_a_row_is_no_hindrance() -> None:
    train = by_word(200, 2, 1)
    model = fitted(1, train, by_word(100, 2, 2), classes=3)
    assert np.isfinite(model.table).all() and np.isfinite(model.bias).all()
