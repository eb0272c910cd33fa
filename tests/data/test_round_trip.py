"""Whatever texts other libraries write, the readers give back: no row lost, merged or altered."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.data.conftest import read_rows

# All of Unicode but surrogates, which no file can hold, and NUL, which is refused.
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
# Random characters seldom meet what a reader might trip over, so that is mixed in.
PIECES = st.sampled_from(
    [
        '"',
        '""',
        ",",
        ";",
        "\t",
        "\n",
        "\r\n",
        "\r",
        "\\",
        "'",
        " ",
        "\ufeff",
        "\u2028",
        "\x85",
        "\x1c",
        "\x1a",
    ]
)
TEXTS = st.lists(PIECES | st.text(CHARACTERS, max_size=8), max_size=6).map("".join)
PAIRS = st.lists(st.tuples(TEXTS, TEXTS.filter(str.strip)), min_size=1, max_size=8)
SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl", "parquet"])
@pytest.mark.parametrize("suffix", ["", ".zst"])
@SHARED
@given(pairs=PAIRS, line_end=st.sampled_from(["\n", "\r\n", "\r"]))
@example(pairs=[("\ufefftext", "x")], line_end="\n")
@example(pairs=[("", "x"), ("", "x")], line_end="\r")
def test_rows_come_back(write, encode, compress, form, suffix, pairs, line_end):
    path = write(f"rows.{form}{suffix}", compress(suffix, encode(form, pairs, line_end)))
    rows = list(read_rows(path))
    assert [(row.text, row.label) for row in rows] == pairs
    assert [row.line for row in rows] == sorted({row.line for row in rows})


@SHARED
@given(
    content=st.binary(max_size=60) | st.text('ab",;\n\r\0é', max_size=40).map(str.encode),
    form=st.sampled_from(["csv", "jsonl", "tsv"]),
)
def test_whatever_the_bytes_there_is_an_answer_or_a_data_error(write, content, form):
    from rnn_cli.errors import DataError

    path = write(f"rows.{form}", b"text,label\n" + content)
    try:
        rows = list(read_rows(path))
    except DataError as error:
        assert error.where and "\n" not in str(error)
    else:
        assert rows and all(row.label for row in rows)
