"""What a server counts, in Prometheus's terms. Of several workers, each answers for all of them."""

import os
from collections import Counter as Tally
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from rnn_cli.scoring.prediction import LabelsPrediction, NumberPrediction, Prediction
from rnn_cli.scoring.unknown import UnknownTokens
from rnn_cli.serving.settings import PROMETHEUS_FOLDER

if TYPE_CHECKING:
    from rnn_cli.serving.scoring import Scoring

MEDIA_TYPE_OF_METRICS = "text/plain; version=0.0.4; charset=utf-8"

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each of the first

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_TEXTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 1_024)


def _labels(prediction: Prediction) -> tuple[str, ...]:
    """The labels that a prediction counts for; a number has none."""
    if isinstance(prediction, NumberPrediction):
        return ()
    return prediction.labels if isinstance(prediction, LabelsPrediction) else (prediction.label,)


class Metered:
    """The counters of a worker."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        here: Any = {"registry": self._registry}
        self._requests = Counter("rnn_requests", "Requests answered", ("path", "code"), **here)
        self._seconds = Histogram("rnn_request_seconds", "Time to answer", ("path",), buckets=_SECONDS, **here)
        self._sizes = Histogram("rnn_batch_texts", "Texts scored for a request", buckets=_TEXTS, **here)
        self._texts = Counter("rnn_texts", "Texts scored", ("model",), **here)
        self._labels = Counter("rnn_predictions", "Predictions by label", ("model", "label"), **here)
        self._unsure = Counter("rnn_unsure_predictions", "Predictions the model is unsure of", ("model",), **here)
        self._tokens = Counter("rnn_tokens", "Tokens read", ("model",), **here)
        self._unknown = Counter("rnn_unknown_tokens", "Tokens not in the vocabulary", ("model",), **here)
        queue = Gauge("rnn_queue", "Requests waiting or being scored", ("lane",), multiprocess_mode="livesum", **here)
        self._queues = {lane: queue.labels(lane) for lane in ("short", "long", "files")}
        self._scoring: Scoring | None = None

    def watch(self, scoring: "Scoring") -> None:
        """Tell the length of these queues."""
        self._scoring = scoring

    def answered(self, path: str, code: int, seconds: float) -> None:
        """Count a request to an endpoint."""
        self._requests.labels(path, str(code)).inc()
        self._seconds.labels(path).observe(seconds)
        if self._scoring is not None:
            for lane, queue in self._queues.items():
                queue.set(getattr(self._scoring, lane).taken)

    def count(self, model: str, predictions: Sequence[Prediction], tokens: UnknownTokens) -> None:
        """Count the predictions of a request."""
        labels = Tally(label for each in predictions for label in _labels(each))
        self.count_labels(model, len(predictions), labels, sum(each.unsure for each in predictions))
        self.count_tokens(model, tokens)

    def count_labels(self, model: str, texts: int, labels: "Tally[str]", unsure: int) -> None:
        """Count predictions by their labels, of which a text may have several."""
        self._sizes.observe(texts)
        self._texts.labels(model).inc(texts)
        for label, count in labels.items():
            self._labels.labels(model, label).inc(count)
        if unsure:
            self._unsure.labels(model).inc(unsure)

    def count_tokens(self, model: str, tokens: UnknownTokens) -> None:
        """Count tokens read."""
        self._tokens.labels(model).inc(tokens.read)
        self._unknown.labels(model).inc(tokens.unknown)

    def text(self) -> bytes:
        """All of it, of all workers, as Prometheus reads it."""
        registry = self._registry
        if PROMETHEUS_FOLDER in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
