from pathlib import Path

import keras
import numpy as np
import pytest

from rnn_cli.config.schema import ModelConfig
from rnn_cli.network.build import build

IDS = np.array([[2, 3, 4, 0, 0], [5, 6, 7, 8, 9]], np.int32)


def test_the_classic_network() -> None:
    model = build(ModelConfig(), vocab_size=10_000, classes=2, seed=1)
    # Embedding 10,000 × 64; two bidirectional LSTMs of 64; Dense 32, 16 and 1.
    assert model.count_params() == 640_000 + 66_048 + 98_816 + 4_128 + 528 + 17


@pytest.mark.parametrize("pooling", ["last", "max_mean"])
@pytest.mark.parametrize("entry", ["embedding", "one_hot"])
def test_keras_opens_the_saved_file_without_this_package(pooling: str, entry: str, tmp_path: Path) -> None:
    config = ModelConfig(units=[4, 3], embedding_dim=5, pooling=pooling, input=entry, dropout=0.1)
    model = build(config, vocab_size=10, classes=3, seed=1)
    model.save(tmp_path / "model.keras")
    opened = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(np.asarray(model(IDS)), np.asarray(opened(IDS)))


def test_first_weights_follow_the_seed() -> None:
    config = ModelConfig(units=[4], embedding_dim=5)
    weights = [build(config, vocab_size=10, classes=2, seed=seed).get_weights() for seed in (1, 1, 2)]
    assert all(np.array_equal(one, other) for one, other in zip(weights[0], weights[1], strict=True))
    assert not np.array_equal(weights[0][0], weights[2][0])


def test_the_two_directions_start_from_different_weights() -> None:
    model = build(ModelConfig(units=[4], embedding_dim=5), vocab_size=10, classes=2, seed=1)
    both = model.get_layer("bidirectional_lstm_1")
    for forward, backward in zip(
        both.forward_layer.get_weights()[:2], both.backward_layer.get_weights()[:2], strict=True
    ):
        assert not np.array_equal(forward, backward)


def test_ready_vectors_are_the_first_ones_and_can_be_held() -> None:
    vectors = np.arange(50, dtype=np.float32).reshape(10, 5)
    config = ModelConfig(units=[4], embedding_dim=5, trainable_embeddings=False)
    model = build(config, vocab_size=10, classes=2, seed=1, embeddings=vectors)
    np.testing.assert_array_equal(model.get_layer("embedding").get_weights()[0], vectors)
    assert not model.get_layer("embedding").trainable_weights


@pytest.mark.parametrize("key", ["dropout", "embedding_dropout", "recurrent_dropout"])
def test_each_dropout_acts_in_training_only(key: str) -> None:
    model = build(ModelConfig(units=[4], embedding_dim=5, **{key: 0.5}), vocab_size=10, classes=2, seed=1)
    plain = build(ModelConfig(units=[4], embedding_dim=5), vocab_size=10, classes=2, seed=1)
    plain.set_weights(model.get_weights())
    np.testing.assert_allclose(np.asarray(model(IDS)), np.asarray(plain(IDS)), atol=1e-6)
    assert not np.allclose(np.asarray(model(IDS, training=True)), np.asarray(plain(IDS)), atol=1e-6)
