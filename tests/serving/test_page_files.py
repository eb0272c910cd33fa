"""The page's files as the server sends them: their types, their policy, and that they ask no other host."""

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path

import pytest

import rnn_cli.serving.page as page
from rnn_cli.bundle.locate import GENERAL_FOLDER
from rnn_cli.reporting.canvas import DARK, LIGHT
from rnn_cli.serving.edge import Edge

from .asking import application, ask

FOLDER = Path(page.__file__).parent
FILES = {
    file.name: file.read_text("utf-8") for file in FOLDER.iterdir() if file.suffix in (".html", ".css", ".js", ".svg")
}
MODULES = sorted(name for name in FILES if name.endswith(".js"))


@pytest.fixture(scope="module")
def app() -> Edge:
    return application(GENERAL_FOLDER)


def policy(headers: Mapping[str, str]) -> dict[str, str]:
    """A Content-Security-Policy by directive."""
    directives = (each.strip().partition(" ") for each in headers["content-security-policy"].split(";"))
    return {name: sources for name, _, sources in directives}


def test_the_policy_lets_only_the_pages_own_files_run(app: Edge) -> None:
    found = policy(ask(app, "GET", "/").headers)
    assert found["default-src"] == found["base-uri"] == found["form-action"] == found["frame-ancestors"] == "'none'"
    loaded = {name: found[name] for name in ("script-src", "style-src", "img-src", "connect-src")}
    assert set(loaded.values()) == {"'self'"}
    assert found["require-trusted-types-for"] == "'script'"
    assert found["trusted-types"] == "'none'"


TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@pytest.mark.parametrize("name", sorted(set(FILES) - {"index.html"}))
def test_each_file_is_sent_as_it_is_with_its_type(app: Edge, name: str) -> None:
    found = ask(app, "GET", f"/page/{name}")
    assert (found.status, found.body) == (200, (FOLDER / name).read_bytes())
    assert found.headers["content-type"].partition(";")[0] == TYPES[Path(name).suffix]
    assert found.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/page/page.js"])
def test_a_browser_keeps_files_and_asks_whether_they_changed(app: Edge, path: str) -> None:
    first = ask(app, "GET", path)
    assert first.headers["cache-control"] == "no-cache"
    again = ask(app, "GET", path, b"", {"if-none-match": first.headers["etag"]})
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", first.headers["etag"])
    other = ask(app, "GET", path, b"", {"if-none-match": '"another"'})
    assert (other.status, other.body) == (200, first.body)


@pytest.mark.parametrize("path", ["__init__.py", "", "..%2Fapp.py", "../app.py", "index.html", "none.js"])
def test_nothing_else_of_the_folder_is_sent(app: Edge, path: str) -> None:
    assert ask(app, "GET", f"/page/{path}").status == 404


def test_what_files_name_is_served(app: Edge) -> None:
    named = set(re.findall(r'(?:href|src)="([^"#]+)"', FILES["index.html"]))
    named |= {f"page/{name}" for module in MODULES for name in re.findall(r'from "\./([^"]+)"', FILES[module])}
    assert {f"page/{name}" for name in FILES} - {"page/index.html"} == named
    assert {ask(app, "GET", f"/{path}").status for path in named} == {200}


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
