"""A server of a model of numbers, and its client: the predictor's answers, and what it has not."""

from pathlib import Path

import pytest

from rnn_cli.client import Client
from rnn_cli.errors import UsageError
from rnn_cli.scoring.prediction import NumberPrediction
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.serving.edge import Edge
from tests.conftest import numbered_rows
from tests.serving.asking import application, ask, running

TEXTS = [text for text, _ in numbered_rows(6)] + ["zzz"]


@pytest.fixture(scope="module")
def app(trained_number: Path) -> Edge:
    return application(trained_number)


@pytest.fixture(scope="module")
def predictor(trained_number: Path) -> Predictor:
    return Predictor.open(trained_number)


def test_answers_are_those_of_the_predictor(app: Edge, predictor: Predictor) -> None:
    rows = ask(app, "POST", "/v1/predict", {"texts": TEXTS, "coverage": 0.8}).json()["predictions"]
    for text, row, alone in zip(TEXTS, rows, predictor.predict(TEXTS, 0.8), strict=True):
        assert isinstance(alone, NumberPrediction)
        ends = {"low": alone.low, "high": alone.high}
        assert row == {"text": text, "number": alone.number, **ends, "no_known_words": alone.no_known_words}
    (plain,) = ask(app, "POST", "/v1/predict", {"text": TEXTS[0], "proba": True}).json()["predictions"]
    assert list(plain) == ["text", "number", "no_known_words"]


def test_it_says_what_it_is(app: Edge) -> None:
    about = ask(app, "GET", "/v1/model").json()
    assert about["number"] is True and about["labels"] == [] and about["spread"] > 10
    assert {"mean_absolute_error", "r2", "spearman"} <= set(about["figures"])


def test_rows_come_back_with_numbers(app: Edge, predictor: Predictor) -> None:
    body, table = "text\n" + "\n".join(TEXTS) + "\n", {"content-type": "text/csv"}
    found = ask(app, "POST", "/v1/score?coverage=0.8", body.encode(), table)
    head, *rows = found.body.decode().splitlines()
    assert head == "text,number,low,high,no_known_words"
    assert [float(row.split(",")[1]) for row in rows] == pytest.approx(predictor.predict_numbers(TEXTS), rel=1e-8)
    refused = ask(app, "POST", "/v1/score?proba=true", body.encode(), table)
    assert refused.status == 422 and refused.json()["detail"].startswith("query parameter proba: ")


def test_numbers_are_counted_without_labels(app: Edge) -> None:
    ask(app, "POST", "/v1/predict", {"text": TEXTS[0]})
    told = ask(app, "GET", "/metrics").body.decode()
    assert "rnn_texts_total" in told and "rnn_predictions_total{" not in told


def test_it_has_no_tensors(app: Edge) -> None:
    found = ask(app, "GET", "/v2/models/default")
    assert found.status == 404 and "use /v1/predict" in found.json()["detail"]


def test_its_document_says_that_an_answer_is_a_number(app: Edge) -> None:
    schema = ask(app, "GET", "/openapi.json").json()["components"]["schemas"]["Prediction"]
    assert schema["required"] == ["text", "no_known_words"] and "number" in schema["example"]


def test_the_client_gives_the_predictor_s_answers(trained_number: Path, predictor: Predictor, tmp_path: Path) -> None:
    def told(found):
        return [(each.label, each.number, each.low, each.high, each.no_known_words) for each in found]

    with running(tmp_path, "--model", str(trained_number)) as server, Client(server.url) as client:
        assert client.number and not client.several
        assert told(client.predict(TEXTS)) == told(predictor.predict(TEXTS))
        assert told(client.predict(TEXTS, 0.8)) == told(predictor.predict(TEXTS, 0.8))
        assert client.explain(TEXTS[0]) == [predictor.explain(TEXTS[0])]
        with pytest.raises(UsageError, match="cannot vouch"):
            client.predict(TEXTS, 0.9999)
