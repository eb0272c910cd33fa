"""Signals held back: which waits, which acts at once, who hears them afterwards."""

import signal
import threading
from collections.abc import Iterator

import pytest

from rnn_cli.errors import RunFailed
from rnn_cli.training.checkpointing import HELD_SIGNALS, HeldSignals

NUMBERS = [getattr(signal, name) for name in HELD_SIGNALS]


class Heard(BaseException):
    """What the handlers of these tests raise."""


@pytest.fixture(autouse=True)
def handlers() -> Iterator[list[int]]:
    """Numbers of the signals that acted; what was set before the test is put back."""
    acted: list[int] = []

    def act(number: int, frame: object) -> None:
        acted.append(number)
        raise Heard

    before = {number: signal.signal(number, act) for number in NUMBERS}
    yield acted
    for number, handler in before.items():
        signal.signal(number, handler)


def own() -> list[object]:
    return [signal.getsignal(number) for number in NUMBERS]


@pytest.mark.parametrize("number", NUMBERS)
def test_the_first_is_held_until_it_is_delivered(number: signal.Signals, handlers: list[int]) -> None:
    before = own()
    with pytest.raises(Heard), HeldSignals() as signals:
        signals.deliver()  # nothing waits
        signal.raise_signal(number)
        assert (signals.waiting, handlers) == (number, [])
        signals.deliver()
    assert handlers == [number]
    assert own() == before


@pytest.mark.parametrize("second", NUMBERS)
def test_a_second_of_any_kind_acts_at_once(second: signal.Signals, handlers: list[int]) -> None:
    with pytest.raises(Heard), HeldSignals():
        signal.raise_signal(signal.SIGINT)
        assert handlers == []
        signal.raise_signal(second)
        pytest.fail("it was held")
    assert handlers == [second]


def test_one_that_nobody_asks_for_acts_at_the_end(handlers: list[int]) -> None:
    before = own()
    with pytest.raises(Heard), HeldSignals():
        signal.raise_signal(signal.SIGTERM)
    assert handlers == [signal.SIGTERM]
    assert own() == before


def test_without_a_signal_nothing_is_left(handlers: list[int]) -> None:
    before = own()
    with HeldSignals() as signals:
        assert own() != before
    assert (own(), signals.waiting, handlers) == (before, None, [])


@pytest.mark.parametrize("sent", [False, True])
def test_what_goes_wrong_in_the_block_passes(sent: bool, handlers: list[int]) -> None:
    before = own()
    with pytest.raises(RunFailed), HeldSignals():
        if sent:
            signal.raise_signal(signal.SIGINT)
        raise RunFailed("the loss is nan")
    assert (own(), handlers) == (before, [])


def test_what_nohup_ignores_stays_ignored(handlers: list[int]) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with HeldSignals() as signals:
        signal.raise_signal(signal.SIGHUP)
        assert signals.waiting is None
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    assert (signal.getsignal(signal.SIGHUP), handlers) == (signal.SIG_IGN, [])


def test_a_handler_that_returns_lets_the_run_go_on(handlers: list[int]) -> None:
    signal.signal(signal.SIGINT, lambda number, frame: handlers.append(number))
    with HeldSignals() as signals:
        signal.raise_signal(signal.SIGINT)
        signals.deliver()
        assert (handlers, signals.waiting) == ([signal.SIGINT], None)


def test_outside_the_main_thread_nothing_is_held() -> None:
    before = own()
    inside: list[list[object]] = []

    def work() -> None:
        with HeldSignals():
            inside.append(own())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert inside == [before]


def test_one_that_comes_while_the_handlers_are_put_back_is_not_lost(
    handlers: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, set_handler = own(), signal.signal

    def interrupted(number: int, handler: object) -> object:
        monkeypatch.setattr(signal, "signal", set_handler)
        signals._hold(signal.SIGTERM, None)
        return set_handler(number, handler)  # type: ignore[arg-type]

    with pytest.raises(Heard), HeldSignals() as signals:
        monkeypatch.setattr(signal, "signal", interrupted)
    assert (own(), handlers) == (before, [signal.SIGTERM])
