"""Lines above the header of a CSV file, and below its rows: they are named, with the command that removes them."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rnn_cli.errors import DataError
from tests.data.conftest import read_rows

Write = Callable[[str, bytes | str], str]

ABOVE = "Umsätze;Datei vom 03.11.2026\r\n\r\nIBAN;DE12\r\nZeitraum;Januar\r\nSaldo;1.234,56;EUR\r\n\r\n"
ROWS = "Tag;Zweck;Betrag;Kategorie\r\n" + '01.01.;"Brot; Käse";-3,10;Essen\r\n02.01.;Miete;-500,00;Wohnen\r\n' * 4
BELOW = '\r\n"Alter Stand";"1,00 EUR"\r\n'
COLUMNS = {"text_column": "Zweck", "label_column": "Kategorie"}


def refusal(path: str, **how: object) -> str:
    with pytest.raises(DataError) as caught:
        list(read_rows(path, **how))
    return str(caught.value).removeprefix(path)


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
@pytest.mark.parametrize("how", [{}, COLUMNS, {"delimiter": ";"}])
def test_a_banks_export_is_read_after_its_own_way_out(write: Write, encoding: str, how: dict[str, str]) -> None:
    path = write("a bank's.csv", (ABOVE + ROWS + BELOW).encode(encoding))
    told = refusal(path, **how)
    assert told.startswith(
        ":1: lines 1 to 6 stand above the header, which is in line 7, and lines 16 to 17 stand below"
    )
    subprocess.run(told.partition("remove them: ")[2], shell=True, check=True)
    rows = list(read_rows(str(Path(path).with_name("a bank's-rows.csv")), encoding=encoding, **COLUMNS))
    assert [(row.text, row.label) for row in rows] == [("Brot; Käse", "Essen"), ("Miete", "Wohnen")] * 4


def test_a_title_above_the_header(write: Write) -> None:
    path = write("f.csv", "Survey of October\n\nDay,Remark,Team\n" + "1,Fine soup,a\n2,Cold soup,b\n" * 3)
    assert refusal(path).startswith(
        ":1: lines 1 to 2 stand above the header, which is in line 3; remove them: sed 1,2d "
    )


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_no_command_for_lines_that_are_none_to_sed(write: Write, encoding: str) -> None:
    assert refusal(write("f.csv", (ABOVE + ROWS).encode(encoding))).endswith("; remove them")


@pytest.mark.parametrize(
    "content",
    [
        "text,label\n" + "Noisy, and cold,bad\nWarm, and quiet,good\n" * 3,  # a header above unquoted texts
        "remark,team\n" + "1,Noisy,bad\n2,Warm,good\n" * 3,  # row names without a name, as R writes them
        "Remark\n" + "Noisy, cold\nWarm, quiet\nFar, near\n" * 2,
        "sep=;\nRemark;Team;Day\n" + "Noisy;a;x\nWarm;b;y\n" * 3,
    ],
)
def test_other_faults_keep_their_words(write: Write, content: str) -> None:
    assert "above the header" not in refusal(write("f.csv", content))
