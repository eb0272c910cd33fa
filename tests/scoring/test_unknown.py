"""A warning where far more tokens are unknown than usual, the same for sentences, files and labelled rows."""

from pathlib import Path

import pytest

from rnn_cli.bundle.model_folder import Bundle
from rnn_cli.data.rows import Dataset
from rnn_cli.evaluation.evaluate import evaluate_predictor
from rnn_cli.scoring.pool import score_each
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.scoring.unknown import UnknownTokens, warning_of
from rnn_cli.text.tokenizer import Tokenizer

USUAL = UnknownTokens(10_000, 300)


@pytest.mark.parametrize(
    ("here", "warns"),
    [
        ((10, 3), False),  # one sentence, by chance
        ((10, 8), True),
        ((3, 1), False),
        ((1000, 60), False),  # twice the usual share is still few
        ((1000, 120), False),
        ((1000, 250), True),
        ((0, 0), False),
    ],
)
def test_it_warns_of_a_share_that_is_far_above_the_usual(here: tuple[int, int], warns: bool) -> None:
    assert UnknownTokens(*here).is_far_above(USUAL) == warns
    assert (warning_of(UnknownTokens(*here), USUAL) is not None) == warns
    assert warning_of(UnknownTokens(*here), None) is None


def test_it_names_both_shares() -> None:
    assert warning_of(UnknownTokens(100, 61), USUAL) == (
        "61% of the tokens are unknown to the model, 3% in its validation texts; "
        "are these texts of the same language and kind?"
    )


def test_a_model_keeps_the_share_of_its_validation_texts(trained: Path) -> None:
    opened = Bundle.open(trained)
    usual = Predictor.open(trained).usual_unknown
    assert usual is not None and 0 <= usual.unknown < usual.read
    assert opened.manifest.data["unknown_tokens"] == usual.to_dict()


@pytest.mark.parametrize("entry", [{}, None, 3, {"read": 1}, {"read": "x", "unknown": 1}, {"read": -1, "unknown": 0}])
def test_a_forged_share_is_none(entry: object) -> None:
    assert UnknownTokens.of_manifest({"unknown_tokens": entry}) is None


@pytest.mark.parametrize("level", ["word", "char"])
def test_texts_without_tokens_have_none_wherever_they_are_counted(trained: Path, level: str) -> None:
    predictor = Predictor.open(trained)
    if level == "char":  # to which spaces are tokens; the graph reads any ids
        predictor.tokenizer = Tokenizer.fit(["a warm film"], level="char", vocab_size=30)
    texts = ["", "  ", "\u00a0", "!!", "warm zzqq", "zzqq"]
    read = sum(len(predictor.tokenizer.encode_whole(text)) for text in texts)
    unknown = sum(predictor.tokenizer.encode_whole(text).count(1) for text in texts)
    expected = UnknownTokens(read, unknown)
    assert predictor.score(texts).tokens == expected
    assert (
        evaluate_predictor(predictor, Dataset("x.csv", texts, ["good"] * 6, list(range(6)))).scores.tokens == expected
    )
    (scored,) = (scores for _, scores in score_each(predictor, [texts], lambda item: item))
    assert scored.tokens == expected
    if level == "word":
        assert expected == UnknownTokens(3, 2)
