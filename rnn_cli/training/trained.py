"""A finished run: its bundle and its metrics. Knows nothing of how it was trained; loads no TensorFlow."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnn_cli.bundle.model_folder import HISTORY, METRICS, REPORT, Bundle
from rnn_cli.evaluation import wording_numbers as of_numbers
from rnn_cli.evaluation import wording_several as of_several
from rnn_cli.evaluation.compare import BY_FOLDS
from rnn_cli.evaluation.evaluate import models_of
from rnn_cli.evaluation.evaluate_numbers import EvaluationOfAny, NumberEvaluation
from rnn_cli.evaluation.evaluate_several import SeveralEvaluation
from rnn_cli.evaluation.ordered import OrderedMetrics
from rnn_cli.evaluation.wording import EVERY, bounds, metrics_shown, value
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.text.plain import html_table

if TYPE_CHECKING:
    import pandas

    from rnn_cli.evaluation.numbers import NumberMetrics

LEFT_OUT = ("balanced_accuracy", "ece")
"""Metrics that the table leaves to `rnn evaluate`, as it has up to four columns of metrics."""


@dataclass(frozen=True, repr=False)
class Run:
    """A finished run. Its evaluations come from the bundle's ONNX graph and hold the linear baseline's metrics, too.

    `validation` is None for a run that had finished earlier; so is `test`, and where the config keeps no test rows.
    `folds` are the rows as a cross-validation predicted them, if the config wants one: the run's stated figure.
    `warnings` are those given during training.
    """

    bundle: Bundle
    validation: EvaluationOfAny | None = None
    test: EvaluationOfAny | None = None
    best_epoch: int | None = None
    warnings: tuple[str, ...] = ()
    folds: EvaluationOfAny | None = None

    @property
    def path(self) -> Path:
        """The model's folder."""
        return self.bundle.path

    @property
    def report_path(self) -> Path | None:
        """The page report.html; None if it could not be made."""
        return self.path / REPORT if REPORT in self.bundle.manifest.files else None

    @cached_property
    def model(self) -> Predictor:
        """The trained classifier, ready to predict."""
        return Predictor(self.bundle)

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """The content of metrics.json: metrics by side (`validation`, `test`, `folds`), baseline, calibration, int8."""
        return json.loads(self.bundle.read(METRICS))  # type: ignore[no-any-return]

    @cached_property
    def history(self) -> "pandas.DataFrame":
        """One row per epoch: losses in nats per row, accuracies, learning rate, gradient norm, seconds."""
        import pandas

        return pandas.read_csv(BytesIO(self.bundle.read(HISTORY)))

    @property
    def sides(self) -> "dict[str, EvaluationOfAny]":
        """The evaluations by name: `validation`, `test` and `folds`."""
        sides = {"validation": self.validation, "test": self.test, BY_FOLDS: self.folds}
        return {name: side for name, side in sides.items() if side is not None}

    def table(self) -> tuple[list[str], list[list[str]]]:
        """A header and rows: the metrics of each side and its baseline in columns, and the first one's interval."""
        columns: dict[tuple[str, str], Any] = {}
        for name, side in self.sides.items():
            name = name if side.folds is None else f"{side.folds.folds} folds"
            columns |= {(name, model): metrics for model, metrics in models_of(side).items()}
        firsts = {next(iter(models_of(side))) for side in self.sides.values()}
        has_baseline = len(columns) > len(self.sides)
        head = [""] + [name if model in firsts else "" for name, model in columns]
        rows = [["", *(model for _, model in columns)]] if has_baseline else []
        rows.append(["rows", *(f"{metrics.rows:,}" for metrics in columns.values())])
        if self.bundle.manifest.number:
            return head, rows + _rows_of_numbers(list(columns.values()))
        if self.bundle.manifest.several:
            for field in of_several.SEVERAL_MAIN:
                name, written = of_several.SEVERAL_SHOWN[field]
                rows.append([name, *(written(getattr(metrics, field)) for metrics in columns.values())])
                if field in ("micro_f1", "macro_f1"):
                    rows.append(
                        [EVERY, *(of_several.several_bounds(metrics, field, written) for metrics in columns.values())]
                    )
            return head, rows
        shown = metrics_shown(next(iter(columns.values())))
        for field, (name, written) in shown.items():
            if field not in LEFT_OUT:
                rows.append([name, *(value(metrics, field, written) for metrics in columns.values())])
            if field == next(iter(shown)):
                rows.append([EVERY, *(bounds(metrics, field, written) for metrics in columns.values())])
        return head, rows

    def __repr__(self) -> str:
        """The model's folder and its accuracy; of several labels a text, the micro F1; of numbers, their error."""
        measured = (
            f"{name} mean absolute error {of_numbers.number_value(side.metrics, 'mean_absolute_error')}"
            if isinstance(side, NumberEvaluation)
            else f"{name} micro F1 {side.metrics.micro_f1:.3f}"
            if isinstance(side, SeveralEvaluation)
            else f"{name} mean absolute error {side.metrics.mean_absolute_error:.3f}"
            if isinstance(side.metrics, OrderedMetrics)
            else f"{name} accuracy {side.metrics.accuracy:.1%}"
            for name, side in self.sides.items()
        )
        return f"Run({', '.join([repr(str(self.path)), *measured])})"

    def _repr_html_(self) -> str:
        return html_table(*self.table())


def _rows_of_numbers(columns: "Sequence[NumberMetrics]") -> list[list[str]]:
    """The metrics of numbers, a row each, and the first one's interval."""
    rows = []
    for field, called in of_numbers.NUMBERS_SHOWN.items():
        rows.append([called, *(of_numbers.number_value(metrics, field) for metrics in columns)])
        if field == "mean_absolute_error":
            rows.append([EVERY, *(of_numbers.number_bounds(metrics, field) for metrics in columns)])
    return rows
