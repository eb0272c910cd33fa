"""Signals that ask a run to stop, held back until it has saved itself."""

import signal
import threading
from types import FrameType
from typing import Any

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


class HeldSignals:
    """Within the block the first Ctrl-C, SIGTERM or SIGHUP is only noted; a second one of any kind acts at once.

    `deliver` lets the one that was noted act as it would have. Outside the main thread, which alone hears signals,
    nothing is held.
    """

    def __init__(self) -> None:
        self.waiting: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "HeldSignals":
        """Begin to hold."""
        if threading.current_thread() is threading.main_thread():
            for number in (getattr(signal, name) for name in SIGNALS if hasattr(signal, name)):
                if signal.getsignal(number) not in (signal.SIG_IGN, None):  # nohup's are left alone
                    self._before[number] = signal.signal(number, self._hold)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Hold no longer; one that came too late for a pause acts now, unless something else went wrong."""
        self._restore()
        if kind is None:
            self.deliver()

    def deliver(self) -> None:
        """Let the signal that waits act; without one nothing happens."""
        number, self.waiting = self.waiting, None
        if number is not None:
            self._restore()
            signal.raise_signal(number)

    def _hold(self, number: int, frame: FrameType | None) -> None:
        self.waiting = number
        self._restore()

    def _restore(self) -> None:
        before, self._before = self._before, {}  # a signal that comes meanwhile finds nothing left to do
        for number, handler in before.items():
            signal.signal(number, handler)
