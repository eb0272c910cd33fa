"""One bounded queue of texts, scored in one thread. Knows nothing of HTTP."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from rnn_cli.scoring.predictor import Prediction, Predictor


class QueueFull(Exception):
    """More texts wait than the queue holds."""


class Batcher:
    """Scores whatever waits as one batch; a lone request never waits."""

    def __init__(self, predictor: Predictor, *, queue_texts: int = 4096, batch_texts: int = 256) -> None:
        self.predictor, self._most, self._batch = predictor, queue_texts, batch_texts
        self._waiting: list[tuple[list[str], asyncio.Future[list[Prediction]]]] = []
        self._texts = 0
        self._task: asyncio.Task[None] | None = None
        self.thread = ThreadPoolExecutor(1)

    async def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """The prediction for each text; raises `QueueFull`."""
        if self._texts + len(texts) > self._most:
            raise QueueFull
        future: asyncio.Future[list[Prediction]] = asyncio.get_running_loop().create_future()
        self._waiting.append((list(texts), future))
        self._texts += len(texts)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            count = size = 0
            while count < len(self._waiting) and (count == 0 or size < self._batch):
                size += len(self._waiting[count][0])
                count += 1
            taken, self._waiting = self._waiting[:count], self._waiting[count:]
            self._texts -= size
            try:
                found = await loop.run_in_executor(
                    self.thread, self.predictor.predict, [t for ts, _ in taken for t in ts]
                )
            except Exception as error:
                for _, future in taken:
                    if not future.done():
                        future.set_exception(error)
                continue
            start = 0
            for texts, future in taken:
                if not future.done():
                    future.set_result(found[start : start + len(texts)])
                start += len(texts)
