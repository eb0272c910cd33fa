"""The linear model as a product: a bundle that all commands take or refuse in words, and its choice by `auto`."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rnn_cli as rnn
from rnn_cli.bundle.checkpoints import locate_unfinished, reopened
from rnn_cli.bundle.model_folder import METRICS, ONNX_MODEL, PREDICTIONS, Bundle
from rnn_cli.config.schema import Config
from rnn_cli.errors import BundleError
from rnn_cli.evaluation.evaluate import Evaluation, run_config
from rnn_cli.evaluation.evaluate_several import SeveralEvaluation
from rnn_cli.export.export import export_bundle
from rnn_cli.inspection.reading import read_growing
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.training import choosing
from rnn_cli.training import run as run_module
from rnn_cli.training.checkpointing import SavedRun
from rnn_cli.training.choosing import Choice
from rnn_cli.training.linear_run import learn_linear, train_linear
from rnn_cli.training.prepare import prepare
from rnn_cli.training.run import resume, train_prepared
from rnn_cli.training.trained import Run
from tests.conftest import TINY, Silent

pytestmark = pytest.mark.usefixtures("without_report", "in_a_folder_of_its_own")


def configured(source: Path, kind: str = "linear", training: dict[str, Any] | None = None, **data: Any) -> Config:
    model = {**TINY["model"], "kind": kind, "ngrams": 2, "ngram_buckets": 512}
    content = {
        "data": {"source": str(source), "validation": 0.2, "test": 0.2, **data},
        "model": model,
        "training": {**TINY["training"], "epochs": 2, **(training or {})},
    }
    return Config.model_validate(TINY | content)


def trained(config: Config, listener: Silent, out: str = "m") -> Run:
    return train_linear(prepare(config, listener), out=Path(out), name="t", force=False, listener=listener)


def test_a_linear_model_is_learned_measured_and_small(labelled_file: Path, listener: Silent) -> None:
    run = trained(configured(labelled_file), listener)
    assert isinstance(run.test, Evaluation) and run.test.metrics.accuracy > 0.9
    assert run.test.made == "linear model" and run.test.baseline is not None and run.test.baseline.of == "linear model"
    assert "model.keras" not in run.bundle.manifest.files
    assert sum(each["size"] for each in run.bundle.manifest.files.values()) < 200_000
    assert run.table()[1][0] == ["", "linear", "TF-IDF", "linear", "TF-IDF"]
    assert json.loads(run.bundle.read(METRICS))["int8"]["reason"] == "a linear model is small and fast as it is"
    assert not Path("m.unfinished").exists()


def test_its_probabilities_are_those_that_were_fitted(labelled_file: Path, listener: Silent) -> None:
    prepared = prepare(configured(labelled_file), listener)
    learned = learn_linear(prepared, listener)
    run = train_linear(prepared, out=Path("m"), name="t", force=False, listener=listener)
    assert run.bundle.read(ONNX_MODEL) == learned.graph
    rows = prepared.splits.validation
    right = [each.label == label for each, label in zip(run.model.predict(rows.texts), rows.labels, strict=True)]
    assert learned.metrics.val_accuracy == pytest.approx(np.mean(right))


def test_all_that_reads_a_model_reads_this_one(labelled_file: Path, listener: Silent) -> None:
    trained(configured(labelled_file), listener)
    assert rnn.load("m").predict("a warm and lovely film")[0].label == "good"
    parts = rnn.load("m").explain(["a warm and lovely film"])[0]
    assert parts
    assert rnn.evaluate("m").metrics.rows == 16
    rnn.score(labelled_file, "scored.csv", model="m", prefix="p_")
    assert len(Path("scored.csv").read_text().splitlines()) == 81
    compared = rnn.compare("m", "m")
    assert compared.models[1].against_first is not None and compared.models[1].against_first.difference == 0
    with pytest.raises(BundleError, match="no int8 graph: a linear model is small"):
        Predictor.open(Path("m"), precision="int8")
    with pytest.raises(BundleError, match="a linear model, which is not trained further"):
        rnn.train(origin="m", data=labelled_file)
    with pytest.raises(BundleError, match="a linear model, of which nothing but its n-grams"):
        rnn.train("few-labels", labelled_file, base="m")


def test_several_labels_have_a_linear_model_too(several_file: Path, listener: Silent) -> None:
    run = trained(configured(several_file, labels="several"), listener)
    assert isinstance(run.test, SeveralEvaluation) and run.test.metrics.micro_f1 > 0.9
    assert run.test.made == "linear model"


def test_folds_measure_it(labelled_file: Path, listener: Silent) -> None:
    run = trained(configured(labelled_file, training={"folds": 4}), listener)
    assert isinstance(run.folds, Evaluation) and run.folds.metrics.rows == 80
    assert run.folds.metrics.accuracy > 0.8
    again = rnn.evaluate("m")
    assert isinstance(again, Evaluation) and again.metrics == run.folds.metrics and again.made == "linear model"
    anew = rnn.evaluate("m", folds=4)
    assert anew.metrics == run.folds.metrics


def test_it_is_trained_without_tensorflow(labelled_file: Path) -> None:
    program = """
import sys
import rnn_cli as rnn
run = rnn.train("quick", sys.argv[1], kind="linear", folds=2, out="m")
assert run.folds is not None and (run.path / "report.html").exists()
print(*sorted({"tensorflow", "keras"} & {name.partition(".")[0] for name in sys.modules}))
"""
    ended = subprocess.run(
        [sys.executable, "-c", program, str(labelled_file)], capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == ""


def test_what_it_needs_is_said_before_training() -> None:
    with pytest.raises(ValueError, match="kind: linear needs n-grams"):
        Config.model_validate({"model": {"kind": "linear"}})
    with pytest.raises(ValueError, match="kind: auto and base exclude each other"):
        Config.model_validate({"model": {"kind": "auto", "ngrams": 2, "base": "general"}})


@pytest.mark.parametrize("better", ["network", "linear"])
@pytest.mark.parametrize("folds", [None, 2])
def test_auto_makes_what_is_better_and_says_so(
    better: str, folds: int | None, labelled_file: Path, listener: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = {"epochs": 1, "folds": folds} if folds else {"epochs": 1}
    if better == "network":  # no network learns that much in an epoch
        monkeypatch.setattr(choosing, "_chosen", network_chosen)
    run = train_prepared(
        prepare(configured(labelled_file, "auto", training), listener),
        out=Path("m"),
        name="t",
        force=False,
        listener=listener,
    )
    assert run_config(run.bundle).model.kind == better
    assert ("model.keras" in run.bundle.manifest.files) == (better == "network")
    kept = json.loads(run.bundle.read(METRICS))["model_kind"]
    assert kept["kind"] == better and kept["side"] == ("folds" if folds else "validation")
    assert (kept["network"] > kept["linear"]) == (better == "network")
    assert any("model.kind auto, by" in note and "is made" in note for note in listener.notes)
    if folds:
        assert run.folds is not None and run.folds.baseline is not None
        assert run.folds.made == ("network" if better == "network" else "linear model")


def network_chosen(_: Any, side: str, truth: Any, *__: Any) -> Choice:
    return Choice("network", side, len(truth), "accuracy", 0.9, 0.6, (0.1, 0.5))


def test_auto_that_is_stopped_between_folds_ends_the_same(
    labelled_file: Path, listener: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configured(labelled_file, "auto", {"epochs": 1, "folds": 2})

    def begin(out: str) -> Run:
        return train_prepared(prepare(config, listener), out=Path(out), name="t", force=False, listener=listener)

    whole = begin("whole")

    def interrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(run_module, "_write_linear", interrupted)
        with pytest.raises(KeyboardInterrupt):
            begin("m")
    assert len(list(Path("m.unfinished").glob("part-*"))) == 4
    with reopened(locate_unfinished(Path("m")), listener.warn) as (place, checkpoint):
        saved = SavedRun.read(checkpoint)
        resume(prepare(saved.config, listener, saved.known), place, saved, listener)
    for name in (ONNX_MODEL, PREDICTIONS, METRICS):
        assert Bundle.open(Path("m")).read(name) == whole.bundle.read(name), name


def test_a_look_inside_shows_no_states_and_an_export_answers(labelled_file: Path, listener: Silent) -> None:
    trained(configured(labelled_file), listener)
    assert not read_growing(Bundle.open(Path("m")), "a warm and lovely film").states
    exported = export_bundle(Bundle.open(Path("m")), Path("exported"))
    assert exported
    ended = subprocess.run(
        [sys.executable, "exported/predict.py", "a warm and lovely film"], capture_output=True, text=True, check=True
    )
    assert "good" in ended.stdout
