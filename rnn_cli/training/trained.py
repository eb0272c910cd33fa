"""A run that has ended: its bundle, and how good it is. Knows nothing of how it was trained; loads no TensorFlow."""

import json
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnn_cli.bundle.model_folder import HISTORY, METRICS, REPORT, Bundle
from rnn_cli.evaluation.evaluate import Evaluation
from rnn_cli.evaluation.wording import EVERY, METRICS_SHOWN, bounds, value
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.text.plain import html_table

if TYPE_CHECKING:
    import pandas

LEFT_OUT = ("balanced_accuracy", "ece")
"""What a run's table, which has up to four columns of metrics, leaves to `rnn evaluate`."""


@dataclass(frozen=True)
class Run:
    """A finished run. Its evaluations, by the bundle's own ONNX graph, hold the linear baseline's metrics, too.

    `validation` is None for a run that was finished before, and `test` also where the config kept no test rows.
    `warnings` are what was worth a second look on the way.
    """

    bundle: Bundle
    validation: Evaluation | None = None
    test: Evaluation | None = None
    best_epoch: int | None = None
    warnings: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """The model's folder."""
        return self.bundle.path

    @property
    def report_path(self) -> Path | None:
        """The page report.html; None where none could be made."""
        return self.path / REPORT if REPORT in self.bundle.manifest.files else None

    @cached_property
    def model(self) -> Predictor:
        """The trained classifier, ready to predict."""
        return Predictor(self.bundle)

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """All metrics, as in metrics.json: by side (`validation`, `test`), the baseline's, calibration, int8."""
        return json.loads(self.bundle.read(METRICS))  # type: ignore[no-any-return]

    @cached_property
    def history(self) -> "pandas.DataFrame":
        """A row an epoch: losses in nats a row, accuracies, learning rate, gradient norm, seconds."""
        import pandas

        return pandas.read_csv(BytesIO(self.bundle.read(HISTORY)))

    @property
    def sides(self) -> dict[str, Evaluation]:
        """The evaluations by the names of their rows."""
        sides = {"validation": self.validation, "test": self.test}
        return {name: side for name, side in sides.items() if side is not None}

    def table(self) -> tuple[list[str], list[list[str]]]:
        """The sides' metrics in columns, with the baseline's: a head and rows; of the intervals, accuracy's."""
        columns = {}
        for name, side in self.sides.items():
            columns[name, "network"] = side.metrics
            if side.baseline is not None:
                columns[name, "linear"] = side.baseline.metrics
        has_baseline = any(model == "linear" for _, model in columns)
        head = [""] + ["" if model == "linear" else name for name, model in columns]
        rows = [["", *(model for _, model in columns)]] if has_baseline else []
        rows.append(["rows", *(f"{metrics.rows:,}" for metrics in columns.values())])
        for field, (name, written) in METRICS_SHOWN.items():
            if field not in LEFT_OUT:
                rows.append([name, *(value(metrics, field, written) for metrics in columns.values())])
            if field == "accuracy":
                rows.append([EVERY, *(bounds(metrics, field, written) for metrics in columns.values())])
        return head, rows

    def _repr_html_(self) -> str:
        return html_table(*self.table())
