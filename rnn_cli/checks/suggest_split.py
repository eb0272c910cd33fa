"""Columns that a split had better follow: whose rows belong together, and when they were written."""

import os
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rnn_cli.config.schema import DataConfig
from rnn_cli.data.reading.readers import read_columns
from rnn_cli.data.rows import Dataset
from rnn_cli.data.source import InMemory, column_in_memory, is_builtin, reading_keys
from rnn_cli.data.together import parsed_time

_GROUP = re.compile(
    r"(.*[_ .-])?(account|author|client|company|conversation|customer|dialog|dialogue|document|member|patient|person|"
    r"product|reviewer|sender|session|speaker|thread|ticket|user)s?([_ .-]?(id|key|name|no|nr|number))?",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"(.*[_ .-])?(created|date|day|datetime|posted|published|received|sent|time|timestamp|updated|written)"
    r"([_ .-]?(at|on|utc|time))?",
    re.IGNORECASE,
)

FEWEST_GROUPS, MOST_OF_ONE = 10, 0.2
"""A column of groups has at least so many values, none with a larger share of the rows; half of the rows are not alone
with theirs."""

FEWEST_TIMES = 10
"""A column of times has at least so many different ones."""


@dataclass(frozen=True)
class SplitColumns:
    """The names of the columns that look like groups and like times; None where none does."""

    group: str | None = None
    time: str | None = None


def likely_split_columns(dataset: Dataset, config: DataConfig, rows: InMemory | None) -> SplitColumns:
    """Look at names and values: many repeated ids, and times that ascend or descend from row to row."""
    columns = _columns(dataset, config, rows)
    groups = [name for name, values in columns.items() if _GROUP.fullmatch(name) and _are_groups(values)]
    times = [name for name, values in columns.items() if _TIME.fullmatch(name) and _are_times(values)]
    return SplitColumns(*(names[0] if names else None for names in (groups, times)))


def _columns(dataset: Dataset, config: DataConfig, rows: InMemory | None) -> dict[str, list[str | None]]:
    """The columns whose names may mean a group or a time; none of what cannot be read again."""
    if rows is not None:
        found = [str(name) for name in getattr(rows, "columns", ())]
        return {name: column_in_memory(rows, dataset, name) for name in _named(found) if name in rows.columns}
    if is_builtin(dataset.name) or not dataset.path or not os.path.isfile(dataset.path):
        return {}
    names: list[str] = []

    def choose(found: Sequence[str]) -> Sequence[str]:
        names.extend(name for name in _named(found) if found.count(name) == 1)
        return names

    # Nothing is read of a file without such a column.
    values: list[tuple[str | None, ...]] = []
    for _, row in read_columns(dataset.path, choose, **reading_keys(dataset.path, config)):
        if not names:
            return {}
        values.append(row)
    return {name: [row[place] for row in values] for place, name in enumerate(names)}


def _named(columns: Collection[str]) -> list[str]:
    return [name for name in columns if _GROUP.fullmatch(name) or _TIME.fullmatch(name)]


def _are_groups(values: Sequence[str | None]) -> bool:
    counts = Counter(value for value in values if value and value.strip())
    together = sum(count for count in counts.values() if count > 1)
    return (
        len(counts) >= FEWEST_GROUPS
        and together >= len(values) / 2
        and max(counts.values()) <= MOST_OF_ONE * len(values)
    )


def _are_times(values: Sequence[str | None]) -> bool:
    times: list[float] = []
    for value in values:
        time = parsed_time(value or "")
        if time is None:
            return False
        times.append(time)
    return len(set(times)) >= FEWEST_TIMES and times in (sorted(times), sorted(times, reverse=True))
