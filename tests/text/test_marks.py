"""Word level with `punctuation: keep`: nothing but white space is lost, and each mark stands alone."""

import json
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rnn_cli.config.schema import TokenizerConfig
from rnn_cli.text.splitting import WORD_FILTERS
from rnn_cli.text.tokenizer import Tokenizer

ODD = st.text(st.sampled_from("aBé9_'’‘.,)“—…\u0301\u093f\ufe0f\u200d\u200c\u00ad😀👩🏽🇩🇪❤\x00\u00a0\u2028 \t\n\r"))
ANY = st.text() | ODD | st.text(st.characters(max_codepoint=127))


def fit(texts: list[str], **settings: object) -> Tokenizer:
    return Tokenizer.fit(texts, punctuation="keep", **{"splitting": "ascii"} | settings)  # type: ignore[arg-type]


def tokens(text: str, **settings: object) -> list[str]:
    return fit([], **{"lowercase": False} | settings).tokens(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Wait... what?! :)", "Wait . . . what ? ! : )"),
        ("a\tb\nc\r\nd\u00a0e\u2028f", "a b c d e f"),
        ("I don't; 'tis the dogs' “don’t”", "I don't ; 'tis the dogs' “ don’t ”"),
        ("snake_case 3.5 $9 50% A&B", "snake _ case 3 . 5 $ 9 50 % A & B"),
        ("café—naïve", "café — naïve"),
        ("cafe\u0301, nai\u0308ve!", "cafe\u0301 , nai\u0308ve !"),
        ("हिन्दी, क्‍ष।", "हिन्दी , क्‍ष ।"),
        ("ภาษาไทยที่นี่!", "ภาษาไทยที่นี่ !"),
        ("می‌خواهم؟", "می‌خواهم ؟"),
        ("好。真的吗？", "好 。 真的吗 ？"),
        ("so\u00adft, \ufeffBOM", "so\u00adft , \ufeffBOM"),
        ("good😀😀bad", "good 😀 😀 bad"),
        ("❤️good 👍🏽👍 a🏽", "❤️ good 👍🏽 👍 a 🏽"),
        ("👩‍❤️‍💋‍👨👩🏽‍💻!", "👩‍❤️‍💋‍👨 👩🏽‍💻 !"),
        ("🇩🇪🇫🇷🇩 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🇩🇪 🇫🇷 🇩 🏴󠁧󠁢󠁥󠁮󠁧󠁿"),
        ("#️⃣1️⃣ #1", "#️⃣ 1️⃣ # 1"),
        ("!\u0301abc", "!\u0301 abc"),
        ("\x00a\x07", "\x00 a \x07"),
        ("a\ud800", "a ?"),
        (" \n\t", ""),
    ],
)
def test_words_and_marks(text: str, expected: str) -> None:
    assert tokens(text) == expected.split()


@given(ANY)
def test_nothing_is_lost_but_white_space(text: str) -> None:
    found = tokens(text)
    assert all(found)
    assert "".join(found) == "".join(text.split())
    assert tokens(text) == found


@given(ANY)
@example("😀\u200d😀\u200d\u0301")
def test_each_mark_stands_alone(text: str) -> None:
    for token in tokens(text):
        starts_word = is_of_word(token[0])
        for before, character in zip(token, token[1:], strict=False):
            if is_of_word(character):
                assert starts_word or unicodedata.category(character)[0] in "MC"
            else:  # only within an emoji
                flag = all("🇦" <= each <= "🇿" for each in token[:2])
                assert not starts_word and (before == "\u200d" or "🏻" <= character <= "🏿" or flag)


def is_of_word(character: str) -> bool:
    return character.isalnum() or character in "'’" or unicodedata.category(character) in {"Mn", "Mc", "Me", "Cf"}


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_is_split_alike_with_and_without_another_character(text: str) -> None:
    assert tokens(text + " é") == [*tokens(text), "é"]


@given(st.text(st.sampled_from([chr(code) for code in range(32, 127)] + ["\t", "\n"])))
def test_the_words_are_those_of_punctuation_dropped(text: str) -> None:
    words = [token for token in tokens(text) if token not in WORD_FILTERS]
    assert words == Tokenizer.fit([], lowercase=False, splitting="ascii").tokens(text)


def test_letters_are_lower_cased_and_filters_come_first() -> None:
    assert tokens("Good, SO good!", lowercase=True) == ["good", ",", "so", "good", "!"]
    assert tokens("Good, so-so!", filters=",-o") == ["G", "d", "s", "s", "!"]
    assert fit([]).filters == ""


def test_a_text_of_known_marks_is_known() -> None:
    tokenizer = fit(["good :)", "bad :("])
    assert tokenizer.knows(tokenizer.encode(":-)"))
    assert not tokenizer.knows(tokenizer.encode("?!"))
    assert tokenizer.encode(":-)") == [tokenizer.id_of(":"), 1, tokenizer.id_of(")")]


@given(texts=st.lists(ANY), text=ANY)
def test_round_trip(texts: list[str], text: str) -> None:
    tokenizer = fit(texts, max_length=9)
    read = Tokenizer.from_json(tokenizer.to_json())
    assert read == tokenizer
    assert read.encode_all([*texts, text]) == tokenizer.encode_all([*texts, text])


@pytest.mark.parametrize("level", ["word", "char", "sentence", "subword"])
def test_a_file_that_does_not_say_it_drops_punctuation_and_splits_at_ascii(level: str) -> None:
    tokenizer = Tokenizer.fit(["A film. A good film!"], level=level, vocab_size=30, splitting="ascii")
    fields = json.loads(tokenizer.to_json())
    assert (fields.pop("punctuation"), fields.pop("splitting")) == ("drop", "ascii")
    assert Tokenizer.from_json(json.dumps(fields)) == tokenizer


@pytest.mark.parametrize("level", ["char", "sentence", "subword"])
def test_other_levels_are_refused(level: str) -> None:
    with pytest.raises(ValueError, match=f"level: {level} keeps all marks that are not in filters"):
        TokenizerConfig(level=level, punctuation="keep")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"no such punctuation at level {level}: keep"):
        Tokenizer.fit([], level=level, punctuation="keep")


def test_fit_refuses_what_is_no_choice() -> None:
    with pytest.raises(ValueError, match="no such punctuation at level word: all"):
        Tokenizer.fit([], punctuation="all")
