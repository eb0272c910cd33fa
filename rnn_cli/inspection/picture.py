"""A `Lesson` as a chart in a PNG file. Loads matplotlib, and no window: a bare Figure draws with Agg."""

import io
from pathlib import Path

import matplotlib.style
from matplotlib.figure import Figure

from rnn_cli import system
from rnn_cli.arrays import Floats
from rnn_cli.errors import UsageError, quoted
from rnn_cli.inspection.decay import Lesson
from rnn_cli.reporting.svg import quietly
from rnn_cli.text.plain import shortened

COLOURS = {"rnn": "#d55e00", "gru": "#009e73", "lstm": "#0072b2"}
"""Okabe and Ito's, which colour-blind readers can tell apart."""

LEAST, MOST = 1e-8, 1e8
"""What is shown of the vertical axis at most; beyond, a gradient is nothing, or everything."""


def check_target(out: Path) -> None:
    """Refuse, before any work is done, a name that is no PNG file's or leads nowhere. Raises `UsageError`."""
    if out.suffix.lower() != ".png":
        named = quoted(Path(f"{out.stem or 'chart'}.png"))
        raise UsageError("is not the name of a PNG file", where=str(out), hint=f"use --out {named}")
    if out.is_dir():
        raise UsageError("is a folder", where=str(out), hint="name a file in it")
    if not out.parent.is_dir():
        raise UsageError("no such folder", where=str(out.parent), hint="make it first")


def save(lesson: Lesson, out: Path) -> None:
    """Draw the curves and write them to `out`, whole or not at all; raises `WriteError`."""
    content = io.BytesIO()
    with matplotlib.style.context("default"), quietly():
        draw(lesson).savefig(content, format="png")
    with system.told(out), system.whole_file(out) as hidden:
        system.write(hidden, content.getvalue())


def draw(lesson: Lesson) -> Figure:
    """The chart: a line a cell, solid for the network as it was in the end and dashed for an untrained one."""
    figure = Figure(figsize=(9, 6), dpi=150, layout="constrained", facecolor="white")
    axes = figure.subplots()
    for decay in lesson.decays:
        colour = COLOURS[decay.cell]
        name = decay.cell if decay.trained is None else f"{decay.cell}, after {lesson.steps} training steps"
        axes.plot(_drawable(decay.last), color=colour, linewidth=2, label=name)
        if decay.trained is not None:
            label = f"{decay.cell}, untrained"
            axes.plot(_drawable(decay.untrained), color=colour, linewidth=1.2, linestyle="--", label=label)
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, LEAST), min(max(high, 2.0), MOST))
    axes.set_xlim(0, max(lesson.tokens - 1, 1))
    axes.set_xlabel(f"distance from the end of the text ({lesson.unit}s)")
    axes.set_ylabel(f"gradient norm, relative to the last {lesson.unit}'s (no unit)")
    scaled = f", recurrent weights × {lesson.scale:g}" if lesson.scale != 1 else ""
    axes.set_title(
        f"What is left of the gradient on its way back through a text\n{lesson.texts} training texts of "
        f"{shortened(lesson.source, 60)}, one layer of {lesson.units} units{scaled}",
        fontsize=11,
        parse_math=False,
    )
    axes.axhline(1, color="black", linewidth=0.8)
    axes.grid(True, which="major", color="#dddddd", linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=len(lesson.decays), frameon=False)
    return figure


def _drawable(curve: Floats) -> list[float]:
    # A logarithmic axis has no place for 0, and none for infinity.
    return [min(max(float(value), LEAST / 10), MOST * 10) for value in curve]
