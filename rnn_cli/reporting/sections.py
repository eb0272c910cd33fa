"""The chapters of a report's page, each from what was gathered. Draws nothing."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rnn_cli.evaluation.names import apart
from rnn_cli.evaluation.slices import Slice
from rnn_cli.evaluation.wording import (
    FIGURES,
    bounds,
    confusions,
    decision_in_words,
    span,
    sure_in_words,
    value,
    verdict,
)
from rnn_cli.reporting.content import Report
from rnn_cli.reporting.escape import shortened
from rnn_cli.reporting.markup import Safe, definitions, element, figure, folded, foreign, marked, safe, table
from rnn_cli.reporting.mistakes import MOST, Mistake
from rnn_cli.reporting.words import network, rows_in_words, unit_of
from rnn_cli.scoring.decision import Decision

CONFUSIONS = 10
"""Kinds of wrong answers that are listed where there are more than two labels."""

LONG = 420
"""Characters from which on a text of a mistake is folded."""

EXCERPT = 300
"""Characters of it that are shown."""

MOST_SHOWN = 6_000
"""Characters of it that can be unfolded."""

MEANING = {
    "accuracy": "the share of right answers",
    "balanced_accuracy": "the mean of the labels' recall, as if all labels were equally frequent",
    "macro_f1": "the mean of the labels' F1",
    "roc_auc": "how often a row of a label is ranked above a row of another; 0.5 is chance",
    "pr_auc": "the mean precision over all thresholds (average precision)",
    "log_loss": "the surprise at the true label, in nats: smaller is better",
    "brier": "the squared error of the probabilities: smaller is better",
    "ece": "how far probabilities are from the share of right answers: smaller is better; chance alone makes it larger "
    "than it is, which its interval allows for",
}


def introduction(report: Report) -> Safe:
    """What model this is, and what it was measured on."""
    rows = report.manifest.data["rows"]
    names = [foreign(label) for label in report.labels[:8]] + (["…"] if len(report.labels) > 8 else [])
    of = Safe(", ".join(map(safe, names)))
    told = (
        Safe(f"{len(report.labels)} labels ({of}). "),
        f"{network(report.config)}, trained on {rows['train']:,} rows. ",
        f"Measured on {report.evaluation.figures.rows:,} {rows_in_words(report)}.",
    )
    title = element("h1", foreign(Path(report.config.data.source).name), ": how good the model is")
    return element("header", title, element("p", *told, class_="muted"))


def tiles(report: Report) -> Safe:
    """The figure that matters most, the linear baseline's, and what they come to."""
    figures = report.evaluation.figures
    called, written = FIGURES["accuracy"]
    shown = [_tile(called, value(figures, "accuracy", written), bounds(figures, "accuracy", written))]
    if report.against is None or report.side is None:
        return element("div", *shown, class_="tiles")
    other, found = report.against.figures, report.against.comparison
    shown += [
        _tile("the linear baseline's", value(other, "accuracy", written), bounds(other, "accuracy", written)),
        _tile(
            "difference",
            f"{100 * found.difference:+.1f} points",
            " to ".join(f"{100 * end:.1f}" for end in found.interval),
        ),
    ]
    sure = "better" if found.interval[0] > 0 else "worse" if found.interval[1] < 0 else "chance"
    told = element("p", verdict(report.side, report.against), class_=f"verdict {sure}")
    return Safe(element("div", *shown, class_="tiles") + told)


def _tile(name: str, shown: str, interval: str) -> Safe:
    small = element("small", f"95% interval {interval}") if interval else Safe()
    return element("div", element("span", name), element("b", shown), small, class_="tile")


def whole(report: Report) -> Safe:
    """Every headline figure with its interval, beside the baseline's."""
    columns = {"network": report.evaluation.figures}
    if report.against is not None:
        columns["linear baseline"] = report.against.figures
    rows = []
    for field, (name, written) in FIGURES.items():
        cells = (figure(value(of, field, written), bounds(of, field, written)) for of in columns.values())
        rows.append((name, *cells))
    note = element("p", element("small", "Below a figure is its 95% interval: what other rows like these might give."))
    meaning = definitions((name, MEANING[field]) for field, (name, _) in FIGURES.items())
    return Safe(table(("", *columns), rows) + note + _decided(report) + folded("What each figure is", meaning))


def _decided(report: Report) -> Safe:
    """How probabilities became answers, where that was chosen, and how good the sure ones are."""
    evaluation = report.evaluation
    told = Safe()
    if evaluation.decision != Decision():
        told = element("p", "Decided: ", foreign(decision_in_words(evaluation.decision, report.labels)), ".")
    return told if evaluation.sure is None else Safe(told + element("p", sure_in_words(evaluation.sure)))


def labels(report: Report) -> Safe:
    """Precision, recall and F1 of each label, and which labels are taken for which."""

    def cell(of: object, name: str) -> Safe:
        interval = getattr(of, f"{name}_interval")
        return figure(f"{getattr(of, name):.3f}", span(interval, lambda end: f"{end:.3f}"))

    figures, names = report.evaluation.figures, apart(report.labels, LONG, shortened)
    rows = [
        (foreign(names[label]), *(cell(of, name) for name in ("precision", "recall", "f1")), f"{of.support:,}")
        for label, of in figures.per_class.items()
    ]
    shown = table(("label", "precision", "recall", "F1", "rows"), rows)
    wrong = confusions(figures, CONFUSIONS)
    if len(report.labels) == 2 or not wrong:
        return shown
    pairs = [(foreign(names[truth]), foreign(names[answer]), f"{count:,}") for count, truth, answer in wrong]
    return Safe(shown + element("h3", "Most frequent confusions") + table(("true", "answered", "rows"), pairs, names=2))


def lengths(report: Report) -> Safe:
    """Figures by the texts' length."""
    named = [(each.name.removesuffix(" tokens"), each) for each in report.slices]
    return _sliced(f"{unit_of(report)}s", named) if len(named) > 1 else Safe()


def parts(report: Report) -> Safe:
    """Figures by the values of a column; nothing where they are the figures by length, which have a chapter anyway."""
    if not report.parts or (lengths(report) and list(report.parts) == list(report.slices)):
        return Safe()
    return _sliced("value", [(each.name, each) for each in report.parts])


def _sliced(head: str, slices: Sequence[tuple[str, Slice]]) -> Safe:
    def cell(each: Slice, field: str) -> Safe:
        written = FIGURES[field][1]
        return figure(written(getattr(each, field)), bounds(each, field, written))

    fields = ("accuracy", "macro_f1", "log_loss")
    names = apart((name for name, _ in slices), LONG, shortened)
    rows = [(foreign(names[name]), f"{each.rows:,}", *(cell(each, field) for field in fields)) for name, each in slices]
    shown = table((head, "rows", *(FIGURES[field][0] for field in fields)), rows)
    return Safe(element("p", "Worst accuracy first, those of few rows last.") + shown)


def mistakes(report: Report) -> Safe:
    """The wrong answers that were given most confidently, with their words marked."""
    if not report.mistakes:
        return element("p", "There are none: every answer is right.")
    figures = report.evaluation.figures
    wrong = figures.rows - sum(row[place] for place, row in enumerate(figures.confusion))
    most = f"The {MOST} surest of {wrong:,}" if wrong > MOST else f"All {wrong:,}"
    told = element(
        "p",
        f"{most} wrong answers, the surest first. Marked is what spoke ",
        element("mark", "for the wrong answer", class_="for s4"),
        " and ",
        element("mark", "against it", class_="against s4"),
        ": by how much the answer's log-odds change when these words are left out. Some labels may be wrong, not the "
        "answers. ",
        element("span", "Pale words", class_="unread"),
        " were not read.",
    )
    return Safe(told + element("ol", *map(_mistake, report.mistakes), class_="mistakes"))


def _mistake(mistake: Mistake) -> Safe:
    head = element(
        "header",
        Safe(f"<span>answered <b>{foreign(mistake.answer)}</b> {safe(f'{mistake.probability:.1%}')}</span>"),
        Safe(f"<span>labelled <b>{foreign(mistake.truth)}</b></span>"),
        element("small", f"line {mistake.line:,}"),
    )
    size = len(mistake.text)
    if size <= LONG:
        return element("li", head, _text(mistake, 0, size))
    strongest = max(mistake.parts, key=lambda part: part.weight, default=None)
    start = 0 if strongest is None else max(0, (strongest.start + strongest.end - EXCERPT) // 2)
    start = min(start, size - EXCERPT)
    excerpt = _cut(mistake, start, start + EXCERPT)
    if size <= MOST_SHOWN:
        full = _text(mistake, 0, size)
    else:
        half = MOST_SHOWN // 2
        left_out = element("p", f"… {size - 2 * half:,} characters …", class_="muted")
        full = Safe(_text(mistake, 0, half) + left_out + _text(mistake, size - half, size))
    return element("li", head, element("details", element("summary", excerpt), full))


def _text(mistake: Mistake, start: int, stop: int) -> Safe:
    return element("p", marked(mistake.text, mistake.parts, start, stop), class_="text", dir="auto")


def _cut(mistake: Mistake, start: int, stop: int) -> Safe:
    """A part of the text, from the first space on to the last one."""
    text = mistake.text
    start = text.find(" ", start, start + 30) + 1 or start if start else 0
    space = text.rfind(" ", stop - 30, stop)
    stop = space if space > start and stop < len(text) else stop
    shown = marked(text, mistake.parts, start, stop)
    return element(
        "p", "…" if start else "", shown, "… " if stop < len(text) else " ", class_="text excerpt", dir="auto"
    )


def reading(report: Report) -> Safe:
    """How much of the texts the model reads and knows."""
    found, tokenizer = report.evaluation.reading, report.config.tokenizer
    unit = unit_of(report)
    without = int((~report.evaluation.scores.known).sum())
    part = {"head": "their beginning", "tail": "their end", "both": "their beginning and their end"}
    return definitions(
        [
            ("unknown", f"{found.unknown_share:.2%} of the {unit}s read ({found.unknown:,} of {found.read:,})"),
            ("nothing known", f"{without:,} texts without one {unit} the model knows; such answers mean little"),
            (
                "cut",
                f"{found.cut_share:.1%} of the texts are longer than {tokenizer.max_length:,} {unit}s: only "
                f"{part[tokenizer.truncate]} is read (tokenizer.max_length, tokenizer.truncate)",
            ),
            ("not read", f"{1 - found.read / max(found.tokens, 1):.1%} of all {unit}s, for that reason"),
            ("median length", f"{np.median(found.lengths):,.0f} {unit}s"),
        ]
    )


def how_it_was_made(report: Report) -> Safe:
    """The data's fingerprint, the config and the libraries' versions."""
    manifest = report.manifest
    rows = manifest.data["rows"]
    versions = definitions((name, version) for name, version in manifest.versions.items())
    told = definitions(
        [
            ("data", foreign(report.config.data.source)),
            ("rows", f"{rows['train']:,} training, {rows['validation']:,} validation, {rows['test']:,} test"),
            ("fingerprint", element("code", str(manifest.data.get("fingerprint", "none")))),
            ("decision", foreign(decision_in_words(report.evaluation.decision, report.labels))),
            ("temperature", f"{manifest.temperature:.4g} (divides the logits)"),
            ("epochs", f"{len(report.history)}; the weights are those of epoch {report.best_epoch}"),
        ]
    )
    config = element("pre", element("code", report.config_text))
    return Safe(told + folded("Config", config) + folded("Libraries", versions))
