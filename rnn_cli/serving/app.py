"""The endpoints, and the life of a worker: load, serve, reload, drain."""

import asyncio
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from types import FrameType
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from rnn_cli.bundle.model_folder import REPORT
from rnn_cli.errors import Error
from rnn_cli.scoring.unknown import UNKNOWN_TOKENS
from rnn_cli.serving import inference
from rnn_cli.serving.beside import checked_columns, missing_columns
from rnn_cli.serving.bodies import check_text, checked_flag, checked_texts, receive_json, refuse_unknown
from rnn_cli.serving.edge import ENDPOINT, TEXTS, Edge, log_to_stderr
from rnn_cli.serving.metrics import MEDIA_TYPE_OF_METRICS, Metered
from rnn_cli.serving.models import Models, ServedModel
from rnn_cli.serving.openapi import openapi_document
from rnn_cli.serving.page import page_files, page_index
from rnn_cli.serving.problems import Problem, answer_problem
from rnn_cli.serving.rows import answer_rows
from rnn_cli.serving.scoring import Scoring, checked_coverage, row_of
from rnn_cli.serving.settings import ServerSettings, read_keys

_log = logging.getLogger("rnn.serve")

REPORT_CSP = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
)
"""A report is as trusted as its model, which may be a stranger's."""

BODY_KEYS = ("text", "texts", "columns", "proba", "explain", "coverage")
"""What a request for predictions may hold."""

PARENT_SECONDS = 1.0
"""How often a worker looks whether the process that started it is still there."""

_Endpoint = Callable[[Request], Awaitable[Response]]


class Server:
    """A worker: its models, its lanes, and what it answers."""

    def __init__(self, settings: ServerSettings, note: Callable[[str], None], parent: int | None = None) -> None:
        """`parent` is the process that has started this worker as one of several."""
        self._settings, self._limits, self._parent = settings, settings.limits, parent
        self._metered = Metered()
        self._models, self._scoring = Models(settings, note), Scoring(settings.limits, self._metered)
        self._openapi = openapi_document(settings.limits, self._models.first.predictor.labels)
        self._reloading = asyncio.Lock()
        app = Starlette(
            routes=self._routes(),
            exception_handlers={HTTPException: answer_problem, Exception: answer_problem},
            lifespan=self._lifespan,
        )
        app.router.redirect_slashes = False
        # The models stay: no search for cycles goes through them again.
        gc.collect()
        gc.freeze()
        self.edge = Edge(app, settings, read_keys(settings.api_key_file), self._metered)

    def _routes(self) -> list[BaseRoute]:
        posts: dict[str, _Endpoint] = {
            "/v1/predict": partial(self._predict, always=False),
            "/v1/explain": partial(self._predict, always=True),
            "/v1/score": self._score,
            "/v1/models/{name}/predict": partial(self._predict, always=False),
            "/v1/models/{name}/explain": partial(self._predict, always=True),
            "/v1/models/{name}/score": self._score,
            "/v1/reload": self._reload,
            "/v2/models/{name}/infer": self._infer,
            "/v2/models/{name}/versions/1/infer": self._infer,
        }
        gets: dict[str, _Endpoint] = {
            "/v1/model": self._model,
            "/v1/models": self._list,
            "/v1/models/{name}": self._model,
            "/v1/report": self._report,
            "/v1/models/{name}/report": self._report,
            "/health/live": partial(self._health, "live"),
            "/health/ready": partial(self._health, "ready"),
            "/v2": self._v2,
            "/v2/health/live": partial(self._health, "live"),
            "/v2/health/ready": partial(self._health, "ready"),
            "/v2/models/{name}": self._tensors,
            "/v2/models/{name}/ready": partial(self._health, "ready"),
            "/v2/models/{name}/versions/1": self._tensors,
            "/v2/models/{name}/versions/1/ready": partial(self._health, "ready"),
            "/metrics": self._metrics,
            "/openapi.json": self._document,
            "/": page_index(),
        }
        routes: list[BaseRoute] = [_route(path, endpoint, "POST") for path, endpoint in posts.items()]
        routes += [_route(path, endpoint, "GET") for path, endpoint in gets.items()]
        return [*routes, page_files()]

    def _asked(self, request: Request) -> ServedModel:
        """The model that a request names, or the first. Raises `Problem` 404."""
        name = request.path_params.get("name")
        found = self._models.first if name is None else self._models.current.get(name)
        if found is None:
            raise Problem(404, f"no such model; there are {', '.join(self._models.current)}")
        return found

    async def _predict(self, request: Request, *, always: bool) -> Response:
        model = self._asked(request)
        await self._scoring.refuse_if_full()
        body = await receive_json(request, self._limits)
        refuse_unknown(body, BODY_KEYS)
        proba, explain = checked_flag(body, "proba"), checked_flag(body, "explain") or always
        if ("text" in body) == ("texts" in body):
            raise Problem(422, "give either text or texts", "")
        if "text" in body:
            check_text(body["text"], self._limits, "/text")
            texts = [body["text"]]
        else:
            most = self._limits.explained if explain else self._limits.texts
            texts = checked_texts(body["texts"], self._limits, "/texts", most=most)
        coverage = checked_coverage(body.get("coverage"), model.predictor, "/coverage")
        request.scope[TEXTS] = texts
        columns = checked_columns(body, model.predictor, len(texts), self._limits)
        predictions, tokens = await self._scoring.predict(model, texts, columns, coverage)
        pairs = zip(texts, predictions, strict=True)
        rows = [row_of(model, text, prediction, proba=proba, covers=coverage is not None) for text, prediction in pairs]
        if explain:
            explanations = await self._scoring.explain(model, texts, columns, predictions, request.is_disconnected)
            for row, explanation in zip(rows, explanations, strict=True):
                row |= explanation
        answer = {"model": model.name, "predictions": rows, UNKNOWN_TOKENS: tokens.to_dict()}
        if missing := missing_columns(columns, model.predictor):
            answer["missing_columns"] = missing
        return JSONResponse(answer)

    async def _score(self, request: Request) -> Response:
        return await answer_rows(request, self._asked(request), self._scoring, self._limits)

    async def _infer(self, request: Request) -> Response:
        model = self._asked(request)
        inference.refuse_several(model)
        await self._scoring.refuse_if_full()
        body = await receive_json(request, self._limits)
        request_id, wanted = inference.checked_id(body), inference.wanted_outputs(body)
        texts = inference.texts_of_tensors(body, self._limits)
        request.scope[TEXTS] = texts
        predictions, _ = await self._scoring.predict(model, texts, {})
        return JSONResponse(inference.inferred(model, predictions, wanted, request_id))

    async def _model(self, request: Request) -> Response:
        return JSONResponse(self._asked(request).about)

    async def _list(self, request: Request) -> Response:
        brief = ("name", "folder", "labels", "fingerprint")
        return JSONResponse({"models": [{key: m.about[key] for key in brief} for m in self._models.current.values()]})

    async def _report(self, request: Request) -> Response:
        bundle = self._asked(request).predictor.bundle
        if REPORT not in bundle.manifest.files:
            raise Problem(404, "this model has no report")
        try:
            content = bundle.read(REPORT)
        except Error as error:
            _log.error("%s", error)
            raise Problem(503, "the report cannot be read") from None
        return HTMLResponse(content, headers={"Content-Security-Policy": REPORT_CSP})

    async def _tensors(self, request: Request) -> Response:
        return JSONResponse(inference.tensors_of(self._asked(request)))

    async def _v2(self, _: Request) -> Response:
        return JSONResponse(inference.SERVER)

    async def _health(self, what: str, request: Request) -> Response:
        about = {"name": self._asked(request).name} if "name" in request.path_params else {}
        is_well = what == "live" or not self.edge.is_draining
        return JSONResponse({what: is_well, **about}, 200 if is_well else 503)

    async def _metrics(self, _: Request) -> Response:
        return Response(self._metered.text(), media_type=MEDIA_TYPE_OF_METRICS)

    async def _document(self, _: Request) -> Response:
        return JSONResponse(self._openapi)

    async def _reload(self, _: Request) -> Response:
        if not self.edge.keys:
            raise Problem(403, "a reload over HTTP needs a key: start with --api-key-file; or send SIGHUP")
        try:
            await self.reload()
        except Error as error:
            raise Problem(409, f"the models are as they were: {error}") from None
        if self._parent is not None:  # the others are told by it
            os.kill(self._parent, signal.SIGHUP)
        return await self._list(_)

    async def reload(self) -> None:
        """Open the models anew beside those that answer, then exchange them; raises `Error` and changes nothing."""
        async with self._reloading:
            loop = asyncio.get_running_loop()
            try:
                keys = read_keys(self._settings.api_key_file)
                found = await loop.run_in_executor(None, self._models.opened)
            except Error as error:
                _log.error("not reloaded: %s", error)
                raise
            self._models.current, self.edge.keys = found, keys
            _log.info("reloaded")

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        tasks: set[asyncio.Task[None]] = set()

        def hear_reload() -> None:
            task = loop.create_task(self._reload_quietly())
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        if self._parent is not None:
            tasks.add(loop.create_task(self._end_without_parent()))
        if threading.current_thread() is threading.main_thread():  # only there signals are heard
            if self._parent is None:
                loop.add_signal_handler(signal.SIGHUP, hear_reload)
            self._drain_first(loop)
        yield
        for task in tasks:
            task.cancel()

    async def _reload_quietly(self) -> None:
        with suppress(Error):  # the log has it
            await self.reload()

    async def _end_without_parent(self) -> None:
        while os.getppid() == self._parent:
            await asyncio.sleep(PARENT_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    def _drain_first(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have SIGTERM and Ctrl-C fail readiness first, and end the server some seconds later; a second one at once."""
        for number in (signal.SIGTERM, signal.SIGINT):
            ends = signal.getsignal(number)
            if not callable(ends):
                continue

            def drain(signum: int, frame: FrameType | None, ends: Any = ends) -> None:
                if self.edge.is_draining or self._settings.unready_seconds <= 0:
                    self.edge.is_draining = True
                    ends(signum, frame)
                    return
                self.edge.is_draining = True
                # From a signal's handler only this is safe; the loop may be waiting.
                loop.call_soon_threadsafe(loop.call_later, self._settings.unready_seconds, ends, signum, frame)

            signal.signal(number, drain)


def _route(path: str, endpoint: _Endpoint, method: str) -> Route:
    async def answer(request: Request) -> Response:
        request.scope[ENDPOINT] = path
        return await endpoint(request)

    return Route(path, answer, methods=[method])


def create_app(settings: ServerSettings, note: Callable[[str], None]) -> Edge:
    """The application of a server of one process. Raises `BundleError` and `UsageError` as `rnn predict` does."""
    log_to_stderr(settings)
    return Server(settings, note).edge


STARTUP_FAILED = 3
"""The exit code of a worker by which uvicorn knows that another try would fail, too."""


def create_worker(settings: ServerSettings, parent: int) -> Edge:
    """The application of a worker that the process `parent` starts; ends this process where it cannot be made."""
    log_to_stderr(settings)
    try:
        return Server(settings, _log.info, parent).edge
    except Error as error:
        _log.error("%s", error)
        sys.exit(STARTUP_FAILED)
