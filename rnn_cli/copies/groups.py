"""Groups that grow together by pairs. Imports nothing, as reading files does without NumPy."""


class DisjointSets:
    """The numbers below `size` in disjoint sets, each led by its least number.

    Source: Tarjan and van Leeuwen (1984), Worst-case analysis of set union algorithms (path halving).
    """

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def root(self, number: int) -> int:
        """The least number of a number's set."""
        parent = self._parent
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    def join(self, one: int, other: int) -> None:
        """Make one set of two numbers' sets."""
        first, second = self.root(one), self.root(other)
        self._parent[max(first, second)] = min(first, second)

    def groups(self) -> list[list[int]]:
        """All sets, as ascending numbers, in order of their least."""
        found: dict[int, list[int]] = {}
        for number in range(len(self._parent)):
            found.setdefault(self.root(number), []).append(number)
        return list(found.values())
