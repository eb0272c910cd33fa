"""Measures a run by cross-validation: each fold's rows are predicted by a model that learned from the others.

A fold's model is trained and tuned (tokenizer, epoch, weights, calibration, decision) by the other folds' rows alone,
and the linear baseline is fitted to the same ones. Takes no TensorFlow: who measures says how a model learns.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol

import numpy as np

from rnn_cli.arrays import AnyArray, Floats, Indices
from rnn_cli.bundle.in_memory import PLACE, BundleInMemory
from rnn_cli.bundle.model_folder import COLUMNS_FILE, ONNX_MODEL, TOKENIZER
from rnn_cli.config.schema import Config
from rnn_cli.data.folds import Dealt, Fold, deal_folds
from rnn_cli.data.rows import Dataset
from rnn_cli.errors import DataError
from rnn_cli.evaluation.evaluate import evaluate_predictor
from rnn_cli.evaluation.evaluate_numbers import EvaluationOfAny, NumberEvaluation, evaluate_numbers
from rnn_cli.evaluation.evaluate_several import evaluate_several
from rnn_cli.evaluation.folds import figures_of, true_classes
from rnn_cli.scoring.extra import extra_columns_file
from rnn_cli.scoring.prediction import shown_number
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.training.baseline_of_numbers import BaselineOfNumbers
from rnn_cli.training.deciding import calibrated_and_decided, calibrated_and_decided_of_each, undecided_manifest
from rnn_cli.training.listener import Listener, PartListener, SilentListener
from rnn_cli.training.npz import pack_arrays, unpack_arrays
from rnn_cli.training.prepare import AnyBaseline, Prepared, prepare


@dataclass(frozen=True)
class Learned:
    """The ONNX graph of a model that has learned from a fold's run, and the epoch whose weights it has."""

    graph: bytes
    run: Prepared
    epoch: int


Learn = Callable[[Prepared, Listener], Learned]


class Keeps(Protocol):
    """Where finished folds are kept for a run that is stopped: an unfinished run's folder."""

    def keep_part(self, name: str, content: bytes) -> None:
        """Keep a part, whole or not at all."""

    def kept_part(self, name: str) -> bytes | None:
        """A part that was kept; None where there is none."""


@dataclass(frozen=True)
class FoldPart:
    """The predictions for a fold's rows: probabilities `[rows, labels]`, predictions `[rows]`, or `[rows, labels]` of
    several labels a text, whether a token of a row is `known`, `[rows]`, and the baseline's of the same rows, if any.
    Numbers stand in place of probabilities, `[rows, 1]`, and there are no other predictions.

    `trained` rows taught and tuned the model; of `tokens` in the fold's texts `unknown_tokens` were unknown to it.
    """

    probabilities: Floats
    predicted: Indices
    known: Indices
    trained: int
    tokens: int
    unknown_tokens: int
    epoch: int
    baseline: tuple[Floats, Indices] | None = None

    def to_bytes(self) -> bytes:
        """The part as `from_bytes` reads it."""
        numbers = np.array([self.trained, self.tokens, self.unknown_tokens, self.epoch], np.int64)
        return pack_arrays([numbers, self.probabilities, self.predicted, self.known, *(self.baseline or ())])

    @classmethod
    def from_bytes(cls, content: bytes, rows: int, labels: int, *, several: bool) -> "FoldPart":
        """Read a part of so many rows; raises `ValueError` if it is damaged."""
        numbers, probabilities, predicted, known, *baseline = unpack_arrays(content)
        pairs = [(probabilities, predicted), *([tuple(baseline)] if baseline else [])]
        shape = (rows, labels) if several else (rows,)
        for pair in pairs:
            _check(pair, (rows, labels), shape, 2 if several else labels)
        if known.shape != (rows,) or numbers.shape != (4,) or numbers.min() < 0:
            raise ValueError("its numbers do not fit its rows")
        trained, tokens, unknown, epoch = map(int, numbers)
        linear = (baseline[0], baseline[1]) if baseline else None
        return cls(probabilities, predicted, known, trained, tokens, unknown, epoch, linear)


def _check(pair: Sequence[AnyArray], of_labels: tuple[int, ...], shape: tuple[int, ...], below: int) -> None:
    probabilities, predicted = pair
    is_whole = probabilities.shape == of_labels and predicted.shape == shape and predicted.dtype.kind == "i"
    if not is_whole or predicted.min() < 0 or predicted.max() >= below:
        raise ValueError("its predictions do not fit its rows")


@dataclass(frozen=True)
class FoldResults:
    """The folds of a run and the predictions for the rows of each, in the same order."""

    dealt: Dealt
    parts: tuple[FoldPart, ...]


class Ahead(Protocol):
    """Predicts folds before they are asked for."""

    @property
    def dealt(self) -> Dealt:
        """The folds."""

    def part(self, number: int, listener: Listener) -> FoldPart | None:
        """What was predicted of a fold, counted from 0, as soon as it is there; None of one that is not predicted."""


OnFoldPart = Callable[[Fold, FoldPart], None]
"""Called with each fold's predictions; what it raises ends the measuring."""


def predict_folds(
    run: Prepared,
    learn: Learn,
    keep: Keeps | None,
    listener: Listener,
    of: str | None = None,
    after: OnFoldPart | None = None,
    ahead: Ahead | None = None,
) -> FoldResults | None:
    """Have the rows of each fold predicted by a model of the others; None where the config wants no folds.

    Finished folds that `keep` has are not trained again. `of` names a second model of the same folds, which needs no
    baseline of its own. `after` hears of each fold. `ahead` predicts several at once, and keeps them.
    """
    training = run.config.training
    if training.folds is None:
        return None
    dealt = deal_folds_of(run) if ahead is None else ahead.dealt
    if dealt.teaching and of is None:
        count = len(dealt.teaching)
        rows = "row has a label" if count == 1 else "rows have labels"
        listener.warn(f"{count:,} {rows} that no other fold has: learned from in each fold, and not measured")
    parts = list[FoldPart]()
    total = len(dealt.folds)
    for done, fold in enumerate(dealt.folds):
        called = f"fold {done + 1} of {total}" + (f", {of}" if of else "")
        name = part_name(done, of)
        part = None if keep is None else _kept(keep.kept_part(name), fold, run, called, listener)
        if part is None:
            heard = PartListener(called, listener)
            if ahead is not None:
                part = ahead.part(done, heard)
            if part is None:
                heard.doing("reading")
                part = predict_fold(run, fold, learn, heard, baseline=of is None)
                if keep is not None:
                    keep.keep_part(name, part.to_bytes())
        right = _right(part, fold, run)
        against = "" if part.baseline is None else f" (linear {_right(part, fold, run, linear=True)})"
        listener.note(f"{called}: {right}{against} on {len(fold.rows):,} rows that it had not seen")
        parts.append(part)
        if after is not None:
            after(fold, part)
    return FoldResults(dealt, tuple(parts))


def deal_folds_of(run: Prepared) -> Dealt:
    """The folds that a run's config wants."""
    training = run.config.training
    assert training.folds is not None
    folds, repeats = training.folds, training.fold_repeats
    return run.shared.once("folds", (folds, repeats), lambda: deal_folds(run.config.data, run.splits, folds, repeats))


def part_name(fold: int, of: str | None = None) -> str:
    """The name by which the part of a fold is kept, from 0; `of` as in `predict_folds`."""
    return f"{fold + 1:04}" if of is None else f"{of.split()[0]}-{fold + 1:04}"


def is_kept(keep: Keeps | None, number: int, fold: Fold, run: Prepared) -> bool:
    """Whether the part of a fold is kept, whole."""
    return keep is not None and _kept(keep.kept_part(part_name(number)), fold, run, "", SilentListener()) is not None


def _kept(content: bytes | None, fold: Fold, run: Prepared, called: str, listener: Listener) -> FoldPart | None:
    if content is None:
        return None
    try:
        data = run.config.data
        width = 1 if data.number else len(run.labels)
        return FoldPart.from_bytes(content, len(fold.rows), width, several=data.several)
    except (TypeError, ValueError) as error:
        listener.warn(f"{called} is damaged ({error}), so it is trained again")
        return None


def predict_fold(run: Prepared, fold: Fold, learn: Learn, listener: Listener, *, baseline: bool) -> FoldPart:
    """Train on the rows outside a fold, tune on those alone, and predict the fold's."""
    inner = prepare(_of_fold(run, baseline=baseline), listener, ready=(fold.splits, run.unlabelled))
    if inner.labels != run.labels:
        what = f"fold {fold.number} would learn other labels than the whole"
        raise DataError(what, where=fold.splits.train.name, hint="add rows of the rare labels, or use fewer folds")
    learned = learn(inner, listener)
    listener.doing("calibrating and scoring")
    found = evaluate_learned(learned, fold.splits.test, listener)
    numbers = isinstance(found, NumberEvaluation)
    return FoldPart(
        found.scores.probabilities,
        np.zeros(len(fold.rows), np.int64) if numbers else found.predicted.astype(np.int64),
        found.scores.known.astype(np.int64),
        len(fold.splits.train) + len(fold.splits.validation),
        found.reading.read,
        found.reading.unknown,
        learned.epoch,
        _baseline_of(inner.baseline),
    )


def _baseline_of(baseline: AnyBaseline | None) -> tuple[Floats, Indices] | None:
    """What the linear model predicts for the fold's rows."""
    if baseline is None:
        return None
    side = baseline.sides["test"]
    if isinstance(baseline, BaselineOfNumbers):
        return side[0].astype(np.float64)[:, None], np.zeros(len(side[0]), np.int64)
    return side[0].astype(np.float64), side[1].astype(np.int64)


def _of_fold(run: Prepared, *, baseline: bool) -> Config:
    """The config of a fold's run: that of the whole, which is not measured by folds again."""
    training = run.config.training.model_copy(update={"folds": None, "fold_repeats": 1})
    if not baseline:
        training = training.model_copy(update={"baseline": False})
    return run.config.model_copy(update={"training": training})


def in_memory(learned: Learned) -> BundleInMemory:
    """What a predictor needs of a model that is not written."""
    run = learned.run
    contents = {ONNX_MODEL: learned.graph, TOKENIZER: run.tokenizer.to_json().encode("utf-8")}
    if run.columns is not None:
        contents[COLUMNS_FILE] = extra_columns_file(run.columns).encode("utf-8")
    files = {name: {"size": len(file), "sha256": sha256(file).hexdigest()} for name, file in contents.items()}
    return BundleInMemory(PLACE, undecided_manifest(run, data={}, versions={}, files=files), contents)


def evaluate_learned(learned: Learned, rows: Dataset, listener: Listener) -> EvaluationOfAny:
    """Measure on `rows` what a model learned, calibrated and decided on its own run's validation rows."""
    plain = Predictor(in_memory(learned))
    if learned.run.config.data.number:
        return evaluate_numbers(plain, rows)
    if learned.run.config.data.several:
        return evaluate_several(calibrated_and_decided_of_each(plain, learned.run, listener)[0], rows)
    return evaluate_predictor(calibrated_and_decided(plain, learned.run, listener)[0], rows)


def _right(part: FoldPart, fold: Fold, run: Prepared, *, linear: bool = False) -> str:
    """A fold's accuracy, of several labels a text its micro F1, of ordered ones how far it is off, in words."""
    probabilities, predicted = part.probabilities, part.predicted
    if linear and part.baseline is not None:
        probabilities, predicted = part.baseline
    figures = figures_in(run, true_classes(fold.splits.test, run.labels), (probabilities, predicted))
    if "mean_absolute_error" in figures:
        off = figures["mean_absolute_error"]
        return f"{shown_number(off, off) if run.config.data.number else f'{off:.3f}'} off on average"
    return f"micro F1 {figures['micro_f1']:.3f}" if "micro_f1" in figures else f"{figures['accuracy']:.1%} right"


def figures_in(run: Prepared, truth: Any, side: tuple[Floats, Indices]) -> dict[str, float]:
    """The figures of probabilities and predictions for some rows of a run, whose truth is as `true_classes` has it."""
    return figures_of(truth, *side, order=run.labels if run.config.data.ordered else None)
