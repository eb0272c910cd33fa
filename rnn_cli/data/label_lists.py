"""Labels that are lists of labels: "x#y" beside "x" and "y". A text has one label here."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

SEPARATORS = (",", "|", "#", ";", "/", "+", "&")

_LISTED = re.compile(r"\s*[\[({].*[\])}]\s*", re.DOTALL)
_FRACTION = re.compile(r"\s*\d+,(0|00|5|25|50|75)\s*")


@dataclass(frozen=True)
class LabelLists:
    """Labels that look like several, and what joins them ("[ ]" for lists as programs write them)."""

    labels: Sequence[str]
    separators: Sequence[str]

    def __str__(self) -> str:
        """One sentence about them."""
        shown = ", ".join(repr(label[:40]) for label in self.labels[:3]) + (", ..." if len(self.labels) > 3 else "")
        one = len(self.labels) == 1
        looks = "label looks" if one else "labels look"
        by = " and ".join(map(repr, self.separators))
        return f"{len(self.labels):,} {looks} like several labels a text, by {by}: {shown}"


def find_label_lists(labels: Collection[str]) -> LabelLists | None:
    """The different labels that are lists of others; None if there are none.

    Of a list, every part is a label by itself or a part of another list. 4,5 and 3,0 are numbers.
    """
    written = [label for label in labels if _LISTED.fullmatch(label)]
    if len(written) > 1 and len(written) * 2 > len(labels):
        return LabelLists(sorted(written), ["[ ]"])
    found = {separator: joined for separator in SEPARATORS if (joined := _joined_by(separator, labels))}
    return LabelLists(sorted({label for joined in found.values() for label in joined}), list(found)) if found else None


def _joined_by(separator: str, labels: Collection[str]) -> list[str]:
    parts_of = {
        label: parts
        for label in labels
        if separator in label and all(parts := [part.strip() for part in label.split(separator)])
    }
    if separator == "," and all(map(_FRACTION.fullmatch, parts_of)):
        return []
    alone = {label.strip() for label in labels if label not in parts_of}
    lists: dict[str, int] = {}
    for parts in parts_of.values():
        for part in set(parts):
            lists[part] = lists.get(part, 0) + 1
    known = [label for label, parts in parts_of.items() if all(part in alone or lists[part] > 1 for part in parts)]
    # Some of their parts must be labels: else they may be names with such a sign in them.
    return known if any(part in alone for label in known for part in parts_of[label]) else []
