"""A report's charts, the same for the page and for files. How they look is `canvas`'s work."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from rnn_cli.bundle.history import EpochMetrics
from rnn_cli.evaluation.scores import tempered
from rnn_cli.reporting import curves
from rnn_cli.reporting.report import Report
from rnn_cli.text.plain import apart, shortened

LIGHT: Mapping[str, str] = {
    "paper": "#ffffff",
    "panel": "#f4f6f8",
    "ink": "#1b1f24",
    "muted": "#5a6470",
    "rule": "#d8dde3",
    "blue": "#0072b2",
    "red": "#c84e00",
    "green": "#008462",
    "purple": "#9b4f7f",
    "brown": "#8a6212",
}
DARK: Mapping[str, str] = {
    "paper": "#14181d",
    "panel": "#1d2329",
    "ink": "#e6e9ed",
    "muted": "#a0abb7",
    "rule": "#39424c",
    "blue": "#5cb8ee",
    "red": "#ff9455",
    "green": "#45cfa4",
    "purple": "#e3a1c8",
    "brown": "#dfb45c",
}

SERIES = ("blue", "red", "green", "purple", "brown")


INCHES = (4.8, 3.6)
"""At 72 points an inch about the width of a telephone's screen, so that letters there have the size drawn."""

NAME_CHARACTERS = 18

_STYLE: dict[str, Any] = {
    "svg.fonttype": "none",  # letters stay letters: smaller, and the page's own
    "text.parse_math": False,  # a label may hold a dollar sign
    "font.size": 10,
    "text.color": LIGHT["ink"],
    "axes.labelcolor": LIGHT["ink"],
    "axes.titlesize": 11,
    "axes.edgecolor": LIGHT["muted"],
    "axes.linewidth": 0.8,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LIGHT["rule"],
    "grid.linewidth": 0.7,
    "xtick.color": LIGHT["muted"],
    "ytick.color": LIGHT["muted"],
    "xtick.labelcolor": LIGHT["ink"],
    "ytick.labelcolor": LIGHT["ink"],
    "legend.frameon": True,
    "legend.facecolor": LIGHT["paper"],
    "legend.edgecolor": "none",
    "legend.framealpha": 0.85,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
    "figure.facecolor": LIGHT["paper"],
}


@dataclass(frozen=True)
class Chart:
    """A figure, the name of its file, its title, and what a reader should see in it."""

    name: str
    title: str
    caption: str
    figure: Figure


@contextmanager
def styled(name: str) -> Iterator[None]:
    """Draw and save as a report's charts are, whatever this machine's matplotlibrc says; the same bytes each time."""
    with matplotlib.style.context(["default", _STYLE | {"svg.hashsalt": name}]):
        yield


@contextmanager
def canvas(name: str) -> Iterator[tuple[Figure, Axes]]:
    """A figure to draw on; `name` is its chart's."""
    with styled(name):
        figure = Figure(figsize=INCHES, layout="constrained")
        yield figure, figure.subplots()


def line(index: int) -> dict[str, Any]:
    """How the line of the place-th series is drawn."""
    return {
        "color": LIGHT[SERIES[index % len(SERIES)]],
        "linestyle": ("-", "--", "-.", ":")[index // len(SERIES) % 4],
    }


def named(labels: Iterable[str]) -> dict[str, str]:
    """Each label as it is written in a chart."""
    return apart(labels, NAME_CHARACTERS, shortened)


MOST_CURVES = 10
"""Of more than two labels, how many have a curve of their own: those of the least F1."""

MOST_WITH_SHARES, MOST_COUNTED, MOST_IN_MATRIX = 5, 10, 40
"""Labels up to which a confusion matrix shows shares, shows counts, and is drawn at all."""


def draw_all(report: Report) -> dict[str, Chart]:
    """Every chart that the report has something to show in, by name."""
    drawn = (draw(report) for draw in (_confusion, _roc, _precision_recall, _scores, _calibration, _loss, _accuracy))
    return {chart.name: chart for chart in drawn if chart is not None}


def _confusion(report: Report) -> Chart | None:
    metrics = report.evaluation.metrics
    count = len(metrics.labels)
    if count > MOST_IN_MATRIX:
        return None
    with canvas("confusion") as (figure, axes):
        matrix = np.array(metrics.confusion, np.float64)
        of_row = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
        for (row, column), share in np.ndenumerate(of_row):
            colour = LIGHT["blue" if row == column else "red"]
            if share:
                axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=colour, alpha=0.55 * share**0.7))
            if count <= MOST_COUNTED:
                told = f"{metrics.confusion[row][column]:,}" + (f"\n{share:.1%}" if count <= MOST_WITH_SHARES else "")
                axes.text(column, row, told, ha="center", va="center", fontsize=10 if count <= 5 else 8)
        axes.set(xlim=(-0.5, count - 0.5), ylim=(count - 0.5, -0.5), xlabel="answered", ylabel="true")
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
    of_what = "; the percentages are of the true label's rows" if count <= MOST_WITH_SHARES else ""
    caption = f"Rows by true label (down) and label answered (across){of_what}."
    return Chart("confusion", "Confusion matrix", caption, figure)


def _roc(report: Report) -> Chart | None:
    """One curve for two labels, else one for each of the labels that are answered worst, against the rest."""
    ranked = _ranked(report)
    if not ranked:
        return None
    with canvas("roc") as (figure, axes):
        axes.plot([0, 1], [0, 1], color=LIGHT["muted"], linewidth=0.8, linestyle=":")
        for index, label in enumerate(ranked):
            curve = curves.roc(report.truth == label, report.evaluation.scores.probabilities[:, label])
            axes.plot(curve.x, curve.y, **line(index), label=_in_legend(report, label, f"area {curve.area:.3f}"))
        if len(report.labels) == 2:
            (right, wrong), (missed, found) = report.evaluation.metrics.confusion
            _mark(axes, report, wrong / (right + wrong), found / (missed + found))
        axes.set(xlabel="false positive rate", ylabel="true positive rate", xlim=(-0.01, 1.01), ylim=(-0.01, 1.02))
        _legend(figure, axes, ranked, "lower right")
    caption = "How many rows of a label are found, for how many of the others are taken for it; chance is the diagonal."
    return Chart("roc", "ROC curve", caption + _worst_first(report, ranked), figure)


def _precision_recall(report: Report) -> Chart | None:
    ranked = _ranked(report)
    if not ranked:
        return None
    with canvas("precision-recall") as (figure, axes):
        for index, label in enumerate(ranked):
            positive = report.truth == label
            curve = curves.precision_recall(positive, report.evaluation.scores.probabilities[:, label])
            axes.plot(curve.x, curve.y, **line(index), label=_in_legend(report, label, f"area {curve.area:.3f}"))
            if len(report.labels) == 2:
                axes.axhline(positive.mean(), color=LIGHT["muted"], linewidth=0.8, linestyle=":")
                metrics = report.evaluation.metrics.per_class[report.labels[1]]
                _mark(axes, report, metrics.recall, metrics.precision)
        axes.set(xlabel="recall", ylabel="precision", xlim=(-0.01, 1.01), ylim=(-0.01, 1.02))
        _legend(figure, axes, ranked, "lower left")
    chance = "; chance is the dotted line" if len(report.labels) == 2 else ""
    caption = f"How many of the answers with a label are right, for how many of its rows are found{chance}."
    return Chart("precision-recall", "Precision and recall", caption + _worst_first(report, ranked), figure)


def _scores(report: Report) -> Chart:
    probabilities, predicted = report.evaluation.scores.probabilities, report.evaluation.predicted
    with canvas("scores") as (figure, axes):
        if len(report.labels) == 2:
            names = named(report.labels)
            groups = {f"truly {names[report.labels[index]]}": report.truth == index for index in (1, 0)}
            scores = probabilities[:, 1]
            xlabel = f"probability of {names[report.labels[1]]}"
            axes.axvline(
                report.evaluation.decision.threshold, color=LIGHT["ink"], linewidth=1, linestyle="--", label="threshold"
            )
            caption = "The further apart the two hills, the surer the answers; what lies across the threshold is wrong."
        else:
            groups = {"right answers": report.truth == predicted, "wrong answers": report.truth != predicted}
            scores = probabilities[np.arange(len(predicted)), predicted]
            xlabel = "probability of the answer"
            caption = "Right answers should be sure, and wrong ones should not."
        for index, (name, rows) in enumerate(groups.items()):
            if rows.any():
                share, edges = curves.shares(scores[rows])
                colour = line(index)["color"]
                axes.stairs(100 * share, edges, fill=True, color=colour, alpha=0.25)
                axes.stairs(100 * share, edges, color=colour, linewidth=1.4, label=f"{name} ({rows.sum():,})")
        axes.set(xlabel=xlabel, ylabel="% of the group's rows", xlim=(0, 1))
        axes.set_ylim(bottom=0)
        _legend_below(figure, columns=2)
    return Chart("scores", "Scores", caption, figure)


def _calibration(report: Report) -> Chart:
    scores, predicted, temperature = report.evaluation.scores, report.evaluation.predicted, report.manifest.temperature
    now = curves.reliability(report.truth, scores.probabilities, predicted)
    with canvas("calibration") as (figure, axes):
        axes.plot([0, 1], [0, 1], color=LIGHT["muted"], linewidth=0.8, linestyle=":")
        least = now.sure.min()
        if temperature != 1:
            earlier = tempered(scores.probabilities, 1 / temperature)
            before = curves.reliability(report.truth, earlier, predicted)
            name = f"before temperature scaling, error {before.error:.3f}"
            axes.plot(before.sure, before.right, color=LIGHT["red"], linestyle="--", linewidth=1.2, label=name)
            least = min(least, before.sure.min())
        spread = np.array([now.right - now.low, now.high - now.right]).clip(0)
        name = f"as answered{f' (temperature {temperature:.2f})' if temperature != 1 else ''}, error {now.error:.3f}"
        axes.errorbar(
            now.sure, now.right, spread, color=LIGHT["blue"], fmt="o-", markersize=3.5, elinewidth=0.9, label=name
        )
        low = max(0.0, min(least, now.low.min()) - 0.03)
        axes.set(
            xlabel="probability of the answer", ylabel="share of right answers", xlim=(low, 1.01), ylim=(low, 1.02)
        )
        _legend_below(figure, columns=1)
    caption = (
        "Of answers given with a probability of 80%, 80% should be right: on the diagonal they are. Below it the "
        "model is too sure. Each point is of as many rows, with its 95% interval."
    )
    return Chart("calibration", "Reliability", caption, figure)


def _loss(report: Report) -> Chart:
    caption = (
        "Training figures are means over the epoch, while the weights moved and parts were dropped. Where validation "
        "grows worse and training better, the network learns its rows by heart."
    )
    return _course(report, "loss", "Loss", "loss (nats a row)", caption, lambda e: e.loss, lambda e: e.val_loss)


def _accuracy(report: Report) -> Chart:
    caption = "Of the training rows, and of the validation rows, as above."
    pick = (lambda e: 100 * e.accuracy, lambda e: 100 * e.val_accuracy)
    return _course(report, "accuracy", "Accuracy", "accuracy (%)", caption, *pick)


Pick = Callable[[EpochMetrics], float]
Corner = Literal["lower left", "lower right"]


def _course(report: Report, name: str, title: str, unit: str, caption: str, training: Pick, validation: Pick) -> Chart:
    epochs = [each.epoch for each in report.history]
    with canvas(name) as (figure, axes):
        axes.axvline(report.best_epoch, color=LIGHT["muted"], linewidth=1, linestyle=":", label="epoch kept")
        axes.plot(epochs, list(map(training, report.history)), **line(0), marker="o", markersize=3.5, label="training")
        axes.plot(
            epochs, list(map(validation, report.history)), **line(1), marker="s", markersize=3.5, label="validation"
        )
        axes.set(xlabel="epoch", ylabel=unit, xlim=(min(epochs) - 0.3, max(epochs) + 0.3))
        axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
        axes.legend(loc="best")
    return Chart(name, f"{title} by epoch", caption, figure)


def _ranked(report: Report) -> list[int]:
    """The labels that have a curve of their own, by index: those that some rows have, but not all."""
    present = [index for index in range(len(report.labels)) if 0 < (report.truth == index).sum() < len(report.truth)]
    if len(report.labels) == 2:
        return present[1:]
    per_class = report.evaluation.metrics.per_class
    return sorted(present, key=lambda index: per_class[report.labels[index]].f1)[:MOST_CURVES]


def _worst_first(report: Report, ranked: list[int]) -> str:
    if len(report.labels) == 2:
        return ""
    which = "Each label" if len(ranked) == len(report.labels) else f"The {len(ranked)} labels of the least F1, each"
    return f" {which} against the rest."


def _in_legend(report: Report, label: int, area: str) -> str:
    if len(report.labels) == 2:
        return area
    name = named(report.labels)[report.labels[label]]
    return f"{' ' * name.startswith('_')}{name}, {area}"  # matplotlib leaves out what begins with an underscore


def _mark(axes: Axes, report: Report, x: float, y: float) -> None:
    name = f"threshold {report.evaluation.decision.threshold:.3g}"
    axes.plot([x], [y], marker="o", markersize=7, linestyle="none", color=LIGHT["red"], label=name)


def _legend(figure: Figure, axes: Axes, ranked: list[int], corner: Corner) -> None:
    """In a corner that the curves leave free, or below them where there are many."""
    if len(ranked) == 1:
        axes.legend(loc=corner)
    else:
        _legend_below(figure, columns=2)


def _legend_below(figure: Figure, columns: int) -> None:
    """The figure grows by it, so that the curves stay as tall."""
    legend = figure.legend(loc="outside lower center", ncols=columns, fontsize=8)
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + 0.2 * -(-len(legend.get_texts()) // columns))
