"""The address opens once; then a cookie does, of this server alone, and from no other site."""

import re

import pytest

from rnn_cli.labelling_page.app import LabelPage
from rnn_cli.labelling_page.door import Door
from rnn_cli.labelling_page.serve import guarded
from rnn_cli.serving.edge import Edge
from tests.labelling.conftest import Begin
from tests.serving.asking import ask

PATHS = ("/", "/sitting/state", "/sitting/why", "/sitting/labelled")


@pytest.fixture
def edge(begin: Begin) -> tuple[Edge, str]:
    """The whole application, and its key."""
    door = Door(LabelPage(begin("good", "bad")).app)
    return guarded(door, 8000), door.key


def test_nothing_opens_without_the_key(edge: tuple[Edge, str]) -> None:
    app, key = edge
    for path in (*PATHS, "/?key=", "/?key=x", f"/sitting/state?key={key}", "/none"):
        assert ask(app, "GET", path).status == 401, path
    assert ask(app, "POST", "/sitting/step", {}).status == ask(app, "POST", "/sitting/end", {}).status == 401
    assert ask(app, "POST", f"/?key={key}").status == 401  # and it is not used up
    assert ask(app, "GET", f"/?key={key}").status == 200


def test_the_key_opens_once_and_the_cookie_from_then_on(edge: tuple[Edge, str]) -> None:
    app, key = edge
    opened = ask(app, "GET", f"/?key={key}")
    cookie = opened.headers["set-cookie"]
    name, value = re.match(r"(rnn-label-8000)=([\w-]{32}); Path=/; HttpOnly; SameSite=Strict$", cookie).groups()  # type: ignore[union-attr]
    assert key not in cookie and "default-src 'none'" in opened.headers["content-security-policy"]
    again = ask(app, "GET", f"/?key={key}")
    assert again.status == 401 and b"opens once" in again.body and "set-cookie" not in again.headers
    for path in PATHS:
        assert ask(app, "GET", path, b"", {"cookie": f"other=1; {name}={value}"}).status == 200
        for wrong in (f"{name}=", f"{name}={value}x", f"rnn-label-8001={value}", f"{name}={key}", "\xff=1"):
            assert ask(app, "GET", path, b"", {"cookie": wrong}).status == 401


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "evil.example:8000"}, 421),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:9"}, 403),
        ({"origin": "http://127.0.0.1:8000"}, 200),
        ({"host": "localhost:8000", "origin": "http://localhost:8000"}, 200),
    ],
)
def test_no_other_site_gets_in_even_with_the_cookie(
    header: dict[str, str], status: int, edge: tuple[Edge, str]
) -> None:
    app, key = edge
    cookie = ask(app, "GET", f"/?key={key}").headers["set-cookie"].partition(";")[0]
    found = ask(app, "GET", "/sitting/state", b"", {"cookie": cookie, **header})
    assert found.status == status and (status == 200 or b"open it as localhost" in found.body)


def test_files_tell_nothing_and_are_open(edge: tuple[Edge, str]) -> None:
    app, _ = edge
    for path in ("/page/page.css", "/page/elements.js", "/label/label.js", "/label/label.css"):
        found = ask(app, "GET", path)
        assert found.status == 200 and found.headers["x-content-type-options"] == "nosniff"
    for path in ("/label/__init__.py", "/label/../app.py", "/label/index.html", "/label/"):
        assert ask(app, "GET", path).status == 404


def test_answers_are_kept_nowhere(edge: tuple[Edge, str], capsys: pytest.CaptureFixture[str]) -> None:
    app, key = edge
    cookie = ask(app, "GET", f"/?key={key}").headers["set-cookie"].partition(";")[0]
    found = ask(app, "GET", "/sitting/state", b"", {"cookie": cookie})
    assert found.headers["cache-control"] == "no-store" and found.headers["referrer-policy"] == "no-referrer"
    assert key not in capsys.readouterr().err
