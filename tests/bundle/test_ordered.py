"""The manifest of a model of ordered labels: refused by older releases, and by nobody made of another one."""

from pathlib import Path

import pytest

from rnn_cli.bundle.model_folder import SEVERAL_FORMAT, Bundle, Manifest, unsign
from rnn_cli.errors import BundleError
from rnn_cli.scoring.predictor import Predictor
from tests.forge import Forged


def test_an_older_release_refuses_it(trained_ordered: Path):
    text = (trained_ordered / "manifest.json").read_text("utf-8")
    with pytest.raises(BundleError, match="written by a newer rnn"):
        unsign(text, where="manifest.json", newest=SEVERAL_FORMAT)


def test_other_manifests_are_written_as_before(trained: Path, trained_several: Path):
    for folder, newest in ((trained, 2), (trained_several, 3)):
        manifest = Bundle.open(folder).manifest
        text = manifest.to_json()
        assert '"ordered"' not in text and '"choice"' not in text
        assert manifest.format_version <= newest
        assert text == (folder / "manifest.json").read_text("utf-8")


def test_it_is_read_as_it_was_written(trained_ordered: Path):
    manifest = Bundle.open(trained_ordered).manifest
    again = Manifest.from_json(manifest.to_json(), where="manifest.json")
    assert again == manifest and again.ordered and again.choice == "balanced"
    assert again.task == "ordinal" and again.outputs == len(again.labels) - 1


@pytest.mark.parametrize(
    "changes",
    [
        {"choice": "mean"},
        {"choice": ...},
        {"ordered": 1},
        {"ordered": False},
        {"several": True, "thresholds": [], "most": 0},
        {"labels": ["1", "2", "3", "4"]},
        {"labels": ["1", "2"]},
        {"scales": [1.0] * 4, "biases": [0.0] * 4},
        {"matrix": [0.0] * 20, "biases": []},
        {"matrix": [0.0] * 12, "biases": [0.0] * 5},
        {"matrix": ["x"] * 20, "biases": [0.0] * 5},
    ],
)
def test_a_forged_one_is_refused(changes, trained_ordered: Path, tmp_path: Path):
    forged = Forged(trained_ordered, tmp_path / "forged")
    forged.sign(**changes)
    with pytest.raises(BundleError):
        Predictor.open(forged.path)


def test_a_model_of_other_labels_does_not_pass_for_one_of_ordered(trained_several: Path, tmp_path: Path):
    forged = Forged(trained_several, tmp_path / "forged")
    forged.sign(several=..., thresholds=..., most=..., ordered=True, choice="median", matrix=[], scales=..., biases=...)
    with pytest.raises(BundleError):
        Predictor.open(forged.path)
