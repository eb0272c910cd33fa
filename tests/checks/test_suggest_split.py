"""`rnn init` proposes the columns that a split had better follow, and leaves the decision to the user."""

import random
from pathlib import Path

import pandas
import pytest
import yaml

from rnn_cli.checks.suggest_config import commented_yaml, propose
from rnn_cli.config.load import parse_config


def rows(**columns: list[object]) -> pandas.DataFrame:
    chance = random.Random(1)
    words = [f"word{n}" for n in range(300)]
    texts = [" ".join(chance.choices(words, k=9)) for _ in range(120)]
    return pandas.DataFrame({"text": texts, "label": ["no", "yes"] * 60, **columns})


CUSTOMERS: list[object] = [f"c{row % 30}" for row in range(120)]
DATES: list[object] = [f"2025-{1 + row // 28:02}-{1 + row % 28:02}" for row in range(120)]


def proposed(table: pandas.DataFrame, tmp_path: Path) -> tuple[str | None, str | None]:
    table.to_csv(tmp_path / "rows.csv", index=False)
    split = propose(str(tmp_path / "rows.csv"), may_build_on_base=False).split
    assert propose("(memory)", rows=table, may_build_on_base=False).split == split
    return split.group, split.time


def test_many_repeated_ids_and_ascending_dates_are_proposed(tmp_path: Path) -> None:
    table = rows(customer_id=CUSTOMERS, created_at=DATES)
    assert proposed(table, tmp_path) == ("customer_id", "created_at")
    proposal = propose(str(tmp_path / "rows.csv"))
    written = commented_yaml(proposal)
    assert '  # group_column: "customer_id"' in written and '  # time_column: "created_at"' in written
    assert parse_config(written, "x").data.group_column is None
    changed = written.replace("# group_column", "group_column").replace("# time_column", "time_column")
    assert yaml.safe_load(changed)["data"]["time_column"] == "created_at"
    assert any("customer_id repeats its values" in line for line in proposal.found)


@pytest.mark.parametrize(
    "columns",
    [
        {"customer_id": [f"c{row}" for row in range(120)]},  # no one's rows repeat
        {"customer_id": [f"c{row % 3}" for row in range(120)]},  # too few
        {"colour": CUSTOMERS},
        {"date": [f"soon {row}" for row in range(120)]},
        {"date": DATES[60:] + DATES[:60]},
        {"remark": DATES},
        {"date": ["2025-01-01"] * 120},
    ],
)
def test_other_columns_are_not(columns: dict[str, list[object]], tmp_path: Path) -> None:
    assert proposed(rows(**columns), tmp_path) == (None, None)


def test_what_is_asked_for_is_not_proposed_again(tmp_path: Path) -> None:
    from rnn_cli.config.load import parse_override

    rows(customer_id=CUSTOMERS).to_csv(tmp_path / "rows.csv", index=False)
    proposal = propose(str(tmp_path / "rows.csv"), [parse_override("data.group_column=customer_id")])
    assert proposal.split.group is None and proposal.config.data.group_column == "customer_id"
