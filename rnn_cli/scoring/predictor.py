"""From texts to predictions with a bundle's ONNX graph."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import asdict, dataclass, replace
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args, overload
from warnings import warn

import numpy as np
import numpy.typing as npt
import onnxruntime

from rnn_cli.arrays import AnyArray, Floats, Floats32, Indices
from rnn_cli.bundle.model_folder import CARD, COLUMNS_FILE, INT8_MODEL, METRICS, ONNX_MODEL, PRECISION, Bundle
from rnn_cli.errors import BundleError, DataError, Setting, UsageError, few_of
from rnn_cli.graph.skeleton import COLUMNS_INPUT
from rnn_cli.scoring.calibration import Calibration
from rnn_cli.scoring.conformal import Conformal
from rnn_cli.scoring.decision import Decision
from rnn_cli.scoring.numbers import CalibrationOfNumbers
from rnn_cli.scoring.of_each import CalibrationOfEach, DecisionOfEach, ranked
from rnn_cli.scoring.ordered import CalibrationOfOrdered, DecisionOfOrdered, expected_values
from rnn_cli.scoring.parts import read_fitting_graph, read_tokenizer
from rnn_cli.scoring.prediction import (
    NONE,
    ColumnPart,
    LabelsPrediction,
    NumberPrediction,
    OrderedPrediction,
    Part,
    Prediction,
    shown_number,
)
from rnn_cli.scoring.unknown import UnknownTokens
from rnn_cli.system import cores
from rnn_cli.text.padding import Ragged
from rnn_cli.text.tokenizer_json import UNKNOWN

if TYPE_CHECKING:  # few models have other columns
    from rnn_cli.columns import ExtraValues

OnScored = Callable[[int, int], None]
"""Called with how many of how many texts are scored."""

Precision = Literal["fp32", "int8"]
"""How a network computes: in 32-bit floating-point numbers, or mostly in 8-bit integers."""

INT8_METRICS = "int8"
"""The key of the int8 graph in a bundle's metrics."""


def graph_file(opened: Bundle, precision: Precision) -> str:
    """The name of the graph's file; raises `BundleError` with the reason if a bundle has no such graph."""
    if precision not in get_args(Precision):
        raise UsageError(f"no such precision: {precision}", hint=f"use one of {', '.join(get_args(Precision))}")
    if precision in ("fp32", opened.manifest.data.get(PRECISION)):
        return ONNX_MODEL
    if INT8_MODEL in opened.manifest.files:
        return INT8_MODEL
    reason, other_hint = _why_not(opened)
    raise BundleError(
        f"has no int8 graph: {reason}",
        where=str(opened.path),
        hint=Setting("precision", "fp32", f"{other_hint}use {{}}"),
    )


def _why_not(opened: Bundle) -> tuple[str, str]:
    """The run's own reason, if it wrote one, and a hint besides fp32."""
    if METRICS not in opened.manifest.files:
        return "it was exported without", "export it with rnn export --precision int8, or "
    try:
        return str(json.loads(opened.read(METRICS))[INT8_METRICS]["reason"]), ""
    except (KeyError, RecursionError, TypeError, ValueError):
        return "it was trained before these were made", "train again, or "


BATCH_TOKENS = 2_048
"""Tokens scored in one batch: enough for efficient matrix products, few enough for the cache."""

BATCH_TEXTS = 48
"""Texts scored in one batch, at most: with more the products of a time step are no faster."""


class Series(Protocol):
    """The attributes of a pandas Series that are used here; pandas may be missing."""

    index: Any
    iloc: Any


MOST_PARTS = 500
"""Parts of a text that are left out in turn to explain its prediction; in longer texts neighbours are joined."""


@dataclass(frozen=True)
class Scores:
    """Probabilities `[texts, labels]` (float64, rows sum to 1), and whether each text has a known token, `[texts]`.

    Of a model of numbers `probabilities` are the numbers, `[texts, 1]`.

    `tokens` counts those of all texts together; a text without tokens has none, unless it was given encoded.
    """

    probabilities: npt.NDArray[np.float64]
    known: npt.NDArray[np.bool_]
    tokens: UnknownTokens = UnknownTokens()


class Predictor:
    """A trained classifier, ready to score.

    Scores up to `threads` batches in parallel, one a core, which is faster than sharing a batch among cores; None for
    all cores. With the precision `int8` it computes in 8 bits: faster, with nearly the same predictions.
    """

    def __init__(self, opened: Bundle, *, threads: int | None = None, precision: Precision = "fp32") -> None:
        """Load a bundle; raises `BundleError` if any part that is needed is damaged or missing."""
        manifest = opened.manifest
        self._opened = opened
        self.threads, self.precision = threads or cores(), precision
        self.labels = manifest.labels
        self._among: Indices | None = None
        self.calibration: Calibration = Calibration(manifest.temperature, manifest.scales, manifest.biases)
        self.decision: Decision = Decision(manifest.threshold, manifest.unsure_below)
        if manifest.several:
            self.calibration = CalibrationOfEach(manifest.temperature, manifest.scales, manifest.biases)
            self.decision = DecisionOfEach(thresholds=manifest.thresholds, most=manifest.most)
        elif manifest.number:
            self.calibration = CalibrationOfNumbers(center=manifest.center, scale=manifest.scale)
        elif manifest.ordered:
            self.calibration = CalibrationOfOrdered(
                manifest.temperature, biases=manifest.biases, matrix=manifest.matrix
            )
            self.decision = DecisionOfOrdered(unsure_below=manifest.unsure_below, choice=manifest.choice)
        self.tokenizer = read_tokenizer(opened)
        graph = graph_file(opened, precision)
        self.extra_columns = None
        if COLUMNS_FILE in opened.manifest.files:  # few models have any, and the others start without
            from rnn_cli.scoring.extra import read_extra_columns

            self.extra_columns = read_extra_columns(opened)
        self._load(opened.read(graph), str(opened.path / graph))

    @classmethod
    def open(cls, path: Path, *, threads: int | None = None, precision: Precision = "fp32") -> "Predictor":
        """Open the bundle at `path`; raises `BundleError` if there is none, or it is damaged or has no such graph."""
        return cls(Bundle.open(path), threads=threads, precision=precision)

    def _load(self, graph: bytes, where: str) -> None:
        self._where = where
        width = 0 if self.extra_columns is None else self.extra_columns.width
        self.architecture = read_fitting_graph(graph, where, self.tokenizer, self.outputs, width).architecture
        self._session = open_session(graph, where)

    def __repr__(self) -> str:
        """The model's folder and its labels."""
        return f"Predictor({str(self._opened.path)!r}, labels={list(self.labels)})"

    @property
    def bundle(self) -> Bundle:
        """The model's folder."""
        return self._opened

    @property
    def usual_unknown(self) -> UnknownTokens | None:
        """How many tokens of the validation texts were unknown; None for a model of an earlier release."""
        return UnknownTokens.of_manifest(self._opened.manifest.data)

    def _without_tokens(self, texts: Sequence[str], sequences: Sequence[Sequence[int]]) -> int:
        """How many texts have no token; they are encoded as an unknown one that they do not hold."""
        return sum(
            list(ids) == [UNKNOWN] and not self.tokenizer.encode_whole(text)
            for text, ids in zip(texts, sequences, strict=True)
        )

    @property
    def outputs(self) -> int:
        """Logits a text that the graph returns: for two labels, of which a text has one, only the second's; for ordered
        labels one for each but the last."""
        return self._opened.manifest.outputs

    @property
    def several(self) -> bool:
        """Whether a text may have several of the labels, or none: predictions are then `LabelsPrediction`."""
        return self._opened.manifest.several

    @property
    def ordered(self) -> bool:
        """Whether the labels have an order, such as ratings: predictions are then `OrderedPrediction`."""
        return self._opened.manifest.ordered

    @property
    def number(self) -> bool:
        """Whether each text has a number instead of a label: predictions are then `NumberPrediction`."""
        return self._opened.manifest.number

    def refuse_numbers(self, what: str) -> None:
        """Raise `UsageError` for a model of numbers, where `what` is of labels alone."""
        if self.number:
            where = str(self._opened.path)
            raise UsageError(f"predicts numbers, and {what}", where=where, hint="name a model of labels")

    @property
    def spread(self) -> float:
        """The standard deviation of the training rows' numbers; 1 for a model of labels."""
        return self._opened.manifest.scale

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the other columns that the model reads beside a text."""
        return () if self.extra_columns is None else self.extra_columns.names

    def need_texts_alone(self, what: str) -> None:
        """Raise `UsageError` for a model that reads other columns, where `what` is of texts alone."""
        if self.columns:
            reads = f"the model reads other columns, too ({few_of(self.columns)})"
            raise UsageError(f"{what} of texts alone, and {reads}", where=str(self._opened.path))

    def encoded_columns(
        self, columns: "ExtraValues | None", rows: int, where: Callable[[int], str] | None = None
    ) -> Floats32 | None:
        """The numbers of so many rows' other columns, `[rows, width]`; None for a model that reads none.

        A column that is not among the values is missing in all rows; `where` names a row for a message. Raises
        `UsageError` where the model reads columns and None are given, and `DataError` for a value of another kind.
        """
        if self.extra_columns is None:
            return None
        if columns is None:
            names = few_of(self.columns)
            what = f"the model reads other columns beside the text ({names}), and none are given"
            raise UsageError(what, hint=Setting("columns", text="give them, {}, or score rows of a file (rnn score)"))
        return self.extra_columns.encode(columns, rows, where)

    def score(self, texts: Sequence[str], columns: "ExtraValues | None" = None) -> Scores:
        """Score texts of any length and number, in the order of the texts.

        `columns` are the values of other columns that the model reads, by name, each one a text; `encoded_columns`
        says what it raises.
        """
        return self._finished(self.begin_texts(texts, columns)).scores()

    def score_encoded(
        self,
        sequences: Sequence[Sequence[int]],
        on_scored: OnScored | None = None,
        columns: Floats32 | None = None,
    ) -> Scores:
        """Score encoded texts, each of at least one id; calls `on_scored` with how many are done.

        `columns` are those that `encoded_columns` gave.
        """
        return self._finished(self.begin(sequences, columns), on_scored).scores()

    def logits(self, sequences: Sequence[Sequence[int]], columns: Floats32 | None = None) -> Floats32:
        """The logits of encoded texts, each of at least one id: `[texts, labels]`, for two labels only the second's.

        They are calibrated, so a softmax (a sigmoid) turns them into probabilities. `columns` as in `score_encoded`.
        """
        return self._finished(self.begin(sequences, columns)).logits()

    def begin(self, sequences: Sequence[Sequence[int]], columns: Floats32 | None = None) -> "Work":
        """Cut encoded texts, each of at least one id, into batches to run, in any order and thread.

        `columns` as in `score_encoded`. Raises `UsageError` where the model reads some and None are given.
        """
        if columns is None:
            columns = self.encoded_columns(None, len(sequences))
        return Work(self, sequences, columns=columns)

    def begin_texts(self, texts: Sequence[str], columns: "ExtraValues | None" = None) -> "Work":
        """Encode texts and cut them into batches, as `begin` does; `columns` as in `score`."""
        numbers = self.encoded_columns(columns, len(texts))
        sequences = self.tokenizer.encode_all(texts)
        return Work(self, sequences, self._without_tokens(texts, sequences), numbers)

    def _finished(self, work: "Work", on_scored: OnScored | None = None) -> "Work":
        done = 0
        for batch in _each_done(work.run, work.batches, self.threads):
            done += len(batch)
            if on_scored is not None:
                on_scored(done, work.texts)
        return work

    def run(self, inputs: Mapping[str, AnyArray]) -> Floats32:
        """The graph's logits of one batch of `graph_inputs`, not calibrated.

        Raises `BundleError` if they are not finite.
        """
        logits: Floats32 = self._session.run(None, inputs)[0]
        if not np.isfinite(logits).all():  # finite weights may be too large
            raise BundleError("returns a logit that is not finite", where=self._where)
        return logits

    def adjusted(self, *, calibration: Calibration | None = None, decision: Decision | None = None) -> "Predictor":
        """The same network with another calibration, another decision, or both."""
        other = copy(self)
        other.calibration = calibration or self.calibration
        other.decision = decision or self.decision
        return other

    def likeliest(self, probabilities: Floats) -> Indices:
        """The index of the label that each text's prediction names first, `[texts]`; of several, the most probable."""
        return np.argmax(probabilities, axis=1) if self.several else self.decision.choose(probabilities)

    def among(self, labels: Sequence[str]) -> "Predictor":
        """The same network for texts that have one of these labels: the others get no probability.

        Raises `UsageError` unless they are two or more of its labels.
        """
        if self.number:
            raise UsageError("the model predicts numbers, and has no labels", where="labels", hint="leave it out")
        every = self._opened.manifest.labels
        if unknown := [label for label in labels if label not in every]:
            raise UsageError(f"no such label: {unknown[0]}", where="labels", hint=f"it knows {few_of(every)}")
        kept = [index for index, label in enumerate(every) if label in labels]
        if len(kept) < (1 if self.several else 2):
            raise UsageError("one label leaves nothing to decide", where="labels", hint=f"of {few_of(every)} name two")
        if len(kept) == len(every):
            return self
        other = copy(self)
        other.labels, other._among = tuple(every[index] for index in kept), np.array(kept)
        if isinstance(self.decision, DecisionOfEach):
            other.decision = self.decision.among(kept)
        return other

    def calibrated(self, logits: Floats32) -> Floats32:
        """The graph's logits `[texts, outputs]` as the calibrated ones of `labels`."""
        found: Floats32 = self.calibration.logits(logits)
        if self._among is not None:
            found = found[:, self._among]
            if found.shape[1] == 2 and not self.several:  # of ordered labels, too: theirs are logarithms
                found = found[:, 1:] - found[:, :1]
        return found

    def running(self, graph: bytes, where: str) -> "Predictor":
        """The same classifier with the graph of the file `where`; raises `BundleError` if it cannot run."""
        other = copy(self)
        other._load(graph, where)
        return other

    def _given(self, texts: Any, columns: Any) -> "tuple[list[str], ExtraValues | None]":
        """The texts, and the values of other columns, as a program gives them; warns of a column without values."""
        listed = list_of_texts(texts)
        if columns is None:
            return listed, None
        from rnn_cli.scoring.extra import given_columns

        found = given_columns(columns, self.columns, len(listed))
        if absent := [name for name in self.columns if name not in found]:
            warn(f"no values of {few_of(absent)} are given; they count as missing", stacklevel=3)
        return listed, found

    @overload
    def predict(self, texts: Series, coverage: float | None = None, *, columns: Any = None) -> Any: ...
    @overload
    def predict(
        self, texts: str | Iterable[str], coverage: float | None = None, *, columns: Any = None
    ) -> list[Prediction]: ...
    def predict(self, texts: Any, coverage: float | None = None, *, columns: Any = None) -> Any:
        """Predict a label for each text, in the order of the texts; a str is one text.

        With a `coverage` each prediction has the `label_set` of `sets`. `columns` are the values of other columns that
        the model reads: a DataFrame, or a dict of lists (or of values, which are those of all texts); one without
        values counts as missing, with a Python warning. A pandas Series gives a Series with the same index. Raises
        `DataError` for values that are not texts, or not of their column's kind, and `UsageError` as `sets` does, and
        where columns are needed and none are given.
        """
        listed, values = self._given(texts, columns)
        self.check_coverage(coverage)
        found = self.predictions(self.score(listed, values), coverage)
        return type(texts)(found, index=texts.index, dtype=object) if _is_series(texts) else found

    def predictions(self, scores: Scores, coverage: float | None = None) -> list[Prediction]:
        """The prediction for each text, of whose texts these are the scores; for several labels `LabelsPrediction`.

        With a `coverage` each has the `label_set` of `sets`, which raises `UsageError`.
        """
        if self.number:
            return self._of_numbers(scores, coverage)
        if coverage is not None:
            sets = self.sets(scores.probabilities, coverage)
            return [replace(each, label_set=of) for each, of in zip(self.predictions(scores), sets, strict=True)]
        if self.several:
            chosen = self.decision.choose(scores.probabilities)
            return list(map(self._of_each, chosen, scores.probabilities, scores.known))
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
        if not self.ordered:
            return found
        means = expected_values(self.labels, scores.probabilities).tolist()
        return [OrderedPrediction(**asdict(each), expected=mean) for each, mean in zip(found, means, strict=True)]

    def _of_numbers(self, scores: Scores, coverage: float | None) -> list[Prediction]:
        ends = None if coverage is None else self.ranges(scores.probabilities, coverage).tolist()
        found: list[Prediction] = []
        for row, (number, known) in enumerate(zip(scores.probabilities[:, 0].tolist(), scores.known, strict=True)):
            low, high = ends[row] if ends is not None else (None, None)
            label = shown_number(number, self.spread)
            found.append(NumberPrediction(label, nan, (), not known, number=number, low=low, high=high))
        return found

    def ranges(self, numbers: Floats, coverage: float) -> Floats:
        """The ranges that hold the true numbers as often as `coverage` says, `[texts, 2]`: the lowest and the highest.

        `numbers` are the predicted ones, `[texts, 1]`. Raises `UsageError` as `sets` does, and for a model of labels.
        """
        if not self.number:
            raise UsageError("ranges are of numbers, and the model predicts labels", where="coverage", hint="use sets")
        far = self._conformal().farthest(coverage)
        return np.hstack([numbers - far, numbers + far])

    def _of_each(self, chosen: Indices, row: npt.NDArray[np.float64], known: np.bool_) -> LabelsPrediction:
        order = ranked(chosen, row)
        names, found = tuple(self.labels[place] for place in order), tuple(float(row[place]) for place in order)
        probability = found[0] if found else 1 - float(row.max())
        label = ", ".join(names) or NONE
        return LabelsPrediction(label, probability, tuple(map(float, row)), not known, False, names, found)

    def check_coverage(self, coverage: float | None) -> None:
        """Raise `UsageError` as `sets` does; None asks for no sets."""
        if coverage is not None:
            self._conformal().farthest(coverage)

    def _conformal(self) -> Conformal:
        """What the model's validation rows say of sets of labels; raises `UsageError` where they say nothing."""
        if self._among is not None:
            raise UsageError("coverage is of all labels, not of some", where="coverage", hint="leave the labels out")
        kept = Conformal.of_manifest(self._opened.manifest.data)
        if kept is None:
            what = "the model keeps no scores of its validation rows, as an earlier release trained it"
            raise UsageError(what, where="coverage", hint="train again")
        return kept

    def sets(self, probabilities: Floats, coverage: float) -> list[tuple[str, ...]]:
        """For each text the labels that hold the true one as often as `coverage` says, in the labels' order.

        Of several labels a text they hold all that are true. `probabilities` are the texts', `[texts, labels]`. Raises
        `UsageError` for a coverage that the validation rows do not allow, and for a model that keeps nothing of them.
        """
        if self.number:
            raise UsageError("sets are of labels, and the model predicts numbers", where="coverage", hint="use ranges")
        kept = self._conformal()
        chosen = self.decision.choose(probabilities)
        found = kept.sets(probabilities, coverage, chosen, self._opened.manifest.kind)
        return [tuple(label for label, is_in in zip(self.labels, row, strict=True) if is_in) for row in found.tolist()]

    @overload
    def predict_sets(self, texts: Series, coverage: float = 0.9, *, columns: Any = None) -> Any: ...
    @overload
    def predict_sets(
        self, texts: str | Iterable[str], coverage: float = 0.9, *, columns: Any = None
    ) -> list[tuple[str, ...]]: ...
    def predict_sets(self, texts: Any, coverage: float = 0.9, *, columns: Any = None) -> Any:
        """For each text a set of labels that holds the true one with this probability; a str is one text.

        `columns` as in `predict`. A pandas Series gives a Series with the same index. Raises `UsageError` as `sets`
        does, and `DataError` for values that are not texts.
        """
        found = self.sets(self.score(*self._given(texts, columns)).probabilities, coverage)
        return type(texts)(found, index=texts.index, dtype=object) if _is_series(texts) else found

    def named(self, probabilities: Floats) -> list[tuple[str, ...]]:
        """The labels predicted for each text from its probabilities `[texts, labels]`, the most probable first.

        Of numbers there are none.
        """
        if self.number:
            return [()] * len(probabilities)
        chosen = self.decision.choose(probabilities)
        if not self.several:
            return [(self.labels[index],) for index in chosen.tolist()]
        rows = zip(chosen, probabilities, strict=True)
        return [tuple(self.labels[index] for index in ranked(each, row)) for each, row in rows]

    @overload
    def predict_numbers(self, texts: Series) -> Any: ...
    @overload
    def predict_numbers(self, texts: str | Iterable[str]) -> Floats: ...
    def predict_numbers(self, texts: Any) -> Any:
        """The number of each text, `[texts]`, of a model of numbers; a str is one text.

        A pandas Series gives a Series with the same index. Raises `UsageError` for a model of labels, and `DataError`
        for values that are not texts.
        """
        if not self.number:
            raise UsageError("the model predicts labels, not numbers", hint="use predict, or predict_proba")
        found = self.score(list_of_texts(texts)).probabilities[:, 0]
        return type(texts)(found, index=texts.index) if _is_series(texts) else found

    @overload
    def predict_proba(self, texts: Series, *, columns: Any = None) -> Any: ...
    @overload
    def predict_proba(self, texts: str | Iterable[str], *, columns: Any = None) -> Floats: ...
    def predict_proba(self, texts: Any, *, columns: Any = None) -> Any:
        """The probability of each label, in the order of `labels`: `[texts, labels]`, rows sum to 1; a str is one text.

        `columns` as in `predict`. A pandas Series gives a DataFrame with the same index, one column a label. Raises
        `DataError` for values that are not texts, and `UsageError` for a model of numbers.
        """
        if self.number:
            raise UsageError("a number has no probability", hint="use predict, or predict_numbers")
        probabilities = self.score(*self._given(texts, columns)).probabilities
        if not _is_series(texts):
            return probabilities
        pandas: Any = sys.modules["pandas"]  # a Series has loaded it
        return pandas.DataFrame(probabilities, index=texts.index, columns=list(self.labels))

    @overload
    def explain(  # type: ignore[overload-overlap]  # a str is one text, though it can be iterated
        self, texts: str, *, columns: Any = None, most_parts: int | None = MOST_PARTS
    ) -> "tuple[Part, ...]": ...
    @overload
    def explain(self, texts: Series, *, columns: Any = None, most_parts: int | None = MOST_PARTS) -> Any: ...
    @overload
    def explain(
        self, texts: Iterable[str], *, columns: Any = None, most_parts: int | None = MOST_PARTS
    ) -> "list[tuple[Part, ...]]": ...
    def explain(self, texts: Any, *, columns: Any = None, most_parts: int | None = MOST_PARTS) -> Any:
        """The parts of a text and the effect of each on the prediction: see `rnn_cli.scoring.explain`.

        One text gives its parts, several give a list of them, and a pandas Series a Series with the same index. Joins
        neighbours in a text of more than `most_parts` parts. `columns` as in `predict`; `explain_columns` tells of
        their effect. Raises `DataError` for values that are not texts.
        """
        from rnn_cli.scoring.explain import explain_texts

        listed, values = self._given(texts, columns)
        found = explain_texts(self, listed, most_parts=most_parts, columns=values)
        if isinstance(texts, str):
            return found[0]
        return type(texts)(found, index=texts.index, dtype=object) if _is_series(texts) else found

    def explain_columns(self, texts: str | Iterable[str], columns: Any) -> "list[tuple[ColumnPart, ...]]":
        """For each text the other columns that the model reads, and the effect of each on the prediction.

        `columns` as in `predict`. See `rnn_cli.scoring.explain`.
        """
        from rnn_cli.scoring.explain import explain_columns

        listed, values = self._given(texts, columns)
        return explain_columns(self, listed, values or {})

    @property
    def model_card(self) -> str:
        """The model card in Markdown: use, data, metrics, limits. Raises `BundleError` if the bundle has none."""
        if CARD not in self._opened.manifest.files:
            raise BundleError("has no model card", where=str(self._opened.path))
        return self._opened.read(CARD).decode("utf-8")


def list_of_texts(texts: str | Iterable[Any]) -> list[str]:
    """One text, or the texts of a list, an array or a pandas Series, as a list. Raises `DataError` for other values."""
    shape: tuple[int, ...] = getattr(texts, "shape", (1,))
    if len(shape) > 1:  # a DataFrame would be read as the names of its columns
        what = f"expected texts in one dimension, got a table of {' x '.join(map(str, shape))}"
        raise DataError(what, hint="give its column of texts")
    if not isinstance(texts, Iterable) or isinstance(texts, Mapping) or not shape:
        raise DataError(f"expected a text or texts, got {type(texts).__name__}", hint="give a str, or a list of them")
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
    """Encoded texts to score: `run` each of the `batches`, then take the `scores`."""

    def __init__(
        self,
        predictor: Predictor,
        sequences: Sequence[Sequence[int]],
        without_tokens: int = 0,
        columns: Floats32 | None = None,
    ) -> None:
        self._predictor, self._texts, self._without_tokens = predictor, Ragged(sequences), without_tokens
        self.texts, self._columns = len(sequences), columns
        self._logits = np.empty((len(sequences), predictor.outputs), np.float32)
        self.batches = list(_batches_of_like_length(self._texts.lengths))

    def run(self, rows: Indices) -> None:
        """Score one of the batches."""
        # Each thread writes to its own rows, and ONNX Runtime releases Python's lock.
        self._logits[rows] = self._predictor.run(graph_inputs(self._texts, self._columns, rows))

    def logits(self) -> Floats32:
        """The result of `Predictor.logits`, after all batches have run."""
        return self._predictor.calibrated(self._logits)

    def scores(self) -> Scores:
        """The result of `Predictor.score`, after all batches have run."""
        ids, blank = self._texts.ids, self._predictor.tokenizer.blank
        known = self._texts.any((ids > UNKNOWN) & ~np.isin(ids, list(blank)) if blank else ids > UNKNOWN)
        empty = self._without_tokens
        tokens = UnknownTokens(len(ids) - empty, int((ids == UNKNOWN).sum()) - empty)
        return Scores(self._predictor.calibration.probabilities(self.logits()), known, tokens)


def graph_inputs(texts: Ragged, columns: Floats32 | None, rows: Indices) -> dict[str, AnyArray]:
    """What a graph takes of some texts: their ids, padded, and where it takes them the numbers of other columns."""
    inputs: dict[str, AnyArray] = {"ids": texts.padded(rows)}
    if columns is not None:
        inputs[COLUMNS_INPUT] = columns[rows]
    return inputs


def open_session(graph: bytes, where: str) -> onnxruntime.InferenceSession:
    """Load the graph from the bytes of the file `where` in ONNX Runtime; raises `BundleError` if that fails."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    # The arena would grow with every new shape of batch and never shrink; scoring is as fast without it.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.load_model_format", "ONNX")  # not ORT's own, which is unchecked
    options.log_severity_level = 4  # the exception says what went wrong
    try:
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions share no base class
        raise BundleError(f"ONNX Runtime cannot load it ({error})".replace("\n", " "), where=where) from error
    # It would keep the bytes to start anew with other providers, of which there are none: as much memory again.
    session._model_bytes = None
    return session


def _each_done(work: Callable[[Indices], None], batches: Sequence[Indices], threads: int) -> Iterator[Indices]:
    """Do the work; yields each batch when it and all before it are done."""
    if threads == 1 or len(batches) <= 1:
        for batch in batches:
            work(batch)
            yield batch
        return
    from concurrent.futures import ThreadPoolExecutor  # loading it takes as long as scoring a sentence

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
