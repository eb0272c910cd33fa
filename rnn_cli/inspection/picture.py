"""The charts of `rnn inspect` as PNG or SVG files. Opens no window: a bare Figure draws with Agg."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from rnn_cli import system
from rnn_cli.arrays import Floats, Indices
from rnn_cli.bundle.targets import check_picture
from rnn_cli.evaluation.wording import unsure_between
from rnn_cli.inspection.decay import BAND, Lesson
from rnn_cli.inspection.reading import Growth, States
from rnn_cli.reporting.canvas import DOTS_PER_INCH, LIGHT, NO_DATE, line, quietly, styled
from rnn_cli.text.plain import apart, one_line, shortened

CELL_COLOURS = {"rnn": "#d55e00", "gru": "#009e73", "lstm": "#0072b2"}
"""Okabe and Ito's colours, which colour-blind readers can distinguish."""

LOWEST_SHOWN, HIGHEST_SHOWN = 1e-8, 1e8
"""The widest vertical axis of gradients; beyond it a gradient has vanished or exploded."""

STATE_COLOURS = LinearSegmentedColormap.from_list("states", [LIGHT["blue"], "#ffffff", LIGHT["red"]])


def save_picture(drawn: Lesson | Growth, out: Path, *, force: bool) -> None:
    """Draw the chart and write it to `out`, whole or not at all; raises `UsageError` and `WriteError`."""
    content, kind = io.BytesIO(), out.suffix.lower().removeprefix(".")
    with styled("inspect"), quietly():
        figure = draw_lesson(drawn) if isinstance(drawn, Lesson) else draw_growth(drawn)
        figure.savefig(content, format=kind, dpi=DOTS_PER_INCH, metadata=NO_DATE[kind])
    with system.as_write_error(out), system.whole_file(out) as hidden:
        system.write(hidden, content.getvalue())
        check_picture(out, force=force)  # another process may have written there by now


def draw_lesson(lesson: Lesson) -> Figure:
    """The chart of gradients: a line for each cell, solid for final networks and dashed for untrained ones.

    About each solid line lies its band.
    """
    figure = Figure(figsize=(9, 6), layout="constrained")
    axes = figure.subplots()
    for decay in lesson.decays:
        colour = CELL_COLOURS[decay.cell]
        name = decay.cell if decay.trained is None else f"{decay.cell}, after {lesson.steps} training steps"
        axes.plot(_drawable(decay.last.mean), color=colour, linewidth=2, label=name)
        ends = _drawable(decay.last.low), _drawable(decay.last.high)
        axes.fill_between(range(lesson.tokens), *ends, color=colour, alpha=0.15, linewidth=0)
        if decay.trained is not None:
            label = f"{decay.cell}, untrained"
            axes.plot(_drawable(decay.untrained.mean), color=colour, linewidth=1.2, linestyle="--", label=label)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))  # not matplotlib's formulas
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, LOWEST_SHOWN), min(max(high, 2.0), HIGHEST_SHOWN))
    axes.set_xlim(0, max(lesson.tokens - 1, 1))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel(f"distance from the end of the text ({lesson.unit}s)")
    axes.set_ylabel(f"gradient norm, relative to the last {lesson.unit}'s (no unit)")
    scaled = f", recurrent weights × {lesson.scale:g}" if lesson.scale != 1 else ""
    networks = f"{lesson.seeds} network{'s' * (lesson.seeds != 1)} a cell"
    axes.set_title(
        f"The remaining gradient on its way back through a text\n{lesson.texts} training texts of "
        f"{shortened(lesson.source, 60)}, {networks}, one layer of {lesson.units} units{scaled}\n"
        f"geometric means; shaded: {BAND[1] - BAND[0]:.0%} of all networks and texts",
        parse_math=False,
    )
    axes.axhline(1, color="black", linewidth=0.8)
    figure.legend(loc="outside lower center", ncols=len(lesson.decays), frameon=False)
    return figure


def _drawable(curve: Floats) -> list[float]:
    # A logarithmic axis cannot show 0 or infinity.
    return [min(max(float(value), LOWEST_SHOWN / 10), HIGHEST_SHOWN * 10) for value in curve]


MAX_LABEL_CURVES = 5
"""At most this many labels have a curve."""

UNITS_SHOWN = {1: 14, 2: 12, 4: 8, 6: 6}
"""Up to how many directions of all layers → how many units of each have room; with more directions 4."""

MAX_WORD_CELLS, LABEL_CELLS = 18, 15

INCHES_A_WORD = 0.16
"""The width of a word that is written vertically below an axis."""

INCHES_A_LETTER = 0.085

WIDTH, SIDES = 10.0, 1.7
"""Inches of the picture, and of the space beside its axes."""


def draw_growth(growth: Growth) -> Figure:
    """The chart: above, the prediction after each token; below, each layer and direction's states as a heat map."""
    count = len(growth.tokens)
    rows = min(next((each for most, each in UNITS_SHOWN.items() if len(growth.states) <= most), 4), _units(growth))
    height = 2.7 + len(growth.states) * (0.45 + 0.15 * rows) + 1.0
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    panels = [2.7, *[0.25 + 0.15 * rows] * len(growth.states)]
    axes: list[Axes] = list(figure.subplots(len(panels), 1, sharex=True, height_ratios=panels))
    _curves(axes[0], growth)
    for layer, scale in growth.scales.items():
        members = [at for at, states in enumerate(growth.states) if states.layer == layer]
        for at in members:
            picture = _heat_map(axes[1 + at], growth.states[at], rows, scale)
        bar = figure.colorbar(picture, ax=[axes[1 + at] for at in members], fraction=0.03, pad=0.01, aspect=20)
        bar.set_label("state", fontsize=8)
        bar.ax.tick_params(labelsize=7)
        bar.outline.set_visible(False)
    for upper in axes[:-1]:
        upper.tick_params(axis="x", length=0, labelbottom=False)
    _words(axes[-1], growth)
    if growth.gap is not None:
        for each in axes:
            each.axvline(growth.gap - 0.5, color=LIGHT["ink"], linewidth=1, linestyle=(0, (1, 2)))
    axes[0].set_xlim(-0.5, count - 0.5)
    _settle(figure)
    return figure


def _settle(figure: Figure) -> None:
    """Fix the layout, rounded: its last digits vary between runs, and an SVG's names with them."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        axes.set_position(tuple(round(each, 6) for each in axes.get_position(original=True).bounds))


def _units(growth: Growth) -> int:
    return int(max(each.values.shape[1] for each in growth.states))


def _curves(axes: Axes, growth: Growth) -> None:
    """The probabilities of the most probable labels, by the prefix's last token."""
    indices, chosen = growth.lengths - 1, _labels(growth)
    names = apart([growth.labels[label] for label in chosen], LABEL_CELLS, shortened)
    marked: dict[str, Any] = {"marker": "o", "markersize": 4} if len(indices) <= 60 else {}
    for series, label in enumerate(chosen):
        name = names[growth.labels[label]]
        # matplotlib omits names with a leading underscore from a legend.
        axes.plot(
            indices, growth.probabilities[:, label], **line(series), **marked, label=" " * name.startswith("_") + name
        )
    of = "the prediction" if not growth.of_two else f"the probability of {names[growth.labels[1]]}"
    if growth.of_two:
        axes.axhline(growth.decision.threshold, color=LIGHT["ink"], linewidth=0.9, linestyle="--", label="threshold")
        if growth.decision.unsure_below:
            axes.axhspan(
                *unsure_between(growth.decision), color=LIGHT["muted"], alpha=0.18, linewidth=0, label="unsure"
            )
    many = len(chosen) > 1  # the legend has its own line, below the title
    axes.set_title(f"How {of} grows", loc="left", fontweight="bold", pad=26 if many else 8)
    axes.set_ylim(-0.03, 1.03)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_ylabel("of the text up to here,\nscored on its own")
    if many:
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=MAX_LABEL_CURVES, fontsize=8, borderaxespad=0.4)
    else:
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, borderaxespad=0.4)


def _labels(growth: Growth) -> list[int]:
    """The labels with a curve: of two the positive one, of more those with the highest probabilities."""
    if growth.of_two:
        return [1]
    highest = growth.probabilities.max(axis=0)
    highest[growth.label] = 2  # always comes first
    return list(map(int, np.argsort(-highest, kind="stable")[:MAX_LABEL_CURVES]))


def _heat_map(axes: Axes, states: States, rows: int, scale: float) -> Any:
    units = states.most_moved(rows)
    picture = axes.imshow(
        states.values[:, units].T,
        cmap=STATE_COLOURS,
        norm=Normalize(-(scale or 1), scale or 1),
        aspect="auto",
        interpolation="nearest",
    )
    axes.set_yticks(range(len(units)), [str(unit) for unit in units], fontsize=6)
    axes.tick_params(length=0)
    axes.grid(False)
    axes.spines[:].set_visible(False)
    read = "has read from the end back to here ←" if states.backward else "has read from the beginning up to here →"
    axes.set_title(f"Layer {states.layer}, {states.direction}: {read}", loc="left", fontsize=9, pad=3)
    shown = len(units), states.values.shape[1]
    few = "{} units".format(*shown) if shown[0] == shown[1] else "{} of {} units, those that change most".format(*shown)
    axes.set_title(few, loc="right", fontsize=7, color=LIGHT["muted"], pad=3)
    axes.set_ylabel("unit", fontsize=7)
    return picture


def _words(axes: Axes, growth: Growth) -> None:
    """Write the tokens below the lowest heat map; of many, those that change the prediction most and have room."""
    room = WIDTH - SIDES
    names = [
        shortened(one_line(token.text) or "␣", MAX_WORD_CELLS) + "?" * (not token.known) for token in growth.tokens
    ]
    chosen = list(_with_room(growth, int(room / INCHES_A_WORD)))
    upright = max(map(len, names)) * INCHES_A_LETTER > room / len(names)
    turned: dict[str, Any] = {"rotation": 90} if upright else {}
    axes.set_xticks(chosen, [names[index] for index in chosen], fontsize=8, parse_math=False, **turned)
    axes.tick_params(axis="x", length=2)
    axes.set_xlabel(_below(growth, len(chosen)), fontsize=8, color=LIGHT["muted"])


def _with_room(growth: Growth, most: int) -> Indices:
    """The indices of the tokens to write: those that change the prediction most, none too close to another."""
    count = len(growth.tokens)
    if count <= most:
        return np.arange(count)
    followed = growth.probabilities[:, growth.label]
    moves = np.abs(np.diff(followed, prepend=followed[:1]))
    apart_by, taken = count / most, list[int]()
    for prefix in np.argsort(-moves, kind="stable"):
        index = int(growth.lengths[prefix]) - 1
        if all(abs(index - other) >= apart_by for other in taken):
            taken.append(index)
    return np.sort(np.asarray(taken, np.intp))


def _below(growth: Growth, written: int) -> str:
    parts = []
    if written < len(growth.tokens):
        parts.append(f"{written} of {len(growth.tokens):,} tokens are written, those that change the prediction most")
    if cut := len(growth.reading.tokens) - sum(token.kept for token in growth.reading.tokens):
        where = " (at the dotted line)" if growth.gap is not None else ""
        parts.append(f"{cut:,} of the text's {len(growth.reading.tokens):,} tokens are cut{where}")
    if not growth.reading.tokens:
        parts.append("no token: read as one unknown token")
    elif not all(token.known for token in growth.tokens):
        parts.append("? is not in the vocabulary")
    return "; ".join(parts)
