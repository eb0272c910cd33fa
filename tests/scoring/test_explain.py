"""What words do to an answer: what is told is what happens when they are left out."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_cli.config.schema import ModelConfig
from rnn_cli.network.build import build
from rnn_cli.network.onnx_export import to_onnx
from rnn_cli.scoring import explain as module
from rnn_cli.scoring.calibration import Calibration
from rnn_cli.scoring.explain import explain_texts, log_odds
from rnn_cli.scoring.prediction import Part
from rnn_cli.scoring.predictor import Predictor

BAD, GOOD = 0, 1


@pytest.fixture(scope="module")
def predictor(trained: Path) -> Predictor:
    return Predictor.open(trained)


def altered(trained: Path, **changes: object) -> Predictor:
    """The predictor with another reading of texts."""
    predictor = Predictor.open(trained)
    predictor.tokenizer = replace(predictor.tokenizer, **changes)  # type: ignore[arg-type]
    return predictor


def odds(predictor: Predictor, text: str, label: int) -> float:
    shares = predictor.score([text]).probabilities[0]
    return float(np.log(shares[label] / (1 - shares[label])))


def words(text: str, parts: Sequence[Part]) -> list[str]:
    return [text[part.start : part.end] for part in parts]


def test_a_weight_is_the_fall_of_the_log_odds_when_the_word_is_not_written(predictor: Predictor) -> None:
    text = "The warm, FUNNY zzqq film was dull!"
    (parts,) = explain_texts(predictor, [text], [GOOD])
    assert words(text, parts) == ["The", "warm", "FUNNY", "zzqq", "film", "was", "dull"]
    for part in parts:
        without = text[: part.start] + text[part.end :]
        fall = odds(predictor, text, GOOD) - odds(predictor, without, GOOD)
        assert part.weight == pytest.approx(fall, abs=1e-4)


def test_words_speak_for_the_label_they_teach_and_against_the_other(predictor: Predictor) -> None:
    text = "the film was splendid and the plot dreadful"
    good, bad = (explain_texts(predictor, [text], [label])[0] for label in (1, 0))
    for_good, for_bad = ({text[part.start : part.end]: part.weight for part in each} for each in (good, bad))
    assert max(for_good, key=for_good.__getitem__) == "splendid"
    assert min(for_good, key=for_good.__getitem__) == "dreadful"
    assert for_bad == pytest.approx({word: -weight for word, weight in for_good.items()}, abs=1e-6)


def test_the_answer_is_explained_unless_another_label_is_named(predictor: Predictor) -> None:
    texts = ["a warm film", "a dull film"]
    assert explain_texts(predictor, texts) == explain_texts(predictor, texts, [GOOD, BAD])
    assert all(max(part.weight for part in parts) > 0.5 for parts in explain_texts(predictor, texts))


def test_a_text_of_which_nothing_is_left_is_an_empty_one(predictor: Predictor) -> None:
    (alone,), none, (unknown,) = explain_texts(predictor, ["warm", " ,! ", "zzqq"], [GOOD] * 3)
    assert alone.weight == pytest.approx(odds(predictor, "warm", GOOD) - odds(predictor, "", GOOD), abs=1e-5)
    assert none == ()
    assert unknown == Part(0, 4, 0.0)  # an empty text is read as an unknown word


def test_the_log_odds_are_those_after_temperature(predictor: Predictor) -> None:
    plain, cooled = predictor.adjusted(calibration=Calibration()), predictor.adjusted(calibration=Calibration(4.0))
    (hot,), (cold,) = explain_texts(plain, ["a warm film"], [GOOD]), explain_texts(cooled, ["a warm film"], [GOOD])
    assert [4 * part.weight for part in cold] == pytest.approx([part.weight for part in hot], rel=1e-4)


def test_the_log_odds_are_those_after_vector_scaling(predictor: Predictor) -> None:
    plain = predictor.adjusted(calibration=Calibration())
    scaled = predictor.adjusted(calibration=Calibration(1.0, (0.5,), (2.0,)))
    (hot,), (cold,) = explain_texts(plain, ["a warm film"], [GOOD]), explain_texts(scaled, ["a warm film"], [GOOD])
    assert [2 * part.weight for part in cold] == pytest.approx([part.weight for part in hot], rel=1e-4)


@pytest.mark.parametrize(
    ("truncate", "read"),
    [("head", "a b c d e"), ("tail", "e f g h i"), ("both", "a b c h i")],
)
def test_what_is_cut_off_is_in_no_part(truncate: str, read: str, trained: Path) -> None:
    predictor, text = altered(trained, max_length=5, truncate=truncate), "a b c d e f g h i"
    assert words(text, explain_texts(predictor, [text])[0]) == read.split()
    for most in range(2, 5):
        joined = explain_texts(predictor, [text], most_parts=most)[0]
        assert len(joined) == most
        assert " ".join(words(text, joined)) == read


def test_neighbours_are_joined_and_left_out_together(predictor: Predictor) -> None:
    text = "a warm, funny film with a dull plot"
    (parts,) = explain_texts(predictor, [text], [GOOD], most_parts=3)
    assert words(text, parts) == ["a warm", "funny film with", "a dull plot"]
    for part in parts:
        fall = odds(predictor, text, GOOD) - odds(predictor, text[: part.start] + text[part.end :], GOOD)
        assert part.weight == pytest.approx(fall, abs=1e-4)
    assert explain_texts(predictor, [text], [GOOD], most_parts=8) == explain_texts(predictor, [text], [GOOD])
    with pytest.raises(ValueError, match="most_parts: expected at least 1, got 0"):
        explain_texts(predictor, [text], most_parts=0)


@given(length=st.integers(0, 30), read=st.integers(1, 30), most=st.integers(1, 12))
def test_parts_are_no_more_than_asked_of_about_equal_size_and_hold_what_is_read(
    length: int, read: int, most: int
) -> None:
    head = read - read // 2
    places = [*range(length)] if length <= read else [*range(head), *range(length - read // 2, length)]
    runs = module._runs([(2 * place, 2 * place + 1) for place in places], places, most)
    assert [token for first, stop in runs for token in range(first, stop)] == list(range(len(places)))
    middle_is_cut = length > read > 1
    assert len(runs) <= max(most, 2 if middle_is_cut else 1)
    assert len(runs) >= min(most, len(places))
    sizes = [stop - first for first, stop in runs]
    assert not sizes or max(sizes) <= 2 * -(-len(places) // most)
    assert all(places[stop - 1] - places[first] == stop - 1 - first for first, stop in runs)


def test_tokens_of_one_character_are_one_part(trained: Path) -> None:
    predictor = altered(trained, level="char")
    assert words("aİ b", explain_texts(predictor, ["aİ b"])[0]) == ["a", "İ", " ", "b"]


def test_it_matters_not_how_many_are_scored_at_once(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "the warm film was dull and the plot funny"
    together = explain_texts(predictor, [text, "warm"])
    monkeypatch.setattr(module, "TOKENS_AT_ONCE", 20)
    apart = explain_texts(predictor, [text]) + explain_texts(predictor, ["warm"])
    for one, other in zip(together, apart, strict=True):
        assert [part.weight for part in one] == pytest.approx([part.weight for part in other], abs=1e-5)
    assert explain_texts(predictor, []) == []


def test_of_three_labels_the_odds_are_against_the_others_together(trained: Path) -> None:
    predictor = Predictor.open(trained)
    config = ModelConfig(units=[4], embedding_dim=5, dense_units=[], ngrams=2, ngram_buckets=101)
    graph = to_onnx(build(config, vocab_size=predictor.tokenizer.vocab_size, classes=3, seed=1), config)
    manifest = replace(predictor.bundle.manifest, labels=("a", "b", "c"))
    predictor._opened, predictor.labels = replace(predictor.bundle, manifest=manifest), manifest.labels
    predictor._session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    text = "a warm film with a dull plot"
    for answer in range(3):
        for part in explain_texts(predictor, [text], [answer])[0]:
            fall = odds(predictor, text, answer) - odds(predictor, text[: part.start] + text[part.end :], answer)
            assert part.weight == pytest.approx(fall, abs=1e-5)


def test_the_strongest_words_matter_more_than_words_drawn_at_random(predictor: Predictor) -> None:
    texts = [
        "the film was splendid and the plot of it whole",
        "a dreadful evening with the actors and an ending",
        "music and scene of a lovely story it was",
        "the noisy plot was an evening of the whole film",
    ] * 5
    chance = np.random.default_rng(1)
    predicted = predictor.decision.choose(predictor.score(texts).probabilities).tolist()
    more = []
    for text, answer, parts in zip(texts, predicted, explain_texts(predictor, texts), strict=True):
        ids = predictor.tokenizer.encode(text)
        named = int(np.argmax([part.weight for part in parts]))
        drawn = int(chance.integers(len(ids)))
        with_random_left_out, with_named_left_out = log_odds(
            predictor, (ids[:place] + ids[place + 1 :] for place in (drawn, named)), answer
        )
        more.append(with_random_left_out - with_named_left_out)
    assert min(more) >= 0 and np.mean(more) > 1
