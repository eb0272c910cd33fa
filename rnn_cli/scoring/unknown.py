"""How many tokens of texts a model does not know, and whether that is far more than in its validation texts."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

FAR = 0.1
"""A share of unknown tokens is far from the usual one from twice as much on, and from this much more on."""

DEVIATIONS = 3
"""How many standard deviations the share must be above that, so that a few short texts say nothing by chance."""


@dataclass(frozen=True)
class UnknownTokens:
    """Of `read` tokens of texts, `unknown` are not in the vocabulary."""

    read: int = 0
    unknown: int = 0

    def __add__(self, other: "UnknownTokens") -> "UnknownTokens":
        """Those of both."""
        return UnknownTokens(self.read + other.read, self.unknown + other.unknown)

    @property
    def share(self) -> float:
        """The share of unknown tokens."""
        return self.unknown / max(self.read, 1)

    def is_far_above(self, usual: "UnknownTokens") -> bool:
        """Whether the lower bound of Wilson's interval for the share is far above the usual share."""
        squared, rows = DEVIATIONS**2, max(self.read, 1)
        middle = self.share + squared / (2 * rows)
        half = DEVIATIONS * sqrt(self.share * (1 - self.share) / rows + squared / (4 * rows * rows))
        return (middle - half) / (1 + squared / rows) > usual.share + max(FAR, usual.share)

    def to_dict(self) -> dict[str, int]:
        """Its entry in a manifest."""
        return {"read": self.read, "unknown": self.unknown}

    @classmethod
    def of_manifest(cls, data: Mapping[str, Any]) -> "UnknownTokens | None":
        """Those of the validation texts; None for a model of an earlier release, or one that has no such numbers.

        The answers of a server hold the same entry.
        """
        entry = data.get(UNKNOWN_TOKENS)
        if not isinstance(entry, Mapping):
            return None
        read, unknown = entry.get("read"), entry.get("unknown")
        return cls(read, unknown) if type(read) is int and type(unknown) is int and 0 <= unknown <= read else None


UNKNOWN_TOKENS = "unknown_tokens"
"""The entry in a manifest's data, for the validation texts, and in the answers of a server."""


def warning_of(here: UnknownTokens, usual: UnknownTokens | None) -> str | None:
    """A sentence where far more tokens are unknown than usual."""
    if usual is None or not here.is_far_above(usual):
        return None
    return (
        f"{here.share:.0%} of the tokens are unknown to the model, {_percent(usual.share)} in its validation texts; "
        "are these texts of the same language and kind?"
    )


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 or not share else "under 1%"
