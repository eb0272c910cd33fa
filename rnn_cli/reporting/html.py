"""A report as one HTML page, and a model card as Markdown.

The page loads nothing and runs nothing; it is made for paper and for phones, too.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from rnn_cli import system
from rnn_cli.bundle.model_folder import FURTHER, INT8_MODEL
from rnn_cli.bundle.targets import check_report
from rnn_cli.data.builtin import BUILTIN
from rnn_cli.data.numbers import numbers_of
from rnn_cli.data.reading.remote import shown_source
from rnn_cli.data.rows import Dataset
from rnn_cli.evaluation import wording, wording_several
from rnn_cli.evaluation.evaluate import Evaluation
from rnn_cli.evaluation.evaluate_several import SeveralEvaluation
from rnn_cli.evaluation.ordered import OrderedMetrics
from rnn_cli.evaluation.several import PairCount
from rnn_cli.evaluation.wording_folds import folds_table
from rnn_cli.evaluation.wording_numbers import (
    NUMBERS_SHOWN,
    in_unit,
    number_bounds,
    number_standing_in_words,
    number_value,
    number_verdict,
    slice_fields,
)
from rnn_cli.reporting.canvas import DARK, LIGHT, Chart, in_page, save_charts
from rnn_cli.reporting.charts import draw_all
from rnn_cli.reporting.charts_numbers import draw_numbers
from rnn_cli.reporting.drawing import draw
from rnn_cli.reporting.report import MISTAKES_SHOWN, Report, WrongPrediction
from rnn_cli.reporting.report_numbers import NumberReport
from rnn_cli.scoring.decision import Decision
from rnn_cli.scoring.prediction import Part, shown_number
from rnn_cli.text.plain import apart, shortened

MAX_CONFUSIONS = 10
"""Kinds of wrong predictions that are listed where there are more than two labels."""

MARK_STEPS = 4
"""Degrees to which a word can be marked."""

LEAST_MARKED = 0.08
"""A part with a smaller share of the weight of the text's strongest part is not marked."""

FOLDED_FROM, EXCERPT = 420, 300
"""From how many characters on a text is folded, and how many of them its excerpt shows."""

CHARACTERS_SHOWN = 6_000
"""Characters of a text that can be unfolded."""

MAX_LABELS_LISTED = 50
"""Up to this many labels a model card counts the rows of each."""


def page(report: Report | NumberReport, charts: Mapping[str, Chart] | None = None) -> str:
    """The report as an HTML document; draws its charts unless they are given."""
    charts = charts_of(report) if charts is None else charts
    evaluation, source = report.evaluation, shown_source(report.config.data)
    of_lengths = report.by_length if isinstance(report, NumberReport) else report.slices
    by_length = of_lengths if len(of_lengths) > 1 else ()
    # The metrics by length have a chapter of their own.
    slices = () if isinstance(evaluation, SeveralEvaluation) else evaluation.slices
    by_value = slices if list(slices) != list(by_length) else ()
    names_of_values = apart((each.name for each in by_value), FOLDED_FROM, shortened)
    of_kind = _about_numbers(report) if isinstance(report, NumberReport) else _about_labels(report)
    return draw(
        "report.html",
        report=report,
        name=Path(source).name,
        source=source,
        light=LIGHT,
        dark=DARK,
        charts=charts,
        pictures={name: in_page(chart) for name, chart in charts.items()},
        wording=wording_of(report),
        by=None if isinstance(evaluation, SeveralEvaluation) else evaluation.by,
        names=apart(report.labels, FOLDED_FROM, shortened),
        slice_fields=slice_fields,
        by_length=[(each.name.removesuffix(" tokens"), each) for each in by_length],
        by_value=[(names_of_values[each.name], each) for each in by_value],
        most_wrong=MISTAKES_SHOWN,
        folds_table=folds_table,
        marked=marked,
        excerpt=excerpt,
        characters_shown=CHARACTERS_SHOWN,
        unknown_texts=int((~evaluation.scores.known).sum()),
        median_length=float(np.median(evaluation.reading.lengths)),
        **of_kind,
    )


def charts_of(report: Report | NumberReport) -> dict[str, Chart]:
    """Every chart for which a report has something to show, by name."""
    return draw_numbers(report) if isinstance(report, NumberReport) else draw_all(report)


def _about_labels(report: Report) -> dict[str, Any]:
    """What the page of a model of labels shows besides."""
    evaluation = report.evaluation
    return {
        "decided": evaluation.decision != Decision(),
        "confusions": _confusions(evaluation),
        "together": _together(evaluation),
        "wrong": _wrong(evaluation),
    }


def _about_numbers(report: NumberReport) -> dict[str, Any]:
    """What the page of a model of numbers shows besides."""
    evaluation = report.evaluation
    return {
        "named": lambda slices: [(each.name, each) for each in slices],
        "signed": lambda value: f"{'+' * (value > 0)}{in_unit(value, evaluation.metrics.spread)}",
        "in_unit": partial(in_unit, spread=evaluation.metrics.spread),
        "wrong": int((evaluation.truth != evaluation.predicted).sum()),
        "middle": shown_number(report.manifest.center, report.manifest.scale),
        "deviation": shown_number(report.manifest.scale, report.manifest.scale),
    }


def wording_of(report: Report | NumberReport) -> Any:
    """What says a report's metrics in words, by the names that the module `wording` has for it."""
    if isinstance(report, NumberReport):
        return SimpleNamespace(
            METRICS_SHOWN={field: (name, None) for field, name in NUMBERS_SHOWN.items()},
            value=lambda metrics, field, _: number_value(metrics, field),
            bounds=lambda metrics, field, _: number_bounds(metrics, field),
            verdict=partial(number_verdict, spread=report.evaluation.metrics.spread, made=report.evaluation.made),
            standing_in_words=number_standing_in_words,
        )
    if isinstance(report.evaluation.metrics, OrderedMetrics):
        return SimpleNamespace(**{**vars(wording), "METRICS_SHOWN": wording.ORDERED_SHOWN})
    if not report.several:
        return wording
    return SimpleNamespace(
        METRICS_SHOWN=wording_several.SEVERAL_SHOWN,
        value=wording_several.several_value,
        bounds=wording_several.several_bounds,
        verdict=wording_several.several_verdict,
        decision_in_words=wording_several.several_decision_in_words,
        standing_in_words=wording_several.several_standing_in_words,
        of_label=wording.of_label,
        bounds_of_label=wording.bounds_of_label,
    )


def _wrong(evaluation: Evaluation | SeveralEvaluation) -> int:
    """How many rows are wrongly predicted; of several labels, those with a label that is predicted and wrong."""
    if isinstance(evaluation, SeveralEvaluation):
        return int((evaluation.predicted > evaluation.truth).any(axis=1).sum())
    return int((evaluation.truth != evaluation.predicted).sum())


def _confusions(evaluation: Evaluation | SeveralEvaluation) -> Sequence[tuple[int, str, str]]:
    """The most frequent mistakes: rows, the true label, the predicted one."""
    if isinstance(evaluation, SeveralEvaluation):
        mistaken = evaluation.metrics.mistaken[:MAX_CONFUSIONS]
        return [(each.rows, each.missed, each.instead) for each in mistaken]
    return wording.confusions(evaluation.metrics, MAX_CONFUSIONS) if len(evaluation.metrics.labels) > 2 else ()


def _together(evaluation: Evaluation | SeveralEvaluation) -> Sequence[PairCount]:
    """The pairs of labels that most rows have."""
    if isinstance(evaluation, Evaluation):
        return ()
    return [pair for pair in evaluation.metrics.together if pair.rows][:MAX_CONFUSIONS]


def marked(text: str, parts: Sequence[Part], start: int, stop: int) -> list[tuple[str, str]]:
    """text[start:stop] in pieces, each with its mark: "for s4" (strongly for the prediction), "against s1", or "".

    Letters and digits outside all parts were not read and are marked "unread".
    """
    strongest = max((abs(part.weight) for part in parts), default=0.0)
    pieces, index = list[tuple[str, str]](), start
    for part in parts:
        if part.end <= start or part.start >= stop:
            continue
        begin, end = max(part.start, start), min(part.end, stop)
        pieces += [_between(text[index:begin]), (text[begin:end], _mark(part.weight, strongest))]
        index = end
    rest = text[index:stop]
    pieces.append(_between(rest) if parts else (rest, ""))
    return [piece for piece in pieces if piece[0]]


def _mark(weight: float, strongest: float) -> str:
    share = abs(weight) / strongest if strongest else 0.0
    if share < LEAST_MARKED:
        return ""
    return f"{'for' if weight > 0 else 'against'} s{min(MARK_STEPS, 1 + int(MARK_STEPS * share))}"


def _between(text: str) -> tuple[str, str]:
    return text, "unread" if any(map(str.isalnum, text)) else ""


def excerpt(mistake: WrongPrediction) -> tuple[int, int] | None:
    """Where the excerpt of a long text starts and stops: around its strongest word, at spaces if any are near.

    None for a text that is not folded.
    """
    text = mistake.text
    if len(text) <= FOLDED_FROM:
        return None
    strongest = max(mistake.parts, key=lambda part: part.weight, default=None)
    middle = 0 if strongest is None else (strongest.start + strongest.end) // 2
    start = min(max(0, middle - EXCERPT // 2), len(text) - EXCERPT)
    stop = start + EXCERPT
    start = text.find(" ", start, start + 30) + 1 or start if start else 0
    space = text.rfind(" ", stop - 30, stop)
    return start, space if space > start and stop < len(text) else stop


def model_card(report: Report | NumberReport, rows: Mapping[str, Dataset]) -> str:
    """The model card as Markdown; `rows` are those of `train`, `validation` and, if there are any, `test`."""
    data = report.config.data
    if isinstance(report, NumberReport):
        listed = _lowest_to_highest(rows)
    else:
        counts = [side.label_counts() for side in rows.values()]
        labels = report.labels if len(report.labels) <= MAX_LABELS_LISTED else ()
        listed = {label: [f"{side[label]:,}" for side in counts] for label in labels}
    return draw(
        "card.md",
        report=report,
        sides=[*rows],
        wording=wording_of(report),
        tokenizer=report.config.tokenizer,
        reading=report.evaluation.reading,
        frequent=[shortened(token, 24) for token in report.frequent],
        source=shown_source(data) if data.sources else Path(shown_source(data)).name,
        known=None if data.sources else BUILTIN.get(data.source),
        several=data.sources is not None,
        listed=listed,
        further=FURTHER in report.manifest.data,
        has_int8=INT8_MODEL in report.manifest.files,
        default_threshold=isinstance(report.evaluation, Evaluation)
        and len(report.labels) == 2
        and report.evaluation.decision.threshold == Decision().threshold,
    )


def _lowest_to_highest(rows: Mapping[str, Dataset]) -> dict[str, list[str]]:
    """Where the numbers of each side's rows lie."""
    sides = [numbers_of(side) for side in rows.values()]
    spread = float(sides[0].std())
    places = {"lowest": 0.0, "median": 0.5, "highest": 1.0}
    return {
        name: [shown_number(float(np.quantile(side, share)), spread) for side in sides]
        for name, share in places.items()
    }


def save_report(report: Report | NumberReport, *, out: Path | None, plots: Path | None, force: bool) -> int:
    """Write the page to the file `out` and the charts to the folder `plots`; returns how many charts there are.

    Raises `UsageError` where something else must not be replaced, and `WriteError` where the disk refuses.
    """
    charts = charts_of(report)
    if out is not None:
        content = page(report, charts)  # before the charts get the titles that they have as files
        with system.as_write_error(out, name="report"), system.whole_file(out) as file:
            system.write(file, content)
            check_report(out, force=force)  # another process may have written there by now
    if plots is not None:
        save_charts(charts, plots, force=force)
    return len(charts)
