"""What the page asks and is answered: JSON about one sitting.

A request that changes anything has an id, by which it is known when it comes again, and says which text it is about
and how many changes the page has seen. Where those are not all, it gets 409 and what stands now, and nothing changes.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rnn_cli.copies.words import split_words, word_pieces
from rnn_cli.errors import UsageError, WriteError
from rnn_cli.labelling.answers import DOUBT, MOST_LABELS, LabelOrSet, labels_in
from rnn_cli.labelling.figures import MORE_ANSWERS, MeasuredShare
from rnn_cli.labelling.keys import ASKED_BECAUSE, keys_of
from rnn_cli.labelling.session import Session, Why
from rnn_cli.serving.bodies import check_text, checked_flag, receive_json, refuse_unknown
from rnn_cli.serving.page import page_files, page_index
from rnn_cli.serving.problems import Problem, answer_problem, problem_fields
from rnn_cli.serving.settings import Limits

_FILES = Path(__file__).parent / "files"
_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_Found = TypeVar("_Found")

STEP_KEYS = ("id", "do", "row", "changes", "chosen", "label", "note", "words", "shown")
"""What a request for a change may hold."""

PAGE_ROWS, CELL_CHARACTERS = 50, 1_000
"""Rows of one page of the table, and characters of a text in it."""

FULL = 507
"""Insufficient Storage, RFC 4918: the answer could not be kept."""


class LabelPage:
    """The page of one sitting; `is_over` once a browser has ended it, or `failure` has."""

    def __init__(self, session: Session, out: str | None = None) -> None:
        """`out` is where the labelled rows will be written."""
        self._session, self._out, self._limits = session, out, Limits()
        self.is_over = False
        self.failure: Exception | None = None
        self._one = ThreadPoolExecutor(1, "sitting")  # a sitting does one thing at a time
        self._steps: dict[str, Callable[[dict[str, Any]], None]] = {
            "label": self._label,
            "skip": self._skip,
            "note": self._note,
            "undo": self._undo,
            "change": self._change,
            "add": self._add,
            "search": self._search,
            "guess": self._guess,
        }
        self.app = Starlette(
            routes=[
                Route("/", page_index(_FILES)),
                page_files(),
                page_files(_FILES, "/label"),
                Route("/sitting/state", self._answer(self._state)),
                Route("/sitting/why", self._answer(self._why)),
                Route("/sitting/curve", self._answer(self._curve)),
                Route("/sitting/labelled", self._table),
                Route("/sitting/step", self._step, methods=["POST"]),
                Route("/sitting/end", self._end, methods=["POST"]),
            ],
            exception_handlers={HTTPException: answer_problem},
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        yield
        self._one.shutdown()

    async def _do(self, work: Callable[..., _Found], *given: Any) -> _Found:
        """What the sitting makes of it. Raises `Problem`; any other failure ends the page."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._one, work, *given)
        except HTTPException:
            raise
        except WriteError as error:
            raise Problem(FULL, f"this is not kept: {error}") from None
        except UsageError as error:
            raise Problem(422, str(error)) from None
        except Exception as error:
            self.failure, self.is_over = error, True
            raise Problem(503, "the sitting has failed; the terminal says how. All answers are kept") from None

    def _answer(self, work: Callable[[], Any]) -> Callable[[Request], Any]:
        async def answer(_: Request) -> Response:
            return _fresh(await self._do(work))

        return answer

    async def _step(self, request: Request) -> Response:
        body = await receive_json(request, self._limits)
        refuse_unknown(body, STEP_KEYS)
        _check_step(body, self._steps)
        for name in ("chosen", "note", "words"):
            if body.get(name) is not None:
                check_text(body[name], self._limits, f"/{name}")
        for each in body["label"] if isinstance(body.get("label"), list) else [body.get("label")]:
            if each is not None:
                check_text(each, self._limits, "/label")
        try:
            return _fresh(await self._do(self._follow, body))
        except _Passed as passed:
            state = await self._do(self._state)
            return _fresh({**problem_fields(passed.status_code, passed.detail), "state": state}, passed.status_code)

    async def _end(self, _: Request) -> Response:
        self.is_over = True
        return _fresh({"log": str(self._session.log.path), "out": self._out})

    async def _table(self, request: Request) -> Response:
        asked = request.query_params
        start = asked.get("from", "0")
        if not start.isdecimal() or len(start) > 9:
            raise Problem(422, "expected a number", "/from")
        which = asked.get("label") if "skipped" not in asked else None
        return _fresh(await self._do(self._labelled, which, "skipped" in asked, asked.get("words", ""), int(start)))

    # ---------------------------------------------- in the sitting's thread

    def _follow(self, body: dict[str, Any]) -> dict[str, Any]:
        """Do what is asked for, once; what stands then."""
        log = self._session.log
        if body["id"] not in log.answers.requests:
            log.request = body["id"]
            try:
                self._steps[body["do"]](body)
            finally:
                log.request = None
        return self._state()

    def _stand(self, body: dict[str, Any]) -> None:
        """Have the text stand that the page shows; raises `_Passed` if it is answered, or anything has changed since.

        Another one stands after a search on another page, or in another process.
        """
        self._see(body)
        row, chosen = body.get("row"), body.get("chosen")
        if not isinstance(row, int) or isinstance(row, bool):
            raise Problem(422, "expected the number of a row", "/row")
        try:
            self._session.ask(row, chosen if chosen in ASKED_BECAUSE else DOUBT)
        except UsageError:
            raise _Passed from None

    def _see(self, body: dict[str, Any]) -> None:
        if body.get("changes") != self._session.log.answers.changes:
            raise _Passed

    def _label(self, body: dict[str, Any]) -> None:
        self._stand(body)
        self._session.label(_given(body))

    def _skip(self, body: dict[str, Any]) -> None:
        self._stand(body)
        self._session.skip()

    def _note(self, body: dict[str, Any]) -> None:
        self._stand(body)
        self._session.note(_text(body, "note"))

    def _undo(self, body: dict[str, Any]) -> None:
        self._see(body)
        self._session.undo()

    def _change(self, body: dict[str, Any]) -> None:
        self._see(body)
        row = body.get("row")
        if not isinstance(row, int) or isinstance(row, bool):
            raise Problem(422, "expected the number of a row", "/row")
        self._session.change(row, None if body.get("label") is None else _given(body))

    def _add(self, body: dict[str, Any]) -> None:
        self._session.add_label(_text(body, "label"))

    def _search(self, body: dict[str, Any]) -> None:
        self._session.search(_text(body, "words"))

    def _guess(self, body: dict[str, Any]) -> None:
        self._session.is_guess_shown = checked_flag(body, "shown")

    def _state(self) -> dict[str, Any]:
        session = self._session
        current, standing, answers = session.current, session.standing(), session.log.answers
        text: dict[str, Any] | None = None
        if current is not None:
            text = {
                "row": current.row,
                "text": current.text,
                "copies": current.copies,
                "chosen": current.chosen,
                "because": ASKED_BECAUSE.get(current.chosen, current.chosen),
                "note": current.note,
            }
            if session.is_guess_shown and current.guess is not None:
                text["guess"] = {"label": current.guess, "probability": current.probability}
        keys = {label: key for key, label in keys_of(session.labels).items()}
        return {
            "source": session.source,
            "kind": session.kind,
            "log": str(session.log.path),
            "changes": answers.changes,
            "text": text,
            "labels": [
                {"name": label, "key": keys.get(label), "count": count} for label, count in standing.counts.items()
            ],
            "labelled": standing.labelled,
            "skipped": standing.skipped,
            "texts": standing.texts,
            "accuracy": _share(standing.accuracy),
            "expected": standing.expected,
            "more": MORE_ANSWERS,
            "agreement": _share(standing.agreement),
            "per_minute": standing.per_minute,
            "seconds": standing.seconds,
            "is_guess_shown": session.is_guess_shown,
            "is_searching": session.is_searching,
            "last": self._last(),
        }

    def _last(self) -> dict[str, Any] | None:
        """The answer that an undo takes back."""
        steps = self._session.log.answers.steps
        return {"row": steps[-1].row, "label": steps[-1].label} if steps else None

    def _why(self) -> dict[str, Any] | None:
        why: Why | None = self._session.why()
        if why is None:
            return None
        current = self._session.current
        return {
            "row": None if current is None else current.row,
            "because": ASKED_BECAUSE.get(why.chosen, why.chosen),
            "probabilities": [{"label": label, "probability": each} for label, each in why.probabilities],
            "for": list(why.words_for),
            "against": list(why.words_against),
            "pieces": [] if current is None else _marked(current.text, why),
        }

    def _curve(self) -> list[dict[str, Any]]:
        """The accuracy over the answers: the points that are known yet, and what stands now."""
        standing = self._session.standing()
        points = [{"answers": each.answers, **asdict(each.accuracy)} for each in self._session.course()]
        if standing.accuracy is not None and (not points or points[-1]["answers"] < standing.labelled):
            points.append({"answers": standing.labelled, **asdict(standing.accuracy)})
        return points

    def _labelled(self, label: str | None, is_skipped: bool, words: str, start: int) -> dict[str, Any]:
        """A page of the answered rows that have a label, or any, and all the words; the newest come first."""
        answers, texts = self._session.log.answers, self._session.texts
        wanted = set(split_words(words))
        found = [
            row
            for row, each in reversed(answers.by_row.items())
            if (each.label is None if is_skipped else label is None or label in labels_in(each.label))
            and (not wanted or wanted <= set(split_words(texts.rows[row])))
        ]
        by_row = answers.by_row
        rows = [
            {
                "row": row,
                "label": by_row[row].label,
                "note": answers.notes.get(row, ""),
                "text": texts.rows[row][:CELL_CHARACTERS],
                "is_cut": len(texts.rows[row]) > CELL_CHARACTERS,
            }
            for row in found[start : start + PAGE_ROWS]
        ]
        return {"changes": answers.changes, "total": len(found), "from": start, "rows": rows}


class _Passed(Problem):
    """What a request is about is not as its page has seen it."""

    def __init__(self) -> None:
        super().__init__(409, "something has changed since this page showed it; this is how it stands now")


def _check_step(body: dict[str, Any], kinds: dict[str, Any]) -> None:
    if not isinstance(body.get("id"), str) or not _ID.fullmatch(body["id"]):
        raise Problem(422, "expected an id of 8 to 64 letters, digits and -", "/id")
    if body.get("do") not in kinds:
        raise Problem(422, f"expected one of {', '.join(kinds)}", "/do")


def _marked(text: str, why: Why) -> list[tuple[str, str]]:
    """The text in pieces, each "for", "against" or "" for what speaks neither way."""
    ways = dict.fromkeys(why.words_against, "against") | dict.fromkeys(why.words_for, "for")
    pieces = ((ways.get(word, ""), piece) for piece, word in word_pieces(text))
    return [("".join(piece for _, piece in run), way) for way, run in groupby(pieces, lambda each: each[0])]


def _text(body: dict[str, Any], name: str) -> str:
    found = body.get(name)
    if not isinstance(found, str):
        raise Problem(422, "expected a text", f"/{name}")
    return found


def _given(body: dict[str, Any]) -> LabelOrSet:
    """The label of a request, or several. Raises `Problem`."""
    found = body.get("label")
    if isinstance(found, list):
        if len(found) > MOST_LABELS or not all(isinstance(each, str) for each in found):
            raise Problem(422, "expected labels", "/label")
        return tuple(found)
    return _text(body, "label")


def _share(found: MeasuredShare | None) -> dict[str, Any] | None:
    return None if found is None else asdict(found)


def _fresh(content: Any, status: int = 200) -> Response:
    return JSONResponse(content, status, {"Cache-Control": "no-store"})
