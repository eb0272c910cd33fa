"""Texts as people post them: what is read otherwise, and that nothing else is."""

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
    ],
)
def test_what_is_read_otherwise(text: str, read: str) -> None:
    assert plain_post(text) == read


def test_only_the_value_posts_reads_so() -> None:
    text = "@bob soooo good"
    read = {splitting: Tokenizer.fit([], splitting=splitting).tokens(text) for splitting in ("unicode", "posts")}
    assert read == {"unicode": ["bob", "soooo", "good"], "posts": ["soo", "good"]}
    assert Tokenizer.from_json(Tokenizer.fit([text], splitting="posts").to_json()).tokens(text) == read["posts"]


@pytest.mark.parametrize("letter", ["0", "-", "a.", "0@"])
def test_a_long_word_takes_no_more_than_its_length(letter: str) -> None:
    """If each character were tried as the start of an address to the end, this would take hours."""
    assert plain_post(letter * 300_000) == letter * 300_000
