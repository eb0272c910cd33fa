"""The Open Inference Protocol, and what Prometheus is told."""

from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from rnn_cli.scoring.predictor import Predictor
from rnn_cli.serving.edge import Edge
from tests.serving.asking import application, ask


@pytest.fixture(scope="module")
def app(trained: Path) -> Edge:
    return application(trained)


def tensor(*texts: object, **more: object) -> dict[str, object]:
    return {"name": "text", "datatype": "BYTES", "shape": [len(texts)], "data": list(texts), **more}


def test_a_client_of_the_protocol_is_served(app: Edge, trained: Path) -> None:
    assert ask(app, "GET", "/v2").json()["name"] == "rnn"
    assert ask(app, "GET", "/v2/health/live").json() == {"live": True}
    assert ask(app, "GET", "/v2/health/ready").json() == {"ready": True}
    assert ask(app, "GET", "/v2/models/default/ready").json() == {"ready": True, "name": "default"}
    about = ask(app, "GET", "/v2/models/default").json()
    assert about["inputs"] == [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
    texts = ["warm lovely film", "dull"]
    expected = Predictor.open(trained).predict(texts)
    for path in ("/v2/models/default/infer", "/v2/models/default/versions/1/infer"):
        found = ask(app, "POST", path, {"id": "7", "inputs": [tensor(*texts)]}).json()
        assert (found["id"], found["model_name"]) == ("7", "default")
        outputs = {each["name"]: each for each in found["outputs"]}
        assert [each["name"] for each in about["outputs"]] == list(outputs)
        assert outputs["label"]["data"] == [each.label for each in expected]
        assert outputs["probabilities"]["shape"] == [2, 2]
        assert outputs["probabilities"]["data"] == [value for each in expected for value in each.probabilities]
        for each in about["outputs"]:
            assert outputs[each["name"]]["datatype"] == each["datatype"]


def test_outputs_may_be_chosen_and_data_nested(app: Edge) -> None:
    body = {"inputs": [tensor(["warm"], ["dull"], shape=[2, 1])], "outputs": [{"name": "label"}]}
    found = ask(app, "POST", "/v2/models/default/infer", body).json()
    assert found["outputs"] == [{"name": "label", "datatype": "BYTES", "shape": [2], "data": ["good", "bad"]}]
    assert "id" not in found


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/inputs"),
        ({"inputs": []}, "/inputs"),
        ({"inputs": [tensor("a"), tensor("b")]}, "/inputs"),
        ({"inputs": [tensor("a", name="x")]}, "/inputs/0/name"),
        ({"inputs": [tensor("a", datatype="FP32")]}, "/inputs/0/datatype"),
        ({"inputs": [tensor("a", shape=[2])]}, "/inputs/0/shape"),
        ({"inputs": [tensor("a", 1)]}, "/inputs/0/data/1"),
        ({"inputs": [tensor("a")], "outputs": [{"name": "x"}]}, "/outputs/0/name"),
        ({"inputs": [tensor("a")], "outputs": [{"name": ["label"]}]}, "/outputs/0/name"),
        ({"inputs": [tensor("a")], "id": 1}, "/id"),
    ],
)
def test_a_mistake_is_pointed_to_in_the_words_of_the_protocol(body: dict[str, Any], pointer: str, app: Edge) -> None:
    found = ask(app, "POST", "/v2/models/default/infer", body)
    assert (found.status, found.json()["pointer"]) == (422, pointer)
    assert found.json()["error"] == found.json()["detail"]


def samples(app: Edge) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    found = ask(app, "GET", "/metrics")
    assert found.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(found.body.decode())
    return {(each.name, tuple(sorted(each.labels.items()))): each.value for one in families for each in one.samples}


def test_metrics_count_what_was_asked(trained: Path) -> None:
    app = application(trained)
    ask(app, "POST", "/v1/predict", {"texts": ["warm lovely film", "dull zzzz"]})
    ask(app, "POST", "/v1/predict", {"texts": []})
    ask(app, "POST", "/v1/score", b"text\nwarm\n", {"content-type": "text/csv"})
    for _ in range(3):
        ask(app, "GET", "/chosen/by/a/stranger")
    found, model = samples(app), ("model", "default")
    assert found["rnn_requests_total", (("code", "200"), ("path", "/v1/predict"))] == 1
    assert found["rnn_requests_total", (("code", "422"), ("path", "/v1/predict"))] == 1
    assert found["rnn_requests_total", (("code", "404"), ("path", "other"))] == 3
    assert found["rnn_texts_total", (model,)] == 3
    assert found["rnn_predictions_total", (("label", "good"), model)] == 2
    assert found["rnn_predictions_total", (("label", "bad"), model)] == 1
    assert found["rnn_tokens_total", (model,)] == 6
    assert found["rnn_unknown_tokens_total", (model,)] == 1
    assert found["rnn_batch_texts_count", ()] == 2 and found["rnn_batch_texts_sum", ()] == 3
    assert found["rnn_request_seconds_count", (("path", "/v1/predict"),)] == 2
    assert found["rnn_queue", (("lane", "short"),)] == 0
