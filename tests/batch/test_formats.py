"""Every format in, every format out: all columns as they were, in order, and the predictor's own answers."""

import csv
import io
import itertools
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest

from rnn_cli.batch.to_file import score_to_file, score_to_stream
from rnn_cli.scoring.decision import Decision
from rnn_cli.scoring.prediction import Prediction
from rnn_cli.scoring.predictor import Predictor

from .conftest import Done, Heard, job_of, read_table, unpacked, write_table

FORMATS = ("csv", "tsv", "jsonl", "parquet")
ENDS = ("", ".gz", ".zst")
COLUMNS = ["id", "text", "Ünïcode 名", " spaced ", 'quo"ted', "with,comma"]
TEXTS = [
    "a warm, funny film",
    "dull\nand\r\nclumsy",
    "lone\rreturn",
    "tab\tand \"quotes\" and 'these'",
    "🎬 長い 👩‍👩‍👧 שלום",
    "",
    "   ",
    "NA",
    "null",
    "=1+1",
    "\u2028 \x85 \x0b \ufeff",
    '"',
    "\\N \\",
]
OTHERS = ["007", "1e5", "NaN", "", "None", "null", "a\nb", "x\ry", '""', " padded ", "1.0", "true", "é,;|"]
ROWS = [
    [str(place), text, other, other[::-1], "x", "ends"]
    for place, (text, other) in enumerate(zip(TEXTS, OTHERS, strict=True))
]


def places() -> list[tuple[str, str]]:
    """Each format with each compression on one side, and the other side's in turn."""
    every = [f"{form}{end}" for form in FORMATS for end in ENDS]
    out = [each for each in every if each not in ("parquet.gz", "parquet.zst")]
    return list(itertools.product(every, out))


def expected(predictor: Predictor, form: str, texts: list[str]) -> list[list[Any]]:
    """The columns that are added, as a format holds them."""
    predicted = predictor.predict(texts)
    return [_cells(answer) if form in ("csv", "tsv") else _values(answer) for answer in predicted]


def _values(answer: Prediction) -> list[Any]:
    return [answer.label, round(answer.probability, 6), answer.no_known_words]


def _cells(answer: Prediction) -> list[Any]:
    return [answer.label, f"{answer.probability:.6f}", str(answer.no_known_words).lower()]


@pytest.mark.parametrize(("given", "asked"), places(), ids=lambda name: name)
def test_every_column_comes_back_and_the_answers_beside(given: str, asked: str, score, predictor: Predictor) -> None:  # type: ignore[no-untyped-def]
    done: Done = score(write_table(f"in.{given}", COLUMNS, ROWS), f"out.{asked}")
    columns, rows = read_table(f"out.{asked}")
    assert columns == [*COLUMNS, "label", "probability", "no_known_words"]
    assert [row[: len(COLUMNS)] for row in rows] == ROWS
    assert [row[len(COLUMNS) :] for row in rows] == expected(predictor, asked.partition(".")[0], TEXTS)
    assert (done.counts.rows, done.counts.rejected, done.heard.rows) == (len(ROWS), 0, len(ROWS))
    assert done.counts.unknown == sum(answer.no_known_words for answer in predictor.predict(TEXTS))
    assert sorted(path.name for path in Path().iterdir()) == [f"in.{given}", f"out.{asked}"]


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_line_ends_and_encodings(form: str, line_end: str, encoding: str, score) -> None:  # type: ignore[no-untyped-def]
    write_table(f"in.{form}", COLUMNS, ROWS, line_end)
    Path(f"in.{form}").write_text(Path(f"in.{form}").read_bytes().decode(), encoding=encoding, newline="")
    for asked in FORMATS:
        score(f"in.{form}", f"out.{asked}")
        columns, rows = read_table(f"out.{asked}")
        assert columns[: len(COLUMNS)] == COLUMNS
        assert [row[: len(COLUMNS)] for row in rows] == ROWS


def test_rows_of_the_same_format_stand_as_they_did(score) -> None:  # type: ignore[no-untyped-def]
    records = ['a,"1",warm', '"b",2.50,dull', ' c,"x""y",', 'd,,"lone\rreturn"']
    Path("in.csv").write_bytes("\r\n".join(["id,n,text", *records]).encode())
    score("in.csv", "out.csv")
    head, *lines = unpacked("out.csv").decode().removesuffix("\n").split("\n")
    assert head == "id,n,text,label,probability,no_known_words"
    assert [line.rsplit(",", 3)[0] for line in lines] == records
    objects = ['{"text":"warm","n":1.0,"big":1e400}', '{ "text" : "a\\u00e9\\ud83c\\udfac", "half": "\\ud83c" }', "{}"]
    objects[2] = '{"text": "\u2028", "n": 123456789012345678901234567890, "deep": {"a": [1.50, null, {"b": -0}]}}'
    Path("in.jsonl").write_text("\n\n".join(objects), encoding="utf-8")
    score("in.jsonl", "out.jsonl")
    lines = unpacked("out.jsonl").decode().removesuffix("\n").split("\n")
    for line, given in zip(lines, objects, strict=True):
        assert line.startswith(given.rstrip("}").rstrip(" ")) and json.loads(line)["label"] in ("good", "bad")


def test_a_delimiter_of_ones_own(score) -> None:  # type: ignore[no-untyped-def]
    Path("in.csv").write_text('id;text\n1;"a;b"\n2;c,d\n')
    score("in.csv", "out.csv", how={"delimiter": ";"})
    header, *rows = csv.reader(Path("out.csv").read_text().splitlines(), delimiter=";")
    assert header[:3] == ["id", "text", "label"]
    assert [row[:2] for row in rows] == [["1", "a;b"], ["2", "c,d"]]
    score("in.csv", "out.tsv", how={"delimiter": ";"})
    assert [row[:2] for row in read_table("out.tsv")[1]] == [["1", "a;b"], ["2", "c,d"]]


def test_no_answer_depends_on_how_rows_are_cut(score, small_windows, predictor: Predictor) -> None:  # type: ignore[no-untyped-def]
    texts = [f"{text} {number}" for number in range(9) for text in TEXTS]
    write_table("in.csv", ["text"], [[text] for text in texts])
    for asked in ("csv.gz", "tsv", "jsonl.zst", "parquet"):
        score("in.csv", f"out.{asked}")
        assert [row[0] for row in read_table(f"out.{asked}")[1]] == texts
        assert [row[1:] for row in read_table(f"out.{asked}")[1]] == expected(predictor, asked.partition(".")[0], texts)


def test_a_model_that_may_be_unsure_says_so(predictor: Predictor) -> None:
    doubtful = predictor.adjusted(decision=Decision(predictor.decision.threshold, 0.95))
    write_table("in.csv", ["text"], [[text] for text in TEXTS])
    stream, heard = io.BytesIO(), Heard()
    counts = score_to_stream(job_of("in.csv", "out.csv"), doubtful, stream, None, heard)
    columns, *rows = csv.reader(io.StringIO(stream.getvalue().decode(), newline=""))
    assert columns == ["text", "label", "probability", "no_known_words", "unsure"]
    expected = [each.unsure for each in doubtful.predict(TEXTS)]
    assert [row[4] for row in rows] == [str(unsure).lower() for unsure in expected]
    assert 0 < counts.unsure == sum(expected)


def test_rejected_rows_may_lie_on_another_disk(predictor: Predictor, home: Path) -> None:
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == home.stat().st_dev:
        pytest.skip("no other disk")
    Path("in.csv").write_text("id,text\n1,warm\n2\n")
    with tempfile.TemporaryDirectory(dir=other) as folder:
        rejects = Path(folder) / "bad.jsonl"
        score_to_file(job_of("in.csv", "out.csv", on_bad_row="skip"), predictor, {}, Path("out.csv"), rejects, Heard())
        assert json.loads(rejects.read_text())["line"] == 3
    assert sorted(path.name for path in home.iterdir()) == ["in.csv", "out.csv"]
