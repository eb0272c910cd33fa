"""A model that was trained in a search over configs: measured on validation rows alone, and written where it is kept.

The bundle of the one that is chosen is that of a training of its config. Takes no TensorFlow.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rnn_cli.bundle.history import EpochMetrics, best_epoch, read_history
from rnn_cli.bundle.model_folder import KERAS_MODEL, ONNX_MODEL, Bundle
from rnn_cli.bundle.writer import Draft
from rnn_cli.errors import BundleError
from rnn_cli.evaluation.evaluate import Evaluation
from rnn_cli.evaluation.evaluate_numbers import NumberEvaluation
from rnn_cli.evaluation.evaluate_several import SeveralEvaluation
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.training.finish import finish
from rnn_cli.training.folds import (
    FoldResults,
    Keeps,
    Learned,
    OnFoldPart,
    evaluate_learned,
    in_memory,
    predict_folds,
)
from rnn_cli.training.linear_run import learn_linear
from rnn_cli.training.listener import Listener, SilentListener
from rnn_cli.training.pooling import pooled
from rnn_cli.training.prepare import Prepared
from rnn_cli.training.trained import Run


@dataclass(frozen=True)
class TrialModel:
    """What a trial's model is finished from. `network` is Keras's file of it, None of a linear model."""

    run: Prepared
    graph: bytes
    network: bytes | None
    history: tuple[EpochMetrics, ...]
    folds: FoldResults | None = None

    @classmethod
    def kept_in(cls, opened: Bundle, run: Prepared, folds: FoldResults | None = None) -> "TrialModel":
        """The model in a bundle that `write_trial` wrote. Raises `BundleError`."""
        network = opened.read(KERAS_MODEL) if KERAS_MODEL in opened.manifest.files else None
        return cls(run, opened.read(ONNX_MODEL), network, read_history(opened), folds)

    @property
    def best(self) -> EpochMetrics:
        """The epoch whose weights it has."""
        return best_epoch(self.history, self.run.config.training)

    def evaluate(self) -> Evaluation | SeveralEvaluation:
        """Measure on the rows that choose: those predicted by folds, else the validation rows."""
        learned = Learned(self.graph, self.run, self.best.epoch)
        if self.folds is not None:
            found = pooled(self.run, Predictor(in_memory(learned)), self.folds)
        else:
            found = evaluate_learned(learned, self.run.splits.validation, SilentListener())
        assert not isinstance(found, NumberEvaluation)  # a search is for labels
        return found

    def served_bytes(self) -> int:
        """The bytes of what predicts: the graph and the tokenizer."""
        return len(self.graph) + len(self.run.tokenizer.to_json().encode("utf-8"))


def learn_linear_trial(run: Prepared, listener: Listener, keep: Keeps, after: OnFoldPart) -> TrialModel:
    """Fit the linear model of a config, measured by folds where the config wants that."""
    found = predict_folds(run, learn_linear, keep, listener, after=after)
    learned = learn_linear(run, listener)
    return TrialModel(learned.run, learned.graph, None, (learned.metrics,), found)


def with_baselines_of(found: FoldResults, other: FoldResults) -> FoldResults:
    """The folds' predictions with the linear baselines of another trial, which had the same folds."""
    parts = [replace(mine, baseline=its.baseline) for mine, its in zip(found.parts, other.parts, strict=True)]
    return FoldResults(found.dealt, tuple(parts))


def kept_folds(run: Prepared, keep: Keeps, listener: Listener) -> FoldResults | None:
    """What a trial's folds predicted, as it was kept; None where the config wants no folds. Raises `BundleError`."""

    def lost(_: Prepared, __: Listener) -> Learned:
        raise BundleError("the predictions of a trial's folds are lost", hint="begin a new search")

    return predict_folds(run, lost, keep, listener)


def without_test_rows(run: Prepared) -> Prepared:
    """The run, which knows no test rows: what chooses must not look at them."""
    nothing = run.splits.test.select([])
    return replace(run, splits=replace(run.splits, test=nothing))


def write_trial(
    draft: Draft,
    model: TrialModel,
    listener: Listener,
    *,
    documented: bool,
    more: Mapping[str, Any] | None = None,
) -> Run:
    """Calibrate, decide and measure a trial's model as a training does, and write its bundle.

    Its test rows are looked at if the model's run has some. `more` is added to its metrics.
    """
    if model.network is not None:
        draft.write(KERAS_MODEL, model.network)
    return finish(
        draft,
        model.run,
        model.graph,
        model.history,
        model.best,
        listener,
        documented=documented,
        folds=model.folds,
        more=more,
    )
