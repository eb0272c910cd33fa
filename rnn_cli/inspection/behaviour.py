"""Behaviour tests of a trained model: how often it fails what it should do, one kind of difficulty at a time.

Loads no TensorFlow. Source: Ribeiro, Wu, Guestrin and Singh (2020), Beyond accuracy: behavioral testing of NLP models
with CheckList.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from rnn_cli.arrays import Floats
from rnn_cli.errors import ConfigError, ConfigMistake, few_of
from rnn_cli.evaluation.intervals import Interval, wilson_interval
from rnn_cli.inspection.cases import SUITE, BehaviourTest, Case, Kind, made_cases, read_cases
from rnn_cli.scoring.predictor import Predictor

MOVE_ALLOWED = 0.1
"""A probability that moves the wrong way by no more than this does not fail; CheckList's own default."""

OR = " or "
"""Between labels in a file of which each is right."""

_SIDES, _NEUTRAL = {"positive", "negative"}, "neutral"


@dataclass(frozen=True)
class Failure:
    """A case that fails.

    `predicted` is the label of the changed text, or of `text` where nothing is changed, and `expected` what it should
    be: for the kind same the label before the change. `probability` is that of `predicted`. For the kinds more and less
    it is that of `expected`, and `before` the same before the change.
    """

    text: str
    changed: str | None
    expected: str
    predicted: str
    probability: float
    before: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        found = {"text": self.text, "changed": self.changed, "expected": self.expected, "predicted": self.predicted}
        before = None if self.before is None else round(self.before, 6)
        return found | {"probability": round(self.probability, 6), "before": before}


@dataclass(frozen=True)
class BehaviourResult:
    """What came of a test: of how many texts (or pairs of texts) which ones fail."""

    name: str
    kind: Kind
    texts: int
    failures: tuple[Failure, ...]

    @property
    def rate(self) -> float:
        """The share of texts that fail."""
        return len(self.failures) / self.texts

    @property
    def interval(self) -> Interval:
        """The 95% interval of the rate: Wilson's."""
        return wilson_interval(len(self.failures), self.texts)

    def examples(self, count: int) -> tuple[Failure, ...]:
        """Up to `count` failures, spread over all of them."""
        found = self.failures
        return tuple(found[at * len(found) // count] for at in range(count)) if len(found) > count else found

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, with all failures."""
        return {
            "name": self.name,
            "kind": self.kind,
            "texts": self.texts,
            "failed": len(self.failures),
            "rate": round(self.rate, 6),
            "interval": [round(end, 6) for end in self.interval],
            "failures": [each.to_dict() for each in self.failures],
        }


@dataclass(frozen=True)
class Behaviour:
    """What came of each test that ran, and why others did not, by name; `source` is the file, None for rnn's own."""

    source: str | None
    labels: tuple[str, ...]
    tests: tuple[BehaviourResult, ...]
    not_run: Mapping[str, str]

    def above(self, rate: float) -> list[str]:
        """The names of the tests that fail more often than this."""
        return [each.name for each in self.tests if each.rate > rate]

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {
            "source": self.source,
            "labels": list(self.labels),
            "tests": [each.to_dict() for each in self.tests],
            "not_run": dict(self.not_run),
        }


def check_behaviour(predictor: Predictor, file: Path | None = None) -> Behaviour:
    """Run the tests of a YAML file, or those that come with rnn, which need not all suit the model's labels.

    A model that abstains counts with the label it would predict. Raises `ConfigError` if the file has mistakes, or
    names labels that the model does not know.
    """
    cases = read_cases(file or SUITE)
    wanted: dict[str, dict[str, list[int]]] = {}
    not_run: dict[str, str] = {}
    mistakes: list[ConfigMistake] = []
    for name, test in cases.tests.items():
        if file is None and (reason := _unsuited(test, predictor.labels)):
            not_run[name] = reason
            continue
        known = [each.casefold() if file is None else each for each in predictor.labels]
        wanted[name] = {label: _indices(label, known) for label in test.texts if label}
        if file is not None:
            mistakes += _unknown_labels(f"tests.{name}.texts", str(file), test, known)
    made = {name: made_cases(cases, name) for name in wanted}
    for name in (name for name, each in made.items() if not each):
        mistakes.append(ConfigMistake("the change leaves every text as it is", f"tests.{name}", str(file or SUITE)))
    if mistakes:
        raise ConfigError(mistakes)
    tests = []
    for name, labels in wanted.items():
        kind = cases.tests[name].kind
        tests.append(BehaviourResult(name, kind, len(made[name]), _failures(predictor, kind, made[name], labels)))
    return Behaviour(None if file is None else str(file), predictor.labels, tuple(tests), not_run)


def _unsuited(test: BehaviourTest, labels: Sequence[str]) -> str | None:
    """Why a test of rnn's own is not for a model of these labels; None where it is."""
    if "" in test.texts:
        return None
    known = {each.casefold() for each in labels}
    if not _SIDES <= known <= _SIDES | {_NEUTRAL}:
        return "for a model of the labels positive and negative, with or without neutral"
    if any(known.isdisjoint(label.split(OR)) for label in test.texts):
        return f"the model has no label {_NEUTRAL}"
    return None


def _indices(label: str, known: Sequence[str]) -> list[int]:
    """The labels that a file's label stands for, as indices: itself, or each of several with "or" between."""
    names = [label] if label in known else label.split(OR)
    return [known.index(each) for each in names if each in known]


def _unknown_labels(key: str, where: str, test: BehaviourTest, known: Sequence[str]) -> list[ConfigMistake]:
    mistakes = []
    for label in filter(None, test.texts):
        names = [label] if label in known else label.split(OR)
        for name in names:
            if name not in known:
                near = get_close_matches(name, known, 1)
                hint = f"did you mean {near[0]}?" if near else f"it knows {few_of(known)}"
                mistakes.append(ConfigMistake(f"the model has no label {name}; {hint}", f"{key}.{label}", where))
        if len(names) > 1 and test.kind != "label":
            what = f"a test of the kind {test.kind} is about one label; write a test for each"
            mistakes.append(ConfigMistake(what, f"{key}.{label}", where))
    return mistakes


def _failures(
    predictor: Predictor, kind: Kind, cases: Sequence[Case], labels: Mapping[str, Sequence[int]]
) -> tuple[Failure, ...]:
    texts = list(dict.fromkeys(text for each in cases for text in (each.text, each.changed) if text is not None))
    probabilities = predictor.score(texts).probabilities
    rows = dict(zip(texts, probabilities, strict=True))
    chosen = dict(zip(texts, map(int, predictor.decision.choose(probabilities)), strict=True))
    found = []
    for case in cases:
        last = case.text if case.changed is None else case.changed
        row, predicted = rows[last], chosen[last]
        if kind in ("more", "less"):
            (label,) = labels[case.label]
            before, after = float(rows[case.text][label]), float(row[label])
            if (before - after if kind == "more" else after - before) > MOVE_ALLOWED:
                expected = predictor.labels[label]
                found.append(Failure(case.text, last, expected, predictor.labels[predicted], after, before))
        elif predicted not in (right := labels[case.label] if kind == "label" else [chosen[case.text]]):
            expected = OR.join(predictor.labels[each] for each in right)
            found.append(_wrong(case, expected, predictor.labels[predicted], row, predicted))
    return tuple(found)


def _wrong(case: Case, expected: str, predicted: str, row: Floats, index: int) -> Failure:
    return Failure(case.text, case.changed, expected, predicted, float(row[index]))
