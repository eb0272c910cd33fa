"""Texts without labels, for the vocabulary and for own token vectors."""

from collections.abc import Iterable
from dataclasses import dataclass

from rnn_cli.config.schema import DataConfig
from rnn_cli.copies.words import cleaned
from rnn_cli.data.mixture import load_unlabelled_sources
from rnn_cli.data.rows import fingerprint_of
from rnn_cli.data.source import load_texts, unlabelled_sources


@dataclass(frozen=True)
class Unlabelled:
    """Texts without labels, in file order; none of them is the text of a labelled row."""

    texts: list[str]
    left_out: int
    """The number of texts left out, as labelled rows have them."""
    fingerprint: str | None
    """SHA-256, in hex, of all texts in order; None if there is none."""

    def to_dict(self) -> dict[str, int | str | None]:
        """Their entry in a bundle's manifest."""
        return {"texts": len(self.texts), "fingerprint": self.fingerprint}


def load_unlabelled(config: DataConfig, labelled: Iterable[str]) -> Unlabelled:
    """The texts a config names except those of labelled rows, which training knows or must not; raises DataError.

    Texts are the same if `cleaned` makes them so.
    """
    found = [text for source in unlabelled_sources(config) for text in load_texts(source, config)]
    found += load_unlabelled_sources(config)
    if not found:
        return Unlabelled([], 0, None)
    known = set(map(cleaned, labelled))
    texts = [text for text in found if cleaned(text) not in known]
    return Unlabelled(texts, len(found) - len(texts), fingerprint_of(texts) if texts else None)
