"""A text to label as a screen, and what came of a sitting. Draws; reads no key."""

import json
import shlex
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.cells import cell_len, chop_cells

from rnn_cli.bundle.locate import GENERAL
from rnn_cli.cli.layout import cut_to, padded, table, terminal_width, to_json
from rnn_cli.errors import quoted
from rnn_cli.kinds import LabelsKind
from rnn_cli.labelling.answers import CHANCE, Answers, LabelOrSet, LogHead, labels_in
from rnn_cli.labelling.figures import MORE_ANSWERS, MeasuredShare, agreement
from rnn_cli.labelling.keys import ASKED_BECAUSE, keys_of
from rnn_cli.progress import in_words
from rnn_cli.text.plain import one_line, plain

if TYPE_CHECKING:
    from rnn_cli.labelling.agreement import Agreement, Coefficient
    from rnn_cli.labelling.session import Session, Shown, Standing, Why

READABLE = 80
"""Longer lines are hard to read."""

INDENT = "  "

MANY_LABELS = 2_000
"""From so many labels on a network of its own does without a base; of fewer a linear model learns as much."""

TEACHING_TEXTS = 10_000
"""Of fewer texts without labels a teacher makes no better model than a linear one of the labels alone."""

OF_BOTH = ("--text-column", "--label-column")
"""Options that hold for the file of texts and for that of labelled rows."""

COMMANDS = (
    *(("u", "undo"), ("s", "skip"), ("n", "note"), ("?", "why this text"), ("g", "guess")),
    *(("/", "search"), ("+", "new label"), ("q", "end, all is kept")),
)


def label_in_words(label: LabelOrSet) -> str:
    """A label, or several, on a line."""
    return ", ".join(one_line(each) for each in labels_in(label)) or "none"


def screen(session: "Session", said: str, page: int, columns: int, rows: int, chosen: Collection[str] = ()) -> str:
    """The screen of what stands: the head, the text, what was `said` last, the keys; `page` is of a long text.

    `chosen` are the labels that are given so far, where a text may have several.
    """
    width = min(columns, READABLE)
    current, head = session.current, _head(session, width)
    below = [*fill_lines(said, width), "", *_keys(session, chosen, width)]
    if current is None:
        body = ["", f"{INDENT}All texts are answered. q ends, u goes back.", ""]
    else:
        room = max(rows - len(head) - len(below) - 5, 3)
        body = _text(current, session.is_guess_shown, page, width, room)
    return plain("\n".join([*head, "─" * width, *body, *below]))  # a log may be by anybody


def _head(session: "Session", width: int) -> list[str]:
    standing, source = session.standing(), session.source
    skipped = f", {standing.skipped:,} skipped" if standing.skipped else ""
    left = f"{one_line(source)}  {standing.labelled:,} of {standing.texts:,} labelled{skipped}"
    pace = f"{standing.per_minute:.0f} a minute, " if standing.per_minute else ""
    right = f"{pace}{in_words(standing.seconds)}"
    lines = [padded(cut_to(left, width - cell_len(right) - 2), width - cell_len(right)) + right]
    lines += fill_lines("   ".join(f"{label} {count:,}" for label, count in standing.counts.items()), width, "   ")
    lines += fill_lines(accuracy_in_words(standing, session.kind), width)
    if standing.agreement:
        lines += fill_lines(_guesses_in_words(standing.agreement), width)
    return lines


def accuracy_in_words(standing: "Standing", kind: LabelsKind) -> str:
    """The model's accuracy as a line says it, and what is expected of it with 50 more answers."""
    accuracy, expected = standing.accuracy, standing.expected
    named = "all labels right" if kind == "several" else "accuracy"
    if accuracy is None:
        return f"{named} now: not known yet; every tenth text is drawn by chance to measure it"
    more = "" if expected is None else f"; with {MORE_ANSWERS} more answers about {expected:.0%}"
    return f"{named} now: {share_in_words(accuracy)}, by {accuracy.rows:,} texts drawn by chance{more}"


def share_in_words(share: MeasuredShare) -> str:
    """A share with its interval."""
    return f"{share.share:.0%} (95% interval {share.low:.0%} to {share.high:.0%})"


def _guesses_in_words(share: MeasuredShare) -> str:
    return f"guesses right: {share_in_words(share)} of the last {share.rows:,}, unseen"


def _text(current: "Shown", is_guess_shown: bool, page: int, width: int, room: int) -> list[str]:
    copies = f", {current.copies:,} times in the file" if current.copies > 1 else ""
    found = ["", f"{INDENT}row {current.row + 1:,}{copies}", "", *text_lines(current.text, page, width, room), ""]
    if current.note:
        found += fill_lines(f"note: {current.note}", width)
    if is_guess_shown and current.guess is not None:
        found += fill_lines(f"guess: {label_in_words(current.guess)} {current.probability:.0%}", width)
    return found


def text_lines(text: str, page: int, width: int, room: int) -> list[str]:
    """A text in up to `room` lines, of a long one the page, and which that is."""
    lines = [line for part in plain(text).splitlines() or [""] for line in fill_lines(part, width - 4) or [""]]
    pages = max(-(-len(lines) // room), 1)
    shown = [INDENT + line for line in lines[(page % pages) * room : (page % pages + 1) * room]]
    return shown + ([f"{INDENT}… page {page % pages + 1} of {pages}; space turns it"] if pages > 1 else [])


def _keys(session: "Session", chosen: Collection[str], width: int) -> list[str]:
    keys = keys_of(session.labels).items()
    if session.kind == "several":
        given = label_in_words(tuple(label for _, label in keys if label in chosen))
        of_labels = [*(f"{key} [{'x' if label in chosen else ' '}] {label}" for key, label in keys), f"Enter: {given}"]
    else:
        of_labels = [f"{key} {label}" for key, label in keys]
    return [
        *fill_lines("   ".join(of_labels), width, "   "),
        *fill_lines("   ".join(f"{key} {does}" for key, does in COMMANDS), width, "   "),
    ]


def fill_lines(text: str, width: int, gap: str = " ") -> list[str]:
    """The text in lines of at most `width` columns, broken at `gap`; a word that is longer is cut into pieces."""
    lines: list[str] = []
    for word in filter(None, text.split(gap)):
        pieces = [word] if cell_len(word) <= width else chop_cells(word, width)
        for piece in pieces:
            if lines and cell_len(lines[-1] + gap + piece) <= width:
                lines[-1] += gap + piece
            else:
                lines.append(piece)
    return lines


def why_in_words(why: "Why") -> str:
    """Why a text is asked, as a line."""
    parts = [f"Why: {ASKED_BECAUSE.get(why.chosen, why.chosen)}."]
    if why.probabilities:
        few = why.probabilities[:3]
        parts.append("The model: " + ", ".join(f"{label} {probability:.0%}" for label, probability in few) + ".")
    for words, way in ((why.words_for, "for"), (why.words_against, "against")):
        if words:
            parts.append(f"Words {way} {why.probabilities[0][0]}: {', '.join(words)}.")
    return " ".join(parts)


def show_status(log: Path, head: LogHead, answers: Answers, *, as_json: bool) -> None:
    """Print what a log says."""
    labelled = answers.labelled
    counts = Counter(label for each in labelled.values() for label in labels_in(each))
    agreed, drawn = agreement(answers.steps), agreement([each for each in answers.steps if each.chosen == CHANCE])
    skipped = len(answers.by_row) - len(labelled)
    if as_json:
        found = {
            "log": str(log),
            "source": head.source,
            "rows": head.rows,
            "kind": answers.kind,
            "labelled": len(labelled),
            "labels": {label: counts[label] for label in answers.labels},
            "skipped": skipped,
            "notes": len(answers.notes),
            "guesses_right": None if agreed is None else asdict(agreed),
            "guesses_right_by_chance": None if drawn is None else asdict(drawn),
        }
        click.echo(to_json(found, indent=2))
        return
    click.echo(f"{len(labelled):,} of {head.rows:,} rows labelled, {skipped:,} skipped ({one_line(str(log))})")
    for line in table(["label", "rows"], [[label, f"{counts[label]:,}"] for label in answers.labels]):
        click.echo(line)
    if answers.kind == "several":
        click.echo(f"none of them: {sum(not labels_in(each) for each in labelled.values()):,}")
    for share, which in ((agreed, ""), (drawn, ", drawn by chance")):
        if share is not None:
            click.echo(_guesses_in_words(share) + which)
    for row, note in sorted(answers.notes.items()):
        if note:
            click.echo(cut_to(f"note on row {row + 1:,}: {note}", terminal_width() or 2**31))


def show_agreement(
    found: "Agreement", people: Sequence[str], texts: Sequence[str], kind: LabelsKind, *, examples: int, as_json: bool
) -> None:
    """Print how far two people agree, and where they do not."""
    if as_json:
        click.echo(to_json(_agreement_fields(found), indent=2))
        return
    share = MeasuredShare.of([True] * found.alike + [False] * (found.texts - found.alike))
    if share is not None:
        click.echo(f"alike: {share_in_words(share)} of {share.rows:,} texts that both labelled")
    of_kind = {"single": "", "ordered": ", by the order of the labels", "several": ", by MASI's distance"}[kind]
    for name, each in (("Cohen's kappa", found.kappa), ("Krippendorff's alpha", found.alpha)):
        if each is not None:
            click.echo(f"{name}{of_kind}: {_coefficient_in_words(each)}")
    differing = sorted(
        (
            (count, [label_in_words(each) for each in pair])
            for pair, count in found.pairs.items()
            if len(set(pair)) == 2
        ),
        reverse=True,
    )
    if differing:
        click.echo()
        for line in table([*people, "texts"], [[*pair, f"{count:,}"] for count, pair in differing], names=2):
            click.echo(line)
        click.echo()
    for row, (one, other) in list(found.differ.items())[:examples]:
        line = f"row {row + 1:,}: {_apart(one, other)}: {texts[row]}"
        click.echo(cut_to(line, terminal_width() or 2**31))
    if len(found.differ) > examples:
        click.echo(f"and {len(found.differ) - examples:,} more (--examples)")


def _apart(one: LabelOrSet, other: LabelOrSet) -> str:
    between = ", " if isinstance(one, str) else " | "
    return between.join((label_in_words(one), label_in_words(other)))


def _coefficient_in_words(found: "Coefficient") -> str:
    if found.value is None:
        return "not defined, as all labels are the same"
    if found.low is None or found.high is None:
        return f"{found.value:.2f} (too few texts for an interval)"
    return f"{found.value:.2f} (95% interval {found.low:.2f} to {found.high:.2f})"


def _agreement_fields(found: "Agreement") -> dict[str, object]:
    return {
        "texts": found.texts,
        "alike": found.alike,
        "kappa": None if found.kappa is None else asdict(found.kappa),
        "alpha": asdict(found.alpha),
        "differ": [{"row": row, "labels": list(pair)} for row, pair in found.differ.items()],
    }


def train_commands(
    out: str, source: str, options: Mapping[str, str], base: str | None, answers: Answers, texts: int
) -> list[str]:
    """The two commands that are likely to train the best model on labelled rows, the better one first.

    `options` are those that the file of texts needs, and --label-column. `base` is the model that knows the texts'
    words; with few labels a model on it is right more often than one of its own. `answers` are counted, and name the
    kind of the labels: a base and a teacher are for one label a text, without an order. `texts` are the rows of the
    file of texts, material for a teacher.
    """
    known = "".join(f" {name} {value}" for name, value in options.items() if name in OF_BOTH)
    alone = f"rnn train {out}{known}"
    if answers.kind != "single":
        return [f"{alone} --set data.labels={answers.kind}{_order_option(answers)}"]
    named = "" if base in (None, GENERAL) else f" --set model.base={quoted(base)}"
    on_base = [f"rnn train few-labels --set data.source={out}{named}{known}"] if base else []
    is_written_alike = not set(options) - {*OF_BOTH, "--as"}
    taught = [f"{alone} --unlabelled {source}"] if texts >= TEACHING_TEXTS and is_written_alike else []
    linear = f"{alone} --set model.kind=linear"
    is_many = len(answers.labelled) >= MANY_LABELS
    found = [alone, *taught, *on_base, linear] if is_many else [*on_base, *taught, linear, alone]
    return found[:2]


def _order_option(answers: Answers) -> str:
    """The order of labels as an option, where it is not that of whole numbers."""
    is_numbers = all(label.lstrip("-").isdecimal() for label in answers.labels)
    if answers.kind != "ordered" or (is_numbers and [*map(int, answers.labels)] == sorted(map(int, answers.labels))):
        return ""
    return f" --set {shlex.quote('data.order=' + json.dumps(answers.labels, ensure_ascii=False))}"


def show_end(session: "Session", out: Path | None, written: int, options: Mapping[str, str], base: str | None) -> None:
    """Print what a sitting leaves, and how to go on; `options` are those that were given, with their values."""
    standing, source = session.standing(), quoted(Path(session.source))
    counts = ", ".join(f"{one_line(label)} {count:,}" for label, count in standing.counts.items())
    texts = "text" if standing.labelled == 1 else "texts"
    told = [f"{standing.labelled:,} {texts} labelled ({counts}) → {one_line(str(session.log.path))}"]
    if standing.accuracy is not None:
        told.append(accuracy_in_words(standing, session.kind))
    for line in told:
        click.echo("\n".join(fill_lines(line, terminal_width() or 2**31)))
    if out is not None:
        click.echo(f"{written:,} rows with labels → {one_line(str(out))}")
    typed = "".join(f" {name} {value}".rstrip() for name, value in options.items() if name != "--label-column")
    click.echo(f"Go on   rnn label {source}{typed}")
    file = quoted(out) if out is not None else "labelled.csv"
    if out is None:
        click.echo(f"Write   rnn label export {source} --out {file}{typed}")
    base = base if session.learner.vectors.has_base else None
    show_training(train_commands(file, source, options, base, session.log.answers, len(session.texts.rows)))


def show_training(commands: Sequence[str]) -> None:
    """Print commands that train."""
    for number, command in enumerate(commands):
        click.echo(f"{'or' if number else 'Train':<8}{command}")
