"""Document vectors: alike for texts alike, the same on any number of cores, by the gradient of their loss."""

import random

import numpy as np
import pytest
from scipy import sparse

from rnn_cli.linear.held_ngrams import held_ngrams
from rnn_cli.training import documents
from rnn_cli.training.documents import DEALT_PARTS, SHARPNESS, _draw, document_vectors


def of_two_subjects(texts: int) -> list[str]:
    """Every other text is of one subject. Each draws on 40 words of its subject, and on 20 that all have."""
    chance = random.Random(4)
    words = [[f"{subject}{number}" for number in range(40)] for subject in "ab"]
    shared = [f"s{number}" for number in range(20)]
    return [" ".join(chance.choices(words[row % 2], k=8) + chance.choices(shared, k=8)) for row in range(texts)]


def test_texts_of_one_subject_lie_in_like_directions() -> None:
    vectors = document_vectors(held_ngrams(of_two_subjects(600)), dim=16, epochs=20, seed=1)
    cosines = vectors @ vectors.T
    alike = np.add.outer(np.arange(600), np.arange(600)) % 2 == 0
    apart = ~np.eye(600, dtype=bool)
    assert cosines[alike & apart].mean() > cosines[~alike].mean() + 0.15


@pytest.mark.parametrize("cores", [2, 7])
def test_the_number_of_cores_changes_nothing(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    held = held_ngrams(of_two_subjects(300))
    monkeypatch.setattr(documents, "cores", lambda: 1)
    alone = document_vectors(held, dim=8, epochs=3, seed=5)
    monkeypatch.setattr(documents, "cores", lambda: cores)
    assert document_vectors(held, dim=8, epochs=3, seed=5).tobytes() == alone.tobytes()
    assert document_vectors(held, dim=8, epochs=3, seed=6).tobytes() != alone.tobytes()


def test_vectors_have_unit_length_and_a_text_without_ngrams_none() -> None:
    texts = of_two_subjects(200)
    vectors = document_vectors(held_ngrams([*texts, "unheard"]), dim=8, epochs=2, seed=1)
    assert np.linalg.norm(vectors[:-1], axis=1) == pytest.approx(1, abs=1e-5)
    assert not vectors[-1].any()


def test_too_few_ngrams_teach_nothing() -> None:
    held = sparse.csr_matrix(np.ones((5, DEALT_PARTS - 1), np.int8))
    assert document_vectors(held, dim=3, epochs=2, seed=1).tolist() == [[0.0] * 3] * 5


def test_progress_ends_where_all_is_read() -> None:
    seen: list[tuple[int, int]] = []
    document_vectors(held_ngrams(of_two_subjects(90)), dim=4, epochs=3, seed=1, on_progress=lambda *at: seen.append(at))
    assert seen[-1] == (270, 270) and seen == sorted(seen)


@pytest.mark.parametrize("target", [0.0, 1.0])
def test_a_step_follows_the_gradient_of_the_log_loss(target: float) -> None:
    chance = np.random.default_rng(2)
    pair = chance.normal(size=(2, 6))

    def loss(both: np.ndarray) -> float:
        one, other = both
        odds = SHARPNESS * (one @ other) / np.sqrt((one @ one) * (other @ other))
        return float(np.logaddexp(0, odds) - target * odds)

    slope = np.zeros_like(pair)
    for at in np.ndindex(*pair.shape):
        step = np.zeros_like(pair)
        step[at] = 1e-5
        slope[at] = (loss(pair + step) - loss(pair - step)) / 2e-5
    moved = pair.astype(np.float32)
    _draw(moved[0], moved[1], np.float32(target), np.float32(0.01))
    assert moved == pytest.approx(pair - 0.01 * slope, abs=1e-5)
