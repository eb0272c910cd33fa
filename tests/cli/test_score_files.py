"""`rnn score`: files, folders, patterns and pipes in, the same rows with answers out."""

import csv
import gzip
import io
import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rnn_cli.scoring.predictor import Predictor
from tests.forge import Forged

from .conftest import COMMAND, Ended, Rnn, files_below

SUMMARY = r"{rows} rows? scored( in \d+\.\d s \([\d,]+ a second\)|, all of them before)"
TEXTS = ["a warm, funny film", "dull and clumsy", "warm\nand dull"]


@pytest.fixture
def score(rnn: Rnn, trained: Path) -> Rnn:
    return lambda *words, stdin=b"": rnn("score", "--model", str(trained), *words, stdin=stdin)


@pytest.fixture
def reviews(home: Path) -> Path:
    """Three rows with an id, the text, and who wrote it."""
    with (home / "reviews.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("id", "text", "by"), *((n, text, "é") for n, text in enumerate(TEXTS))])
    return home / "reviews.csv"


def told(ended: Ended, rows: int, to: str = "") -> None:
    assert ended.code == 0, ended.err
    assert re.fullmatch(SUMMARY.format(rows=rows) + re.escape(to) + "\n", ended.err), ended.err


def refused(ended: Ended, error: str, code: int = 2) -> None:
    assert (ended.code, ended.out) == (code, "")
    assert re.fullmatch(f"Error: {error}\n", ended.err), ended.err


def records(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))


# To where


def test_to_a_file(score: Rnn, reviews: Path, home: Path, trained: Path) -> None:
    told(score("reviews.csv", "--output", "out.csv"), 3, " → out.csv")
    head, *rows = records((home / "out.csv").read_text())
    assert head == ["id", "text", "by", "label", "probability", "no_known_words"]
    assert [row[:3] for row in rows] == [[str(n), text, "é"] for n, text in enumerate(TEXTS)]
    predicted = Predictor.open(trained).predict(TEXTS)
    assert [row[3:] for row in rows] == [[each.label, f"{each.probability:.6f}", "false"] for each in predicted]
    assert {file.name for file in home.iterdir()} == {"reviews.csv", "out.csv"}


def test_to_the_standard_output(score: Rnn, reviews: Path) -> None:
    ended = score("reviews.csv")
    told(ended, 3)
    assert score("reviews.csv", "--output", "-").out == ended.out
    told(score("reviews.csv", "--output", "out.csv"), 3, " → out.csv")
    assert Path("out.csv").read_text() == ended.out


def test_to_a_folder(score: Rnn, reviews: Path, home: Path) -> None:
    told(score("reviews.csv", "--output", "out/"), 3, " → out/")
    assert set(files_below(home / "out")) == {"reviews-00000.csv", "_job.json"}
    refused(score("reviews.csv", "--output", "out"), "out: holds the predictions of a job; go on with --resu.*")
    told(score("reviews.csv", "--output", "out", "--resume"), 3, " → out")


@pytest.mark.parametrize("style", ["csv", "tsv", "jsonl", "parquet"])
def test_the_format_is_said_by_the_name_or_the_option(style: str, score: Rnn, reviews: Path, home: Path) -> None:
    score("reviews.csv", "--output", f"out.{style}", "--proba")
    score("reviews.csv", "--output", "out", "--format", style, "--proba")
    assert (home / "out").read_bytes() == (home / f"out.{style}").read_bytes()
    if style != "parquet":
        assert score("reviews.csv", "--format", style, "--proba").out.encode() == (home / "out").read_bytes()


def test_with_the_probability_of_every_label(score: Rnn, reviews: Path) -> None:
    head, *rows = records(score("reviews.csv", "--proba").out)
    assert head[3:] == ["label", "probability", "no_known_words", "p(bad)", "p(good)"]
    for *_, label, probability, _, bad, good in rows:
        assert {"bad": bad, "good": good}[label] == probability
    for line in score("reviews.csv", "--proba", "--format", "jsonl").out.splitlines():
        answer = json.loads(line)
        assert answer["probabilities"][answer["label"]] == answer["probability"]
    score("reviews.csv", "--proba", "--output", "out.parquet")
    assert pq.read_table("out.parquet").schema.field("p(bad)").type == pa.float64()


# Pipes


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl"])
def test_a_pipe_in_and_out(form: str, score: Rnn, reviews: Path) -> None:
    given = score("reviews.csv", "--format", form, "--prefix", "first_").out
    for content in (given.encode(), gzip.compress(given.encode())):
        ended = score("-", "--input-format", form, stdin=content)
        told(ended, 3)
        assert len(ended.out.splitlines()) == len(given.splitlines())
    refused(score("-", stdin=given.encode()), "standard input: its name does not say its format; add .*")


def test_parquet_comes_through_a_pipe_too(score: Rnn, reviews: Path) -> None:
    score("reviews.csv", "--output", "in.parquet", "--prefix", "first_")
    content = Path("in.parquet").read_bytes()
    ended = score("-", "--input-format", "parquet", "--format", "csv", stdin=content)
    told(ended, 3)
    assert records(ended.out)[0][:3] == ["id", "text", "by"]


def test_a_bad_row_of_a_pipe_is_told_with_its_line(score: Rnn) -> None:
    ended = score("-", "--input-format", "csv", stdin=b"id,text\n1,warm\n2\n")
    hint = "add the missing fields, or check the quotes, or skip such rows: --on-bad-row skip"
    refused(ended, f"standard input:3: 1 field, expected 2; {hint}")


def test_rows_flow_while_they_come_and_a_closed_pipe_ends_it_silently(trained: Path) -> None:
    command = shlex.join([*COMMAND, "score", "--model", str(trained), "-", "--input-format", "csv"])
    script = f"(echo text; yes warm) | {command} | head -2; echo ${{PIPESTATUS[1]}}"  # it comes without end
    ended = subprocess.run(["bash", "-c", script], capture_output=True, timeout=60)
    head, row, code = ended.stdout.decode().splitlines()
    assert head == "text,label,probability,no_known_words" and row.startswith("warm,good,")
    assert (code, ended.stderr) == ("141", b"")


# Columns


def test_columns_of_such_names_are_told_and_a_prefix_helps(score: Rnn, home: Path) -> None:
    (home / "in.csv").write_text("text,label\nwarm,good\n")
    hint = "--prefix predicted_ makes the added one predicted_label"
    refused(score("in.csv"), f"in.csv: has a column 'label' already; {hint}")
    head, row = records(score("in.csv", "--prefix", "predicted_").out)
    assert head == ["text", "label", "predicted_label", "predicted_probability", "predicted_no_known_words"]
    assert row[:3] == ["warm", "good", "good"]
    (home / "in.csv").write_text("text,p(bad)\nwarm,1\n")
    told(score("in.csv"), 1)
    refused(score("in.csv", "--proba"), r"in.csv: has a column 'p\(bad\)' already; .*")


def test_in_jsonl_a_key_of_such_a_name_may_come_late(score: Rnn, home: Path) -> None:
    (home / "in.jsonl").write_text('{"text": "warm"}\n{"text": "dull", "label": 1}\n')
    ended = score("in.jsonl", "--output", "out.jsonl")
    refused(ended, "in.jsonl:2: has a column 'label' already; .*")
    told(score("in.jsonl", "--prefix", "p_"), 2)


def test_the_column_of_texts(score: Rnn, home: Path) -> None:
    (home / "in.csv").write_text("title,says\nwarm,dull\n")
    columns = r"\(columns: 'title', 'says'\)"
    refused(score("in.csv"), f"in.csv: no column has a usual name for texts {columns}; use --text-column title; .*")
    ended = score("in.csv", "--text-column", "say")
    refused(ended, f"in.csv: no column 'say' {columns}; did you mean --text-column says\\?")
    assert ",bad," in score("in.csv", "--text-column", "says").out
    assert ",good," in score("in.csv", "--text-column", "title").out
    (home / "one.csv").write_text("anything\nwarm\n\ndull\n")
    refused(score("one.csv"), "one.csv:1: looks like a row, .*; add a header, or use --no-header; .*, --header")
    assert len(records(score("one.csv", "--text-column", "anything").out)) == 4
    assert len(records(score("one.csv", "--header").out)) == 4
    assert [row[0] for row in records(score("one.csv", "--no-header").out)] == ["1", "anything", "warm", "", "dull"]


def test_quotes_that_are_characters_come_out_as_csv(score: Rnn, home: Path) -> None:
    lines = ["text\tid", '"The soup was cold\tbad', "A lovely evening\tgood", 'She called it "\tgood', "Fine\tgood"]
    (home / "in.tsv").write_text("\n".join(lines) + "\n")
    ended = score("in.tsv", "--output", "out.csv")
    assert ended.code == 0 and "in.tsv: quotes are read as plain characters" in ended.err
    with (home / "out.csv").open(newline="") as stream:
        rows = list(csv.reader(stream, strict=True))
    assert [row[:2] for row in rows] == [line.split("\t") for line in lines]
    refused(
        score("-", "--format", "tsv", stdin="\n".join(lines).encode()),
        "standard input:2: a quote opens here and swallows the next 2 lines, .* use --quoting none, .* --quoting csv",
    )


def test_excels_files_are_scored(score: Rnn, home: Path) -> None:
    (home / "in.csv").write_bytes(b"sep=;\r\nid;text;;\r\n1;warm, funny;;\r\n2;dull;;\r\n")
    ended = score("in.csv", "--output", "out.csv")
    assert ended.code == 0 and "fields are separated by ';'" in ended.err
    with (home / "out.csv").open(newline="") as stream:
        rows = list(csv.reader(stream))
    assert [row[:4] for row in rows] == [["id", "text", "", ""], ["1", "warm, funny", "", ""], ["2", "dull", "", ""]]


def test_the_column_that_the_model_learned_from_is_taken(rnn: Rnn, trained: Path, home: Path) -> None:
    copy = Forged(trained, home / "model")
    config = copy.path / "config.yaml"
    copy.write("config.yaml", config.read_text().replace("text_column: null", "text_column: says"))
    (home / "in.csv").write_text("title,says\nwarm,dull\n")
    assert ",bad," in rnn("score", "in.csv", "--model", "model").out


# From where


def test_several_files(score: Rnn, home: Path) -> None:
    for name in ("b.csv", "a.csv"):
        (home / name).write_text(f"text,from\nwarm,{name}\n")
    assert [row[1] for row in records(score("b.csv", "a.csv").out)[1:]] == ["b.csv", "a.csv"]
    assert [row[1] for row in records(score("*.csv").out)[1:]] == ["a.csv", "b.csv"]
    refused(score("b.csv", "*.csv"), "b.csv: is named twice; name each file once")
    refused(score("c*.csv"), r"c\*.csv: no file matches; check the pattern; quote it for the shell")
    (home / "c.csv").write_text("from,text\nc,warm\n")
    refused(score("*.csv", "--output", "out.csv"), r"out.csv: would be one of the files of \*.csv; .*")
    other = r"c.csv: its columns \('from', 'text'\) are not those .*"
    refused(score("*.csv", "--output", "out.tsv"), other)
    told(score("*.csv", "--output", "out.jsonl"), 3, " → out.jsonl")
    told(score("*.csv", "--output", "out/"), 3, " → out/")
    assert (home / "out/c-00000.csv").read_text().startswith("from,text,label,")


def test_a_folder_with_other_files_in_it(score: Rnn, home: Path) -> None:
    for name in ("logs/a.csv", "logs/deep/b.jsonl.gz", "logs/.hidden.csv", "logs/_tmp/c.csv", "logs/d.txt"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        content = b'{"text": "dull"}\n' if "jsonl" in name else b"text\nwarm\n"
        (home / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    told(score("logs", "--output", "out/"), 2, " → out/")
    assert set(files_below(home / "out")) == {"a-00000.csv", "deep/b-00000.csv", "_job.json"}
    for name in ("logs/out.csv", "logs/out/"):
        refused(score("logs", "--output", name), f"{name}: would be one of the files of logs; .*")
    (home / "none").mkdir()
    refused(score("none"), "none: holds no .csv, .tsv, .jsonl, .parquet or .xlsx file; check the path")
    (home / "none/x.doc").write_text("x")
    refused(score("none"), "none: none of its 1 files is .csv, .tsv, .*; name them .* --input-format")


def test_files_of_equal_names_in_several_folders(score: Rnn, home: Path) -> None:
    for day in ("1", "2"):
        (home / f"logs/day={day}").mkdir(parents=True)
        (home / f"logs/day={day}/part-0.csv").write_text(f"text,day\nwarm,{day}\n")
    for names in ("logs", "logs/*/part-*.csv", "logs/**/*.csv"):
        told(score(names, "--output", "out/", "--force"), 2, " → out/")
        assert set(files_below(home / "out")) == {*(f"day={day}/part-0-00000.csv" for day in "12"), "_job.json"}
    names = ["logs/day=1/part-0.csv", "logs/day=2/part-0.csv"]
    refused(score(*names, "--output", "new/"), "two files would have their predictions in part-0-00000; score them .*")


@pytest.mark.parametrize("url", ["file://{home}/a%20b.csv", "local://{home}/a%20b.csv"])
def test_a_url(url: str, score: Rnn, home: Path) -> None:
    (home / "a b.csv").write_text("text\nwarm\n")
    url = url.format(home=home)
    told(score(url), 1)
    out = url.replace("a%20b.csv", "out/")
    told(score(url, "--output", out), 1, f" → {out}")
    assert set(files_below(home / "out")) == {"a b-00000.csv", "_job.json"}
    told(score(url, "--output", out, "--resume"), 1, f" → {out}")


# Summaries


def test_rows_that_are_passed_over_are_told_of(score: Rnn, home: Path) -> None:
    (home / "in.csv").write_text("id,text\n1,warm\n2\n3,zzz\n")
    ended = score("in.csv", "--output", "out.csv", "--on-bad-row", "skip")
    first, second, third = ended.err.splitlines()
    assert re.fullmatch(SUMMARY.format(rows=2) + " → out.csv", first)
    assert second == "3 rows in = 2 scored + 1 rejected → out.csv.rejected.jsonl"
    assert third == "Warning: 1 text holds no word the model knows (no_known_words)"
    assert json.loads((home / "out.csv.rejected.jsonl").read_text()) == {
        "file": "in.csv",
        "line": 3,
        "error": "1 field, expected 2",
        "row": "2",
    }
    ended = score("in.csv", "--on-bad-row", "mark", "--rejects", "bad.jsonl")
    assert len(records(ended.out)) == 4 and (home / "bad.jsonl").exists()
    ended = score("in.csv", "--on-bad-row", "skip", "--output", "out/")
    assert "3 rows in = 2 scored + 1 rejected → out/_rejected" in ended.err.splitlines()
    assert json.loads((home / "out/_rejected/in-00000.jsonl").read_text())["line"] == 3


def test_an_earlier_output_is_replaced_only_if_asked(score: Rnn, reviews: Path, home: Path) -> None:
    (home / "out.csv").write_text("mine")
    ended = score("reviews.csv", "--output", "out.csv")
    refused(ended, "out.csv: exists; use --force to replace it, or choose another --(output|rejects)")
    assert (home / "out.csv").read_text() == "mine"
    told(score("reviews.csv", "--output", "out.csv", "--force"), 3, " → out.csv")


def test_the_output_may_be_written_by_all_whom_the_umask_lets(score: Rnn, reviews: Path, home: Path) -> None:
    before = os.umask(0o027)
    try:
        for output in ("out.csv", "out.parquet"):
            score("reviews.csv", "--output", output)
            assert (home / output).stat().st_mode & 0o777 == 0o640
    finally:
        os.umask(before)
