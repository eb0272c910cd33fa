"""Labels that are numbers: which forms are read, what is refused with its row and a way out, and how they are dealt."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_cli.config.load import load_config
from rnn_cli.config.schema import DataConfig
from rnn_cli.data.numbers import Standard, groups_of, number_in, numbers_of
from rnn_cli.data.source import from_memory, load_rows
from rnn_cli.data.splits import load_splits
from rnn_cli.errors import ConfigError, DataError
from tests.conftest import numbered_rows


def write(file: Path, numbers: list[str]) -> str:
    with file.open("w", newline="") as stream:
        csv.writer(stream).writerows([("text", "price"), *((f"text {row}", each) for row, each in enumerate(numbers))])
    return str(file)


def config(source: str, **more: object) -> DataConfig:
    return DataConfig(source=source, label_column="price", labels="number", **more)


@pytest.mark.parametrize(
    ("text", "number"),
    [("12", 12), ("-3.50", -3.5), ("+.5", 0.5), ("5.", 5), ("1e3", 1000), ("2.5E-2", 0.025), ("007", 7), ("-0", 0)],
)
def test_numbers_as_programs_write_them_are_read(text: str, number: float):
    assert number_in(text) == number


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1,234", "without thousands separators"),
        ("1.234.567", "without thousands separators"),
        ("12 000", "without thousands separators"),
        ("3,5", "write a point for the comma: 3.5"),
        (" 5", "remove the space around it"),
        ("nan", "leave out rows whose number is not known"),
        ("-inf", "leave out rows whose number is not known"),
        ("N/A", "leave out rows whose number is not known"),
        ("1e16", "numbers go up to 1e15"),
        ("$5", "write the number alone"),
        ("5%", "write the number alone"),
        ("0x10", "write the number alone"),
        ("٣", "write the number alone"),
        ("five", "write the number alone"),
    ],
)
def test_everything_else_is_refused_with_its_row(text: str, hint: str, tmp_path: Path):
    assert number_in(text) is None
    source = write(tmp_path / "a.csv", ["1", text])
    with pytest.raises(DataError, match="is no number") as caught:
        load_rows(source, config(source))
    assert caught.value.where == f"{source}:3" and hint in str(caught.value.hint)


def test_a_missing_number_is_refused(tmp_path: Path):
    source = write(tmp_path / "a.csv", ["1", ""])
    with pytest.raises(DataError, match="no label"):
        load_rows(source, config(source))


@given(st.floats(-1e15, 1e15))
def test_every_number_that_python_writes_is_read_again(number: float):
    assert number_in(repr(number)) == number


def test_numbers_of_every_format_and_of_memory_are_alike(tmp_path: Path):
    numbers, texts = [1.5, 2.0, -7.25], ["a", "b", "c"]
    table = pd.DataFrame({"text": texts, "price": numbers})
    table.to_csv(tmp_path / "a.csv", index=False)
    table.to_parquet(tmp_path / "a.parquet")
    table.to_json(tmp_path / "a.jsonl", orient="records", lines=True)
    for name in ("a.csv", "a.parquet", "a.jsonl"):
        assert numbers_of(load_rows(str(tmp_path / name), config("x"))).tolist() == numbers
    assert numbers_of(from_memory(table, config("x"))).tolist() == numbers
    assert numbers_of(from_memory((texts, np.array(numbers)), config("x"))).tolist() == numbers
    with pytest.raises(DataError, match="is no number"):
        from_memory((texts, ["1", "2", "two"]), config("x"))


def test_each_side_of_a_split_has_low_and_high_numbers(tmp_path: Path):
    numbers = [f"{number:.3f}" for number in np.random.default_rng(1).lognormal(3, 1, 2_000)]
    source = write(tmp_path / "a.csv", numbers)
    splits = load_splits(config(source, validation=0.1, test=0.1))
    train, *others = (numbers_of(side) for side in (splits.train, splits.validation, splits.test))
    for side in others:
        assert 190 <= len(side) <= 200
        for share in (0.1, 0.5, 0.9):
            assert abs((side <= np.quantile(train, share)).mean() - share) < 0.025


def test_a_few_rows_are_one_group_and_equal_numbers_share_theirs():
    assert set(groups_of(np.arange(15.0))) == {"group 0"}
    found = groups_of(np.repeat([1.0, 2.0, 3.0], 100))
    assert len(set(found)) == 3 and len(set(found[:100])) == 1


def test_standardised_numbers_have_mean_0_and_deviation_1():
    numbers = np.array([float(number) for _, number in numbered_rows(50)])
    found = Standard.of(numbers).standardised(numbers)
    assert found.mean() == pytest.approx(0, abs=1e-12) and found.std() == pytest.approx(1)


@pytest.mark.parametrize(
    "key", ["data.positive_label=5", "data.order=[1,2,3]", "data.label_separator=;", "model.base=general",
            "training.label_smoothing=0.1", "decision.goal=f1"],
)  # fmt: skip
def test_keys_of_labels_are_refused(key: str):
    from rnn_cli.config.load import parse_override

    with pytest.raises(ConfigError):
        load_config("quick", [parse_override("data.labels=number"), parse_override(key)])
