"""Where in a text its tokens stand. Knows nothing of ids.

Whatever the level, a text's tokens hold all characters of the cleaned text but blanks, in order. So counting them
tells which are whose, and splitting, which must be fast, need not keep account of places.
"""

from collections.abc import Callable, Iterable

from rnn_cli.text.splitting import WORD_START

Span = tuple[int, int]
"""A token's characters: text[start:end]."""


def find(text: str, tokens: Iterable[str], clean: Callable[[str], str], blank: Callable[[str], bool]) -> list[Span]:
    """Each token's `Span`; `tokens` are all that splitting found in `text`, `blank` tells what lies between them.

    Two tokens may share a character: "İ" has two in lower case. A token without any, such as the piece that only says
    that a word begins, has the span of the character after it.
    """
    cleaned = clean(text)
    origins: Iterable[int] = range(len(text))
    if len(cleaned) > len(text):
        origins = (place for place, character in enumerate(text) for _ in character.lower())
    solid = [place for place, character in zip(origins, cleaned, strict=True) if not blank(character)]
    if not solid:
        return [(0, len(text)) for _ in tokens]
    spans, done, last = [], 0, len(solid) - 1
    for token in tokens:
        # Cleaned, since a word that is written as the unknown token is given as that, in its own case.
        length = sum(not blank(character) for character in clean(token))
        spans.append((solid[min(done, last)], solid[min(done + max(length, 1) - 1, last)] + 1))
        done += length
    return spans


def blanks(level: str, punctuation: str) -> Callable[[str], bool]:
    """The function that tells whether a character of a cleaned text stands between its tokens."""
    if level == "char":
        return lambda character: False
    if level == "word" and punctuation == "drop":
        return lambda character: character == " "
    if level == "subword":  # which reads the sign of a word's start as a space
        return lambda character: character.isspace() or character == WORD_START
    return str.isspace
