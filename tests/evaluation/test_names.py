import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from rnn_cli.cli.layout import cut_to, table
from rnn_cli.text.plain import apart

LONG = "politics and society, europe, "


def shown(*names: str, most: int = 28) -> list[str]:
    return list(apart(names, most, cut_to).values())


def test_names_that_differ_where_they_are_cut_are_cut_in_their_middle() -> None:
    assert shown(LONG + "north", LONG + "south") == ["politics and…europe, north", "politics and…europe, south"]
    assert shown("plain", LONG + "north")[0] == "plain"


def test_names_of_other_spaces_or_unseen_marks_are_written_out() -> None:
    assert shown("good", "good ", "bad") == ["'good'", "'good '", "bad"]
    assert shown("caf\u00e9", "cafe\u0301") == ["'caf\\xe9'", "'cafe\\u0301'"]
    assert shown("a\u200bb", "ab", "a\x1bb") == ["'a\\u200bb'", "'ab'", "a\ufffdb"]


def test_what_nothing_tells_apart_is_numbered() -> None:
    names = [LONG + middle + LONG for middle in "abc"]
    assert [name[-4:] for name in shown(*names)] == [" (1)", " (2)", " (3)"]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.text(st.sampled_from("ab (1)'\u200b\u0301\u00e9\u9577\t"), max_size=40), unique=True),
    st.sampled_from([8, 16, 28]),
)
def test_no_two_are_alike_and_none_is_too_wide(names: list[str], most: int) -> None:
    forms = apart(names, most, cut_to)
    assert list(forms) == names
    assert len(set(forms.values())) == len(names)
    assert all(cell_len(form) <= most for form in forms.values())


@pytest.mark.parametrize("first", [10**39, 10**25])
def test_rows_of_a_table_can_be_told_apart(first: int) -> None:
    lines = table(("label", "F1"), [(str(first + place), "0.5") for place in range(3)])
    assert len(set(lines[2:])) == 3


def test_a_label_has_one_form_in_a_tables_head_and_rows() -> None:
    labels = [LONG + "north", LONG + "south"]
    head, _, *rows = table(("true \\ predicted", *labels), [(label, "1", "2") for label in labels])
    assert all(row.split("  ")[0] in head for row in rows)
