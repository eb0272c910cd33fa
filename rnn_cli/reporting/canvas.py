"""How charts look, and how they become files or pictures within a page."""

import io
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnn_cli import system
from rnn_cli.bundle.targets import PICTURE_FORMATS, check_plots

_COLOURS = {
    "paper": ("#ffffff", "#14181d"),
    "panel": ("#f4f6f8", "#1d2329"),
    "ink": ("#1b1f24", "#e6e9ed"),
    "muted": ("#5a6470", "#a0abb7"),
    "rule": ("#d8dde3", "#39424c"),
    "blue": ("#0072b2", "#5cb8ee"),
    "red": ("#c84e00", "#ff9455"),
    "green": ("#008462", "#45cfa4"),
    "purple": ("#9b4f7f", "#e3a1c8"),
    "brown": ("#8a6212", "#dfb45c"),
}
LIGHT, DARK = ({name: pair[index] for name, pair in _COLOURS.items()} for index in (0, 1))

SERIES = ("blue", "red", "green", "purple", "brown")

INCHES = (4.8, 3.6)
"""At 72 points an inch about the width of a phone's screen, so that letters there have the size drawn."""

_STYLE: dict[str, Any] = {
    "svg.fonttype": "none",  # letters stay letters: smaller, and in the page's own font
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

# Without a date and without the library's name, equal charts are equal files.
NO_DATE: Mapping[str, dict[str, None]] = {"png": {"Software": None}, "svg": {"Date": None}}
DOTS_PER_INCH = 200

# Otherwise the elements of a page's pictures would be called ns0:path.
ElementTree.register_namespace("", "http://www.w3.org/2000/svg")
ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")

_NEEDLESS = re.compile(r" ?font-family:[^;]*;?|\n|(?<=\d\.\d\d)\d+")
"""In an attribute: the chart's own font, line ends, and invisible decimals."""

_REFERENCE = re.compile(r"(?:^|url\()#([\w.-]+)")
_COLOUR = re.compile("|".join(LIGHT.values()))
_VARIABLE = {colour: f"var(--{name})" for name, colour in LIGHT.items()}


@dataclass(frozen=True)
class Chart:
    """A figure, the name of its file, its title, and what a reader should see in it."""

    name: str
    title: str
    caption: str
    figure: Figure


@contextmanager
def styled(name: str) -> Iterator[None]:
    """Draw and save in the report's style, whatever this machine's matplotlibrc says; the same bytes each time."""
    with matplotlib.style.context(["default", _STYLE | {"svg.hashsalt": name}]):
        yield


@contextmanager
def canvas(name: str) -> Iterator[tuple[Figure, Axes]]:
    """A figure for the chart of this name."""
    with styled(name):
        figure = Figure(figsize=INCHES, layout="constrained")
        yield figure, figure.subplots()


def line(index: int) -> dict[str, Any]:
    """The style of the line of the series with this index."""
    return {
        "color": LIGHT[SERIES[index % len(SERIES)]],
        "linestyle": ("-", "--", "-.", ":")[index // len(SERIES) % 4],
    }


def save_charts(charts: Mapping[str, Chart], out: Path, *, force: bool) -> None:
    """Write each chart to the folder `out` as NAME.png and NAME.svg, all or none. Raises `UsageError`, `WriteError`."""
    with (
        system.as_write_error(out, name="plots"),
        system.whole_folder(out.resolve(), lambda: check_plots(out, force=force)) as folder,
    ):
        for chart in charts.values():
            with styled(chart.name), quietly():
                chart.figure.suptitle(chart.title)
                for kind in PICTURE_FORMATS:
                    # In memory first: picture libraries report a full disk badly.
                    content = io.BytesIO()
                    chart.figure.savefig(content, format=kind, dpi=DOTS_PER_INCH, metadata=NO_DATE[kind])
                    system.write(folder / f"{chart.name}.{kind}", content.getvalue())


def in_page(chart: Chart) -> str:
    """The chart as an SVG element of a page, whose style sheet gives its size, colours and font."""
    with styled(chart.name), quietly():
        stream = io.BytesIO()
        metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))  # None leaves each of them out
        chart.figure.savefig(stream, format="svg", facecolor="none", metadata=metadata)
    svg = ElementTree.fromstring(stream.getvalue())
    svg.remove(svg[0])  # a style sheet, which would apply to the whole page
    for size in ("width", "height"):
        del svg.attrib[size]
    used = {found for each in svg.iter() for value in each.attrib.values() for found in _REFERENCE.findall(value)}
    for element in svg.iter():
        element.tail = None
        if not element.tag.endswith("}text"):
            element.text = None
        if element.get("id") not in used:
            element.attrib.pop("id", None)
        for key, value in element.attrib.items():
            element.attrib[key] = _COLOUR.sub(lambda found: _VARIABLE[found[0]], _NEEDLESS.sub("", value))
    svg.attrib = {"role": "img", "aria-label": chart.title, **svg.attrib}
    return ElementTree.tostring(svg, encoding="unicode")


@contextmanager
def quietly() -> Iterator[None]:
    """Silence matplotlib's warnings about missing glyphs and joined scripts, which a browser can show."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from|Matplotlib currently does not support", UserWarning)
        yield
