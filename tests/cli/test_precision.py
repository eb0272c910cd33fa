"""`--precision int8`: the bundle's other graph, or one line that says why there is none."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from rnn_cli.bundle.model_folder import INT8_MODEL, METRICS, Bundle, proof
from rnn_cli.scoring.predictor import Predictor

from .conftest import Rnn


@pytest.fixture
def older(trained: Path, tmp_path: Path) -> Path:
    """The bundle as it was before there were int8 graphs."""
    folder = tmp_path / "older"
    shutil.copytree(trained, folder)
    (folder / INT8_MODEL).unlink()
    metrics = json.loads((folder / METRICS).read_text(encoding="utf-8"))
    del metrics["int8"]
    (folder / METRICS).write_text(json.dumps(metrics), encoding="utf-8")
    manifest = Bundle.open(trained).manifest
    files = {name: proof(folder / name) for name in manifest.files if name != INT8_MODEL}
    (folder / "manifest.json").write_text(replace(manifest, files=files).to_json(), encoding="utf-8")
    return folder


def test_predict_answers_as_the_int8_graph_does(rnn: Rnn, trained: Path) -> None:
    expected = Predictor.open(trained, precision="int8").predict(["a warm, funny film"])[0]
    code, out, err = rnn("predict", "--model", str(trained), "--precision", "int8", "a warm, funny film")
    assert (code, out, err) == (0, f"{expected.label}\t{expected.probability:.6f}\n", "")


def test_evaluate_measures_the_int8_graph(rnn: Rnn, trained: Path, labelled_file: Path) -> None:
    assert labelled_file.exists()
    told = {
        each: json.loads(rnn("evaluate", "--model", str(trained), "--precision", each, "--json").out)
        for each in ("fp32", "int8")
    }
    assert told["int8"]["log_loss"] != told["fp32"]["log_loss"]
    assert told["int8"]["log_loss"] == pytest.approx(told["fp32"]["log_loss"], abs=0.02)
    # How the network's answers compare with the baseline's was kept of the fp32 graph only.
    assert "comparison" in told["fp32"] and "comparison" not in told["int8"]


@pytest.mark.parametrize("words", [("predict", "a warm film"), ("evaluate",)])
def test_a_bundle_without_one_is_refused_in_one_line(words: tuple[str, ...], rnn: Rnn, older: Path) -> None:
    command, *rest = words
    assert rnn(command, "--model", str(older), *rest).code == 0
    code, out, err = rnn(command, "--model", str(older), "--precision", "int8", *rest)
    assert (code, out) == (2, "")
    assert err == (
        f"Error: {older}: has no int8 graph: it was trained before these were made; "
        "train again, or use --precision fp32\n"
    )
