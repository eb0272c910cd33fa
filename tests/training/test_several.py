"""A run of several labels a text: what it learns, and that one that is stopped ends as one that never was."""

import json
from pathlib import Path

import numpy as np
import pytest

from rnn_cli.bundle.checkpoints import Unfinished, locate_unfinished, reopened
from rnn_cli.bundle.model_folder import ONNX_MODEL, PREDICTIONS, Bundle
from rnn_cli.config.schema import Config, TrainingConfig
from rnn_cli.data.rows import Dataset
from rnn_cli.data.source import load_rows
from rnn_cli.errors import ConfigError
from rnn_cli.evaluation.evaluate_several import SeveralEvaluation
from rnn_cli.linear.logistic import fit_each_label
from rnn_cli.training import run as run_module
from rnn_cli.training.calibration_each import fit_calibration_of_each
from rnn_cli.training.checkpointing import SavedRun
from rnn_cli.training.encoding import MOST_POSITIVE, positive_weights
from rnn_cli.training.prepare import prepare
from rnn_cli.training.run import resume, train_prepared
from rnn_cli.training.several import mixed_of_each
from tests.conftest import TINY, Silent

pytestmark = pytest.mark.usefixtures("without_report", "in_a_folder_of_its_own")


def config_of(file: Path, **more: object) -> Config:
    data = {"source": str(file), "labels": "several", "validation": 0.2, "test": 0.2}
    model = {**TINY["model"], "ngrams": 2, "ngram_buckets": 64}
    training = {**TINY["training"], "epochs": 3, "class_weight": "balanced", **more}
    return Config.model_validate(TINY | {"data": data, "model": model, "training": training})


def test_a_run_learns_all_labels_and_measures_itself(several_file: Path, listener: Silent) -> None:
    run = train_prepared(
        prepare(config_of(several_file, epochs=12), listener),
        out=Path("model"),
        name="x",
        force=False,
        listener=listener,
    )
    assert isinstance(run.test, SeveralEvaluation) and run.test.baseline is not None
    assert run.test.metrics.micro_f1 > 0.9
    head, rows = run.table()
    assert {"micro F1", "macro F1", "exact match"} <= {row[0] for row in rows}
    assert "micro F1" in repr(run)
    kept = json.loads(run.bundle.read("metrics.json"))
    assert kept["baseline"]["C"] in (1.0, 3.0, 10.0)
    assert kept["calibration"]["test"]["after"]["log_loss"] > 0


def test_a_stopped_run_goes_on_to_the_same_bytes(
    several_file: Path, listener: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of(several_file)
    whole = train_prepared(prepare(config, listener), out=Path("whole"), name="x", force=False, listener=listener)
    fit = run_module.fit

    class Stopped(Exception):
        pass

    def stopping(learner, training, train, validation, heard, *, state, pause, save):
        def stop() -> None:
            save()
            raise Stopped

        return fit(learner, training, train, validation, heard, state=state, pause=pause, save=stop)

    monkeypatch.setattr(run_module, "fit", stopping)
    with pytest.raises(Stopped):
        train_prepared(prepare(config, listener), out=Path("stopped"), name="x", force=False, listener=listener)
    monkeypatch.setattr(run_module, "fit", fit)
    with reopened(locate_unfinished(Path("stopped")), listener.warn) as (place, checkpoint):
        assert isinstance(place, Unfinished)
        saved = SavedRun.read(checkpoint)
        assert saved.known.baseline is not None and saved.known.baseline.sides.keys() == {"validation", "test"}
        settings = saved.config_to_resume(saved.config)
        resume(prepare(settings, listener, saved.known), place, saved, listener)
    for name in (ONNX_MODEL, PREDICTIONS, "metrics.json"):
        assert Bundle.open(Path("stopped")).read(name) == whole.bundle.read(name), name


def rows_of(counts: dict[str, int], rows: int) -> Dataset:
    labels = [json.dumps([name for name, count in sorted(counts.items()) if row < count]) for row in range(rows)]
    return Dataset("x", ["a"] * rows, labels, list(range(rows)), several=True)


def test_rare_labels_weigh_more_up_to_a_bound() -> None:
    rows = rows_of({"half": 50, "tenth": 10, "one": 1}, 100)
    found = positive_weights(rows, ["half", "one", "tenth"], TrainingConfig(class_weight="balanced"))
    assert found == pytest.approx([1, np.sqrt(99), 3], abs=1e-5)
    many = positive_weights(rows_of({"one": 1}, 1_000), ["one"], TrainingConfig(class_weight="balanced"))
    assert many[0] == MOST_POSITIVE
    given = positive_weights(rows, ["half", "one", "tenth"], TrainingConfig(class_weight={"one": 5}))
    assert given.tolist() == [1, 5, 1]
    with pytest.raises(ConfigError, match="not a label of the data"):
        positive_weights(rows, ["half"], TrainingConfig(class_weight={"other": 2}))


def test_a_wrong_label_in_class_weight_is_refused_before_training(several_file: Path, listener: Silent) -> None:
    with pytest.raises(ConfigError, match="not a label of the data"):
        prepare(config_of(several_file, class_weight={"nonsense": 2}), listener)


def test_rows_are_encoded_with_a_column_a_label(several_file: Path, listener: Silent) -> None:
    run = prepare(config_of(several_file, baseline=False), listener)
    rows = load_rows(str(several_file), run.config.data)
    names = dict(zip(rows.texts, rows.label_sets, strict=True))
    for text, flags in zip(run.splits.validation.texts, run.validation.classes, strict=True):
        assert tuple(label for label, flag in zip(run.labels, flags, strict=True) if flag) == names[text]
    assert any("a text on average" in note for note in listener.notes)


def test_calibration_makes_probabilities_right_and_rare_labels_lean_on_all() -> None:
    chance = np.random.default_rng(2)
    logits = chance.normal(-1, 1.5, (6_000, 3))
    truth = (chance.random(logits.shape) < 1 / (1 + np.exp(-logits))).astype(np.intp)
    shifted = 1 / (1 + np.exp(-(2 * logits + 1)))  # too sure of itself, and too high
    found = fit_calibration_of_each(truth, shifted).of(shifted)
    assert np.abs(found - 1 / (1 + np.exp(-logits))).mean() < 0.02
    few = truth[:200].copy()
    few[:, 2] = 0
    scales = fit_calibration_of_each(few, shifted[:200])
    assert scales.scales[2] == pytest.approx(np.mean(scales.scales[:2]), rel=0.5)


def test_the_better_part_weighs_more() -> None:
    chance = np.random.default_rng(1)
    truth = (chance.random((2_000, 4)) < 0.3).astype(np.intp)
    good = 3.0 * (2 * truth - 1) + chance.normal(size=truth.shape)
    noise = chance.normal(size=truth.shape)
    weights = mixed_of_each([good, noise], truth, np.ones(2_000), np.full(2, 0.5))
    assert weights[0] > 0.5 and weights[1] < 0.1


def test_each_label_is_fitted_as_scikit_learn_fits_it() -> None:
    from scipy import sparse
    from sklearn.linear_model import LogisticRegression

    chance = np.random.default_rng(3)
    matrix = sparse.random(300, 40, 0.2, "csr", rng=chance)
    truth = (matrix @ chance.normal(size=(40, 3)) > 0.3).astype(np.intp)
    truth[:, 2] = 0
    ((weights, bias),) = fit_each_label(matrix, truth, [3.0], np.ones(300))
    for label in range(2):
        model = LogisticRegression(C=3.0, tol=1e-8, max_iter=10_000).fit(matrix, truth[:, label])
        ours, theirs = matrix @ weights[:, label] + bias[label], model.decision_function(matrix)
        assert ours == pytest.approx(theirs, abs=0.05)
    assert (weights[:, 2] == 0).all() and bias[2] == pytest.approx(np.log(0.5 / 300.5))
