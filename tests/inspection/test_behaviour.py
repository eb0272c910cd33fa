"""Behaviour tests count the failures they should, and say what they cannot run and what is wrong with a file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from rnn_cli.errors import ConfigError
from rnn_cli.inspection import cases
from rnn_cli.inspection.behaviour import Behaviour, check_behaviour
from rnn_cli.inspection.cases import SUITE, made_cases, read_cases
from rnn_cli.scoring.decision import Decision
from rnn_cli.scoring.predictor import Predictor, Scores

WEIGHTS = {"warm": 2.0, "very": 1.0, "dull": -2.0, "rather": -0.2}


class Counting:
    """Knows a few words, in lower case, and adds up what they weigh for `positive`."""

    def __init__(self, labels: Sequence[str] = ("negative", "positive")) -> None:
        self.labels, self.decision = tuple(labels), Decision()

    def score(self, texts: Sequence[str]) -> Scores:
        weights = [sum(WEIGHTS.get(word.strip(".!"), 0) for word in text.split()) for text in texts]
        logits = np.zeros((len(texts), len(self.labels)))
        logits[:, 0], logits[:, -1] = -np.array(weights) / 2, np.array(weights) / 2 + 0.01
        odds = np.exp(logits)
        return Scores(odds / odds.sum(axis=1, keepdims=True), np.ones(len(texts), np.bool_))


def checked(tmp_path: Path, text: str, *labels: str) -> Behaviour:
    file = tmp_path / "cases.yaml"
    file.write_text(text, "utf-8")
    return check_behaviour(cast(Predictor, Counting(labels or ("negative", "positive"))), file)


def test_each_kind_counts_what_fails(tmp_path: Path) -> None:
    found = checked(
        tmp_path,
        """
slots:
  noun: [film, book]
tests:
  negation:
    kind: label
    texts:
      negative:
      - A dull {noun}.
      - A {noun} that is not warm.
      negative or positive:
      - A {noun}.
  case:
    kind: same
    change: upper
    texts:
    - a warm {noun}
    - a dull {noun}
  strength:
    kind: more
    texts:
      positive:
      - A warm {noun}. => A very warm {noun}.
      - A warm {noun}. => A rather warm {noun}.
      negative:
      - A dull {noun}. => A very dull {noun}.
  weakness:
    kind: less
    texts:
      positive:
      - A warm {noun}. => A {noun}.
      - A {noun}. => A very {noun}.
""",
    )
    told = {each.name: (each.kind, each.texts, len(each.failures)) for each in found.tests}
    assert told == {
        "negation": ("label", 6, 2),
        "case": ("same", 4, 2),  # without its known word a text is just positive
        "strength": ("more", 6, 2),  # rather lowers by less than the tolerance
        "weakness": ("less", 4, 2),
    }
    negation, case, strength, weakness = (each.failures[0] for each in found.tests)
    assert (negation.text, negation.expected, negation.predicted) == (
        *("A film that is not warm.", "negative", "positive"),
    )
    assert (case.text, case.changed, case.expected, case.predicted) == (
        *("a dull film", "A DULL FILM", "negative", "positive"),
    )
    assert strength.expected == "negative" and strength.before is not None
    assert strength.before - strength.probability > 0.1
    assert weakness.before is not None and weakness.probability - weakness.before > 0.1
    assert (found.tests[0].rate, found.above(0.4), found.above(0.5)) == (1 / 3, ["case", "weakness"], [])
    low, high = found.tests[0].interval
    assert low < 1 / 3 < high


def test_a_change_may_hold_the_text_and_a_slot(tmp_path: Path) -> None:
    found = checked(
        tmp_path,
        """
slots: {end: [dull, dull dull]}
tests:
  ending:
    kind: same
    change: "{text} {end}!"
    texts: [warm, it]
""",
    )
    assert [(each.text, each.changed) for each in found.tests[0].failures] == [
        *(("warm", "warm dull dull!"), ("it", "it dull!"), ("it", "it dull dull!")),
    ]


def test_a_slot_is_one_word_in_a_pair_and_its_other_another_one(tmp_path: Path) -> None:
    file = tmp_path / "cases.yaml"
    file.write_text(
        'slots: {name: [A, B, C]}\ntests: {t: {kind: same, texts: ["{name} {name} => {name.other} {name}"]}}\n'
    )
    pairs = {(each.text, each.changed) for each in made_cases(read_cases(file), "t")}
    assert pairs == {(f"{x} {x}", f"{y} {x}") for x in "ABC" for y in "ABC" if x != y}


def test_texts_are_bounded_different_shared_and_the_same_every_time(tmp_path: Path) -> None:
    file = tmp_path / "cases.yaml"
    words = ", ".join(f"w{number}" for number in range(50))
    file.write_text(
        f"slots: {{w: [{words}], v: [{words}]}}\n"
        "tests: {t: {kind: label, most: 60, texts: {x: ['{w} {v} {w}', 'only', 'all {w}']}}}\n"
    )
    made = [each.text for each in made_cases(read_cases(file), "t")]
    assert made == [each.text for each in made_cases(read_cases(file), "t")]
    assert len(made) == len(set(made)) == 60 and made.count("only") == 1
    assert 29 <= sum(text.startswith("all") for text in made) <= 30
    assert all(text.split()[0] == text.split()[2] for text in made if text.startswith("w"))


@pytest.mark.parametrize(
    ("change", "text", "changed"),
    [
        ("upper", "A warm film", "A WARM FILM"),
        ("lower", "A Warm film", "a warm film"),
        ("no end mark", "Warm!?", "Warm"),
        ("typographic", """It's "so" 'so'... - ok""", "It’s “so” ‘so’… – ok"),
    ],
)
def test_a_named_change(change: str, text: str, changed: str) -> None:
    assert cases.CHANGES[change](text) == changed


def test_a_typo_swaps_two_letters_within_a_longer_word() -> None:
    text = "We all loved the splendid evening"
    wrong = cases.CHANGES["typo"](text)
    at = [place for place in range(len(text)) if text[place] != wrong[place]]
    assert at[1] == at[0] + 1 and len(at) == 2 and sorted(wrong) == sorted(text)
    assert cases.CHANGES["typo"]("a bad day") == "a bad day"


def test_rnns_own_tests_run_as_far_as_the_labels_allow() -> None:
    every = read_cases(SUITE).tests
    invariant = {name for name, test in every.items() if "" in test.texts}

    def ran(*labels: str) -> tuple[set[str], dict[str, str]]:
        found = check_behaviour(cast(Predictor, Counting(labels)))
        assert {each.name for each in found.tests} | set(found.not_run) == set(every)
        return {each.name for each in found.tests}, dict(found.not_run)

    assert ran("negative", "neutral", "positive") == (set(every), {})
    assert ran("Negative", "Positive") == (
        set(every) - {"plain facts"},
        {"plain facts": "the model has no label neutral"},
    )
    names, why = ran("bad", "good")
    assert names == invariant and set(why.values()) == {
        "for a model of the labels positive and negative, with or without neutral"
    }
    assert ran("negative", "positive", "mixed")[0] == invariant


def test_rnns_own_tests_are_as_many_and_as_large_as_documented() -> None:
    every = read_cases(SUITE)
    assert 12 <= len(every.tests) <= 16
    for name in every.tests:
        made = made_cases(every, name)
        assert 30 <= len(made) <= 300
        assert not any("{" in each.text + (each.changed or "") for each in made)


def test_a_trained_model_is_tested_without_labels_of_its_own(trained: Path) -> None:
    predictor = Predictor.open(trained)
    found = check_behaviour(predictor)
    (case,) = [each for each in found.tests if each.name == "upper case"]
    for failure in case.failures:
        assert failure.changed is not None and failure.changed == failure.text.upper()
        before, after = predictor.predict([failure.text, failure.changed])
        assert (failure.expected, failure.predicted) == (before.label, after.label)
    assert found.to_dict()["tests"][0]["interval"][0] <= found.tests[0].rate


LABEL = "tests: {t: {kind: label, texts: {negative: [a]}}}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "cases.yaml: expected the keys slots and tests, got null"),
        ("tests: {}", "tests: dictionary should have at least 1 item"),
        ("tests:\n- a: {b}: c\n", "cases.yaml:2:"),
        ("tests:\n  t:\n    texts:\n    - {a} b\n", "; write each text after a dash, and quote one that begins with {"),
        (LABEL + "\nslot: {}", "slot: no such key; did you mean slots?"),
        (LABEL.replace("kind", "knd"), "tests.t.knd: no such key; did you mean kind?"),
        (LABEL.replace("kind", "knd"), "tests.t.kind: is missing"),
        (
            LABEL.replace("label", "lable"),
            "tests.t.kind: expected 'label', 'same', 'more' or 'less', got \"lable\"; did you",
        ),
        (
            LABEL.replace("negative", "negativ"),
            "tests.t.texts.negativ: the model has no label negativ; did you mean neg",
        ),
        (LABEL.replace("negative", "negative or x"), "the model has no label x; it knows negative, positive"),
        (
            LABEL.replace("[a]", "[1]"),
            "tests.t.texts: expected a list of texts under negative, which holds 1; quote it",
        ),
        (LABEL.replace("[a]", "a"), 'tests.t.texts: expected a list of texts under negative, got "a"'),
        (LABEL.replace("{negative: [a]}", "[a]"), "tests.t: texts: a test of the kind label needs labels"),
        (LABEL.replace("label", "same"), "a test of the kind same has no labels; write a list"),
        (LABEL.replace("label", "more"), '"a": changes nothing; write "text => changed text", or set change'),
        (LABEL.replace("kind: label", "kind: more, change: uper"), 'no such change: "uper"; did you mean upper?'),
        (LABEL.replace("kind: label", "kind: label, change: upper"), "a test of the kind label changes nothing"),
        (LABEL.replace("kind: label", "kind: more, change: lower"), "tests.t: the change leaves every text as it is"),
        (
            "tests: {t: {kind: less, change: upper, texts: {negative or positive: [a]}}}",
            "tests.t.texts.negative or positive: a test of the kind less is about one label",
        ),
        (
            LABEL.replace("kind: label", "kind: label, most: 1001"),
            "tests.t.most: input should be less than or equal to 1000",
        ),
        (LABEL.replace("[a]", "['{thng}']") + "\nslots: {thing: [a]}", "no such slot: thng; did you mean thing?"),
        (LABEL.replace("[a]", "['{x.other}']") + "\nslots: {x: [a, a]}", "{x.other} needs a slot of two words or more"),
        (LABEL + "\nslots: {x: [1]}", "slots.x: expected a list of words, which holds 1; quote it"),
        (LABEL.replace("[a]", f"['{'{x}' * 200}']") + f"\nslots: {{x: [{'a' * 100}]}}", "more than 10,000 characters"),
        (
            f"tests: {{t: {{kind: same, change: '{'{text}' * 900}', texts: [{'a' * 900}]}}}}",
            "tests.t: makes texts of more than 10,000 characters",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place_and_a_hint(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        checked(tmp_path, text)
    assert told in str(raised.value) and all("cases.yaml" in line for line in str(raised.value).splitlines())


def test_what_moves_a_little_does_not_fail(tmp_path: Path) -> None:
    text = "tests: {t: {kind: KIND, texts: {positive: [warm => WORD warm]}}}"
    for kind, word, fails in (("more", "rather", 0), ("more", "dull", 1), ("less", "very", 0), ("less", "dull", 0)):
        found = checked(tmp_path, text.replace("KIND", kind).replace("WORD", word))
        assert len(found.tests[0].failures) == fails


def test_a_label_may_hold_the_word_or(tmp_path: Path) -> None:
    found = checked(tmp_path, LABEL.replace("negative", "dull or so"), "dull or so", "warm")
    (failure,) = found.tests[0].failures
    assert (failure.expected, failure.predicted) == ("dull or so", "warm")


def test_examples_are_spread_over_the_failures(tmp_path: Path) -> None:
    texts: Any = [f"it {number}" for number in range(10)]
    found = checked(tmp_path, f"tests: {{t: {{kind: label, texts: {{negative: {texts}}}}}}}")
    assert [each.text for each in found.tests[0].examples(2)] == ["it 0", "it 5"]
    assert len(found.tests[0].examples(20)) == 10
