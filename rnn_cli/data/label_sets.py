"""The labels of a text that may have several, or none, as one text: a sorted JSON list, `["anger", "joy"]`.

So a row has one text as its label in every set of rows, which is compared, counted, written and read again as any other
label; only what tells the labels of a row apart asks `names_of`.
"""

import json
from collections.abc import Iterable
from functools import lru_cache


def written_labels(names: Iterable[str]) -> str:
    """The labels of a row as one text."""
    return json.dumps(sorted(names), ensure_ascii=False)


@lru_cache(maxsize=1 << 16)
def names_of(label: str) -> tuple[str, ...]:
    """The labels that `written_labels` made a text of, sorted."""
    return tuple(json.loads(label))
