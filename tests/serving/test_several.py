"""A server of a model of several labels a text, and its client: the predictor's answers, and what it has not."""

from pathlib import Path

import pytest

from rnn_cli.client import Client
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.serving.edge import Edge
from tests.serving.asking import application, ask, running

TEXTS = ["the invoice was charged twice and the courier lost a box", "an evening of music", "zzz"]


@pytest.fixture(scope="module")
def app(trained_several: Path) -> Edge:
    return application(trained_several)


@pytest.fixture(scope="module")
def predictor(trained_several: Path) -> Predictor:
    return Predictor.open(trained_several)


def test_answers_are_those_of_the_predictor(app: Edge, predictor: Predictor) -> None:
    rows = ask(app, "POST", "/v1/predict", {"texts": TEXTS, "proba": True}).json()["predictions"]
    for text, row, alone in zip(TEXTS, rows, predictor.predict(TEXTS), strict=True):
        assert row == {
            "text": text,
            "label": alone.label,
            "probability": alone.probability,
            "no_known_words": alone.no_known_words,
            "unsure": False,
            "labels": list(alone.labels),
            "label_probabilities": list(alone.label_probabilities),
            "probabilities": dict(zip(predictor.labels, alone.probabilities, strict=True)),
        }
    assert rows[1]["labels"] == [] and rows[1]["label"] == "none"


def test_explanations_are_of_the_most_probable_label(app: Edge, predictor: Predictor) -> None:
    (row,) = ask(app, "POST", "/v1/explain", {"text": TEXTS[0]}).json()["predictions"]
    parts = predictor.explain(TEXTS[0])
    assert [each["weight"] for each in row["explanation"]] == [part.weight for part in parts]


def test_it_says_what_it_is(app: Edge, predictor: Predictor) -> None:
    about = ask(app, "GET", "/v1/model").json()
    assert about["several"] is True and len(about["decision"]["thresholds"]) == len(predictor.labels)
    assert {"micro_f1", "macro_f1", "exact_match"} <= set(about["figures"])


def test_rows_come_back_with_their_labels(app: Edge) -> None:
    body = "text\n" + "\n".join(TEXTS) + "\n"
    found = ask(app, "POST", "/v1/score", body.encode(), {"content-type": "text/csv"})
    head, first, second, _ = found.body.decode().splitlines()
    assert head == "text,labels,label_probabilities,no_known_words"
    assert set(first.split(",")[1].split("|")) == {"bill", "parcel"} and second.split(",")[1] == ""


def test_a_coverage_adds_a_set_of_labels(app: Edge, predictor: Predictor) -> None:
    asked = {"texts": TEXTS, "coverage": 0.8}
    rows = ask(app, "POST", "/v1/predict", asked).json()["predictions"]
    sets = predictor.predict_sets(TEXTS, 0.8)
    assert [tuple(row["label_set"]) for row in rows] == sets
    body = "text\n" + "\n".join(TEXTS) + "\n"
    table = {"content-type": "text/csv"}
    found = ask(app, "POST", "/v1/score?coverage=0.8", body.encode(), table).body.decode().splitlines()
    assert found[0] == "text,labels,label_probabilities,label_set,no_known_words"
    assert [tuple(filter(None, row.split(",")[3].split("|"))) for row in found[1:]] == sets


@pytest.mark.parametrize("wrong", [0, 1, "0.9", True, 0.99999])
def test_a_coverage_that_cannot_be_is_refused(app: Edge, wrong: object) -> None:
    found = ask(app, "POST", "/v1/predict", {"text": "a", "coverage": wrong})
    assert found.status == 422 and found.json()["pointer"] == "/coverage"
    found = ask(app, "POST", f"/v1/score?coverage={wrong}", b"text\na\n", {"content-type": "text/csv"})
    if wrong != "0.9":
        assert found.status == 422 and found.json()["detail"].startswith("query parameter coverage: ")


def test_labels_are_counted_one_by_one(app: Edge) -> None:
    ask(app, "POST", "/v1/predict", {"text": TEXTS[0]})
    told = ask(app, "GET", "/metrics").body.decode()
    assert 'label="bill"' in told and 'label="parcel"' in told and 'label="bill, parcel"' not in told


@pytest.mark.parametrize("path", ["/v2/models/default", "/v2/models/default/versions/1"])
def test_it_has_no_tensors(app: Edge, path: str) -> None:
    asked = {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": ["a"]}]}
    for found in (ask(app, "GET", path), ask(app, "POST", f"{path}/infer", asked)):
        assert found.status == 404
        assert "use /v1/predict" in found.json()["detail"]


def test_the_client_gives_the_predictor_s_answers(trained_several: Path, predictor: Predictor, tmp_path: Path) -> None:
    with running(tmp_path, "--model", str(trained_several)) as server, Client(server.url) as client:
        assert client.several
        assert client.predict(TEXTS) == predictor.predict(TEXTS)
        assert client.explain(TEXTS[0]) == [predictor.explain(TEXTS[0])]
