"""The manifest of a model of numbers: refused by older releases, and by nobody made of another one."""

from pathlib import Path

import pytest

from rnn_cli.bundle.model_folder import ORDERED_FORMAT, Bundle, Manifest, unsign
from rnn_cli.errors import BundleError
from rnn_cli.scoring.predictor import Predictor
from tests.forge import Forged


def test_an_older_release_refuses_it(trained_number: Path):
    text = (trained_number / "manifest.json").read_text("utf-8")
    with pytest.raises(BundleError, match="written by a newer rnn"):
        unsign(text, where="manifest.json", newest=ORDERED_FORMAT)


def test_other_manifests_are_written_as_before(trained: Path, trained_several: Path, trained_ordered: Path):
    for folder, newest in ((trained, 2), (trained_several, 3), (trained_ordered, 4)):
        manifest = Bundle.open(folder).manifest
        text = manifest.to_json()
        assert '"number"' not in text and '"center"' not in text and '"scale"' not in text
        assert manifest.format_version <= newest
        assert text == (folder / "manifest.json").read_text("utf-8")


def test_it_is_read_as_it_was_written(trained_number: Path):
    manifest = Bundle.open(trained_number).manifest
    again = Manifest.from_json(manifest.to_json(), where="manifest.json")
    assert again == manifest and again.number and again.scale > 10 and again.labels == ()
    assert again.task == "regression" and again.outputs == 1
    kept = manifest.data["conformal"]
    assert kept["rows"] == manifest.data["rows"]["validation"] == len(kept["scores"])
    assert max(kept["scores"]) > 1  # in minutes


@pytest.mark.parametrize(
    "changes",
    [
        {"number": 1},
        {"number": False},
        {"number": ...},
        {"center": "x"},
        {"center": float("1e301")},
        {"scale": 0},
        {"scale": -1.0},
        {"scale": ...},
        {"labels": ["a", "b"]},
        {"several": True, "thresholds": [], "most": 0},
        {"ordered": True, "choice": "median", "matrix": []},
        {"scales": [1.0], "biases": [0.0]},
    ],
)
def test_a_forged_one_is_refused(changes, trained_number: Path, tmp_path: Path):
    forged = Forged(trained_number, tmp_path / "forged")
    forged.sign(**changes)
    with pytest.raises(BundleError):
        Predictor.open(forged.path)


def test_a_model_of_labels_does_not_pass_for_one_of_numbers(trained_ordered: Path, tmp_path: Path):
    forged = Forged(trained_ordered, tmp_path / "forged")
    forged.sign(ordered=..., choice=..., matrix=..., biases=..., labels=[], number=True, center=0.0, scale=1.0)
    with pytest.raises(BundleError, match="does not return the 1 logits"):
        Predictor.open(forged.path)
