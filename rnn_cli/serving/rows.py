"""POST /v1/score: rows of CSV, TSV or JSONL in, the same rows with the columns of `rnn score` out.

The body goes into a temporary file and is read through once before the answer begins, so a row that cannot be read is
a 422 and no answer is cut short by one. Then it is scored a window at a time, as fast as the client reads.
"""

import io
import re
import shlex
from collections import Counter as Tally
from collections.abc import Generator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import chain
from tempfile import NamedTemporaryFile
from typing import Any
from urllib.parse import quote

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rnn_cli.errors import DataError, Setting, UsageError
from rnn_cli.formats import DELIMITER_NAMES
from rnn_cli.serving.bodies import receive_body
from rnn_cli.serving.models import ServedModel
from rnn_cli.serving.problems import Problem
from rnn_cli.serving.scoring import Scoring, placed
from rnn_cli.serving.settings import Limits

MEDIA_TYPES = {
    "text/csv": "csv",
    "text/tab-separated-values": "tsv",
    "application/jsonl": "jsonl",
    "application/x-ndjson": "jsonl",
    "application/x-jsonlines": "jsonl",
}
"""What a body may be, and how `rnn score` calls it."""

ROW_CHOICES = {"on_bad_row": ("stop", "mark"), "quoting": ("auto", "csv", "none")}
"""The values of parameters that have few; the first is the default."""

ROW_PARAMETERS = (
    "format",
    "text_column",
    "delimiter",
    "encoding",
    "quoting",
    "header",
    "proba",
    "coverage",
    "prefix",
    "on_bad_row",
    "spreadsheet_safe",
)
"""What the query may ask for; as the options of `rnn score`."""

_FLAGS = {"true": True, "false": False}
_BODY = "body"
"""What messages call the file."""


@dataclass(frozen=True)
class AskedRows:
    """How a body is read and its rows are written."""

    format: str
    text_column: str | None
    delimiter: str | None
    encoding: str | None
    quoting: str
    header: bool | None
    proba: bool
    prefix: str
    on_bad_row: str
    spreadsheet_safe: bool
    coverage: float | None

    @classmethod
    def of(cls, query: QueryParams, content_type: str) -> "AskedRows":
        """What a query asks for. Raises `Problem`."""
        for name in query:
            if name not in ROW_PARAMETERS:
                raise Problem(422, f"no such query parameter: {name}; it may have {', '.join(ROW_PARAMETERS)}")
        named = MEDIA_TYPES.get(content_type.partition(";")[0].strip().lower())
        form = query.get("format", named)
        if form is None:
            raise Problem(415, f"Content-Type must be one of {', '.join(MEDIA_TYPES)}; or add ?format=csv")
        if form not in MEDIA_TYPES.values():
            raise Problem(422, "query parameter format: expected csv, tsv or jsonl")
        delimiter = query.get("delimiter")
        delimiter = DELIMITER_NAMES.get(delimiter, delimiter) if delimiter else None
        if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n' or form == "jsonl"):
            raise Problem(422, "query parameter delimiter: expected one character, for CSV")
        chosen = {name: query.get(name, choices[0]) for name, choices in ROW_CHOICES.items()}
        for name, value in chosen.items():
            if value not in ROW_CHOICES[name]:
                raise Problem(422, f"query parameter {name}: expected one of {', '.join(ROW_CHOICES[name])}")
        header = _flag(query, "header") if "header" in query else None
        flags = {name: _flag(query, name) for name in ("proba", "spreadsheet_safe")}
        return cls(
            form,
            query.get("text_column"),
            delimiter=delimiter,
            header=header,
            encoding=query.get("encoding") or None,
            prefix=query.get("prefix", ""),
            on_bad_row=chosen["on_bad_row"],
            quoting=chosen["quoting"],
            coverage=_share(query, "coverage"),
            **flags,
        )


def _flag(query: QueryParams, name: str) -> bool:
    found = _FLAGS.get(query.get(name, "false").lower())
    if found is None:
        raise Problem(422, f"query parameter {name}: expected true or false")
    return found


def _share(query: QueryParams, name: str) -> float | None:
    try:
        return float(query[name]) if name in query else None
    except ValueError:
        raise Problem(422, f"query parameter {name}: expected a number between 0 and 1") from None


async def answer_rows(request: Request, model: ServedModel, scoring: Scoring, limits: Limits) -> Response:
    """The answer to a body of rows. Raises `Problem`."""
    asked = AskedRows.of(request.query_params, request.headers.get("content-type", ""))
    with ExitStack() as stack:
        stack.enter_context(placed(scoring.files))
        file = stack.enter_context(NamedTemporaryFile(prefix="rnn-serve-"))
        await receive_body(request, limits.score_bytes, limits, file.write)
        file.flush()
        try:
            rows = await scoring.long.run(lambda: ReadableRows(file.name, asked, model))
        except (DataError, UsageError) as error:
            raise Problem(422, _worded(error, file.name), "") from None
        pieces = stack.enter_context(closing(rows.pieces(scoring)))
        return RowsResponse(request, scoring, pieces, rows.count, asked.format, stack.pop_all())
    raise AssertionError  # for mypy: `placed` may seem to swallow errors


def _worded(error: DataError | UsageError, file: str) -> str:
    """The error in the words of a request: the file is the body, settings are parameters of the query."""
    hint = error.hint
    if isinstance(hint, Setting):
        hint = re.sub(r"(\?\S+) \?", r"\1&", hint.worded(_parameter))  # some go together
    where = error.where and re.sub(r"^data\.(?=\w+$)|^(?=(coverage|proba)$)", "query parameter ", error.where)
    return f"{f'{where}: ' if where else ''}{error.what}{f'; {hint}' if hint else ''}".replace(file, _BODY)


def _parameter(key: str, value: str) -> str:
    """A setting as a parameter of the query; values in hints are quoted for a shell."""
    return f"?{key.rpartition('.')[2]}={quote(''.join(shlex.split(value)))}"


class ReadableRows:
    """A file of rows, all of which can be read. Works in a lane's thread; what it needs is loaded there, too."""

    def __init__(self, file: str, asked: AskedRows, model: ServedModel) -> None:
        """Read through it. Raises `DataError` at the first row that is in the way."""
        from rnn_cli.api import beside_texts
        from rnn_cli.batch.columns import Added
        from rnn_cli.batch.job import Input, Job
        from rnn_cli.batch.windows import no_rows, windows_of

        self._model = model
        how: dict[str, Any] = {
            "text_column": asked.text_column,
            "likely_text_column": model.text_column,
            "format": asked.format,
            "delimiter": asked.delimiter,
            "encoding": asked.encoding,
            "quoting": asked.quoting,
            "header": asked.header,
            **beside_texts(model.predictor),
        }
        self._job = Job(
            (Input(file, _BODY),),
            asked.format,
            how,
            None,
            asked.on_bad_row,
            asked.prefix,
            asked.proba,
            asked.spreadsheet_safe,
            asked.coverage,
        )
        model.predictor.check_coverage(asked.coverage)
        if asked.proba and model.predictor.number:
            raise UsageError("probabilities are of labels, and the model predicts numbers", where="proba")
        self._added = Added.to_any(model.predictor, self._job)
        self.count = 0
        names = frozenset(self._added.keys)
        for window in windows_of(self._job, 0):
            if window.number == 0:
                self._added.refuse_columns(window.source.columns, window.source.name)
            if asked.format == "jsonl":  # each line has keys of its own
                for values, line in zip(window.rows.values, window.rows.lines, strict=True):
                    if not names.isdisjoint(values):
                        self._added.refuse_columns(values, f"{window.source.name}:{line}")
            self.count += len(window.rows.lines)
        if not self.count:
            raise no_rows(self._job)

    def pieces(self, scoring: Scoring) -> Generator[bytes]:
        """The rows with their predictions, a window at a time."""
        from rnn_cli.batch.chunk_writer import writer
        from rnn_cli.batch.windows import columns_of_window, texts_of, windows_of

        predictor, out, write = self._model.patient, io.BytesIO(), None
        with ExitStack() as stack:
            for window in windows_of(self._job, 0):
                scores = predictor.score(texts_of(window), columns_of_window(window))
                if write is None:
                    write = stack.enter_context(writer(self._added, window.source, out, _Nowhere()))
                write(window, scores)
                labels = Tally(chain.from_iterable(predictor.named(scores.probabilities)))
                unsure = int(predictor.decision.unsure(scores.probabilities).sum())
                scoring.metered.count_labels(self._model.name, len(scores.known), labels, unsure)
                scoring.metered.count_tokens(self._model.name, scores.tokens)
                yield out.getvalue()
                out.seek(0)
                out.truncate()


class _Nowhere:
    """Where rows go that could not be read: they are marked already."""

    def write(self, data: bytes) -> int:
        return len(data)


class RowsResponse(Response):
    """Rows as they are scored; X-Row-Count says how many come."""

    def __init__(
        self, request: Request, scoring: Scoring, pieces: Generator[bytes], count: int, form: str, stack: ExitStack
    ) -> None:
        media_type = next(each for each, name in MEDIA_TYPES.items() if name == form)
        super().__init__(None, 200, {"X-Row-Count": str(count)}, media_type)
        del self.headers["content-length"]
        self._request, self._scoring, self._pieces, self._stack = request, scoring, pieces, stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the rows until they end, or the client leaves."""
        with self._stack:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            while not await self._request.is_disconnected():
                piece = await self._scoring.long.run(lambda: next(self._pieces, None))
                if piece is None:
                    await send({"type": "http.response.body", "body": b""})
                    return
                await send({"type": "http.response.body", "body": piece, "more_body": True})
