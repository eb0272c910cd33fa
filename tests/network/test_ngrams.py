"""The n-gram part: one numbering in numpy, Keras and ONNX, and a fit that finds what tells labels apart."""

from pathlib import Path

import keras
import numpy as np
import onnxruntime
import pytest

from rnn_cli.config.schema import ModelConfig
from rnn_cli.linear.ngrams import ngram_counts
from rnn_cli.network.build import LOGITS, NGRAM_LOGITS, NGRAMS, build
from rnn_cli.network.onnx_export import to_onnx

VOCAB, BUCKETS = 30, 101


def texts() -> list[list[int]]:
    chance = np.random.default_rng(1)
    return [[5], [3, 4], [1, 1, 1, 1, 1], chance.integers(1, VOCAB, 12).tolist()]


def padded(width: int) -> np.ndarray:
    ids = np.zeros((len(texts()), width), np.int32)
    for row, text in enumerate(texts()):
        ids[row, : len(text)] = text
    return ids


def made(longest: int, classes: int) -> tuple[keras.Model, ModelConfig, np.ndarray, np.ndarray]:
    config = ModelConfig(ngrams=longest, ngram_buckets=BUCKETS, units=[4], embedding_dim=5, dense_units=[])
    model = build(config, vocab_size=VOCAB, classes=classes, seed=1)
    chance = np.random.default_rng(longest)
    width = 1 if classes == 2 else classes
    table, bias = chance.normal(0, 0.6, (VOCAB + BUCKETS, width)).astype("f"), chance.normal(size=width).astype("f")
    model.get_layer(NGRAMS).set_weights([table])
    model.get_layer(NGRAM_LOGITS).set_weights([np.eye(width), bias])
    return model, config, table, bias


def probabilities(logits: np.ndarray) -> np.ndarray:
    if logits.shape[1] == 1:
        return 1 / (1 + np.exp(-logits))
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


@pytest.mark.parametrize("longest", [1, 2, 3])
@pytest.mark.parametrize("classes", [2, 3])
def test_keras_onnx_and_numpy_agree_on_the_mean_of_both_answers(longest: int, classes: int) -> None:
    model, config, table, bias = made(longest, classes)
    recurrent = keras.Model(model.input, model.get_layer(LOGITS).output).predict(padded(15), verbose=0)
    counts = ngram_counts(texts(), longest=longest, vocab_size=VOCAB, buckets=BUCKETS)
    by_hand = (recurrent + counts @ table + bias) / 2
    session = onnxruntime.InferenceSession(to_onnx(model, config), providers=["CPUExecutionProvider"])
    for width in (12, 15):  # padding is no n-gram
        (logits,) = session.run(None, {"ids": padded(width)})
        np.testing.assert_allclose(logits, by_hand, atol=1e-5)
        np.testing.assert_allclose(model.predict(padded(width), verbose=0), probabilities(by_hand), atol=1e-5)
    (alone,) = session.run(None, {"ids": padded(15)[:1, :1]})
    np.testing.assert_allclose(alone, by_hand[:1], atol=1e-5)


def test_plain_keras_opens_it(tmp_path: Path) -> None:
    model, *_ = made(3, 2)
    model.save(tmp_path / "model.keras")
    opened = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(opened.predict(padded(12), verbose=0), model.predict(padded(12), verbose=0))


def test_training_leaves_the_n_grams_alone() -> None:
    model, *_ = made(2, 2)
    assert not {variable.path.split("/")[0] for variable in model.trainable_variables} & {NGRAMS, NGRAM_LOGITS}


def test_word_order_counts_from_two_tokens_on() -> None:
    one, other = (
        [
            set(ngram_counts([text], longest=longest, vocab_size=VOCAB, buckets=1 << 20).indices.tolist())
            for text in ([7, 8, 9], [9, 8, 7])
        ]
        for longest in (1, 2)
    )
    assert one[0] == one[1]
    assert other[0] != other[1]


def test_counts_stay_within_the_table_and_within_a_text() -> None:
    chance = np.random.default_rng(2)
    texts = [chance.integers(1, 60_000, length).tolist() for length in (5_000, 1, 0, 2)]
    found = ngram_counts(texts, longest=3, vocab_size=60_000, buckets=1 << 20)
    assert found.shape == (4, 60_000 + (1 << 20)) and found.indices.min() > 0
    runs = np.array([5_000 + 4_999 + 4_998, 1, 0, 3])
    np.testing.assert_allclose(np.asarray(found.sum(axis=1)).ravel(), np.sqrt(runs))


def test_counts_are_over_the_root_of_the_n_grams() -> None:
    counts = ngram_counts([[2, 2, 3]], longest=1, vocab_size=VOCAB, buckets=BUCKETS).toarray()[0]
    assert counts[2] == pytest.approx(2 / np.sqrt(3)) and counts[3] == pytest.approx(1 / np.sqrt(3))
