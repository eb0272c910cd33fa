"""Texts without labels, for the vocabulary and for own token vectors."""

from collections.abc import Set
from dataclasses import dataclass

from rnn_cli.config.schema import DataConfig
from rnn_cli.data.mixture import load_unlabelled_sources
from rnn_cli.data.rows import fingerprint_of
from rnn_cli.data.source import load_texts, unlabelled_sources


@dataclass(frozen=True)
class Unlabelled:
    """Texts without labels, in file order; none of them is a validation or test text."""

    texts: list[str]
    left_out: int
    """The number of texts left out, as they are validation or test texts."""
    fingerprint: str | None
    """SHA-256, in hex, of all texts in order; None if there is none."""

    def to_dict(self) -> dict[str, int | str | None]:
        """Their entry in a bundle's manifest."""
        return {"texts": len(self.texts), "fingerprint": self.fingerprint}


def load_unlabelled(config: DataConfig, held_out: Set[str]) -> Unlabelled:
    """The texts a config names except those in `held_out`, the validation and test texts. Raises DataError."""
    found = [text for source in unlabelled_sources(config) for text in load_texts(source, config)]
    found += load_unlabelled_sources(config)
    texts = [text for text in found if text not in held_out]
    return Unlabelled(texts, len(found) - len(texts), fingerprint_of(texts) if texts else None)
