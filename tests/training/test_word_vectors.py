import gzip
from pathlib import Path

import numpy as np
import pytest

from rnn_cli.errors import DataError
from rnn_cli.training.vectors import read_word_vectors

VOCABULARY = ["", "<OOV>", "the", "naïve", "film", "rare"]
GLOVE = "the 1 2 3\nother 9 9 9\nnaïve -1 0.5 2e-1\n"


def test_glove_fasttext_and_gzip_give_the_same(tmp_path: Path) -> None:
    (tmp_path / "glove.txt").write_text(GLOVE)
    (tmp_path / "fasttext.vec").write_text("3 3\n" + GLOVE.replace("\n", " \n"))
    (tmp_path / "named-otherwise").write_bytes(gzip.compress(GLOVE.encode()))
    read = [read_word_vectors(file, VOCABULARY, 3, seed=1) for file in sorted(tmp_path.iterdir())]
    for each in read:
        np.testing.assert_array_equal(each.vectors[2], [1, 2, 3])
        np.testing.assert_allclose(each.vectors[3], [-1, 0.5, 0.2])
        assert (each.found, each.words) == (2, 4)
        np.testing.assert_array_equal(each.vectors, read[0].vectors)


def test_words_it_lacks_are_random_and_padding_is_zero(tmp_path: Path) -> None:
    (tmp_path / "v").write_text(GLOVE)
    vectors = read_word_vectors(tmp_path / "v", VOCABULARY, 3, seed=1).vectors
    assert not vectors[0].any()
    assert vectors[1].any() and vectors[4].any() and not np.array_equal(vectors[4], vectors[5])


def test_a_token_of_several_words_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "v").write_text("film 1 1 1\nthe end 5 5 5\nthe 1 2 3\n")
    np.testing.assert_array_equal(read_word_vectors(tmp_path / "v", VOCABULARY, 3, seed=1).vectors[2], [1, 2, 3])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("the 1 2\n", r"v:1: a vector of 2 numbers, expected 3; set model.embedding_dim"),
        ("film 1 2 3\nthe 1 2\n", r"v:2: a vector of 2 numbers, expected 3"),
        ("the 1 2 x\n", r"v:1: expected a word and its numbers"),
        ("the 1 2 nan\n", r"v:1: a number of the vector is not finite"),
    ],
)
def test_what_is_no_vector_is_named_with_its_line(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "v").write_text(content)
    with pytest.raises(DataError, match=message):
        read_word_vectors(tmp_path / "v", VOCABULARY, 3, seed=1)


def test_a_missing_or_broken_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_word_vectors(tmp_path / "none", VOCABULARY, 3, seed=1)
    (tmp_path / "cut.gz").write_bytes(gzip.compress(GLOVE.encode() * 50)[:-20])
    with pytest.raises(DataError, match="cut.gz: cannot be read"):
        read_word_vectors(tmp_path / "cut.gz", VOCABULARY, 3, seed=1)
