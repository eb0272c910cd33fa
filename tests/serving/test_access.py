"""Who is let in: by the Host header, the Origin, a key; and what a server must be told before it lets others in."""

import json
from pathlib import Path
from typing import Any

import pytest

from rnn_cli.errors import UsageError
from rnn_cli.serving.edge import Edge, LogLines
from rnn_cli.serving.settings import (
    API_KEYS,
    Limits,
    ServerSettings,
    check_settings,
    is_key,
    is_served_host,
    named_models,
    read_keys,
)
from tests.serving.asking import application, ask

KEY, OTHER = "a-key-of-24-characters-1", "a-key-of-24-characters-2"


@pytest.fixture(scope="module")
def app(trained: Path) -> Edge:
    return application(trained, allowed_hosts=("Models.example.com",), cors_origins=("https://good.example",))


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("keys") / "keys.txt"
    file.write_text(f"# of the shop\n{KEY}\n\n{OTHER}  # of the desk\n")
    return str(file)


@pytest.fixture(scope="module")
def locked(trained: Path, key_file: str) -> Edge:
    return application(trained, api_key_file=key_file)


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("localhost", True),
        ("LOCALHOST:8000", True),
        ("127.0.0.1:8000", True),
        ("[::1]:8000", True),
        ("[::1]", True),
        ("10.2.3.4:8000", True),  # a probe, by address
        ("models.example.com", True),
        ("models.example.com.:443", True),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("evil.example@127.0.0.1", False),
        ("127.0.0.1:8000:8000", False),
        ("[::1", False),
        ("::1", False),
        ("a b", False),
        ("localhost/", False),
    ],
)
def test_a_host_is_an_address_or_a_known_name(host: str, is_ours: bool, app: Edge) -> None:
    for method, path in (("GET", "/health/live"), ("GET", "/v1/model"), ("GET", "/"), ("GET", "/page/page.js")):
        found = ask(app, method, path, b"", {"host": host})
        assert found.status == (200 if is_ours else 421), path
        assert is_ours or found.headers["content-type"] == "application/problem+json"


def test_a_name_that_is_listened_on_is_known() -> None:
    assert is_served_host("box.lan:8000", ServerSettings(host="box.lan"))


def test_a_request_needs_a_host(app: Edge) -> None:
    assert ask(app, "GET", "/health/live", b"", {"host": ""}).status == 400


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:8000", 200),
        ("https://good.example", 200),
        ("https://evil.example", 403),
        ("https://good.example.evil.example", 403),
        ("http://127.0.0.1:9000", 403),
        ("null", 403),
    ],
)
def test_pages_of_other_sites_may_not_ask(origin: str, status: int, app: Edge) -> None:
    found = ask(app, "POST", "/v1/predict", {"text": "warm"}, {"origin": origin})
    assert found.status == status
    is_foreign_and_named = origin == "https://good.example"
    assert found.headers.get("access-control-allow-origin") == (origin if is_foreign_and_named else None)


def test_a_page_of_a_named_site_can_read_why_it_is_refused(trained: Path, key_file: str) -> None:
    app = application(
        trained, api_key_file=key_file, cors_origins=("https://good.example",), limits=Limits(body_bytes=20)
    )
    has_key = {"authorization": f"Bearer {KEY}"}
    for path, body, headers, status in (
        ("/v1/predict", {"text": "warm"}, {}, 401),
        ("/v1/predict", {"text": "warm " * 9}, has_key, 413),
        ("/v1/predict", {"text": 1}, has_key, 422),
        ("/none", b"", has_key, 404),
    ):
        found = ask(app, "POST", path, body, {"origin": "https://good.example", **headers})
        assert (found.status, found.headers.get("access-control-allow-origin")) == (status, "https://good.example")
        assert found.headers["x-request-id"]
    asks = {"origin": "https://good.example", "access-control-request-method": "POST"}
    assert ask(app, "OPTIONS", "/v1/predict", b"", asks).status == 200  # a browser sends no key with it


def test_a_browser_may_ask_whether_it_may_ask(app: Edge, trained: Path) -> None:
    asks = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    assert ask(app, "OPTIONS", "/v1/predict", b"", {"origin": "https://good.example", **asks}).status == 200
    assert ask(app, "OPTIONS", "/v1/predict", b"", {"origin": "https://evil.example", **asks}).status == 403
    closed = application(trained)
    assert ask(closed, "OPTIONS", "/v1/predict", b"", {"origin": "https://good.example", **asks}).status == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"authorization": f"Bearer {KEY}"}, 200),
        ({"authorization": f"bearer  {OTHER}"}, 200),
        ({"x-api-key": KEY}, 200),
        ({"authorization": f"Basic {KEY}"}, 401),
        ({"authorization": f"Bearer {KEY}x"}, 401),
        ({"authorization": "Bearer "}, 401),
        ({"x-api-key": "# of the shop"}, 401),
        ({"x-api-key": "\xff"}, 401),
    ],
)
def test_a_key_opens_all_and_only_probes_and_the_page_need_none(
    headers: dict[str, str], status: int, locked: Edge
) -> None:
    asked = [("POST", "/v1/predict", {"text": "warm"}), ("GET", "/metrics", b""), ("GET", "/v1/model", b"")]
    asked += [("GET", "/openapi.json", b""), ("GET", "/v2", b""), ("GET", "/v2/models/default", b"")]
    for method, path, body in asked:
        found = ask(locked, method, path, body, headers)
        assert found.status == status, path
        assert status == 200 or found.headers["www-authenticate"] == "Bearer"
    for path in ("/health/live", "/health/ready", "/v2/health/ready", "/", "/page/page.js"):
        assert ask(locked, "GET", path, b"", headers).status == 200


def test_every_key_is_compared_whichever_it_is(key_file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import hmac

    digests, compared = read_keys(key_file), list[bytes]()
    real = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda one, other: compared.append(other) or real(one, other))
    for given in (KEY, OTHER, "none"):
        compared.clear()
        assert is_key(given, digests) == (given != "none")
        assert compared == list(digests)


def test_keys_come_from_the_environment_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(API_KEYS, f"{KEY}, {OTHER}")
    assert [is_key(each, read_keys(None)) for each in (KEY, OTHER, f"{KEY},")] == [True, True, False]
    check_settings(ServerSettings(host="0.0.0.0"))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"host": "0.0.0.0"}, "lets other machines in, and no API key is set; add --api-key-file FILE, or --no-auth"),
        ({"host": "box.lan"}, "lets other machines in"),
        ({"api_key_file": "none.txt"}, "none.txt: cannot be read"),
        ({"api_key_file": "empty.txt"}, "holds no key"),
        ({"api_key_file": "short.txt"}, "short.txt:2: a key needs 16"),
        ({"api_key_file": "good.txt", "no_auth": True}, "do not go together"),
        ({"tls_cert": "good.txt"}, "TLS needs both files"),
        ({"tls_cert": "good.txt", "tls_key": "none.pem"}, "--tls-key none.pem: no such file"),
        ({"tls_cert": "good.txt", "tls_key": "short.txt"}, "good.txt, short.txt: no certificate and its key"),
        ({"cors_origins": ("*",)}, "--cors-origin *: is not an origin"),
        ({"cors_origins": ("https://a.example/",)}, "is not an origin"),
    ],
)
def test_settings_that_would_leave_a_server_open_are_refused(
    settings: dict[str, Any], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, content in {"empty": "# none\n", "short": f"{KEY}\nshort\n", "good": KEY}.items():
        (tmp_path / f"{name}.txt").write_text(content)
    with pytest.raises(UsageError) as error:
        check_settings(ServerSettings(**settings))
    assert says in str(error.value)


def test_no_auth_lets_others_in_by_word_only() -> None:
    check_settings(ServerSettings(host="0.0.0.0", no_auth=True))
    check_settings(ServerSettings())


def test_models_are_named_or_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a=b").mkdir()
    assert named_models([]) == (("default", None),)
    assert named_models(["runs/latest"]) == (("default", "runs/latest"),)
    assert named_models(["a=b"]) == (("default", "a=b"),)  # a folder of that name
    assert named_models(["x=runs/1", "y=z=q"]) == (("x", "runs/1"), ("y", "z=q"))
    with pytest.raises(UsageError, match="two models are called default"):
        named_models(["runs/1", "runs/2"])


def lines_of(app: Edge, capfd: pytest.CaptureFixture[str], *words: Any, **more: Any) -> list[str]:
    capfd.readouterr()
    ask(app, *words, **more)
    return capfd.readouterr().err.splitlines()


def test_the_log_has_no_texts_unless_asked(trained: Path, capfd: pytest.CaptureFixture[str]) -> None:
    body = {"text": "secret words"}
    quiet = application(trained, is_quiet=False, log_format="json")
    (line,) = lines_of(quiet, capfd, "POST", "/v1/predict", body, {"x-request-id": "mine-1"})
    found = json.loads(line)
    assert {key: found[key] for key in ("id", "client", "method", "path", "status")} == {
        "id": "mine-1",
        "client": "127.0.0.1",
        "method": "POST",
        "path": "/v1/predict",
        "status": 200,
    }
    assert "secret" not in line
    telling = application(trained, is_quiet=False, log_format="json", log_texts=True)
    (line,) = lines_of(telling, capfd, "POST", "/v1/predict", body)
    assert json.loads(line)["texts"] == ["secret words"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_client_puts_no_line_of_its_own_into_the_log(
    form: str, trained: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    app = application(trained, is_quiet=False, log_format=form, log_texts=True)
    (line,) = lines_of(app, capfd, "GET", "/none\nforged \x1b[31m\u2028line", b"", {"x-request-id": "a\nb"})
    assert line.isprintable() and "forged" in line
    (line,) = lines_of(app, capfd, "POST", "/v1/predict", {"text": "one\ntwo\x1b"})
    assert line.isprintable()
    assert LogLines(form)


def test_an_id_is_given_back_or_made(app: Edge) -> None:
    assert ask(app, "GET", "/health/live", b"", {"x-request-id": "a.b-1"}).headers["x-request-id"] == "a.b-1"
    made = ask(app, "GET", "/health/live", b"", {"x-request-id": "x" * 65}).headers["x-request-id"]
    assert len(made) == 32
