"""What a report's charts are drawn on: their style, and what leaves it as a chart.

Loads matplotlib, and no window: a bare Figure needs none.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnn_cli.evaluation.names import apart
from rnn_cli.reporting.colours import LIGHT, SERIES
from rnn_cli.text.plain import shortened

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


def line(place: int) -> dict[str, Any]:
    """How the line of the place-th series is drawn."""
    return {
        "color": LIGHT[SERIES[place % len(SERIES)]],
        "linestyle": ("-", "--", "-.", ":")[place // len(SERIES) % 4],
    }


def named(labels: Iterable[str]) -> dict[str, str]:
    """Each label as it is written in a chart."""
    return apart(labels, NAME_CHARACTERS, shortened)
