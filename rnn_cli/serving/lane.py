"""A bounded queue before one thread: the event loop waits, the thread works. Knows nothing of HTTP or of models.

It is bounded by length and by the wait to expect, which is the length times the mean time that a piece of work took of
late. So whoever comes in is soon done.

A piece of work is never joined with another one's. Two requests scored in one batch would change each other's last
digits (their texts are padded to one length, and sums of floating-point numbers depend on their order), so each request
is scored as `rnn predict` scores its texts, and the answers are equal to the last bit. Nothing waits for company.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import inf
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

Done = TypeVar("Done")


ALWAYS = 8
"""Requests that are let in at any speed: where large ones take turns, a refusal would cost more than the wait."""

LATEST_WEIGHT = 0.02
"""The weight of the latest piece of work in the mean time that one takes."""


class QueueFull(Exception):
    """As many requests wait as may."""


class Places:
    """How many requests may be somewhere at a time. For the event loop's thread only."""

    def __init__(self, places: int) -> None:
        self.places, self.taken = places, 0

    @property
    def is_full(self) -> bool:
        """Whether one more may not come."""
        return self.taken >= self.places

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold one of the places; raises `QueueFull` if there is none."""
        if self.is_full:
            raise QueueFull
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1


@dataclass(frozen=True, slots=True)
class _Asked:
    """A piece of work, who waits for it, and since when."""

    work: Callable[[], Any]
    future: "asyncio.Future[Any]"
    loop: asyncio.AbstractEventLoop
    at: float


class Lane(Places):
    """Work done in the order in which it comes, by one thread that ends with the process.

    A request takes a place, and does one piece of work or several, one after the other: others come in between, so
    that long work does not keep short work waiting.
    """

    def __init__(
        self, name: str, places: int, *, most_wait: float = inf, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        """`most_wait` is how many seconds a request may expect to wait; `clock` tells seconds."""
        super().__init__(places)
        self._most_wait, self._clock, self._seconds_each = most_wait, clock, 0.0
        self._work: SimpleQueue[_Asked] = SimpleQueue()
        # A daemon: whoever ends the process at once does not wait for it.
        Thread(target=self._serve, name=name, daemon=True).start()

    @property
    def is_full(self) -> bool:
        """Whether there is no place, or one more would wait too long at the speed of the latest ones."""
        return super().is_full or (self.taken >= ALWAYS and self.taken * self._seconds_each > self._most_wait)

    async def run(self, work: Callable[[], Done]) -> Done:
        """The result of work that the thread does; raises what it raises."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Done] = loop.create_future()
        self._work.put(_Asked(work, future, loop, self._clock()))
        return await future

    def _serve(self) -> None:
        ended = -inf
        while True:
            asked = self._work.get()
            if asked.future.cancelled():  # nobody waits for it any more
                continue
            result, error = None, None
            try:
                result = asked.work()
            except BaseException as caught:
                error = caught
            # What it kept the next one waiting for: the work, and the wait for Python's lock before and after it.
            began, ended = max(ended, asked.at), self._clock()
            self._seconds_each += LATEST_WEIGHT * (ended - began - self._seconds_each)
            with suppress(RuntimeError):  # the loop has ended
                asked.loop.call_soon_threadsafe(_settle, asked.future, result, error)


def _settle(future: "asyncio.Future[Any]", result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
