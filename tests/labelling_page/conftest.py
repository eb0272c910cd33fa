"""A sitting over the made sentences, asked as a page asks."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from rnn_cli.labelling_page.app import LabelPage
from tests.labelling.conftest import Begin, begin, texts_file
from tests.serving.asking import Answered, ask

__all__ = ["asking", "begin", "texts_file"]

_ids = itertools.count()


class Asking:
    """A page without a browser: it knows what it was answered last."""

    def __init__(self, page: LabelPage) -> None:
        self.page = page
        self.state: dict[str, Any] = {}
        self.look()

    def get(self, path: str) -> Any:
        return ask(self.page.app, "GET", path).json()

    def look(self) -> dict[str, Any]:
        self.state = self.get("/sitting/state")
        return self.state

    def request(self, do: str, **more: Any) -> dict[str, Any]:
        """What the page would send."""
        text = self.state["text"] or {}
        seen = {"row": text.get("row"), "chosen": text.get("chosen"), "changes": self.state["changes"]}
        return {"id": f"request-{next(_ids)}", "do": do, **seen, **more}

    def send(self, request: object) -> Answered:
        return ask(self.page.app, "POST", "/sitting/step", request)

    def step(self, do: str, **more: Any) -> dict[str, Any]:
        """Do a step that must go well; the state then."""
        answered = self.send(self.request(do, **more))
        assert answered.status == 200, answered.body
        self.state = answered.json()
        return self.state


@pytest.fixture
def asking(begin: Begin) -> Callable[..., Asking]:
    """Begins a sitting with a page for it, or another page of the same sitting."""

    def start(*labels: str, of: Asking | None = None, **how: Any) -> Asking:
        return Asking(LabelPage(begin(*labels, **how)) if of is None else of.page)

    return start
