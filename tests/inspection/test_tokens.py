from itertools import chain

import pytest

from rnn_cli.inspection.tokens import read_texts
from rnn_cli.text.padding import pad
from rnn_cli.text.tokenizer import Tokenizer

TEXTS = ["A warm, warm film!", "", "zzxxqq film", "the " * 9 + "end", "長い 映画 שלום"]


@pytest.fixture(params=["head", "tail", "both"])
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    return Tokenizer.fit(["a warm film the end of the film"], max_length=4, truncate=request.param)


def test_a_reading_is_what_the_tokenizer_reads(tokenizer: Tokenizer) -> None:
    readings = read_texts(tokenizer, TEXTS)
    assert [list(reading.ids) for reading in readings] == tokenizer.encode_all(TEXTS)
    assert [list(reading.padded) for reading in readings] == pad(tokenizer.encode_all(TEXTS)).tolist()
    for reading in readings:
        assert [token.text for token in reading.tokens] == tokenizer.tokens(reading.text)
        assert tuple(token.id for token in reading.tokens if token.kept) == (reading.ids if reading.tokens else ())


def test_what_is_unknown_is_told(tokenizer: Tokenizer) -> None:
    tokens = chain.from_iterable(reading.tokens for reading in read_texts(tokenizer, TEXTS))
    assert {token.text for token in tokens if not token.known} == {"zzxxqq", "長い", "映画", "שלום"}


def test_padding_is_the_id_of_no_token(tokenizer: Tokenizer) -> None:
    assert tokenizer.id_of("") == tokenizer.id_of("nowhere") == 1
    assert tokenizer.vocab[tokenizer.id_of("film")] == "film"
