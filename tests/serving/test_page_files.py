"""The page's files as the server sends them: their types, their policy, and that they ask no other host."""

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from html.parser import HTMLParser
from pathlib import Path

import pytest

import rnn_cli.serving.page as page
from rnn_cli.reporting.canvas import DARK, LIGHT

from .pages import served

FOLDER = Path(page.__file__).parent
FILES = {
    file.name: file.read_text("utf-8") for file in FOLDER.iterdir() if file.suffix in (".html", ".css", ".js", ".svg")
}
MODULES = sorted(name for name in FILES if name.endswith(".js"))


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served("general") as found:
        yield found


def sent(url: str, **headers: str) -> tuple[int, Message, bytes]:
    """Status, headers and body of an answer."""
    asked = urllib.request.Request(url, headers={name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with urllib.request.urlopen(asked) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def policy(headers: Message) -> dict[str, str]:
    """A Content-Security-Policy by directive."""
    directives = (each.strip().partition(" ") for each in headers["Content-Security-Policy"].split(";"))
    return {name: sources for name, _, sources in directives}


def test_the_policy_lets_only_the_pages_own_files_run(address: str) -> None:
    _, headers, _ = sent(address)
    found = policy(headers)
    assert found["default-src"] == found["base-uri"] == found["form-action"] == found["frame-ancestors"] == "'none'"
    loaded = {name: found[name] for name in ("script-src", "style-src", "img-src", "connect-src")}
    assert set(loaded.values()) == {"'self'"}
    assert found["require-trusted-types-for"] == "'script'"
    assert found["trusted-types"] == "'none'"


TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@pytest.mark.parametrize("name", sorted(set(FILES) - {"index.html"}))
def test_each_file_is_sent_as_it_is_with_its_type(address: str, name: str) -> None:
    status, headers, content = sent(f"{address}/page/{name}")
    assert (status, content) == (200, (FOLDER / name).read_bytes())
    assert headers.get_content_type() == TYPES[Path(name).suffix]
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/page/page.js"])
def test_a_browser_keeps_files_and_asks_whether_they_changed(address: str, path: str) -> None:
    _, headers, content = sent(address + path)
    assert headers["Cache-Control"] == "no-cache"
    status, again, nothing = sent(address + path, If_None_Match=headers["ETag"])
    assert (status, nothing, again["ETag"]) == (304, b"", headers["ETag"])
    status, _, whole = sent(address + path, If_None_Match='"another"')
    assert (status, whole) == (200, content)


@pytest.mark.parametrize("path", ["__init__.py", "", "..%2Fapp.py", "../app.py", "index.html", "none.js"])
def test_nothing_else_of_the_folder_is_sent(address: str, path: str) -> None:
    assert sent(f"{address}/page/{path}")[0] == 404


def test_what_files_name_is_served(address: str) -> None:
    named = set(re.findall(r'(?:href|src)="([^"#]+)"', FILES["index.html"]))
    named |= {f"page/{name}" for module in MODULES for name in re.findall(r'from "\./([^"]+)"', FILES[module])}
    assert {f"page/{name}" for name in FILES} - {"page/index.html"} == named
    assert {sent(f"{address}/{path}")[0] for path in named} == {200}


@pytest.mark.parametrize("name", sorted(FILES))
def test_no_file_names_another_host(name: str) -> None:
    addresses = re.findall(r"(?:(?:https?|wss?)://|data:|@import|url\()[^\s\"']*", FILES[name])
    assert [each for each in addresses if each != "http://www.w3.org/2000/svg"] == []
    assert not re.search(r"[\"'(]//", FILES[name])


class Inline(HTMLParser):
    """What a strict policy would not run: scripts and styles without a file, and handlers in attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(tag)
        self.found += [name for name in names if name == "style" or name.startswith("on")]


def test_the_document_holds_no_script_and_no_style() -> None:
    parser = Inline()
    parser.feed(FILES["index.html"])
    assert parser.found == []


@pytest.mark.parametrize("name", MODULES)
def test_no_module_makes_markup_or_code_of_texts(name: str) -> None:
    ways = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|srcdoc|DOMParser|setHTML"
    assert not re.search(ways, FILES[name])


@pytest.mark.parametrize("name", MODULES)
def test_no_module_keeps_anything(name: str) -> None:
    assert not re.search(r"localStorage|sessionStorage|indexedDB|document\.cookie|caches\b", FILES[name])


@pytest.mark.parametrize(("scheme", "colours"), [("light", LIGHT), ("dark", DARK)])
def test_the_page_has_the_reports_colours(scheme: str, colours: dict[str, str]) -> None:
    light, _, dark = FILES["page.css"].partition("@media (prefers-color-scheme: dark)")
    text = light if scheme == "light" else dark.partition("\n}")[0]
    found = dict(re.findall(r"--(\w+): (#\w{6});", text))
    shared = ("paper", "panel", "ink", "muted", "rule", "blue", "red", "green")
    assert {name: found[name] for name in shared} == {name: colours[name] for name in shared}
