"""Further texts without labels, for the vocabulary and the token vectors; they never measure, choose or teach a label.

Knows nothing of tokens or networks.
"""

import hashlib
from collections.abc import Iterable, Set
from dataclasses import dataclass

from rnn_cli.config import DataConfig
from rnn_cli.data.source import load_texts, unlabelled_sources


@dataclass(frozen=True)
class Unlabelled:
    """Texts in the order of their files, none of which is a validation or test text."""

    texts: list[str]
    left_out: int
    """How many were validation or test texts."""
    fingerprint: str | None
    """SHA-256, in hex, of all texts in order, wherever they lie; None when there is none."""

    def to_dict(self) -> dict[str, int | str | None]:
        """What a bundle's manifest tells of them."""
        return {"texts": len(self.texts), "fingerprint": self.fingerprint}


def load_unlabelled(config: DataConfig, kept_apart: Set[str]) -> Unlabelled:
    """The texts a config names without those of `kept_apart`, the validation and test texts. Raises DataError."""
    found = [text for source in unlabelled_sources(config) for text in load_texts(source, config)]
    texts = [text for text in found if text not in kept_apart]
    return Unlabelled(texts, len(found) - len(texts), _fingerprint(texts) if texts else None)


def _fingerprint(texts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        # The length goes first, so that ("ab", "c") and ("a", "bc") differ.
        encoded = text.encode("utf-8")
        digest.update(len(encoded).to_bytes(8, "little"))
        digest.update(encoded)
    return digest.hexdigest()
