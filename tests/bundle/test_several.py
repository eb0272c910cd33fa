"""The manifest of a model of several labels: refused by older releases, and by nobody made of another one."""

from pathlib import Path

import pytest

from rnn_cli.bundle.model_folder import SCALED_FORMAT, Bundle, Manifest, unsign
from rnn_cli.errors import BundleError
from rnn_cli.scoring.predictor import Predictor
from tests.forge import Forged


def test_an_older_release_refuses_it(trained_several: Path):
    text = (trained_several / "manifest.json").read_text("utf-8")
    with pytest.raises(BundleError, match="written by a newer rnn"):
        unsign(text, where="manifest.json", newest=SCALED_FORMAT)


def test_another_manifest_is_written_as_before(trained: Path):
    manifest = Bundle.open(trained).manifest
    text = manifest.to_json()
    assert not any(f'"{name}"' in text for name in ("several", "thresholds", "most"))
    assert manifest.format_version < 3
    assert text == (trained / "manifest.json").read_text("utf-8")


def test_it_is_read_as_it_was_written(trained_several: Path):
    manifest = Bundle.open(trained_several).manifest
    again = Manifest.from_json(manifest.to_json(), where="manifest.json")
    assert again == manifest and again.several and len(again.thresholds) == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"thresholds": [0.5, 0.5]},
        {"thresholds": [0.5, 0.5, 1.5]},
        {"thresholds": [0.5, 0.5, "x"]},
        {"most": -1},
        {"most": True},
        {"several": 1},
        {"several": False},
        {"thresholds": ...},
        {"scales": [1.0], "biases": [0.0]},
    ],
)
def test_a_forged_one_is_refused(changes, trained_several: Path, tmp_path: Path):
    forged = Forged(trained_several, tmp_path / "forged")
    forged.sign(**changes)
    with pytest.raises(BundleError):
        Predictor.open(forged.path)


def test_a_model_of_one_label_does_not_pass_for_one_of_several(trained: Path, tmp_path: Path):
    forged = Forged(trained, tmp_path / "forged")
    forged.sign(several=True, thresholds=[0.5, 0.5], most=0, format_version=3, scales=[], biases=[])
    with pytest.raises(BundleError, match="logits"):
        Predictor.open(forged.path)
