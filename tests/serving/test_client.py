"""`rnn_cli.Client` and `rnn predict --server`, against the real server and against one that misbehaves."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

import rnn_cli
from rnn_cli import client as module
from rnn_cli.client import CHARACTERS_AT_ONCE, Client
from rnn_cli.errors import RunFailed, UsageError
from rnn_cli.scoring.predictor import Predictor
from tests.serving.asking import ROOT, Running, running

TEXTS = ["warm lovely film", "dull", "", "zzz", "👩‍👩‍👧 İ", 'a "quoted"\nline']


@pytest.fixture(scope="module")
def server(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("client"), "--model", f"tiny={trained}", "--model", "en=general") as found:
        yield found


def test_a_client_gives_what_the_predictor_gives(server: Running, trained: Path) -> None:
    predictor = Predictor.open(trained)
    with rnn_cli.Client(server.url) as client:
        assert client.predict(TEXTS) == predictor.predict(TEXTS)
        assert client.predict("dull") == predictor.predict("dull")
        assert client.predict([]) == []
        assert client.labels == predictor.labels
        assert client.explain(TEXTS) == [predictor.explain(text) for text in TEXTS]
    assert client.predict("dull") == predictor.predict("dull")  # opened again
    client.close()


def test_more_texts_than_a_request_holds_are_sent_in_several(server: Running) -> None:
    with Client(server.url) as client:
        texts = [f"warm {number}" for number in range(600)] + ["dull " * 3_000] * 20
        found = client.predict(texts)
        assert len(found) == 620 and [each.label for each in found[-20:]] == ["bad"] * 20
        assert len(client.explain(texts[:40])) == 40
    assert sum(map(len, texts)) > CHARACTERS_AT_ONCE


def test_a_model_is_named(server: Running) -> None:
    with Client(server.url, model="en") as client:
        assert client.labels == ("negative", "neutral", "positive")
    with (
        Client(server.url, model="none") as client,
        pytest.raises(UsageError, match="no such model; there are tiny, en"),
    ):
        client.predict("a")


def test_what_the_server_refuses_is_a_usage_error(server: Running) -> None:
    with Client(server.url) as client:
        with pytest.raises(UsageError, match="/texts/0: expected at most 20,000 characters"):
            client.predict("a" * 20_001)
        with pytest.raises(UsageError, match="cannot be sent"):
            client.predict("\ud83d")
        assert client.predict("dull")


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://a", "http://", "http://[", "http://a:b"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="is no URL of a server"):
        Client(url)


def test_nobody_there_is_one_line(server: Running) -> None:
    with Client("http://127.0.0.1:9") as client, pytest.raises(RunFailed) as error:
        client.predict("a")
    assert str(error.value) == (
        "http://127.0.0.1:9: cannot be reached (connection refused); is rnn serve running there?"
    )
    with Client(f"https://127.0.0.1:{server.port}") as client, pytest.raises(RunFailed, match="is it http:// instead"):
        client.predict("a")


Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def answering(*answers: Answer) -> Iterator[str]:
    """A server that answers once in each of these ways."""
    left = iter(answers)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            next(left)(self)

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def answer(status: int, content: object, **headers: str) -> Answer:
    def send(handler: BaseHTTPRequestHandler) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return send


def cut(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


ROW = {"label": "a", "probability": 1.0, "probabilities": {"a": 1.0}, "no_known_words": False, "unsure": False}
GOOD = answer(200, {"predictions": [ROW]})


def test_a_busy_server_is_asked_again_after_its_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(module.time, "sleep", waits.append)
    busy = [answer(429, {"detail": "full"}, Retry_After="7"), answer(503, {}), answer(503, {}, Retry_After="9999")]
    with answering(*busy, cut, GOOD) as url, Client(url) as client:
        assert client.predict("x")[0].label == "a"
    assert waits == [7.0, 1.0, 60.0]


def test_one_that_stays_busy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.time, "sleep", lambda _: None)
    with answering(*[answer(429, {"detail": "full"})] * 2) as url, Client(url, tries=2) as client:
        with pytest.raises(RunFailed, match="stays busy: full; ask later"):
            client.predict("x")


@pytest.mark.parametrize("content", [b"<html>", [], {}, {"predictions": []}, {"predictions": 1}])
def test_another_server_is_told(content: object) -> None:
    with answering(answer(200, content)) as url, Client(url) as client:
        with pytest.raises(RunFailed, match="answers, but not as rnn serve does"):
            client.predict("x")


def test_a_key_is_sent_and_a_missing_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str | None] = []

    def hear(handler: BaseHTTPRequestHandler) -> None:
        heard.append(handler.headers["Authorization"])
        answer(401, {"detail": "a key is needed"})(handler)

    for environment, given in ((None, "of-mine"), ("of-environment", None)):
        if environment:
            monkeypatch.setenv("RNN_API_KEY", environment)
        with answering(hear) as url, Client(url, api_key=given) as client:
            with pytest.raises(UsageError, match="a key is needed; set RNN_API_KEY"):
                client.predict("x")
    assert heard == ["Bearer of-mine", "Bearer of-environment"]


def predicted(*words: str, lines: str | None = None) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "rnn_cli", "predict", *words]
    ended = subprocess.run(command, capture_output=True, text=True, input=lines, cwd=ROOT, timeout=60)
    return ended.returncode, ended.stdout, ended.stderr


@pytest.mark.parametrize(
    "words", [["--format", "jsonl", "--proba"], ["--format", "csv"], ["--format", "plain"], ["--explain"]], ids=str
)
def test_the_command_prints_the_same_from_a_server(words: list[str], server: Running, trained: Path) -> None:
    here = predicted(*words, *TEXTS, "--model", str(trained))
    assert predicted(*words, *TEXTS, "--server", server.url, "--model", "tiny")[:2] == here[:2]


def test_the_command_warns_of_texts_unlike_those_of_training(server: Running) -> None:
    lines = "qwrt zxcvz plmno vbnmx\n" * 300 + "a warm film\n"  # of several requests
    here = predicted("--model", "general", lines=lines)
    assert "of the tokens are unknown to the model" in here[2]
    assert predicted("--server", server.url, "--model", "en", lines=lines) == here
    assert predicted("--server", server.url, "--model", "en", "--explain", lines=lines[-80:]) == predicted(
        "--model", "general", "--explain", lines=lines[-80:]
    )


def test_the_command_pipes_lines_through_a_server(server: Running, trained: Path) -> None:
    lines = "".join(f"warm {number}\n" for number in range(700))
    found = predicted("--server", server.url, "--format", "csv", lines=lines)
    assert found[:2] == predicted("--model", str(trained), "--format", "csv", lines=lines)[:2]


@pytest.mark.parametrize("option", [["--threads", "1"], ["--labels", "good,bad"], ["--precision", "int8"]])
def test_the_command_refuses_what_the_server_has_decided(option: list[str], server: Running) -> None:
    code, out, err = predicted("--server", server.url, *option, "x")
    assert (code, out) == (2, "")
    assert err == f"Error: {option[0]} and --server do not go together; give it to rnn serve: {option[0]}\n"


def test_a_client_loads_the_standard_library_alone() -> None:
    code = "import sys, rnn_cli; rnn_cli.Client; print({'numpy', 'onnxruntime', 'click', 'starlette'} & {*sys.modules})"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert found.stdout == "set()\n"
