"""Rows are dealt to sides: a share of every label, by a seeded hash of the text, equal texts together.

A row's side follows from the set of rows, never from their order. Knows nothing of files or configs.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence


def group_equal(texts: Sequence[str]) -> dict[str, list[int]]:
    """Where each text stands, in order of first appearance."""
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for index, text in enumerate(texts):
        groups[text].append(index)
    return dict(groups)


def stratify(texts: Sequence[str], labels: Sequence[str], shares: Sequence[float], seed: int) -> list[list[int]]:
    """Indices of the rows of each share's side, and last of those that are left; each list ascends.

    Each label's groups of equal texts are put in the order of their hashes; a side takes, in this order, the
    groups that fit into its share (rounded) of the label's rows. So a side never has more than its share, and
    less only by part of a group. A label's last group is always left, for training must know the label.
    """
    groups = group_equal(texts)
    by_label: defaultdict[str, list[str]] = defaultdict(list)
    for text, indices in groups.items():
        by_label[_majority([labels[index] for index in indices])].append(text)
    sides: list[list[int]] = [[] for _ in (*shares, "left")]
    for members in by_label.values():
        left = sorted(members, key=lambda text: _hash(text, seed))
        rows = sum(len(groups[text]) for text in left)
        for side, share in zip(sides, shares, strict=False):
            taken, left = _take([(text, len(groups[text])) for text in left], round(share * rows))
            side.extend(index for text in taken for index in groups[text])
        sides[-1].extend(index for text in left for index in groups[text])
    return [sorted(side) for side in sides]


def _take(ordered: list[tuple[str, int]], room: int) -> tuple[list[str], list[str]]:
    """The texts whose rows fit into `room`, and the others; the last text is never taken."""
    taken, left = [], []
    for text, rows in ordered[:-1]:
        if rows <= room:
            taken.append(text)
            room -= rows
        else:
            left.append(text)
    return taken, [*left, *(text for text, _ in ordered[-1:])]


def _majority(labels: Sequence[str]) -> str:
    """The most frequent label; of several the first in sorted order, as the order of rows must not matter."""
    counts = Counter(labels)
    return min(counts, key=lambda label: (-counts[label], label))


def _hash(text: str, seed: int) -> bytes:
    return hashlib.blake2b(text.encode("utf-8"), key=seed.to_bytes(8, "little"), digest_size=16).digest()
