"""Further training: what of the parent is kept, what may change, what is refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnn_cli.bundle.checkpoints import reopened
from rnn_cli.bundle.learned import learned_texts
from rnn_cli.bundle.model_folder import CONFIG, LEARNED, METRICS, ONNX_MODEL, TOKENIZER, Bundle
from rnn_cli.config.load import parse_config, parse_override, to_yaml
from rnn_cli.config.schema import Config
from rnn_cli.copies.learned import UNKNOWN_TEXTS
from rnn_cli.data.source import load_rows
from rnn_cli.data.splits import load_splits
from rnn_cli.errors import BundleError, ConfigError, DataError, RunFailed
from rnn_cli.scoring.calibration import Calibration
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.training import finetune
from rnn_cli.training.checkpointing import SavedRun
from rnn_cli.training.finetune import Origin
from rnn_cli.training.prepare import prepare
from rnn_cli.training.run import resume, train_prepared
from tests.conftest import Silent
from tests.forge import Forged

pytestmark = pytest.mark.usefixtures("without_report", "in_a_folder_of_its_own")

LEFT = (
    "the last state before that is kept; "
    "rnn train --from w.unfinished --set training.learning_rate=0.001 starts from it"
)

STILL = ("training.optimizer=sgd", "training.learning_rate=1e-12", "training.epochs=1")
"""Training that leaves the weights where they are."""

MakeFile = Callable[..., Path]


@pytest.fixture(scope="module")
def new_rows(make_labelled_file: MakeFile) -> Path:
    return make_labelled_file(["bad", "good"], 50)


@pytest.fixture(scope="module")
def three(make_labelled_file: MakeFile, tiny: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the labels bad, good and so-so."""

    class Silent:
        def __getattr__(self, name: str) -> Callable[..., None]:
            return lambda *_, **__: None

    source = make_labelled_file(["good", "bad", "so-so"], 90)
    config = Config.model_validate({**tiny, "data": {"source": str(source), "validation": 0.2, "test": 0.0}})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("three"))
        silent: Any = Silent()
        run = train_prepared(prepare(config, silent), out=Path("p").resolve(), name="t", force=False, listener=silent)
    return run.bundle.path


def further(parent: Path, source: Path, listener: Any, *overrides: str, config: str | None = None) -> Bundle:
    origin = Origin.open(parent, listener.warn)
    asked = origin.further(config, [parse_override(each) for each in (f"data.source={source}", *overrides)])
    prepared = prepare(asked, listener, origin.known)
    origin.compare(prepared, listener)
    return train_prepared(prepared, out=Path("m"), name="t", force=False, listener=listener, origin=origin).bundle


def scores(opened: Bundle) -> np.ndarray:
    """The network's own answers: each model is calibrated anew on its own validation rows."""
    texts = ["a warm lovely film", "a dull noisy plot", "the average evening", "zzz", ""]
    return Predictor(opened).adjusted(calibration=Calibration()).score(texts).probabilities


def refusal(parent: Path, *overrides: str, config: str | None = None) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as refused:
        Origin.open(parent, Silent().warn).further(config, [parse_override(each) for each in overrides])
    return tuple(map(str, refused.value.mistakes))


# What is kept


def test_it_begins_with_the_parents_network(trained: Path, new_rows: Path, listener: Any) -> None:
    parent, child = Bundle.open(trained), further(trained, new_rows, listener, *STILL)
    np.testing.assert_allclose(scores(child), scores(parent), atol=1e-6)
    assert child.read(TOKENIZER) == parent.read(TOKENIZER)
    assert child.manifest.labels == parent.manifest.labels == ("bad", "good")
    assert child.manifest.data["further_training_of"] == {
        "model": str(trained.resolve()),
        "sha256": parent.manifest.files[ONNX_MODEL]["sha256"],
        "data": parent.manifest.data["fingerprint"],
    }
    assert (
        child.manifest.data["fingerprint"]
        == load_rows(str(new_rows)).fingerprint()
        != parent.manifest.data["fingerprint"]
    )
    assert "further_training_of" not in parent.manifest.data


def test_it_keeps_what_the_parent_learned_from_too(
    trained: Path, new_rows: Path, labelled_file: Path, listener: Any, tmp_path: Path
) -> None:
    mine, parents = (load_rows(str(file)).texts for file in (new_rows, labelled_file))
    before, after = (learned_texts(opened) for opened in (Bundle.open(trained), further(trained, new_rows, listener)))
    assert before is not None and after is not None and after.is_whole
    assert after.knows([text for text, is_known in zip(parents, before.knows(parents), strict=True) if is_known]).all()
    assert after.knows(mine).sum() > before.knows(mine).sum()
    old = Forged(trained, tmp_path / "old")
    (old.path / LEARNED).unlink()
    old.sign(files={name: proof for name, proof in old.manifest["files"].items() if name != LEARNED})
    assert Origin.open(old.path, listener.warn).known.learned is UNKNOWN_TEXTS


def test_it_learns_from_the_new_rows(trained: Path, new_rows: Path, listener: Any, tmp_path: Path) -> None:
    swapped = tmp_path / "swapped.csv"
    names = {"good": "bad", "bad": "good"}
    lines = (line.rsplit(",", 1) for line in new_rows.read_text().splitlines())
    swapped.write_text("".join(f"{text},{names.get(label, label)}\n" for text, label in lines))
    rows = load_rows(str(swapped))

    def right(opened: Bundle) -> float:
        told = Predictor(opened).predict(list(rows.texts))
        return float(np.mean([each.label == label for each, label in zip(told, rows.labels, strict=True)]))

    assert right(Bundle.open(trained)) < 0.3
    assert right(further(trained, swapped, listener, "training.epochs=40")) > 0.7


def test_other_dropout_and_frozen_vectors_are_fine(trained: Path, new_rows: Path, listener: Any) -> None:
    keys = ["dropout=0.5", "embedding_dropout=0.3", "recurrent_dropout=0.1", "trainable_embeddings=false"]
    child = further(trained, new_rows, listener, *STILL, *(f"model.{key}" for key in keys))
    np.testing.assert_allclose(scores(child), scores(Bundle.open(trained)), atol=1e-6)
    assert parse_config(child.read(CONFIG).decode(), CONFIG).model.dropout == 0.5


def test_a_child_can_be_a_parent(trained: Path, new_rows: Path, listener: Any) -> None:
    first = further(trained, new_rows, listener, *STILL, "model.dropout=0.2")
    first.path.rename("first")
    second = further(Path("first"), new_rows, listener, *STILL)
    assert second.manifest.data["further_training_of"]["model"] == str(Path("first").resolve())
    np.testing.assert_allclose(scores(second), scores(Bundle.open(trained)), atol=1e-6)


def test_vectors_and_unlabelled_texts_of_the_parent_are_not_made_or_read_again(
    labelled_file: Path, new_rows: Path, tiny: dict[str, Any], listener: Any
) -> None:
    Path("more.csv").write_text("text\nwarm fjord\n")
    data = {"source": str(labelled_file), "validation": 0.2, "test": 0.0, "unlabelled": "more.csv"}
    sections = {**tiny, "data": data, "model": {**tiny["model"], "embeddings": "own"}}
    config = Config.model_validate({**sections, "training": {**tiny["training"], "epochs": 1}})
    parent = train_prepared(prepare(config, listener), out=Path("p"), name="t", force=False, listener=listener).bundle
    Path("more.csv").unlink()
    child = further(parent.path, new_rows, listener, *STILL)
    np.testing.assert_allclose(scores(child), scores(parent), atol=1e-6)
    kept = parse_config(child.read(CONFIG).decode(), CONFIG)
    assert (kept.model.embeddings, kept.data.unlabelled) == (None, None)
    assert "unlabelled" not in child.manifest.data


def test_config_and_overrides_together(trained: Path, new_rows: Path, listener: Any, tmp_path: Path) -> None:
    parent = Origin.open(trained, listener.warn).config
    file = tmp_path / "more.yaml"
    file.write_text(to_yaml(parent).replace("batch_size: 8", "batch_size: 5"))
    child = further(trained, new_rows, listener, "training.epochs=1", config=str(file))
    config = parse_config(child.read(CONFIG).decode(), CONFIG)
    assert (config.training.batch_size, config.training.epochs) == (5, 1)
    assert config.tokenizer == parent.tokenizer


# What is refused


def test_another_network_or_tokenizer_is_refused_key_by_key(trained: Path) -> None:
    named = refusal(trained, "model.units=[7]", "model.cell=gru", "tokenizer.max_length=13")
    why = "further training keeps the network, so leave it out"
    assert named == (
        f"tokenizer.max_length: is 13, but {trained} has 12; {why}",
        f"model.cell: is 'gru', but {trained} has 'lstm'; {why}",
        f"model.units: is [7], but {trained} has [6]; {why}",
    )
    recipe = refusal(trained, config="quick")
    assert len(recipe) > 2 and all("so leave CONFIG out" in each for each in recipe)


def test_another_positive_label_is_refused(trained: Path) -> None:
    assert refusal(trained, "data.positive_label=bad") == (
        f"data.positive_label: {trained} keeps its labels and their order: bad and good",
    )


def test_another_number_of_labels_a_text_is_refused(trained: Path) -> None:
    origin = Origin.open(trained, lambda warning: None)
    with pytest.raises(ConfigError, match=r"data.labels: .* gives a text one label, and keeps to that"):
        origin.further(None, [parse_override("data.labels=several")])


def test_a_label_it_does_not_know_is_refused(trained: Path, listener: Any, make_labelled_file: MakeFile) -> None:
    source = make_labelled_file(["good", "so-so"], 40)
    with pytest.raises(
        DataError, match="the model does not know the label 'so-so'; it knows bad, good; for other labels"
    ):
        further(trained, source, listener)
    assert not list(Path().iterdir())


def test_rows_of_one_label_alone_are_refused(three: Path, listener: Any, make_labelled_file: MakeFile) -> None:
    with pytest.raises(DataError, match="every row has the label 'good'; training needs at least two labels"):
        further(three, make_labelled_file(["good"], 40), listener)


@pytest.mark.parametrize("name", [ONNX_MODEL, TOKENIZER, CONFIG, "manifest.json"])
def test_a_damaged_parent_is_refused(name: str, trained: Path, new_rows: Path, listener: Any) -> None:
    shutil.copytree(trained, "p")
    content = bytearray(Path("p", name).read_bytes())
    content[len(content) // 2] ^= 1
    Path("p", name).write_bytes(content)
    with pytest.raises(BundleError, match=f"^p/{name}: .*checksum differs"):
        further(Path("p"), new_rows, listener)
    assert [path.name for path in Path().iterdir()] == ["p"]


def test_a_parent_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no such folder"):
        Origin.open(Path("nowhere"), Silent().warn)
    with pytest.raises(BundleError, match="not a trained model"):
        Origin.open(tmp_path, Silent().warn)


# Labels that the new rows lack


@pytest.mark.parametrize("weight", ["null", "balanced"])
def test_rows_with_some_of_the_labels_are_fine(weight: str, three: Path, new_rows: Path, listener: Any) -> None:
    child = further(three, new_rows, listener, "training.epochs=2", f"training.class_weight={weight}")
    assert child.manifest.labels == ("bad", "good", "so-so")
    assert scores(child).shape == (5, 3)
    assert any("no training row is labelled so-so" in each for each in listener.warnings)
    assert np.isfinite(scores(child)).all()


# The parent afterwards


def test_the_child_stands_and_goes_on_without_its_parent(trained: Path, new_rows: Path, listener: Any) -> None:
    shutil.copytree(trained, "p")
    whole = further(Path("p"), new_rows, listener, "training.epochs=2", "model.dropout=0.3")
    whole.path.rename("whole")

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(listener, "epoch_done", stop)
        further(Path("p"), new_rows, listener, "training.epochs=2", "model.dropout=0.3")
    shutil.rmtree("p")
    with reopened(Path("m.unfinished"), pytest.fail) as (place, checkpoint):
        saved = SavedRun.read(checkpoint)
        child = resume(prepare(saved.config, listener, saved.known), place, saved, listener).bundle
    expected = Bundle.open(Path("whole"))
    assert child.read(ONNX_MODEL) == expected.read(ONNX_MODEL)
    ours, theirs = ({**each.manifest.data, "run": None} for each in (child, expected))  # when, and how long
    assert ours == theirs


# Rows that the parent has seen


def measured_on(listener: Any) -> list[str]:
    found = [each for each in listener.warnings if "too good" in each]
    listener.warnings.clear()
    shutil.rmtree("m")
    return found


def test_rows_that_the_parent_learned_from_are_counted(trained: Path, labelled_file: Path, listener: Any) -> None:
    further(trained, labelled_file, listener, *STILL, "data.split_seed=2")
    said = measured_on(listener)
    learned, config = learned_texts(Bundle.open(trained)), Origin.open(trained, pytest.fail).config
    assert learned is not None
    sides = load_splits(config.data.model_copy(update={"split_seed": 2, "source": str(labelled_file)})).held_out
    counts = {name: int(learned.knows(rows.texts).sum()) for name, rows in sides.items()}
    assert len(counts) == 2 and all(counts.values())
    assert said == [
        f"{trained} learned from {counts[name]} of the {len(rows)} {name} rows, so the metrics there are too good"
        for name, rows in sides.items()
    ]
    further(trained, labelled_file, listener, *STILL)  # as the parent split them
    assert measured_on(listener) == []


def test_rows_that_an_older_parent_may_have_learned_from_are_warned_of(
    trained: Path, labelled_file: Path, new_rows: Path, listener: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finetune, "learned_texts", lambda _: None)
    further(trained, labelled_file, listener, *STILL, "data.split_seed=2")
    (said,) = measured_on(listener)
    assert said == f"{trained} was trained on these rows with another split, so the new model's metrics are too good"
    further(trained, labelled_file, listener, *STILL)
    assert measured_on(listener) == []
    further(trained, new_rows, listener, *STILL)
    (said,) = measured_on(listener)
    assert said.startswith(f"{trained} does not say which texts it learned from: if they are among these rows, ")


def test_what_could_not_be_done_is_not_passed_over(trained: Path, three: Path) -> None:
    (vectors,) = refusal(trained, "model.embeddings=vectors.txt")
    assert "model.embeddings: vectors.txt: further training keeps the vectors" in vectors
    (texts,) = refusal(trained, "data.unlabelled=more.csv")
    assert texts == f"data.unlabelled: further training keeps the vocabulary and the vectors of {trained}"
    (own,) = refusal(trained, "model.embeddings=own")
    assert "model.embeddings: own: further training keeps the vectors" in own
    (positive,) = refusal(three, "data.positive_label=good")
    assert "keeps its labels and their order: bad and good and so-so" in positive


# What an unfinished run left


def test_a_run_that_diverged_is_taken_up_again_where_it_was(
    labelled_file: Path, tiny: dict[str, Any], listener: Any
) -> None:
    sections = {"data": {"source": str(labelled_file), "validation": 0.2, "test": 0.0}}
    wild = {"model": {**tiny["model"], "dense_units": [16]}, "training": {**tiny["training"], "learning_rate": 1e38}}
    with pytest.raises(RunFailed) as failed:
        config = Config.model_validate({**tiny, **sections, **wild})
        train_prepared(prepare(config, listener), out=Path("w"), name="t", force=False, listener=listener)
    assert failed.value.__notes__[-1] == LEFT
    with pytest.raises(BundleError, match="would fail again: the loss is .*; rnn train --from w.unfinished starts"):
        reopened(Path("w.unfinished"), pytest.fail).__enter__()
    tamed = further(Path("w.unfinished"), labelled_file, listener, "training.learning_rate=0.03")
    assert tamed.manifest.data["further_training_of"] == {"model": str(Path("w.unfinished").resolve())}
    assert json.loads(tamed.read(METRICS))["validation"]["accuracy"] > 0.8
