"""Vectors of tokens from their neighbours: what is near, what is left out, and that they are the same each time."""

import hashlib
import os
import random
import subprocess
import sys
from collections.abc import Iterable, Sequence

import numpy as np
import pytest
from scipy.sparse.linalg import svds

from rnn_cli.linear import neighbours as module
from rnn_cli.text.tokenizer import Tokenizer
from rnn_cli.training.vectors import SPREAD, own_vectors


def corpus() -> list[str]:
    """Sentences in which cats and dogs do the same things, and Monday and Friday are the same kind of days."""
    chance = random.Random(3)
    texts = []
    for _ in range(300):
        pet, day = chance.choice(["cat", "dog"]), chance.choice(["monday", "friday"])
        deed = chance.choice(["sleeps", "eats", "purrs", "runs", "hides"])
        meeting = chance.choice(["meeting", "report", "call", "office", "train"])
        texts.append(chance.choice([f"the {pet} {deed} here", f"on {day} the {meeting} begins"]))
    return texts


def cosine(vectors: np.ndarray, one: int, other: int) -> float:
    a, b = vectors[one].astype(float), vectors[other].astype(float)
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def made(sequences: Iterable[Sequence[int]], size: int, dim: int = 4, seed: int = 1) -> np.ndarray:
    vectors = own_vectors(sequences, size, dim, seed=seed)
    assert vectors.shape == (size, dim) and vectors.dtype == np.float32
    assert np.isfinite(vectors).all()
    assert not vectors[:2].any()
    return vectors


def test_words_that_are_used_alike_are_near() -> None:
    texts = corpus()
    tokenizer = Tokenizer.fit(texts)
    vectors = made(map(tokenizer.encode_whole, texts), tokenizer.vocab_size, dim=6)
    cat, dog, monday, friday = map(tokenizer.id_of, ("cat", "dog", "monday", "friday"))
    assert cosine(vectors, cat, dog) > 0.9 and cosine(vectors, monday, friday) > 0.9
    assert abs(cosine(vectors, cat, monday)) < 0.5 and abs(cosine(vectors, dog, friday)) < 0.5
    assert np.sqrt(np.mean(vectors[2:] ** 2)) == pytest.approx(SPREAD, rel=1e-4)


def test_they_are_the_papers_numbers() -> None:
    """Counted pair by pair, and decomposed by another library: all inner products of two vectors agree."""
    chance = random.Random(8)
    sequences = [[chance.choice([0, 1, *range(2, 12)]) for _ in range(chance.randint(0, 30))] for _ in range(200)]
    counts = np.zeros((12, 12))
    for ids in sequences:
        for here, one in enumerate(ids):
            for there in range(max(here - 5, 0), min(here + 6, len(ids))):
                if here != there and one > 1 and ids[there] > 1:
                    counts[one, ids[there]] += 1 / abs(here - there)
    smoothed = counts.sum(0) ** 0.75
    pmi = np.log(np.maximum(counts * smoothed.sum(), 1e-9) / np.maximum(np.outer(counts.sum(1), smoothed), 1e-9))
    left, sizes, _ = svds(np.maximum(pmi, 0), 4)
    expected = (left * sizes) @ left.T
    vectors = made(sequences, 12).astype(float)
    inner = vectors @ vectors.T
    np.testing.assert_allclose(inner / inner.max(), expected / expected.max(), atol=1e-4)


def test_texts_do_not_reach_each_other_and_pieces_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [[2, 3], [4, 5]] * 20
    vectors = made(texts, 6)
    assert cosine(vectors, 2, 4) == pytest.approx(0, abs=1e-4)
    monkeypatch.setattr(module, "CHUNK", 7)
    np.testing.assert_allclose(made(texts, 6), vectors, atol=1e-6)


def test_texts_are_read_once_and_whole() -> None:
    tokenizer = Tokenizer.fit(["one two three four five six"], max_length=2)
    assert tokenizer.encode_whole("six one none") == [7, 2, 1]
    assert tokenizer.encode_whole("") == []
    far = made(map(tokenizer.encode_whole, ["one two one two five six five six"] * 3), tokenizer.vocab_size)
    assert cosine(far, tokenizer.id_of("five"), tokenizer.id_of("one")) < 0.9


@pytest.mark.parametrize(
    "sequences",
    [[], [[]], [[2], [3], [1]], [[1, 1, 1], [0, 1]], [[2, 1, 1, 1, 1, 1, 3]], [[2, 2, 2]]],
    ids=["no text", "empty", "single tokens", "unknown ones", "far apart", "one word alone"],
)
def test_where_there_is_nothing_to_learn_vectors_are_random(sequences: list[list[int]]) -> None:
    vectors = made(sequences, 200, dim=8)
    assert vectors[2:].any(axis=1).all() and len(np.unique(vectors[2:], axis=0)) == 198
    assert vectors[2:].std() == pytest.approx(SPREAD, rel=0.1)
    assert not np.array_equal(vectors, made(sequences, 200, dim=8, seed=2))


def test_a_token_without_neighbours_gets_a_random_vector_among_the_others() -> None:
    texts = [[2, 3], [4, 5], [6]] * 20
    vectors, others = made(texts, 7, dim=3), made(texts, 7, dim=3, seed=2)
    assert vectors[6].any() and not np.array_equal(vectors[6], others[6])


@pytest.mark.parametrize("size", [2, 3, 4, 6])
def test_a_vocabulary_smaller_than_a_vector(size: int) -> None:
    texts = [list(range(2, size)), [2, *range(2, size)]]
    vectors = made(texts, size, dim=50)
    np.testing.assert_array_equal(vectors, made(texts, size, dim=50))


REPEATED = """
import hashlib, random
from rnn_cli.training.vectors import own_vectors
chance = random.Random(1)
texts = [[int(chance.paretovariate(0.5)) % 3000 for _ in range(100)] for _ in range(300)]
print(hashlib.sha256(own_vectors(texts, 3000, 64, seed=1).tobytes()).hexdigest())
"""


def test_equal_texts_give_equal_bytes_on_one_core_or_many() -> None:
    chance = random.Random(1)
    texts = [[int(chance.paretovariate(0.5)) % 3000 for _ in range(100)] for _ in range(300)]
    here = hashlib.sha256(own_vectors(texts, 3000, 64, seed=1).tobytes()).hexdigest()
    for threads in ("1", "4"):
        setting = os.environ | {"OPENBLAS_NUM_THREADS": threads}
        command = [sys.executable, "-c", REPEATED]
        assert subprocess.run(command, capture_output=True, text=True, check=True, env=setting).stdout.strip() == here
