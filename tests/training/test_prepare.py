"""What training is given: rows, labels, tokenizer, weights and paths, before any network is loaded."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnn_cli.config.schema import Config
from rnn_cli.data.source import load_rows
from rnn_cli.errors import ConfigError, DataError
from rnn_cli.training import prepare as module
from rnn_cli.training.checkpointing import SavedRun
from rnn_cli.training.loop import TrainingState
from rnn_cli.training.prepare import Known, Prepared, prepare

pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")


def write(name: str, rows: list[tuple[str, str]]) -> str:
    Path(name).write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows), encoding="utf-8")
    return name


def prepared(listener: Any, data: dict[str, Any], **sections: dict[str, Any]) -> Prepared:
    return prepare(Config.model_validate({"data": data, **sections}), listener)


def three_files() -> dict[str, str]:
    """Training rows of six `a` and two `b`, and four more `b` of which no token is left."""
    texts = [(f"warm film {row}", "a") for row in range(6)] + [("dull film", "b"), ("dull plot", "b")]
    marks = [(mark, "b") for mark in ("!", "!!", "!!!", "?")]
    return {
        "source": write("train.csv", [*marks[:2], *texts, *marks[2:]]),
        "validation": write("validation.csv", [("dull valley", "b"), ("warm", "a"), ("...", "a")]),
        "test": write("test.csv", [("dull tundra", "b"), ("warm", "a")]),
    }


# The tokenizer


def test_only_training_texts_make_the_vocabulary(listener: Any) -> None:
    source = write("own.csv", [(f"film own{row}", "ab"[row % 2]) for row in range(40)])
    made = prepared(listener, {"source": source, "validation": 0.2, "test": 0.2})
    assert len(made.splits.validation) == len(made.splits.test) == 8
    assert set(made.tokenizer.vocab[2:]) == {word for text in made.splits.train.texts for word in text.split()}
    assert len(made.tokenizer.vocab) == 2 + 1 + 24


def test_words_of_validation_and_test_files_are_unknown(listener: Any) -> None:
    made = prepared(listener, three_files())
    assert {"dull", "warm"} < set(made.tokenizer.vocab)
    assert not {"valley", "tundra"} & set(made.tokenizer.vocab)
    assert list(made.validation.sequences) == made.tokenizer.encode_all(["dull valley", "warm", "..."])
    assert made.validation.sequences[0][1] == made.validation.sequences[2][0] == 1


def test_the_tokenizers_keys_reach_it(listener: Any) -> None:
    keys = {"level": "char", "vocab_size": 7, "max_length": 4, "truncate": "tail", "lowercase": False}
    made = prepared(listener, three_files(), tokenizer=keys)
    assert {key: getattr(made.tokenizer, key) for key in keys} == keys
    assert max(map(len, made.train.sequences)) == 4


# Texts without labels


def texts_only(*texts: str, name: str = "more.jsonl") -> str:
    Path(name).write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    return name


def test_unlabelled_words_get_into_the_vocabulary_and_nowhere_else(listener: Any) -> None:
    plain = prepared(listener, three_files())
    more = texts_only("fjord fjord", "fjord", "dull moor")
    made = prepared(listener, {**three_files(), "unlabelled": more}, tokenizer={"vocab_size": 5})
    # Counts are summed: film 7, warm 6, and dull has 2 + 1 to fjord's 3, but came first.
    assert made.tokenizer.vocab == ("", "<OOV>", "film", "warm", "dull")
    assert "fjord" in prepared(listener, {**three_files(), "unlabelled": more}).tokenizer.vocab
    assert made.unlabelled.texts == ["fjord fjord", "fjord", "dull moor"]
    assert [made.splits.train, made.splits.validation, made.splits.test] == [
        plain.splits.train,
        plain.splits.validation,
        plain.splits.test,
    ]
    assert made.splits.fingerprint == plain.splits.fingerprint
    assert plain.unlabelled.fingerprint is None and plain.unlabelled.texts == []
    told = "12 training, 3 validation, 2 test rows, 3 unlabelled texts; 2 labels (a, b); 5 token ids"
    assert told in listener.notes


def test_unlabelled_texts_of_labelled_rows_are_left_out_however_they_are_written(listener: Any) -> None:
    plain = prepared(listener, three_files())
    taught = next(text for text in plain.splits.train.texts if text.isalpha() or " " in text)
    again = ["dull valley", "dull tundra", " Dull\u00a0TUNDRA!", f"{taught.upper()} \u2026", taught]
    made = prepared(listener, {**three_files(), "unlabelled": texts_only("fjord", *again, "dull tundra fjord")})
    assert made.unlabelled.texts == ["fjord", "dull tundra fjord"]
    assert "valley" not in made.tokenizer.vocab
    assert made.tokenizer.vocab[:3] == plain.tokenizer.vocab[:3]
    assert "unlabelled texts that labelled rows have, too, left out: 5" in listener.notes


def test_several_unlabelled_sources_of_any_kind(listener: Any, tmp_path: Path) -> None:
    labelled = write("labelled.csv", [("fjord", "unheard of"), ("moor", "")])
    data = {**three_files(), "unlabelled": [labelled, "sample", texts_only("heath")]}
    made = prepared(listener, data)
    assert made.unlabelled.texts == ["fjord", "moor", *load_rows("sample").texts, "heath"]
    assert made.labels == ("a", "b")
    assert made.config.data.unlabelled == [str(tmp_path / "labelled.csv"), "sample", str(tmp_path / "more.jsonl")]


def test_unlabelled_files_are_read_as_the_source_is(listener: Any) -> None:
    Path("rows.csv").write_text("id;remark;kind\n1;caf\xe9;a\n2;dull;b\n3;warm;a\n", encoding="latin-1")
    Path("more.csv").write_text("text;remark\nx;na\xefve\n", encoding="latin-1")
    keys = {"text_column": "remark", "label_column": "kind", "delimiter": ";", "encoding": "latin-1"}
    validation = {"validation": "rows.csv", "test": 0}
    made = prepared(listener, {"source": "rows.csv", "unlabelled": "more.csv", **keys, **validation})
    assert made.unlabelled.texts == ["na\xefve"] and "na\xefve" in made.tokenizer.vocab


def test_an_unlabelled_files_fingerprint_is_of_its_texts_alone(listener: Any) -> None:
    def fingerprint(*names: str) -> str | None:
        return prepared(listener, {**three_files(), "unlabelled": list(names)}).unlabelled.fingerprint

    one = fingerprint(texts_only("fjord", "moor"))
    assert one == fingerprint(texts_only("fjord", name="a.jsonl"), texts_only("moor", name="b.jsonl"))
    assert one == fingerprint(write("c.csv", [("fjord", "a"), ("moor", "b")]))
    others = [fingerprint(texts_only(*texts)) for texts in (["moor", "fjord"], ["fjordmoor"], ["fjord"])]
    assert len({one, *others}) == 4


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("none.csv", "^none.csv: no such file or built-in set; built-in sets: "),
        (["sample", "imbd"], "^imbd: no such file.*did you mean imdb"),
        ("odd.csv", "^odd.csv: no column has a usual name for texts .columns: 'a', 'b'"),
        ("odd.jsonl", "^odd.jsonl:2: the key 'text' is missing"),
        ("empty.csv", "^empty.csv: is empty"),
    ],
)
def test_unlabelled_texts_that_cannot_be_read(named: Any, message: str, listener: Any) -> None:
    Path("odd.csv").write_text("a,b\n1,2\n")
    Path("odd.jsonl").write_text('{"text": "x"}\n{"label": "x"}\n')
    Path("empty.csv").touch()
    with pytest.raises(DataError, match=message):
        prepared(listener, {**three_files(), "unlabelled": named})


# Rows, classes and weights


def test_rows_without_a_known_token_teach_nothing_and_weigh_nothing(listener: Any) -> None:
    made = prepared(listener, three_files(), training={"class_weight": "balanced"})
    assert "4 training rows were dropped: no known token" in listener.warnings
    assert len(made.splits.train) == 12
    assert made.labels == ("a", "b")
    assert made.train.classes.tolist() == [0] * 6 + [1] * 2
    # Of the eight rows that are left, six are `a` and two are `b`.
    np.testing.assert_allclose(made.train.weights, [8 / 12] * 6 + [2] * 2)
    assert made.validation.classes.tolist() == [1, 0, 0]  # where none is dropped


def test_one_dropped_row_is_told_as_one(listener: Any) -> None:
    source = write("train.csv", [("warm", "a"), ("dull", "b"), ("!", "b")])
    prepared(listener, {"source": source, "validation": write("v.csv", [("warm", "a")]), "test": 0})
    assert listener.warnings.count("1 training row was dropped: no known token") == 1


def test_no_row_is_dropped_unless_it_must_be(listener: Any) -> None:
    source = write("train.csv", [("warm ! zzz", "a"), ("dull", "b")])
    made = prepared(listener, {"source": source, "validation": write("v.csv", [("dull", "b")]), "test": 0})
    assert len(made.train.sequences) == 2
    assert not any("dropped" in warning for warning in listener.warnings)


def test_classes_follow_the_positive_label(listener: Any) -> None:
    made = prepared(listener, {**three_files(), "positive_label": "a"}, training={"class_weight": {"b": 3}})
    assert made.labels == ("b", "a")
    assert made.train.classes.tolist() == [1] * 6 + [0] * 2
    assert made.train.weights.tolist() == [1] * 6 + [3] * 2


def test_a_label_that_loses_all_its_rows_is_named(listener: Any) -> None:
    rows = [("warm", "a"), ("lovely", "a"), ("!", "gone"), ("!!", "gone"), ("dull", "z")]
    data = {"source": write("train.csv", rows), "validation": write("v.csv", [("warm", "a")]), "test": 0}
    with pytest.raises(DataError, match="no training text labelled 'gone' holds a known token") as refused:
        prepared(listener, data, training={"class_weight": "balanced"})
    assert refused.value.where == "train.csv"  # as it was given


def test_what_the_run_is_about_is_told(listener: Any) -> None:
    made = prepared(listener, three_files())
    size = len(made.tokenizer.vocab)
    assert f"12 training, 3 validation, 2 test rows; 2 labels (a, b); {size} token ids" in listener.notes
    # One of the splits' own warnings: "warm" stands in both files.
    assert any("1 of 2 test rows repeats a validation text" in warning for warning in listener.warnings)


# Keys that do not suit


def test_word_vectors_that_are_not_there(listener: Any) -> None:
    Path("folder").mkdir()
    for name in ("none.vec", "folder"):
        with pytest.raises(ConfigError, match=f"^model.embeddings: {name}: no such file$"):
            prepared(listener, three_files(), model={"embeddings": name})


def test_own_vectors_are_no_file(listener: Any, tmp_path: Path) -> None:
    assert prepared(listener, three_files(), model={"embeddings": "own"}).config.model.embeddings == "own"
    with pytest.raises(ConfigError, match="^model.embeddings: ./own: no such file$"):
        prepared(listener, three_files(), model={"embeddings": "./own"})
    Path("own").write_text("warm 1 2\n")
    made = prepared(listener, three_files(), model={"embeddings": "./own"})
    assert made.config.model.embeddings == str(tmp_path / "own")


def test_vectors_that_no_model_file_can_hold(listener: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    data = three_files()
    wide = {"embedding_dim": 65_000, "cell": "rnn", "bidirectional": False, "units": [1]}
    monkeypatch.setattr("rnn_cli.network.size.LARGEST_MODEL", 2_000_000)
    message = "^model: the weights take .* smaller: token vectors .tokenizer.vocab_size, model.embedding_dim"
    with pytest.raises(ConfigError, match=message):
        prepared(listener, data, model=wide)
    assert prepared(listener, data, tokenizer={"vocab_size": 5}, model=wide)
    one_hot = {"input": "one_hot", "embedding_dim": 100_000_000, "units": [8]}
    assert prepared(listener, data, tokenizer={"vocab_size": 50, "max_length": 9}, model=one_hot)


@pytest.mark.parametrize(
    "wide",
    [{"embedding_dim": 65_537}, {"units": [2, 65_537]}, {"dense_units": [65_537]}],
)
def test_a_layer_that_would_not_be_read_again_is_refused(wide: dict[str, Any], listener: Any) -> None:
    with pytest.raises(ConfigError, match="^model: 65,537 numbers in a layer.*; the maximum is 65,536$"):
        prepared(listener, three_files(), model=wide)


@pytest.mark.parametrize(("file", "key"), [("tokenizer.json", "tokenizer.vocab_size"), ("config.yaml", "config")])
def test_what_would_not_be_read_again_is_refused(
    file: str, key: str, listener: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(module.MOST_BYTES, file, 100)
    with pytest.raises(
        ConfigError, match=f"^{key}: takes [0-9,]+ characters in the model's folder; the maximum is 100"
    ):
        prepared(listener, three_files())


# Paths


def test_paths_are_made_absolute(listener: Any, tmp_path: Path) -> None:
    Path("some.vec").write_text("warm 1 2\n")
    made = prepared(listener, three_files(), model={"embeddings": "some.vec"})
    assert made.config.data.source == str(tmp_path / "train.csv")
    assert made.config.data.validation == str(tmp_path / "validation.csv")
    assert made.config.data.test == str(tmp_path / "test.csv")
    assert made.config.model.embeddings == str(tmp_path / "some.vec")


def test_what_is_no_path_stays_as_it_is(listener: Any) -> None:
    source = write("own.csv", [(f"film own{row}", "ab"[row % 2]) for row in range(40)])
    given = Config.model_validate({"data": {"source": source, "validation": 0.25, "test": 0}, "training": {"seed": 9}})
    made = prepare(given, listener)
    rest = made.config.model_copy(update={"data": made.config.data.model_copy(update={"source": source})})
    assert rest == given
    assert given.data.source == source


# What it costs


def test_preparing_loads_no_network() -> None:
    code = "import sys, rnn_cli.training.prepare; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "rnn_cli" in loaded and "numpy" in loaded
    assert not {"tensorflow", "keras", "onnx", "onnxruntime"} & set(loaded)


def test_unknown_words_tell_no_label_where_rows_are_sorted_by_it(listener: Any) -> None:
    labels = ["bad"] * 200 + ["good"] * 200
    source = write("sorted.csv", [(f"film rare{row}", label) for row, label in enumerate(labels)])
    made = prepared(listener, {"source": source}, tokenizer={"vocab_size": 150}, training={"baseline": False})
    unknown = np.array([ids.count(1) for ids in made.train.sequences])
    bad, good = (unknown[made.train.classes == label].mean() for label in (0, 1))
    assert 0.7 < bad / good < 1.4


# Rows that were piped in, or lie behind a URL


def piped(content: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(content.encode()))))


def test_a_run_goes_on_when_its_rows_are_piped_in_again(listener: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    content = "text,label\n" + "".join(f"warm film {n},a\ndull plot {n},b\n" for n in range(20))
    data = {"source": "-", "format": "csv"}
    piped(content, monkeypatch)
    run = prepared(listener, data)
    assert run.config.data.source == "-"
    known = Known(run.tokenizer, run.labels, run.splits.fingerprint)
    piped(content, monkeypatch)
    again = prepare(run.config, listener, known)
    assert again.splits.fingerprint == run.splits.fingerprint
    Path("rows.csv").write_text(content)
    moved = run.config.model_copy(update={"data": run.config.data.model_copy(update={"source": "rows.csv"})})
    assert prepare(moved, listener, known).splits.fingerprint == run.splits.fingerprint
    for other, said in (
        ("", r"\(is empty\)"),
        (content + "more,a\n", "the rows differ from those at the start of the run"),
    ):
        piped(other, monkeypatch)
        with pytest.raises(DataError, match=rf"^standard input: .*{said}; .*source=FILE"):
            prepare(run.config, listener, known)


def test_what_is_secret_in_a_url_is_not_kept_and_must_be_told_again(listener: Any, tmp_path: Path) -> None:
    write("rows.csv", [(f"{word} {n}", word[0]) for n in range(20) for word in ("warm", "dull")])
    run = prepared(
        listener,
        {"source": f"local://{tmp_path}/rows.csv?token=SECRET", "unlabelled": f"local://{tmp_path}/rows.csv?x=SECRET"},
    )
    assert run.config.data.source == f"local://{tmp_path}/rows.csv"
    assert "SECRET" not in str(run.config)
    Path("rows.csv").unlink()
    with pytest.raises(DataError, match=r"^local://\S+: the run's rows were read from it .*source=URL$"):
        prepare(run.config, listener, Known(run.tokenizer, run.labels, run.splits.fingerprint))


def many_labels(labels: int, file: str = "many.csv") -> str:
    rows = (f"word{label} of {place},label{label}" for place in range(20) for label in range(labels))
    Path(file).write_text("text,label\n" + "\n".join(rows) + "\n")
    return file


def test_ngrams_that_are_too_many_for_the_labels_are_fewer_and_told_before_any_fit(
    listener: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    monkeypatch.setattr("rnn_cli.network.size.LARGEST_NGRAMS", 40_000)
    monkeypatch.setattr("rnn_cli.training.prepare.fit_baseline", lambda *_: heard.extend(listener.notes))
    made = prepared(listener, {"source": many_labels(20)}, model={"ngrams": 2})
    left = made.config.model.ngram_buckets
    assert made.config.model.ngrams == 2 and left < 500
    assert 4 * 20 * (made.tokenizer.vocab_size + left + 21) <= 40_000
    told = f"20 labels leave room for {left} n-gram buckets (model.ngram_buckets), not 1,048,576"
    assert told in heard, "before the baseline was fitted"
    monkeypatch.setattr("rnn_cli.network.size.LARGEST_NGRAMS", 4_000)
    made = prepared(listener, {"source": "many.csv"}, model={"ngrams": 2})
    assert made.config.model.ngrams == 0
    assert (
        "20 labels leave room for no n-grams (model.ngrams: 0); a smaller tokenizer.vocab_size may leave some"
        in listener.notes
    )


def test_a_run_that_was_left_takes_the_config_it_was_begun_with(listener: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnn_cli.network.size.LARGEST_NGRAMS", 40_000)
    data, asked = {"source": many_labels(20)}, {"ngrams": 2}
    made = prepared(listener, data, model=asked, training={"baseline": False})
    saved = SavedRun.of(made, TrainingState(), {})
    again = saved.config_to_resume(Config.model_validate({"data": data, "model": asked}))
    assert again.model == made.config.model != Config.model_validate({"model": asked}).model
    with pytest.raises(ConfigError, match="model.ngrams"):
        saved.config_to_resume(Config.model_validate({"data": data, "model": {"ngrams": 3}}))


def test_hundreds_of_labels_are_no_line_of_hundreds(listener: Any) -> None:
    prepared(listener, {"source": many_labels(60)}, training={"baseline": False})
    assert any("60 labels (label0, label1, label10, " in note and "and 52 more)" in note for note in listener.notes)


def test_a_label_of_few_rows_is_said_to_be_unknowable(tmp_path: Path, listener: Any) -> None:
    rows = [(f"text {row} of {row % 7}", ("no", "yes")[row % 2]) for row in range(60)] + [("a rare text", "rare")] * 1
    file = tmp_path / "rows.csv"
    file.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows))
    config = Config.model_validate({"data": {"source": str(file)}, "training": {"baseline": False}})
    prepare(config, listener)
    said = "a label has fewer than 5 rows (rare 1): whether the model can tell it apart cannot be known"
    assert said in listener.warnings
