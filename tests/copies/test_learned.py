"""The hashes of the texts that a model learned from."""

import numpy as np
import pytest

from rnn_cli.copies import learned
from rnn_cli.copies.learned import UNKNOWN_TEXTS, LearnedTexts
from rnn_cli.copies.words import cleaned

TEXTS = [f"text number {row}, and more" for row in range(300)]
OTHERS = [f"another text, number {row}" for row in range(2_000)]


@pytest.mark.parametrize(
    "form", ["TEXT NUMBER 7 AND MORE", "  text  number\n7: and more!", "Text number 7, \u201cand more\u201d"]
)
def test_case_marks_and_spaces_make_no_difference(form: str) -> None:
    assert LearnedTexts.of(TEXTS).knows([form, "text number 7 and"]).tolist() == [True, False]


def test_texts_without_words_are_told_apart() -> None:
    assert cleaned(" ?! ") == "?!" != cleaned("!")


def test_the_hashes_are_sorted_one_a_text_and_survive_the_file() -> None:
    found = LearnedTexts.of([*TEXTS, *TEXTS])
    assert len(found.hashes) == 300 and (np.diff(found.hashes.astype(object)) > 0).all()
    content = found.to_bytes()
    assert len(content) == 32 + 8 * 300
    assert b"text" not in content
    again = LearnedTexts.from_bytes(content)
    assert again.is_whole and again.knows(TEXTS).all() and not again.knows(OTHERS).any()
    assert not LearnedTexts.of([]).knows(TEXTS).any()


def test_many_texts_are_a_filter_of_ten_bits_each_that_knows_them_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learned, "MOST_HASHES", 100)
    found = LearnedTexts.from_bytes(LearnedTexts.of(TEXTS).to_bytes())
    assert len(found.hashes) == 0 and sum(map(len, found.filters)) * 64 < 10 * 300 + 64
    assert found.knows(TEXTS).all()
    assert found.knows(OTHERS).mean() < 0.03
    further = LearnedTexts.from_bytes(LearnedTexts.of(OTHERS[:50], found).to_bytes())
    assert further.knows([*TEXTS, *OTHERS[:50]]).all()
    assert further.knows(OTHERS[50:]).mean() < 0.03


def test_what_an_earlier_model_learned_is_kept_and_what_is_unknown_stays_so() -> None:
    both = LearnedTexts.of(OTHERS[:10], LearnedTexts.of(TEXTS))
    assert both.knows([*TEXTS, *OTHERS[:10]]).all()
    assert not LearnedTexts.from_bytes(LearnedTexts.of(TEXTS, UNKNOWN_TEXTS).to_bytes()).is_whole


@pytest.mark.parametrize("change", [b"", b"x" * 32, b"x" * 7])
def test_other_bytes_are_refused(change: bytes) -> None:
    with pytest.raises(ValueError):
        LearnedTexts.from_bytes(change)
    content = LearnedTexts.of(TEXTS).to_bytes()
    for damaged in (content[:-8], content + bytes(8), content[:32] + content[-8:] + content[40:]):
        with pytest.raises(ValueError):
            LearnedTexts.from_bytes(damaged)
