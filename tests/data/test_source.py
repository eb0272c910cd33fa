import os

import pytest

from rnn_cli.config.schema import DataConfig
from rnn_cli.data import source
from rnn_cli.errors import DataError


def test_a_file_is_loaded_whole(write):
    path = write("rows.csv", "review,class\na,x\nb,y\n")
    dataset = source.load_rows(path)
    assert (dataset.name, dataset.texts, dataset.labels, dataset.lines) == (
        path,
        ["a", "b"],
        ["x", "y"],
        [2, 3],
    )


def test_options_reach_the_reader(write):
    path = write("rows.txt", "a;b;text;label\ncaf\xe9;k\0;no;no\n".encode("latin-1"))
    config = DataConfig(
        text_column="a", label_column="b", delimiter=";", encoding="latin-1", strip_nul=True, max_field_bytes=20
    )
    dataset = source.load_rows(path, config)
    assert (dataset.texts, dataset.labels) == (["caf\xe9"], ["k"])
    with pytest.raises(DataError, match="larger than 13 bytes"):
        source.load_rows(path, config.model_copy(update={"max_field_bytes": 13}))


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("imbd", "did you mean imdb? built-in sets: imdb, rotten_tomatoes, tweets, templates, sample"),
        ("IMDB", "did you mean imdb? built-in sets: imdb, rotten_tomatoes, tweets, templates, sample"),
        ("reviews.csv", "built-in sets: imdb, rotten_tomatoes, tweets, templates, sample"),
    ],
)
def test_neither_a_file_nor_a_set(name, hint):
    with pytest.raises(DataError) as caught:
        source.load_rows(name)
    error = caught.value
    assert (error.what, error.where, error.hint) == (
        "no such file or built-in set",
        name,
        hint,
    )


def test_an_empty_directory_is_told_as_one(tmp_path):
    with pytest.raises(DataError, match="holds no rows and no texts; name a folder of"):
        source.load_rows(str(tmp_path))


def test_built_in_names_go_before_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sample").write_text("not this")
    assert source.is_builtin("sample") and not source.is_builtin("./sample")
    assert len(source.load_rows("sample")) == 300


def test_absolute_touches_only_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = DataConfig(source="a/b.csv", validation="imdb", test="../c.csv", split_seed=7)
    made = source.absolute(config)
    assert made.source == os.path.join(os.getcwd(), "a/b.csv") and made.validation == "imdb"
    assert made.test == os.path.join(os.path.dirname(os.getcwd()), "c.csv") and made.split_seed == 7
    urls = DataConfig(
        source="s3://key:secret@bucket/a.csv?token=x", validation="-", unlabelled=["memory://a/b.csv", "c"]
    )
    made = source.absolute(urls)
    assert (made.source, made.validation) == ("s3://bucket/a.csv", "-")
    assert made.unlabelled == ["memory://a/b.csv", os.path.join(os.getcwd(), "c")]
    assert source.absolute(DataConfig(source="imdb", test=0.2)) == DataConfig(source="imdb", test=0.2)


def test_a_format_is_told_where_a_name_tells_none(write):
    rows = '{"text": "a", "label": "x"}\n'
    config = DataConfig(format="jsonl")
    assert source.load_rows(write("rows", rows), config).texts == ["a"]
    assert source.load_rows(write("rows.csv", "text,label\nb,y\n"), config).texts == ["b"]


def test_labels_are_held_once(write):
    labels = source.load_rows(write("rows.csv", "text,label\n" + "a,positive\n" * 3)).labels
    assert labels == ["positive"] * 3 and len(set(map(id, labels))) == 1


def test_columns_are_told_while_a_file_is_read(write):
    heard = []
    source.load_rows(write("rows.csv", "id,review,class\n1,a,x\n"), on_columns=heard.append)
    source.load_rows(write("rows.jsonl", '{"Tweet": "a", "target": 1}\n' * 2), on_columns=heard.append)
    source.load_rows("sample", on_columns=heard.append)
    assert heard == [("review", "class"), ("Tweet", "target")]
