"""Workbooks, folders and dotted names on the command line."""

import csv
from pathlib import Path

import pytest

from tests.conftest import labelled_texts
from tests.data.sheets import workbook

from .conftest import Rnn

ROWS = labelled_texts(["good", "bad"], 60)


@pytest.fixture
def book(home: Path) -> str:
    notes = [("read", "me")]
    (home / "in.xlsx").write_bytes(workbook({"Notes": notes, "Data": [("text", "label"), *ROWS]}))
    return "in.xlsx"


@pytest.fixture
def folder(home: Path) -> str:
    for at, (text, label) in enumerate(ROWS):
        (home / "d" / label).mkdir(parents=True, exist_ok=True)
        (home / "d" / label / f"{at:03}.txt").write_text(text)
    return "d"


def test_every_command_reads_the_sheet_that_is_named(book: str, rnn: Rnn, trained: Path, home: Path) -> None:
    model = str(trained)
    for words in (
        ["init", book],
        ["data", "check", book],
        ["evaluate", "--model", model, "--data", book],
        ["compare", model, model, "--data", book],
        ["score", "--model", model, "--prefix", "p_", book, "--output", "out.csv"],
    ):
        refused = rnn(*words)
        assert refused.code == 2
        assert "2 of its sheets hold cells: 'Notes' ('read', 'me', ...), 'Data' (" in refused.err
        assert refused.err.endswith("choose one with --sheet NAME\n")
        ended = rnn(*words, "--sheet", "Data")
        assert ended.code == 0, ended.err
    assert "sheet: Data" in (home / "config.yaml").read_text()
    with (home / "out.csv").open(newline="") as file:
        assert [(row["text"], row["label"]) for row in csv.DictReader(file)] == ROWS
    assert rnn("train", book, "--sheet", "9").err.startswith("Error: in.xlsx: no sheet '9' (sheets: 'Notes', 'Data')")


def test_a_sheet_may_be_a_number_in_a_config(book: str, rnn: Rnn) -> None:
    assert rnn("data", "check", book, "--set", "data.sheet=2").code == 0


@pytest.mark.parametrize("words", [["--output", "out.xlsx"], ["--format", "xlsx"]])
def test_workbooks_are_not_written(words: list[str], book: str, rnn: Rnn, trained: Path, home: Path) -> None:
    ended = rnn("score", "--model", str(trained), book, "--sheet", "2", "--prefix", "p_", *words)
    assert ended.code == 2
    assert "Excel workbooks are read, not written; use one of csv, tsv, jsonl, parquet" in ended.err
    assert not (home / "out.xlsx").exists()


def test_a_workbook_from_a_pipe_and_a_url(book: str, rnn: Rnn, trained: Path, home: Path) -> None:
    words = ["score", "--model", str(trained), "--sheet", "Data", "--prefix", "p_"]
    piped = rnn(*words, "-", stdin=(home / book).read_bytes())
    assert piped.code == 2 and "its name does not say its format" in piped.err  # of the output
    for ended in (
        rnn(*words, "-", "--format", "csv", stdin=(home / book).read_bytes()),
        rnn(*words, f"file://{home}/{book}", "--format", "csv"),
        rnn(*words, book),  # which is written as CSV
    ):
        assert ended.code == 0
        assert len(ended.out.splitlines()) == len(ROWS) + 1


def test_every_command_reads_a_folder_of_texts(folder: str, rnn: Rnn, trained: Path, home: Path) -> None:
    model = str(trained)
    (home / "d" / "README").write_text("about")
    for words in (["init", folder], ["data", "check", folder], ["evaluate", "--model", model, "--data", folder]):
        ended = rnn(*words)
        assert ended.code == 0
        assert ended.err.count("Warning: d: left out, as they are in no label's folder: README") == 1
    assert "source: d " in (home / "config.yaml").read_text()
    assert rnn("data", "check", "config.yaml").code == 0
    ended = rnn("score", "--model", model, folder, "--output", "out.csv")
    assert ended.code == 0
    with (home / "out.csv").open(newline="") as file:
        assert len({row["file"] for row in csv.DictReader(file)}) == len(ROWS)
    assert "is a folder of texts" in rnn("score", "--model", model, folder).err
    assert "would be one of the files of d" in rnn("score", "--model", model, folder, "--output", "d/o.csv").err


def test_a_finding_in_a_folder_names_its_file(folder: str, rnn: Rnn, home: Path) -> None:
    (home / "d" / "good" / "900.txt").write_text(ROWS[1][0])
    (home / "d" / "bad" / "900.txt").write_text(ROWS[1][0])
    ended = rnn("data", "check", folder, "--out", "found.csv")
    assert "good/900.txt" in ended.out
    with (home / "found.csv").open(newline="") as file:
        assert {"d/good/900.txt", ""} <= {cell for row in csv.DictReader(file) for cell in (row["file"], row["line"])}


def test_a_model_is_no_folder_of_rows(rnn: Rnn, trained: Path) -> None:
    ended = rnn("train", str(trained))
    assert ended.code == 2 and "is a trained model, not rows; rnn train --from trains it further" in ended.err


def test_a_recipe_goes_before_a_folder_of_its_name(folder: str, rnn: Rnn, home: Path) -> None:
    Path(home / "d").rename(home / "quick")
    assert "--set none=1: none: no such key" in rnn("train", "quick", "--set", "none=1").err.replace("Error: ", "")
    assert rnn("data", "check", "quick/").code == 0


def test_a_dotted_name_is_kept_by_init(rnn: Rnn, home: Path) -> None:
    import json

    objects = [{"review": {"text": text, "stars": label}} for text, label in ROWS]
    (home / "in.jsonl").write_text("\n".join(map(json.dumps, objects)))
    words = ["--text-column", "review.text", "--label-column", "review.stars"]
    assert rnn("init", "in.jsonl", *words).code == 0
    assert "text_column: review.text" in (home / "config.yaml").read_text()
    assert rnn("data", "check", "config.yaml").code == 0
