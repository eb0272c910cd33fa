"""The fast LSTM layers against Keras's own, masked."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from rnn_cli.config.schema import ModelConfig
from rnn_cli.network import kernels, lstm
from rnn_cli.network.build import build
from rnn_cli.network.lstm import FastBidirectional, FastLSTM

MIXED = [7, 1, 3, 7, 2]
MANY = [1 + (7 * row) % 9 for row in range(2 * lstm.SLICE + 3)]


def texts(lengths: list[int], inputs: int, time: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of texts, `[texts, time, inputs]`, and where there are any, `[texts, time]`."""
    chance = np.random.default_rng(len(lengths))
    mask = np.arange(max(lengths)) < np.array(lengths)[:, None]
    x = chance.standard_normal((*mask.shape, inputs)).astype(np.float32) * mask[..., None]
    more = (time or max(lengths)) - max(lengths)
    return np.pad(x, ((0, 0), (0, more), (0, 0))), np.pad(mask, ((0, 0), (0, more)))


def pair(units: int, inputs: int, *, both: bool, whole: bool) -> tuple[layers.Layer, layers.Layer]:
    """A fast layer and Keras's, with the same weights, none of them 0."""
    options = {"return_sequences": whole, "bias_initializer": keras.initializers.RandomNormal(stddev=0.3)}
    if both:
        pair = [cls(layers.LSTM(units, **options)) for cls in (FastBidirectional, layers.Bidirectional)]
    else:
        pair = [FastLSTM(units, **options), layers.LSTM(units, zero_output_for_mask=whole, **options)]
    for layer in pair:
        layer.build((None, None, inputs))
    pair[1].set_weights(pair[0].get_weights())
    return pair[0], pair[1]


def results(layer: layers.Layer, x: np.ndarray, mask: np.ndarray) -> list[np.ndarray]:
    """The states, and the gradients of some loss of them by `x` and by all weights."""
    x, mask = tf.constant(x), tf.constant(mask)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, mask=mask)
        loss = tf.reduce_sum(tf.sin(3 * tf.reshape(y, [-1])) * tf.linspace(0.5, 1.5, tf.size(y)))
    return [value.numpy() for value in (y, *tape.gradient(loss, [x, *layer.trainable_weights]))]


def assert_alike(fast: list[np.ndarray], plain: list[np.ndarray]) -> None:
    np.testing.assert_allclose(fast[0], plain[0], atol=1e-6)
    for one, other in zip(fast[1:], plain[1:], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5 * np.abs(other).max())


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("both", [True, False])
@pytest.mark.parametrize(
    ("lengths", "inputs", "units"),
    [(MIXED, 6, 8), (MIXED, 3, 5), (MANY, 16, 100), ([4], 9, 4), ([1, 1], 2, 3), ([0, 2], 4, 4)],
    ids=["mixed", "units_5", "many_units_100", "one_text", "one_step", "no_step"],
)
def test_states_and_gradients_are_keras_s(lengths: list[int], inputs: int, units: int, both: bool, whole: bool) -> None:
    fast, plain = pair(units, inputs, both=both, whole=whole)
    x, mask = texts(lengths, inputs)
    assert_alike(results(fast, x, mask), results(plain, x, mask))


@pytest.mark.parametrize("both", [True, False])
def test_more_padding_changes_nothing_at_all(both: bool) -> None:
    fast, _ = pair(5, 3, both=both, whole=False)
    for short, long in zip(results(fast, *texts(MIXED, 3)), results(fast, *texts(MIXED, 3, time=12)), strict=True):
        np.testing.assert_array_equal(short, long[:, :7] if long.ndim == 3 else long)


def test_what_stands_in_the_padding_changes_nothing() -> None:
    fast, _ = pair(5, 3, both=True, whole=True)
    x, mask = texts(MIXED, 3)
    noise = np.where(mask[..., None], x, np.float32(np.nan))
    for one, other in zip(results(fast, x, mask), results(fast, noise, mask), strict=True):
        np.testing.assert_array_equal(one, other)


def test_gradients_are_finite_differences() -> None:
    fast, _ = pair(3, 2, both=True, whole=True)
    x, mask = texts(MIXED, 2)
    chance = np.random.default_rng(1)
    along = [chance.standard_normal(value.shape).astype(np.float32) for value in (x, *fast.get_weights())]
    start = [x, *fast.get_weights()]

    def loss(step: float) -> float:
        moved = [value + np.float32(step) * way for value, way in zip(start, along, strict=True)]
        fast.set_weights(moved[1:])
        y = fast(moved[0], mask=mask).numpy().astype(np.float64)
        return float((y**2).sum())

    with tf.GradientTape() as tape:
        moving = tf.constant(x)
        tape.watch(moving)
        y = tf.reduce_sum(fast(moving, mask=mask) ** 2)
    gradients = tape.gradient(y, [moving, *fast.trainable_weights])
    expected = sum(float((g.numpy() * way).sum()) for g, way in zip(gradients, along, strict=True))
    assert (loss(1e-3) - loss(-1e-3)) / 2e-3 == pytest.approx(expected, rel=1e-3)


def test_any_number_of_threads_gives_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    fast, _ = pair(9, 4, both=True, whole=True)
    x, mask = texts(MANY, 4)
    first = results(fast, x, mask)
    again = results(fast, x, mask)
    with lstm.ThreadPoolExecutor(1) as one_thread:
        monkeypatch.setattr(lstm, "_threads", lambda: one_thread)
        alone = results(fast, x, mask)
    for one, *others in zip(first, again, alone, strict=True):
        assert all(one.tobytes() == other.tobytes() for other in others)


def test_states_given_away_are_never_written_again() -> None:
    fast, _ = pair(6, 2, both=True, whole=True)
    x, mask = texts(MIXED, 2)
    kept = [fast(x * scale, mask=mask) for scale in (1, 2, 3)]
    views = [y.numpy()[:, 1:, ::2] for y in kept]
    copies = [view.copy() for view in views]
    del kept
    for scale in range(4, 9):
        fast(x * np.float32(scale), mask=mask)
    for view, copy in zip(views, copies, strict=True):
        np.testing.assert_array_equal(view, copy)


def test_memory_is_used_again() -> None:
    outputs = lstm._Outputs()
    first = outputs.take(3, 4)
    where = first.ctypes.data
    view = first[1:]
    del first
    assert outputs.take(3, 4).ctypes.data != where
    del view
    kept = outputs.take(2, 5)
    assert kept.ctypes.data == where
    assert outputs.take(3, 4).ctypes.data != where
    assert outputs.take(30, 4).shape == (30, 4)
    assert where % (4 * lstm.ALIGNMENT) == 0


def test_what_is_not_a_number_stays_so() -> None:
    fast, _ = pair(4, 2, both=True, whole=False)
    fast.set_weights([np.full_like(weight, np.nan) for weight in fast.get_weights()])
    assert all(np.isnan(value).all() for value in results(fast, *texts([3, 3], 2)))


def test_a_mask_with_a_hole_is_refused() -> None:
    fast, _ = pair(4, 2, both=False, whole=True)
    x, mask = texts(MIXED, 2)
    with pytest.raises(Exception, match="padding must follow the text"):
        fast(x, mask=mask[:, ::-1].copy())


def test_a_backward_pass_follows_its_own_forward_pass() -> None:
    fast, _ = pair(4, 2, both=True, whole=True)
    x, mask = texts(MIXED, 2)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(fast(x, mask=mask))
    fast(x, mask=mask)
    with pytest.raises(Exception, match="must follow its own forward pass"):
        tape.gradient(loss, fast.trainable_weights)


@pytest.mark.parametrize("option", [{"activation": "relu"}, {"recurrent_dropout": 0.1}, {"return_state": True}])
def test_what_the_kernels_do_not_compute_is_refused(option: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(option))):
        FastLSTM(4, **option)


@pytest.mark.parametrize(
    "keys", [{}, {"bidirectional": False}, {"pooling": "max_mean"}, {"input": "one_hot"}], ids=lambda keys: str(keys)
)
def test_a_fast_model_trains_as_the_plain_one_and_is_saved_as_it(keys: dict[str, Any], tmp_path: Any) -> None:
    config = ModelConfig(units=[6, 5], embedding_dim=4, **keys)
    fast, plain = (build(config, vocab_size=10, classes=3, seed=1, fast=fast) for fast in (True, False))
    assert [layer.name for layer in fast.layers] == [layer.name for layer in plain.layers]
    for one, other in zip(fast.get_weights(), plain.get_weights(), strict=True):
        assert one.tobytes() == other.tobytes()
    ids = np.array([[2, 3, 4, 0, 0], [5, 6, 7, 8, 9], [3, 0, 0, 0, 0]], np.int32)
    for model in (fast, plain):
        model.compile(keras.optimizers.SGD(1.0), "sparse_categorical_crossentropy", run_eagerly=True)
        for _ in range(3):
            model.train_on_batch(ids, np.array([0, 1, 2]))
    for one, other in zip(fast.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    plain.set_weights(fast.get_weights())
    plain.save(tmp_path / "model.keras")
    saved = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(saved.predict_on_batch(ids), fast.predict_on_batch(ids), atol=1e-6)


def test_a_fast_model_with_dropout_is_compiled_once_for_all_shapes() -> None:
    config = ModelConfig(units=[6, 5], embedding_dim=4, dropout=0.5, embedding_dropout=0.2)
    model = build(config, vocab_size=10, classes=2, seed=1, fast=True)

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32)])
    def gradients(ids: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(ids, training=True))
        return [tf.convert_to_tensor(one) for one in tape.gradient(loss, model.trainable_weights)]

    for shape in ((3, 4), (2, 7), (1, 1)):
        assert all(np.isfinite(one).all() for one in gradients(tf.ones(shape, tf.int32)))
    assert gradients.experimental_get_tracing_count() == 1


@pytest.mark.parametrize(("key", "value"), [("recurrent_dropout", 0.1), ("cell", "gru"), ("cell", "rnn")])
def test_what_is_not_a_plain_lstm_stays_keras_s(key: str, value: Any) -> None:
    model = build(ModelConfig(units=[4], **{key: value}), vocab_size=10, classes=2, seed=1, fast=True)
    assert not any(isinstance(layer, FastBidirectional | FastLSTM) for layer in model.layers)


def test_a_gpu_is_left_to_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    model = build(ModelConfig(units=[4]), vocab_size=10, classes=2, seed=1, fast=True)
    assert not any(isinstance(layer, FastBidirectional) for layer in model.layers)


@pytest.mark.parametrize("named", [False, True])
def test_where_nothing_can_be_stored_beside_it_no_kernel_goes_to_the_home(named: bool, tmp_path: Path) -> None:
    shutil.copy(kernels.__file__, tmp_path / "products.py")
    (tmp_path / "__pycache__").write_text("a folder in which nobody can write, not even root")
    program = (
        "import numpy as np; from products import multiply, panels;"
        "a = np.ones((2, 3), np.float32); out = np.empty((2, 16), np.float32);"
        "multiply(a, panels(np.ones((3, 16), np.float32)), out); assert (out == 3).all()"
    )
    setting = {"HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "home" / "cache")}
    setting |= {"NUMBA_CACHE_DIR": str(tmp_path / "named")} if named else {}
    subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]} | setting,
        check=True,
        timeout=120,
    )
    assert any((tmp_path / "named").rglob("*.nbi")) == named
    assert not (tmp_path / "home").exists()
