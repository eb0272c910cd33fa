"""A second look at labels in a terminal: keys in, a screen out; and the same as a list."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import click

from rnn_cli.cli.keys import END, ENTER, Keyboard, keyboard, show_screen
from rnn_cli.cli.layout import cut_to, terminal_width, to_json
from rnn_cli.cli.show_labelling import INDENT, READABLE, fill_lines, label_in_words, text_lines
from rnn_cli.labelling.answers import LabelOrSet, labels_in
from rnn_cli.labelling.keys import keys_of
from rnn_cli.labelling.review import DoubtedLabel
from rnn_cli.labelling.session import Session
from rnn_cli.text.plain import one_line, plain

NONE_DOUBTED = "No label is doubted: the model contradicts none, or is too unsure to tell."


def show_doubts(doubts: Sequence[DoubtedLabel], texts: Sequence[str], *, as_json: bool) -> None:
    """Print labels that are doubted, the least probable first."""
    if as_json:
        click.echo(to_json([{**asdict(each), "text": texts[each.row]} for each in doubts], indent=2))
        return
    for each in doubts:
        line = f"row {each.row + 1:,}: {_in_words(each)}: {texts[each.row]}"
        click.echo(cut_to(line, terminal_width() or 2**31))
    if not doubts:
        click.echo(NONE_DOUBTED)


def _in_words(doubt: DoubtedLabel) -> str:
    label, suggested = label_in_words(doubt.label), label_in_words(doubt.suggested)
    return f"{label} ({doubt.label_probability:.0%}), the model says {suggested} ({doubt.probability:.0%})"


def look_again(session: Session, doubts: Sequence[DoubtedLabel]) -> dict[str, int]:
    """Show each label that is doubted, and take what is decided, until q; returns how many were kept, and changed.

    Each decision is on the disk when the next text stands. Raises `WriteError`.
    """
    reviewing = _Reviewing(session, doubts)
    with keyboard(reviewing.draw) as keys:
        reviewing.run(keys)
    kept = sum(label == doubts[at].label for at, label in enumerate(reviewing.decided))
    return {"kept": kept, "changed": len(reviewing.decided) - kept}


class _Reviewing:
    """Where a review stands: the labels decided so far, in order, and the page of a long text."""

    def __init__(self, session: Session, doubts: Sequence[DoubtedLabel]) -> None:
        self.session, self.doubts = session, doubts
        self.decided: list[LabelOrSet] = []
        self.chosen = self._given()
        self.said, self.page = "", 0

    def run(self, keys: Keyboard) -> None:
        """Follow keys until q, or until the terminal is gone."""
        of_labels = keys_of(self.session.labels)
        self.draw()
        while (key := keys.key()) not in ("q", END):
            self.said, at = "", len(self.decided)
            if key == " ":
                self.page += 1
            elif key == "u":
                self._undo()
            elif at < len(self.doubts) and key in of_labels and self.session.kind == "several":
                self.chosen ^= {of_labels[key]}
            elif at < len(self.doubts) and (key == ENTER or key in of_labels):
                self._decide(of_labels.get(key))
            else:
                continue
            self.draw()

    def _given(self) -> set[str]:
        """The labels of the text that stands, to add to and to take from."""
        at = len(self.decided)
        return set(labels_in(self.doubts[at].label)) if at < len(self.doubts) else set()

    def _decide(self, label: str | None) -> None:
        """Keep the label, or change it; of several those that are chosen count."""
        doubt = self.doubts[len(self.decided)]
        self.session.review(doubt.row, tuple(self.chosen) if self.session.kind == "several" else label or doubt.label)
        self.decided.append(self.session.log.answers.labelled[doubt.row])
        self.page, self.chosen = 0, self._given()

    def _undo(self) -> None:
        self.page = 0
        if not self.decided:
            self.said = "There is nothing to take back."
            return
        self.session.undo()
        self.decided.pop()
        self.chosen = self._given()

    def draw(self) -> None:
        """Show the screen."""
        size = os.get_terminal_size(sys.stdout.fileno())
        width = min(size.columns, READABLE)
        at, of_labels = len(self.decided), keys_of(self.session.labels)
        head = f"{one_line(self.session.source)}  "
        head += f"label {at + 1:,} of {len(self.doubts):,} that are doubted" if at < len(self.doubts) else "review"
        below = [*fill_lines(self.said, width), "", *self._keys(of_labels, width)]
        if at == len(self.doubts):
            body = ["", f"{INDENT}All are looked at. q ends, u goes back.", ""]
        else:
            body = self._body(self.doubts[at], width, max(size.lines - len(below) - 12, 3))
        show_screen(plain("\n".join([cut_to(head, width), "─" * width, *body, *below])) + "\n")

    def _body(self, doubt: DoubtedLabel, width: int, room: int) -> list[str]:
        texts, width_of_like = self.session.texts.rows, width - len(INDENT)
        label, suggested = label_in_words(doubt.label), label_in_words(doubt.suggested)
        like = f"Most like it where the model's label is given (row {doubt.like + 1:,}):"
        return [
            *("", f"{INDENT}row {doubt.row + 1:,}", ""),
            *text_lines(texts[doubt.row], self.page, width, room),
            "",
            *fill_lines(f"label: {label} ({doubt.label_probability:.0%})", width),
            *fill_lines(f"the model says: {suggested} {doubt.probability:.0%}", width),
            "",
            *fill_lines(like, width),
            *(INDENT + line for line in fill_lines(one_line(texts[doubt.like]), width_of_like)[:3]),
        ]

    def _keys(self, of_labels: Mapping[str, str], width: int) -> list[str]:
        if self.session.kind == "several":
            marks = {label: f"[{'x' if label in self.chosen else ' '}] " for label in of_labels.values()}
            given = label_in_words(tuple(label for label in of_labels.values() if label in self.chosen))
        else:
            marks, given = dict.fromkeys(of_labels.values(), ""), "keep"
        labels = [f"Enter: {given}", *(f"{key} {marks[label]}{label}" for key, label in of_labels.items())]
        return [*fill_lines("   ".join(labels), width, "   "), *fill_lines("u undo   q end, all is kept", width, "   ")]
