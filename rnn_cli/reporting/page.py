"""A report as one page: a file that asks for nothing from outside and runs nothing, on paper and on a telephone too."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rnn_cli.data.reading.remote import shown
from rnn_cli.reporting.canvas import Chart
from rnn_cli.reporting.charts import draw_all
from rnn_cli.reporting.colours import DARK, LIGHT
from rnn_cli.reporting.content import Report
from rnn_cli.reporting.escape import plain
from rnn_cli.reporting.markup import Safe, element
from rnn_cli.reporting.pictures import in_page
from rnn_cli.reporting.sections import (
    how_it_was_made,
    introduction,
    labels,
    lengths,
    mistakes,
    parts,
    reading,
    tiles,
    whole,
)
from rnn_cli.reporting.targets import MARK

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""What a browser may fetch and run for the page: nothing but the style sheet within it."""


def page(report: Report, charts: Mapping[str, Chart] | None = None) -> str:
    """The report as an HTML document; its charts are drawn unless they are given."""
    charts = draw_all(report) if charts is None else charts

    def drawn(*names: str) -> Safe:
        found = [_figure(charts[name]) for name in names if name in charts]
        return element("div", *found, class_="charts") if found else Safe()

    chapters: Sequence[tuple[str, str, Sequence[Safe]]] = [
        ("figures", "Figures", [whole(report)]),
        ("labels", "By label", [labels(report), drawn("confusion", "roc", "precision-recall")]),
        ("probabilities", "Probabilities", [drawn("scores", "calibration")]),
        ("parts", f"By {plain(report.by or '')}", [parts(report)]),
        ("lengths", "By length", [lengths(report)]),
        ("mistakes", "Worst mistakes", [mistakes(report)]),
        ("reading", "What it reads", [reading(report)]),
        ("training", "Training", [drawn("loss", "accuracy")]),
        ("making", "How it was made", [how_it_was_made(report)]),
    ]
    shown = [(name, title, content) for name, title, content in chapters if any(content)]
    links = (element("a", title, href=f"#{name}") for name, title, _ in shown)
    sections = (element("section", element("h2", title), *content, id=name) for name, title, content in shown)
    body = element("body", introduction(report), tiles(report), element("nav", *links), *sections)
    return f"{_head(report)}\n{body}\n</html>\n"


def _head(report: Report) -> str:
    sheet = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    dark = f"@media screen and (prefers-color-scheme: dark) {{\n{_variables(DARK)}}}\n"
    title = element("title", f"{_source(report)}: how good the model is")
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>',
            '<meta charset="utf-8">',
            MARK,
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            title,
            f"<style>\n{_variables(LIGHT)}{dark}{sheet}</style>\n</head>",
        ]
    )


def _variables(colours: Mapping[str, str]) -> str:
    return ":root {" + " ".join(f"--{name}: {colour};" for name, colour in colours.items()) + "}\n"


def _figure(chart: Chart) -> Safe:
    return element("figure", element("h3", chart.title), Safe(in_page(chart)), element("figcaption", chart.caption))


def _source(report: Report) -> str:
    return plain(Path(shown(report.config.data.source)).name)
