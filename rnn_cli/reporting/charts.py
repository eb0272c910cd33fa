"""A report's charts, the same for the page and for files."""

from collections.abc import Callable, Iterable
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from rnn_cli.arrays import Floats, Indices
from rnn_cli.bundle.history import EpochMetrics
from rnn_cli.evaluation.intervals import wilson_interval
from rnn_cli.evaluation.metrics import Metrics
from rnn_cli.evaluation.scores import (
    average_precision,
    calibration_bins,
    calibration_error,
    chance_calibration_error,
    confidences,
    precision_recall_curve,
    roc_auc,
    roc_curve,
)
from rnn_cli.reporting.canvas import LIGHT, Chart, canvas, line
from rnn_cli.reporting.report import AnyReport, Report
from rnn_cli.scoring.calibration import Calibration
from rnn_cli.text.plain import apart, shortened

NAME_CHARACTERS = 18

MAX_CURVES = 10
"""Of more than two labels, at most this many have a curve of their own: those with the lowest F1."""

WITH_SHARES, WITH_COUNTS, IN_MATRIX = 5, 10, 40
"""Up to how many labels a confusion matrix shows shares, shows counts, and is drawn at all."""

SCORE_BINS = 40

POINTS = 300
"""Points of a curve, at most: a chart of a million rows is as small as one of a thousand."""


def named(labels: Iterable[str]) -> dict[str, str]:
    """Each label as a chart shows it."""
    return apart(labels, NAME_CHARACTERS, shortened)


def draw_all(report: Report) -> dict[str, Chart]:
    """Every chart for which the report has something to show, by name."""
    epochs = () if report.config.model.base else (_loss, _accuracy)
    if report.several:
        return {chart.name: chart for draw in epochs if (chart := draw(report)) is not None}
    drawn = (draw(report) for draw in (_confusion, _roc, _precision_recall, _scores, _calibration, *epochs))
    return {chart.name: chart for chart in drawn if chart is not None}


def _metrics(report: Report) -> Metrics:
    """The metrics of a model of one label a text; the charts but for those by epoch are of such models."""
    metrics = report.evaluation.metrics
    assert isinstance(metrics, Metrics)
    return metrics


def _confusion(report: Report) -> Chart | None:
    metrics = _metrics(report)
    count = len(metrics.labels)
    if count > IN_MATRIX:
        return None
    with canvas("confusion") as (figure, axes):
        matrix = np.array(metrics.confusion, np.float64)
        of_row = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
        for (row, column), share in np.ndenumerate(of_row):
            colour = LIGHT["blue" if row == column else "red"]
            if share:
                axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=colour, alpha=0.55 * share**0.7))
            if count <= WITH_COUNTS:
                text = f"{metrics.confusion[row][column]:,}" + (f"\n{share:.1%}" if count <= WITH_SHARES else "")
                axes.text(column, row, text, ha="center", va="center", fontsize=10 if count <= 5 else 8)
        axes.set(xlim=(-0.5, count - 0.5), ylim=(count - 0.5, -0.5), xlabel="predicted", ylabel="true")
        names = list(named(metrics.labels).values())
        turned: dict[str, Any] = {} if count <= 3 else {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
        small: dict[str, Any] = {"fontsize": 10 if count <= 5 else 8 if count <= 15 else 5}
        axes.set_xticks(range(count), names, **turned, **small)
        axes.set_yticks(range(count), names, **small)
        axes.set_xticks(np.arange(1, count) - 0.5, minor=True)
        axes.set_yticks(np.arange(1, count) - 0.5, minor=True)
        axes.grid(False, which="major")
        axes.grid(True, which="minor")
        axes.tick_params(which="both", length=0)
        axes.spines[:].set_visible(False)
    of_what = "; the percentages are of the true label's rows" if count <= WITH_SHARES else ""
    caption = f"Rows by true label (down) and predicted label (across){of_what}."
    return Chart("confusion", "Confusion matrix", caption, figure)


def _roc(report: Report) -> Chart | None:
    ranked = _ranked(report)
    if not ranked:
        return None
    with canvas("roc") as (figure, axes):
        axes.plot([0, 1], [0, 1], color=LIGHT["muted"], linewidth=0.8, linestyle=":")
        for index, label in enumerate(ranked):
            row = report.evaluation.truth == label, report.evaluation.scores.probabilities[:, label]
            name = _in_legend(report, label, roc_auc(*row))
            axes.plot(*thinned(*roc_curve(*row)), **line(index), label=name)
        if len(report.labels) == 2:
            (right, wrong), (missed, found) = _metrics(report).confusion
            _mark_threshold(axes, report, wrong / (right + wrong), found / (missed + found))
        axes.set(xlabel="false positive rate", ylabel="true positive rate", xlim=(-0.01, 1.01), ylim=(-0.01, 1.02))
        _legend(figure, axes, ranked, "lower right")
    caption = "The share of a label's rows that are found, by the share of other rows predicted as it; chance is the "
    return Chart("roc", "ROC curve", f"{caption}diagonal.{_lowest_f1(report, ranked)}", figure)


def _precision_recall(report: Report) -> Chart | None:
    ranked = _ranked(report)
    if not ranked:
        return None
    with canvas("precision-recall") as (figure, axes):
        for index, label in enumerate(ranked):
            row = report.evaluation.truth == label, report.evaluation.scores.probabilities[:, label]
            precision, recall = precision_recall_curve(*row)
            name = _in_legend(report, label, average_precision(*row))
            axes.plot(*thinned(recall, precision), **line(index), label=name)
            if len(report.labels) == 2:
                axes.axhline(row[0].mean(), color=LIGHT["muted"], linewidth=0.8, linestyle=":")
                metrics = _metrics(report).per_class[report.labels[1]]
                _mark_threshold(axes, report, metrics.recall, metrics.precision)
        axes.set(xlabel="recall", ylabel="precision", xlim=(-0.01, 1.01), ylim=(-0.01, 1.02))
        _legend(figure, axes, ranked, "lower left")
    chance = "; chance is the dotted line" if len(report.labels) == 2 else ""
    caption = f"The share of a label's predictions that are right, by the share of its rows that are found{chance}."
    return Chart("precision-recall", "Precision and recall", caption + _lowest_f1(report, ranked), figure)


def _scores(report: Report) -> Chart:
    evaluation = report.evaluation
    probabilities, predicted, truth = evaluation.scores.probabilities, evaluation.predicted, evaluation.truth
    with canvas("scores") as (figure, axes):
        if len(report.labels) == 2:
            names = named(report.labels)
            groups = {f"truly {names[report.labels[index]]}": truth == index for index in (1, 0)}
            scores = probabilities[:, 1]
            xlabel = f"probability of {names[report.labels[1]]}"
            axes.axvline(
                evaluation.decision.threshold, color=LIGHT["ink"], linewidth=1, linestyle="--", label="threshold"
            )
            caption = "The further apart the two hills, the surer the predictions; rows beyond the threshold are wrong."
        else:
            groups = {"right predictions": truth == predicted, "wrong predictions": truth != predicted}
            scores = confidences(probabilities, predicted)
            xlabel = "probability of the prediction"
            caption = "Right predictions should be sure, and wrong ones should not."
        for index, (name, rows) in enumerate(groups.items()):
            if rows.any():
                counts, edges = np.histogram(scores[rows], SCORE_BINS, (0.0, 1.0))
                percent, colour = 100 * (counts / rows.sum()), line(index)["color"]
                axes.stairs(percent, edges, fill=True, color=colour, alpha=0.25)
                axes.stairs(percent, edges, color=colour, linewidth=1.4, label=f"{name} ({rows.sum():,})")
        axes.set(xlabel=xlabel, ylabel="% of the group's rows", xlim=(0, 1))
        axes.set_ylim(bottom=0)
        legend_below(figure, columns=2)
    return Chart("scores", "Scores", caption, figure)


def _calibration(report: Report) -> Chart:
    evaluation, manifest = report.evaluation, report.manifest
    calibration = Calibration(manifest.temperature, manifest.scales, manifest.biases)
    after, predicted, truth = evaluation.scores.probabilities, evaluation.predicted, evaluation.truth
    with canvas("calibration") as (figure, axes):
        axes.plot([0, 1], [0, 1], color=LIGHT["muted"], linewidth=0.8, linestyle=":")
        sure, right, low, high, rows = reliability(truth, after, predicted)
        least = min(sure.min(), low.min())
        name = "as predicted"
        if calibration != Calibration():
            before = calibration.undone(after)
            x, y, _, _, _ = reliability(truth, before, predicted)
            label = f"before calibration, {_errors(truth, before, predicted)}"
            axes.plot(x, y, color=LIGHT["red"], linestyle="--", linewidth=1.2, label=label)
            least, name = min(least, x.min()), f"as predicted (temperature {calibration.temperature:.2f})"
        axes.errorbar(
            *(sure, right, np.array([right - low, high - right]).clip(0)),
            color=LIGHT["blue"],
            fmt="o-",
            markersize=3.5,
            elinewidth=0.9,
            label=f"{name}, {_errors(truth, after, predicted)}",
        )
        start = max(0.0, least - 0.03)
        for x, y, count in zip(sure, high, rows, strict=True):
            axes.annotate(
                f"{count:,}", (x, y), (0, 3), textcoords="offset points", fontsize=6, rotation=90, ha="center"
            )
        axes.set(xlim=(start, 1.01), ylim=(start, 1.08))
        axes.set(xlabel="probability of the prediction", ylabel="share of right predictions")
        legend_below(figure, columns=1)
    caption = (
        "Of predictions with a probability of 80%, 80% should be right: those lie on the diagonal. Below it the model "
        "is too sure. Each point stands for about equally many rows, with their number and Wilson's 95% interval. By "
        "chance: the error of a perfectly calibrated model on so many rows."
    )
    return Chart("calibration", "Reliability", caption, figure)


def _errors(truth: Indices, probabilities: Floats, predicted: Indices) -> str:
    error = calibration_error(truth, probabilities, predicted)
    return f"error {error:.3f}, by chance {chance_calibration_error(probabilities, predicted):.3f}"


def _loss(report: Report) -> Chart:
    caption = (
        "Training metrics are means over the epoch, while weights changed and dropout was on. Where validation grows "
        "worse and training better, the network memorizes its rows."
    )
    return by_epoch(report, "loss", "Loss", "loss (nats a row)", caption, lambda e: e.loss, lambda e: e.val_loss)


def _accuracy(report: Report) -> Chart:
    caption = "On the training rows and on the validation rows, as above."
    pick = (lambda e: 100 * e.accuracy, lambda e: 100 * e.val_accuracy)
    return by_epoch(report, "accuracy", "Accuracy", "accuracy (%)", caption, *pick)


_Pick = Callable[[EpochMetrics], float]


def by_epoch(
    report: AnyReport, name: str, title: str, unit: str, caption: str, training: _Pick, validation: _Pick
) -> Chart:
    """A metric of the training and of the validation rows, by epoch."""
    epochs = [each.epoch for each in report.history]
    with canvas(name) as (figure, axes):
        axes.axvline(report.best_epoch, color=LIGHT["muted"], linewidth=1, linestyle=":", label="epoch kept")
        for index, (pick, marker, label) in enumerate(((training, "o", "training"), (validation, "s", "validation"))):
            axes.plot(
                epochs, list(map(pick, report.history)), **line(index), marker=marker, markersize=3.5, label=label
            )
        axes.set(xlabel="epoch", ylabel=unit, xlim=(min(epochs) - 0.3, max(epochs) + 0.3))
        axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
        axes.legend(loc="best")
    return Chart(name, f"{title} by epoch", caption, figure)


def _ranked(report: Report) -> list[int]:
    """The labels with a curve of their own, by index: of two the positive one, of more those with the lowest F1.

    A label that no row has, or every row, has no curve.
    """
    truth = report.evaluation.truth
    present = [index for index in range(len(report.labels)) if 0 < (truth == index).sum() < len(truth)]
    if len(report.labels) == 2:
        return present[1:]
    per_class = _metrics(report).per_class
    return sorted(present, key=lambda index: per_class[report.labels[index]].f1 or 0)[:MAX_CURVES]


def _lowest_f1(report: Report, ranked: list[int]) -> str:
    if len(report.labels) == 2:
        return ""
    which = "Each label" if len(ranked) == len(report.labels) else f"The {len(ranked)} labels with the lowest F1, each"
    return f" {which} against the rest."


def _in_legend(report: Report, label: int, area: float) -> str:
    if len(report.labels) == 2:
        return f"area {area:.3f}"
    name = named(report.labels)[report.labels[label]]
    return f"{' ' * name.startswith('_')}{name}, area {area:.3f}"  # matplotlib omits names with a leading underscore


def _mark_threshold(axes: Axes, report: Report, x: float | None, y: float | None) -> None:
    if x is None or y is None:  # the label is never predicted, or has no row
        return
    name = f"threshold {report.evaluation.decision.threshold:.3g}"
    axes.plot([x], [y], marker="o", markersize=7, linestyle="none", color=LIGHT["red"], label=name)


def _legend(figure: Figure, axes: Axes, ranked: list[int], corner: Literal["lower left", "lower right"]) -> None:
    """In a corner that a single curve leaves free, or below many curves."""
    if len(ranked) == 1:
        axes.legend(loc=corner)
    else:
        legend_below(figure, columns=2)


def legend_below(figure: Figure, columns: int) -> None:
    """The figure grows by the legend, so that the curves stay as tall."""
    legend = figure.legend(loc="outside lower center", ncols=columns, fontsize=8)
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + 0.2 * -(-len(legend.get_texts()) // columns))


def reliability(
    truth: Indices, probabilities: Floats, predicted: Indices
) -> tuple[Floats, Floats, Floats, Floats, Indices]:
    """The calibration error's bins: mean confidence, accuracy, the ends of its 95 % interval, rows; `[bins]` each."""
    bins, right = calibration_bins(probabilities, predicted), truth == predicted
    filled = np.bincount(bins) > 0
    rows, hits = np.bincount(bins)[filled], np.bincount(bins, right)[filled]
    ends = np.array([wilson_interval(int(each), int(of)) for each, of in zip(hits, rows, strict=True)])
    confidence = np.bincount(bins, confidences(probabilities, predicted))[filled]
    return confidence / rows, hits / rows, ends[:, 0], ends[:, 1], rows


def thinned(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """At most `POINTS` points of a curve, about equally far apart along it; its ends stay."""
    if len(x) <= POINTS:
        return x, y
    way = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
    kept = np.searchsorted(way, np.linspace(0, way[-1], POINTS - 1))
    kept = np.unique(np.concatenate([kept, [0, len(x) - 1]]).clip(max=len(x) - 1))
    return x[kept], y[kept]
