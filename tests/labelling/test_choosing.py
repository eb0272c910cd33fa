"""Which texts are asked, which are copies, and what figures say: by hand."""

from pathlib import Path

import numpy as np
import pytest

from rnn_cli.config.schema import DataConfig
from rnn_cli.errors import DataError, UsageError
from rnn_cli.labelling.answers import Answer
from rnn_cli.labelling.choosing import parse_hints, search_order, spread_order, test_order, unsure_order
from rnn_cli.labelling.figures import MeasuredShare, agreement, per_minute
from rnn_cli.labelling.learner import LoopModel, Opinion
from rnn_cli.labelling.texts import join_copies, read_pool
from rnn_cli.labelling.vectors import TextVectors
from tests.labelling.conftest import made

test_order.__test__ = False  # type: ignore[attr-defined]  # it is no test


def test_copies_and_near_copies_are_asked_once_and_weigh_more() -> None:
    long = "a warm and funny film with a clever plot and a lovely cast in every scene"
    texts = join_copies("x", ["Warm film!", "", "warm film", "dull", f"{long} of it", long, "...", "DULL", "dull."])
    assert texts.pool.tolist() == [0, 3, 4, 6]
    assert texts.weights.tolist() == [2, 3, 2, 1]
    assert [texts.stands_for(row) for row in (0, 2, 7, 5)] == [0, 0, 3, 4]
    assert texts.copies(8) == 3 and texts.copies(5) == 1


def test_of_many_texts_a_random_sample_is_the_pool() -> None:
    texts = join_copies("x", [text for text, _ in made(300)], most=100)
    assert len(texts.pool) <= 100 and (np.diff(texts.pool) > 0).all()
    assert 100 < texts.pool.mean() < 200  # of all of the file, not its beginning


@pytest.mark.parametrize(
    ("name", "content"), [("a.csv", "text\nwarm\nWarm!\n"), ("a.txt", "warm\n\n"), ("a.csv", "text\n")]
)
def test_a_file_without_two_texts_is_refused(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError):
        read_pool(str(tmp_path / name), DataConfig())


@pytest.mark.parametrize("source", ["-", "https://example.org/a.csv"])
def test_what_is_no_file_here_is_refused(source: str) -> None:
    with pytest.raises(UsageError, match="save it"):
        read_pool(source, DataConfig())


def test_a_tenth_is_kept_by_chance() -> None:
    kept = test_order(205, 1)
    assert len(set(kept.tolist())) == len(kept) == 21
    assert kept.tolist() == test_order(205, 1).tolist() != test_order(205, 2).tolist()
    assert 60 < kept.mean() < 145


def test_the_first_texts_are_of_all_kinds() -> None:
    chance = np.random.default_rng(0)
    middles = np.array([[9, 0], [0, 9], [-9, 0], [0, -9]])
    dense = (np.repeat(middles, (40, 30, 20, 10), axis=0) + chance.normal(0, 0.5, (100, 2))).astype(np.float32)
    may_ask = np.ones(100, bool)
    may_ask[:40:2] = False
    chosen = spread_order(dense, may_ask, 4, 1)
    assert [np.searchsorted([40, 70, 90], row, side="right") for row in chosen] in ([1, 0, 2, 3], [1, 2, 0, 3])
    assert may_ask[chosen].all()
    assert sorted(spread_order(dense[:5], np.array([True, False, True, True, False]), 4, 1)) == [0, 2, 3]


def test_the_unsure_ones_are_asked_but_not_twice_the_same() -> None:
    sure = np.array([0.5, 0.51, 0.52, 0.99, 0.97])
    opinion = Opinion(("a", "b"), np.stack([sure, 1 - sure], axis=1), 9, None)  # type: ignore[arg-type]
    np.testing.assert_allclose(opinion.margins, [0, 0.02, 0.04, 0.98, 0.94])
    dense = np.array([[1, 0], [1, 0.01], [0, 1], [1, 1], [1, 1]], np.float32)
    assert unsure_order(opinion, dense, np.ones(5, bool), [])[:2] == [0, 2]
    assert unsure_order(opinion, dense, np.array([False, True, True, True, True]), [0])[0] == 2


def test_a_hint_names_a_label_and_words() -> None:
    found = parse_hints(["refund: refund|money back"], ["refund", "other"])
    assert found["refund"].search("I want my MONEY back")
    for hint in ("refund", "refund:", ": x", "none: x", "refund: ("):
        with pytest.raises(UsageError, match="--hint"):
            parse_hints([hint], ["refund", "other"])


def test_words_find_texts_and_those_near_to_them() -> None:
    texts = [text for text, _ in made(100)]
    vectors = TextVectors.of(texts[10:], None)
    holding, near = search_order("Warm, FILM", texts, vectors, range(10, 100))
    assert holding == [at for at, text in enumerate(texts) if {"warm", "film"} <= set(text.split())] != []
    assert not set(near) & set(holding) and min(near) >= 10
    assert {"warm", "film"} & set(texts[near[0]].split())
    assert search_order("?!", texts, vectors, range(10, 100)) == ([], [])


def test_the_model_learns_what_words_tell() -> None:
    rows = made(200)
    learner = LoopModel(TextVectors.of([text for text, _ in rows[:150]], None))
    assert learner.fit(["bad", "good"], {0: "good"}) is None
    opinion = learner.fit(["bad", "good"], {at: rows[at][1] for at in range(60)})
    assert opinion is not None and opinion.rows == 60
    for number in range(150, 200):
        learner.add(number, rows[number][0])
    right = [
        opinion.labels[int(each.argmax())] == rows[at][1]
        for at, each in zip(range(100, 200), learner.probabilities(opinion, range(100, 200)), strict=True)
    ]
    assert np.mean(right) > 0.95
    np.testing.assert_allclose(learner.probabilities(opinion, [3, 99]), opinion.probabilities[[3, 99]], atol=1e-9)
    words_for, words_against = learner.words_for(opinion, "a lovely film with a dull plot", 1)
    assert words_for[0] == "lovely" and words_against[0] == "dull"


def test_what_stops_the_model_is_raised_where_it_is_asked() -> None:
    learner = LoopModel(TextVectors.of([text for text, _ in made(20)], None))
    learner.learn(["a", "b"], {0: "a", 1: "b"})
    learner.wait()
    assert learner.latest is not None
    learner.learn(["a", "b"], {0: "a", 99_999: "b"})
    learner.wait()
    with pytest.raises(IndexError):
        _ = learner.latest
    learner.close()


def test_shares_by_hand() -> None:
    found = MeasuredShare.of([True] * 8 + [False] * 2)
    assert found is not None and found.share == 0.8 and found.rows == 10
    assert (round(found.low, 3), round(found.high, 3)) == (0.490, 0.964)  # Wilson's, widened above as 2 are wrong
    weighted = MeasuredShare.of([True, False], [3, 1])
    assert weighted is not None and weighted.share == 0.75 and weighted.rows == 2
    assert MeasuredShare.of([]) is None


def test_only_guesses_that_nobody_saw_agree() -> None:
    seen, unseen = Answer(1, "a", "", "a", True, 2.0), Answer(2, "a", "", "b", False, 4.0)
    skipped, none = Answer(3, None, "", "a", False, 60.0), Answer(4, "a", "", None, False, 0.0)
    found = agreement([seen, skipped, none, unseen])
    assert found is not None and found.rows == 1 and found.share == 0
    assert agreement([seen, skipped]) is None
    assert per_minute([seen, skipped, none, unseen]) == 15
