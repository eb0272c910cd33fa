"""Texts without labels: lines of plain files, and a sample by chance where there are too many."""

import random
from pathlib import Path

import pytest

from rnn_cli.config.schema import DataConfig
from rnn_cli.data import unlabelled as module
from rnn_cli.data.source import iterate_texts
from rnn_cli.data.unlabelled import load_unlabelled


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def texts(count: int) -> list[str]:
    return [f"text number {number} of many" for number in range(count)]


def loaded(lines: list[str]) -> list[str]:
    Path("more.txt").write_text("\n".join(lines), encoding="utf-8")
    found = load_unlabelled(DataConfig(unlabelled="more.txt"), ["a labelled text"])
    assert found.found == len(lines) and found.left_out == 0
    return found.texts


def test_each_line_that_is_not_blank_is_a_text_as_it_stands() -> None:
    lines = ['one, two; "three', "label\ttext", "", "   ", "'four'", "fünf"]
    Path("a.txt").write_bytes("\ufeff".encode() + "\r\n".join(lines).encode())
    assert list(iterate_texts("a.txt", DataConfig())) == ['one, two; "three', "label\ttext", "'four'", "fünf"]


def test_of_too_many_a_sample_is_kept_that_is_bounded_in_order_and_the_same_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    every = texts(3_000)
    assert loaded(every) == every
    monkeypatch.setattr(module, "MOST_UNLABELLED", 40_000)
    kept = loaded(every)
    assert 195 <= len(kept) <= 200
    assert kept == sorted(kept, key=every.index) == loaded(every)
    shuffled = random.Random(1).sample(every, len(every))
    assert set(loaded(shuffled)) == set(kept)
    # By chance: neither the first nor the last.
    places = [every.index(text) for text in kept]
    assert 1_100 < sum(places) / len(places) < 1_900


def test_no_more_than_twice_the_sample_is_ever_held(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = module._Sample(10_000)
    for text in texts(5_000):
        sample.take(text, text)
        assert 200 * len(sample._kept) <= 20_000
    assert sample.seen == 5_000


def test_copies_are_kept_or_left_out_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_UNLABELLED", 40_000)
    kept = loaded([*texts(1_000), *texts(1_000)])
    assert sorted(kept) == sorted(2 * list(dict.fromkeys(kept)))
