"""Rows that stay on one side of a split: near copies, a group's rows, and the order of time."""

import pandas
import pytest

from rnn_cli.config.schema import DataConfig
from rnn_cli.data.source import from_memory
from rnn_cli.data.splits import load_splits, newest_first, stratify
from rnn_cli.data.together import parsed_time, units_of
from rnn_cli.errors import DataError

WORDS = [f"w{n}" for n in range(400)]


def text(row: int) -> str:
    return " ".join(WORDS[(row * 37 + place * (row + 3)) % 400] for place in range(12))


def table(rows: int = 120) -> pandas.DataFrame:
    return pandas.DataFrame(
        {
            "text": [text(row) for row in range(rows)],
            "label": ["no", "yes"] * (rows // 2),
            "customer": [f"c{row % 40}" for row in range(rows)],
            "date": [f"2025-{1 + row // 28:02}-{1 + row % 28:02}" for row in range(rows)],
        }
    )


def split(rows: pandas.DataFrame, **keys: object) -> list[list[int]]:
    """The rows of training, validation and test."""
    config = DataConfig(source="(memory)", **keys)
    found = load_splits(config, from_memory(rows, config))
    return [[line - 1 for line in side.lines] for side in (found.train, found.validation, found.test)]


def test_near_copies_are_on_one_side_and_counted() -> None:
    rows = table()
    rows["text"] = [text(row // 4) + ("!" * (row % 2)) + (" indeed" if row % 4 > 1 else "") for row in range(120)]
    config = DataConfig(source="(memory)")
    found = load_splits(config, from_memory(rows, config))
    assert any("90 of 120 rows nearly repeat an earlier text (kept on one side)" in each for each in found.warnings)
    for unit in range(30):
        own = {4 * unit + place for place in range(4)}
        assert sum(bool(own & set(side)) for side in split(rows)) == 1
    before = load_splits(config, from_memory(rows, config), near=False)
    assert found.near and not before.near and before.test.lines != found.test.lines


def test_without_copies_the_split_is_that_of_earlier_releases() -> None:
    rows = table()
    texts, labels = list(rows["text"]), list(rows["label"])
    assert split(rows) == [sorted(side) for side in reversed(stratify(texts, labels, [0.1, 0.1], 1))]
    config = DataConfig(source="(memory)")
    assert load_splits(config, from_memory(rows, config)).warnings == ()


def test_a_groups_rows_are_on_one_side() -> None:
    sides = split(table(), group_column="customer")
    assert sorted(sum(sides, [])) == list(range(120)) and all(sides)
    customers = [{row % 40 for row in side} for side in sides]
    assert not (customers[0] & customers[1] or customers[0] & customers[2] or customers[1] & customers[2])


def test_the_newest_rows_are_the_test_rows() -> None:
    rows = table().sample(frac=1, random_state=1)
    dates = list(rows["date"])
    train, validation, test = ([dates[row] for row in side] for side in split(rows, time_column="date"))
    assert len(test) == len(validation) == 12
    assert max(train) <= min(validation) <= max(validation) <= min(test)


def test_with_both_a_group_is_as_old_as_its_oldest_row() -> None:
    sides = newest_first(list("abcdef"), [1, 2, 3, 4, 5, 6], [1 / 3], 1, units_of(list("abcdef"), list("xyzyxw")).rows)
    assert sides == [[2, 5], [0, 1, 3, 4]]


def test_missing_values_are_no_group() -> None:
    assert units_of(list("abcd"), ["x", None, "x", " "]).rows == [[0, 2], [1], [3]]


def test_what_two_units_have_in_common_is_one_unit() -> None:
    near = ["the ferry to the island leaves at nine every morning from pier four", "a b c"]
    texts = ["x", near[0], near[0] + "!", "x", near[1]]
    assert units_of(texts, near=False).rows == [[0, 3], [1], [2], [4]]
    found = units_of(texts)
    assert (found.rows, found.near) == ([[0, 3], [1, 2], [4]], [[1, 2]])
    assert units_of(texts, ["a", "a", "b", "c", "d"]).rows == [[0, 1, 2, 3], [4]]


@pytest.mark.parametrize(
    ("value", "same"),
    [
        ("2025-12-31", "31.12.2025"),
        ("2025-12-31T08:30:00Z", "2025-12-31T09:30:00+01:00"),
        ("2025-12-31 08:30", "31.12.2025 08:30"),
        ("20251231", "2025-12-31"),
    ],
)
def test_times_of_several_forms(value: str, same: str) -> None:
    assert parsed_time(value) == parsed_time(same) is not None


def test_numbers_are_times_and_words_are_not() -> None:
    assert parsed_time("1735600000") == 1735600000 and parsed_time("12.5") == 12.5
    assert parsed_time("yesterday") is parsed_time("") is parsed_time("31.31.2025") is None


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        ({"group_column": "customr"}, "no column 'customr'"),
        ({"time_column": "dat"}, "no column 'dat'"),
        ({"time_column": "customer"}, r"\(memory\):1: 'c0' is not a date in the column 'customer'; write dates as"),
        ({"group_column": "shop"}, "2 groups by the column 'shop' are too few for 3 sides"),
        ({"group_column": "label"}, "2 groups by the column 'label' are too few"),
        ({"group_column": "town"}, "no group of the column 'town' is small enough for a test share of 0.1"),
    ],
)
def test_what_cannot_be_followed_is_said(keys: dict[str, str], what: str) -> None:
    rows = table()
    rows["shop"] = ["a", "b"] * 60
    rows["town"] = [str(row % 4) for row in range(120)]
    with pytest.raises(DataError, match=what):
        split(rows, **keys)


def test_a_file_is_split_by_its_columns_and_known_by_their_values(tmp_path) -> None:  # type: ignore[no-untyped-def]
    rows, path = table(), tmp_path / "rows.csv"
    rows.to_csv(path, index=False)
    config = DataConfig(source=str(path), group_column="customer")
    found = load_splits(config)
    assert [[line - 2 for line in side.lines] for side in (found.train, found.validation, found.test)] == split(
        rows, group_column="customer"
    )
    rows["customer"] = rows["customer"].to_numpy()[::-1]
    rows.to_csv(path, index=False)
    assert load_splits(config).fingerprint != found.fingerprint
    rows.loc[7, "date"] = "someday"
    rows.to_csv(path, index=False)
    with pytest.raises(DataError, match=f"{path}:9: 'someday' is not a date"):
        load_splits(DataConfig(source=str(path), time_column="date"))
