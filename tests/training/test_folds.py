"""A run measured by folds: whole and honest figures, kept parts when it is stopped, and what does not go with it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rnn_cli as rnn
from rnn_cli.bundle.checkpoints import locate_unfinished, reopened
from rnn_cli.bundle.model_folder import METRICS, ONNX_MODEL, PREDICTIONS
from rnn_cli.config.schema import Config
from rnn_cli.data.source import load_rows
from rnn_cli.errors import ConfigError, UsageError
from rnn_cli.evaluation.compare import mcnemar
from rnn_cli.evaluation.corrected import corrected_interval
from rnn_cli.evaluation.evaluate import Evaluation
from rnn_cli.evaluation.evaluate_several import SeveralEvaluation
from rnn_cli.evaluation.intervals import wilson_interval
from rnn_cli.evaluation.ordered import OrderedComparison, OrderedMetrics, absolute_errors
from rnn_cli.training import at_once
from rnn_cli.training import folds as folds_module
from rnn_cli.training import run as run_module
from rnn_cli.training.checkpointing import SavedRun
from rnn_cli.training.folds import FoldPart
from rnn_cli.training.prepare import Prepared, prepare
from rnn_cli.training.run import resume, train_prepared
from rnn_cli.training.trained import Run
from tests.conftest import TINY, Silent

pytestmark = pytest.mark.usefixtures("without_report", "in_a_folder_of_its_own")


@pytest.fixture(autouse=True, scope="module")
def one_by_one() -> Iterator[None]:
    """Folds are learned in this process, where the tests look at them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(at_once, "count_at_once", lambda folds, rows: 1)
        yield


def configured(source: Path, training: dict[str, Any] | None = None, **data: Any) -> Config:
    training = {**TINY["training"], "epochs": 2, "folds": 3, **(training or {})}
    return Config.model_validate(
        TINY | {"data": {"source": str(source), "validation": 0.2, **data}, "training": training}
    )


def trained(config: Config, listener: Silent, out: str = "m") -> Run:
    return train_prepared(prepare(config, listener), out=Path(out), name="t", force=False, listener=listener)


@pytest.fixture(scope="module")
def run(one_by_one: None, labelled_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same for all tests that change nothing."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("folds")
        patch.chdir(folder)
        listener = Silent()
        found = trained(configured(labelled_file), listener, str(folder / "m"))
        assert sum("that it had not seen" in note for note in listener.notes) == 3
        yield found


def test_all_rows_are_predicted_and_all_are_learned_from(run: Run, labelled_file: Path) -> None:
    assert isinstance(run.folds, Evaluation) and run.folds.folds is not None and run.test is None
    assert run.folds.dataset.texts == load_rows(str(labelled_file), run_config(run).data).texts
    assert run.bundle.manifest.data["rows"] == {"train": 64, "validation": 16, "test": 0}
    assert sorted(each.rows for each in run.folds.folds.each) == [26, 27, 27]
    assert all(each.trained + each.rows == 80 for each in run.folds.folds.each)


def run_config(run: Run) -> Config:
    from rnn_cli.evaluation.evaluate import run_config as of

    return of(run.bundle)


def test_the_figures_are_those_of_the_predictions(run: Run) -> None:
    found = run.folds
    assert isinstance(found, Evaluation) and found.folds is not None and found.baseline is not None
    right = found.predicted == found.truth
    assert found.metrics.accuracy == pytest.approx(right.mean())
    shares = [each.network["accuracy"] for each in found.folds.each]
    assert sum(share * each.rows for share, each in zip(shares, found.folds.each, strict=True)) == pytest.approx(
        right.sum()
    )
    low, high = corrected_interval(shares, 3, right.mean())
    alone = wilson_interval(int(right.sum()), 80)
    assert found.metrics.intervals["accuracy"] == (max(0.0, min(low, alone[0])), min(1.0, max(high, alone[1])))
    compared = found.baseline.comparison
    assert compared.difference == pytest.approx(found.metrics.accuracy - found.baseline.metrics.accuracy)
    assert compared.p_value >= mcnemar(compared.only_first_right, compared.only_second_right)
    assert (found.scores.probabilities.argmax(axis=1) == found.predicted).mean() > 0.5


def test_what_is_kept_is_what_was_found(run: Run, listener: Silent) -> None:
    kept = json.loads(run.bundle.read(METRICS))
    assert run.folds is not None
    assert kept["folds"]["accuracy"] == run.folds.metrics.accuracy
    assert len(kept["folds"]["cross_validation"]["each"]) == 3
    again = rnn.evaluate(run.path)
    assert isinstance(again, Evaluation) and isinstance(run.folds, Evaluation)
    assert again.metrics == run.folds.metrics
    assert np.array_equal(again.predicted, run.folds.predicted)
    assert np.array_equal(again.scores.probabilities, run.folds.scores.probabilities)
    assert again.folds == run.folds.folds
    assert again.baseline is not None and run.folds.baseline is not None
    assert again.baseline.comparison == run.folds.baseline.comparison and again.baseline.by_folds
    assert again.most_frequent == run.folds.most_frequent
    assert rnn.evaluate(run.path, by="length").slices
    with pytest.raises(UsageError, match="measured as their models decide"):
        rnn.evaluate(run.path, threshold=0.7)


def test_no_fold_knows_its_own_rows(labelled_file: Path, listener: Silent, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[set[str], set[str]]] = []

    def watched(config: Config, heard: Any, known: Any = None, source: Any = None, ready: Any = None) -> Prepared:
        inner = prepare(config, heard, known, source, ready)
        held = set(ready[0].test.texts)
        used = {*inner.splits.train.texts, *inner.splits.validation.texts, *inner.learned_rows.texts}
        seen.append((held, used))
        assert not any(
            word in inner.tokenizer.vocab for text in held for word in text.split() if word.startswith("only")
        )
        return inner

    rows = labelled_file.read_text().splitlines()
    marked = [rows[0], *(f"only{number} {row}" for number, row in enumerate(rows[1:]))]
    Path("marked.csv").write_text("\n".join(marked) + "\n")
    monkeypatch.setattr(folds_module, "prepare", watched)
    trained(configured(Path("marked.csv").resolve(), {"baseline": False}), listener)
    assert len(seen) == 3
    assert all(not held & used for held, used in seen)


@pytest.mark.parametrize("after", [1, pytest.param(0, marks=pytest.mark.slow), 3])
def test_a_stopped_run_keeps_its_folds_and_ends_the_same(
    after: int, run: Run, labelled_file: Path, listener: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned: list[int] = []

    def learn(inner: Prepared, heard: Any) -> Any:
        if len(learned) == after:
            raise KeyboardInterrupt
        learned.append(after)
        return of_network(inner, heard)

    of_network = run_module.learn_fold
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "learn_fold", learn)
        if after == 3:
            patch.setattr(run_module, "fit", stopped(3, patch))
        with pytest.raises(KeyboardInterrupt) as error:
            trained(configured(labelled_file), listener)
    assert "rnn train --resume m.unfinished" in error.value.__notes__[-1]
    parts = sorted(each.name for each in Path("m.unfinished").glob("part-*"))
    assert parts == [f"part-{number:04}" for number in range(1, after + 1)]
    again: list[int] = []
    monkeypatch.setattr(run_module, "learn_fold", lambda inner, heard: again.append(1) or of_network(inner, heard))
    resumed = go_on(listener)
    assert len(again) == 3 - after
    for name in (ONNX_MODEL, PREDICTIONS, METRICS):
        assert resumed.bundle.read(name) == run.bundle.read(name), name
    assert not Path("m.unfinished").exists()


def stopped(folds: int, patch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """A `fit` that is interrupted once the folds, which fit, too, are done."""
    fit, calls = run_module.fit, list[int]()

    def interrupted(*positional: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) > folds:
            raise KeyboardInterrupt
        return fit(*positional, **named)

    patch.setattr(run_module, "learn_fold", LEARN)
    return interrupted


LEARN = run_module.learn_fold


def go_on(listener: Silent) -> Run:
    with reopened(locate_unfinished(Path("m")), listener.warn) as (place, checkpoint):
        saved = SavedRun.read(checkpoint)
        return resume(prepare(saved.config, listener, saved.known), place, saved, listener)


def test_a_damaged_part_is_trained_again(
    run: Run, labelled_file: Path, listener: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "fit", stopped(3, patch))
        with pytest.raises(KeyboardInterrupt):
            trained(configured(labelled_file), listener)
    part = Path("m.unfinished/part-0002")
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 255
    part.write_bytes(bytes(content))
    resumed = go_on(listener)
    assert any("fold 2 of 3 is damaged" in warning for warning in listener.warnings)
    assert resumed.bundle.read(METRICS) == run.bundle.read(METRICS)


def test_a_part_of_other_rows_or_labels_is_refused() -> None:
    part = FoldPart(np.full((4, 2), 0.5), np.array([0, 1, 0, 1]), np.ones(4, np.int64), 10, 20, 3, 1)
    whole = part.to_bytes()
    again = FoldPart.from_bytes(whole, 4, 2, several=False)
    assert again.baseline is None and (again.trained, again.tokens, again.unknown_tokens, again.epoch) == (10, 20, 3, 1)
    for rows, labels, several in ((5, 2, False), (4, 3, False), (4, 2, True)):
        with pytest.raises(ValueError, match="do not fit"):
            FoldPart.from_bytes(whole, rows, labels, several=several)


def test_several_labels_are_measured_by_folds(several_file: Path, listener: Silent) -> None:
    config = configured(several_file, {"epochs": 6, "class_weight": "balanced"}, labels="several")
    found = trained(config, listener)
    assert isinstance(found.folds, SeveralEvaluation) and found.folds.folds is not None
    assert found.folds.metrics.rows == 160
    assert found.folds.baseline is not None and found.folds.baseline.by_folds
    low, high = found.folds.metrics.intervals["micro_f1"] or (1.0, 0.0)
    assert low <= found.folds.metrics.micro_f1 <= high
    again = rnn.evaluate("m")
    assert isinstance(again, SeveralEvaluation)
    assert again.metrics == found.folds.metrics
    assert np.array_equal(again.predicted, found.folds.predicted)
    assert [row[0] for row in found.table()[1]][:2] == ["", "rows"]


@pytest.mark.parametrize("kind", ["network", "auto"])
def test_ordered_labels_are_measured_by_folds(rated_file: Path, listener: Silent, kind: str) -> None:
    config = configured(rated_file, labels="ordered")
    config = config.model_copy(update={"model": config.model.model_copy(update={"kind": kind, "ngrams": 2})})
    found = trained(config, listener)
    side = found.folds
    assert isinstance(side, Evaluation) and isinstance(side.metrics, OrderedMetrics) and side.folds is not None
    truth, off = side.truth, absolute_errors(side.metrics.labels, side.truth, side.predicted)
    assert side.metrics.mean_absolute_error == pytest.approx(float(off.mean()), abs=1e-12)
    shares = [(each.rows, each.network["mean_absolute_error"]) for each in side.folds.each]
    assert sum(rows * error for rows, error in shares) / len(truth) == pytest.approx(float(off.mean()), abs=1e-12)
    low, high = corrected_interval([error for _, error in shares], 3, float(off.mean()))
    least, most = side.metrics.intervals["mean_absolute_error"] or (1.0, 0.0)
    assert least <= max(low, 0.0) and most >= high
    assert side.baseline is not None and isinstance(side.baseline.comparison, OrderedComparison)
    gain = side.metrics.mean_absolute_error - side.baseline.metrics.mean_absolute_error
    assert side.baseline.comparison.error_difference == pytest.approx(gain, abs=1e-12)
    again = rnn.evaluate("m")
    assert isinstance(again, Evaluation) and again.metrics == side.metrics and again.folds == side.folds
    assert again.baseline is not None and again.baseline.comparison == side.baseline.comparison
    assert ("model_kind" in json.loads((Path("m") / METRICS).read_text())) == (kind == "auto")


def test_repeats_are_averaged_and_the_first_is_kept(labelled_file: Path, listener: Silent) -> None:
    found = trained(configured(labelled_file, {"folds": 2, "fold_repeats": 2, "baseline": False}), listener)
    assert isinstance(found.folds, Evaluation) and found.folds.folds is not None
    each = found.folds.folds.each
    assert [(one.repeat, one.fold) for one in each] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    right = [sum(one.network["accuracy"] * one.rows for one in each if one.repeat == repeat) / 80 for repeat in (1, 2)]
    assert found.folds.metrics.accuracy == pytest.approx(np.mean(right))
    assert (found.folds.predicted == found.folds.truth).mean() == pytest.approx(right[0])
    assert found.folds.baseline is None


def test_folds_work_on_a_base(labelled_file: Path, trained_base: Path, listener: Silent) -> None:
    config = configured(labelled_file, {"baseline": False})
    config = config.model_copy(update={"model": config.model.model_copy(update={"base": str(trained_base)})})
    found = trained(config, listener)
    assert found.folds is not None and found.folds.metrics.rows == 80


@pytest.fixture
def trained_base(request: pytest.FixtureRequest) -> Path:
    base: Path = request.getfixturevalue("trained")
    return base


def test_a_run_is_measured_anew_by_folds(trained_base: Path, listener: Silent) -> None:
    before = sorted(each.name for each in trained_base.iterdir())
    found = rnn.evaluate(trained_base, folds=2)
    assert isinstance(found, Evaluation) and found.folds is not None and not found.folds.is_final
    assert found.metrics.rows == 80 and found.folds.folds == 2
    assert sorted(each.name for each in trained_base.iterdir()) == before
    with pytest.raises(UsageError, match="folds are of the run's own rows"):
        rnn.evaluate(trained_base, data=(["a warm film"], ["good"]), folds=2)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        ({"test": "test.csv"}, "a file of test rows"),
        ({"time_column": "date"}, "data.time_column"),
        ({"source": "imdb", "transductive": True, "unlabelled": "x.txt"}, "data.transductive"),
    ],
)
def test_what_does_not_go_with_folds_is_refused(data: dict[str, Any], what: str) -> None:
    content = {"data": data, "training": {"folds": 5}}
    with pytest.raises(ValueError, match=f"training.folds and {what}"):
        Config.model_validate(content)


def test_folds_take_no_test_rows_and_repeats_need_them() -> None:
    assert Config.model_validate({"data": {"test": 0.3}, "training": {"folds": 5}}).data.test == 0
    assert Config.model_validate({"training": {"folds": 5}}).data.test == 0
    assert Config.model_validate({"training": {"folds": None}}).data.test == 0.1
    with pytest.raises(ValueError, match="fold_repeats is for folds"):
        Config.model_validate({"training": {"fold_repeats": 2}})


def test_further_training_and_a_model_in_memory_have_no_folds(run: Run, labelled_file: Path, listener: Silent) -> None:
    with pytest.raises(ConfigError, match="may know the rows of all folds"):
        rnn.train(origin=run.path, data=labelled_file, folds=5)
    further = rnn.train(origin=run.path, data=labelled_file, out="further")
    assert further.folds is None
    with pytest.raises(ConfigError, match="cross-validated by its program"):
        rnn.RNNClassifier(folds=3).fit(["a warm film", "a dull film"] * 20, ["good", "bad"] * 20)
