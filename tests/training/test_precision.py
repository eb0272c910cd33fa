"""When a run's network is offered in 8 bits, and what is told of it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnn_cli.bundle.model_folder import INT8_MODEL, METRICS, ONNX_MODEL, Bundle
from rnn_cli.config.schema import Config, ModelConfig
from rnn_cli.data.rows import Dataset
from rnn_cli.data.splits import load_splits
from rnn_cli.evaluation.evaluate import evaluate_predictor, run_config
from rnn_cli.network.quantize import to_int8
from rnn_cli.scoring import predictor as scoring
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.training.int8 import MOST_MOVED, Int8, try_int8
from rnn_cli.training.prepare import prepare
from rnn_cli.training.run import train_prepared

LSTM = ModelConfig()


@pytest.fixture
def validation(trained: Path) -> Dataset:
    return load_splits(run_config(Bundle.open(trained)).data).validation


def measured(trained: Path, validation: Dataset) -> Int8:
    opened = Bundle.open(trained)
    predictor = Predictor(opened)
    return try_int8(opened.read(ONNX_MODEL), LSTM, predictor, evaluate_predictor(predictor, validation))


def test_the_bundle_keeps_the_graph_and_what_it_costs(trained: Path, validation: Dataset) -> None:
    opened = Bundle.open(trained)
    assert opened.read(INT8_MODEL) == to_int8(opened.read(ONNX_MODEL))
    told = json.loads(opened.read(METRICS))["int8"]
    fp32, int8 = (evaluate_predictor(Predictor(opened, precision=each), validation) for each in ("fp32", "int8"))
    moved = abs(int8.scores.probabilities - fp32.scores.probabilities)[:, 1]
    assert (told["offered"], told["reason"]) == (True, None)
    assert told["accuracy_change"] == int8.metrics.accuracy - fp32.metrics.accuracy
    assert told["mean_change"] == pytest.approx(moved.mean())
    assert told["largest_change"] == pytest.approx(moved.max())
    assert 0 < told["mean_change"] < told["largest_change"] < MOST_MOVED


def test_what_moves_probabilities_too_far_is_not_offered(
    trained: Path, validation: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rnn_cli.training.int8.MOST_MOVED", 1e-6)
    found = measured(trained, validation)
    assert found.graph is None and not found.to_dict()["offered"]
    assert found.summary().startswith("no int8 graph: its probabilities on the validation rows would move by 0.0")


@pytest.mark.parametrize(("lost", "offered"), [(0, True), (2, True), (3, False)])
def test_0_2_points_may_be_lost_and_no_more(
    lost: int, offered: bool, trained: Path, validation: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 1,000 rows that is two; the scores in 8 bits are those in 32 but for so many turned round."""
    text, label = validation.texts[0], validation.labels[0]
    rows = Dataset("rows", [text] * 1000, [label] * 1000, list(range(1000)))
    monkeypatch.setattr("rnn_cli.training.int8.to_int8", lambda graph: graph)
    predictor = Predictor.open(trained)
    before = evaluate_predictor(predictor, rows)
    assert before.metrics.accuracy == 1
    other = np.where(np.arange(1000)[:, np.newaxis] < lost, before.scores.probabilities[:, ::-1], 0)
    scores = type(before.scores)(np.where(other > 0, other, before.scores.probabilities), before.scores.known)
    monkeypatch.setattr(Predictor, "score", lambda self, *_: scores)
    found = try_int8((trained / ONNX_MODEL).read_bytes(), LSTM, predictor, before)
    assert found.to_dict()["offered"] == offered
    assert found.accuracy_change == pytest.approx(-lost / 1000)
    if not offered:
        assert found.summary() == "no int8 graph: its accuracy on the validation rows would be 99.7%, not 100.0%"


def test_a_network_that_cannot_be_served_is_no_failed_run(
    labelled_file: Path, tiny: dict[str, dict[str, Any]], listener: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    content = {"data": {"source": str(labelled_file)}, **tiny}
    content |= {"model": {**tiny["model"], "cell": "gru"}, "training": {**tiny["training"], "epochs": 1}}
    run = prepare(Config.model_validate(content), listener)
    opened = train_prepared(run, out=Path("m"), name="tiny", force=False, listener=listener).bundle
    told = json.loads(opened.read(METRICS))["int8"]
    assert INT8_MODEL not in opened.manifest.files
    assert told == {
        "offered": False,
        "reason": "ONNX Runtime computes LSTM layers in 8 bits, but no GRU layers",
        "metric": "accuracy",
        **dict.fromkeys(["accuracy", "accuracy_change", "mean_change", "largest_change"]),
    }
    assert f"no int8 graph: {told['reason']}" in listener.notes


def test_a_graph_that_does_not_load_here_is_not_offered(
    trained: Path, validation: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = scoring.onnxruntime.InferenceSession

    def session(graph: bytes, *arguments: Any, **keywords: Any) -> Any:
        if b"DynamicQuantizeLSTM" in graph:
            raise RuntimeError("no such operator")
        return real(graph, *arguments, **keywords)

    monkeypatch.setattr(scoring.onnxruntime, "InferenceSession", session)
    assert "ONNX Runtime cannot load it (no such operator)" in measured(trained, validation).summary()


def test_one_line_tells_both_accuracies() -> None:
    found = Int8(b"", None, "accuracy", 0.9164, -0.001, 0.0034, 0.1)
    assert found.summary() == ("int8 graph: accuracy 91.6% (fp32 91.7%), probabilities move by 0.003 on average")
