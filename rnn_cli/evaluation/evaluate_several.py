"""A predictor of several labels a text, measured on labelled texts."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from rnn_cli.arrays import Indices, label_flags
from rnn_cli.bundle.model_folder import Bundle
from rnn_cli.config.load import Override
from rnn_cli.config.schema import DecisionConfig
from rnn_cli.data.label_sets import written_labels
from rnn_cli.data.rows import Dataset
from rnn_cli.errors import DataError, few_of
from rnn_cli.evaluation.compare import DETAILS, baseline_kept_of, metrics_kept_of
from rnn_cli.evaluation.decide_each import decide_each
from rnn_cli.evaluation.evaluate import (
    TokenCounts,
    config_decided_anew,
    encode_counted,
    kept_validation_rows,
    made_of,
    models_of,
    numbers_of_columns,
)
from rnn_cli.evaluation.seen import SeenRows
from rnn_cli.evaluation.several import SeveralComparison, SeveralMetrics, measure_several
from rnn_cli.evaluation.wording_several import several_table
from rnn_cli.scoring.of_each import DecisionOfEach
from rnn_cli.scoring.predictor import OnScored, Predictor, Scores
from rnn_cli.scoring.unknown import UnknownTokens
from rnn_cli.text.plain import html_table

if TYPE_CHECKING:
    import pandas

    from rnn_cli.evaluation.folds import CrossValidation


@dataclass(frozen=True)
class SeveralBaseline:
    """The linear baseline's metrics on some rows, and the network (the first) compared with it (the second).

    `knew_more` says that the network was trained on other rows before, which the baseline has not seen; `by_folds` that
    the tests and their intervals are those of a cross-validation's folds.
    """

    metrics: SeveralMetrics
    comparison: SeveralComparison
    knew_more: bool
    by_folds: bool = False


@dataclass(frozen=True, repr=False)
class SeveralEvaluation:
    """A model's predictions of several labels for labelled texts, and how good they are.

    `predicted` is 1 or 0 for each label, `[rows, labels]`, as `decision` chose them. `reading` counts what was read of
    the texts. `baseline` is the linear model on the same rows, if the run saved it; `baseline_left_out` says that it is
    omitted because the model now decides differently. `seen` says which of the rows given the model learned from; None
    for its own test and validation rows. `folds` tells of the cross-validation that predicted the rows, if one did.
    `made` says in words what the model is. `warnings` deserve a second look. `model` is the model's folder.
    """

    dataset: Dataset
    scores: Scores
    decision: DecisionOfEach
    predicted: Indices
    metrics: SeveralMetrics
    reading: TokenCounts
    baseline: SeveralBaseline | None = None
    baseline_left_out: bool = False
    seen: SeenRows | None = None
    folds: "CrossValidation | None" = None
    made: str = "network"
    warnings: tuple[str, ...] = ()
    model: Path | None = None

    @cached_property
    def truth(self) -> Indices:
        """Which labels each row has, 1 or 0: `[rows, labels]`."""
        return true_flags(self.dataset, self.metrics.labels)

    def to_dict(self) -> dict[str, Any]:
        """The metrics as plain values, with the decision behind them."""
        thresholds = self.decision.thresholds or (0.5,) * len(self.metrics.labels)
        decision = {"thresholds": dict(zip(self.metrics.labels, thresholds, strict=True)), "most": self.decision.most}
        plain: dict[str, Any] = {**self.metrics.to_dict(), "decision": decision}
        if self.baseline is not None:
            compared = self.baseline.comparison.to_dict()
            plain |= {"baseline": self.baseline.metrics.to_dict(), "comparison": compared}
        if self.seen is not None:
            plain["seen"] = self.seen.to_dict()
        if self.folds is not None:
            plain[DETAILS] = asdict(self.folds)
        return plain

    def to_frame(self) -> "pandas.DataFrame":
        """A table of pandas with one row a text: line, text, labels, predicted labels (JSON lists), `p(LABEL)` each."""
        import pandas

        labels, files = self.metrics.labels, {} if self.dataset.files is None else {"file": self.dataset.files}
        table = pandas.DataFrame(
            {
                **files,
                "line": self.dataset.lines,
                "text": self.dataset.texts,
                "label": self.dataset.labels,
                "prediction": predicted_sets(labels, self.predicted),
            }
        )
        columns = pandas.DataFrame(self.scores.probabilities, columns=[f"p({label})" for label in labels])
        return pandas.concat([table, columns], axis=1)

    def __repr__(self) -> str:
        """The rows and the main metrics."""
        metrics = self.metrics
        return (
            f"SeveralEvaluation({self.dataset.name}, {metrics.rows:,} rows: micro F1 {metrics.micro_f1:.3f}, "
            f"macro F1 {metrics.macro_f1:.3f})"
        )

    def _repr_html_(self) -> str:
        """The metrics with their intervals as a table, for a notebook."""
        models = models_of(self)
        return html_table(*several_table(self.dataset.name, models))


def predicted_sets(labels: Sequence[str], predicted: Indices) -> list[str]:
    """The labels predicted for each row, written as a row's own are."""
    return [
        written_labels(label for label, flag in zip(labels, row, strict=True) if flag) for row in predicted.tolist()
    ]


def true_flags(dataset: Dataset, labels: Sequence[str]) -> Indices:
    """Which labels each row has, 1 or 0: `[rows, labels]`; raises `DataError` for a label that is not among them."""
    known = set(labels)
    for row, names in enumerate(dataset.label_sets):
        for name in names:
            if name not in known:
                raise DataError(
                    f"label {name!r} is none of the model's ({few_of(labels)})",
                    where=dataset.where(row),
                    hint="correct it, or train on data that has it",
                )
    return label_flags(labels, dataset.label_sets)


def evaluate_several(predictor: Predictor, dataset: Dataset, on_scored: OnScored | None = None) -> SeveralEvaluation:
    """Score labelled texts and measure the predictions; raises `DataError` for a label the model does not know."""
    truth = true_flags(dataset, predictor.labels)
    encoded, reading = encode_counted(predictor.tokenizer, dataset.texts)
    tokens, decision = UnknownTokens(reading.read, reading.unknown), predictor.decision
    assert isinstance(decision, DecisionOfEach)
    columns = numbers_of_columns(predictor, dataset)
    scores = replace(predictor.score_encoded(encoded, on_scored, columns), tokens=tokens)
    predicted = decision.choose(scores.probabilities)
    metrics = measure_several(predictor.labels, truth, scores.probabilities, predicted)
    return SeveralEvaluation(dataset, scores, decision, predicted, metrics, reading, made=made_of(predictor))


def decided_each(
    predictor: Predictor, validation: Dataset, config: DecisionConfig
) -> tuple[Predictor, tuple[str, ...]]:
    """The same network with the thresholds that serve the config best on the validation rows, and what none reaches."""
    truth = true_flags(validation, predictor.labels)
    probabilities = predictor.score(validation.texts, validation.further).probabilities
    decision, shortfalls = decide_each(config, truth, probabilities)
    return predictor.adjusted(decision=decision), shortfalls


def decided_each_anew(
    opened: Bundle, predictor: Predictor, asked: Sequence[Override]
) -> tuple[Predictor, tuple[str, ...]]:
    """The same network with new thresholds: the run's config, changed in the keys of `decision` that are asked for.

    The run's own validation rows choose them. Raises `ConfigError` and `BundleError`.
    """
    config = config_decided_anew(opened, asked).decision
    if config.threshold is not None:
        labels = len(predictor.labels)
        decision = DecisionOfEach(thresholds=(config.threshold,) * labels, most=config.most_labels or 0)
        return predictor.adjusted(decision=decision), ()
    rows, known = kept_validation_rows(opened), set(predictor.labels)
    sets = [written_labels(name for name in names if name in known) for names in rows.label_sets]
    return decided_each(predictor, replace(rows, labels=sets), config)


def kept_metrics_of_each(opened: Bundle, side: str) -> SeveralMetrics | None:
    """A run's metrics on its `validation` or `test` rows; None where it had no such rows. Raises `BundleError`."""
    return metrics_kept_of(opened, side, SeveralMetrics.from_dict)


def kept_baseline_of_each(opened: Bundle, side: str) -> SeveralBaseline | None:
    """A run's baseline on its `validation` or `test` rows; None where it fitted none. Raises `BundleError`."""
    found = baseline_kept_of(opened, side, SeveralMetrics.from_dict, TypeAdapter(SeveralComparison).validate_python)
    return None if found is None else SeveralBaseline(*found)


def stored_decision(decision: DecisionOfEach) -> dict[str, Any]:
    """The fields of a manifest that hold a decision."""
    return {name: value for name, value in asdict(decision).items() if name in ("thresholds", "most")}
