"""A few hundred made sentences with two labels that words tell."""

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from rnn_cli.labelling.session import Session, begin_session

GOOD, BAD = ("warm", "funny", "lovely", "bright", "clever"), ("dull", "tedious", "clumsy", "grey", "hollow")
THINGS = ("film", "plot", "cast", "score", "ending", "scene", "book", "song", "play", "story", "tale", "show")


def made(count: int, seed: int = 1) -> list[tuple[str, str]]:
    """Different texts and their labels, good or bad."""
    chance = random.Random(seed)
    found: dict[str, str] = {}
    while len(found) < count:
        label, words = chance.choice([("good", GOOD), ("bad", BAD)])
        one, other = chance.sample(words, 2)
        thing, number = chance.sample(THINGS, 2), chance.randrange(10_000)
        found[f"{number} {one} {thing[0]} {number} {other} {thing[1]} {number}"] = label
    return list(found.items())


@pytest.fixture
def texts_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """200 texts in a file of the folder in which the test stands."""
    monkeypatch.chdir(tmp_path)
    rows = [f"{number},{text}\n" for number, (text, _) in enumerate(made(200))]
    (tmp_path / "texts.csv").write_text("id,text\n" + "".join(rows))
    return Path("texts.csv")


Begin = Callable[..., Session]


@pytest.fixture
def begin(texts_file: Path) -> Iterator[Begin]:
    """Begins a sitting over the file, without a base; one at a time."""
    with ExitStack() as held:

        def start(*labels: str, **how: Any) -> Session:
            held.close()
            return held.enter_context(begin_session(str(texts_file), labels, base=None, **how))

        yield start
