"""Every command with a model that reads other columns: it works, or refuses in one clear line."""

import csv
import json
import shutil
from pathlib import Path

import pandas
import pytest

import rnn_cli as rnn_api
from rnn_cli.cli.main import cli
from rnn_cli.labelling.session import begin_session
from rnn_cli.scoring.predictor import Predictor
from tests.cli.conftest import Rnn
from tests.cli.test_several import _commands
from tests.conftest import BESIDE, TINY, priced_rows
from tests.data.sheets import workbook

TEXT, VALUES = "the warm film", ["--column", "price=14", "--column", "country=FR"]
COLUMNS_SET = ["--set", "data.extra_columns=[price, country]"]

WORKS = {
    "predict": ["predict", "--model", "MODEL", *VALUES, TEXT],
    "score": ["score", "priced.csv", "--model", "MODEL", "--output", "out.csv", "--prefix", "p_"],
    "evaluate": ["evaluate", "--model", "MODEL", "--report", "page.html"],
    "compare": ["compare", "MODEL", "MODEL", "--data", "priced.csv", "--include-seen"],
    "export": ["export", "--model", "MODEL", "--to", "exported"],
    "check-model": ["check-model", "--model", "MODEL", "--gate", "gates.yaml"],
    "data check": ["data", "check", "priced.csv", *COLUMNS_SET],
    "data list": ["data", "list"],
    "config list": ["config", "list"],
    "config show": ["config", "show", "quick"],
    "config keys": ["config", "keys"],
    "config schema": ["config", "schema"],
    "init": ["init", "priced.csv"],
    "inspect model": ["inspect", "model", "--model", "MODEL"],
    "inspect tokens": ["inspect", "tokens", "--model", "MODEL", TEXT],
    "inspect neighbours": ["inspect", "neighbours", "--model", "MODEL", "the"],
    "inspect embedding": ["inspect", "embedding", "--model", "MODEL", "--out", "vectors.txt"],
    "drift": ["drift", "priced.csv", "--model", "MODEL"],
    "runs rm": ["runs", "rm", "runs/copy-1"],
    "label status": ["label", "status", "priced.csv"],
    "label export": ["label", "export", "priced.csv", "--out", "labelled.csv", "--label-column", "mine"],
    "label agree": ["label", "agree", "priced.csv", "--as", "ann"],
}
"""A call of each command that takes such a model or such rows, or has nothing to do with either."""

REFUSED = {
    "inspect reading": (["inspect", "reading", "--model", "MODEL", TEXT], "other columns"),
    "inspect behaviour": (["inspect", "behaviour", "--model", "MODEL"], "other columns"),
    "inspect gradients": (["inspect", "gradients", "priced.yaml"], "other columns"),
}
"""Commands that do not, and what they say."""

ELSEWHERE = {"train", "serve", "completion", "label start", "label review", "tune"}
"""Tested in tests/training, in tests/serving, for models of any kind, in test_label.py and in tests/tuning."""


@pytest.fixture(autouse=True)
def files(home: Path, priced_file: Path, trained_columns: Path) -> None:
    """What the commands read."""
    shutil.copy(priced_file, home / "priced.csv")
    (home / "priced.yaml").write_text("data: {source: priced.csv, extra_columns: [price]}\nmodel: {units: [4]}\n")
    (home / "gates.yaml").write_text("- accuracy >= 0.1\n- latency <= 10s\n")
    shutil.copytree(trained_columns, home / "runs" / "copy-1")
    for by in (None, "ann"):
        with begin_session("priced.csv", ["one", "other"], by=by, base=None) as session:
            session.label("one")


def test_every_command_is_among_them():
    assert {*WORKS, *REFUSED, *ELSEWHERE} == set(_commands(cli))


@pytest.mark.parametrize("name", WORKS)
def test_it_works(name: str, rnn: Rnn, trained_columns: Path):
    ended = rnn(*[str(trained_columns) if word == "MODEL" else word for word in WORKS[name]])
    assert ended.code == 0, ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_in_one_line(name: str, rnn: Rnn, trained_columns: Path):
    words, what = REFUSED[name]
    ended = rnn(*[str(trained_columns) if word == "MODEL" else word for word in words])
    assert ended.code == 2
    *_, last = ended.err.strip().splitlines()
    assert what in last


MODEL = ["--model", "MODEL"]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["predict", *MODEL, "--column", "prize=3", TEXT], "it reads price, country"),
        (["predict", *MODEL, "--column", "price", TEXT], "NAME=VALUE"),
        (["predict", *MODEL, "--column", "price=3", "--column", "price=4", TEXT], "given twice"),
        (["predict", *MODEL, "--column", "price=abc", TEXT], "no number"),
        (["score", "renamed.csv", *MODEL], "no column 'price' (columns: 'text', 'label', 'cost', 'country')"),
        (
            ["evaluate", *MODEL, "--data", "renamed.csv"],
            "no column 'price' (columns: 'text', 'label', 'cost', 'country')",
        ),
        (["evaluate", *MODEL, "--data", "wrong.csv"], "wrong.csv:3: the column 'price' holds 'abc'"),
        (["score", "wrong.csv", *MODEL], "wrong.csv:3: the column 'price' holds 'abc'"),
        (["evaluate", *MODEL, "--data", "imdb"], "no column 'price'"),
        (["drift", "lines.txt", *MODEL], "no column 'price'"),
        (["train", "few-labels", "--set", "data.source=priced.csv", *COLUMNS_SET], "model.base reads texts alone"),
        (["train", "quick", "--set", "data.source=rotten_tomatoes", *COLUMNS_SET], "no column 'price'"),
        (["train", "quick", "--set", "data.source=priced.csv", "--set", "model.base=MODEL"], "other columns"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(words: list[str], what: str, rnn: Rnn, trained_columns: Path):
    content = Path("priced.csv").read_text()
    Path("renamed.csv").write_text(content.replace("price", "cost", 1))
    lines = content.splitlines()
    Path("wrong.csv").write_text("\n".join([*lines[:2], "a text,good,abc,FR", *lines[3:40]]) + "\n")
    Path("lines.txt").write_text("\n".join(row["text"] for row in priced_rows(60)) + "\n")
    ended = rnn(*[each.replace("MODEL", str(trained_columns)) for each in words])
    assert ended.code == 2, ended
    *_, last = ended.err.strip().splitlines()
    assert what in last


def test_missing_columns_are_said_once(rnn: Rnn, trained_columns: Path):
    ended = rnn("predict", "--model", str(trained_columns), "--column", "price=3", TEXT, "another film")
    assert ended.code == 0 and len(ended.out.splitlines()) == 2
    assert ended.err.count("missing") == 1 and "--column country=VALUE" in ended.err


def test_an_explanation_names_them(rnn: Rnn, trained_columns: Path):
    asked = ["predict", "--model", str(trained_columns), "--explain", *VALUES, TEXT]
    (line,) = rnn(*asked, "--format", "jsonl").out.splitlines()
    columns = json.loads(line)["columns"]
    assert [(each["column"], each["value"]) for each in columns] == [("price", "14"), ("country", "FR")]
    assert "columns  price 14 " in rnn(*asked, "--format", "human").out


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet", "xlsx"])
def test_files_have_the_predictions_of_python(ending: str, rnn: Rnn, trained_columns: Path):
    table = pandas.read_csv("priced.csv").drop(columns="label")
    name = f"new.{ending}"
    if ending == "csv":
        table.to_csv(name, index=False)
    elif ending == "jsonl":
        Path(name).write_text(
            "".join(
                json.dumps({k: None if v != v else v for k, v in row.items()}) + "\n"
                for row in table.to_dict("records")
            )
        )
    elif ending == "parquet":
        table.to_parquet(name)
    else:
        cells = table.astype(object).where(table.notna(), None).to_numpy().tolist()
        Path(name).write_bytes(workbook({"S": [list(table.columns), *cells]}))
    ended = rnn("score", name, "--model", str(trained_columns), "--output", "out.csv")
    assert ended.code == 0, ended.err
    model = Predictor.open(trained_columns)
    expected = model.predict(table.text, columns=table)
    with open("out.csv") as file:
        found = list(csv.DictReader(file))
    assert [row["label"] for row in found] == [each.label for each in expected]
    assert [float(row["probability"]) for row in found] == pytest.approx(
        [each.probability for each in expected], abs=1e-5
    )


def test_a_row_without_a_number_can_be_skipped_or_marked(rnn: Rnn, trained_columns: Path):
    Path("new.csv").write_text("text,price,country\na film,3,FR\na film,abc,FR\na film,,\n")
    asked = ["score", "new.csv", "--model", str(trained_columns)]
    assert rnn(*asked, "--output", "out.csv", "--on-bad-row", "mark").code == 0
    first, wrong, empty = csv.DictReader(Path("out.csv").read_text().splitlines())
    assert first["label"] and empty["label"] and not wrong["label"]
    assert "'abc', which is no number" in wrong["error"]
    assert rnn(*asked, "--output", "skipped.csv", "--on-bad-row", "skip").code == 0
    assert len(Path("skipped.csv").read_text().splitlines()) == 3


def test_a_model_of_texts_and_one_of_columns_are_compared_on_rows_with_them(
    rnn: Rnn, trained: Path, trained_columns: Path
):
    for pair in ((trained, trained_columns), (trained_columns, trained)):
        ended = rnn("compare", *map(str, pair), "--data", "priced.csv", "--include-seen")
        assert ended.code == 0, ended.err


def test_a_decision_is_chosen_anew_on_the_kept_rows(rnn: Rnn, trained_columns: Path):
    ended = rnn("evaluate", "--model", str(trained_columns), "--goal", "f1")
    assert ended.code == 0, ended.err


def test_it_is_looked_into(rnn: Rnn, trained_columns: Path):
    shown = rnn("inspect", "model", "--model", str(trained_columns)).out
    assert (
        "column       price: number" in shown and "column       country: 3 categories (DE, FR, IT), rare ones" in shown
    )
    told = json.loads(rnn("inspect", "model", "--model", str(trained_columns), "--json").out)
    assert [each["kind"] for each in told["columns"]] == ["number", "category"]


def test_the_report_and_the_card_tell_of_them(rnn: Rnn, trained_columns: Path):
    card = (trained_columns / "README.md").read_text()
    assert "## Other columns" in card and "- price: number" in card and "shuffled among" in card
    assert rnn("evaluate", "--model", str(trained_columns), "--report", "page.html").code == 0
    page = Path("page.html").read_text()
    assert "Other columns" in page and "accuracy lost" in page


def test_what_gives_the_label_away_is_found(rnn: Rnn):
    with open("leaks.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, ["text", "label", "verdict", "name"])
        writer.writeheader()
        for at, row in enumerate(priced_rows(60)):
            writer.writerow({"text": row["text"], "label": row["label"], "verdict": row["label"], "name": f"n{at}"})
    found = rnn("data", "check", "leaks.csv", "--set", "data.extra_columns=[verdict, name]").out
    assert "verdict alone tells the label of 100.0%" in found and "'name' is of one training row" in found


def test_python_trains_and_measures_on_a_table(home: Path):
    table = pandas.read_csv("priced.csv")
    keys = {"extra_columns": BESIDE["extra_columns"], "model.kind": "linear", "model.ngrams": 1, "test": 0.3}
    Path("tiny.yaml").write_text(json.dumps({"tokenizer": TINY["tokenizer"]}))
    run = rnn_api.train("tiny.yaml", table, out="python", **keys)
    assert run.model.columns == ("price", "country")
    found = rnn_api.evaluate("python", table, include_seen=True)
    assert found.metrics.rows == len(table)
    again = rnn_api.train(table, out="proposed", **{**keys, "model.kind": "linear"})
    assert again.model.columns == ("price", "country")


def test_a_classifier_of_texts_alone_refuses_them(home: Path):
    classifier = rnn_api.RNNClassifier(extra_columns=["price"])
    with pytest.raises(rnn_api.Error, match="extra_columns"):
        classifier.fit(["a", "b"] * 10, ["x", "y"] * 10)
