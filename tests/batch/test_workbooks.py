"""Workbooks and folders of texts are scored like other files: every row once, in order, and on from where it ended."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rnn_cli.batch import to_file
from rnn_cli.batch.job import Input, Job, find_inputs
from rnn_cli.batch.stores import Local
from rnn_cli.errors import DataError, RowError, UsageError
from rnn_cli.scoring.predictor import Predictor
from tests.data.sheets import by_hand, text, workbook

from .conftest import MODEL, Done, Heard, read_table, write_table

COLUMNS = ["id", "text"]
ROWS = [[str(n), f"warm film {n}" if n % 3 else "dull, noisy"] for n in range(100)]


def write_workbook(name: str, rows: list[list[Any]]) -> str:
    Path(name).write_bytes(workbook({"S": [COLUMNS, *rows]}))
    return name


@pytest.mark.parametrize("output", ["out.csv", "out.jsonl", "out.parquet", "out.tsv.gz"])
def test_a_workbook_is_scored_as_a_file_of_texts(output: str, score: Any) -> None:
    write_workbook("in.xlsx", [[int(number), words] for number, words in ROWS])
    write_table("in.parquet", COLUMNS, ROWS)
    assert score("in.xlsx", output).counts.rows == len(ROWS)
    score("in.parquet", f"same.{output.partition('.')[2]}")
    assert read_table(output) == read_table(f"same.{output.partition('.')[2]}")


@pytest.mark.parametrize("output", ["out.csv", "out.jsonl", "out.parquet"])
def test_bad_rows_of_a_workbook_are_told_as_a_spreadsheet_would_copy_them(output: str, score: Any) -> None:
    rows = [f'<row r="1">{text("A1", "id")}{text("B1", "text")}</row>']
    rows += [f'<row r="2">{text("A2", "1")}{text("B2", "warm")}</row>']
    rows += [f'<row r="4">{text("A4", "2")}<c r="B4" t="e"><v>#REF!</v></c></row>']
    rows += [f'<row r="5">{text("A5", "3")}{text("B5", "dull")}</row>']
    Path("in.xlsx").write_bytes(by_hand("".join(rows)))
    with pytest.raises(RowError, match=r"in.xlsx:3: the row is empty"):
        score("in.xlsx", output)
    done = score("in.xlsx", output, on_bad_row="mark")
    assert [(told["line"], told["row"]) for told in done.rejected] == [(3, ""), (4, "2\t#REF!")]
    columns, table = read_table(output)
    assert [row[:2] for row in table[::3]] == [["1", "warm"], ["3", "dull"]]
    assert [not row[0] and not row[1] for row in table] == [False, True, True, False]
    assert table[2][columns.index("error")] == "line 4: the cell B4 holds the error #REF!"


@pytest.mark.parametrize("output", ["out.csv", "out.parquet"])
@pytest.mark.usefixtures("small_windows")
def test_a_workbook_that_was_stopped_goes_on_to_the_same_bytes(
    output: str, score: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_workbook("in.xlsx", ROWS)
    score("in.xlsx", f"whole.{output.partition('.')[2]}")
    write, saves = Local.write, 0

    def stopped(store: Local, name: str, content: bytes) -> None:
        nonlocal saves
        write(store, name, content)
        saves += 1
        if saves == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(Local, "write", stopped)
    with pytest.raises(KeyboardInterrupt):
        score("in.xlsx", output)
    with pytest.raises(UsageError, match="was begun with another way to read the input"):
        score("in.xlsx", output, resume=True, how={"sheet": "S"})
    score("in.xlsx", output, resume=True)
    assert Path(output).read_bytes() == Path(f"whole.{output.partition('.')[2]}").read_bytes()


def test_what_a_reader_may_not_expect_is_told_once(score: Any) -> None:
    column = '<cols><col min="1" max="1" hidden="1"/></cols>'
    rows = (
        f'<row r="1">{text("A1", "id")}{text("B1", "text")}</row><row r="2">{text("A2", "1")}{text("B2", "warm")}</row>'
    )
    Path("in.xlsx").write_bytes(by_hand(rows, before=column))
    assert score("in.xlsx", "out.csv").heard.notes == ["in.xlsx: 1 hidden column is read like the others"]


@pytest.fixture
def score_folder(predictor: Predictor) -> Callable[..., Done]:
    """Scores a folder of texts to a file."""

    def call(folder: str, output: str, resume: bool = False, force: bool = False, **more: Any) -> Done:
        heard = Heard()
        job = Job(tuple(find_inputs([folder])), output.rpartition(".")[2], {}, None, **more)
        rejects, how = Path(f"{output}.rejected.jsonl"), {"resume": resume, "force": force}
        return Done(to_file.score_to_file(job, predictor, MODEL, Path(output), rejects, heard, **how), heard, [])

    return call


def fill(folder: str, files: dict[str, str | bytes]) -> str:
    for name, content in files.items():
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


@pytest.mark.parametrize("output", ["out.csv", "out.jsonl", "out.parquet"])
def test_a_folder_of_texts_is_scored_with_the_names_of_its_files(output: str, score_folder: Any) -> None:
    fill(
        "d", {"pos/10.txt": "warm", "pos/2.txt": "lovely\n", "neg/1.txt": "dull", "unsup/1.txt": "", "urls_x.txt": "h"}
    )
    done = score_folder("d", output)
    columns, rows = read_table(output)
    assert columns[:3] == ["file", "text", "label"]
    assert [row[:2] for row in rows] == [
        ["neg/1.txt", "dull"],
        ["pos/10.txt", "warm"],
        ["pos/2.txt", "lovely\n"],
        ["unsup/1.txt", ""],
    ]
    assert done.heard.notes == ["d: left out, as they are in no label's folder: urls_x.txt"]


def test_a_text_that_cannot_be_read_is_named(score_folder: Any) -> None:
    fill("d", {"1.txt": "warm", "2.txt": b"caf\xe9", "3.txt": "dull"})
    with pytest.raises(DataError, match=r"d/2.txt:1: byte 0xe9"):
        score_folder("d", "out.csv")
    assert score_folder("d", "out.csv", on_bad_row="mark").counts.rejected == 1
    columns, rows = read_table("out.csv")
    assert rows[1][columns.index("error")].startswith("d/2.txt: byte 0xe9")
    told = Path("out.csv.rejected.jsonl").read_text()
    assert '"file": "d/2.txt", "line": null' in told


def test_a_folder_with_files_of_rows_is_read_as_before() -> None:
    fill("d", {"a.csv": "text\n", "note.txt": "", "below/b.jsonl": "", "below/c.txt": ""})
    assert [each.name for each in find_inputs(["d"])] == ["a.csv", "below/b.jsonl"]


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"a.doc": ""}, "none of its 1 files is .csv"),
        ({"1.txt": "", "below/2.txt": ""}, "holds texts (1.txt) and folders (below); name the folders, as d/below"),
        ({"1.txt": "", "x.doc": ""}, "holds x.doc beside texts"),
    ],
)
def test_a_folder_of_other_files_is_refused(files: dict[str, str | bytes], told: str) -> None:
    fill("d", files)
    with pytest.raises(DataError) as caught:
        find_inputs(["d"])
    assert told in str(caught.value)


def test_a_folder_of_texts_is_another_once_a_text_is(score_folder: Any) -> None:
    fill("d", {"a/1.txt": "warm", "a/2.txt": "dull"})

    def found() -> Input:
        (each,) = find_inputs(["d"])
        return each

    before = found()
    assert (before.name, before.size) == ("d", 8)
    assert found() == before
    os.utime("d/a/1.txt", ns=(before.modified or 0,) * 2)  # the same time, but it was another file's
    assert found() == before
    os.utime("d/a/1.txt", ns=((before.modified or 0) + 1,) * 2)
    assert found() != before
    fill("d", {"a/3.txt": ""})
    assert found() != before
