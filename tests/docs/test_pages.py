"""What the documents show is what happens: sessions are run, commands and links are there, pages stay short."""

import re
import shlex
import shutil
from contextlib import suppress
from pathlib import Path

import click
import pytest

from rnn_cli.cli.main import cli
from rnn_cli.config.load import load_config, parse_config, parse_override, recipes
from tests.conftest import BuiltOnce
from tests.docs.pages import NEEDED, ROOT, Shell, agree, blocks, make_once, played
from tests.test_layers import MAY_IMPORT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "data/README.md"]
GENERATED = ("cli.md", "config-keys.md")
SESSIONS = [page for page in PAGES if page.name not in GENERATED and blocks(page)]
QUICK = [page for page in SESSIONS if any(block.when == "run" for block in blocks(page))]
LONG = [page for page in SESSIONS if any(block.when == "slow" for block in blocks(page))]
GUIDE = ROOT / "docs/guide.md"


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture(scope="session")
def films(built_once: BuiltOnce) -> Path:
    """A folder with a model of film reviews in it."""
    page = ROOT / "docs/inspect.md"
    return built_once("films", lambda home: make_once(page, Shell(home / "page"))) / "page"


def check(page: Path, request: pytest.FixtureRequest, folder: Path, *, slow: bool) -> None:
    if NEEDED in page.read_text(encoding="utf-8"):
        shutil.copytree(request.getfixturevalue("films"), folder, symlinks=True)
    wrong = [each for *_, each in played(page, Shell(folder), slow=slow) if each]
    assert not wrong, "\n".join([*wrong, f"python tests/docs/pages.py {name(page)} writes it anew"])


def test_the_guide_prints_what_it_shows(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Far from the other sessions, so that another of pytest's processes trains their model at the same time."""
    check(GUIDE, request, tmp_path / "page", slow=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [page for page in SESSIONS if any(block.when == "slow" for block in blocks(page))], ids=name
)
def test_a_long_session_does_so_too(page: Path, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    check(page, request, tmp_path / "page", slow=True)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_session_is_passed_over(page: Path) -> None:
    fences = re.findall(r"^ *```(?:console|sh|shell|bash)$", page.read_text(encoding="utf-8"), re.M)
    assert len(blocks(page)) == len(fences)


SHOWN = """3 rows scored in 0.1 s (2,575 a second) → out.csv
accuracy  91.2%  90.0% to 92.2%
…
p = 0.016"""


@pytest.mark.parametrize(
    "printed",
    [
        SHOWN,
        SHOWN.replace("0.1 s (2,575", "1,234.5 s (1"),
        SHOWN.replace("91.2%  ", "91.9%\n"),
        SHOWN.replace("…", "a line\nand another"),
        SHOWN.replace("…\n", ""),
        SHOWN.replace("0.016", "0.041"),
    ],
)
def test_a_session_agrees_but_for_cut_lines_and_measured_numbers(printed: str) -> None:
    assert agree(SHOWN, printed)


@pytest.mark.parametrize(
    "printed",
    [
        "",
        SHOWN.replace("3 rows", "4 rows"),
        SHOWN.replace("out.csv", "other.csv"),
        SHOWN.replace("91.2%", "88.2%"),
        SHOWN.replace("0.016", "0.16"),
        SHOWN + "\nWarning: more",
        "Warning: more\n" + SHOWN,
    ],
)
def test_a_session_that_says_something_else_does_not_agree(printed: str) -> None:
    assert not agree(SHOWN, printed)


def commands() -> list[str]:
    """Each `rnn ...` of the documents' code blocks and in-line code, without pipes and comments."""
    found = []
    for page in (each for each in PAGES if each.name not in GENERATED):
        text = page.read_text(encoding="utf-8")
        lines = re.findall(r"`(rnn [^`]+)`", re.sub(r"```.*?```", "", text, flags=re.S))
        for block in blocks(page):
            # A command shown with the error that it earns is wrong on purpose.
            right = [each for each in block.commands if not (each.shown or "").startswith("Error: ")]
            lines += [line for each in right for line in each.typed.splitlines()]
        for line in lines:
            # The shell's own signs, unless they stand in quotes.
            for part in re.split(r"""(?:&&|\||>| # )(?=(?:[^"]*"[^"]*")*[^"]*$)""", line):
                if part.strip().startswith("rnn ") and "…" not in part:
                    found.append(part.strip())
    return sorted(set(found))


@pytest.mark.parametrize("command", commands())
def test_a_documented_command_is_one(command: str) -> None:
    words = shlex.split(command)[1:]
    context = cli.make_context("rnn", words[:0] if not words else list(words), resilient_parsing=False)
    group, rest = cli, [*context._protected_args, *context.args]
    while rest:
        name, found, rest = group.resolve_command(context, rest)
        assert found is not None, f"no command {name}"
        if not hasattr(found, "resolve_command"):
            with suppress(click.MissingParameter, click.BadOptionUsage):  # it is only spoken of
                check_config(found.make_context(name, rest).params)
            return
        if not rest:
            return
        context = found.make_context(name, rest)
        group, rest = found, [*context._protected_args, *context.args]  # type: ignore[assignment]


def check_config(parameters: dict[str, object]) -> None:
    """What a documented command names in a config must be there."""
    if "config" in parameters and parameters["config"] in {None, *recipes()}:
        load_config(parameters["config"], [*map(parse_override, parameters.get("settings", ()))])  # type: ignore[arg-type]
    elif "settings" in parameters:
        parse_config("", "(documents)", [*map(parse_override, parameters["settings"])])  # type: ignore[arg-type]


def anchors(page: Path) -> set[str]:
    """What a link can name in a page: its headings, as GitHub writes them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    heads = re.findall(r"^#+ (.*)", text, re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text(encoding="utf-8")):
        file, _, anchor = link.partition("#")
        target = (page.parent / file) if file else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


LONGEST = {"README.md": 170, "CONTRIBUTING.md": 30, "docs/guide.md": 315, "docs/files.md": 240}


@pytest.mark.parametrize("page", [page for page in PAGES if page.name not in GENERATED], ids=name)
def test_a_page_is_short(page: Path) -> None:
    assert len(page.read_text(encoding="utf-8").splitlines()) <= LONGEST.get(name(page), 200)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_page_names_a_place_of_one_machine(page: Path) -> None:
    assert not re.search(r"/(?:home|tmp|root|work)/|pypi\.org|anaconda\.org", page.read_text(encoding="utf-8"))


def test_the_map_names_every_room_below_those_that_it_imports() -> None:
    table = (ROOT / "docs/architecture.md").read_text(encoding="utf-8").partition("## Rooms")[2].partition("\n## ")[0]
    rows = [re.findall(r"`(\w+)`", row.split("|")[1]) for row in table.splitlines() if row.startswith("| `")]
    place = {room: number for number, row in enumerate(rows) for room in row}
    assert set(place) == set(MAY_IMPORT) - {"__main__"}
    assert all(place[below] <= place[room] for room in place for below in MAY_IMPORT[room])


@pytest.mark.parametrize("page", [page for page in QUICK if page != GUIDE], ids=name)
def test_a_session_prints_what_the_page_shows(page: Path, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    check(page, request, tmp_path / "page", slow=False)
