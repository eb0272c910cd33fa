"""A whole server in another process: requests that are no HTTP, slow ones, too many; and its end."""

import json
import random
import re
import shlex
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest

from rnn_cli.cli.serve import serve
from tests.serving.asking import Answered, Running, running

HEAD = b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
BODY = b'{"text": "warm"}'
WHOLE = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
CLOSING = WHOLE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
GET = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def server(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("server")
    with running(folder, "--model", str(trained), "--read-seconds", "0.5", "--max-connections", "40") as found:
        yield found


def answers(raw: bytes) -> list[tuple[int, bytes]]:
    """The codes and bodies of the answers on a connection; fails where there is anything else on it."""
    found = []
    while raw:
        head, _, rest = raw.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        headers = dict(line.lower().split(b": ", 1) for line in lines)
        assert first.startswith(b"HTTP/1.1 ")
        length = int(headers[b"content-length"])
        assert len(rest) >= length
        found.append((int(first.split()[1]), rest[:length]))
        if found[-1][0] >= 400:
            assert headers[b"content-type"] == b"application/problem+json"
        raw = rest[length:]
    return found


def codes(raw: bytes) -> list[int]:
    return [code for code, _ in answers(raw)]


@pytest.mark.parametrize(
    "raw",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS where none is
        b"GET  /\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"CONNECT example.com:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
        HEAD + b"Content-Length: 16\r\nTransfer-Encoding: chunked\r\n\r\n" + BODY,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nA: \x00\r\n\r\n",
    ],
    ids=range(13),
)
def test_what_is_no_http_is_a_problem_and_the_connection_closes(raw: bytes, server: Running) -> None:
    found = answers(server.raw(raw))
    assert [code for code, _ in found] in ([400], [408])  # a body that lies is waited for
    assert json.loads(found[0][1])["status"] == found[0][0]
    assert server.ask("GET", "/health/ready").status == 200


@pytest.mark.parametrize("piece", [b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 10_000, b"GET /" + b"a" * 70_000])
def test_a_head_that_is_too_large_is_a_431(piece: bytes, server: Running) -> None:
    assert codes(server.raw(piece)) == [431]


@pytest.mark.parametrize("raw", [b"GET / HT", HEAD, HEAD + b"Content-Length: 16\r\n\r\n{"])
def test_half_a_request_is_a_408(raw: bytes, server: Running) -> None:
    assert codes(server.raw(raw)) == [408]


def test_a_connection_on_which_nothing_comes_is_closed(server: Running) -> None:
    assert server.raw() == b""


def test_a_client_that_leaves_in_the_middle_leaves_the_server_well(server: Running) -> None:
    for raw in (HEAD, HEAD + b"Content-Length: 16\r\n\r\n{", WHOLE):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(raw)
    assert server.ask("POST", "/v1/predict", {"text": "warm"}).status == 200


def test_requests_in_a_row_are_answered_in_order(server: Running) -> None:
    found = answers(server.raw(GET + WHOLE + GET + CLOSING))
    assert [code for code, _ in found] == [200] * 4
    assert [b"predictions" in body for _, body in found] == [False, True, False, True]


def test_a_request_before_nonsense_is_answered(server: Running) -> None:
    assert codes(server.raw(WHOLE + b"nonsense\r\n\r\n"))[:1] == [200]


def test_a_client_that_sends_no_more_is_answered(server: Running) -> None:
    assert codes(server.raw(WHOLE, ends=True)) == [200]
    assert codes(server.raw(WHOLE + GET + WHOLE, ends=True)) == [200] * 3


def test_an_answer_to_half_a_request_can_be_read(server: Running) -> None:
    """The server refuses by the header, the client goes on sending: the answer must not get lost."""
    head = HEAD + b"Content-Length: 30000000\r\n\r\n"
    assert codes(server.raw(head, b"x" * 100_000)) == [413]


def test_a_request_to_go_on_is_heard(server: Running) -> None:
    raw = server.raw(CLOSING.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n", 1))
    assert raw.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200")


def test_one_connection_too_many_is_a_503_and_the_others_live(server: Running) -> None:
    held = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(60)]
    try:
        last = held[-1]
        last.settimeout(30)
        found = b""
        while read := last.recv(65_536):
            found += read
        assert codes(found) == [503] and b"retry-after: 1" in found
    finally:
        for each in held:
            each.close()
    assert server.raw(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")).startswith(b"HTTP/1.1 200")


def test_a_client_that_does_not_read_its_answer_is_left(trained: Path, tmp_path: Path) -> None:
    rows = b"text\n" + b"a warm and lovely film they say and who would not believe it\n" * 60_000
    head = (
        b"POST /v1/score?proba=true HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\nContent-Length: %d\r\n\r\n"
    )
    with running(tmp_path, "--model", str(trained), "--write-seconds", "0.2") as server:
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            connection.connect(("127.0.0.1", server.port))
            connection.sendall(head % len(rows) + rows)
            while b'path="/v1/score"' not in server.ask("GET", "/metrics").body:
                pass  # it is counted when it is over
            found = b""
            with suppress(ConnectionResetError):
                while read := connection.recv(65_536):
                    found += read
            assert found.startswith(b"HTTP/1.1 200") and not found.endswith(b"0\r\n\r\n")
        assert b'rnn_queue{lane="files"} 0.0' in server.ask("GET", "/metrics").body


def malformed(chance: random.Random) -> bytes:
    """A request with something wrong in it."""
    raw = bytearray(WHOLE if chance.random() < 0.7 else GET)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(raw))
        match chance.randrange(5):
            case 0:
                raw[at] = chance.randrange(256)
            case 1:
                del raw[at : at + chance.randint(1, 30)]
            case 2:
                raw[at:at] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 40)))
            case 3:
                raw[at:at] = chance.choice(
                    [b"\r\n", b"\0", b"Content-Length: 9\r\n", b"Transfer-Encoding: chunked\r\n"]
                )
            case 4:
                raw += raw[:at]
        raw = raw or bytearray(b"\n")
    return bytes(raw)


def hear(server: Running, raws: list[bytes], found: list[bytes]) -> None:
    for raw in raws:
        found.append(server.raw(raw, ends=True))


def test_no_malformed_request_is_a_500_or_hangs(trained: Path, tmp_path: Path) -> None:
    chance = random.Random(7)
    raws = [malformed(chance) for _ in range(2_000)]
    with running(tmp_path, "--model", str(trained), "--read-seconds", "0.3") as server:
        found: list[bytes] = []
        threads = [Thread(target=hear, args=(server, raws[start::8], found)) for start in range(8)]
        for thread in threads:
            thread.start()
        healths = [server.ask("GET", "/health/ready").status for _ in range(20)]
        for thread in threads:
            thread.join()
        assert healths == [200] * 20 and len(found) == len(raws)
        first = [raw.split(b" ", 2)[1] for raw in found if raw]
        assert not [code for code in first if code.startswith(b"5")]
        assert len({*first}) > 2
        assert "Traceback" not in server.log.read_text()
        assert server.ask("POST", "/v1/predict", {"text": "warm"}).status == 200


def test_sigterm_answers_what_was_accepted_and_then_ends(trained: Path, tmp_path: Path) -> None:
    body = {"texts": ["warm film " * 50] * 30}
    with running(tmp_path, "--model", str(trained)) as server:
        found: list[Answered] = []
        threads = [Thread(target=lambda: found.append(server.ask("POST", "/v1/explain", body))) for _ in range(3)]
        for thread in threads:
            thread.start()
        while b'rnn_queue{lane="long"} 3.0' not in server.ask("GET", "/metrics").body:
            server.ask("GET", "/health/live")  # the gauge is set by each answer
        server.signal(signal.SIGTERM)
        for thread in threads:
            thread.join()
        assert [each.status for each in found] == [200] * 3
        assert server.ended() == 143
    assert server.log.read_text().splitlines()[-1] == "terminated"


def test_a_refusal_can_be_read_by_a_client_that_still_sends_and_wants_the_connection_closed(server: Running) -> None:
    """Closed at once, the system would answer what still comes with a reset, which takes the refusal with it."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(HEAD + b"Connection: close\r\nContent-Length: 9000000\r\n\r\n")
        server.ask("GET", "/health/live")
        for _ in range(8):
            connection.sendall(b" " * 65_536)
        ((status, _),) = answers(b"".join(iter(lambda: connection.recv(65_536), b"")))
    assert status == 413


def test_an_old_client_gets_no_chunks(server: Running) -> None:
    rows = b"POST /v1/score?format=csv HTTP/1.0\r\nHost: localhost\r\nContent-Length: 10\r\n\r\ntext\nwarm\n"
    head, _, body = server.raw(rows).partition(b"\r\n\r\n")
    assert b"200 OK" in head and b"chunked" not in head and b"connection: close" in head
    assert body.startswith(b"text,label,") and body.count(b"\n") == 2 and body.endswith(b"\n")
    assert answers(server.raw(GET.replace(b"1.1", b"1.0"))) == [(200, b'{"live":true}')]


def test_trailers_are_bounded(server: Running) -> None:
    chunked = HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n" % (len(BODY), BODY)
    closing = chunked.replace(b"HTTP/1.1\r\n", b"HTTP/1.1\r\nConnection: close\r\n")
    assert answers(server.raw(closing, b"X: y\r\n\r\n"))[0][0] == 200
    # An endless trailer: the request is never whole.
    ((status, _),) = answers(server.raw(chunked, *[b"X: " + b"y" * 65_536] * 4))
    assert status == 431


def test_a_connection_accepted_before_the_end_is_answered(trained: Path, tmp_path: Path) -> None:
    """The first request of a connection may still be on its way, as may another one of a connection kept open."""
    patient = "from rnn_cli.serving import protocol; protocol.LINGER_SECONDS = 600.0"  # however slow this machine is
    with running(tmp_path, "--model", str(trained), before=patient) as server:
        new, kept = (socket.create_connection(("127.0.0.1", server.port), timeout=30) for _ in range(2))
        with new, kept:
            kept.sendall(GET)
            while not kept.recv(65_536).endswith(b'{"live":true}'):
                pass
            server.signal(signal.SIGTERM)
            server.await_refusal()
            for connection in (new, kept):
                connection.sendall(GET)
            for connection in (new, kept):
                answer = b"".join(iter(lambda: connection.recv(65_536), b""))  # noqa: B023  (called at once)
                assert b"connection: close" in answer and answers(answer) == [(200, b'{"live":true}')]
        assert server.ended() == 143


def test_readiness_fails_before_the_server_ends(trained: Path, tmp_path: Path) -> None:
    with running(tmp_path, "--model", str(trained), "--unready-seconds", "600") as server:
        assert server.ask("GET", "/health/ready").status == 200
        server.signal(signal.SIGTERM)
        while (ready := server.ask("GET", "/health/ready")).status == 200:
            pass
        assert (ready.status, ready.json()) == (503, {"ready": False})
        assert ready.headers["connection"] == "close"  # so that clients go elsewhere
        assert server.ask("GET", "/health/live").status == 200
        assert server.ask("POST", "/v1/predict", {"text": "warm"}).status == 200
        server.signal(signal.SIGTERM)  # a second one does not wait
        assert server.ended() == 143


def test_a_second_ctrl_c_ends_at_once(trained: Path, tmp_path: Path) -> None:
    with running(tmp_path, "--model", str(trained), "--drain-seconds", "600") as server:
        with socket.create_connection(("127.0.0.1", server.port)) as held:
            held.sendall(HEAD + b"Content-Length: 16\r\n\r\n{")
            server.ask("GET", "/health/live")
            server.signal(signal.SIGINT)
            held.settimeout(0.5)
            with pytest.raises(TimeoutError):
                held.recv(1)  # it waits for the request
            server.signal(signal.SIGINT)
            assert server.ended() == 130


EXAMPLES = [line.strip() for line in str(serve.epilog).splitlines() if line.startswith("  rnn serve")]


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_the_help_serves(example: str, trained: Path, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    for name in ("latest", "films-1", "tickets-3"):
        (tmp_path / "runs" / name).symlink_to(trained)
    (tmp_path / "keys.txt").write_text("a-key-of-24-characters-1")
    with running(tmp_path, *shlex.split(example)[2:]) as server:
        while server.ask("GET", "/health/ready").status != 200:
            pass
        server.signal(signal.SIGTERM)
        assert server.ended() == 143


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_a_host_that_is_another_is_said_in_a_line(host: str, trained: Path, tmp_path: Path) -> None:
    with pytest.raises(AssertionError) as error:
        with running(tmp_path, "--model", str(trained), "--host", host, "--no-auth"):
            pass
    assert re.fullmatch(
        rf"Error: {re.escape(host)}:0: cannot listen there \(.*\); choose another --host\n", str(error.value)
    )


def test_a_port_that_is_taken_is_said_in_a_line(trained: Path, tmp_path: Path) -> None:
    with running(tmp_path, "--model", str(trained)) as server, pytest.raises(AssertionError) as error:
        with running(tmp_path, "--model", str(trained), "--port", str(server.port)):
            pass
    assert str(error.value).endswith(
        f"127.0.0.1:{server.port}: cannot listen there (address already in use); choose another --port\n"
    )
