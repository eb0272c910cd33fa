"""Rows dealt into folds: each once, copies and groups together, labels alike, and nothing of a fold outside of it."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from rnn_cli.config.schema import DataConfig
from rnn_cli.data.folds import Dealt, deal_folds
from rnn_cli.data.splits import Splits, load_splits
from rnn_cli.errors import DataError


def write(file: Path, rows: list[tuple[str, ...]], head: tuple[str, ...] = ("text", "label")) -> Path:
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([head, *rows])
    return file


def dealt(file: Path, folds: int = 5, repeats: int = 1, **data: object) -> tuple[Splits, Dealt]:
    config = DataConfig.model_validate({"source": str(file), "test": 0.0, **data})
    splits = load_splits(config)
    return splits, deal_folds(config, splits, folds, repeats)


def numbered(labels: str, rows: int) -> list[tuple[str, ...]]:
    return [(f"x{row} y{row * 7} z{row * 13} w{row * 31}", labels[row % len(labels)]) for row in range(rows)]


def test_each_row_is_in_one_fold_and_in_no_other_side_of_it(tmp_path: Path) -> None:
    splits, found = dealt(write(tmp_path / "a.csv", numbered("aab", 90)))
    assert splits.source is not None
    assert sorted(row for fold in found.folds for row in fold.rows) == list(range(90))
    for fold in found.folds:
        sides = fold.splits
        assert [splits.source.texts[row] for row in fold.rows] == sides.test.texts
        everything = [*sides.train.texts, *sides.validation.texts, *sides.test.texts]
        assert sorted(everything) == sorted(splits.source.texts)
        assert Counter(sides.test.labels) == {"a": 12, "b": 6}
        assert set(sides.validation.labels) == {"a", "b"}


def test_a_fold_does_not_change_with_the_rows_around_a_repeat(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", numbered("ab", 60))
    once, twice = dealt(file)[1], dealt(file, repeats=2)[1]
    assert [fold.rows for fold in once.folds] == [fold.rows for fold in twice.folds[:5]]
    assert [fold.rows for fold in once.folds] != [fold.rows for fold in twice.folds[5:]]
    assert [(fold.repeat, fold.number) for fold in twice.folds[4:6]] == [(1, 5), (2, 1)]
    other = dealt(file, split_seed=9)[1]
    assert [fold.rows for fold in once.folds] != [fold.rows for fold in other.folds]


def test_copies_and_near_copies_share_a_fold_and_a_side_within_the_others(tmp_path: Path) -> None:
    long = "the courier left the parcel at the wrong door and nobody answered when I called about it on day"
    rows = numbered("ab", 60)
    rows += [("the very same words", "a")] * 4 + [(f"{long} {number}", "b") for number in range(4)]
    splits, found = dealt(write(tmp_path / "a.csv", rows))
    assert splits.source is not None
    for first in (60, 64):
        members = set(range(first, first + 4))
        assert sum(bool(members & set(fold.rows)) for fold in found.folds) == 1
        for fold in found.folds:
            texts = {splits.source.texts[row] for row in members}
            sides = (fold.splits.train, fold.splits.validation, fold.splits.test)
            assert sum(bool(texts & set(side.texts)) for side in sides) == 1


def test_the_rows_of_a_group_share_a_fold(tmp_path: Path) -> None:
    rows = [(*row, f"customer {number // 4}") for number, row in enumerate(numbered("ab", 80))]
    file = write(tmp_path / "a.csv", rows, ("text", "label", "customer"))
    splits, found = dealt(file, group_column="customer")
    assert splits.source is not None
    fold_of = {row: fold.number for fold in found.folds for row in fold.rows}
    for first in range(0, 80, 4):
        assert len({fold_of[row] for row in range(first, first + 4)}) == 1
    with pytest.raises(DataError, match="10 different groups by the column 'customer' are too few for 20 folds"):
        dealt(write(tmp_path / "b.csv", rows[:40], ("text", "label", "customer")), 20, group_column="customer")


def test_a_row_whose_label_no_other_has_teaches_in_each_fold(tmp_path: Path) -> None:
    rows = [*numbered("ab", 40), ("only one of its kind", "rare"), ("one of two", "pair"), ("other of two", "pair")]
    _, found = dealt(write(tmp_path / "a.csv", rows))
    assert found.teaching == (40,)
    for fold in found.folds:
        assert 40 not in fold.rows
        assert set(fold.splits.train.labels) == {"a", "b", "rare", "pair"}
    assert sum(41 in fold.rows or 42 in fold.rows for fold in found.folds) == 2


def test_several_labels_are_known_in_each_fold(several_file: Path) -> None:
    splits, found = dealt(several_file, labels="several")
    assert splits.source is not None
    assert sorted(row for fold in found.folds for row in fold.rows) == list(range(160))
    for fold in found.folds:
        assert abs(len(fold.rows) - 32) <= 3
        assert fold.splits.train.label_counts().keys() == splits.source.label_counts().keys()


def test_too_few_rows_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="6 different texts are too few for 10 folds"):
        dealt(write(tmp_path / "a.csv", numbered("ab", 6)), 10, validation=0.4)


def test_validation_rows_of_a_file_of_their_own_serve_each_fold(tmp_path: Path) -> None:
    own = write(tmp_path / "own.csv", [("apart one", "a"), ("apart two", "b")])
    _, found = dealt(write(tmp_path / "a.csv", numbered("ab", 40)), validation=str(own))
    for fold in found.folds:
        assert fold.splits.validation.texts == ["apart one", "apart two"]
        assert len(fold.splits.train) == 32
