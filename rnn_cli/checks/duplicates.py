"""Texts that occur more than once, exactly or nearly: within a side, across sides, with different labels."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from rnn_cli.checks.findings import LEAKS, Finding, Hit, Severity, counted, finding_if
from rnn_cli.checks.rows import WHOLE, CheckedRows
from rnn_cli.data.splits import group_equal
from rnn_cli.linear.words import Words

ALIKE = 0.7
"""Two texts are near duplicates from this share of common word pairs on (among all pairs of both: Jaccard's index)."""

BANDS, BAND_MINIMA = 16, 4
"""A signature has this many bands of this many minima. Texts with a Jaccard index of 0.7 agree in some band in 99 of
100 cases, with 0.5 in 64; texts that agree are then compared exactly."""

BLOCK = 1_000_000
"""Words whose hashes are in memory at once."""

Hashes = npt.NDArray[np.uint64]


def near_duplicates(words: Words) -> list[list[int]]:
    """Groups of texts, as ascending indices; each text is nearly the same as another of its group.

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
    """A hash for each pair of neighbouring words, or for a text's only word, and the index where each text begins."""
    lengths = words.lengths
    ids = words.ids.astype(np.uint64)
    follows = np.zeros_like(ids)
    follows[:-1] = ids[1:] + np.uint64(1)
    last = words.starts[1:][lengths > 0] - 1
    follows[last] = 0  # nothing follows a last word
    kept = np.ones(len(ids), bool)
    kept[words.starts[1:][lengths > 1] - 1] = False  # and it begins a pair only if it is the only word
    starts = np.concatenate([[0], np.maximum(lengths - 1, np.minimum(lengths, 1)).cumsum()])
    return _mixed((ids << np.uint64(32)) + follows)[kept], starts


def _mixed(numbers: Hashes) -> Hashes:
    """Spread numbers over all 64 bits: the finalizer of SplitMix64 (Steele, Lea and Flood 2014)."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        numbers = (numbers ^ (numbers >> np.uint64(shift))) * np.uint64(factor)
    return numbers ^ (numbers >> np.uint64(31))


def _signatures(shingles: Hashes, starts: npt.NDArray[np.intp]) -> Hashes:
    """The least of each text's hashes under each of many hash functions, `[texts, minima]`."""
    chance = np.random.default_rng(1)
    factors = chance.integers(0, 2**63, BANDS * BAND_MINIMA, np.uint64) * np.uint64(2) + np.uint64(1)
    texts = len(starts) - 1
    # A text without words gets its own numbers, so that it is like no other.
    signatures = _mixed(np.arange(texts * BANDS * BAND_MINIMA, dtype=np.uint64)).reshape(texts, -1)
    full = np.flatnonzero(np.diff(starts) > 0)
    for block in np.split(full, np.flatnonzero(np.diff(starts[full] // BLOCK)) + 1):
        if len(block):
            first, behind = starts[block[0]], starts[block[-1] + 1]
            for index, factor in enumerate(factors):
                hashes = shingles[first:behind] * factor
                signatures[block, index] = np.minimum.reduceat(hashes, starts[block] - first)
    return signatures


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


def find_repeats(rows: CheckedRows, words: Words) -> list[Finding]:
    """The findings about repeated texts; `words` are those of `rows`."""
    equal = [group for group in group_equal(rows.texts).values() if len(group) > 1 and rows.texts[group[0]].strip()]
    near = [_first_of_each(rows, group) for group in near_duplicates(words)]
    near = [group for group in near if len({rows.texts[row] for row in group}) > 1]
    leaked, repeated = _across_and_within(rows, equal, "repeats")
    nearly_leaked, nearly_repeated = _across_and_within(rows, near, "nearly repeats")
    known = {hit.row for hit in leaked}
    split = "Splitting keeps equal texts on one side, but not near duplicates."
    kept = "validation or test text"
    contradictions: list[Finding] = []
    for name, severity, groups, alike in (
        ("contradicting labels", Severity.ERROR, equal, "with equal texts"),
        ("nearly contradicting labels", Severity.WARNING, near, "with nearly equal texts"),
    ):
        torn = [group for group in groups if len({rows.labels[row] for row in group}) > 1]
        contradictions += finding_if(
            [hit for group in torn for hit in _contradictions(rows, group)],
            *(name, severity, ("row", "rows"), f"{alike} have different labels ({counted(len(torn), 'text')})."),
            "Decide on one label for each text, or remove them: they teach nothing.",
        )
    return [
        *finding_if(
            leaked,
            *(LEAKS[0], Severity.ERROR, (f"{kept} is", f"{kept}s are")),
            "also on an earlier side, so metrics look too good.",
            "Remove them from one of the files.",
        ),
        *finding_if(
            [hit for hit in nearly_leaked if hit.row not in known],
            *(LEAKS[1], Severity.WARNING, (f"{kept} is", f"{kept}s are")),
            f"nearly the same as a text on an earlier side. {split}",
            "Keep one of each kind, if they are copies and not set phrases.",
        ),
        *contradictions,
        *finding_if(
            repeated,
            *("duplicates", Severity.WARNING, ("row repeats", "rows repeat"), "an earlier text exactly."),
            "Keep one of each: copies weigh more than other texts.",
        ),
        *finding_if(
            nearly_repeated,
            *("near duplicates", Severity.NOTE, ("row repeats", "rows repeat")),
            "most of an earlier text." + (f" {split}" if WHOLE in rows.sides else ""),
            "Keep one of each, if they are copies and not set phrases.",
        ),
    ]


def _first_of_each(rows: CheckedRows, group: Sequence[int]) -> list[int]:
    """The first row of each text on each side of a group."""
    first: dict[tuple[str, str], int] = {}
    for row in group:
        first.setdefault((rows.texts[row], rows.side_of[row]), row)
    return list(first.values())


def _across_and_within(rows: CheckedRows, groups: Iterable[Sequence[int]], repeats: str) -> tuple[list[Hit], list[Hit]]:
    """The rows that repeat a row of an earlier side, and those that repeat one of their own; notes say which."""
    across: dict[int, Hit] = {}
    within: dict[int, Hit] = {}
    for group in groups:
        first: dict[str, int] = {}
        for row in group:
            side = rows.side_of[row]
            if side in first:
                within[row] = Hit(row, f"{repeats} {rows.where(first[side])}")
            for other, earlier in first.items():
                if other != side:
                    across.setdefault(row, Hit(row, f"{side}; {repeats} {rows.where(earlier)} ({other})"))
            first.setdefault(side, row)
    return [across[row] for row in sorted(across)], [within[row] for row in sorted(within)]


def _contradictions(rows: CheckedRows, group: Sequence[int]) -> Iterator[Hit]:
    for row in group:
        other = next(each for each in group if rows.labels[each] != rows.labels[row])
        yield Hit(row, f"{rows.where(other)} says {rows.labels[other]}")
