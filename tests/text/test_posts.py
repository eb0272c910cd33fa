"""Texts as people post them: what is read otherwise, and that nothing else is."""

import re
import unicodedata

import pytest

from rnn_cli.text.posts import plain_post
from rnn_cli.text.tokenizer import Tokenizer


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("see http://t.co/abc?d=1 now", "see   now"),
        ("www.example.com/a, gone", "  gone"),
        ("@bob_1 thanks @x!", "  thanks  !"),
        ("write to a.b+c@mail.example.org.", "write to  ."),
        ("soooo GOOOd", "soo GOOd"),
        ("loOOove", "loOve"),
        ("100000 --- !!! good, all, www", "100000 --- !!! good, all, ww"),
        ("a @ b, 5@ 3", "a @ b, 5@ 3"),
        ("caf\u00e9\u00e9\u00e9", "caf\u00e9\u00e9"),
        ("cafe\u0301e\u0301e\u0301!", "cafe\u0301e\u0301!"),
        ("see\u0301", "see\u0301"),
        ("seee\u0301", "seee\u0301"),
        ("s\u200bo\u200bo\u200bo\u200bo good", "s\u200boo good"),
        ("so\u00adO\u2060o\ufeff\u200do\u200c", "soO\u200c"),
        ("sooo\u200b good", "soo\u200b good"),
        ("so\u200bo", "so\u200bo"),
    ],
)
def test_what_is_read_otherwise(text: str, read: str) -> None:
    assert plain_post(text) == read


def test_only_the_value_posts_reads_so() -> None:
    text = "@bob soooo good"
    read = {splitting: Tokenizer.fit([], splitting=splitting).tokens(text) for splitting in ("unicode", "posts")}
    assert read == {"unicode": ["bob", "soooo", "good"], "posts": ["soo", "good"]}
    assert Tokenizer.from_json(Tokenizer.fit([text], splitting="posts").to_json()).tokens(text) == read["posts"]


@pytest.mark.parametrize("text", ["soooo good", "caféééé", "GOOOd", "a soo boring film", "loooOOove it"])
def test_what_is_not_seen_changes_no_token(text: str) -> None:
    tokenizer = Tokenizer.fit([], splitting="posts")
    for unseen in "\u00ad\u200b\u200c\u200d\u2060\ufeff":
        for other in (text, unicodedata.normalize("NFD", text)):
            mixed = re.sub(r"(?<=\w)(?=\w)", unseen, other)
            assert tokenizer.tokens(mixed) == tokenizer.tokens(text), (mixed, unseen)
            spans = tokenizer.spans(mixed)
            assert (
                len(spans) == len(text.split())
                and [mixed[start:stop].strip() for start, stop in spans] == mixed.split()
            )


@pytest.mark.parametrize("unit", ["o", "o\u200b", "e\u0301", "e\u0301\u0301", "\u200b", "ab", "a.", "a@", "-", "@b."])
def test_a_long_run_of_any_kind_is_read(unit: str) -> None:
    # A pattern that tries each start to the end of the run would take hours.
    assert len(plain_post(unit * 1_000_000)) <= 2_000_000
