"""Pieces of words: which there are, and that what they teach is folded into the words."""

import numpy as np
import pytest

from rnn_cli.arrays import Indices
from rnn_cli.config.schema import Config, ModelConfig
from rnn_cli.linear.ngrams import ngram_counts
from rnn_cli.linear.pieces import pieces_of_words
from rnn_cli.training.encoding import Encoded
from rnn_cli.training.ngrams import LinearModel, fit_linear

BUCKETS = 97
STEMS = ["warm", "kind", "brav", "gent", "slow", "dull", "flat", "grim"]
"""The first half tells the second class, with whichever ending."""
ENDINGS = [chr(97 + one) + chr(97 + two) for one in range(12) for two in range(12)]
WORDS = ["", "<OOV>", *(stem + ending for stem in STEMS for ending in ENDINGS)]


def rows(seed: int, count: int, labels: int = 2) -> Encoded:
    """Texts of one word each, of a stem that tells the class and an ending that does not."""
    chance = np.random.default_rng(seed)
    chosen: Indices = chance.integers(2, len(WORDS), count)
    stems = (chosen - 2) // len(ENDINGS)
    classes = stems if labels > 2 else (stems < len(STEMS) // 2).astype(np.intp)
    return Encoded([[int(each)] for each in chosen], classes, np.ones(count, np.float32))


def fitted(pieces: int, labels: int = 2, several: bool = False) -> LinearModel:
    config = ModelConfig(ngrams=1, ngram_buckets=BUCKETS, char_ngrams=pieces)
    train, validation = rows(1, 300, labels), rows(2, 300, labels)
    if several:
        train, validation = (
            Encoded(each.sequences, np.stack([each.classes, 1 - each.classes], axis=1), each.weights)
            for each in (train, validation)
        )
    more = {"vocab_size": len(WORDS), "classes": labels, "on_progress": lambda *_: None, "words": WORDS}
    return fit_linear(config, train, validation, **more)  # type: ignore[arg-type]


def right_on_others(model: LinearModel) -> float:
    others = rows(3, 1_000)
    counts = ngram_counts(others.sequences, longest=1, vocab_size=len(WORDS), buckets=BUCKETS)
    return float((((counts @ model.table + model.bias)[:, 0] > 0) == others.classes).mean())


def test_pieces_are_those_that_two_words_share() -> None:
    held = pieces_of_words(["", "<OOV>", "cat", "cats", "!!", "!!!"], 3)
    shared = {"<c", "ca", "at", "<ca", "cat"}  # not t> and s>, nor what marks have
    assert held.shape == (6, len(shared))
    assert held.toarray().sum(axis=1).tolist() == [0, 0, len(shared), len(shared), 0, 0]


def test_rare_words_share_what_is_learned() -> None:
    """Each of 1,152 words is in every fourth text or less, so most of the others' words are new."""
    assert right_on_others(fitted(0)) < 0.75
    assert right_on_others(fitted(5)) > 0.95


@pytest.mark.parametrize(("labels", "several"), [(2, False), (8, False), (2, True)])
def test_what_pieces_teach_is_in_the_table_of_the_words(labels: int, several: bool) -> None:
    model = fitted(4, labels, several)
    assert model.table.shape == (len(WORDS) + BUCKETS, 1 if labels == 2 and not several else labels)
    assert model.val_accuracy > 0.9
    validation = rows(2, 300, labels)
    counts = ngram_counts(validation.sequences, longest=1, vocab_size=len(WORDS), buckets=BUCKETS)
    logits = counts @ model.table + model.bias
    predicted = (logits[:, 0] > 0).astype(int) if logits.shape[1] == 1 else logits.argmax(axis=1)
    truth = 1 - validation.classes if several else validation.classes  # of each label the first flag
    assert (predicted == truth).mean() == pytest.approx(model.val_accuracy, abs=0.02)


@pytest.mark.parametrize(
    ("sections", "what"),
    [
        ({"model": {"char_ngrams": 4}}, "is for n-grams"),
        ({"model": {"char_ngrams": 4, "ngrams": 1}, "tokenizer": {"level": "char"}}, "tokenizer.level is char"),
        ({"model": {"char_ngrams": 4, "ngrams": 1, "base": "general"}}, "model.base exclude each other"),
    ],
)
def test_where_it_cannot_be(sections: dict[str, dict[str, object]], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        Config.model_validate({"data": {"source": "imdb"}, **sections})
