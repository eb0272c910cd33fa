"""Numbers and dates are shown as spreadsheets show them, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_cli.data.reading.number_formats import NumberFormat, format_of_code, general

NOON = 45_322.5  # 2024-01-31 12:00, a Wednesday


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (1.0, "1"),
        (-2.5, "-2.5"),
        (0.1 + 0.2, "0.3"),
        (1 / 3, "0.333333333333333"),
        (123_456_789_012.0, "123456789012"),
        (1e20, "100000000000000000000"),
        (1e21, "1E+21"),
        (0.0001, "0.0001"),
        (0.00001, "1E-05"),
        (-0.0, "0"),
    ],
)
def test_numbers_without_a_format(number: float, shown: str) -> None:
    assert general(number) == format_of_code("General").show(number) == shown


@pytest.mark.parametrize(
    ("code", "number", "shown"),
    [
        ("0", 2.5, "3"),  # half up, as people round
        ("0.00", 2.675, "2.68"),  # by the 15 digits, not by the binary number, which is a little less
        ("0.00", -1, "-1.00"),
        ("#,##0", 1_234_567, "1,234,567"),
        ("#,##0.00", -1234.5, "-1,234.50"),
        ("#,##0.###", 1234.5, "1,234.5"),
        ("0%", 0.256, "26%"),
        ("0.0%", 0.2567, "25.7%"),
        ("000", 7, "007"),
        ("00000-0000", 123_456_789, "12345-6789"),
        ("(000) 000-0000", 5_551_234_567, "(555) 123-4567"),
        ("#,##0,", 1_234_567, "1,235"),
        ('0.0,,"M"', 12_345_678, "12.3M"),
        ("0.00E+00", 12_345, "1.23E+04"),
        ("0.00E+00", 0.000123, "1.23E-04"),
        ('"$"#,##0.00_);[Red]("$"#,##0.00)', -5.5, "($5.50)"),
        ('_-* #,##0.00\\ "€"_-;\\-* #,##0.00\\ "€"_-', -1234.5, "-1,234.50 €"),
        ('_(* #,##0.00_);_(* \\(#,##0.00\\);_(* "-"??_);_(@_)', 0, "-"),
        ("[$€-407] #,##0.00", 3, "€ 3.00"),
        ("#.##", 0.5, ".5"),
        (".00", 1.5, "1.50"),
        ('General" kg"', 3.5, "3.5 kg"),
        ("@", 5, "5"),
        ("yyyy-mm-dd", NOON, "2024-01-31"),
        ("yyyy-mm-dd h:mm:ss", 45_322.4305555556, "2024-01-31 10:20:00"),
        ("dd.mm.yyyy", NOON, "31.01.2024"),
        ("[$-409]d-mmm-yy;@", NOON, "31-Jan-24"),
        ("dddd, mmmm d, yyyy", NOON, "Wednesday, January 31, 2024"),
        ("mmmmm yy", NOON, "J 24"),
        ("h:mm AM/PM", NOON, "12:00 PM"),
        ("h:mm a/p", 0.25, "6:00 A"),
        ("[h]:mm:ss", 1.5, "36:00:00"),
        ("[mm]:ss", 0.5, "720:00"),
        ("mm:ss.0", 0.0001, "00:08.6"),
        ("m/d/yy h:mm", NOON, "1/31/24 12:00"),
        ("[$-407]dd/mm/yyyy", NOON, "31/01/2024"),  # digits are the same in German
        ("yyyy-mm-dd", 59, "1900-02-28"),
        ("yyyy-mm-dd", 61, "1900-03-01"),
    ],
)
def test_numbers_with_a_format(code: str, number: float, shown: str) -> None:
    assert format_of_code(code).show(number) == shown


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("# ?/?", 0.5),  # a fraction
        ("##0.0E+0", 12_345),  # an exponent in threes
        ("[>100]0;0.0", 5),  # a condition
        ("[$-F800]dddd, mmmm dd, yyyy", NOON),  # the computer's own way
        ("[$-407]d. mmmm yyyy", NOON),  # German names of months
        ("[$-1010409]yyyy", NOON),  # other digits or another calendar
        ("yyyy-mm-dd", -1),
        ("yyyy-mm-dd", 60),  # which never was
        ("yyyy-mm-dd", 0.5),  # no day
        ("yyyy-mm-dd", 2_958_466),  # the year 10000
        ("bbbb", NOON),  # the Buddhist calendar
        ('"hidden"', 1),
        (";;;", 1),  # shows nothing
        ("#", 0),
        ("0;0;0;0;0", 1),
        ("0 USD", 1),
        ("0" * 2_000, 1),
        ("0." + "0" * 500, 1e300),
        ("0" + "%" * 900, 1),
        ("", 1),
    ],
)
def test_what_is_not_understood_is_not_shown(code: str, number: float) -> None:
    assert format_of_code(code).show(number) is None


def test_a_date_that_cannot_be_shown_is_one_in_iso_8601() -> None:
    german = format_of_code("[$-407]d. mmmm yyyy")
    assert (german.plain(45_322), german.plain(NOON), german.plain(0.75)) == (
        "2024-01-31",
        "2024-01-31T12:00:00",
        "18:00:00",
    )
    assert format_of_code("# ?/?").plain(0.5) == "0.5"
    assert german.plain(-1) == "-1"


def test_days_may_count_from_1904() -> None:
    assert format_of_code("yyyy-mm-dd", is_1904=True).show(0) == "1904-01-01"
    assert format_of_code("yyyy-mm-dd", is_1904=True).show(45_322 - 1_462) == "2024-01-31"


def test_what_each_computer_shows_in_its_own_way_is_not_shown() -> None:
    form = format_of_code("mm-dd-yy", is_system=True)
    assert (form.show(NOON), form.is_system, form.plain(45_322)) == (None, True, "2024-01-31")


@given(code=st.text('0#?.,%;@"\\[]_*E+-/ymdhsAMPGeneral$€ ', max_size=12) | st.text(max_size=8), number=st.floats())
def test_whatever_the_code_there_is_an_answer(code: str, number: float) -> None:
    form = format_of_code(code)
    assert isinstance(form, NumberFormat)
    if number == number and abs(number) != float("inf"):
        shown = form.show(number)
        assert shown is None or shown
        assert form.plain(number)


@given(number=st.floats(min_value=-1e9, max_value=1e9), decimals=st.integers(0, 6))
def test_a_rounded_number_is_near(number: float, decimals: int) -> None:
    shown = format_of_code("#,##0" + ("." + "0" * decimals if decimals else "")).show(number)
    assert shown is not None
    assert abs(float(shown.replace(",", "")) - number) <= 0.5000001 * 10**-decimals + abs(number) * 1e-14
