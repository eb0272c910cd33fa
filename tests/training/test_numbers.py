"""Runs of numbers: standardised targets, a robust loss, parts that are mixed, and further training."""

from pathlib import Path

import numpy as np
import pytest

import rnn_cli
from rnn_cli.config.schema import ModelConfig
from rnn_cli.data.numbers import numbers_of
from rnn_cli.data.splits import load_splits
from rnn_cli.evaluation.evaluate import kept_splits, run_config
from rnn_cli.evaluation.evaluate_numbers import NumberEvaluation
from rnn_cli.training.baseline_of_numbers import fit_baseline_of_numbers
from rnn_cli.training.encoding import Encoded
from rnn_cli.training.listener import SilentListener
from rnn_cli.training.ngrams_numbers import fit_linear_numbers
from rnn_cli.training.numbers import mixed_of_numbers


def test_the_network_is_standardised_by_the_training_rows(trained_number: Path):
    model = rnn_cli.load(trained_number)
    train = numbers_of(kept_splits(model.bundle).train)
    manifest = model.bundle.manifest
    assert (manifest.center, manifest.scale) == pytest.approx((train.mean(), train.std()))
    assert model.spread == manifest.scale


def test_keras_and_onnx_give_the_same_number(trained_number: Path):
    import keras

    model = rnn_cli.load(trained_number)
    network = keras.saving.load_model(trained_number / "model.keras")
    ids = model.tokenizer.encode_all(["a superb and warm evening"])
    of_keras = model.bundle.manifest.center + model.spread * float(network(np.array(ids, np.int32))[0, 0])
    assert model.predict("a superb and warm evening")[0].number == pytest.approx(of_keras, abs=1e-3)


def test_neighbours_and_other_batches_change_no_number(trained_number: Path):
    model = rnn_cli.load(trained_number)
    texts = ["superb film", "an awful and dull and plain evening of music", "warm"]
    alone = [float(model.predict_numbers(text)[0]) for text in texts]
    assert model.predict_numbers(texts).tolist() == pytest.approx(alone, abs=1e-3)


def test_the_parts_weights_are_least_squares_that_are_never_negative():
    chance = np.random.default_rng(1)
    truth = chance.normal(size=500)
    good, bad = truth + chance.normal(0, 0.1, 500), -truth
    found = mixed_of_numbers([good, bad], truth, np.ones(500), np.full(2, 0.5))
    assert found[0] == pytest.approx(1, abs=0.05) and found[1] == 0
    few = mixed_of_numbers([good[:1], bad[:1]], truth[:1], np.ones(1), np.full(2, 0.5))
    assert np.abs(few - 0.5).max() < 0.6


def test_n_grams_tell_the_number_of_texts_that_hold_them():
    chance = np.random.default_rng(2)
    effects = chance.normal(size=60)
    sequences = [chance.integers(2, 60, chance.integers(5, 20)).tolist() for _ in range(800)]
    values = np.array([effects[ids].sum() / np.sqrt(len(ids)) for ids in sequences])
    values = ((values - values.mean()) / values.std()).astype(np.float32)

    def side(part: slice) -> Encoded:
        own = values[part]
        return Encoded(sequences[part], np.zeros(len(own), np.intp), np.ones(len(own), np.float32), values=own)

    sides = side(slice(0, 600)), side(slice(600, 800))
    config = ModelConfig(ngrams=2, ngram_buckets=256)
    found = fit_linear_numbers(config, *sides, vocab_size=60, on_progress=lambda *_: None)
    assert found.table.shape == (60 + 256, 1) and found.val_accuracy > 0.8


def test_the_baseline_is_a_ridge_regression_that_beats_the_mean(trained_number: Path):
    config = run_config(rnn_cli.load(trained_number).bundle)
    splits = load_splits(config.data)
    found = fit_baseline_of_numbers(splits, SilentListener())
    truth = numbers_of(splits.test)
    assert np.abs(found.sides["test"][0] - truth).mean() < 0.7 * np.abs(truth - truth.mean()).mean()


def test_one_far_number_does_not_ruin_a_run(numbered_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text(numbered_file.read_text() + "a slip of a superb film,9000\n")
    more = {"label_column": "minutes", "labels": "number", "vocab_size": 60, "epochs": 6, "batch_size": 8}
    run = rnn_cli.train("quick", "rows.csv", baseline=False, units=[6], learning_rate=0.02, **more)
    assert isinstance(run.validation, NumberEvaluation)
    assert run.validation.metrics.spearman is not None and run.validation.metrics.spearman > 0.5


def test_further_training_keeps_the_standard(trained_number: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    run = rnn_cli.train(origin=trained_number, epochs=1, baseline=False)
    before, after = rnn_cli.load(trained_number).bundle.manifest, run.bundle.manifest
    assert (before.center, before.scale) == (after.center, after.scale)
    assert "mean absolute error" in repr(run) and "R²" in run._repr_html_()
