"""Words of texts that are compared."""

import pytest

from rnn_cli.copies.words import split_words, word_pieces


@pytest.mark.parametrize("text", ["A “lean” little_film.", "", "  !", "Été naïve İ", "日本語 and", "don’t"])
def test_pieces_are_the_text_and_their_words_those_of_it(text: str) -> None:
    pieces = list(word_pieces(text))
    assert "".join(piece for piece, _ in pieces) == text
    assert [word for _, word in pieces if word] == split_words(text)
