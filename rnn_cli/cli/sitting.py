"""A sitting in a terminal: keys in, a screen out."""

import os
import sys
from collections.abc import Callable

from rnn_cli.cli.keys import END, ENTER, Keyboard, keyboard, show_screen
from rnn_cli.cli.show_labelling import screen, why_in_words
from rnn_cli.errors import UsageError
from rnn_cli.labelling.keys import keys_of
from rnn_cli.labelling.session import Session


def sit(session: Session) -> None:
    """Show texts and take answers until q; every answer is on the disk when the next text stands.

    Raises what a full disk raises: then nothing is lost, either.
    """
    sitting = _Sitting(session)
    with keyboard(sitting.draw) as keys:
        sitting.run(keys)


class _Sitting:
    """What stands on the screen beside the session: what was said last, and the page of a long text."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.said, self.page = "", 0
        self.chosen: set[str] = set()
        if session.log.added and session.log.answers.steps:
            self.said = f"New labels, by --labels: {', '.join(session.log.added)}."

    def draw(self) -> None:
        """Show the screen."""
        size = os.get_terminal_size(sys.stdout.fileno())  # COLUMNS would not follow a change of size
        show_screen(screen(self.session, self.said, self.page, size.columns, size.lines, self.chosen) + "\n")

    def run(self, keys: Keyboard) -> None:
        """Follow keys until q, or until the terminal is gone."""
        commands: dict[str, Callable[[], None]] = {
            "u": self._undo,
            "s": self.session.skip,
            "n": lambda: self._note(keys),
            "?": self._why,
            "g": self._guess,
            "/": lambda: self._search(keys),
            "+": lambda: self._new_label(keys),
        }
        self.draw()
        while (key := keys.key()) not in ("q", END):
            self.said, labels = "", keys_of(self.session.labels)
            stood = self.session.current
            if key == " ":
                self.page += 1
            elif stood is not None and key in labels:
                self._give(labels[key])
            elif stood is not None and key == ENTER and self.session.kind == "several":
                self.session.label(tuple(self.chosen))
            elif key in commands:
                commands[key]()
                self.page = 0
            else:
                continue
            if (stands := self.session.current) is None or stood is None or stands.row != stood.row:
                self.page, self.chosen = 0, set()
            self.draw()

    def _give(self, label: str) -> None:
        """Give the text the label, or of several give it or take it away."""
        if self.session.kind == "several":
            self.chosen ^= {label}
        else:
            self.session.label(label)

    def _undo(self) -> None:
        if not self.session.undo():
            self.said = "There is nothing to take back."

    def _why(self) -> None:
        why = self.session.why()
        self.said = "" if why is None else why_in_words(why)

    def _guess(self) -> None:
        self.session.is_guess_shown = not self.session.is_guess_shown
        self.said = "Guesses are shown." if self.session.is_guess_shown else "Guesses are hidden."

    def _note(self, keys: Keyboard) -> None:
        if self.session.current is not None and (text := self._ask(keys, "note: ")) is not None:
            self.session.note(text)

    def _search(self, keys: Keyboard) -> None:
        words = self._ask(keys, "search (nothing ends a search): ")
        if words is None:
            return
        found = self.session.search(words)
        if words.strip():
            near = ", then texts near to them" if self.session.is_searching else ""
            self.said = f"{found:,} open texts hold these words{near}."

    def _new_label(self, keys: Keyboard) -> None:
        label = self._ask(keys, "new label: ")
        if not label or not label.strip():
            return
        try:
            self.said = f"New label: {self.session.add_label(label)}."
        except UsageError as error:
            self.said = f"{error.what[:1].upper()}{error.what[1:]}."

    def _ask(self, keys: Keyboard, prompt: str) -> str | None:
        """A line that is typed below the screen; None where Esc was pressed."""
        self.draw()
        return keys.line(prompt)
