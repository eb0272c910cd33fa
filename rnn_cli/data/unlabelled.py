"""Texts without labels: for the vocabulary, for own token vectors, and for a teacher."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from rnn_cli.config.schema import DataConfig
from rnn_cli.copies.words import cleaned
from rnn_cli.data.mixture import read_unlabelled_sources
from rnn_cli.data.reading.remote import shown
from rnn_cli.data.rows import fingerprint_of
from rnn_cli.data.source import iterate_texts, unlabelled_sources

MOST_UNLABELLED = 200_000_000
"""Of more characters in all, so many are kept: 150,000 reviews, or a million posts, each of which counts as
`LEAST_CHARACTERS`, as its vectors take memory, too."""

LEAST_CHARACTERS = 200


@dataclass(frozen=True)
class Unlabelled:
    """Texts without labels, in file order; none of them is the text of a labelled row."""

    texts: list[str]
    left_out: int
    """The number of texts left out, as labelled rows have them."""
    fingerprint: str | None
    """SHA-256, in hex, of all texts in order; None if there is none."""
    found: int = 0
    """The number of texts of which these are a sample by chance; as many as there are if they are all."""
    named: str = ""
    """Their files, as messages name them; "" where a source of labelled rows brings them."""

    def to_dict(self) -> dict[str, int | str | None]:
        """Their entry in a bundle's manifest."""
        return {"texts": len(self.texts), "fingerprint": self.fingerprint}


def load_unlabelled(config: DataConfig, labelled: Iterable[str]) -> Unlabelled:
    """The texts a config names except those of labelled rows, which training knows or must not; raises DataError.

    Texts are the same if `cleaned` makes them so. Of too many, a sample by chance is kept, the same each time.
    """
    known: set[str] | None = None
    left_out, sample = 0, _Sample(MOST_UNLABELLED)
    sources = unlabelled_sources(config)
    named = ", ".join(map(shown, sources))
    files = (iterate_texts(source, config) for source in sources)
    for text in chain.from_iterable([*files, read_unlabelled_sources(config)]):
        known = set(map(cleaned, labelled)) if known is None else known
        if (clean := cleaned(text)) in known:
            left_out += 1
        else:
            sample.take(text, clean)
    texts = list(sample.texts())
    return Unlabelled(texts, left_out, fingerprint_of(texts) if texts else None, sample.seen, named)


class _Sample:
    """Those texts of a stream whose hashes are least, as many as have `most` characters together.

    It holds twice as many at most. Equal texts are kept or left out together, and the order of texts changes nothing.
    """

    def __init__(self, most: int) -> None:
        self.seen = 0
        self._most = most
        self._bound, self._characters = 1 << 64, 0
        self._kept: list[tuple[int, str]] = []

    def take(self, text: str, clean: str) -> None:
        """See a text, and what it is when it is compared."""
        self.seen += 1
        rank = int.from_bytes(hashlib.blake2b(clean.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
        if rank < self._bound:
            self._kept.append((rank, text))
            self._characters += _size(text)
            if self._characters > 2 * self._most:
                self._cut()

    def texts(self) -> Iterator[str]:
        """The texts kept, in order."""
        if self._characters > self._most:
            self._cut()
        return (text for _, text in self._kept)

    def _cut(self) -> None:
        """Leave out all texts from the first on that would be too much."""
        self._characters = 0
        for rank, text in sorted(self._kept):
            if self._characters + _size(text) > self._most:
                self._bound = rank
                break
            self._characters += _size(text)
        self._kept = [(rank, text) for rank, text in self._kept if rank < self._bound]
        self._characters = sum(_size(text) for _, text in self._kept)


def _size(text: str) -> int:
    return max(len(text), LEAST_CHARACTERS)
