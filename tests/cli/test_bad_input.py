"""Files that cannot be read as labelled texts, to every command that reads them: one line, code 2, nothing left."""

import gzip
import json
from pathlib import Path

import pytest

from .conftest import Rnn, files_below

FILES = {
    "empty.csv": (b"", "is empty"),
    "header-only.csv": (b"text,label\n", "has no rows"),
    "comma.csv": (b"text,label\nwarm,good\na dull, noisy film,bad\n", ":3: 3 fields, expected 2"),
    "short.csv": (b"text,label\nwarm,good\ndull\n", ":3: "),
    "open-quote.csv": (b'text,label\nwarm,good\n"dull,bad\nwarm,good\n', ":3"),
    "no-header.csv": (b"good,warm\nbad,dull\ngood,fine\n", "looks like a row"),
    "a-row-swallowed.csv": (b'text,label\n"a, b",good\n"warm,good\ndull ",good\nfine,good\n', ":3: a quote opens here"),
    "page.csv": (b"<html><body></body></html>\n", "is a page of HTML"),
    "no-label.csv": (b"text,kind\nwarm,5\n", "no column has a usual name for labels"),
    "doubled.csv": (b"text,label,label\nwarm,good,bad\n", "appears twice"),
    "missing-label.csv": (b"text,label\nwarm,good\ndull,\n", "1 row has no label (line 3)"),
    "nul.csv": (b"text,label\nwarm,good\ndu\x00ll,bad\n", ":3: "),
    "latin1.csv": (b"text,label\nwarm,good\ncaf\xe9,bad\n", ":3"),
    "cut.csv.gz": (gzip.compress(b"text,label\n" + b"warm,good\n" * 900)[:-12], ""),
    "broken.jsonl": (b'{"text": "warm", "label": "good"}\n{"text": "dull", \n', ":2"),
    "list.jsonl": (b'["warm", "good"]\n', ":1"),
    "doubled.jsonl": (b'{"text": "warm", "text": "dull", "label": "good"}\n', ":1"),
    "number.jsonl": (b'{"text": {"a": 1}, "label": "good"}\n', ":1"),
    "surrogate.jsonl": (b'{"text": "\\ud83d", "label": "good"}\n', ":1"),
    "deep.jsonl": (b'{"text": ' + b"[" * 100_000 + b"\n", ":1"),
    "not.parquet": (b"text,label\nwarm,good\n", "is not a Parquet file"),
    "cut.parquet": (b"PAR1" + bytes(range(200)), ""),
    "reviews": (b"text,label\nwarm,good\n", "its name does not say its format"),
    "reviews.xlsx": (b"PK\x03\x04", "an Excel workbook"),
}
"""File name → its bytes and what the message must hold, besides the name."""

COMMANDS = {
    "train": ["train", "quick", "--set", "data.source={file}"],
    "train, test rows": ["train", "quick", "--set", "data.source=sample", "--set", "data.test={file}"],
    "evaluate": ["evaluate", "--model", "{model}", "--data", "{file}"],
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_read(name: str, command: str, rnn: Rnn, home: Path, trained: Path) -> None:
    content, told = FILES[name]
    (home / name).write_bytes(content)
    refused(rnn, home, [word.format(file=name, model=trained) for word in COMMANDS[command]], name, told)


@pytest.mark.parametrize("name", FILES)
def test_a_check_reads_as_far_as_it_can_or_refuses_in_one_line(name: str, rnn: Rnn, home: Path) -> None:
    (home / name).write_bytes(FILES[name][0])
    code, out, err = rnn("data", "check", name, "--json")
    assert code in (0, 2) and "Traceback" not in err and "fault of rnn" not in err
    if code:
        assert out == "" and err.startswith("Error: ") and err.count("\n") == 1
    else:
        assert any(finding["severity"] == "error" for finding in json.loads(out)["findings"])


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", ["nowhere.csv", "folder.csv", "", "a\nb.csv", "x" * 300 + ".csv"])
def test_what_is_no_file(name: str, command: str, rnn: Rnn, home: Path, trained: Path) -> None:
    (home / "folder.csv").mkdir()
    quoted = name if command == "evaluate" else json.dumps(name)  # as YAML reads it
    refused(rnn, home, [word.format(file=quoted, model=trained) for word in COMMANDS[command]])


def refused(rnn: Rnn, home: Path, words: list[str], *told: str) -> None:
    before = files_below(home)
    code, out, err = rnn(*words)
    lines = [line for line in err.splitlines() if line != "loading TensorFlow"]
    assert (code, out) == (2, "")
    assert len(lines) == 1 and lines[0].startswith("Error: ")
    assert all(part in lines[0] for part in told)
    assert len(lines[0]) < 1000 and lines[0].isprintable()
    assert "Traceback" not in err and "fault of rnn" not in err
    assert files_below(home) == before
