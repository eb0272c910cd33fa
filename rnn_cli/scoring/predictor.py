"""Texts to predictions, by a bundle's ONNX graph. Knows nothing of TensorFlow, of files of rows or of Click."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, overload

import numpy as np
import numpy.typing as npt
import onnxruntime

from rnn_cli.arrays import Floats, Floats32, Indices
from rnn_cli.bundle.model_folder import CARD, INT8_MODEL, METRICS, ONNX_MODEL, PRECISION, Bundle
from rnn_cli.errors import BundleError, DataError
from rnn_cli.scoring.decision import Decision
from rnn_cli.scoring.parts import read_fitting_graph, read_tokenizer
from rnn_cli.text.padding import Ragged
from rnn_cli.text.tokenizer_json import UNKNOWN

if TYPE_CHECKING:
    from rnn_cli.scoring.explain import Part

OnScored = Callable[[int, int], None]
"""Hears how many of how many texts are done."""

Precision = Literal["fp32", "int8"]
"""How a network computes: in floating-point numbers of 32 bits, or for the most part in whole ones of 8."""

INT8 = "int8"
"""Where a bundle's metrics tell of the int8 graph."""


def graph_file(opened: Bundle, precision: Precision) -> str:
    """The name of the graph's file; raises `BundleError`, which tells why, where a bundle has no such graph."""
    if precision in ("fp32", opened.manifest.data.get(PRECISION)):
        return ONNX_MODEL
    if INT8_MODEL in opened.manifest.files:
        return INT8_MODEL
    reason, other_hint = _why_not(opened)
    raise BundleError(f"has no int8 graph: {reason}", where=str(opened.path), hint=f"{other_hint}use --precision fp32")


def _why_not(opened: Bundle) -> tuple[str, str]:
    """What the run said of it, if it did, and what helps besides fp32."""
    if METRICS not in opened.manifest.files:
        return "it was exported without", "export it with --precision int8, or "
    try:
        return str(json.loads(opened.read(METRICS))[INT8]["reason"]), ""
    except (KeyError, RecursionError, TypeError, ValueError):
        return "it was trained before these were made", "train again, or "


BATCH_TOKENS = 2_048
"""Tokens scored in one step: enough to keep the matrix products busy, few enough to stay in the cache."""

BATCH_TEXTS = 48
"""Texts scored in one step, at most: more make the products of a time step no faster."""


class Series(Protocol):
    """A pandas Series, as far as it is told from other texts; pandas need not be there."""

    index: Any
    iloc: Any


MOST_PARTS = 500
"""Parts of a text that are left out in turn to explain its answer; of a longer one, neighbours go together."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for one text.

    `probability` is that of `label`; `probabilities` stand in the order of the bundle's labels and sum to 1. `unsure`
    says that another answer is so near that the model abstains, if it was made to; `label` is what it would answer.
    `no_known_words` says that the text held no token the model has seen, so the answer is that of an unknown word.
    """

    label: str
    probability: float
    probabilities: tuple[float, ...]
    no_known_words: bool
    unsure: bool = False


@dataclass(frozen=True)
class Scores:
    """Probabilities `[texts, labels]` (float64, rows sum to 1) and, a text, whether a known token was in it."""

    probabilities: npt.NDArray[np.float64]
    known: npt.NDArray[np.bool_]


class Predictor:
    """A trained classifier, ready to score.

    Up to `threads` batches are scored side by side, one core each, which keeps cores busier than sharing a batch
    among them; None for as many as there are cores. With the precision `int8` it scores in 8 bits, which is faster
    and answers nearly the same.
    """

    def __init__(self, opened: Bundle, *, threads: int | None = None, precision: Precision = "fp32") -> None:
        """Load what is needed; raises `BundleError` if anything in it is not as it was written, or not there."""
        manifest = opened.manifest
        self._opened = opened
        self.threads = threads or cores()
        self.labels = manifest.labels
        self.temperature = manifest.temperature
        self.decision = Decision(manifest.threshold, manifest.unsure_below)
        self.tokenizer = read_tokenizer(opened)
        graph = graph_file(opened, precision)
        self._load(opened.read(graph), str(opened.path / graph))

    @classmethod
    def open(cls, path: Path, *, threads: int | None = None, precision: Precision = "fp32") -> "Predictor":
        """Open the bundle at `path`; raises `BundleError` if it is not one, damaged, or has no such graph."""
        return cls(Bundle.open(path), threads=threads, precision=precision)

    def _load(self, graph: bytes, where: str) -> None:
        self._where = where
        self.architecture = read_fitting_graph(graph, where, self.tokenizer, len(self.labels)).architecture
        self._session = open_session(graph, where)

    @property
    def bundle(self) -> Bundle:
        """The model's folder."""
        return self._opened

    @property
    def outputs(self) -> int:
        """Logits a text: one for two labels, the second's."""
        return 1 if len(self.labels) == 2 else len(self.labels)

    def score(self, texts: Sequence[str]) -> Scores:
        """Score texts of any length and number; the answers stand in the order of the texts."""
        return self.score_encoded(self.tokenizer.encode_all(texts))

    def score_encoded(self, sequences: Sequence[Sequence[int]], told: OnScored | None = None) -> Scores:
        """Score encoded texts, each of at least one id, as `score` does; `told` hears how many of them are done."""
        return self._done(sequences, told).scores()

    def logits(self, sequences: Sequence[Sequence[int]]) -> Floats32:
        """The logits of encoded texts, each of at least one id: `[texts, labels]`, of two labels the second's alone.

        They are divided by the temperature, so a softmax (a sigmoid) makes probabilities of them.
        """
        return self._done(sequences).logits()

    def begin(self, sequences: Sequence[Sequence[int]]) -> "Work":
        """Encoded texts, each of at least one id, cut into batches that have yet to be run, in any order and thread."""
        return Work(self, sequences)

    def _done(self, sequences: Sequence[Sequence[int]], told: OnScored | None = None) -> "Work":
        work, done = self.begin(sequences), 0
        for batch in _each_done(work.run, work.batches, self.threads):
            done += len(batch)
            if told is not None:
                told(done, len(sequences))
        return work

    def run(self, ids: npt.NDArray[np.int32]) -> Floats32:
        """The graph's logits of one padded batch, `[texts, longest]`: as `logits` has them, but for the temperature.

        Raises `BundleError` where they are not finite.
        """
        logits: Floats32 = self._session.run(None, {"ids": ids})[0]
        if not np.isfinite(logits).all():  # finite weights may be too large
            raise BundleError("answers what is no finite number", where=self._where)
        return logits

    def adjusted(self, *, temperature: float | None = None, decision: Decision | None = None) -> "Predictor":
        """The same network with another temperature, another way to decide, or both."""
        other = copy(self)
        other.temperature = temperature or self.temperature
        other.decision = decision or self.decision
        return other

    def running(self, graph: bytes, where: str) -> "Predictor":
        """The same classifier with another graph, as in the file `where`; raises `BundleError` if it cannot run."""
        other = copy(self)
        other._load(graph, where)
        return other

    @overload
    def predict(self, texts: Series) -> Any: ...
    @overload
    def predict(self, texts: str | Iterable[str]) -> list[Prediction]: ...
    def predict(self, texts: Any) -> Any:
        """A `Prediction` a text, in the order of the texts; a str is one text.

        Of a pandas Series it makes a Series of them, under the same index. Raises `DataError` for what is no text.
        """
        scores = self.score(as_texts(texts))
        found = [
            Prediction(self.labels[label], float(row[label]), tuple(map(float, row)), not known, bool(unsure))
            for label, row, known, unsure in zip(
                self.decision.choose(scores.probabilities),
                scores.probabilities,
                scores.known,
                self.decision.unsure(scores.probabilities),
                strict=True,
            )
        ]
        return type(texts)(found, index=texts.index, dtype=object) if _is_series(texts) else found

    @overload
    def predict_proba(self, texts: Series) -> Any: ...
    @overload
    def predict_proba(self, texts: str | Iterable[str]) -> Floats: ...
    def predict_proba(self, texts: Any) -> Any:
        """The probability of each label, in the order of `labels`: `[texts, labels]`, rows sum to 1; a str is one text.

        Of a pandas Series it makes a DataFrame under the same index, a column a label. Raises `DataError` for what is
        no text.
        """
        probabilities = self.score(as_texts(texts)).probabilities
        if not _is_series(texts):
            return probabilities
        pandas: Any = sys.modules["pandas"]  # a Series has loaded it
        return pandas.DataFrame(probabilities, index=texts.index, columns=list(self.labels))

    def explain_texts(self, text: str, *, most_parts: int | None = MOST_PARTS) -> "tuple[Part, ...]":
        """The words of a text and what each does to the label it is given: see `rnn_cli.scoring.explain`.

        Of more than `most_parts` words neighbours are joined. Raises `DataError` for what is no text.
        """
        from rnn_cli.scoring.explain import explain_texts

        return explain_texts(self, as_texts([text]), most_parts=most_parts)[0]

    @property
    def model_card(self) -> str:
        """What it is for, what it learned from, how good it is, in Markdown; raises `BundleError` where it has none."""
        if CARD not in self._opened.manifest.files:
            raise BundleError("has no model card", where=str(self._opened.path))
        return self._opened.read(CARD).decode("utf-8")


def as_texts(texts: str | Iterable[Any]) -> list[str]:
    """A text alone or many, of a list, an array or a pandas Series, as a list. Raises `DataError` for what is none."""
    listed = [texts] if isinstance(texts, str) else list(texts)
    for number, text in enumerate(listed, start=1):
        if not isinstance(text, str):
            what = f"expected a text, got {type(text).__name__}"
            raise DataError(what, where=f"text {number}", hint="drop rows without a text, or make them str")
    return listed


def _is_series(texts: object) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(texts, pandas.Series)


class Work:
    """Encoded texts under way: `run` each of the `batches`, then take the `scores`."""

    def __init__(self, predictor: Predictor, sequences: Sequence[Sequence[int]]) -> None:
        self._predictor, self._texts = predictor, Ragged(sequences)
        self._logits = np.empty((len(sequences), predictor.outputs), np.float32)
        self.batches = list(_batches_of_like_length(self._texts.lengths))

    def run(self, rows: Indices) -> None:
        """Score one of the batches."""
        # Threads write to rows of their own, and ONNX Runtime lets go of Python's lock.
        self._logits[rows] = self._predictor.run(self._texts.padded(rows))

    def logits(self) -> Floats32:
        """What `Predictor.logits` answers, once all batches have been run."""
        return self._logits / self._predictor.temperature

    def scores(self) -> Scores:
        """What `Predictor.score` answers, once all batches have been run."""
        ids, blank = self._texts.ids, self._predictor.tokenizer.blank
        known = self._texts.any((ids > UNKNOWN) & ~np.isin(ids, list(blank)) if blank else ids > UNKNOWN)
        return Scores(_probabilities(self.logits()), known)


def cores() -> int:
    """The cores this process may use, where the system tells; a container may have fewer than the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def open_session(graph: bytes, where: str) -> onnxruntime.InferenceSession:
    """ONNX Runtime with the graph in the bytes of the file `where`; raises `BundleError` if it cannot load it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    # The arena would grow with every new shape of batch and never shrink; without it scoring is as fast.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.load_model_format", "ONNX")  # not its own format, seen by nobody
    options.log_severity_level = 4  # what goes wrong is told by the exception
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions share no base class
        raise BundleError(f"ONNX Runtime cannot load it ({error})".replace("\n", " "), where=where) from error


def _each_done(work: Callable[[Indices], None], batches: Sequence[Indices], threads: int) -> Iterator[Indices]:
    """Does the work; gives each batch when it and those before it are done."""
    if threads == 1 or len(batches) <= 1:
        for batch in batches:
            work(batch)
            yield batch
        return
    from concurrent.futures import ThreadPoolExecutor  # takes as long to load as a sentence to score

    with ThreadPoolExecutor(min(threads, len(batches))) as pool:
        for batch, _ in zip(batches, pool.map(work, batches), strict=True):
            yield batch


def _batches_of_like_length(lengths: npt.NDArray[np.intp]) -> Iterator[Indices]:
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        size = min(max(1, BATCH_TOKENS // int(lengths[order[start]])), BATCH_TEXTS)  # the longest comes first
        yield order[start : start + size]
        start += size


def _probabilities(logits: Floats32) -> npt.NDArray[np.float64]:
    wide = logits.astype(np.float64)
    if wide.shape[1] == 1:
        wide = np.hstack([np.zeros_like(wide), wide])  # a sigmoid is a softmax beside a zero
    wide = np.exp(wide - wide.max(axis=1, keepdims=True))
    probabilities: npt.NDArray[np.float64] = wide / wide.sum(axis=1, keepdims=True)
    return probabilities
