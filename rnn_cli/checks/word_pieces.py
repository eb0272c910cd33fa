"""Whether the n-grams of a config gain from pieces of words: where rows are few, and words are written with letters."""

from typing import Any

from rnn_cli.config.schema import Config

PIECES = 5
"""Characters of the longest pieces of words that n-grams learn from (`model.char_ngrams`)."""

MOST_TOKENS_IN_PIECES = 1_000_000
"""With more tokens the counts of pieces take more than about a GB, and pieces gain little."""

ALL_WORDS, ROWS_OF_ALL_WORDS = 50_000, 5_000
"""With pieces, words that occur once pay where rows are so few."""


def settings_of_pieces(config: Config, rows: int, length: int, *, may_grow: bool = True) -> dict[str, Any] | None:
    """The settings by which the n-grams of a config learn from pieces of words, too; None where that is not for it.

    `rows` is how many texts there are, of which most have at most `length` tokens; the vocabulary becomes larger only
    where it may.
    """
    model = config.model
    is_for = config.tokenizer.level == "word" and not (model.base or config.training.teacher or config.data.number)
    if not is_for or rows * min(length, config.tokenizer.max_length) > MOST_TOKENS_IN_PIECES:
        return None
    found: dict[str, Any] = {"model.char_ngrams": PIECES}
    if not model.ngrams:
        found["model.ngrams"] = 2
    if rows <= ROWS_OF_ALL_WORDS and may_grow:
        found["tokenizer.vocab_size"] = ALL_WORDS
    return found
