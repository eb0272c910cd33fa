"""Behaviour tests of a trained model: on how many texts of a kind it does not do what one would expect of it.

A test set shows how often a model is right on texts such as it was trained on. These texts are made to ask one thing
each: does it heed a negation, does a name change its mind?

Source: Ribeiro, Wu, Guestrin and Singh (2020), Beyond accuracy: behavioral testing of NLP models with CheckList (the
three kinds of test: minimum functionality, invariance, directional expectation; the tolerance).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rnn_cli.arrays import Floats, Indices
from rnn_cli.bundle.locate import shown_model
from rnn_cli.errors import UsageError, few_of
from rnn_cli.evaluation.intervals import Interval, wilson_interval
from rnn_cli.inspection.cases import BehaviourTest, Case, Suite, make_cases
from rnn_cli.scoring.predictor import OnScored, Predictor

SYNONYMS = {"positive": ("pos",), "negative": ("neg",), "neutral": ("neu",)}
"""Other names of the labels that the suite of rnn expects."""

MOST_CASES = 300
"""Cases a test, unless another number is asked for."""

USUAL_TOLERANCE = 0.1
"""How far the probability of a label may go the wrong way; as in CheckList's own tests."""


@dataclass(frozen=True)
class Side:
    """A text, its prediction, and a probability: of the predicted label, or of the label that a direction is about."""

    text: str
    predicted: str
    probability: float


@dataclass(frozen=True)
class Failure:
    """A case that fails: the text, and the one before the change if there is one."""

    after: Side
    before: Side | None = None


@dataclass(frozen=True)
class Outcome:
    """What a test came to.

    `expect` are the model's labels that the test expects. `texts` cases were tried; where they are sampled, of so many
    that are `possible`. The interval is Wilson's, for more texts such as these; it knows nothing of other templates.
    """

    name: str
    kind: str
    expect: tuple[str, ...]
    texts: int
    possible: int | None
    failures: tuple[Failure, ...]

    @property
    def failed(self) -> int:
        """Cases that fail."""
        return len(self.failures)

    @property
    def rate(self) -> float:
        """The share of cases that fail."""
        return self.failed / self.texts

    @property
    def interval(self) -> Interval:
        """The 95% interval of the rate."""
        return wilson_interval(self.failed, self.texts)


@dataclass(frozen=True)
class NotRun:
    """A test that was not run, and why."""

    name: str
    kind: str
    reason: str


@dataclass(frozen=True)
class Behaviour:
    """The outcomes of a suite's tests in its order, and the tests that were not run."""

    labels: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    not_run: tuple[NotRun, ...]

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        tests = [
            {
                "name": each.name,
                "kind": each.kind,
                "expect": list(each.expect),
                "texts": each.texts,
                "possible": each.possible,
                "failed": each.failed,
                "rate": each.rate,
                "interval": list(each.interval),
                "failures": [asdict(failure) for failure in each.failures],
            }
            for each in self.outcomes
        ]
        return {"labels": list(self.labels), "tests": tests, "not_run": [asdict(each) for each in self.not_run]}


def measure_behaviour(
    predictor: Predictor,
    suite: Suite,
    *,
    labels: Mapping[str, str] | None = None,
    most: int = MOST_CASES,
    on_scored: OnScored | None = None,
) -> Behaviour:
    """Run a suite's tests on a model, with at most `most` cases each.

    `labels` says which of the model's labels a label of the suite is: {"positive": "1"}; others are found by their name
    in any case, or by one of `SYNONYMS`. A test that expects a label the model lacks is not run. An unsure prediction
    counts as its label. Raises `UsageError` for `labels` that the model or the suite does not have.
    """
    predictor.refuse_numbers("the tests are of labels")
    if predictor.several:
        what = "its texts have several labels each, and the tests are of one label a text"
        raise UsageError(what, where=shown_model(predictor.bundle.path), hint="name a model of one label a text")
    predictor.need_texts_alone("behaviour tests are")
    found = _labels_of(suite, predictor.labels, labels or {})
    chosen: list[tuple[BehaviourTest, tuple[str, ...], tuple[Case, ...], int | None]] = []
    not_run: list[NotRun] = []
    for test in suite.tests:
        expect = tuple(found[each] for each in test.expect or () if each in found)
        if test.expect is not None and not expect:
            which = "label" if len(test.expect) == 1 else "label among"
            reason = f"the model has no {which} {few_of(test.expect)}"
            not_run.append(NotRun(test.name, test.kind, reason))
            continue
        made = make_cases(suite, test, most)
        if made.cases:
            chosen.append((test, expect, made.cases, made.possible if made.possible > most else None))
        else:
            not_run.append(NotRun(test.name, test.kind, "its change leaves every text as it is"))
    texts = {
        text: row for row, text in enumerate(dict.fromkeys(_texts(case for _, _, cases, _ in chosen for case in cases)))
    }
    scores = predictor.score_encoded(predictor.tokenizer.encode_all(list(texts)), on_scored).probabilities
    judged = Judged(texts, predictor.labels, scores, predictor.decision.choose(scores))
    outcomes = [
        Outcome(test.name, test.kind, expect, len(cases), possible, tuple(judged.failures(test, expect, cases)))
        for test, expect, cases, possible in chosen
    ]
    return Behaviour(predictor.labels, tuple(outcomes), tuple(not_run))


def _texts(cases: Iterator[Case]) -> Iterator[str]:
    for case in cases:
        yield case.text
        if case.before is not None:
            yield case.before


@dataclass(frozen=True)
class Judged:
    """Texts with the rows of their probabilities `[texts, labels]` and predicted labels `[texts]`."""

    rows: Mapping[str, int]
    labels: Sequence[str]
    probabilities: Floats
    predicted: Indices

    def failures(self, test: BehaviourTest, expect: Sequence[str], cases: Sequence[Case]) -> Iterator[Failure]:
        """The cases that do not do as the test expects."""
        followed = self.labels.index(expect[0]) if test.kind in ("more", "less") else None
        for case in cases:
            after = self._side(case.text, followed)
            before = None if case.before is None else self._side(case.before, followed)
            if _fails(test, expect, before, after):
                yield Failure(after, before)

    def _side(self, text: str, followed: int | None) -> Side:
        row = self.rows[text]
        label = int(self.predicted[row])
        shown = label if followed is None else followed
        return Side(text, self.labels[label], float(self.probabilities[row, shown]))


def _fails(test: BehaviourTest, expect: Sequence[str], before: Side | None, after: Side) -> bool:
    if before is None:
        return after.predicted not in expect
    if test.kind == "same":
        return after.predicted != before.predicted
    tolerance = USUAL_TOLERANCE if test.tolerance is None else test.tolerance
    gain = after.probability - before.probability
    return (gain if test.kind == "more" else -gain) < -tolerance


def _labels_of(suite: Suite, labels: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """Which of the model's labels each label of the suite is; those that the model lacks are left out."""
    names = list(dict.fromkeys(name for test in suite.tests for name in test.expect or ()))
    for name, label in given.items():
        if name not in names:
            expected = f"it expects {few_of(names)}" if names else "it expects none"
            raise UsageError(f"no test expects the label {name}", hint=expected)
        if label not in labels:
            raise UsageError(f"the model has no label {label}", hint=f"its labels are {few_of(labels)}")
    found = {name: given[name] if name in given else _label_of(name, labels) for name in names}
    return {name: label for name, label in found.items() if label is not None}


def _label_of(name: str, labels: Sequence[str]) -> str | None:
    if name in labels:
        return name
    wanted = (name.casefold(), *SYNONYMS.get(name.casefold(), ()))
    return next((label for each in wanted for label in labels if label.casefold() == each), None)
