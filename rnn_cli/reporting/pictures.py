"""Charts as files, and as pictures within a page."""

import io
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rnn_cli.bundle import disk
from rnn_cli.reporting.canvas import Chart, styled
from rnn_cli.reporting.colours import LIGHT
from rnn_cli.reporting.escape import in_html
from rnn_cli.reporting.targets import FORMATS, check_plots

NO_DATE: Mapping[str, dict[str, None]] = {"png": {"Software": None}, "svg": {"Date": None}}
DOTS_AN_INCH = 200

_PROLOGUE = re.compile(r"^.*?(?=<svg )|<metadata>.*?</metadata>|<defs>\s*<style.*?</style>\s*</defs>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_FONT = re.compile(r" ?font-family:[^;\"]*;?")
_LONG_NUMBER = re.compile(r"(?<=\d\.\d\d)\d+")
_SIZE = re.compile(r" (?:width|height)=\"[\d.]+pt\"")
_ID = re.compile(r" id=\"([^\"]*)\"")
_COLOUR = re.compile("|".join(LIGHT.values()))
_VARIABLE = {colour: f"var(--{name})" for name, colour in LIGHT.items()}


def save_all(charts: Mapping[str, Chart], out: Path, *, force: bool) -> None:
    """Write each chart to the folder `out` as NAME.png and NAME.svg, all or none. Raises `UsageError`, `WriteError`."""
    with (
        disk.told(out, option="--plots"),
        disk.whole_folder(out.resolve(), lambda: check_plots(out, force=force)) as folder,
    ):
        for chart in charts.values():
            with styled(chart.name), _quietly():
                chart.figure.suptitle(chart.title)
                for kind in FORMATS:
                    # In memory first: of a full disk the libraries for pictures tell little.
                    content = io.BytesIO()
                    chart.figure.savefig(content, format=kind, dpi=DOTS_AN_INCH, metadata=NO_DATE[kind])
                    disk.write(folder / f"{chart.name}.{kind}", content.getvalue())


def in_page(chart: Chart) -> str:
    """The chart as an element of a page, whose style sheet gives its colours and letters."""
    with styled(chart.name), _quietly():
        stream = io.StringIO()
        chart.figure.savefig(stream, format="svg", facecolor="none")
    svg = _PROLOGUE.sub("", stream.getvalue())
    used = set(re.findall(r"#([\w.-]+)", " ".join(re.findall(r"(?:href=\"|url\()#[\w.-]+", svg))))

    def slimmed(tag: re.Match[str]) -> str:
        told = _LONG_NUMBER.sub("", _FONT.sub("", _SIZE.sub("", tag[0])))
        told = _ID.sub(lambda found: found[0] if found[1] in used else "", told)
        return _COLOUR.sub(lambda found: _VARIABLE[found[0]], told).replace("\n", "")

    svg = re.sub(r">\s+<", "><", _TAG.sub(slimmed, svg)).strip()
    return svg.replace("<svg ", f'<svg role="img" aria-label="{in_html(chart.title)}" ', 1)


@contextmanager
def _quietly() -> Iterator[None]:
    """Without matplotlib's remarks that it lacks a letter or cannot join a script's, which a browser can."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from|Matplotlib currently does not support", UserWarning)
        yield
