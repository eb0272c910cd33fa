"""Deals rows of several labels to the sides of a split, so that each label and each pair of labels is on all of them.

Source: Sechidis, Tsoumakas and Vlahavas (2011), On the stratification of multi-label data (iterative stratification);
Szymański and Kajdanowicz (2017), A network perspective on stratification of multi-label data (pairs of labels, too).
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from itertools import combinations

Feature = tuple[str, ...]
"""A label, two labels that a row has, or none of them."""


def deal(
    label_sets: Sequence[Sequence[str]],
    shares: Sequence[float],
    units: Sequence[Sequence[int]],
    key: Callable[[Sequence[int]], bytes],
) -> list[list[int]]:
    """The indices of each share's rows, then those of the remaining rows; each list ascends.

    Rows of a unit stay together. The rarest label, or pair of labels, is dealt first: each unit with it, in the order
    of `key`, goes to the side that lacks most of its share. A label's first unit remains, as training must know the
    label, and no share takes a unit larger than what it lacks.
    """
    dealing = _Dealing(label_sets, [*shares, 1 - sum(shares)], units)
    order = sorted(range(len(units)), key=lambda unit: key(units[unit]))
    of_feature: defaultdict[Feature, list[int]] = defaultdict(list)
    for unit in order:
        for feature in dealing.features[unit]:
            of_feature[feature].append(unit)
    while dealing.left:
        rarest = min(dealing.left, key=lambda feature: (dealing.left[feature], feature))
        for unit in of_feature[rarest]:
            dealing.place(unit, rarest)
    dealt: list[list[int]] = [[] for _ in dealing.room]
    for unit, side in dealing.side_of.items():
        dealt[side].extend(units[unit])
    return [sorted(side) for side in dealt]


class _Dealing:
    """Which side each unit has so far, and what each side still lacks: rows, and rows of each feature."""

    def __init__(
        self, label_sets: Sequence[Sequence[str]], portions: Sequence[float], units: Sequence[Sequence[int]]
    ) -> None:
        self.units, self.side_of = units, dict[int, int]()
        self.features = [_features(label_sets, unit) for unit in units]
        total = Counter[Feature]()
        self.left = Counter[Feature]()
        for each in self.features:
            total.update(each)
            self.left.update(each.keys())
        self.lacking = {feature: [portion * count for portion in portions] for feature, count in total.items()}
        self.room = [portion * sum(map(len, units)) for portion in portions]
        self._remaining = set[Feature]()

    def place(self, unit: int, rarest: Feature) -> None:
        """Give a unit, unless it has one, the side that lacks most rows of a feature."""
        if unit in self.side_of:
            return
        last, features = len(self.room) - 1, self.features[unit]
        if any(len(feature) == 1 and feature not in self._remaining for feature in features):
            side = last
        else:
            side = _side(self.lacking[rarest], self.room, len(self.units[unit]))
        self.side_of[unit] = side
        self.room[side] -= len(self.units[unit])
        if side == last:
            self._remaining.update(features)
        for feature, count in features.items():
            self.lacking[feature][side] -= count
            self.left[feature] -= 1
            if not self.left[feature]:
                del self.left[feature]


def _features(label_sets: Sequence[Sequence[str]], unit: Sequence[int]) -> Counter[Feature]:
    """How many of a unit's rows have each label and each two labels."""
    found = Counter[Feature]()
    for row in unit:
        names = label_sets[row]
        found.update((name,) for name in names)
        found.update(combinations(names, 2))
        if not names:
            found[()] += 1
    return found


def _side(wanted: Sequence[float], room: Sequence[float], rows: int) -> int:
    """The side that lacks most rows of a label, of equals the one that lacks most rows at all; the last takes any."""
    last = len(room) - 1
    fitting = [side for side in range(last) if rows <= round(room[side])]
    return max([last, *fitting], key=lambda side: (round(wanted[side], 9), round(room[side], 9)))
