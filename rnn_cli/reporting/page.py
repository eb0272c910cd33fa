"""A report as one page: a file that asks for nothing from outside and runs nothing, on paper and on a telephone too."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from rnn_cli.data.reading.remote import shown
from rnn_cli.evaluation import wording
from rnn_cli.evaluation.names import apart
from rnn_cli.evaluation.slices import Slice
from rnn_cli.reporting import marking, words
from rnn_cli.reporting.canvas import Chart
from rnn_cli.reporting.charts import draw_all
from rnn_cli.reporting.colours import DARK, LIGHT
from rnn_cli.reporting.content import Report
from rnn_cli.reporting.drawing import draw
from rnn_cli.reporting.mistakes import MOST
from rnn_cli.reporting.pictures import in_page
from rnn_cli.scoring.decision import Decision
from rnn_cli.text.plain import shortened

CONFUSIONS = 10
"""Kinds of wrong answers that are listed where there are more than two labels."""


def page(report: Report, charts: Mapping[str, Chart] | None = None) -> str:
    """The report as an HTML document; its charts are drawn unless they are given."""
    charts = draw_all(report) if charts is None else charts
    evaluation, source = report.evaluation, shown(report.config.data.source)
    by_length = report.slices if len(report.slices) > 1 else ()
    return draw(
        "report.html",
        report=report,
        name=Path(source).name,
        source=source,
        light=LIGHT,
        dark=DARK,
        charts=charts,
        pictures={name: in_page(chart) for name, chart in charts.items()},
        wording=wording,
        words=words,
        marking=marking,
        models=words.models(report),
        decided=evaluation.decision != Decision(),
        confusions=wording.confusions(evaluation.figures, CONFUSIONS) if len(report.labels) > 2 else (),
        names=apart(report.labels, marking.LONG, shortened),
        by_length=[(each.name.removesuffix(" tokens"), each) for each in by_length],
        # The figures by length have a chapter anyway.
        by_value=_named(report.parts) if list(report.parts) != list(by_length) else [],
        wrong=int((report.truth != evaluation.answers).sum()),
        most_wrong=MOST,
        unknown_texts=int((~evaluation.scores.known).sum()),
        median_length=float(np.median(evaluation.reading.lengths)),
    )


def _named(slices: Sequence[Slice]) -> list[tuple[str, Slice]]:
    names = apart((each.name for each in slices), marking.LONG, shortened)
    return [(names[each.name], each) for each in slices]
