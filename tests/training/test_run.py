"""Whole runs on small files: what is learned, written, refused and repeated."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from rnn_cli.bundle.checkpoints import Checkpoint
from rnn_cli.bundle.model_folder import HISTORY, KERAS_MODEL, METRICS, ONNX_MODEL, PREDICTIONS, Bundle
from rnn_cli.config.load import parse_config
from rnn_cli.config.schema import Config
from rnn_cli.data.source import load_rows
from rnn_cli.data.splits import load_splits
from rnn_cli.errors import DataError, RunFailed
from rnn_cli.evaluation.evaluate import kept_test_rows
from rnn_cli.scoring.calibration import Calibration
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.text.padding import pad
from rnn_cli.training.checkpointing import SavedRun
from rnn_cli.training.prepare import prepare
from rnn_cli.training.run import train_prepared
from rnn_cli.training.vectors import own_vectors

Tiny = dict[str, dict[str, Any]]


pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")


def configured(tiny: Tiny, source: Path, **sections: dict[str, Any]) -> Config:
    content = {"data": {"source": str(source), "validation": 0.2, "test": 0.2}, **tiny}
    for name, keys in sections.items():
        content[name] = {**content[name], **keys}
    return Config.model_validate(content)


def run(config: Config, listener: Any, out: str = "m") -> Bundle:
    return train_prepared(prepare(config, listener), out=Path(out), name="tiny", force=True, listener=listener).bundle


def test_the_same_seed_gives_the_same_bytes(labelled_file: Path, tiny: Tiny, listener: Any) -> None:
    config = configured(tiny, labelled_file, model={"dropout": 0.3, "embedding_dropout": 0.2}, training={"epochs": 2})
    other = configured(tiny, labelled_file, model={"dropout": 0.3}, training={"epochs": 2, "seed": 2})
    graphs = [run(each, listener, out).read(ONNX_MODEL) for each, out in ((config, "a"), (config, "b"), (other, "c"))]
    assert graphs[0] == graphs[1]
    assert graphs[0] != graphs[2]


@pytest.mark.parametrize(
    "sections",
    [
        {"model": {"embeddings": "own"}, "tokenizer": {"level": "char", "vocab_size": 40}},
        {"model": {"embeddings": "own"}, "tokenizer": {"level": "sentence"}},
        {"model": {"embeddings": "own"}, "tokenizer": {"level": "subword", "vocab_size": 80}},
        {"tokenizer": {"level": "char", "vocab_size": 40, "max_length": 60}, "model": {"input": "one_hot"}},
        {"tokenizer": {"level": "sentence"}, "model": {"cell": "gru"}},
        {"tokenizer": {"level": "subword", "vocab_size": 80}, "model": {"cell": "rnn", "pooling": "max_mean"}},
        {"model": {"bidirectional": False, "pooling": "last", "units": [5, 4], "dense_units": [3]}},
        {"model": {"recurrent_dropout": 0.2, "pooling": "mean"}, "tokenizer": {"truncate": "both", "max_length": 5}},
    ],
    ids=[
        "own char vectors",
        "own sentence vectors",
        "own piece vectors",
        "char one-hot",
        "sentence gru",
        "subword rnn",
        "one direction",
        "recurrent dropout",
    ],
)
def test_every_kind_of_network_goes_all_the_way(
    sections: dict[str, dict[str, Any]], labelled_file: Path, tiny: Tiny, listener: Any
) -> None:
    training = {"epochs": 2}
    opened = run(configured(tiny, labelled_file, **{"training": training, **sections}), listener)
    predictor = Predictor(Bundle.open(opened.path))
    texts = [*load_rows(str(labelled_file)).texts[:20], "", "zzz", "Σ 🎬 一二三 warm"]
    model = keras.saving.load_model(opened.path / KERAS_MODEL)
    predicted = np.asarray(model(pad(predictor.tokenizer.encode_all(texts))))
    plain = predictor.adjusted(calibration=Calibration())
    np.testing.assert_allclose(plain.score(texts).probabilities[:, 1:], predicted, atol=1e-5)


def test_three_labels(make_labelled_file: Callable[..., Path], tiny: Tiny, listener: Any) -> None:
    source = make_labelled_file(["good", "bad", "so-so"], 120)
    opened = run(configured(tiny, source), listener)
    predictor = Predictor(opened)
    assert predictor.labels == ("bad", "good", "so-so")
    predictions = predictor.predict(["a warm lovely film", "a dull clumsy film", "an average usual film"])
    assert [each.label for each in predictions] == ["good", "bad", "so-so"]
    assert all(sum(each.probabilities) == pytest.approx(1) for each in predictions)
    assert opened.manifest.task == "multiclass"


def test_the_bundle_tells_all(trained: Path, labelled_file: Path, tiny: Tiny) -> None:
    opened = Bundle.open(trained)
    assert sorted(opened.manifest.files) == [
        "README.md",
        "config.yaml",
        "history.csv",
        "learned.bin",
        "metrics.json",
        "model.int8.onnx",
        "model.keras",
        "model.onnx",
        "predictions.csv",
        "report.html",
        "summary.bin",
        "tokenizer.json",
    ]
    config = parse_config(opened.read("config.yaml").decode(), "config.yaml")
    assert config == configured(tiny, labelled_file)
    history = list(csv.DictReader(opened.read(HISTORY).decode().splitlines()))
    assert [row["epoch"] for row in history] == [str(epoch) for epoch in range(1, 13)]
    assert float(history[-1]["loss"]) < float(history[0]["loss"]) / 2
    predictions = load_rows(str(trained / PREDICTIONS))
    assert len(predictions) == 32
    assert set(predictions.texts) < set(load_rows(str(labelled_file)).texts)


def test_the_best_epoch_is_kept_and_training_stops_early(labelled_file: Path, tiny: Tiny, listener: Any) -> None:
    # At this rate it soon learns the training rows by heart, and no word of them helps with flipped labels.
    stopping = {"epochs": 30, "early_stopping": {"patience": 2}, "learning_rate": 0.1}
    config = configured(tiny, labelled_file, training=stopping)
    result = train_prepared(prepare(config, listener), out=Path("m"), name="t", force=False, listener=listener)
    losses = result.history["val_loss"].tolist()
    assert result.best_epoch == losses.index(min(losses)) + 1
    assert len(losses) == min(30, result.best_epoch + 2)
    before = json.loads(result.bundle.read(METRICS))["calibration"]["validation"]["before"]
    assert before["log_loss"] == pytest.approx(min(losses), abs=1e-4)


def test_a_loss_that_is_not_finite_stops_at_once_and_keeps_the_last_finite_state(
    labelled_file: Path, tiny: Tiny, listener: Any
) -> None:
    config = configured(tiny, labelled_file, training={"learning_rate": 1e38}, model={"dense_units": [4]})
    with pytest.raises(RunFailed, match=r"the loss is (nan|inf) at epoch \d+, batch \d+; .*clip_norm") as failed:
        run(config, listener)
    assert [path.name for path in Path().iterdir()] == ["m.unfinished"]
    kept = sorted(Path("m.unfinished").glob("checkpoint-*"))[-1]
    assert SavedRun.read(Checkpoint.open(kept)).reached.history == []
    assert failed.value.__notes__[-1] == (
        "the last state before that is kept; "
        "rnn train --from m.unfinished --set training.learning_rate=0.001 starts from it"
    )


def test_training_texts_without_a_known_word_are_dropped_with_a_count(
    labelled_file: Path, tiny: Tiny, listener: Any, tmp_path: Path
) -> None:
    source = tmp_path / "some.csv"
    extra = "".join(f'"{mark}",good\n' for mark in ("!!!", "...", "?", "-", "--", "***", "…!", "; ;"))
    source.write_text(labelled_file.read_text() + extra)
    opened = run(configured(tiny, source, training={"epochs": 1}), listener)
    assert any("training rows were dropped: no known token" in each for each in listener.warnings)
    assert sum(opened.manifest.data["rows"].values()) == 88  # a count of rows, not of those that taught


def test_predictions_can_be_read_back_whatever_the_texts(
    labelled_file: Path, tiny: Tiny, listener: Any, tmp_path: Path
) -> None:
    source = tmp_path / "odd.csv"
    odd = [f'warm\rdull "{number}",\nfilm\t=1' for number in range(40)]
    with source.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream, quoting=csv.QUOTE_ALL)
        rows.writerows([("text", "label"), *((text, str(number % 2)) for number, text in enumerate(odd))])
    opened = run(configured(tiny, source, training={"epochs": 1}), listener)
    written = load_rows(str(opened.path / PREDICTIONS))
    assert len(written) == 16
    assert set(written.texts) < set(odd)


def test_no_readable_text_at_all(tiny: Tiny, listener: Any, tmp_path: Path) -> None:
    source = tmp_path / "marks.csv"
    marks = ["!" * count for count in range(1, 41)]
    source.write_text("text,label\n" + "".join(f"{mark},{len(mark) % 2}\n" for mark in marks))
    with pytest.raises(DataError, match="no training text labelled '0' holds a known token"):
        run(configured(tiny, source), listener)


def test_class_weights_move_the_answers(labelled_file: Path, tiny: Tiny, listener: Any) -> None:
    def share_of_good(weight: float) -> float:
        config = configured(tiny, labelled_file, training={"class_weight": {"good": weight}, "epochs": 1})
        return float(Predictor(run(config, listener)).score(["film", "story", "zzz"]).probabilities[:, 1].mean())

    assert share_of_good(20.0) > share_of_good(0.05) + 0.1


def test_vectors_of_the_runs_own_texts(labelled_file: Path, tiny: Tiny, listener: Any) -> None:
    Path("own").write_text("warm " + " ".join(["0.5"] * 8) + "\n")  # a file of that name is not meant
    model = {"embeddings": "own", "trainable_embeddings": False}
    # What is counted are whole texts: the network reads two tokens of each.
    config = configured(tiny, labelled_file, model=model, training={"epochs": 1}, tokenizer={"max_length": 2})
    opened = run(config, listener)
    assert any(re.fullmatch(r"token vectors from the neighbours in 48 texts, \ds", note) for note in listener.notes)
    assert parse_config(opened.read("config.yaml").decode(), "config.yaml").model.embeddings == "own"
    tokenizer = Predictor(opened).tokenizer
    texts = load_splits(config.data).train.texts
    expected = own_vectors(map(tokenizer.encode_whole, texts), tokenizer.vocab_size, 8, seed=1)
    trained = keras.saving.load_model(opened.path / KERAS_MODEL).get_layer("embedding").get_weights()[0]
    np.testing.assert_array_equal(trained, expected)
    assert run(config, listener).read(ONNX_MODEL) == opened.read(ONNX_MODEL)


def test_unlabelled_texts_make_own_vectors_too(labelled_file: Path, tiny: Tiny, listener: Any) -> None:
    Path("more.csv").write_text("text\n" + "warm fjord heath\ndull moor\n" * 3)
    model = {"embeddings": "own", "trainable_embeddings": False}
    data = {"unlabelled": "more.csv"}
    content = configured(tiny, labelled_file, model=model, training={"epochs": 1}, data=data)
    opened = run(content, listener)
    assert any(note.startswith("token vectors from the neighbours in 54 texts") for note in listener.notes)
    told = opened.manifest.data
    assert told["unlabelled"]["texts"] == 6 and sum(told["rows"].values()) == 80
    tokenizer = Predictor(opened).tokenizer
    texts = [*load_splits(content.data).train.texts, *["warm fjord heath", "dull moor"] * 3]
    expected = own_vectors(map(tokenizer.encode_whole, texts), tokenizer.vocab_size, 8, seed=1)
    trained = keras.saving.load_model(opened.path / KERAS_MODEL).get_layer("embedding").get_weights()[0]
    np.testing.assert_array_equal(trained, expected)
    Path("more.csv").unlink()
    assert len(kept_test_rows(opened)) == 16  # the labelled rows are enough to measure again


def test_ready_word_vectors(labelled_file: Path, tiny: Tiny, listener: Any, tmp_path: Path) -> None:
    file = tmp_path / "vectors.txt"
    file.write_text("warm " + " ".join(["0.5"] * 8) + "\nunheard " + " ".join(["1"] * 8) + "\n")
    config = configured(
        tiny,
        labelled_file,
        model={"embeddings": str(file), "trainable_embeddings": False},
        training={"epochs": 1},
    )
    opened = run(config, listener)
    assert any("vectors.txt holds vectors of 1 of" in note for note in listener.notes)
    model = keras.saving.load_model(opened.path / KERAS_MODEL)
    place = Predictor(opened).tokenizer.vocab.index("warm")
    np.testing.assert_array_equal(model.get_layer("embedding").get_weights()[0][place], np.full(8, 0.5))


def test_a_fault_in_the_report_costs_the_report_only(
    labelled_file: Path, tiny: Tiny, listener: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("no texts")

    monkeypatch.setattr("rnn_cli.reporting.report_numbers.gather_report", broken)
    opened = run(configured(tiny, labelled_file, training={"epochs": 1}), listener)
    assert "no report.html and no README.md: ZeroDivisionError: no texts" in listener.warnings
    assert not {"report.html", "README.md"} & set(opened.manifest.files)
    assert Predictor(Bundle.open(opened.path)).predict(["a warm film"])
