"""The contract says what is there, its examples work, and what it says of answers is so."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rnn_cli.bundle.locate import GENERAL_FOLDER
from rnn_cli.serving.edge import Edge
from rnn_cli.serving.settings import Limits
from tests.serving.asking import application, ask, running


@pytest.fixture(scope="module")
def app() -> Edge:
    return application(GENERAL_FOLDER)


@pytest.fixture(scope="module")
def document(app: Edge) -> dict[str, Any]:
    found: dict[str, Any] = ask(app, "GET", "/openapi.json").json()
    return found


def routes(app: Any) -> Iterator[tuple[str, str]]:
    for route in app._app.routes:
        for method in getattr(route, "methods", ()):
            if method != "HEAD" and route.path != "/":
                yield method.lower(), route.path


def test_it_names_every_endpoint_and_no_other(app: Edge, document: dict[str, Any]) -> None:
    told = {(method, path) for path, each in document["paths"].items() for method in each if method != "parameters"}
    assert told == {*routes(app)}


def examples(document: dict[str, Any]) -> Iterator[tuple[str, str, bytes]]:
    for path, each in document["paths"].items():
        for kind, content in each.get("post", {}).get("requestBody", {}).get("content", {}).items():
            example = content["example"]
            body = example if isinstance(example, str) else json.dumps(example)
            yield path.replace("{name}", "default"), kind, body.encode()


def test_every_example_is_answered(app: Edge, document: dict[str, Any]) -> None:
    found = list(examples(document))
    assert len(found) == 2 * (2 + 5) + 2
    for path, kind, body in found:
        answered = ask(app, "POST", path, body, {"content-type": kind})
        assert answered.status == 200, (path, kind, answered.body)


def test_each_reference_leads_somewhere_and_each_answer_has_its_reason(document: dict[str, Any]) -> None:
    for name in re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)):
        assert name in document["components"]["schemas"]
    for path, each in document["paths"].items():
        for method, operation in each.items():
            if method != "parameters":
                assert all(answer["description"] for answer in operation["responses"].values()), path
                assert {"401", "421", "503"} < set(operation["responses"])


def test_limits_are_those_of_the_server(trained: Path) -> None:
    app = application(trained, limits=Limits(texts=7, characters=9))
    post = ask(app, "GET", "/openapi.json").json()["paths"]["/v1/predict"]["post"]
    one, several = post["requestBody"]["content"]["application/json"]["schema"]["oneOf"]
    assert several["properties"]["texts"]["maxItems"] == 7
    assert one["properties"]["text"]["maxLength"] == 9


SCHEMATHESIS = """
[checks]
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 406, 408, 413, 415, 421, 422, 429]
"""


@pytest.mark.slow
def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    """Some thousand requests that follow the document, and some that break it.

    Left out is what no schema can say: that a tensor's shape is that of its data, and what a table of rows must be.
    """
    program = Path(sys.executable).with_name("schemathesis")
    if not program.exists():
        pytest.skip("schemathesis is not installed")
    with running(tmp_path, "--model", "general", "-q") as server:
        command = [str(program), "run", f"{server.url}/openapi.json", "--checks", "all", "--seed", "5"]
        command += ["--exclude-checks", "unsupported_method,positive_data_acceptance", "--exclude-path-regex", "score$"]
        command += ["--max-examples", "60", "--no-color", "--request-timeout", "60"]
        (tmp_path / "schemathesis.toml").write_text(SCHEMATHESIS)
        ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
        assert ended.returncode == 0, ended.stdout
        assert "Traceback" not in server.log.read_text()
