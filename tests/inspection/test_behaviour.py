"""Behaviour tests: the texts that a YAML file makes, what is wrong in it, and how a model is judged."""

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_cli.errors import ConfigError, UsageError
from rnn_cli.evaluation.intervals import wilson_interval
from rnn_cli.inspection.behaviour import MOST_CASES, Behaviour, measure_behaviour
from rnn_cli.inspection.cases import CHANGES, Case, Suite, load_suite, make_cases, parse_suite
from rnn_cli.scoring.decision import Decision
from rnn_cli.scoring.predictor import Predictor

OWN = load_suite()


def suite(text: str) -> Suite:
    return parse_suite(dedent(text), "cases.yaml")


def cases(text: str, most: int = 100) -> tuple[Case, ...]:
    made = suite(text)
    return make_cases(made, made.tests[0], most).cases


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        suite(text)
    return str(caught.value).splitlines()


# Texts


def test_each_combination_of_slots_makes_a_text() -> None:
    found = cases("""
        tests:
        - name: praise
          kind: label
          expect: good
          templates: ["{a} and {b}, {a}", "A {{b}}."]
          slots: {b: [x, y]}
        slots: {a: ["1", "2"], b: [z]}
    """)
    assert found == tuple(map(Case, ["1 and x, 1", "1 and y, 1", "2 and x, 2", "2 and y, 2", "A {b}."]))


def test_a_pair_has_the_same_values_on_both_sides() -> None:
    found = cases("""
        tests:
        - {name: n, kind: more, expect: good, pairs: [["It is {a}.", "It is {very} {a}."]]}
        slots: {a: [good, warm], very: [very, so]}
    """)
    assert found == (
        Case("It is very good.", "It is good."),
        Case("It is so good.", "It is good."),
        Case("It is very warm.", "It is warm."),
        Case("It is so warm.", "It is warm."),
    )


def test_a_slot_that_varies_is_compared_with_its_first_value() -> None:
    found = cases("""
        tests:
        - {name: n, kind: same, vary: who, templates: ["{who} is {a}, {who}."]}
        slots: {who: [Ann, Bo, Cy], a: [in, out]}
    """)
    assert {(case.before, case.text) for case in found} == {
        (f"Ann is {a}, Ann.", f"{who} is {a}, {who}.") for who in ("Bo", "Cy") for a in ("in", "out")
    }


def test_a_sample_is_the_same_each_time_and_takes_of_each_template() -> None:
    text = """
        tests:
        - {name: n, kind: label, expect: x, templates: ["a {a}{b}", "b {a}{b}{a}", "c {a}", "d"]}
        slots:
          a: ["1", "2", "3", "4", "5", "6", "7", "8", "9"]
          b: ["1", "2", "3", "4", "5", "6", "7", "8", "9"]
    """
    found, again = cases(text, 40), cases(text, 40)
    assert found == again
    assert len(set(found)) == 40
    assert Counter(case.text[0] for case in found) == {"a": 15, "b": 15, "c": 9, "d": 1}
    assert len(cases(text, 2)) == 2
    assert cases(text.replace("name: n", "name: other"), 40) != found


def test_a_sample_of_more_combinations_than_can_be_listed_is_drawn_from_all() -> None:
    names = [f"s{number}" for number in range(20)]
    made = Suite.model_validate(
        {
            "tests": [
                {"name": "n", "kind": "label", "expect": "x", "templates": [" ".join(f"{{{name}}}" for name in names)]}
            ],
            "slots": {name: list(map(str, range(30))) for name in names},
        }
    )
    found = make_cases(made, made.tests[0], 200)
    assert found.possible == 30**20
    assert len(found.cases) == 200
    for place in range(20):  # no slot stays at its first values
        assert len({case.text.split()[place] for case in found.cases}) > 20


@pytest.mark.parametrize(
    ("change", "before", "after"),
    [
        ("upper", "So good!", "SO GOOD!"),
        ("lower", "So Good!", "so good!"),
        ("stop", "So good!", "So good"),
        ("stop", "So good...", "So good"),
        ("stop", "So good", "So good."),
        ("typography", 'It\'s "so" - good...', "It’s “so” —\u00a0good…"),
    ],
)
def test_a_change_does_what_its_name_says(change: str, before: str, after: str) -> None:
    assert CHANGES[change](before) == after  # type: ignore[index]


@given(st.lists(st.sampled_from(["good", "wonderful", "a", "it's", "straße", "42", "-"]), max_size=8).map(" ".join))
def test_a_typo_is_two_inner_letters_of_a_word_that_change_places(text: str) -> None:
    typed = CHANGES["typo"](text)
    assert typed == CHANGES["typo"](text)
    assert sorted(typed) == sorted(text)
    differing = [at for at, (one, other) in enumerate(zip(text, typed, strict=True)) if one != other]
    if "wonderful" in text or "straße" in text:
        first, second = differing
        assert second == first + 1
        assert text[first - 1 : second + 2].isalpha() and len(text[first - 1 : second + 2]) == 4
    else:
        assert not differing


def test_a_text_that_its_change_leaves_as_it_is_is_left_out() -> None:
    found = cases('tests: [{name: n, kind: same, change: upper, templates: ["A film", "A FILM"]}]')
    assert found == (Case("A FILM", "A film"),)


# Mistakes

ONE = "tests: [{name: n, kind: label, expect: x, templates: [a]}]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "cases.yaml: expected the keys tests and slots, got null"),
        ("slots: {}", "cases.yaml:1: tests: this key is missing"),
        ("tests: []", "cases.yaml:1: tests: expected a list of one or more, got []"),
        ("tests:\n- {name: n}", "cases.yaml:2: tests.0.kind: this key is missing"),
        ("tests: [\n{name: n,\nkind: maybe}]", "cases.yaml:3: tests.0.kind: expected label, same, more or less, got"),
        (ONE.replace("expect", "expects"), "cases.yaml:1: tests.0.expects: no such key; did you mean expect?"),
        (ONE + "\nslotz: {}", "cases.yaml:2: slotz: no such key; did you mean slots?"),
        (ONE.replace("expect: x, ", ""), "cases.yaml:1: tests.0: the kind label needs expect: a label"),
        (ONE.replace(" x", " true"), "cases.yaml:1: tests.0.expect.0: YAML reads this as true; quote it"),
        (ONE.replace("[a]", "[3]"), "cases.yaml:1: tests.0.templates.0: expected text, got 3; quote it"),
        (ONE.replace("[a]", "[]"), "cases.yaml:1: tests.0.templates: expected a list of one or more, got []"),
        (ONE.replace("[a]", '[""]'), "cases.yaml:1: tests.0.templates.0: expected a text, got an empty one"),
        (ONE.replace("[a]", '["\\ud800"]'), "cases.yaml:1: tests.0.templates.0: holds half of a surrogate pair"),
        (ONE.replace("[a]", "a"), 'cases.yaml:1: tests.0.templates: expected a list, got "a"'),
        (ONE.replace("[a]", "\n[b,\n'{a}']"), 'cases.yaml:3: tests.0.templates.1: no slot "a"; there are no slots;'),
        (ONE.replace("[a]", "['{a}']") + "\nslots: {b: [x]}", "cases.yaml:1: tests.0.templates.0: no slot "),
        (ONE.replace("[a]", "['a}']"), "cases.yaml:1: tests.0.templates.0: a single }; write }} for a brace"),
        (ONE.replace("[a]", "[a], pairs: [[a, b]]"), "cases.yaml:1: tests.0: the kind label needs templates, and"),
        (ONE.replace("label", "same"), "cases.yaml:1: tests.0: expect is not for the kind same"),
        (ONE.replace("label", "more"), "cases.yaml:1: tests.0: templates need either change or vary"),
        (ONE.replace("templates: [a]", "tolerance: 0.2"), "cases.yaml:1: tests.0: tolerance is for the kinds more"),
        (ONE + "\nslots: {a: [x, y, x]}", 'cases.yaml:2: slots.a: "x" is there twice'),
        (ONE + "\nslots: {a: []}", "cases.yaml:2: slots.a: expected a list of one or more, got []"),
        (ONE[:-1] + ",\n" + ONE[8:], "cases.yaml:2: tests.1.name: the name of tests.0, too"),
        (
            "tests: [{name: n, kind: same, pairs: [[a, b, c]]}]",
            "cases.yaml:1: tests.0.pairs.0: expected two texts, [before, after], got",
        ),
        (
            "tests: [{name: n, kind: same, vary: who, templates: [a]}]\nslots: {who: [x]}",
            "cases.yaml:1: tests.0.vary: needs a slot who with two values or more",
        ),
        (
            "tests: [{name: n, kind: same, vary: who, templates: [a]}]\nslots: {who: [x, y]}",
            "cases.yaml:1: tests.0.templates.0: has no {who}, the slot that varies",
        ),
        (
            "tests: [{name: n, kind: more, expect: [x, y], pairs: [[a, b]]}]",
            "cases.yaml:1: tests.0: the kind more takes one label in expect",
        ),
        ("tests: [", "cases.yaml:1:9: "),
        ("tests: *x", "cases.yaml:1:8: anchors and aliases"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_key(text: str, expected: str) -> None:
    (line,) = mistakes(text)
    assert line.startswith(expected)


def test_mistakes_are_told_together_and_no_flood_of_them() -> None:
    assert len(mistakes(f"{ONE}\nslots: {{a: [x, x], b: [y, y]}}")) == 2
    told = mistakes(ONE.replace("[a]", str([1] * 500)))
    assert len(told) == 21
    assert told[-1] == "cases.yaml: and 480 more mistakes"


def test_a_template_makes_no_text_without_bounds() -> None:
    (line,) = mistakes(ONE.replace("[a]", f"['{'{a}' * 300}']") + f"\nslots: {{a: [{'x' * 40}]}}")
    assert line == "cases.yaml:1: tests.0.templates.0: makes texts of more than 10,000 characters"
    slots = {f"s{number}": ["x", "y"] for number in range(21)}
    (line,) = mistakes(ONE.replace("[a]", f"['{''.join(f'{{{each}}}' for each in slots)}']") + f"\nslots: {slots}")
    assert line == "cases.yaml:1: tests.0.templates.0: has 21 slots; use at most 20"


def test_a_file_of_a_number_for_a_label_expects_that_label() -> None:
    assert suite(ONE.replace(" x", " 01")).tests[0].expect == ["01"]


# The suite of rnn


@pytest.mark.parametrize("test", OWN.tests, ids=lambda test: test.name)
def test_the_suite_of_rnn_makes_careful_texts_and_enough_of_them(test: object) -> None:
    found = make_cases(OWN, test, MOST_CASES)  # type: ignore[arg-type]
    assert 30 <= len(found.cases) <= 300
    for text in {each for case in found.cases for each in (case.text, case.before or case.text)}:
        assert not re.search(r"\b[Aa] [aeiou]|\b[Aa]n [^aeiou]|  |[{}]", text)
        assert text[0].isupper()
        assert len(text) < 150


def test_the_documented_format_is_one() -> None:
    page = (Path(__file__).parents[2] / "docs/inspect.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```yaml\n(tests:.*?)```", page, re.S)
    assert [(test.name, test.kind) for test in suite(shown).tests] == [
        ("negated praise", "label"),
        ("a name", "same"),
        ("very", "more"),
        ("typos", "same"),
    ]
    assert f"{len(OWN.tests)} tests of short English opinions" in page


def test_the_suite_of_rnn_expects_three_labels_and_has_every_kind() -> None:
    assert {label for test in OWN.tests for label in test.expect or ()} == {"positive", "negative", "neutral"}
    assert {test.kind for test in OWN.tests} == {"label", "same", "more"}


# Judging


class Stub:
    """Probabilities from a rule on the text, in place of a network."""

    tokenizer = SimpleNamespace(encode_all=list)
    several = False

    def __init__(self, labels: Sequence[str], rule: Callable[[str], Sequence[float]], threshold: float = 0.5) -> None:
        self.labels, self.decision, self._rule = tuple(labels), Decision(threshold), rule

    def refuse_numbers(self, what: str) -> None:
        """Its labels are no numbers."""

    def need_texts_alone(self, what: str) -> None:
        """It reads no other columns."""

    def score_encoded(self, texts: Sequence[str], on_scored: object = None) -> object:
        return SimpleNamespace(
            probabilities=np.array([self._rule(text) for text in texts]).reshape(-1, len(self.labels))
        )


def praises(text: str) -> Sequence[float]:
    """Knows no word but `good`."""
    return (0.2, 0.8) if "good" in text else (0.7, 0.3)


def judged(text: str, predictor: object, **options: object) -> Behaviour:
    return measure_behaviour(predictor, suite(text), **options)  # type: ignore[arg-type]


def test_a_label_fails_where_another_is_predicted() -> None:
    found = judged(
        """
        tests:
        - {name: praise, kind: label, expect: positive, templates: ["It is {word}."]}
        - {name: negation, kind: label, expect: [neutral, negative], templates: ["It is not {word}."]}
        slots: {word: [good, great, fine, so good]}
        """,
        Stub(["negative", "positive"], praises),
    )
    praise, negation = found.outcomes
    assert [each.after.text for each in praise.failures] == ["It is great.", "It is fine."]
    assert {(each.after.predicted, each.after.probability, each.before) for each in praise.failures} == {
        ("negative", 0.7, None)
    }
    assert (praise.texts, praise.failed, praise.rate, praise.interval) == (4, 2, 0.5, wilson_interval(2, 4))
    assert negation.expect == ("negative",)
    assert [each.after.text for each in negation.failures] == ["It is not good.", "It is not so good."]


def test_a_change_fails_where_the_label_changes() -> None:
    text = 'tests: [{name: n, kind: same, pairs: [["good {x}", "good"], ["good {x}", "goood"]]}]\nslots: {x: [a]}'
    (outcome,) = judged(text, Stub(["spam", "ham"], praises)).outcomes
    (failure,) = outcome.failures
    assert failure.before is not None
    assert (failure.before.text, failure.before.predicted) == ("good a", "ham")
    assert (failure.after.text, failure.after.predicted, failure.after.probability) == ("goood", "spam", 0.7)


@pytest.mark.parametrize(
    ("kind", "expect", "gain", "tolerance", "fails"),
    [
        ("more", "positive", 0.2, None, False),
        ("more", "positive", 0.0, 0, False),
        ("more", "positive", -0.05, None, False),
        ("more", "positive", -0.05, 0.01, True),
        ("more", "positive", -0.2, None, True),
        ("less", "positive", 0.2, None, True),
        ("less", "positive", 0.05, None, False),
        ("less", "positive", -0.2, None, False),
        ("more", "negative", 0.2, None, True),
        ("less", "negative", 0.2, None, False),
    ],
)
def test_a_direction_fails_where_the_probability_goes_the_other_way(
    kind: str, expect: str, gain: float, tolerance: float | None, fails: bool
) -> None:
    def rule(text: str) -> Sequence[float]:
        positive = 0.5 + (gain if text == "after" else 0)
        return 1 - positive, positive

    text = f"tests: [{{name: n, kind: {kind}, expect: {expect}, pairs: [[before, after]]"
    text += "}]" if tolerance is None else f", tolerance: {tolerance}}}]"
    (outcome,) = judged(text, Stub(["negative", "positive"], rule)).outcomes
    assert outcome.failed == fails
    for failure in outcome.failures:  # both are of the label that is followed, whatever is predicted
        assert failure.before is not None
        change = failure.after.probability - failure.before.probability
        assert change == pytest.approx(gain if expect == "positive" else -gain)


def test_the_decision_of_the_model_counts() -> None:
    text = "tests: [{name: n, kind: label, expect: positive, templates: [good]}]"
    assert [
        judged(text, Stub(["negative", "positive"], praises, threshold)).outcomes[0].failed
        for threshold in (0.75, 0.85)
    ] == [0, 1]


@pytest.mark.parametrize(
    "labels", [["negative", "positive"], ["neg", "pos"], ["Negative", "POSITIVE"], ["NEU", "positive"]]
)
def test_a_label_is_found_by_its_name(labels: list[str]) -> None:
    text = "tests: [{name: n, kind: label, expect: positive, templates: [good, bad]}]"
    (outcome,) = judged(text, Stub(labels, praises)).outcomes
    assert (outcome.expect, outcome.failed) == ((labels[1],), 1)


def test_a_label_of_another_name_is_named() -> None:
    text = "tests: [{name: n, kind: label, expect: [positive, 'no'], templates: [good]}]"
    model = Stub(["0", "1"], praises)
    assert [each.reason for each in judged(text, model).not_run] == ["the model has no label among positive, no"]
    assert judged(text, model, labels={"positive": "1"}).outcomes[0].failed == 0
    assert judged(text, model, labels={"positive": "0"}).outcomes[0].failed == 1
    with pytest.raises(UsageError, match="the model has no label 2; its labels are 0, 1"):
        judged(text, model, labels={"positive": "2"})
    with pytest.raises(UsageError, match="no test expects the label postive; it expects positive, no"):
        judged(text, model, labels={"postive": "1"})


def test_what_cannot_be_run_is_told() -> None:
    found = judged(
        """
        tests:
        - {name: facts, kind: label, expect: neutral, templates: [a]}
        - {name: loud, kind: same, change: upper, templates: [A]}
        - {name: quiet, kind: same, change: lower, templates: [A]}
        """,
        Stub(["negative", "positive"], praises),
    )
    assert [(each.name, each.reason) for each in found.not_run] == [
        ("facts", "the model has no label neutral"),
        ("loud", "its change leaves every text as it is"),
    ]
    assert [each.name for each in found.outcomes] == ["quiet"]


def test_of_the_suite_of_rnn_every_test_has_its_place() -> None:
    ran = {labels: measure_behaviour(Stub(labels, lambda text: np.full(len(labels), 1 / len(labels))), OWN)  # type: ignore[arg-type]  # noqa: B023
           for labels in (("negative", "positive"), ("negative", "neutral", "positive"), ("spam", "ham"))}  # fmt: skip
    for found in ran.values():
        assert {each.name for each in (*found.outcomes, *found.not_run)} == {test.name for test in OWN.tests}
    assert [each.name for each in ran["negative", "positive"].not_run] == ["facts", "questions"]
    assert not ran["negative", "neutral", "positive"].not_run
    assert {each.kind for each in ran["spam", "ham"].outcomes} == {"same"}


def test_a_real_model_is_judged_by_its_own_predictions(trained: Path) -> None:
    predictor = Predictor.open(trained)
    words = ["warm", "dull", "lovely", "clumsy", "not warm"]
    text = f"tests: [{{name: n, kind: label, expect: good, templates: ['a {{word}} film']}}]\nslots: {{word: {words}}}"
    (outcome,) = judged(text, predictor).outcomes
    predictions = predictor.predict([f"a {word} film" for word in words])
    assert [(each.after.text, each.after.predicted, each.after.probability) for each in outcome.failures] == [
        (f"a {word} film", each.label, pytest.approx(each.probability))
        for word, each in zip(words, predictions, strict=True)
        if each.label != "good"
    ]
    assert 0 < outcome.failed < len(words)


def test_everything_is_told_as_plain_values(trained: Path) -> None:
    found = measure_behaviour(Predictor.open(trained), OWN, most=20)
    told = json.loads(json.dumps(found.to_dict()))
    assert [each["name"] for each in told["tests"]] == [each.name for each in found.outcomes]
    for each in told["tests"]:
        assert each["failed"] == len(each["failures"]) <= each["texts"] <= 20
        assert each["interval"][0] <= each["rate"] <= each["interval"][1]
