"""What is read of texts is counted as they are encoded."""

import pytest

from rnn_cli.evaluation.evaluate import encode_counted
from rnn_cli.text.tokenizer import Tokenizer

TEXTS = ["a b", "c a c b a", "", "b b b"]


@pytest.mark.parametrize("truncate", ["head", "tail", "both"])
def test_what_is_read_and_known_is_counted(truncate: str) -> None:
    tokenizer = Tokenizer.fit(["a b c"], vocab_size=4, max_length=3, truncate=truncate)  # knows a and b
    encoded, found = encode_counted(tokenizer, TEXTS)
    assert encoded == tokenizer.encode_all(TEXTS)
    unknown = {"head": 2, "tail": 1, "both": 1}[truncate]  # c a c, c b a, c a a
    assert (found.texts, found.tokens, found.read, found.unknown, found.cut) == (4, 10, 8, unknown, 1)
    assert found.lengths.tolist() == [2, 5, 0, 3]
    assert (found.unknown_share, found.cut_share) == (unknown / 8, 1 / 4)


def test_a_text_without_tokens_divides_nothing_by_nothing() -> None:
    encoded, found = encode_counted(Tokenizer.fit(["a"]), [""])
    assert encoded == [[1]]
    assert (found.unknown_share, found.tokens, found.unknown) == (0, 0, 0)
