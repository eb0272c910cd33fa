"""`rnn data check` and `rnn init` as a user meets them."""

import csv
import json
import os
from pathlib import Path

import pytest

from rnn_cli.config.load import load_config

from .conftest import Rnn, on_a_terminal

ODD = 'text,label\n"so so, really",good\n"so so, really",bad\n,good\n<br />dull,Good\na \x1b[2J b \x1b[3J c,bad\n'


@pytest.fixture
def odd(home: Path) -> Path:
    (home / "odd.csv").write_text(ODD, encoding="utf-8")
    return home / "odd.csv"


@pytest.fixture
def leaking(home: Path, labelled_file: Path) -> Path:
    """A config whose test file repeats three training rows."""
    lines = labelled_file.read_text(encoding="utf-8").splitlines(keepends=True)
    (home / "test.csv").write_text("".join([*lines[:4], "something else,good\n"]), encoding="utf-8")
    (home / "mine.yaml").write_text(f"data: {{source: {labelled_file}, test: test.csv}}\n", encoding="utf-8")
    return home / "mine.yaml"


def test_findings_are_told_worst_first_and_fit_a_terminal(odd: Path) -> None:
    shown, ended = on_a_terminal("data", "check", "odd.csv")
    assert ended.code == 0
    assert max(map(len, shown.replace("\r", "").split("\n"))) <= 80
    names = ["contradicting labels", "label spellings", "empty texts", "HTML"]
    assert sorted(names, key=shown.index) == names
    assert "line 3 says bad" in shown and "…" not in shown.split("HTML")[1].split("→")[0]
    assert "\x1b[2J" not in shown


def test_every_row_of_every_finding_is_written(odd: Path, home: Path, rnn: Rnn) -> None:
    assert rnn("data", "check", "odd.csv", "--out", "found.csv", "--examples", "0").code == 0
    with (home / "found.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    told = [(row["line"], row["label"], row["text"]) for row in rows if row["finding"] == "contradicting labels"]
    assert told == [("2", "good", "so so, really"), ("3", "bad", "so so, really")]
    assert {row["finding"] for row in rows} >= {"empty texts", "HTML", "label spellings"}


def test_out_replaces_nothing_unasked(odd: Path, home: Path, rnn: Rnn) -> None:
    (home / "found.csv").write_text("mine", encoding="utf-8")
    code, out, err = rnn("data", "check", "odd.csv", "--out", "found.csv")
    assert (code, out, err) == (2, "", "Error: found.csv: exists; use --force to replace it, or choose another --out\n")
    assert (home / "found.csv").read_text(encoding="utf-8") == "mine"
    assert rnn("data", "check", "odd.csv", "--out", "found.csv", "--force").code == 0
    assert (home / "found.csv").read_text(encoding="utf-8").startswith("severity,finding,")


def test_the_texts_are_not_replaced_even_if_asked(leaking: Path, home: Path, rnn: Rnn) -> None:
    before = (home / "test.csv").read_text(encoding="utf-8")
    for out in ("mine.yaml", "test.csv"):
        told = rnn("data", "check", "mine.yaml", "--out", out, "--force")
        assert (told.code, told.out, f"{out}: is the input" in told.err) == (2, "", True)
    assert (home / "test.csv").read_text(encoding="utf-8") == before


def test_json_holds_the_figures(odd: Path, rnn: Rnn) -> None:
    code, out, _ = rnn("data", "check", "odd.csv", "--json", "--learning-curve")
    report = json.loads(out)
    assert code == 0
    assert (report["rows"], report["labels"]) == ({"rows": 5}, {"good": 2, "bad": 2, "Good": 1})
    assert report["findings"][0]["rows"][0] == {"file": "odd.csv", "line": 2, "note": "line 3 says bad"}
    assert (report["lengths"]["max_length"]["0.99"], report["judged"], report["learning_curve"]) == (7, 0, None)


def test_leakage_fails_only_where_it_is_asked_to(leaking: Path, rnn: Rnn) -> None:
    told = rnn("data", "check", "mine.yaml")
    assert (told.code, "3 validation or test texts are also on an earlier side" in told.out) == (0, True)
    assert rnn("data", "check", "mine.yaml", "--fail-on-leakage").code == 1


def test_a_split_without_copies_does_not_fail(home: Path, rnn: Rnn) -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    rows = "".join(f"{one * 3} {one * 2} {one * 5},{'xy'[at % 2]}\n" for at, one in enumerate(letters))
    (home / "rows.csv").write_text("text,label\n" + rows, encoding="utf-8")
    (home / "mine.yaml").write_text("data: {source: rows.csv}\n", encoding="utf-8")
    assert rnn("data", "check", "mine.yaml", "--fail-on-leakage").code == 0


def test_a_learning_curve_ends_in_a_sentence(make_labelled_file, rnn: Rnn) -> None:  # type: ignore[no-untyped-def]
    file = str(make_labelled_file(["good", "bad"], 400))
    code, out, _ = rnn("data", "check", file, "--learning-curve")
    assert code == 0
    assert "Twice the rows, 800, would give about" in " ".join(out.split())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["data", "check", "none.csv"], "none.csv: no such file, built-in set or recipe"),
        (["data", "check", "odd.csv", "--fail-on-leakage"], "name --set data.test=FILE"),
        (["data", "check", "odd.csv", "--set", "model.units=[3]"], "has no effect here"),
        (
            ["data", "check", "odd.csv", "--set", "data.label_column=lable"],
            "did you mean --label-column label",
        ),
        (["data", "check", "odd.csv", "--out", "odd.csv"], "odd.csv: is the input"),
        (["data", "check", "odd.csv", "--out", "no/report.csv"], "no: no such folder"),
        (["data", "check", "odd.csv", "--force"], "--force is for --out, which is not given"),
        (["init", "odd.csv", "--set", "data.text_column=words"], "columns: 'text', 'label'"),
        (["init", "odd.csv", "--out", "other.csv"], "is the name of a data file"),
        (["init", "odd.csv", "--set", "training.epochs=3"], "has no effect here"),
        (["init", "none.csv"], "none.csv: no such file"),
    ],
)
def test_bad_input_is_one_line_and_changes_nothing(words: list[str], told: str, odd: Path, rnn: Rnn) -> None:
    code, out, err = rnn(*words)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert told in err
    assert os.listdir(odd.parent) == ["odd.csv"] and odd.read_text(encoding="utf-8") == ODD


def test_init_writes_a_config_that_trains(labelled_file: Path, home: Path, rnn: Rnn) -> None:
    code, out, err = rnn("init", str(labelled_file))
    assert (code, err) == (0, "")
    assert "Next    rnn train config.yaml" in out
    assert load_config("config.yaml").data.positive_label == "good"
    assert rnn("data", "check", "config.yaml").code == 0
    smaller = ["--set", "model.units=[4]", "--set", "model.embedding_dim=4", "--set", "training.epochs=2"]
    assert rnn("train", "config.yaml", *smaller, "--folds", "2", "--no-baseline", "--out", "model").code == 0
    assert (home / "model" / "manifest.json").exists()


def test_init_replaces_nothing_unasked(labelled_file: Path, home: Path, rnn: Rnn) -> None:
    (home / "config.yaml").write_text("mine", encoding="utf-8")
    code, _, err = rnn("init", str(labelled_file))
    assert (code, "exists; use --force" in err) == (2, True)
    assert (home / "config.yaml").read_text(encoding="utf-8") == "mine"
    assert rnn("init", str(labelled_file), "--force").code == 0
    assert (home / "config.yaml").read_text(encoding="utf-8").startswith("# Written by rnn init")
    assert os.listdir(home) == ["config.yaml"]


def test_one_row_is_no_rows(rnn: Rnn, home: Path) -> None:
    (home / "one.csv").write_text("text,label\na film,good\n")
    assert "\none.csv: 1 row; labels: good (1)\n" in "\n" + rnn("data", "check", "one.csv").out
