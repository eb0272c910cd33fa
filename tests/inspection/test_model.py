"""What is told of a model is what its folder holds."""

import json
from pathlib import Path

import numpy as np
import pytest

from rnn_cli.bundle.model_folder import HISTORY, METRICS, ONNX_MODEL, Bundle
from rnn_cli.config.load import load_config, parse_override
from rnn_cli.errors import BundleError
from rnn_cli.export.export import export_bundle
from rnn_cli.inspection.model import look, recipe_of
from rnn_cli.scoring.parts import read_fitting_graph
from tests.forge import Forged


def test_a_model_is_told_as_it_was_trained(trained: Path) -> None:
    told = look(Bundle.open(trained)).to_dict()
    kept = json.loads((trained / METRICS).read_text())
    assert told["layers"][0] == {
        "name": "embedding",
        "what": "a learned vector per token",
        "output": ["tokens", 8],
        "parameters": 8 * told["vocabulary"]["size"],
    }
    assert [each["name"] for each in told["layers"]] == [
        *("embedding", "bidirectional_lstm_1", "pooling", "logits", "probability")
    ]
    assert told["parameters"] == sum(each["parameters"] for each in told["layers"])
    assert told["files"] == {file.name: file.stat().st_size for file in trained.iterdir()}
    assert told["labels"] == ["bad", "good"] and told["max_length"] == 12
    assert told["data"]["rows"] == {"train": 48, "validation": 16, "test": 16}
    assert told["epochs"]["trained"] == told["epochs"]["most"] == 12
    assert 1 <= told["epochs"]["kept"] <= 12
    assert told["test"]["accuracy"] == kept["test"]["accuracy"]
    assert list(told["test"]["intervals"]["accuracy"]) == kept["test"]["intervals"]["accuracy"]
    json.dumps(told, allow_nan=False)


def test_the_parameters_are_the_numbers_in_the_file(trained: Path) -> None:
    opened = Bundle.open(trained)
    found = look(opened)
    graph = read_fitting_graph(opened.read(ONNX_MODEL), "here", found.tokenizer, opened.manifest.outputs)
    # ONNX keeps two biases of an LSTM's gates where Keras has their sum: 2 directions, 4 gates, 6 units.
    assert found.graph.architecture.weights == sum(int(np.size(each)) for each in graph.weights) - 2 * 4 * 6


def test_an_export_has_no_figures_and_is_told_all_the_same(trained: Path, tmp_path: Path) -> None:
    export_bundle(Bundle.open(trained), tmp_path / "out")
    found = look(Bundle.open(tmp_path / "out"))
    assert (found.test, found.epochs) == (None, None)
    assert found.graph.architecture == look(Bundle.open(trained)).graph.architecture


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        (METRICS, '{"test": {"accuracy": 1}}', "metrics.json: metrics this rnn does not understand"),
        (METRICS, '{"test": []}', "metrics.json: metrics this rnn does not understand"),
        (HISTORY, "epoch\n1\n", "history.csv: not a history this rnn understands"),
        ("config.yaml", "model: {units: [7]}\n", "config.yaml: model is not the network in model.onnx"),
    ],
)
def test_what_is_damaged_is_refused(trained: Path, tmp_path: Path, file: str, content: str, told: str) -> None:
    forged = Forged(trained, tmp_path / "forged")
    forged.write(file, content)
    with pytest.raises(BundleError, match=told):
        look(Bundle.open(forged.path))


CHANGES = ("training.epochs=99", "model.units=[3]", "data.source=mine.csv")


def test_the_nearest_recipe_is_the_one_that_fewest_keys_differ_from() -> None:
    assert recipe_of(load_config("char")).changed == {}
    found = recipe_of(load_config("quick", [parse_override(each) for each in CHANGES]))
    assert found.recipe == "quick" and found.changed == {"training.epochs": 99, "model.units": [3]}


def test_the_recipe_a_run_was_trained_as_goes_before_a_nearer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnn_cli.inspection.model.recipes", lambda: ["quick", "default", "char"])
    monkeypatch.setattr("rnn_cli.inspection.model.load_config", lambda _: load_config("quick"))
    assert recipe_of(load_config("quick")).recipe == "quick"
    assert recipe_of(load_config("quick"), "default").recipe == "default"
