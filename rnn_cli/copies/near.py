"""Texts that are nearly the same. Knows nothing of labels or sides.

Words are hashed from the characters' numbers in one pass over all texts, without a Python object for each word.

Source: Broder (1997), On the resemblance and containment of documents; Li, Owen and Zhang (2012), One permutation
hashing; Shrivastava and Li (2014), Densifying one permutation hashing via rotation for fast near neighbor search.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from rnn_cli.arrays import Flags, Indices
from rnn_cli.copies.groups import DisjointSets
from rnn_cli.copies.words import comparable, is_unspaced, is_word_character

ALIKE = 0.7
"""Two texts are near copies from this share of common word pairs on (among all pairs of both: Jaccard's index)."""

BANDS, BAND_MINIMA = 16, 4
"""A signature has this many bands of this many minima. Texts with a Jaccard index of 0.7 agree in some band in 99 of
100 cases, with 0.5 in 64; texts that agree are then compared exactly."""

BLOCK = 100_000
"""Characters that are numbered at once: few enough for the cache."""

_BASE = 0x9E3779B97F4A7C15
_BASE_INVERSE = pow(_BASE, -1, 2**64)

Hashes = npt.NDArray[np.uint64]


def near_copies(texts: Sequence[str]) -> list[list[int]]:
    """Groups of texts, as ascending indices; each text is nearly the same as another of its group.

    Case, punctuation and white space make no difference. Texts without a word are in no group.
    """
    shingles, starts = _shingles(texts)
    sets = DisjointSets(len(texts))
    for one, other in _candidates(_signatures(shingles, starts)):
        if sets.root(one) == sets.root(other):
            continue
        if _jaccard(*(shingles[starts[text] : starts[text + 1]] for text in (one, other))) >= ALIKE:
            sets.join(one, other)
    return [group for group in sets.groups() if len(group) > 1]


def _shingles(texts: Sequence[str]) -> tuple[Hashes, Indices]:
    """A hash for each pair of neighbouring words, or for a text's only word, and the index where each text begins."""
    parts, counts, block, characters = [], [np.zeros(1, np.intp)], [], 0
    for index, text in enumerate(texts):
        block.append(comparable(text))
        characters += len(text)
        if characters >= BLOCK or index == len(texts) - 1:
            hashes, of_each = _shingles_of(block)
            parts.append(hashes)
            counts.append(of_each)
            block, characters = [], 0
    return np.concatenate(parts) if parts else np.empty(0, np.uint64), np.concatenate(counts).cumsum()


def _shingles_of(texts: Sequence[str]) -> tuple[Hashes, Indices]:
    """The shingles of some texts, and how many each text has."""
    codes = np.frombuffer("\n".join([*texts, ""]).encode("utf-32-le", "surrogatepass"), np.uint32)
    ends_of_texts = np.fromiter(map(len, texts), np.intp, len(texts)) + 1
    in_word, alone = _kinds(codes)
    begins = in_word.copy()
    begins[1:] &= ~in_word[:-1] | alone[1:] | alone[:-1]
    firsts = np.flatnonzero(begins)
    behind = in_word.copy()
    behind[:-1] &= begins[1:] | ~in_word[1:]
    lasts = np.flatnonzero(behind)
    # A word's hash is its polynomial in the base, from sums up to each place: modulo 2 ** 64 the base has an inverse.
    powers = np.empty(len(codes), np.uint64)
    powers[0], powers[1:] = 1, _BASE
    np.multiply.accumulate(powers, out=powers)
    back = np.full(len(codes), _BASE_INVERSE, np.uint64)
    back[0] = 1
    np.multiply.accumulate(back, out=back)
    terms = (codes.astype(np.uint64) + np.uint64(1)) * powers
    sums = np.cumsum(terms, dtype=np.uint64)
    words = _mixed((sums[lasts] - sums[firsts] + terms[firsts]) * back[firsts])
    of_text = np.searchsorted(ends_of_texts.cumsum(), firsts, side="right")
    lengths = np.bincount(of_text, minlength=len(texts))
    pairs = words.copy()
    together = of_text[1:] == of_text[:-1]
    pairs[:-1][together] += _mixed(words[1:][together] + np.uint64(1))
    kept = np.append(together, False) | (lengths[of_text] == 1)  # a last word begins a pair only if it is the only one
    return _mixed(pairs[kept]), np.maximum(lengths - 1, np.minimum(lengths, 1))


def _kinds(codes: npt.NDArray[np.uint32]) -> tuple[Flags, Flags]:
    """Whether each character is part of a word, and whether it is a word by itself."""
    ascii_part = np.array([is_word_character(chr(code)) for code in range(128)])
    plain = codes < 128
    in_word = ascii_part[np.where(plain, codes, 10)]
    alone = np.zeros(len(codes), bool)
    if not plain.all():
        others, places = np.unique(codes[~plain], return_inverse=True)
        letters = [chr(code) for code in others.tolist()]
        in_word[~plain] = np.array([is_word_character(letter) for letter in letters])[places]
        alone[~plain] = np.array([is_unspaced(letter) for letter in letters])[places]
    return in_word, alone


def _mixed(numbers: Hashes) -> Hashes:
    """Spread numbers over all 64 bits: the finalizer of SplitMix64 (Steele, Lea and Flood 2014)."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        numbers = (numbers ^ (numbers >> np.uint64(shift))) * np.uint64(factor)
    return numbers ^ (numbers >> np.uint64(31))


def _signatures(shingles: Hashes, starts: Indices) -> Hashes:
    """The least of each text's hashes in each of many parts of the range of hashes, `[texts, minima]`.

    An empty part takes the minimum of the next part that is not, so that two texts' minima agree as often as their
    shingles do.
    """
    parts, texts = BANDS * BAND_MINIMA, len(starts) - 1
    least = np.full(texts * parts, np.iinfo(np.uint64).max, np.uint64)
    place = np.repeat(np.arange(texts) * parts, np.diff(starts)) + (shingles >> np.uint64(58)).astype(np.intp)
    np.minimum.at(least, place, shingles)
    signatures = least.reshape(texts, parts)
    full = signatures != np.iinfo(np.uint64).max
    # Each place's next full one, going round once.
    twice = np.where(np.tile(full, 2), np.arange(2 * parts), 4 * parts)
    following = np.minimum.accumulate(twice[:, ::-1], axis=1)[:, ::-1][:, :parts]
    found = np.take_along_axis(signatures, following % parts, axis=1)
    # How far it was taken from counts, too: else one shingle would fill all parts alike.
    found = _mixed(found + (following - np.arange(parts)).astype(np.uint64))
    # A text without words gets its own numbers, so that it is like no other.
    empty = np.flatnonzero(~full.any(axis=1))
    found[empty] = _mixed(np.arange(len(empty) * parts, dtype=np.uint64)).reshape(len(empty), parts)
    return found


def _candidates(signatures: Hashes) -> Iterator[tuple[int, int]]:
    """Pairs of texts that agree in a band and in enough minima; of many that agree, neighbours and the first."""
    seen: set[tuple[int, int]] = set()
    for band in range(BANDS):
        part = signatures[:, band * BAND_MINIMA : (band + 1) * BAND_MINIMA]
        keys = np.zeros(len(part), np.uint64)
        for column in part.T:
            keys = _mixed(keys + column)
        order = np.argsort(keys, kind="stable")
        same = keys[order][1:] == keys[order][:-1]
        runs = np.maximum.accumulate(np.where(np.concatenate([[True], ~same]), np.arange(len(order)), 0))
        for before in (order[:-1], order[runs[1:]]):
            ones, others = before[same], order[1:][same]
            close = (signatures[ones] == signatures[others]).mean(axis=1) > ALIKE - 0.2
            for pair in zip(ones[close].tolist(), others[close].tolist(), strict=True):
                if pair not in seen:
                    seen.add(pair)
                    yield pair


def _jaccard(one: Hashes, other: Hashes) -> float:
    first, second = set(one.tolist()), set(other.tolist())
    return len(first & second) / len(first | second)
