"""The n-gram part's fit: it finds what tells labels apart, obeys weights, and repeats itself."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from rnn_cli.arrays import Flags, Floats
from rnn_cli.config.schema import ModelConfig
from rnn_cli.linear.ngrams import ngram_counts
from rnn_cli.training import ngrams
from rnn_cli.training.encoding import Encoded
from rnn_cli.training.ngrams import NGRAM_STRENGTHS, LinearModel, OnProgress, fit_linear

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
    on_progress = np.where(chance.random(rows) < 0.75, truth, chance.integers(0, classes, rows))
    texts = [[int(2 + word), *chance.integers(10, VOCAB, 4).tolist()] for word in on_progress]
    return Encoded(texts, truth.astype(np.intp), np.ones(rows, np.float32) if weights is None else weights)


def fitted(
    longest: int, train: Encoded, validation: Encoded, classes: int = 2, on_progress: OnProgress = lambda *_: None
) -> LinearModel:
    return fit_linear(settings(longest), train, validation, vocab_size=VOCAB, classes=classes, on_progress=on_progress)


def predicted(model: LinearModel, rows: Encoded, longest: int) -> np.ndarray:
    counts = ngram_counts(rows.sequences, longest=longest, vocab_size=VOCAB, buckets=BUCKETS)
    logits = counts @ model.table + model.bias
    return (logits[:, 0] >= 0).astype(int) if logits.shape[1] == 1 else logits.argmax(axis=1)


def test_pairs_tell_what_words_cannot() -> None:
    train, validation = in_order(300, 1), in_order(200, 2)
    assert fitted(2, train, validation).val_accuracy > 0.95
    assert fitted(1, train, validation).val_accuracy < 0.65


@pytest.mark.parametrize("classes", [2, 3, 5, 20])
def test_it_answers_as_it_says(classes: int) -> None:
    train, validation = by_word(600, classes, 1), by_word(300, classes, 2)
    model = fitted(1, train, validation, classes)
    assert model.table.shape == (VOCAB + BUCKETS, 1 if classes == 2 else classes)
    assert model.strength in NGRAM_STRENGTHS
    right = (predicted(model, validation, 1) == validation.classes).mean()
    assert right == pytest.approx(model.val_accuracy) and right > (0.7 if classes < 10 else 0.5)


def test_it_is_logistic_regression_on_weighed_counts() -> None:
    train, validation = by_word(400, 2, 1), by_word(200, 2, 2)
    model = fitted(2, train, validation)
    counts = ngram_counts(train.sequences, longest=2, vocab_size=VOCAB, buckets=BUCKETS).toarray()
    met = (counts > 0).any(axis=0)
    scales = telling(counts[:, met] > 0, train.classes == 1)
    peer = LogisticRegression(C=model.strength, tol=1e-8, max_iter=10_000).fit(counts[:, met] * scales, train.classes)
    np.testing.assert_allclose(model.table[met, 0], scales * peer.coef_[0], atol=0.02)
    assert model.bias[0] == pytest.approx(peer.intercept_[0], abs=0.02)


def telling(there: Flags, ours: Flags) -> Floats:
    """How much each n-gram tells of a class: the root of its log-count ratio, times its rarity in the texts."""
    with_it, without = (1 + there[rows].sum(axis=0) for rows in (ours, ~ours))
    ratios = np.log(with_it / with_it.sum()) - np.log(without / without.sum())
    rarity = 1 + np.log((1 + len(there)) / (1 + there.sum(axis=0)))
    return np.asarray(np.sqrt(np.abs(ratios)) * rarity)


def test_weights_of_rows_move_the_answer() -> None:
    plain = by_word(400, 2, 1)
    heavy = Encoded(plain.sequences, plain.classes, np.where(plain.classes == 1, 9, 1).astype(np.float32))
    validation = by_word(300, 2, 2)
    often, seldom = (predicted(fitted(1, rows, validation), validation, 1).mean() for rows in (heavy, plain))
    assert often > seldom + 0.1


def test_the_same_rows_give_the_same_bytes() -> None:
    one, other = (fitted(2, by_word(300, 3, 1), by_word(100, 3, 2), 3) for _ in range(2))
    assert one.table.tobytes() == other.table.tobytes() and one.bias.tobytes() == other.bias.tobytes()


def test_a_class_without_a_row_is_no_hindrance() -> None:
    train = by_word(200, 2, 1)
    model = fitted(1, train, by_word(100, 2, 2), classes=3)
    assert np.isfinite(model.table).all() and np.isfinite(model.bias).all()


# Many labels, fitted one by one


MANY = 14


def many(rows: int, seed: int) -> Encoded:
    """Texts of a handful of labels too many to be fitted together."""
    made = by_word(rows, MANY, seed)
    return Encoded(made.sequences, made.classes, np.where(made.classes == 3, 2, 1).astype(np.float32))


def test_each_of_many_labels_is_at_the_optimum_of_its_own_regression(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ngrams, "fit_temperature", lambda *_: 1.0)
    train, validation = many(700, 1), many(200, 2)
    model = fitted(2, train, validation, MANY)
    counts = ngram_counts(train.sequences, longest=2, vocab_size=VOCAB, buckets=BUCKETS).toarray()
    met = (counts > 0).any(axis=0)
    for label in (0, 3, 13):
        ours = train.classes == label
        scales = telling(counts[:, met] > 0, ours)
        peer = LogisticRegression(C=model.strength, tol=1e-8, max_iter=10_000)
        peer.fit(counts[:, met] * scales, ours, sample_weight=train.weights)
        np.testing.assert_allclose(model.table[met, label], scales * peer.coef_[0], atol=0.05)
        assert model.bias[label] == pytest.approx(peer.intercept_[0], abs=0.05)
    assert not model.table[~met].any()


def test_many_labels_are_as_sure_as_they_deserve_to_be() -> None:
    train, validation = many(700, 1), many(400, 2)
    model = fitted(1, train, validation, MANY)
    counts = ngram_counts(validation.sequences, longest=1, vocab_size=VOCAB, buckets=BUCKETS)
    logits = counts @ model.table + model.bias

    def loss(times: float) -> float:
        return ngrams._loss_and_accuracy(times * logits, validation.classes)[0]

    assert loss(1) < min(loss(0.8), loss(1.25)), "no other temperature is better"


@pytest.mark.parametrize("cores", [1, 3])
def test_the_number_of_cores_changes_no_byte(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    train, validation = many(300, 1), many(100, 2)
    wanted = fitted(2, train, validation, MANY)
    monkeypatch.setattr("rnn_cli.linear.logistic.cores", lambda: cores)
    again = fitted(2, train, validation, MANY)
    assert again.table.tobytes() == wanted.table.tobytes() and again.bias.tobytes() == wanted.bias.tobytes()


def test_one_of_many_labels_without_a_row_is_no_hindrance() -> None:
    model = fitted(1, many(300, 1), many(100, 2), MANY + 1)
    assert np.isfinite(model.table).all() and model.bias[MANY] < model.bias[:MANY].min()


@pytest.mark.parametrize(("classes", "what"), [(2, "fits"), (MANY, "labels")])
def test_it_tells_how_far_it_is(classes: int, what: str) -> None:
    heard: list[tuple[str, int, int]] = []
    fitted(1, by_word(200, classes, 1), by_word(100, classes, 2), classes, on_progress=lambda *each: heard.append(each))
    assert {each[0] for each in heard} == {what}
    first = 0 if classes == 2 else 1
    assert [each[1] for each in heard] == list(range(first, len(heard) + first)) and heard[-1][1] <= heard[0][2]
    assert classes == 2 or heard[-1][1] == heard[0][2] == 2 * MANY
