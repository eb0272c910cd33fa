"""What runs of the same rows have in common, made once: token ids, n-gram parts, token vectors, a teacher's lessons."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Made = TypeVar("Made")

KEPT_OF_A_KIND = 4
"""So many things of a kind are kept, those used last: each may be as large as the rows."""


class Shared:
    """Keeps nothing: each run makes its own."""

    def once(self, kind: str, key: Hashable, make: Callable[[], Made]) -> Made:
        """What `make` gives, which follows from `key` alone and is never changed."""
        return make()


ALONE = Shared()
"""Of a run that has nothing in common with others."""


class Cache(Shared):
    """Keeps what was made for runs of the same rows in this process."""

    def __init__(self) -> None:
        self._kept: dict[str, OrderedDict[Hashable, Any]] = {}

    def once(self, kind: str, key: Hashable, make: Callable[[], Made]) -> Made:
        """What was made for an equal key, else what `make` gives."""
        kept = self._kept.setdefault(kind, OrderedDict())
        if key not in kept:
            kept[key] = make()
            while len(kept) > KEPT_OF_A_KIND:
                kept.popitem(last=False)
        kept.move_to_end(key)
        found: Made = kept[key]
        return found
