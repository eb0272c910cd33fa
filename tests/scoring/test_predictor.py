import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import pytest

from rnn_cli.bundle.model_folder import KERAS_MODEL, METRICS, ONNX_MODEL, Bundle, proof
from rnn_cli.errors import BundleError
from rnn_cli.scoring.calibration import Calibration
from rnn_cli.scoring.decision import Decision
from rnn_cli.scoring.predictor import Predictor, graph_file, open_session
from rnn_cli.text.padding import pad

TEXTS = [
    "a warm and funny film",
    "the dull plot",
    "",
    "zzz qqq",
    "warm",
    "the " * 500 + "dull",
    "Dull, DULL; dull!",
    "👩‍👩‍👧 فيلم warm",
] * 30


@pytest.fixture(scope="module")
def predictor(trained: Path) -> Predictor:
    return Predictor.open(trained)


def test_it_learned_what_the_file_teaches(predictor: Predictor) -> None:
    good, bad = predictor.predict(["a lovely and bright story", "it was tedious and clumsy"])
    assert (good.label, bad.label) == ("good", "bad")
    assert good.probability > 0.8
    assert good.probabilities == pytest.approx((1 - good.probability, good.probability))


def test_scores_are_those_of_the_keras_file(predictor: Predictor, trained: Path) -> None:
    model = keras.saving.load_model(trained / KERAS_MODEL)
    ids = pad(predictor.tokenizer.encode_all(TEXTS))
    plain = predictor.adjusted(calibration=Calibration())
    np.testing.assert_allclose(plain.score(TEXTS).probabilities[:, 1:], np.asarray(model(ids)), atol=1e-5)


def test_a_session_does_not_keep_the_bytes_of_its_graph(trained: Path) -> None:
    graph = Bundle.open(trained).read(ONNX_MODEL)
    references = sys.getrefcount(graph)
    session = open_session(graph, ONNX_MODEL)
    assert session.get_inputs() and sys.getrefcount(graph) == references


def test_neighbours_and_order_do_not_matter(predictor: Predictor) -> None:
    together = predictor.score(TEXTS).probabilities
    backwards = predictor.score(TEXTS[::-1]).probabilities[::-1]
    alone = np.vstack([predictor.score([text]).probabilities for text in TEXTS[:8]])
    np.testing.assert_allclose(backwards, together, atol=1e-6)
    np.testing.assert_allclose(alone, together[:8], atol=1e-6)


def test_a_text_without_a_known_word_is_finite_and_flagged(predictor: Predictor) -> None:
    predictions = predictor.predict(["", "   ", "zzz", "zzz qqq", "warm zzz"])
    assert [each.no_known_words for each in predictions] == [True, True, True, True, False]
    assert all(np.isfinite(each.probability) for each in predictions)
    assert predictions[0] == predictions[1] == predictions[2]  # each is one unknown word


def test_no_texts_no_answers(predictor: Predictor) -> None:
    assert predictor.predict([]) == []


def test_word_order_can_matter(make_labelled_file: Callable[..., Path], predictor: Predictor) -> None:
    one, other = predictor.score(["warm dull the film was", "was film the dull warm"]).probabilities
    assert abs(one - other).max() > 1e-6


def changed(trained: Path, **changes: Any) -> Predictor:
    opened = Bundle.open(trained)
    return Predictor(Bundle(trained, replace(opened.manifest, **changes)))


def test_the_manifest_threshold_decides(trained: Path) -> None:
    texts = ["a warm film", "a dull film"]
    assert {each.label for each in changed(trained, threshold=0.0).predict(texts)} == {"good"}
    assert {each.label for each in changed(trained, threshold=1.0).predict(texts)} == {"bad"}


def test_the_manifest_temperature_divides_the_logits(trained: Path) -> None:
    def logits(each: Predictor) -> np.ndarray:
        shares = each.score(["a warm film", "a dull film"]).probabilities
        return np.log(shares[:, 1] / shares[:, 0])

    np.testing.assert_allclose(
        logits(changed(trained, temperature=4.0)) * 4, logits(changed(trained, temperature=1.0)), rtol=1e-5
    )


def test_the_manifest_s_vector_scaling_comes_after_the_temperature(trained: Path) -> None:
    texts = ["a warm film", "a dull film", "zzqq"]
    plain = changed(trained, temperature=1.0)
    raw = plain.logits(plain.tokenizer.encode_all(texts))
    scaled = changed(trained, temperature=2.0, scales=(3.0,), biases=(-0.5,))
    expected = 1 / (1 + np.exp(-(raw[:, 0] / 2 * 3 - 0.5)))
    np.testing.assert_allclose(scaled.score(texts).probabilities[:, 1], expected, rtol=1e-5)
    assert scaled.adjusted(decision=Decision(0.9)).calibration == scaled.calibration
    assert scaled.running((trained / ONNX_MODEL).read_bytes(), "").score(texts).probabilities[:, 1] == pytest.approx(
        expected, rel=1e-5
    )


def rewritten(trained: Path, folder: Path, graph: bytes) -> Path:
    """The bundle with another graph and a manifest that vouches for it, as an ill-meaning person would make it."""
    import hashlib
    import shutil

    shutil.copytree(trained, folder)
    (folder / ONNX_MODEL).write_bytes(graph)
    manifest = Bundle.open(trained).manifest
    files = {**manifest.files, ONNX_MODEL: {"size": len(graph), "sha256": hashlib.sha256(graph).hexdigest()}}
    (folder / "manifest.json").write_text(replace(manifest, files=files).to_json(), encoding="utf-8")
    return folder


def test_weights_outside_the_file_are_refused(trained: Path, tmp_path: Path) -> None:
    graph = onnx.load_from_string((trained / ONNX_MODEL).read_bytes())
    for tensor in graph.graph.initializer:
        onnx.external_data_helper.set_external_data(tensor, location="/etc/hostname")
        tensor.ClearField("raw_data")
    with pytest.raises(BundleError, match="holds what rnn never writes"):
        Predictor.open(rewritten(trained, tmp_path / "m", graph.SerializeToString()))


def test_8_bits_answer_nearly_what_32_do(predictor: Predictor, trained: Path) -> None:
    int8 = Predictor.open(trained, precision="int8").score(TEXTS).probabilities
    fp32 = predictor.score(TEXTS).probabilities
    np.testing.assert_allclose(int8, fp32, atol=0.02)
    assert abs(int8 - fp32).max() > 1e-6  # they are other graphs


def without_int8(trained: Path, folder: Path, entry: object) -> Bundle:
    """The bundle without an int8 graph, its metrics telling this of it."""
    folder.mkdir()
    (folder / METRICS).write_text(json.dumps({} if entry is None else {"int8": entry}))
    opened = Bundle.open(trained)
    return Bundle(folder, replace(opened.manifest, files={METRICS: proof(folder / METRICS)}))


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"reason": "no GRU layers"}, "has no int8 graph: no GRU layers; use precision=fp32"),
        (None, "has no int8 graph: it was trained before these were made; train again, or use precision=fp32"),
        ([], "has no int8 graph: it was trained before these were made; train again, or use precision=fp32"),
    ],
)
def test_without_an_int8_graph_it_is_told_why(entry: object, told: str, trained: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError) as caught:
        graph_file(without_int8(trained, tmp_path / "m", entry), "int8")
    assert str(caught.value) == f"{tmp_path / 'm'}: {told}"


def test_a_graph_of_another_width_than_the_labels_is_refused(trained: Path) -> None:
    opened = Bundle.open(trained)
    manifest = replace(opened.manifest, labels=("a", "b", "c"))
    with pytest.raises(BundleError, match="does not return the 3 logits a text that its labels need"):
        Predictor(Bundle(trained, manifest))


def test_a_graph_that_is_none_is_refused_in_one_line(
    trained: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(BundleError, match="holds what rnn never writes") as caught:
        Predictor.open(rewritten(trained, tmp_path / "m", b"not a graph"))
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")
