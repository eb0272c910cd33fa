"""rnn label --page: what the command prints, how it ends, and that a kill loses nothing."""

import json
import os
import shlex
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from rnn_cli.labelling.answers import read_log
from rnn_cli.labelling.session import begin_session
from tests.cli.conftest import COMMAND, Rnn
from tests.cli.test_main import examples
from tests.labelling.conftest import made

START = ("label", "texts.csv", "--base", "none", "--labels", "good,bad", "--page", "--no-open")


@dataclass
class Served:
    """The command in another process, and its page opened as a browser opens it."""

    process: "subprocess.Popen[str]"
    address: str
    cookie: str = ""
    state: dict[str, Any] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        with closing(HTTPConnection(urlsplit(self.address).netloc, timeout=60)) as connection:
            connection.request(method, path, None if body is None else json.dumps(body), {"Cookie": self.cookie})
            answered = connection.getresponse()
            content = answered.read()
        assert answered.status == 200, content
        if given := answered.getheader("Set-Cookie"):
            self.cookie = given.partition(";")[0]
        return json.loads(content) if content.startswith(b"{") else None

    def open(self) -> "Served":
        self.ask("GET", self.address.partition(urlsplit(self.address).netloc)[2])
        self.state = self.ask("GET", "/sitting/state")
        return self

    def label(self, name: str, request: str) -> None:
        text = self.state["text"]
        step = {"id": request, "do": "label", "label": name, "changes": self.state["changes"]}
        self.state = self.ask("POST", "/sitting/step", {**step, "row": text["row"], "chosen": text["chosen"]})


@contextmanager
def served(*words: str, **environment: str) -> Iterator[Served]:
    known = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")}
    with subprocess.Popen(
        [*COMMAND, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env=known | environment,
    ) as process:
        try:
            assert process.stdout is not None and process.stderr is not None
            first = process.stdout.readline()
            assert first.startswith("page    http://127.0.0.1:"), process.stderr.read()
            yield Served(process, first.split()[1])
        finally:
            process.kill()


@pytest.fixture
def texts(home: Path) -> Path:
    """60 texts in a file."""
    (home / "texts.csv").write_text("text\n" + "".join(f"{text}\n" for text, _ in made(60)))
    return home / "texts.csv"


def test_from_the_address_to_the_file_of_labels(texts: Path, home: Path) -> None:
    with served(*START, "--out", "out.csv") as page:
        page.open()
        for number in range(3):
            page.label("good", f"request-{number}")
        page.ask("POST", "/sitting/end", {})
        out, err = page.process.communicate(timeout=60)
    assert page.process.returncode == 0 and err == ""
    assert "3 texts labelled (good 3, bad 0)" in out and "rnn train out.csv --set model.kind=linear\n" in out
    assert len((home / "out.csv").read_text().splitlines()) == 4


def test_ctrl_c_ends_it_as_in_the_terminal(texts: Path) -> None:
    with served(*START) as page:
        page.open().label("good", "request-1")
        page.process.send_signal(signal.SIGINT)
        _, err = page.process.communicate(timeout=60)
    assert page.process.returncode == 130 and "Traceback" not in err
    assert len(read_log(Path("texts.csv.labels.jsonl"))[1].steps) == 1


def test_a_kill_loses_no_answer_and_a_repeated_request_counts_once(texts: Path) -> None:
    told: list[int] = []
    for kill in range(2):
        with served(*START) as page:
            page.open()
            assert page.state["labelled"] == len(told)
            if told:
                page.label("good", f"request-{len(told)}")  # the reply to it was lost
                assert page.state["labelled"] == len(told)
            for _ in range(3 + kill):
                told.append(page.state["text"]["row"])
                page.label("good", f"request-{len(told)}")
            os.kill(page.process.pid, signal.SIGKILL)
            page.process.wait(60)
        steps = read_log(Path("texts.csv.labels.jsonl"))[1].steps
        assert [each.row for each in steps] == told


def test_a_named_port_that_is_taken_is_told(texts: Path, rnn: Rnn) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        ended = rnn(*START, "--port", str(port))
    assert ended.code == 2 and f"127.0.0.1:{port}: cannot listen there" in ended.err


@pytest.mark.parametrize("example", [each for each in examples() if "--page" in each])
def test_every_example_opens_a_browser(example: str, texts: Path, home: Path) -> None:
    Path("reviews.csv").write_bytes(texts.read_bytes())
    with begin_session("reviews.csv", ["positive", "negative"], base=None) as session:
        session.label("positive")
    (home / "browser").write_text('#!/bin/sh\nprintf %s "$1" > opened\n')
    (home / "browser").chmod(0o755)
    with served(*shlex.split(example)[1:], BROWSER=f"{home}/browser %s") as page:
        assert page.process.stdout is not None
        assert page.process.stdout.readline() == "        Ctrl-C ends, and all is kept\n"
        assert (home / "opened").read_text() == page.address


@pytest.mark.parametrize("words", [("--no-open",), ("--port", "9000")])
def test_options_of_the_page_need_it(words: tuple[str, ...], texts: Path, rnn: Rnn) -> None:
    ended = rnn("label", "texts.csv", "--labels", "good,bad", *words)
    assert ended.code == 2 and f"{words[0]} is for --page, which is not given" in ended.err
