"""One key at a time from a terminal, and the terminal as it was before, whatever happens."""

import os
import re
import select
import signal
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

ESCAPE_SECONDS = 0.05
"""The rest of an arrow key's sequence comes within this time; then Esc was pressed alone."""

ENTER, BACK, ALL_BACK, ESCAPE, END = "enter", "back", "all back", "escape", "end"
"""Keys by name; END is the end of the input: the terminal is gone."""

_NAMES = {"\r": ENTER, "\n": ENTER, "\x7f": BACK, "\x08": BACK, "\x15": ALL_BACK, "\x04": END}

ALTERNATE, MAIN = "\x1b[?1049h", "\x1b[?1049l"
"""A screen of its own, behind which what was printed before stays, and the way back."""

CLEAR = "\x1b[H\x1b[2J"


def is_terminal() -> bool:
    """Whether keys can be read and texts shown: the standard input and output are a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


class Keyboard:
    """Keys of the standard input, which is a terminal. Made by `keyboard`."""

    def __init__(self) -> None:
        self._descriptor = sys.stdin.fileno()
        self._before = termios.tcgetattr(self._descriptor)

    def take(self) -> None:
        """Have each key come at once and unseen; Ctrl-C, Ctrl-Z and flow control stay."""
        tty.setcbreak(self._descriptor, termios.TCSADRAIN)

    def give_back(self) -> None:
        """The terminal as it was."""
        termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._before)

    def key(self) -> str:
        """The next key: a character, or a name; "" for one without a meaning here, such as an arrow."""
        first = os.read(self._descriptor, 1)
        if not first:
            return END
        if first == b"\x1b":
            rest = b""
            while select.select([self._descriptor], [], [], ESCAPE_SECONDS)[0]:
                more = os.read(self._descriptor, 1)
                rest += more
                if not more or re.fullmatch(rb"(\[[0-9;?]*[A-Za-z~]|O[A-Za-z]|[^\[O])", rest):
                    break  # at the end of the input, too, which is always ready to be read
            return "" if rest else ESCAPE
        left = next((size for mask, lead, size in _UTF8 if first[0] & mask == lead), 0)
        character = (first + b"".join(os.read(self._descriptor, 1) for _ in range(left))).decode("utf-8", "replace")
        return _NAMES.get(character, character if character.isprintable() else "")

    def line(self, prompt: str) -> str | None:
        """A line that is typed; None where Esc is pressed, or the input ends. Backspace and Ctrl-U correct it."""
        typed = ""
        _put(prompt)
        while (key := self.key()) != ENTER:
            if key in (ESCAPE, END):
                return None
            if key == BACK:
                typed = typed[:-1]
            elif key == ALL_BACK:
                typed = ""
            elif len(key) == 1:
                typed += key
            _put(f"\r\x1b[K{prompt}{typed}")
        return typed


_UTF8 = ((0xE0, 0xC0, 1), (0xF0, 0xE0, 2), (0xF8, 0xF0, 3))
"""How the first byte of a character says how many more there are."""


@contextmanager
def keyboard(on_change: Callable[[], None]) -> Iterator[Keyboard]:
    """The keys of a terminal while the block runs, on a screen of its own; then it is as before.

    `on_change` is called when the terminal has another size, or the command goes on after Ctrl-Z.
    """
    keys = Keyboard()
    has_screens = os.environ.get("TERM", "dumb") != "dumb"

    def go_on(_: int, __: FrameType | None) -> None:
        keys.take()
        on_change()

    handlers = {each: signal.signal(each, go_on) for each in (signal.SIGCONT, signal.SIGWINCH)}
    try:
        keys.take()
        _put(ALTERNATE if has_screens else "")
        yield keys
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        try:
            _put(MAIN if has_screens else "")
        finally:
            keys.give_back()


def show_screen(lines: str) -> None:
    """Show a screen in place of the last one."""
    _put((CLEAR if os.environ.get("TERM", "dumb") != "dumb" else "\n") + lines)


def _put(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
