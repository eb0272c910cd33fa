"""A text's tokens at the levels that need no library: words, characters, sentences.

Knows nothing of ids, vocabularies or files.
"""

import re
from collections.abc import Callable

from rnn_cli.text.marks import words_and_marks

Split = Callable[[str], list[str]]
"""Reads a text and answers its tokens, in order; none of them is empty."""

WORD_FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
"""Keras's default: punctuation but the apostrophe, tabs and line ends. A word level reads them as spaces."""

WORD_START = "▁"
"""Subword level: begins the piece that begins a word, so "in" and the end of "cabin" are two pieces."""

_SENTENCE_END = re.compile(
    r"(?<=[.!?…])\s+"  # a mark and a space: "3.5" and "rnn.org" hold none
    r"|(?<=[.!?…][\"'”’»)\]])\s+"  # the same with a closing quote or bracket between
    r"|(?<=[。！？])(?![。！？])"  # Chinese and Japanese write no space after their marks
    r"|[\r\n]+"
)


def cleaner(*, lowercase: bool, filters: str) -> Callable[[str], str]:
    """A function that lower-cases a text, then makes each character of `filters` a space.

    A lone surrogate, which no UTF-8 file can hold, is read as "?".
    """
    # One pass of `bytes.translate` costs an eighth of `str.lower` and `str.translate` together. Bytes from
    # 128 up are parts of longer UTF-8 sequences and stay as they are, so only ASCII filters can go this way.
    spaces = bytes(ord(" ") if chr(byte) in filters and byte < 128 else byte for byte in range(256))
    lower_and_spaces = bytes(range(256)).lower().translate(spaces) if lowercase else spaces
    beyond_ascii = str.maketrans({character: " " for character in filters if not character.isascii()})

    def clean(text: str) -> str:
        if text.isascii():
            return text.encode().translate(lower_and_spaces).decode()
        if lowercase:
            text = text.lower()
        text = text.encode("utf-8", "replace").translate(spaces).decode()
        return text.translate(beyond_ascii) if beyond_ascii else text

    return clean


def splitter(level: str, clean: Callable[[str], str], punctuation: str) -> Split:
    """The function that splits a text at `level`: "word", "char" or "sentence".

    - word: the cleaned text between plain spaces, as Keras's `Tokenizer` does; other white space (a
      non-breaking space, say) belongs to the word. If `punctuation` is "keep": its words and marks, between
      white space of any kind.
    - char: every code point of the cleaned text, spaces too.
    - sentence: the text between line ends and sentence marks (. ! ? … before white space, 。 ！ ？ anywhere).
      Each sentence keeps its mark and is cleaned by itself, so that filtering "." does not join sentences;
      its runs of white space become one space.
    """
    if level == "word" and punctuation == "keep":
        return lambda text: words_and_marks(clean(text))
    if level == "word":
        return lambda text: list(filter(None, clean(text).split(" ")))
    if level == "char":
        return lambda text: list(clean(text))
    if level == "sentence":
        return lambda text: _sentences(text, clean)
    raise ValueError(f"no such level: {level}")


def _sentences(text: str, clean: Callable[[str], str]) -> list[str]:
    parts = (" ".join(clean(part).split()) for part in _SENTENCE_END.split(text))
    return [part for part in parts if part]
