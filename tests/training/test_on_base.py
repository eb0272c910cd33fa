"""Training on a base: the network is what was fitted, a stopped run goes on, and what does not suit is told."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from scipy.special import softmax

import rnn_cli as rnn
from rnn_cli.bundle.checkpoints import reopened
from rnn_cli.bundle.learned import learned_texts
from rnn_cli.bundle.model_folder import CONFIG, FURTHER, ONNX_MODEL
from rnn_cli.config.load import parse_override
from rnn_cli.config.schema import Config
from rnn_cli.errors import BundleError, ConfigError, DataError
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.training import networks
from rnn_cli.training import run as run_module
from rnn_cli.training.checkpointing import SavedRun
from rnn_cli.training.finetune import Origin
from rnn_cli.training.prepare import Prepared, prepare
from rnn_cli.training.run import resume, train_prepared
from rnn_cli.transfer import stacking
from rnn_cli.transfer.stacking import KnownRows, Stacked, fit_stack
from tests.conftest import Silent

pytestmark = pytest.mark.usefixtures("without_report", "in_a_folder_of_its_own")

MakeFile = Callable[..., Path]


@pytest.fixture(scope="module")
def new_rows(make_labelled_file: MakeFile) -> Path:
    return make_labelled_file(["good", "so-so"], 70)


def on_base(base: str | Path, source: Path, listener: Silent, **sections: dict[str, Any]) -> Prepared:
    content: dict[str, dict[str, Any]] = {
        "data": {"source": str(source), "validation": 0.2, "test": 0.2},
        "model": {"base": str(base), "ngram_buckets": 500},
        "training": {"baseline": False},
    }
    config = {name: {**content.get(name, {}), **sections.get(name, {})} for name in {*content, *sections}}
    return prepare(Config.model_validate(config), listener)


@pytest.mark.parametrize("kind", ["general, three labels", "general, two labels", "general, other labels", "small"])
def test_the_network_computes_what_was_fitted(
    kind: str, trained: Path, make_labelled_file: MakeFile, listener: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {"good": "positive", "bad": "negative", "so-so": "neutral"}
    labels = ["good", "bad"] if kind == "general, two labels" else ["good", "bad", "so-so"]
    source = make_labelled_file(labels, 60)
    if kind in ("general, two labels", "general, three labels"):
        text = source.read_text()
        for old, new in names.items():
            text = text.replace(f",{old}\n", f",{new}\n")
        source.write_text(text)
    prepared = on_base("general" if kind.startswith("general") else trained, source, listener)
    assert prepared.base is not None
    found: list[tuple[KnownRows, Stacked]] = []

    def remembered(rows: KnownRows, *rest: Any) -> Stacked:
        found.append((rows, fit_stack(rows, *rest)))
        return found[0][1]

    monkeypatch.setattr(networks, "fit_stack", remembered)
    network, metrics = networks.network_on_base(prepared, prepared.base, listener)
    rows, fitted = found[0]
    every = np.arange(len(prepared.train.classes))
    expected = softmax(fitted.head.logits(rows, every), axis=1)
    predicted = network.predict(prepared.train.ids(every), verbose=0)
    if len(labels) == 2:
        predicted = np.hstack([1 - predicted, predicted])
    np.testing.assert_allclose(predicted, expected, atol=2e-5)
    assert (len(fitted.weights) == 3) == (kind in ("general, two labels", "general, three labels"))
    assert metrics.accuracy == (predicted.argmax(axis=1) == prepared.train.classes).mean()


def test_the_model_stands_alone(trained: Path, new_rows: Path, listener: Silent, tmp_path: Path) -> None:
    base = tmp_path / "base"
    shutil.copytree(trained, base)
    run = train_prepared(on_base(base, new_rows, listener), out=Path("m"), name="x", force=False, listener=listener)
    shutil.rmtree(base)
    opened = run.bundle
    assert opened.manifest.labels == ("good", "so-so")
    assert opened.manifest.data[FURTHER]["model"] == str(base)
    assert rnn.load("m").predict("a warm and lovely film")[0].label == "good"
    assert f"base: {base}" in opened.read(CONFIG).decode()
    assert keras.saving.load_model(opened.path / "model.keras").count_params() > 0
    assert len(run.history) == 1
    assert listener.epochs == []


def test_it_learned_from_what_its_base_learned_from(
    trained: Path, labelled_file: Path, new_rows: Path, listener: Silent
) -> None:
    run = train_prepared(on_base(trained, new_rows, listener), out=Path("m"), name="x", force=False, listener=listener)
    learned = learned_texts(run.bundle)
    theirs = json.loads((trained / "metrics.json").read_text())  # a finished run
    assert theirs and learned is not None
    texts = [line.split(",")[0] for line in labelled_file.read_text().splitlines()[1:]]
    assert 0.7 < learned.knows(texts).mean() < 0.9  # but not from its test rows


def test_the_same_rows_give_the_same_bytes(trained: Path, new_rows: Path, listener: Silent) -> None:
    graphs = [
        train_prepared(
            on_base(trained, new_rows, listener), out=Path(name), name="x", force=False, listener=listener
        ).bundle.read(ONNX_MODEL)
        for name in ("one", "two")
    ]
    assert graphs[0] == graphs[1]


def test_a_stopped_run_goes_on_to_the_same_bytes(
    trained: Path, new_rows: Path, listener: Silent, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    base = tmp_path / "base"
    shutil.copytree(trained, base)
    whole = train_prepared(on_base(base, new_rows, listener), out=Path("w"), name="x", force=False, listener=listener)

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(run_module, "_write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train_prepared(on_base(base, new_rows, listener), out=Path("m"), name="x", force=False, listener=listener)
    shutil.rmtree(base)  # nothing of it is needed any more
    with reopened(Path("m.unfinished"), listener.warn) as (place, checkpoint):
        saved = SavedRun.read(checkpoint)
        resumed = resume(prepare(saved.config, listener, saved.known), place, saved, listener)
    assert resumed.bundle.read(ONNX_MODEL) == whole.bundle.read(ONNX_MODEL)
    assert resumed.bundle.manifest.data[FURTHER] == whole.bundle.manifest.data[FURTHER]
    first, second = (learned_texts(each.bundle) for each in (whole, resumed))
    assert first is not None and second is not None
    assert first.to_bytes() == second.to_bytes()


def test_such_a_model_is_trained_further_without_a_base(trained: Path, new_rows: Path, listener: Silent) -> None:
    run = train_prepared(on_base(trained, new_rows, listener), out=Path("m"), name="x", force=False, listener=listener)
    origin = Origin.open(run.path, listener.warn)
    assert origin.further(None, []).model.base is None
    with pytest.raises(ConfigError, match="further training keeps the layers of"):
        origin.further(None, [parse_override("model.base=general")])


def test_what_suits_and_what_does_not_is_said(trained: Path, labelled_file: Path, listener: Silent) -> None:
    on_base(trained, labelled_file, listener, tokenizer={"vocab_size": 77})
    said = "\n".join(listener.warnings)
    assert f"{trained} has its own tokenizer and layers, so these keys do not count: tokenizer.vocab_size" in said
    assert f"{trained} learned from 48 of the 48 training rows, so cross-validation trusts it too much" in said
    assert "of the 16 validation rows, so the metrics there are too good" in said
    assert any("knows" in note and "of the training rows' tokens" in note for note in listener.notes)


def test_texts_of_another_language_are_told(trained: Path, tmp_path: Path, listener: Silent) -> None:
    file = tmp_path / "rows.csv"
    rows = [f"zäh{number} öde{number} film,{label}" for number in range(20) for label in ("good", "bad")]
    file.write_text("text,label\n" + "\n".join(rows) + "\n")
    on_base(trained, file, listener)
    assert any("is it of another language?" in each for each in listener.warnings)


def test_rows_without_a_known_word_are_left_out(trained: Path, new_rows: Path, listener: Silent) -> None:
    file = Path("rows.csv")
    file.write_text(new_rows.read_text() + "".join(f"qqq{number},good\n" for number in range(9)))
    prepared = on_base(trained, file, listener)
    assert prepared.base is not None
    assert len(prepared.learned_rows) < len(prepared.splits.train)
    networks.network_on_base(prepared, prepared.base, listener)
    assert any("cross-validated on" in each for each in listener.notes)


def test_rows_of_which_it_knows_nothing(trained: Path, listener: Silent) -> None:
    Path("rows.csv").write_text("text,label\n" + "".join(f"qqq{row},{'ab'[row % 2]}\n" for row in range(60)))
    with pytest.raises(DataError, match="no training text labelled 'a' holds a known token") as refused:
        on_base(trained, Path("rows.csv"), listener)
    assert refused.value.hint == f"train without the base {trained}"


def test_few_rows_are_told(trained: Path, make_labelled_file: MakeFile, listener: Silent) -> None:
    prepared = on_base(trained, make_labelled_file(["good", "so-so"], 16), listener)
    assert prepared.base is not None
    networks.network_on_base(prepared, prepared.base, listener)
    assert any("are too few to cross-validate" in each for each in listener.warnings)


def test_too_many_labels_for_its_ngrams(tmp_path: Path, listener: Silent) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("text,label\n" + "".join(f"film {row},l{row % 500}\n" for row in range(1500)))
    with pytest.raises(ConfigError, match=r"model\.base.*500 labels leave no room for its n-grams"):
        on_base("general", file, listener)


def test_a_base_that_is_not_there(new_rows: Path, listener: Silent) -> None:
    with pytest.raises(BundleError, match="no such folder"):
        on_base("gone", new_rows, listener)


def test_the_base_has_an_absolute_path_but_the_general_one(
    trained: Path, new_rows: Path, listener: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(trained.parent)
    assert on_base(trained.name, new_rows, listener).config.model.base == str(trained)
    assert on_base("general", new_rows, listener).config.model.base == "general"
    assert Predictor.open(trained).labels == ("bad", "good")


def test_rows_of_a_group_share_a_fold(
    trained: Path, new_rows: Path, listener: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = new_rows.read_text().splitlines()
    file = Path("rows.csv")
    file.write_text(
        "\n".join([f"{lines[0]},author", *(f"{line},a{at % 9}" for at, line in enumerate(lines[1:]))]) + "\n"
    )
    prepared = on_base(trained, file, listener, data={"group_column": "author"})
    assert prepared.base is not None
    dealt: list[list[np.ndarray]] = []
    folds = stacking._folds

    def remembered(*given: Any) -> list[np.ndarray]:
        dealt.append(folds(*given))
        return dealt[0]

    monkeypatch.setattr(stacking, "_folds", remembered)
    networks.network_on_base(prepared, prepared.base, listener)
    authors = prepared.learned_rows.further["author"]
    of_author = [{at for at, fold in enumerate(dealt[0]) for row in fold if authors[row] == name} for name in authors]
    assert all(len(found) == 1 for found in of_author)
