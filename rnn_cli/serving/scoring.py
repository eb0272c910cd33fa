"""Texts of requests to predictions: which lane works, what is counted, and what an endpoint answers.

Short requests have a lane of their own, so that explanations, files and long texts keep no sentence waiting.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from typing import Any

from starlette.requests import ClientDisconnect

from rnn_cli.columns import ExtraValues
from rnn_cli.errors import Error, UsageError
from rnn_cli.scoring.explain import explain_columns, explain_texts
from rnn_cli.scoring.prediction import (
    LabelsPrediction,
    NumberPrediction,
    OrderedPrediction,
    Prediction,
    explained_label,
)
from rnn_cli.scoring.predictor import MOST_PARTS, Predictor
from rnn_cli.scoring.unknown import UnknownTokens
from rnn_cli.serving.lane import Lane, Places, QueueFull
from rnn_cli.serving.metrics import Metered
from rnn_cli.serving.models import ServedModel
from rnn_cli.serving.problems import Problem, too_busy
from rnn_cli.serving.settings import Limits

SHORT_CHARACTERS = 1 << 14
"""A request of so many characters in all, or fewer, is short: 256 sentences, or a few milliseconds of work."""

REFUSED_AFTER_SECONDS = 0.1
"""How long a refusal is held back. Clients that ask again at once would take the processor from those that are let in;
Retry-After tells them to wait ten times as long."""

_log = logging.getLogger("rnn.serve")


class Scoring:
    """The two lanes of a worker."""

    def __init__(self, limits: Limits, metered: Metered) -> None:
        self.short = Lane("short requests", limits.queue, most_wait=limits.queue_seconds)
        self.long = Lane("long requests", limits.queue)
        # Files have places of their own: one that arrives slowly, or is read slowly, keeps no explanation out.
        self.files = Places(limits.queue)
        self.metered = metered
        metered.watch(self)

    async def refuse_if_full(self) -> None:
        """Raise `Problem` 429 before a request is read, where it would come anyway: refusing must cost little."""
        if self.short.is_full:
            refusal = _no_place(self.short)
            await asyncio.sleep(REFUSED_AFTER_SECONDS)
            raise refusal

    async def predict(
        self, model: ServedModel, texts: Sequence[str], columns: ExtraValues, coverage: float | None = None
    ) -> tuple[list[Prediction], UnknownTokens]:
        """The prediction of each text, equal to the last bit to those of `rnn predict` for the same texts; and how many
        of their tokens are unknown. `columns` are the values of other columns that the model reads. With a `coverage`,
        which is checked, each has a `label_set`.

        Raises `Problem` 429 if too many requests wait, and 503 if the model fails.
        """
        is_short = sum(map(len, texts)) <= SHORT_CHARACTERS
        lane, predictor = (self.short, model.predictor) if is_short else (self.long, model.patient)
        with placed(lane):
            predictions, tokens = await lane.run(lambda: _predicted(predictor, texts, columns, coverage))
        self.metered.count(model.name, predictions, tokens)
        return predictions, tokens

    async def explain(
        self,
        model: ServedModel,
        texts: Sequence[str],
        columns: ExtraValues,
        predictions: Sequence[Prediction],
        is_gone: Callable[[], Awaitable[bool]],
    ) -> list[dict[str, list[dict[str, Any]]]]:
        """What speaks for and against the prediction of each text, text by text, until the client `is_gone`.

        That is its `explanation` and, of a model that reads other columns, that of its `columns`.

        Raises `Problem` as `predict` does, and `ClientDisconnect`.
        """
        known = model.predictor.labels
        labels = [known.index(explained_label(each, known)) if known else 0 for each in predictions]
        found = []
        with placed(self.long):
            for row, (text, label) in enumerate(zip(texts, labels, strict=True)):
                if await is_gone():
                    raise ClientDisconnect
                of_row = {name: [values[row]] for name, values in columns.items()}
                found.append(await self.long.run(partial(_explained, model.patient, text, of_row, label)))
        return found


def checked_coverage(asked: object, predictor: Predictor, pointer: str) -> float | None:
    """The coverage that a request asks for; None for none. Raises `Problem` for one that the model cannot vouch for."""
    if asked is None:
        return None
    if isinstance(asked, bool) or not isinstance(asked, int | float):
        raise Problem(422, "expected a number between 0 and 1", pointer)
    try:
        predictor.check_coverage(asked)
    except UsageError as error:
        raise Problem(422, f"{error.what}; {error.hint}", pointer) from None
    return float(asked)


def _predicted(
    predictor: Predictor, texts: Sequence[str], columns: ExtraValues, coverage: float | None
) -> tuple[list[Prediction], UnknownTokens]:
    scores = predictor.score(texts, columns)
    return predictor.predictions(scores, coverage), scores.tokens


def _explained(predictor: Predictor, text: str, columns: ExtraValues, label: int) -> dict[str, list[dict[str, Any]]]:
    (parts,) = explain_texts(predictor, [text], [label], most_parts=MOST_PARTS, columns=columns)
    found = {"explanation": [{"text": text[part.start : part.end], **asdict(part)} for part in parts]}
    if predictor.columns:
        (beside,) = explain_columns(predictor, [text], columns, [label])
        found["columns"] = list(map(asdict, beside))
    return found


def _no_place(lane: Places) -> Problem:
    return too_busy(f"{lane.taken:,} requests wait already")


@contextmanager
def placed(lane: Places) -> Iterator[None]:
    """A place in the lane; what fails in it becomes a `Problem`, so that no fault of a model is a server's."""
    try:
        with lane.place():
            yield
    except QueueFull:
        raise _no_place(lane) from None
    except Error as error:
        _log.error("the model failed: %s", error)
        raise Problem(503, "the model cannot score this") from error
    except MemoryError as error:
        _log.error("out of memory")
        raise Problem(503, "not enough memory for this request; send fewer texts") from error
    except (Problem, ClientDisconnect):
        raise
    except Exception as error:  # ONNX Runtime's share no base class
        _log.exception("scoring failed")
        raise Problem(503, "this could not be scored") from error


def row_of(
    model: ServedModel, text: str, prediction: Prediction, *, proba: bool, covers: bool = False
) -> dict[str, Any]:
    """A prediction as the endpoints answer it. Numbers are whole: they read back as the same floats."""
    if isinstance(prediction, NumberPrediction):
        ends = {"low": prediction.low, "high": prediction.high} if covers else {}
        return {"text": text, "number": prediction.number, **ends, "no_known_words": prediction.no_known_words}
    row: dict[str, Any] = {
        "text": text,
        "label": prediction.label,
        "probability": prediction.probability,
        "no_known_words": prediction.no_known_words,
        "unsure": prediction.unsure,
    }
    if isinstance(prediction, LabelsPrediction):
        row |= {"labels": list(prediction.labels), "label_probabilities": list(prediction.label_probabilities)}
    if isinstance(prediction, OrderedPrediction):
        row["expected"] = prediction.expected
    if covers:
        row["label_set"] = list(prediction.label_set)
    if proba:
        row["probabilities"] = dict(zip(model.predictor.labels, prediction.probabilities, strict=True))
    return row
