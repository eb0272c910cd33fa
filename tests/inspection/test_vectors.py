import math
from pathlib import Path

import keras
import numpy as np
import pytest

from rnn_cli.bundle.model_folder import KERAS_MODEL, Bundle
from rnn_cli.errors import UsageError
from rnn_cli.inspection.vectors import Vectors, find_token, nearest_tokens, read_vectors
from rnn_cli.text.tokenizer import Tokenizer


@pytest.fixture
def vectors(trained: Path) -> Vectors:
    return read_vectors(Bundle.open(trained))


def test_the_vectors_are_those_that_were_trained(vectors: Vectors, trained: Path) -> None:
    model = keras.saving.load_model(trained / KERAS_MODEL, safe_mode=True)
    np.testing.assert_array_equal(vectors.table, model.get_layer("embedding").get_weights()[0])


def test_neighbours_agree_with_a_plain_loop(vectors: Vectors) -> None:
    def cosine(one: list[float], other: list[float]) -> float:
        dot = sum(a * b for a, b in zip(one, other, strict=True))
        return dot / math.sqrt(sum(a * a for a in one)) / math.sqrt(sum(b * b for b in other))

    rows = vectors.table.astype(float).tolist()
    id = find_token(vectors.tokenizer, "warm")
    wanted = sorted(
        ((cosine(rows[id], row), other) for other, row in enumerate(rows) if other not in (0, id)), reverse=True
    )
    found = nearest_tokens(vectors, id, 5)
    assert [each.id for each in found] == [other for _, other in wanted[:5]]
    assert [each.similarity for each in found] == pytest.approx([similarity for similarity, _ in wanted[:5]])
    assert [each.token for each in found] == [vectors.tokenizer.vocab[each.id] for each in found]


def test_words_of_one_label_are_neighbours(vectors: Vectors) -> None:
    near = {each.token for each in nearest_tokens(vectors, find_token(vectors.tokenizer, "warm"), 3)}
    assert near & {"funny", "lovely", "bright", "tender", "splendid"}


def test_no_more_than_there_are(vectors: Vectors) -> None:
    assert len(nearest_tokens(vectors, 2, 10_000)) == vectors.tokenizer.vocab_size - 2


def test_vectors_without_length_are_nobody_s_neighbours() -> None:
    tokenizer = Tokenizer.fit(["one two three"])
    vectors = Vectors(tokenizer, np.array([[9, 9], [1, 1], [1, 0], [0, 0], [-2, 0]], np.float32))
    assert [(each.token, each.similarity) for each in nearest_tokens(vectors, 2, 9)] == [
        ("<OOV>", pytest.approx(0.5**0.5)),
        ("three", -1.0),
    ]
    with pytest.raises(UsageError, match="two: its vector is zero"):
        nearest_tokens(vectors, 3, 1)


@pytest.mark.parametrize(("word", "token"), [("warm", "warm"), ("WARM!", "warm"), ("<OOV>", "<OOV>")])
def test_a_word_is_found_as_a_text_would_hold_it(vectors: Vectors, word: str, token: str) -> None:
    assert vectors.tokenizer.vocab[find_token(vectors.tokenizer, word)] == token


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("warmm", "warmm: the model knows no such token; did you mean warm"),
        ("warm film", "warm film: is 2 tokens: warm film; name one"),
        ("zzzzzzzz", "name a token that is frequent in its training texts"),
        ("", "knows no such token"),
    ],
)
def test_what_is_no_token_is_told(vectors: Vectors, word: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        find_token(vectors.tokenizer, word)
