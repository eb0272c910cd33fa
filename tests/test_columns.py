"""How the values of other columns become numbers."""

import math

import numpy as np
import pytest

from rnn_cli.columns import (
    MOST_CATEGORIES,
    CategoryColumn,
    ExtraColumns,
    NumberColumn,
    cell_number,
    kind_of_values,
    plain_cell,
)
from rnn_cli.errors import DataError


def test_numbers_are_standardized_as_the_training_rows_are():
    values = [4.0, 8.0, "6", " 2 ", np.float64(5)]
    column = NumberColumn.fit("price", values)
    numbers = np.array([4, 8, 6, 2, 5])
    assert column.encode(values)[:, 0] == pytest.approx((numbers - numbers.mean()) / numbers.std())
    assert column.width == 1, "no training row lacks one"
    assert column.encode([None, ""]).tolist() == [[0.0], [0.0]], "a missing number is the mean"


def test_an_outlier_moves_the_other_numbers_little_and_is_clipped():
    usual = list(range(100))
    plain, with_one = NumberColumn.fit("price", usual), NumberColumn.fit("price", [*usual, 1e12])
    ours, theirs = (each.encode(usual)[:, 0] for each in (plain, with_one))
    assert np.corrcoef(ours, theirs)[0, 1] == pytest.approx(1)
    assert theirs.std() > 0.8, "standardized by the outlier, all others would be nearly alike"
    far, further = with_one.encode([1e12, 1e20])[:, 0]
    assert far == further < 20


def test_a_rare_value_among_zeros_is_kept():
    column = NumberColumn.fit("sent before", [0] * 99 + [1])
    zero, one = column.encode([0, 1])[:, 0]
    assert one - zero > 1


def test_a_constant_number_is_nothing():
    column = NumberColumn.fit("price", [5, 5, 5])
    assert column.encode([5, 7]).tolist() == [[0.0], [0.0]]


def test_missing_numbers_have_a_place_where_training_rows_lack_some():
    column = NumberColumn.fit("price", ["1", "3", "", "n/a", float("nan"), None])
    assert column.missing and column.width == 2
    assert column.encode(["", "3", "NaN"]).tolist() == [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize("value", ["abc", "1_000", "inf", 1e31, "1,5", "ten"])
def test_what_is_no_number_is_refused_with_its_row(value: object):
    column = NumberColumn.fit("price", [1, 2])
    with pytest.raises(DataError) as caught:
        column.encode([1, value], lambda row: f"rows.csv:{row + 2}")
    assert caught.value.where == "rows.csv:3" and "no number" in caught.value.what


def test_categories_have_a_place_each_and_rare_unknown_and_missing_ones_their_own():
    column = CategoryColumn.fit("country", ["FR", " FR ", "DE", "DE", "XX", "", None])
    assert column.categories == ("DE", "FR") and column.other and column.missing
    assert column.encode(["DE", "FR", "XX", "never seen", None]).tolist() == [
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 1],
    ]


def test_where_no_place_can_have_learned_what_unknown_means_it_is_the_average():
    column = CategoryColumn.fit("country", ["FR", "FR", "FR", "DE", "DE", "DE", "DE", "DE"])
    assert column.encode(["never seen", None]).tolist() == [[0.625, 0.375]] * 2


def test_categories_keep_what_looks_like_a_missing_number():
    assert CategoryColumn.fit("country", ["NA", "NA", "none", "none"]).categories == ("NA", "none")


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ([None, ""], "no training row has a value"),
        ([f"name {row}" for row in range(30)], "as a name is"),
        ([f"name {row // 2}" for row in range(2 * MOST_CATEGORIES + 2)], "maximum is"),
    ],
)
def test_what_is_no_column_of_categories_is_refused_with_a_hint(values: list[object], what: str):
    with pytest.raises(DataError, match=what) as caught:
        CategoryColumn.fit("name", values)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", 2.5, "", None, "n/a", "-1e3"], "number"),
        (["1", "2", "three"], "category"),
        ([True, False], "category"),
        (["", None], "category"),
        (["1 000"], "category"),
    ],
)
def test_a_column_is_of_numbers_if_all_its_values_are(values: list[object], kind: str):
    assert kind_of_values(values) == kind


def test_a_kind_may_be_said():
    found = ExtraColumns.fit({"zip": "category", "price": "auto"}, {"zip": [1, 1, 2, 2], "price": [1, 2, 3, 4]})
    assert [each.kind for each in found.columns] == ["category", "number"]
    assert found.names == ("zip", "price") and found.width == 3
    assert found.encode({"zip": [1.0, "2"]}, 2)[:, :2].tolist() == [[1, 0], [0, 1]], "1.0 is 1, as in a file"


@pytest.mark.parametrize("value", [1, 1.0, "1", " 1", np.int64(1)])
def test_a_value_is_the_same_however_it_is_typed(value: object):
    assert plain_cell(value) == "1" and cell_number(value) == 1


def found() -> ExtraColumns:
    return ExtraColumns.fit(
        {"price": "auto", "country": "auto"}, {"price": [1, 2, None], "country": ["FR", "FR", "XX"]}
    )


def test_they_are_the_same_after_a_file():
    assert ExtraColumns.from_dict(found().to_dict()) == found()


@pytest.mark.parametrize(
    "damage",
    [
        {"scale": 0.0},
        {"scale": math.nan},
        {"mean": 1e300},
        {"mean": "1"},
        {"missing": 1},
        {"name": "country"},
        {"name": 3},
        {"kind": "text"},
        {"more": 1},
        {"low": 9.0, "high": 1.0},
    ],
)
def test_damaged_columns_are_refused(damage: dict[str, object]):
    content = found().to_dict()
    content["columns"][0] |= damage
    with pytest.raises((KeyError, TypeError, ValueError)):
        ExtraColumns.from_dict(content)


@pytest.mark.parametrize(
    "damage", [{"shares": [1.0]}, {"categories": ["FR", "FR"]}, {"categories": []}, {"other": False}]
)
def test_damaged_categories_are_refused(damage: dict[str, object]):
    content = found().to_dict()
    content["columns"][1] |= damage
    with pytest.raises((KeyError, TypeError, ValueError)):
        ExtraColumns.from_dict(content)
