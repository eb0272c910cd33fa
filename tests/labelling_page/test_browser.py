"""The page in Chromium: keys, the table, two tabs, a server that is away. Skipped where there is no Chromium."""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from queue import Queue
from typing import Any
from urllib.parse import urlsplit

import pytest

from rnn_cli.labelling.session import Session
from rnn_cli.labelling_page.serve import serve_sitting
from tests.labelling.conftest import Begin, made

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright drives the browser: pip install playwright")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
if CHROMIUM is None:
    pytest.skip("no Chromium is installed (Debian: apt-get install chromium)", allow_module_level=True)

WAIT_SECONDS = 30
TRUE = dict(made(200))

Page = Any


class Sitting:
    """A sitting that is served, the browser that has opened it, and what went wrong there."""

    def __init__(self, session: Session, address: str, context: Any) -> None:
        self.session, self.address, self.context = session, address, context
        self.complaints: list[str] = []
        self.url = address.partition("?")[0]

    def tab(self, address: str | None = None) -> Page:
        page = self.context.new_page()
        own = urlsplit(self.url).netloc
        page.on("request", lambda request: self._check(urlsplit(request.url).netloc == own, request.url))
        page.on("pageerror", lambda error: self._check(False, str(error)))
        page.on("console", lambda message: self._check("Content" not in message.text, message.text))
        page.goto(address or self.url)
        page.wait_for_selector("#labels button")
        return page

    def _check(self, is_well: bool, what: str) -> None:
        if not is_well:
            self.complaints.append(what)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as tool:
        opened = tool.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@contextmanager
def serving(session: Session, port: int = 0) -> Iterator[str]:
    """The address of the sitting's page, served by a thread."""
    addresses: Queue[str] = Queue()
    ends = threading.Event()
    thread = threading.Thread(target=serve_sitting, args=(session, None, port, addresses.put, ends.is_set))
    thread.start()
    try:
        yield addresses.get(timeout=WAIT_SECONDS)
    finally:
        ends.set()
        thread.join(WAIT_SECONDS)
        assert not thread.is_alive()


@pytest.fixture
def sit(begin: Begin, browser: Any) -> Iterator[Callable[..., Sitting]]:
    """Begins a sitting and opens its page."""
    with ExitStack() as held:
        found: list[Sitting] = []

        def start(*labels: str, kind: str | None = None, **how: Any) -> Sitting:
            session = begin(*(labels or ("good", "bad")), kind=kind)
            address = held.enter_context(serving(session))
            context = held.enter_context(browser.new_context(**how))
            context.set_default_timeout(1000 * WAIT_SECONDS)
            found.append(Sitting(session, address, context))
            return found[-1]

        yield start
        assert [each.complaints for each in found] == [[]] * len(found)


def row(page: Page) -> int:
    """The row that the page shows, counted from 0."""
    return int(page.text_content("#about").split(",")[0].removeprefix("Row ")) - 1


def press(page: Page, key: str, said: str) -> None:
    """Press a key, and wait for what the page says of it."""
    page.keyboard.press(key)
    heard(page, said)


def heard(page: Page, said: str) -> None:
    page.wait_for_function(
        "said => document.querySelector('#said').textContent.includes(said)"
        " && !document.querySelector('#text.waiting')",
        arg=said,
    )


def test_keys_label_skip_and_go_back(sit: Callable[..., Sitting]) -> None:
    sitting = sit()
    page = sitting.tab(sitting.address)
    assert page.url == sitting.url  # the key is gone from the address
    first = row(page)
    assert page.text_content("#text") == sitting.session.texts.rows[first]
    press(page, "1", f"Row {first + 1}: good.")
    second = row(page)
    press(page, "s", "Skipped.")
    page.locator("#labels button").nth(1).click()
    heard(page, ": bad.")
    assert list(sitting.session.log.answers.labelled.values()) == ["good", "bad"]
    press(page, "u", "taken back")
    press(page, "u", f"The answer to row {second + 1} is taken back.")
    assert row(page) == second and "1 of 200 labelled" in page.text_content("#pace")
    page.keyboard.press("Control+1")
    page.keyboard.press("x")
    page.reload()
    page.wait_for_selector("#labels button")
    assert row(page) == second and list(sitting.session.log.answers.labelled) == [first]


def test_notes_search_and_new_labels_are_typed_below_the_text(sit: Callable[..., Sitting]) -> None:
    sitting = sit()
    page = sitting.tab(sitting.address)
    page.keyboard.press("n")
    page.keyboard.type("1 <b>odd</b>")  # no label, though it is a key
    press(page, "Enter", "The note is kept.")
    assert page.text_content("#note") == "Note: 1 <b>odd</b>"
    page.keyboard.press("/")
    page.keyboard.type("lovely")
    press(page, "Enter", "Texts with these words come first")
    assert "lovely" in page.text_content("#text") and "found by your search" in page.text_content("#about")
    page.keyboard.press("+")
    page.keyboard.type("lost")
    page.keyboard.press("Escape")
    page.keyboard.press("+")
    page.keyboard.type("good")
    press(page, "Enter", "There is a label 'good' already.")
    page.keyboard.press("+")
    page.keyboard.type("so so")
    press(page, "Enter", "New label: so so.")
    press(page, "3", ": so so.")
    assert sitting.session.labels == ("good", "bad", "so so")
    assert list(sitting.session.log.answers.labelled.values()) == ["so so"]


def answer(sitting: Sitting, count: int) -> None:
    """Answer truly, without the page."""
    for _ in range(count):
        assert sitting.session.current is not None
        sitting.session.label(TRUE[sitting.session.current.text])
    sitting.session.learner.wait()


def test_figures_words_and_guesses_are_shown(sit: Callable[..., Sitting]) -> None:
    sitting = sit()
    answer(sitting, 40)
    page = sitting.tab(sitting.address)
    standing = sitting.session.standing()
    assert standing.accuracy is not None
    tile = page.text_content("#figures .tile")
    assert f"{standing.accuracy.share:.0%}" in tile and "by 4 texts drawn by chance" in tile
    counts = page.locator("#figures .bars .n").all_text_contents()
    assert counts == [f"{count}" for count in standing.counts.values()]
    page.wait_for_selector("svg.curve")  # the models of fewer answers are fitted by now
    page.wait_for_function("() => document.querySelector('svg.curve').getAttribute('aria-label').includes('after 10,')")
    assert f"{standing.accuracy.share:.0%} after 40" in page.get_attribute("svg.curve", "aria-label")
    why = sitting.session.why()
    assert why is not None
    page.keyboard.press("?")
    page.wait_for_selector("#why:not([hidden])")
    assert "the model is unsure of it" in page.text_content("#why")
    for way, words in (("for", why.words_for), ("against", why.words_against)):
        assert page.locator(f"#why .{way} li").all_text_contents() == list(words)
        marked = set(page.locator(f"#text mark.{way}").all_text_contents())
        assert {each.lower() for each in marked} == set(words)
    assert page.is_hidden("#guess")
    press(page, "g", "Guesses are shown.")
    assert why.probabilities[0][0] in page.text_content("#guess")


def test_what_was_labelled_is_filtered_and_changed_in_its_table(sit: Callable[..., Sitting]) -> None:
    sitting = sit()
    answer(sitting, 20)
    page = sitting.tab(sitting.address)
    assert page.locator("#done tbody tr").count() == 20
    labelled = sitting.session.log.answers.labelled
    page.select_option("#filter-label", "good")
    good = sum(label == "good" for label in labelled.values())
    page.wait_for_function("n => document.querySelectorAll('#done tbody tr').length === n", arg=good)
    changed = next(each for each in reversed(labelled) if labelled[each] == "good")
    page.locator("#done select").first.select_option("bad")
    heard(page, f"Row {changed + 1}: bad.")
    assert sitting.session.log.answers.labelled[changed] == "bad"
    page.wait_for_function("n => document.querySelectorAll('#done tbody tr').length === n", arg=good - 1)
    page.select_option("#filter-label", label="all")
    page.fill("#filter-words", sitting.session.texts.rows[changed].split()[0])
    page.wait_for_function("() => document.querySelectorAll('#done tbody tr').length === 1")
    assert page.text_content("#done .full") == sitting.session.texts.rows[changed]
    page.fill("#filter-words", "nowhere")
    page.wait_for_selector("#done >> text=None is like this.")


def test_two_tabs_overwrite_nothing(sit: Callable[..., Sitting]) -> None:
    sitting = sit()
    one = sitting.tab(sitting.address)
    other = sitting.tab()
    assert row(one) == (first := row(other))
    other.route("**/sitting/state", lambda route: None)  # it does not look before its key is pressed
    press(one, "1", ": good.")
    other.keyboard.press("2")
    other.wait_for_function("old => !document.querySelector('#about').textContent.startsWith(`Row ${old} `)", arg=first)
    heard(other, "another tab")
    assert row(one) == row(other) and list(sitting.session.log.answers.labelled.items()) == [(first, "good")]


def test_a_note_is_kept_with_the_row_it_was_typed_for_or_not_at_all(sit: Callable[..., Sitting]) -> None:
    sitting = sit()
    one = sitting.tab(sitting.address)
    one.keyboard.press("n")
    one.keyboard.type("of the first")
    other = sitting.tab()
    press(other, "1", ": good.")
    press(one, "Enter", "Not done")
    assert sitting.session.log.answers.notes == {} and row(one) == row(other)


def test_while_the_server_is_away_the_last_key_is_sent_again(sit: Callable[..., Sitting]) -> None:
    sitting = sit()
    page = sitting.tab(sitting.address)
    first, lost = row(page), list[str]()

    def lose(route: Any) -> None:
        lost.append(route.request.post_data)
        if len(lost) == 1:
            route.abort()  # never arrives
        elif len(lost) == 2:
            route.fetch()  # the reply gets lost
            route.abort()
        else:
            route.continue_()

    page.route("**/sitting/step", lose)
    page.keyboard.press("1")
    page.wait_for_selector("#problem:not([hidden])")
    assert "The connection is lost" in page.text_content("#problem")
    page.keyboard.press("2")  # not for a text that nobody has seen
    heard(page, f"Row {first + 1}: good.")
    assert page.is_hidden("#problem") and len(set(lost)) == 1 and len(lost) == 3
    assert [each.label for each in sitting.session.log.answers.steps] == ["good"]


def test_a_tab_goes_on_with_the_command_that_was_started_again(
    sit: Callable[..., Sitting], begin: Begin, browser: Any
) -> None:
    session = begin("good", "bad")
    with browser.new_context() as context, ExitStack() as held:
        context.set_default_timeout(1000 * WAIT_SECONDS)
        with serving(session) as address:
            old = Sitting(session, address, context).tab(address)
            first = row(old)
        old.keyboard.press("2")
        old.wait_for_selector("#problem:not([hidden])")
        again = held.enter_context(serving(begin(), urlsplit(address).port or 0))
        old.wait_for_function("() => document.querySelector('#problem').textContent.includes('new address')")
        page = context.new_page()
        page.goto(again)
        heard(old, f"Row {first + 1}: bad.")
        assert old.is_hidden("#problem")


def test_the_end_is_told(sit: Callable[..., Sitting]) -> None:
    sitting = sit()
    page = sitting.tab(sitting.address)
    press(page, "1", ": good.")
    page.keyboard.press("q")
    page.wait_for_selector(".ended main h2")
    assert "1 text labelled, all kept in texts.csv.labels.jsonl" in page.text_content("main .hint:not([id])")
    assert page.is_hidden("#labels")


def test_keys_of_one_letter_can_be_turned_off(sit: Callable[..., Sitting]) -> None:
    sitting = sit()
    page = sitting.tab(sitting.address)
    page.uncheck("#keys")
    page.keyboard.press("1")
    page.locator("#labels button").first.press("Enter")
    heard(page, ": good.")
    assert len(sitting.session.log.answers.steps) == 1


def test_several_labels_are_ticked_and_confirmed(sit: Callable[..., Sitting]) -> None:
    sitting = sit("warm", "long", "odd", kind="several")
    page = sitting.tab(sitting.address)
    first = row(page)
    page.keyboard.press("1")
    page.locator("#labels button").nth(2).click()
    page.keyboard.press("2")
    page.keyboard.press("2")
    assert page.text_content("#given") == "warm, odd"
    press(page, "Enter", f"Row {first + 1}: warm, odd.")
    press(page, "Enter", ": none of them.")  # nothing of the last text is left
    assert list(sitting.session.log.answers.labelled.values()) == [("warm", "odd"), ()]
    page.locator("#done .opens").nth(1).click()
    page.locator("#done .several input").nth(0).uncheck()
    page.locator("#done .several .main").click()
    heard(page, f"Row {first + 1}: odd.")
    assert sitting.session.log.answers.labelled[first] == ("odd",)


HOSTILE = '<img src=x onerror="window.ran=1">'


def test_hostile_labels_run_no_script(sit: Callable[..., Sitting]) -> None:
    sitting = sit(HOSTILE, "__proto__")
    page = sitting.tab(sitting.address)
    press(page, "1", HOSTILE)
    press(page, "2", "__proto__")
    page.wait_for_function("document.querySelector('#done select')?.value === '__proto__'")
    assert page.evaluate("window.ran") is None


@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_serious_and_nothing_is_too_wide(width: int, sit: Callable[..., Sitting]) -> None:
    found = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python")
    sitting = sit(viewport={"width": width, "height": 800}, reduced_motion="reduce")
    page = sitting.tab(sitting.address)

    def check() -> None:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            wrong = found.Axe().run(page).response["violations"]
            serious = [each for each in wrong if each["impact"] in ("serious", "critical")]
            assert [(each["id"], each["nodes"][0]["html"]) for each in serious] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    check()
    answer(sitting, 55)
    page.reload()
    page.wait_for_selector("#done tbody tr")
    press(page, "g", "shown")
    page.keyboard.press("?")
    page.wait_for_selector("#why:not([hidden])")
    page.keyboard.press("n")
    check()
    page.keyboard.press("Escape")
    page.keyboard.press("q")
    page.wait_for_selector(".ended main h2")
    check()
