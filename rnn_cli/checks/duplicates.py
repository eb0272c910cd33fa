"""Texts that are there more than once, exactly or nearly: within a side, across sides, under different labels."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from rnn_cli.checks.findings import LEAKS, Finding, Hit, Severity, counted
from rnn_cli.checks.rows import WHOLE, Rows
from rnn_cli.data.splits import group_equal
from rnn_cli.linear.words import Words

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
            for index, factor in enumerate(factors):
                hashes = shingles[first:behind] * factor
                signatures[block, index] = np.minimum.reduceat(hashes, starts[block] - first)
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


def find_repeats(rows: Rows, words: Words) -> Iterator[Finding]:
    """The findings about repeated texts; `words` are those of `rows`."""
    equal = [group for group in group_equal(rows.texts).values() if len(group) > 1 and rows.texts[group[0]].strip()]
    near = [_first_of_each(rows, group) for group in near_duplicates(words)]
    near = [group for group in near if len({rows.texts[row] for row in group}) > 1]
    leaked, repeated = _parted(rows, equal, "repeats")
    nearly_leaked, nearly_repeated = _parted(rows, near, "nearly repeats")
    told = {hit.row for hit in leaked}
    nearly_leaked = [hit for hit in nearly_leaked if hit.row not in told]
    dealt = "Equal texts are kept on one side; near ones are not."
    yield from _found(
        LEAKS[0],
        Severity.ERROR,
        leaked,
        f"{_standing(leaked, '')} on an earlier side too, so figures look too good.",
        "Remove them from one of the files.",
    )
    yield from _found(
        LEAKS[1],
        Severity.WARNING,
        nearly_leaked,
        f"{_standing(nearly_leaked, 'nearly ')} on an earlier side too. {dealt}",
        "Keep one of each kind, if they are copies and not set phrases.",
    )
    for name, severity, groups, alike in (
        ("contradicting labels", Severity.ERROR, equal, "Equal texts"),
        ("nearly contradicting labels", Severity.WARNING, near, "Nearly equal texts"),
    ):
        torn = [group for group in groups if len({rows.labels[row] for row in group}) > 1]
        yield from _found(
            name,
            severity,
            [hit for group in torn for hit in _contradictions(rows, group)],
            f"{alike} have different labels: {counted(sum(map(len, torn)), 'row')} of "
            f"{counted(len(torn), 'such text')}.",
            "Decide on one label for each, or remove them: they teach nothing.",
        )
    yield from _found(
        "duplicates",
        Severity.WARNING,
        repeated,
        f"{counted(len(repeated), 'row repeats', 'rows repeat')} an earlier text exactly.",
        "Keep one of each: copies weigh more than other texts.",
    )
    yield from _found(
        "near duplicates",
        Severity.NOTE,
        nearly_repeated,
        f"{counted(len(nearly_repeated), 'row repeats', 'rows repeat')} most of an earlier text."
        + (f" {dealt}" if WHOLE in rows.sides else ""),
        "Keep one of each, if they are copies and not set phrases.",
    )


def _found(name: str, severity: Severity, hits: Sequence[Hit], what: str, hint: str) -> Iterator[Finding]:
    if hits:
        yield Finding(name, severity, what, hint, tuple(hits))


def _standing(leaked: Sequence[Hit], how: str) -> str:
    kept = "validation or test text"
    return counted(len(leaked), f"{kept} {how}stands", f"{kept}s {how}stand")


def _first_of_each(rows: Rows, group: Sequence[int]) -> list[int]:
    """Of a group's rows, the first of each text on each side."""
    first: dict[tuple[str, str], int] = {}
    for row in group:
        first.setdefault((rows.texts[row], rows.side_of[row]), row)
    return list(first.values())


def _parted(rows: Rows, groups: Iterable[Sequence[int]], what: str) -> tuple[list[Hit], list[Hit]]:
    """Rows that repeat one of an earlier side, and rows that repeat one of their own, each told which."""
    across: dict[int, Hit] = {}
    within: dict[int, Hit] = {}
    for group in groups:
        first: dict[str, int] = {}
        for row in group:
            side = rows.side_of[row]
            if side in first:
                within[row] = Hit(row, f"{what} {rows.where(first[side])}")
            for other, earlier in first.items():
                if other != side:
                    across.setdefault(row, Hit(row, f"{side}; {what} {rows.where(earlier)} ({other})"))
            first.setdefault(side, row)
    return [across[row] for row in sorted(across)], [within[row] for row in sorted(within)]


def _contradictions(rows: Rows, group: Sequence[int]) -> Iterator[Hit]:
    for row in group:
        other = next(each for each in group if rows.labels[each] != rows.labels[row])
        yield Hit(row, f"{rows.where(other)} says {rows.labels[other]}")
