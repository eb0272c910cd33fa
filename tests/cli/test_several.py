"""Every command with a model of several labels a text: it works, or refuses in one clear line."""

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from rnn_cli.cli.main import cli
from rnn_cli.labelling.session import begin_session
from tests.cli.conftest import Rnn
from tests.conftest import several_rows, write_csv, write_lists

TEXT = "the invoice was charged twice and the courier lost a box"

WORKS = {
    "predict": ["predict", "--model", "MODEL", TEXT],
    "score": ["score", "rows.csv", "--model", "MODEL", "--output", "out.csv"],
    "evaluate": ["evaluate", "--model", "MODEL"],
    "compare": ["compare", "MODEL", "MODEL"],
    "export": ["export", "--model", "MODEL", "--to", "exported"],
    "init": ["init", "topics.csv"],
    "data check": ["data", "check", "topics.csv"],
    "data list": ["data", "list"],
    "config list": ["config", "list"],
    "config show": ["config", "show", "quick"],
    "config keys": ["config", "keys"],
    "config schema": ["config", "schema"],
    "inspect model": ["inspect", "model", "--model", "MODEL"],
    "inspect tokens": ["inspect", "tokens", "--model", "MODEL", TEXT],
    "inspect reading": ["inspect", "reading", "--model", "MODEL", TEXT],
    "inspect neighbours": ["inspect", "neighbours", "--model", "MODEL", "the"],
    "inspect embedding": ["inspect", "embedding", "--model", "MODEL", "--out", "vectors.txt"],
    "check-model": ["check-model", "--model", "MODEL", "--gate", "gates.yaml"],
    "drift": ["drift", "topics.csv", "--model", "MODEL"],
    "runs rm": ["runs", "rm", "runs/copy-1"],
    "label status": ["label", "status", "topics.csv"],
    "label export": ["label", "export", "topics.csv", "--out", "labelled.csv", "--label-column", "mine"],
    "label review": ["label", "review", "topics.csv", "--base", "none"],
    "label agree": ["label", "agree", "topics.csv", "--as", "ann"],
}
"""A call of each command that takes such a model, or such rows."""

REFUSED = {
    "inspect behaviour": (["inspect", "behaviour", "--model", "MODEL"], "several labels each"),
    "inspect gradients": (["inspect", "gradients", "topics.yaml"], "one label each"),
}
"""Commands that do not, and what they say."""

ELSEWHERE = {"train", "tune", "serve", "completion", "label start"}
"""Tested in `test_trains_*`, in tests/tuning, tests/serving, for models of any kind and in test_label.py."""


@pytest.fixture(autouse=True)
def files(home: Path, several_file: Path, trained_several: Path) -> None:
    """What the commands read."""
    (home / "topics.csv").write_bytes(several_file.read_bytes())
    (home / "topics.yaml").write_text("data: {source: topics.csv, labels: several}\nmodel: {units: [4]}\n")
    shutil.copytree(trained_several, home / "runs" / "copy-1")
    for by in (None, "ann"):
        with begin_session("topics.csv", ["one", "other"], by=by, base=None, kind="several") as session:
            for each in range(60):
                session.label([("one",), ("one", "other"), ()][each % 3])
    (home / "gates.yaml").write_text("- micro_f1 >= 0.1\n- size <= 9 MB\n")
    write_csv(home / "rows.csv", [(text, "xy"[row % 2]) for row, (text, _) in enumerate(several_rows(12))])


def _commands(group: click.Group, before: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if command.hidden:
            continue
        if isinstance(command, click.Group) and not command.invoke_without_command:
            yield from _commands(command, f"{before}{name} ")
        else:
            yield before + name


def test_every_command_is_among_them():
    assert {*WORKS, *REFUSED, *ELSEWHERE} == set(_commands(cli))


@pytest.mark.parametrize("name", WORKS)
def test_it_works(name: str, rnn: Rnn, trained_several: Path):
    ended = rnn(*[str(trained_several) if word == "MODEL" else word for word in WORKS[name]])
    assert ended.code == 0, ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_in_one_line(name: str, rnn: Rnn, trained_several: Path):
    words, what = REFUSED[name]
    ended = rnn(*[str(trained_several) if word == "MODEL" else word for word in words])
    assert ended.code == 2
    *_, last = ended.err.strip().splitlines()
    assert what in last and "; " in last


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["evaluate", "--by", "length"], "slices are of texts with one label each; leave --by out"),
        (["evaluate", "--abstain", "0.1"], "a text may have none"),
        (["compare", "OTHER"], "has one label a row"),
        (["compare", "OTHER", "--data", "topics.csv", "--include-seen"], "compare models of the same kind"),
        (["evaluate", "--data", "rows.csv", "--label-column", "label"], "is no list of labels"),
        (["data", "check", "topics.csv", "--learning-curve"], "leave --learning-curve out"),
        (["train", "few-labels", "--set", "data.source=topics.csv", "--set", "data.labels=several"], "model.base is"),
        (["train", "few-labels", "--set", "data.source=rows.csv", "--set", "model.base=MODEL"], "several labels each"),
        (["train", "default", "--set", "data.labels=several"], "one label each"),
        (["train", "quick", "--set", "decision.most_labels=2"], "add data.labels: several"),
    ],
)
def test_what_is_of_one_label_is_refused_in_one_line(
    words: list[str], what: str, rnn: Rnn, trained_several: Path, trained: Path
):
    named = [each.replace("MODEL", str(trained_several)).replace("OTHER", str(trained)) for each in words]
    if words[0] == "evaluate":
        named += ["--model", str(trained_several)]
    if words[0] == "compare":
        named.insert(1, str(trained_several))
    ended = rnn(*named)
    assert ended.code == 2, ended
    assert what in ended.err.replace("\n", " ")
    assert "Traceback" not in ended.err


def test_predicts_any_number_of_labels(rnn: Rnn, trained_several: Path):
    two, none = TEXT, "the plot was an evening of music"
    plain = rnn("predict", "--model", str(trained_several), "--format", "plain", two, none).out.splitlines()
    assert [each.split(" ")[::2] for each in plain[0].split(", ")] in ([["bill"], ["parcel"]], [["parcel"], ["bill"]])
    assert plain[1] == "none"
    lines = rnn("predict", "--model", str(trained_several), "--format", "jsonl", "--proba", two, none).out.splitlines()
    first, second = map(json.loads, lines)
    assert set(first["labels"]) == {"bill", "parcel"} and second["labels"] == []
    assert first["label_probabilities"] == sorted(first["label_probabilities"], reverse=True)
    assert set(first["probabilities"]) == {"bill", "broken", "parcel"}
    table = rnn("predict", "--model", str(trained_several), "--format", "csv", two, none).out.splitlines()
    rows = list(csv.DictReader(table))
    assert set(rows[0]["labels"].split("|")) == {"bill", "parcel"} and rows[1]["labels"] == ""


def test_explains_the_most_probable_label(rnn: Rnn, trained_several: Path):
    out = rnn("predict", "--model", str(trained_several), "--explain", "the courier lost a box").out
    found = json.loads(out)
    assert found["explained"] == "parcel" == found["labels"][0]
    strongest = max(found["explanation"], key=lambda part: part["weight"])
    assert strongest["text"] in ("courier", "lost", "box")


def test_predicts_some_of_its_labels_alone(rnn: Rnn, trained_several: Path):
    ended = rnn("predict", "--model", str(trained_several), "--labels", "bill", "--format", "plain", TEXT)
    assert ended.out.startswith("bill ") and "parcel" not in ended.out


def test_the_same_rows_in_each_form_give_the_same_model(rnn: Rnn, home: Path, several_file: Path):
    rows = several_rows(160)
    names = sorted({name for _, labels in rows for name in labels})
    (home / "lines.jsonl").write_text("".join(json.dumps({"text": t, "labels": ls}) + "\n" for t, ls in rows))
    (home / "joined.csv").write_text("text,labels\n" + "".join(f"{t},{';'.join(ls)}\n" for t, ls in rows))
    flags = [f"{t},{','.join(str(int(name in ls)) for name in names)}\n" for t, ls in rows]
    (home / "flags.csv").write_text(f"text,{','.join(names)}\n" + "".join(flags))
    write_lists(home / "lists.csv", rows)
    said = {
        "lists.csv": "holds lists of labels",
        "lines.jsonl": "holds lists of labels",
        "joined.csv": "joins labels by ';'",
        "flags.csv": "hold 0 and 1",
    }
    prints = set()
    for file, note in said.items():
        out = f"{file}.model"
        quick = ["--no-baseline", "--set", "training.epochs=1", "--set", "training.folds=null"]
        ended = rnn("train", file, "--out", out, *quick)
        assert ended.code == 0, ended.err
        assert note in " ".join(ended.err.split())
        prints.add((home / out / "model.onnx").read_bytes())
    assert len(prints) == 1


def test_scored_files_are_read_again(rnn: Rnn, home: Path, trained_several: Path):
    model = str(trained_several)
    found = set()
    for file, column in (("out.csv", "labels"), ("out.jsonl", "labels"), ("out.parquet", "labels")):
        assert rnn("score", "rows.csv", "--model", model, "--output", file).code == 0
        how = ["--label-column", column] + (["--label-separator", "|"] if file.endswith("csv") else [])
        ended = rnn("evaluate", "--model", model, "--data", file, *how, "--include-seen", "--json")
        assert ended.code == 0, ended.err
        metrics = json.loads(ended.out)
        found.add(metrics["rows"])
        assert metrics["exact_match"] == 1.0  # its own predictions
    assert found == {12}


def test_scored_tables_have_a_column_a_label(rnn: Rnn, home: Path, trained_several: Path):
    ended = rnn("score", "rows.csv", "--model", str(trained_several), "--proba", "--output", "out.csv")
    assert ended.code == 0
    with (home / "out.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert {"labels", "label_probabilities", "p(bill)", "p(broken)", "p(parcel)"} <= set(rows[0])
    assert all(0 <= float(row["p(bill)"]) <= 1 for row in rows)


def test_trains_further_and_goes_on(rnn: Rnn, home: Path, trained_several: Path):
    ended = rnn("train", "--from", str(trained_several), "--set", "data.source=topics.csv", "--out", "further")
    assert ended.code == 0, ended.err
    assert rnn("evaluate", "--model", "further").code == 0


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ('text,labels\na,"[""x""]"\nb,"[""x"""\n', "rows.csv:3: '[\"x\"' is no list of labels"),
        ('text,labels\na,"[""x"", ""x""]"\n', "rows.csv:2: names the label 'x' twice"),
        ('text,labels\na,"[""x"", """"]"\n', "rows.csv:2: a label is empty"),
        ('text,labels\na,"[[""x""]]"\n', "rows.csv:2: a label is a list"),
    ],
)
def test_a_mistake_in_a_row_is_one_line(content: str, what: str, rnn: Rnn, home: Path):
    (home / "rows.csv").write_text(content)
    ended = rnn("train", "quick", "--set", "data.source=rows.csv", "--set", "data.labels=several")
    assert ended.code == 2
    assert what in ended.err and len(ended.err.strip().splitlines()) == 1


def test_a_2_in_a_column_of_a_label_is_one_line(rnn: Rnn, home: Path):
    (home / "rows.csv").write_text("text,x,y\na,1,0\nb,2,1\n")
    ended = rnn("train", "quick", "--set", "data.source=rows.csv", "--label-columns", "x,y")
    assert ended.code == 2
    assert "rows.csv:3: the column of the label 'x' holds '2'; write 1" in ended.err


def test_a_decision_is_made_anew(rnn: Rnn, trained_several: Path):
    sure = json.loads(rnn("evaluate", "--model", str(trained_several), "--threshold", "0.99", "--json").out)
    free = json.loads(rnn("evaluate", "--model", str(trained_several), "--threshold", "0.01", "--json").out)
    assert sure["predicted_per_row"] < free["predicted_per_row"]
    assert set(sure["decision"]["thresholds"].values()) == {0.99}
