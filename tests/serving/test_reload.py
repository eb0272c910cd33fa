"""Models exchanged while requests go on, and several workers: what dies is replaced, what is broken changes nothing."""

import os
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from rnn_cli.bundle.locate import GENERAL_FOLDER
from rnn_cli.client import Client
from rnn_cli.errors import RunFailed
from tests.serving.asking import Running, application, ask, running

KEY = "a-key-of-24-characters-1"
BEARER = {"authorization": f"Bearer {KEY}"}


@pytest.fixture
def place(trained: Path, tmp_path: Path) -> Path:
    """A link to a model, that can be turned to another one."""
    (tmp_path / "keys").write_text(KEY)
    (tmp_path / "broken").mkdir()
    shutil.copytree(trained, tmp_path / "damaged")
    with (tmp_path / "damaged/model.onnx").open("r+b") as graph:
        graph.write(b"x")
    place = tmp_path / "model"
    place.symlink_to(trained)
    return place


def turn(place: Path, to: Path) -> None:
    new = place.with_name("new")
    new.symlink_to(to)
    new.replace(place)


def label_of(server: Running) -> str:
    found = server.ask("POST", "/v1/predict", {"text": "warm lovely film"}, BEARER)
    assert found.status == 200
    return str(found.json()["predictions"][0]["label"])


def test_a_reload_exchanges_the_model_and_the_keys(place: Path) -> None:
    app = application(place, api_key_file=str(place.with_name("keys")))
    before = ask(app, "GET", "/v1/model", b"", BEARER).json()["fingerprint"]
    turn(place, GENERAL_FOLDER)
    place.with_name("keys").write_text(KEY[::-1])
    found = ask(app, "POST", "/v1/reload", b"", BEARER)
    assert found.status == 200 and found.json()["models"][0]["fingerprint"] != before
    assert ask(app, "GET", "/v1/model", b"", BEARER).status == 401
    assert ask(app, "GET", "/v1/model", b"", {"x-api-key": KEY[::-1]}).status == 200


@pytest.mark.parametrize("to", ["broken", "damaged", "none"])
def test_a_broken_model_leaves_the_old_one_serving_and_says_so(to: str, place: Path) -> None:
    app = application(place, api_key_file=str(place.with_name("keys")))
    before = ask(app, "GET", "/v1/model", b"", BEARER).json()
    turn(place, place.with_name(to))
    found = ask(app, "POST", "/v1/reload", b"", BEARER)
    assert (found.status, found.headers["content-type"]) == (409, "application/problem+json")
    assert found.json()["detail"].startswith("the models are as they were: ")
    assert ask(app, "GET", "/v1/model", b"", BEARER).json() == before
    assert ask(app, "POST", "/v1/predict", {"text": "warm"}, BEARER).status == 200


def test_a_model_whose_folder_is_gone_answers_on(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "model")
    app = application(tmp_path / "model")
    asks = (
        ("POST", "/v1/predict", {"text": "warm"}, {}),
        ("POST", "/v1/explain", {"text": "warm"}, {}),
        ("POST", "/v1/score", b"text,other\nwarm,x\n", {"content-type": "text/csv"}),
        ("GET", "/v1/model", b"", {}),
    )
    before = [ask(app, *each).body for each in asks]
    shutil.rmtree(tmp_path / "model")
    found = [ask(app, *each) for each in asks]
    assert [each.status for each in found] == [200] * len(asks)
    assert [each.body for each in found] == before


def test_a_reload_over_http_needs_keys(trained: Path) -> None:
    assert ask(application(trained), "POST", "/v1/reload").status == 403


def test_sighup_reloads_and_loses_no_request(place: Path) -> None:
    with running(place.parent, "--model", str(place)) as server, asking(server) as codes:
        assert label_of(server) == "good"
        turn(place, GENERAL_FOLDER)
        server.signal(signal.SIGHUP)
        while label_of(server) != "positive":
            pass
        turn(place, place.with_name("damaged"))
        server.signal(signal.SIGHUP)
        while "not reloaded" not in server.log.read_text():
            assert label_of(server) == "positive"
        assert label_of(server) == "positive"
    assert set(codes) == {200}


class asking:  # noqa: N801  (it reads as a word)
    """Keeps asking a server, on a new connection each time, while the block runs; the codes, None where it is cut."""

    def __init__(self, server: Running) -> None:
        self._server, self._ends, self._codes = server, Event(), list[int | None]()
        self._threads = [Thread(target=self._ask) for _ in range(3)]

    def _ask(self) -> None:
        while not self._ends.is_set():
            try:
                self._codes.append(self._server.ask("POST", "/v1/predict", {"text": "warm"}, BEARER).status)
            except OSError:
                self._codes.append(None)

    def __enter__(self) -> list[int | None]:
        for thread in self._threads:
            thread.start()
        return self._codes

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        for thread in self._threads:
            thread.join()


def workers_of(server: Running) -> set[int]:
    """The processes that a server has started to answer."""
    found = subprocess.run(
        ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(server.process.pid)], capture_output=True, text=True
    )
    return {int(line.split()[0]) for line in found.stdout.splitlines() if "spawn_main" in line}


@pytest.fixture
def several(place: Path) -> Iterator[Running]:
    words = ["--model", str(place), "--workers", "2", "--api-key-file", str(place.with_name("keys"))]
    with running(place.parent, *words) as server:
        while len(workers_of(server)) < 2 or server.ask("GET", "/health/ready").status != 200:
            pass
        yield server


def test_a_worker_that_is_killed_is_replaced_and_the_others_answer_on(several: Running) -> None:
    before = workers_of(several)
    with asking(several) as codes:
        os.kill(min(before), signal.SIGKILL)
        while len(workers_of(several) - {min(before)}) < 2:
            pass
        assert label_of(several) == "good"
    lost = [code for code in codes if code != 200]
    assert set(lost) <= {None} and len(lost) <= 3  # at most the one request of each thread
    several.signal(signal.SIGTERM)
    assert several.ended() == 143
    assert not workers_of(several)


def test_workers_reload_one_after_the_other(several: Running, place: Path) -> None:
    before = workers_of(several)
    turn(place, GENERAL_FOLDER)
    with asking(several) as codes:
        assert several.ask("POST", "/v1/reload", None, BEARER).status == 200
        while workers_of(several) & before or len(workers_of(several)) < 2:
            pass
        assert {label_of(several) for _ in range(8)} == {"positive"}
    assert set(codes) == {200}


def test_workers_that_end_let_nobody_in(several: Running) -> None:
    """Neither does the process that has started them, as its socket would take connections that nobody answers."""
    with socket.create_connection(("127.0.0.1", several.port)) as held:
        held.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nX-API-Key: %b\r\n" % KEY.encode())
        held.sendall(b"Content-Length: 16\r\n\r\n{")
        label_of(several)
        several.signal(signal.SIGTERM)
        several.await_refusal()
        held.sendall(b'"text": "warm"}')
        assert held.recv(65_536).startswith(b"HTTP/1.1 200 OK")
    assert several.ended() == 143


def test_workers_count_together(several: Running) -> None:
    for _ in range(12):
        label_of(several)
    texts = [several.ask("GET", "/metrics", None, BEARER).body for _ in range(4)]
    assert all(b'rnn_texts_total{model="default"} 12.0' in text for text in texts)


def test_workers_end_when_the_process_that_started_them_is_killed(several: Running) -> None:
    workers = workers_of(several)
    several.process.kill()
    several.process.wait()
    for worker in workers:
        while Path(f"/proc/{worker}").exists():
            pass


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_damaged_model_is_told_in_a_line_before_anything_listens(workers: str, place: Path, tmp_path: Path) -> None:
    with pytest.raises(AssertionError) as error, running(tmp_path, "--model", "damaged", "--workers", workers):
        pass
    (line,) = str(error.value).splitlines()
    assert line.startswith("Error: damaged/model.onnx: ")


def test_a_worker_that_cannot_start_ends_the_server_with_its_message(place: Path, tmp_path: Path) -> None:
    """The labels are known when the model is loaded, by a worker."""
    with running(tmp_path, "--model", "model", "--labels", "good,none", "--workers", "2") as server:
        assert server.ended() == 1
        said = server.log.read_text()
    assert "no such label: none" in said and said.endswith("a worker could not start; its message stands above\n")
    assert "Traceback" not in said


def test_https(trained: Path, tmp_path: Path) -> None:
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem"]
    made += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-days", "2"]
    if not shutil.which("openssl"):
        pytest.skip("openssl is not there")
    subprocess.run(made, cwd=tmp_path, check=True, capture_output=True)
    with running(tmp_path, "--model", str(trained), "--tls-cert", "cert.pem", "--tls-key", "key.pem") as server:
        context = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
        with Client(f"https://localhost:{server.port}", context=context) as client:
            assert client.predict("warm lovely film")[0].label == "good"
        for scheme, says in (("https", "not trusted .*SSL_CERT_FILE"), ("http", "is it https:// instead?")):
            with Client(f"{scheme}://localhost:{server.port}") as client, pytest.raises(RunFailed, match=says):
                client.predict("warm lovely film")
