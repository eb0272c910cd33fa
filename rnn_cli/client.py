"""The other end of `rnn serve`: predictions over HTTP, with the standard library alone."""

import json
import math
import os
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, RemoteDisconnected
from typing import Any
from urllib.parse import quote, urlsplit

from rnn_cli.errors import RunFailed, UsageError
from rnn_cli.scoring.prediction import (
    ColumnPart,
    LabelsPrediction,
    NumberPrediction,
    OrderedPrediction,
    Part,
    Prediction,
    shown_number,
)
from rnn_cli.scoring.unknown import UnknownTokens

API_KEY = "RNN_API_KEY"
"""The environment variable that holds the key of a client."""

TEXTS_AT_ONCE, CHARACTERS_AT_ONCE = 256, 150_000
"""What one request holds at most; within a server's limits, unless these were lowered."""

EXPLAINED_IN_ONE_REQUEST = 32

_BUSY = (429, 503)
_LONGEST_WAIT = 60.0


class Client:
    """A server's predictions, as `Predictor` gives them.

    A server that is busy (429, 503) is asked again after the time that it names, at most `tries` times in all; so is
    one that closes a connection. `timeout` is in seconds, for each wait on the network. `api_key` is by default that
    of the environment variable RNN_API_KEY, `model` the name of one of several models. One thread at a time may use
    it; close it, or use it in a `with` block.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        model: str | None = None,
        timeout: float = 30.0,
        tries: int = 5,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """Nothing is sent yet. Raises `UsageError` for what is no URL."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host = None
        if host is None or parts.scheme not in ("http", "https"):
            raise UsageError("is no URL of a server", where=url, hint="write it as http://127.0.0.1:8000")
        self.url, self._path, self._tries = url, parts.path.rstrip("/"), max(1, tries)
        self._of_model = f"/v1/models/{quote(model, safe='')}" if model is not None else ""
        if parts.scheme == "https":
            self._connection: HTTPConnection = HTTPSConnection(host, port, timeout=timeout, context=context)
        else:
            self._connection = HTTPConnection(host, port, timeout=timeout)
        key = api_key if api_key is not None else os.environ.get(API_KEY)
        self._headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        self._about: Mapping[str, Any] | None = None
        self.tokens = UnknownTokens()

    def __enter__(self) -> "Client":
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection; another call opens it again."""
        self._connection.close()

    @property
    def about(self) -> Mapping[str, Any]:
        """What the server says of its model: name, labels, decision, figures, card. Asked once."""
        if self._about is None:
            self._about = self._ask("GET", self._of_model or "/v1/model")
        return self._about

    @property
    def labels(self) -> tuple[str, ...]:
        """The model's labels, in the order of a prediction's probabilities."""
        return tuple(self.about["labels"])

    @property
    def several(self) -> bool:
        """Whether a text may have several labels, or none: predictions are then `LabelsPrediction`."""
        return bool(self.about.get("several", False))

    @property
    def ordered(self) -> bool:
        """Whether the labels have an order: predictions are then `OrderedPrediction`."""
        return bool(self.about.get("ordered", False))

    @property
    def number(self) -> bool:
        """Whether it predicts numbers: predictions are then `NumberPrediction`."""
        return bool(self.about.get("number", False))

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the other columns that the model reads beside a text."""
        return tuple(each["name"] for each in self.about.get("columns", ()))

    @property
    def usual_unknown(self) -> UnknownTokens | None:
        """How many tokens of the model's validation texts are unknown to it; `tokens` has those of all texts so far."""
        return UnknownTokens.of_manifest(self.about)

    def predict(
        self,
        texts: str | Iterable[str],
        coverage: float | None = None,
        *,
        columns: Mapping[str, Sequence[object]] | None = None,
    ) -> list[Prediction]:
        """Predict a label for each text, in the order of the texts; a str is one text.

        With a `coverage` each has a `label_set` that holds the true label that often. `columns` are the values of other
        columns that the model reads (the property names them), by name, one a text. Raises `UsageError` for what the
        server refuses, and `RunFailed` if it cannot be reached or stays busy.
        """
        rows = list(self._rows("predict", texts, TEXTS_AT_ONCE, columns, coverage))
        spread = float(self.about["spread"]) if any("number" in row for row in rows) else 1.0
        return [_prediction(row, spread) for row in rows]

    def explain(
        self, texts: str | Iterable[str], columns: Mapping[str, Sequence[object]] | None = None
    ) -> list[tuple[Part, ...]]:
        """The parts of each text and the effect of each on the prediction, as `Predictor.explain` gives them.

        `columns` and errors as of `predict`.
        """
        return self.explain_rows(texts, columns)[0]

    def explain_rows(
        self, texts: str | Iterable[str], columns: Mapping[str, Sequence[object]] | None = None
    ) -> tuple[list[tuple[Part, ...]], list[tuple[ColumnPart, ...]]]:
        """The same, and the other columns of each text as `Predictor.explain_columns` gives them."""
        rows = list(self._rows("explain", texts, EXPLAINED_IN_ONE_REQUEST, columns))
        parts = [tuple(Part(part["start"], part["end"], part["weight"]) for part in row["explanation"]) for row in rows]
        return parts, [
            tuple(ColumnPart(each["column"], each["value"], each["weight"]) for each in row.get("columns", ()))
            for row in rows
        ]

    def _rows(
        self,
        what: str,
        texts: str | Iterable[str],
        most: int,
        columns: Mapping[str, Sequence[object]] | None,
        coverage: float | None = None,
    ) -> Iterator[Mapping[str, Any]]:
        listed = [texts] if isinstance(texts, str) else list(texts)
        for name, values in (columns or {}).items():
            if len(values) != len(listed):
                wrong = f"{len(values):,} values of {name} for {len(listed):,} texts"
                raise UsageError(wrong, where="columns", hint="give one value per text")
        asked: dict[str, Any] = {"proba": True} | ({} if coverage is None else {"coverage": coverage})
        done = 0
        for some in _of_at_most(listed, most, CHARACTERS_AT_ONCE):
            if columns is not None:
                places = range(done, done + len(some))
                asked["columns"] = [{name: values[place] for name, values in columns.items()} for place in places]
            done += len(some)
            found = self._ask("POST", f"{self._of_model or '/v1'}/{what}", {"texts": some, **asked})
            rows = found.get("predictions")
            if not isinstance(rows, list) or len(rows) != len(some):
                raise self._foreign()
            if what == "predict":  # an explanation is of texts that were predicted before
                self.tokens += UnknownTokens.of_manifest(found) or UnknownTokens()
            yield from rows

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        content = None
        if body is not None:
            try:
                content = json.dumps(body, ensure_ascii=False).encode("utf-8")
            except (TypeError, UnicodeEncodeError) as error:
                raise UsageError(f"a text cannot be sent ({error})", hint="give a str without surrogates") from None
        for tried in range(1, self._tries + 1):
            try:
                self._connection.request(method, self._path + path, content, self._headers)
                response = self._connection.getresponse()
                answer = response.read()
            except (OSError, HTTPException) as error:
                self._connection.close()
                if tried == self._tries or isinstance(error, ConnectionRefusedError | TimeoutError | ssl.SSLError):
                    raise self._unreachable(error) from error
                continue
            if response.status in _BUSY and tried < self._tries:
                time.sleep(_wait(response, tried))
                continue
            return self._read(response, answer)
        raise AssertionError("unreachable")

    def _read(self, response: HTTPResponse, answer: bytes) -> dict[str, Any]:
        try:
            found = json.loads(answer)
        except ValueError:
            raise self._foreign() from None
        if not isinstance(found, dict):
            raise self._foreign()
        if response.status == 200:
            return found
        what, at = str(found.get("detail", response.reason)), found.get("pointer")
        if response.status in _BUSY:
            raise RunFailed(f"stays busy: {what}", where=self.url, hint="ask later, or give it more --workers")
        hint = f"set {API_KEY}" if response.status == 401 else None
        raise UsageError(what, where=f"{self.url} {at}" if at else self.url, hint=hint)

    def _unreachable(self, error: Exception) -> RunFailed:
        if isinstance(error, ssl.SSLCertVerificationError):
            what = f"has a certificate that is not trusted ({error.verify_message})"
            return RunFailed(what, where=self.url, hint="to trust it, set SSL_CERT_FILE to its file")
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        hint = "is rnn serve running there?"
        if isinstance(error, RemoteDisconnected) and self.url.startswith("http:"):
            hint = "is it https:// instead?"
        elif isinstance(error, ssl.SSLError):
            hint = "is it http:// instead?"
        return RunFailed(f"cannot be reached ({reason.lower()})", where=self.url, hint=hint)

    def _foreign(self) -> RunFailed:
        return RunFailed("answers, but not as rnn serve does", where=self.url, hint="check the address")


def _prediction(row: Mapping[str, Any], spread: float) -> Prediction:
    if "number" in row:
        number = float(row["number"])
        low, high = row.get("low"), row.get("high")
        label, known = shown_number(number, spread), row["no_known_words"]
        return NumberPrediction(label, math.nan, (), known, number=number, low=low, high=high)
    probabilities = tuple(row["probabilities"].values())
    found = row["label"], row["probability"], probabilities, row["no_known_words"], row["unsure"]
    covering = tuple(row.get("label_set", ()))
    if "labels" in row:
        return LabelsPrediction(*found, tuple(row["labels"]), tuple(row["label_probabilities"]), label_set=covering)
    if "expected" in row:
        return OrderedPrediction(*found, row["expected"], label_set=covering)
    return Prediction(*found, label_set=covering)


def _of_at_most(texts: Sequence[str], most: int, characters: int) -> Iterator[list[str]]:
    """The texts, some at a time; one that is longer than so many characters comes alone."""
    some: list[str] = []
    length = 0
    for text in texts:
        if some and (len(some) == most or length + len(text) > characters):
            yield some
            some, length = [], 0
        some.append(text)
        length += len(text)
    if some:
        yield some


def _wait(response: HTTPResponse, tried: int) -> float:
    told = response.headers.get("Retry-After", "")
    return min(float(told), _LONGEST_WAIT) if told.isdecimal() else 0.25 * 2**tried
