"""Behaviour tests in YAML: their format, and the texts they make. Knows nothing of models.

A test has templates with slots, "The {thing} is {good}.", from which texts are made by every combination of the slots'
values, or by a sample of them, the same at each run.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from math import prod
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from rnn_cli.config.describe import dotted
from rnn_cli.config.load import read_yaml_file
from rnn_cli.config.schema import Label, Rate, Section
from rnn_cli.config.strict_yaml import lines_at, parse_yaml, shown_value
from rnn_cli.errors import ConfigError, ConfigMistake

OWN_SUITE = Path(__file__).with_name("behaviour.yaml")
"""The suite that comes with rnn, for short English opinions. It is a test: nothing may be trained on it."""

MOST_CHARACTERS = 10_000
"""The longest text that a template may make."""

MOST_SLOTS = 20
"""The most different slots of a template, or of a pair of them together."""

MOST_MISTAKES = 20
"""The most mistakes of a file that are told."""

Change = Literal["typo", "upper", "lower", "typography", "stop"]

_BRACES = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


_Text = Annotated[str, Field(min_length=1)]
_Templates = Annotated[list[_Text], Field(min_length=1)]
_Pair = Annotated[list[_Text], Field(min_length=2, max_length=2)]
_Values = Annotated[list[str], Field(min_length=1)]


def _listed(value: object) -> object:
    return value if isinstance(value, list) else [value]


class BehaviourTest(Section):
    """One test. Its `kind` says what is expected of its texts.

    `label`: one of the labels `expect`. `same`: a change leaves the label. `more`, `less`: a change makes the label
    `expect` no less, no more probable. A change is a pair of templates, one of `Change`, or another value of a slot.
    """

    name: _Text
    kind: Literal["label", "same", "more", "less"]
    expect: Annotated[list[Label], Field(min_length=1), BeforeValidator(_listed)] | None = None
    templates: _Templates | None = None
    pairs: Annotated[list[_Pair], Field(min_length=1)] | None = None
    change: Change | None = None
    vary: str | None = None
    """A slot: the text with its first value is compared with the text with each further one."""
    tolerance: Rate | None = None
    """How far the probability may go the wrong way, for `more` and `less`."""
    slots: dict[str, _Values] = {}

    @model_validator(mode="after")
    def _fits_its_kind(self) -> "BehaviourTest":
        moves = self.kind in ("more", "less")
        if self.kind == "same" and self.expect is not None:
            raise ValueError("expect is not for the kind same, whose label must only stay; leave it out")
        if self.kind != "same" and self.expect is None:
            raise ValueError(f"the kind {self.kind} needs expect: a label")
        if moves and len(self.expect or ()) > 1:
            raise ValueError(f"the kind {self.kind} takes one label in expect")
        if self.tolerance is not None and not moves:
            raise ValueError("tolerance is for the kinds more and less; leave it out")
        if self.kind == "label":
            if self.pairs or self.change or self.vary or not self.templates:
                raise ValueError("the kind label needs templates, and takes no pairs, change or vary")
        elif (self.pairs is None) == (self.templates is None):
            raise ValueError(f"the kind {self.kind} needs either pairs, or templates with change or vary")
        elif (self.templates is not None) != ((self.change is None) != (self.vary is None)):
            raise ValueError("templates need either change or vary, and pairs neither")
        return self

    def entries(self) -> list[tuple[str | None, str]]:
        """What texts are made of: a template, and before it the one that it is compared with."""
        if self.pairs is not None:
            return [(before, after) for before, after in self.pairs]
        return [(None if self.kind == "label" else each, each) for each in self.templates or ()]


class Suite(Section):
    """Tests, and the slots that they share; a test's own slots go before these."""

    tests: Annotated[list[BehaviourTest], Field(min_length=1)]
    slots: dict[str, _Values] = {}

    def slots_of(self, test: BehaviourTest) -> dict[str, list[str]]:
        """The values of each slot that a test can use."""
        return self.slots | test.slots


@dataclass(frozen=True)
class Case:
    """A text to score, and the one before the change; None for the kind `label`."""

    text: str
    before: str | None = None


@dataclass(frozen=True)
class Cases:
    """The cases of a test, each once, and how many combinations of values its slots have."""

    cases: tuple[Case, ...]
    possible: int


def load_suite(source: str | None = None) -> Suite:
    """The tests of a YAML file; None for those that come with rnn. Raises `ConfigError` with every mistake."""
    where = str(OWN_SUITE) if source is None else source
    return parse_suite(read_yaml_file(Path(where), where), where)


def parse_suite(text: str, where: str) -> Suite:
    """The tests of a YAML text from `where`. Raises `ConfigError` with every mistake, each with its line and key."""
    given = parse_yaml(text, where)
    if not isinstance(given, dict):
        what = f"expected the keys tests and slots, got {shown_value(given)}"
        raise ConfigError([ConfigMistake(what, where=where)])
    try:
        suite = Suite.model_validate(given)
        mistakes = list(_mistakes(suite))
    except ValidationError as error:
        mistakes = [(fault["loc"], _in_words(fault)) for fault in error.errors(include_url=False)]
    if mistakes:
        told = mistakes[:MOST_MISTAKES]
        lines = lines_at(text, [path for path, _ in told])
        found = [
            ConfigMistake(what, dotted(path), f"{where}:{line}") for (path, what), line in zip(told, lines, strict=True)
        ]
        if more := len(mistakes) - len(told):
            found.append(ConfigMistake(f"and {more:,} more mistakes", where=where))
        raise ConfigError(found)
    return suite


def _in_words(fault: Any) -> str:
    """What is wrong with a value, as pydantic found it."""
    value, kind = shown_value(fault["input"]), fault["type"]
    if kind == "value_error":
        return str(fault["ctx"]["error"])
    if kind == "missing":
        return "this key is missing"
    if kind == "extra_forbidden":
        names = list((Suite if len(fault["loc"]) == 1 else BehaviourTest).model_fields)
        near = get_close_matches(str(fault["loc"][-1]), names, 1)
        return f"no such key; did you mean {near[0]}?" if near else f"no such key; the keys are {', '.join(names)}"
    if kind == "string_too_short":
        return "expected a text, got an empty one"
    if kind == "string_unicode":
        return "holds half of a surrogate pair, which is no character"
    if kind == "string_type":
        return f"expected text, got {value}; quote it"
    if kind == "literal_error":
        return f"expected {fault['ctx']['expected'].replace(chr(39), '')}, got {value}"
    if kind in ("too_short", "too_long") and "pairs" in fault["loc"] and fault["loc"][-1] != "pairs":
        return f"expected two texts, [before, after], got {value}"
    wanted = {
        "list_type": "a list",
        "dict_type": "{name: values}",
        "model_type": "keys",
        "too_short": "a list of one or more",
    }
    return f"expected {wanted[kind]}, got {value}" if kind in wanted else f"{fault['msg']}, got {value}"


def _mistakes(suite: Suite) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What is wrong between the parts of a suite: names, slots, the texts' length."""
    for name, values in suite.slots.items():
        if twice := _twice(values):
            yield ("slots", name), f"{shown_value(twice)} is there twice"
    names: dict[str, int] = {}
    for index, test in enumerate(suite.tests):
        path: tuple[str | int, ...] = ("tests", index)
        if test.name in names:
            yield (*path, "name"), f"the name of tests.{names[test.name]}, too; tests need different names"
        names.setdefault(test.name, index)
        for name, values in test.slots.items():
            if twice := _twice(values):
                yield (*path, "slots", name), f"{shown_value(twice)} is there twice"
        yield from ((path + inner, what) for inner, what in _mistakes_of(test, suite.slots_of(test)))


def _mistakes_of(
    test: BehaviourTest, slots: Mapping[str, Sequence[str]]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if test.vary is not None and len(slots.get(test.vary, ())) < 2:
        yield ("vary",), f"needs a slot {test.vary} with two values or more"
        return
    for index, templates in enumerate(test.entries()):
        path = ("templates" if test.pairs is None else "pairs", index)
        used: set[str] = set()
        for template in dict.fromkeys(filter(None, templates)):
            try:
                names = slot_names(template)
            except ValueError as error:
                yield path, str(error)
                continue
            used.update(names)
            if unknown := [name for name in names if name not in slots]:
                known = f"the slots are {', '.join(slots)}" if slots else "there are no slots"
                yield path, f"no slot {shown_value(unknown[0])}; {known}; write {{{{ for a brace"
            elif test.vary is not None and test.vary not in names:
                yield path, f"has no {{{test.vary}}}, the slot that varies"
            elif len(template) + sum(max(map(len, slots[name])) for name in names) > MOST_CHARACTERS:
                yield path, f"makes texts of more than {MOST_CHARACTERS:,} characters"
        if len(used) > MOST_SLOTS:
            yield path, f"has {len(used):,} slots; use at most {MOST_SLOTS}"


def _twice(values: Sequence[str]) -> str | None:
    value, count = Counter(values).most_common(1)[0]
    return value if count > 1 else None


def slot_names(template: str) -> list[str]:
    """The slots of a template as they occur, one more often where it does. Raises `ValueError` for a lone brace."""
    names = []
    for found in _BRACES.finditer(template):
        if found[1] is not None:
            names.append(found[1])
        elif len(found[0]) == 1:
            raise ValueError(f"a single {found[0]}; write {found[0] * 2} for a brace")
    return names


def filled(template: str, values: Mapping[str, str]) -> str:
    """A template with a value in each slot."""
    return _BRACES.sub(lambda found: found[0][0] if found[1] is None else values[found[1]], template)


def make_cases(suite: Suite, test: BehaviourTest, most: int) -> Cases:
    """The cases of a test, at most `most` of them: of more, a sample that takes as many of each template as it can.

    The sample depends on the test and `most` alone. A case whose change changes nothing is left out.
    """
    slots, entries = suite.slots_of(test), test.entries()
    if test.vary is not None:
        base, slots[test.vary] = slots[test.vary][0], slots[test.vary][1:]
    chance = random.Random(test.name)
    names = [list(dict.fromkeys(slot_names((before or "") + after))) for before, after in entries]
    counts = [prod(len(slots[name]) for name in each) for each in names]
    order = sorted(range(len(entries)), key=lambda index: counts[index])
    if len(order) > most:
        order = sorted(chance.sample(order, most))
    chosen: dict[int, list[int]] = {}
    left = most
    for done, index in enumerate(order):
        chosen[index] = _some_below(counts[index], left // (len(order) - done), chance)
        left -= len(chosen[index])
    cases = []
    for index in sorted(chosen):
        before, after = entries[index]
        for number in chosen[index]:
            values = dict(_combination(number, names[index], slots))
            text = filled(after, values)
            if test.change is not None:
                text = CHANGES[test.change](text)
            if test.vary is not None:
                values[test.vary] = base
            cases.append(Case(text, None if before is None else filled(before, values)))
    return Cases(tuple(dict.fromkeys(each for each in cases if each.text != each.before)), sum(counts))


def _some_below(count: int, most: int, chance: random.Random) -> list[int]:
    """At most `most` different numbers below `count`, in order; all of them where they are no more."""
    if count <= most:
        return list(range(count))
    found: set[int] = set()
    while len(found) < most:  # random.sample takes no range as long as a product of many slots
        found.add(chance.randrange(count))
    return sorted(found)


def _combination(number: int, names: Sequence[str], slots: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """The values of the combination of that number, as digits of a number are."""
    for name in reversed(names):
        number, digit = divmod(number, len(slots[name]))
        yield name, slots[name][digit]


def _with_typo(text: str) -> str:
    """Two neighbouring letters inside a word change places; which ones, the text decides."""
    words = re.finditer(r"[^\W\d_]{4,}", text)
    places = [at for word in words for at in range(word.start() + 1, word.end() - 2) if text[at] != text[at + 1]]
    if not places:
        return text
    at = random.Random(text).choice(places)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _as_word_processors(text: str) -> str:
    """Curly quotes, long dashes, an ellipsis of one character, and a no-break space before the last word."""
    text = re.sub(r'"([^"]*)"', "“\\1”", text).replace("...", "…").replace(" - ", " — ").replace("'", "’")
    head, space, last = text.rpartition(" ")
    return head + "\u00a0" * len(space) + last


def _other_end(text: str) -> str:
    """Without the marks at its end; with a full stop where it has none."""
    return text.rstrip(".!?…") if text.endswith((".", "!", "?", "…")) else f"{text}."


CHANGES: Mapping[Change, Callable[[str], str]] = {
    "typo": _with_typo,
    "upper": str.upper,
    "lower": str.lower,
    "typography": _as_word_processors,
    "stop": _other_end,
}
"""What `change` names."""
