"""Labelled rows from a pipe or behind a URL, in every command that reads them."""

import io
import json
import shutil
from pathlib import Path

import fsspec
import pytest

from rnn_cli.bundle.model_folder import Bundle
from rnn_cli.config.load import load_config

from .conftest import Rnn, on_a_terminal, tiny_overrides

CSV = ["--set", "data.format=csv"]


@pytest.fixture(params=["-", "file", "memory"])
def given(request: pytest.FixtureRequest, labelled_file: Path, home: Path) -> tuple[str, bytes, list[str]]:
    """A source's name, what is on the standard input, and how it is read."""
    if request.param == "-":
        return "-", labelled_file.read_bytes(), CSV
    if request.param == "file":
        return f"file://{labelled_file}", b"", []
    fsspec.filesystem("memory").pipe("/reviews.csv", labelled_file.read_bytes())
    return "memory:///reviews.csv", b"", []


def test_a_config_for_it_is_written_and_works(given: tuple[str, bytes, list[str]], rnn: Rnn, home: Path) -> None:
    source, stdin, how = given
    code, out, err = rnn("init", source, *how, stdin=stdin)
    assert (code, err) == (0, "") and "80 rows; labels: good (40), bad (40)." in out
    assert ("rnn train config.yaml < FILE" in out) == (source == "-")
    data = load_config("config.yaml").data
    assert (data.source, data.text_column, data.label_column) == (source, "text", "label")
    code, out, err = rnn("data", "check", "config.yaml", "--json", stdin=stdin)
    assert code == 0 and sum(json.loads(out)["rows"].values()) == 80


def test_it_is_checked(given: tuple[str, bytes, list[str]], rnn: Rnn) -> None:
    source, stdin, how = given
    code, out, err = rnn("data", "check", source, *how, stdin=stdin)
    assert code == 0 and out.startswith(f"{'standard input' if source == '-' else source}: 80 rows; ")


def test_it_is_measured_on(given: tuple[str, bytes, list[str]], rnn: Rnn, newest: Path, labelled_file: Path) -> None:
    source, stdin, how = given
    expected = json.loads(rnn("evaluate", "--data", str(labelled_file), "--json").out)
    code, out, err = rnn("evaluate", "--data", source, *how, "--json", stdin=stdin)
    assert (code, err) == (0, "") and json.loads(out) == expected
    code, out, err = rnn("evaluate", "--data", source, *how, stdin=stdin)
    assert ("standard input" if source == "-" else "reviews.csv") in out
    code, out, err = rnn("evaluate", "--data", source, *how, "--by", "label", stdin=stdin)
    told = "Error: standard input: cannot be read twice; save it to a file first\n"
    assert (code, err) == ((2, told) if source == "-" else (0, ""))


def test_models_are_compared_on_it(given: tuple[str, bytes, list[str]], rnn: Rnn, newest: Path, home: Path) -> None:
    source, stdin, how = given
    shutil.copytree(newest, home / "other")
    code, out, err = rnn("compare", str(newest), "other", "--data", source, *how, stdin=stdin)
    assert (code, err) == (0, "") and f"rows of {'standard input' if source == '-' else 'reviews.csv'}" in out


def test_it_is_trained_on(
    given: tuple[str, bytes, list[str]], rnn: Rnn, home: Path, tiny: dict[str, dict[str, object]], trained: Path
) -> None:
    source, stdin, how = given
    words = tiny_overrides({**tiny, "training": {**tiny["training"], "epochs": 1}})
    code, out, err = rnn("train", *words, "--set", f"data.source={source}", *how, "--out", "m", stdin=stdin)
    assert code == 0, err
    opened, other = Bundle.open(home / "m"), Bundle.open(trained)
    assert opened.manifest.data["fingerprint"] == other.manifest.data["fingerprint"]
    assert load_config(str(home / "m/config.yaml")).data.source == source
    again = rnn("evaluate", "--model", "m", stdin=stdin)
    assert again.code == 0, again.err
    if source == "-":
        assert all("standard input" in (home / "m" / name).read_text() for name in ("README.md", "report.html"))
        code, out, err = rnn("evaluate", "--model", "m", stdin=b"")
        assert (code, err.count("\n")) == (2, 1)
        assert "is empty" in err and "pipe the same rows in again, or name other labelled rows with --data FILE" in err
        changed = rnn("evaluate", "--model", "m", stdin=stdin + b"more,good\n").err
        assert changed.startswith("Error: standard input: the rows have changed ")


@pytest.mark.parametrize("key", ["validation", "test", "unlabelled"])
def test_other_rows_come_from_it(
    key: str, given: tuple[str, bytes, list[str]], rnn: Rnn, home: Path, labelled_file: Path
) -> None:
    source, stdin, how = given
    shutil.copy(labelled_file, home / "rows.csv")
    words = ["--set", "data.source=rows.csv", "--set", f"data.{key}={source}", *how]
    Path("c.yaml").write_text("data: {}\n")
    code, out, err = rnn("data", "check", "c.yaml", *words, "--json", stdin=stdin)
    assert code == 0, err
    rows = json.loads(out)["rows"]
    assert key == "unlabelled" or rows[key] == 80


def test_the_standard_input_is_read_once(rnn: Rnn, labelled_file: Path) -> None:
    stdin = labelled_file.read_bytes()
    code, out, err = rnn("train", *CSV, "--set", "data.source=-", "--set", "data.test=-", stdin=stdin)
    assert (code, err.count("\n")) == (2, 1)
    assert "the standard input (-) can be read only once; save it to a file" in err
    code, out, err = rnn("data", "check", "-", *CSV, "--set", "data.test=-", stdin=stdin)
    assert (code, err) == (2, "Error: standard input: can be read only once; save it to a file first\n")


def test_without_a_format_the_way_to_say_it_is_told(rnn: Rnn, newest: Path) -> None:
    told = "Error: standard input: its name does not say its format; use --set data.format=csv (tsv, jsonl)\n"
    for words in ("init -", "data check -", "evaluate --data -", "train --set data.source=-"):
        assert rnn(*words.split(), stdin=b"text,label\n") == (2, "", told)


def test_jsonl_and_parquet_are_piped_in(rnn: Rnn, labelled_file: Path, newest: Path) -> None:
    import csv

    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = list(csv.DictReader(labelled_file.read_text().splitlines()))
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    expected = rnn("evaluate", "--data", str(labelled_file), "--json").out
    assert rnn("evaluate", "--data", "-", "--json", stdin=sink.getvalue()).out == expected
    assert rnn("evaluate", "--data", "-", "--set", "data.format=jsonl", "--json", stdin=lines).out == expected


def test_a_terminal_is_not_waited_for(home: Path) -> None:
    shown, ended = on_a_terminal("data", "check", "-", *CSV, streams=["stdin"])
    assert ended == (2, "", "Error: standard input: is a terminal; pipe the rows in, as in: rnn ... < reviews.csv\n")


def test_what_is_secret_in_a_url_stays_out_of_models(
    rnn: Rnn, home: Path, labelled_file: Path, tiny: dict[str, dict[str, object]]
) -> None:
    url = f"local://{labelled_file}?token=SECRET"
    code, out, err = rnn("init", url)
    assert code == 0 and err == "Warning: config.yaml holds the whole URL, and what is secret in it\n"
    assert load_config("config.yaml").data.source == url
    words = tiny_overrides({**tiny, "training": {**tiny["training"], "epochs": 1}})
    assert rnn("train", *words, "--set", f"data.source={url}", "--out", "m").code == 0
    for file in (home / "m").iterdir():
        assert b"SECRET" not in file.read_bytes(), file.name
    code, out, err = rnn("data", "check", url, "--json")
    assert code == 0 and "SECRET" not in out + err


def test_a_url_out_of_reach_is_told_in_one_line(rnn: Rnn, newest: Path) -> None:
    url = "local:///none/at/all.csv"
    for words in ("init ", "data check ", "evaluate --data ", "train --set data.source="):
        code, out, err = rnn(*f"{words}{url}".split())
        assert (code, out, err.count("\n")) == (2, "", 1) and err.startswith(f"Error: {url}: cannot be read (")
