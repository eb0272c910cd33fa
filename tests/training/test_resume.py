"""A run that is stopped and gone on with ends as one that never stopped, whenever and however often it was."""

import csv
import json
import math
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow

from rnn_cli.bundle.checkpoints import Checkpoint, Unfinished, locate_unfinished, reopened
from rnn_cli.bundle.model_folder import HISTORY, METRICS, ONNX_MODEL, PREDICTIONS, Bundle
from rnn_cli.bundle.writer import Draft
from rnn_cli.config.schema import Config
from rnn_cli.data.source import load_rows
from rnn_cli.errors import BundleError, ConfigError, DataError, RunFailed, WriteError
from rnn_cli.training import finish as finish_module
from rnn_cli.training import prepare as prepare_module
from rnn_cli.training import run as run_module
from rnn_cli.training.checkpointing import SavedRun
from rnn_cli.training.learner import Learner
from rnn_cli.training.loop import StepResult
from rnn_cli.training.prepare import prepare
from rnn_cli.training.run import resume, train_prepared
from rnn_cli.training.trained import Run

pytestmark = pytest.mark.usefixtures("without_report", "in_a_folder_of_its_own")

SECTIONS: dict[str, dict[str, Any]] = {
    "tokenizer": {"vocab_size": 60, "max_length": 12},
    "model": {
        "cell": "rnn",
        "bidirectional": False,
        "embedding_dim": 8,
        "units": [6],
        "dense_units": [],
        "dropout": 0.3,
        "embedding_dropout": 0.2,
    },
    "training": {
        "epochs": 8,
        "batch_size": 16,
        "learning_rate": 0.1,
        "clip_norm": 0.8,
        "schedule": "cosine",
        "early_stopping": {"patience": 2},
        "seed": 2,
    },
}
"""48 training rows, 3 batches an epoch; the best epoch is the third or so, and it stops two later."""


def configured(source: Path, **sections: dict[str, Any]) -> Config:
    content: dict[str, dict[str, Any]] = {"data": {"source": str(source), "validation": 0.2, "test": 0.2}, **SECTIONS}
    return Config.model_validate({name: {**keys, **sections.get(name, {})} for name, keys in content.items()})


class Hears:
    """A listener; `at` are actions, called at the events whose names they have: ("step", 4), ("epoch", 2)."""

    def __init__(self, at: dict[tuple[str, int], Callable[[], None]] | None = None) -> None:
        self.at = at or {}
        self.steps = self.epochs = 0
        self.notes: list[str] = []
        self.warnings: list[str] = []
        self.starts: list[tuple[int, int]] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def doing(self, what: str) -> None:
        pass

    def progress(self, what: str, done: int, total: int) -> None:
        pass

    def epoch_starts(self, epoch: int, epochs: int, steps: int, done: int) -> None:
        self.starts.append((epoch, done))

    def step_done(self, loss: float, accuracy: float) -> None:
        self.steps += 1
        self._act("step", self.steps)

    def epoch_done(self, metrics: object, *, best: bool) -> None:
        self.epochs += 1
        self._act("epoch", self.epochs)

    def _act(self, event: str, number: int) -> None:
        if action := self.at.pop((event, number), None):
            action()


def begin(config: Config, listener: Hears, out: str = "m") -> Run:
    return train_prepared(prepare(config, listener), out=Path(out), name="t", force=False, listener=listener)


def go_on(listener: Hears | None = None) -> Run:
    heard = listener or Hears()
    with reopened(locate_unfinished(Path("m")), heard.warn) as (place, checkpoint):
        saved = SavedRun.read(checkpoint)
        return resume(prepare(saved.config, heard, saved.known), place, saved, heard)


def ended(path: Path) -> dict[str, object]:
    """All that must not depend on whether a run was stopped."""
    opened = Bundle.open(path)
    history = [
        {name: value for name, value in row.items() if name != "seconds"}
        for row in csv.DictReader(opened.read(HISTORY).decode().splitlines())
    ]
    return {name: opened.read(name) for name in (ONNX_MODEL, PREDICTIONS, METRICS)} | {"history": history}


def assert_it_ended_as(unbroken: dict[str, object]) -> None:
    assert ended(Path("m")) == unbroken
    assert not Path("m.unfinished").exists()


@pytest.fixture(scope="module")
def unbroken(labelled_file: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("unbroken"))
        run = begin(configured(labelled_file), Hears())
        assert 1 < run.best_epoch < len(run.history) < 8, "early stopping must have something to do"
        assert any(0 < epoch.clipped < 1 for epoch in run.history.itertuples())
        return ended(run.bundle.path)


def interrupt() -> None:
    raise KeyboardInterrupt


def ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


def state() -> SavedRun:
    """The newest checkpoint."""
    return SavedRun.read(Checkpoint.open(sorted(Path("m.unfinished").glob("checkpoint-*"))[-1]))


MOMENTS = {
    "first batch": ("step", 1),
    "mid-epoch": ("step", 5),
    "last batch": ("step", 6),
    "end of epoch": ("epoch", 2),
}


@pytest.mark.parametrize(
    ("moment", "stop"),
    [
        *(pytest.param(moment, ctrl_c, id=f"{name}, saved at once") for name, moment in MOMENTS.items()),
        *(
            pytest.param(
                moment, interrupt, id=f"{name}, last checkpoint", marks=[pytest.mark.slow] * (name != "mid-epoch")
            )
            for name, moment in MOMENTS.items()
        ),
    ],
)
def test_stopped_at(
    moment: tuple[str, int], stop: Callable[[], None], labelled_file: Path, unbroken: dict[str, object]
) -> None:
    heard = Hears({moment: stop})
    with pytest.raises(KeyboardInterrupt) as interrupted:
        begin(configured(labelled_file), heard)
    assert interrupted.value.__notes__[-1] == "saved; go on with: rnn train --resume m.unfinished"
    assert not Path("m").exists()
    event, number = moment
    steps = number if event == "step" else number * 3
    standing = state().reached
    saved = len(standing.history) * 3 + standing.epoch.batches
    assert saved == (steps if stop is ctrl_c or event == "epoch" else (steps - 1) // 3 * 3)
    again = Hears()
    go_on(again)
    assert again.starts[0] == (len(standing.history) + 1, standing.epoch.batches)
    assert_it_ended_as(unbroken)


@pytest.mark.parametrize("step", [2, pytest.param(3, marks=pytest.mark.slow), pytest.param(5, marks=pytest.mark.slow)])
def test_the_network_of_the_recipes_stopped_at_any_step(step: int, labelled_file: Path) -> None:
    network = {"cell": "lstm", "bidirectional": True, "units": [6, 5], "dense_units": [4]}
    config = configured(labelled_file, model=network, training={"epochs": 2, "learning_rate": 0.01})
    whole = ended(begin(config, Hears(), out="whole").bundle.path)
    with pytest.raises(KeyboardInterrupt):
        begin(config, Hears({("step", step): ctrl_c}))
    go_on()
    assert_it_ended_as(whole)


def test_stopped_while_it_validates(
    labelled_file: Path, unbroken: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, calls = Learner.probabilities, iter(range(100))

    def interrupted(self: Learner, ids: Any) -> Any:
        if next(calls) == 1:
            ctrl_c()
        return answer(self, ids)

    with monkeypatch.context() as patch:
        patch.setattr(Learner, "probabilities", interrupted)
        with pytest.raises(KeyboardInterrupt):
            begin(configured(labelled_file), Hears())
    assert (len(state().reached.history), state().reached.epoch.batches) == (1, 3)
    go_on()
    assert_it_ended_as(unbroken)


@pytest.mark.parametrize("at", ["to_onnx", "plain_network", "evaluate_predictor", "unfinished_manifest"])
def test_stopped_while_the_bundle_is_written(
    at: str, labelled_file: Path, unbroken: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    heard = Hears()
    with monkeypatch.context() as patch:
        patch.setattr(run_module if hasattr(run_module, at) else finish_module, at, interrupted)
        with pytest.raises(KeyboardInterrupt) as stopped:
            begin(configured(labelled_file), heard)
    assert stopped.value.__notes__[-1].startswith("saved; go on with")
    again = Hears()
    go_on(again)
    assert again.steps == 0, "nothing was left to train"
    assert_it_ended_as(unbroken)


def test_a_disk_that_is_full_for_keras_is_told_in_one_line(
    labelled_file: Path, unbroken: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("keras.Model.save", full)
        with pytest.raises(WriteError, match="model.keras: cannot be written .no space left on device"):
            begin(configured(labelled_file), Hears())
    go_on()
    assert_it_ended_as(unbroken)


def test_stopped_again_and_again(labelled_file: Path, unbroken: dict[str, object]) -> None:
    with pytest.raises(KeyboardInterrupt):
        begin(configured(labelled_file), Hears({("step", 2): ctrl_c}))
    for moment, stop in [
        (("step", 1), ctrl_c),
        (("epoch", 1), interrupt),
        (("step", 5), ctrl_c),
        (("step", 1), ctrl_c),
    ]:
        with pytest.raises(KeyboardInterrupt):
            go_on(Hears({moment: stop}))
    go_on()
    assert_it_ended_as(unbroken)


def test_patience_counts_on_from_a_best_epoch_before_the_stop(labelled_file: Path, unbroken: dict[str, object]) -> None:
    def losses() -> list[float]:
        return [epoch.val_loss for epoch in state().reached.history]

    epochs = len(unbroken["history"])  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        begin(configured(labelled_file), Hears({("epoch", epochs - 1): ctrl_c}))
    assert losses().index(min(losses())) == epochs - 3  # the best epoch, one without an improvement behind it
    again = Hears()
    run = go_on(again)
    assert (again.epochs, run.best_epoch) == (1, epochs - 2)
    assert_it_ended_as(unbroken)


@pytest.mark.parametrize(
    "optimizer",
    ["adam", "sgd", *(pytest.param(name, marks=pytest.mark.slow) for name in ("adamw", "nadam", "rmsprop"))],
)
def test_every_optimizer_goes_on_where_it_was(optimizer: str, labelled_file: Path) -> None:
    training = {"optimizer": optimizer, "epochs": 2, "learning_rate": 0.02, "weight_decay": 0.01}
    compare(configured(labelled_file, training=training))


def test_more_labels_and_balanced_weights(make_labelled_file: Callable[..., Path]) -> None:
    source = make_labelled_file(["good", "bad", "so-so"], 90)
    training = {"epochs": 2, "class_weight": "balanced", "label_smoothing": 0.1, "schedule": "linear"}
    compare(configured(source, training=training, model={"cell": "lstm", "recurrent_dropout": 0.2}))


def test_ordered_labels(make_labelled_file: Callable[..., Path]) -> None:
    source, order = make_labelled_file(["good", "bad", "so-so"], 90), ["bad", "so-so", "good"]
    compare(configured(source, data={"labels": "ordered", "order": order}, training={"epochs": 2}))
    assert list(Bundle.open(Path("whole")).manifest.labels) == order


def test_numbers(numbered_file: Path) -> None:
    data = {"labels": "number", "label_column": "minutes"}
    compare(configured(numbered_file, data=data, model={"ngrams": 2, "ngram_buckets": 512}, training={"epochs": 2}))
    assert Bundle.open(Path("whole")).manifest.number


def test_several_sources_with_sentences_and_weights(make_labelled_file: Callable[..., Path], tmp_path: Path) -> None:
    one, two = make_labelled_file(["good", "bad"], 120), make_labelled_file(["good", "bad", "so-so"], 181)
    longer = tmp_path / "longer.csv"
    header, rows = one.read_text().split("\n", 1)
    longer.write_text(f"{header}\n" + rows.replace(",", ". It was what it was on that day. Nothing else.,"))
    sources = [
        {"source": str(longer), "name": "one", "sentences": 2, "weight": 0.5},
        {"source": str(two), "name": "two", "labels": {"so-so": None, "*": "good", "bad": "bad"}, "balance": True},
    ]
    content = {"data": {"sources": sources, "validation": 0.2, "test": 0.2}, **SECTIONS}
    config = Config.model_validate(content | {"training": SECTIONS["training"] | {"epochs": 2}})
    compare(config)
    metrics = json.loads(Bundle.open(Path("whole")).read(METRICS))
    for side in ("validation", "test"):
        assert metrics[side]["by"] == "source" and {each["name"] for each in metrics[side]["slices"]} == {"one", "two"}
        assert sum(each["rows"] for each in metrics[side]["slices"]) == metrics[side]["rows"]


def compare(config: Config) -> None:
    """Train it in one go, and from what lay on the disk at the fourth batch."""
    config = config.model_copy(update={"training": config.training.model_copy(update={"checkpoint_minutes": 1e-9})})
    begin(config, Hears({("step", 4): lambda: shutil.copytree("whole.unfinished", "m.unfinished")}), "whole")
    again = Hears()
    go_on(again)
    assert 0 < again.steps
    assert_it_ended_as(ended(Path("whole")))


# What it goes on with


@pytest.fixture
def stopped(labelled_file: Path, tmp_path: Path) -> Path:
    """The labelled file of a run that was stopped."""
    source = tmp_path / "rows.csv"
    shutil.copy(labelled_file, source)
    with pytest.raises(KeyboardInterrupt):
        begin(configured(source), Hears({("step", 1): ctrl_c}))
    return source


@pytest.mark.parametrize("change", ["edited", "added", "taken away"])
def test_other_rows_are_refused_and_the_right_ones_taken(
    change: str, stopped: Path, unbroken: dict[str, object]
) -> None:
    rows = stopped.read_text()
    lines = rows.splitlines(keepends=True)
    changed = {"edited": [lines[0], "a" + lines[1], *lines[2:]], "added": [*lines, lines[1]], "taken away": lines[:-1]}
    stopped.write_text("".join(changed[change]))
    with pytest.raises(DataError, match="rows.csv: the rows differ from those at the start of the run; restore them"):
        go_on()
    stopped.write_text(rows)
    run = go_on()
    assert run.bundle.read(ONNX_MODEL) == unbroken[ONNX_MODEL]


def test_another_config_is_refused_key_by_key(stopped: Path) -> None:
    saved = state()
    saved.config_to_resume(configured(stopped))
    saved.config_to_resume(configured(Path("rows.csv")))  # the same file
    with pytest.raises(ConfigError) as refused:
        saved.config_to_resume(configured(stopped, training={"epochs": 9}, model={"dropout": 0.1}))
    assert tuple(map(str, refused.value.mistakes)) == (
        "model.dropout: 0.1 now, 0.3 when the run began; restore it, or start a new run",
        "training.epochs: 9 now, 8 when the run began; restore it, or start a new run",
    )


def test_rows_that_moved_and_another_saving_pace_are_no_other_run(stopped: Path, unbroken: dict[str, object]) -> None:
    moved = stopped.rename(stopped.with_name("moved.csv"))
    settings = state().config_to_resume(configured(moved, training={"checkpoint_minutes": 60}))
    heard = Hears()
    with reopened(Path("m.unfinished"), heard.warn) as (place, checkpoint):
        saved = SavedRun.read(checkpoint)
        resume(prepare(settings, heard, saved.known), place, saved, heard)
    assert_it_ended_as(unbroken)


def test_a_changed_release_is_named(stopped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert state().changed_versions() == []
    now = state().versions
    monkeypatch.setattr("rnn_cli.training.checkpointing.versions", lambda: {**now, "keras": "99.1"})
    assert state().changed_versions() == [f"keras {now['keras']} became 99.1"]


def test_the_file_of_word_vectors_is_not_needed_again(labelled_file: Path, tmp_path: Path) -> None:
    file = tmp_path / "vectors.txt"
    file.write_text("warm " + " ".join(["0.5"] * 8) + "\n")
    config = configured(labelled_file, model={"embeddings": str(file)}, training={"epochs": 2})
    wanted = ended(begin(config, Hears(), "whole").bundle.path)
    with pytest.raises(KeyboardInterrupt):
        begin(config, Hears({("step", 1): ctrl_c}))
    file.unlink()
    go_on()
    assert_it_ended_as(wanted)


def test_unlabelled_texts_may_move_but_not_change(labelled_file: Path) -> None:
    file = Path("more.csv")
    file.write_text("text\nwarm fjord\ndull moor\n")
    model, training = {"embeddings": "own"}, {"epochs": 2}
    config = configured(labelled_file, data={"unlabelled": str(file)}, model=model, training=training)
    wanted = ended(begin(config, Hears(), "whole").bundle.path)
    with pytest.raises(KeyboardInterrupt):
        begin(config, Hears({("step", 4): ctrl_c}))
    with pytest.raises(ConfigError, match="^data.unlabelled: null now, "):
        state().config_to_resume(configured(labelled_file, model=model, training=training))
    file.write_text("text\nwarm fjord\ndull heath\n")
    with pytest.raises(
        DataError, match="more.csv: the unlabelled texts differ from those at the start of the run; restore them"
    ):
        go_on()
    Path("moved.csv").write_text("text\nwarm fjord\ndull moor\n")
    moved = configured(labelled_file, data={"unlabelled": ["moved.csv"]}, model=model, training=training)
    heard = Hears()
    with reopened(Path("m.unfinished"), heard.warn) as (place, checkpoint):
        saved = SavedRun.read(checkpoint)
        resume(prepare(saved.config_to_resume(moved), heard, saved.known), place, saved, heard)
    assert_it_ended_as(wanted)


def test_a_teachers_lessons_are_not_given_again(labelled_file: Path) -> None:
    words = "warm funny film plot dull bland scene story".split()
    Path("more.txt").write_text("\n".join(" ".join(words[at % 5 : at % 5 + 4]) for at in range(60)))
    training = {"epochs": 2, "teacher": {"dim": 4, "passes": 2}}
    config = configured(labelled_file, data={"unlabelled": "more.txt"}, model={"ngrams": 1}, training=training)
    heard = Hears()
    wanted = ended(begin(config, heard, "whole").bundle.path)
    assert any(note.startswith("teacher, ") for note in heard.notes)
    with pytest.raises(KeyboardInterrupt):
        begin(config, Hears({("step", 4): ctrl_c}))
    lessons = state().lessons
    assert not any(warning.startswith("no teacher") for warning in heard.warnings)
    assert lessons is not None and lessons.shape == (48 + 60, 2)
    again = Hears()
    go_on(again)
    assert not any(note.startswith(("teacher", "document vectors")) for note in again.notes)
    assert_it_ended_as(wanted)


@pytest.mark.parametrize("unlabelled", [True, False])
def test_a_checkpoint_of_a_run_without_them_is_as_it_was(unlabelled: bool, labelled_file: Path) -> None:
    Path("more.csv").write_text("text\nwarm fjord\n")
    data = {"unlabelled": "more.csv"} if unlabelled else {}
    with pytest.raises(KeyboardInterrupt):
        begin(configured(labelled_file, data=data), Hears({("step", 1): ctrl_c}))
    saved = state()
    assert saved.known.fingerprint == load_rows(str(labelled_file)).fingerprint()
    assert (saved.known.unlabelled is not None) == unlabelled


def test_own_vectors_are_not_made_again(labelled_file: Path) -> None:
    config = configured(labelled_file, model={"embeddings": "own"}, training={"epochs": 2})
    heard = Hears()
    wanted = ended(begin(config, heard, "whole").bundle.path)
    assert any(note.startswith("token vectors from") for note in heard.notes)
    with pytest.raises(KeyboardInterrupt):
        begin(config, Hears({("step", 4): ctrl_c}))
    again = Hears()
    go_on(again)
    assert not any(note.startswith("token vectors from") for note in again.notes)
    assert_it_ended_as(wanted)


def count_baselines(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every fit of a linear baseline from now on."""
    calls: list[object] = []
    fit = prepare_module.fit_baseline

    def counted(*arguments: Any) -> Any:
        calls.append(arguments)
        return fit(*arguments)

    monkeypatch.setattr(prepare_module, "fit_baseline", counted)
    return calls


def test_the_baseline_and_the_ngrams_are_not_fitted_again(
    make_labelled_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_labelled_file(["good", "bad", "so-so"], 90)
    config = configured(source, model={"ngrams": 2, "ngram_buckets": 50}, training={"epochs": 2})
    wanted = ended(begin(config, Hears(), "whole").bundle.path)
    calls = count_baselines(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        begin(config, Hears({("step", 4): ctrl_c}))
    assert len(calls) == 1
    monkeypatch.setattr("rnn_cli.training.linear_run.fit_linear", pytest.fail)
    again = Hears()
    go_on(again)
    assert len(calls) == 1
    assert any(note.startswith("linear baseline, fitted before: validation ") for note in again.notes)
    assert_it_ended_as(wanted)


def test_a_checkpoint_of_before_there_was_a_baseline_in_it_goes_on(
    labelled_file: Path, unbroken: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    state_of, files_of = SavedRun.state, SavedRun.files
    monkeypatch.setattr(
        SavedRun, "state", lambda self: {name: each for name, each in state_of(self).items() if name != "baseline"}
    )
    monkeypatch.setattr(
        SavedRun, "files", lambda self: {name: each for name, each in files_of(self).items() if name != "baseline.npz"}
    )
    with pytest.raises(KeyboardInterrupt):
        begin(configured(labelled_file), Hears({("step", 4): ctrl_c}))
    calls = count_baselines(monkeypatch)
    go_on()
    assert len(calls) == 1
    assert_it_ended_as(unbroken)


def test_a_baseline_left_out_on_the_way_is_fitted_when_it_is_wanted_again(stopped: Path) -> None:
    without = state().config_to_resume(configured(stopped, training={"baseline": False}))
    heard = Hears({("step", 1): ctrl_c})
    with (
        pytest.raises(KeyboardInterrupt),
        reopened(Path("m.unfinished"), heard.warn) as (place, checkpoint),
    ):
        saved = SavedRun.read(checkpoint)
        resume(prepare(without, heard, saved.known), place, saved, heard)
    assert state().known.baseline is None
    with_it = state().config_to_resume(configured(stopped))
    heard = Hears()
    assert prepare(with_it, heard, state().known).baseline is not None
    assert "fitting the linear baseline" in heard.notes


@pytest.mark.parametrize(
    "change",
    [
        lambda kept: (kept[0][:-1], kept[1][:-1]),
        lambda kept: (kept[0], kept[1] + 7),
        lambda kept: (kept[0][:, :1], kept[1]),
        lambda kept: (kept[0] * math.nan, kept[1]),
    ],
    ids=["rows", "answers", "labels", "nan"],
)
def test_a_kept_baseline_of_another_shape_is_no_traceback(change: Callable[[Any], Any], stopped: Path) -> None:
    checkpoint = Checkpoint.open(sorted(Path("m.unfinished").glob("checkpoint-*"))[-1])
    saved = SavedRun.read(checkpoint)
    kept = saved.known.baseline
    assert kept is not None
    changed = replace(kept, sides={**kept.sides, "validation": change(kept.sides["validation"])})
    other = replace(saved, known=replace(saved.known, baseline=changed))
    with pytest.raises(BundleError, match="baseline|not finite"):
        read = SavedRun.read(replace(checkpoint, state=other.state(), files=other.files()))
        prepare(read.config, Hears(), read.known)


# Divergence


@pytest.mark.parametrize("what", ["loss", "gradient's norm"])
def test_divergence_at_a_batch_is_told_and_the_last_finite_state_kept(
    what: str, labelled_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn, calls = Learner.learn, iter(range(1, 100))

    def diverging(self: Learner, *arguments: Any) -> StepResult:
        step = learn(self, *arguments)
        if next(calls) < 5:
            return step
        self.set_weights([weights * math.nan for weights in self.weights()])
        bad = {"loss": (math.nan, step.gradient_norm), "gradient's norm": (step.loss, math.inf)}[what]
        return StepResult(bad[0], step.predicted, bad[1])

    monkeypatch.setattr(Learner, "learn", diverging)
    heard = Hears()
    with pytest.raises(RunFailed, match=f"^the {what} is (nan|inf) at epoch 2, batch 2; ") as failed:
        begin(configured(labelled_file), heard)
    assert failed.value.exit_code == 1
    assert heard.steps == 4
    assert failed.value.__notes__[-1] == (
        "the last state before that is kept; "
        "rnn train --from m.unfinished --set training.learning_rate=0.001 starts from it"
    )
    assert_the_state_is_finite(epochs=1, batches=0)


def test_a_network_that_is_not_finite_is_never_saved(labelled_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learn, calls = Learner.learn, iter(range(1, 100))

    def poisoned(self: Learner, *arguments: Any) -> StepResult:
        step = learn(self, *arguments)
        if next(calls) == 5:  # in a slot of the optimizer, where no loss tells of it yet
            self.optimizer.variables[2].assign(self.optimizer.variables[2] * math.inf)
        return step

    monkeypatch.setattr(Learner, "learn", poisoned)
    config = configured(labelled_file, training={"checkpoint_minutes": 1e-9})
    with pytest.raises(RunFailed, match="^the network is nan at epoch 2, batch 2; "):
        begin(config, Hears())
    assert_the_state_is_finite(epochs=1, batches=1)


def assert_the_state_is_finite(epochs: int, batches: int) -> None:
    saved = state()
    assert (len(saved.reached.history), saved.reached.epoch.batches) == (epochs, batches)
    arrays = [*saved.reached.best_weights, *(array for values in saved.arrays.values() for array in values)]
    assert len(arrays) > 10
    assert all(np.isfinite(array).all() for array in arrays)


# When it is saved


@pytest.mark.parametrize(
    ("minutes", "places"),
    [
        (1e-9, [(0, 0), (0, 1), (0, 2), (0, 3), (0, 3), (1, 0), (1, 1), (1, 2), (1, 3), (1, 3), (2, 0)]),
        (1000, [(0, 0), (1, 0), (2, 0)]),
        (1.5, [(0, 0), (0, 2), (0, 3), (1, 0), (1, 2), (1, 3), (2, 0)]),
    ],
)
def test_it_is_saved_at_the_start_after_each_epoch_and_so_many_minutes_later(
    minutes: float, places: list[tuple[int, int]], labelled_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[tuple[int, int]] = []

    class Clock:
        """Every look at it takes a minute."""

        now = 0.0

        @classmethod
        def monotonic(cls) -> float:
            cls.now += 60
            return cls.now

    def save(self: Unfinished, state: dict[str, Any], files: object) -> None:
        standing = state["standing"]
        saved.append((len(standing["history"]), standing["epoch"]["batches"]))

    monkeypatch.setattr(Unfinished, "save", save)
    monkeypatch.setattr("rnn_cli.training.checkpointing.time", Clock)
    begin(configured(labelled_file, training={"epochs": 2, "checkpoint_minutes": minutes}), Hears())
    assert saved == places


@pytest.mark.parametrize("asked", [True, False])
def test_operations_are_made_deterministic_only_if_asked(
    asked: bool, labelled_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    monkeypatch.setattr(tensorflow.config.experimental, "enable_op_determinism", lambda: calls.append("asked"))
    config = configured(labelled_file, training={"deterministic": asked, "epochs": 1})
    with pytest.raises(KeyboardInterrupt):
        begin(config, Hears({("step", 1): ctrl_c}))
    assert calls == ["asked"] * asked
    go_on()
    assert calls == ["asked"] * asked * 2


# When the bundle stands already


@pytest.mark.parametrize("at", ["finish", "remove"])
def test_a_run_whose_bundle_stands_is_known_as_finished(
    at: str, labelled_file: Path, unbroken: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    holder: type = Draft if at == "finish" else Unfinished
    done = getattr(holder, at)

    def stopped_after(*arguments: Any) -> None:
        if at == "finish":
            done(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(holder, at, stopped_after)
        with pytest.raises(KeyboardInterrupt):
            begin(configured(labelled_file), Hears())
    with reopened(Path("m.unfinished"), pytest.fail) as (place, checkpoint):
        assert SavedRun.read(checkpoint).is_finished(place)
        place.remove()
    assert_it_ended_as(unbroken)
