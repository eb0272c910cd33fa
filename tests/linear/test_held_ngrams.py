"""Which frequent n-grams a text holds: the same as counting them by hand."""

import random
from collections import Counter

import numpy as np

from rnn_cli.linear import held_ngrams as module
from rnn_cli.linear.held_ngrams import LEAST_TIMES, held_ngrams


def runs(words: list[str]) -> list[tuple[str, ...]]:
    return [tuple(words[at : at + length]) for length in (1, 2, 3) for at in range(len(words) - length + 1)]


def test_it_finds_what_counting_by_hand_finds(monkeypatch: object) -> None:
    monkeypatch.setattr(module, "TEXTS_A_CHUNK", 7)  # type: ignore[attr-defined]
    chance = random.Random(3)
    texts = [[f"w{int(chance.paretovariate(0.8)) % 40}" for _ in range(chance.randint(0, 15))] for _ in range(60)]
    times = Counter(run for text in texts for run in runs(text))
    frequent = {run for run, often in times.items() if often >= LEAST_TIMES[len(run) - 1]}
    held = held_ngrams([", ".join(text).upper() for text in texts])
    assert held.shape == (60, len(frequent))
    expected = sorted(sorted(row for row, text in enumerate(texts) if run in runs(text)) for run in frequent)
    columns = held.tocsc()
    found = sorted(
        sorted(columns.indices[columns.indptr[at] : columns.indptr[at + 1]].tolist()) for at in range(len(frequent))
    )
    assert found == expected and set(held.data.tolist()) == {1}
    assert {len(run) for run in frequent} == {1, 2, 3}


def test_frequent_ngrams_come_first_and_only_so_many_are_kept(monkeypatch: object) -> None:
    texts = ["a"] * 9 + ["a b"] * 6 + ["c"] * 4
    assert np.diff(held_ngrams(texts).tocsc().indptr).tolist() == [15, 6, 6, 4]
    monkeypatch.setattr(module, "MOST_NGRAMS", 2)  # type: ignore[attr-defined]
    assert np.diff(held_ngrams(texts).tocsc().indptr).tolist() == [15, 6]


def test_texts_without_words_in_common_hold_nothing() -> None:
    assert held_ngrams(["one", "two", "", "?!"]).shape == (4, 0)
