"""`rnn score`: which options go together, what is refused before any work, what a terminal shows."""

import io
import os
import re
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rnn_cli.cli.options import LABELLED, in_shell_terms
from rnn_cli.errors import ConfigError, ConfigMistake

from .conftest import Rnn, on_a_terminal


@pytest.fixture
def score(rnn: Rnn, trained: Path, home: Path) -> Rnn:
    (home / "in.csv").write_text("text\nwarm\n")
    (home / "in.jsonl").write_text('{"text": "warm"}\n')
    return lambda *words, stdin=b"": rnn("score", "--model", str(trained), *words, stdin=stdin)


MISTAKES = {
    "in.csv --resume": "--resume is for --output, which is not given; add --output FILE",
    "in.csv --force": "--force is for --output, which is not given; add --output FILE",
    "in.csv --on-bad-row skip": "rows that cannot be read need a place; add --rejects FILE, or --output FILE",
    "in.csv --rejects r.jsonl": "--rejects is for rows that are skipped or marked; add --on-bad-row skip .*",
    "in.csv --output o/ --on-bad-row skip --rejects r": "--rejects is for one file; leave it out: .*",
    "- --output out.csv --resume": "the standard input cannot be read again; name a file",
    "- --output o/ --engine ray": "--engine ray cannot read the standard input; name a file",
    "in.csv --engine ray": "--engine ray writes a folder of files; add --output FOLDER/",
    "in.csv --engine ray --output out.csv": "--engine ray writes a folder of files; add --output FOLDER/",
    "in.csv --ray-address auto": "--ray-address is for --engine ray, which is not given; add --engine ray",
    "in.csv - --input-format csv": "the standard input cannot be read beside files; give it alone: rnn score -",
    "in.csv --format human": "Invalid value for '--format': 'human' is not one of 'csv', 'tsv', 'jsonl', 'parquet'.*",
    "": "Missing argument 'FILE...'.*",
    "in.csv --format csv --output out.jsonl": "out.jsonl: is named as jsonl, and the format asked for is csv; .*",
    "in.csv --format parquet": "Parquet cannot be written to the standard output; add --output FILE, .*",
    "in.csv --output o.parquet.gz": "o.parquet.gz: Parquet is compressed in itself; leave the last ending out",
    "none.csv": "none.csv: no such file; check the path",
    "none": "none: its name does not say its format; add --input-format .*",
    "in.csv --output no/out.csv": "no: no such folder; make it first",
    "in.csv --output out.csv --on-bad-row skip --rejects no/r": "no: no such folder; make it first",
    "in.csv --output in.csv": "in.csv: is the input; choose another --output",
    "in.csv --output ./in.csv --force": "in.csv: is the input; choose another --output",
    "in.csv --output o.csv --on-bad-row skip --rejects in.csv --force": "in.csv: is the input; choose another .*",
    "in.csv --output o.csv --on-bad-row skip --rejects ./o.csv": "o.csv: is the output and the rejects; name .*",
    "in.csv --on-bad-row skip --rejects in.jsonl": "in.jsonl: exists; use --force to replace it, or .*",
    "in.csv --output pipe --force": "pipe: is not a file; choose another --output",
    "in.csv --output in.jsonl/": "in.jsonl: is not a folder; choose another --output",
    "in.csv --output s3://bucket/out.csv": "s3://bucket/out.csv: a URL names a folder; add a / behind it, .*",
    "in.csv --encoding utf-99": "--encoding: no text encoding is called 'utf-99'; use a name such as .*",
    "in.csv --delimiter ab": "--delimiter: 'ab' cannot be a delimiter; use one such as , or ;",
    "in.jsonl --max-field-bytes 9": "in.jsonl:1: a line larger than 9 bytes; .*--max-field-bytes N, or skip .*",
    "in.csv --max-field-bytes 0": "Invalid value for '--max-field-bytes': .*",
    "in.csv --on-bad-row stop --output o.csv --threads 0": "Invalid value for '--threads': .*",
    "no-such://a/b.csv": "no-such://a/b.csv: .*",
    "nosuch://a/b.csv": r"nosuch://a/b.csv: cannot be read \(.*nosuch.*\); check the address and your access.*",
    "file://nowhere/b.csv": "file://nowhere/b.csv: .*",
}


@pytest.mark.parametrize(("line", "error"), MISTAKES.items(), ids=MISTAKES)
def test_a_mistake_is_told_in_one_line_and_nothing_is_written(line: str, error: str, score: Rnn, home: Path) -> None:
    os.mkfifo(home / "pipe")
    before = set(home.rglob("*"))
    code, out, err = score(*line.split())
    assert (code, out) == (2, "")
    assert re.fullmatch(f"Error: {error}\n", err), err
    assert set(home.rglob("*")) == before
    assert "--set" not in err and "data." not in err


def test_the_general_model_scores_where_there_is_no_other(rnn: Rnn, home: Path) -> None:
    (home / "in.csv").write_text("text\nwarm and lovely\n")
    code, _, err = rnn("score", "in.csv", "--labels", "negative,positive", "--proba", "--output", "out.csv")
    assert code == 0 and err.startswith("no trained model in runs/: using the general model")
    header, row = (home / "out.csv").read_text().splitlines()
    assert header.startswith("text,label,probability,no_known_words") and header.endswith("p(negative),p(positive)")
    assert row.startswith("warm and lovely,positive,")


def test_a_mistake_in_the_config_of_a_model_is_told_as_it_is() -> None:
    error = ConfigError([ConfigMistake("expected a list", "model.units")])
    assert in_shell_terms(error, LABELLED) is error


def parquet(texts: Sequence[str | None]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table({"text": pa.array(texts, pa.string())}), file)
    return file.getvalue()


SKIP = ".*, or skip such rows: --on-bad-row skip"
BAD_ROWS = {
    "too few fields": ("bad.csv", b"id,text\n1,warm\n2\n", f":3: {SKIP}"),
    "no UTF-8": ("bad.csv", b"id,text\n1,warm\n2,\xff\n", f":3: {SKIP}"),
    "a NUL": ("bad.csv", b"id,text\n1,warm\n2,du\0ll\n", f":3: {SKIP}"),
    "an open quote": ("bad.csv", b'id,text\n1,warm\n2,"dull\n', ":3: a quote opens .*use --quoting none"),
    "a NUL in the header": ("bad.csv", b"id,te\0xt\n1,warm\n", ":1: .*"),
    "no UTF-8 in the header": ("bad.csv", b"id,text\xff\n1,warm\n", ":1: .*"),
    "broken JSON": ("bad.jsonl", b'{"text": \n{"text": "warm"}\n', f":1:11: broken JSON {SKIP}"),
    "a text that is none": ("bad.jsonl", b'{"text": "warm"}\n{"text": 1}\n', f":2: {SKIP}"),
    "Parquet's null": ("bad.parquet", parquet(["warm", None]), f":2: {SKIP}"),
}


@pytest.mark.parametrize("name, content, told", BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_bad_row_is_told_with_the_option_that_passes_over_it(
    name: str, content: bytes, told: str, score: Rnn, home: Path
) -> None:
    (home / name).write_bytes(content)
    code, _, err = score(name, "--output", "o.csv")
    assert code == 2 and re.fullmatch(f"Error: {name}{told}\n", err), err
    assert ("skip" in err) == ("skip" in told)
    skipped = score(name, "--output", "o.csv", "--on-bad-row", "skip")
    assert skipped.code == (0 if "skip" in told else 2)


def test_rejects_of_the_standard_output_may_be_replaced(score: Rnn, home: Path) -> None:
    (home / "in.csv").write_text("id,text\n1,warm\n2\n")
    (home / "bad.jsonl").write_text("old")
    words = ["in.csv", "--on-bad-row", "skip", "--rejects", "bad.jsonl", "--force"]
    assert score(*words).code == 0
    assert "expected 2" in (home / "bad.jsonl").read_text()


def test_what_a_link_names_is_not_replaced_either(score: Rnn, home: Path) -> None:
    (home / "link").symlink_to(home)
    code, _, err = score("in.csv", "--output", "link/in.csv", "--force")
    assert (code, err) == (2, "Error: link/in.csv: is the input; choose another --output\n")


# The terminal


@pytest.fixture
def many(home: Path) -> Path:
    (home / "many.csv").write_text("id,text\n" + "1,warm\n2\n" * 30_000)
    return home / "many.csv"


def words(trained: Path, *more: str) -> list[str]:
    return ["score", "--model", str(trained), "many.csv", "--on-bad-row", "skip", *more]


def test_a_terminal_shows_a_bar_and_then_the_summary(trained: Path, many: Path) -> None:
    shown, ended = on_a_terminal(
        *words(trained, "--output", "out.csv", "--threads", "1"), columns=80, streams=["stderr"]
    )
    assert (ended.code, ended.out) == (0, "")
    *bars, first, second, _ = re.split(r"\r?\n|\r", shown)
    assert re.fullmatch(r"30,000 rows scored in \d+\.\d s \([\d,]+ a second\) → out.csv", first)
    assert second == "60,000 rows in = 30,000 scored + 30,000 rejected → out.csv.rejected.jsonl"
    assert any(re.search(r"[\d,]+ rows", bar) and "%" in bar and " a second" in bar for bar in bars)
    assert all(len(bar) <= 80 for bar in bars)


def test_nothing_moves_in_a_pipe(trained: Path, many: Path, process: Rnn) -> None:
    code, out, err = process(*words(trained, "--output", "out.csv"))
    assert (code, out) == (0, "")
    assert err.count("\n") == 2 and "\x1b" not in err and "\r" not in err


def test_rows_on_a_terminal_are_not_mixed_with_a_bar(trained: Path, home: Path) -> None:
    (home / "few.csv").write_text("text\nwarm\ndull\n")
    shown, ended = on_a_terminal("score", "--model", str(trained), "few.csv")
    assert ended.code == 0
    head, first, second, summary, _ = shown.split("\r\n")
    assert head == "text,label,probability,no_known_words"
    assert first.startswith("warm,good,") and second.startswith("dull,bad,")
    assert summary.startswith("2 rows scored in ")


@pytest.mark.parametrize("name", ["in.parquet", "in.csv.gz"])
def test_the_bar_hears_of_the_whole_file(name: str, trained: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rnn_cli.batch import windows
    from rnn_cli.batch.to_file import score_to_stream
    from rnn_cli.scoring.predictor import Predictor
    from tests.batch.conftest import Heard, job_of, write_table

    monkeypatch.setattr(windows, "BLOCK_ROWS", 100)
    write_table(name, ["text"], [[f"warm {n}"] for n in range(1000)])
    size, heard = (home / name).stat().st_size, Heard()
    with open(os.devnull, "wb") as nowhere:
        score_to_stream(job_of(name, "out.csv"), Predictor.open(trained), nowhere, None, heard)
    assert size <= heard.bytes <= size * (2 if name == "in.parquet" else 1)
    assert heard.rows == 1000
