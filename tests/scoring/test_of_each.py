"""Each label by itself: its probability, and whether it is predicted."""

from pathlib import Path

import numpy as np
import pytest

from rnn_cli.bundle.model_folder import Bundle
from rnn_cli.errors import UsageError
from rnn_cli.scoring.of_each import CalibrationOfEach, DecisionOfEach, odds_of, sigmoid
from rnn_cli.scoring.prediction import LabelsPrediction, joining
from rnn_cli.scoring.predictor import Predictor

TEXTS = ["the invoice was charged twice and the courier lost a box", "an evening of music", "", "zzz"]


@pytest.fixture(scope="module")
def model(trained_several: Path) -> Predictor:
    return Predictor.open(trained_several)


def test_sigmoid_and_log_odds_undo_each_other_and_are_finite():
    logits = np.array([[-800.0, -3.0, 0.0, 5.0, 800.0]])
    assert sigmoid(logits)[0, [0, 2, 4]].tolist() == [0, 0.5, 1]
    assert odds_of(sigmoid(logits[:, 1:4])) == pytest.approx(logits[:, 1:4])
    assert np.isfinite(odds_of(np.array([0.0, 1.0]))).all()


def test_a_calibration_is_undone():
    calibration = CalibrationOfEach(1.3, (0.8, 1.2), (0.5, -1.0))
    probabilities = np.array([[0.2, 0.9], [0.5, 0.01]])
    assert calibration.undone(calibration.of(probabilities)) == pytest.approx(probabilities)
    assert calibration.of(np.array([[0.5, 0.5]]))[0, 0] == pytest.approx(sigmoid(np.array(0.5)))


def test_labels_are_predicted_from_their_thresholds_on():
    decision = DecisionOfEach(thresholds=(0.5, 0.1, 0.9))
    assert decision.choose(np.array([[0.5, 0.05, 0.95], [0.4, 0.2, 0.2], [0.1, 0.0, 0.0]])).tolist() == [
        [1, 0, 1],
        [0, 1, 0],
        [0, 0, 0],
    ]


def test_of_more_than_allowed_the_most_probable_are_kept():
    probabilities = np.array([[0.6, 0.7, 0.7], [0.9, 0.1, 0.1]])
    assert DecisionOfEach(most=1).choose(probabilities).tolist() == [[0, 1, 0], [1, 0, 0]]
    assert DecisionOfEach(most=2).choose(probabilities).tolist() == [[0, 1, 1], [1, 0, 0]]


def test_predictions_name_labels_by_their_probability(model: Predictor):
    first, second, empty, unknown = model.predict(TEXTS)
    assert isinstance(first, LabelsPrediction)
    assert set(first.labels) == {"bill", "parcel"} and first.label == ", ".join(first.labels)
    assert list(first.label_probabilities) == sorted(first.label_probabilities, reverse=True)
    assert first.probability == first.label_probabilities[0]
    assert second.labels == () and second.label == "none"
    assert second.probability == pytest.approx(1 - max(second.probabilities))
    assert empty.no_known_words and unknown.no_known_words


def test_each_probability_is_a_sigmoid_of_its_logit(model: Predictor):
    logits = model.logits(model.tokenizer.encode_all(TEXTS[:2])).astype(float)
    assert model.predict_proba(TEXTS[:2]) == pytest.approx(1 / (1 + np.exp(-logits)))


def test_texts_alone_score_as_together(model: Predictor):
    together = model.score(TEXTS).probabilities
    for text, row in zip(TEXTS, together, strict=True):
        assert model.score([text]).probabilities[0] == pytest.approx(row, abs=1e-5)


def test_one_of_its_labels_is_enough(model: Predictor):
    alone = model.among(["parcel"])
    assert alone.predict_proba(TEXTS[:2])[:, 0] == pytest.approx(model.predict_proba(TEXTS[:2])[:, 2])
    assert alone.predict(TEXTS[0])[0].labels == ("parcel",)
    with pytest.raises(UsageError, match="no such label"):
        model.among(["other"])


def test_an_explanation_is_of_one_label_and_adds_nothing_of_the_others(model: Predictor):
    parts = model.explain("the courier lost a box")
    weights = {"the courier lost a box"[part.start : part.end]: part.weight for part in parts}
    assert max(weights, key=weights.get) in ("courier", "lost", "box")


def test_keras_and_onnx_are_the_same(trained_several: Path, model: Predictor):
    import keras

    network = keras.saving.load_model(trained_several / "model.keras")
    ids = np.array([model.tokenizer.encode(TEXTS[0])], np.int32)
    plain = model.adjusted(calibration=CalibrationOfEach())
    assert plain.score(TEXTS[:1]).probabilities[0] == pytest.approx(np.asarray(network(ids))[0], abs=1e-5)


def test_joins_that_stand_in_no_label():
    assert joining(["a", "b"]) == "|"
    assert joining(["a|b", "c;d"]) == "#"
    assert joining(["|;#/+~"]) is None


def test_a_bundle_says_what_it_is(trained_several: Path):
    manifest = Bundle.open(trained_several).manifest
    assert manifest.task == "multilabel" and manifest.format_version == 3 and manifest.outputs == 3
