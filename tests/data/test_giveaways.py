"""Whether a column gives the label away."""

import random

from rnn_cli.data.giveaways import giveaways
from rnn_cli.data.rows import Dataset


def told(kind: str = "auto", rows: int = 200, **columns: list[str | None]) -> list[str]:
    labels = ["yes" if row % 4 else "no" for row in range(rows)]
    dataset = Dataset("rows", ["a text"] * rows, labels, list(range(rows)), further=columns)
    return giveaways(dataset, dict.fromkeys(columns, kind))


def test_a_category_that_is_the_label_is_told():
    (line,) = told(verdict=["won" if row % 4 else "lost" for row in range(200)])
    assert "verdict alone tells the label of 100.0%" in line and "75.0%" in line


def test_a_number_that_is_the_label_is_told():
    chance = random.Random(1)
    (line,) = told(refund=[f"{(0 if row % 4 else 50) + chance.random():.3f}" for row in range(200)])
    assert "refund alone tells the label" in line


def test_a_category_of_one_label_is_told_beside_others_that_are_not():
    (line,) = told(channel=["court" if row % 4 == 0 and row % 3 else "shop" for row in range(200)])
    assert "all 33 rows with court have the label no, which 25% of all rows have" in line


def test_a_number_of_its_own_for_each_row_is_told():
    (line,) = told(id=[str(1000 + row) for row in range(200)])
    assert "as an id" in line


def test_what_tells_much_but_not_all_is_not_told():
    chance = random.Random(2)
    assert told(price=[f"{chance.gauss(10 if row % 4 else 7, 2):.2f}" for row in range(200)]) == []
    assert (
        told(country=[chance.choice(["FR", "FR", "DE", "IT"] if row % 4 else ["DE", "IT", "FR"]) for row in range(200)])
        == []
    )


def test_names_that_each_row_has_of_its_own_do_not_seem_to_tell_the_label():
    assert told("category", name=[f"name {row}" for row in range(200)]) == []


def test_few_rows_show_nothing():
    assert told(rows=12, verdict=["won" if row % 4 else "lost" for row in range(12)]) == []
