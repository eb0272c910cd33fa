"""The index of very many texts: the same pool as without it, and none that does not fit the file."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from rnn_cli.config.schema import DataConfig
from rnn_cli.labelling.text_index import index_path
from rnn_cli.labelling.texts import TextPool, read_pool
from tests.labelling.conftest import made

CONFIG = DataConfig()


@pytest.fixture
def source(tmp_path: Path) -> str:
    texts = [text for text, _ in made(50)]
    rows = [*texts, texts[3].upper(), *(f"{text} indeed" for text in texts[:5]), "", "ein Stück\\n日本"]
    file = tmp_path / "texts.csv"
    file.write_text("text\n" + "".join(f'"{text}"\n' for text in rows))
    return str(file)


def alike(one: TextPool, other: TextPool) -> bool:
    return all(
        np.array_equal(list(getattr(one, each.name)), list(getattr(other, each.name)))
        for each in fields(TextPool)
        if each.name not in ("source", "near", "new_index", "fingerprint")
    ) and (one.near, one.fingerprint) == (other.near, other.fingerprint)


def test_a_pool_from_an_index_is_the_same(source: str) -> None:
    plain = read_pool(source, CONFIG)
    assert plain.new_index is None and not index_path(source).exists()
    first = read_pool(source, CONFIG, indexed=50)
    assert first.new_index == index_path(source) and alike(first, plain)
    again = read_pool(source, CONFIG, indexed=50)
    assert again.new_index is None and not isinstance(again.rows, list) and alike(again, plain)
    assert [again.rows[row] for row in range(len(again.rows))] == list(again.rows) == plain.rows
    assert again.rows[-2:] == plain.rows[-2:] and again.copies(3) == 2


def test_an_index_of_another_file_or_reading_is_made_anew(source: str) -> None:
    read_pool(source, CONFIG, indexed=50)
    assert read_pool(source, CONFIG, most=40, indexed=50).new_index is not None
    assert read_pool(source, DataConfig(encoding="latin-1"), indexed=50).new_index is not None
    with open(source, "a") as file:
        file.write("one more\n")
    changed = read_pool(source, CONFIG, indexed=50)
    assert changed.new_index is not None and changed.rows[-1] == "one more"


@pytest.mark.parametrize("content", [b"", b"ARROW1", b"nonsense"])
def test_a_damaged_index_is_made_anew(source: str, content: bytes) -> None:
    first = read_pool(source, CONFIG, indexed=50)
    whole = index_path(source).read_bytes()
    index_path(source).write_bytes(content or whole[: len(whole) // 2])
    again = read_pool(source, CONFIG, indexed=50)
    assert again.new_index is not None and alike(first, again)
    assert index_path(source).read_bytes() == whole


def test_without_room_for_an_index_it_goes_on(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pyarrow.OSFile", refuse)
    found = read_pool(source, CONFIG, indexed=50)
    assert found.new_index is None and len(found.pool) > 40 and not index_path(source).exists()
