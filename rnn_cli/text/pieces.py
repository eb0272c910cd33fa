"""Splits a text into pieces of words by byte-pair encoding, with the merges that `rnn_cli.text.subword` learned.

Gives the pieces of Hugging Face `tokenizers`, which is not needed here and would not be faster. Knows nothing of ids or
files.

Source: Sennrich, Haddow and Birch (2016), Neural machine translation of rare words with subword units.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from heapq import heapify, heappop, heappush
from itertools import pairwise

from rnn_cli.text.splitting import WORD_START, Split

Merges = Sequence[tuple[str, str]]
"""Pairs of pieces to join, in the order they were learned."""

WORDS_KEPT = 1 << 16
"""The number of words whose pieces are cached: most words of texts are few and repeat."""

KEPT_LENGTH = 40
"""The longest word that is cached, in characters."""

_WORD = re.compile(f"{WORD_START}[^{WORD_START}]*")
_WORD_KINDS = frozenset("Lu Ll Lt Lm Lo Nl Mn Mc Me Nd Pc".split())
_WORD_TOO = re.compile("[\u200c\u200dⒶ-ⓩ🄰-🅉🅐-🅩🅰-🆉]")


def piece_splitter(unknown: str, merges: Merges, *, clean: Callable[[str], str], reserved: Collection[str]) -> Split:
    """The function that splits a text into pieces; `unknown` is the unknown token.

    A character without merges is a token. A word in `reserved` is one unknown token, and so is the text `unknown` with
    no letter, mark or digit beside it.
    """
    ranks = {pair: rank for rank, pair in enumerate(merges)}

    @lru_cache(WORDS_KEPT)
    def cached(word: str) -> tuple[str, ...]:
        return tuple(_merged(word, ranks))

    def split(text: str) -> list[str]:
        plain = " ".join(unknown if word in reserved else word for word in clean(text).split())
        tokens: list[str] = []
        for part in _parts(plain, unknown):
            if part == unknown:
                tokens.append(part)
                continue
            marked = part if not part or part[0] in (" ", WORD_START) else WORD_START + part
            for word in _WORD.findall(marked.replace(" ", WORD_START)):
                tokens += cached(word) if len(word) <= KEPT_LENGTH else _merged(word, ranks)
        return tokens

    return split


def _merged(word: str, ranks: Mapping[tuple[str, str], int]) -> list[str]:
    """The pieces of a word: joins, of all neighbouring pairs, the one learned first."""
    parts, end = list(word), len(word)
    before, after = list(range(-1, end - 1)), list(range(1, end + 1))
    queue = [(ranks[pair], at, "".join(pair)) for at, pair in enumerate(pairwise(parts)) if pair in ranks]
    heapify(queue)
    while queue:
        _, at, joined = heappop(queue)
        right = after[at]
        if right == end or (parts[at], parts[right]) not in ranks or parts[at] + parts[right] != joined:
            continue  # one of the two has been joined with another
        parts[at], parts[right], after[at] = joined, "", after[right]
        if after[at] < end:
            before[after[at]] = at
        for left, right in ((before[at], at), (at, after[at])):
            if left >= 0 and right < end and (pair := (parts[left], parts[right])) in ranks:
                heappush(queue, (ranks[pair], left, "".join(pair)))
    return [part for part in parts if part]


def _parts(plain: str, unknown: str) -> Iterator[str]:
    """The separate unknown tokens in a text and the text between them, without one space beside each."""
    start = 0
    for found in re.finditer(re.escape(unknown), plain):
        begin, end = found.span()
        if not any(map(_in_word, plain[max(begin - 1, 0) : begin] + plain[end : end + 1])):
            yield plain[start:begin].removesuffix(" ")
            yield unknown
            start = end + plain.startswith(" ", end)
    yield plain[start:]


def _in_word(character: str) -> bool:
    """Whether a character beside the unknown token joins it to a word: letters, marks, digits, ties (UTS #18)."""
    return unicodedata.category(character) in _WORD_KINDS or _WORD_TOO.match(character) is not None
