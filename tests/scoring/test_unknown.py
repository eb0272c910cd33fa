"""A warning where far more tokens are unknown than usual, the same for sentences, files and labelled rows."""

from pathlib import Path

import pytest

from rnn_cli.bundle.model_folder import Bundle
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.scoring.unknown import UnknownTokens, warning_of

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


def test_blank_texts_have_no_tokens(trained: Path) -> None:
    texts = ["", "  ", "\u00a0"]
    assert Predictor.open(trained).score(texts).tokens.without_blank(texts) == UnknownTokens()
