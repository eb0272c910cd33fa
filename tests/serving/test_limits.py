"""What is too much is refused, and quickly; a fault of a model is none of the server's."""

import asyncio
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from rnn_cli.errors import BundleError
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.serving.edge import Edge
from rnn_cli.serving.lane import ALWAYS, Lane, QueueFull
from rnn_cli.serving.metrics import Metered
from rnn_cli.serving.scoring import REFUSED_AFTER_SECONDS
from rnn_cli.serving.settings import Limits
from tests.serving.asking import Answered, application, ask, asked

FEW = Limits(body_bytes=200, score_bytes=300, texts=3, explained=2, characters=10, queue=2, read_seconds=0.05)


@pytest.fixture(scope="module")
def app(trained: Path) -> Edge:
    return application(trained, limits=FEW)


@pytest.mark.parametrize(
    "headers", [{}, {"content-length": "5"}, {"content-length": "99999999999999999999999"}, {"content-length": "-1"}]
)
@pytest.mark.parametrize(("path", "kind"), [("/v1/predict", "application/json"), ("/v1/score", "text/csv")])
def test_bytes_are_counted_as_they_come_whatever_the_header_says(
    path: str, kind: str, headers: dict[str, str], app: Edge
) -> None:
    body = [b"x" * 50] * 20
    found = ask(app, "POST", path, body, {"content-type": kind, **headers}, ends=False)
    assert (found.status, found.headers["content-type"]) == (413, "application/problem+json")


def test_a_header_that_says_too_much_is_believed_at_once(app: Edge) -> None:
    found = ask(app, "POST", "/v1/predict", [], {"content-length": "201"}, ends=False)
    assert found.status == 413


def test_a_body_that_does_not_come_is_a_408_and_the_connection_closes(app: Edge) -> None:
    found = ask(app, "POST", "/v1/predict", [b'{"text":'], ends=False)
    assert (found.status, found.headers["connection"]) == (408, "close")


def test_compressed_bodies_are_not_read(app: Edge) -> None:
    assert ask(app, "POST", "/v1/predict", {"text": "a"}, {"content-encoding": "gzip"}).status == 415


def test_each_limit_is_the_settings(app: Edge) -> None:
    for body, pointer in (({"texts": ["a"] * 4}, "/texts"), ({"text": "a" * 11}, "/text")):
        found = ask(app, "POST", "/v1/predict", body)
        assert (found.status, found.json()["pointer"]) == (422, pointer)
    assert ask(app, "POST", "/v1/explain", {"texts": ["a"] * 3}).status == 422
    assert ask(app, "POST", "/v1/explain", {"texts": ["a"] * 2}).status == 200


def test_a_full_queue_is_a_429_and_loses_nothing_that_was_accepted(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, may, scored, score = application(trained, limits=FEW), Event(), list[object](), Predictor.score

    def wait_and_score(predictor: Predictor, texts: Any, *more: Any) -> Any:
        may.wait()
        scored.append(texts)
        return score(predictor, texts, *more)

    async def hold_back(seconds: float) -> None:
        held_back.append(seconds)

    held_back: list[float] = []
    monkeypatch.setattr(Predictor, "score", wait_and_score)
    monkeypatch.setattr("rnn_cli.serving.scoring.asyncio.sleep", hold_back)

    async def flood() -> tuple[list[Answered], list[Answered], int]:
        tasks = [asyncio.create_task(asked(app, "POST", "/v1/predict", {"text": "warm"})) for _ in range(5)]
        refused = await asyncio.gather(*tasks[2:])  # while the first two still wait
        health = await asked(app, "GET", "/health/ready")
        may.set()
        return await asyncio.gather(*tasks[:2]), refused, health.status

    accepted, refused, health = asyncio.run(flood())
    assert [each.status for each in accepted] == [200, 200] and len(scored) == 2
    assert [(each.status, each.headers["retry-after"]) for each in refused] == [(429, "1")] * 3
    assert held_back == [REFUSED_AFTER_SECONDS] * 3
    assert health == 200
    assert ask(app, "POST", "/v1/predict", {"text": "warm"}).status == 200


def test_long_work_does_not_keep_short_work_waiting() -> None:
    """Of two lanes one goes on while the other is busy, and in a lane requests take turns."""

    async def both() -> list[str]:
        short, long, held, order = Lane("short", 9), Lane("long", 9), Event(), list[str]()

        async def long_request(name: str) -> None:
            with long.place():
                for step in "ab":
                    await long.run(lambda: held.wait() and order.append(f"{name}{step}"))  # noqa: B023

        tasks = [asyncio.create_task(long_request(name)) for name in "12"]
        await asyncio.sleep(0)
        with short.place():
            await short.run(lambda: order.append("short"))
        held.set()
        await asyncio.gather(*tasks)
        return order

    assert asyncio.run(both()) == ["short", "1a", "2a", "1b", "2b"]


def test_a_lane_raises_what_the_work_raises_and_goes_on() -> None:
    async def work() -> int:
        lane = Lane("lane", 1)
        with lane.place():
            with pytest.raises(QueueFull), lane.place():
                pass
            with pytest.raises(ZeroDivisionError):
                await lane.run(lambda: 1 // 0)
            return await lane.run(lambda: 1)

    assert asyncio.run(work()) == 1


@pytest.mark.parametrize(("seconds", "let_in"), [(0.0001, 32), (0.002, 13), (0.1, ALWAYS)])
def test_as_many_may_wait_as_take_no_longer_than_the_longest_wait_but_a_few_always(seconds: float, let_in: int) -> None:
    """13 pieces of work of 2 ms take more than 25 ms: whoever is behind 12 of them is the last to come in."""
    now = 0.0

    def work(seconds: float) -> None:
        nonlocal now
        now += seconds

    async def admitted(lane: Lane) -> int:
        with ExitStack() as places:
            while not lane.is_full:
                places.enter_context(lane.place())
            with pytest.raises(QueueFull), lane.place():
                pass
            return lane.taken

    async def both() -> tuple[int, int]:
        lane = Lane("lane", 32, most_wait=0.025, clock=lambda: now)
        first = await admitted(lane)  # before anything is known of its speed
        # All at once: what one has waited for the others is not its own time.
        await asyncio.gather(*(lane.run(lambda: work(seconds)) for _ in range(200)))
        return first, await admitted(lane)

    assert asyncio.run(both()) == (32, let_in)


def test_a_lane_that_was_slow_lets_more_in_when_it_is_fast_again() -> None:
    now = 0.0

    def work(seconds: float) -> None:
        nonlocal now
        now += seconds

    async def slow_then_fast() -> tuple[bool, bool]:
        lane = Lane("lane", 32, most_wait=0.025, clock=lambda: now)
        with ExitStack() as places:
            for _ in range(ALWAYS):
                places.enter_context(lane.place())
            await lane.run(lambda: work(1.0))
            was_full = lane.is_full
            for _ in range(300):
                await lane.run(lambda: work(0.001))
            return was_full, lane.is_full

    assert asyncio.run(slow_then_fast()) == (True, False)


def test_work_that_nobody_waits_for_is_not_done() -> None:
    done: list[int] = []

    async def leave() -> None:
        lane, held = Lane("lane", 9), Event()
        first = asyncio.create_task(lane.run(held.wait))
        second = asyncio.create_task(lane.run(lambda: done.append(2)))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.sleep(0)
        held.set()
        await first
        await lane.run(lambda: done.append(3))

    asyncio.run(leave())
    assert done == [3]


@pytest.mark.parametrize(
    "fault",
    [BundleError("returns a logit that is not finite"), MemoryError(), Exception("of ONNX Runtime"), ValueError("x")],
)
def test_a_fault_in_scoring_is_a_503_that_shows_nothing_of_it(
    fault: Exception, trained: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    app = application(trained)

    def fail(*_: object) -> None:
        raise fault

    monkeypatch.setattr(Predictor, "run", fail)
    for path in ("/v1/predict", "/v1/explain"):
        found = ask(app, "POST", path, {"text": "secret words"})
        assert (found.status, found.headers["content-type"]) == (503, "application/problem+json")
        assert "Traceback" not in found.body.decode() and "logit" not in found.body.decode()
    assert "secret" not in capfd.readouterr().err


def test_a_fault_anywhere_else_is_a_503_too(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = application(trained)
    monkeypatch.setattr(Metered, "text", lambda self: 1 // 0)
    found = ask(app, "GET", "/metrics")
    assert (found.status, found.headers["content-type"]) == (503, "application/problem+json")


def test_nothing_is_explained_for_a_client_that_has_left(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import rnn_cli.serving.scoring as scoring

    explained: list[object] = []
    monkeypatch.setattr(scoring, "_explained", lambda *words: explained.append(words) or [])

    async def leave(app: Edge) -> None:
        came = iter(
            [
                {"type": "http.request", "body": b'{"texts": ["a", "b"]}', "more_body": False},
                {"type": "http.disconnect"},
            ]
        )

        async def receive() -> Any:
            return next(came, {"type": "http.disconnect"})

        async def send(_: Any) -> None: ...

        scope = {"type": "http", "method": "POST", "path": "/v1/explain", "query_string": b"", "root_path": ""}
        await app(scope | {"headers": [(b"host", b"localhost")], "state": {}}, receive, send)

    asyncio.run(leave(application(trained)))
    assert explained == []


def test_files_that_arrive_slowly_keep_only_files_out(trained: Path) -> None:
    app = application(trained, limits=Limits(queue=2, read_seconds=60))
    csv = {"content-type": "text/csv"}

    async def all_of() -> list[int]:
        slow = [asyncio.create_task(asked(app, "POST", "/v1/score", b"text\n", csv, ends=False)) for _ in range(2)]
        await asyncio.sleep(0.1)
        texts = {"text": "warm " * 3_900}  # long
        codes = [(await asked(app, "POST", f"/v1/{path}", texts)).status for path in ("predict", "explain")]
        codes.append((await asked(app, "POST", "/v1/score", b"text\nwarm\n", csv)).status)
        for each in slow:
            each.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        return [*codes, (await asked(app, "POST", "/v1/score", b"text\nwarm\n", csv)).status]

    assert asyncio.run(all_of()) == [200, 200, 429, 200]
