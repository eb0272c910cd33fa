"""What a search tries: for keys of a config, choices or ranges, some of them only where another key has a value."""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from typing import Any

import numpy as np

from rnn_cli.config.describe import key_table
from rnn_cli.config.load import Override, with_overrides
from rnn_cli.config.schema import Config
from rnn_cli.config.strict_yaml import shown_value
from rnn_cli.errors import ConfigError, ConfigMistake


@dataclass(frozen=True)
class Choices:
    """Values to choose from; any values that YAML has."""

    values: tuple[Any, ...]

    def holds(self, value: Any) -> bool:
        """Whether a value is among them."""
        return value in self.values

    def draw(self, chance: np.random.Generator) -> Any:
        """One of them by chance."""
        return self.values[int(chance.integers(len(self.values)))]

    def __str__(self) -> str:
        """As YAML."""
        return f"[{', '.join(map(shown_value, self.values))}]"


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included: all of them, or every `step`; evenly, or evenly in logarithms.

    If both ends are whole numbers, all are.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the numbers are whole."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def holds(self, value: Any) -> bool:
        """Whether a value is among them."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.low <= value <= self.high:
            return False
        if self.is_whole and not isinstance(value, int):
            return False
        steps = 0.0 if self.step is None else (value - self.low) / self.step
        return math.isclose(steps, round(steps), abs_tol=1e-6)

    def draw(self, chance: np.random.Generator) -> float:
        """A number by chance."""
        if self.is_whole and not self.log:
            step = int(self.step or 1)
            return int(self.low + step * int(chance.integers(int(self.high - self.low) // step + 1)))
        if self.step is not None:
            return shortest(self.low + self.step * int(chance.integers(round((self.high - self.low) / self.step) + 1)))
        ends = np.log([self.low, self.high]) if self.log else np.array([self.low, self.high])
        drawn = float(chance.uniform(*ends))
        found = math.exp(drawn) if self.log else drawn
        return round(found) if self.is_whole else shortest(min(max(found, self.low), self.high))

    def __str__(self) -> str:
        """As YAML."""
        more = (", log: true" if self.log else "") + (f", step: {self.step:g}" if self.step else "")
        return f"{{low: {self.low:g}, high: {self.high:g}{more}}}"


@dataclass(frozen=True)
class Dimension:
    """A key, its values, and the keys that must have one of some values so that it counts.

    `name` tells apart dimensions of one key.
    """

    key: str
    values: Choices | Range
    when: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    name: str = ""

    @property
    def called(self) -> str:
        """Its name, by default its key."""
        return self.name or self.key

    def counts(self, settings: Mapping[str, Any]) -> bool:
        """Whether it counts beside the settings chosen so far."""
        return all(key in settings and settings[key] in values for key, values in self.when.items())


Suggest = Callable[[str, Choices | Range], Any]
"""Chooses a value of a dimension, by its name."""


@dataclass(frozen=True)
class Space:
    """The dimensions of a search; one that counts only with another's value stands behind it."""

    dimensions: tuple[Dimension, ...]

    def choose(self, suggest: Suggest) -> dict[str, Any]:
        """A value for each key whose dimension counts."""
        settings: dict[str, Any] = {}
        for each in self.dimensions:
            if each.counts(settings):
                settings[each.key] = suggest(each.called, each.values)
        return settings

    def named(self, settings: Mapping[str, Any]) -> dict[str, Any] | None:
        """The values of settings by their dimensions' names; None where the space does not have them."""
        found: dict[str, Any] = {}
        for each in self.dimensions:
            if each.counts(settings):
                if each.key not in settings or not each.values.holds(settings[each.key]):
                    return None
                found[each.called] = settings[each.key]
        return found

    def of_config(self, config: Config) -> dict[str, Any]:
        """The values that a config has of the keys that count in it."""
        settings: dict[str, Any] = {}
        for each in self.dimensions:
            if each.counts(settings):
                settings[each.key] = value_in(config, each.key)
        return settings

    def to_list(self) -> list[dict[str, Any]]:
        """The dimensions as plain values."""
        return [
            {
                "key": each.key,
                "values": list(each.values.values) if isinstance(each.values, Choices) else asdict(each.values),
                "when": {key: list(values) for key, values in each.when.items()},
                "name": each.name,
            }
            for each in self.dimensions
        ]

    @classmethod
    def from_list(cls, content: Sequence[Mapping[str, Any]]) -> "Space":
        """The space that `to_list` wrote."""
        return cls(
            tuple(
                Dimension(
                    each["key"],
                    Choices(tuple(each["values"])) if isinstance(each["values"], list) else Range(**each["values"]),
                    {key: tuple(values) for key, values in each["when"].items()},
                    each["name"],
                )
                for each in content
            )
        )


def shortest(number: float) -> float:
    """A number as it is written, so that a file repeats it."""
    return float(f"{number:.6g}")


def value_in(config: Config, key: str) -> Any:
    """A key's value as YAML would have it."""
    found: Any = config.to_dict()
    for part in key.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def changed(config: Config, settings: Mapping[str, Any], name: str) -> Config:
    """The config with other values of some keys. Raises `ConfigError` for values that do not go together."""
    return with_overrides(config, [Override(key, value) for key, value in settings.items()], name)


FIXED = ("data", "decision")
"""Sections that are the same for all configs of a search: the rows, and how probabilities become predictions."""

FOR_FOLDS = ("training.folds", "training.fold_repeats", "training.baseline")
"""Keys that say how rows are measured, which must be the same for all."""


def parse_space(given: object, config: Config, where: str) -> Space:
    """The space that the section `tune` of a YAML file says. Raises `ConfigError` with every mistake."""
    if not isinstance(given, dict) or not given:
        what = "expected keys with what to try, as model.units: [[32], [64]]"
        raise ConfigError([ConfigMistake(what, "tune", where)])
    mistakes: list[ConfigMistake] = []
    dimensions: list[Dimension] = []
    for key, value in given.items():
        try:
            dimensions.append(_dimension(str(key), value, config, {each.key: each for each in dimensions}))
        except ValueError as error:
            mistakes.append(ConfigMistake(str(error), f"tune.{key}", where))
    if mistakes:
        raise ConfigError(mistakes)
    return Space(tuple(dimensions))


def _dimension(key: str, value: object, config: Config, before: Mapping[str, Dimension]) -> Dimension:
    names = [each.name for each in key_table()]
    if key not in names:
        near = get_close_matches(key, names, 1)
        raise ValueError(f"no such key{f'; did you mean {near[0]}?' if near else ' (rnn config keys lists them)'}")
    if key.partition(".")[0] in FIXED or key in FOR_FOLDS:
        raise ValueError("must be the same for all trials; set it in its own section")
    when: dict[str, tuple[Any, ...]] = {}
    if isinstance(value, dict) and "if" in value:
        when = dict(_conditions(value["if"], before))
        value = {name: each for name, each in value.items() if name != "if"}
    values = _values(value)
    for each in values.values if isinstance(values, Choices) else (values.low, values.high):
        _check_value(key, each, config)
    return Dimension(key, values, when)


def _conditions(given: object, before: Mapping[str, Dimension]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    if not isinstance(given, dict):
        raise ValueError("if: expected {KEY: VALUE}, as {model.kind: network}")
    for key, value in given.items():
        values = tuple(value) if isinstance(value, list) else (value,)
        if key not in before:
            raise ValueError(f"if: {key} must be tried, too, and stand before it")
        if absent := [each for each in values if not before[key].values.holds(each)]:
            raise ValueError(f"if: {shown_value(absent[0])} is not among the values of {key}")
        yield key, values


def _values(value: object) -> Choices | Range:
    value = json.loads(json.dumps(value))  # without the numbers' spellings
    if isinstance(value, list):
        value = {"choices": value}
    if isinstance(value, dict) and set(value) == {"choices"} and isinstance(value["choices"], list):
        chosen = value["choices"]
        if len(chosen) < 2 or any(each in chosen[:place] for place, each in enumerate(chosen)):
            raise ValueError("expected at least two different values to choose from")
        return Choices(tuple(chosen))
    if isinstance(value, dict) and {"low", "high"} <= set(value) <= {"low", "high", "log", "step"}:
        return _range(**value)
    expected = "expected a list of choices, or {low: 0.001, high: 0.01} with log: true or step: 0.001"
    raise ValueError(f"{expected}; got {shown_value(value)}")


def _range(low: Any, high: Any, log: Any = False, step: Any = None) -> Range:
    if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in (low, high)):
        raise ValueError("low and high are numbers")
    if not low < high:
        raise ValueError(f"low must be below high, got {low:g} and {high:g}")
    if not isinstance(log, bool) or (log and step is not None) or (log and low <= 0):
        raise ValueError("log is true or false; with it low is above 0, and there is no step")
    if step is not None and (isinstance(step, bool) or not isinstance(step, int | float) or not 0 < step <= high - low):
        raise ValueError("step is a number above 0 that the range has room for")
    return Range(low, high, log, None if step is None else step)


def _check_value(key: str, value: Any, config: Config) -> None:
    """Raise `ValueError` for a value that the key cannot have, whatever the others are."""
    try:
        with_overrides(config, [Override(key, value)])
    except ConfigError as error:
        wrong = [each.what for each in error.mistakes if each.key == key or each.key.startswith(f"{key}.")]
        if wrong:
            raise ValueError(f"{shown_value(value)}: {wrong[0]}") from None


def choice_as_text(value: Any) -> str:
    """A choice as text, by which samplers know it."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def settings_in_words(settings: Mapping[str, Any], most: int = 6) -> str:
    """Settings in one line: units [64], dropout 0.3."""
    words = [f"{key.rpartition('.')[2]} {_short(value)}" for key, value in settings.items()]
    return ", ".join(words[:most]) + (f" and {len(words) - most} more" if len(words) > most else "")


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else value if isinstance(value, str) else shown_value(value)
