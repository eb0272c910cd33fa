"""Charts as files, and as pictures within a page."""

import io
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

from rnn_cli import system
from rnn_cli.bundle.targets import FORMATS, check_plots
from rnn_cli.reporting.charts import LIGHT, Chart, styled

NO_DATE: Mapping[str, dict[str, None]] = {"png": {"Software": None}, "svg": {"Date": None}}
DOTS_AN_INCH = 200

METADATA = ("Creator", "Date", "Format", "Type")
"""What matplotlib tells of an SVG file unless it is told not to."""

# Else the elements of a page's pictures would be called ns0:path.
ElementTree.register_namespace("", "http://www.w3.org/2000/svg")
ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")

_NEEDLESS = re.compile(r" ?font-family:[^;]*;?|\n|(?<=\d\.\d\d)\d+")
"""In an attribute: letters of its own, line ends, and decimals that nobody sees."""

_REFERENCE = re.compile(r"(?:^|url\()#([\w.-]+)")
_COLOUR = re.compile("|".join(LIGHT.values()))
_VARIABLE = {colour: f"var(--{name})" for name, colour in LIGHT.items()}


def save_all(charts: Mapping[str, Chart], out: Path, *, force: bool) -> None:
    """Write each chart to the folder `out` as NAME.png and NAME.svg, all or none. Raises `UsageError`, `WriteError`."""
    with (
        system.told(out, option="--plots"),
        system.whole_folder(out.resolve(), lambda: check_plots(out, force=force)) as folder,
    ):
        for chart in charts.values():
            with styled(chart.name), quietly():
                chart.figure.suptitle(chart.title)
                for kind in FORMATS:
                    # In memory first: of a full disk the libraries for pictures tell little.
                    content = io.BytesIO()
                    chart.figure.savefig(content, format=kind, dpi=DOTS_AN_INCH, metadata=NO_DATE[kind])
                    system.write(folder / f"{chart.name}.{kind}", content.getvalue())


def in_page(chart: Chart) -> str:
    """The chart as an element of a page, whose style sheet gives its size, its colours and its letters."""
    with styled(chart.name), quietly():
        stream = io.BytesIO()
        chart.figure.savefig(stream, format="svg", facecolor="none", metadata=dict.fromkeys(METADATA))
    svg = ElementTree.fromstring(stream.getvalue())
    svg.remove(svg[0])  # a style sheet, which would be the whole page's
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
    """Without matplotlib's remarks that it lacks a letter or cannot join a script's, which a browser can."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from|Matplotlib currently does not support", UserWarning)
        yield
