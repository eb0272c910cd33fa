"""Which texts a model has learned from, told by hashes alone: no text can be read from them.

Up to a million texts are kept as sorted 64-bit hashes; of more, each set is a Bloom filter of 10 bits a text, which
takes about one other text in a hundred for one of them.

Source: Bloom (1970), Space/time trade-offs in hash coding with allowable errors; Kirsch and Mitzenmacher (2006), Less
hashing, same performance: building a better Bloom filter.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from rnn_cli.arrays import Flags
from rnn_cli.copies.words import cleaned

MOST_HASHES = 1_000_000
BITS, PROBES = 10, 7
"""Of a Bloom filter: bits a text, and how many of them each text sets."""

_MAGIC = int.from_bytes(b"rnnknows", "little")
_MOST_FILTERS = 1_000

Numbers = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class LearnedTexts:
    """The texts that a model and those it was trained from have learned: sorted hashes, and Bloom filters.

    Texts are the same if `cleaned` makes them so. `is_whole` is false where an earlier model did not keep its texts.
    """

    hashes: Numbers
    filters: tuple[Numbers, ...] = ()
    is_whole: bool = True

    @classmethod
    def of(cls, texts: Iterable[str], before: "LearnedTexts | None" = None) -> "LearnedTexts":
        """These texts, and those that were learned `before`."""
        found = _hashes(texts)
        if before is None:
            before = cls(np.empty(0, np.uint64))
        together = np.union1d(before.hashes, found)
        if len(together) <= MOST_HASHES:
            return replace(before, hashes=together)
        return replace(before, hashes=np.empty(0, np.uint64), filters=(*before.filters, _filter(together)))

    def knows(self, texts: Sequence[str]) -> Flags:
        """Whether each text is one of them, `[texts]`."""
        asked = _hashes(texts, unique=False)
        places = np.minimum(np.searchsorted(self.hashes, asked), max(len(self.hashes) - 1, 0))
        known = self.hashes[places] == asked if len(self.hashes) else np.zeros(len(asked), bool)
        for bits in self.filters:
            at = _bits_of(asked, 64 * len(bits))
            known |= ((bits[at >> np.uint64(6)] >> (at & np.uint64(63))) & np.uint64(1)).all(axis=1)
        return known

    def to_bytes(self) -> bytes:
        """All of it as 64-bit numbers: what it is, the sizes, the hashes, the filters."""
        head = [_MAGIC, int(self.is_whole), len(self.hashes), len(self.filters), *map(len, self.filters)]
        return np.concatenate([np.array(head, np.uint64), self.hashes, *self.filters]).astype("<u8").tobytes()

    @classmethod
    def from_bytes(cls, content: bytes) -> "LearnedTexts":
        """Read what `to_bytes` wrote; raises `ValueError` for anything else."""
        if len(content) % 8 or len(content) < 32:
            raise ValueError("its size")
        numbers = np.frombuffer(content, "<u8").astype(np.uint64, copy=False)
        magic, is_whole, hashes, filters = numbers[:4].tolist()
        if magic != _MAGIC or is_whole not in (0, 1) or filters > _MOST_FILTERS or len(numbers) < 4 + filters:
            raise ValueError("its head")
        sizes = [hashes, *numbers[4 : 4 + filters].tolist()]
        if sum(sizes) != len(numbers) - 4 - filters or 0 in sizes[1:]:
            raise ValueError("its parts")
        first, *others = np.split(numbers[4 + filters :], np.cumsum(sizes)[:-1].astype(np.intp))
        if not (first[1:] > first[:-1]).all():
            raise ValueError("its order")
        return cls(first, tuple(others), bool(is_whole))


UNKNOWN_TEXTS = LearnedTexts(np.empty(0, np.uint64), is_whole=False)
"""Those of a model that an earlier release trained, or whose run has not ended."""


def _hashes(texts: Iterable[str], *, unique: bool = True) -> Numbers:
    digests = (
        hashlib.blake2b(cleaned(text).encode("utf-8", "surrogatepass"), digest_size=8).digest() for text in texts
    )
    found = np.frombuffer(b"".join(digests), "<u8").astype(np.uint64, copy=False)
    return np.unique(found) if unique else found


def _filter(hashes: Numbers) -> Numbers:
    bits = np.zeros(-(-BITS * len(hashes) // 64), np.uint64)
    for probe in range(PROBES):
        at = _bits_of(hashes, 64 * len(bits), range(probe, probe + 1))[:, 0]
        np.bitwise_or.at(bits, at >> np.uint64(6), np.uint64(1) << (at & np.uint64(63)))
    return bits


def _bits_of(hashes: Numbers, size: int, probes: range = range(PROBES)) -> Numbers:
    """The places of each hash's bits in a filter of `size` bits, `[hashes, probes]`."""
    first, step = hashes >> np.uint64(32), (hashes & np.uint64(0xFFFFFFFF)) | np.uint64(1)
    found: Numbers = (first[:, None] + step[:, None] * np.array(probes, np.uint64)) % np.uint64(size)
    return found
