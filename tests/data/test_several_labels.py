"""Rows of several labels are read in each form, strictly, and each form is found by itself."""

import json
from pathlib import Path

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pandas
import pytest

from rnn_cli.config.schema import DataConfig
from rnn_cli.data.find_several import find_several
from rnn_cli.data.label_sets import names_of, written_labels
from rnn_cli.data.source import from_memory, load_rows
from rnn_cli.errors import DataError

SETS = [("joy", "love"), ("anger",), (), ("anger", "joy")]
TEXTS = ["I love it so much", "I hate it", "at five o'clock", "well, well"]


def several(**keys):
    return DataConfig(labels="several", **keys)


def csv_of(values, head="labels"):
    return f"text,{head}\n" + "".join(f'"{text}",{value}\n' for text, value in zip(TEXTS, values, strict=True))


def quoted(value):
    return '"' + value.replace('"', '""') + '"'


@pytest.fixture
def file(tmp_path: Path):
    def write(name, content):
        (tmp_path / name).write_text(content, "utf-8")
        return str(tmp_path / name)

    return write


def test_lists_in_json_and_as_python_prints_them(file):
    path = file("a.csv", csv_of([quoted(json.dumps(SETS[0])), "['anger']", "", quoted(str(["joy", "anger"]))]))
    rows = load_rows(path, several())
    assert rows.label_sets == SETS
    assert rows.several and rows.label_counts() == {"anger": 2, "joy": 2, "love": 1}


@pytest.mark.parametrize("separator", ["|", ";", " + ", ", "])
def test_values_joined_by_a_separator(file, separator):
    path = file("a.csv", csv_of([quoted(separator.join(names)) for names in SETS]))
    assert load_rows(path, several(label_separator=separator)).label_sets == SETS


@pytest.mark.parametrize("flags", [("0", "1"), ("0.0", "1.0"), ("false", "TRUE")])
def test_a_column_of_0_and_1_a_label(file, flags):
    names = ["anger", "joy", "love"]
    values = [",".join(flags[name in each] for name in names) for each in SETS]
    path = file("a.csv", csv_of(values, ",".join(names)))
    assert load_rows(path, several(label_columns=names)).label_sets == SETS


def test_jsonl_and_parquet_with_lists_or_texts(file, tmp_path: Path):
    lines = [json.dumps({"text": text, "labels": names}) for text, names in zip(TEXTS, SETS, strict=True)]
    assert load_rows(file("a.jsonl", "\n".join(lines)), several()).label_sets == SETS
    for values in (list(map(list, SETS)), [json.dumps(names) for names in SETS]):
        table = pandas.DataFrame({"text": TEXTS, "labels": values})
        table.to_parquet(tmp_path / "a.parquet")
        assert load_rows(str(tmp_path / "a.parquet"), several()).label_sets == SETS


def test_rows_in_memory():
    lists = [*map(list, SETS[:2]), np.array([]), {"joy", "anger"}]
    assert from_memory((TEXTS, lists), several()).label_sets == SETS
    flags = {name: [int(name in names) for names in SETS] for name in ("anger", "joy", "love")}
    table = pandas.DataFrame({"text": TEXTS, **flags})
    assert from_memory(table, several(label_columns=["anger", "joy", "love"])).label_sets == SETS
    with pytest.raises(DataError, match="no columns for data.label_columns"):
        from_memory((TEXTS, lists), several(label_columns=["anger", "joy"]))


@pytest.mark.parametrize(
    ("values", "keys", "what"),
    [
        (["[]", "anger", "[]", "[]"], {}, r"a\.csv:3: 'anger' is no list of labels"),
        (["[]", "[1", "[]", "[]"], {}, r"a\.csv:3: '\[1' is no list of labels"),
        (["[]", '{""a"": 1}', "[]", "[]"], {}, "is no list of labels"),
        (["a|b", "a||b", "", ""], {"label_separator": "|"}, r"a\.csv:3: 'a\|\|b' holds an empty label"),
        (["a|b", "a|b|a", "", ""], {"label_separator": "|"}, r"a\.csv:3: names the label 'a' twice"),
        (["[null]", "[]", "[]", "[]"], {}, r"a\.csv:2: a label is null"),
    ],
)
def test_a_mistake_is_said_with_its_row(file, values, keys, what):
    with pytest.raises(DataError, match=what):
        load_rows(file("a.csv", csv_of([quoted(each) if '"' in each else each for each in values])), several(**keys))


@pytest.mark.parametrize(("value", "what"), [("2", "holds '2'"), ("", "is empty"), ("yes", "holds 'yes'")])
def test_a_column_holds_nothing_but_0_and_1(file, value, what):
    path = file("a.csv", csv_of(["1,0", f"{value},1", "0,0", "0,1"], "x,y"))
    with pytest.raises(DataError, match=rf"a\.csv:3: the column of the label 'x' {what}"):
        load_rows(path, several(label_columns=["x", "y"]))


def test_null_does_not_say_whether_there_are_labels(file):
    with pytest.raises(DataError, match="a.jsonl:1: 'labels' is null.*write \\[\\]"):
        load_rows(file("a.jsonl", '{"text": "a", "labels": null}\n'), several())
    with pytest.raises(DataError, match="the key 'labels' is missing"):
        load_rows(file("a.jsonl", '{"text": "a", "labels": []}\n{"text": "b"}\n'), several())


def test_columns_that_are_not_there(file):
    path = file("a.csv", csv_of(["1,0"] * 4, "x,y"))
    with pytest.raises(DataError, match="no column 'z'"):
        load_rows(path, several(label_columns=["x", "z"]))
    with pytest.raises(DataError, match="cannot be both texts and labels"):
        load_rows(path, several(label_columns=["x", "y"], text_column="x"))


def test_a_built_in_set_has_one_label_a_text():
    with pytest.raises(DataError, match="one label each"):
        load_rows("tweets", several())


LABEL = st.text(min_size=1).filter(lambda text: text.strip() == text and text.isprintable())


@hypothesis.given(st.lists(st.sets(LABEL, max_size=4), min_size=1, max_size=5))
def test_what_is_written_is_read_again(tmp_path_factory, sets):
    table = pandas.DataFrame({"text": ["a"] * len(sets), "labels": [written_labels(names) for names in sets]})
    path = tmp_path_factory.mktemp("sets") / "a.jsonl"
    path.write_text(table.to_json(orient="records", lines=True), "utf-8")
    assert load_rows(str(path), several()).label_sets == [tuple(sorted(names)) for names in sets]
    assert [names_of(written_labels(names)) for names in sets] == [tuple(sorted(names)) for names in sets]


@pytest.mark.parametrize(
    ("content", "settings"),
    [
        (csv_of(["[]", '"[""a"", ""b""]"', "[]", '"[""a""]"']), {"labels": "several"}),
        (csv_of(["a;b", "c;a", "", "c"]) + "x,b\n", {"labels": "several", "label_separator": ";"}),
        (csv_of(["a|b", "c", "c|b", "a"]), {"labels": "several", "label_separator": "|"}),
        (csv_of(["1,0", "0,1", "0,0", "1,1"], "p,q"), {"labels": "several", "label_columns": ["p", "q"]}),
    ],
)
def test_each_form_is_found(file, content, settings):
    found = find_several(file("a.csv", content), DataConfig())
    assert dict(found.settings) == settings and found.note


@pytest.mark.parametrize(
    "content",
    [
        csv_of(["a", "b", "a", "b"]),
        csv_of(["good", "bad", "good/bad", "good"]),  # one name with a sign in it
        csv_of(["1", "0", "1", "0"]),
        csv_of(["sci/tech", "art", "sci/tech", "art"]),
        csv_of(["a,1", "b,0", "a,1", "b,0"], "label,spam"),
        csv_of(["1", "0", "1", "0"], "is_spam"),  # one column alone: no labels by a usual name
        csv_of(["a", "b", "", "a"]),
    ],
)
def test_one_label_a_text_is_not_taken_for_several(file, content):
    assert dict(find_several(file("a.csv", content), DataConfig()).settings) == {}


def test_what_a_config_says_is_not_looked_for(file):
    path = file("a.csv", csv_of(["a;b", "c", "", "a;c"]))
    assert not find_several(path, several()).settings
    assert not find_several("-", DataConfig()).settings
    assert not find_several("imdb", DataConfig()).settings
