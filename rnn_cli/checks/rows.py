"""The rows to check, each with its side, its file and its line.

Their source is a config, whose rows are split as `rnn train` splits them, or a data file (also a URL, or - for the
standard input) or built-in set, which is checked as a whole.
"""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np

from rnn_cli.arrays import Floats
from rnn_cli.checks.findings import Finding
from rnn_cli.checks.structure import read_whole, unit_of
from rnn_cli.config.load import Override, load_config, recipes, refuse_others
from rnn_cli.config.schema import Config, DataConfig
from rnn_cli.data.builtin import BUILTIN
from rnn_cli.data.find_several import SeveralFound, find_several
from rnn_cli.data.numbers import numbers_of
from rnn_cli.data.reading.remote import STANDARD_INPUT, is_remote
from rnn_cli.data.reading.table import nearest_name
from rnn_cli.data.rows import Dataset, short_place
from rnn_cli.data.source import IN_MEMORY, InMemory, from_memory, is_builtin, is_in_memory, load_rows
from rnn_cli.data.splits import load_splits
from rnn_cli.errors import ConfigError, ConfigMistake, DataError
from rnn_cli.formats import is_pattern

WHOLE = "rows"
"""The name of the only side of a file that is checked as a whole."""


@dataclass(frozen=True)
class CheckedRows:
    """All rows of all sides, one side after the other; each list has one entry a row."""

    sides: Mapping[str, Dataset]
    """In the order training, validation, test; those that have rows."""
    structure: tuple[Finding, ...] = ()
    """What is wrong with the file that they were read from."""

    @cached_property
    def texts(self) -> list[str]:
        """Every row's text."""
        return list(chain.from_iterable(side.texts for side in self.sides.values()))

    @cached_property
    def labels(self) -> list[str]:
        """Every row's label."""
        return list(chain.from_iterable(side.labels for side in self.sides.values()))

    @cached_property
    def several(self) -> bool:
        """Whether a row has several labels, or none."""
        return any(side.several for side in self.sides.values())

    @cached_property
    def number(self) -> bool:
        """Whether every row's label is a number to predict."""
        return any(side.number for side in self.sides.values())

    @cached_property
    def numbers(self) -> Floats:
        """Every row's number, of rows of numbers."""
        return np.concatenate([numbers_of(side) for side in self.sides.values()])

    @cached_property
    def label_sets(self) -> list[tuple[str, ...]]:
        """Every row's labels."""
        return list(chain.from_iterable(side.label_sets for side in self.sides.values()))

    def label_counts(self) -> Counter[str]:
        """How many rows have each label."""
        return sum((side.label_counts() for side in self.sides.values()), Counter())

    @cached_property
    def side_of(self) -> list[str]:
        """The name of every row's side."""
        return [name for name, side in self.sides.items() for _ in side.texts]

    @cached_property
    def lines(self) -> list[int]:
        """Every row's line in its file."""
        return list(chain.from_iterable(side.lines for side in self.sides.values()))

    @cached_property
    def file_of(self) -> list[str]:
        """The name of every row's file or set."""
        return [side.file_of(row) for side in self.sides.values() for row in range(len(side))]

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.texts)

    def where(self, row: int) -> str:
        """How a message names a row: "line 7" of a text file, else "row 7"; "file:7" where there are several files."""
        file, line = self.file_of[row], self.lines[row]
        return short_place(file, line) if self._are_several else f"{unit_of(file)} {line}"

    @cached_property
    def _are_several(self) -> bool:
        return len(set(self.file_of)) > 1


def gather_rows(source: str | InMemory, overrides: Sequence[Override] = ()) -> tuple[Config, CheckedRows]:
    """The config in force and the rows of a source; for a file or a set the config is the recipe `default`.

    Overrides are of keys of `data` and `tokenizer`. Raises `ConfigError` and `DataError`.
    """
    refuse_others(overrides, ["data", "tokenizer"], "use a key of data or tokenizer")
    structure: tuple[Finding, ...] = ()
    if is_in_memory(source):
        config = _with_several(config_for(IN_MEMORY, overrides), source, overrides)
        sides = {WHOLE: from_memory(source, config.data)}
    elif is_config(source):
        config = load_config(source, overrides)
        splits = load_splits(config.data)
        sides = {"training": splits.train, "validation": splits.validation, "test": splits.test}
    else:
        config = _with_several(config_for(source, overrides), source, overrides)
        whole, structure = read_whole(source, config.data)
        sides = {WHOLE: whole}
        files = {name: getattr(config.data, name) for name in ("validation", "test")}
        if files := {name: file for name, file in files.items() if isinstance(file, str)}:
            sides = {"training": sides[WHOLE]} | {name: load_rows(file, config.data) for name, file in files.items()}
    return config, CheckedRows({name: side for name, side in sides.items() if len(side)}, structure)


def _with_several(config: Config, source: str | InMemory, overrides: Sequence[Override]) -> Config:
    """The config as it reads a file in which texts have several labels, where the rows show it and nothing says it."""
    found = several_of(source, config.data, overrides)
    return config.model_copy(update={"data": config.data.model_copy(update=found.settings)})


def several_of(source: str | InMemory, config: DataConfig, overrides: Sequence[Override]) -> SeveralFound:
    """How the rows write several labels, by what they show; nothing is found where an override says how many."""
    if any(each.key == "data.labels" for each in overrides):
        return SeveralFound()
    return find_several(source, config)


def config_for(source: str, overrides: Sequence[Override]) -> Config:
    """The recipe `default` with another source; raises `ConfigError` if an override names one, too."""
    if twice := [each for each in overrides if each.key == "data.source"]:
        raise ConfigError([ConfigMistake(f"the source is already named: {source}", where=twice[0].place)])
    config = load_config(None, overrides)
    return config.model_copy(update={"data": config.data.model_copy(update={"source": source})})


def is_config(source: str) -> bool:
    """Whether this names a config, not rows. Raises `DataError` if it is neither."""
    if is_builtin(source) or source == STANDARD_INPUT or is_remote(source) or is_pattern(source):
        return False
    if source.lower().endswith((".yaml", ".yml")) or (source in recipes() and not os.path.exists(source)):
        return True
    if not os.path.lexists(source):
        meant = nearest_name(source, [*BUILTIN, *recipes()])
        names = f"built-in sets: {', '.join(BUILTIN)}; recipes: {', '.join(recipes())}"
        raise DataError(
            "no such file, built-in set or recipe",
            where=source or '""',
            hint=(f"did you mean {meant}? " if meant else "") + names,
        )
    return False
