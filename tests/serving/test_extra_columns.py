"""A server of a model that reads other columns, and its client: the predictor's answers, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from rnn_cli.client import Client
from rnn_cli.errors import UsageError
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.serving.edge import Edge
from tests.serving.asking import application, ask, running

TEXTS = ["the warm film", "an evening of music"]
OBJECTS = [{"price": 14, "country": "FR"}, {"price": "5.5", "country": None}]
VALUES = {"price": [14, "5.5"], "country": ["FR", None]}


@pytest.fixture(scope="module")
def app(trained_columns: Path) -> Edge:
    return application(trained_columns)


@pytest.fixture(scope="module")
def predictor(trained_columns: Path) -> Predictor:
    return Predictor.open(trained_columns)


def test_answers_are_those_of_the_predictor(app: Edge, predictor: Predictor) -> None:
    answer = ask(app, "POST", "/v1/predict", {"texts": TEXTS, "columns": OBJECTS}).json()
    assert "missing_columns" not in answer
    expected = predictor.predict(TEXTS, columns=VALUES)
    assert [row["probability"] for row in answer["predictions"]] == [each.probability for each in expected]
    one = ask(app, "POST", "/v1/predict", {"text": TEXTS[0], "columns": OBJECTS[0]}).json()["predictions"][0]
    assert one["probability"] == pytest.approx(expected[0].probability)


def test_what_is_not_given_is_said_to_be_missing(app: Edge, predictor: Predictor) -> None:
    answer = ask(app, "POST", "/v1/predict", {"text": TEXTS[0], "columns": {"country": "FR"}}).json()
    assert answer["missing_columns"] == ["price"]
    assert ask(app, "POST", "/v1/predict", {"text": TEXTS[0]}).json()["missing_columns"] == ["price", "country"]
    with pytest.warns(UserWarning):
        (expected,) = predictor.predict(TEXTS[0], columns={"country": "FR"})
    assert answer["predictions"][0]["probability"] == expected.probability


def test_explanations_name_the_columns(app: Edge, predictor: Predictor) -> None:
    rows = ask(app, "POST", "/v1/explain", {"texts": TEXTS, "columns": OBJECTS}).json()["predictions"]
    for row, columns in zip(rows, predictor.explain_columns(TEXTS, VALUES), strict=True):
        assert [(each["column"], each["value"]) for each in row["columns"]] == [(e.column, e.value) for e in columns]
        assert [each["weight"] for each in row["columns"]] == pytest.approx([e.weight for e in columns], abs=1e-5)


@pytest.mark.parametrize(
    ("columns", "pointer"),
    [
        ([{"price": 1}], "/columns"),
        ({"price": 1}, "/columns"),
        ([{"prize": 1}, {}], "/columns/0/prize"),
        ([{}, {"price": "abc"}], "/columns/1/price"),
        ([{}, {"price": True}], "/columns/1/price"),
        ([{}, {"price": 1e300}], "/columns/1/price"),
        ([{}, {"country": ["FR"]}], "/columns/1/country"),
        ([{}, 3], "/columns/1"),
    ],
)
def test_what_is_no_value_is_refused(columns: object, pointer: str, app: Edge) -> None:
    answer = ask(app, "POST", "/v1/predict", {"texts": TEXTS, "columns": columns})
    assert answer.status == 422 and answer.json()["pointer"] == pointer


def test_a_model_of_texts_alone_takes_none(trained: Path) -> None:
    answer = ask(application(trained), "POST", "/v1/predict", {"text": "a film", "columns": {}})
    assert answer.status == 422 and answer.json()["pointer"] == "/columns"


def test_it_says_what_it_reads(app: Edge) -> None:
    price, country = ask(app, "GET", "/v1/model").json()["columns"]
    assert price == {"name": "price", "kind": "number"}
    assert country == {"name": "country", "kind": "category", "categories": ["DE", "FR", "IT"]}


def test_tensors_are_refused(app: Edge) -> None:
    name = ask(app, "GET", "/v1/model").json()["name"]
    answer = ask(app, "GET", f"/v2/models/{name}")
    assert answer.status == 404 and "other columns" in answer.json()["detail"]


def test_rows_are_scored_by_their_columns(app: Edge, predictor: Predictor) -> None:
    body = b"text,price,country\nthe warm film,14,FR\nan evening of music,5.5,\n"
    found = ask(app, "POST", "/v1/score", body, {"content-type": "text/csv"}).body.decode().splitlines()
    expected = predictor.predict(TEXTS, columns=VALUES)
    assert [line.split(",")[3] for line in found[1:]] == [each.label for each in expected]
    lacking = ask(app, "POST", "/v1/score", b"text\nthe film\n", {"content-type": "text/csv"})
    assert lacking.status == 422 and "no column 'price'" in lacking.json()["detail"]


def test_the_client_gives_the_predictor_s_answers(trained_columns: Path, predictor: Predictor, tmp_path: Path) -> None:
    texts, values = TEXTS * 200, {name: each * 200 for name, each in VALUES.items()}
    with running(tmp_path, "--model", str(trained_columns)) as server, Client(server.url) as client:
        assert client.columns == ("price", "country")
        found: Any = [each.probability for each in client.predict(texts, columns=values)]
        assert found == pytest.approx([each.probability for each in predictor.predict(texts, columns=values)], abs=1e-6)
        (part, *_), ((price, _),) = client.explain_rows(TEXTS[0], {"price": [14], "country": ["FR"]})
        assert len(part) == 3 and (price.column, price.value) == ("price", "14")
        with pytest.raises(UsageError, match="one value per text"):
            client.predict(TEXTS, columns={"price": [1]})
