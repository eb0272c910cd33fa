"""What the endpoints for texts answer."""

import asyncio
import json
from pathlib import Path

import pytest

from rnn_cli.bundle.locate import GENERAL_FOLDER
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.serving.edge import Edge
from tests.serving.asking import application, ask, asked

TEXTS = [
    "A warm, funny film.",
    "Dull.",
    "Two hours I will never get back, and I would like them back, please: every minute of them.",
    "zzzz qqqq",
    "",
    "👩‍👩‍👧 İ فيلم",
]


@pytest.fixture(scope="module")
def general() -> Edge:
    return application(GENERAL_FOLDER)


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor.open(GENERAL_FOLDER)


def test_answers_are_those_of_the_predictor_to_the_last_bit_whatever_else_is_asked(
    general: Edge, predictor: Predictor
) -> None:
    """Texts that are scored together change each other's last bits; requests must not."""
    requests = [[text] for text in TEXTS] * 4 + [TEXTS, TEXTS[::-1], TEXTS[:2] * 30]

    async def together() -> list[list[dict[str, object]]]:
        bodies = [{"texts": texts, "proba": True} for texts in requests]
        found = await asyncio.gather(*(asked(general, "POST", "/v1/predict", body) for body in bodies))
        return [each.json()["predictions"] for each in found]

    for texts, rows in zip(requests, asyncio.run(together()), strict=True):
        for text, row, alone in zip(texts, rows, predictor.predict(texts), strict=True):
            assert row == {
                "text": text,
                "label": alone.label,
                "probability": alone.probability,
                "no_known_words": alone.no_known_words,
                "unsure": alone.unsure,
                "probabilities": dict(zip(predictor.labels, alone.probabilities, strict=True)),
            }


def test_texts_scored_together_do_change_their_last_bits(predictor: Predictor) -> None:
    """Why requests are not put into one batch; if this fails one day, they can be."""
    texts = [f"{text} {end}" for text in TEXTS[:3] for end in ("", "Really.", "It is what it is, they say.", "No.")]
    together = [each.probabilities for each in predictor.predict(texts)]
    assert together != [predictor.predict([text])[0].probabilities for text in texts]


def test_one_text_is_asked_as_text(general: Edge) -> None:
    (row,) = ask(general, "POST", "/v1/predict", {"text": "Dull."}).json()["predictions"]
    assert row["label"] == "negative" and "probabilities" not in row and "explanation" not in row


@pytest.mark.parametrize(("path", "body"), [("/v1/explain", {}), ("/v1/predict", {"explain": True})])
def test_explanations_are_those_of_the_predictor(
    path: str, body: dict[str, object], general: Edge, predictor: Predictor
) -> None:
    found = ask(general, "POST", path, {"texts": TEXTS, **body}).json()["predictions"]
    for text, row in zip(TEXTS, found, strict=True):
        assert row["explanation"] == [
            {"text": text[part.start : part.end], "start": part.start, "end": part.end, "weight": part.weight}
            for part in predictor.explain(text)
        ]


@pytest.mark.parametrize(
    ("body", "pointer", "says"),
    [
        ({}, "", "either text or texts"),
        ({"text": "a", "texts": ["a"]}, "", "either text or texts"),
        ({"texts": "a"}, "/texts", "a list of texts"),
        ({"texts": []}, "/texts", "1 to 256 texts, got 0"),
        ({"texts": ["a"] * 257}, "/texts", "got 257"),
        ({"texts": ["a", 1]}, "/texts/1", "expected a text"),
        ({"texts": ["a", None]}, "/texts/1", "expected a text"),
        ({"text": ["a"]}, "/text", "expected a text"),
        ({"text": "a" * 20_001}, "/text", "got 20,001"),
        ({"texts": ["a", "\ud83d"]}, "/texts/1", "surrogate"),
        ({"text": "a", "proba": 1}, "/proba", "true or false"),
        ({"text": "a", "explain": "yes"}, "/explain", "true or false"),
        ({"text": "a", "a/b~c": 1}, "/a~1b~0c", "no such key"),
        ({"texts": ["a"] * 33, "explain": True}, "/texts", "1 to 32 texts"),
        (b'["a"]', "", "an object"),
        (b'{"text": NaN}', "", "not JSON: NaN"),
        (b'{"text": "warm", "text": "dull"}', "", "twice"),
        (b'{"text": "a"', "", "not JSON"),
        (b'{"text": ' + b"1" * 5_000 + b"}", "", "not JSON"),
        (b'{"text": "\xff"}', "", "not UTF-8 (byte 10)"),
        (b"[" * 100_000, "", "nested too deeply"),
        (b"", "", "not JSON"),
    ],
)
def test_a_mistake_is_a_422_that_points_to_it(body: object, pointer: str, says: str, general: Edge) -> None:
    found = ask(general, "POST", "/v1/predict", body)
    assert (found.status, found.headers["content-type"]) == (422, "application/problem+json")
    problem = found.json()
    assert problem["pointer"] == pointer
    assert says in problem["detail"]
    assert (problem["status"], problem["error"]) == (422, problem["detail"])


def test_a_byte_order_mark_is_read(general: Edge) -> None:
    assert ask(general, "POST", "/v1/predict", b"\xef\xbb\xbf" + b'{"text": "a"}').status == 200


def test_labels_may_be_fewer(trained: Path) -> None:
    app = application(GENERAL_FOLDER, labels=("negative", "positive"))
    (row,) = ask(app, "POST", "/v1/predict", {"text": "Dull.", "proba": True}).json()["predictions"]
    assert list(row["probabilities"]) == ["negative", "positive"]


def test_what_is_told_of_a_model_is_what_its_folder_says(general: Edge) -> None:
    about = ask(general, "GET", "/v1/model").json()
    assert about["labels"] == ["negative", "neutral", "positive"]
    assert about["decision"]["unsure_below"] == Predictor.open(GENERAL_FOLDER).decision.unsure_below
    kept = json.loads((GENERAL_FOLDER / "metrics.json").read_text())["validation"]
    assert about["figures"]["side"] == "validation" and about["figures"]["accuracy"] == kept["accuracy"]
    assert about["card"].startswith("# ")


def test_several_models_answer_by_name(trained: Path) -> None:
    app = application(trained, models=(("opinions", "general"), ("tiny", str(trained))))
    asked_of = {
        path: ask(app, "POST", f"{path}/predict", {"text": "warm lovely film"}).json()
        for path in ("/v1", "/v1/models/opinions", "/v1/models/tiny")
    }
    assert [each["model"] for each in asked_of.values()] == ["opinions", "opinions", "tiny"]
    assert asked_of["/v1/models/tiny"]["predictions"][0]["label"] == "good"
    assert asked_of["/v1"]["predictions"][0]["label"] == "positive"
    assert [each["name"] for each in ask(app, "GET", "/v1/models").json()["models"]] == ["opinions", "tiny"]
    missing = ask(app, "POST", "/v1/models/none/predict", {"text": "a"})
    assert missing.status == 404 and "opinions, tiny" in missing.json()["detail"]


def test_a_report_runs_no_script(trained: Path) -> None:
    found = ask(application(trained), "GET", "/v1/report")
    assert found.status == 200 and found.body == (trained / "report.html").read_bytes()
    policy = found.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'") and "script" not in policy
    assert ask(application(GENERAL_FOLDER), "GET", "/v1/report").status == 404


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/v1/predict", 405), ("GET", "/none", 404)])
def test_wrong_paths_and_methods_are_problems_too(method: str, path: str, status: int, general: Edge) -> None:
    found = ask(general, method, path)
    assert (found.status, found.headers["content-type"]) == (status, "application/problem+json")
    assert found.headers["x-content-type-options"] == "nosniff"
