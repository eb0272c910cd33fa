"""Pieces of words by byte-pair encoding (Sennrich et al., 2016): a text to pieces of a vocabulary that was learned.

`rnn_cli.text.subword` learns it. The pieces are those of Hugging Face `tokenizers`, which is not needed here and would
be no faster. Knows nothing of ids or files.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from heapq import heapify, heappop, heappush
from itertools import pairwise

from rnn_cli.text.splitting import WORD_START, Split

Merges = Sequence[tuple[str, str]]
"""Which two pieces became one, in the order they were learned."""

WORDS_KEPT = 1 << 16
"""Words whose pieces are remembered: most of a text's words are few and come again."""

KEPT_LENGTH = 40
"""Characters of the longest word that is remembered."""

_WORD = re.compile(f"{WORD_START}[^{WORD_START}]*")
_WORD_KINDS = frozenset("Lu Ll Lt Lm Lo Nl Mn Mc Me Nd Pc".split())
_WORD_TOO = re.compile("[\u200c\u200dⒶ-ⓩ🄰-🅉🅐-🅩🅰-🆉]")


def piece_splitter(unknown: str, merges: Merges, *, clean: Callable[[str], str], reserved: Collection[str]) -> Split:
    """The function that splits a text into pieces; `unknown` is the token that stands for what is unknown.

    A character of no merge is a token of its own. A word in `reserved` is one unknown token, and so is `unknown`
    where no letter, mark or digit stands beside it.
    """
    ranks = {pair: rank for rank, pair in enumerate(merges)}

    @lru_cache(WORDS_KEPT)
    def remembered(word: str) -> tuple[str, ...]:
        return tuple(_merged(word, ranks))

    def split(text: str) -> list[str]:
        plain = " ".join(unknown if word in reserved else word for word in clean(text).split())
        tokens: list[str] = []
        for part in _parts(plain, unknown):
            if part == unknown:
                tokens.append(part)
                continue
            begun = part if not part or part[0] in (" ", WORD_START) else WORD_START + part
            for word in _WORD.findall(begun.replace(" ", WORD_START)):
                tokens += remembered(word) if len(word) <= KEPT_LENGTH else _merged(word, ranks)
        return tokens

    return split


def _merged(word: str, ranks: Mapping[tuple[str, str], int]) -> list[str]:
    """The pieces of a word: of all pairs of neighbours, the one learned first is joined first."""
    parts, end = list(word), len(word)
    before, after = list(range(-1, end - 1)), list(range(1, end + 1))
    queue = [(ranks[pair], at, "".join(pair)) for at, pair in enumerate(pairwise(parts)) if pair in ranks]
    heapify(queue)
    while queue:
        _, at, joined = heappop(queue)
        right = after[at]
        if right == end or (parts[at], parts[right]) not in ranks or parts[at] + parts[right] != joined:
            continue  # one of the two was joined with another meanwhile
        parts[at], parts[right], after[at] = joined, "", after[right]
        if after[at] < end:
            before[after[at]] = at
        for left, right in ((before[at], at), (at, after[at])):
            if left >= 0 and right < end and (pair := (parts[left], parts[right])) in ranks:
                heappush(queue, (ranks[pair], left, "".join(pair)))
    return [part for part in parts if part]


def _parts(plain: str, unknown: str) -> Iterator[str]:
    """The text between the unknown tokens that stand apart in it, and these; one space beside each is left out."""
    start = 0
    for found in re.finditer(re.escape(unknown), plain):
        begin, end = found.span()
        if not any(map(_in_word, plain[max(begin - 1, 0) : begin] + plain[end : end + 1])):
            yield plain[start:begin].removesuffix(" ")
            yield unknown
            start = end + plain.startswith(" ", end)
    yield plain[start:]


def _in_word(character: str) -> bool:
    """Whether the unknown token is none where it stands beside this: letters, marks, digits, ties (UTS #18)."""
    return unicodedata.category(character) in _WORD_KINDS or _WORD_TOO.match(character) is not None
