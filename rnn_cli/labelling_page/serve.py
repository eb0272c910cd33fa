"""Serves the page of a sitting to this machine until it ends."""

import os
import sys
import webbrowser
from collections.abc import Callable

from rnn_cli.labelling.session import Session
from rnn_cli.labelling_page.app import LabelPage
from rnn_cli.labelling_page.door import Door
from rnn_cli.serving.edge import Edge, log_to_stderr
from rnn_cli.serving.metrics import Metered
from rnn_cli.serving.server import serve_alone
from rnn_cli.serving.settings import ServerSettings

PAGE_PORT = 8765
"""The same each time if it is free, so that a page that is still open goes on after a restart."""

_SCREENS = {"DISPLAY", "WAYLAND_DISPLAY", "BROWSER"}
"""Without one of these variables only a browser in the terminal itself could open."""


def serve_sitting(
    session: Session,
    out: str | None,
    port: int | None,
    say_where: Callable[[str], None],
    is_over: Callable[[], bool] = lambda: False,
) -> None:
    """Serve until a browser ends the sitting, a signal does, or it `is_over`.

    `say_where` gets the address, which opens in one browser; `port` None is the usual one, or any if that is taken.
    Raises `UsageError` if it cannot listen, and what has stopped the sitting.
    """
    page = LabelPage(session, out)
    door = Door(page.app)
    settings = _settings(PAGE_PORT if port is None else port)
    log_to_stderr(settings)

    def listening(found: ServerSettings) -> None:
        say_where(f"{found.url}/?key={door.key}")

    edge = guarded(door, settings.port)
    serve_alone(settings, edge, listening, is_over=lambda: page.is_over or is_over(), any_port=port is None)
    if page.failure is not None:
        raise page.failure


def guarded(door: Door, port: int) -> Edge:
    """The door as the server has it: no other host, no page of another site."""
    return Edge(door, _settings(port), (), Metered(), dict.fromkeys(("host", "origin"), "open it as localhost"))


def _settings(port: int) -> ServerSettings:
    return ServerSettings(port=port, is_quiet=True, drain_seconds=2)


def open_browser(address: str) -> bool:
    """Open an address in the user's browser; False where there is no screen for one."""
    has_screen = sys.platform in ("darwin", "win32") or bool(_SCREENS & set(os.environ))
    try:
        return has_screen and webbrowser.open(address)
    except webbrowser.Error:
        return False
