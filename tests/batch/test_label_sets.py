"""Scored files with sets of labels of a stated coverage: the predictor's sets in every format."""

import csv
import json
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import rnn_cli
from rnn_cli.api import score
from rnn_cli.batch.chunk_writer import writer
from rnn_cli.batch.columns import Added
from rnn_cli.batch.windows import texts_of, windows_of
from rnn_cli.errors import DataError, UsageError
from rnn_cli.scoring.predictor import Predictor
from tests.batch.conftest import job_of, write_table
from tests.conftest import rated_rows, several_rows


@pytest.fixture(params=["trained", "trained_ordered", "trained_several"])
def model(request: pytest.FixtureRequest) -> Path:
    return Path(request.getfixturevalue(request.param))


@pytest.fixture
def texts() -> list[str]:
    return [text for text, _ in [*rated_rows(10), *several_rows(10)]]


@pytest.fixture
def file(texts: list[str]) -> str:
    return write_table("rows.csv", ["text"], [[text] for text in texts])


def test_every_format_holds_the_predictor_s_sets(model: Path, texts: list[str], file: str):
    predictor = Predictor.open(model)
    wanted = [list(each) for each in predictor.predict_sets(texts, 0.8)]
    assert wanted == [list(each.label_set) for each in predictor.predict(texts, coverage=0.8)]
    for name in ("out.csv", "out.jsonl", "out.parquet", "out/"):
        score(file, name, model=model, coverage=0.8, format="jsonl" if name == "out/" else None, prefix="its_")
    with Path("out.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    assert list(rows[0])[-2:] == ["its_label_set", "its_no_known_words"]
    assert [row["its_label_set"].split("|") for row in rows] == [each or [""] for each in wanted]
    for part in ("out.jsonl", "out/rows-00000.jsonl"):
        lines = Path(part).read_text().splitlines()
        assert [json.loads(line)["its_label_set"] for line in lines] == wanted
    assert pq.read_table("out.parquet").column("its_label_set").to_pylist() == wanted


def test_a_row_that_cannot_be_read_has_no_set(trained_several: Path):
    Path("rows.jsonl").write_text('{"text": "the invoice"}\n{"text": 5}\n')
    score("rows.jsonl", "out.parquet", model=trained_several, coverage=0.8, on_bad_row="mark")
    first, second = pq.read_table("out.parquet").column("label_set").to_pylist()
    assert isinstance(first, list) and second is None


def test_what_cannot_be_vouched_for_is_refused_before_anything_is_written(model: Path, file: str):
    for wrong, what in ((0.9999, "cannot vouch"), (1.5, "must be between 0 and 1")):
        with pytest.raises(UsageError, match=what):
            score(file, "out.csv", model=model, coverage=wrong)
    assert not Path("out.csv").exists()
    with pytest.raises(DataError, match="a column 'label_set' already"):
        Path("taken.csv").write_text("text,label_set\na,b\n")
        score("taken.csv", "out.csv", model=model, coverage=0.8)


def test_another_coverage_is_another_job(predictor: Predictor, file: str):
    plain, some, more = (job_of(file, "x.csv", coverage=each).signature() for each in (None, 0.8, 0.9))
    assert "coverage" not in plain  # as earlier releases had it
    assert some["coverage"] != more["coverage"]


def test_the_verb_and_the_writer_share_one_way(predictor: Predictor, file: str):
    job = job_of(file, "x.jsonl", coverage=0.7)
    rows, (window,) = BytesIO(), windows_of(job, 0)
    with writer(Added.by(predictor, job), window.source, rows, BytesIO()) as write:
        write(window, predictor.score(texts_of(window)))
    score(file, "out.jsonl", model=predictor, coverage=0.7)
    assert rows.getvalue() == Path("out.jsonl").read_bytes()
    assert rnn_cli.load(predictor.bundle.path).predict("dull", coverage=0.7)[0].label_set
