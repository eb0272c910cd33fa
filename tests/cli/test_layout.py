from pathlib import Path

import pytest

from rnn_cli.cli import layout
from rnn_cli.cli.layout import cut_to, show_table, table
from rnn_cli.cli.show_predictions import Writer
from rnn_cli.scoring.prediction import Prediction
from rnn_cli.text.plain import one_line

LABELS = ["[red]", "a\x1b[2Jb", "two\nlines\tone tab", "長い名前" * 20, "👩‍👩‍👧 family", "\u202ereversed", "plain"]


def test_nothing_moves_the_cursor() -> None:
    assert one_line("a\x1b[2Jb\r\nc\x85d\u2028e\x07\u202e") == "a\ufffd[2Jb c d e\ufffd\ufffd"


def test_markup_is_text() -> None:
    assert one_line("[red]x[/red] :smile:") == "[red]x[/red] :smile:"


def test_a_wide_character_takes_two_columns() -> None:
    assert cut_to("長い名前です", 12) == "長い名前です"
    assert cut_to("長い名前です", 11) == "長い名前で…"
    assert cut_to("長い名前です", 10) == "長い名前…"


def test_columns_stand_below_each_other_whatever_the_labels() -> None:
    from rich.cells import cell_len

    head, rule, *rows = table(("label", "rows", "F1"), [(label, "12", "0.5") for label in LABELS])
    assert len(rows) == len(LABELS)
    assert {cell_len(line) for line in (head, rule, *rows)} == {cell_len(rule)}
    assert all(line == line.rstrip() and line.isprintable() for line in (head, rule))
    assert all(line.endswith("    12  0.5") for line in rows)


def test_cells_that_are_empty_leave_no_spaces_behind() -> None:
    assert table(("a", "b"), [("x", "")], names=2) == ["a  b", "────", "x"]


def test_answers_show_labels_that_can_be_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    labels = [f"politics and society in all its parts: {where}" for where in ("north", "south")]
    writer = Writer("human", labels, proba=True)
    writer.write(["a", "b"], [Prediction(label, 0.6, (0.6, 0.4), False) for label in labels])
    one, two = (line.split("  60.0%")[0] for line in capsys.readouterr().out.splitlines())
    assert one != two


def test_a_row_of_few_cells_runs_on_to_the_terminal_s_end(monkeypatch: pytest.MonkeyPatch) -> None:
    long = "damaged: " + "no end " * 20
    rows = [("quick-1", "imdb", "20,000", "91.2%"), ("quick-2", long)]
    monkeypatch.setattr(layout, "terminal_width", lambda: None)
    assert table(("run", "data", "rows", "accuracy"), rows)[2:] == [
        "quick-1  imdb  20,000     91.2%",
        f"quick-2  {long}".rstrip(),
    ]
    monkeypatch.setattr(layout, "terminal_width", lambda: 40)
    head, rule, whole, cut = table(("run", "data", "rows", "accuracy"), rows)
    assert len(head) == len(rule) == len(whole) == 31 and len(cut) <= 40 and cut.endswith("…")


def test_groups_stand_above_the_columns_they_are_of_however_long_their_names() -> None:
    lines = table(("", "a", "b", "c"), [("x", "1", "2", "3")], groups=[("", 1), ("both", 2), ("a long one", 1)])
    assert lines == ["   both  a long one", "   a  b           c", "─" * 19, "x  1  2           3"]


@pytest.mark.parametrize(("columns", "chosen"), [(None, "wide"), (80, "wide"), (6, "narrow"), (3, "narrow")])
def test_the_widest_table_that_fits_is_shown(
    columns: int | None, chosen: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "terminal_width", lambda: columns)
    wide, narrow = table(("wide", "b"), [("x", "1")]), table(("narrow",), [("x",)])
    assert show_table(wide, narrow) == (chosen == "wide")
    assert capsys.readouterr().out.splitlines() == (wide if chosen == "wide" else narrow)


def test_all_tables_are_drawn_in_one_place() -> None:
    others = [file.name for file in Path(layout.__file__).parent.glob("*.py") if file.name != "layout.py"]
    drawn = {name for name in others if "─" * 2 in (Path(layout.__file__).parent / name).read_text(encoding="utf-8")}
    assert not drawn
