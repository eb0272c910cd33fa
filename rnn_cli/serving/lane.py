"""A bounded queue before one thread: the event loop waits, the thread works. Knows nothing of HTTP or of models.

A piece of work is never joined with another one's. Two requests scored in one batch would change each other's last
digits (their texts are padded to one length, and sums of floating-point numbers depend on their order), so each request
is scored as `rnn predict` scores its texts, and the answers are equal to the last bit. Nothing waits for company.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

Done = TypeVar("Done")


class QueueFull(Exception):
    """As many requests wait as may."""


class Places:
    """How many requests may be somewhere at a time. For the event loop's thread only."""

    def __init__(self, places: int) -> None:
        self.places, self.taken = places, 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold one of the places; raises `QueueFull` if there is none."""
        if self.taken >= self.places:
            raise QueueFull
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1


class Lane(Places):
    """Work done in the order in which it comes, by one thread that ends with the process.

    A request takes a place, and does one piece of work or several, one after the other: others come in between, so
    that long work does not keep short work waiting.
    """

    def __init__(self, name: str, places: int) -> None:
        super().__init__(places)
        self._work: SimpleQueue[tuple[Callable[[], Any], asyncio.Future[Any], asyncio.AbstractEventLoop]] = (
            SimpleQueue()
        )
        # A daemon: whoever ends the process at once does not wait for it.
        Thread(target=self._serve, name=name, daemon=True).start()

    async def run(self, work: Callable[[], Done]) -> Done:
        """The result of work that the thread does; raises what it raises."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Done] = loop.create_future()
        self._work.put((work, future, loop))
        return await future

    def _serve(self) -> None:
        while True:
            work, future, loop = self._work.get()
            if future.cancelled():  # nobody waits for it any more
                continue
            result, error = None, None
            try:
                result = work()
            except BaseException as caught:
                error = caught
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(_settle, future, result, error)


def _settle(future: "asyncio.Future[Any]", result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
