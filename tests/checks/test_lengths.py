"""What is suggested for max_length and vocab_size must do what it says."""

import random

import pytest

from rnn_cli.checks.lengths import find_lengths, fit_tokenizer, measure_lengths
from rnn_cli.config.schema import TokenizerConfig

CHANCE = random.Random(3)
TEXTS = [" ".join(f"w{int(CHANCE.paretovariate(0.7))}" for _ in range(CHANCE.randint(1, 60))) for _ in range(200)]


@pytest.mark.parametrize("share", [0.95, 0.99])
def test_the_suggestions_are_the_least_that_keep_so_much(share: float) -> None:
    config = TokenizerConfig()
    lengths = measure_lengths(TEXTS, fit_tokenizer(TEXTS, config), config)
    assert lengths.vocab_size is not None

    def at(**settings: int) -> tuple[float, float]:
        tried = TokenizerConfig(**settings)
        found = measure_lengths(TEXTS, fit_tokenizer(TEXTS, tried), tried)
        return 1 - found.cut, 1 - found.unknown

    longest, size = lengths.max_length[share], lengths.vocab_size[share]
    assert at(max_length=longest)[0] >= share > at(max_length=longest - 1)[0]
    assert at(vocab_size=size)[1] >= share > at(vocab_size=size - 1)[1]


def test_what_the_config_leaves_unread_is_counted() -> None:
    config = TokenizerConfig(max_length=3, vocab_size=4)
    texts = ["a a a a b", "a b c", "a"]
    lengths = measure_lengths(texts, fit_tokenizer(texts, config), config)
    assert (lengths.cut, lengths.lost, lengths.unknown) == (1 / 3, 2 / 9, 1 / 9)
    assert [each.name for each in find_lengths(lengths)] == ["long texts", "unknown words"]


@pytest.mark.parametrize("truncate", ["head", "both"])
def test_what_the_config_does_already_is_not_advised(truncate: str) -> None:
    config = TokenizerConfig.model_validate({"max_length": 2, "truncate": truncate})
    [long, *_] = find_lengths(measure_lengths(["a b c"], fit_tokenizer(["a b c"], config), config))
    assert ("truncate: both" in long.hint) is (truncate == "head")


def test_characters_are_counted_at_level_char() -> None:
    config = TokenizerConfig(level="char")
    lengths = measure_lengths(["ab c"], fit_tokenizer(["ab c"], config), config)
    assert lengths.tokens == 4
