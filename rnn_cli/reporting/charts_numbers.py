"""The charts of a report on a model of numbers, the same for the page and for files."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from rnn_cli.arrays import Floats
from rnn_cli.evaluation.wording_numbers import in_unit
from rnn_cli.reporting.canvas import LIGHT, Chart, canvas, line
from rnn_cli.reporting.charts import by_epoch, legend_below, thinned
from rnn_cli.reporting.report_numbers import NumberReport

MOST_DOTS = 600
"""More rows than this are drawn as cells that are the darker, the more rows are in them."""

CELLS, ERROR_BINS = 36, 41

FAR_OUT = 3.0
"""Where all rows would take so many times the room of the middle 99 %, an axis shows twice that room."""


def draw_numbers(report: NumberReport) -> dict[str, Chart]:
    """Every chart for which the report has something to show, by name."""
    epochs = (_loss(report), _near(report)) if len(report.history) and report.config.model.kind != "linear" else ()
    return {chart.name: chart for chart in (_predicted(report), _errors(report), _off_by(report), *epochs)}


def _ends(*sides: Floats) -> tuple[float, float]:
    """Where an axis of these numbers ends: beyond all of them, but for few that lie far out."""
    every = np.concatenate(sides)
    low, high = float(every.min()), float(every.max())
    inner, outer = np.quantile(every, (0.005, 0.995)).tolist()
    if high - low > FAR_OUT * (outer - inner) > 0:
        half = (outer - inner) / 2
        low, high = max(low, inner - half), min(high, outer + half)
    room = 0.03 * (high - low) or 1.0
    return low - room, high + room


def _beyond(*within: np.ndarray) -> str:
    """How many rows a chart leaves out, in words."""
    left = int((~np.logical_and.reduce(within)).sum())
    return f" {left:,} row{'s' * (left > 1)} lie{'s' * (left == 1)} beyond the edges." if left else ""


def _predicted(report: NumberReport) -> Chart:
    truth, predicted = report.evaluation.truth, report.evaluation.predicted
    with canvas("predicted") as (figure, axes):
        low, high = _ends(truth, predicted)
        axes.plot([low, high], [low, high], color=LIGHT["muted"], linewidth=1.1, linestyle=":")
        within = (truth >= low) & (truth <= high), (predicted >= low) & (predicted <= high)
        x, y = truth[within[0] & within[1]], predicted[within[0] & within[1]]
        if len(x) <= MOST_DOTS:
            axes.plot(x, y, "o", color=LIGHT["blue"], alpha=0.45, markersize=3.5, markeredgewidth=0)
            how = "Each dot is a row"
        else:
            _cells(axes, x, y, low, high)
            how = "The darker a cell, the more rows"
        axes.set(xlim=(low, high), ylim=(low, high), xlabel="true number", ylabel="predicted number")
    caption = (
        f"{how}; on the dotted line predictions are right. A cloud that is flatter than the line is usual: what the "
        f"text does not tell is predicted near the middle.{_beyond(*within)}"
    )
    return Chart("predicted", "Predicted and true", caption, figure)


def _cells(axes: Axes, x: Floats, y: Floats, low: float, high: float) -> None:
    counts, edges, _ = np.histogram2d(x, y, CELLS, ((low, high), (low, high)))
    size = float(edges[1] - edges[0])
    for (column, row), count in np.ndenumerate(counts):
        if count:
            shade = 0.12 + 0.88 * float(np.log1p(count) / np.log1p(counts.max()))
            place = float(edges[column]), float(edges[row])
            axes.add_patch(Rectangle(place, size, size, facecolor=LIGHT["blue"], alpha=shade, linewidth=0))


def _errors(report: NumberReport) -> Chart:
    evaluation = report.evaluation
    off, spread = evaluation.predicted - evaluation.truth, evaluation.metrics.spread
    with canvas("errors") as (figure, axes):
        far = max(map(abs, _ends(off)))
        inside = np.abs(off) <= far
        counts, edges = np.histogram(off[inside], ERROR_BINS, (-far, far))
        axes.stairs(counts, edges, fill=True, color=LIGHT["blue"], alpha=0.25)
        axes.stairs(counts, edges, color=LIGHT["blue"], linewidth=1.4)
        axes.axvline(0, color=LIGHT["muted"], linewidth=0.8, linestyle=":")
        mean = evaluation.metrics.mean_error
        axes.axvline(mean, color=LIGHT["red"], linewidth=1.2, linestyle="--", label=f"mean {in_unit(mean, spread)}")
        axes.set(xlabel="predicted less true number", ylabel="rows", xlim=(-far, far))
        axes.set_ylim(bottom=0)
        axes.legend(loc="best")
    caption = f"Right of 0 predictions are too high, left of it too low.{_beyond(inside)}"
    return Chart("errors", "Errors", caption, figure)


def _off_by(report: NumberReport) -> Chart:
    evaluation = report.evaluation
    lines = {evaluation.made: np.abs(evaluation.predicted - evaluation.truth)}
    if evaluation.median is not None:
        lines["always the median"] = np.abs(evaluation.median.median - evaluation.truth)
    with canvas("off-by") as (figure, axes):
        far = max(_ends(errors)[1] for errors in lines.values())
        for index, (name, errors) in enumerate(lines.items()):
            shares = 100 * np.arange(1, len(errors) + 1) / len(errors)
            scaled, height = thinned(np.sort(errors) / (far or 1.0), shares / 100)
            axes.plot(scaled * (far or 1.0), 100 * height, **line(index), label=name)
        axes.set(xlabel="off by at most", ylabel="% of the rows", xlim=(0, far), ylim=(0, 102))
        legend_below(figure, columns=2)
    caption = "How many rows are off by at most so much: the higher a curve, the better."
    return Chart("off-by", "Rows off by at most", caption, figure)


def _loss(report: NumberReport) -> Chart:
    caption = (
        "Training is Huber's loss, validation the mean absolute error, both of standardised numbers: the curves have "
        "units of their own. Where validation grows worse and training better, the network memorizes its rows."
    )
    unit = "loss (standard deviations)"
    return by_epoch(report, "loss", "Loss", unit, caption, lambda each: each.loss, lambda each: each.val_loss)


def _near(report: NumberReport) -> Chart:
    caption = "The share of rows that are off by at most half a standard deviation."
    pick = (lambda each: 100 * each.accuracy, lambda each: 100 * each.val_accuracy)
    return by_epoch(report, "accuracy", "Near predictions", "near (% of rows)", caption, *pick)
