"""A run whose network finds one label too probable, so that vector scaling is chosen."""

import json
import random
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from rnn_cli.bundle.model_folder import KERAS_MODEL, METRICS, REPORT, Bundle
from rnn_cli.config.schema import Config
from rnn_cli.evaluation.evaluate import evaluate_predictor, kept_test_rows
from rnn_cli.inspection.model import look
from rnn_cli.scoring.calibration import Calibration
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.text.padding import pad
from rnn_cli.training.prepare import prepare
from rnn_cli.training.run import train_prepared


@pytest.fixture(scope="module", params=[2, 3])
def skewed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A model whose first label is far more frequent in the training rows, and what training noted."""
    from tests.conftest import TINY, Silent, write_csv

    labels, chance = ["awful", "fine", "grand"][: request.param], random.Random(3)
    folder, files = tmp_path_factory.mktemp("skewed"), {}
    for side, rows, weight in (("source", 900, 6), ("validation", 450, 1), ("test", 300, 1)):
        texts = []
        for row in range(rows):
            (label,) = chance.choices(labels, [weight, *[1] * (len(labels) - 1)])
            said = label if chance.random() < 0.6 else chance.choice(labels)  # hints, which are often wrong
            texts.append((f"word{chance.randrange(30)} {said}ly word{chance.randrange(30)} {side}{row}", label))
        file = folder / f"{side}.csv"
        files[side] = str(write_csv(file, texts))
    config = Config.model_validate(TINY | {"training": {**TINY["training"], "epochs": 3}, "data": files})
    listener = Silent()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # a run writes runs/latest where it stands
        train_prepared(prepare(config, listener), out=folder / "m", name="m", force=False, listener=listener)
    return folder / "m", listener.notes


def test_the_choice_is_told_with_its_figures(skewed: tuple[Path, list[str]]) -> None:
    path, notes = skewed
    opened = Bundle.open(path)
    told: dict[str, Any] = json.loads(opened.read(METRICS))["calibration"]
    assert tuple(told["scales"]) == opened.manifest.scales != ()
    assert tuple(told["biases"]) == opened.manifest.biases
    trial = told["vector_scaling"]
    assert 0 < trial["interval"][0] < trial["gain"] and trial["rows"] == opened.manifest.data["rows"]["validation"]
    shown = f"log loss {trial['log_loss_scaling']:.4f} instead of {trial['log_loss_temperature']:.4f}"
    assert any(f"vector scaling on top: {shown}" in each for each in notes)
    assert shown in opened.read(REPORT).decode("utf-8")
    assert told["test"]["after"]["log_loss"] < told["test"]["before"]["log_loss"]
    assert look(opened).to_dict()["vector_scaling"] == {"scales": told["scales"], "biases": told["biases"]}


def test_every_way_to_score_applies_it(skewed: tuple[Path, list[str]]) -> None:
    path, _ = skewed
    opened = Bundle.open(path)
    predictor, rows = Predictor(opened), kept_test_rows(opened)
    network = keras.saving.load_model(path / KERAS_MODEL)
    by_keras = np.asarray(network(pad(predictor.tokenizer.encode_all(rows.texts))), np.float64)
    by_keras = np.hstack([1 - by_keras, by_keras]) if len(predictor.labels) == 2 else by_keras
    by_keras = by_keras / by_keras.sum(axis=1, keepdims=True)
    plain = predictor.adjusted(calibration=Calibration()).score(rows.texts).probabilities
    np.testing.assert_allclose(plain, by_keras, atol=1e-5)
    found = evaluate_predictor(predictor, rows)
    np.testing.assert_allclose(found.scores.probabilities, predictor.calibration.of(by_keras), atol=1e-4)
    np.testing.assert_allclose(predictor.calibration.undone(found.scores.probabilities), by_keras, atol=1e-4)
    stored = json.loads(opened.read(METRICS))
    assert found.metrics.log_loss == pytest.approx(stored["test"]["log_loss"])
    before = stored["calibration"]["test"]["before"]["log_loss"]
    assert before == pytest.approx(-np.log(plain[np.arange(len(found.truth)), found.truth]).mean(), rel=1e-4)
