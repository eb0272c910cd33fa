"""Texts that are nearly the same, found without comparing each with each: MinHash and locality-sensitive hashing.

Source: Broder (1997), On the resemblance and containment of documents; Leskovec, Rajaraman and Ullman (2020), Mining of
massive datasets, chapter 3 (bands of signatures). Knows nothing of labels or sides.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from rnn_cli.doctor.words import Words

ALIKE = 0.7
"""Two texts are near duplicates from this share of common word pairs on (of all that either has: Jaccard's index)."""

BANDS, BAND = 16, 4
"""A signature has so many bands of so many minima. Texts of Jaccard 0.7 agree in some band in 99 of 100 cases, of 0.5
in 64; what agrees is then compared exactly."""

BLOCK = 1_000_000
"""Words whose hashes are in memory at once."""

SEED = 1

Hashes = npt.NDArray[np.uint64]


def near_duplicates(words: Words) -> list[list[int]]:
    """Groups of texts each of which is nearly the same as another of its group: indices, ascending.

    Case, punctuation and white space make no difference. Texts without a word are in no group.
    """
    shingles, starts = _shingles(words)
    parent = np.arange(len(words))

    def root(text: int) -> int:
        while parent[text] != text:
            parent[text] = parent[parent[text]]
            text = int(parent[text])
        return text

    for one, other in _candidates(_signatures(shingles, starts)):
        first, second = root(one), root(other)
        if first != second and _jaccard(*(shingles[starts[text] : starts[text + 1]] for text in (one, other))) >= ALIKE:
            parent[max(first, second)] = min(first, second)
    groups: dict[int, list[int]] = {}
    for text in range(len(words)):
        groups.setdefault(root(text), []).append(text)
    return [group for group in groups.values() if len(group) > 1]


def _shingles(words: Words) -> tuple[Hashes, npt.NDArray[np.intp]]:
    """A hash for each pair of neighbouring words, or for the word of a text that has but one, and where texts begin."""
    lengths = words.lengths
    ids = words.ids.astype(np.uint64)
    follows = np.zeros_like(ids)
    follows[:-1] = ids[1:] + np.uint64(1)
    last = words.starts[1:][lengths > 0] - 1
    follows[last] = 0  # a last word is followed by none
    kept = np.ones(len(ids), bool)
    kept[words.starts[1:][lengths > 1] - 1] = False  # and begins a pair only where it is all there is
    starts = np.concatenate([[0], np.maximum(lengths - 1, np.minimum(lengths, 1)).cumsum()])
    return _mixed((ids << np.uint64(32)) + follows)[kept], starts


def _mixed(numbers: Hashes) -> Hashes:
    """Numbers spread over all 64 bits: the finalizer of SplitMix64 (Steele, Lea and Flood 2014)."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        numbers = (numbers ^ (numbers >> np.uint64(shift))) * np.uint64(factor)
    return numbers ^ (numbers >> np.uint64(31))


def _signatures(shingles: Hashes, starts: npt.NDArray[np.intp]) -> Hashes:
    """For each text the least of its hashes under each of many hash functions, `[texts, minima]`."""
    chance = np.random.default_rng(SEED)
    factors = chance.integers(0, 2**63, BANDS * BAND, np.uint64) * np.uint64(2) + np.uint64(1)
    texts = len(starts) - 1
    # A text without words gets a number of its own, so that it is like no other.
    signatures = _mixed(np.arange(texts * BANDS * BAND, dtype=np.uint64)).reshape(texts, -1)
    full = np.flatnonzero(np.diff(starts) > 0)
    for block in np.split(full, np.flatnonzero(np.diff(starts[full] // BLOCK)) + 1):
        if len(block):
            first, behind = starts[block[0]], starts[block[-1] + 1]
            for place, factor in enumerate(factors):
                hashes = shingles[first:behind] * factor
                signatures[block, place] = np.minimum.reduceat(hashes, starts[block] - first)
    return signatures


def _candidates(signatures: Hashes) -> Iterator[tuple[int, int]]:
    """Pairs of texts that agree in a band and in about enough minima; of many that agree, neighbours and the first."""
    seen: set[tuple[int, int]] = set()
    for band in range(BANDS):
        part = signatures[:, band * BAND : (band + 1) * BAND]
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
