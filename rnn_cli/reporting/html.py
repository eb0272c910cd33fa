"""A report as one page: a file that asks for nothing from outside and runs nothing, on paper and on a telephone too."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from rnn_cli import system
from rnn_cli.bundle.model_folder import FURTHER, INT8_MODEL
from rnn_cli.bundle.targets import check_report
from rnn_cli.data.builtin import BUILTIN
from rnn_cli.data.reading.remote import shown
from rnn_cli.evaluation import wording
from rnn_cli.evaluation.evaluate import Slice
from rnn_cli.reporting import marking, words
from rnn_cli.reporting.charts import DARK, LIGHT, Chart, draw_all
from rnn_cli.reporting.drawing import draw
from rnn_cli.reporting.report import MOST, Report
from rnn_cli.reporting.svg import in_page, save_all
from rnn_cli.scoring.decision import Decision
from rnn_cli.text.plain import apart, shortened

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
        confusions=wording.confusions(evaluation.metrics, CONFUSIONS) if len(report.labels) > 2 else (),
        names=apart(report.labels, marking.LONG, shortened),
        by_length=[(each.name.removesuffix(" tokens"), each) for each in by_length],
        # The figures by length have a chapter anyway.
        by_value=_named(report.parts) if list(report.parts) != list(by_length) else [],
        wrong=int((report.truth != evaluation.predicted).sum()),
        most_wrong=MOST,
        unknown_texts=int((~evaluation.scores.known).sum()),
        median_length=float(np.median(evaluation.reading.lengths)),
    )


def _named(slices: Sequence[Slice]) -> list[tuple[str, Slice]]:
    names = apart((each.name for each in slices), marking.LONG, shortened)
    return [(names[each.name], each) for each in slices]


MOST_LABELS = 50
"""Labels that are counted in a table of their own; of more only the number is told."""

Counts = Mapping[str, Mapping[str, int]]
"""How many rows of each label each side of the data has: side → label → rows."""


def model_card(report: Report, counts: Counts) -> str:
    """The card as Markdown; `counts` are those of the sides `train`, `validation` and, if there is one, `test`."""
    source = report.config.data.source
    return draw(
        "card.md",
        report=report,
        counts=counts,
        wording=wording,
        words=words,
        models=words.models(report),
        unit=words.unit_of(report),
        tokenizer=report.config.tokenizer,
        reading=report.evaluation.reading,
        frequent=[shortened(token, 24) for token in report.frequent],
        source=Path(shown(source)).name,
        known=BUILTIN.get(source),
        listed=report.labels if len(report.labels) <= MOST_LABELS else (),
        began_as_another=FURTHER in report.manifest.data,
        has_int8=INT8_MODEL in report.manifest.files,
        default_threshold=len(report.labels) == 2 and report.evaluation.decision.threshold == Decision().threshold,
    )


def save(report: Report, *, out: Path | None, plots: Path | None, force: bool) -> int:
    """Write the page to the file `out`, the charts to the folder `plots`; answers how many charts there are.

    Raises `UsageError` where something stands that may not be replaced, `WriteError` where the disk refuses.
    """
    charts = draw_all(report)
    if out is not None:
        content = page(report, charts)  # before the charts get the titles that they have as files
        with system.told(out, option="--report"), system.whole_file(out) as file:
            system.write(file, content)
            check_report(out, force=force)  # something may have come in the meantime
    if plots is not None:
        save_all(charts, plots, force=force)
    return len(charts)
