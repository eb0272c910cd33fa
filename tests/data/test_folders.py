"""Folders and patterns as sources: the files of one table, and texts in folders of their labels."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rnn_cli.config.schema import DataConfig
from rnn_cli.data.reading.readers import open_blocks
from rnn_cli.data.reading.table import ReadRequest
from rnn_cli.data.rows import Dataset
from rnn_cli.data.source import NoSuchColumn, further_column, iterate_texts, load_rows
from rnn_cli.data.splits import load_splits
from rnn_cli.errors import DataError
from rnn_cli.formats import is_pattern
from tests.data.sheets import workbook

Fill = Callable[[dict[str, str | bytes]], str]


@pytest.fixture
def fill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fill:
    """Write files below the folder `d`, which is the answer."""
    monkeypatch.chdir(tmp_path)

    def write(files: dict[str, str | bytes]) -> str:
        (tmp_path / "d").mkdir(exist_ok=True)
        for name, content in files.items():
            path = tmp_path / "d" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return "d"

    return write


def rows(dataset: Dataset) -> list[tuple[str, str, str]]:
    return [
        (dataset.where(row), text, label)
        for row, (text, label) in enumerate(zip(dataset.texts, dataset.labels, strict=True))
    ]


def refusal(source: str, **how: Any) -> str:
    with pytest.raises(DataError) as caught:
        load_rows(source, DataConfig(**how))
    return str(caught.value)


def parquet(text: str) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"text": [text], "label": ["x"]}), sink)
    return bytes(sink.getvalue())


def test_the_files_of_a_table_are_read_in_the_order_of_their_names(fill: Fill) -> None:
    folder = fill(
        {
            "b.csv": "text,label,id\nthree,x,3\n",
            "a.csv": "id,label,text\n1,x,one\n2,y,two\n",
            "c.csv": "text,label,id\n",
            "_SUCCESS": "",
            ".hidden.csv": "no",
            "~$open.xlsx": "no",
        }
    )
    found = load_rows(folder)
    assert rows(found) == [("d/a.csv:2", "one", "x"), ("d/a.csv:3", "two", "y"), ("d/b.csv:2", "three", "x")]
    assert (found.name, found.warnings) == ("d", ())
    assert further_column(found, "id", DataConfig()) == ["1", "2", "3"]
    assert further_column(found.select([2, 0]), "id", DataConfig()) == ["3", "1"]


def test_the_sides_of_a_published_set_are_named_by_patterns(fill: Fill) -> None:
    fill(
        {
            **{f"train-{at:05}-of-00002.parquet": parquet(f"train {at}") for at in range(2)},
            "test-00000-of-00001.parquet": parquet("test"),
            "README.md": "about",
        }
    )
    told = refusal("d")
    assert told == "d: holds several splits (test, train); name one by a pattern, as 'd/train*.parquet'"
    assert load_rows("d/train*.parquet").texts == ["train 0", "train 1"]
    os.remove("d/test-00000-of-00001.parquet")
    found = load_rows("d/")
    assert found.texts == ["train 0", "train 1"]
    assert found.warnings == ("d/: left out, as their names say no format of rows: README.md",)


def test_each_key_takes_folders_and_patterns(fill: Fill) -> None:
    fill(
        {
            "train/pos/1.txt": "one",
            "train/neg/1.txt": "two",
            "test/pos/1.txt": "three",
            "val-1.csv": "text,label\nfour,neg\n",
            "unsup/1.txt": "five",
        }
    )
    config = DataConfig(source="d/train", validation="d/val-*.csv", test="d/test", unlabelled="d/unsup")
    splits = load_splits(config)
    assert (splits.train.texts, splits.validation.texts, splits.test.texts) == (["two", "one"], ["four"], ["three"])
    assert list(iterate_texts("d/unsup", config)) == ["five"]
    with pytest.raises(DataError, match=r"d/test/odd/1.txt: no training row has the labels 'odd'"):
        fill({"test/odd/1.txt": "six"})
        load_splits(config)


def test_texts_have_their_folders_names_as_labels(fill: Fill) -> None:
    folder = fill(
        {
            "pos/10_9.txt": "warm\r\nand long ",
            "pos/2_7.TXT": "",
            "neg/0_1.txt": "\ufeffdull é",
            "neg/.DS_Store": b"\0",
            ".git/x": "",
            "unsup/0_0.txt": "who knows",
            "unsup/1_0.txt": "not me",
            "urls_pos.txt": "http",
            "labeledBow.feat": "1",
        }
    )
    found = load_rows(folder, DataConfig(text_column="review"))  # which texts in a folder do not have
    assert rows(found) == [
        ("d/neg/0_1.txt", "dull é", "neg"),
        ("d/pos/10_9.txt", "warm\r\nand long ", "pos"),
        ("d/pos/2_7.TXT", "", "pos"),
    ]
    assert found.warnings == (
        "d: left out, as they are in no label's folder: labeledBow.feat, urls_pos.txt",
        "d: left out are the 2 texts in unsup, which have no label",
    )
    with pytest.raises(NoSuchColumn, match="texts in a folder have no column 'id'"):
        further_column(found, "id", DataConfig())


def test_unsup_is_a_label_like_others_beside_one(fill: Fill) -> None:
    assert load_rows(fill({"unsup/1.txt": "a", "pos/1.txt": "b"})).labels == ["pos", "unsup"]


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, "d: holds no rows and no texts; name a folder of .csv"),
        ({"x.md": ""}, "d: holds no rows and no texts"),
        (
            {"a.csv": "", "pos/1.txt": ""},
            "d: holds files of rows (a.csv) and folders (pos); name one of them, as d/pos",
        ),
        ({"a.csv": "text", "b.jsonl": ""}, "d: stands for files of several formats (d/a.csv, d/b.jsonl)"),
        ({"a.csv": "text,label\n", "b.csv": "text,label\n"}, "d: none of its 2 files has rows"),
        (
            {"a.csv": "text,label\na,b\n", "b.csv": "text,stars\na,b\n"},
            "d/b.csv: its columns ('text', 'stars') are not those of d/a.csv ('text', 'label')",
        ),
        ({"a.csv": "text,label\na,b\n", "b.csv": "text,label\na\n"}, "d/b.csv:2: 1 field, expected 2"),
        ({"a.csv": "text,label\na,b\n", "b.csv": "text,label\na,\n"}, "d/b.csv: 1 row has no label (line 2)"),
        ({"train/a.csv": "", "test/a.csv": ""}, "d: its folders hold files of rows (as test/a.csv); name one of them"),
        (
            {"train/pos/1.txt": "", "test/pos/1.txt": ""},
            "d: its folders hold folders (as test/pos); name one of them, as",
        ),
        ({"1.txt": "a"}, "d: its texts (1.txt) have no labels; put those of each label into a folder"),
        ({"pos/1.txt": "a", "neg/x.doc": "b"}, "d/neg: holds x.doc beside texts, which is no .txt; move"),
        ({"pos/1.txt": "a", "neg/.x": "b"}, "d/neg: holds no .txt file; give it texts, or remove it"),
        ({"pos/1.txt": b"a\ncaf\xe9"}, "d/pos/1.txt:2: byte 0xe9 at position 4 of the line is not UTF-8; use enc"),
        ({"pos/1.txt": "a\0b"}, "d/pos/1.txt:1: a NUL character"),
        ({"manifest.json": "", "tokenizer.json": "", "a.csv": ""}, "d: is a trained model, not rows"),
    ],
)
def test_what_is_no_source(files: dict[str, str | bytes], told: str, fill: Fill) -> None:
    assert refusal(fill(files)).startswith(told)


def test_a_text_has_the_encoding_and_the_size_that_are_asked_for(fill: Fill) -> None:
    fill({"pos/1.txt": b"caf\xe9"})
    assert load_rows("d", DataConfig(encoding="latin-1")).texts == ["café"]
    assert "d/pos/1.txt:1: a text larger than 3 bytes" in refusal("d", max_field_bytes=3)


def test_a_pattern_without_files_or_of_other_files(fill: Fill) -> None:
    fill({"a.csv": "text,label\na,b\n", "a.doc": "", "[x].csv": "text,label\nc,d\n"})
    assert refusal("d/b*.csv") == "d/b*.csv: no file matches; check the pattern"
    assert refusal("d/a*") == (
        "d/a*: stands for a.doc, which is not a file of rows; name files of .csv, .tsv, .jsonl, .parquet or .xlsx"
    )
    assert load_rows("d/[x].csv").texts == ["c"]  # a file's name goes before a pattern
    assert not is_pattern("s3://bucket/*.csv")


def test_objects_of_a_table_may_lack_what_is_not_read(fill: Fill) -> None:
    fill({"a.jsonl": '{"text": "a", "label": "x", "more": 1}', "b.jsonl": '{"label": "y", "text": "b"}'})
    assert load_rows("d").texts == ["a", "b"]


def test_workbooks_and_urls_of_a_folder(fill: Fill, tmp_path: Path) -> None:
    fill({f"{at}.xlsx": workbook({"S": [("text", "label"), (at, "x")]}) for at in (1, 2)})
    assert load_rows("d").texts == ["1", "2"]
    assert load_rows(f"file://{tmp_path}/d/").texts == load_rows(f"file://{tmp_path}/d/*.xlsx").texts == ["1", "2"]


def test_only_a_block_of_texts_is_held(fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fill({f"pos/{at:03}.txt": str(at) for at in range(300)})
    from rnn_cli.data.reading import texts

    read: list[str] = []
    text = texts._text
    monkeypatch.setattr(texts, "_text", lambda path, request: read.append(path) or text(path, request))
    with open_blocks(ReadRequest(folder, at_once=10)) as opened:
        blocks: Iterator[Any] = opened.blocks
        assert (len(next(blocks).lines), len(read)) == (10, 10)
        assert (len(next(blocks).lines), len(read)) == (10, 20)


@pytest.mark.parametrize("column", ["review.text", "a.b.c"])
def test_a_key_of_an_object_has_a_dotted_name(column: str, fill: Fill) -> None:
    outer, _, key = column.rpartition(".")
    objects = [{"id": at, outer: {key: f"text {at}", "label": "x"}} for at in range(3)]
    fill({"a.jsonl": "\n".join(map(json.dumps, objects))})
    config = DataConfig(text_column=column, label_column=f"{outer}.label")
    found = load_rows("d/a.jsonl", config)
    assert (found.texts, found.labels) == (["text 0", "text 1", "text 2"], ["x"] * 3)
    assert further_column(found, f"{outer}.label", config) == ["x"] * 3


def test_a_key_of_just_this_name_goes_first(fill: Fill) -> None:
    fill({"a.jsonl": '{"r.t": "whole", "r": {"t": "inner"}, "label": "x"}\n{"r": {"t": "inner"}, "label": "x"}'})
    told = refusal("d/a.jsonl", text_column="r.t")
    assert "d/a.jsonl:2: the key 'r.t' is missing (keys: 'r', 'label')" in told
    with open_blocks(ReadRequest("d/a.jsonl", text_column="r.t", lenient=True)) as opened:
        assert next(opened.blocks).texts == ["whole", ""]


@pytest.mark.parametrize("second", ['{"label": "x"}', '{"r": "text", "label": "x"}', '{"r": {}, "label": "x"}'])
def test_an_object_without_the_key_is_told_as_one_without_a_column(second: str, fill: Fill) -> None:
    fill({"a.jsonl": f'{{"r": {{"t": "a"}}, "label": "x"}}\n{second}\n'})
    told = refusal("d/a.jsonl", text_column="r.t")
    assert told.startswith("d/a.jsonl:2: the key 'r.t' is missing (keys: ")
    assert told.endswith("; give every object the same keys")


def test_a_dotted_name_that_is_not_there_is_told_with_those_that_are(fill: Fill) -> None:
    fill({"a.jsonl": '{"r": {"text": "a"}, "s": "b", "label": "x"}'})
    told = refusal("d/a.jsonl", text_column="r.txt")
    assert "no column 'r.txt' (columns: 'r', 's', 'label', 'r.text'); did you mean text_column=r.text?" in told
    assert "no column 's.text'" in refusal("d/a.jsonl", text_column="s.text")
    assert "texts must be strings" in refusal("d/a.jsonl", text_column="r")


@pytest.mark.parametrize("odd", [["pos/a b.txt"], ["pos/a b.txt", "neg/it's.txt"]])
def test_a_text_of_another_encoding_is_converted_by_its_own_hint(fill: Fill, odd: list[str]) -> None:
    files = {"pos/u.txt": "Très bon".encode(), "neg/ascii.txt": b"cold", "neg/u.txt": "Größe".encode()}
    folder = fill(files | {name: "“Déjà vu”".encode("cp1252") for name in odd})
    told = refusal(folder)
    assert "encoding" not in told and "is not UTF-8" in told
    subprocess.run(told.partition("convert ")[2].partition(": ")[2], shell=True, check=True)
    texts = {name: text for name, text, _ in rows(load_rows(folder, DataConfig()))}
    assert texts == {f"d/{name}": content.decode() for name, content in files.items()} | {
        f"d/{name}": "“Déjà vu”" for name in odd
    }


def test_texts_of_one_other_encoding_are_read_by_it(fill: Fill) -> None:
    folder = fill({"pos/a.txt": "“gut”".encode("cp1252"), "neg/b.txt": b"cold"})
    assert "encoding=cp1252" in refusal(folder)


def test_a_wrong_encoding_of_utf_8_is_told(fill: Fill) -> None:
    folder = fill({"pos/a.txt": "“gut”".encode(), "neg/b.txt": b"cold"})  # its last byte, 9d, is none of cp1252
    assert "encoding=utf-8" in refusal(folder, encoding="cp1252")
