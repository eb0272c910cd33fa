"""Whatever tables other libraries write, they come back with answers: no row lost, merged or altered."""

from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rnn_cli.batch import windows
from rnn_cli.scoring import pool

from .conftest import read_table, write_table

# All of Unicode but surrogates, which no file can hold, and NUL, which is refused.
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
PIECES = st.sampled_from('" "" , ; \t \n \r\n \r \\ \' \x20 \ufeff \u2028 \x85 \x1c \x1a = 1.0 null NA'.split(" "))
CELLS = st.lists(PIECES | st.text(CHARACTERS, max_size=6), max_size=5).map("".join)
NAMES = CELLS.filter(lambda name: name not in ("", "text", "label", "probability", "no_known_words"))
SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    """Columns, one of them `text`, and rows."""
    others = draw(st.lists(NAMES, max_size=3, unique=True))
    # At the beginning of a file U+FEFF is a mark, and no part of a name.
    names = draw(st.permutations(["text", *others]).filter(lambda names: not names[0].startswith("\ufeff")))
    row = st.lists(CELLS, min_size=len(names), max_size=len(names))
    return names, draw(st.lists(row, min_size=1, max_size=9))


@pytest.mark.parametrize("asked", ["csv", "tsv.gz", "jsonl.zst", "parquet"])
@pytest.mark.parametrize("given_as", ["csv", "jsonl", "parquet"])
@SHARED
@given(table=tables(), line_end=st.sampled_from(["\n", "\r\n", "\r"]), rows=st.integers(1, 5))
@example(table=(["text"], [[""], [""]]), line_end="\n", rows=1)
@example(table=(["text", "a"], [["", "\r"], ["\r\n", ""]]), line_end="\r", rows=1)
def test_tables_come_back(
    score: Any,
    monkeypatch: pytest.MonkeyPatch,
    asked: str,
    given_as: str,
    table: tuple[list[str], list[list[str]]],
    line_end: str,
    rows: int,
) -> None:
    monkeypatch.setattr(pool, "CAN_FORK", False)  # a thousand jobs are done sooner than as many workers are started
    monkeypatch.setattr(windows, "BLOCK_ROWS", rows)
    columns, cells = table
    done = score(
        write_table(f"in.{given_as}", columns, cells, line_end), f"out.{asked}", force=True, how={"text_column": "text"}
    )
    found, found_rows = read_table(f"out.{asked}")
    assert found[: len(columns)] == columns
    assert [row[: len(columns)] for row in found_rows] == cells
    assert done.counts.rows == len(cells)
