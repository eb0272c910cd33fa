"""Training where numba, or what it is made of, is missing, unfit or cannot compile: slower, and the same."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from rnn_cli.bundle.model_folder import Bundle
from rnn_cli.config.schema import Config
from rnn_cli.data.source import load_rows
from rnn_cli.network import build as building
from rnn_cli.network import kernels
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.training.prepare import prepare
from rnn_cli.training.run import train_prepared

pytestmark = pytest.mark.usefixtures("without_report")

OURS = [f"rnn_cli.network.{name}" for name in ("lstm", "kernels")]


class Unfit:
    """Finds a library that raises this where it is imported."""

    def __init__(self, name: str, error: Exception) -> None:
        self.name, self.error = name, error

    def find_spec(self, name: str, *_: object) -> None:
        if name == self.name:
            raise self.error


BY_HAND = [pytest.param(name, marks=pytest.mark.slow) for name in ("llvmlite missing", "numpy unfit")]


@pytest.fixture(params=["numba missing", "no compiling", *BY_HAND])
def crippled(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A machine on which the kernels cannot be computed; what its fault is called."""
    building.kernels_fault.cache_clear()
    if request.param == "no compiling":

        def forward(*_: object) -> None:
            raise RuntimeError("LLVM has no such target\nmore")

        monkeypatch.setattr(kernels, "forward", forward)
        yield "RuntimeError: LLVM has no such target"
    else:
        name = request.param.partition(" ")[0].replace("numpy", "numba")
        errors = {"numpy unfit": ImportError("Numba needs NumPy 2.2 or less. Got NumPy 2.9.")}
        error = errors.get(request.param, ModuleNotFoundError(f"No module named '{name}'", name=name))
        for module in [each for each in sys.modules if each.partition(".")[0] == name or each in OURS]:
            monkeypatch.delitem(sys.modules, module)
        monkeypatch.setattr(sys, "meta_path", [Unfit(name, error), *sys.meta_path])
        yield f"{type(error).__name__}: {error}"
    building.kernels_fault.cache_clear()


def trained_one(labelled_file: Path, out: Path, tiny: dict[str, dict[str, Any]], listener: Any) -> Bundle:
    config = Config.model_validate(
        tiny | {"training": tiny["training"] | {"epochs": 2}, "data": {"source": str(labelled_file)}}
    )
    return train_prepared(prepare(config, listener), out=out, name="tiny", force=False, listener=listener).bundle


def test_keras_s_own_lstm_trains_the_same_bundle(
    crippled: str, labelled_file: Path, tmp_path: Path, tiny: Any, listener: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    slow = trained_one(labelled_file, tmp_path / "slow", tiny, listener)
    [warning] = [each for each in listener.warnings if "numba" in each]
    assert crippled in warning and "Keras's trains instead" in warning and "\n" not in warning
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    building.kernels_fault.cache_clear()
    listener.warnings.clear()
    fast = trained_one(labelled_file, tmp_path / "fast", tiny, listener)
    assert not [each for each in listener.warnings if "numba" in each]
    models = [keras.saving.load_model(each.path / "model.keras") for each in (slow, fast)]
    for one, other in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
    texts = load_rows(str(labelled_file), Config().data).texts
    scores = [Predictor(Bundle.open(each.path)).score(texts).probabilities for each in (slow, fast)]
    np.testing.assert_allclose(*scores, atol=1e-3)


def test_what_does_not_train_by_the_kernels_warns_of_nothing(crippled: str) -> None:
    assert building.is_slow(Config().model)
    assert not building.is_slow(Config().model.model_copy(update={"cell": "gru"}))
    importlib.import_module("rnn_cli.inspection.gradients")
