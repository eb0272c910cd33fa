"""The page in Chromium: what people type, drop and meet. Skipped where there is no Chromium or no Playwright."""

import csv
import json
import math
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from rnn_cli.bundle.locate import GENERAL_FOLDER
from rnn_cli.scoring.predictor import Predictor
from tests.forge import Forged

from .asking import running

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright drives the browser: pip install playwright")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
if CHROMIUM is None:
    pytest.skip("no Chromium is installed (Debian: apt-get install chromium)", allow_module_level=True)

WAIT_SECONDS = 30
"""A busy machine answers well within that."""

Page = Any
Open = Callable[..., Page]

TEXT = "The plot is thin, but the actors are wonderful and I laughed all evening."
UNSURE = "I do not know what to think of this film."
LINES = [
    "Warm, funny and over far too soon.",
    "The battery died after two days.",
    "The parcel came on Tuesday.",
    "qzxv",
]

HOSTILE = [
    "<img src=x onerror=\"window.ran='img'\">",
    "</script><script>window.ran='script'</script>",
    "\"><svg onload=window.ran='svg'> ' onclick='window.ran=1",
    "javascript:window.ran='url'//",
    "</style><style>*{display:none}</style>",
    "{{constructor.constructor('window.ran=1')()}} ${window.ran=1}",
    "__proto__",
    "\u202eright to left\u2066 \u200b\x07 \ufeff",
]


@contextmanager
def served(folder: Path, *words: object) -> Iterator[str]:
    """The address of `rnn serve` with these words; `folder` gets its log."""
    with running(folder, *map(str, words)) as server:
        yield server.url


@pytest.fixture(scope="module")
def general(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("general"), "--model", "general") as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as tool:
        # A container has no sandbox of its own to give.
        opened = tool.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Open]:
    """Opens the page of an address; fails if it asked another host, broke its policy, or threw."""
    contexts, hosts, complaints = [], set[tuple[str, str]](), []

    def opened(address: str, *, ready: bool = True, **how: Any) -> Page:
        context = browser.new_context(**how)
        contexts.append(context)
        context.set_default_timeout(1000 * WAIT_SECONDS)
        page = context.new_page()
        page.on("request", lambda request: hosts.add((urlsplit(address).netloc, urlsplit(request.url).netloc)))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if "Content" in message.text else None)
        page.goto(address)
        if ready:
            page.wait_for_selector("#model:not([hidden])")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert {asked for own, asked in hosts if asked != own} <= {""}  # a download's address is a blob, of no host
    assert complaints == []


def predict(page: Page, text: str) -> None:
    """Type a text and wait for its prediction with the words for and against."""
    page.fill("#text", text)
    page.wait_for_function("text => document.querySelector('#result > .words .text')?.textContent === text", arg=text)


def bars(page: Page) -> dict[str, float]:
    """The width of each label's bar, as a share."""
    names = page.locator("#result > .bars .label").all_text_contents()
    read = "all => all.map(each => parseFloat(each.style.inlineSize))"
    widths = page.eval_on_selector_all("#result > .bars .fill", read)
    return {label: width / 100 for label, width in zip(names, widths, strict=True)}


# ------------------------------------------------------------------ answers


def test_what_is_typed_is_predicted_as_the_package_predicts_it(general: str, open_page: Open) -> None:
    predictor = Predictor.open(GENERAL_FOLDER)
    (expected,) = predictor.predict([TEXT])
    page = open_page(general)
    page.locator("#text").press_sequentially(TEXT)
    page.wait_for_function("text => document.querySelector('#result > .words .text')?.textContent === text", arg=TEXT)
    assert page.text_content("#result .verdict b") == expected.label
    assert page.text_content("#result .verdict .share") == f"{expected.probability:.1%}"
    assert bars(page) == pytest.approx(dict(zip(predictor.labels, expected.probabilities, strict=True)), abs=1e-5)
    assert list(bars(page)) == list(predictor.labels)


def test_words_are_marked_as_the_explanation_weighs_them(general: str, open_page: Open) -> None:
    text = "😀 " + TEXT  # an emoji is two of JavaScript's characters
    parts = Predictor.open(GENERAL_FOLDER).explain(text)
    top = max(abs(part.weight) for part in parts)
    expected = [
        (text[part.start : part.end], "for" if part.weight > 0 else "against")
        for part in parts
        if abs(part.weight) >= 0.005 and abs(part.weight) / top >= 0.1
    ]
    page = open_page(general)
    predict(page, text)
    found = page.eval_on_selector_all("#result mark", "all => all.map(e => [e.textContent, e.classList[0]])")
    assert [tuple(each) for each in found] == expected
    strongest = max(parts, key=lambda part: part.weight)
    first = page.text_content("#result .named.for li:first-child")
    assert first == f"{text[strongest.start : strongest.end]} +{strongest.weight:.2f}"


def test_the_last_text_wins_whatever_order_answers_come_in(general: str, open_page: Open) -> None:
    page = open_page(general)
    held: list[Any] = []

    def hold(route: Any) -> None:
        if "dreadful" in route.request.post_data:
            held.append(route)  # answered when the later text has been
        else:
            route.continue_()

    page.route("**/v1/explain", hold)
    with page.expect_request("**/v1/explain"):
        page.fill("#text", "A dreadful film.")
    predict(page, "A lovely film.")
    for route in held:
        try:
            route.continue_()
        except playwright.Error:
            pass  # the page gave it up
    page.wait_for_load_state("networkidle")
    assert len(held) == 1
    assert page.text_content("#result .text") == "A lovely film."
    assert page.text_content("#result .verdict b") == "positive"


@pytest.mark.parametrize("labels", [None, 2])
def test_a_bar_ends_in_the_drawn_zone_where_the_model_is_unsure(
    labels: int | None, trained: Path, tmp_path: Path, open_page: Open
) -> None:
    original = trained if labels else GENERAL_FOLDER
    forged = Forged(original, tmp_path / "model")
    forged.sign(unsure_below=2.5, **({"threshold": 0.3} if labels else {}))
    predictor = Predictor.open(forged.path)
    texts = [
        TEXT,
        UNSURE,
        *LINES[:3],
        "dull and warm",
        "warm funny lovely",
        "an ending of a story",
        "usual noisy bright film",
    ]
    predictions = [each for each in predictor.predict(texts) if not each.no_known_words]
    assert {each.unsure for each in predictions} == {True, False}
    with served(tmp_path, "--model", forged.path) as address:
        page = open_page(address)
        for text, expected in zip(texts, predictor.predict(texts), strict=True):
            predict(page, text)
            start, width = page.eval_on_selector(
                "#result .bars .zone", "e => [parseFloat(e.style.insetInlineStart), parseFloat(e.style.inlineSize)]"
            )
            assert start / 100 <= expected.probability + 1e-6
            assert (expected.probability < (start + width) / 100) == expected.unsure
            if expected.unsure and not expected.no_known_words:
                assert page.text_content("#result .verdict b") == "unsure"


def test_a_model_that_always_decides_has_no_zone(trained: Path, tmp_path: Path, open_page: Open) -> None:
    with served(tmp_path, "--model", trained) as address:
        page = open_page(address)
        predict(page, "warm and funny")
        assert page.locator(".zone").count() == 0


def test_a_text_without_a_known_word_gets_no_label(general: str, open_page: Open) -> None:
    page = open_page(general)
    predict(page, "qzxv wqzzx")
    assert page.text_content("#result .verdict") == "no known word"


def test_several_lines_give_a_table_or_one_text(general: str, open_page: Open) -> None:
    expected = Predictor.open(GENERAL_FOLDER).predict(LINES)
    page = open_page(general)
    page.fill("#text", "\n".join(LINES) + "\n\n")
    page.wait_for_selector(".lines")
    assert page.locator(".opener").all_text_contents() == LINES
    labels = ["no known word" if each.no_known_words else "unsure" if each.unsure else each.label for each in expected]
    assert page.locator(".lines td.label").all_text_contents() == labels
    page.locator(".opener").first.click()
    page.wait_for_selector(".details .words .text")
    assert page.text_content(".details .words .text") == LINES[0]
    page.uncheck("#by-line")
    page.wait_for_selector("#result > .words .text")
    assert page.locator(".lines").count() == 0


def test_a_long_text_shows_its_label_before_its_words(general: str, open_page: Open) -> None:
    page = open_page(general)
    with page.expect_request("**/v1/predict") as predicted, page.expect_request("**/v1/explain"):
        page.fill("#text", TEXT * 20)
    assert json.loads(predicted.value.post_data)["text"] == TEXT * 20
    page.wait_for_selector("#result .words .text")
    assert page.text_content("#result .words .text") == TEXT * 20


def test_examples_fit_the_models_labels(general: str, trained: Path, tmp_path: Path, open_page: Open) -> None:
    page = open_page(general)
    assert "Warm, funny and over far too soon." in page.locator(".example").all_text_contents()
    page.locator(".example").first.click()
    page.wait_for_selector("#result mark")
    topics = Forged(trained, tmp_path / "topics")
    topics.sign(labels=["billing", "delivery"])
    with served(tmp_path, "--model", topics.path) as address:
        found = open_page(address).locator(".example").all_text_contents()
    assert len(found) == 2 and not set(found) & {"Warm, funny and over far too soon."}
    assert any("charged" in text for text in found)


# --------------------------------------------------------------------- files


def rows(count: int) -> list[tuple[str, str]]:
    """Ids and texts, some of which hold what CSV must quote."""
    return [
        (f"{row:05}", f'{LINES[row % 3]} "{row}",\nand more' if row % 7 == 0 else LINES[row % 3])
        for row in range(count)
    ]


def write_rows(file: Path, count: int) -> Path:
    with file.open("w", encoding="utf-8", newline="") as stream:
        if file.suffix == ".jsonl":
            stream.writelines(json.dumps({"id": number, "text": text}) + "\n" for number, text in rows(count))
        else:
            csv.writer(stream, delimiter="\t" if file.suffix == ".tsv" else ",").writerows(
                [("id", "text"), *rows(count)]
            )
    return file


def scored_by_command(file: Path, out: Path, *options: str) -> bytes:
    command = [
        sys.executable,
        "-m",
        "rnn_cli",
        "score",
        str(file),
        "--output",
        str(out),
        "--model",
        "general",
        *options,
    ]
    subprocess.run(command, check=True, capture_output=True)
    return out.read_bytes()


def finished(page: Page) -> bytes:
    """The file that the page offers once a job is done."""
    with page.expect_download() as waiting:
        page.click("#job a[download]")
    return Path(waiting.value.path()).read_bytes()


@pytest.mark.parametrize(
    ("name", "proba"), [("rows.csv", False), ("rows.csv", True), ("rows.jsonl", False), ("rows.tsv", False)]
)
def test_a_file_comes_back_as_rnn_score_writes_it(
    name: str, proba: bool, general: str, tmp_path: Path, open_page: Open
) -> None:
    file = write_rows(tmp_path / name, 700)
    expected = scored_by_command(file, tmp_path / f"expected{file.suffix}", *(["--proba"] if proba else []))
    page = open_page(general)
    page.click("#options summary")
    page.set_checked("#proba", proba)
    page.set_input_files("#file", file)
    page.wait_for_selector("#job a[download]")
    assert page.get_attribute("#job a", "download") == f"rows.scored{file.suffix}"
    assert finished(page) == expected
    assert page.text_content("#job .job-note").startswith("Done: 700 rows")
    assert page.evaluate("document.querySelector('#job progress').value") == 1


DROP = """([name, content]) => {
    const carried = new DataTransfer();
    carried.items.add(new File([content], name));
    for (const type of ["dragover", "drop"])
        document.body.dispatchEvent(new DragEvent(type, { dataTransfer: carried, bubbles: true, cancelable: true }));
}"""


def test_a_file_can_be_dropped_anywhere(general: str, open_page: Open) -> None:
    page = open_page(general)
    page.evaluate(DROP, ["a.csv", "text\nA warm film.\n"])
    page.wait_for_selector("#job a[download]")
    assert finished(page).decode().splitlines()[1].startswith("A warm film.,positive,")


def test_the_bar_follows_the_rows(general: str, tmp_path: Path, open_page: Open) -> None:
    file = write_rows(tmp_path / "rows.csv", 12_000)
    page = open_page(general)
    page.evaluate("""() => {
        window.shown = [];
        new MutationObserver(() => {
            const bar = document.querySelector('#job progress');
            if (bar) window.shown.push([bar.value, document.querySelector('.job-note').textContent]);
        }).observe(document.querySelector('#job'), { subtree: true, childList: true, attributes: true });
    }""")
    page.set_input_files("#file", file)
    page.wait_for_selector("#job a[download]")
    shown = page.evaluate("window.shown")
    values = [value for value, _ in shown]
    assert values == sorted(values)
    assert any(0 < value < 1 for value in values)
    assert any(re.fullmatch(r"\d,\d{3} of 12,000 rows", words) for _, words in shown)


def test_a_job_can_be_stopped_and_another_takes_its_place(general: str, tmp_path: Path, open_page: Open) -> None:
    file = write_rows(tmp_path / "rows.csv", 60_000)
    page = open_page(general)
    page.set_input_files("#file", file)
    page.click("#job button:has-text('Stop')")
    page.wait_for_function("() => document.querySelector('.job-note').textContent === 'Stopped.'")
    assert page.locator("#job a").count() == 0
    page.set_input_files("#file", file)
    page.set_input_files("#file", write_rows(tmp_path / "other.csv", 3))
    page.wait_for_selector("#job a[download]")
    assert page.text_content("#job .job-name bdi") == "other.csv"
    assert finished(page).count(b"\n") == 5  # its first row holds a line end


def test_a_file_that_cannot_be_scored_says_why(general: str, open_page: Open) -> None:
    page = open_page(general)
    page.evaluate(DROP, ["a.csv", 'id,text\n1,one\n2,"two\n'])
    page.wait_for_selector("#job .problem")
    told = page.text_content("#job .problem")
    assert "line 3: a quote opens in this record and is never closed" in told
    assert told.endswith("use “Quotes: are characters”.") and "body" not in told
    assert page.locator("#job a").count() == 0


def test_what_a_file_needs_is_chosen_in_the_options(general: str, open_page: Open) -> None:
    page = open_page(general)
    page.evaluate(DROP, ["a.csv", "text,label\nx,A warm film.\n"])
    page.wait_for_selector("#job .problem")
    assert "already; “New columns begin with: predicted_” makes" in page.text_content("#job .problem")
    assert page.is_visible("#prefix")
    page.fill("#prefix", "predicted_")
    page.fill("#column", "label")
    page.click("#job button:has-text('Try again')")
    page.wait_for_selector("#job a[download]")
    header, row = finished(page).decode().splitlines()
    assert header.startswith("text,label,predicted_label,predicted_probability")
    assert row.startswith("x,A warm film.,positive,")


def test_a_workbook_is_refused_with_the_way_out(general: str, open_page: Open) -> None:
    page = open_page(general)
    page.evaluate(DROP, ["a.xlsx", "PK"])
    page.wait_for_selector("#job .problem")
    assert "rnn score" in page.text_content("#job .problem")


def test_a_file_that_is_too_large_says_so(open_page: Open, tmp_path: Path) -> None:
    with served(tmp_path, "--model", "general", "--max-score-bytes", 100_000) as address:
        page = open_page(address)
        page.set_input_files("#file", write_rows(tmp_path / "rows.csv", 20_000))
        page.wait_for_selector("#job .problem")
        told = page.text_content("#job .problem")
    assert "more than this server takes" in told and "100,000 bytes" in told


def test_a_busy_server_gets_the_file_again(general: str, open_page: Open) -> None:
    page = open_page(general)
    asked: list[str] = []

    def fail_once(route: Any) -> None:
        asked.append(route.request.url)
        if len(asked) > 1:
            route.continue_()
        else:
            route.fulfill(status=429, headers={"Retry-After": "1"}, body=json.dumps({"detail": "too many wait"}))

    page.route("**/v1/score*", fail_once)
    page.evaluate(DROP, ["a.csv", "text\nA warm film.\n"])
    page.wait_for_selector("#job a[download]")
    assert len(asked) == 2


def test_a_server_that_ends_in_the_middle_leaves_no_half_file(tmp_path: Path, open_page: Open) -> None:
    with running(tmp_path, "--model", "general") as server:
        page = open_page(server.url)
        page.set_input_files("#file", write_rows(tmp_path / "rows.csv", 60_000))
        page.wait_for_function("() => document.querySelector('#job progress').value > 0")
        server.process.kill()
        page.wait_for_selector("#job .problem")
        assert "does not answer" in page.text_content("#job .problem")
        assert page.locator("#job a").count() == 0


def test_many_lines_can_be_scored_as_a_file(general: str, open_page: Open) -> None:
    page = open_page(general)
    page.fill("#text", "\n".join(f"A warm film, number {line}." for line in range(301)))
    page.click("#result button:has-text('Score all 301 as a file')")
    page.wait_for_selector("#job a[download]")
    found = [json.loads(line) for line in finished(page).splitlines()]
    assert [row["text"] for row in found] == [f"A warm film, number {line}." for line in range(301)]
    assert page.locator(".opener").count() == 300


# ------------------------------------------------------------------ problems


PROBLEMS = [
    (413, {"detail": "the body is larger than 10 bytes"}, "more than this server takes", "larger than 10 bytes"),
    (422, {"detail": "expected at most 9 characters", "pointer": "/text"}, "cannot read this text", "at most 9"),
    (422, {"detail": "expected a text", "pointer": "/texts/2"}, "cannot read line 3", "expected a text"),
    (421, {"detail": "this Host is not served"}, "Open the address that rnn serve printed", ""),
    (500, None, "failed (500)", ""),
    (503, {"detail": "the model cannot score this"}, "failed (503)", "cannot score this"),
]


@pytest.mark.parametrize(("status", "content", "words", "detail"), PROBLEMS)
def test_a_refusal_is_told_in_plain_words(
    status: int, content: object, words: str, detail: str, general: str, open_page: Open
) -> None:
    page = open_page(general)
    predict(page, TEXT)
    body = "<html>not JSON" if content is None else json.dumps(content)
    page.route("**/v1/explain", lambda route: route.fulfill(status=status, body=body))
    page.fill("#text", "Another text.")
    page.wait_for_selector("#problem:not([hidden])")
    told = page.text_content("#problem")
    assert words in told and detail in told
    page.unroute("**/v1/explain")
    page.fill("#text", "A third text.")
    page.wait_for_selector("#problem", state="hidden")


@pytest.mark.parametrize("failure", ["busy", "gone"])
def test_the_page_tries_again_by_itself(failure: str, general: str, open_page: Open) -> None:
    page = open_page(general)
    asked: list[str] = []

    def fail(route: Any) -> None:
        asked.append(route.request.url)
        if len(asked) > 1:
            route.continue_()
        elif failure == "busy":
            route.fulfill(status=429, headers={"Retry-After": "1"}, body=json.dumps({"detail": "too many wait"}))
        else:
            route.abort("connectionrefused")

    page.route("**/v1/explain", fail)
    page.fill("#text", TEXT)
    page.wait_for_selector("#problem:not([hidden])")
    assert {"busy": "is busy", "gone": "does not answer"}[failure] in page.text_content("#problem")
    page.wait_for_selector("#result mark")
    assert page.is_hidden("#problem")
    assert len(asked) == 2


def test_a_key_is_asked_for_only_when_the_server_wants_one(general: str, open_page: Open) -> None:
    page = open_page(general)
    predict(page, TEXT)
    assert page.is_hidden("#key")


def test_the_key_opens_all_of_the_page_and_is_kept_nowhere(trained: Path, tmp_path: Path, open_page: Open) -> None:
    keys = tmp_path / "keys.txt"
    keys.write_text("a-key-of-more-than-sixteen\n")
    model = Forged(trained, tmp_path / "model")
    model.write("report.html", "<!DOCTYPE html><title>the report</title>")
    with served(tmp_path, "--model", model.path, "--api-key-file", keys) as address:
        page = open_page(address, ready=False)
        page.wait_for_selector("#key:visible")
        assert "asks for a key" in page.text_content("#key-form label")
        assert page.is_hidden("#text") and page.is_hidden("#file")
        page.fill("#key", "a wrong key")
        page.keyboard.press("Enter")
        page.wait_for_function(
            "() => document.querySelector('#key-form label').textContent.includes('does not accept')"
        )
        page.fill("#key", "a-key-of-more-than-sixteen")
        page.keyboard.press("Enter")
        page.wait_for_selector("#model:not([hidden])")
        assert page.is_hidden("#key") and page.is_hidden("#problem") and page.is_visible("#text")
        predict(page, "a warm and funny film")
        page.evaluate(DROP, ["a.csv", "text\nA warm film.\n"])
        page.wait_for_selector("#job a[download]")
        with page.expect_download() as waiting:
            page.click("#model button")
        assert "the report" in Path(waiting.value.path()).read_text("utf-8")
        kept = page.evaluate("[localStorage.length, sessionStorage.length, document.cookie, location.href]")
        assert kept == [0, 0, "", f"{address}/"]
        page.reload()
        page.wait_for_selector("#key:visible")


# ---------------------------------------------------------------------- models


def test_the_model_tells_its_figures_card_and_report(trained: Path, tmp_path: Path, open_page: Open) -> None:
    metrics = json.loads((trained / "metrics.json").read_text("utf-8"))["test"]
    with served(tmp_path, "--model", trained) as address:
        page = open_page(address)
        assert page.locator(".tile dd").all_text_contents()[:2] == [
            f"{metrics['accuracy']:.1%}",
            f"{metrics['macro_f1']:.3f}",
        ]
        page.click(".card summary")
        assert "Intended use" in page.locator(".card h4").all_text_contents()
        assert not re.search(
            r"[*|`]|\\\\|^#", "\n".join(page.locator(".card p, .card li, .card td").all_text_contents())
        )
        with page.context.expect_page() as opened:
            page.click("#model a")
        assert "how good the model is" in opened.value.text_content("h1")


def test_one_of_several_models_can_be_chosen(trained: Path, tmp_path: Path, open_page: Open) -> None:
    with served(tmp_path, "--model", f"films={trained}", "--model", "all=general") as address:
        page = open_page(address)
        assert page.locator("#models option").all_text_contents() == ["films", "all"]
        predict(page, "a warm and funny film")
        assert page.locator("#result > .bars li").count() == 2
        page.select_option("#models", "all")
        page.wait_for_selector("#result > .bars li:nth-child(3) .fill")
        page.wait_for_function("() => document.querySelector('#title').textContent.startsWith('all:')")
        page.evaluate(DROP, ["a.csv", "text\nThe parcel came on Tuesday.\n"])
        page.wait_for_selector("#job a[download]")
        assert b"neutral" in finished(page)


def test_a_model_that_the_server_exchanges_shows_its_own_labels(trained: Path, tmp_path: Path, open_page: Open) -> None:
    model = Forged(trained, tmp_path / "model")
    keys = tmp_path / "keys.txt"
    keys.write_text("a-key-of-more-than-sixteen\n")
    with served(tmp_path, "--model", model.path, "--api-key-file", keys) as address:
        page = open_page(address, ready=False)
        page.wait_for_selector("#key:visible")
        page.fill("#key", "a-key-of-more-than-sixteen")
        page.keyboard.press("Enter")
        page.wait_for_selector("#model:not([hidden])")
        model.sign(labels=["no", "yes"])
        asked = page.request.post(
            f"{address}/v1/reload", headers={"Authorization": "Bearer a-key-of-more-than-sixteen"}
        )
        assert asked.ok
        predict(page, "a warm and funny film")
        assert list(bars(page)) == ["no", "yes"]


def test_the_page_works_below_a_path_of_a_proxy(general: str, open_page: Open) -> None:
    page = open_page(general)
    page.route("**/films/**", lambda route: route.continue_(url=route.request.url.replace("/films/", "/")))
    page.goto(f"{general}/films/")
    predict(page, TEXT)
    page.evaluate(DROP, ["a.csv", "text\nA warm film.\n"])
    page.wait_for_selector("#job a[download]")


# ------------------------------------------------------------------ strangers


def test_hostile_texts_and_labels_run_no_script(tmp_path: Path, open_page: Open) -> None:
    forged = Forged(GENERAL_FOLDER, tmp_path / "model")
    forged.sign(labels=HOSTILE[:3])
    forged.write(
        "README.md",
        "# " + "\n\n".join(HOSTILE) + "\n\n| a | b |\n| --- | ---: |\n| " + " | ".join(HOSTILE[:2]) + " |\n",
    )
    forged.path.rename(hostile := tmp_path / HOSTILE[0].replace("/", "_"))
    with served(tmp_path, "--model", hostile) as address:
        page = open_page(address)
        assert page.text_content("#title bdi") == hostile.name
        for text in [*HOSTILE, "\n".join(HOSTILE)]:
            page.fill("#text", text)
            page.wait_for_selector("#result .verdict:not(.waiting), #result .lines")
        page.wait_for_selector("#result .lines")
        assert page.locator(".opener").all_text_contents() == [text for text in HOSTILE]
        for opener in page.locator(".opener").all():
            opener.click()
        page.wait_for_load_state("networkidle")
        for name in HOSTILE:
            page.evaluate(DROP, [f"{name}.csv", f"text\n{name.count('x')}\n"])
            page.wait_for_selector("#job a[download]")
            assert page.text_content("#job .job-name bdi") == f"{name}.csv"
        page.click(".card summary")
        assert page.evaluate("window.ran") is None
        assert page.locator("main img, main svg, main script, main style, main a[href^=javascript]").count() == 0
        assert page.evaluate("getComputedStyle(document.body).display") == "block"
        predict(page, TEXT)
        assert set(bars(page)) == set(HOSTILE[:3])


def test_markup_cannot_be_made_of_a_text_even_by_mistake(general: str, open_page: Open) -> None:
    page = open_page(general)
    refused = page.evaluate("try { document.body.innerHTML = '<b>x</b>'; 'taken' } catch (e) { e.name }")
    assert refused == "TypeError"


# --------------------------------------------------------------------- people


STATES = {"empty": "", "text": TEXT, "lines": "\n".join(LINES)}


UNFOLD = "() => document.querySelectorAll('details').forEach(each => { each.open = true; })"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_serious(width: int, scheme: str, general: str, open_page: Open) -> None:
    found = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python")
    page = open_page(general, viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce")
    for text in STATES.values():
        page.fill("#text", text)
        if text:
            page.wait_for_selector(".lines" if "\n" in text else "#result mark")
        for opener in page.locator(".opener").all()[:1]:
            opener.click()
            page.wait_for_selector(".details mark")
        page.evaluate(UNFOLD)
        assert serious(found.Axe(), page) == []
    for file, shown in (("a.csv", "#job a[download]"), ("a.xlsx", "#job .problem")):
        page.evaluate(DROP, [file, "text\nA warm film.\n"])
        page.wait_for_selector(shown)
        assert serious(found.Axe(), page) == []
    for status, shown in ((413, "#problem:not([hidden])"), (401, "#key:visible")):
        page.route("**/v1/*", answering(status))
        page.fill("#text", f"Refused with {status}.")
        page.wait_for_selector(shown)
        assert serious(found.Axe(), page) == []


def answering(status: int, content: object = None) -> Callable[[Any], None]:
    """Answers a route with this status and JSON."""
    return lambda route: route.fulfill(status=status, body=json.dumps(content or {}))


def serious(axe: Any, page: Page) -> list[tuple[str, str]]:
    """What axe finds serious in the page as it is now, and where. What is stale is pale: its words are said again."""
    found = axe.run(page, context={"exclude": [[".stale"]]}).response["violations"]
    return [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")]


@pytest.mark.parametrize("width", [320, 390, 640])
def test_nothing_is_wider_than_the_screen(width: int, general: str, open_page: Open) -> None:
    """640 pixels are a screen of 1,280 at 200 % zoom."""
    page = open_page(general, viewport={"width": width, "height": 800})
    for text in (*STATES.values(), "x" * 500, "\n".join(["y" * 300, "z"])):
        page.fill("#text", text)
        if text:
            page.wait_for_selector(".lines" if "\n" in text else "#result .text")
        page.evaluate(UNFOLD)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_everything_is_reached_by_keyboard(general: str, open_page: Open) -> None:
    page = open_page(general)
    reached = []
    for _ in range(30):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "document.activeElement.id || document.activeElement.className || document.activeElement.tagName"
        )
        if focused in ("BODY", "HTML"):
            break
        reached.append(focused)
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none" or focused == "file"
    assert reached[0] == "text"
    assert {"text", "example", "file", "SUMMARY"} <= set(reached)
    page.focus(".example")
    page.keyboard.press("Enter")
    page.wait_for_selector("#result mark")


def test_the_live_region_speaks_once_after_the_typing(general: str, open_page: Open) -> None:
    page = open_page(general)
    page.evaluate("""() => {
        window.said = [];
        const status = document.querySelector('[role=status]');
        new MutationObserver(() => status.textContent && window.said.push(status.textContent))
            .observe(status, { childList: true, characterData: true, subtree: true });
    }""")
    for word in TEXT.split():  # slowly enough that each word is predicted
        with page.expect_response("**/v1/explain"):
            page.locator("#text").press_sequentially(f"{word} ")
    page.wait_for_function("() => window.said.length > 0")
    page.wait_for_load_state("networkidle")
    (said,) = page.evaluate("window.said")
    assert re.fullmatch(r"positive, \d\d\.\d%\.", said)


def test_numbers_are_written_in_the_browsers_language(general: str, open_page: Open) -> None:
    (expected,) = Predictor.open(GENERAL_FOLDER).predict([TEXT])
    page = open_page(general, locale="de-DE")
    predict(page, TEXT)
    share = f"{100 * expected.probability:.1f}".replace(".", ",")
    assert page.text_content("#result .verdict .share") == f"{share}\u00a0%"


def test_what_is_nearly_certain_is_not_written_as_certain(general: str, open_page: Open) -> None:
    (expected,) = Predictor.open(GENERAL_FOLDER).predict(["The parcel came on Tuesday."])
    assert 0.999 < expected.probability < 1
    page = open_page(general)
    predict(page, "The parcel came on Tuesday.")
    assert page.text_content("#result .verdict .share") == "> 99.9%"
    assert page.locator("#result > .bars .n").all_text_contents() == ["< 0.1%", "> 99.9%", "< 0.1%"]


def test_nothing_moves_for_those_who_ask_for_that(general: str, open_page: Open) -> None:
    for motion, moves in (("reduce", False), ("no-preference", True)):
        page = open_page(general, reduced_motion=motion)
        predict(page, TEXT)
        duration = page.evaluate("getComputedStyle(document.querySelector('.fill')).transitionDuration")
        assert (not math.isclose(float(duration.rstrip("s")), 0)) == moves


def test_a_page_without_scripts_says_what_to_do(general: str, open_page: Open) -> None:
    page = open_page(general, ready=False, java_script_enabled=False)
    assert "needs JavaScript" in page.text_content("noscript")
