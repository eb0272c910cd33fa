"""Cases of behaviour tests: a YAML file of templates with slots, and the texts that are made of it.

Knows nothing of models. The kinds of test are those of Ribeiro, Wu, Guestrin and Singh (2020), Beyond accuracy:
behavioral testing of NLP models with CheckList.
"""

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from math import prod
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from rnn_cli.config.describe import dotted
from rnn_cli.config.load import read_yaml
from rnn_cli.config.schema import as_number
from rnn_cli.config.strict_yaml import parse_yaml, shown_value
from rnn_cli.data.templates import SLOT, fill_slots
from rnn_cli.errors import ConfigError, ConfigMistake, few_of

SUITE = Path(__file__).with_name("behaviour.yaml")
"""The cases that come with rnn: English reviews and facts, for models of the labels positive, negative and neutral."""

Kind = Literal["label", "same", "more", "less"]
"""What a test holds: a text's label; a label that a change keeps; a probability it does not lower, or not raise."""

MOST_TEXTS, MOST_TESTS, MOST_CHARACTERS = 1_000, 200, 10_000
"""The most texts of a test, tests of a file and characters of a text."""

ARROW = " => "
"""Between a text and what it is changed to."""

TEXT = "{text}"
"""In a change, the text that is changed."""

_OTHER = ".other"

_QUOTE = 'write each text after a dash, and quote one that begins with { or ", or holds a colon'
"""The usual way out where a file of texts is no YAML."""


def _typo(text: str) -> str:
    """Two neighbours within a word of five letters or more change places."""
    chance = random.Random(text)
    places = [
        at
        for word in re.finditer(r"[^\W\d_]{5,}", text)
        for at in range(word.start() + 1, word.end() - 2)
        if text[at] != text[at + 1]
    ]
    if not places:
        return text
    at = chance.choice(places)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _typographic(text: str) -> str:
    """Curly quotes, a long dash and one character for three dots, as word processors write them."""
    text = re.sub(r"(^|[\s(])\"", "\\1\u201c", text).replace('"', "\u201d")
    text = re.sub(r"(^|[\s(])'", "\\1\u2018", text).replace("'", "\u2019")
    return text.replace("...", "\u2026").replace(" - ", " \u2013 ")


CHANGES: Mapping[str, Callable[[str], str]] = {
    "typo": _typo,
    "upper": str.upper,
    "lower": str.lower,
    "typographic": _typographic,
    "no end mark": lambda text: re.sub(r"[.!?\u2026]+$", "", text.rstrip()),
}
"""The changes that have a name. Each is the same for the same text."""


class Template(NamedTuple):
    """A text with slots and, where the test has one, what it becomes."""

    text: str
    changed: str | None

    @property
    def both(self) -> str:
        """Both texts, one after the other."""
        return self.text + (self.changed or "")


class BehaviourTest(BaseModel):
    """One test: what it holds, and its texts with slots by label; those of a test without labels are under ""."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    texts: dict[str, tuple[str, ...]]
    change: str | None = None
    most: Annotated[int, Field(ge=1, le=MOST_TEXTS), BeforeValidator(as_number)] = 100

    @field_validator("texts", mode="before")
    @classmethod
    def _by_label(cls, value: object) -> dict[str, tuple[str, ...]]:
        if isinstance(value, dict) and value:
            return {label: _listed(texts, f"a list of texts under {label}") for label, texts in value.items()}
        return {"": _listed(value, "a list of texts")}

    @model_validator(mode="after")
    def _fits_its_kind(self) -> "BehaviourTest":
        if self.kind == "same" and "" not in self.texts:
            raise ValueError("texts: a test of the kind same has no labels; write a list")
        if self.kind != "same" and "" in self.texts:
            raise ValueError(f"texts: a test of the kind {self.kind} needs labels; write a list under each")
        if self.change is not None:
            self._check_change(self.change)
        elif self.kind != "label":
            for text in (each for texts in self.texts.values() for each in texts):
                if text.count(ARROW) != 1:
                    what = f'write "text{ARROW}changed text", or set change for all texts'
                    raise ValueError(f"texts: {shown_value(text)}: changes nothing; {what}")
        return self

    def _check_change(self, change: str) -> None:
        if self.kind == "label":
            raise ValueError("change: a test of the kind label changes nothing; leave it out")
        if change not in CHANGES and TEXT not in change:
            near = get_close_matches(change, CHANGES, 1)
            guess = f"did you mean {near[0]}? " if near else ""
            ways = f"use {', '.join(CHANGES)}, or a text that holds {TEXT}"
            raise ValueError(f"change: no such change: {shown_value(change)}; {guess}{ways}")

    def templates(self) -> Iterator[tuple[str, Template]]:
        """The templates, each after its label; a change that has a name is not made yet."""
        for label, texts in self.texts.items():
            for text in texts:
                if self.change is not None:
                    named = self.change in CHANGES
                    yield label, Template(text, None if named else self.change.replace(TEXT, text))
                elif self.kind == "label":
                    yield label, Template(text, None)
                else:
                    before, _, after = text.partition(ARROW)
                    yield label, Template(before.rstrip(), after.lstrip())

    @property
    def longest(self) -> int:
        """How many characters the longest template has at most, known without making it."""
        longest, change = max(len(each) for texts in self.texts.values() for each in texts), self.change or ""
        return longest * (1 + change.count(TEXT)) + len(change)


def _listed(value: object, wanted: str) -> tuple[str, ...]:
    """The texts of a list in YAML, each once."""
    if not isinstance(value, list) or not value:
        raise ValueError(f"expected {wanted}, got {shown_value(value)}")
    if wrong := [each for each in value if not isinstance(each, str)]:
        raise ValueError(f"expected {wanted}, which holds {shown_value(wrong[0])}; quote it")
    return tuple(dict.fromkeys(value))


def _words(value: object) -> object:
    return _listed(value, "a list of words")


class Cases(BaseModel):
    """The tests of a file, by name, and the words of their slots."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    slots: dict[str, Annotated[tuple[str, ...], BeforeValidator(_words)]] = {}
    tests: Annotated[dict[str, BehaviourTest], Field(min_length=1, max_length=MOST_TESTS)]

    @model_validator(mode="after")
    def _can_be_made(self) -> "Cases":
        for name, test in self.tests.items():
            too_long = ValueError(f"tests.{name}: makes texts of more than {MOST_CHARACTERS:,} characters")
            if test.longest > MOST_CHARACTERS:
                raise too_long
            for _, template in test.templates():
                slots = SLOT.findall(template.both)
                for slot in slots:
                    self._check_slot(slot, f"tests.{name}: {shown_value(template.text)}")
                if len(template.both) + sum(max(map(len, self.slots[_base(slot)])) for slot in slots) > MOST_CHARACTERS:
                    raise too_long
        return self

    def _check_slot(self, slot: str, where: str) -> None:
        base = _base(slot)
        if base not in self.slots:
            near = get_close_matches(base, self.slots, 1)
            hint = f"did you mean {near[0]}?" if near else f"the slots are {few_of(list(self.slots)) or 'none yet'}"
            raise ValueError(f"{where}: no such slot: {base}; {hint}")
        if slot.endswith(_OTHER) and len(self.slots[base]) < 2:
            raise ValueError(f"{where}: {{{slot}}} needs a slot of two words or more")


def _base(slot: str) -> str:
    return slot.removesuffix(_OTHER)


@dataclass(frozen=True)
class Case:
    """A text, what it is changed to, if it is, and the label it is about as the file names it, "" without one."""

    text: str
    changed: str | None
    label: str


def read_cases(file: Path) -> Cases:
    """The cases of a YAML file. Raises `ConfigError` with its mistakes, each with its line or key."""
    where = str(file)
    text = read_yaml(file, where)
    try:
        given = parse_yaml(text, where)
    except ConfigError as error:
        raise ConfigError([replace(each, what=f"{each.what}; {_QUOTE}") for each in error.mistakes]) from None
    if not isinstance(given, dict):
        what = f"expected the keys slots and tests, got {shown_value(given)}"
        raise ConfigError([ConfigMistake(what, where=where)])
    try:
        return Cases.model_validate(given)
    except ValidationError as error:
        raise ConfigError([_mistake(fault, where) for fault in error.errors(include_url=False)]) from None


_KEYS = {1: list(Cases.model_fields), 3: list(BehaviourTest.model_fields)}
"""The keys by how deep they are."""


def _mistake(fault: Any, where: str) -> ConfigMistake:
    path, value = fault["loc"], fault["input"]
    match fault["type"]:
        case "value_error":
            what = str(fault["ctx"]["error"])
        case "missing":
            what = "is missing"
        case "extra_forbidden":
            keys = _KEYS.get(len(path), [])
            near = get_close_matches(str(path[-1]), keys, 1)
            what = "no such key; " + (f"did you mean {near[0]}?" if near else f"the keys here are {', '.join(keys)}")
        case "literal_error":
            near = get_close_matches(str(value), Kind.__args__, 1)  # type: ignore[attr-defined]
            guess = f"; did you mean {near[0]}?" if near else ""
            what = f"expected {fault['ctx']['expected']}, got {shown_value(value)}{guess}"
        case "model_type" | "dict_type":
            what = f"expected keys of its own, got {shown_value(value)}"
        case _:
            what = f"{fault['msg'][0].lower()}{fault['msg'][1:]}, got {shown_value(value)}"
    return ConfigMistake(what, dotted(path), where)


def made_cases(cases: Cases, name: str) -> list[Case]:
    """The cases of the test `name`, at most as many as it says, all different; the same ones every time.

    Each template has about equally many, where it can. A change that leaves a text as it is makes no case, so
    there may be none.
    """
    test = cases.tests[name]
    change = CHANGES.get(test.change or "")
    templates = [(label, each, _choices(each, cases.slots)) for label, each in test.templates()]
    shares = _shares([prod(choices.values()) for _, _, choices in templates], test.most)
    made = dict[Case, None]()
    for (label, template, choices), share in zip(templates, shares, strict=True):
        for number in _numbers(prod(choices.values()), share, template.both):
            words = _chosen(number, choices, cases.slots)
            text = fill_slots(template.text, words.__getitem__)
            changed = None if template.changed is None else fill_slots(template.changed, words.__getitem__)
            changed = change(text) if change else changed
            if changed != text:
                made[Case(text, changed, label)] = None
    return list(made)


def _choices(template: Template, slots: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """In how many ways each slot of the template, together with its other, can be filled."""
    used = dict.fromkeys(SLOT.findall(template.both))
    counts = {base: len(slots[base]) for base in map(_base, used)}
    return {base: count * (count - 1) if base + _OTHER in used else count for base, count in counts.items()}


def _shares(counts: Sequence[int], most: int) -> list[int]:
    """How many texts each template makes, of how many it can make: about equally many, and at most `most` together."""
    shares, left = [0] * len(counts), most
    for done, at in enumerate(sorted(range(len(counts)), key=counts.__getitem__)):
        shares[at] = min(counts[at], -(-left // (len(counts) - done)))
        left -= shares[at]
    return shares


def _numbers(count: int, share: int, seed: str) -> Iterator[int]:
    """`share` different numbers below `count`, drawn at random where these are not all."""
    if share == count:
        yield from range(count)
        return
    chance, drawn = random.Random(seed), set[int]()
    while len(drawn) < share:
        number = chance.randrange(count)
        if number not in drawn:
            drawn.add(number)
            yield number


def _chosen(number: int, choices: Mapping[str, int], slots: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The words of each slot and its other, in the way of filling all slots that has this number."""
    chosen: dict[str, str] = {}
    for base, ways in choices.items():
        words = slots[base]
        number, choice = divmod(number, ways)
        if ways > len(words):  # a word, then another of the rest
            choice, other = divmod(choice, len(words) - 1)
            chosen[base + _OTHER] = words[other + 1 if other >= choice else other]
        chosen[base] = words[choice]
    return chosen
