"""What the page asks: the same sitting as in a terminal; done once, and never over what another page has done."""

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rnn_cli.labelling.answers import CHANCE, read_log
from tests.labelling.conftest import made
from tests.serving.asking import ask

from .conftest import Asking

TRUE = {row: label for row, (_, label) in enumerate(made(200))}
TEXTS = [text for text, _ in made(200)]
LOG = Path("texts.csv.labels.jsonl")

Start = Callable[..., Asking]


def lines() -> list[dict[str, Any]]:
    """The steps of the log, without starts."""
    found = [json.loads(line) for line in LOG.read_text().splitlines()[1:]]
    return [each for each in found if each["do"] != "start"]


def test_a_sitting_by_requests_is_the_one_in_the_log(asking: Start) -> None:
    page = asking("good", "bad")
    first = page.state["text"]
    assert first["text"] == TEXTS[first["row"]] and "guess" not in first
    assert [(each["name"], each["key"], each["count"]) for each in page.state["labels"]] == [
        ("good", "1", 0),
        ("bad", "2", 0),
    ]
    page.step("label", label="good")
    assert page.state["labelled"] == 1 and page.state["last"] == {"row": first["row"], "label": "good"}
    page.step("skip")
    assert page.state["skipped"] == 1
    page.step("undo")
    page.step("note", note="od\nd")
    assert page.state["text"]["note"] == "od d"
    page.step("add", label="so so")
    assert page.state["labels"][-1] == {"name": "so so", "key": "3", "count": 0}
    page.step("search", words="lovely")
    assert page.state["is_searching"] and "lovely" in page.state["text"]["text"]
    page.step("label", label="so so")
    assert [each["do"] for each in lines()] == ["label", "skip", "undo", "note", "add", "label"]
    assert {each["request"] for each in lines()} == read_log(LOG)[1].requests


def test_figures_and_guesses_are_those_of_the_sitting(asking: Start) -> None:
    page = asking("good", "bad")
    session = page.page._session
    for _ in range(40):
        page.step("label", label=TRUE[page.state["text"]["row"]])
        session.learner.wait()
    state, standing = page.look(), session.standing()
    assert standing.accuracy is not None and state["accuracy"]["share"] == standing.accuracy.share
    assert state["agreement"]["rows"] > 20 and state["texts"] == 200
    page.step("guess", shown=True)
    assert page.state["text"]["guess"]["label"] in ("good", "bad")
    page.step("label", label="good")
    assert lines()[-1]["shown"] is True
    why = page.get("/sitting/why")
    assert why["row"] == page.state["text"]["row"] and len(why["probabilities"]) == 2
    assert set(why["for"]) | set(why["against"]) <= set(page.state["text"]["text"].split())


def test_the_same_request_again_does_nothing_twice(asking: Start) -> None:
    page = asking("good", "bad")
    for do, more in (("label", {"label": "good"}), ("skip", {}), ("note", {"note": "x"}), ("undo", {})):
        request = page.request(do, **more)
        first = page.send(request)
        before = LOG.read_bytes()
        again = page.send(request)
        assert (first.status, again.status) == (200, 200) and LOG.read_bytes() == before
        page.state = again.json()
        assert page.state["text"]["row"] == first.json()["text"]["row"]
    later = asking()  # the command started again
    assert later.send(request).status == 200 and LOG.read_bytes().count(b'"undo"') == 1


@pytest.mark.parametrize(
    ("do", "more"),
    [
        ("label", {"label": "bad"}),
        ("skip", {}),
        ("undo", {}),
        ("note", {"note": "mine"}),
        ("change", {"row": 0, "label": "bad"}),
    ],
)
def test_what_another_page_has_done_is_not_overwritten(do: str, more: dict[str, Any], asking: Start) -> None:
    one = asking("good", "bad")
    one.step("label", label="good")
    other = asking(of=one)
    one.step("label", label="good")
    before = LOG.read_bytes()
    answered = other.send(other.request(do, **more))
    assert answered.status == 409 and LOG.read_bytes() == before
    other.state = answered.json()["state"]
    assert other.state == {**one.look(), "seconds": other.state["seconds"]}
    other.step("label", label="bad")  # from what stands it goes on


def test_a_page_that_shows_an_open_text_may_answer_it_whatever_stands(asking: Start) -> None:
    """As after a search in another tab, or a restart: what was read is what is answered."""
    one = asking("good", "bad")
    other = asking(of=one)
    row = other.state["text"]["row"]
    one.step("search", words="lovely")
    assert one.state["text"]["row"] != row
    other.step("label", label="bad")
    assert [(each["row"], each["label"]) for each in lines()] == [(row, "bad")]
    pending = other.request("label", label="good")
    restarted = asking()
    assert restarted.send(pending).status == 200
    assert lines()[-1]["row"] == pending["row"] and lines()[-1]["chosen"] == pending["chosen"]


def test_what_was_labelled_is_listed_filtered_and_changed(asking: Start) -> None:
    page = asking("good", "bad")
    rows = []
    for _ in range(55):
        rows.append(page.state["text"]["row"])
        page.step("label", label=TRUE[rows[-1]])
    page.step("skip")
    listed = page.get("/sitting/labelled")
    assert listed["total"] == 56 and [each["row"] for each in listed["rows"]][1:] == rows[::-1][:49]
    assert [each["row"] for each in page.get("/sitting/labelled?from=50")["rows"]] == rows[::-1][49:]
    good = page.get("/sitting/labelled?label=good&words=LOVELY%20warm")
    assert [each["row"] for each in good["rows"]] == [
        row for row in rows[::-1] if TRUE[row] == "good" and {"lovely", "warm"} <= set(TEXTS[row].split())
    ]
    assert page.get("/sitting/labelled?skipped=1")["total"] == 1
    drawn = next(row for row, each in read_log(LOG)[1].by_row.items() if each.chosen == CHANCE)
    stands = page.state["text"]["row"]
    page.step("change", row=drawn, label="bad" if TRUE[drawn] == "good" else "good")
    assert page.state["text"]["row"] == stands and read_log(LOG)[1].by_row[drawn].chosen == CHANCE
    page.step("change", row=rows[0], label=None)
    assert page.state["skipped"] == 2
    page.step("undo")
    assert read_log(LOG)[1].labelled[rows[0]] == TRUE[rows[0]]


def test_a_text_may_have_several_labels(asking: Start) -> None:
    page = asking("warm", "long", "odd", kind="several")
    first = page.state["text"]["row"]
    page.step("label", label=["odd", "warm"])
    page.step("label", label=[])
    assert page.state["kind"] == "several" and page.state["labelled"] == 2 and page.state["last"]["label"] == []
    assert [each["label"] for each in lines()] == [["warm", "odd"], []]
    assert [each["row"] for each in page.get("/sitting/labelled?label=odd")["rows"]] == [first]
    page.step("change", row=first, label=["long"])
    assert page.get("/sitting/labelled")["rows"][1]["label"] == ["long"]
    for wrong in (["ugly"], [1], ["warm"] * 31):
        assert page.send(page.request("label", label=wrong)).status == 422
    assert len(lines()) == 3


def test_an_order_of_labels_is_fixed(asking: Start) -> None:
    page = asking("low", "middle", "high", kind="ordered")
    page.step("label", label="middle")
    answered = page.send(page.request("add", label="top"))
    assert answered.status == 422 and "order" in answered.json()["detail"]
    assert page.send(page.request("label", label=["low", "high"])).status == 422


@pytest.mark.parametrize(
    ("request_", "pointer"),
    [
        ({"id": "short"}, "/id"),
        ({"do": "dance"}, "/do"),
        ({"row": "1"}, "/row"),
        ({"row": True}, "/row"),
        ({"label": 1}, "/label"),
        ({"label": "\ud800"}, "/label"),
        ({"more": 1}, "/more"),
        ({"label": "ugly"}, None),
        ({"do": "add", "label": "good"}, None),
        ({"do": "add", "label": ""}, None),
        ({"do": "change", "row": 0, "label": "good"}, None),
        ({"do": "guess", "shown": "no"}, "/shown"),
        ({"do": "note"}, "/note"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    request_: dict[str, Any], pointer: str | None, asking: Start
) -> None:
    page = asking("good", "bad")
    answered = page.send(page.request("label", label="good") | request_)
    assert answered.status == 422 and answered.json().get("pointer") == pointer
    assert lines() == [] and not page.page.is_over


def test_rows_that_are_none_are_passed(asking: Start) -> None:
    page = asking("good", "bad")
    for row in (-1, 200, 10**30):
        assert page.send(page.request("label", label="good") | {"row": row}).status == 409
    assert lines() == []


def test_a_full_disk_is_told_and_the_same_request_goes_well_later(
    asking: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = asking("good", "bad")
    request = page.request("label", label="good")

    def full(handle: int, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        answered = page.send(request)
    assert answered.status == 507 and "no space left" in answered.json()["detail"]
    assert lines() == [] and not page.page.is_over
    assert page.send(request).status == 200 and len(lines()) == 1


def test_a_failure_ends_the_page_and_is_raised_where_it_was_begun(asking: Start) -> None:
    page = asking("good", "bad")
    page.page._session.learner._failed = failure = MemoryError("no room")
    answered = page.send(page.request("label", label="good"))
    assert answered.status == 503 and page.page.is_over and page.page.failure is failure


def test_a_browser_ends_it(asking: Start) -> None:
    page = asking("good", "bad")
    assert ask(page.page.app, "GET", "/sitting/end").status == 405
    assert ask(page.page.app, "POST", "/sitting/end", {}).json() == {"log": str(LOG), "out": None}
    assert page.page.is_over
