"""Near copies: found as by comparing each text with each, whatever the case, the marks and the script."""

import random

import hypothesis
from hypothesis import strategies

from rnn_cli.copies import near
from rnn_cli.copies.near import near_copies
from rnn_cli.copies.words import split_words


def test_near_copies_agree_with_comparing_each_with_each() -> None:
    chance = random.Random(2)
    texts = [chance.choices("abcdefghij", k=30) for _ in range(40)]
    for text in list(texts):
        copy = list(text)
        for _ in range(chance.randint(0, 6)):
            copy[chance.randrange(30)] = "x"
        texts.append(copy)
    joined = [" ".join(text) for text in texts] + ["", " "]

    def pairs(text: str) -> set[tuple[str, str]]:
        words = text.split()
        return set(zip(words, words[1:], strict=False))

    alike = {
        (one, other)
        for one in range(80)
        for other in range(one + 1, 80)
        if len(pairs(joined[one]) & pairs(joined[other])) >= 0.7 * len(pairs(joined[one]) | pairs(joined[other]))
    }
    groups = near_copies(joined)
    together = {(one, other) for group in groups for one in group for other in group if one < other}
    assert 10 < len(alike) < 40
    assert together == alike


def test_a_text_without_words_is_no_copy_and_typography_makes_no_difference() -> None:
    texts = [
        "Caf\u00e9 au lait, please!",
        "cafe\u0301 AU lait \u2013 please",
        "",
        " ",
        "...",
        "...",
        "日本語のテキスト",
        "日本語 のテキスト。",
    ]
    assert near_copies(texts) == [[0, 1], [6, 7]]


@hypothesis.given(strategies.lists(strategies.text("aB é日Ⅷß.'\n1\u0301", max_size=12), min_size=1, max_size=6))
def test_hashed_words_are_the_split_words(texts: list[str]) -> None:
    shingles, starts = near._shingles(texts)
    pairs = []
    for text in texts:
        words = split_words(text)
        pairs.append(list(zip(words, words[1:], strict=False)) if len(words) > 1 else [(word,) for word in words])
    assert starts.tolist() == [0, *(sum(map(len, pairs[: end + 1])) for end in range(len(pairs)))]
    flat = [pair for each in pairs for pair in each]
    assert len(set(zip(flat, shingles.tolist(), strict=True))) == len(set(flat)) == len(set(shingles.tolist()))
